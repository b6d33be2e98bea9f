//! The server: HTTP in front of the storage.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::freeze::{self, Freeze};
use super::http::{Answer, Call, Handler, json as json_answer, serve, text};
use super::state::Change;
use super::storage::Storage;
use super::{complain, dump, now, say};

/// The longest note, in bytes.
const TEXT_MAX: usize = 64 * 1024;

struct Server {
    held: Mutex<Held>,
    version: String,
    newest: u32,
}

/// What one request at a time has: a freeze never falls between the look at it and a write.
struct Held {
    storage: Storage,
    freeze: Freeze,
}

/// Opens the data and serves it until told to stop. Returns the exit code.
pub(super) async fn run(address: SocketAddr, directory: &Path, version: &str, newest: u32) -> u8 {
    let (storage, repaired) = match Storage::open(directory, newest) {
        Ok(opened) => opened,
        Err(why) => {
            complain(&format!("{:.3} cannot open the data: {why}", now()));
            return 1;
        }
    };
    if let Some(what) = repaired {
        say(&format!("{:.3} repaired: {what}", now()));
    }
    say(&format!(
        "{:.3} notes-db {version} on {address}, schema {}, {} notes in {}",
        now(),
        storage.state().schema,
        storage.state().notes.len(),
        directory.display()
    ));
    let held = Mutex::new(Held { storage, freeze: Freeze::default() });
    let server = Server { held, version: version.to_owned(), newest };
    serve(address, Arc::new(server)).await
}

impl Handler for Server {
    fn answer(self: Arc<Self>, call: Call) -> BoxFuture<'static, Answer> {
        async move {
            let path = call.uri().path().to_owned();
            let answer = self
                .route(&call, &path)
                .unwrap_or_else(|(status, why)| json_answer(status, &json!({"error": why})));
            let quiet = matches!(path.as_str(), "/healthz" | "/stat") && answer.status().is_success();
            if !quiet {
                say(&format!("{:.3} {} {path} {}", now(), call.method(), answer.status().as_u16()));
            }
            answer
        }
        .boxed()
    }
}

type Refusal = (StatusCode, String);

impl Server {
    fn route(&self, call: &Call, path: &str) -> Result<Answer, Refusal> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { storage, freeze } = &mut *held;
        if call.method() != Method::GET && !matches!(path, "/freeze" | "/thaw") {
            check_writable(freeze)?;
        }
        match (call.method(), path) {
            (&Method::GET, "/healthz") => Ok(text(StatusCode::OK, "ok\n")),
            (&Method::GET, "/stat") => Ok(json_answer(StatusCode::OK, &self.stat(storage, freeze))),
            (&Method::GET, "/notes") => {
                let state = storage.state();
                let notes: Vec<_> = state.notes.values().collect();
                Ok(json_answer(StatusCode::OK, &json!({"schema": state.schema, "notes": notes})))
            }
            (&Method::GET, "/dump") => {
                let body = dump::write(storage.state()).map_err(internal)?;
                Ok(super::http::with_type(StatusCode::OK, "application/jsonl", body.into()))
            }
            (&Method::POST, "/notes") => add(storage, call.body()),
            (&Method::POST, "/migrate") => self.migrate(storage, call.body()),
            (&Method::POST, "/restore") => self.restore(storage, call.body()),
            (&Method::POST, "/reindex") => reindex(storage),
            (&Method::POST, "/freeze") => hold(freeze, call.body()),
            (&Method::POST, "/thaw") => Ok(release(freeze)),
            (&Method::DELETE, path) if path.starts_with("/notes/") => delete(storage, path),
            _ => Err((StatusCode::NOT_FOUND, format!("there is no {path}"))),
        }
    }

    fn stat(&self, storage: &Storage, freeze: &Freeze) -> Value {
        let state = storage.state();
        json!({
            "version": self.version, "schema": state.schema, "newest_schema": self.newest,
            "notes": state.notes.len(), "next_id": state.next_id, "sequence": state.sequence,
            "journal_bytes": storage.journal_bytes(), "frozen_seconds": freeze.seconds_left(),
        })
    }

    fn migrate(&self, storage: &mut Storage, body: &[u8]) -> Result<Answer, Refusal> {
        let to = parse(body)?["to"].as_u64().and_then(|to| u32::try_from(to).ok());
        let to = to.ok_or_else(|| (StatusCode::BAD_REQUEST, "\"to\" is not a schema version".to_owned()))?;
        if to > self.newest {
            let why = format!("notes-db {} knows schemas up to {}, not {to}", self.version, self.newest);
            return Err((StatusCode::CONFLICT, why));
        }
        let from = storage.state().schema;
        if to < from {
            return Err((StatusCode::CONFLICT, format!("the schema is {from}; it never goes back to {to}")));
        }
        if to > from {
            storage.commit(Change::Migrate { to, at: now() }).map_err(internal)?;
            say(&format!(
                "{:.3} migrated {} notes from schema {from} to {to}",
                now(),
                storage.state().notes.len()
            ));
        }
        Ok(json_answer(
            StatusCode::OK,
            &json!({"from": from, "to": to, "notes": storage.state().notes.len()}),
        ))
    }

    fn restore(&self, storage: &mut Storage, body: &[u8]) -> Result<Answer, Refusal> {
        let text = std::str::from_utf8(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
        let state = dump::read(text, self.newest)
            .map_err(|why| (StatusCode::BAD_REQUEST, format!("this dump cannot be restored: {why}")))?;
        storage.replace(state).map_err(internal)?;
        say(&format!("{:.3} restored {} notes", now(), storage.state().notes.len()));
        Ok(json_answer(StatusCode::OK, &json!({"restored": storage.state().notes.len()})))
    }
}

