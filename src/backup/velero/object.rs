//! Velero's resources as they are written. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::domain::backup::{BackupId, Schedule};
use crate::domain::driver::ComponentSpec;
use crate::domain::labels;

use super::API_VERSION;

/// What is backed up: a namespace, or one application of it.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The environment.
    pub environment: &'a str,
    /// The application and its components; none: all of the namespace.
    pub application: Option<(&'a str, &'a BTreeMap<String, ComponentSpec>)>,
    /// The name of the BackupStorageLocation; none: Velero's default one.
    pub storage_location: Option<&'a str>,
}

/// A `Backup` that is to be made now, in Velero's namespace `home`.
pub fn backup(id: &BackupId, scope: &Scope<'_>, home: &str, marks: &[(&str, String)]) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": "Backup",
        "metadata": { "name": id.0, "namespace": home, "labels": labels_of(scope, marks) },
        "spec": template(scope),
    })
}

/// A `Restore` of a backup into the namespace of `scope`.
pub fn restore(
    name: &str,
    backup: &BackupId,
    (from, scope): (&str, &Scope<'_>),
    home: &str,
    marks: &[(&str, String)],
) -> Value {
    let mut spec = json!({
        "backupName": backup.0,
        "includedNamespaces": [from],
        // what exists is changed to what was kept: without this Velero leaves it alone
        "existingResourcePolicy": "update",
        // we render these ourselves
        "excludedResources": ["styrmindeployments.styrmin.io", "nodes", "events", "events.events.k8s.io",
            "backups.velero.io", "restores.velero.io", "resticrepositories.velero.io"],
    });
    if from != scope.namespace {
        spec["namespaceMapping"] = json!({ from: scope.namespace });
    }
    narrow(&mut spec, scope);
    json!({
        "apiVersion": API_VERSION,
        "kind": "Restore",
        "metadata": { "name": name, "namespace": home, "labels": labels_of(scope, marks) },
        "spec": spec,
    })
}

/// A `Schedule` that Velero itself keeps. Times are UTC there unless the expression says otherwise.
pub fn schedule(schedule: &Schedule, scope: &Scope<'_>, home: &str) -> Value {
    let cron = match schedule.time_zone.as_str() {
        "UTC" | "Etc/UTC" | "" => schedule.cron.clone(),
        zone => format!("CRON_TZ={zone} {}", schedule.cron),
    };
    json!({
        "apiVersion": API_VERSION,
        "kind": "Schedule",
        "metadata": { "name": schedule.name, "namespace": home, "labels": labels_of(scope, &[]) },
        "spec": {
            "schedule": cron,
            "paused": schedule.paused.is_some(),
            "skipImmediately": true,
            "template": template(scope),
        },
    })
}

fn labels_of(scope: &Scope<'_>, marks: &[(&str, String)]) -> Map<String, Value> {
    let mut found = Map::new();
    found.insert(labels::MANAGED_BY.to_owned(), labels::MANAGER.into());
    found.insert(labels::ENVIRONMENT.to_owned(), scope.environment.into());
    if let Some((name, _)) = scope.application {
        found.insert(labels::DEPLOYMENT.to_owned(), name.into());
    }
    found.extend(marks.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())));
    found
}

fn template(scope: &Scope<'_>) -> Value {
    let mut spec = json!({ "includedNamespaces": [scope.namespace] });
    if let Some(location) = scope.storage_location {
        spec["storageLocation"] = location.into();
    }
    narrow(&mut spec, scope);
    let hooks =
        scope.application.map(|(_, components)| hooks(scope.namespace, components)).unwrap_or_default();
    if !hooks.is_empty() {
        spec["hooks"] = json!({ "resources": hooks });
    }
    spec
}

/// One application: what is labelled as its own, and the pods of its components, which bring their volumes along.
fn narrow(spec: &mut Value, scope: &Scope<'_>) {
    let Some((name, components)) = scope.application else { return };
    let own = json!({ "matchLabels": { (labels::DEPLOYMENT): name } });
    let pods = components.values().filter(|component| !component.labels.is_empty());
    let selectors: Vec<Value> = std::iter::once(own)
        .chain(pods.map(|component| json!({ "matchLabels": component.labels })))
        .collect();
    spec["orLabelSelectors"] = json!(selectors);
}

