//! One HTTP client for everything that is fetched. Sizes, times and redirects are bounded; what was encrypted stays so; a
//! login goes only where it belongs.

mod connect;
mod error;
mod proxy;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use http::header::{HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use tokio_util::task::AbortOnDropHandle;

use super::url::Url;
use crate::ingress::probe::Roots;
pub(super) use connect::basic;
pub(super) use error::HttpError;
pub(super) use proxy::Proxies;

/// How many redirects are followed.
const REDIRECTS: usize = 10;

/// How long each part of a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// To connect, and to agree on TLS.
    pub(super) connect: Duration,
    /// Until an answer begins, and between two pieces of its body.
    pub(super) idle: Duration,
    /// All of it.
    pub(super) total: Duration,
}

impl Default for Times {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(15), idle: seconds(30), total: seconds(300) }
    }
}

/// A client. Every request has a connection of its own.
#[derive(Clone)]
pub(super) struct Client {
    tls: TlsConnector,
    proxies: Proxies,
    limits: Times,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) url: Url,
    /// `Accept`.
    pub(super) accept: &'static str,
    /// `Authorization`, for the URL's own host; the URL's user info when none.
    pub(super) authorization: Option<String>,
    /// `If-None-Match`.
    pub(super) known: Option<String>,
    /// Whether the answer may come compressed: `Content-Encoding: gzip`, which the caller undoes.
    pub(super) compressed: bool,
    /// A form to post; without one it is a GET.
    pub(super) form: Option<String>,
    /// The largest body, in bytes.
    pub(super) limit: usize,
}

/// A whole answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    /// The URL that answered, after all redirects.
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Call {
    /// A GET.
    pub(super) fn get(url: Url, limit: usize) -> Self {
        let accept = "*/*";
        Self { url, accept, authorization: None, known: None, compressed: false, form: None, limit }
    }
}

