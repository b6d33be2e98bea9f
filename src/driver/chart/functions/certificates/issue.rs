//! Certificates: what Go's `x509.CreateCertificate` makes of sprig's template.

use std::net::IpAddr;

use jiff::Timestamp;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::der::{
    BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, PRINTABLE_STRING,
    Reader, SEQUENCE, SET, UTC_TIME, UTF8_STRING, bit_string, collection, element, explicit, implicit,
    integer, sequence,
};
use super::keys::PrivateKey;
use super::pem;

// Object identifiers.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 14];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 35];
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 17];
const SERVER_AUTHENTICATION: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const CLIENT_AUTHENTICATION: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];

/// Unused bits and bits: digital signature and key encipherment, and for an authority the signing of certificates.
const USAGE: &[u8] = &[5, 0xa0];
const AUTHORITY_USAGE: &[u8] = &[2, 0xa4];

/// What a certificate shall say.
pub struct Request {
    /// The common name.
    pub name: String,
    pub addresses: Vec<IpAddr>,
    pub names: Vec<String>,
    /// From when on it holds.
    pub born: Timestamp,
    /// For how many days.
    pub days: i64,
    pub is_authority: bool,
    pub serial: [u8; 16],
}

/// What a certificate needs of the one that signs it.
pub struct Issuer {
    /// The name, as it stands there.
    subject: Vec<u8>,
    public_info: Vec<u8>,
    key_identifier: Option<Vec<u8>>,
}

impl Issuer {
    /// Reads a certificate; none when it is no such thing.
    pub fn parse(certificate: &[u8]) -> Option<Self> {
        let mut certificate = Reader::new(certificate).inside(SEQUENCE)?;
        let mut body = certificate.inside(SEQUENCE)?;
        certificate.inside(SEQUENCE)?;
        certificate.bit_string()?;
        body.optional(explicit(0));
        body.read(INTEGER)?;
        let (_algorithm, _issuer) = (body.read(SEQUENCE)?, body.read(SEQUENCE)?);
        let mut validity = body.inside(SEQUENCE)?;
        let (_from, _to) = (validity.any()?, validity.any()?);
        let (subject, _) = body.any()?;
        let (public_info, _) = body.any()?;
        // Two unused fields, then the extensions.
        body.optional(implicit(1));
        body.optional(implicit(2));
        let mut extensions = body.optional(explicit(3)).and_then(|all| Reader::new(all).inside(SEQUENCE));
        let mut key_identifier = None;
        while let Some(mut extension) = extensions.as_mut().and_then(|all| all.inside(SEQUENCE)) {
            let name = extension.read(OBJECT_IDENTIFIER)?;
            extension.optional(BOOLEAN);
            let value = extension.read(OCTET_STRING)?;
            if name == SUBJECT_KEY_IDENTIFIER {
                key_identifier = Some(Reader::new(value).read(OCTET_STRING)?.to_vec());
            }
        }
        Some(Self { subject: subject.to_vec(), public_info: public_info.to_vec(), key_identifier })
    }
}

impl Request {
    /// The certificate for that key as PEM, signed by the issuer, or by itself.
    pub fn issue(&self, key: &PrivateKey, issuer: Option<(&Issuer, &PrivateKey)>) -> Result<String, String> {
        let failed = |error: String| format!("error creating certificate: {error}");
        let subject = common_name(&self.name);
        let (issuer, signer) = match issuer {
            None => (None, key),
            Some((issuer, signer)) => {
                if Ok(&issuer.public_info) != signer.public_info().as_ref() {
                    return Err(failed(
                        "x509: provided PrivateKey doesn't match parent's PublicKey".to_owned(),
                    ));
                }
                (Some(issuer), signer)
            }
        };
        let algorithm = signer.signature_algorithm().map_err(failed)?;
        let issuer_name = issuer.map_or(&subject, |issuer| &issuer.subject);
        // Who signs itself needs no word about who signed.
        let issuer_key =
            issuer.filter(|_| *issuer_name != subject).and_then(|issuer| issuer.key_identifier.as_deref());
        let body = sequence(&[
            element(explicit(0), &integer(&[2])),
            integer(&self.serial),
            algorithm.clone(),
            issuer_name.clone(),
            self.validity().map_err(failed)?,
            subject.clone(),
            key.public_info().map_err(failed)?,
            element(explicit(3), &sequence(&self.extensions(key, issuer_key).map_err(failed)?)),
        ]);
        let signature = signer.sign(&body).map_err(failed)?;
        let certificate = sequence(&[body, algorithm, bit_string(&signature)]);
        Ok(pem::encode("CERTIFICATE", &certificate))
    }

