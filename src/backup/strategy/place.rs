//! Where a component is worked on: the pod and the container.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::domain::ObjectSummary;
use crate::domain::driver::ComponentSpec;
use crate::domain::object::{Detail, PodDetail};
use crate::domain::world::LogTarget;

use super::StrategyError;

/// What is looked for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The cluster; the namespace has to be watched.
    pub cluster: &'a Cluster,
    /// The namespace.
    pub namespace: &'a str,
    /// The deployment's name.
    pub deployment: &'a str,
    /// The component's name.
    pub name: &'a str,
    /// The component.
    pub component: &'a ComponentSpec,
    /// The volume, of the strategy `disk`.
    pub volume: Option<&'a str>,
}

/// Where a component is worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The container.
    pub target: LogTarget,
    /// The component's name.
    pub name: String,
    /// The component.
    pub component: ComponentSpec,
    /// The volume, of the strategy `disk`, and where it is in the container.
    pub volume: Option<(String, String)>,
}

impl Place {
    /// After how long without a byte something is ended, where the driver says so.
    pub(super) fn idle(&self) -> Option<Duration> {
        self.component.backup_target.idle.map(Duration::from_secs)
    }
}

/// Finds the container of a component that runs: in a pod that is ready, the first by name; else in one whose container runs.
///
/// # Errors
/// When there is none, it has no process, or does not mount the volume.
pub async fn find(wanted: Wanted<'_>) -> Result<Place, StrategyError> {
    let pods = pods(wanted);
    let all = |pod: &(ObjectSummary, PodDetail)| {
        !pod.1.containers.is_empty() && pod.1.containers.iter().all(|container| container.ready)
    };
    let runs = |pod: &(ObjectSummary, PodDetail)| {
        pod.1.containers.iter().any(|container| container.started.is_some() && container.state == "Running")
    };
    let chosen = pods.iter().find(|pod| all(pod)).or_else(|| pods.iter().find(|pod| runs(pod)));
    let Some((summary, detail)) = chosen else { return Err(nobody(wanted, &pods)) };
    if detail.simulated {
        return Err(StrategyError::lasting(
            format!("{} has no data that could be read or written", wanted.name),
            format!("the sandbox only plays {}: no process stands behind its image", summary.key.name),
            "use an image that the sandbox runs (docs/sandbox.md), or another cluster",
        ));
    }
    let pod = whole(wanted.cluster, summary).await?;
    if wanted.volume.is_some() {
        check_alone(wanted, &pods).await?;
    }
    place(wanted, &pod)
}

/// The pods of a component that are not going, by name.
fn pods(wanted: Wanted<'_>) -> Vec<(ObjectSummary, PodDetail)> {
    let labels = &wanted.component.labels;
    let objects = wanted.cluster.index().objects_of(wanted.namespace, wanted.deployment);
    let its = objects.into_iter().filter(|object| {
        !object.deleting
            && !labels.is_empty()
            && labels.iter().all(|(name, value)| object.labels.get(name) == Some(value))
    });
    let pod = |object: ObjectSummary| match &object.detail {
        Detail::Pod(detail) => {
            let detail = detail.clone();
            Some((object, detail))
        }
        _ => None,
    };
    its.filter_map(pod).collect()
}

fn nobody(wanted: Wanted<'_>, pods: &[(ObjectSummary, PodDetail)]) -> StrategyError {
    let why = match pods.first() {
        Some((pod, _)) => {
            let headline = pod.verdict.headline();
            format!("{} does not run: {}", pod.key.name, headline.unwrap_or_default())
        }
        None => "none of its pods exists".to_owned(),
    };
    StrategyError::transient(
        format!("no pod of {} runs", wanted.name),
        why,
        "start the application, or see why it does not run",
    )
}

async fn whole(cluster: &Cluster, summary: &ObjectSummary) -> Result<Value, StrategyError> {
    let gone = || {
        StrategyError::transient(
            format!("the pod {} is gone", summary.key.name),
            "it was replaced meanwhile",
            "try again",
        )
    };
    cluster.get(&summary.key).await?.ok_or_else(gone)
}

