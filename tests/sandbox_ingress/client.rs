//! Clients: over http and https, from any loopback address.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::rig::within;
use crate::wire;
pub use crate::wire::Answer;

/// A connection from a loopback address.
pub async fn connect_from(source: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::from(source), 0).into()).unwrap();
    within(socket.connect(to)).await.unwrap()
}

/// A GET for a host; the connection ends with it.
pub async fn get(stream: impl AsyncRead + AsyncWrite + Unpin, host: &str, path: &str) -> Answer {
    ask(stream, wire::get(host, path).as_bytes()).await
}

/// Sends bytes and reads until the other side ends.
pub async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin, text: &[u8]) -> Answer {
    within(wire::ask(stream, text)).await
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
