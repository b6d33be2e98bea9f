use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;
use ring::digest::{SHA256, digest};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{RootCertStore, sign};

use super::super::super::random::Draw;
use super::super::tests::evaluate;
use super::pem;
use crate::driver::chart::functions::Surroundings;

/// The answers of the expressions, all in one rendering.
fn render(expressions: &[&str]) -> Vec<String> {
    let born = "2024-02-03T04:05:06.7Z".parse().unwrap();
    let around = Surroundings::new(Timestamp::UNIX_EPOCH, Draw::new([1; 32], born));
    expressions.iter().map(|expression| evaluate(expression, &around).unwrap()).collect()
}

/// Whether a client that trusts the authority accepts the certificate for the name, at that time.
fn verify(authority: &str, certificate: &str, name: &str, at: &str) -> Result<(), String> {
    let der = |text: &str| CertificateDer::from(pem::decode(text).unwrap().contents);
    let mut roots = RootCertStore::empty();
    roots.add(der(authority)).unwrap();
    let verifier =
        WebPkiServerVerifier::builder_with_provider(std::sync::Arc::new(roots), default_provider().into());
    let at: Timestamp = at.parse().unwrap();
    let seconds = Duration::from_secs(at.as_second().try_into().unwrap());
    let at = UnixTime::since_unix_epoch(seconds);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let verified = verifier.build().unwrap().verify_server_cert(&der(certificate), &[], &name, &[], at);
    verified.map(|_| ()).map_err(|error| error.to_string())
}

/// The parts of a certificate of this expression, behind those of the authority that is called `$ca` in it.
fn issued(authority: &str, certificate: &str) -> [String; 4] {
    let expression = |part: &str| format!("$ca := {authority} ; $c := {certificate} ; {part}");
    let parts =
        ["$ca.Cert", "$ca.Key", "$c.Cert", "$c.Key"].map(|part| render(&[&expression(part)]).remove(0));
    let key = pem::decode(&parts[3]).unwrap();
    let key = match &*key.label {
        "RSA PRIVATE KEY" => tokio_rustls::rustls::pki_types::PrivatePkcs1KeyDer::from(key.contents).into(),
        "EC PRIVATE KEY" => tokio_rustls::rustls::pki_types::PrivateSec1KeyDer::from(key.contents).into(),
        _ => tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer::from(key.contents).into(),
    };
    let chain = vec![CertificateDer::from(pem::decode(&parts[2]).unwrap().contents)];
    // A server can serve with them: the key belongs to the certificate.
    sign::CertifiedKey::from_der(chain, key, &default_provider()).unwrap();
    parts
}