fn add(storage: &mut Storage, body: &[u8]) -> Result<Answer, Refusal> {
    let value = parse(body)?;
    let text = value["text"].as_str().map(str::trim).unwrap_or_default();
    if text.is_empty() || text.len() > TEXT_MAX {
        return Err((StatusCode::BAD_REQUEST, format!("\"text\" must have 1 to {TEXT_MAX} bytes")));
    }
    let tags = value["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let tags = tags.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let note = storage.state().new_note(text, tags, now());
    let answer = json!(note);
    storage.commit(Change::Add { note }).map_err(internal)?;
    Ok(json_answer(StatusCode::CREATED, &answer))
}

fn delete(storage: &mut Storage, path: &str) -> Result<Answer, Refusal> {
    let id = path.trim_start_matches("/notes/").parse().ok();
    let id = id.filter(|id| storage.state().notes.contains_key(id));
    let id = id.ok_or_else(|| (StatusCode::NOT_FOUND, "there is no such note".to_owned()))?;
    storage.commit(Change::Delete { id }).map_err(internal)?;
    Ok(json_answer(StatusCode::OK, &json!({"deleted": id})))
}

/// Folds the journal into the snapshot; whoever asked checks what is on the disk then.
fn reindex(storage: &mut Storage) -> Result<Answer, Refusal> {
    let folded = storage.fold().map_err(internal)?;
    let (sequence, notes) = (storage.state().sequence, storage.state().notes.len());
    say(&format!("{:.3} folded {folded} entries of the journal into the snapshot", now()));
    Ok(json_answer(StatusCode::OK, &json!({"sequence": sequence, "notes": notes, "folded": folded})))
}

fn check_writable(freeze: &Freeze) -> Result<(), Refusal> {
    let Some(seconds) = freeze.seconds_left() else { return Ok(()) };
    let why = format!(
        "writes are frozen, so that a backup sees one state: they go on in {seconds} s, or when `notes-db thaw` ends it"
    );
    Err((StatusCode::SERVICE_UNAVAILABLE, why))
}

fn hold(freeze: &mut Freeze, body: &[u8]) -> Result<Answer, Refusal> {
    let seconds = parse(body)?["seconds"].as_u64().filter(|seconds| (1..=freeze::LONGEST).contains(seconds));
    let Some(seconds) = seconds else {
        let why = format!("\"seconds\" must be 1 to {}", freeze::LONGEST);
        return Err((StatusCode::BAD_REQUEST, why));
    };
    freeze.hold(Duration::from_secs(seconds));
    let left = freeze.seconds_left();
    say(&format!("{:.3} writes are frozen for {} s", now(), left.unwrap_or(seconds)));
    Ok(json_answer(StatusCode::OK, &json!({"frozen_seconds": left})))
}

fn release(freeze: &mut Freeze) -> Answer {
    let was_frozen = freeze.release();
    json_answer(StatusCode::OK, &json!({"was_frozen": was_frozen}))
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, format!("not JSON: {error}")))
}

