//! The front's client of `notes-db`.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::http::call;
use super::resolve;

/// How long an answer may take: longer than the machine stands still.
const LIMIT: Duration = Duration::from_secs(10);

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Database {
    host: String,
    port: u16,
}

impl Database {
    /// From `NOTES_DB_HOST` and `NOTES_DB_PORT`.
    pub(super) fn from_environment() -> Result<Self, String> {
        let host = std::env::var("NOTES_DB_HOST").unwrap_or_else(|_| "notes-db".into());
        let port = resolve::port(std::env::var("NOTES_DB_PORT").ok().as_deref(), 5433)
            .map_err(|why| format!("NOTES_DB_PORT: {why}"))?;
        Ok(Self { host, port })
    }

    /// One request. Anything but a 2xx is an error; the status is kept for the caller's own answer.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, (StatusCode, String)> {
        let unreachable =
            |why: String| (StatusCode::SERVICE_UNAVAILABLE, format!("the database does not answer: {why}"));
        let address = resolve::address(&self.host, self.port).await.map_err(unreachable)?;
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let (status, body) = call(address, method, path, body, LIMIT).await.map_err(unreachable)?;
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(value);
        }
        let why =
            value["error"].as_str().map_or_else(|| format!("the database answered {status}"), str::to_owned);
        Err((status, why))
    }

    /// The schema of the data.
    pub(super) async fn schema(&self) -> Result<u32, String> {
        let stat = self.ask(Method::GET, "/stat", &Value::Null).await.map_err(|(_, why)| why)?;
        stat["schema"]
            .as_u64()
            .and_then(|schema| u32::try_from(schema).ok())
            .ok_or_else(|| "the database does not tell its schema".to_owned())
    }

    /// Raises an older schema to `to`; says what was done.
    pub(super) async fn migrate(&self, to: u32) -> Result<String, String> {
        let from = self.schema().await?;
        if from == to {
            return Ok(format!("the data has schema {to}: nothing to migrate"));
        }
        if from > to {
            return Err(format!(
                "the data has schema {from}, and this version knows {to}: run a newer version"
            ));
        }
        let done = self.ask(Method::POST, "/migrate", &json!({"to": to})).await.map_err(|(_, why)| why)?;
        Ok(format!("migrated {} notes from schema {from} to {to}", done["notes"]))
    }
}
