//! Private keys: made from a stream, read from PEM, written as Go writes them, and used for signatures.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use num_bigint::BigUint;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

use super::super::super::random::Stream;
use super::der::{
    NULL, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, bit_string, collection, element, explicit,
    integer, sequence,
};
use super::{pem, primes};

// Object identifiers.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

const NO_SIGNER: &str = "x509: certificate private key does not implement crypto.Signer";
const MALFORMED: &str = "asn1: structure error: malformed private key";

/// A private key that can sign certificates.
pub enum PrivateKey {
    /// The DER of PKCS #1.
    Rsa(Vec<u8>),
    /// On the curve P-256.
    Ecdsa(SigningKey),
    /// The seed.
    Ed25519([u8; 32]),
    /// The DER of its numbers. Go signs no certificates with it, nor does it certify it.
    Dsa(Vec<u8>),
}

/// The most keys that are kept.
const KEPT_MAX: usize = 256;

type Kept = HashMap<([u8; 32], u64), Vec<u8>>;

/// RSA keys by their stream and size. Making one takes a tenth of a second and more, and every preview of a chart needs it again.
static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// The numbers of a key as a sequence that begins with a version of zero.
fn numbers(numbers: &[BigUint]) -> Vec<u8> {
    let mut all = vec![integer(&[0])];
    all.extend(numbers.iter().map(|number| integer(&number.to_bytes_be())));
    sequence(&all)
}

impl PrivateKey {
    /// A key of RSA with a modulus of so many bits.
    pub fn new_rsa(stream: &mut Stream, bits: u64) -> Result<Self, String> {
        let place = (stream.key(), bits);
        let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = kept().get(&place) {
            return Ok(Self::Rsa(key.clone()));
        }
        let key = primes::rsa(stream, bits)
            .numbers()
            .ok_or("error generating rsa key: primes without an inverse")?;
        let key = numbers(&key);
        let mut kept = kept();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(place, key.clone());
        Ok(Self::Rsa(key))
    }

    /// A key of DSA.
    pub fn new_dsa(stream: &mut Stream) -> Self {
        let key = primes::dsa(stream);
        Self::Dsa(numbers(&[key.modulus, key.order, key.generator, key.public, key.private]))
    }

    /// A key of ECDSA.
    pub fn new_ecdsa(stream: &mut Stream) -> Self {
        loop {
            // Of the numbers of 256 bits, hardly one is too large for the curve.
            if let Ok(key) = SigningKey::from_slice(&stream.bytes(32)) {
                return Self::Ecdsa(key);
            }
        }
    }

    /// The first key in PEM, in any form that sprig reads. An error has its words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let block = pem::decode(text).ok_or("no PEM data in input")?;
        let contents = &block.contents;
        match &*block.label {
            "PRIVATE KEY" => pkcs8(contents).map_err(|error| format!("decoding PEM as PKCS#8: {error}")),
            "RSA PRIVATE KEY" => {
                rsa(contents).map_err(|error| format!("parsing RSA private key from PEM: {error}"))
            }
            "EC PRIVATE KEY" => {
                ec(contents, None).map_err(|error| format!("parsing EC private key from PEM: {error}"))
            }
            "DSA PRIVATE KEY" => match integers(contents, 6) {
                Some(_) => Ok(Self::Dsa(contents.clone())),
                None => Err(format!("parsing DSA private key from PEM: {MALFORMED}")),
            },
            label if label.ends_with(" PRIVATE KEY") => Err(format!("invalid private key type {label}")),
            label => Err(format!("no private key data in PEM block of type {label}")),
        }
    }

    /// The key as PEM, in the form that Go chooses for its kind.
    pub fn to_pem(&self) -> String {
        match self {
            Self::Rsa(key) => pem::encode("RSA PRIVATE KEY", key),
            Self::Ecdsa(key) => {
                let parts = [
                    integer(&[1]),
                    element(OCTET_STRING, &key.to_bytes()),
                    element(explicit(0), &element(OBJECT_IDENTIFIER, P256)),
                    element(explicit(1), &bit_string(&self.public())),
                ];
                pem::encode("EC PRIVATE KEY", &sequence(&parts))
            }
            Self::Ed25519(seed) => {
                let algorithm = sequence(&[element(OBJECT_IDENTIFIER, ED25519)]);
                let key = element(OCTET_STRING, &element(OCTET_STRING, seed));
                pem::encode("PRIVATE KEY", &sequence(&[integer(&[0]), algorithm, key]))
            }
            Self::Dsa(key) => pem::encode("DSA PRIVATE KEY", key),
        }
    }

    /// The bits of the public key.
    pub fn public(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => {
                let numbers = integers(key, 3).unwrap_or_default();
                // The version stands before the modulus and the exponent.
                sequence(&numbers.iter().skip(1).map(|number| integer(number)).collect::<Vec<_>>())
            }
            Self::Ecdsa(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::Ed25519(seed) => Ed25519KeyPair::from_seed_unchecked(seed)
                .map_or_else(|_| Vec::new(), |pair| pair.public_key().as_ref().to_vec()),
            Self::Dsa(_) => Vec::new(),
        }
    }

    /// The public key with its algorithm, as a certificate has it.
    pub fn public_info(&self) -> Result<Vec<u8>, String> {
        let algorithm = match self {
            Self::Rsa(_) => vec![element(OBJECT_IDENTIFIER, RSA), element(NULL, &[])],
            Self::Ecdsa(_) => vec![element(OBJECT_IDENTIFIER, EC), element(OBJECT_IDENTIFIER, P256)],
            Self::Ed25519(_) => vec![element(OBJECT_IDENTIFIER, ED25519)],
            Self::Dsa(_) => return Err("x509: unsupported public key type: *dsa.PublicKey".to_owned()),
        };
        Ok(sequence(&[collection(SEQUENCE, &algorithm), bit_string(&self.public())]))
    }

    /// The algorithm of its signatures.
    pub fn signature_algorithm(&self) -> Result<Vec<u8>, String> {
        Ok(sequence(&match self {
            Self::Rsa(_) => vec![element(OBJECT_IDENTIFIER, SHA256_WITH_RSA), element(NULL, &[])],
            Self::Ecdsa(_) => vec![element(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256)],
            Self::Ed25519(_) => vec![element(OBJECT_IDENTIFIER, ED25519)],
            Self::Dsa(_) => return Err(NO_SIGNER.to_owned()),
        }))
    }

    /// The signature, which is the same each time.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Self::Rsa(key) => {
                let pair =
                    RsaKeyPair::from_der(key).map_err(|error| format!("the RSA key cannot sign: {error}"))?;
                let mut signature = vec![0; pair.public().modulus_len()];
                // The random numbers only hide how long it takes; the signature is the same.
                let signed = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
                signed.map(|()| signature).map_err(|_| "the RSA key cannot sign".to_owned())
            }
            Self::Ecdsa(key) => {
                let signature: Result<DerSignature, _> = key.try_sign(message);
                signature.map(|signature| signature.as_bytes().to_vec()).map_err(|error| error.to_string())
            }
            Self::Ed25519(seed) => Ed25519KeyPair::from_seed_unchecked(seed)
                .map(|pair| pair.sign(message).as_ref().to_vec())
                .map_err(|error| error.to_string()),
            Self::Dsa(_) => Err(NO_SIGNER.to_owned()),
        }
    }
}

