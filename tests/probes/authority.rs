//! Certificates, made anew for each test.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};
use styrmin::ingress::probe::Roots;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::version::TLS12;

/// From the beginning of which year, until the beginning of which.
pub type Years = (i32, i32);

/// Years that hold at [`super::ground::now`].
pub const GOOD: Years = (2031, 2033);

/// Somebody who signs.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

/// A server's certificates and its key.
pub struct Own {
    pub chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

fn params(common: &str, names: &[&str], (from, until): Years) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    if !common.is_empty() {
        params.distinguished_name.push(DnType::CommonName, common);
    }
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    params
}

fn signer(common: &str, years: Years) -> CertificateParams {
    let mut params = params(common, &[], years);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Authority {
    /// One that signed itself.
    pub fn root(common: &str) -> Self {
        let (params, key) = (signer(common, (2020, 2050)), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// One that this one signed.
    pub fn below(&self, common: &str, years: Years) -> Self {
        let (params, key) = (signer(common, years), KeyPair::generate().unwrap());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// A server's certificate, which is shown alone.
    pub fn own(&self, names: &[&str], years: Years) -> Own {
        let key = KeyPair::generate().unwrap();
        let certificate = params("", names, years).signed_by(&key, &self.issuer).unwrap();
        Own { chain: vec![certificate.der().clone()], key }
    }

    /// Trust in this one alone.
    pub fn roots(&self) -> Roots {
        Roots::of([self.der()])
    }
}

impl Own {
    /// One that signed itself; as an authority, where that is asked for.
    pub fn self_signed(names: &[&str], authority: bool) -> Self {
        let (mut params, key) = (params("self", names, GOOD), KeyPair::generate().unwrap());
        if authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let certificate = params.self_signed(&key).unwrap();
        Self { chain: vec![certificate.der().clone()], key }
    }

    /// Shows this one as well.
    pub fn with(mut self, authority: &Authority) -> Self {
        self.chain.push(authority.der());
        self
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// What a server shows.
    pub fn config(&self) -> ServerConfig {
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key())
            .unwrap()
    }

    /// What a server of TLS 1.2 shows.
    pub fn config_of_tls12(&self) -> ServerConfig {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(&[&TLS12]).unwrap().with_no_client_auth();
        builder.with_single_cert(self.chain.clone(), self.key()).unwrap()
    }

    /// What a server shows that asks its clients for certificates as well.
    pub fn config_with(&self, clients: Arc<dyn ClientCertVerifier>) -> ServerConfig {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder =
            builder.with_safe_default_protocol_versions().unwrap().with_client_cert_verifier(clients);
        builder.with_single_cert(self.chain.clone(), self.key()).unwrap()
    }
}
