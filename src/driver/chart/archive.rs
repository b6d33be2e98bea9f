//! Chart archives: a gzipped tar becomes files by their path inside the chart, with every size bounded.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::error::ChartError;

/// Files by their path, without the directory that all of an archive stand in.
pub type Files = BTreeMap<String, Arc<[u8]>>;

/// The largest file, in bytes; Helm's own limit.
pub(super) const FILE_LIMIT: u64 = 5 << 20;
/// All files of a chart and of the charts in it, unpacked, in bytes; Helm's own limit, there for each archive.
const TOTAL_LIMIT: u64 = 100 << 20;
/// How many entries a chart and the charts in it may have.
const COUNT_LIMIT: usize = 10_000;
/// What an entry takes in an archive beside its content: headers and padding.
const OVERHEAD: u64 = 2_048;
/// The longest name, in bytes.
const NAME_LIMIT: usize = 4_096;

const UTF8_BOM: &[u8] = &[0xef, 0xbb, 0xbf];

/// What is left of the limits while a chart and the charts in it are unpacked.
pub(super) struct Budget {
    bytes: u64,
    entries: usize,
    /// What may still come out of archives, whatever it is: an archive in an archive comes out of both.
    inflated: u64,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self::of(TOTAL_LIMIT, COUNT_LIMIT)
    }

    fn of(bytes: u64, entries: usize) -> Self {
        Self { bytes, entries, inflated: bytes + (entries as u64 + 1) * OVERHEAD }
    }

    /// Takes one file into account.
    pub(super) fn take(&mut self, name: &str, size: u64) -> Result<(), ChartError> {
        if size > FILE_LIMIT {
            let message = format!("chart file {name:?} is larger than the maximum file size {FILE_LIMIT}");
            return Err(ChartError::Archive(message));
        }
        self.bytes = self.bytes.checked_sub(size).ok_or_else(too_large)?;
        self.entry()
    }

    fn entry(&mut self) -> Result<(), ChartError> {
        let refuse = || ChartError::Archive(format!("the chart has more than {COUNT_LIMIT} files"));
        self.entries = self.entries.checked_sub(1).ok_or_else(refuse)?;
        Ok(())
    }
}

fn too_large() -> ChartError {
    ChartError::Archive(format!("decompressed chart is larger than the maximum size {TOTAL_LIMIT}"))
}

/// Unpacks an archive.
pub(super) fn unpack(archive: &[u8], budget: &mut Budget) -> Result<Files, ChartError> {
    if !archive.starts_with(&[0x1f, 0x8b]) {
        return Err(ChartError::Archive("it does not appear to be a gzipped archive".to_owned()));
    }
    let source = Ceiling { inner: MultiGzDecoder::new(archive), left: budget.inflated };
    let mut archive = tar::Archive::new(source);
    let mut files = Files::new();
    for entry in archive.entries().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if let Some((path, content)) = file(entry, budget)? {
            files.insert(path, content);
        }
    }
    budget.inflated = archive.into_inner().left;
    if files.is_empty() {
        return Err(ChartError::Archive("no files in chart archive".to_owned()));
    }
    Ok(files)
}

fn unreadable(error: io::Error) -> ChartError {
    ChartError::Archive(format!("the archive cannot be read: {error}"))
}

/// A path and what stands there.
type Named = (String, Arc<[u8]>);

/// One entry; none for directories.
fn file(entry: tar::Entry<'_, impl Read>, budget: &mut Budget) -> Result<Option<Named>, ChartError> {
    let refuse = |message: String| Err(ChartError::Archive(message));
    let bytes = entry.path_bytes();
    if bytes.len() > NAME_LIMIT {
        return refuse(format!("the name of a file is longer than {NAME_LIMIT} bytes"));
    }
    let Ok(name) = std::str::from_utf8(&bytes).map(str::to_owned) else {
        return refuse(format!("the name {:?} is no UTF-8", String::from_utf8_lossy(&bytes)));
    };
    match entry.header().entry_type() {
        EntryType::Directory | EntryType::XGlobalHeader | EntryType::XHeader => {
            budget.entry()?;
            return Ok(None);
        }
        // Old archives mark directories by the name alone.
        EntryType::Regular if name.ends_with('/') => {
            budget.entry()?;
            return Ok(None);
        }
        EntryType::Regular | EntryType::Continuous => {}
        EntryType::Symlink | EntryType::Link => return refuse(format!("chart contains a link: {name:?}")),
        other => {
            let kind = char::from(other.as_byte());
            return refuse(format!("chart contains {name:?}, which is no file but of the kind {kind:?}"));
        }
    }
    let path = inside(&name)?;
    let size = entry.size();
    budget.take(&name, size)?;
    let mut content = Vec::new();
    entry.take(size).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 != size {
        return refuse(format!("the archive cannot be read: it ends inside {name:?}"));
    }
    Ok(Some((path, without_mark(&content).into())))
}

/// The content without the byte order mark that some editors put before it.
pub(super) fn without_mark(content: &[u8]) -> &[u8] {
    content.strip_prefix(UTF8_BOM).unwrap_or(content)
}

/// The path inside the chart of an entry's name. The rules, and their order, are Helm's.
fn inside(name: &str) -> Result<String, ChartError> {
    let refuse = |message: &str| Err(ChartError::Archive(format!("{message}: {name:?}")));
    // Windows writes `\`.
    let delimiter = if name.contains('\\') { '\\' } else { '/' };
    let Some((_, rest)) = name.split_once(delimiter).filter(|(first, _)| *first != "Chart.yaml") else {
        return refuse("chart illegally contains content outside the base directory");
    };
    let rest = rest.replace(delimiter, "/");
    if rest.starts_with('/') {
        return refuse("chart illegally contains absolute paths");
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in rest.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part != ".." {
            parts.push(part);
        } else if parts.pop().is_none() {
            return refuse("chart illegally references parent directory");
        }
    }
    let path = parts.join("/");
    let drive = path.as_bytes();
    if path.is_empty() {
        return refuse("chart illegally contains content outside the base directory");
    }
    if path.starts_with("..") {
        return refuse("chart illegally references parent directory");
    }
    if path.contains('\0') || matches!(drive, [letter, b':', b'/', ..] if letter.is_ascii_alphabetic()) {
        return refuse("chart contains illegally named files");
    }
    Ok(path)
}

/// Ends with an error instead of an end of file, so that a bomb is told from an archive that is cut off.
struct Ceiling<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Ceiling<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other(too_large()))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
