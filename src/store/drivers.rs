//! Driver versions with every file that they consist of. Immutable once recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{Store, StoreError, row};
use crate::domain::{DriverRef, DriverVersion};

const COLUMNS: &str = "name, version, source, digest, spec, chart, loaded_at";

/// The source of drivers that are part of the binary. They may change with it under the same version.
const BUILT_IN: &str = "built-in";

/// What recording a driver version did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is new.
    New,
    /// The same content was recorded before: nothing was written.
    Known,
    /// A driver that is built into the binary changed with the binary.
    Replaced,
}

impl Store {
    /// Records a driver version.
    ///
    /// # Errors
    /// The same name and version is recorded with another content (built-in drivers excepted), or SQLite refused.
    pub async fn record_driver(&self, driver: &DriverVersion) -> Result<Recorded, StoreError> {
        let (driver, now) = (driver.clone(), self.clock.now());
        self.write("record the driver", move |transaction| record(transaction, &driver, now)).await
    }

    /// The driver version of that name, with its files.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn driver(&self, reference: &DriverRef) -> Result<Option<DriverVersion>, StoreError> {
        let reference = reference.clone();
        self.read("read the driver", move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM driver_versions WHERE name = ?1 AND version = ?2");
            let found = connection
                .query_row(&sql, [&reference.name, &reference.version], |row| Ok(read(row)))
                .optional()?
                .transpose()?;
            let mut found = found.map(|driver| with_files(connection, driver)).transpose()?;
            if let Some(driver) = &mut found {
                driver.binaries = binaries(connection, &driver.reference)?;
            }
            Ok(found)
        })
        .await
    }

    /// Every driver version with its texts and without its binaries, by name, the latest one first
    /// ([`DriverVersion::age_order`]).
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn drivers(&self) -> Result<Vec<DriverVersion>, StoreError> {
        self.read("read the drivers", list).await
    }
}

fn record(
    transaction: &Transaction<'_>,
    driver: &DriverVersion,
    now: Timestamp,
) -> Result<Recorded, StoreError> {
    let DriverRef { name, version } = &driver.reference;
    let spec = row::to_json("driver_versions.spec", &driver.spec)?;
    let sql = "SELECT digest, source, spec FROM driver_versions WHERE name = ?1 AND version = ?2";
    let known: Option<(String, String, String)> = transaction
        .query_row(sql, [name, version], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let outcome = match known {
        None => Recorded::New,
        Some((digest, _, known)) if digest == driver.digest => {
            // The same files, of which this version of Styrmin understands more than the one that recorded them.
            if known != spec {
                let sql = "UPDATE driver_versions SET spec = ?3 WHERE name = ?1 AND version = ?2";
                transaction.execute(sql, [name, version, &spec])?;
            }
            return Ok(Recorded::Known);
        }
        Some((_, source, _)) if source == BUILT_IN && driver.source == BUILT_IN => Recorded::Replaced,
        Some(_) => return Err(StoreError::Immutable { driver: driver.reference.to_string() }),
    };
    let chart = driver.chart.as_ref().map(|pin| row::to_json("driver_versions.chart", pin)).transpose()?;
    transaction.execute(
        "INSERT INTO driver_versions (name, version, source, digest, spec, chart, loaded_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (name, version) DO UPDATE SET source = excluded.source, digest = excluded.digest,
             spec = excluded.spec, chart = excluded.chart, loaded_at = excluded.loaded_at",
        params![name, version, driver.source, driver.digest, spec, chart, now.to_string()],
    )?;
    write_files(transaction, driver)?;
    Ok(outcome)
}

fn write_files(transaction: &Transaction<'_>, driver: &DriverVersion) -> Result<(), StoreError> {
    let DriverRef { name, version } = &driver.reference;
    for table in ["driver_files", "driver_binaries"] {
        let sql = format!("DELETE FROM {table} WHERE name = ?1 AND version = ?2");
        transaction.execute(&sql, [name, version])?;
    }
    let sql = "INSERT INTO driver_files (name, version, path, content) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = transaction.prepare_cached(sql)?;
    for (path, content) in &driver.files {
        insert.execute([name, version, path, content])?;
    }
    let sql = "INSERT INTO driver_binaries (name, version, path, content) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = transaction.prepare_cached(sql)?;
    for (path, content) in &driver.binaries {
        insert.execute(params![name, version, path, &**content])?;
    }
    Ok(())
}

fn list(connection: &Connection) -> Result<Vec<DriverVersion>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM driver_versions");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], |row| Ok(read(row)))?;
    let mut drivers: Vec<DriverVersion> =
        rows.map(|row| with_files(connection, row??)).collect::<Result<_, StoreError>>()?;
    drivers.sort_by(|a, b| a.reference.name.cmp(&b.reference.name).then_with(|| b.age_order(a)));
    Ok(drivers)
}

fn read(columns: &Row<'_>) -> Result<DriverVersion, StoreError> {
    let (spec, chart, loaded_at): (String, Option<String>, String) =
        (columns.get(4)?, columns.get(5)?, columns.get(6)?);
    Ok(DriverVersion {
        reference: DriverRef { name: columns.get(0)?, version: columns.get(1)? },
        source: columns.get(2)?,
        digest: columns.get(3)?,
        spec: row::from_json("driver_versions.spec", &spec)?,
        chart: chart.map(|text| row::from_json("driver_versions.chart", &text)).transpose()?,
        loaded_at: Some(row::moment("driver_versions.loaded_at", &loaded_at)?),
        ..DriverVersion::default()
    })
}

fn binaries(
    connection: &Connection,
    reference: &DriverRef,
) -> Result<BTreeMap<String, Arc<[u8]>>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT path, content FROM driver_binaries WHERE name = ?1 AND version = ?2")?;
    let rows = statement.query_map([&reference.name, &reference.version], |row| {
        let content: Vec<u8> = row.get(1)?;
        Ok((row.get(0)?, Arc::from(content)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn with_files(connection: &Connection, mut driver: DriverVersion) -> Result<DriverVersion, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT path, content FROM driver_files WHERE name = ?1 AND version = ?2")?;
    let files = statement.query_map([&driver.reference.name, &driver.reference.version], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    driver.files = files.collect::<Result<_, _>>()?;
    Ok(driver)
}
