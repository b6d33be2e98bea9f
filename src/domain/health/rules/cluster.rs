//! Volumes, services and resource definitions.

use super::Finding;
use super::read::Object;
use crate::domain::conditions::Conditions;

pub(super) fn volume_claim(object: Object<'_>) -> Finding {
    match object.text("status.phase") {
        Some("Bound") => Finding::healthy(),
        Some("Lost") => Finding::degraded("ClaimLost", "its volume is gone"),
        _ => Finding::progressing("NotBound", "no volume is bound to it yet"),
    }
}

pub(super) fn service(object: Object<'_>) -> Finding {
    if object.text("spec.type") != Some("LoadBalancer") {
        return Finding::healthy();
    }
    if object.text("spec.clusterIP").is_none() {
        return Finding::progressing("NoIPAssigned", "it has no cluster address yet");
    }
    let given = object.items("status.loadBalancer.ingress").chain(object.items("spec.externalIPs")).next();
    if given.is_none() {
        return Finding::progressing("NoLoadBalancer", "no load balancer has given it an address yet");
    }
    Finding::healthy()
}

pub(super) fn resource_definition(conditions: &Conditions<'_>) -> Finding {
    if let Some(names) = conditions.find("NamesAccepted").filter(|found| found.is("False")) {
        return Finding::degraded(names.reason_or("NamesNotAccepted"), names.message());
    }
    match conditions.find("Established") {
        Some(established) if established.is("True") => Finding::healthy(),
        Some(established) if established.is("False") && established.reason() != "Installing" => {
            Finding::degraded(established.reason_or("NotEstablished"), established.message())
        }
        _ => Finding::progressing("Installing", "the API server does not serve it yet"),
    }
}
