//! The custom resource: one `StyrminDeployment` per deployment, in the namespace of its environment.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::Timestamp;
use kube::{CustomResource, CustomResourceExt, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::labels;
use crate::domain::world::Condition;
use crate::domain::{DeploymentDraft, DesiredPhase, DriftMode, DriverRef};

/// The annotation with the deployment's random identifier, from which host names derive. With it a lost database is
/// rebuilt without any URL changing.
pub const UID_ANNOTATION: &str = "styrmin.io/uid";
/// The annotation with the number of the desired revision that was last written here or read from here. A spec that
/// differs from that revision was edited by somebody else.
pub const REVISION_ANNOTATION: &str = "styrmin.io/revision";
/// The annotation with the digest of `spec.context`: which instance the context belongs to.
pub const CONTEXT_ANNOTATION: &str = "styrmin.io/context";

/// The annotation with the epoch of the engine that last wrote its own fields: one of an earlier epoch writes nothing more.
pub const EPOCH_ANNOTATION: &str = "styrmin.io/epoch";

/// The annotation that says that volumes go with a custom resource that is deleted.
pub const VOLUMES_ANNOTATION: &str = "styrmin.io/delete-volumes";

/// The plural and group: the name of the definition.
pub const DEFINITION: &str = "styrmindeployments.styrmin.io";
/// `styrmin.io/v1alpha1`.
pub const API_VERSION: &str = "styrmin.io/v1alpha1";
/// The version alone.
pub(super) const VERSION: &str = "v1alpha1";
/// The kind.
pub const KIND: &str = "StyrminDeployment";

/// What should run: one application.
#[derive(CustomResource, Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "styrmin.io",
    version = "v1alpha1",
    kind = "StyrminDeployment",
    plural = "styrmindeployments",
    singular = "styrmindeployment",
    shortname = "sd",
    category = "styrmin",
    namespaced,
    status = "DeploymentStatus",
    printcolumn = r#"{"name": "Driver", "type": "string", "jsonPath": ".spec.driver.name"}"#,
    printcolumn = r#"{"name": "Version", "type": "string", "jsonPath": ".spec.applicationVersion"}"#,
    printcolumn = r#"{"name": "Phase", "type": "string", "jsonPath": ".status.phase"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"}"#,
    printcolumn = r#"{"name": "Instance", "type": "integer", "jsonPath": ".status.instance"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentSpec {
    /// The environment that it belongs to.
    pub environment: String,
    /// The pinned driver version.
    pub driver: DriverSelector,
    /// The version of the application itself.
    pub application_version: String,
    /// The phase that it should be in.
    #[serde(default)]
    pub phase: SpecPhase,
    /// Values of the driver's parameters; absent ones take their defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "free_form")]
    pub parameters: BTreeMap<String, Value>,
    /// What is overridden per component.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub components: BTreeMap<String, ComponentOverride>,
    /// What is done about drift: `correct`, `warn` or `ignore`; as the environment says when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<SpecDrift>,
    /// Host names that it is to answer to beside its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<ExtraHost>,
    /// While true the engine leaves everything as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// The frozen configuration of the newest instance. Written by the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_form")]
    pub context: Option<Value>,
}

/// A host name that the application is to answer to beside its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExtraHost {
    /// The driver's service; its only external one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The host name.
    pub host: String,
}

impl From<ExtraHost> for crate::domain::route::ExtraHost {
    fn from(known: ExtraHost) -> Self {
        Self { service: known.service, host: known.host }
    }
}

/// Names a driver version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriverSelector {
    /// The driver.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The phase that a deployment should be in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SpecPhase {
    /// All components run.
    #[default]
    Running,
    /// All components are scaled to zero, volumes stay.
    Stopped,
    /// It is being taken away.
    Deleting,
}

/// What is done about drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SpecDrift {
    /// It is set right.
    Correct,
    /// It is shown, and left as it is.
    Warn,
    /// It is nobody's business.
    Ignore,
}

