//! What is said of a pod when its task begins: what is simulated, and what has no effect.

use serde_json::{Value, json};

use super::worker::Worker;
use crate::sandbox::images::{self, Image};
use crate::sandbox::kubelet::scene::{self, SIMULATED, SIMULATED_CONTAINERS};
use crate::sandbox::kubelet::{COMPONENT, unsupported};
use crate::sandbox::object;

impl Worker {
    /// Says on the pod which of its containers are only simulated, and what of its specification has no effect.
    pub(super) fn announce(&self, pod: &Value) {
        let containers: Vec<&Value> = ["/spec/initContainers", "/spec/containers"]
            .iter()
            .flat_map(|pointer| object::list(pod, pointer))
            .collect();
        let simulated: Vec<&str> = containers
            .iter()
            .filter(|container| images::find(object::text(container, "/image")) == Image::Unknown)
            .map(|container| object::text(container, "/name"))
            .collect();
        let unknown = scene::unknown(pod);
        if !unknown.is_empty() {
            let message = format!("the annotation {} names no scene: {}", scene::SCENE, unknown.join(", "));
            self.event(true, "UnknownScene", &message);
        }
        if simulated.len() < containers.len()
            && let Some(message) = unsupported::message(pod)
        {
            self.event(false, "FieldsIgnored", &message);
        }
        if !simulated.is_empty() {
            self.mark_simulated(simulated.len() == containers.len(), &simulated.join(","));
        }
    }

    fn mark_simulated(&self, all: bool, names: &str) {
        let message =
            format!("no process runs, because nothing is known about the images of containers: {names}");
        self.event(false, "Simulated", &message);
        let record = &self.record;
        let written = self.node.api.mutate("pods", &record.namespace, &record.name, COMPONENT, |pod| {
            if object::uid(pod) == record.uid {
                pod["metadata"]["annotations"][SIMULATED_CONTAINERS] = json!(names);
                if all {
                    pod["metadata"]["annotations"][SIMULATED] = json!("true");
                }
            }
        });
        if let Err(status) = written {
            tracing::warn!(pod = record.name, %status.message, "the pod cannot be marked as simulated");
        }
    }
}
