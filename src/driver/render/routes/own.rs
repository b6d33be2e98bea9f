//! Routes that the manifests, or the chart, of a driver bring themselves.

use serde_json::{Value, json};

use crate::domain::Problem;
use crate::domain::route::{CLASS_ANNOTATION, RouteKind, Via, class, read};
use crate::driver::render::manifests::{kind, name};
use crate::ingress::{self, RouteSet};

/// Whether one of the objects routes to the Kubernetes Service, or has one of the host names: then none of ours is needed.
pub(super) fn carry(rendered: &[(String, Value)], service: &str, hosts: &[String]) -> bool {
    let mut rules = rendered.iter().flat_map(|(_, object)| read(object));
    rules.any(|rule| rule.service == service || hosts.contains(&rule.host))
}

/// Puts on the routes that a driver brings what its environment says of all routes: its class where they name none, and the
/// allow-list, whatever they say of it themselves. Gives the objects that the list needs beside them.
///
/// # Errors
/// The kind of route has no way to express the allow-list, or one of them would be outside of it.
pub(super) fn adapt(
    rendered: &mut [(String, Value)],
    set: &RouteSet,
    namespace: &str,
) -> Result<Vec<Value>, Problem> {
    let mut needed = Vec::new();
    let Some(via) = &set.via else { return Ok(needed) };
    for (_, object) in rendered.iter_mut().filter(|(_, object)| !read(object).is_empty()) {
        name_class(object, set, via);
        let Some(adapter) = set.adapter()? else { continue };
        let made = ingress::allow_on(object, set, &adapter, namespace).ok_or_else(|| outside(object, via))?;
        for made in made {
            // two routes of one name and of two kinds have one between them
            if !needed.contains(&made) {
                needed.push(made);
            }
        }
    }
    Ok(needed)
}

/// Gives a route without a class the environment's: the cluster's default class may be another one.
fn name_class(object: &mut Value, set: &RouteSet, via: &Via) {
    let Some(ours) = set.class().filter(|_| class(object).is_none()) else { return };
    let ours = json!(ours);
    let is_ingress = kind(object) == "Ingress";
    if set.dedicated && kind(object) != "HTTPRoute" {
        let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
        let annotations = metadata.entry("annotations").or_insert(Value::Null);
        if !annotations.is_object() {
            *annotations = json!({});
        }
        annotations[CLASS_ANNOTATION] = ours;
    } else if !set.dedicated && is_ingress && via.kind == RouteKind::Ingress && object["spec"].is_object() {
        object["spec"]["ingressClassName"] = ours;
    }
}

fn outside(object: &Value, via: &Via) -> Problem {
    Problem::new(
        format!("The allow-list of the environment cannot be put on {}/{}", kind(object), name(object)),
        format!(
            "the driver brings this route itself, and it is none of the environment's own, which are {via}"
        ),
        "leave it out of the chart's values, or of the manifests, so that Styrmin makes the route; give it the environment's class or Gateway; or take the list away (--allow-all)",
    )
}
