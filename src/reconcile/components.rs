//! Components: the objects behind each, and how they are together. Pure; the engine's status and the cockpit share it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cluster::ComponentStatus;
use crate::domain::driver::{ComponentSpec, DriverSpec, ServiceScope};
use crate::domain::object::{Detail, ObjectSummary};
use crate::domain::world::ComponentView;
use crate::domain::{ClusterRecord, Health, ObjectKey, Verdict};
use crate::ingress;

/// The components of a driver as they stand in `objects`: everything that belongs to the deployment.
pub fn component_views(spec: &DriverSpec, objects: &[ObjectSummary]) -> Vec<ComponentView> {
    spec.components.iter().map(|(name, component)| view(name, component, objects)).collect()
}

/// The same, as it is written into the status of the custom resource.
pub fn component_statuses(spec: &DriverSpec, objects: &[ObjectSummary]) -> Vec<ComponentStatus> {
    let status = |view: ComponentView| ComponentStatus {
        health: view.verdict.health.as_str().to_owned(),
        message: view.verdict.headline(),
        name: view.name,
        ready: view.ready,
        desired: view.desired,
    };
    component_views(spec, objects).into_iter().map(status).collect()
}

/// The URLs of the external services, by the frozen context: `(service, url)`. The readable host is preferred, then one that a
/// person added. `cluster` knows at which ports its ingress answers now.
pub fn urls(spec: &DriverSpec, context: &Value, cluster: &ClusterRecord) -> Vec<(String, String)> {
    let external = spec.services.iter().filter(|service| service.scope == ServiceScope::External);
    let url = |service: &crate::domain::driver::ServiceSpec| {
        let known = &context["services"][&service.name];
        let host = ingress::hosts_of(known).readable_first().next()?;
        let secure = !ingress::tls_of(known).is_off();
        let port = if secure { cluster.ingress_tls_port } else { cluster.ingress_port };
        Some((service.name.clone(), ingress::url(host, secure, port, &service.path)))
    };
    external.filter_map(url).collect()
}

/// The workloads behind each component, by name.
pub fn component_workloads(spec: &DriverSpec, objects: &[ObjectSummary]) -> Vec<(String, Vec<ObjectKey>)> {
    let workloads = |component: &ComponentSpec| -> Vec<ObjectKey> {
        let members = members(component, objects).into_iter().filter(|object| object.owner.is_none());
        members.filter(|object| matches!(object.detail, Detail::Workload(_))).map(|o| o.key.clone()).collect()
    };
    spec.components.iter().map(|(name, component)| (name.clone(), workloads(component))).collect()
}

fn view(name: &str, component: &ComponentSpec, objects: &[ObjectSummary]) -> ComponentView {
    summarize(name, &members(component, objects))
}

/// What carries a component's labels, and whoever controls such an object.
fn members<'a>(component: &ComponentSpec, objects: &'a [ObjectSummary]) -> Vec<&'a ObjectSummary> {
    let by_uid: BTreeMap<&str, &ObjectSummary> =
        objects.iter().map(|object| (object.uid.as_str(), object)).collect();
    let mut members: BTreeSet<&str> = BTreeSet::new();
    for object in objects.iter().filter(|object| selected(object, &component.labels)) {
        // Whoever controls a member is one too: not every driver labels its workloads as it labels their pods.
        let mut next = Some(object);
        while let Some(member) = next {
            members.insert(&member.uid);
            next = member.owner.as_deref().and_then(|owner| by_uid.get(owner).copied());
        }
    }
    objects.iter().filter(|object| members.contains(object.uid.as_str())).collect()
}

fn selected(object: &ObjectSummary, labels: &BTreeMap<String, String>) -> bool {
    !labels.is_empty() && labels.iter().all(|(name, value)| object.labels.get(name) == Some(value))
}

