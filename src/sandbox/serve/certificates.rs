//! The certificate that the sandbox shows, and the authority that signed it.
//!
//! The authority lives as long as its directory, so that a copied kubeconfig stays good; the server's certificate is valid
//! for a year and renewed in its last month.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::{ServeError, files};

/// What the server is called by its clients, in the machine and in the cluster.
const NAMES: [&str; 6] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "kubernetes",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];
/// How long the server's certificate is valid.
const VALID: SignedDuration = SignedDuration::from_hours(365 * 24);
/// How long before its end it is renewed.
const RENEWED: Duration = Duration::from_secs(30 * 24 * 3600);
/// How far the clock of a client may be behind.
const SLACK: SignedDuration = SignedDuration::from_hours(48);
/// The authority's last year.
const AUTHORITY_UNTIL: i32 = 2120;

const AUTHORITY: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";
const SERVER: &str = "server.crt";
const SERVER_KEY: &str = "server.key";

/// A certificate, its key, and the authority that clients are to trust. All in PEM.
#[derive(Clone)]
pub struct Certificates {
    /// The authority's certificate.
    pub authority: String,
    server: String,
    key: String,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl Certificates {
    /// The certificates in `directory`; those that are missing, damaged or run out within a month after `now` are made.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn open(directory: &Path, now: Timestamp) -> Result<Self, ServeError> {
        let path = |name: &str| directory.join(name);
        let kept = files::read(&path(AUTHORITY))?.zip(files::read_secret(&path(AUTHORITY_KEY))?);
        let authority = match kept.and_then(|(certificate, key)| Authority::from_pem(certificate, &key)) {
            Some(authority) => authority,
            None => {
                let authority = Authority::make()?;
                files::write(&path(AUTHORITY_KEY), &authority.key.serialize_pem())?;
                files::write(&path(AUTHORITY), &authority.certificate)?;
                authority
            }
        };
        let kept = files::read(&path(SERVER))?.zip(files::read_secret(&path(SERVER_KEY))?);
        if let Some((server, key)) = kept {
            let found = Self { authority: authority.certificate.clone(), server, key };
            if found.is_good(now) {
                return Ok(found);
            }
        }
        let made = authority.sign(now)?;
        files::write(&path(SERVER_KEY), &made.key)?;
        files::write(&path(SERVER), &made.server)?;
        Ok(made)
    }

    /// Certificates that nothing is kept of.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn fresh(now: Timestamp) -> Result<Self, ServeError> {
        Authority::make()?.sign(now)
    }

    /// Whether a client would accept the certificate a month from now, under every name, and the key belongs to it.
    fn is_good(&self, now: Timestamp) -> bool {
        let Ok(certificate) = CertificateDer::from_pem_slice(self.server.as_bytes()) else { return false };
        let Ok(authority) = CertificateDer::from_pem_slice(self.authority.as_bytes()) else { return false };
        let mut roots = RootCertStore::empty();
        if roots.add(authority).is_err() || self.acceptor().is_err() {
            return false;
        }
        let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        let Ok(verifier) = built else { return false };
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let (today, later) = (Duration::from_secs(seconds), Duration::from_secs(seconds) + RENEWED);
        NAMES.iter().all(|name| {
            let Ok(name) = ServerName::try_from(*name) else { return false };
            [today, later].into_iter().all(|at| {
                let at = UnixTime::since_unix_epoch(at);
                verifier.verify_server_cert(&certificate, &[], &name, &[], at).is_ok()
            })
        })
    }

    /// What answers TLS: 1.2 and 1.3, HTTP/2 preferred.
    ///
    /// # Errors
    /// The certificate or its key is damaged.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, ServeError> {
        let unusable = |error: &dyn std::error::Error| ServeError::Certificate(error.to_string());
        let certificate =
            CertificateDer::from_pem_slice(self.server.as_bytes()).map_err(|error| unusable(&error))?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(|error| unusable(&error))?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key))
            .map_err(|error| unusable(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// The cryptography that everything here uses, whatever the process has installed.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Who signs.
struct Authority {
    certificate: String,
    key: KeyPair,
}

impl Authority {
    fn make() -> Result<Self, ServeError> {
        let key = KeyPair::generate().map_err(|error| failed(&error))?;
        let certificate = Self::params().self_signed(&key).map_err(|error| failed(&error))?.pem();
        Ok(Self { certificate, key })
    }

    /// What was kept; `None` when it is damaged, or the two do not belong together.
    fn from_pem(certificate: String, key: &str) -> Option<Self> {
        let authority = Self { certificate, key: KeyPair::from_pem(key).ok()? };
        // what it signs must be accepted by those who trust the certificate
        let probe = authority.sign(Timestamp::UNIX_EPOCH + VALID).ok()?;
        probe.is_good(Timestamp::UNIX_EPOCH + VALID).then_some(authority)
    }

    /// The same every time: an authority that was kept signs as it did before.
    fn params() -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = name("styrmin-sandbox-ca");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.not_after = rcgen::date_time_ymd(AUTHORITY_UNTIL, 1, 1);
        params
    }

    fn sign(&self, now: Timestamp) -> Result<Certificates, ServeError> {
        let names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).map_err(|error| failed(&error))?;
        params.distinguished_name = name("styrmin-sandbox");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        valid_for_a_year(&mut params, now);
        let key = KeyPair::generate().map_err(|error| failed(&error))?;
        let issuer_params = Self::params();
        let issuer = Issuer::from_params(&issuer_params, &self.key);
        let server = params.signed_by(&key, &issuer).map_err(|error| failed(&error))?.pem();
        Ok(Certificates { authority: self.certificate.clone(), server, key: key.serialize_pem() })
    }
}

