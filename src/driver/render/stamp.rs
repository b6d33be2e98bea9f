//! What every rendered object carries: the environment's namespace, and the labels by which we find it again.

use serde_json::{Map, Value, json};

use super::manifests::{kind, name};
use crate::domain::labels;
use crate::domain::object::is_cluster_scoped;
use crate::domain::secret::{secret_name, seed_name};

/// Kinds that no driver may bring: they are the cluster itself.
const REFUSED: [&str; 6] =
    ["CSINode", "CertificateSigningRequest", "ComponentStatus", "Namespace", "Node", "PersistentVolume"];

/// Whose objects these are.
pub(super) struct Stamp {
    namespace: String,
    /// The names of the Secrets that Styrmin itself keeps for the deployment.
    own_secrets: [String; 2],
    labels: [(&'static str, String); 3],
}

impl Stamp {
    pub(super) fn of(context: &Value) -> Self {
        let text = |pointer: &str| context.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
        Self {
            namespace: text("/instance/namespace"),
            own_secrets: [secret_name, seed_name].map(|name| name(&text("/deployment/name"))),
            labels: [
                (labels::MANAGED_BY, labels::MANAGER.to_owned()),
                (labels::ENVIRONMENT, text("/environment/name")),
                (labels::DEPLOYMENT, text("/deployment/name")),
            ],
        }
    }

    /// Puts namespace and labels on an object, and the labels on its pod templates and volume claims. Selectors stay as they
    /// are. Nothing that changes with the instance: an object that stays the same is not written again.
    pub(super) fn put_on(&self, object: &mut Value) -> Result<(), String> {
        self.refuse_foreign(object)?;
        let shared = is_cluster_scoped(kind(object));
        let metadata = metadata(object)?;
        match shared {
            true => metadata.remove("namespace"),
            false => metadata.insert("namespace".to_owned(), json!(self.namespace)),
        };
        self.label(metadata)?;

        let template = match kind(object) {
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => "/spec/template",
            "CronJob" => "/spec/jobTemplate/spec/template",
            _ => return Ok(()),
        };
        if let Some(template) = object.pointer_mut(template) {
            self.label(self::metadata(template)?)?;
        }
        for claim in object
            .pointer_mut("/spec/volumeClaimTemplates")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            self.label(self::metadata(claim)?)?;
        }
        Ok(())
    }

    fn refuse_foreign(&self, object: &Value) -> Result<(), String> {
        let shown = format!("the {} '{}'", kind(object), name(object));
        if REFUSED.contains(&kind(object)) {
            return Err(format!("{shown} is part of the cluster itself, a driver may not bring it"));
        }
        if kind(object) == "Secret" && self.own_secrets.iter().any(|own| own == name(object)) {
            return Err(format!(
                "{shown} is where Styrmin keeps the deployment's secrets, a driver may not bring it"
            ));
        }
        let group = object.get("apiVersion").and_then(Value::as_str).unwrap_or("").split('/').next();
        if group == Some(labels::GROUP) {
            return Err(format!("{shown} is Styrmin's own, a driver may not bring it"));
        }
        match object.pointer("/metadata/namespace").and_then(Value::as_str) {
            Some(other) if other != self.namespace => Err(format!(
                "{shown} wants the namespace '{other}', the environment's is '{}': leave it out",
                self.namespace
            )),
            _ => Ok(()),
        }
    }

    fn label(&self, metadata: &mut Map<String, Value>) -> Result<(), String> {
        let found = entry(metadata, "labels")?;
        for (label, value) in &self.labels {
            found.insert((*label).to_owned(), json!(value));
        }
        Ok(())
    }
}

/// The mapping `metadata` of an object or template, made when it is absent.
fn metadata(object: &mut Value) -> Result<&mut Map<String, Value>, String> {
    let object = object.as_object_mut().ok_or("it is no mapping")?;
    entry(object, "metadata")
}

/// A mapping inside a mapping, made when it is absent or null.
fn entry<'a>(map: &'a mut Map<String, Value>, name: &str) -> Result<&'a mut Map<String, Value>, String> {
    let value = map.entry(name).or_insert_with(|| json!({}));
    if value.is_null() {
        *value = json!({});
    }
    value.as_object_mut().ok_or_else(|| format!("{name} is no mapping"))
}
