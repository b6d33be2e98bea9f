//! How a route names the class that is to answer for it.

use serde_json::{Value, json};

use super::render::RouteSet;
use crate::domain::route::{CLASS_ANNOTATION, RouteKind, class};

/// Where a route names a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming<'a> {
    /// In `ingressClassName`.
    Field(&'a str),
    /// In an annotation.
    Annotation(&'a str),
}

impl RouteSet {
    /// How routes of a kind name the environment's class; none: they name none.
    pub(super) fn naming(&self, kind: RouteKind) -> Option<Naming<'_>> {
        let class = self.class()?;
        match kind {
            // it attaches to a Gateway
            RouteKind::HttpRoute => None,
            // who has rights in one namespace only cannot read classes: the old way to name one is the only one there
            _ if self.dedicated && self.via.is_some() => Some(Naming::Annotation(class)),
            // Traefik has a class for Ingresses and another for its own kind: the one says nothing of the other
            _ if kind != self.kind() => None,
            RouteKind::Ingress => Some(Naming::Field(class)),
            RouteKind::IngressRoute => Some(Naming::Annotation(class)),
        }
    }
}

/// Gives a route that names no class the environment's: the cluster's default class may be another one.
pub fn name_class(object: &mut Value, set: &RouteSet) {
    if class(object).is_some() {
        return;
    }
    let kind = object["kind"].as_str().and_then(RouteKind::parse);
    match kind.and_then(|kind| set.naming(kind)) {
        Some(Naming::Field(class)) if object["spec"].is_object() => {
            object["spec"]["ingressClassName"] = json!(class);
        }
        Some(Naming::Annotation(class)) => {
            let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
            let annotations = metadata.entry("annotations").or_insert(Value::Null);
            if !annotations.is_object() {
                *annotations = json!({});
            }
            annotations[CLASS_ANNOTATION] = json!(class);
        }
        _ => {}
    }
}
