//! Pods and pod templates.

use serde_json::{Value, json};

use super::super::names;
use super::{container, items, meta, one_of, text, volume, well_formed};
use crate::sandbox::schema::causes::Causes;

/// The spec of a pod or a template.
pub fn spec(spec: &Value, path: &str, causes: &mut Causes) {
    let volumes = volume::check(items(&spec["volumes"]), &format!("{path}.volumes"), causes);
    container::check_all(spec, &volumes, path, causes);
    one_of(
        &spec["restartPolicy"],
        &format!("{path}.restartPolicy"),
        &["Always", "OnFailure", "Never"],
        causes,
    );
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    one_of(&spec["dnsPolicy"], &format!("{path}.dnsPolicy"), &policies, causes);
    meta::labels(&spec["nodeSelector"], &format!("{path}.nodeSelector"), causes);
    if let Some(seconds) = spec["activeDeadlineSeconds"].as_i64()
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let detail = format!("must be between 1 and {}, inclusive", i32::MAX);
        causes.invalid(&format!("{path}.activeDeadlineSeconds"), &json!(seconds), &detail);
    }
    for name in ["hostname", "subdomain"] {
        if !text(&spec[name]).is_empty() {
            well_formed(&spec[name], &format!("{path}.{name}"), names::label_1123(text(&spec[name])), causes);
        }
    }
    for name in ["serviceAccountName", "nodeName", "priorityClassName"] {
        if !text(&spec[name]).is_empty() {
            well_formed(&spec[name], &format!("{path}.{name}"), names::subdomain(text(&spec[name])), causes);
        }
    }
    for (index, alias) in items(&spec["hostAliases"]).iter().enumerate() {
        if text(&alias["ip"]).parse::<std::net::IpAddr>().is_err() {
            let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            causes.invalid(&format!("{path}.hostAliases[{index}].ip"), &alias["ip"], detail);
        }
    }
    for (index, toleration) in items(&spec["tolerations"]).iter().enumerate() {
        check_toleration(toleration, &format!("{path}.tolerations[{index}]"), causes);
    }
    check_user(&spec["securityContext"], &format!("{path}.securityContext"), causes);
}

/// Ids in a security context, of a pod or a container.
pub fn check_user(context: &Value, path: &str, causes: &mut Causes) {
    for field in ["runAsUser", "runAsGroup", "fsGroup"] {
        let value = &context[field];
        if value.as_i64().is_some_and(|id| !(0..=i64::from(i32::MAX)).contains(&id)) {
            let detail = format!("must be between 0 and {}, inclusive", i32::MAX);
            causes.invalid(&format!("{path}.{field}"), value, &detail);
        }
    }
}

fn check_toleration(toleration: &Value, path: &str, causes: &mut Causes) {
    let operator = text(&toleration["operator"]);
    let at = format!("{path}.operator");
    if text(&toleration["key"]).is_empty() && operator != "Exists" {
        let detail =
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        causes.invalid(&at, &json!(operator), detail);
    }
    if operator == "Exists" && !text(&toleration["value"]).is_empty() {
        causes.invalid(&at, &toleration["value"], "value must be empty when `operator` is 'Exists'");
    }
    if !["", "Equal", "Exists"].contains(&operator) {
        causes.unsupported(&at, &toleration["operator"], ["Equal", "Exists"]);
    }
    let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    if !text(&toleration["effect"]).is_empty() {
        one_of(&toleration["effect"], &format!("{path}.effect"), &effects, causes);
    }
}

/// A template: its metadata and its spec.
pub fn template(template: &Value, path: &str, causes: &mut Causes) {
    template_metadata(template, path, causes);
    spec(&template["spec"], &format!("{path}.spec"), causes);
}

/// Only the metadata of a template.
pub fn template_metadata(template: &Value, path: &str, causes: &mut Causes) {
    meta::labels(&template["metadata"]["labels"], &format!("{path}.labels"), causes);
    meta::annotations(&template["metadata"]["annotations"], &format!("{path}.annotations"), causes);
}
