//! An HTTP client for buckets: connections are kept and used again, sizes and times are bounded, redirects are not followed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, IF_NONE_MATCH, RANGE, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, SizeHint};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls_native_certs::load_native_certs;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use tower::{BoxError, service_fn, util::BoxCloneSyncService};

/// How long connecting, and agreeing on TLS, may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long an answer may take, without its transfer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The slowest transfer that is waited for, in bytes per second.
const SLOWEST: u64 = 32 << 10;
/// The largest answer, in bytes: a pack of whoever made the repository.
const LARGEST: usize = 1 << 30;
/// The largest answer that is expected where no range says so, in bytes.
const USUAL: u64 = 16 << 20;

type Connector = BoxCloneSyncService<Uri, Stream, BoxError>;

/// Asks buckets. Clones share their connections.
#[derive(Clone)]
pub(super) struct Client {
    client: hyper_util::client::legacy::Client<Connector, Pieces>,
}

/// A signed request.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) method: Method,
    /// It has the signature in it: for no log.
    pub(super) url: String,
    /// The first and the last byte that are wanted.
    pub(super) range: Option<(u64, u64)>,
    /// Whether it must not replace what is there.
    pub(super) new: bool,
    pub(super) body: Vec<Bytes>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// The region that the bucket is in, where it says so.
    pub(super) region: Option<String>,
    /// The first byte of the part that the body is; none when it is the whole object.
    pub(super) from: Option<u64>,
}

/// Why there is no answer.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// It may come back.
    Network(String),
    /// The certificate, or no common protocol.
    Tls(String),
    /// The request cannot be made.
    Defect(String),
}

/// Marks what went wrong while TLS was agreed on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct TlsError(String);

impl Client {
    /// A client that trusts whom the system trusts, and the authorities in a PEM file.
    ///
    /// # Errors
    /// The file cannot be read, or has no certificate.
    pub(super) fn new(ca: Option<&Path>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(load_native_certs().certs);
        if let Some(path) = ca {
            let failed = |why: String| format!("its authorities in {}: {why}", path.display());
            let found = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
            let found: Result<Vec<_>, _> = found.collect();
            let found = found.map_err(|error| failed(error.to_string()))?;
            if roots.add_parsable_certificates(found).0 == 0 {
                return Err(failed("there is no certificate in it".to_owned()));
            }
        }
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let tls = TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()));
        let connector = BoxCloneSyncService::new(service_fn(move |uri: Uri| connect(tls.clone(), uri)));
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(8)
            .build(connector);
        Ok(Self { client })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn ask(&self, question: Question) -> Result<Answer, Failure> {
        let expected = question.range.map_or(USUAL, |(from, to)| to - from);
        let sent: u64 = question.body.iter().map(|bytes| bytes.len() as u64).sum();
        let limit = PATIENCE + Duration::from_secs((expected + sent) / SLOWEST);
        let slow = || Failure::Network(format!("no whole answer within {} s", limit.as_secs()));
        timeout(limit, self.exchange(question, sent)).await.unwrap_or_else(|_| Err(slow()))
    }

    async fn exchange(&self, question: Question, length: u64) -> Result<Answer, Failure> {
        let mut request = Request::builder()
            .method(question.method.clone())
            .uri(question.url)
            .header(USER_AGENT, concat!("styrmin/", env!("CARGO_PKG_VERSION")));
        if question.method == Method::PUT {
            request = request.header(CONTENT_LENGTH, length);
        }
        if let Some((from, to)) = question.range {
            request = request.header(RANGE, format!("bytes={from}-{to}"));
        }
        if question.new {
            request = request.header(IF_NONE_MATCH, "*");
        }
        let body = Pieces { pieces: question.body.into(), left: length };
        let request = request.body(body).map_err(|error| Failure::Defect(error.to_string()))?;
        let answer = self.client.request(request).await.map_err(|error| failure(&error))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST).collect().await;
        let body = body.map_err(|error| Failure::Network(format!("the answer broke off: {error}")))?;
        let header = |name: &str| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let region = header("x-amz-bucket-region").map(str::to_owned);
        // some say 200 although it is a part
        let from = header("content-range")
            .and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok());
        Ok(Answer { status: head.status, body: body.to_bytes(), region, from })
    }
}

/// The innermost reasons: what is around them says only that there was no answer.
fn failure(error: &hyper_util::client::legacy::Error) -> Failure {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    let mut words = Vec::new();
    while let Some(error) = cause {
        if error.is::<TlsError>() {
            return Failure::Tls(error.to_string());
        }
        words.push(error.to_string());
        cause = error.source();
    }
    let inner = words.split_off(words.len().saturating_sub(2));
    Failure::Network(inner.join(": "))
}

async fn connect(tls: TlsConnector, uri: Uri) -> Result<Stream, BoxError> {
    let host = uri.host().ok_or("the endpoint has no host")?.to_owned();
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let slow = |what: &str| format!("{host}:{port} did not {what} within {} s", CONNECT.as_secs());
    let reached = timeout(CONNECT, TcpStream::connect((bare.as_str(), port))).await;
    let stream = reached.map_err(|_| slow("accept a connection"))?;
    let stream = stream.map_err(|error| format!("{host}:{port}: {error}"))?;
    stream.set_nodelay(true)?;
    if !secure {
        return Ok(Stream::Plain(TokioIo::new(stream)));
    }
    let name = ServerName::try_from(bare).map_err(|error| TlsError(error.to_string()))?;
    let agreed = timeout(CONNECT, tls.connect(name, stream)).await.map_err(|_| slow("agree on TLS"))?;
    let stream = agreed.map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => BoxError::from(TlsError(error.to_string())),
        _ => BoxError::from(format!("{host}:{port}: {error}")),
    })?;
    Ok(Stream::Tls(Box::new(TokioIo::new(stream))))
}

/// A connection, encrypted or not.
pub(super) enum Stream {
    Plain(TokioIo<TcpStream>),
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, buffer),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// A body whose pieces are not copied together.
pub(super) struct Pieces {
    pieces: VecDeque<Bytes>,
    left: u64,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.pop_front();
        self.left -= piece.as_ref().map_or(0, |bytes| bytes.len() as u64);
        Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
