//! What the admission plugins of a real server add to a new pod (ServiceAccount, Priority, DefaultTolerationSeconds). Nobody
//! owns these fields: they come after `managedFields` was written.

use serde_json::{Value, json};

/// Taints that a pod tolerates for five minutes.
const TOLERATED: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
const TOLERATION_SECONDS: i64 = 300;

/// Completes the spec of a pod that is about to be made.
pub fn complete_new_pod(pod: &mut Value) {
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else { return };
    if spec.get("serviceAccountName").and_then(Value::as_str).is_none_or(str::is_empty) {
        spec.insert("serviceAccountName".to_owned(), json!("default"));
    }
    let account = spec.get("serviceAccountName").cloned().unwrap_or_default();
    spec.insert("serviceAccount".to_owned(), account);
    if spec.get("priorityClassName").and_then(Value::as_str).is_none_or(str::is_empty) {
        spec.entry("priority").or_insert(json!(0));
    }
    spec.entry("preemptionPolicy").or_insert(json!("PreemptLowerPriority"));
    let tolerations = spec.entry("tolerations").or_insert_with(|| json!([]));
    let Some(tolerations) = tolerations.as_array_mut() else { return };
    for key in TOLERATED {
        if !tolerations.iter().any(|toleration| covers(toleration, key)) {
            tolerations.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": TOLERATION_SECONDS}));
        }
    }
}

/// Whether a toleration speaks of this taint already, or of all.
fn covers(toleration: &Value, key: &str) -> bool {
    let text = |field: &str| toleration.get(field).and_then(Value::as_str).unwrap_or_default();
    matches!(text("key"), "" | "*")
        && text("operator") == "Exists"
        && matches!(text("effect"), "" | "NoExecute")
        || text("key") == key && matches!(text("effect"), "" | "NoExecute")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_added_and_what_is_there_stays() {
        let mut pod = json!({"spec": {"containers": []}});
        complete_new_pod(&mut pod);
        assert_eq!(pod["spec"]["serviceAccountName"], "default");
        assert_eq!(pod["spec"]["serviceAccount"], "default");
        assert_eq!(
            (&pod["spec"]["priority"], pod["spec"]["tolerations"].as_array().unwrap().len()),
            (&json!(0), 2)
        );

        let mut pod = json!({"spec": {"serviceAccountName": "robot", "priorityClassName": "high",
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 5}]}});
        complete_new_pod(&mut pod);
        assert_eq!(pod["spec"]["serviceAccount"], "robot");
        assert!(pod["spec"].get("priority").is_none());
        assert_eq!(pod["spec"]["tolerations"].as_array().unwrap().len(), 2);

        let mut pod = json!({"spec": {"tolerations": [{"operator": "Exists"}]}});
        complete_new_pod(&mut pod);
        assert_eq!(pod["spec"]["tolerations"].as_array().unwrap().len(), 1);
    }
}
