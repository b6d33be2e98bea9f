//! Where pods are: what those on a node take of it, which wait for a node, and which do not bear others beside them. Kept
//! up with every change of a pod, so that placing one costs no look at all the others.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::cache::Place;
use super::object::{list, map, name, namespace, text};
use super::pods;
use crate::sandbox::schema::quantity::Quantity;

/// The amounts that the scheduler weighs, in billionths of their units.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// Cores.
    pub cpu: i128,
    /// Bytes.
    pub memory: i128,
    /// Pods, as whole numbers.
    pub pods: i128,
}

impl Amounts {
    fn plus(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, memory: self.memory + other.memory, pods: self.pods + other.pods }
    }

    fn minus(self, other: Self) -> Self {
        Self { cpu: self.cpu - other.cpu, memory: self.memory - other.memory, pods: self.pods - other.pods }
    }

    fn most(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.max(other.cpu),
            memory: self.memory.max(other.memory),
            pods: self.pods.max(other.pods),
        }
    }

    /// `{"cpu": …, "memory": …}`.
    fn read(object: &Value, pointer: &str) -> Self {
        let amount = |resource: &str| amount(object, pointer, resource).unwrap_or(0);
        Self { cpu: amount("cpu"), memory: amount("memory"), pods: 0 }
    }
}

fn amount(object: &Value, pointer: &str, resource: &str) -> Option<i128> {
    let quantity = map(object, pointer)?.get(resource)?;
    let written = quantity.as_str().map_or_else(|| quantity.to_string(), str::to_owned);
    Quantity::parse(&written).map(|quantity| quantity.nanos())
}

/// What a pod asks for: its containers together, or its largest init container if that is more; sidecars count with both;
/// the overhead comes on top. A request for the whole pod stands for its containers'.
pub fn requests(pod: &Value) -> Amounts {
    let of = |container: &Value| Amounts::read(container, "/resources/requests");
    let mut running = list(pod, "/spec/containers").iter().map(of).fold(Amounts::default(), Amounts::plus);
    let (mut sidecars, mut starting) = (Amounts::default(), Amounts::default());
    for container in list(pod, "/spec/initContainers") {
        if text(container, "/restartPolicy") == "Always" {
            sidecars = sidecars.plus(of(container));
            starting = starting.most(sidecars);
        } else {
            starting = starting.most(sidecars.plus(of(container)));
        }
    }
    running = running.plus(sidecars).most(starting);
    let whole = |resource: &str| amount(pod, "/spec/resources/requests", resource);
    running.cpu = whole("cpu").unwrap_or(running.cpu);
    running.memory = whole("memory").unwrap_or(running.memory);
    let total = running.plus(Amounts::read(pod, "/spec/overhead"));
    Amounts { pods: 1, ..total }
}

/// The resources of which a node has not enough left, as the scheduler words them.
pub fn shortage(node: &Value, used: Amounts, asked: Amounts) -> Option<&'static str> {
    let allocatable = |resource: &str| amount(node, "/status/allocatable", resource);
    let most_pods = allocatable("pods").map(|pods| pods / 1_000_000_000);
    let lacks = |most: Option<i128>, used: i128, asked: i128| {
        asked > 0 && most.is_some_and(|most| used + asked > most)
    };
    if lacks(most_pods, used.pods, asked.pods) {
        return Some("Too many pods");
    }
    if lacks(allocatable("cpu"), used.cpu, asked.cpu) {
        return Some("Insufficient cpu");
    }
    lacks(allocatable("memory"), used.memory, asked.memory).then_some("Insufficient memory")
}

/// The index.
#[derive(Debug, Default)]
pub struct PodIndex {
    used: HashMap<String, Amounts>,
    waiting: BTreeSet<Place>,
    wary: BTreeSet<Place>,
}

impl PodIndex {
    /// What the pods on a node take of it.
    pub fn used(&self, node: &str) -> Amounts {
        self.used.get(node).copied().unwrap_or_default()
    }

    /// The pods that have no node.
    pub fn waiting(&self) -> impl Iterator<Item = (&str, &str)> {
        self.waiting.iter().map(|(namespace, name)| (namespace.as_str(), name.as_str()))
    }

    /// The pods with required anti-affinity.
    pub fn wary(&self) -> impl Iterator<Item = (&str, &str)> {
        self.wary.iter().map(|(namespace, name)| (namespace.as_str(), name.as_str()))
    }

    /// Takes a pod in.
    pub fn add(&mut self, pod: &Value) {
        if pods::is_finished(pod) {
            return;
        }
        let place = (namespace(pod).to_owned(), name(pod).to_owned());
        if !list(pod, ANTI_AFFINITY).is_empty() {
            self.wary.insert(place.clone());
        }
        match text(pod, "/spec/nodeName") {
            "" => {
                self.waiting.insert(place);
            }
            node => {
                let used = self.used.entry(node.to_owned()).or_default();
                *used = used.plus(requests(pod));
            }
        }
    }

    /// Takes a pod out, as it was taken in.
    pub fn remove(&mut self, pod: &Value) {
        if pods::is_finished(pod) {
            return;
        }
        let place = (namespace(pod).to_owned(), name(pod).to_owned());
        self.wary.remove(&place);
        self.waiting.remove(&place);
        if let Some(used) = self.used.get_mut(text(pod, "/spec/nodeName")) {
            *used = used.minus(requests(pod));
        }
    }
}

/// A pod's required anti-affinity.
pub const ANTI_AFFINITY: &str =
    "/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asks(cpu: &str, memory: &str) -> Value {
        json!({"resources": {"requests": {"cpu": cpu, "memory": memory}}})
    }

    #[test]
    fn a_pod_asks_for_the_most_that_it_needs_at_a_time() {
        let mut sidecar = asks("100m", "1Mi");
        sidecar["restartPolicy"] = json!("Always");
        let pod = json!({"spec": {"containers": [asks("100m", "10Mi"), asks("0.2", "10Mi")],
            "initContainers": [asks("250m", "1Mi"), sidecar, asks("1", "1Mi")], "overhead": {"cpu": "10m"}}});
        let asked = requests(&pod);
        assert_eq!((asked.cpu, asked.pods), (1_110_000_000, 1));
        assert_eq!(asked.memory, 21 * (1 << 20) * 1_000_000_000);
    }

    #[test]
    fn what_is_short_is_named() {
        let node = json!({"status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "2"}}});
        let used = Amounts { cpu: 1_500_000_000, memory: 0, pods: 1 };
        let asked = |cpu: &str, memory: &str| requests(&json!({"spec": {"containers": [asks(cpu, memory)]}}));
        assert_eq!(shortage(&node, used, asked("500m", "1Gi")), None);
        assert_eq!(shortage(&node, used, asked("501m", "1Gi")), Some("Insufficient cpu"));
        assert_eq!(shortage(&node, used, asked("0", "1025Mi")), Some("Insufficient memory"));
        assert_eq!(shortage(&node, Amounts { pods: 2, ..used }, asked("0", "0")), Some("Too many pods"));
        assert_eq!(shortage(&json!({}), used, asked("99", "1Ti")), None, "a node that says nothing has all");
    }
}
