//! The Job of an action: one pod like those of a component, with another command.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

/// How long a Job stays after its end, with its pod and its log.
pub const KEPT_FOR: Duration = Duration::from_secs(3600);
/// The container's name where no component lends one.
const CONTAINER: &str = "main";

/// What of a component's pod the Job's pod gets as it is.
const OF_THE_POD: [&str; 13] = [
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "imagePullSecrets",
    "nodeSelector",
    "os",
    "priorityClassName",
    "runtimeClassName",
    "securityContext",
    "serviceAccountName",
    "tolerations",
];
/// What of its container.
const OF_THE_CONTAINER: [&str; 7] =
    ["env", "envFrom", "image", "imagePullPolicy", "resources", "securityContext", "workingDir"];
/// A value of a variable of a Job.
#[derive(Clone, PartialEq, Eq)]
pub enum JobValue {
    /// The value itself.
    Plain(String),
    /// A key of a Secret in the Job's namespace.
    Secret {
        /// The Secret's name.
        secret: String,
        /// The key.
        key: String,
    },
}

/// What is to be run.
#[derive(Clone, PartialEq, Eq)]
pub struct JobSpec {
    /// Its namespace.
    pub namespace: String,
    /// Its name: the same for the same call, so that it is found again after a crash.
    pub name: String,
    /// The labels of the Job and of its pod. They tell whose it is; a component's own would make its Service select the pod.
    pub labels: BTreeMap<String, String>,
    /// The container of the component's pod that lends its image and its settings; the first one when none.
    pub container: Option<String>,
    /// Another image than the component's; needed where no component lends one.
    pub image: Option<String>,
    /// What is run instead of the image's entrypoint; the entrypoint when empty.
    pub command: Vec<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables beside the component's; of the same name instead of them.
    pub env: Vec<(String, JobValue)>,
    /// How long it may take, from its creation to its end.
    pub timeout: Duration,
}

/// The Job. `template` is the pod template of the component (`spec.template` of its workload). Of its containers the one that
/// lends is there, and no init container.
///
/// # Errors
/// When there is no image, or the component has no such container.
pub fn job(spec: &JobSpec, template: Option<&Value>) -> Result<Value, String> {
    let lender = template.map(|template| &template["spec"]);
    let mut container = container(spec, lender)?;
    add_variables(&mut container, &spec.env);
    let mut pod = Map::new();
    if let Some(lender) = lender {
        copy(&mut pod, lender, &OF_THE_POD);
        lend_volumes(&mut pod, &mut container, lender);
    }
    if !spec.command.is_empty() {
        container.insert("command".to_owned(), json!(spec.command));
    }
    if !spec.args.is_empty() {
        container.insert("args".to_owned(), json!(spec.args));
    }
    pod.insert("restartPolicy".to_owned(), json!("Never"));
    pod.insert("containers".to_owned(), json!([container]));
    Ok(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": spec.name, "namespace": spec.namespace, "labels": spec.labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": spec.timeout.as_millis().div_ceil(1000).max(1) as u64,
            "ttlSecondsAfterFinished": KEPT_FOR.as_secs(),
            "template": {"metadata": {"labels": spec.labels}, "spec": pod},
        },
    }))
}

/// The pods of a workload as a Job can be like them: the claims of a StatefulSet are those of its first pod.
pub fn lent(workload: &Value) -> Value {
    let mut template = workload["spec"]["template"].clone();
    let claims = workload["spec"]["volumeClaimTemplates"].as_array().map(Vec::as_slice).unwrap_or_default();
    let set = workload["metadata"]["name"].as_str().unwrap_or_default();
    let volumes = claims.iter().filter_map(|claim| {
        let name = claim["metadata"]["name"].as_str()?;
        Some(json!({"name": name, "persistentVolumeClaim": {"claimName": format!("{name}-{set}-0")}}))
    });
    let volumes: Vec<Value> = volumes.collect();
    if volumes.is_empty() {
        return template;
    }
    match &mut template["spec"]["volumes"] {
        Value::Array(known) => known.extend(volumes),
        none => *none = Value::Array(volumes),
    }
    template
}

fn container(spec: &JobSpec, lender: Option<&Value>) -> Result<Map<String, Value>, String> {
    let mut container = Map::new();
    container.insert("name".to_owned(), json!(CONTAINER));
    if let Some(lender) = lender {
        let all = lender["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = match &spec.container {
            Some(name) => all.iter().find(|container| container["name"] == *name),
            None => all.first(),
        };
        let lent = found.ok_or_else(|| {
            let names: Vec<&str> = all.iter().filter_map(|container| container["name"].as_str()).collect();
            let wanted = spec.container.as_deref().unwrap_or("any");
            format!("the component has no container {wanted}; it has: {}", names.join(", "))
        })?;
        container.insert("name".to_owned(), lent["name"].clone());
        copy(&mut container, lent, &OF_THE_CONTAINER);
        copy(&mut container, lent, &["volumeMounts"]);
    }
    if let Some(image) = &spec.image {
        container.insert("image".to_owned(), json!(image));
    }
    match container.get("image").and_then(Value::as_str) {
        Some(image) if !image.is_empty() => Ok(container),
        _ => Err("it has no image: name one, or a component that lends its own".to_owned()),
    }
}

fn copy(to: &mut Map<String, Value>, from: &Value, fields: &[&str]) {
    for field in fields {
        if let Some(value) = from.get(*field) {
            to.insert((*field).to_owned(), value.clone());
        }
    }
}

/// The volumes that the container mounts. A claim that one node only may have keeps the Job waiting while the component has it on
/// another one.
fn lend_volumes(pod: &mut Map<String, Value>, container: &mut Map<String, Value>, lender: &Value) {
    let all = lender["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(Value::Array(mounts)) = container.get_mut("volumeMounts") else { return };
    mounts.retain(|mount| all.iter().any(|volume| volume["name"] == mount["name"]));
    let volumes: Vec<Value> = all
        .iter()
        .filter(|volume| mounts.iter().any(|mount| volume["name"] == mount["name"]))
        .cloned()
        .collect();
    if !volumes.is_empty() {
        pod.insert("volumes".to_owned(), Value::Array(volumes));
    }
}

fn add_variables(container: &mut Map<String, Value>, env: &[(String, JobValue)]) {
    if env.is_empty() {
        return;
    }
    let mut all = match container.remove("env") {
        Some(Value::Array(lent)) => lent,
        _ => Vec::new(),
    };
    all.retain(|lent| env.iter().all(|(name, _)| lent["name"] != *name));
    all.extend(env.iter().map(|(name, value)| match value {
        // `$(NAME)` is the kubelet's: what is given here is meant as it stands
        JobValue::Plain(text) => json!({"name": name, "value": text.replace("$(", "$$(")}),
        JobValue::Secret { secret, key } => {
            json!({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})
        }
    }));
    container.insert("env".to_owned(), Value::Array(all));
}

#[cfg(test)]
mod tests;
