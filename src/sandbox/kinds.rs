//! The resource types that the sandbox serves: a table of the built-in ones, plus what custom resource definitions add.

use std::collections::HashMap;
use std::sync::Arc;

mod table;

pub use table::built_in;

use super::schema::Schema;

/// One resource of one version of an API group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceType {
    /// `apps`; empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// `deployments`.
    pub plural: String,
    /// `deployment`.
    pub singular: String,
    /// `Deployment`.
    pub kind: String,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// `deploy`.
    pub short_names: Vec<String>,
    /// `all`.
    pub categories: Vec<String>,
    /// Whether it has the status subresource.
    pub status: bool,
    /// Whether it has the scale subresource.
    pub scale: bool,
    /// Whether `metadata.generation` is kept.
    pub generation: bool,
    /// Whether a custom resource definition made it.
    pub custom: bool,
    /// The JSON paths of the fields that a custom resource can be selected by: `.spec.color`.
    pub selectable: Vec<String>,
}

impl ResourceType {
    /// The name by which [`super::api::Api`] knows it: `pods`, `deployments.apps`.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The name of the table that holds its objects. Both kinds of events share one.
    pub fn storage(&self) -> String {
        if self.is_new_event() { "events".to_owned() } else { self.qualified() }
    }

    /// Whether it is `events.k8s.io`'s view of the events.
    pub fn is_new_event(&self) -> bool {
        self.group == "events.k8s.io" && self.plural == "events"
    }

    /// Whether it is measured when somebody asks, never stored (`metrics.k8s.io`).
    pub fn is_measured(&self) -> bool {
        self.group == super::metrics::GROUP
    }

    /// Whether it can be asked for but not made: clients that look through a whole cluster expect the collection, and nothing
    /// would run what is in it.
    pub fn is_never_made(&self) -> bool {
        self.group.is_empty() && self.plural == "replicationcontrollers"
    }

    /// Whether it is only answered, never stored (access reviews).
    pub fn is_review(&self) -> bool {
        self.group == "authorization.k8s.io" || self.group == "authentication.k8s.io"
    }
}

/// All resource types that are served at this moment.
#[derive(Debug, Default)]
pub struct Kinds {
    types: Vec<Arc<ResourceType>>,
    by_name: HashMap<String, Arc<ResourceType>>,
    /// The schemas of custom resources, by qualified name and version.
    schemas: HashMap<(String, String), Schema>,
}

impl Kinds {
    /// The built-in ones.
    pub fn new() -> Self {
        let mut kinds = Self::default();
        for resource_type in built_in() {
            kinds.push(resource_type);
        }
        kinds
    }

    fn push(&mut self, resource_type: ResourceType) {
        let shared = Arc::new(resource_type);
        self.by_name.entry(shared.qualified()).or_insert_with(|| shared.clone());
        self.types.push(shared);
    }

    /// The type with this qualified name; of several versions the first that was added.
    pub fn named(&self, qualified: &str) -> Option<&Arc<ResourceType>> {
        self.by_name.get(qualified)
    }

    /// The type at `/apis/{group}/{version}/{plural}`.
    pub fn served(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<ResourceType>> {
        self.types.iter().find(|t| t.plural == plural && t.version == version && t.group == group)
    }

    /// The type of an object, by its `apiVersion` and `kind`.
    pub fn of_kind(&self, api_version: &str, kind: &str) -> Option<&Arc<ResourceType>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.types.iter().find(|t| t.kind == kind && t.version == version && t.group == group)
    }

    /// All of them, the built-in ones first.
    pub fn all(&self) -> &[Arc<ResourceType>] {
        &self.types
    }

    /// The schema of a version of a custom resource.
    pub fn custom_schema(&self, kind: &ResourceType) -> Option<Schema> {
        self.schemas.get(&(kind.qualified(), kind.version.clone())).cloned()
    }

    /// Puts the versions of a custom resource, the stored one first, in place of those that had the same qualified name.
    pub fn replace_custom(&mut self, qualified: &str, versions: Vec<(ResourceType, Schema)>) {
        self.schemas.retain(|(name, _), _| name != qualified);
        self.types.retain(|t| !t.custom || t.qualified() != qualified);
        if self.by_name.get(qualified).is_some_and(|t| t.custom) {
            self.by_name.remove(qualified);
        }
        for (resource_type, schema) in versions {
            self.schemas.insert((qualified.to_owned(), resource_type.version.clone()), schema);
            self.push(resource_type);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_qualified_by_their_group() {
        let kinds = Kinds::new();
        assert_eq!(kinds.named("pods").map(|t| t.api_version()), Some("v1".to_owned()));
        let deployments = kinds.named("deployments.apps").unwrap();
        assert_eq!((deployments.api_version().as_str(), deployments.scale), ("apps/v1", true));
        assert!(kinds.named("deployments").is_none());
        assert_eq!(kinds.of_kind("apps/v1", "ReplicaSet").unwrap().plural, "replicasets");
        assert_eq!(kinds.served("events.k8s.io", "v1", "events").unwrap().storage(), "events");
    }

    #[test]
    fn custom_types_come_and_go() {
        let mut kinds = Kinds::new();
        let built_in = kinds.all().len();
        let custom = ResourceType {
            group: "styrmin.io".into(),
            version: "v1".into(),
            plural: "things".into(),
            kind: "Thing".into(),
            custom: true,
            ..ResourceType::default()
        };
        kinds.replace_custom("things.styrmin.io", vec![(custom.clone(), Schema::Any)]);
        kinds.replace_custom("things.styrmin.io", vec![(custom, Schema::Any)]);
        assert_eq!(kinds.all().len(), built_in + 1);
        assert!(kinds.named("things.styrmin.io").is_some());
        kinds.replace_custom("things.styrmin.io", Vec::new());
        assert!(kinds.named("things.styrmin.io").is_none());
    }
}
