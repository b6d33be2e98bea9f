//! Deployments: what should run.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, Transaction, params};

use super::error::{is_dangling, is_duplicate};
use super::{Store, StoreError, row};
use crate::domain::{Deployment, DeploymentDraft, DeploymentId, DesiredPhase, DriftMode, DriverRef};

const SELECT: &str = "SELECT d.id, d.uid, d.name, e.name, d.driver, d.driver_version, d.application_version,
        d.parameters, d.phase, d.revision, d.created_at, d.components, d.drift, d.hosts
    FROM deployments d JOIN environments e ON e.id = d.environment";

impl Store {
    /// Records a new deployment in an environment of `cluster`. `uid` is random and the caller's: host names derive from it.
    ///
    /// # Errors
    /// The environment or the driver version is not recorded, the name is taken in the environment, or SQLite refused.
    pub async fn create_deployment(
        &self,
        cluster: &str,
        draft: &DeploymentDraft,
        uid: &str,
    ) -> Result<Deployment, StoreError> {
        let (cluster, draft, uid) = (cluster.to_owned(), draft.clone(), uid.to_owned());
        let now = self.clock.now().to_string();
        self.write("record the deployment", move |transaction| {
            create(transaction, &cluster, &draft, &uid, &now)
        })
        .await
    }

    /// Changes what is desired of a deployment, and in which phase, as one new revision. Name and environment stay as they are.
    ///
    /// # Errors
    /// It stands at another revision than `based_on`, it or the driver version is not recorded, or SQLite refused.
    pub async fn update_deployment(
        &self,
        id: DeploymentId,
        based_on: u64,
        draft: &DeploymentDraft,
        phase: DesiredPhase,
    ) -> Result<Deployment, StoreError> {
        let draft = draft.clone();
        self.write("change the deployment", move |transaction| {
            change(transaction, id, based_on, &draft, phase)
        })
        .await
    }

    /// Changes the phase that a deployment should be in, and counts its revision up. The same phase again writes nothing.
    ///
    /// # Errors
    /// It is not recorded, or SQLite refused.
    pub async fn set_phase(&self, id: DeploymentId, phase: DesiredPhase) -> Result<Deployment, StoreError> {
        self.write("change the deployment's phase", move |transaction| {
            transaction.execute(
                "UPDATE deployments SET phase = ?2, revision = revision + 1 WHERE id = ?1 AND phase <> ?2",
                params![id.0, phase.as_str()],
            )?;
            require(transaction, id)
        })
        .await
    }

    /// Takes a deployment and its instances out of the records. True when it was there.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn delete_deployment(&self, id: DeploymentId) -> Result<bool, StoreError> {
        self.write("delete the deployment", move |transaction| {
            Ok(transaction.execute("DELETE FROM deployments WHERE id = ?1", [id.0])? > 0)
        })
        .await
    }

    /// The deployment of that number.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.read("read the deployment", move |connection| by_id(connection, id)).await
    }

    /// The deployment of that name in that environment.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn find_deployment(
        &self,
        cluster: &str,
        environment: &str,
        name: &str,
    ) -> Result<Option<Deployment>, StoreError> {
        let key = [cluster.to_owned(), environment.to_owned(), name.to_owned()];
        self.read("read the deployment", move |connection| {
            let sql = format!("{SELECT} WHERE e.cluster = ?1 AND e.name = ?2 AND d.name = ?3");
            connection.query_row(&sql, key, |row| Ok(read(row))).optional()?.transpose()
        })
        .await
    }

    /// Every deployment on a cluster, by environment and name.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn deployments(&self, cluster: &str) -> Result<Vec<Deployment>, StoreError> {
        let cluster = cluster.to_owned();
        self.read("read the deployments", move |connection| list(connection, &cluster)).await
    }
}

/// Records a new deployment at revision 1, to be running.
pub(super) fn create(
    transaction: &Transaction<'_>,
    cluster: &str,
    draft: &DeploymentDraft,
    uid: &str,
    now: &str,
) -> Result<Deployment, StoreError> {
    let environment = environment_id(transaction, cluster, &draft.environment)?;
    let outcome = transaction.execute(
        "INSERT INTO deployments (uid, environment, name, driver, driver_version, application_version,
             parameters, phase, revision, created_at, components, drift, hosts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11, ?12)",
        params![
            uid,
            environment,
            draft.name,
            draft.driver.name,
            draft.driver.version,
            draft.application_version,
            row::to_json("deployments.parameters", &draft.parameters)?,
            DesiredPhase::Running.as_str(),
            now,
            row::to_json("deployments.components", &draft.components)?,
            draft.drift.map(DriftMode::as_str),
            row::to_json("deployments.hosts", &draft.hosts)?
        ],
    );
    explain(outcome, draft)?;
    require(transaction, DeploymentId(transaction.last_insert_rowid()))
}

