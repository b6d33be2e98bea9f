//! NetworkPolicies: whether somebody may reach a port of a pod. Pure, after the semantics of Kubernetes.
//!
//! A pod that no policy of the direction `Ingress` selects takes everything. One that is selected takes what at least one rule
//! of one of these policies names: its `from` and its `ports`, both.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::cidr::Cidr;
use crate::sandbox::{object, selector};

/// Who wants to come in.
#[derive(Debug, Clone, Copy)]
pub enum Peer<'a> {
    /// A pod: no block of addresses ever means it.
    Pod {
        /// Its namespace.
        namespace: &'a str,
        /// The labels of its namespace.
        namespace_labels: Option<&'a Map<String, Value>>,
        /// Its own labels.
        labels: Option<&'a Map<String, Value>>,
    },
    /// Something outside the cluster: no selector ever means it.
    Outside(IpAddr),
}

/// What a peer wants to reach over TCP.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The pod.
    pub pod: &'a Value,
    /// The pod's own port, not the Service's.
    pub port: u16,
}

/// The names of the policies that keep a peer out, in their order; empty when it may come in. `policies` are those of the
/// pod's namespace.
pub fn denied_by<'a>(policies: &'a [Arc<Value>], target: &Target<'_>, peer: &Peer<'_>) -> Vec<&'a str> {
    let selecting: Vec<&Arc<Value>> =
        policies.iter().filter(|policy| is_ingress(policy) && selects(policy, target.pod)).collect();
    let allowed = selecting.iter().any(|policy| {
        let home = object::namespace(policy);
        object::list(policy, "/spec/ingress").iter().any(|rule| {
            let from = object::list(rule, "/from");
            let ports = object::list(rule, "/ports");
            (from.is_empty() || from.iter().any(|item| is_from(item, home, peer)))
                && (ports.is_empty() || ports.iter().any(|port| is_port(port, target)))
        })
    });
    if allowed { Vec::new() } else { selecting.iter().map(|policy| object::name(policy)).collect() }
}

/// Without `policyTypes` every policy is about what comes in.
fn is_ingress(policy: &Value) -> bool {
    let types = object::list(policy, "/spec/policyTypes");
    types.is_empty() || types.iter().any(|direction| direction == "Ingress")
}

/// An empty selector means every pod of the policy's namespace.
fn selects(policy: &Value, pod: &Value) -> bool {
    object::namespace(policy) == object::namespace(pod)
        && policy
            .pointer("/spec/podSelector")
            .is_none_or(|wanted| selector::selects(wanted, object::labels(pod)))
}

fn is_from(item: &Value, home: &str, peer: &Peer<'_>) -> bool {
    let field = |name: &str| item.get(name).filter(|value| !value.is_null());
    match *peer {
        Peer::Outside(address) => field("ipBlock").is_some_and(|block| is_in(block, address)),
        Peer::Pod { namespace, namespace_labels, labels } => {
            let (namespaces, pods) = (field("namespaceSelector"), field("podSelector"));
            if namespaces.is_none() && pods.is_none() {
                return false;
            }
            let at_home = match namespaces {
                Some(wanted) => selector::selects(wanted, namespace_labels),
                None => namespace == home,
            };
            at_home && pods.is_none_or(|wanted| selector::selects(wanted, labels))
        }
    }
}

fn is_in(block: &Value, address: IpAddr) -> bool {
    let within = |text: &str| text.parse::<Cidr>().is_ok_and(|block| block.contains(address));
    within(object::text(block, "/cidr"))
        && !object::list(block, "/except").iter().filter_map(Value::as_str).any(within)
}

fn is_port(port: &Value, target: &Target<'_>) -> bool {
    if !is_tcp(port) {
        return false;
    }
    let wanted = i64::from(target.port);
    match port.get("port") {
        None | Some(Value::Null) => true,
        Some(Value::String(name)) => object::list(target.pod, "/spec/containers")
            .iter()
            .flat_map(|container| object::list(container, "/ports"))
            .any(|known| {
                object::text(known, "/name") == name
                    && is_tcp(known)
                    && object::number(known, "/containerPort") == Some(wanted)
            }),
        Some(first) => first.as_i64().is_some_and(|first| {
            (first..=object::number(port, "/endPort").unwrap_or(first)).contains(&wanted)
        }),
    }
}

fn is_tcp(port: &Value) -> bool {
    matches!(object::text(port, "/protocol"), "" | "TCP")
}

#[cfg(test)]
mod tests;
