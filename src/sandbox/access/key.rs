//! The secret that signs the tokens of ServiceAccounts, and what else the server keeps to itself: no object, in no export.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::sandbox::SandboxError;

/// The file in the sandbox's directory.
const FILE: &str = "token.key";
/// How long the secret is, in bytes.
const LENGTH: usize = 32;
/// The block of SHA-256, in bytes.
const BLOCK: usize = 64;

/// A secret for HMAC-SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey([u8; LENGTH]);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// A new one, from the system's randomness.
    ///
    /// # Errors
    /// The system has none.
    pub fn random() -> io::Result<Self> {
        let mut secret = [0; LENGTH];
        tokio_rustls::rustls::crypto::ring::default_provider()
            .secure_random
            .fill(&mut secret)
            .map_err(|_| io::Error::other("the system gives no random numbers"))?;
        Ok(Self(secret))
    }

    /// The one of a sandbox's directory, readable by its owner alone; made when it is absent.
    ///
    /// # Errors
    /// The file cannot be read or written, or is no key.
    pub fn open(directory: &Path) -> Result<Self, SandboxError> {
        let path = directory.join(FILE);
        let unusable =
            |error: io::Error| SandboxError::Directory { path: path.clone(), why: error.to_string() };
        match fs::read(&path) {
            Ok(bytes) => {
                let why = || format!("it holds {} bytes instead of {LENGTH}", bytes.len());
                let secret = bytes.as_slice().try_into();
                secret.map(Self).map_err(|_| SandboxError::Damaged { path: path.clone(), why: why() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::random().map_err(unusable)?;
                key.write(&path).map_err(unusable)?;
                Ok(key)
            }
            Err(error) => Err(unusable(error)),
        }
    }

    /// Writes it under another name first: a file that is there is whole.
    fn write(&self, path: &Path) -> io::Result<()> {
        let draft = path.with_extension("new");
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(&self.0)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    }

    /// HMAC-SHA-256 (RFC 2104) of a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        hmac(&self.0, message)
    }
}

fn hmac(secret: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    if secret.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

/// Whether two texts are the same; how long that takes does not tell where they differ.
pub fn is_same(known: &[u8], given: &[u8]) -> bool {
    known.len() == given.len() && known.iter().zip(given).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}

/// What the API server knows of secrets.
#[derive(Default)]
pub struct Credentials {
    signing: OnceLock<SigningKey>,
    admin: OnceLock<String>,
    authority: watch::Sender<Option<Arc<str>>>,
}

impl Credentials {
    /// Gives the server its signing key; the first one stays.
    pub fn sign_with(&self, key: SigningKey) {
        let _ = self.signing.set(key);
    }

    /// The signing key; `None` where nobody has given one.
    pub fn signing(&self) -> Option<&SigningKey> {
        self.signing.get()
    }

    /// Tells the server the sandbox's own token; the first one stays.
    pub fn know_admin(&self, token: &str) {
        let _ = self.admin.set(token.to_owned());
    }

    /// Tells the cluster whose certificates its API server has, as PEM: every namespace gets it in `kube-root-ca.crt`.
    pub fn publish_authority(&self, certificate: &str) {
        self.authority.send_replace(Some(certificate.into()));
    }

    /// The published certificate; `None` as long as nothing is served to others.
    pub fn authority(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.authority.subscribe()
    }

    /// Whether it is the sandbox's own token.
    pub fn is_admin(&self, token: &str) -> bool {
        self.admin.get().is_some_and(|known| is_same(known.as_bytes(), token.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The cases of RFC 4231 that fit: a short key, and one longer than a block.
    #[test]
    fn signatures_are_those_of_the_standard() {
        assert_eq!(
            hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(&hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn the_key_of_a_directory_stays() {
        let directory = tempfile::tempdir().unwrap();
        let first = SigningKey::open(directory.path()).unwrap();
        assert_eq!(SigningKey::open(directory.path()).unwrap(), first);
        assert_ne!(SigningKey::random().unwrap(), first);
        let file = directory.path().join(FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&file, b"short").unwrap();
        assert!(matches!(SigningKey::open(directory.path()), Err(SandboxError::Damaged { .. })));
    }

    #[test]
    fn texts_are_compared_whole() {
        assert!(is_same(b"abc", b"abc") && !is_same(b"abc", b"abd") && !is_same(b"abc", b"ab"));
    }
}
