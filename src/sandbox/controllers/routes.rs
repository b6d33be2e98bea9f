//! Which controller looks at which object, and whom a change concerns.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::cache::Cache;
use super::object::{controller_of, controller_uid, label, labels, list, map, name, namespace, text, uid};
use super::pods::{self, PODS};
use super::write::{Context, Outcome};
use super::{
    autoscaler, cronjob, daemonset, deployment, disruption, endpoints, ingress, job, namespaces, replicaset,
    revision, scheduler, selector, statefulset, taints, volumes,
};

/// The resources that the controllers watch.
pub const WATCHED: [&str; 21] = [
    "namespaces",
    "serviceaccounts",
    "nodes",
    volumes::CLASSES,
    volumes::VOLUMES,
    volumes::CLAIMS,
    revision::REVISIONS,
    deployment::DEPLOYMENTS,
    replicaset::REPLICASETS,
    statefulset::STATEFULSETS,
    daemonset::DAEMONSETS,
    job::JOBS,
    cronjob::CRONJOBS,
    PODS,
    endpoints::SERVICES,
    endpoints::SLICES,
    endpoints::LEGACY,
    disruption::BUDGETS,
    autoscaler::AUTOSCALERS,
    ingress::INGRESSES,
    ingress::CLASSES,
];

/// The controllers, in the order in which they are served: what makes up a summary before what summarises it, so that a
/// burst of changes is summarised once, and no sum is seen that never was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Controller {
    /// Pods that a Job left behind.
    JobPod,
    /// Pods without a node.
    Scheduler,
    /// Pods on a node whose taints drive pods away.
    Taint,
    /// Default ServiceAccounts.
    Namespace,
    /// PersistentVolumeClaims.
    Claim,
    /// PersistentVolumes.
    Volume,
    /// ReplicaSets.
    ReplicaSet,
    /// Deployments.
    Deployment,
    /// StatefulSets.
    StatefulSet,
    /// DaemonSets.
    DaemonSet,
    /// CronJobs.
    CronJob,
    /// Jobs.
    Job,
    /// Ingress addresses.
    Ingress,
    /// Addresses of Services of type LoadBalancer.
    LoadBalancer,
    /// EndpointSlices of Services.
    Endpoints,
    /// Endpoints, the older form of the same.
    LegacyEndpoints,
    /// EndpointSlices made from Endpoints that a person wrote.
    Mirror,
    /// PodDisruptionBudgets.
    Disruption,
    /// HorizontalPodAutoscalers, of which it is said that they do nothing.
    Autoscaler,
}

impl Controller {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::JobPod,
        Self::Scheduler,
        Self::Taint,
        Self::Namespace,
        Self::Claim,
        Self::Volume,
        Self::ReplicaSet,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::CronJob,
        Self::Job,
        Self::Ingress,
        Self::LoadBalancer,
        Self::Endpoints,
        Self::LegacyEndpoints,
        Self::Mirror,
        Self::Disruption,
        Self::Autoscaler,
    ];

    /// The resource whose objects it is called for.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Namespace => "namespaces",
            Self::Claim => volumes::CLAIMS,
            Self::Volume => volumes::VOLUMES,
            Self::Deployment => deployment::DEPLOYMENTS,
            Self::StatefulSet => statefulset::STATEFULSETS,
            Self::DaemonSet => daemonset::DAEMONSETS,
            Self::CronJob => cronjob::CRONJOBS,
            Self::Job => job::JOBS,
            Self::ReplicaSet => replicaset::REPLICASETS,
            Self::JobPod | Self::Scheduler | Self::Taint => PODS,
            Self::Ingress => ingress::INGRESSES,
            Self::LoadBalancer | Self::Endpoints | Self::LegacyEndpoints => endpoints::SERVICES,
            Self::Mirror => endpoints::LEGACY,
            Self::Disruption => disruption::BUDGETS,
            Self::Autoscaler => autoscaler::AUTOSCALERS,
        }
    }

    /// The component that its events name.
    pub fn component(self) -> &'static str {
        match self {
            Self::Namespace => "serviceaccount-controller",
            Self::Claim | Self::Volume => "persistentvolume-controller",
            Self::Deployment => "deployment-controller",
            Self::StatefulSet => "statefulset-controller",
            Self::DaemonSet => "daemonset-controller",
            Self::CronJob => "cronjob-controller",
            Self::Job | Self::JobPod => "job-controller",
            Self::ReplicaSet => "replicaset-controller",
            Self::Scheduler => "default-scheduler",
            Self::Taint => "taint-eviction-controller",
            Self::Ingress => "ingress-controller",
            Self::LoadBalancer => "service-controller",
            Self::Endpoints => "endpoint-slice-controller",
            Self::LegacyEndpoints => "endpoint-controller",
            Self::Mirror => "endpoint-slice-mirroring-controller",
            Self::Disruption => "controllermanager",
            Self::Autoscaler => "horizontal-pod-autoscaler",
        }
    }

    /// The controller of the workloads of a kind.
    fn of_kind(kind: &str) -> Option<Self> {
        match kind {
            "Deployment" => Some(Self::Deployment),
            "ReplicaSet" => Some(Self::ReplicaSet),
            "StatefulSet" => Some(Self::StatefulSet),
            "DaemonSet" => Some(Self::DaemonSet),
            "Job" => Some(Self::Job),
            "CronJob" => Some(Self::CronJob),
            _ => None,
        }
    }
}

