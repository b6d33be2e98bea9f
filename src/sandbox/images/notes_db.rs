//! `notes-db`: a small database. Notes live in an append-only journal beside a snapshot, in `$DATA_DIR` (default `/data`).
//!
//! - It listens on `$POD_IP:$PORT` (5433) and speaks HTTP: `GET /healthz /stat /notes /dump`, `POST /notes /migrate /restore
//!   /reindex /freeze /thaw`, `DELETE /notes/<id>`. Every acknowledged write is synced to disk first.
//! - The schema version is in the file. 1.0.0 reads schema 1; 1.1.0 reads 1 and 2, and migrates when told to. Data that is
//!   newer than the program is refused at start: a rolled-back database says so instead of losing tags.
//! - `notes-db dump` writes a consistent copy to standard output (JSON lines, with a count at the end), or with `--to COPY`
//!   to a file beside the data, and tells its digest. `notes-db restore` replaces everything from standard input, or with
//!   `--from COPY` from such a file, after checking that count. `notes-db copies` lists them; `--keep N` removes older ones.
//! - `notes-db reindex` folds the journal into the snapshot and checks it on the disk, `--batch N` (100) notes at a time.
//! - `notes-db freeze` has writes answered 503 while reads and dumps go on, for `--for SECONDS` (300) or until `notes-db thaw`.
//! - `notes-db stat` tells schema, counts, and whether it is frozen. All of them talk to the running server.

mod check;
mod commands;
mod copies;
mod dump;
mod freeze;
mod server;
mod state;
mod storage;

use std::path::PathBuf;

use super::{complain, http, now, resolve, say};

/// The newest schema that a version reads.
fn newest_schema(version: &str) -> Option<u32> {
    match version {
        "1.0.0" => Some(1),
        "1.1.0" => Some(2),
        _ => None,
    }
}

/// Runs a command of the image; no command is the server.
pub(super) async fn run(version: &str, command: &[&str]) -> u8 {
    let Some(newest) = newest_schema(version) else {
        complain(&format!("notes-db: there is no version {version}"));
        return 64;
    };
    let port = match resolve::port(std::env::var("PORT").ok().as_deref(), 5433) {
        Ok(port) => port,
        Err(why) => {
            complain(&format!("notes-db: PORT: {why}"));
            return 78;
        }
    };
    let host = std::env::var("POD_IP").unwrap_or_else(|_| "127.0.0.1".into());
    let address = match resolve::address(&host, port).await {
        Ok(address) => address,
        Err(why) => {
            complain(&format!("notes-db: POD_IP: {why}"));
            return 78;
        }
    };
    if command.is_empty() {
        return server::run(address, &data_directory(), version, newest).await;
    }
    let client = commands::Client { address, directory: data_directory(), newest };
    client.run(command).await.unwrap_or_else(|| {
        complain(&format!("notes-db: unknown command {command:?}; there are {}", commands::ALL));
        64
    })
}

/// `$DATA_DIR` (or `/data`), looked up under the container's root where the sandbox has put the mount.
fn data_directory() -> PathBuf {
    let path = std::env::var("DATA_DIR").unwrap_or_else(|_| "/data".into());
    let inside = std::env::var_os("STYRMIN_ROOT")
        .map(|root| PathBuf::from(root).join(path.trim_start_matches('/')))
        .filter(|inside| inside.exists());
    inside.unwrap_or_else(|| PathBuf::from(path))
}
