//! The commands: they talk to the running server, so that what they see is consistent.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::check::check;
use super::copies::Copies;
use super::{complain, dump, http as client, say, storage};

const LIMIT: Duration = Duration::from_secs(120);
/// How many notes are checked between two lines, unless it is said.
const BATCH: usize = 100;
/// How long writes are frozen, unless it is said.
const FROZEN: u64 = 300;

/// What there is.
pub(super) const ALL: &str = "dump [--to COPY], restore [--from COPY], copies [--keep N], reindex [--batch N], \
                              freeze [--for SECONDS], thaw, stat";

/// The server that commands talk to, and what they know of it.
pub(super) struct Client {
    pub(super) address: SocketAddr,
    pub(super) directory: PathBuf,
    /// The newest schema that this version reads.
    pub(super) newest: u32,
}

impl Client {
    /// Runs a command; none of that name is `None`.
    pub(super) async fn run(&self, command: &[&str]) -> Option<u8> {
        let ended = match command {
            ["dump"] => self.ask(Method::GET, "/dump", Bytes::new()).await,
            ["dump", "--to", copy] => self.copy(copy).await.map(line),
            ["restore"] => self.restore(from_input()).await,
            ["restore", "--from", copy] => self.restore(Copies::beside(&self.directory).read(copy)).await,
            ["copies"] => self.copies(usize::MAX).map(line),
            ["copies", "--keep", count] => match count.parse() {
                Ok(count) => self.copies(count).map(line),
                Err(_) => Err(format!("--keep {count}: expected a number")),
            },
            ["reindex"] => self.reindex(BATCH).await.map(line),
            ["reindex", "--batch", batch] => match batch.parse().ok().filter(|batch| *batch > 0) {
                Some(batch) => self.reindex(batch).await.map(line),
                None => Err(format!("--batch {batch}: expected a number from 1 on")),
            },
            ["freeze"] => self.freeze(json!(FROZEN)).await,
            ["freeze", "--for", seconds] => self.freeze(json!(seconds.parse::<u64>().ok())).await,
            ["thaw"] => self.ask(Method::POST, "/thaw", Bytes::new()).await,
            ["stat"] => self.ask(Method::GET, "/stat", Bytes::new()).await,
            _ => return None,
        };
        Some(match ended.and_then(|output| write(&output)) {
            Ok(()) => 0,
            Err(why) => {
                complain(&format!("notes-db: {why}"));
                1
            }
        })
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, String> {
        match client::call(self.address, method, path, body, LIMIT).await {
            Ok((status, body)) if status.is_success() => Ok(body),
            Ok((status, body)) => Err(format!("{status}: {}", String::from_utf8_lossy(&body).trim_end())),
            Err(why) => Err(format!("the server does not answer: {why}")),
        }
    }

    async fn restore(&self, content: Result<Vec<u8>, String>) -> Result<Bytes, String> {
        self.ask(Method::POST, "/restore", Bytes::from(content?)).await
    }

    async fn freeze(&self, seconds: Value) -> Result<Bytes, String> {
        let body = json!({"seconds": seconds}).to_string();
        self.ask(Method::POST, "/freeze", Bytes::from(body)).await
    }

    /// Everything, to a file beside the data; only what can be read again is kept, and what the newest copy has is not kept twice.
    async fn copy(&self, name: &str) -> Result<Value, String> {
        let content = self.ask(Method::GET, "/dump", Bytes::new()).await?;
        let text = std::str::from_utf8(&content).map_err(|error| error.to_string())?;
        let state = dump::read(text, self.newest)?;
        let kept = Copies::beside(&self.directory).keep_once(name, &content)?;
        Ok(json!({
            "copy": kept.name, "written": kept.written, "notes": state.notes.len(), "schema": state.schema,
            "bytes": content.len(), "sha256": kept.digest,
        }))
    }

    fn copies(&self, newest: usize) -> Result<Value, String> {
        let (kept, removed) = Copies::beside(&self.directory).keep(newest)?;
        Ok(json!({"kept": kept, "removed": removed}))
    }

    /// Has the journal folded into the snapshot, and checks what is on the disk then.
    async fn reindex(&self, batch: usize) -> Result<Value, String> {
        let answer = self.ask(Method::POST, "/reindex", Bytes::new()).await?;
        let answer = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        judge(&answer, &self.directory, self.newest, batch)
    }
}

/// Whether the snapshot in `directory` is sound, and what the server said was written.
fn judge(answer: &Value, directory: &Path, newest: u32, batch: usize) -> Result<Value, String> {
    let path = storage::snapshot(directory);
    let at = |why: String| format!("{}: {why}", path.display());
    let text = std::fs::read_to_string(&path).map_err(|error| at(error.to_string()))?;
    let tell = |done, of| say(&format!("checked {done} of {of} notes"));
    let sound = check(&text, newest, batch, tell).map_err(at)?;
    let written = answer["sequence"].as_u64().ok_or("the server does not tell what it wrote")?;
    // a later one is the server's own: somebody wrote meanwhile
    let is_same = sound.sequence == written && json!(sound.notes) == answer["notes"];
    if !is_same && sound.sequence <= written {
        let why = format!(
            "it has {} notes up to change {}, and the server wrote {} up to {written}",
            sound.notes, sound.sequence, answer["notes"]
        );
        return Err(at(why));
    }
    Ok(json!({"notes": sound.notes, "schema": sound.schema, "folded": answer["folded"]}))
}

fn from_input() -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut body);
    read.map(|_| body).map_err(|error| format!("standard input: {error}"))
}

fn line(value: Value) -> Bytes {
    Bytes::from(format!("{value}\n"))
}

fn write(body: &[u8]) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    out.write_all(body).and_then(|()| out.flush()).map_err(|error| format!("standard output: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::images::notes_db::state::Change;
    use crate::sandbox::images::notes_db::storage::Storage;

    #[test]
    fn what_is_on_the_disk_is_compared_with_what_the_server_wrote() {
        let directory = tempfile::tempdir().unwrap();
        let mut storage = Storage::open(directory.path(), 1).unwrap().0;
        let note = storage.state().new_note("milk", Vec::new(), jiff::Timestamp::UNIX_EPOCH);
        storage.commit(Change::Add { note }).unwrap();
        let judged = |answer: &Value| judge(answer, directory.path(), 1, 10);
        let answer = json!({"sequence": 1, "notes": 1, "folded": 1});
        assert!(judged(&answer).unwrap_err().contains("notes.snapshot: "));
        storage.fold().unwrap();
        assert_eq!(judged(&answer), Ok(json!({"notes": 1, "schema": 1, "folded": 1})));
        for lost in [json!({"sequence": 1, "notes": 2}), json!({"sequence": 2, "notes": 1})] {
            let why = judged(&lost).unwrap_err();
            assert!(why.contains("it has 1 notes up to change 1, and the server wrote"), "{why}");
        }
        let later = json!({"sequence": 0, "notes": 0, "folded": 0});
        assert!(judged(&later).is_ok(), "somebody wrote meanwhile");
        let path = storage::snapshot(directory.path());
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text.replace("milk", " ")).unwrap();
        assert!(judged(&answer).unwrap_err().contains("line 2: the note 1 is empty"));
    }
}
