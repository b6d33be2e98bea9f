//! A minimal HTTP server and client for the demo application.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

/// The largest body that is taken, in bytes: a restore comes as one.
const BODY_MAX: usize = 64 * 1024 * 1024;
/// How long answers in flight may take after a stop was asked for.
const DRAIN: Duration = Duration::from_secs(3);

/// An answer.
pub(super) type Answer = Response<Full<Bytes>>;

/// A request whose body has been read.
pub(super) type Call = Request<Bytes>;

/// Answers requests.
pub(super) trait Handler: Send + Sync + 'static {
    /// The answer to one request.
    fn answer(self: Arc<Self>, call: Call) -> BoxFuture<'static, Answer>;
}

/// Serves until SIGTERM or SIGINT, then lets the answers in flight finish. Returns the exit code.
pub(super) async fn serve(address: SocketAddr, handler: Arc<impl Handler>) -> u8 {
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) => {
            super::complain(&format!("cannot listen on {address}: {error}"));
            return 1;
        }
    };
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return 70;
    };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(connection(stream, Arc::clone(&handler))); }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    drop(listener);
    super::say(&format!("{:.3} stopping", super::now()));
    tokio::time::timeout(DRAIN, async { while connections.join_next().await.is_some() {} }).await.ok();
    0
}

async fn connection(stream: TcpStream, handler: Arc<impl Handler>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        async move {
            let (head, body) = request.into_parts();
            let answer = match Limited::new(body, BODY_MAX).collect().await {
                Ok(body) => handler.answer(Request::from_parts(head, body.to_bytes())).await,
                Err(_) => text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or was cut off\n"),
            };
            Ok::<_, Infallible>(answer)
        }
    });
    // One request per connection: a stop never waits for an idle client.
    let server = hyper::server::conn::http1::Builder::new().keep_alive(false).clone();
    server.serve_connection(TokioIo::new(stream), service).await.ok();
}

/// Calls another process. Errors are sentences.
pub(super) async fn call(
    address: SocketAddr,
    method: Method,
    path: &str,
    body: Bytes,
    limit: Duration,
) -> Result<(StatusCode, Bytes), String> {
    let exchange = async {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, address.to_string())
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
        Ok((status, body.to_bytes()))
    };
    match tokio::time::timeout(limit, exchange).await {
        Ok(result) => result.map_err(|error: String| format!("{address}: {error}")),
        Err(_) => Err(format!("{address}: no answer within {} s", limit.as_secs())),
    }
}

/// A text answer.
pub(super) fn text(status: StatusCode, body: impl Into<String>) -> Answer {
    with_type(status, "text/plain; charset=utf-8", Bytes::from(body.into()))
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &serde_json::Value) -> Answer {
    with_type(status, "application/json", Bytes::from(format!("{body}\n")))
}

/// An answer of a content type.
pub(super) fn with_type(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    answer
}
