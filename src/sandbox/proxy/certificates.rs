//! Which certificate a TLS client is shown: the one of the Secret that an Ingress names for the host, as it is now; where none
//! fits, one that the proxy has signed itself, as ingress controllers do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use serde_json::Value;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

use super::table::TlsSecret;
use super::{COMPONENT, ProxyError, SharedTable, current};
use crate::sandbox::api::Api;
use crate::sandbox::object;
use crate::sandbox::serve::valid_for_a_year;

/// The name on the certificate where none fits. No host is called so: whoever checks names sees that it is not the right one.
const DEFAULT_NAME: &str = "sandbox-ingress-default.invalid";

/// The certificates of the sandbox's Ingresses.
pub(super) struct Certificates {
    api: Api,
    table: SharedTable,
    default: Arc<CertifiedKey>,
    /// Namespace and name of a Secret → what was read from it last.
    known: Mutex<HashMap<(String, String), Known>>,
}

struct Known {
    /// Uid and resourceVersion; empty when the Secret is missing.
    version: String,
    key: Option<Arc<CertifiedKey>>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl Certificates {
    /// With a default certificate of its own.
    pub(super) fn new(api: Api, table: SharedTable) -> Result<Self, ProxyError> {
        let default = Arc::new(default(api.now()).map_err(ProxyError::Certificate)?);
        Ok(Self { api, table, default, known: Mutex::default() })
    }

    /// The usable certificate of a Secret. It is read again only when the Secret has changed.
    fn of(&self, place: &TlsSecret) -> Option<Arc<CertifiedKey>> {
        let secret = self.api.get("secrets", &place.namespace, &place.secret);
        let version = secret.as_deref().map_or_else(String::new, |secret| {
            format!("{}/{}", object::uid(secret), object::text(secret, "/metadata/resourceVersion"))
        });
        let at = (place.namespace.clone(), place.secret.clone());
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = known.get(&at).filter(|found| found.version == version) {
                return found.key.clone();
            }
        }
        let read = secret.as_deref().ok_or_else(|| "it does not exist".to_owned()).and_then(read);
        if let Err(why) = &read {
            self.complain(place, why);
        }
        let key = read.ok().map(Arc::new);
        let entry = Known { version, key: key.clone() };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(at, entry);
        key
    }

    fn complain(&self, place: &TlsSecret, why: &str) {
        let TlsSecret { namespace, ingress, secret } = place;
        tracing::warn!(namespace, ingress, secret, why, "the certificate of an Ingress cannot be used");
        let message =
            format!("the Secret {secret} holds no usable certificate: {why}; clients get a self-signed one");
        if let Some(about) = self.api.get("ingresses.networking.k8s.io", namespace, ingress) {
            self.api.record_event(&about, true, "TlsSecretUnusable", &message, COMPONENT);
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let place = hello.server_name().and_then(|host| current(&self.table).secret(host));
        Some(place.and_then(|place| self.of(&place)).unwrap_or_else(|| Arc::clone(&self.default)))
    }
}

/// What answers TLS: 1.2 and 1.3, HTTP/2 preferred. Sessions are not resumed: a client would not see that a certificate changed.
pub(super) fn config(certificates: Certificates) -> Result<ServerConfig, ProxyError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ProxyError::Certificate(error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificates));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// The certificate and the key of a Secret. The reason never quotes what is in it.
fn read(secret: &Value) -> Result<CertifiedKey, String> {
    if object::text(secret, "/type") != "kubernetes.io/tls" {
        return Err(format!("its type is {}, not kubernetes.io/tls", object::text(secret, "/type")));
    }
    let data = |name: &str| {
        let text = secret["data"][name].as_str().ok_or_else(|| format!("it has no {name}"))?;
        STANDARD.decode(text).map_err(|_| format!("its {name} is not base64"))
    };
    let (chain, key) = (data("tls.crt")?, data("tls.key")?);
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| "its tls.crt holds no certificate in PEM".to_owned())?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|_| "its tls.key holds no private key in PEM".to_owned())?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => "its tls.key belongs to another certificate".to_owned(),
        _ => "its tls.crt or tls.key is damaged, or of a kind that is not known".to_owned(),
    })
}

/// The certificate where none fits; a new one each time.
fn default(now: Timestamp) -> Result<CertifiedKey, String> {
    let failed = |error: rcgen::Error| error.to_string();
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::new(vec![DEFAULT_NAME.to_owned()]).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, "sandbox ingress default certificate");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    valid_for_a_year(&mut params, now);
    let chain = vec![params.self_signed(&key).map_err(failed)?.der().clone()];
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![host.to_owned()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn secret(certificate: &str, key: &str) -> Value {
        json!({"type": "kubernetes.io/tls",
            "data": {"tls.crt": STANDARD.encode(certificate), "tls.key": STANDARD.encode(key)}})
    }

    #[test]
    fn a_secret_is_read_or_says_what_is_wrong() {
        let ((certificate, key), (_, other)) = (made("a.localhost"), made("b.localhost"));
        assert!(read(&secret(&certificate, &key)).is_ok());
        let chain = format!("{certificate}{}", made("ca").0);
        assert_eq!(read(&secret(&chain, &key)).unwrap().cert.len(), 2);
        let mut opaque = secret(&certificate, &key);
        opaque["type"] = json!("Opaque");
        let mut bare = secret(&certificate, &key);
        bare["data"] = json!({"tls.crt": "!"});
        for (secret, part) in [
            (secret(&certificate, &other), "belongs to another"),
            (secret("", &key), "no certificate"),
            (secret(&certificate, "-----BEGIN hunter2"), "no private key"),
            (opaque, "its type is Opaque"),
            (bare, "its tls.crt is not base64"),
        ] {
            let why = read(&secret).unwrap_err();
            assert!(why.contains(part) && !why.contains("hunter2"), "{why}");
        }
    }
}
