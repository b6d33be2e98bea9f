//! Whether a URL answers: one GET, by phases (`dns`, `connect`, `tls`, `http`), each of which can fail on its own.
//!
//! Only `http` in this version; an `https` URL is answered with a failure of the phase `tls` that says so. The body of the
//! answer is not read.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{Request, Uri};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::domain::route::{Phase, Phases, Probe, ProbeOutcome};

/// A phase that failed, and why.
struct Failure {
    phase: Phase,
    message: String,
}

impl Failure {
    fn new(phase: Phase, message: impl ToString) -> Self {
        Self { phase, message: message.to_string() }
    }
}

/// Asks `url` once. Each phase has `limit`. `now` is the moment that the result is stamped with.
pub async fn probe(url: &str, limit: Duration, now: Timestamp) -> Probe {
    let mut sent = None;
    let outcome = match ask(url, limit, &mut sent).await {
        Ok(status) => ProbeOutcome::Answered(status),
        Err(failure) => ProbeOutcome::Failed { phase: failure.phase, message: failure.message },
    };
    let http = sent.map(|sent: Instant| u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
    let phases = Phases { http, ..Phases::default() };
    Probe {
        at: now,
        outcome,
        phases,
        address: None,
        addresses: Vec::new(),
        hops: Vec::new(),
        certificate: None,
    }
}

async fn ask(url: &str, limit: Duration, sent: &mut Option<Instant>) -> Result<u16, Failure> {
    let uri: Uri =
        url.parse().map_err(|error| Failure::new(Phase::Dns, format!("'{url}' is no URL: {error}")))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(Failure::new(Phase::Tls, "not probed yet")),
        _ => {
            return Err(Failure::new(Phase::Dns, format!("'{url}' does not start with http:// or https://")));
        }
    }
    let host = uri.host().ok_or_else(|| Failure::new(Phase::Dns, format!("'{url}' names no host")))?;
    let port = uri.port_u16().unwrap_or(80);

    let addresses = within(Phase::Dns, limit, resolve(host, port)).await?;
    let stream = within(Phase::Connect, limit, connect(&addresses)).await?;
    *sent = Some(Instant::now());
    within(Phase::Http, limit, head(stream, &uri)).await
}

/// Runs one phase within its time.
async fn within<T>(
    phase: Phase,
    limit: Duration,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, Failure> {
    match timeout(limit, work).await {
        Ok(outcome) => outcome.map_err(|message| Failure::new(phase, message)),
        Err(_) => Err(Failure::new(phase, format!("no answer within {} ms", limit.as_millis()))),
    }
}

/// The addresses of a host. `localhost` and everything below it is this machine (RFC 6761), whatever the resolver says.
///
/// # Errors
/// It has none, or the resolver does not answer: why.
pub(crate) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let name = bare.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)]);
    }
    let found: Vec<_> =
        lookup_host((bare, port)).await.map_err(|error| format!("{bare}: {error}"))?.collect();
    if found.is_empty() { Err(format!("{bare} has no address")) } else { Ok(found) }
}

/// Connects to the first address that accepts.
///
/// # Errors
/// None does: each with its reason.
pub(crate) async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let mut refusals = Vec::new();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => refusals.push(format!("{address}: {error}")),
        }
    }
    Err(refusals.join("; "))
}

/// Sends the request and waits for the head of the answer.
async fn head(stream: TcpStream, uri: &Uri) -> Result<u16, String> {
    let told = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(told)?;
    let request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(HOST, uri.authority().map_or("", |authority| authority.as_str()))
        .header(USER_AGENT, concat!("styrmin/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let answer = sender.send_request(request);
    // The connection is driven here and not in a task of its own: it ends with this function, body or no body.
    tokio::pin!(answer);
    tokio::pin!(connection);
    tokio::select! {
        response = &mut answer => response.map(|response| response.status().as_u16()).map_err(told),
        ended = &mut connection => {
            ended.map_err(told)?;
            // The peer may close right after its answer: then the answer is there already.
            answer.await.map(|response| response.status().as_u16()).map_err(told)
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    /// Serves one connection with `answer` and gives back what was asked.
    async fn serve(answer: &'static str) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut buffer = [0; 1024];
                let read = stream.read(&mut buffer).await.unwrap();
                assert_ne!(read, 0, "the request ended early");
                asked.extend_from_slice(&buffer[..read]);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        (port, task)
    }

    fn failure(probe: &Probe) -> (&str, &str) {
        match &probe.outcome {
            ProbeOutcome::Failed { phase, message } => (phase.as_str(), message),
            ProbeOutcome::Answered(code) => panic!("it answered {code}"),
        }
    }

    #[tokio::test]
    async fn an_answer_is_its_status_whatever_its_body() {
        let (port, task) =
            serve("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 100000\r\n\r\nonly a bit").await;
        let found = probe(&format!("http://notes-demo.localhost:{port}/app?x=1"), LIMIT, now()).await;
        assert_eq!(found.outcome, ProbeOutcome::Answered(503));
        assert!(!found.works());
        assert_eq!(found.at, now());
        let asked = task.await.unwrap();
        assert!(asked.starts_with("GET /app?x=1 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains(&format!("host: notes-demo.localhost:{port}\r\n")), "{asked}");
    }

    #[tokio::test]
    async fn a_closed_port_fails_to_connect() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let found = probe(&format!("http://127.0.0.1:{port}/"), LIMIT, now()).await;
        assert_eq!(failure(&found).0, "connect");
    }

    #[tokio::test]
    async fn silence_and_nonsense_fail_in_http() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let found = probe(&format!("http://127.0.0.1:{port}/"), Duration::from_millis(50), now()).await;
        assert_eq!(failure(&found), ("http", "no answer within 50 ms"));

        let (port, _task) = serve("this is not HTTP\r\n\r\n").await;
        let found = probe(&format!("http://127.0.0.1:{port}/"), LIMIT, now()).await;
        assert_eq!(failure(&found).0, "http");
    }

    #[tokio::test]
    async fn what_cannot_be_probed_says_so() {
        assert_eq!(failure(&probe("https://a.localhost/", LIMIT, now()).await), ("tls", "not probed yet"));
        assert_eq!(failure(&probe("ftp://a.localhost/", LIMIT, now()).await).0, "dns");
        assert_eq!(failure(&probe("no url at all", LIMIT, now()).await).0, "dns");
    }
}
