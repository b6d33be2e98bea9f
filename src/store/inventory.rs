//! The inventory: what was written for a deployment.

use rusqlite::{Connection, Row, Transaction, params};

use super::error::is_dangling;
use super::{Store, StoreError};
use crate::domain::{DeploymentId, ObjectKey, Role};

/// An object that was written for a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryItem {
    /// Which.
    pub key: ObjectKey,
    /// `metadata.uid`.
    pub uid: String,
    /// The SHA-256 of what was written.
    pub digest: String,
    /// The fields that the server recorded as ours, as it wrote them (`FieldsV1`, JSON).
    pub owned: Option<String>,
    /// What it is to the deployment.
    pub role: Role,
}

/// What a step did to the inventory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum InventoryChange {
    /// Nothing.
    #[default]
    None,
    /// An object was written.
    Written(InventoryItem),
    /// An object was taken away.
    Removed(ObjectKey),
}

impl Store {
    /// Records that an object was written for a deployment.
    ///
    /// # Errors
    /// The deployment is not recorded, or SQLite refused.
    pub async fn record_written(
        &self,
        deployment: DeploymentId,
        item: &InventoryItem,
    ) -> Result<(), StoreError> {
        let change = InventoryChange::Written(item.clone());
        self.write("record what was written", move |transaction| {
            apply(transaction, Some(deployment), &change)
        })
        .await
    }

    /// Records that an object of a deployment is gone.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn forget_written(&self, deployment: DeploymentId, key: &ObjectKey) -> Result<(), StoreError> {
        let change = InventoryChange::Removed(key.clone());
        self.write("record what was taken away", move |transaction| {
            apply(transaction, Some(deployment), &change)
        })
        .await
    }

    /// What was written for a deployment and not taken away, by kind and name.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn inventory(&self, deployment: DeploymentId) -> Result<Vec<InventoryItem>, StoreError> {
        self.read("read the inventory", move |connection| list(connection, deployment)).await
    }
}

/// Changes the inventory of a deployment. The same again writes nothing. What has no deployment has no inventory.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    deployment: Option<DeploymentId>,
    change: &InventoryChange,
) -> Result<(), StoreError> {
    let Some(deployment) = deployment else { return Ok(()) };
    let outcome = match change {
        InventoryChange::None => return Ok(()),
        InventoryChange::Written(item) => transaction
            .prepare_cached(
                "INSERT INTO inventory (deployment, api_version, kind, namespace, name, uid, digest, owned, role)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (deployment, api_version, kind, namespace, name)
                 DO UPDATE SET uid = excluded.uid, digest = excluded.digest, owned = excluded.owned, role = excluded.role
                 WHERE (uid, digest, owned, role)
                 IS NOT (excluded.uid, excluded.digest, excluded.owned, excluded.role)",
            )?
            .execute(params![
                deployment.0,
                item.key.api_version,
                item.key.kind,
                item.key.namespace,
                item.key.name,
                item.uid,
                item.digest,
                item.owned,
                item.role.as_str()
            ]),
        InventoryChange::Removed(key) => transaction
            .prepare_cached(
                "DELETE FROM inventory WHERE deployment = ?1 AND api_version = ?2 AND kind = ?3
                 AND namespace = ?4 AND name = ?5",
            )?
            .execute(params![deployment.0, key.api_version, key.kind, key.namespace, key.name]),
    };
    match outcome {
        Err(error) if is_dangling(&error) => {
            Err(StoreError::Missing { what: "deployment", name: deployment.to_string() })
        }
        other => Ok(other.map(|_| ())?),
    }
}

fn list(connection: &Connection, deployment: DeploymentId) -> Result<Vec<InventoryItem>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT api_version, kind, namespace, name, uid, digest, owned, role FROM inventory WHERE deployment = ?1
         ORDER BY kind, name, namespace, api_version",
    )?;
    let rows = statement.query_map([deployment.0], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read(columns: &Row<'_>) -> rusqlite::Result<InventoryItem> {
    Ok(InventoryItem {
        key: ObjectKey {
            api_version: columns.get(0)?,
            kind: columns.get(1)?,
            namespace: columns.get(2)?,
            name: columns.get(3)?,
        },
        uid: columns.get(4)?,
        digest: columns.get(5)?,
        owned: columns.get(6)?,
        // the table takes no other word
        role: Role::parse(&columns.get::<_, String>(7)?).unwrap_or_default(),
    })
}
