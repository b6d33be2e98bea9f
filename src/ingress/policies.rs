//! Who may connect to the pods of an environment: NetworkPolicies. They only ever add up: one that selects a pod keeps everything
//! away, and each says what it lets in.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::Environment;
use crate::domain::labels;
use crate::domain::names::{LABEL_MAX, bounded};
use crate::domain::route::{Isolation, Peer, TlsSource, Via};

/// The label of a namespace that has its name. Every API server since 1.21 puts it there.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Controllers whose proxies are no pods: what comes from them has an address, and no namespace.
const OUTSIDE: [&str; 4] =
    ["ingress.k8s.aws/alb", "eks.amazonaws.com/alb", "k8s.io/ingress-gce", "azure/application-gateway"];

/// Whether the proxies of a controller are no pods.
pub(super) fn is_outside(controller: &str) -> bool {
    OUTSIDE.contains(&controller)
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
    /// The deployment, where it is the environment's own ingress controller: everybody reaches it, and it reaches the API server.
    pub gate: Option<String>,
    /// The services.
    pub services: Vec<Guarded>,
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
    if matches!(set.isolation, None | Some(Isolation::Off)) {
        return Vec::new();
    }
    let mut policies: Vec<Value> = set.gate.iter().map(|deployment| gate(set, deployment)).collect();
    policies.extend(set.services.iter().filter_map(|service| from(set, service)));
    policies
}

fn from(set: &PolicySet, service: &Guarded) -> Option<Value> {
    let controller = if service.external { controllers(set.via.as_ref()) } else { Vec::new() };
    let mut from: Vec<Value> = controller;
    from.extend(service.allow_from.iter().map(peer));
    let ports: Vec<Value> =
        service.ports.iter().map(|port| json!({ "port": port, "protocol": "TCP" })).collect();
    (!from.is_empty()).then(|| {
        policy(
            (&set.namespace, &bounded(&[&service.name, "from"], LABEL_MAX)),
            json!({
                "podSelector": { "matchLabels": service.selector },
                "policyTypes": ["Ingress"],
                "ingress": [{ "from": from, "ports": ports }],
            }),
        )
    })
}

/// The environment's own ingress controller is what the world talks to, and it watches the API server, whose address nobody knows
/// here. It keeps the allow-list itself.
fn gate(set: &PolicySet, deployment: &str) -> Value {
    let mut spec = json!({
        "podSelector": { "matchLabels": { labels::DEPLOYMENT: deployment } },
        "policyTypes": ["Ingress"],
        "ingress": [{}],
    });
    if set.isolation == Some(Isolation::Both) {
        spec["policyTypes"] = json!(["Ingress", "Egress"]);
        spec["egress"] = json!([{}]);
    }
    policy((&set.namespace, &bounded(&[deployment, "gate"], LABEL_MAX)), spec)
}

/// Where the connections of the ingress controller come from.
fn controllers(via: Option<&Via>) -> Vec<Value> {
    let namespace = |name: &str| peer(&Peer::Namespace { name: name.to_owned(), pods: BTreeMap::new() });
    match via {
        Some(via) if is_outside(&via.controller) => {
            ["0.0.0.0/0", "::/0"].map(|block| peer(&Peer::Cidr(block.to_owned()))).to_vec()
        }
        Some(Via { namespace: Some(name), .. }) => vec![namespace(name)],
        // nobody knows where its pods are: better every namespace than no request at all
        _ => vec![namespace("*")],
    }
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
/// Where what goes out is kept away as well: names (DNS), and the same.
pub fn environment_policies(environment: &Environment) -> Vec<Value> {
    let both = match environment.routing.isolation {
        None | Some(Isolation::Off) => return Vec::new(),
        Some(Isolation::Inbound) => false,
        Some(Isolation::Both) => true,
    };
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
    let mut policies =
        vec![named(deny, json!({ "podSelector": {}, "policyTypes": types })), named(same, among)];
    if both {
        // wherever names are resolved: in the cluster, or on the node
        let ports = ["UDP", "TCP"].map(|protocol| json!({ "port": 53, "protocol": protocol }));
        let spec = json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": [{ "ports": ports }] });
        policies.push(named(dns, spec));
    }
    if matches!(environment.routing.tls, TlsSource::Issuer(_)) {
        policies.push(named(acme, acme_solver(environment)));
    }
    policies
}

/// cert-manager proves that a host is ours by a pod of its own in the namespace, which the ingress controller must reach
/// (<https://cert-manager.io/docs/configuration/acme/http01/>).
fn acme_solver(environment: &Environment) -> Value {
    json!({
        "podSelector": { "matchLabels": { "acme.cert-manager.io/http01-solver": "true" } },
        "policyTypes": ["Ingress"],
        "ingress": [{ "from": controllers(environment.routing.via.as_ref()), "ports": [{ "port": 8089, "protocol": "TCP" }] }],
    })
}

#[cfg(test)]
mod tests;
