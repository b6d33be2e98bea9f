//! Routes of the Gateway API, and certificates.

use super::Finding;
use super::read::Object;
use crate::domain::conditions::{Condition, Conditions};
use crate::domain::route::{Attachment, Word, programmed};

/// Reasons that pass by themselves: something is not there yet, or not ready.
const PASSING: [&str; 5] =
    ["Pending", "BackendNotFound", "NoResources", "AddressNotAssigned", "NotReconciled"];

/// A route is as its Gateways take it: well when one of them does. Before a controller has said anything of it as it is, nothing speaks
/// against it, as with an Ingress.
pub(super) fn http_route(object: Object<'_>) -> Finding {
    match Attachment::of(object.0).word {
        None | Some(Word::Taken | Word::Open(None)) => Finding::healthy(),
        Some(Word::Open(Some(waits))) => Finding::progressing(waits.reason_or("Pending"), waits.message()),
        Some(Word::Faulty(found)) => against(found, "NotReady"),
        Some(Word::Refused(found)) => against(found, "NotAccepted"),
    }
}

pub(super) fn gateway(object: Object<'_>) -> Finding {
    match programmed(object.0) {
        Word::Taken => Finding::healthy(),
        // a Gateway is made with conditions that say that nobody has looked at it
        Word::Open(_) => Finding::progressing("Pending", "no controller has taken it yet"),
        Word::Faulty(found) => against(found, "NotReady"),
        Word::Refused(found) => against(found, "NotAccepted"),
    }
}

/// What a condition says against an object.
fn against(found: Condition<'_>, fallback: &str) -> Finding {
    let reason = found.reason_or(fallback).to_owned();
    match PASSING.contains(&found.reason()) {
        true => Finding::progressing(reason, found.message()),
        false => Finding::degraded(reason, found.message()),
    }
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