impl From<SpecDrift> for DriftMode {
    fn from(mode: SpecDrift) -> Self {
        match mode {
            SpecDrift::Correct => Self::Correct,
            SpecDrift::Warn => Self::Warn,
            SpecDrift::Ignore => Self::Ignore,
        }
    }
}

impl From<ComponentOverride> for crate::domain::ComponentOverride {
    fn from(known: ComponentOverride) -> Self {
        Self { replicas: known.replicas, env: known.env, command: known.command, args: known.args }
    }
}

/// What is overridden for one component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComponentOverride {
    /// How many pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Environment variables that are added.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The command of containers whose driver allows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The arguments of containers whose driver allows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
}

/// What does run, as the engine sees it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DeploymentStatus {
    /// The `metadata.generation` that this status speaks about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The number of the instance that counts as live, or is becoming so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<u32>,
    /// `Pending`, `Applying`, `Running`, `Degraded`, `Stopped`, `Failed`, `Deleting`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// `Ready`, `Reconciling`, `Stalled`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<StatusCondition>,
    /// One entry per component.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentStatus>,
    /// Where it answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// The same with what requests to them find, where somebody sends any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteStatus>,
    /// What was written for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inventory: Option<InventoryStatus>,
    /// When the last complete backup was begun (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<String>,
    /// The last operation, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_operation: Option<String>,
}

/// Where it answers, and whether it does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteStatus {
    /// The driver's service.
    pub service: String,
    /// Complete.
    pub url: String,
    /// `True`, `False`, `Unknown`.
    pub reachable: String,
    /// CamelCase: `Answered`, `DnsFailed`, `ConnectFailed`, `TlsFailed`, `HttpFailed`, `StatusCode`.
    pub reason: String,
    /// In words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When the first certificate of its chain ends to hold (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_ends: Option<String>,
}

/// The inventory in short: enough to know after a restart that nothing has to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InventoryStatus {
    /// How many objects.
    pub count: u32,
    /// The digest of the objects as they were rendered.
    pub rendered: String,
    /// The digest of what the server recorded as written by us.
    pub applied: String,
}

/// A condition. `lastTransitionTime` moves only when `status` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusCondition {
    /// `Ready`, `Reconciling`, `Stalled`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False`, `Unknown`.
    pub status: String,
    /// CamelCase.
    pub reason: String,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The generation that it speaks about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When `status` last changed (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<String>,
}

/// How a component is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComponentStatus {
    /// Its name.
    pub name: String,
    /// `Healthy`, `Progressing`, …
    pub health: String,
    /// Pods that are ready.
    pub ready: u32,
    /// Pods that should be.
    pub desired: u32,
    /// The innermost cause, when it is not healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What the engine that wrote to a custom resource last left on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineTrace {
    /// Its epoch; 0 when none wrote.
    pub epoch: u64,
    /// The digest of the context that it wrote.
    pub context_digest: Option<String>,
}

/// A custom resource as the index keeps it: what the engine and the cockpit need, nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentResource {
    /// Its namespace.
    pub namespace: String,
    /// Its name: the deployment's.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// `metadata.generation`.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// `metadata.finalizers`.
    pub finalizers: Vec<String>,
    /// The deployment's random identifier, when the engine wrote it.
    pub deployment_uid: Option<String>,
    /// The desired revision that was last exchanged with the records.
    pub revision: Option<u64>,
    /// What the engine that wrote last left on it.
    pub trace: EngineTrace,
    /// Who changed its spec last, of those who are not the engine: a field manager.
    pub editor: Option<String>,
    /// Whether its volumes go with it, as an annotation says.
    pub delete_volumes: bool,
    /// What should run. The context is left out: it is large, and the records have it.
    pub spec: DeploymentSpec,
    /// What does.
    pub status: DeploymentStatus,
}