/// Changes what is desired, as one new revision after `based_on`.
pub(super) fn change(
    transaction: &Transaction<'_>,
    id: DeploymentId,
    based_on: u64,
    draft: &DeploymentDraft,
    phase: DesiredPhase,
) -> Result<Deployment, StoreError> {
    let found = require(transaction, id)?;
    if found.revision != based_on {
        let name = found.draft.name;
        return Err(StoreError::Changed { name, expected: based_on, found: found.revision });
    }
    let outcome = transaction.execute(
        "UPDATE deployments SET driver = ?2, driver_version = ?3, application_version = ?4, parameters = ?5,
             phase = ?6, components = ?7, drift = ?8, hosts = ?9, revision = revision + 1 WHERE id = ?1",
        params![
            id.0,
            draft.driver.name,
            draft.driver.version,
            draft.application_version,
            row::to_json("deployments.parameters", &draft.parameters)?,
            phase.as_str(),
            row::to_json("deployments.components", &draft.components)?,
            draft.drift.map(DriftMode::as_str),
            row::to_json("deployments.hosts", &draft.hosts)?
        ],
    );
    explain(outcome, draft)?;
    require(transaction, id)
}

fn environment_id(transaction: &Transaction<'_>, cluster: &str, name: &str) -> Result<i64, StoreError> {
    transaction
        .query_row("SELECT id FROM environments WHERE cluster = ?1 AND name = ?2", [cluster, name], |row| {
            row.get(0)
        })
        .optional()?
        .ok_or_else(|| StoreError::Missing { what: "environment", name: name.to_owned() })
}

/// Puts constraint violations into words.
fn explain(outcome: rusqlite::Result<usize>, draft: &DeploymentDraft) -> Result<(), StoreError> {
    match outcome {
        Err(error) if is_duplicate(&error) => {
            Err(StoreError::Exists { what: "deployment", name: draft.name.clone() })
        }
        Err(error) if is_dangling(&error) => {
            Err(StoreError::Missing { what: "driver version", name: draft.driver.to_string() })
        }
        other => Ok(other.map(|_| ())?),
    }
}

fn by_id(connection: &Connection, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
    let sql = format!("{SELECT} WHERE d.id = ?1");
    connection.query_row(&sql, [id.0.to_sql()?], |row| Ok(read(row))).optional()?.transpose()
}

/// The deployment, which must be there.
pub(super) fn require(connection: &Connection, id: DeploymentId) -> Result<Deployment, StoreError> {
    by_id(connection, id)?.ok_or_else(|| StoreError::Missing { what: "deployment", name: id.to_string() })
}

fn list(connection: &Connection, cluster: &str) -> Result<Vec<Deployment>, StoreError> {
    let sql = format!("{SELECT} WHERE e.cluster = ?1 ORDER BY e.name, d.name");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([cluster], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

fn read(columns: &Row<'_>) -> Result<Deployment, StoreError> {
    let parameters: String = columns.get(7)?;
    let phase: String = columns.get(8)?;
    let created_at: String = columns.get(10)?;
    let components: String = columns.get(11)?;
    let drift: Option<String> = columns.get(12)?;
    let hosts: String = columns.get(13)?;
    let drift = drift.map(|word| row::word("deployments.drift", &word, DriftMode::parse)).transpose()?;
    Ok(Deployment {
        id: DeploymentId(columns.get(0)?),
        uid: columns.get(1)?,
        draft: DeploymentDraft {
            typed: Default::default(),
            name: columns.get(2)?,
            environment: columns.get(3)?,
            driver: DriverRef { name: columns.get(4)?, version: columns.get(5)? },
            application_version: columns.get(6)?,
            parameters: row::from_json("deployments.parameters", &parameters)?,
            components: row::from_json("deployments.components", &components)?,
            drift,
            hosts: row::from_json("deployments.hosts", &hosts)?,
        },
        phase: row::word("deployments.phase", &phase, DesiredPhase::parse)?,
        revision: row::narrow("deployments.revision", columns.get(9)?)?,
        created_at: row::moment("deployments.created_at", &created_at)?,
    })
}
