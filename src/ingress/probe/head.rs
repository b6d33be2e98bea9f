//! The request, and the head of its answer.

use std::error::Error;

use http::header::{ACCEPT, CONNECTION, HOST, LOCATION, SET_COOKIE, USER_AGENT};
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use url::{Position, Url};

use super::tls;

/// The longest head of an answer, in bytes.
const HEAD_MAX: usize = 64 << 10;
/// The most headers of an answer.
const HEADERS_MAX: usize = 200;

/// The head of an answer, as far as it matters.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) code: u16,
    /// Where it leads to.
    pub(super) location: Option<String>,
    /// Whether it sets cookies.
    pub(super) cookies: bool,
}

/// Sends the request and waits for the head of the answer. The body is left alone: the connection ends with this function.
pub(super) async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin, url: &Url) -> Result<Head, String> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_MAX).max_header_size(HEAD_MAX).max_headers(HEADERS_MAX);
    let (mut sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, concat!("styrmin/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("the request cannot be made: {error}"))?;
    let answer = sender.send_request(request);
    // The connection is driven here and not in a task of its own: it ends with this function, body or no body.
    tokio::pin!(answer);
    tokio::pin!(connection);
    let answered = tokio::select! {
        answered = &mut answer => answered,
        ended = &mut connection => match ended {
            // The peer may close right after its answer: then the answer is there already.
            Ok(()) => answer.await,
            Err(error) => Err(error),
        }
    };
    answered.map(|response| read(&response)).map_err(|error| broken(&error))
}

fn read(response: &Response<Incoming>) -> Head {
    let headers = response.headers();
    let location =
        headers.get(LOCATION).map(|location| String::from_utf8_lossy(location.as_bytes()).into_owned());
    Head { code: response.status().as_u16(), location, cookies: headers.contains_key(SET_COOKIE) }
}

/// Why there is no answer, in words.
fn broken(error: &hyper::Error) -> String {
    if error.is_parse_too_large() {
        return format!(
            "the head of its answer is longer than {} KiB or {HEADERS_MAX} headers",
            HEAD_MAX >> 10
        );
    }
    if error.is_parse() {
        return format!("its answer is not HTTP/1: {error}");
    }
    if error.is_incomplete_message() || error.is_canceled() {
        return "it closed the connection without an answer".to_owned();
    }
    let mut innermost: &dyn Error = error;
    loop {
        if let Some(error) = tls::within(innermost) {
            return tls::plain(error);
        }
        match innermost.source() {
            Some(source) => innermost = source,
            None => return innermost.to_string(),
        }
    }
}
