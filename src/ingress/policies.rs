//! Who may connect to the pods of an environment: NetworkPolicies. They only ever add up: one that selects a pod keeps everything
//! away, and each says what it lets in.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::Environment;
use crate::domain::labels;
use crate::domain::names::{LABEL_MAX, bounded};
use crate::domain::route::{Isolation, Peer, Proxies, Via, controller};

/// The label of a namespace that has its name. Every API server since 1.21 puts it there.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// The namespace that the proxies of `via` are pods of; none: they are no pods, or nobody knows. Then their connections cannot be
/// told from others.
pub fn place(via: Option<&Via>) -> Option<&str> {
    let is_outside =
        |via: &&Via| controller(&via.controller).is_some_and(|known| known.proxies == Proxies::Outside);
    via.filter(|via| !is_outside(via)).and_then(|via| via.namespace.as_deref())
}

/// The names of the policies of an environment, as [`environment_policies`] makes them.
pub const ENVIRONMENT_POLICIES: [&str; 4] = crate::domain::environment::POLICIES;

/// The services of one deployment, and who is kept away from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicySet {
    /// Which connections are kept away; none: none is, and there is no policy.
    pub isolation: Option<Isolation>,
    /// Who answers for the routes.
    pub via: Option<Via>,
    /// The namespace.
    pub namespace: String,
    /// An ingress controller, where the deployment is one.
    pub gate: Option<Gate>,
    /// The services.
    pub services: Vec<Guarded>,
}

/// An ingress controller that the deployment is, the environment's own or another one: everybody reaches it, and it reaches the API
/// server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    /// The deployment.
    pub deployment: String,
    /// The ports of its pods at which it is reached, as a policy has them; empty: all.
    pub ports: Vec<Value>,
}

/// A service to which somebody may be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// The name of the Kubernetes Service.
    pub name: String,
    /// The labels of its pods.
    pub selector: BTreeMap<String, String>,
    /// The ports of its pods, by number or name, as a Service has them in `targetPort`.
    pub ports: Vec<Value>,
    /// Whether the ingress controller reaches it.
    pub external: bool,
    /// Who else does.
    pub allow_from: Vec<Peer>,
}

/// The policies of a deployment: one per service that is reached from outside of the namespace. None where nothing is kept away.
pub fn policies(set: &PolicySet) -> Vec<Value> {
    if Isolation::in_force(set.isolation).is_none() {
        return Vec::new();
    }
    let mut policies: Vec<Value> = set.gate.iter().map(|found| gate(set, found)).collect();
    policies.extend(set.services.iter().filter_map(|service| from(set, service)));
    policies
}

fn from(set: &PolicySet, service: &Guarded) -> Option<Value> {
    let nobody = !service.external && service.allow_from.is_empty();
    // a rule without ports would be about all of them
    if nobody || service.ports.is_empty() {
        return None;
    }
    let ports: Vec<Value> =
        service.ports.iter().map(|port| json!({ "port": port, "protocol": "TCP" })).collect();
    let others: Vec<Value> = service.allow_from.iter().map(peer).collect();
    let rule = match service.external {
        true => from_controller(set.via.as_ref(), others, &ports),
        false => json!({ "from": others, "ports": ports }),
    };
    Some(policy(
        (&set.namespace, &bounded(&[&service.name, "from"], LABEL_MAX)),
        json!({
            "podSelector": { "matchLabels": service.selector },
            "policyTypes": ["Ingress"],
            "ingress": [rule],
        }),
    ))
}

/// An ingress controller that the deployment is, is what the world talks to, and it watches the API server, whose address nobody knows
/// here. The environment's own keeps the allow-list itself.
fn gate(set: &PolicySet, gate: &Gate) -> Value {
    let door = if gate.ports.is_empty() { json!({}) } else { json!({ "ports": gate.ports }) };
    let mut spec = json!({
        "podSelector": { "matchLabels": { labels::DEPLOYMENT: gate.deployment } },
        "policyTypes": ["Ingress"],
        "ingress": [door],
    });
    if set.isolation == Some(Isolation::Both) {
        spec["policyTypes"] = json!(["Ingress", "Egress"]);
        spec["egress"] = json!([{}]);
    }
    policy((&set.namespace, &bounded(&[&gate.deployment, "gate"], LABEL_MAX)), spec)
}

