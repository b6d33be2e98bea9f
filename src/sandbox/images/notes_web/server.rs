//! The front's server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use super::database::Database;
use super::http::{Answer, Call, Handler, json as json_answer, serve, text, with_type};
use super::page::Page;
use super::{Release, complain, now, resolve, say};
use crate::sandbox::streaming::decode_pairs;

/// How long the start waits between tries to reach the database.
const RETRY: Duration = Duration::from_millis(500);

struct Server {
    release: Release,
    database: Database,
    title: String,
    greeting: String,
    color: String,
    read_only: bool,
    pod: String,
    /// Why it was last not ready: told once, not at every probe.
    complaint: Mutex<Option<String>>,
}

/// Serves until told to stop. Returns the exit code.
pub(super) async fn run(release: Release, database: Database) -> u8 {
    let address = match listen_address().await {
        Ok(address) => address,
        Err(why) => {
            complain(&format!("notes-web: {why}"));
            return 78;
        }
    };
    say(&format!("{:.3} notes-web {} on {address}", now(), release.version));
    if release.broken {
        complain(&format!(
            "{:.3} error: NOTES_SEARCH_URL is not usable: notes-web {} needs the address of a search service, and none answers. \
             It will not become ready",
            now(),
            release.version
        ));
    } else {
        tokio::spawn(migrate_at_start(release, database.clone()));
    }
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let server = Server {
        release,
        database,
        title: variable("NOTES_TITLE", "Notes"),
        greeting: variable("NOTES_GREETING", "Small thoughts, safely kept."),
        color: variable("NOTES_COLOR", "green"),
        read_only: variable("NOTES_READ_ONLY", "false") == "true",
        pod: variable("HOSTNAME", "localhost"),
        complaint: Mutex::new(None),
    };
    serve(address, Arc::new(server)).await
}

async fn listen_address() -> Result<SocketAddr, String> {
    let port =
        resolve::port(std::env::var("PORT").ok().as_deref(), 8080).map_err(|why| format!("PORT: {why}"))?;
    let host = std::env::var("POD_IP").unwrap_or_else(|_| "127.0.0.1".into());
    resolve::address(&host, port).await
}

/// Waits for the database, then raises an older schema. What is newer is left alone: the readiness tells.
async fn migrate_at_start(release: Release, database: Database) {
    let mut last = String::new();
    loop {
        match database.migrate(release.schema).await {
            Ok(done) => return say(&format!("{:.3} {done}", now())),
            Err(why) if why == last => {}
            Err(why) => {
                complain(&format!("{:.3} migration waits: {why}", now()));
                last = why;
            }
        }
        tokio::time::sleep(RETRY).await;
    }
}

impl Handler for Server {
    fn answer(self: Arc<Self>, call: Call) -> BoxFuture<'static, Answer> {
        async move {
            let path = call.uri().path().to_owned();
            let answer = self.route(&call, &path).await;
            let probe = matches!(path.as_str(), "/healthz" | "/readyz");
            if !probe {
                say(&format!("{:.3} {} {path} {}", now(), call.method(), answer.status().as_u16()));
            }
            answer
        }
        .boxed()
    }
}

impl Server {
    async fn route(&self, call: &Call, path: &str) -> Answer {
        match (call.method(), path) {
            (&Method::POST | &Method::DELETE, _) if self.read_only => {
                json_answer(StatusCode::FORBIDDEN, &json!({"error": "these notes are read only"}))
            }
            (&Method::GET, "/healthz") => text(StatusCode::OK, "ok\n"),
            (&Method::GET, "/readyz") => self.ready().await,
            (&Method::GET, "/version") => json_answer(
                StatusCode::OK,
                &json!({"version": self.release.version, "schema": self.release.schema}),
            ),
            (&Method::GET, "/") => self.page().await,
            (&Method::POST, "/notes") => self.add_from_form(call.body()).await,
            (&Method::GET, "/api/notes") => self.pass(Method::GET, "/notes", &Value::Null).await,
            (&Method::POST, "/api/notes") => match serde_json::from_slice(call.body()) {
                Ok(body) => self.pass(Method::POST, "/notes", &body).await,
                Err(error) => {
                    json_answer(StatusCode::BAD_REQUEST, &json!({"error": format!("not JSON: {error}")}))
                }
            },
            (&Method::DELETE, path) if path.starts_with("/api/notes/") => {
                self.pass(Method::DELETE, path.trim_start_matches("/api"), &Value::Null).await
            }
            (_, "/" | "/notes" | "/api/notes") => {
                text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n")
            }
            _ => text(StatusCode::NOT_FOUND, format!("there is no {path}\n")),
        }
    }

    async fn ready(&self) -> Answer {
        let verdict = self.check().await;
        let mut last = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        match verdict {
            Ok(()) => {
                if last.take().is_some() {
                    say(&format!("{:.3} ready again", now()));
                }
                text(StatusCode::OK, "ready\n")
            }
            Err(why) => {
                if last.as_ref() != Some(&why) {
                    complain(&format!("{:.3} not ready: {why}", now()));
                }
                *last = Some(why.clone());
                text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n"))
            }
        }
    }

    async fn check(&self) -> Result<(), String> {
        if self.release.broken {
            return Err("NOTES_SEARCH_URL is not usable: no search service answers".into());
        }
        let expected = self.release.schema;
        match self.database.schema().await? {
            schema if schema == expected => Ok(()),
            schema if schema < expected => Err(format!(
                "the data has schema {schema}, and this version needs {expected}: run notes-web migrate, or restart the pod"
            )),
            schema => Err(format!("the data has schema {schema}, and this version knows {expected}")),
        }
    }

    async fn page(&self) -> Answer {
        let page = Page {
            title: &self.title,
            greeting: &self.greeting,
            version: self.release.version,
            pod: &self.pod,
            color: &self.color,
            tags: self.release.schema >= 2,
            read_only: self.read_only,
        };
        let (status, html) = match self.database.ask(Method::GET, "/notes", &Value::Null).await {
            Ok(answer) => {
                let notes = answer["notes"].as_array().map(Vec::as_slice).unwrap_or_default();
                (StatusCode::OK, page.render(Ok(notes)))
            }
            Err((_, why)) => (StatusCode::SERVICE_UNAVAILABLE, page.render(Err(&why))),
        };
        with_type(status, "text/html; charset=utf-8", Bytes::from(html))
    }

    async fn add_from_form(&self, body: &[u8]) -> Answer {
        let pairs = decode_pairs(&String::from_utf8_lossy(body));
        let answer = self.pass(Method::POST, "/notes", &note_from_form(&pairs)).await;
        if !answer.status().is_success() {
            return answer;
        }
        let mut answer = text(StatusCode::SEE_OTHER, "");
        answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
        answer
    }

    async fn pass(&self, method: Method, path: &str, body: &Value) -> Answer {
        let status = if method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
        match self.database.ask(method, path, body).await {
            Ok(answer) => json_answer(status, &answer),
            Err((status, why)) => json_answer(status, &json!({"error": why})),
        }
    }
}

/// `text=…&tags=a,b` as a note.
fn note_from_form(pairs: &[(String, String)]) -> Value {
    let field =
        |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let tags: Vec<&str> = field("tags").split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect();
    json!({"text": field("text"), "tags": tags})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_a_note() {
        let note = note_from_form(&decode_pairs("text=buy+milk%21&tags=shop%2C+food%2C"));
        assert_eq!(note, json!({"text": "buy milk!", "tags": ["shop", "food"]}));
    }
}
