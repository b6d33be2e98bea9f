//! The pod that stands in for a component while that is stopped.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::cluster::{ApplyOptions, Cluster, DeleteOptions};
use crate::domain::object::Detail;
use crate::domain::{ObjectKey, ObjectSummary};

use super::place::{claim_of, container, list, place};
use super::{Helper, Place, StrategyError, Wanted};

/// How long it may take to run: an image has to be pulled, a volume has to be moved.
const RUNS_WITHIN: Duration = Duration::from_secs(600);
/// How long it may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(90);
/// A helper that nobody takes away ends by itself, in seconds.
const LONGEST: u64 = 24 * 3600;
/// What it does: waits, and ends at once when it is told to.
const WAIT: &str = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done";

/// What of the component's pod it gets as it is.
const OF_THE_POD: [&str; 11] = [
    "automountServiceAccountToken",
    "enableServiceLinks",
    "imagePullSecrets",
    "nodeSelector",
    "os",
    "priorityClassName",
    "runtimeClassName",
    "securityContext",
    "serviceAccountName",
    "tolerations",
    "affinity",
];
/// What of its container.
const OF_THE_CONTAINER: [&str; 8] =
    ["name", "image", "imagePullPolicy", "env", "envFrom", "resources", "securityContext", "workingDir"];

/// A place in a helper pod, made now or found as a crash left it, once it runs. The component has to be stopped.
///
/// # Errors
/// When it cannot be made, or does not run in time.
pub async fn helper(wanted: Wanted<'_>, helper: &Helper) -> Result<Place, StrategyError> {
    let workload = workload(wanted).await?;
    let pod = pod(wanted, helper, &workload)?;
    let key = key(wanted.namespace, &helper.name);
    if let Some(there) = wanted.cluster.get(&key).await? {
        let phase = there["status"]["phase"].as_str().unwrap_or_default();
        let over =
            matches!(phase, "Succeeded" | "Failed") || !there["metadata"]["deletionTimestamp"].is_null();
        if !is_ours(&there, helper) {
            return Err(StrategyError::lasting(
                format!("{} cannot be worked on", wanted.name),
                format!("there is a pod {} already, and it is not ours", helper.name),
                "take that pod away",
            ));
        }
        if !over {
            return until_it_runs(wanted, &key).await;
        }
        remove(wanted.cluster, &key).await?;
    }
    wanted.cluster.apply(&pod, ApplyOptions::default()).await?;
    until_it_runs(wanted, &key).await
}

