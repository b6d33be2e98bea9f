//! Installing Styrmin on a cluster: the custom resource's definition, a namespace for the agent, and the roles that it and
//! people need. Nothing is written before a person confirmed the plan.

use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::names::digest;
use crate::domain::plan::Verb;
use crate::domain::world::Installed;
use crate::domain::{ObjectKey, Plan, Problem, Step, labels};

use super::apply::ApplyOptions;
use super::error::ClusterError;
use super::{Cluster, project, resource};

/// The namespace of the agent.
pub const SYSTEM_NAMESPACE: &str = "styrmin-system";
const AGENT: &str = "styrmin-agent";
/// How long the server may take to serve a new definition.
const ESTABLISH_TIMEOUT: Duration = Duration::from_secs(30);

impl Cluster {
    /// What installing would write. Nothing is written.
    ///
    /// # Errors
    /// When the cluster does not answer, or would refuse one of the objects.
    pub async fn installation(&self) -> Result<Plan, Problem> {
        let mut plan = Plan {
            title: format!("Install Styrmin on {}", self.name()),
            cluster: self.name().to_owned(),
            target: SYSTEM_NAMESPACE.to_owned(),
            ..Plan::default()
        };
        let mut namespace_exists = true;
        for (object, note) in objects()? {
            let key = project::key(&object);
            let inside = key.namespace == SYSTEM_NAMESPACE;
            let verb = match inside && !namespace_exists {
                true => self.is_namespaced(&key).await.map(|_| Verb::Create),
                false => self.compare(&object, false).await.map(|comparison| comparison.verb),
            };
            let verb = match verb {
                Ok(verb) => verb,
                Err(ClusterError::Unserved { kind, .. }) => {
                    plan.warnings.push(format!("the cluster does not serve {kind}: {key} is left out"));
                    continue;
                }
                Err(error) => return Err(error.problem()),
            };
            if key.kind == "Namespace" {
                namespace_exists = verb != Verb::Create;
            }
            let digest = digest(object.to_string().as_bytes());
            plan.steps.push(Step { note: note.to_owned(), digest, ..Step::on(verb, key) });
        }
        let mut served = Step::named(Verb::Wait, "wait until the custom resource is served");
        served.after = (0..plan.steps.len()).collect();
        plan.steps.push(served);
        Ok(plan)
    }

    /// Writes what [`Self::installation`] showed, and waits until the custom resource is served.
    ///
    /// # Errors
    /// When the plan is no longer the one that was confirmed, or an object is refused.
    pub async fn install(&self, plan_hash: &str) -> Result<(), Problem> {
        let plan = self.installation().await?;
        if plan.hash() != plan_hash {
            return Err(Problem::new(
                "the installation plan is out of date",
                "the cluster changed since it was shown",
                "look at the new plan and confirm it again",
            ));
        }
        let wanted = |object: &Value| {
            let key = project::key(object);
            plan.steps.iter().any(|step| step.object.as_ref() == Some(&key) && step.verb != Verb::Unchanged)
        };
        for (object, _) in objects()? {
            if wanted(&object) {
                self.apply(&object, ApplyOptions::default()).await?;
            }
        }
        self.until_installed().await
    }

    /// Writes one object of the installation.
    ///
    /// # Errors
    /// What the server says against it; [`ClusterError::Other`] when it is not part of the installation.
    pub async fn install_object(&self, wanted: &ObjectKey) -> Result<(), ClusterError> {
        let objects = objects().map_err(|problem| ClusterError::Other {
            object: wanted.to_string(),
            message: problem.to_string(),
        })?;
        let found = objects.into_iter().find(|(object, _)| project::key(object) == *wanted);
        let Some((object, _)) = found else {
            let message = "it is not part of the installation any more".to_owned();
            return Err(ClusterError::Other { object: wanted.to_string(), message });
        };
        self.apply(&object, ApplyOptions::default()).await.map(|_| ())
    }

    /// Waits until the custom resource is served.
    ///
    /// # Errors
    /// When that takes longer than a server needs.
    pub async fn until_installed(&self) -> Result<(), Problem> {
        self.watch_deployments();
        let mut installed = self.0.installed.subscribe();
        let served = installed.wait_for(|state| *state == Installed::Yes);
        match tokio::time::timeout(ESTABLISH_TIMEOUT, served).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Problem::new(
                "the cluster does not serve the custom resource",
                format!("{} was written but is not established", resource::DEFINITION),
                format!("see: kubectl describe crd {}", resource::DEFINITION),
            )),
        }
    }
}

