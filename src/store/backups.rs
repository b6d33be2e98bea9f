//! The catalogue of backups.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{Store, StoreError, row};
use crate::domain::backup::{Backup, BackupId, BackupState, PartState};
use crate::domain::{OperationId, OperationState, Problem};

impl Store {
    /// Records a backup, or what became of it.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn record_backup(&self, backup: &Backup) -> Result<(), StoreError> {
        let backup = backup.clone();
        self.write("record the backup", move |transaction| write(transaction, &backup)).await
    }

    /// Changes a backup as `change` says; nothing happens when it is not recorded. Gives it as it is then.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn change_backup(
        &self,
        id: &BackupId,
        change: impl FnOnce(&mut Backup) + Send + 'static,
    ) -> Result<Option<Backup>, StoreError> {
        let id = id.clone();
        self.write("record the backup", move |transaction| {
            let sql = "SELECT backup FROM backups WHERE id = ?1";
            let found: Option<String> =
                transaction.prepare_cached(sql)?.query_row([&id.0], |row| row.get(0)).optional()?;
            let Some(text) = found else { return Ok(None) };
            let mut backup: Backup = row::from_json("backups.backup", &text)?;
            change(&mut backup);
            write(transaction, &backup)?;
            Ok(Some(backup))
        })
        .await
    }

    /// Takes a backup out of the catalogue. Its data is somebody else's concern.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn forget_backup(&self, id: &BackupId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write("forget the backup", move |transaction| {
            transaction.prepare_cached("DELETE FROM backups WHERE id = ?1")?.execute([id.0])?;
            Ok(())
        })
        .await
    }

    /// The backup of that name.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn backup(&self, id: &BackupId) -> Result<Option<Backup>, StoreError> {
        let id = id.clone();
        self.read("read the backup", move |connection| {
            let sql = "SELECT backup FROM backups WHERE id = ?1";
            let found: Option<String> = connection.query_row(sql, [id.0], |row| row.get(0)).optional()?;
            found.map(|text| row::from_json("backups.backup", &text)).transpose()
        })
        .await
    }

    /// The backups of a cluster's applications, newest first.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn backups(&self, cluster: &str) -> Result<Vec<Backup>, StoreError> {
        self.list("SELECT backup FROM backups WHERE cluster = ?1 ORDER BY created_at DESC, id DESC", cluster)
            .await
    }

    /// The newest `limit` backups of one application, newest first.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn backups_of(
        &self,
        subject: &crate::domain::operation::Subject,
        limit: u32,
    ) -> Result<Vec<Backup>, StoreError> {
        let subject = subject.clone();
        self.read("read the backups", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT backup FROM backups WHERE cluster = ?1 AND environment = ?2 AND application = ?3
                 ORDER BY created_at DESC, id DESC LIMIT ?4",
            )?;
            let key = params![subject.cluster, subject.environment, subject.name, limit];
            let rows = statement.query_map(key, |row| row.get::<_, String>(0))?;
            rows.map(|text| row::from_json("backups.backup", &text?)).collect()
        })
        .await
    }

    /// The backups in a location, of whatever cluster, newest first.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn backups_in(&self, location: &str) -> Result<Vec<Backup>, StoreError> {
        self.list(
            "SELECT backup FROM backups WHERE location = ?1 ORDER BY created_at DESC, id DESC",
            location,
        )
        .await
    }

    async fn list(&self, sql: &'static str, key: &str) -> Result<Vec<Backup>, StoreError> {
        let key = key.to_owned();
        self.read("read the backups", move |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([key], |row| row.get::<_, String>(0))?;
            rows.map(|text| row::from_json("backups.backup", &text?)).collect()
        })
        .await
    }
}

/// An operation ended: what it was making has ended too, whatever its steps came to.
pub(super) fn close(
    transaction: &Transaction<'_>,
    id: OperationId,
    state: OperationState,
    problem: Option<&Problem>,
    at: &str,
) -> Result<(), StoreError> {
    let sql = "SELECT backup FROM backups JOIN operations
            ON (backups.cluster, backups.environment, backups.application)
             = (operations.cluster, operations.environment, operations.name)
        WHERE operations.id = ?1 AND json_extract(backup, '$.operation') = ?1
            AND json_extract(backup, '$.state') IN ('Queued', 'Running')";
    let mut statement = transaction.prepare_cached(sql)?;
    let rows = statement.query_map([id.0], |row| row.get::<_, String>(0))?;
    let open: Vec<Backup> =
        rows.map(|text| row::from_json("backups.backup", &text?)).collect::<Result<_, StoreError>>()?;
    for mut backup in open {
        end(&mut backup, state, problem);
        backup.ended = Some(row::moment("backups.ended", at)?);
        write(transaction, &backup)?;
    }
    Ok(())
}

/// What a backup is whose operation ended before it could say so itself.
fn end(backup: &mut Backup, state: OperationState, problem: Option<&Problem>) {
    let is_kept = backup.parts.iter().any(|part| part.state == PartState::Completed);
    backup.state = match state {
        OperationState::Cancelled | OperationState::Superseded => BackupState::Cancelled,
        _ if is_kept => BackupState::PartiallyFailed,
        _ => BackupState::Failed,
    };
    for part in &mut backup.parts {
        if matches!(part.state, PartState::Pending | PartState::Running) {
            part.state = PartState::Failed;
        }
    }
    if backup.problem.is_none() {
        backup.problem = problem.cloned();
    }
}

pub(super) fn write(transaction: &Transaction<'_>, backup: &Backup) -> Result<(), StoreError> {
    let sql = "INSERT INTO backups (id, cluster, environment, application, location, created_at, backup)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET cluster = excluded.cluster, environment = excluded.environment,
             application = excluded.application, location = excluded.location,
             created_at = excluded.created_at, backup = excluded.backup
         WHERE backup IS NOT excluded.backup";
    transaction.prepare_cached(sql)?.execute(params![
        backup.id.0,
        backup.source.cluster,
        backup.source.environment,
        backup.source.application,
        backup.location,
        backup.created.to_string(),
        row::to_json("backups.backup", backup)?
    ])?;
    Ok(())
}
