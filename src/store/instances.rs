//! Instances: frozen, numbered per deployment, at most one of them active.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::Value;

use super::{Store, StoreError, deployments, row};
use crate::domain::{DeploymentDraft, DeploymentId, DriverRef, Instance, InstanceState};

const COLUMNS: &str =
    "deployment, number, state, driver, driver_version, application_version, context, digest,
    created_at, message, draft";

/// What is frozen into an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInstance {
    /// The deployment that it is frozen from.
    pub deployment: DeploymentId,
    /// What was asked for: it names the driver version and the application's.
    pub draft: DeploymentDraft,
    /// The resolved context. Holds no secret values.
    pub context: Value,
    /// The context's digest.
    pub digest: String,
    /// Its number at least: where the records were lost, the cluster knows of earlier ones.
    pub number: u32,
}

impl Store {
    /// The number that the next instance of a deployment gets: one more than the highest so far.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn next_instance_number(&self, deployment: DeploymentId) -> Result<u32, StoreError> {
        self.read("read the instances", move |connection| next_number(connection, deployment)).await
    }

    /// Freezes an instance in state `Planned` under the next number. Older ones that never became active are superseded.
    ///
    /// # Errors
    /// The deployment is not recorded, or SQLite refused.
    pub async fn add_instance(&self, new: NewInstance) -> Result<Instance, StoreError> {
        let now = self.clock.now().to_string();
        self.write("record the instance", move |transaction| freeze(transaction, new, &now)).await
    }

    /// Moves an instance to a state, with a message for people. Making one active supersedes the one that was.
    ///
    /// # Errors
    /// The instance is not recorded, it cannot go there from where it stands, or SQLite refused.
    pub async fn set_instance_state(
        &self,
        deployment: DeploymentId,
        number: u32,
        state: InstanceState,
        message: Option<String>,
    ) -> Result<Instance, StoreError> {
        self.write("move the instance", move |transaction| {
            let from = require(transaction, deployment, number)?.state;
            if !may_go(from, state) {
                return Err(StoreError::Transition { number, from, to: state });
            }
            if state == InstanceState::Active {
                transaction.execute(
                    "UPDATE instances SET state = 'Superseded', message = 'replaced by instance ' || ?2
                     WHERE deployment = ?1 AND number <> ?2 AND state = 'Active'",
                    params![deployment.0, number],
                )?;
            }
            transaction.execute(
                "UPDATE instances SET state = ?3, message = ?4
                 WHERE deployment = ?1 AND number = ?2 AND (state, message) IS NOT (?3, ?4)",
                params![deployment.0, number, state.as_str(), message],
            )?;
            require(transaction, deployment, number)
        })
        .await
    }

    /// The instance of that number.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn instance(
        &self,
        deployment: DeploymentId,
        number: u32,
    ) -> Result<Option<Instance>, StoreError> {
        self.read("read the instance", move |connection| by_number(connection, deployment, number)).await
    }

    /// Every instance of a deployment, newest first.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn instances(&self, deployment: DeploymentId) -> Result<Vec<Instance>, StoreError> {
        self.read("read the instances", move |connection| {
            list(connection, "WHERE deployment = ?1 ORDER BY number DESC", deployment)
        })
        .await
    }

    /// The newest instance of a deployment.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn latest_instance(&self, deployment: DeploymentId) -> Result<Option<Instance>, StoreError> {
        self.read("read the instance", move |connection| {
            let found = list(connection, "WHERE deployment = ?1 ORDER BY number DESC LIMIT 1", deployment)?;
            Ok(found.into_iter().next())
        })
        .await
    }

    /// The active instance of a deployment.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn active_instance(&self, deployment: DeploymentId) -> Result<Option<Instance>, StoreError> {
        self.read("read the instance", move |connection| {
            let found = list(connection, "WHERE deployment = ?1 AND state = 'Active'", deployment)?;
            Ok(found.into_iter().next())
        })
        .await
    }
}

/// Freezes an instance under the next number, and supersedes older ones that never became active.
pub(super) fn freeze(
    transaction: &Transaction<'_>,
    new: NewInstance,
    now: &str,
) -> Result<Instance, StoreError> {
    deployments::require(transaction, new.deployment)?;
    let number = next_number(transaction, new.deployment)?.max(new.number);
    transaction.execute(
        "UPDATE instances SET state = 'Superseded', message = 'replaced by instance ' || ?2
         WHERE deployment = ?1 AND state IN ('Planned', 'Applying')",
        params![new.deployment.0, number],
    )?;
    transaction.execute(
        &format!(
            "INSERT INTO instances ({COLUMNS}) VALUES (?1, ?2, 'Planned', ?3, ?4, ?5, ?6, ?7, ?8, NULL, ?9)"
        ),
        params![
            new.deployment.0,
            number,
            new.draft.driver.name,
            new.draft.driver.version,
            new.draft.application_version,
            row::to_json("instances.context", &new.context)?,
            new.digest,
            now,
            row::to_json("instances.draft", &new.draft)?
        ],
    )?;
    require(transaction, new.deployment, number)
}

/// Whether an instance may go from one state to another. A failed one may recover by itself; a superseded one never comes
/// back: a rollback is a new instance that equals an old one.
fn may_go(from: InstanceState, to: InstanceState) -> bool {
    use InstanceState::{Active, Applying, Failed, Planned, Superseded};
    match from {
        _ if from == to => true,
        Planned => matches!(to, Applying | Failed | Superseded),
        Applying => matches!(to, Active | Failed | Superseded),
        Failed => matches!(to, Applying | Active | Superseded),
        Active => to == Superseded,
        Superseded => false,
    }
}

fn next_number(connection: &Connection, deployment: DeploymentId) -> Result<u32, StoreError> {
    let sql = "SELECT COALESCE(MAX(number), 0) + 1 FROM instances WHERE deployment = ?1";
    Ok(connection.query_row(sql, [deployment.0], |row| row.get(0))?)
}

fn require(
    transaction: &Transaction<'_>,
    deployment: DeploymentId,
    number: u32,
) -> Result<Instance, StoreError> {
    by_number(transaction, deployment, number)?
        .ok_or_else(|| StoreError::Missing { what: "instance", name: number.to_string() })
}

fn by_number(
    connection: &Connection,
    deployment: DeploymentId,
    number: u32,
) -> Result<Option<Instance>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM instances WHERE deployment = ?1 AND number = ?2");
    connection.query_row(&sql, params![deployment.0, number], |row| Ok(read(row))).optional()?.transpose()
}

fn list(
    connection: &Connection,
    condition: &str,
    deployment: DeploymentId,
) -> Result<Vec<Instance>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM instances {condition}"))?;
    let rows = statement.query_map([deployment.0], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

fn read(columns: &Row<'_>) -> Result<Instance, StoreError> {
    let state: String = columns.get(2)?;
    let context: String = columns.get(6)?;
    let created_at: String = columns.get(8)?;
    let draft: Option<String> = columns.get(10)?;
    Ok(Instance {
        deployment: DeploymentId(columns.get(0)?),
        number: columns.get(1)?,
        state: row::word("instances.state", &state, InstanceState::parse)?,
        driver: DriverRef { name: columns.get(3)?, version: columns.get(4)? },
        application_version: columns.get(5)?,
        context: row::from_json("instances.context", &context)?,
        digest: columns.get(7)?,
        created_at: row::moment("instances.created_at", &created_at)?,
        message: columns.get(9)?,
        draft: draft.map(|text| row::from_json("instances.draft", &text)).transpose()?,
    })
}
