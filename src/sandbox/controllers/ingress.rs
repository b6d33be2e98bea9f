//! Ingresses: those of a class of the sandbox's controller get the loopback address, where its proxy answers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::object::{deleting, text};
use super::write::{Context, Note, Outcome, Write};
use crate::sandbox::network::allow::{ALLOW_LIST, AllowList};
use crate::sandbox::network::ingress_class::{self, CONTROLLER, DEFAULT_CLASS};

/// The resource.
pub const INGRESSES: &str = "ingresses.networking.k8s.io";
/// IngressClasses.
pub const CLASSES: &str = "ingressclasses.networking.k8s.io";

/// The object of the sandbox's default class.
pub fn default_class() -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "sandbox", "annotations": {DEFAULT_CLASS: "true"}},
        "spec": {"controller": CONTROLLER},
    })
}

/// Publishes the address, or takes it back when the class is another's.
pub fn sync(context: &Context<'_>, ingress: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    if deleting(ingress) {
        return outcome;
    }
    let ours = ingress_class::is_ours(ingress, context.cache.all(CLASSES).map(|class| &**class));
    let balancer = if ours {
        json!({"ingress": [{"ip": "127.0.0.1"}]})
    } else if text(ingress, "/status/loadBalancer/ingress/0/ip") == "127.0.0.1" {
        json!({})
    } else {
        return outcome;
    };
    outcome.status(INGRESSES, ingress, json!({"loadBalancer": balancer}));
    if ours && let AllowList::Malformed(wrong) = AllowList::of_ingress(ingress) {
        let message = format!("{ALLOW_LIST}: {wrong}; until it is corrected nobody comes in");
        outcome.push(Write::Event(Note::warning(ingress, "AllowListMalformed", message)));
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::super::bench::Bench;
    use super::*;

    fn ingress(class: Option<&str>) -> Value {
        let mut ingress = json!({"metadata": {"name": "web", "namespace": "a"}, "spec": {}, "status": {"loadBalancer": {}}});
        if let Some(class) = class {
            ingress["spec"]["ingressClassName"] = json!(class);
        }
        ingress
    }

    fn address(class: Option<&str>) -> Value {
        let mut bench = Bench::new();
        bench.add(CLASSES, default_class());
        bench.add(
            CLASSES,
            json!({"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}),
        );
        bench.add(INGRESSES, ingress(class));
        bench.settle();
        bench.get(INGRESSES, "a", "web")["status"]["loadBalancer"].clone()
    }

    #[test]
    fn only_ingresses_of_the_sandbox_get_its_address() {
        let ours = json!({"ingress": [{"ip": "127.0.0.1"}]});
        assert_eq!(address(None), ours);
        assert_eq!(address(Some("sandbox")), ours);
        assert_eq!(address(Some("nginx")), json!({}));
        assert_eq!(address(Some("nowhere")), json!({}));
    }

    #[test]
    fn a_malformed_allow_list_is_told() {
        for (list, told) in [("127.0.0.0/8", 0), ("127.0.0.0/80", 1)] {
            let mut bench = Bench::new();
            bench.add(CLASSES, default_class());
            let mut ours = ingress(None);
            ours["metadata"]["annotations"] = json!({ALLOW_LIST: list});
            bench.add(INGRESSES, ours);
            bench.settle();
            let about = |event: &&(bool, String, String)| event.0 && event.1 == "AllowListMalformed";
            assert_eq!(bench.events.iter().filter(about).count().min(1), told, "{list}");
        }
    }
}
