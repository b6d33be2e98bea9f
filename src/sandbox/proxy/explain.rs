//! Why a request is not answered, in words: what was looked at, and what to do.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::Value;

use super::pages::page;
use super::table::{Backend, Port};
use crate::sandbox::api::Api;
use crate::sandbox::body::Body;
use crate::sandbox::kubelet::scene::SIMULATED;
use crate::sandbox::{object, selector};

/// How many pods are named.
const NAMED: usize = 3;

/// A page instead of an answer.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// What happened.
    pub(super) what: String,
    /// What to do, or what else is known.
    pub(super) hint: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, what: what.into(), hint: hint.into() }
    }

    pub(super) fn page(&self) -> Response<Body> {
        page(self.status, &self.what, &self.hint)
    }
}

/// There is no ready endpoint for a request.
pub(super) fn no_endpoint(api: &Api, backend: &Backend) -> Refusal {
    let Backend { namespace, service, ingress, port, .. } = backend;
    let refusal = |what: String, hint: String| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, what, hint);
    let Some(object) = api.get("services", namespace, service) else {
        let what = format!("The Service {namespace}/{service} does not exist.");
        return refusal(what, format!("The Ingress {namespace}/{ingress} sends its requests there."));
    };
    let known = object::list(&object, "/spec/ports").iter().any(|known| match port {
        Port::Number(number) => known["port"] == *number,
        Port::Name(name) => known["name"] == **name,
    });
    if !known {
        let port = match port {
            Port::Number(number) => number.to_string(),
            Port::Name(name) => name.clone(),
        };
        let what = format!("The Service {namespace}/{service} has no port {port}.");
        return refusal(what, format!("The Ingress {namespace}/{ingress} names it."));
    }
    let what = format!("The Service {namespace}/{service} has no ready endpoint.");
    refusal(what, state_of_pods(api, namespace, &object))
}

/// Whether what a Service stands for is stopped, or starting.
fn state_of_pods(api: &Api, namespace: &str, service: &Value) -> String {
    let Some(wanted) = object::map(service, "/spec/selector") else {
        return "It selects no pods: whoever keeps its endpoints has none that is ready.".to_owned();
    };
    let mut pods = api.list("pods", Some(namespace));
    pods.retain(|pod| {
        let phase = object::text(pod, "/status/phase");
        selector::contains(object::labels(pod), wanted) && !matches!(phase, "Succeeded" | "Failed")
    });
    if pods.is_empty() {
        return "It is stopped: none of its pods is there.".to_owned();
    }
    let mut named: Vec<String> = pods.iter().take(NAMED).map(|pod| state_of(pod)).collect();
    if pods.len() > NAMED {
        named.push(format!("{} more", pods.len() - NAMED));
    }
    format!("It is starting, stopping or failing: {}.", named.join(", "))
}

fn state_of(pod: &Value) -> String {
    let statuses = object::list(pod, "/status/containerStatuses").iter();
    let waiting = statuses.map(|status| object::text(status, "/state/waiting/reason"));
    let reason = waiting.into_iter().find(|reason| !reason.is_empty());
    let reason = match reason {
        _ if object::deleting(pod) => "is stopping",
        Some(reason) => reason,
        None => "is not ready yet",
    };
    format!("{} ({reason})", object::name(pod))
}

/// An endpoint that is ready did not answer.
pub(super) fn no_answer(api: &Api, backend: &Backend, address: SocketAddrV4, why: &str) -> Refusal {
    let Backend { namespace, service, .. } = backend;
    let pod = pod_at(api, namespace, *address.ip());
    if let Some(pod) = pod.filter(|pod| object::annotation(pod, SIMULATED) == Some("true")) {
        let image = object::text(&pod, "/spec/containers/0/image");
        let what = format!("The pod {namespace}/{} is simulated: nothing answers.", object::name(&pod));
        let hint = format!(
            "The sandbox does not know the image {image}: it plays the life of the pod, and runs no process."
        );
        return Refusal::new(StatusCode::BAD_GATEWAY, what, hint);
    }
    let what = format!("The Service {namespace}/{service} did not answer at {address}: {why}.");
    let hint = "The pod is ready, but does not speak HTTP on this port now.";
    Refusal::new(StatusCode::BAD_GATEWAY, what, hint)
}

/// The pod that has an address.
pub(super) fn pod_at(api: &Api, namespace: &str, address: Ipv4Addr) -> Option<Arc<Value>> {
    let address = address.to_string();
    let mut pods = api.list("pods", Some(namespace)).into_iter();
    // an ended pod may hold an address that is used again
    pods.find(|pod| {
        object::text(pod, "/status/podIP") == address
            && !matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed")
    })
}