/// Where pods have a volume each, one stream cannot hold the data of all.
async fn check_alone(wanted: Wanted<'_>, pods: &[(ObjectSummary, PodDetail)]) -> Result<(), StrategyError> {
    let Some(volume) =
        wanted.volume.filter(|_| pods.len() > 1 && !wanted.component.backup_target.one_of_many)
    else {
        return Ok(());
    };
    let mut sources = BTreeSet::new();
    for (summary, _) in pods {
        let pod = whole(wanted.cluster, summary).await?;
        let claim = claim_of(&pod["spec"], volume).map(str::to_owned);
        sources.insert(claim.unwrap_or_else(|| summary.key.name.clone()));
    }
    if sources.len() < 2 {
        return Ok(());
    }
    Err(StrategyError::lasting(
        format!("{} has {} volumes named {volume}", wanted.name, sources.len()),
        "each of its pods has one of its own, and one stream cannot keep them all",
        "scale it to one pod; or, where each of them has all of the data, say backup: { one_of_many: true } in the driver",
    ))
}

/// The claim behind a volume of a pod.
pub(super) fn claim_of<'p>(spec: &'p Value, volume: &str) -> Option<&'p str> {
    let found = list(spec, "volumes").iter().find(|known| known["name"] == *volume)?;
    found["persistentVolumeClaim"]["claimName"].as_str()
}

/// The container of a pod that is worked in.
pub(super) fn place(wanted: Wanted<'_>, pod: &Value) -> Result<Place, StrategyError> {
    let pod_name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let containers = list(&pod["spec"], "containers");
    let container = container(wanted, containers, pod_name)?;
    let volume = match wanted.volume {
        Some(volume) => Some((volume.to_owned(), mount(wanted, container, volume)?)),
        None => None,
    };
    Ok(Place {
        target: LogTarget {
            namespace: wanted.namespace.to_owned(),
            pod: pod_name.to_owned(),
            container: container["name"].as_str().unwrap_or_default().to_owned(),
        },
        name: wanted.name.to_owned(),
        component: wanted.component.clone(),
        volume,
    })
}

/// The container that the driver names; else the first that mounts the volume; else the first.
pub(super) fn container<'p>(
    wanted: Wanted<'_>,
    containers: &'p [Value],
    pod: &str,
) -> Result<&'p Value, StrategyError> {
    let named = wanted.component.backup_target.container.as_deref();
    let found = match (named, wanted.volume) {
        (Some(name), _) => containers.iter().find(|container| container["name"] == *name),
        (None, Some(volume)) => {
            containers.iter().find(|container| mounts(container, volume).next().is_some())
        }
        (None, None) => containers.first(),
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = containers.iter().filter_map(|container| container["name"].as_str()).collect();
        let missing = match (named, wanted.volume) {
            (Some(name), _) => format!("it has no container {name}"),
            (None, Some(volume)) => format!("none of its containers mounts a volume {volume}"),
            (None, None) => "it has no container".to_owned(),
        };
        StrategyError::lasting(
            format!("{} cannot be worked on", wanted.name),
            format!("{pod}: {missing}; there are {}", names.join(", ")),
            "correct backup.container or backup.volumes in the driver",
        )
    })
}

fn mounts<'p>(container: &'p Value, volume: &str) -> impl Iterator<Item = &'p Value> {
    let volume = volume.to_owned();
    list(container, "volumeMounts").iter().filter(move |mount| mount["name"] == volume.as_str())
}

/// Where a volume is in a container: all of it, when it is mounted in several pieces.
fn mount(wanted: Wanted<'_>, container: &Value, volume: &str) -> Result<String, StrategyError> {
    let all: Vec<&Value> = mounts(container, volume).collect();
    let is_piece = |mount: &&&Value| !mount["subPath"].is_null() || !mount["subPathExpr"].is_null();
    let path = match all.as_slice() {
        [only] => only["mountPath"].as_str(),
        several => {
            several.iter().find(|mount| !is_piece(mount)).and_then(|mount| mount["mountPath"].as_str())
        }
    };
    path.map(str::to_owned).ok_or_else(|| {
        StrategyError::lasting(
            format!("{} cannot be worked on", wanted.name),
            match all.is_empty() {
                true => format!("the container does not mount the volume {volume}"),
                false => format!(
                    "the container mounts the volume {volume} in several pieces, and nowhere as a whole"
                ),
            },
            "name a container that mounts all of it: backup.container in the driver",
        )
    })
}

/// A list in a JSON object; empty when it is not there.
pub(super) fn list<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field].as_array().map(Vec::as_slice).unwrap_or_default()
}
