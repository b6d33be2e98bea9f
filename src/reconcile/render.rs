//! From a driver and a frozen context to the objects, as they are applied: in order, labelled, and scaled to zero when stopped.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::cluster::key;
use crate::domain::canonical::canonical_digest;
use crate::domain::names::digest;
use crate::domain::object::is_cluster_scoped;
use crate::domain::{Deployment, DesiredPhase, DriverVersion, Environment, ObjectKey, Problem, Role, labels};
use crate::driver::{self, Circumstances, Outcome};

use super::situation::{Rendered, RenderedObject};

/// Where an object stands in the order of application: what others need comes first.
pub fn rank(key: &ObjectKey) -> usize {
    const ORDER: [&str; 25] = [
        "Namespace",
        "PriorityClass",
        "StorageClass",
        "IngressClass",
        "RuntimeClass",
        "GatewayClass",
        "NetworkPolicy",
        "ResourceQuota",
        "LimitRange",
        "PodDisruptionBudget",
        "CustomResourceDefinition",
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
        "Role",
        "RoleBinding",
        "Secret",
        "ConfigMap",
        "PersistentVolumeClaim",
        "Service",
        "DaemonSet",
        "StatefulSet",
        "Deployment",
        "Job",
        "CronJob",
    ];
    ORDER.iter().position(|kind| *kind == key.kind).unwrap_or(ORDER.len())
}

/// What an instance consists of.
pub struct Source {
    /// The driver version.
    pub driver: Arc<DriverVersion>,
    /// The frozen configuration.
    pub context: Value,
    /// What it belongs to.
    pub deployment: Deployment,
    /// Where.
    pub environment: Environment,
}

impl Source {
    /// The objects, in the order of their application. Nothing is asked or written.
    ///
    /// # Errors
    /// When the driver cannot be rendered, or renders what does not belong here.
    pub fn render(&self, circumstances: &Circumstances<'_>) -> Result<Outcome, Problem> {
        let mut parts = match driver::render(&self.driver, &self.context, circumstances)? {
            Outcome::Rendered(parts) => parts,
            wants @ Outcome::Wants(_) => return Ok(wants),
        };
        let hooks = parts.hooks.iter_mut().map(|hook| &mut hook.object);
        for object in parts.objects.iter_mut().chain(hooks) {
            self.prepare(object)?;
        }
        parts.objects.sort_by_key(|object| rank(&key(object)));
        let hooks = parts.hooks.iter().map(|hook| &hook.object);
        let mut keys: Vec<ObjectKey> = parts.objects.iter().chain(hooks).map(key).collect();
        keys.sort();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(self.refusal(&format!("it renders {} twice", pair[0])));
        }
        Ok(Outcome::Rendered(parts))
    }

    fn prepare(&self, object: &mut Value) -> Result<(), Problem> {
        let namespace = &self.environment.namespace;
        let found = key(object);
        if found.name.is_empty() || found.kind.is_empty() {
            return Err(self.refusal("it renders an object without kind or name"));
        }
        if is_cluster_scoped(&found.kind) {
            // it is everybody's, and its labels say whose
        } else if found.namespace.is_empty() {
            object["metadata"]["namespace"] = namespace.clone().into();
        } else if found.namespace != *namespace {
            let why =
                format!("it renders {found} into namespace '{}', outside its environment", found.namespace);
            return Err(self.refusal(&why));
        }
        let labels = [
            (labels::MANAGED_BY, labels::MANAGER),
            (labels::ENVIRONMENT, self.environment.name.as_str()),
            (labels::DEPLOYMENT, self.deployment.draft.name.as_str()),
        ];
        for (name, value) in labels {
            object["metadata"]["labels"][name] = value.into();
        }
        scale(object, &self.context);
        keep_last_variables(object);
        if self.deployment.phase == DesiredPhase::Stopped {
            scale_to_zero(object);
        }
        Ok(())
    }

    fn refusal(&self, why: &str) -> Problem {
        Problem::new(
            format!("the driver {} cannot be rendered", self.driver.reference),
            why,
            "correct the driver, give it a new version, and load it",
        )
    }
}

/// Whether its kind has a number of replicas.
fn scales(object: &Value) -> bool {
    matches!(object["kind"].as_str(), Some("Deployment" | "StatefulSet" | "ReplicaSet"))
}

