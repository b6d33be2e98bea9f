//! Environments.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::{is_dangling, is_duplicate};
use super::{Store, StoreError, row};
use crate::domain::{DriftMode, Environment};

const COLUMNS: &str = "name, cluster, namespace, ingress_class, fqdn_suffix, production, drift, labels, quota, ip_whitelist, dedicated_ingress, backup_location, routing";

impl Store {
    /// Records an environment, or the change of one. Its cluster must be recorded.
    ///
    /// # Errors
    /// The cluster is missing, another environment of the cluster has its namespace, or SQLite refused.
    pub async fn upsert_environment(&self, environment: &Environment) -> Result<(), StoreError> {
        let environment = environment.clone();
        self.write("record the environment", move |transaction| {
            let outcome = transaction.execute(
                "INSERT INTO environments (cluster, name, namespace, ingress_class, fqdn_suffix, production,
                     drift, labels, quota, ip_whitelist, dedicated_ingress, backup_location, routing)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                 ON CONFLICT (cluster, name) DO UPDATE SET namespace = excluded.namespace,
                     ingress_class = excluded.ingress_class, fqdn_suffix = excluded.fqdn_suffix,
                     production = excluded.production, drift = excluded.drift, labels = excluded.labels,
                     quota = excluded.quota, ip_whitelist = excluded.ip_whitelist,
                     dedicated_ingress = excluded.dedicated_ingress,
                     backup_location = excluded.backup_location, routing = excluded.routing
                 WHERE (namespace, ingress_class, fqdn_suffix, production, drift, labels, quota, ip_whitelist,
                     dedicated_ingress, backup_location, routing) IS NOT
                     (excluded.namespace, excluded.ingress_class, excluded.fqdn_suffix, excluded.production,
                      excluded.drift, excluded.labels, excluded.quota, excluded.ip_whitelist,
                      excluded.dedicated_ingress, excluded.backup_location, excluded.routing)",
                params![
                    environment.cluster,
                    environment.name,
                    environment.namespace,
                    environment.ingress_class,
                    environment.fqdn_suffix,
                    environment.production,
                    environment.drift.as_str(),
                    row::to_json("environments.labels", &environment.labels)?,
                    row::to_json("environments.quota", &environment.quota)?,
                    row::to_json("environments.ip_whitelist", &environment.ip_whitelist)?,
                    environment
                        .dedicated_ingress
                        .as_ref()
                        .map(|ingress| row::to_json("environments.dedicated_ingress", ingress))
                        .transpose()?,
                    environment.backup_location,
                    row::to_json("environments.routing", &environment.routing)?
                ],
            );
            match outcome {
                Err(error) if is_duplicate(&error) => Err(StoreError::Exists {
                    what: "environment in the namespace",
                    name: environment.namespace,
                }),
                Err(error) if is_dangling(&error) => {
                    Err(StoreError::Missing { what: "cluster", name: environment.cluster })
                }
                other => Ok(other.map(|_| ())?),
            }
        })
        .await
    }

    /// The environment of that name on that cluster.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn environment(&self, cluster: &str, name: &str) -> Result<Option<Environment>, StoreError> {
        let (cluster, name) = (cluster.to_owned(), name.to_owned());
        self.read("read the environment", move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM environments WHERE cluster = ?1 AND name = ?2");
            connection.query_row(&sql, [cluster, name], |row| Ok(read(row))).optional()?.transpose()
        })
        .await
    }

    /// Takes an environment out of the records. What is recorded in it must be gone.
    ///
    /// # Errors
    /// Something is recorded in it, or SQLite refused.
    pub async fn delete_environment(&self, cluster: &str, name: &str) -> Result<(), StoreError> {
        let (cluster, name) = (cluster.to_owned(), name.to_owned());
        self.write("forget the environment", move |transaction| {
            transaction
                .execute("DELETE FROM environments WHERE cluster = ?1 AND name = ?2", [cluster, name])?;
            Ok(())
        })
        .await
    }

    /// The environments of a cluster, by name.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn environments(&self, cluster: &str) -> Result<Vec<Environment>, StoreError> {
        let cluster = cluster.to_owned();
        self.read("read the environments", move |connection| list(connection, &cluster)).await
    }
}

fn list(connection: &Connection, cluster: &str) -> Result<Vec<Environment>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM environments WHERE cluster = ?1 ORDER BY name");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([cluster], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

fn read(columns: &Row<'_>) -> Result<Environment, StoreError> {
    let (drift, labels, quota): (String, String, String) =
        (columns.get(6)?, columns.get(7)?, columns.get(8)?);
    let (ip_whitelist, dedicated): (String, Option<String>) = (columns.get(9)?, columns.get(10)?);
    let routing: String = columns.get(12)?;
    Ok(Environment {
        name: columns.get(0)?,
        cluster: columns.get(1)?,
        namespace: columns.get(2)?,
        ingress_class: columns.get(3)?,
        fqdn_suffix: columns.get(4)?,
        production: columns.get(5)?,
        drift: row::word("environments.drift", &drift, DriftMode::parse)?,
        labels: row::from_json("environments.labels", &labels)?,
        quota: row::from_json("environments.quota", &quota)?,
        ip_whitelist: row::from_json("environments.ip_whitelist", &ip_whitelist)?,
        dedicated_ingress: dedicated
            .map(|text| row::from_json("environments.dedicated_ingress", &text))
            .transpose()?,
        backup_location: columns.get(11)?,
        routing: row::from_json("environments.routing", &routing)?,
    })
}
