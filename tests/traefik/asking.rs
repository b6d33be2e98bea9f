//! Requests to a proxy: from which address, for which host, over TLS or not.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(30);

/// An address of this machine that is on no list.
pub const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 66, 6);

/// What came back; code 0 when nothing did, with the reason as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub code: u16,
    pub text: String,
}

/// Asks for `/` of a host.
pub async fn ask(to: SocketAddr, host: &str) -> Answer {
    ask_from(Ipv4Addr::LOCALHOST, to, host).await
}

/// Asks from another address of this machine.
pub async fn ask_from(from: Ipv4Addr, to: SocketAddr, host: &str) -> Answer {
    bounded(async { exchange(connect(from, to).await?, host).await }).await
}

/// Asks over TLS, trusting this certificate alone.
pub async fn ask_tls(to: SocketAddr, host: &str, trusted: &CertificateDer<'static>) -> Answer {
    ask_tls_as(to, (host, host), trusted).await
}

/// The same, naming the host as `named`, with a port.
pub async fn ask_tls_as(
    to: SocketAddr,
    (host, named): (&str, &str),
    trusted: &CertificateDer<'static>,
) -> Answer {
    bounded(async {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = connect(Ipv4Addr::LOCALHOST, to).await?;
        let name = ServerName::try_from(host.to_owned()).unwrap();
        exchange(TlsConnector::from(Arc::new(config)).connect(name, stream).await?, named).await
    })
    .await
}

async fn bounded(exchange: impl Future<Output = std::io::Result<Answer>>) -> Answer {
    let failed = |text: String| Answer { code: 0, text };
    match tokio::time::timeout(LIMIT, exchange).await {
        Ok(answer) => answer.unwrap_or_else(|error| failed(error.to_string())),
        Err(_) => failed(format!("no answer within {} s", LIMIT.as_secs())),
    }
}

async fn connect(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
    socket.connect(to).await
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, host: &str) -> std::io::Result<Answer> {
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut bytes = Vec::new();
    // a server may close without TLS's own farewell; what it said counts
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let code = text.split(' ').nth(1).and_then(|code| code.parse().ok());
    let code = code.ok_or_else(|| std::io::Error::other(format!("no answer: {text:?}")))?;
    Ok(Answer { code, text })
}

/// Asks until the answer is as `expected` says: a proxy tells nobody when what it has read is in force.
pub async fn until(
    what: &str,
    limit: Duration,
    ask: impl AsyncFn() -> Answer,
    expected: impl Fn(&Answer) -> bool,
) -> Result<Answer, String> {
    let begin = tokio::time::Instant::now();
    loop {
        let answer = ask().await;
        if expected(&answer) {
            return Ok(answer);
        }
        if begin.elapsed() > limit {
            return Err(format!("not within {} s: {what}; the last answer: {answer:?}", limit.as_secs()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
