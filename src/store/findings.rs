//! What the engine found, for those who only look.

use rusqlite::{Connection, Row, params};

use super::{Store, StoreError, engines, row};
use crate::domain::{Drift, Problem};

/// What the engine found out about one deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// The namespace that it lives in.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What keeps the engine from going on with it.
    pub problem: Option<Problem>,
    /// What somebody else changed.
    pub drift: Vec<Drift>,
}

impl Store {
    /// Records everything that the engine of a cluster found, in place of what it found before.
    ///
    /// # Errors
    /// The epoch is over, or SQLite refused.
    pub async fn record_findings(
        &self,
        cluster: &str,
        epoch: u64,
        findings: Vec<Finding>,
    ) -> Result<(), StoreError> {
        let cluster = cluster.to_owned();
        self.write("record what the engine found", move |transaction| {
            engines::check_epoch(transaction, &cluster, epoch)?;
            transaction.execute("DELETE FROM findings WHERE cluster = ?1", [&cluster])?;
            let mut statement = transaction.prepare_cached(
                "INSERT INTO findings (cluster, namespace, name, problem, drift) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for finding in &findings {
                let problem = finding.problem.as_ref();
                let problem = problem.map(|problem| row::to_json("findings.problem", problem)).transpose()?;
                let drift = row::to_json("findings.drift", &finding.drift)?;
                statement.execute(params![cluster, finding.namespace, finding.name, problem, drift])?;
            }
            Ok(())
        })
        .await
    }

    /// What the engine of a cluster found, by namespace and name.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn findings(&self, cluster: &str) -> Result<Vec<Finding>, StoreError> {
        let cluster = cluster.to_owned();
        self.read("read what the engine found", move |connection| list(connection, &cluster)).await
    }
}

fn list(connection: &Connection, cluster: &str) -> Result<Vec<Finding>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT namespace, name, problem, drift FROM findings WHERE cluster = ?1 ORDER BY namespace, name",
    )?;
    let rows = statement.query_map([cluster], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

fn read(columns: &Row<'_>) -> Result<Finding, StoreError> {
    let (problem, drift): (Option<String>, String) = (columns.get(2)?, columns.get(3)?);
    Ok(Finding {
        namespace: columns.get(0)?,
        name: columns.get(1)?,
        problem: problem.map(|text| row::from_json("findings.problem", &text)).transpose()?,
        drift: row::from_json("findings.drift", &drift)?,
    })
}
