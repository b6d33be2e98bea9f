//! What NetworkPolicies say of a connection to a pod: who may come in.

use std::net::{IpAddr, SocketAddrV4};

use http::StatusCode;

use super::explain::{Refusal, pod_at};
use crate::sandbox::api::Api;
use crate::sandbox::network::policy::{self, Peer, Target};
use crate::sandbox::object;

const POLICIES: &str = "networkpolicies.networking.k8s.io";
/// The proxy counts as a pod of this namespace with this label.
const HOME: &str = "kube-system";
const NAME: &str = "sandbox-ingress";

/// Whether they let the ingress itself connect to a pod.
pub(super) fn permit_ingress(api: &Api, namespace: &str, address: SocketAddrV4) -> Result<(), Refusal> {
    let home = api.get("namespaces", "", HOME);
    let labels = serde_json::json!({"app.kubernetes.io/name": NAME});
    let peer = Peer::Pod {
        namespace: HOME,
        namespace_labels: home.as_deref().and_then(object::labels),
        labels: labels.as_object(),
    };
    permit(api, namespace, address, &peer)
}

/// Whether they let somebody from outside the cluster connect to a pod.
pub(super) fn permit_outside(
    api: &Api,
    namespace: &str,
    address: SocketAddrV4,
    client: IpAddr,
) -> Result<(), Refusal> {
    permit(api, namespace, address, &Peer::Outside(client))
}

fn permit(api: &Api, namespace: &str, address: SocketAddrV4, peer: &Peer<'_>) -> Result<(), Refusal> {
    let policies = api.list(POLICIES, Some(namespace));
    if policies.is_empty() {
        return Ok(());
    }
    // what is no pod is no pod's policy's
    let Some(pod) = pod_at(api, namespace, *address.ip()) else { return Ok(()) };
    let denied = policy::denied_by(&policies, &Target { pod: &pod, port: address.port() }, peer);
    if denied.is_empty() {
        return Ok(());
    }
    let who = match peer {
        Peer::Pod { .. } => format!("the ingress (a pod of {HOME} with app.kubernetes.io/name={NAME})"),
        Peer::Outside(client) => format!("{client}"),
    };
    let what = format!(
        "NetworkPolicy {}: {who} may not reach the pod {namespace}/{} at port {}.",
        denied.join(", "),
        object::name(&pod),
        address.port()
    );
    let hint = "A real ingress would wait here until it gives up. Add a policy that allows it.";
    Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, what, hint))
}