impl Answer {
    /// The answer, when it is a success.
    ///
    /// # Errors
    /// It is none: its status and what it says.
    pub(super) fn success(self) -> Result<Self, HttpError> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(HttpError::status(&self.url, self.status, &self.body))
    }

    /// A header as text.
    pub(super) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    /// A client that trusts `roots`.
    ///
    /// # Errors
    /// TLS has no cipher suites: a defect of the build.
    pub(super) fn new(
        roots: impl Into<Arc<RootCertStore>>,
        proxies: Proxies,
        limits: Times,
    ) -> Result<Self, tokio_rustls::rustls::Error> {
        let provider = Arc::new(crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), proxies, limits })
    }

    /// A client that trusts whom the system trusts, and uses the proxies of the environment.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn of_system() -> Result<Self, tokio_rustls::rustls::Error> {
        let proxies = Proxies::from_environment(|name| std::env::var(name).ok());
        Self::new(Arc::clone(Roots::read().store()), proxies, Times::default())
    }

    /// Asks, follows redirects, and reads the whole answer.
    ///
    /// # Errors
    /// There is no whole answer. An answer that is no success is none: see [`Answer::success`].
    pub(super) async fn send(&self, call: Call) -> Result<Answer, HttpError> {
        let place = call.url.to_string();
        let limit = self.limits.total;
        let slow = HttpError::Slow { place, what: "did not send everything", limit };
        timeout(limit, self.follow(call)).await.unwrap_or(Err(slow))
    }

    async fn follow(&self, call: Call) -> Result<Answer, HttpError> {
        let mut url = call.url.clone();
        for _ in 0..=REDIRECTS {
            let (driven, response) = self.ask(&call, &url).await?;
            let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
            let Some(location) = location.filter(|_| redirects(response.status()) && call.form.is_none())
            else {
                let (head, body) = response.into_parts();
                let body = self.read(body, &url, call.limit).await?;
                drop(driven);
                return Ok(Answer { url, status: head.status, headers: head.headers, body });
            };
            let next = url.join(location).map_err(|why| HttpError::Address {
                place: format!("the place that {url} redirects to"),
                why,
            })?;
            if url.tls && !next.tls {
                return Err(HttpError::Downgrade { from: url.to_string(), to: next.to_string() });
            }
            url = next;
        }
        Err(HttpError::Redirects { place: call.url.to_string(), limit: REDIRECTS })
    }

    /// One request, until its answer begins.
    async fn ask(
        &self,
        call: &Call,
        url: &Url,
    ) -> Result<(AbortOnDropHandle<()>, Response<Incoming>), HttpError> {
        let place = url.to_string();
        let broken = |why: String| HttpError::Broken { place: place.clone(), why };
        let connected = connect::connect(self, url).await?;
        let request = request(call, url, connected.forwarder.as_ref())
            .map_err(|error| HttpError::Address { place: place.clone(), why: error.to_string() })?;
        let shake = http1::Builder::new().handshake(TokioIo::new(connected.connection));
        let (mut sender, connection) = shake.await.map_err(|error| broken(error.to_string()))?;
        let driven = AbortOnDropHandle::new(tokio::spawn(async move {
            // whoever reads the answer hears of it too
            let _ = connection.await;
        }));
        let limit = self.limits.idle;
        let slow = || HttpError::Slow { place: place.clone(), what: "did not begin to answer", limit };
        let answer = timeout(limit, sender.send_request(request)).await.map_err(|_| slow())?;
        Ok((driven, answer.map_err(|error| broken(with_cause(&error)))?))
    }

    async fn read(&self, mut body: Incoming, url: &Url, limit: usize) -> Result<Vec<u8>, HttpError> {
        let place = || url.to_string();
        let too_large = || HttpError::TooLarge { place: place(), limit };
        let announced = body.size_hint().exact();
        if announced.is_some_and(|size| size > limit as u64) {
            return Err(too_large());
        }
        let idle = self.limits.idle;
        let mut bytes = Vec::new();
        loop {
            let slow = || HttpError::Slow { place: place(), what: "sent nothing more", limit: idle };
            let Some(frame) = timeout(idle, body.frame()).await.map_err(|_| slow())? else { break };
            let frame =
                frame.map_err(|error| HttpError::Broken { place: place(), why: with_cause(&error) })?;
            let Ok(data) = frame.into_data() else { continue };
            if data.len() > limit.saturating_sub(bytes.len()) {
                return Err(too_large());
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }
}

fn redirects(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn request(
    call: &Call,
    url: &Url,
    forwarder: Option<&proxy::Proxy>,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let target = match forwarder {
        Some(_) => format!("http://{}{}", url.authority(), url.target()),
        None => url.target(),
    };
    let method = if call.form.is_some() { Method::POST } else { Method::GET };
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(HOST, url.authority())
        .header(USER_AGENT, concat!("styrmin/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, call.accept)
        .header(ACCEPT_ENCODING, if call.compressed { "gzip" } else { "identity" });
    let own = call.url.same_origin(url);
    let of_url = || url.login.as_ref().map(basic);
    let authorization = call.authorization.clone().filter(|_| own).or_else(of_url);
    let known = call.known.as_deref().filter(|_| call.form.is_none());
    let proxy_login = forwarder.and_then(|proxy| proxy.login.as_ref()).map(basic);
    let headers: [(HeaderName, Option<String>); 4] = [
        (AUTHORIZATION, authorization),
        (http::header::IF_NONE_MATCH, known.map(str::to_owned)),
        (PROXY_AUTHORIZATION, proxy_login),
        (CONTENT_TYPE, call.form.as_ref().map(|_| "application/x-www-form-urlencoded".to_owned())),
    ];
    for (name, value) in headers {
        let Some(value) = value else { continue };
        let mut value = HeaderValue::try_from(value)?;
        value.set_sensitive(name == AUTHORIZATION || name == PROXY_AUTHORIZATION);
        request = request.header(name, value);
    }
    request.body(Full::new(Bytes::from(call.form.clone().unwrap_or_default())))
}

/// hyper's errors leave the reason to their source.
fn with_cause(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