impl DeploymentResource {
    /// Its draft: what somebody asks for with it.
    pub fn draft(&self) -> DeploymentDraft {
        DeploymentDraft {
            typed: Default::default(),
            name: self.name.clone(),
            environment: self.spec.environment.clone(),
            driver: DriverRef {
                name: self.spec.driver.name.clone(),
                version: self.spec.driver.version.clone(),
            },
            application_version: self.spec.application_version.clone(),
            parameters: self.spec.parameters.clone(),
            components: self
                .spec
                .components
                .iter()
                .map(|(name, o)| (name.clone(), o.clone().into()))
                .collect(),
            drift: self.spec.drift.map(Into::into),
            hosts: self.spec.hosts.iter().cloned().map(Into::into).collect(),
        }
    }

    /// The phase that it should be in; a resource that is being deleted is on its way out whatever its spec says.
    pub fn phase(&self) -> DesiredPhase {
        match self.spec.phase {
            _ if self.deleting => DesiredPhase::Deleting,
            SpecPhase::Running => DesiredPhase::Running,
            SpecPhase::Stopped => DesiredPhase::Stopped,
            SpecPhase::Deleting => DesiredPhase::Deleting,
        }
    }

    /// Its conditions, as the cockpit shows them.
    pub fn conditions(&self) -> Vec<Condition> {
        let convert = |condition: &StatusCondition| Condition {
            kind: condition.kind.clone(),
            status: condition.status.clone(),
            reason: condition.reason.clone(),
            message: condition.message.clone(),
            since: condition.last_transition_time.as_ref().and_then(|time| time.parse().ok()),
        };
        self.status.conditions.iter().map(convert).collect()
    }

    /// Whether our finalizer holds it.
    pub fn has_finalizer(&self) -> bool {
        self.finalizers.iter().any(|name| name == labels::FINALIZER)
    }
}

impl From<StyrminDeployment> for DeploymentResource {
    fn from(object: StyrminDeployment) -> Self {
        let annotation = |name: &str| object.annotations().get(name).cloned();
        Self {
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
            resource_version: object.resource_version().unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            deleting: object.metadata.deletion_timestamp.is_some(),
            created: object.creation_timestamp().map(|time| time.0),
            finalizers: object.finalizers().to_vec(),
            deployment_uid: annotation(UID_ANNOTATION),
            revision: annotation(REVISION_ANNOTATION).and_then(|number| number.parse().ok()),
            trace: EngineTrace {
                epoch: annotation(EPOCH_ANNOTATION)
                    .and_then(|number| number.parse().ok())
                    .unwrap_or_default(),
                context_digest: annotation(CONTEXT_ANNOTATION),
            },
            editor: editor(&object),
            delete_volumes: annotation(VOLUMES_ANNOTATION).as_deref() == Some("true"),
            status: object.status.clone().unwrap_or_default(),
            spec: DeploymentSpec { context: None, ..object.spec },
        }
    }
}

/// The field manager that changed something last, of those who are not the engine.
fn editor(object: &StyrminDeployment) -> Option<String> {
    let entries = object.metadata.managed_fields.iter().flatten();
    let others = entries.filter(|entry| {
        let name = entry.manager.as_deref().unwrap_or_default();
        entry.subresource.as_deref().unwrap_or_default().is_empty() && !name.starts_with(labels::MANAGER)
    });
    others.max_by_key(|entry| entry.time.as_ref().map(|time| time.0))?.manager.clone()
}

impl From<DesiredPhase> for SpecPhase {
    fn from(phase: DesiredPhase) -> Self {
        match phase {
            DesiredPhase::Running => Self::Running,
            DesiredPhase::Stopped => Self::Stopped,
            DesiredPhase::Deleting => Self::Deleting,
        }
    }
}

/// The definition of the custom resource, as it is installed.
///
/// # Errors
/// Never in practice: the definition is made of plain data.
pub fn definition() -> Result<Value, serde_json::Error> {
    static MADE: OnceLock<Value> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(made.clone());
    }
    let mut definition = serde_json::to_value(StyrminDeployment::crd())?;
    drop_empty_defaults(&mut definition["spec"]["versions"]);
    Ok(MADE.get_or_init(|| definition).clone())
}

