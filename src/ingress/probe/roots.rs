//! Who is trusted to sign certificates.

use std::sync::{Arc, OnceLock};

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// Whom the system trusts: read once.
static SYSTEM: OnceLock<Roots> = OnceLock::new();

/// Authorities that are trusted to sign certificates of servers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// Those that this machine trusts: its own ones, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    pub async fn system() -> Self {
        match SYSTEM.get() {
            Some(known) => known.clone(),
            None => tokio::task::spawn_blocking(Self::read).await.unwrap_or_else(|_| Self::of([])),
        }
    }

    /// The same, by reading files where nobody has read them yet.
    pub fn read() -> Self {
        let read = || {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::debug!(%error, "certificates that are not read");
            }
            Self::of(found.certs)
        };
        SYSTEM.get_or_init(read).clone()
    }

    /// Only these. What is no certificate is left out.
    pub fn of(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        Self(Arc::new(RootCertStore::empty())).and(certificates)
    }

    /// These as well.
    #[must_use]
    pub fn and(&self, certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let mut store = RootCertStore::clone(&self.0);
        store.add_parsable_certificates(certificates);
        Self(Arc::new(store))
    }

    /// As TLS takes them.
    pub fn store(&self) -> &Arc<RootCertStore> {
        &self.0
    }

    /// Whether there are none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether somebody of this name is trusted (a DER `Name`), whatever the key.
    pub(super) fn knows(&self, name: &[u8]) -> bool {
        let trusted = self.0.subjects();
        trusted.iter().any(|subject| subject.as_ref() == name)
    }
}
