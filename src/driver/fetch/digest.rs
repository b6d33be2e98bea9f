//! `sha256:<64 hex digits>`: what tells that bytes are the ones that were meant.

use std::fmt;

use crate::domain::names::digest;

/// A SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Digest(String);

impl Digest {
    /// The digest of these bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(digest(bytes))
    }

    /// Reads 64 hex digits, with or without `sha256:` before them; none for everything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hex = text.trim().strip_prefix("sha256:").unwrap_or(text.trim());
        let sound = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        sound.then(|| Self(hex.to_ascii_lowercase()))
    }

    /// The digits alone.
    pub(super) fn hex(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_in_both_forms() {
        let digest = Digest::of(b"");
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest.hex(), hex);
        assert_eq!(Digest::parse(hex).as_ref(), Some(&digest));
        assert_eq!(Digest::parse(&format!("sha256:{}", hex.to_uppercase())).as_ref(), Some(&digest));
        for wrong in ["", "sha256:", "sha512:ab", &hex[1..], &hex.replace('e', "../")] {
            assert_eq!(Digest::parse(wrong), None, "{wrong}");
        }
    }
}