fn internal(why: String) -> Refusal {
    complain(&format!("{:.3} {why}", now()));
    (StatusCode::INTERNAL_SERVER_ERROR, why)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use http_body_util::BodyExt;

    use super::*;

    struct Rig {
        server: Server,
        _directory: tempfile::TempDir,
    }

    impl Rig {
        fn new(version: &str, newest: u32) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let storage = Storage::open(directory.path(), newest).unwrap().0;
            let held = Mutex::new(Held { storage, freeze: Freeze::default() });
            let server = Server { held, version: version.into(), newest };
            Self { server, _directory: directory }
        }

        fn call(&self, method: Method, path: &str, body: &str) -> (u16, String) {
            let body = Bytes::from(body.to_owned());
            let call = Request::builder().method(method).uri(path).body(body).unwrap();
            match self.server.route(&call, path) {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    let body = answer.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
                    (status, String::from_utf8(body.to_vec()).unwrap())
                }
                Err((status, why)) => (status.as_u16(), why),
            }
        }
    }

    #[test]
    fn notes_are_added_listed_dumped_and_restored() {
        let rig = Rig::new("1.0.0", 1);
        assert_eq!(rig.call(Method::POST, "/notes", r#"{"text":"milk"}"#).0, 201);
        assert_eq!(rig.call(Method::POST, "/notes", r#"{"text":" "}"#).0, 400);
        let dump = rig.call(Method::GET, "/dump", "").1;
        rig.call(Method::POST, "/notes", r#"{"text":"eggs"}"#);
        assert_eq!(rig.call(Method::POST, "/restore", &dump).0, 200);
        let notes = rig.call(Method::GET, "/notes", "").1;
        assert!(notes.contains("milk") && !notes.contains("eggs"), "{notes}");
        assert_eq!(rig.call(Method::POST, "/restore", &dump[..20]).0, 400);
        assert_eq!(rig.call(Method::DELETE, "/notes/1", "").0, 200);
        assert_eq!(rig.call(Method::DELETE, "/notes/1", "").0, 404);
    }

    #[test]
    fn the_old_version_refuses_the_new_schema() {
        let rig = Rig::new("1.0.0", 1);
        assert_eq!(rig.call(Method::POST, "/migrate", r#"{"to":2}"#).0, 409);
        let rig = Rig::new("1.1.0", 2);
        assert_eq!(rig.call(Method::POST, "/migrate", r#"{"to":2}"#).0, 200);
        assert_eq!(rig.call(Method::POST, "/migrate", r#"{"to":1}"#).0, 409);
        let note = rig.call(Method::POST, "/notes", r#"{"text":"milk","tags":["shop"]}"#).1;
        assert!(note.contains("created_at") && note.contains("shop"), "{note}");
    }

    #[tokio::test(start_paused = true)]
    async fn frozen_it_is_read_and_not_written_until_it_thaws_by_itself() {
        let rig = Rig::new("1.1.0", 2);
        rig.call(Method::POST, "/notes", r#"{"text":"milk"}"#);
        for bad in ["{}", r#"{"seconds":0}"#, r#"{"seconds":3601}"#] {
            assert_eq!(rig.call(Method::POST, "/freeze", bad).0, 400, "{bad}");
        }
        assert_eq!(rig.call(Method::POST, "/freeze", r#"{"seconds":300}"#).0, 200);
        let dump = rig.call(Method::GET, "/dump", "").1;
        assert!(dump.contains("milk"), "{dump}");
        let writes = [
            (Method::POST, "/notes", r#"{"text":"eggs"}"#),
            (Method::DELETE, "/notes/1", ""),
            (Method::POST, "/migrate", r#"{"to":2}"#),
            (Method::POST, "/restore", dump.as_str()),
            (Method::POST, "/reindex", ""),
        ];
        for (method, path, body) in writes.clone() {
            let (status, why) = rig.call(method, path, body);
            assert!(status == 503 && why.contains("they go on in 300 s"), "{path}: {status} {why}");
        }
        assert!(rig.call(Method::GET, "/stat", "").1.contains(r#""frozen_seconds":300"#));
        tokio::time::advance(Duration::from_secs(300)).await;
        assert!(rig.call(Method::GET, "/stat", "").1.contains(r#""frozen_seconds":null"#));
        assert_eq!(rig.call(Method::POST, "/notes", r#"{"text":"eggs"}"#).0, 201);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_thawed_by_hand_and_nothing_that_was_not_frozen_is_harmed() {
        let rig = Rig::new("1.1.0", 2);
        assert!(rig.call(Method::POST, "/thaw", "").1.contains("false"));
        rig.call(Method::POST, "/freeze", r#"{"seconds":60}"#);
        assert!(rig.call(Method::POST, "/thaw", "").1.contains("true"));
        assert_eq!(rig.call(Method::POST, "/notes", r#"{"text":"eggs"}"#).0, 201);
    }

    #[test]
    fn reindexing_empties_the_journal_and_keeps_the_notes() {
        let rig = Rig::new("1.0.0", 1);
        rig.call(Method::POST, "/notes", r#"{"text":"milk"}"#);
        let (status, said) = rig.call(Method::POST, "/reindex", "");
        assert!(status == 200 && said.contains(r#""folded":1"#), "{said}");
        assert!(rig.call(Method::POST, "/reindex", "").1.contains(r#""folded":0"#));
        let stat = rig.call(Method::GET, "/stat", "").1;
        assert!(stat.contains(r#""journal_bytes":0"#) && stat.contains(r#""notes":1"#), "{stat}");
    }
}
