//! What a person says of backups and schedules that needs no plan: only records change, and each can be taken back.

use jiff::Timestamp;

use super::backups::retained::{self, Scope};
use crate::backup::retention::Verdict;
use crate::domain::Problem;
use crate::domain::backup::{Backup, BackupId, Engine, Fate, Pause, Schedule};
use crate::store::Store;

/// Pins a backup, or takes the pin away; gives what to tell.
///
/// # Errors
/// It is not in the catalogue any more, Velero keeps it, or it cannot be recorded.
pub async fn pin(store: &Store, id: &BackupId, pinned: bool) -> Result<String, Problem> {
    let may = move |backup: &Backup| backup.engine == Engine::Styrmin || !pinned;
    let change = move |backup: &mut Backup| {
        if may(backup) {
            backup.pinned = pinned;
        }
    };
    match (store.change_backup(id, change).await?, pinned) {
        (Some(backup), _) if !may(&backup) => Err(Problem::new(
            format!("{id} cannot be pinned"),
            "it is Velero's, which deletes it when its time to live is over, whatever is recorded here",
            "change its spec.ttl with Velero's own tools, or restore it and back it up to another location",
        )),
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
/// It was removed, keeps everything, or the records cannot be read.
pub async fn fates(store: &Store, cluster: &str, name: &str) -> Result<Vec<Fate>, Problem> {
    let schedule = store.schedule(cluster, name).await?.ok_or_else(|| gone(cluster, name))?;
    if schedule.retention.is_none() {
        return Err(Problem::new(
            format!("{name} deletes nothing"),
            "it has no retention: everything that it makes is kept",
            "give it one: styrmin schedule add --keep last=3,daily=7",
        ));
    }
    let scope = Scope { cluster, environment: &schedule.environment, application: None };
    let weighed = retained::weigh(store, scope, None).await?;
    let own = weighed.into_iter().filter(|weighed| weighed.schedule.as_deref() == Some(name));
    let fate = |(backup, verdict): (Backup, Verdict)| Fate {
        backup: backup.id,
        stays: verdict.stays(),
        reason: verdict.whys.iter().map(|why| why.as_str()).collect::<Vec<_>>().join(", "),
    };
    Ok(own.flat_map(|weighed| weighed.backups).map(fate).collect())
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
    use crate::domain::backup::{BackupSource, BackupState, Missed, Retention, Trigger};
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
    async fn what_velero_deletes_by_itself_cannot_be_pinned() {
        let (store, id) = (store(), BackupId("notes-1".into()));
        let velero = Backup { engine: Engine::Velero, ..backup(SystemClock.now()) };
        store.record_backup(&velero).await.unwrap();
        assert!(pin(&store, &id, true).await.unwrap_err().why.contains("time to live"));
        assert!(!store.backup(&id).await.unwrap().unwrap().pinned);
        pin(&store, &id, false).await.unwrap();
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
    async fn what_a_retention_would_delete_is_told_with_the_reasons_and_nothing_is_deleted() {
        let (store, now) = (store(), SystemClock.now());
        assert!(fates(&store, "sandbox", "nightly").await.unwrap_err().what.contains("no schedule"));
        store.upsert_schedule(&schedule(now)).await.unwrap();
        assert_eq!(fates(&store, "sandbox", "nightly").await.unwrap_err().what, "nightly deletes nothing");
        let retention = Some(Retention { last: 1, ..Retention::default() });
        store.upsert_schedule(&Schedule { retention, ..schedule(now) }).await.unwrap();
        for (name, age) in [("notes-1", 1), ("notes-2", 2)] {
            let made = now - SignedDuration::from_hours(age);
            let by = Trigger::Schedule { name: "nightly".into() };
            let kept = Backup { id: BackupId(name.into()), trigger: by, ..backup(made) };
            store.record_backup(&kept).await.unwrap();
        }
        let told = fates(&store, "sandbox", "nightly").await.unwrap();
        let told: Vec<(&str, bool)> = told.iter().map(|fate| (fate.backup.0.as_str(), fate.stays)).collect();
        assert_eq!(told, [("notes-1", true), ("notes-2", false)]);
        assert_eq!(store.backups("sandbox").await.unwrap().len(), 2);
    }
}
