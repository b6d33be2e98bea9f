//! What the journal says about a subject, without its plans.

use super::super::{Store, StoreError, row};
use crate::domain::OperationState;
use crate::domain::operation::Subject;

/// More failures in a row make the pause between tries no longer.
const COUNTED: u32 = 12;

impl Store {
    /// What the operations of a cluster that have not ended are about.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn open_subjects(&self, cluster: &str) -> Result<Vec<Subject>, StoreError> {
        let cluster = cluster.to_owned();
        self.read("read the operations", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT DISTINCT environment, name FROM operations
                 WHERE cluster = ?1 AND state IN ('Queued', 'Running')",
            )?;
            let rows = statement.query_map([&cluster], |row| {
                Ok(Subject { cluster: cluster.clone(), environment: row.get(0)?, name: row.get(1)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// How many of the newest operations about a subject failed, or were out of date, in a row for the same revision, up to a
    /// dozen.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn failures_in_a_row(&self, subject: &Subject) -> Result<u32, StoreError> {
        let subject = subject.clone();
        self.read("read the operations", move |connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT state, revision FROM operations WHERE cluster = ?1 AND environment = ?2 AND name = ?3
                 AND kind NOT IN {} ORDER BY id DESC LIMIT ?4",
                *super::ASIDE
            ))?;
            let key = rusqlite::params![subject.cluster, subject.environment, subject.name, COUNTED];
            let rows =
                statement.query_map(key, |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
            let (mut count, mut wish) = (0, None);
            for found in rows {
                let (state, revision) = found?;
                let state = row::word("operations.state", &state, OperationState::parse)?;
                use OperationState::{Failed, PartiallyFailed, Stale};
                let failed = matches!(state, Failed | PartiallyFailed | Stale);
                if !failed || wish.is_some_and(|wish| wish != revision) {
                    break;
                }
                (count, wish) = (count + 1, Some(revision));
            }
            Ok(count)
        })
        .await
    }
}
