//! Routes of the Gateway API, and certificates.

use super::Finding;
use super::read::{Condition, Conditions, Object};

/// Reasons that pass by themselves: something is not there yet, or not ready.
const PASSING: [&str; 5] =
    ["Pending", "BackendNotFound", "NoResources", "AddressNotAssigned", "NotReconciled"];

/// A route is as its Gateways take it: well when one of them does. Before a controller has said anything, nothing speaks against
/// it, as with an Ingress.
pub(super) fn http_route(object: Object<'_>) -> Finding {
    let generation = object.number("metadata.generation");
    let mut first = None;
    for parent in object.items("status.parents") {
        let conditions = Conditions::within(parent, generation);
        match ["Accepted", "ResolvedRefs"].into_iter().find_map(|kind| against(&conditions, kind)) {
            None => return Finding::healthy(),
            found => first = first.or(found),
        }
    }
    first.unwrap_or_else(Finding::healthy)
}

pub(super) fn gateway(conditions: &Conditions<'_>) -> Finding {
    if let Some(finding) = against(conditions, "Accepted").or_else(|| against(conditions, "Programmed")) {
        return finding;
    }
    let holds = |kind| conditions.holds(kind).is_some();
    match holds("Accepted") && holds("Programmed") {
        true => Finding::healthy(),
        // a Gateway is made with conditions that say that nobody has looked at it
        false => Finding::progressing("Pending", "no controller has taken it yet"),
    }
}

/// What a condition says against an object.
fn against(conditions: &Conditions<'_>, kind: &str) -> Option<Finding> {
    let found = conditions.find(kind).filter(|found| found.is("False"))?;
    let (reason, message) =
        (found.reason_or(if kind == "Accepted" { "NotAccepted" } else { "NotReady" }), found.message());
    Some(match PASSING.contains(&found.reason()) {
        true => Finding::progressing(reason, message),
        false => Finding::degraded(reason, message),
    })
}

/// That one is being made is looked at before whether there is one. A try that failed is repeated, so nothing is ever lost.
pub(super) fn certificate(conditions: &Conditions<'_>) -> Finding {
    let told = |found: Condition<'_>, fallback: &'static str| {
        Finding::progressing(found.reason_or(fallback).to_owned(), found.message())
    };
    let ready = conditions.find("Ready");
    if let Some(issuing) = conditions.holds("Issuing") {
        // while a new one is made the old one may still be right
        return match ready.is_some_and(|ready| ready.is("True")) {
            true => Finding::healthy(),
            false => told(issuing, "Issuing"),
        };
    }
    let failed = conditions.find("Issuing").filter(|issuing| issuing.reason() == "Failed");
    match ready {
        Some(ready) if ready.is("True") => Finding::healthy(),
        Some(ready) => told(failed.unwrap_or(ready), "NotReady"),
        None => Finding::healthy(),
    }
}
