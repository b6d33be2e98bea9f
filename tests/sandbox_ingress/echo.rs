//! The program in the pods: this very test binary, which says what it was asked and by whom.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// The variable that holds what the program calls itself.
pub const NAME: &str = "STYRMIN_TEST_ECHO";
/// The name on its certificate.
pub const CERTIFIED: &str = "behind-the-balancer.test";
pub const HTTP: u16 = 8080;
pub const HTTPS: u16 = 8443;

/// Not a test of its own: what the pods run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn program_of_a_pod() {
    let Ok(name) = std::env::var(NAME) else { return };
    let address = std::env::var("POD_IP").unwrap();
    let tls = TcpListener::bind((address.as_str(), HTTPS)).await.unwrap();
    let plain = TcpListener::bind((address.as_str(), HTTP)).await.unwrap();
    let acceptor = acceptor();
    loop {
        tokio::select! {
            accepted = plain.accept() => {
                let (stream, peer) = accepted.unwrap();
                tokio::spawn(answer(stream, format!("name={name}\npeer={}\n", peer.ip())));
            }
            accepted = tls.accept() => {
                let (stream, peer) = accepted.unwrap();
                let (acceptor, text) = (acceptor.clone(), format!("name={name} over tls\npeer={}\n", peer.ip()));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        answer(stream, text).await;
                    }
                });
            }
        }
    }
}

fn acceptor() -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(vec![CERTIFIED.to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// One request: its head comes back; an upgrade turns the connection into an echo in capital letters.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, text: String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    if head.contains("\r\nupgrade:") {
        let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
        stream.write_all(switch.as_bytes()).await.unwrap();
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            if stream.write_all(&buffer[..count].to_ascii_uppercase()).await.is_err() {
                return;
            }
        }
        return;
    }
    let body = format!("{text}{head}");
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await.ok();
    stream.shutdown().await.ok();
}
