//! What policies let through, by Kubernetes' own rules: a pod that one selects is reached only by whom one of them names.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::*;
use crate::domain::route::{Block, RouteKind, TRAEFIK};
use crate::sandbox::network::policy::{Peer as SandboxPeer, Target, denied_by};

/// Who connects: a pod of a namespace, or an address from outside.
enum From<'a> {
    Pod(&'a str, &'a [(&'a str, &'a str)]),
    Address(&'a str),
}

const HOME: &str = "demo";

fn has(selector: &Value, labels: &[(&str, &str)]) -> bool {
    let wanted = selector["matchLabels"].as_object().into_iter().flatten();
    wanted.into_iter().all(|(name, value)| labels.iter().any(|(key, found)| key == name && value == found))
}

fn is(peer: &Value, from: &From<'_>) -> bool {
    match from {
        From::Address(address) => peer["ipBlock"]["cidr"]
            .as_str()
            .is_some_and(|block| Block::read(block).unwrap().contains(address.parse().unwrap())),
        From::Pod(namespace, labels) => {
            let there = match peer.get("namespaceSelector") {
                Some(selector) => has(selector, &[(NAME_LABEL, namespace)]),
                None => peer.get("podSelector").is_some() && *namespace == HOME,
            };
            there && has(&peer["podSelector"], labels)
        }
    }
}

/// Whether a connection to (or, `out`, from) a pod with `labels` at `port` comes through.
fn passes(policies: &[Value], labels: &[(&str, &str)], port: u16, other: &From<'_>, out: bool) -> bool {
    let (direction, rules, peers) =
        if out { ("Egress", "egress", "to") } else { ("Ingress", "ingress", "from") };
    let selected: Vec<&Value> = policies
        .iter()
        .map(|policy| &policy["spec"])
        .filter(|spec| spec["policyTypes"].as_array().unwrap().contains(&json!(direction)))
        .filter(|spec| has(&spec["podSelector"], labels))
        .collect();
    let rule = |rule: &Value| {
        let ports = rule.get("ports").and_then(Value::as_array);
        let peers = rule.get(peers).and_then(Value::as_array);
        ports.is_none_or(|ports| ports.iter().any(|one| one["port"] == port))
            && peers.is_none_or(|peers| peers.iter().any(|peer| is(peer, other)))
    };
    let passes = selected.is_empty()
        || selected.iter().any(|spec| spec[rules].as_array().into_iter().flatten().any(rule));
    if !out {
        assert_eq!(passes, passes_in_sandbox(policies, labels, port, other), "the sandbox sees it otherwise");
    }
    passes
}

/// The same, as the sandbox's ingress decides it.
fn passes_in_sandbox(policies: &[Value], labels: &[(&str, &str)], port: u16, other: &From<'_>) -> bool {
    let map = |labels: &[(&str, &str)]| -> Map<String, Value> {
        labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
    };
    let policies: Vec<Arc<Value>> = policies.iter().cloned().map(Arc::new).collect();
    let pod = json!({"metadata": {"name": "x", "namespace": HOME, "labels": map(labels)}, "spec": {"containers": []}});
    let target = Target { pod: &pod, port };
    match other {
        From::Address(address) => {
            denied_by(&policies, &target, &SandboxPeer::Outside(address.parse().unwrap())).is_empty()
        }
        From::Pod(namespace, labels) => {
            let (names, labels) = (map(&[(NAME_LABEL, namespace)]), map(labels));
            let peer = SandboxPeer::Pod { namespace, namespace_labels: Some(&names), labels: Some(&labels) };
            denied_by(&policies, &target, &peer).is_empty()
        }
    }
}

fn environment(isolation: Option<Isolation>) -> Environment {
    let mut environment = Environment::new(HOME, "c", HOME);
    environment.routing.isolation = isolation;
    environment
}

fn namespace(name: &str) -> Peer {
    Peer::Namespace { name: name.to_owned(), pods: BTreeMap::new() }
}

fn via(controller: &str, place: Option<&str>) -> Via {
    Via {
        kind: RouteKind::Ingress,
        controller: controller.to_owned(),
        class: None,
        gateway: None,
        namespace: place.map(str::to_owned),
    }
}

fn service(name: &str, external: bool, allow_from: Vec<Peer>) -> Guarded {
    let selector = BTreeMap::from([("app".to_owned(), name.to_owned())]);
    Guarded { name: name.to_owned(), selector, ports: vec![json!(8080)], external, allow_from }
}

fn all(isolation: Isolation, via: Option<Via>, services: Vec<Guarded>) -> Vec<Value> {
    let mut environment = environment(Some(isolation));
    environment.routing.allow_from = vec![namespace("ops"), Peer::Cidr("192.0.2.0/24".to_owned())];
    environment.routing.via.clone_from(&via);
    let set = PolicySet {
        isolation: Some(isolation),
        via,
        namespace: HOME.to_owned(),
        gate: Some(Gate { deployment: "ingress".to_owned(), ports: vec![json!({"port": 8000})] }),
        services,
    };
    environment_policies(&environment).into_iter().chain(policies(&set)).collect()
}

#[test]
fn nothing_is_kept_away_where_nobody_asked() {
    for isolation in [None, Some(Isolation::Off)] {
        assert!(environment_policies(&environment(isolation)).is_empty());
        let services = vec![service("web", true, vec![namespace("*")])];
        assert!(policies(&PolicySet { isolation, services, ..PolicySet::default() }).is_empty());
    }
}

