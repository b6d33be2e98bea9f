//! Clients: over http and https, from any loopback address.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::rig::within;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    #[track_caller]
    pub fn is(&self, status: u16, part: &str) {
        assert!(self.status == status && self.body.contains(part), "not {status} with {part:?}: {self:?}");
    }
}

/// A connection from a loopback address.
pub async fn connect_from(source: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::from(source), 0).into()).unwrap();
    within(socket.connect(to)).await.unwrap()
}

/// A GET for a host; the connection ends with it.
pub async fn get(stream: impl AsyncRead + AsyncWrite + Unpin, host: &str, path: &str) -> Answer {
    let text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    ask(stream, text.as_bytes()).await
}

/// Sends bytes and reads until the other side ends.
pub async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin, text: &[u8]) -> Answer {
    let (status, answer) = said(stream, text).await;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Answer { status, body: body.to_owned() }
}

/// The same, for the status and the headers.
pub async fn head(stream: impl AsyncRead + AsyncWrite + Unpin, text: &[u8]) -> (u16, String) {
    let (status, answer) = said(stream, text).await;
    let end = answer.find("\r\n\r\n").map_or(answer.len(), |at| at + 2);
    (status, answer[..end].to_owned())
}

async fn said(mut stream: impl AsyncRead + AsyncWrite + Unpin, text: &[u8]) -> (u16, String) {
    let exchange = async {
        stream.write_all(text).await.ok();
        let mut answer = Vec::new();
        // a connection may be cut without a farewell
        stream.read_to_end(&mut answer).await.ok();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = within(exchange).await;
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (status, answer)
}

/// A TLS connection for a host that takes any certificate.
pub async fn tls(stream: TcpStream, host: &str, protocols: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    within(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

/// The certificate that the server has shown, and those that came with it.
pub fn chain(stream: &TlsStream<TcpStream>) -> Vec<Vec<u8>> {
    stream.get_ref().1.peer_certificates().unwrap().iter().map(|one| one.to_vec()).collect()
}

/// Whether a certificate names a host; a name is in it as it is written.
pub fn names(certificate: &[u8], host: &str) -> bool {
    certificate.windows(host.len()).any(|part| part == host.as_bytes())
}

/// Takes any certificate whose key signs the handshake.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = ring::default_provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = ring::default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
