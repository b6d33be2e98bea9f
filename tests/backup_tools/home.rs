//! A person's home with records in it.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use styrmin::domain::backup::{
    Backup, BackupId, BackupPart, BackupSource, BackupState, Engine, PartState, Trigger,
};
use styrmin::domain::{ClusterKind, ClusterRecord, DriverRef, Environment, SystemClock};
use styrmin::store::Store;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_styrmin");

/// A home of its own, in which the program is run.
pub struct Home(tempfile::TempDir);

/// What the program answered.
pub struct Answer {
    pub code: i32,
    pub out: String,
    pub error: String,
}

impl Home {
    /// With the environments `demo` and `live` on the sandbox.
    pub async fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let store = home.store();
        let cluster = ClusterRecord {
            name: "sandbox".into(),
            kind: ClusterKind::Sandbox,
            fqdn_suffix: None,
            storage_class: None,
            ingress_port: None,
            ingress_tls_port: None,
        };
        store.upsert_cluster(&cluster).await.unwrap();
        for name in ["demo", "live"] {
            store.upsert_environment(&Environment::new(name, "sandbox", name)).await.unwrap();
        }
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Its records.
    pub fn store(&self) -> Store {
        let state = self.path(".local/state/styrmin");
        std::fs::create_dir_all(&state).unwrap();
        Store::open(&state, Arc::new(SystemClock)).unwrap()
    }

    /// Runs `styrmin …` in the home.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.0.path());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command
            .env("HOME", self.0.path())
            .env("STYRMIN_INGRESS_PORT", "0")
            .env("RESTIC_KEY", "from the environment");
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Answer { code: status.code().unwrap_or(-1), out: text(stdout), error: text(stderr) }
    }

    /// Adds a directory as a location, and gives environments to it.
    pub fn with_vault(&self, environments: &[&str]) {
        self.run(&["location", "add", "vault", "--path", "vault"]).good();
        for environment in environments {
            self.run(&["location", "assign", "vault", "--environment", environment]).good();
        }
    }
}

impl Answer {
    /// Standard output of a success.
    #[track_caller]
    pub fn good(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.error);
        self.out
    }

    /// Standard output of a success, as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.good()).unwrap()
    }

    /// Standard error of an answer with this exit code, which has every one of these parts.
    #[track_caller]
    pub fn bad(self, code: i32, parts: &[&str]) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.error);
        for part in parts {
            assert!(self.error.contains(part), "'{part}' is not in:\n{}", self.error);
        }
        self.error
    }
}

pub fn now() -> Timestamp {
    use styrmin::domain::Clock;
    SystemClock.now()
}

/// A complete backup of `notes` in `demo` by the schedule `nightly`, so many hours ago.
pub fn backup(id: &str, hours: i64) -> Backup {
    let created = now() - SignedDuration::from_hours(hours);
    let part = BackupPart {
        component: "db".into(),
        strategy: "postgres".into(),
        volume: None,
        state: PartState::Completed,
        bytes: 3 << 20,
        stored: 1 << 20,
        digest: "0".repeat(64),
        snapshot: "abcdef0123456789".into(),
        path: "/demo/notes/db.sql".into(),
        server: "PostgreSQL 17.2".into(),
        problem: None,
    };
    Backup {
        source: BackupSource {
            cluster: "sandbox".into(),
            environment: "demo".into(),
            application: "notes".into(),
            instance: 1,
            driver: DriverRef { name: "notes".into(), version: "1.0.0".into() },
            application_version: "1.0.0".into(),
            draft: None,
        },
        id: BackupId(id.into()),
        engine: Engine::Styrmin,
        location: "vault".into(),
        state: BackupState::Completed,
        created,
        ended: Some(created),
        operation: None,
        trigger: Trigger::Schedule { name: "nightly".into() },
        group: None,
        parts: vec![part],
        pinned: false,
        verified: Vec::new(),
        manifest: None,
        problem: None,
    }
}
