//! Routes that the manifests, or the chart, of a driver bring themselves.

use serde_json::Value;

use crate::domain::Problem;
use crate::domain::route::{CLASS_ANNOTATION, class, read};
use crate::driver::render::manifests::{kind, name};
use crate::ingress::{Adapter, RouteSet};

/// Whether one of the objects routes to the Kubernetes Service, or has one of the host names: then none of ours is needed.
pub(super) fn carry(rendered: &[(String, Value)], service: &str, hosts: &[String]) -> bool {
    let mut rules = rendered.iter().flat_map(|(_, object)| read(object));
    rules.any(|rule| rule.service == service || hosts.contains(&rule.host))
}

/// Puts on the routes that a driver brings what its environment says of all routes: the class of its own ingress controller where
/// they name none, and the allow-list. What could not be put on is told.
///
/// # Errors
/// The kind of route has no way to express the allow-list.
pub(super) fn adapt(rendered: &mut [(String, Value)], set: &RouteSet) -> Result<Vec<String>, Problem> {
    let mut warnings = Vec::new();
    if set.via.is_none() {
        return Ok(warnings);
    }
    for (_, object) in rendered.iter_mut().filter(|(_, object)| !read(object).is_empty()) {
        let named = class(object).map(str::to_owned);
        if set.dedicated && named.is_none() && kind(object) != "HTTPRoute" {
            annotate(object, CLASS_ANNOTATION, set.class().unwrap_or_default());
        }
        let same = named.is_none() || named.as_deref() == set.class();
        match set.adapter()? {
            None => {}
            Some(Adapter::OwnIngress) if same && kind(object) != "HTTPRoute" => {}
            Some(Adapter::Annotation(key)) if same && kind(object) == "Ingress" => {
                annotate(object, key, &set.allow.join(","));
            }
            Some(_) => warnings.push(format!(
                "the allow-list of the environment is not put on {}/{}, which the driver brings itself",
                kind(object),
                name(object)
            )),
        }
    }
    Ok(warnings)
}

/// Sets an annotation that is not there yet.
fn annotate(object: &mut Value, key: &str, value: &str) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let annotations = metadata.entry("annotations").or_insert(Value::Null);
    if annotations.is_null() {
        *annotations = Value::Object(serde_json::Map::new());
    }
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.entry(key).or_insert_with(|| value.into());
    }
}