#[test]
fn only_who_was_named_comes_in() {
    let scraper = Peer::Namespace {
        name: "monitoring".to_owned(),
        pods: BTreeMap::from([("app".to_owned(), "prometheus".to_owned())]),
    };
    let services = vec![
        service("web", true, vec![]),
        service("db", false, vec![scraper, Peer::Cidr("10.1.0.0/16".to_owned())]),
        service("cache", false, vec![]),
    ];
    let policies = all(Isolation::Inbound, Some(via(TRAEFIK, Some("traefik"))), services);
    let prometheus: &[(&str, &str)] = &[("app", "prometheus")];
    for (to, port, from, wanted) in [
        ("web", 8080, From::Pod(HOME, &[]), true),
        ("cache", 1, From::Pod(HOME, &[("app", "web")]), true),
        ("web", 8080, From::Pod("traefik", &[]), true),
        ("web", 9090, From::Pod("traefik", &[]), false),
        ("db", 8080, From::Pod("traefik", &[]), false),
        ("web", 8080, From::Pod("other", &[]), false),
        ("web", 8080, From::Address("203.0.113.1"), false),
        ("db", 8080, From::Pod("monitoring", prometheus), true),
        ("db", 9090, From::Pod("monitoring", prometheus), false),
        ("db", 8080, From::Pod("monitoring", &[]), false),
        ("db", 8080, From::Pod("other", prometheus), false),
        ("db", 8080, From::Address("10.1.2.3"), true),
        ("db", 8080, From::Address("10.2.2.3"), false),
        ("cache", 6379, From::Pod("ops", &[]), true),
        ("cache", 6379, From::Address("192.0.2.9"), true),
    ] {
        assert_eq!(passes(&policies, &[("app", to)], port, &from, false), wanted, "{to}:{port}");
    }
    let gate = [("styrmin.io/deployment", "ingress"), ("app", "traefik")];
    assert!(passes(&policies, &gate, 8000, &From::Address("203.0.113.1"), false), "the world talks to it");
    assert!(!passes(&policies, &gate, 8080, &From::Address("203.0.113.1"), false), "at its doors only");
    assert!(passes(&policies, &[("app", "web")], 443, &From::Address("203.0.113.1"), true), "out is free");
}

#[test]
fn what_goes_out_can_be_kept_away_as_well() {
    let policies =
        all(Isolation::Both, Some(via(TRAEFIK, Some("traefik"))), vec![service("web", true, vec![])]);
    let web = [("app", "web")];
    for (port, to, wanted) in [
        (5432, From::Pod(HOME, &[]), true),
        (53, From::Pod("kube-system", &[]), true),
        (53, From::Address("169.254.20.10"), true),
        (5353, From::Pod("openshift-dns", &[]), true),
        (443, From::Address("203.0.113.1"), false),
        (443, From::Pod("other", &[]), false),
        (443, From::Address("192.0.2.1"), true),
        (443, From::Pod("ops", &[]), true),
    ] {
        assert_eq!(passes(&policies, &web, port, &to, true), wanted, "{port}");
    }
    let gate = [("styrmin.io/deployment", "ingress")];
    assert!(passes(&policies, &gate, 6443, &From::Address("203.0.113.1"), true), "the API server");
    assert!(passes(&policies, &web, 8080, &From::Pod("traefik", &[]), false));
}

#[test]
fn a_controller_of_which_the_place_is_not_known_comes_from_everywhere() {
    let web = [("app", "web")];
    let elsewhere = [From::Pod("anywhere", &[]), From::Address("203.0.113.1"), From::Address("2001:db8::1")];
    for (via, open) in [
        (None, true),
        (Some(via(TRAEFIK, None)), true),
        (Some(via("ingress.k8s.aws/alb", None)), true),
        // its proxies are on the nodes, wherever its operator is a pod
        (Some(via("io.cilium/gateway-controller", Some("kube-system"))), true),
        (Some(via(TRAEFIK, Some("traefik"))), false),
    ] {
        let services =
            vec![service("web", true, vec![namespace("monitoring")]), service("db", false, vec![])];
        let policies = all(Isolation::Inbound, via, services);
        let solver = [("acme.cert-manager.io/http01-solver", "true")];
        for from in &elsewhere {
            assert_eq!(passes(&policies, &web, 8080, from, false), open);
            assert_eq!(passes(&policies, &solver, 8089, from, false), open);
            assert!(!passes(&policies, &web, 9090, from, false), "only the ports of the service");
            assert!(!passes(&policies, &[("app", "db")], 8080, from, false), "only what is external");
        }
        assert!(passes(&policies, &web, 8080, &From::Pod("monitoring", &[]), false));
    }
}

#[test]
fn the_proof_of_a_host_is_let_in() {
    let mut environment = environment(Some(Isolation::Inbound));
    let solver = [("acme.cert-manager.io/http01-solver", "true")];
    environment.routing.via = Some(via(TRAEFIK, Some("traefik")));
    let policies = environment_policies(&environment);
    let come = |pod: &[(&str, &str)]| passes(&policies, pod, 8089, &From::Pod("traefik", &[]), false);
    assert!(come(&solver), "a driver may name an issuer where the environment names none");
    assert!(!come(&[("app", "web")]), "nobody else listens to it");
    let names = policies.iter().map(|policy| policy["metadata"]["name"].as_str().unwrap());
    let names: Vec<&str> = names.collect();
    assert!(names.iter().all(|name| ENVIRONMENT_POLICIES.contains(name)), "{names:?}");
    assert_eq!(names.last(), Some(&ENVIRONMENT_POLICIES[0]), "what keeps away comes last");
}