fn summarize(name: &str, members: &[&ObjectSummary]) -> ComponentView {
    let top_level = members.iter().filter(|object| object.owner.is_none());
    let workloads: Vec<_> = top_level
        .filter_map(|object| match &object.detail {
            Detail::Workload(detail) => Some((object, detail)),
            _ => None,
        })
        .collect();
    let pods: Vec<ObjectSummary> = members
        .iter()
        .filter(|object| matches!(object.detail, Detail::Pod(_)))
        .map(|pod| (*pod).clone())
        .collect();
    // A pod that is going, and a ReplicaSet of an earlier roll-out, say nothing about how the component is.
    let outer = Verdict::worst(workloads.iter().map(|(object, _)| &object.verdict));
    let inner = Verdict::worst(pods.iter().filter(|pod| !pod.deleting).map(|pod| &pod.verdict));
    let verdict = chain(outer, inner).unwrap_or_else(|| missing(name));
    let mut images: Vec<String> =
        workloads.iter().flat_map(|(_, detail)| detail.images.iter().cloned()).collect();
    images.dedup();
    ComponentView {
        name: name.to_owned(),
        verdict,
        ready: workloads.iter().map(|(_, detail)| detail.ready).sum(),
        desired: workloads.iter().map(|(_, detail)| detail.desired).sum(),
        images,
        pods,
    }
}

/// The worse of a workload and its pods; a pod's trouble is told with the workload's in front of it.
fn chain(outer: Option<Verdict>, inner: Option<Verdict>) -> Option<Verdict> {
    let (Some(outer), Some(inner)) = (&outer, &inner) else { return outer.or(inner) };
    let causes = outer.causes.iter().chain(&inner.causes).cloned().collect();
    Some(Verdict { health: outer.health.max(inner.health), causes })
}

fn missing(name: &str) -> Verdict {
    let key = ObjectKey {
        api_version: String::new(),
        kind: "Component".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
    };
    Verdict::because(Health::Missing, key, "Missing", "none of its objects exists")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::summary;
    use serde_json::json;

    fn object(kind: &str, name: &str, owner: Option<&str>, labels: Value) -> ObjectSummary {
        let owners = owner.map(|uid| json!([{"uid": uid, "controller": true}])).unwrap_or_default();
        let api_version = if kind == "Pod" { "v1" } else { "apps/v1" };
        summary(&json!({"apiVersion": api_version, "kind": kind,
            "metadata": {"name": name, "namespace": "demo", "uid": name, "labels": labels, "ownerReferences": owners},
            "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": "web:1"}]}}},
            "status": {"readyReplicas": 1}}))
    }

    #[test]
    fn a_pods_trouble_is_told_after_its_workloads() {
        let key = |kind: &str| ObjectKey { kind: kind.into(), ..summary(&json!({})).key };
        let outer = Verdict::because(Health::Progressing, key("Deployment"), "LessReady", "");
        let inner = Verdict::because(Health::Degraded, key("Pod"), "CrashLoopBackOff", "");
        let both = chain(Some(outer.clone()), Some(inner)).unwrap();
        assert_eq!((both.health, both.causes.len()), (Health::Degraded, 2));
        assert_eq!(both.causes[1].reason, "CrashLoopBackOff");
        assert_eq!(chain(Some(outer.clone()), Some(Verdict::healthy())).unwrap(), outer);
        assert_eq!(chain(Some(outer.clone()), None), Some(outer));
    }

    #[test]
    fn a_component_is_found_through_its_pods() {
        let spec = DriverSpec {
            components: BTreeMap::from([
                (
                    "web".to_owned(),
                    ComponentSpec {
                        labels: BTreeMap::from([("app".into(), "web".into())]),
                        ..Default::default()
                    },
                ),
                ("db".to_owned(), ComponentSpec::default()),
            ]),
            ..DriverSpec::default()
        };
        let objects = [
            object("Deployment", "web", None, json!({})),
            object("ReplicaSet", "web-1", Some("web"), json!({"app": "web"})),
            object("Pod", "web-1-x", Some("web-1"), json!({"app": "web"})),
        ];
        let views = component_views(&spec, &objects);
        assert_eq!((views[0].name.as_str(), views[0].verdict.health), ("db", Health::Missing));
        assert_eq!((views[1].ready, views[1].desired, views[1].pods.len()), (1, 2, 1));
        assert_eq!(views[1].images, ["web:1"]);
    }
}
