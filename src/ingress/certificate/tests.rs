use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::*;

fn params(names: &[&str], from: i32, until: i32) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    params
}

fn day(text: &str) -> Timestamp {
    format!("{text}T00:00:00Z").parse().unwrap()
}

/// A server's certificate until 2030, signed by somebody whose own ends in 2028.
fn chain() -> [rcgen::Certificate; 2] {
    let mut authority = params(&[], 2020, 2028);
    authority.distinguished_name.push(DnType::CommonName, "R1");
    authority.distinguished_name.push(DnType::OrganizationName, "Let's Sign");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let signer = authority.self_signed(&key).unwrap();
    let issuer = Issuer::new(authority, key);
    let own = params(&["notes.example.org", "*.example.org", "10.0.0.1", "fd00::1"], 2026, 2030);
    [own.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap(), signer]
}

#[test]
fn a_chain_says_what_it_is_for_and_when_its_first_end_is() {
    let [own, signer] = chain();
    let found = read(format!("{}{}", own.pem(), signer.pem()).as_bytes()).unwrap();
    assert_eq!(found.subject, "notes.example.org", "there is no common name");
    assert_eq!(found.issuer, "R1 (Let's Sign)");
    assert_eq!(found.names, ["notes.example.org", "*.example.org", "10.0.0.1", "fd00::1"]);
    assert_eq!((found.not_before, found.not_after), (day("2026-01-01"), day("2030-01-01")));
    assert_eq!(found.earliest, day("2028-01-01"));
    assert_eq!(found.fingerprint, names::digest(own.der()));
    assert_eq!(from_chain(&[own.der(), signer.der()]).unwrap(), found);
    let alone = read(own.pem().as_bytes()).unwrap();
    assert_eq!(alone.earliest, alone.not_after);
}

#[test]
fn keys_are_skipped_and_damage_is_told() {
    let [own, _] = chain();
    let key = KeyPair::generate().unwrap().serialize_pem();
    assert_eq!(read(format!("{key}{}", own.pem()).as_bytes()).unwrap(), read(own.pem().as_bytes()).unwrap());
    assert_eq!(read(key.as_bytes()).unwrap_err(), "there is no certificate in it");
    assert_eq!(read(b"").unwrap_err(), "there is no certificate in it");
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(read(damaged.as_bytes()).unwrap_err().starts_with("it holds a damaged certificate: "));
    let open = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    assert!(read(open.as_bytes()).unwrap_err().starts_with("it cannot be read as PEM: "));
}

#[test]
fn names_cover_what_browsers_accept() {
    let [own, _] = chain();
    let found = from_chain(&[own.der()]).unwrap();
    for host in
        ["notes.example.org", "NOTES.Example.org.", "a.example.org", "10.0.0.1", "fd00::1", "[fd00:0::1]"]
    {
        assert!(covers(&found, host), "{host}");
    }
    for host in [
        "example.org",
        "a.b.example.org",
        ".example.org",
        "10.0.0.2",
        "notes.example.com",
        "aexample.org",
        "",
    ] {
        assert!(!covers(&found, host), "{host}");
    }
    let broad = Certificate { names: vec!["*.localhost".to_owned(), "*".to_owned()], ..found };
    assert!(!covers(&broad, "a.localhost") && !covers(&broad, "localhost"));
}

#[test]
fn a_common_name_is_shown_and_covers_nothing() {
    let mut old = params(&[], 2020, 2030);
    old.distinguished_name.push(DnType::CommonName, "notes.example.org\u{1b}]0;title\u{7}");
    let certificate = old.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let found = from_chain(&[certificate.der()]).unwrap();
    assert_eq!((found.subject.as_str(), found.issuer.as_str()), ("notes.example.org", "notes.example.org"));
    assert!(!covers(&found, "notes.example.org"));
}

#[test]
fn for_ever_has_an_end() {
    let mut eternal = params(&["a.example.org"], 2020, 9999);
    eternal.not_after = rcgen::date_time_ymd(9999, 12, 31);
    let certificate = eternal.self_signed(&KeyPair::generate().unwrap()).unwrap();
    assert_eq!(from_chain(&[certificate.der()]).unwrap().not_after, Timestamp::MAX);
    assert_eq!(from_chain(&[certificate.der()]).unwrap().issuer, "somebody without a name");
}
