//! Servers on loopback that the tests of fetching ask.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};
use tokio_util::task::AbortOnDropHandle;

use super::cache::Cache;
use super::git::{Git, Limits};
use super::http::{Client, Proxies, Times};
use super::login::Logins;
use super::{ChartReference, Fetcher, Sizes};
use crate::domain::ManualClock;

/// A request that came.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The path without the query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }
}

pub(super) type Reply = Response<BoxBody<Bytes, Infallible>>;

/// A server on loopback that lives as long as this value.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _accepting: AbortOnDropHandle<()>,
}

impl Server {
    pub(super) async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(None, answer).await
    }

    /// The same with TLS, and the authority that is to be trusted.
    pub(super) async fn with_tls(
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> (Self, RootCertStore) {
        let made =
            rcgen::generate_simple_self_signed(["localhost", "charts.invalid"].map(str::to_owned)).unwrap();
        let certificate = CertificateDer::from(made.cert.der().to_vec());
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        (Self::serve(Some(TlsAcceptor::from(Arc::new(config))), answer).await, roots)
    }

    async fn serve(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, requests) = (Arc::new(answer), Arc::clone(&seen));
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (tls, answer, requests) = (tls.clone(), Arc::clone(&answer), Arc::clone(&requests));
                tokio::spawn(async move { talk(stream, tls, &*answer, &requests).await });
            }
        });
        Self { address, seen, _accepting: AbortOnDropHandle::new(accepting) }
    }

    /// The URL of a path there, by the name `localhost`.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.address.port())
    }

    /// What was asked so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The targets that were asked for so far, and forgets them.
    pub(super) fn take_targets(&self) -> Vec<String> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        seen.into_iter().map(|seen| seen.target).collect()
    }
}

async fn talk(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    answer: &(dyn Fn(&Seen) -> Reply + Send + Sync),
    requests: &Mutex<Vec<Seen>>,
) {
    let service = service_fn(async |request: Request<Incoming>| {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let seen = Seen {
            method: head.method,
            target: head.uri.to_string(),
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        requests.lock().unwrap().push(seen.clone());
        Ok::<_, Infallible>(answer(&seen))
    });
    let serving = hyper::server::conn::http1::Builder::new();
    // a client that hangs up, or does not trust us, is what some tests are about
    match tls {
        None => drop(serving.serve_connection(TokioIo::new(stream), service).await),
        Some(tls) => {
            let Ok(stream) = tls.accept(stream).await else { return };
            drop(serving.serve_connection(TokioIo::new(stream), service).await);
        }
    }
}

/// A whole answer.
pub(super) fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()).boxed());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap();
    reply
}

/// An answer with a header.
pub(super) fn with_header(mut reply: Reply, name: &'static str, value: impl AsRef<str>) -> Reply {
    reply.headers_mut().insert(name, value.as_ref().parse().unwrap());
    reply
}

/// A redirect.
pub(super) fn redirect(status: u16, location: impl AsRef<str>) -> Reply {
    with_header(reply(status, ""), "location", location)
}

/// An answer that never ends.
pub(super) fn endless() -> Reply {
    let pieces = futures::stream::repeat(Bytes::from_static(&[b'x'; 4096]));
    Response::new(BodyExt::boxed(StreamBody::new(pieces.map(|piece| Ok(Frame::data(piece))))))
}

/// An answer that stops in the middle, and never ends.
pub(super) fn stalled() -> Reply {
    let first = futures::stream::once(async { Ok(Frame::data(Bytes::from_static(b"begin"))) });
    Response::new(BodyExt::boxed(StreamBody::new(first.chain(futures::stream::pending()))))
}

/// An answer that comes in drops, and never ends.
pub(super) fn dripping() -> Reply {
    let drops = futures::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok(Frame::data(Bytes::from_static(b"x"))), ()))
    });
    Response::new(BodyExt::boxed(StreamBody::new(drops)))
}

/// A script that can be run at once. A child writes it: what this process has open for writing, a child that another thread
/// begins just then has too, and nobody can run it.
pub(super) fn program(path: &Path, text: &str) {
    let write = r#"printf '%s' "$1" > "$2" && chmod 755 "$2""#;
    let wrote = std::process::Command::new("sh").args(["-c", write, "sh", text]).arg(path).output().unwrap();
    assert!(wrote.status.success(), "{wrote:?}");
}

/// Times that a test can wait for.
pub(super) fn short() -> Times {
    Times {
        connect: Duration::from_secs(20),
        idle: Duration::from_millis(200),
        total: Duration::from_secs(20),
    }
}

/// A client without proxies that trusts `roots`.
pub(super) fn client(roots: RootCertStore) -> Client {
    let proxies = Proxies::from_environment(|_| None);
    Client::new(roots, proxies, Times { idle: Duration::from_secs(20), ..short() }).unwrap()
}

/// What [`fetcher`] takes.
pub(super) const SIZES: Sizes = Sizes { archive: 32 << 10, index: 64 << 10 };

/// A fetcher that knows the logins below `home`, where it keeps what it fetches too.
pub(super) fn fetcher(home: &Path, roots: RootCertStore) -> Fetcher {
    let variable = |name: &str| (name == "HOME").then(|| home.to_str().unwrap().to_owned());
    Fetcher {
        client: client(roots),
        logins: Logins::of_person(variable),
        cache: Cache::new(&home.join("cache"), SIZES),
        sizes: SIZES,
        git: Git::new(std::iter::empty(), Limits::default()),
        scratch: home.join("git"),
        clock: Arc::new(ManualClock::new("2026-11-28T03:00:00Z".parse().unwrap())),
    }
}

/// A question.
pub(super) fn asked(location: impl Into<String>, version: Option<&str>) -> ChartReference {
    ChartReference { location: location.into(), chart: None, version: version.map(str::to_owned) }
}

/// Something that looks like an archive, and is like no other.
pub(super) fn archive(content: &str) -> Vec<u8> {
    [&[0x1F, 0x8B], content.as_bytes()].concat()
}