/// Takes the helper pods of an operation away; of a step, when its label is given too. None is as good as gone.
///
/// # Errors
/// When the cluster does not answer, or they do not go.
pub async fn remove_helpers(
    cluster: &Cluster,
    namespace: &str,
    marks: &[(&'static str, String)],
) -> Result<(), StrategyError> {
    if marks.is_empty() {
        return Ok(());
    }
    let all = cluster.list(&key(namespace, "")).await?;
    let has = |pod: &Value| marks.iter().all(|(name, value)| pod["metadata"]["labels"][*name] == **value);
    // the pods of an operation's Jobs have its label as well, and an owner
    let its = all.iter().filter(|pod| has(pod) && list(&pod["metadata"], "ownerReferences").is_empty());
    for pod in its {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        remove(cluster, &key(namespace, name)).await?;
    }
    Ok(())
}

async fn remove(cluster: &Cluster, key: &ObjectKey) -> Result<(), StrategyError> {
    cluster.delete(key, &DeleteOptions::default()).await?;
    let mut moved = cluster.generation();
    let gone = async {
        loop {
            moved.mark_unchanged();
            if cluster.index().object(key).is_none() && cluster.get(key).await?.is_none() {
                return Ok(());
            }
            if moved.changed().await.is_err() {
                return Ok(());
            }
        }
    };
    match tokio::time::timeout(GONE_WITHIN, gone).await {
        Ok(result) => result,
        Err(_) => Err(StrategyError::transient(
            format!("the pod {} does not go", key.name),
            format!("it was deleted {} s ago, and is still there", GONE_WITHIN.as_secs()),
            "see what holds it: kubectl get pod -o yaml",
        )),
    }
}

fn key(namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn is_ours(pod: &Value, helper: &Helper) -> bool {
    helper.labels.iter().all(|(name, value)| pod["metadata"]["labels"][*name] == **value)
}

/// Waits until the pod runs, and gives the place in it.
async fn until_it_runs(wanted: Wanted<'_>, key: &ObjectKey) -> Result<Place, StrategyError> {
    let mut moved = wanted.cluster.generation();
    let runs = async {
        loop {
            moved.mark_unchanged();
            match wanted.cluster.index().object(key).map(|pod| state(&pod)) {
                Some(State::Runs) => return Ok(()),
                Some(State::Over(why)) => return Err(why),
                Some(State::Waits(_)) | None => {}
            }
            if moved.changed().await.is_err() {
                return Err("the cluster is not watched any more".to_owned());
            }
        }
    };
    let what = || format!("the pod {} that works on the volumes does not run", key.name);
    let next = "see its events; backup.image in the driver names another image, one with sh and tar";
    match tokio::time::timeout(RUNS_WITHIN, runs).await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => return Err(StrategyError::lasting(what(), why, next)),
        Err(_) => {
            let last = wanted.cluster.index().object(key).map(|pod| state(&pod));
            let why = match last {
                Some(State::Waits(why)) => why,
                _ => "nothing is known about it".to_owned(),
            };
            let why = format!("{why}, after {} s", RUNS_WITHIN.as_secs());
            return Err(StrategyError::transient(what(), why, next));
        }
    }
    let found = wanted.cluster.get(key).await?;
    match found {
        Some(pod) => place(wanted, &pod),
        None => Err(StrategyError::transient(what(), "somebody took it away", "try again")),
    }
}

enum State {
    Runs,
    Waits(String),
    Over(String),
}

fn state(pod: &ObjectSummary) -> State {
    let Detail::Pod(detail) = &pod.detail else { return State::Over("it is no pod".to_owned()) };
    if detail.simulated {
        return State::Over("the sandbox only plays its image: no process stands behind it".to_owned());
    }
    let said = pod.verdict.headline().unwrap_or_else(|| detail.phase.clone());
    match detail.phase.as_str() {
        _ if pod.deleting => State::Over("somebody takes it away".to_owned()),
        "Succeeded" | "Failed" => State::Over(format!("it has ended: {said}")),
        "Running" if detail.containers.iter().all(|container| container.state == "Running") => State::Runs,
        _ => State::Waits(said),
    }
}

/// The workload of a component, whole: what no other object controls, and whose pods carry the component's labels.
async fn workload(wanted: Wanted<'_>) -> Result<Value, StrategyError> {
    let objects = wanted.cluster.index().objects_of(wanted.namespace, wanted.deployment);
    let candidates = objects
        .iter()
        .filter(|object| object.owner.is_none() && matches!(object.detail, Detail::Workload(_)));
    for candidate in candidates {
        let Some(found) = wanted.cluster.get(&candidate.key).await? else { continue };
        let carried = &found["spec"]["template"]["metadata"]["labels"];
        if wanted.component.labels.iter().all(|(name, value)| carried[name] == **value) {
            return Ok(found);
        }
    }
    Err(StrategyError::lasting(
        format!("{} cannot be worked on while it is stopped", wanted.name),
        "none of its workloads exists: nothing tells its image and its volumes",
        "deploy the application first",
    ))
}

/// The pod: like those of the component, with a command that waits, without probes and without its labels.
fn pod(wanted: Wanted<'_>, helper: &Helper, workload: &Value) -> Result<Value, StrategyError> {
    let template = &workload["spec"]["template"]["spec"];
    let lent = container(wanted, list(template, "containers"), "its template")?;
    let mut container = copied(lent, &OF_THE_CONTAINER);
    if let Some(image) = &wanted.component.backup_target.image {
        container.insert("image".to_owned(), json!(image));
        container.remove("imagePullPolicy");
    }
    container.insert("command".to_owned(), json!(["sh", "-c", WAIT]));
    let mounts = list(lent, "volumeMounts").iter().map(|mount| {
        let mut mount = mount.clone();
        if let Some(fields) = mount.as_object_mut() {
            fields.remove("readOnly");
        }
        mount
    });
    container.insert("volumeMounts".to_owned(), json!(mounts.collect::<Vec<_>>()));
    let mut spec = copied(template, &OF_THE_POD);
    spec.insert("volumes".to_owned(), json!(volumes(workload)));
    check_claim(wanted, &Value::Object(spec.clone()))?;
    spec.insert("containers".to_owned(), json!([container]));
    spec.insert("restartPolicy".to_owned(), json!("Never"));
    spec.insert("terminationGracePeriodSeconds".to_owned(), json!(5));
    spec.insert("activeDeadlineSeconds".to_owned(), json!(LONGEST));
    let labels: Map<String, Value> =
        helper.labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": helper.name, "namespace": wanted.namespace, "labels": labels},
        "spec": spec,
    }))
}

/// A volume that lives and dies with its pod has nothing that a stopped component could get back.
fn check_claim(wanted: Wanted<'_>, spec: &Value) -> Result<(), StrategyError> {
    let Some(volume) = wanted.volume.filter(|volume| claim_of(spec, volume).is_none()) else { return Ok(()) };
    Err(StrategyError::lasting(
        format!("the volume {volume} of {} cannot be worked on while it is stopped", wanted.name),
        "it is no claim: it lives and dies with the pod",
        "say restore: { stop: false } in the driver, and it is restored into the running pod",
    ))
}

/// The volumes of the template, and of a StatefulSet the claims of its first pod.
fn volumes(workload: &Value) -> Vec<Value> {
    let spec = &workload["spec"];
    let set = workload["metadata"]["name"].as_str().unwrap_or_default();
    let first = spec["ordinals"]["start"].as_u64().unwrap_or(0);
    let claims = list(spec, "volumeClaimTemplates").iter().map(|template| {
        let name = template["metadata"]["name"].as_str().unwrap_or_default();
        json!({"name": name, "persistentVolumeClaim": {"claimName": format!("{name}-{set}-{first}")}})
    });
    let claims: Vec<Value> = claims.collect();
    let own = list(&spec["template"]["spec"], "volumes").iter();
    let own = own.filter(|volume| claims.iter().all(|claim| claim["name"] != volume["name"]));
    own.cloned().chain(claims.iter().cloned()).collect()
}

fn copied(from: &Value, fields: &[&str]) -> Map<String, Value> {
    let there = fields.iter().filter_map(|field| Some(((*field).to_owned(), from.get(*field)?.clone())));
    there.collect()
}
