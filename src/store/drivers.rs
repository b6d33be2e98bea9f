//! Driver versions with every file that they consist of. Immutable once recorded.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{Store, StoreError, row};
use crate::domain::{DriverRef, DriverVersion};

const COLUMNS: &str = "name, version, source, digest, spec";

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
            found.map(|driver| with_files(connection, driver)).transpose()
        })
        .await
    }

    /// Every driver version with its files, by name, the one loaded last first.
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
    let sql = "SELECT digest, source FROM driver_versions WHERE name = ?1 AND version = ?2";
    let known: Option<(String, String)> =
        transaction.query_row(sql, [name, version], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let outcome = match known {
        None => Recorded::New,
        Some((digest, _)) if digest == driver.digest => return Ok(Recorded::Known),
        Some((_, source)) if source == BUILT_IN && driver.source == BUILT_IN => Recorded::Replaced,
        Some(_) => return Err(StoreError::Immutable { driver: driver.reference.to_string() }),
    };
    transaction.execute(
        "INSERT INTO driver_versions (name, version, source, digest, spec, loaded_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (name, version) DO UPDATE SET source = excluded.source, digest = excluded.digest,
             spec = excluded.spec, loaded_at = excluded.loaded_at",
        params![
            name,
            version,
            driver.source,
            driver.digest,
            row::to_json("driver_versions.spec", &driver.spec)?,
            now.to_string()
        ],
    )?;
    transaction.execute("DELETE FROM driver_files WHERE name = ?1 AND version = ?2", [name, version])?;
    let mut insert = transaction
        .prepare_cached("INSERT INTO driver_files (name, version, path, content) VALUES (?1, ?2, ?3, ?4)")?;
    for (path, content) in &driver.files {
        insert.execute([name, version, path, content])?;
    }
    Ok(outcome)
}

fn list(connection: &Connection) -> Result<Vec<DriverVersion>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM driver_versions ORDER BY name, loaded_at DESC, version DESC");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], |row| Ok(read(row)))?;
    rows.map(|row| with_files(connection, row??)).collect()
}

fn read(columns: &Row<'_>) -> Result<DriverVersion, StoreError> {
    let spec: String = columns.get(4)?;
    Ok(DriverVersion {
        reference: DriverRef { name: columns.get(0)?, version: columns.get(1)? },
        source: columns.get(2)?,
        digest: columns.get(3)?,
        spec: row::from_json("driver_versions.spec", &spec)?,
        files: BTreeMap::new(),
    })
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
