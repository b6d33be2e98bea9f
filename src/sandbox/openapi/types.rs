//! The types of the built-in kinds with their descriptions, as the `k8s-openapi` library publishes them.

use std::collections::BTreeMap;

use k8s_openapi::api::{
    admissionregistration, apps, authentication, authorization, autoscaling, batch, certificates,
    coordination, core, discovery, events, networking, node, policy, rbac, scheduling, storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions;
use k8s_openapi::apimachinery::pkg::apis::meta;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration;
use k8s_openapi::{Resource, schemars};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::Value;

/// Where a reference points to, before the name of a type.
pub const REFERENCE: &str = "#/components/schemas/";

/// Types by their names (`io.k8s.api.core.v1.Pod`), and which of them is a kind.
#[derive(Debug, Default)]
pub struct Types {
    /// The schemas by name.
    pub schemas: BTreeMap<String, Value>,
    /// The names of the kinds, by group (empty for the core group), version and kind.
    pub kinds: BTreeMap<(String, String, String), String>,
}

/// The package of the types that every kind shares.
pub const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";

macro_rules! add {
    ($types:ident, $generator:ident: $($kind:ty),* $(,)?) => {
        $(add_kind::<$kind>(&mut $types, &mut $generator);)*
    };
}

impl Types {
    /// The name of a kind's type.
    pub fn kind(&self, group: &str, version: &str, kind: &str) -> Option<&str> {
        self.kinds.get(&(group.to_owned(), version.to_owned(), kind.to_owned())).map(String::as_str)
    }
}

/// Every type that the library has and that a server of one of our kinds can need.
pub fn library() -> Types {
    let mut types = Types::default();
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = REFERENCE.trim_start_matches('#').trim_end_matches('/').into();
    });
    let mut generator = SchemaGenerator::new(settings);
    add_core(&mut types, &mut generator);
    add!(types, generator:
        apps::v1::ControllerRevision, apps::v1::DaemonSet, apps::v1::Deployment, apps::v1::ReplicaSet,
        apps::v1::StatefulSet, authentication::v1::SelfSubjectReview, authentication::v1::TokenRequest,
        authentication::v1::TokenReview, authorization::v1::LocalSubjectAccessReview,
        authorization::v1::SelfSubjectAccessReview, authorization::v1::SelfSubjectRulesReview,
        authorization::v1::SubjectAccessReview, autoscaling::v1::HorizontalPodAutoscaler,
        autoscaling::v1::Scale, autoscaling::v2::HorizontalPodAutoscaler, batch::v1::CronJob, batch::v1::Job,
        certificates::v1::CertificateSigningRequest, coordination::v1::Lease, discovery::v1::EndpointSlice,
        events::v1::Event, networking::v1::Ingress, networking::v1::IngressClass,
        networking::v1::NetworkPolicy, node::v1::RuntimeClass, policy::v1::Eviction,
        policy::v1::PodDisruptionBudget, rbac::v1::ClusterRole, rbac::v1::ClusterRoleBinding, rbac::v1::Role,
        rbac::v1::RoleBinding, scheduling::v1::PriorityClass, storage::v1::CSIDriver, storage::v1::CSINode,
        storage::v1::StorageClass, storage::v1::VolumeAttachment,
        admissionregistration::v1::MutatingWebhookConfiguration,
        admissionregistration::v1::ValidatingWebhookConfiguration,
        apiextensions::v1::CustomResourceDefinition, apiregistration::v1::APIService);
    let _ = generator.subschema_for::<meta::v1::DeleteOptions>();
    let _ = generator.subschema_for::<meta::v1::ListMeta>();
    let _ = generator.subschema_for::<meta::v1::Patch>();
    let _ = generator.subschema_for::<meta::v1::Status>();
    types.schemas = generator.take_definitions(false).into_iter().collect();
    types
}

fn add_core(types: &mut Types, generator: &mut SchemaGenerator) {
    let (mut types, mut generator) = (types, generator);
    add!(types, generator:
        core::v1::Binding, core::v1::ConfigMap, core::v1::Endpoints, core::v1::Event, core::v1::LimitRange,
        core::v1::Namespace, core::v1::Node, core::v1::PersistentVolume, core::v1::PersistentVolumeClaim,
        core::v1::Pod, core::v1::PodTemplate, core::v1::ReplicationController, core::v1::ResourceQuota,
        core::v1::Secret, core::v1::Service, core::v1::ServiceAccount);
}

fn add_kind<T: Resource + schemars::JsonSchema>(types: &mut Types, generator: &mut SchemaGenerator) {
    let _ = generator.subschema_for::<T>();
    let key = (T::GROUP.to_owned(), T::VERSION.to_owned(), T::KIND.to_owned());
    types.kinds.insert(key, T::schema_name().into_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_references_are_those_of_a_real_server() {
        let types = library();
        let key = ("apps".to_owned(), "v1".to_owned(), "Deployment".to_owned());
        assert_eq!(types.kinds[&key], "io.k8s.api.apps.v1.Deployment");
        let deployment = &types.schemas["io.k8s.api.apps.v1.Deployment"];
        let spec = deployment["properties"]["spec"]["$ref"].as_str();
        assert_eq!(spec, Some("#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"));
        assert!(types.schemas.contains_key(&format!("{META}ListMeta")));
    }
}
