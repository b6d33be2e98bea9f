//! What a pod asks for and a process of this machine cannot be given: said in an event, never silently left out.

use serde_json::Value;

use crate::sandbox::object;

/// The fields of a pod's or container's `securityContext` that processes of the sandbox meet by themselves.
const HARMLESS: [&str; 2] = ["seccompProfile", "fsGroupChangePolicy"];

/// The fields of a pod with processes that have no effect; each a sentence's end.
pub(super) fn ignored(pod: &Value) -> Vec<String> {
    let spec = &pod["spec"];
    let mut found: Vec<String> = Vec::new();
    for field in ["hostAliases", "dnsConfig", "runtimeClassName", "overhead", "setHostnameAsFQDN"] {
        let value = &spec[field];
        let set = value.as_array().is_some_and(|list| !list.is_empty())
            || value.as_object().is_some_and(|map| !map.is_empty())
            || value.as_str().is_some_and(|text| !text.is_empty())
            || *value == true;
        if set {
            found.push(format!("spec.{field}"));
        }
    }
    if spec["dnsPolicy"] == "None" {
        found.push("spec.dnsPolicy".to_owned());
    }
    security("spec.securityContext", &spec["securityContext"], &mut found);
    for (list, pointer) in [("containers", "/containers"), ("initContainers", "/initContainers")] {
        for container in object::list(spec, pointer) {
            let at = format!("spec.{list}{{{}}}", object::text(container, "/name"));
            security(&format!("{at}.securityContext"), &container["securityContext"], &mut found);
            if !container["resources"]["limits"]["cpu"].is_null() {
                found.push(format!("{at}.resources.limits.cpu"));
            }
            let read_only =
                object::list(container, "/volumeMounts").iter().any(|mount| mount["readOnly"] == true);
            if read_only {
                found.push(format!("{at}.volumeMounts.readOnly"));
            }
            let host_port = object::list(container, "/ports").iter().any(|port| {
                port["hostPort"].as_u64().is_some_and(|port| port > 0) && spec["hostNetwork"] != true
            });
            if host_port {
                found.push(format!("{at}.ports.hostPort"));
            }
        }
    }
    found
}

fn security(at: &str, context: &Value, found: &mut Vec<String>) {
    let fields = context.as_object().into_iter().flatten();
    let set = fields.filter(|(name, value)| {
        !HARMLESS.contains(&name.as_str()) && !value.is_null() && **value != Value::Bool(false)
    });
    found.extend(set.map(|(name, _)| format!("{at}.{name}")));
}

/// The message of the event; `None` when everything has its effect.
pub(super) fn message(pod: &Value) -> Option<String> {
    let ignored = ignored(pod);
    (!ignored.is_empty()).then(|| {
        format!(
            "the sandbox runs containers as processes of this machine; these fields have no effect: {}",
            ignored.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_has_no_effect_is_named() {
        let pod = json!({"spec": {
            "hostNetwork": false, "securityContext": {"runAsUser": 0, "seccompProfile": {}}, "dnsConfig": {},
            "containers": [
                {"name": "a", "securityContext": {"privileged": true, "allowPrivilegeEscalation": false},
                 "ports": [{"hostPort": 80}], "volumeMounts": [{"readOnly": true}]},
                {"name": "b", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}},
            ],
        }});
        assert_eq!(
            ignored(&pod),
            [
                "spec.securityContext.runAsUser",
                "spec.containers{a}.securityContext.privileged",
                "spec.containers{a}.volumeMounts.readOnly",
                "spec.containers{a}.ports.hostPort",
                "spec.containers{b}.resources.limits.cpu",
            ]
        );
        assert_eq!(message(&json!({"spec": {"containers": [{"name": "a"}]}})), None);
    }
}
