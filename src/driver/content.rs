//! The files of a driver as they are collected, from a directory or from elsewhere, within limits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Diagnostic;

/// The largest text, in bytes.
const TEXT_LIMIT: usize = 1 << 20;
/// The largest binary file, in bytes: a chart's archive.
const BINARY_LIMIT: usize = 4 << 20;
/// All files together, in bytes.
const TOTAL_LIMIT: usize = 8 << 20;
/// How many files a driver may have, charts inside it included.
pub(super) const COUNT_LIMIT: usize = 1000;
/// How deep its directories may be.
pub(super) const DEPTH_LIMIT: usize = 12;
/// The longest path of a file, in bytes.
const PATH_LIMIT: usize = 512;
/// The one hidden file that is kept: Helm reads it in a chart's directory.
const KEPT_HIDDEN: &str = ".helmignore";

/// The files of a driver, each by its path inside it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Content {
    /// What is UTF-8.
    pub texts: BTreeMap<String, String>,
    /// What is not: archives, pictures.
    pub binaries: BTreeMap<String, Arc<[u8]>>,
    total: usize,
}

impl Content {
    /// The most bytes that a file may have: whoever reads one need not read further than this and one more.
    pub const FILE_LIMIT: usize = if TEXT_LIMIT > BINARY_LIMIT { TEXT_LIMIT } else { BINARY_LIMIT };

    /// Adds a file. Hidden files and what is in hidden directories are left out, but for a chart's `.helmignore`.
    ///
    /// # Errors
    /// Its path leaves the driver or is there already, or a limit is passed.
    pub fn add(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), Diagnostic> {
        let refused = |why: String| Err(Diagnostic::of_file(path, why, ""));
        let segments: Vec<&str> = path.split('/').collect();
        if path.len() > PATH_LIMIT || segments.len() > DEPTH_LIMIT + 1 {
            return refused(format!(
                "its path is longer than {PATH_LIMIT} bytes or nested deeper than {DEPTH_LIMIT} directories"
            ));
        }
        if segments.iter().any(|part| matches!(*part, "" | "." | ".."))
            || path.contains(|c: char| c == '\\' || c.is_control())
        {
            return refused("this is no path inside the driver".to_owned());
        }
        if is_hidden(path) {
            return Ok(());
        }
        let text = String::from_utf8(bytes);
        let (length, limit) = match &text {
            Ok(text) => (text.len(), TEXT_LIMIT),
            Err(error) => (error.as_bytes().len(), BINARY_LIMIT),
        };
        if length > limit {
            return refused(format!("it is larger than {limit} bytes"));
        }
        self.total += length;
        if self.total > TOTAL_LIMIT || self.texts.len() + self.binaries.len() >= COUNT_LIMIT {
            return refused(format!("the driver is larger than {TOTAL_LIMIT} bytes or {COUNT_LIMIT} files"));
        }
        if self.texts.contains_key(path) || self.binaries.contains_key(path) {
            return refused("there are two files of this path".to_owned());
        }
        match text {
            Ok(text) => drop(self.texts.insert(path.to_owned(), text)),
            Err(error) => drop(self.binaries.insert(path.to_owned(), error.into_bytes().into())),
        }
        Ok(())
    }

    /// Whether a file or directory of that path is left out.
    pub(super) fn leaves_out(path: &str) -> bool {
        is_hidden(path)
    }

    /// The paths of all files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().chain(self.binaries.keys()).map(String::as_str)
    }
}

fn is_hidden(path: &str) -> bool {
    let mut segments = path.split('/').rev();
    let name = segments.next().unwrap_or("");
    (name.starts_with('.') && name != KEPT_HIDDEN) || segments.any(|part| part.starts_with('.'))
}

impl From<BTreeMap<String, String>> for Content {
    /// Texts that are trusted to be within the limits: those of the binary itself, and of tests.
    fn from(texts: BTreeMap<String, String>) -> Self {
        let total = texts.values().map(String::len).sum();
        Self { texts, binaries: BTreeMap::new(), total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &str, bytes: Vec<u8>) -> String {
        Content::default().add(path, bytes).unwrap_err().message
    }

    #[test]
    fn texts_and_binaries_are_told_apart_and_hidden_files_left_out() {
        let mut content = Content::default();
        for (path, bytes) in [
            ("a.yml", b"a".to_vec()),
            ("logo.png", vec![0xFF, 0xFE]),
            (".git/config", b"secret".to_vec()),
            ("chart/.helmignore", b"*.bak".to_vec()),
            (".helmignore/x", b"x".to_vec()),
            ("chart/.env", b"x".to_vec()),
        ] {
            content.add(path, bytes).unwrap();
        }
        assert_eq!(content.paths().collect::<Vec<_>>(), ["a.yml", "chart/.helmignore", "logo.png"]);
        assert_eq!(&*content.binaries["logo.png"], [0xFF, 0xFE]);
        assert!(content.add("a.yml", Vec::new()).unwrap_err().message.contains("two files"));
    }

    #[test]
    fn limits_and_paths_are_held() {
        for path in ["../a", "/a", "a/../b", "", "a//b", "a/./b", "a\\b", "a/", "a\0b", "a\u{1b}[31m"] {
            assert!(refusal(path, Vec::new()).contains("no path inside"), "{path}");
        }
        assert!(refusal(&"d/".repeat(DEPTH_LIMIT + 1), Vec::new()).contains("nested deeper"));
        assert!(refusal(&"d".repeat(600), Vec::new()).contains("longer than"));
        assert!(refusal("a", vec![b'x'; TEXT_LIMIT + 1]).contains("larger than 1048576 bytes"));
        assert!(refusal("a", vec![0xFF; BINARY_LIMIT + 1]).contains("larger than 4194304 bytes"));
        let mut content = Content::default();
        content.add("a", vec![0xFF; BINARY_LIMIT]).unwrap();
        content.add("b", vec![0xFF; BINARY_LIMIT]).unwrap();
        assert!(content.add("c", vec![0xFF]).unwrap_err().message.contains("the driver is larger"));
        let mut many = Content::default();
        (0..COUNT_LIMIT).for_each(|n| many.add(&n.to_string(), Vec::new()).unwrap());
        assert!(many.add("one-more", Vec::new()).is_err());
    }
}
