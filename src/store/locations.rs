//! Backup locations.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, StoreError, row};
use crate::domain::Problem;
use crate::domain::backup::{Location, LocationView};

const SELECT: &str = "SELECT location, checked, size,
    (SELECT COUNT(*) FROM backups WHERE backups.location = locations.name) FROM locations";

impl Store {
    /// Records a location, or the change of one.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn upsert_location(&self, location: &Location) -> Result<(), StoreError> {
        let location = location.clone();
        self.write("record the location", move |transaction| {
            let sql = "INSERT INTO locations (name, location) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET location = excluded.location
                 WHERE location IS NOT excluded.location";
            transaction
                .execute(sql, params![location.name, row::to_json("locations.location", &location)?])?;
            Ok(())
        })
        .await
    }

    /// Records what a look at a location found: when, what was wrong, and what its files take.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn record_check(
        &self,
        name: &str,
        checked: (Timestamp, Option<Problem>),
        size: Option<u64>,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write("record the check", move |transaction| {
            let size = size.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
            let sql = "UPDATE locations SET checked = ?2, size = COALESCE(?3, size) WHERE name = ?1";
            transaction.execute(sql, params![name, row::to_json("locations.checked", &checked)?, size])?;
            Ok(())
        })
        .await
    }

    /// Records what the files of a location take, in bytes. What a check found stays.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn record_size(&self, name: &str, size: u64) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write("record the size of the location", move |transaction| {
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            transaction.execute("UPDATE locations SET size = ?2 WHERE name = ?1", params![name, size])?;
            Ok(())
        })
        .await
    }

    /// Takes a location out of the records. Its data stays where it is.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn forget_location(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write("forget the location", move |transaction| {
            transaction.execute("DELETE FROM locations WHERE name = ?1", [name])?;
            Ok(())
        })
        .await
    }

    /// The location of that name.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn location(&self, name: &str) -> Result<Option<LocationView>, StoreError> {
        let name = name.to_owned();
        self.read("read the location", move |connection| {
            let sql = format!("{SELECT} WHERE name = ?1");
            connection.query_row(&sql, [name], |row| Ok(view(row))).optional()?.transpose()
        })
        .await
    }

    /// All locations, by name.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn locations(&self) -> Result<Vec<LocationView>, StoreError> {
        self.read("read the locations", list).await
    }
}

fn list(connection: &Connection) -> Result<Vec<LocationView>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY name"))?;
    let rows = statement.query_map([], |row| Ok(view(row)))?;
    rows.map(|row| row?).collect()
}

fn view(columns: &Row<'_>) -> Result<LocationView, StoreError> {
    let (location, checked): (String, Option<String>) = (columns.get(0)?, columns.get(1)?);
    Ok(LocationView {
        location: row::from_json("locations.location", &location)?,
        checked: checked.map(|text| row::from_json("locations.checked", &text)).transpose()?,
        size: columns.get::<_, Option<i64>>(2)?.and_then(|bytes| u64::try_from(bytes).ok()),
        backups: row::narrow("backups", columns.get(3)?)?,
    })
}