/// Everything that is installed, in the order of its writing, with a few words each.
fn objects() -> Result<Vec<(Value, &'static str)>, Problem> {
    let mut definition = resource::definition().map_err(|error| {
        Problem::new(
            "the custom resource has no definition",
            error.to_string(),
            "report this: it is a defect",
        )
    })?;
    definition["metadata"]["labels"] = json!({labels::MANAGED_BY: labels::MANAGER});
    // The server fills these; applied as null they would be refused.
    if let Some(fields) = definition.as_object_mut() {
        fields.remove("status");
    }
    Ok(vec![
        (definition, "one object per deployment"),
        (object("v1", "Namespace", SYSTEM_NAMESPACE), "the agent's home"),
        (in_system("v1", "ServiceAccount"), "the agent's identity"),
        (role(AGENT, &json!({}), &agent_rules()), "what the agent may do"),
        (binding(), "gives the agent its role"),
        (role("styrmin-edit", &aggregated(&["admin", "edit"]), &rules_of(&["*"])), "editors may deploy"),
        (
            role("styrmin-view", &aggregated(&["view"]), &rules_of(&["get", "list", "watch"])),
            "viewers may look",
        ),
    ])
}

fn object(api_version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "labels": {labels::MANAGED_BY: labels::MANAGER}}})
}

fn in_system(api_version: &str, kind: &str) -> Value {
    let mut object = object(api_version, kind, AGENT);
    object["metadata"]["namespace"] = SYSTEM_NAMESPACE.into();
    object
}

fn role(name: &str, more_labels: &Value, rules: &Value) -> Value {
    let mut role = object("rbac.authorization.k8s.io/v1", "ClusterRole", name);
    if let (Some(labels), Some(more)) = (role["metadata"]["labels"].as_object_mut(), more_labels.as_object())
    {
        labels.extend(more.clone());
    }
    role["rules"] = rules.clone();
    role
}

fn binding() -> Value {
    let mut binding = object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", AGENT);
    binding["roleRef"] =
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": AGENT});
    binding["subjects"] = json!([{"kind": "ServiceAccount", "name": AGENT, "namespace": SYSTEM_NAMESPACE}]);
    binding
}

fn aggregated(to: &[&str]) -> Value {
    to.iter()
        .map(|role| (format!("rbac.authorization.k8s.io/aggregate-to-{role}"), Value::from("true")))
        .collect()
}

fn rules_of(verbs: &[&str]) -> Value {
    json!([{"apiGroups": [labels::GROUP], "resources": ["styrmindeployments", "styrmindeployments/status"], "verbs": verbs}])
}

/// What drivers render, what is watched, and what is run inside pods. Nodes, roles and other people's definitions are not in it;
/// Gateways and classes of ingress are looked at only.
fn agent_rules() -> Value {
    json!([
        {"apiGroups": [labels::GROUP], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch", "create", "patch", "delete"]},
        {"apiGroups": [""], "resources": ["services", "configmaps", "secrets", "serviceaccounts",
            "persistentvolumeclaims", "events", "pods"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods/exec", "pods/portforward"], "verbs": ["get", "create"]},
        {"apiGroups": [""], "resources": ["services/proxy"], "verbs": ["get"]},
        {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets", "daemonsets", "replicasets"], "verbs": ["*"]},
        {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["*"]},
        {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses", "networkpolicies"], "verbs": ["*"]},
        {"apiGroups": ["networking.k8s.io"], "resources": ["ingressclasses"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"], "verbs": ["*"]},
        {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["gateways", "gatewayclasses"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["gateway.envoyproxy.io"], "resources": ["securitypolicies"], "verbs": ["*"]},
        {"apiGroups": ["traefik.io"], "resources": ["ingressroutes", "middlewares"], "verbs": ["*"]},
        {"apiGroups": ["cert-manager.io"], "resources": ["certificates"], "verbs": ["*"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["velero.io"], "resources": ["backups", "restores", "schedules", "deletebackuprequests", "podvolumebackups",
            "datauploads", "backupstoragelocations"], "verbs": ["get", "list", "watch", "create", "patch", "delete"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]},
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_ours_and_named_once() {
        let objects = objects().unwrap();
        let mut keys: Vec<_> = objects.iter().map(|(object, _)| project::key(object)).collect();
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!((keys.len(), count), (7, 7));
        for (object, note) in objects {
            assert_eq!(object["metadata"]["labels"][labels::MANAGED_BY], "styrmin", "{note}");
        }
    }
}