/// What makes components hold still, as Velero runs it: before and after the volumes of their pods.
fn hooks(namespace: &str, components: &BTreeMap<String, ComponentSpec>) -> Vec<Value> {
    let still = components.iter().filter_map(|(name, component)| {
        let quiesce = component.backup_target.quiesce.as_ref()?;
        let exec = |argv: &[String], on_error: &str| {
            let mut exec = json!({ "command": argv, "onError": on_error, "timeout": "60s" });
            if let Some(container) = &component.backup_target.container {
                exec["container"] = json!(container);
            }
            json!([{ "exec": exec }])
        };
        Some(json!({
            "name": name,
            "includedNamespaces": [namespace],
            "includedResources": ["pods"],
            "labelSelector": { "matchLabels": component.labels },
            "pre": exec(&quiesce.command, "Fail"),
            // the application has to go on whatever became of the backup
            "post": exec(&quiesce.resume, "Continue"),
        }))
    });
    still.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::driver::{BackupTarget, Quiesce};

    fn components() -> BTreeMap<String, ComponentSpec> {
        let quiesce = Quiesce { command: vec!["lock".into()], resume: vec!["unlock".into()], limit: 600 };
        let db = ComponentSpec {
            labels: BTreeMap::from([("app".to_owned(), "db".to_owned())]),
            backup_target: BackupTarget {
                container: Some("postgres".into()),
                quiesce: Some(quiesce),
                ..BackupTarget::default()
            },
            ..ComponentSpec::default()
        };
        BTreeMap::from([("db".to_owned(), db)])
    }

    #[test]
    fn an_application_is_backed_up_with_the_pods_of_its_components_and_their_hooks() {
        let components = components();
        let scope = Scope {
            namespace: "demo-ns",
            environment: "demo",
            application: Some(("notes", &components)),
            storage_location: Some("offsite"),
        };
        let made = backup(&BackupId("notes-1".into()), &scope, "velero", &[("styrmin.io/step", "1".into())]);
        assert_eq!(
            made,
            json!({
                "apiVersion": "velero.io/v1", "kind": "Backup",
                "metadata": {"name": "notes-1", "namespace": "velero", "labels": {
                    (labels::MANAGED_BY): labels::MANAGER, (labels::ENVIRONMENT): "demo",
                    (labels::DEPLOYMENT): "notes", "styrmin.io/step": "1"}},
                "spec": {
                    "includedNamespaces": ["demo-ns"],
                    "storageLocation": "offsite",
                    "orLabelSelectors": [
                        {"matchLabels": {(labels::DEPLOYMENT): "notes"}}, {"matchLabels": {"app": "db"}}],
                    "hooks": {"resources": [{
                        "name": "db", "includedNamespaces": ["demo-ns"], "includedResources": ["pods"],
                        "labelSelector": {"matchLabels": {"app": "db"}},
                        "pre": [{"exec": {"command": ["lock"], "onError": "Fail", "timeout": "60s", "container": "postgres"}}],
                        "post": [{"exec": {"command": ["unlock"], "onError": "Continue", "timeout": "60s", "container": "postgres"}}],
                    }]},
                },
            })
        );
    }

    #[test]
    fn a_restore_elsewhere_maps_the_namespace() {
        let scope =
            Scope { namespace: "copy", environment: "copy", application: None, storage_location: None };
        let id = BackupId("demo-1".into());
        let elsewhere = restore("r", &id, ("demo", &scope), "velero", &[]);
        assert_eq!(elsewhere["spec"]["namespaceMapping"], json!({"demo": "copy"}));
        assert_eq!(elsewhere["spec"]["backupName"], "demo-1");
        let here = restore("r", &id, ("copy", &scope), "velero", &[]);
        assert!(here["spec"]["namespaceMapping"].is_null());
        assert_eq!(here["spec"]["existingResourcePolicy"], "update");
    }
}
