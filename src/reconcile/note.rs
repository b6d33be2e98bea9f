//! A few words about an object, for plans.

use serde_json::Value;

use crate::cluster::KIND;

/// A few words about an object: what a person would look for in it.
pub fn note(object: &Value) -> String {
    let spec = &object["spec"];
    let list = |value: &Value, field: &str| {
        let items = value.as_array().into_iter().flatten();
        items.filter_map(|item| item[field].as_str()).collect::<Vec<_>>().join(", ")
    };
    match object["kind"].as_str().unwrap_or_default() {
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => {
            list(&spec["template"]["spec"]["containers"], "image")
        }
        "Ingress" => list(&spec["rules"], "host"),
        "PersistentVolumeClaim" => {
            spec["resources"]["requests"]["storage"].as_str().unwrap_or_default().to_owned()
        }
        "Service" => {
            let ports = spec["ports"].as_array().into_iter().flatten();
            let ports: Vec<String> =
                ports.filter_map(|port| Some(port["port"].as_u64()?.to_string())).collect();
            format!("port {}", ports.join(", "))
        }
        KIND => {
            let driver = &spec["driver"];
            format!(
                "driver {} {}",
                driver["name"].as_str().unwrap_or(""),
                driver["version"].as_str().unwrap_or("")
            )
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn notes_say_what_people_look_for() {
        let containers = json!([{"image": "a:1"}, {"image": "b:2"}]);
        let deployment =
            json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": containers}}}});
        assert_eq!(note(&deployment), "a:1, b:2");
        assert_eq!(note(&json!({"kind": "Service", "spec": {"ports": [{"port": 80}]}})), "port 80");
        assert_eq!(note(&json!({"kind": "Ingress", "spec": {"rules": [{"host": "h"}]}})), "h");
        assert_eq!(note(&json!({"kind": "ConfigMap"})), "");
    }
}