/// One object of one controller: the unit of the work queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Whose work it is.
    pub controller: Controller,
    /// Empty for cluster scope.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl Key {
    /// A key by name.
    pub fn new(controller: Controller, namespace: &str, name: &str) -> Self {
        Self { controller, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The key of an object.
    pub fn of(controller: Controller, object: &Value) -> Self {
        Self::new(controller, namespace(object), name(object))
    }
}

/// Calls the controller of a key. Nothing for an object that is gone.
pub fn sync(context: &Context<'_>, key: &Key) -> Outcome {
    let Some(object) = context.cache.get(key.controller.resource(), &key.namespace, &key.name) else {
        return Outcome::nothing();
    };
    match key.controller {
        Controller::Namespace => namespaces::sync(context, object),
        Controller::Claim => volumes::sync_claim(context, object),
        Controller::Volume => volumes::sync_volume(context, object),
        Controller::Deployment => deployment::sync(context, object),
        Controller::StatefulSet => statefulset::sync(context, object),
        Controller::DaemonSet => daemonset::sync(context, object),
        Controller::CronJob => cronjob::sync(context, object),
        Controller::Job => job::sync(context, object),
        Controller::ReplicaSet => replicaset::sync(context, object),
        Controller::JobPod => job::sync_pod(context, object),
        Controller::Scheduler => scheduler::sync(context, object),
        Controller::Taint => taints::sync(context, object),
        Controller::Ingress => ingress::sync(context, object),
        Controller::LoadBalancer => endpoints::sync_load_balancer(object),
        Controller::Endpoints => endpoints::sync(context, object),
        Controller::LegacyEndpoints => endpoints::legacy::sync(context, object),
        Controller::Mirror => endpoints::mirror::sync(context, object),
        Controller::Disruption => disruption::sync(context, object),
        Controller::Autoscaler => autoscaler::sync(context, object),
    }
}

/// A change of one object, as the cache has taken it in already.
#[derive(Debug, Clone)]
pub struct Change {
    /// Before; `None` for a new object.
    pub old: Option<Arc<Value>>,
    /// After; `None` for a deleted one.
    pub new: Option<Arc<Value>>,
}

impl Change {
    fn sides(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.old.iter().chain(&self.new)
    }

    /// Whether the values at a JSON pointer differ.
    fn differs(&self, pointer: &str) -> bool {
        let at =
            |side: &Option<Arc<Value>>| side.as_ref().and_then(|object| object.pointer(pointer).cloned());
        at(&self.old) != at(&self.new)
    }
}

/// Whom a change concerns.
pub fn affected(cache: &Cache, resource: &str, change: &Change) -> Vec<Key> {
    let mut keys = Vec::new();
    for controller in Controller::ALL {
        if controller.resource() == resource
            && resource != PODS
            && let Some(object) = &change.new
        {
            keys.push(Key::of(controller, object));
        }
    }
    match resource {
        PODS => pod_changed(cache, change, &mut keys),
        replicaset::REPLICASETS => {
            owners(cache, change, &[Controller::Deployment], &mut keys);
            sized(cache, change, &mut keys);
        }
        deployment::DEPLOYMENTS | statefulset::STATEFULSETS => sized(cache, change, &mut keys),
        job::JOBS => {
            owners(cache, change, &[], &mut keys);
            for job in change.sides().filter(|_| change.new.is_none()) {
                keys.extend(cache.owned(PODS, uid(job)).map(|pod| Key::of(Controller::JobPod, pod)));
            }
        }
        "nodes" => node_changed(cache, change, &mut keys),
        // pods may have asked for, or against, company in namespaces with such labels
        "namespaces" if change.differs("/metadata/labels") => waiting(cache, &mut keys),
        "serviceaccounts" if change.new.is_none() => {
            keys.extend(
                change.sides().map(|account| Key::new(Controller::Namespace, "", namespace(account))),
            );
        }
        volumes::CLAIMS => claim_changed(cache, change, &mut keys),
        volumes::VOLUMES => keys.extend(change.sides().map(|volume| {
            let claim = &volume["spec"]["claimRef"];
            Key::new(Controller::Claim, text(claim, "/namespace"), text(claim, "/name"))
        })),
        volumes::CLASSES => every(cache, Controller::Claim, &mut keys),
        ingress::CLASSES => every(cache, Controller::Ingress, &mut keys),
        endpoints::SLICES => {
            for slice in change.sides() {
                let service = label(slice, "kubernetes.io/service-name");
                for controller in [Controller::Endpoints, Controller::Mirror] {
                    keys.push(Key::new(controller, namespace(slice), service));
                }
            }
        }
        endpoints::LEGACY => {
            keys.extend(change.sides().map(|found| Key::of(Controller::LegacyEndpoints, found)));
        }
        endpoints::SERVICES => {
            keys.extend(change.sides().map(|service| Key::of(Controller::Mirror, service)))
        }
        _ => {}
    }
    keys
}

/// The pods without a node are looked at again.
fn waiting(cache: &Cache, keys: &mut Vec<Key>) {
    keys.extend(cache.pods.waiting().map(|(space, pod)| Key::new(Controller::Scheduler, space, pod)));
}

fn every(cache: &Cache, controller: Controller, keys: &mut Vec<Key>) {
    keys.extend(cache.all(controller.resource()).map(|object| Key::of(controller, object)));
}

/// A workload whose size changed: disruption budgets count against it.
fn sized(cache: &Cache, change: &Change, keys: &mut Vec<Key>) {
    if change.differs("/spec/replicas")
        && let Some(workload) = change.sides().next()
    {
        let budgets = cache.in_namespace(disruption::BUDGETS, namespace(workload));
        keys.extend(budgets.map(|budget| Key::of(Controller::Disruption, budget)));
    }
}

/// The controlling owners, before and after; for an orphan, whichever of `adopters` could take it.
fn owners(cache: &Cache, change: &Change, adopters: &[Controller], keys: &mut Vec<Key>) {
    for object in change.sides() {
        if let Some(owner) = controller_of(object)
            && let Some(controller) = Controller::of_kind(text(owner, "/kind"))
        {
            keys.push(Key::new(controller, namespace(object), text(owner, "/name")));
        }
    }
    let Some(orphan) = change.new.as_ref().filter(|object| controller_uid(object).is_empty()) else { return };
    for controller in adopters {
        for workload in cache.in_namespace(controller.resource(), namespace(orphan)) {
            if selector::matches(workload.pointer("/spec/selector"), labels(orphan)) {
                keys.push(Key::of(*controller, workload));
            }
        }
    }
}

fn pod_changed(cache: &Cache, change: &Change, keys: &mut Vec<Key>) {
    owners(cache, change, &[Controller::ReplicaSet, Controller::StatefulSet, Controller::DaemonSet], keys);
    if let Some(pod) = &change.new {
        if text(pod, "/spec/nodeName").is_empty() {
            keys.push(Key::of(Controller::Scheduler, pod));
        } else if taints::concerns(cache, pod) {
            keys.push(Key::of(Controller::Taint, pod));
        }
        if list(pod, "/metadata/finalizers").iter().any(|finalizer| finalizer == job::FINALIZER) {
            keys.push(Key::of(Controller::JobPod, pod));
        }
    }
    let over = change.new.as_ref().is_none_or(|pod| pods::is_finished(pod));
    for pod in change.sides().take(1) {
        if over {
            // a Deployment with strategy Recreate waits for this; a claim in use is protected until now
            let set = controller_of(pod).map_or("", |owner| text(owner, "/name"));
            if let Some(set) = cache.get(replicaset::REPLICASETS, namespace(pod), set)
                && let Some(owner) = controller_of(set)
            {
                keys.push(Key::new(Controller::Deployment, namespace(pod), text(owner, "/name")));
            }
            for claim in volumes::claims_of(pod) {
                keys.push(Key::new(Controller::Claim, namespace(pod), claim));
            }
            // its place on the node is free
            waiting(cache, keys);
        }
        for budget in cache.in_namespace(disruption::BUDGETS, namespace(pod)) {
            if change.sides().any(|pod| disruption::selects(budget, pod)) {
                keys.push(Key::of(Controller::Disruption, budget));
            }
        }
        for service in cache.in_namespace(endpoints::SERVICES, namespace(pod)) {
            let concerns = |wanted: &Map<String, Value>| {
                !wanted.is_empty() && change.sides().any(|pod| selector::contains(labels(pod), wanted))
            };
            if map(service, "/spec/selector").is_some_and(concerns) {
                keys.push(Key::of(Controller::Endpoints, service));
                keys.push(Key::of(Controller::LegacyEndpoints, service));
            }
        }
    }
}

fn node_changed(cache: &Cache, change: &Change, keys: &mut Vec<Key>) {
    if ["/metadata/labels", "/spec", "/status/allocatable"].iter().any(|part| change.differs(part))
        || change.old.is_none()
    {
        waiting(cache, keys);
        every(cache, Controller::DaemonSet, keys);
    }
    if let Some(node) = change.new.as_ref().filter(|node| taints::drives_away(node))
        && change.differs("/spec/taints")
    {
        let here = cache.all(PODS).filter(|pod| text(pod, "/spec/nodeName") == name(node));
        keys.extend(here.map(|pod| Key::of(Controller::Taint, pod)));
    }
}

fn claim_changed(cache: &Cache, change: &Change, keys: &mut Vec<Key>) {
    for claim in change.sides() {
        let volume = text(claim, "/spec/volumeName");
        if !volume.is_empty() {
            keys.push(Key::new(Controller::Volume, "", volume));
        }
    }
    let Some(claim) = change.sides().next() else { return };
    if change.differs("/status/phase") || change.differs("/spec") || change.old.is_none() {
        for pod in cache.in_namespace(PODS, namespace(claim)) {
            let waits = text(pod, "/spec/nodeName").is_empty() && !list(pod, "/spec/volumes").is_empty();
            if waits && volumes::claims_of(pod).any(|wanted| wanted == name(claim)) {
                keys.push(Key::of(Controller::Scheduler, pod));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(labels: Value, owner: Option<&str>) -> Arc<Value> {
        let mut pod = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "a", "labels": labels},
            "spec": {"nodeName": "n"}});
        if let Some(owner) = owner {
            pod["metadata"]["ownerReferences"] =
                json!([{"kind": "ReplicaSet", "name": owner, "uid": owner, "controller": true}]);
        }
        Arc::new(pod)
    }

    #[test]
    fn a_pod_concerns_its_owner_and_the_services_that_select_it() {
        let mut cache = Cache::default();
        for (name, app) in [("web", "web"), ("db", "db")] {
            let service =
                json!({"metadata": {"name": name, "namespace": "a"}, "spec": {"selector": {"app": app}}});
            cache.insert(endpoints::SERVICES, Arc::new(service));
        }
        let change = Change { old: None, new: Some(pod(json!({"app": "web"}), Some("set"))) };
        let keys = affected(&cache, PODS, &change);
        let set = Key::new(Controller::ReplicaSet, "a", "set");
        let services =
            [Controller::Endpoints, Controller::LegacyEndpoints].map(|one| Key::new(one, "a", "web"));
        assert_eq!(keys, [vec![set], services.to_vec()].concat());
    }

    #[test]
    fn a_relabelled_pod_concerns_the_service_it_left() {
        let mut cache = Cache::default();
        let service =
            json!({"metadata": {"name": "web", "namespace": "a"}, "spec": {"selector": {"app": "web"}}});
        cache.insert(endpoints::SERVICES, Arc::new(service));
        let change = Change { old: Some(pod(json!({"app": "web"}), None)), new: Some(pod(json!({}), None)) };
        let services =
            [Controller::Endpoints, Controller::LegacyEndpoints].map(|one| Key::new(one, "a", "web"));
        assert_eq!(affected(&cache, PODS, &change), services);
    }

    #[test]
    fn a_heartbeat_of_the_node_concerns_nobody() {
        let mut cache = Cache::default();
        cache.insert(PODS, Arc::new(json!({"metadata": {"name": "p", "namespace": "a"}, "spec": {}})));
        let node = |beat: i64| {
            Some(Arc::new(json!({"metadata": {"name": "n"}, "spec": {}, "status": {"beat": beat}})))
        };
        assert_eq!(affected(&cache, "nodes", &Change { old: node(1), new: node(2) }), []);
        assert_eq!(affected(&cache, "nodes", &Change { old: None, new: node(2) }).len(), 1);
    }
}
