//! What a person says of backups and schedules that needs no plan: only records change, and each can be taken back.

use jiff::Timestamp;

use crate::domain::Problem;
use crate::domain::backup::{BackupId, Fate, Pause, Schedule};
use crate::store::Store;

/// Pins a backup, or takes the pin away; gives what to tell.
///
/// # Errors
/// It is not in the catalogue any more, or cannot be recorded.
pub async fn pin(store: &Store, id: &BackupId, pinned: bool) -> Result<String, Problem> {
    let found = store.change_backup(id, move |backup| backup.pinned = pinned).await?;
    match (found, pinned) {
        (Some(_), true) => Ok(format!("{id} is pinned: no retention deletes it, until it is unpinned")),
        (Some(_), false) => {
            Ok(format!("{id} is not pinned any more: it stays as long as the retention says"))
        }
        (None, _) => Err(Problem::new(
            format!("There is no backup {id} any more"),
            "it is not in the catalogue",
            "look at the backups again",
        )),
    }
}

/// Pauses a schedule, or resumes it at a moment: what was due while it was paused is none of its. Gives what to tell.
///
/// # Errors
/// It was removed, or cannot be recorded.
pub async fn pause(
    store: &Store,
    (cluster, name): (&str, &str),
    pause: Option<Pause>,
    now: Timestamp,
) -> Result<String, Problem> {
    let schedule = store.schedule(cluster, name).await?.ok_or_else(|| gone(cluster, name))?;
    let resumed = pause.is_none() && schedule.paused.is_some();
    let created = if resumed { now } else { schedule.created };
    let told = match &pause {
        Some(_) => format!("{name} is paused until somebody resumes it"),
        None => format!("{name} makes backups again"),
    };
    store.upsert_schedule(&Schedule { paused: pause, created, ..schedule }).await?;
    Ok(told)
}

/// What the retention of a schedule would do with each of its backups; nothing is deleted.
///
/// # Errors
/// It was removed, keeps everything, or nothing here can weigh backups.
pub async fn fates(store: &Store, cluster: &str, name: &str) -> Result<Vec<Fate>, Problem> {
    let schedule = store.schedule(cluster, name).await?.ok_or_else(|| gone(cluster, name))?;
    if schedule.retention.is_none() {
        return Err(Problem::new(
            format!("{name} deletes nothing"),
            "it has no retention: everything that it makes is kept",
            "give it one: styrmin schedule add --keep last=3,daily=7",
        ));
    }
    Err(Problem::new(
        format!("What {name} would delete cannot be told here"),
        "this build has no rule that weighs backups",
        "ask the command line: styrmin backup prune --dry-run",
    ))
}

fn gone(cluster: &str, name: &str) -> Problem {
    Problem::new(
        format!("There is no schedule {name} any more"),
        format!("nothing of that name is recorded for {cluster}"),
        "look at the schedules again",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;

    use super::*;
    use crate::domain::backup::{Backup, BackupSource, BackupState, Engine, Missed, Trigger};
    use crate::domain::{Clock, DriverRef, SystemClock};

    fn store() -> Store {
        Store::in_memory(Arc::new(SystemClock)).unwrap()
    }

    fn schedule(now: Timestamp) -> Schedule {
        Schedule {
            name: "nightly".into(),
            cluster: "sandbox".into(),
            environment: "demo".into(),
            application: None,
            cron: "0 3 * * *".into(),
            time_zone: "UTC".into(),
            jitter: 0,
            missed: Missed::Once,
            retention: None,
            verify: None,
            paused: None,
            created: now - SignedDuration::from_hours(240),
        }
    }

    fn backup(now: Timestamp) -> Backup {
        Backup {
            source: BackupSource {
                cluster: "sandbox".into(),
                environment: "demo".into(),
                application: "notes".into(),
                instance: 1,
                driver: DriverRef { name: "notes".into(), version: "1.2.0".into() },
                application_version: "1.0.0".into(),
                draft: None,
            },
            id: BackupId("notes-1".into()),
            engine: Engine::Styrmin,
            location: "nas".into(),
            state: BackupState::Completed,
            created: now,
            ended: Some(now),
            operation: None,
            trigger: Trigger::Person,
            group: None,
            parts: Vec::new(),
            pinned: false,
            verified: Vec::new(),
            manifest: None,
            problem: None,
        }
    }

    #[tokio::test]
    async fn a_pin_is_recorded_and_taken_away_and_what_is_gone_is_told() {
        let (store, id) = (store(), BackupId("notes-1".into()));
        assert!(pin(&store, &id, true).await.unwrap_err().what.contains("notes-1"));
        store.record_backup(&backup(SystemClock.now())).await.unwrap();
        for pinned in [true, false] {
            pin(&store, &id, pinned).await.unwrap();
            assert_eq!(store.backup(&id).await.unwrap().unwrap().pinned, pinned);
        }
    }

    #[tokio::test]
    async fn a_pause_is_recorded_with_who_and_why_and_what_passed_meanwhile_is_not_missed() {
        let (store, now) = (store(), SystemClock.now());
        let named = ("sandbox", "nightly");
        assert!(pause(&store, named, None, now).await.is_err());
        store.upsert_schedule(&schedule(now)).await.unwrap();
        let why = Pause { by: "anna@jump-1".into(), since: now, reason: "the disk is full".into() };
        pause(&store, named, Some(why.clone()), now).await.unwrap();
        let paused = store.schedule("sandbox", "nightly").await.unwrap().unwrap();
        assert_eq!((paused.paused, paused.created), (Some(why), schedule(now).created));
        let later = now + SignedDuration::from_hours(72);
        pause(&store, named, None, later).await.unwrap();
        let resumed = store.schedule("sandbox", "nightly").await.unwrap().unwrap();
        assert_eq!((resumed.paused, resumed.created), (None, later));
    }

    #[tokio::test]
    async fn a_schedule_without_a_retention_deletes_nothing() {
        let (store, now) = (store(), SystemClock.now());
        assert!(fates(&store, "sandbox", "nightly").await.unwrap_err().what.contains("no schedule"));
        store.upsert_schedule(&schedule(now)).await.unwrap();
        assert_eq!(fates(&store, "sandbox", "nightly").await.unwrap_err().what, "nightly deletes nothing");
    }
}