/// Makes a certificate valid for a year from `now`, in whole days.
pub(in crate::sandbox) fn valid_for_a_year(params: &mut CertificateParams, now: Timestamp) {
    let day = |by: SignedDuration| {
        let date = now.saturating_add(by).unwrap_or(now).to_zoned(TimeZone::UTC).date();
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        rcgen::date_time_ymd(i32::from(date.year()), month, day)
    };
    (params.not_before, params.not_after) = (day(-SLACK), day(VALID));
}

fn name(common: &str) -> rcgen::DistinguishedName {
    let mut name = rcgen::DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

fn failed(error: &dyn std::error::Error) -> ServeError {
    ServeError::Certificate(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> Timestamp {
        format!("{day}T12:00:00Z").parse().unwrap()
    }

    #[test]
    fn they_are_kept_until_their_last_month() {
        let directory = tempfile::tempdir().unwrap();
        let first = Certificates::open(directory.path(), at("2026-01-01")).unwrap();
        let same = Certificates::open(directory.path(), at("2026-11-01")).unwrap();
        assert_eq!((&same.server, &same.key), (&first.server, &first.key));
        let renewed = Certificates::open(directory.path(), at("2026-12-20")).unwrap();
        assert_ne!(renewed.server, first.server);
        assert_eq!(renewed.authority, first.authority, "who trusted the sandbox still does");
        assert!(renewed.is_good(at("2026-12-20")));
    }

    #[test]
    fn what_is_damaged_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let now = at("2026-01-01");
        let first = Certificates::open(directory.path(), now).unwrap();
        std::fs::write(directory.path().join(SERVER), "nonsense").unwrap();
        let second = Certificates::open(directory.path(), now).unwrap();
        assert!(second.is_good(now));
        assert_eq!(second.authority, first.authority);
        std::fs::write(directory.path().join(SERVER_KEY), &first.key).unwrap();
        let third = Certificates::open(directory.path(), now).unwrap();
        assert_ne!(third.server, second.server, "the key of another certificate is none");
        std::fs::write(directory.path().join(AUTHORITY_KEY), KeyPair::generate().unwrap().serialize_pem())
            .unwrap();
        let fourth = Certificates::open(directory.path(), now).unwrap();
        assert_ne!(fourth.authority, first.authority);
        assert!(fourth.is_good(now));
    }

    #[test]
    fn it_is_good_for_a_year() {
        let made = Certificates::fresh(at("2026-01-01")).unwrap();
        assert!(made.is_good(at("2026-01-01")));
        assert!(!made.is_good(at("2027-01-02")));
        assert!(!made.is_good(at("2025-12-20")));
    }
}