/// Older servers take an empty default for none at all, and refuse the schema. Absent fields are read as empty anyway.
fn drop_empty_defaults(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                name != "default" || value.as_str().is_some_and(|text| !text.is_empty())
            });
            fields.values_mut().for_each(drop_empty_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty_defaults),
        _ => {}
    }
}

/// An object with any content: the driver decides what is in it.
fn free_form(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// A plain resource for tests of this crate.
#[cfg(test)]
pub(crate) fn sample(namespace: &str, name: &str) -> DeploymentResource {
    DeploymentResource {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        uid: format!("{namespace}-{name}"),
        resource_version: "1".to_owned(),
        generation: 1,
        deleting: false,
        created: None,
        finalizers: vec![labels::FINALIZER.to_owned()],
        deployment_uid: Some("0011aabb".to_owned()),
        revision: Some(1),
        trace: EngineTrace::default(),
        editor: None,
        delete_volumes: false,
        spec: DeploymentSpec {
            environment: namespace.to_owned(),
            driver: DriverSelector { name: "notes".to_owned(), version: "1.0.0".to_owned() },
            application_version: "1.0.0".to_owned(),
            phase: SpecPhase::Running,
            parameters: BTreeMap::new(),
            components: BTreeMap::new(),
            drift: None,
            hosts: Vec::new(),
            suspend: false,
            context: None,
        },
        status: DeploymentStatus::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_definition_is_what_the_design_says() {
        let crd = definition().unwrap();
        assert_eq!(crd["metadata"]["name"], DEFINITION);
        assert_eq!(crd["spec"]["scope"], "Namespaced");
        assert_eq!(crd["spec"]["names"]["shortNames"], json!(["sd"]));
        let version = &crd["spec"]["versions"][0];
        assert_eq!(version["name"], "v1alpha1");
        assert_eq!(version["subresources"], json!({"status": {}}));
        let columns: Vec<&str> = version["additionalPrinterColumns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| column["name"].as_str().unwrap())
            .collect();
        assert_eq!(columns, ["Driver", "Version", "Phase", "Ready", "Instance", "Age"]);
        let spec = &version["schema"]["openAPIV3Schema"]["properties"]["spec"];
        assert_eq!(spec["required"], json!(["applicationVersion", "driver", "environment"]));
        assert_eq!(spec["properties"]["context"]["x-kubernetes-preserve-unknown-fields"], true);
        assert_eq!(spec["properties"]["phase"]["default"], "Running");
        assert!(!crd.to_string().contains("\"default\":\"\""), "{crd}");
        assert_eq!(spec["properties"]["phase"]["enum"], json!(["Running", "Stopped", "Deleting"]));
    }

    #[test]
    fn a_resource_becomes_a_draft() {
        let object: StyrminDeployment = serde_json::from_value(json!({
            "apiVersion": API_VERSION, "kind": KIND,
            "metadata": {"name": "notes", "namespace": "demo", "uid": "u", "resourceVersion": "7", "generation": 2,
                "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["styrmin.io/cleanup"],
                "annotations": {"styrmin.io/uid": "abc", "styrmin.io/revision": "3"}},
            "spec": {"environment": "demo", "driver": {"name": "notes", "version": "1"}, "applicationVersion": "1.0.0",
                "parameters": {"title": "x"}}
        }))
        .unwrap();
        let resource = DeploymentResource::from(object);
        assert_eq!(resource.draft().parameters["title"], "x");
        assert_eq!(resource.spec.phase, SpecPhase::Running);
        assert_eq!(resource.phase(), DesiredPhase::Deleting);
        assert_eq!((resource.revision, resource.deployment_uid.as_deref()), (Some(3), Some("abc")));
        assert!(resource.has_finalizer());
    }
}
