//! Who runs the engine of a cluster, and the epoch that fences off those who ran it before.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, StoreError, row};

/// A process that runs an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its name, as it stands in the cluster's Lease: no two processes ever have the same.
    pub identity: String,
    /// Its machine.
    pub host: String,
    /// Its process there, when that is known.
    pub pid: Option<u32>,
}

/// What is recorded of a cluster's engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineRecord {
    /// Grows with every take-over; never given twice.
    pub epoch: u64,
    /// Who runs it; none when it was put down.
    pub holder: Option<Holder>,
    /// Whether that is a process of this state directory.
    pub here: bool,
    /// Since when.
    pub since: Timestamp,
    /// The identity of the process that wants to run it.
    pub takeover_requested_by: Option<String>,
}

impl Store {
    /// What is recorded of the engine of a cluster; none when it never ran.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn engine(&self, cluster: &str) -> Result<Option<EngineRecord>, StoreError> {
        let cluster = cluster.to_owned();
        self.read("read who runs the engine", move |connection| find(connection, &cluster)).await
    }

    /// Whether the engine with `epoch` may still write.
    ///
    /// # Errors
    /// [`StoreError::Deposed`] when it may not; SQLite refused.
    pub async fn check_engine(&self, cluster: &str, epoch: u64) -> Result<(), StoreError> {
        let cluster = cluster.to_owned();
        self.read("read who runs the engine", move |connection| check_epoch(connection, &cluster, epoch))
            .await
    }

    /// Takes the engine over: from now on nothing that the one before wanted to write gets in. Gives the new epoch, which
    /// is above every earlier one and not below `least` (what the cluster's Lease says).
    ///
    /// # Errors
    /// SQLite refused, or the cluster is not recorded.
    pub async fn claim_engine(&self, cluster: &str, holder: &Holder, least: u64) -> Result<u64, StoreError> {
        let (cluster, holder, since) = (cluster.to_owned(), holder.clone(), self.clock.now());
        self.write("take the engine over", move |transaction| {
            let before = find(transaction, &cluster)?;
            let epoch = before.map_or(0, |before| before.epoch).saturating_add(1).max(least);
            let record =
                EngineRecord { epoch, holder: Some(holder), here: true, since, takeover_requested_by: None };
            put(transaction, &cluster, &record)?;
            Ok(epoch)
        })
        .await
    }

    /// Records that a process with a state directory of its own runs the engine, as the cluster's Lease says. Whoever ran
    /// it here is deposed by that. A request to take over stays.
    ///
    /// # Errors
    /// SQLite refused, or the cluster is not recorded.
    pub async fn note_engine(
        &self,
        cluster: &str,
        holder: &Holder,
        since: Timestamp,
        epoch: u64,
    ) -> Result<(), StoreError> {
        let (cluster, holder) = (cluster.to_owned(), holder.clone());
        self.write("record who runs the engine", move |transaction| {
            let before = find(transaction, &cluster)?;
            let known = before.as_ref().map_or(0, |before| before.epoch);
            let same = before.as_ref().is_some_and(|before| before.holder.as_ref() == Some(&holder));
            let epoch = if same { epoch.max(known) } else { epoch.max(known.saturating_add(1)) };
            let requested = before.as_ref().and_then(|before| before.takeover_requested_by.clone());
            let record = EngineRecord {
                epoch,
                holder: Some(holder),
                here: false,
                since,
                takeover_requested_by: requested,
            };
            if before.as_ref() != Some(&record) {
                put(transaction, &cluster, &record)?;
            }
            Ok(())
        })
        .await
    }

    /// Records that nobody runs the engine any more; nothing happens when somebody else does by now.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn release_engine(&self, cluster: &str, epoch: u64) -> Result<(), StoreError> {
        let cluster = cluster.to_owned();
        self.write("put the engine down", move |transaction| {
            transaction.execute(
                "UPDATE engines SET holder = NULL WHERE cluster = ?1 AND epoch = ?2 AND holder IS NOT NULL",
                params![cluster, number(epoch)],
            )?;
            Ok(())
        })
        .await
    }

    /// Asks whoever runs the engine to hand it over; the last one to ask gets it.
    ///
    /// # Errors
    /// SQLite refused, or nobody ever ran it.
    pub async fn request_takeover(&self, cluster: &str, identity: &str) -> Result<(), StoreError> {
        let (cluster, identity) = (cluster.to_owned(), identity.to_owned());
        self.write("ask for the engine", move |transaction| {
            let changed = transaction.execute(
                "UPDATE engines SET takeover_requested_by = ?2 WHERE cluster = ?1",
                params![cluster, identity],
            )?;
            match changed {
                0 => Err(StoreError::Missing { what: "engine of", name: cluster }),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Takes a request back, or drops one whose process did not come; nothing happens when another asked since.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn drop_takeover(&self, cluster: &str, identity: &str) -> Result<(), StoreError> {
        let (cluster, identity) = (cluster.to_owned(), identity.to_owned());
        self.write("drop the request for the engine", move |transaction| {
            transaction.execute(
                "UPDATE engines SET takeover_requested_by = NULL WHERE cluster = ?1 AND takeover_requested_by = ?2",
                params![cluster, identity],
            )?;
            Ok(())
        })
        .await
    }
}

/// Refuses what an engine with `epoch` is about to write when it was deposed. To be called first in the transaction that
/// writes: SQLite lets only one of them run at a time, so that nobody can take over in between.
///
/// # Errors
/// [`StoreError::Deposed`]; SQLite refused.
pub(super) fn check_epoch(connection: &Connection, cluster: &str, epoch: u64) -> Result<(), StoreError> {
    let found = find(connection, cluster)?;
    let holds = found.as_ref().is_some_and(|found| found.epoch == epoch && found.holder.is_some());
    if holds {
        return Ok(());
    }
    let found = found.map_or(0, |found| found.epoch);
    Err(StoreError::Deposed { epoch, newest: found })
}

fn find(connection: &Connection, cluster: &str) -> Result<Option<EngineRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT epoch, holder, host, pid, since, takeover_requested_by, here FROM engines WHERE cluster = ?1",
    )?;
    statement.query_row([cluster], |row| Ok(read(row))).optional()?.transpose()
}

fn read(columns: &Row<'_>) -> Result<EngineRecord, StoreError> {
    let (host, pid): (String, Option<u32>) = (columns.get(2)?, columns.get(3)?);
    let identity: Option<String> = columns.get(1)?;
    let since: String = columns.get(4)?;
    Ok(EngineRecord {
        epoch: row::narrow("engines.epoch", columns.get(0)?)?,
        holder: identity.map(|identity| Holder { identity, host, pid }),
        since: row::moment("engines.since", &since)?,
        takeover_requested_by: columns.get(5)?,
        here: columns.get(6)?,
    })
}

fn put(connection: &Connection, cluster: &str, record: &EngineRecord) -> Result<(), StoreError> {
    let holder = record.holder.as_ref();
    let put = connection.execute(
        "INSERT INTO engines (cluster, epoch, holder, host, pid, since, takeover_requested_by, here)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (cluster) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder, host = excluded.host,
             pid = excluded.pid, since = excluded.since, takeover_requested_by = excluded.takeover_requested_by,
             here = excluded.here",
        params![
            cluster,
            number(record.epoch),
            holder.map(|holder| &holder.identity),
            holder.map_or("", |holder| &holder.host),
            holder.and_then(|holder| holder.pid),
            record.since.to_string(),
            record.takeover_requested_by,
            record.here
        ],
    );
    match put {
        Err(error) if super::error::is_dangling(&error) => {
            Err(StoreError::Missing { what: "cluster", name: cluster.to_owned() })
        }
        other => Ok(other.map(|_| ())?),
    }
}

fn number(epoch: u64) -> i64 {
    i64::try_from(epoch).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
