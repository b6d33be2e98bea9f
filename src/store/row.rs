//! Columns and the values behind them.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// Reads a column that holds JSON.
pub(super) fn from_json<T: DeserializeOwned>(column: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable { column, why: error.to_string() })
}

/// Writes a column that holds JSON.
pub(super) fn to_json<T: Serialize>(column: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable { column, why: error.to_string() })
}

/// Reads a column that holds a moment (RFC 3339).
pub(super) fn moment(column: &'static str, text: &str) -> Result<Timestamp, StoreError> {
    text.parse().map_err(|error: jiff::Error| StoreError::Unreadable { column, why: error.to_string() })
}

/// Reads a column that may hold a moment.
pub(super) fn optional_moment(
    column: &'static str,
    text: Option<String>,
) -> Result<Option<Timestamp>, StoreError> {
    text.map(|text| moment(column, &text)).transpose()
}

/// Reads a column that holds one of a set of words.
pub(super) fn word<T>(
    column: &'static str,
    text: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, StoreError> {
    parse(text).ok_or_else(|| StoreError::Unreadable { column, why: format!("'{text}' is not known") })
}

/// Reads a column that holds a number of a narrower type.
pub(super) fn narrow<T: TryFrom<i64>>(column: &'static str, number: i64) -> Result<T, StoreError> {
    T::try_from(number)
        .map_err(|_| StoreError::Unreadable { column, why: format!("{number} is out of range") })
}
