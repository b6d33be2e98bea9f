//! Output as it is kept: its beginning, and what tells the rest of it apart.

use sha2::{Digest, Sha256};

/// What a command wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// The beginning of it, up to the limit.
    pub bytes: Vec<u8>,
    /// How many bytes it was altogether.
    pub total: u64,
    /// The SHA-256 of all of it, where some was dropped and it was asked for.
    pub digest: Option<String>,
}

impl Captured {
    /// Whether something was dropped.
    pub fn is_truncated(&self) -> bool {
        self.total > self.bytes.len() as u64
    }

    /// What is kept, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Output that is being kept.
pub(in crate::cluster) struct Capture {
    limit: usize,
    kept: Vec<u8>,
    total: u64,
    digest: Option<Sha256>,
}

impl Capture {
    pub(in crate::cluster) fn new(limit: usize) -> Self {
        Self { limit, kept: Vec::new(), total: 0, digest: Some(Sha256::new()) }
    }

    /// One that takes no digest: gigabytes need not be read twice.
    pub(in crate::cluster) fn without_digest(limit: usize) -> Self {
        Self { digest: None, ..Self::new(limit) }
    }

    pub(in crate::cluster) fn take(&mut self, chunk: &[u8]) {
        let room = self.limit.saturating_sub(self.kept.len()).min(chunk.len());
        self.kept.extend_from_slice(&chunk[..room]);
        self.total += chunk.len() as u64;
        if let Some(digest) = &mut self.digest {
            digest.update(chunk);
        }
    }

    /// What was taken so far.
    pub(in crate::cluster) fn captured(&self) -> Captured {
        let cut = self.total > self.kept.len() as u64;
        let digest = self.digest.as_ref().filter(|_| cut);
        let digest =
            digest.map(|digest| digest.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        Captured { bytes: self.kept.clone(), total: self.total, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names;

    #[test]
    fn output_beyond_the_limit_is_dropped_counted_and_told_by_its_digest() {
        let mut capture = Capture::new(10);
        for chunk in ["12345", "67890", "abc", "def"] {
            capture.take(chunk.as_bytes());
        }
        let captured = capture.captured();
        assert_eq!((captured.text().as_str(), captured.total), ("1234567890", 16));
        assert_eq!(captured.digest, Some(names::digest(b"1234567890abcdef")));
    }

    #[test]
    fn output_that_fits_is_whole() {
        let mut capture = Capture::new(5);
        capture.take(b"short");
        assert_eq!(capture.captured(), Captured { bytes: b"short".to_vec(), total: 5, digest: None });
    }
}
