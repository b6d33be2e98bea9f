//! One pod: from the moment it is bound here until it is gone. A task per pod ([`worker`]) starts its containers in order and
//! writes its status; [`super::container`] runs each of them.

mod announce;
mod init;
mod limits;
mod worker;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Node;
use super::console::Console;
use super::logs::Progress;
use super::process::Inside;
use super::state::{ContainerState, Role};
use super::status::PodState;
use crate::sandbox::object;
pub(super) use worker::run;

/// Why a pod ends; the greater reason wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// It has failed: its containers end, the pod stays.
    Failed,
    /// It was deleted: it goes when its containers have ended.
    Deleted,
    /// The sandbox stops, or the pod is gone already: nothing is told to the API server.
    Silent,
}

/// An order to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop {
    /// When processes that still run are killed.
    pub(super) deadline: Instant,
    pub(super) why: Why,
}

impl Stop {
    /// An order that leaves so much time from now on.
    pub(super) fn within(grace: Duration, why: Why) -> Self {
        Self { deadline: Instant::now() + grace, why }
    }
}

/// What runs of a container: for exec, attach and followers of its log.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) inside: Arc<Inside>,
    pub(super) log: watch::Receiver<Progress>,
    pub(super) console: Arc<Console>,
}

/// A pod of this node.
#[derive(Debug)]
pub(super) struct PodRecord {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) directory: PathBuf,
    pod: watch::Sender<Arc<Value>>,
    stop: watch::Sender<Option<Stop>>,
    state: watch::Sender<PodState>,
    live: Mutex<HashMap<String, Live>>,
}

impl PodRecord {
    pub(super) fn new(node: &Node, pod: &Arc<Value>) -> Self {
        let uid = object::uid(pod).to_owned();
        Self {
            namespace: object::namespace(pod).to_owned(),
            name: object::name(pod).to_owned(),
            directory: node.pods().join(&uid),
            uid,
            state: watch::Sender::new(initial_state(node, pod)),
            pod: watch::Sender::new(Arc::clone(pod)),
            stop: watch::Sender::new(None),
            live: Mutex::default(),
        }
    }

    /// The object as last seen.
    pub(super) fn pod(&self) -> Arc<Value> {
        self.pod.borrow().clone()
    }

    /// Follows the object.
    pub(super) fn follow(&self) -> watch::Receiver<Arc<Value>> {
        self.pod.subscribe()
    }

    /// The object has changed.
    pub(super) fn replace(&self, pod: Arc<Value>) {
        self.pod.send_replace(pod);
    }

    /// Orders the pod to end. A second order can only shorten the time, or give a greater reason.
    pub(super) fn order(&self, stop: Stop) {
        self.stop.send_if_modified(|present| {
            let new = present.map_or(stop, |present| Stop {
                deadline: present.deadline.min(stop.deadline),
                why: present.why.max(stop.why),
            });
            present.replace(new) != Some(new)
        });
    }

    fn ordered(&self) -> Option<Stop> {
        *self.stop.borrow()
    }

    /// Begins anew after its task has panicked: what ran has ended with it.
    pub(super) fn reset(&self, node: &Node) {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.state.send_replace(initial_state(node, &self.pod()));
    }

    /// The pod's address.
    pub(super) fn address(&self) -> Option<Ipv4Addr> {
        self.state.borrow().address
    }

    /// A container as it is now.
    pub(super) fn container(&self, name: &str) -> Option<ContainerState> {
        let state = self.state.borrow();
        state.containers.iter().find(|(known, _)| known == name).map(|(_, state)| state.clone())
    }

    /// Changes a container's state; the status follows.
    pub(super) fn update(&self, name: &str, change: impl FnOnce(&mut ContainerState)) {
        self.state.send_modify(|state| {
            if let Some((_, container)) = state.containers.iter_mut().find(|(known, _)| known == name) {
                change(container);
            }
        });
    }

    /// Where a container's logs are.
    pub(super) fn logs(&self, name: &str) -> PathBuf {
        self.directory.join("logs").join(name)
    }

    /// What runs of a container.
    pub(super) fn live(&self, name: &str) -> Option<Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Notes what runs of a container, or that nothing does.
    pub(super) fn set_live(&self, name: &str, live: Option<Live>) {
        let mut all = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        match live {
            Some(live) => all.insert(name.to_owned(), live),
            None => all.remove(name),
        };
    }

    fn roles(&self) -> Vec<(String, Role)> {
        self.state.borrow().containers.iter().map(|(name, state)| (name.clone(), state.role)).collect()
    }
}

/// The containers as they stand in the pod's status, or as new ones.
fn initial_state(node: &Node, pod: &Value) -> PodState {
    let inits = object::list(pod, "/spec/initContainers");
    let reason = if inits.is_empty() { "ContainerCreating" } else { "PodInitializing" };
    let container = |value: &Value, role: Role, statuses: &str| {
        let name = object::text(value, "/name");
        let image = object::text(value, "/image");
        let status = object::list(pod, statuses).iter().find(|status| status["name"] == name);
        let state = match status {
            Some(status) => ContainerState::restore(role, image, status, reason),
            None => ContainerState::new(role, image, reason),
        };
        (name.to_owned(), state)
    };
    let inits = inits.iter().map(|value| {
        let role = if value["restartPolicy"] == "Always" { Role::Sidecar } else { Role::Init };
        container(value, role, "/status/initContainerStatuses")
    });
    let mains = object::list(pod, "/spec/containers")
        .iter()
        .map(|value| container(value, Role::Main, "/status/containerStatuses"));
    let containers = inits.chain(mains).collect();
    PodState { address: None, started: Some(node.api.now()), failure: None, containers }
}