    fn validity(&self) -> Result<Vec<u8>, String> {
        let begin = self.born.as_second();
        let end = self.days.checked_mul(86_400).and_then(|seconds| begin.checked_add(seconds));
        let end = end.and_then(|end| Timestamp::from_second(end).ok()).and_then(time);
        let unwritable = "asn1: structure error: cannot represent time as GeneralizedTime";
        Ok(sequence(&[time(self.born).ok_or(unwritable)?, end.ok_or(unwritable)?]))
    }

    fn extensions(&self, key: &PrivateKey, issuer_key: Option<&[u8]>) -> Result<Vec<Vec<u8>>, String> {
        let usage = if self.is_authority { AUTHORITY_USAGE } else { USAGE };
        let purposes =
            [SERVER_AUTHENTICATION, CLIENT_AUTHENTICATION].map(|name| element(OBJECT_IDENTIFIER, name));
        let constraints = if self.is_authority { element(BOOLEAN, &[0xff]) } else { Vec::new() };
        let mut all = vec![
            extension(KEY_USAGE, true, &element(BIT_STRING, usage)),
            extension(EXTENDED_KEY_USAGE, false, &sequence(&purposes)),
            extension(BASIC_CONSTRAINTS, true, &element(SEQUENCE, &constraints)),
        ];
        if self.is_authority {
            let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &key.public());
            all.push(extension(SUBJECT_KEY_IDENTIFIER, false, &element(OCTET_STRING, hash.as_ref())));
        }
        if let Some(issuer_key) = issuer_key {
            let identifier = sequence(&[element(implicit(0), issuer_key)]);
            all.push(extension(AUTHORITY_KEY_IDENTIFIER, false, &identifier));
        }
        let names = self.alternative_names()?;
        if !names.is_empty() {
            // Of a certificate without a name, they are the name.
            all.push(extension(SUBJECT_ALTERNATIVE_NAME, self.name.is_empty(), &sequence(&names)));
        }
        Ok(all)
    }

    fn alternative_names(&self) -> Result<Vec<Vec<u8>>, String> {
        let mut all = Vec::new();
        for name in &self.names {
            if !name.is_ascii() {
                let name = super::super::super::format::quote(name);
                return Err(format!("x509: {name} cannot be encoded as an IA5String"));
            }
            all.push(element(implicit(2), name.as_bytes()));
        }
        all.extend(self.addresses.iter().map(|address| match address.to_canonical() {
            IpAddr::V4(address) => element(implicit(7), &address.octets()),
            IpAddr::V6(address) => element(implicit(7), &address.octets()),
        }));
        Ok(all)
    }
}

fn extension(name: &[u8], is_critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![element(OBJECT_IDENTIFIER, name)];
    if is_critical {
        parts.push(element(BOOLEAN, &[0xff]));
    }
    parts.push(element(OCTET_STRING, value));
    sequence(&parts)
}

/// A name that consists of a common name; an empty one of nothing.
fn common_name(name: &str) -> Vec<u8> {
    if name.is_empty() {
        return sequence(&[]);
    }
    let is_printable = |letter: char| letter.is_ascii_alphanumeric() || " '()+,-./:=?".contains(letter);
    let tag = if name.chars().all(is_printable) { PRINTABLE_STRING } else { UTF8_STRING };
    let attribute = sequence(&[element(OBJECT_IDENTIFIER, COMMON_NAME), element(tag, name.as_bytes())]);
    sequence(&[collection(SET, &[attribute])])
}

/// The second in UTC, from 1950 to 2049 with a year of two digits; none outside of the years 0 to 9999.
fn time(time: Timestamp) -> Option<Vec<u8>> {
    let written = time.strftime("%Y%m%d%H%M%SZ").to_string();
    match time.strftime("%Y").to_string().parse::<i64>().ok()? {
        1950..2050 => Some(element(UTC_TIME, &written.as_bytes()[2..])),
        0..10_000 => Some(element(GENERALIZED_TIME, written.as_bytes())),
        _ => None,
    }
}
