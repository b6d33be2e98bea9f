//! The end of a log that is no longer written.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::read::parse;

/// How much of the file is looked at: enough for lines with their times.
const LOOKED_AT: u64 = 32 * 1024;

/// The last lines of the log at `path`: at most so many, and at most so many bytes.
pub(in crate::sandbox::kubelet) fn tail(path: &Path, lines: usize, bytes: usize) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOOKED_AT)))?;
    let mut raw = Vec::new();
    file.take(LOOKED_AT).read_to_end(&mut raw)?;
    let mut pieces = raw.split(|byte| *byte == b'\n');
    if length > LOOKED_AT {
        // The first piece is the rest of a line.
        pieces.next();
    }
    let mut shown: Vec<Vec<u8>> = vec![Vec::new()];
    for line in pieces.filter_map(parse) {
        if let Some(last) = shown.last_mut() {
            last.extend_from_slice(line.text);
        }
        if line.whole {
            shown.push(Vec::new());
        }
    }
    shown.pop_if(|last| last.is_empty());
    let first = shown.len().saturating_sub(lines);
    let mut text: Vec<u8> = Vec::new();
    for line in &shown[first..] {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let start = text.len().saturating_sub(bytes);
    Ok(String::from_utf8_lossy(&text[start..]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_come_without_their_times() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("0.log");
        let lines: String =
            (0..2000).map(|n| format!("2026-01-01T00:00:00.000000000Z stdout F line {n}\n")).collect();
        std::fs::write(
            &path,
            lines
                + "2026-01-01T00:00:00.000000000Z stderr P no\n2026-01-01T00:00:00.000000000Z stderr F end\n",
        )
        .unwrap();
        assert_eq!(tail(&path, 2, 100).unwrap(), "line 1999\nnoend\n");
        assert_eq!(tail(&path, 80, 6).unwrap(), "noend\n");
        assert_eq!(tail(&path, 5000, 2048).unwrap().len(), 2048);
    }
}
