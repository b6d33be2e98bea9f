//! The handshake: whatever certificates are shown are kept, also those that do not hold.

use std::error::Error;
use std::io;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{Resumption, WebPkiServerVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::time_provider::TimeProvider;
use tokio_rustls::rustls::{
    self, AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, PeerIncompatible,
    SignatureScheme,
};
use url::{Host, Url};

use super::faults::{self, Shown};
use super::first_bytes::{FirstBytes, Listened};
use super::roots::Roots;
use crate::domain::route::Certificate;
use crate::ingress::certificate;

/// Shakes hands with one host, and remembers what it showed.
pub(super) struct Witness {
    verifier: Arc<Verifier>,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    host: String,
    roots: Roots,
    now: Timestamp,
}

impl Witness {
    /// Certificates must hold at `now`, for the host of `url`, and be signed by whom `roots` trusts.
    ///
    /// # Errors
    /// The host has no name that a certificate could be for.
    pub(super) fn new(roots: Roots, url: &Url, now: Timestamp) -> Result<Self, String> {
        let name = match url.host() {
            Some(Host::Domain(name)) => ServerName::try_from(name.trim_end_matches('.').to_owned())
                .map_err(|_| format!("no certificate can be for '{name}': it is no host name"))?,
            Some(Host::Ipv4(address)) => ServerName::IpAddress(address.into()),
            Some(Host::Ipv6(address)) => ServerName::IpAddress(address.into()),
            None => return Err("the URL names no host".to_owned()),
        };
        let host = name.to_str().into_owned();
        let provider = Arc::new(ring::default_provider());
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::clone(roots.store()), Arc::clone(&provider));
        // without roots there is none: then nobody is trusted
        let judge = builder.build().ok();
        let verifier = Arc::new(Verifier { judge, provider: Arc::clone(&provider), seen: OnceLock::new() });
        let mut config = ClientConfig::builder_with_details(provider, Arc::new(At(now)))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // who resumes a session is shown no certificate
        config.resumption = Resumption::disabled();
        Ok(Self { verifier, config: Arc::new(config), name, host, roots, now })
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// Why not, in words that a person can act on.
    pub(super) async fn shake(&self, stream: TcpStream) -> Result<TlsStream<Listened<TcpStream>>, String> {
        let first = FirstBytes::default();
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let shaken = connector.connect(self.name.clone(), Listened::new(stream, first.clone())).await;
        shaken.map_err(|error| self.told(&error, &first))
    }

    /// What was shown; none before the handshake came so far.
    pub(super) fn certificate(&self) -> Option<Certificate> {
        let seen = self.verifier.seen.get()?;
        certificate::from_chain(&seen.chain).ok()
    }

    fn told(&self, error: &io::Error, first: &FirstBytes) -> String {
        if let Some(Seen { chain, error: Some(error) }) = self.verifier.seen.get() {
            let shown = Shown { chain, host: &self.host, roots: &self.roots, now: self.now };
            return faults::told(&shown, error);
        }
        if first.are_http() {
            return "plain http is spoken on this port, and no TLS: the URL must begin with http://, or the ingress lacks its \
                    TLS settings"
                .to_owned();
        }
        match within(error) {
            Some(error) => plain(error),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                "it closed the connection during the handshake".to_owned()
            }
            None => format!("the handshake broke off: {error}"),
        }
    }
}

/// What TLS says, where an error of a connection carries it: its `source` leaves it out.
pub(super) fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()
}

/// What went wrong with TLS itself, in words.
pub(super) fn plain(error: &rustls::Error) -> String {
    use rustls::Error::{
        AlertReceived, InvalidCertificate, InvalidMessage, NoCertificatesPresented,
        PeerIncompatible as Incompatible,
    };
    let words = match error {
        InvalidMessage(_) => "what it speaks on this port is no TLS",
        AlertReceived(AlertDescription::ProtocolVersion)
        | Incompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => "it speaks neither TLS 1.2 nor TLS 1.3: older versions are not safe",
        AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity)
        | Incompatible(PeerIncompatible::NoCipherSuitesInCommon | PeerIncompatible::NoKxGroupsInCommon) => {
            "it has no cipher or key exchange in common with us, or no certificate at all"
        }
        AlertReceived(AlertDescription::UnrecognisedName) => {
            "it says that it has no certificate for this host"
        }
        AlertReceived(AlertDescription::CertificateRequired) => "it wants a certificate of its clients",
        AlertReceived(AlertDescription::NoApplicationProtocol) => "it does not speak http/1.1",
        AlertReceived(AlertDescription::InternalError) => "it says that something is wrong within it",
        InvalidCertificate(CertificateError::BadSignature) => {
            "it does not have the key of the certificate that it shows"
        }
        NoCertificatesPresented => "it shows no certificate",
        other => return format!("TLS failed: {other}"),
    };
    words.to_owned()
}

/// The moment at which certificates must hold.
#[derive(Debug)]
struct At(Timestamp);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

/// What was shown, and what is wrong with it.
#[derive(Debug)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    error: Option<rustls::Error>,
}

/// Checks as browsers do, and remembers.
#[derive(Debug)]
struct Verifier {
    judge: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    seen: OnceLock<Seen>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = match &self.judge {
            Some(judge) => judge.verify_server_cert(own, others, name, ocsp, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let chain = std::iter::once(own).chain(others).map(|shown| shown.clone().into_owned()).collect();
        // one handshake shows one chain
        self.seen.get_or_init(|| Seen { chain, error: verdict.as_ref().err().cloned() });
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
