//! The task of a pod: volumes, init containers, containers, sidecars, in order; then the end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

use super::init::carry_on;
use super::{PodRecord, Why, limits};
use crate::sandbox::api::DeleteOptions;
use crate::sandbox::kubelet::container::{Runner, StopSignal, ordered};
use crate::sandbox::kubelet::state::Role;
use crate::sandbox::kubelet::volumes::is_made_of_files;
use crate::sandbox::kubelet::{COMPONENT, Node, api_access, setup, status};
use crate::sandbox::object;

/// How often a failed mount is tried again when nothing that it needs changes.
const RETRY: Duration = Duration::from_secs(10);

/// Runs a pod until it is gone or the sandbox stops.
pub(in crate::sandbox::kubelet) async fn run(node: Arc<Node>, record: Arc<PodRecord>) {
    let worker = Worker { node, record };
    let pod = worker.record.pod();
    let ended = matches!(object::text(&pod, "/status/phase"), "Succeeded" | "Failed");
    if !ended {
        worker.life(&pod).await;
    }
    // An ended pod stays until it is deleted.
    let mut stop = worker.record.stop.subscribe();
    stop.wait_for(|stop| stop.is_some_and(|stop| stop.why != Why::Failed)).await.ok();
    if worker.record.ordered().is_some_and(|stop| stop.why == Why::Deleted) {
        worker.remove();
    }
}

pub(super) struct Worker {
    pub(super) node: Arc<Node>,
    pub(super) record: Arc<PodRecord>,
}

impl Worker {
    async fn life(&self, pod: &Value) {
        // A pod on the host's network has the node's address: all processes share the machine's network anyway.
        let of_host = pod["spec"]["hostNetwork"] == true;
        let address =
            if of_host { Some(self.node.network.node_address()) } else { self.node.network.allocate() };
        self.record.state.send_modify(|state| state.address = address);
        let _release = Release { node: &self.node, address: address.filter(|_| !of_host) };
        self.announce(pod);
        tokio::select! {
            () = self.write_statuses() => {}
            () = limits::deadline(self) => {}
            () = limits::empty_dirs(self) => {}
            () = self.containers() => {}
        }
        self.write_status();
    }

    pub(super) fn event(&self, warning: bool, reason: &str, message: &str) {
        self.node.api.record_event(&self.record.pod(), warning, reason, message, COMPONENT);
    }

    /// Writes the status at every change.
    async fn write_statuses(&self) {
        let mut state = self.record.state.subscribe();
        loop {
            state.mark_unchanged();
            self.write_status();
            if state.changed().await.is_err() {
                return;
            }
        }
    }

    /// Writes the status, unless the end is not to be told: then the pod's last words are that it ran.
    fn write_status(&self) {
        let record = &self.record;
        // what is told was so before the order came
        let state = record.state.borrow().clone();
        if record.ordered().is_some_and(|stop| stop.why == Why::Silent) {
            return;
        }
        let (address, now) = (self.node.network.node_address(), self.node.api.now());
        let written =
            self.node.api.mutate_status("pods", &record.namespace, &record.name, COMPONENT, |pod| {
                if object::uid(pod) == record.uid {
                    status::write(pod, &state, address, now);
                }
            });
        if let Err(status) = written {
            tracing::warn!(pod = record.name, %status.message, "the pod's status cannot be written");
        }
    }

    /// The containers' lives: init containers in order, then the others together, sidecars longest.
    async fn containers(&self) {
        let mut stop = self.record.stop.subscribe();
        if !self.mount(&mut stop).await {
            return;
        }
        let lives = async {
            let mut sidecars = Vec::new();
            if self.initialize(&mut sidecars).await {
                let mut mains = JoinSet::new();
                for (name, role) in self.record.roles() {
                    if role == Role::Main {
                        mains.spawn(self.runner(name, role, self.record.stop.subscribe()).run());
                    }
                }
                while let Some(result) = mains.join_next().await {
                    carry_on(result);
                }
            }
            self.end_sidecars(sidecars).await;
        };
        tokio::select! {
            () = lives => {}
            () = self.refresh() => {}
        }
    }

    /// Prepares the volumes, however long it takes. False when ordered to stop.
    async fn mount(&self, stop: &mut StopSignal) -> bool {
        loop {
            let mut changed = self.node.inputs();
            let Err(why) = setup::volumes(&self.node, &self.record) else { return true };
            self.event(true, "FailedMount", &why);
            tokio::select! {
                () = changed.wait() => {}
                () = tokio::time::sleep(RETRY) => {}
                () = ordered(stop) => return false,
            }
        }
    }

    /// Keeps the files of volumes as what they are made from is. Never returns.
    async fn refresh(&self) {
        let served =
            self.node.options.api_server.is_some() && api_access::wanted(&self.node.api, &self.record.pod());
        if !served && !object::list(&self.record.pod(), "/spec/volumes").iter().any(is_made_of_files) {
            return std::future::pending().await;
        }
        let mut follow = self.record.follow();
        loop {
            let mut changed = self.node.inputs();
            let pod = follow.borrow_and_update().clone();
            if let Err(why) = setup::volumes(&self.node, &self.record) {
                self.event(true, "FailedMount", &why);
            }
            let described = async {
                let described =
                    |pod: &Value| (pod["metadata"]["labels"].clone(), pod["metadata"]["annotations"].clone());
                let before = described(&pod);
                if follow.wait_for(|pod| described(pod) != before).await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = changed.wait_for(&self.record.namespace) => {}
                () = described => {}
                () = tokio::time::sleep(setup::REFRESH) => {}
            }
        }
    }

    pub(super) fn runner(&self, name: String, role: Role, stop: StopSignal) -> Runner {
        Runner::new(Arc::clone(&self.node), Arc::clone(&self.record), (name, role), stop)
    }

    /// The pod's own grace period.
    pub(super) fn grace(&self) -> Duration {
        let seconds = self.record.pod()["spec"]["terminationGracePeriodSeconds"].as_u64();
        Duration::from_secs(seconds.unwrap_or(30))
    }

    /// The pod has ended as ordered: it goes away.
    fn remove(&self) {
        let record = &self.record;
        let options = DeleteOptions {
            grace_seconds: Some(0),
            uid: Some(record.uid.clone()),
            ..DeleteOptions::default()
        };
        match self.node.api.delete("pods", &record.namespace, &record.name, &options) {
            Err(status) if status.code != 404 && status.code != 409 => {
                tracing::warn!(pod = record.name, %status.message, "the pod cannot be removed");
            }
            _ => {}
        }
    }
}

/// Gives the pod's address back, also when its task panics.
struct Release<'a> {
    node: &'a Node,
    address: Option<std::net::Ipv4Addr>,
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        if let Some(address) = self.address {
            self.node.network.release(address);
        }
    }
}
