//! Settings: a word and a text.

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};

impl Store {
    /// The value of a setting.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        let key = key.to_owned();
        self.read("read the settings", move |connection| {
            let value =
                connection.query_row("SELECT value FROM settings WHERE key = ?1", [key], |row| row.get(0));
            Ok(value.optional()?)
        })
        .await
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn set_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write("keep the setting", move |transaction| {
            transaction.execute(
                "INSERT INTO settings (key, value) VALUES (?1, ?2)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value",
                params![key, value],
            )?;
            Ok(())
        })
        .await
    }
}