/// What lets the ingress controller in, and others beside it.
///
/// Where its proxies are no pods whose namespace is known (load balancers of a cloud, processes on the network of their nodes,
/// somebody unknown), everybody comes to the ports: better that than no request at all. A selector of all namespaces would not do,
/// since it is about pods.
fn from_controller(via: Option<&Via>, others: Vec<Value>, ports: &[Value]) -> Value {
    let Some(namespace) = place(via) else { return json!({ "ports": ports }) };
    let mut from = vec![peer(&Peer::Namespace { name: namespace.to_owned(), pods: BTreeMap::new() })];
    from.extend(others);
    json!({ "from": from, "ports": ports })
}

/// Somebody, as a NetworkPolicy says it.
fn peer(peer: &Peer) -> Value {
    match peer {
        Peer::Cidr(block) => json!({ "ipBlock": { "cidr": block } }),
        Peer::Namespace { name, pods } => {
            let selector =
                if name == "*" { json!({}) } else { json!({ "matchLabels": { NAME_LABEL: name } }) };
            let mut peer = json!({ "namespaceSelector": selector });
            if !pods.is_empty() {
                peer["podSelector"] = json!({ "matchLabels": pods });
            }
            peer
        }
    }
}

fn policy((namespace, name): (&str, &str), spec: Value) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": { "name": name, "namespace": namespace },
        "spec": spec,
    })
}

/// The policies of the environment itself: nothing comes in but from its own namespace, and from whom the environment allows.
/// Where what goes out is kept away as well: names (DNS), and the same. What keeps away is the last one: at no moment of applying them
/// in order is something away that is allowed.
pub fn environment_policies(environment: &Environment) -> Vec<Value> {
    let Some(isolation) = Isolation::in_force(environment.routing.isolation) else { return Vec::new() };
    let both = isolation == Isolation::Both;
    let named = |name: &str, spec: Value| policy((&environment.namespace, name), spec);
    let types = if both { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    let [deny, same, dns, acme] = ENVIRONMENT_POLICIES;
    // pods without a namespace beside them are those of the policy's own
    let mut peers = vec![json!({ "podSelector": {} })];
    peers.extend(environment.routing.allow_from.iter().map(peer));
    let mut among = json!({ "podSelector": {}, "policyTypes": types, "ingress": [{ "from": peers }] });
    if both {
        among["egress"] = json!([{ "to": peers }]);
    }
    let mut policies = vec![named(same, among)];
    if both {
        // wherever names are resolved: in the cluster, or on the node. OpenShift's pods listen on 5353, and policies see that port
        let ports = [("UDP", 53), ("TCP", 53), ("UDP", 5353), ("TCP", 5353)];
        let ports = ports.map(|(protocol, port)| json!({ "port": port, "protocol": protocol }));
        let spec = json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": [{ "ports": ports }] });
        policies.push(named(dns, spec));
    }
    // a driver may name an issuer where its environment names none
    policies.push(named(acme, acme_solver(environment)));
    policies.push(named(deny, json!({ "podSelector": {}, "policyTypes": types })));
    policies
}

/// cert-manager proves that a host is ours by a pod of its own in the namespace, which the ingress controller must reach
/// (<https://cert-manager.io/docs/configuration/acme/http01/>).
fn acme_solver(environment: &Environment) -> Value {
    let ports = [json!({ "port": 8089, "protocol": "TCP" })];
    json!({
        "podSelector": { "matchLabels": { "acme.cert-manager.io/http01-solver": "true" } },
        "policyTypes": ["Ingress"],
        "ingress": [from_controller(environment.routing.via.as_ref(), Vec::new(), &ports)],
    })
}

#[cfg(test)]
mod tests;