#[test]
fn a_client_accepts_what_an_authority_signed() {
    let [authority, _, certificate, _] = issued(
        r#"genCA "my-ca" 365"#,
        r#"genSignedCert "app" (list "10.0.0.1" "::1") (list "app.example.com" "*.app.svc") 30 $ca"#,
    );
    for name in ["app.example.com", "x.app.svc", "10.0.0.1", "::1"] {
        verify(&authority, &certificate, name, "2024-02-10T00:00:00Z").unwrap();
    }
    verify(&authority, &certificate, "app.example.com", "2024-02-03T04:05:06Z").unwrap();
    verify(&authority, &certificate, "app.example.com", "2024-03-04T04:05:06Z").unwrap();
    for (name, at) in [
        ("other.example.com", "2024-02-10T00:00:00Z"),
        ("10.0.0.2", "2024-02-10T00:00:00Z"),
        ("app.example.com", "2024-02-03T04:05:05Z"),
        ("app.example.com", "2024-03-04T04:05:07Z"),
    ] {
        verify(&authority, &certificate, name, at).unwrap_err();
    }
    let [other, ..] = issued(r#"genCA "my-ca" 366"#, r#"genSignedCert "app" nil nil 30 $ca"#);
    verify(&other, &certificate, "app.example.com", "2024-02-10T00:00:00Z").unwrap_err();
}

#[test]
fn keys_of_all_kinds_can_be_given() {
    for kind in ["ecdsa", "ed25519"] {
        let [authority, key, certificate, _] = issued(
            &format!(r#"genCAWithKey "ca" 365 (genPrivateKey "{kind}")"#),
            &format!(
                r#"genSignedCertWithKey "app" nil (list "a.example.com") 30 $ca (genPrivateKey "{kind}")"#
            ),
        );
        verify(&authority, &certificate, "a.example.com", "2024-02-10T00:00:00Z").unwrap();
        let twice = r#"$ca := buildCustomCert (b64enc $c) (b64enc $k) ; $d := genSignedCert "app" nil (list "b.example.com") 1 $ca ; $d.Cert"#;
        let literal = |text: &str| format!("`{text}`");
        let again = format!("$c := {} ; $k := {} ; {twice}", literal(&authority), literal(&key));
        let again = render(&[&again]).remove(0);
        verify(&authority, &again, "b.example.com", "2024-02-03T05:00:00Z").unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// A certificate or a key that is damaged anywhere is used or refused, and nothing worse.
    #[test]
    fn damaged_certificates_and_keys_are_harmless(
        damages in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4),
        length in any::<Index>(),
        cut in any::<bool>(),
    ) {
        let parts = [r#"$c := genCAWithKey "ca" 9 (genPrivateKey "ecdsa") ; $c.Cert"#, r#"genPrivateKey "ecdsa""#, r#"genPrivateKey "ed25519""#];
        for part in render(&parts) {
            let mut block = pem::decode(&part).unwrap();
            for (place, byte) in &damages {
                let place = place.index(block.contents.len());
                block.contents[place] = *byte;
            }
            if cut {
                block.contents.truncate(length.index(block.contents.len()));
            }
            let given = format!("`{}`", STANDARD.encode(pem::encode(&block.label, &block.contents)));
            let around = Surroundings::new(Timestamp::UNIX_EPOCH, Draw::new([1; 32], Timestamp::UNIX_EPOCH));
            for expression in [
                format!("genSelfSignedCertWithKey \"a\" nil nil 1 (b64dec {given})"),
                format!("genSignedCertWithKey \"a\" nil nil 1 (buildCustomCert {given} {given}) (genPrivateKey \"ecdsa\")"),
                format!("genSignedCertWithKey \"a\" nil nil 1 (buildCustomCert {given} (genPrivateKey \"ecdsa\" | b64enc)) (genPrivateKey \"ecdsa\")"),
            ] {
                if let Ok(answer) = evaluate(&expression, &around) {
                    prop_assert!(answer.contains("BEGIN CERTIFICATE"));
                }
            }
        }
    }
}

/// The keys of running deployments hang on these numbers: they change only with a new seed.
#[test]
fn keys_and_certificates_are_as_ever() {
    let answers = render(&[
        r#"(genCA "ca" 10).Key"#,
        r#"(genCA "ca" 10).Cert"#,
        r#"(genSelfSignedCert "app" (list "10.0.0.1") (list "a.b") 10).Cert"#,
        r#"genPrivateKey "ecdsa""#,
        r#"genPrivateKey "ed25519""#,
    ]);
    assert_eq!(prints(&answers), AS_EVER);
}

/// The beginning of the hash of each text.
fn prints(texts: &[String]) -> Vec<u64> {
    let begin = |text: &String| digest(&SHA256, text.as_bytes()).as_ref()[..8].try_into().unwrap();
    texts.iter().map(|text| u64::from_be_bytes(begin(text))).collect()
}

const AS_EVER: [u64; 5] = [
    2_445_640_524_182_763_127,
    11_150_357_929_969_949_068,
    2_856_204_520_487_250_486,
    2_391_846_186_459_701_997,
    7_098_640_112_985_945_683,
];

#[test]
fn large_keys_are_as_ever() {
    let answers = render(&[r#"genPrivateKey "rsa""#, r#"genPrivateKey "dsa""#]);
    assert_eq!(prints(&answers), LARGE_AS_EVER);
}

const LARGE_AS_EVER: [u64; 2] = [17_798_797_292_501_909_777, 1_551_762_082_544_353_044];
