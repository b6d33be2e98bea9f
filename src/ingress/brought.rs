//! The allow-list on a route that a driver brings itself.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::allow::{self, Adapter};
use super::render::RouteSet;
use crate::domain::route::{RouteKind, Via, class};

/// Puts the allow-list of `set` on `object`, an Ingress, HTTPRoute or IngressRoute of `namespace` (where it names no other), in
/// place of what it says itself. Gives the objects that are needed beside it; none: there is no way, and it would stay open.
pub fn allow_on(
    object: &mut Value,
    set: &RouteSet,
    adapter: &Adapter,
    namespace: &str,
) -> Option<Vec<Value>> {
    let via = set.via.as_ref()?;
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or(namespace).to_owned();
    let name = object["metadata"]["name"].as_str()?.to_owned();
    let place = (namespace.as_str(), name.as_str());
    let same = class(object) == set.class();
    match (object["kind"].as_str()?, adapter) {
        ("Ingress" | "IngressRoute", Adapter::OwnIngress) if same => {}
        // of a class that nobody names, nobody knows whether it is Traefik's
        ("Ingress", Adapter::Annotation(_) | Adapter::Middleware)
            if same && (via.kind == RouteKind::Ingress || set.class().is_some()) =>
        {
            annotate(object, adapter, place, &set.allow)?;
        }
        // whichever Traefik takes it
        ("IngressRoute", Adapter::Middleware) => {
            let reference = json!({ "name": allow::middleware(&name) });
            first_of_each(object, "routes", "middlewares", &reference)?;
        }
        ("HTTPRoute", Adapter::Middleware) if attaches(object, via, &namespace) => {
            first_of_each(object, "rules", "filters", &allow::filter(adapter, &name)?)?;
        }
        ("HTTPRoute", Adapter::SecurityPolicy) if attaches(object, via, &namespace) => {}
        _ => return None,
    }
    let targets = [name.clone()];
    Some(allow::object(adapter, place, &targets, &set.allow).into_iter().collect())
}

fn annotate(object: &mut Value, adapter: &Adapter, place: (&str, &str), allow: &[String]) -> Option<()> {
    let found = object["metadata"]["annotations"].as_object();
    let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    let mut annotations: BTreeMap<String, String> = found.into_iter().flatten().filter_map(text).collect();
    allow::annotate(&mut annotations, RouteKind::Ingress, adapter, place, allow);
    object.get_mut("metadata")?.as_object_mut()?.insert("annotations".to_owned(), json!(annotations));
    Some(())
}

/// Puts `entry` before the others in the list `field` of every entry of `spec.<entries>`.
fn first_of_each(object: &mut Value, entries: &str, field: &str, entry: &Value) -> Option<()> {
    for one in object.get_mut("spec")?.get_mut(entries)?.as_array_mut()? {
        let list = one.as_object_mut()?.entry(field).or_insert(Value::Null);
        if !list.is_array() {
            *list = json!([]);
        }
        list.as_array_mut()?.insert(0, entry.clone());
    }
    Some(())
}

/// Whether an HTTPRoute attaches to the environment's Gateway, and to nothing else.
fn attaches(object: &Value, via: &Via, namespace: &str) -> bool {
    let Some(gateway) = via.gateway.as_ref().filter(|_| via.kind == RouteKind::HttpRoute) else {
        return false;
    };
    let parents = object["spec"]["parentRefs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours = |parent: &Value| {
        matches!(parent["kind"].as_str(), None | Some("Gateway"))
            && parent["name"] == gateway.name.as_str()
            && parent["namespace"].as_str().unwrap_or(namespace) == gateway.namespace
    };
    !parents.is_empty() && parents.iter().all(ours)
}