/// The numbers of a sequence of so many.
fn integers(contents: &[u8], count: usize) -> Option<Vec<&[u8]>> {
    let mut inside = Reader::new(contents).inside(SEQUENCE)?;
    (0..count).map(|_| inside.integer()).collect()
}

fn rsa(contents: &[u8]) -> Result<PrivateKey, String> {
    // Version, modulus, both exponents, two primes with their exponents, and the coefficient.
    integers(contents, 9).ok_or(MALFORMED)?;
    let (whole, _) = Reader::new(contents).any().ok_or(MALFORMED)?;
    Ok(PrivateKey::Rsa(whole.to_vec()))
}

/// A key as SEC 1 has it; the curve may be named around it.
fn ec(contents: &[u8], curve: Option<&[u8]>) -> Result<PrivateKey, String> {
    let mut inside = Reader::new(contents).inside(SEQUENCE).ok_or(MALFORMED)?;
    inside.integer().ok_or(MALFORMED)?;
    let secret = inside.read(OCTET_STRING).ok_or(MALFORMED)?;
    let named = inside.optional(explicit(0)).and_then(|curve| Reader::new(curve).read(OBJECT_IDENTIFIER));
    if named.or(curve) != Some(P256) {
        return Err("keys on other curves than P-256 are not supported".to_owned());
    }
    // Others write the number without leading zeros, or with too many.
    let digits = &secret[secret.iter().position(|byte| *byte != 0).unwrap_or(secret.len())..];
    let mut scalar = [0; 32];
    let start = scalar.len().checked_sub(digits.len()).ok_or(MALFORMED)?;
    scalar[start..].copy_from_slice(digits);
    SigningKey::from_slice(&scalar).map(PrivateKey::Ecdsa).map_err(|_| MALFORMED.to_owned())
}

fn pkcs8(contents: &[u8]) -> Result<PrivateKey, String> {
    let mut inside = Reader::new(contents).inside(SEQUENCE).ok_or(MALFORMED)?;
    inside.integer().ok_or(MALFORMED)?;
    let mut algorithm = inside.inside(SEQUENCE).ok_or(MALFORMED)?;
    let key = inside.read(OCTET_STRING).ok_or(MALFORMED)?;
    match algorithm.read(OBJECT_IDENTIFIER).ok_or(MALFORMED)? {
        RSA => rsa(key),
        EC => ec(key, algorithm.read(OBJECT_IDENTIFIER)),
        ED25519 => {
            let seed = Reader::new(key).read(OCTET_STRING).and_then(|seed| seed.try_into().ok());
            seed.map(PrivateKey::Ed25519).ok_or_else(|| MALFORMED.to_owned())
        }
        _ => Err("x509: PKCS#8 wrapping contained private key with unknown algorithm".to_owned()),
    }
}
