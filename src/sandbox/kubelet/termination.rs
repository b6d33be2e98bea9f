//! What a container leaves as its last words: `terminationMessagePath`.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::logs;
use super::volumes::{Mount, join};
use crate::sandbox::object;

/// The longest message, in bytes.
const MESSAGE_MAX: u64 = 4096;
/// How much of the log stands in for a message.
const LOG_LINES: usize = 80;
const LOG_BYTES: usize = 2048;

fn path(container: &Value, root: &Path) -> Option<PathBuf> {
    let path = object::text(container, "/terminationMessagePath");
    join(root, path).filter(|joined| joined != root)
}

/// Makes the empty file; programs that are given its path as an argument find it there.
pub(super) fn prepare(container: &Value, root: &Path) -> Result<Option<Mount>, String> {
    let Some(source) = path(container, root) else { return Ok(None) };
    let failed = |error: std::io::Error| format!("the termination message {}: {error}", source.display());
    if let Some(parent) = source.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    File::create(&source).map_err(failed)?;
    Ok(Some(Mount { path: object::text(container, "/terminationMessagePath").to_owned(), source }))
}

/// The message of a container that has ended; `log` is its log's file.
pub(super) fn message(container: &Value, root: &Path, log: &Path, exit_code: i32) -> String {
    let written = path(container, root).and_then(|path| read(&path).ok()).unwrap_or_default();
    let fallback = container["terminationMessagePolicy"] == "FallbackToLogsOnError";
    if written.is_empty() && fallback && exit_code != 0 {
        return logs::tail(log, LOG_LINES, LOG_BYTES).unwrap_or_default();
    }
    written
}

/// The end of the file.
fn read(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MESSAGE_MAX)))?;
    let mut content = Vec::new();
    file.take(MESSAGE_MAX).read_to_end(&mut content)?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_file_comes_first_and_the_log_stands_in() {
        let directory = tempfile::tempdir().unwrap();
        let (root, log) = (directory.path().join("root"), directory.path().join("log"));
        std::fs::write(&log, "2026-01-01T00:00:00.000000000Z stderr F out of luck\n").unwrap();
        let mut container = json!({"terminationMessagePath": "/dev/termination-log"});
        let mount = prepare(&container, &root).unwrap().unwrap();
        assert_eq!(message(&container, &root, &log, 1), "");
        container["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
        assert_eq!(message(&container, &root, &log, 1), "out of luck\n");
        assert_eq!(message(&container, &root, &log, 0), "");
        std::fs::write(mount.source, "x".repeat(5000) + "end").unwrap();
        let said = message(&container, &root, &log, 1);
        assert_eq!((said.len(), said.ends_with("xend")), (4096, true));
    }
}