/// Gives a workload as many replicas as the context says for its component, which its labels, or those of its pods, name.
fn scale(object: &mut Value, context: &Value) {
    if !scales(object) {
        return;
    }
    let carries = |wanted: &Map<String, Value>| {
        let places = ["/metadata/labels", "/spec/template/metadata/labels"];
        let mut found = places.into_iter().filter_map(|place| object.pointer(place));
        !wanted.is_empty()
            && found.any(|labels| wanted.iter().all(|(name, value)| labels.get(name) == Some(value)))
    };
    let components = context["components"].as_object().into_iter().flatten();
    let replicas = components
        .filter(|(_, component)| component["labels"].as_object().is_some_and(carries))
        .find_map(|(_, component)| component["replicas"].as_u64());
    if let Some(replicas) = replicas {
        object["spec"]["replicas"] = replicas.into();
    }
}

/// Of variables with one name, the last one counts, as it does in a container. The server would refuse the whole list.
fn keep_last_variables(object: &mut Value) {
    let Some(pod) = object.pointer_mut("/spec/template/spec") else { return };
    for part in ["initContainers", "containers"] {
        for container in pod.get_mut(part).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(variables) = container.get_mut("env").and_then(Value::as_array_mut) else { continue };
            let names: Vec<Value> = variables.iter().map(|variable| variable["name"].clone()).collect();
            let mut position = 0;
            variables.retain(|variable| {
                position += 1;
                !names[position..].contains(&variable["name"])
            });
        }
    }
}

/// Takes away what runs and keeps the rest.
fn scale_to_zero(object: &mut Value) {
    if scales(object) {
        object["spec"]["replicas"] = 0.into();
    }
}

/// What an object is to its deployment, as its labels tell.
pub fn role(object: &Value) -> Role {
    Role::of(|label| !object["metadata"]["labels"][label].is_null())
}

/// The objects by name and digest; whether they can be seen is for the observer to say.
pub fn digests(objects: &[Value]) -> Rendered {
    let one = |object: &Value| RenderedObject {
        key: key(object),
        digest: canonical_digest(object),
        role: role(object),
        visible: false,
    };
    let objects: Vec<RenderedObject> = objects.iter().map(one).collect();
    let all: Vec<&str> = objects.iter().map(|object| object.digest.as_str()).collect();
    Rendered { digest: digest(all.join("\n").as_bytes()), objects }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_others_need_comes_first() {
        let rank =
            |kind: &str| rank(&key(&json!({"apiVersion": "x", "kind": kind, "metadata": {"name": "n"}})));
        let order = [
            "Namespace",
            "Secret",
            "PersistentVolumeClaim",
            "Service",
            "StatefulSet",
            "Deployment",
            "Ingress",
        ];
        assert!(order.windows(2).all(|pair| rank(pair[0]) < rank(pair[1])));
    }

    #[test]
    fn stopping_scales_workloads_only() {
        let mut service = json!({"kind": "Service", "spec": {}});
        scale_to_zero(&mut service);
        assert_eq!(service, json!({"kind": "Service", "spec": {}}));
        let mut deployment = json!({"kind": "Deployment", "spec": {"replicas": 3}});
        scale_to_zero(&mut deployment);
        assert_eq!(deployment["spec"]["replicas"], 0);
    }

    #[test]
    fn overrides_scale_the_workloads_of_their_component() {
        let context = json!({"components": {
            "db": {"labels": {"part": "db"}, "replicas": 2},
            "none": {"labels": {}, "replicas": 7},
            "web": {"labels": {"part": "web"}},
        }});
        let mut database = json!({"kind": "StatefulSet", "spec": {"replicas": 1,
            "template": {"metadata": {"labels": {"part": "db", "more": "x"}}}}});
        scale(&mut database, &context);
        assert_eq!(database["spec"]["replicas"], 2);
        let mut web =
            json!({"kind": "Deployment", "metadata": {"labels": {"part": "web"}}, "spec": {"replicas": 1}});
        scale(&mut web, &context);
        assert_eq!(web["spec"]["replicas"], 1);
    }

    #[test]
    fn the_last_variable_of_a_name_counts() {
        let variable = |name: &str, value: &str| json!({"name": name, "value": value});
        let env = json!([variable("A", "1"), variable("B", "2"), variable("A", "3")]);
        let mut object = json!({"spec": {"template": {"spec": {"containers": [{"env": env}, {}]}}}});
        keep_last_variables(&mut object);
        let env = &object["spec"]["template"]["spec"]["containers"][0]["env"];
        assert_eq!(*env, json!([variable("B", "2"), variable("A", "3")]));
        assert_eq!(object["spec"]["template"]["spec"]["containers"][1], json!({}));
    }
}
