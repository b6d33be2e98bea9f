//! `notes-web`: the front of the demo application.
//!
//! - It listens on `$POD_IP:$PORT` (8080): `/` (HTML), `/api/notes` (GET, POST), `/api/notes/<id>` (DELETE), `/healthz` (the process is
//!   alive), `/readyz` (the database answers and has the schema that this version expects), `/version`.
//! - Environment: `NOTES_DB_HOST` (`notes-db`), `NOTES_DB_PORT` (5433), `NOTES_TITLE`, `NOTES_GREETING`, `NOTES_COLOR`
//!   (green, blue, amber), `NOTES_READ_ONLY` (true, false).
//! - A line per request goes to standard output; successful probes are left out.
//! - 1.0.0 works on schema 1. 1.1.0 works on schema 2 and raises an older one when it starts (`notes-web migrate` does the same
//!   and exits); it never migrates later by itself, so after restoring an old dump it is not ready and says what to do.
//! - 1.2.0-broken starts, complains about a missing setting, and never becomes ready.

mod database;
mod page;
mod server;

use super::{complain, http, now, resolve, say};

/// A released version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Release {
    version: &'static str,
    schema: u32,
    broken: bool,
}

const RELEASES: [Release; 3] = [
    Release { version: "1.0.0", schema: 1, broken: false },
    Release { version: "1.1.0", schema: 2, broken: false },
    Release { version: "1.2.0-broken", schema: 2, broken: true },
];

/// Runs a command of the image; no command is the server.
pub(super) async fn run(version: &str, command: &[&str]) -> u8 {
    let Some(release) = RELEASES.iter().find(|release| release.version == version) else {
        complain(&format!("notes-web: there is no version {version}"));
        return 64;
    };
    let database = match database::Database::from_environment() {
        Ok(database) => database,
        Err(why) => {
            complain(&format!("notes-web: {why}"));
            return 78;
        }
    };
    match command {
        [] => server::run(*release, database).await,
        ["migrate"] => match database.migrate(release.schema).await {
            Ok(done) => {
                say(&done);
                0
            }
            Err(why) => {
                complain(&format!("notes-web migrate: {why}"));
                1
            }
        },
        other => {
            complain(&format!("notes-web: unknown command {other:?}; there is migrate"));
            64
        }
    }
}
