//! Who is to have the fields of objects that somebody else owns.

use rusqlite::{Connection, Row, params};

use super::error::is_dangling;
use super::{Store, StoreError, row};
use crate::domain::{DeploymentId, ObjectKey, Resolution};

/// What a person said about one field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldResolution {
    /// The object.
    pub key: ObjectKey,
    /// The field's path (`.spec.replicas`).
    pub field: String,
    /// Who owned it when this was said.
    pub manager: String,
    /// Who is to have it.
    pub resolution: Resolution,
}

impl Store {
    /// Records who is to have these fields of an object (with who owns them now); a later word takes the place of an earlier one.
    ///
    /// # Errors
    /// The deployment is not recorded, or SQLite refused.
    pub async fn resolve_fields(
        &self,
        deployment: DeploymentId,
        key: &ObjectKey,
        fields: Vec<(String, String)>,
        resolution: Resolution,
    ) -> Result<(), StoreError> {
        let key = key.clone();
        self.write("record who has the fields", move |transaction| {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO resolutions
                     (deployment, api_version, kind, namespace, name, field, manager, resolution)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (deployment, api_version, kind, namespace, name, field)
                 DO UPDATE SET manager = excluded.manager, resolution = excluded.resolution",
            )?;
            for (field, manager) in fields {
                let outcome = statement.execute(params![
                    deployment.0,
                    key.api_version,
                    key.kind,
                    key.namespace,
                    key.name,
                    field,
                    manager,
                    resolution.as_str()
                ]);
                match outcome {
                    Err(error) if is_dangling(&error) => {
                        return Err(StoreError::Missing { what: "deployment", name: deployment.to_string() });
                    }
                    other => other?,
                };
            }
            Ok(())
        })
        .await
    }

    /// What was said about the fields of a deployment's objects, by object and field.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn resolutions(&self, deployment: DeploymentId) -> Result<Vec<FieldResolution>, StoreError> {
        self.read("read who has the fields", move |connection| list(connection, deployment)).await
    }
}

fn list(connection: &Connection, deployment: DeploymentId) -> Result<Vec<FieldResolution>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT api_version, kind, namespace, name, field, manager, resolution FROM resolutions
         WHERE deployment = ?1 ORDER BY kind, name, namespace, api_version, field",
    )?;
    let rows = statement.query_map([deployment.0], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

fn read(columns: &Row<'_>) -> Result<FieldResolution, StoreError> {
    let resolution: String = columns.get(6)?;
    Ok(FieldResolution {
        key: ObjectKey {
            api_version: columns.get(0)?,
            kind: columns.get(1)?,
            namespace: columns.get(2)?,
            name: columns.get(3)?,
        },
        field: columns.get(4)?,
        manager: columns.get(5)?,
        resolution: row::word("resolutions.resolution", &resolution, Resolution::parse)?,
    })
}
