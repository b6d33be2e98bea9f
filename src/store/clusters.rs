//! Registered clusters.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, StoreError, row};
use crate::domain::{ClusterKind, ClusterRecord};

const COLUMNS: &str = "name, kind, fqdn_suffix, storage_class, ingress_port, ingress_tls_port";

impl Store {
    /// Records a cluster, or the change of one.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn upsert_cluster(&self, cluster: &ClusterRecord) -> Result<(), StoreError> {
        let cluster = cluster.clone();
        self.write("record the cluster", move |transaction| {
            transaction.execute(
                "INSERT INTO clusters (name, kind, fqdn_suffix, storage_class, ingress_port, ingress_tls_port)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, fqdn_suffix = excluded.fqdn_suffix,
                     storage_class = excluded.storage_class, ingress_port = excluded.ingress_port,
                     ingress_tls_port = excluded.ingress_tls_port
                 WHERE (kind, fqdn_suffix, storage_class, ingress_port, ingress_tls_port)
                     IS NOT (excluded.kind, excluded.fqdn_suffix, excluded.storage_class, excluded.ingress_port,
                         excluded.ingress_tls_port)",
                params![
                    cluster.name,
                    cluster.kind.as_str(),
                    cluster.fqdn_suffix,
                    cluster.storage_class,
                    cluster.ingress_port,
                    cluster.ingress_tls_port
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// The cluster of that name.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn cluster(&self, name: &str) -> Result<Option<ClusterRecord>, StoreError> {
        let name = name.to_owned();
        self.read("read the cluster", move |connection| {
            connection
                .query_row(&format!("SELECT {COLUMNS} FROM clusters WHERE name = ?1"), [name], |row| {
                    Ok(read(row))
                })
                .optional()?
                .transpose()
        })
        .await
    }

    /// Every cluster, by name.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn clusters(&self) -> Result<Vec<ClusterRecord>, StoreError> {
        self.read("read the clusters", list).await
    }
}

fn list(connection: &Connection) -> Result<Vec<ClusterRecord>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM clusters ORDER BY name"))?;
    let rows = statement.query_map([], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

fn read(columns: &Row<'_>) -> Result<ClusterRecord, StoreError> {
    let kind: String = columns.get(1)?;
    Ok(ClusterRecord {
        name: columns.get(0)?,
        kind: row::word("clusters.kind", &kind, |word| {
            [ClusterKind::Sandbox, ClusterKind::Kubeconfig].into_iter().find(|kind| kind.as_str() == word)
        })?,
        fqdn_suffix: columns.get(2)?,
        storage_class: columns.get(3)?,
        ingress_port: columns.get(4)?,
        ingress_tls_port: columns.get(5)?,
    })
}
