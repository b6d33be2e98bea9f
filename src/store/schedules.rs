//! Schedules of backups, and their runs.

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError, row};
use crate::domain::backup::{Schedule, ScheduleRun};

/// How many runs of a schedule are kept: the last ones.
const KEPT: u32 = 200;

impl Store {
    /// Records a schedule, or the change of one.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn upsert_schedule(&self, schedule: &Schedule) -> Result<(), StoreError> {
        let schedule = schedule.clone();
        self.write("record the schedule", move |transaction| {
            let sql = "INSERT INTO schedules (cluster, name, schedule) VALUES (?1, ?2, ?3)
                 ON CONFLICT (cluster, name) DO UPDATE SET schedule = excluded.schedule
                 WHERE schedule IS NOT excluded.schedule";
            let text = row::to_json("schedules.schedule", &schedule)?;
            transaction.execute(sql, params![schedule.cluster, schedule.name, text])?;
            Ok(())
        })
        .await
    }

    /// Takes a schedule out of the records, with its runs. The backups that it made stay.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn forget_schedule(&self, cluster: &str, name: &str) -> Result<(), StoreError> {
        let (cluster, name) = (cluster.to_owned(), name.to_owned());
        self.write("forget the schedule", move |transaction| {
            transaction.execute("DELETE FROM schedules WHERE cluster = ?1 AND name = ?2", [cluster, name])?;
            Ok(())
        })
        .await
    }

    /// The schedule of that name.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn schedule(&self, cluster: &str, name: &str) -> Result<Option<Schedule>, StoreError> {
        let (cluster, name) = (cluster.to_owned(), name.to_owned());
        self.read("read the schedule", move |connection| {
            let sql = "SELECT schedule FROM schedules WHERE cluster = ?1 AND name = ?2";
            let found: Option<String> =
                connection.query_row(sql, [cluster, name], |row| row.get(0)).optional()?;
            found.map(|text| row::from_json("schedules.schedule", &text)).transpose()
        })
        .await
    }

    /// The schedules of a cluster, by name.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn schedules(&self, cluster: &str) -> Result<Vec<Schedule>, StoreError> {
        let cluster = cluster.to_owned();
        self.read("read the schedules", move |connection| {
            let sql = "SELECT schedule FROM schedules WHERE cluster = ?1 ORDER BY name";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([cluster], |row| row.get::<_, String>(0))?;
            rows.map(|text| row::from_json("schedules.schedule", &text?)).collect()
        })
        .await
    }

    /// Records a run of a schedule, unless that run is recorded already: then nothing happens. Gives whether it was recorded.
    ///
    /// # Errors
    /// The schedule is gone, or SQLite refused.
    pub async fn record_run(&self, cluster: &str, run: &ScheduleRun) -> Result<bool, StoreError> {
        let (cluster, run) = (cluster.to_owned(), run.clone());
        self.write("record the run", move |transaction| {
            let text = row::to_json("schedule_runs.run", &run)?;
            let sql =
                "INSERT OR IGNORE INTO schedule_runs (cluster, schedule, due, run) VALUES (?1, ?2, ?3, ?4)";
            let added =
                transaction.execute(sql, params![cluster, run.schedule, run.due.to_string(), text])?;
            // those that were recorded first: a clock that was wrong may have left runs that are due in the future
            let sql = "DELETE FROM schedule_runs WHERE cluster = ?1 AND schedule = ?2 AND rowid <= (
                 SELECT rowid FROM schedule_runs WHERE cluster = ?1 AND schedule = ?2
                 ORDER BY rowid DESC LIMIT 1 OFFSET ?3)";
            transaction.execute(sql, params![cluster, run.schedule, KEPT])?;
            Ok(added > 0)
        })
        .await
    }

    /// Records what became of a run.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn update_run(&self, cluster: &str, run: &ScheduleRun) -> Result<(), StoreError> {
        let (cluster, run) = (cluster.to_owned(), run.clone());
        self.write("record the run", move |transaction| {
            let text = row::to_json("schedule_runs.run", &run)?;
            let sql = "UPDATE schedule_runs SET run = ?4
                 WHERE cluster = ?1 AND schedule = ?2 AND due = ?3 AND run IS NOT ?4";
            transaction.execute(sql, params![cluster, run.schedule, run.due.to_string(), text])?;
            Ok(())
        })
        .await
    }

    /// The last `limit` runs of a schedule, newest first.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn runs(&self, cluster: &str, name: &str, limit: u32) -> Result<Vec<ScheduleRun>, StoreError> {
        let (cluster, name) = (cluster.to_owned(), name.to_owned());
        self.read("read the runs", move |connection| {
            let sql = "SELECT run FROM schedule_runs WHERE cluster = ?1 AND schedule = ?2
                 ORDER BY due DESC LIMIT ?3";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![cluster, name, limit], |row| row.get::<_, String>(0))?;
            rows.map(|text| row::from_json("schedule_runs.run", &text?)).collect()
        })
        .await
    }
}
