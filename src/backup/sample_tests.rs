//! Backups and schedules for the tests of this room.

use jiff::Timestamp;

use crate::domain::backup::{
    Backup, BackupId, BackupPart, BackupSource, BackupState, Depth, Engine, Missed, PartState, Schedule,
    Trigger, Verification,
};
use crate::domain::{DriverRef, Problem};

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A complete backup of `notes` in `demo` by the schedule `nightly`, with a database and a volume.
pub fn backup(id: &str, created: Timestamp) -> Backup {
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
        id: BackupId(id.to_owned()),
        engine: Engine::Styrmin,
        location: "vault".into(),
        state: BackupState::Completed,
        created,
        ended: Some(created),
        operation: None,
        trigger: Trigger::Schedule { name: "nightly".into() },
        group: None,
        parts: vec![part(id, "db", None), part(id, "web", Some("data"))],
        pinned: false,
        verified: Vec::new(),
        manifest: Some(format!("{id}-manifest")),
        problem: None,
    }
}

pub fn part(id: &str, component: &str, volume: Option<&str>) -> BackupPart {
    BackupPart {
        component: component.into(),
        strategy: if volume.is_some() { "disk" } else { "postgres" }.into(),
        volume: volume.map(str::to_owned),
        state: PartState::Completed,
        bytes: 10,
        stored: 5,
        digest: "0".repeat(64),
        snapshot: format!("{id}-{component}"),
        path: format!("/demo/notes/{component}"),
        server: String::new(),
        problem: None,
    }
}

/// The same with what a verification found.
pub fn verified(backup: Backup, at: Timestamp, is_good: bool) -> Backup {
    let problem = (!is_good).then(|| Problem::new("A pack is corrupted", "", ""));
    let verification = Verification { depth: Depth::Full, at, problem };
    Backup { verified: vec![verification], ..backup }
}

/// Every night at half past two, in the environment.
pub fn schedule() -> Schedule {
    Schedule {
        name: "nightly".into(),
        cluster: "sandbox".into(),
        environment: "demo".into(),
        application: None,
        cron: "30 2 * * *".into(),
        time_zone: "UTC".into(),
        jitter: 0,
        missed: Missed::Skip,
        retention: None,
        verify: None,
        paused: None,
        created: at("2026-05-01T00:00:00Z"),
    }
}
