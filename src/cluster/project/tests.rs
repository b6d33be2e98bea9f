use serde_json::json;

use super::*;

fn resource() -> ApiResource {
    ApiResource {
        group: "apps".into(),
        version: "v1".into(),
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        plural: "deployments".into(),
    }
}

fn applied(fields: Value) -> DynamicObject {
    serde_json::from_value(json!({
        "metadata": {"name": "web", "namespace": "demo", "uid": "u1", "resourceVersion": "5",
            "labels": {"styrmin.io/deployment": "notes"},
            "managedFields": [
                {"manager": "styrmin", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": fields},
                {"manager": "controller", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}}
            ]},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "web", "image": "web:1"}]}}},
        "status": {"readyReplicas": 1}
    }))
    .unwrap()
}

#[test]
fn an_item_of_a_list_gets_its_kind_and_counts() {
    let row = row(applied(json!({"f:spec": {}})), &resource());
    assert_eq!(row.summary.key.to_string(), "Deployment/web");
    assert_eq!(row.summary.key.api_version, "apps/v1");
    let Detail::Workload(workload) = row.summary.detail else { panic!("not a workload") };
    assert_eq!((workload.desired, workload.ready, workload.images), (2, 1, vec!["web:1".to_owned()]));
}

#[test]
fn what_an_action_has_for_a_while_is_still_ours() {
    let ours = row(applied(json!({"f:spec": {"f:paused": {}, "f:replicas": {}}})), &resource()).owned;
    let taken_by = |manager: &str| {
        let mut object = applied(json!({"f:spec": {"f:paused": {}}}));
        let entry =
            json!({"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}});
        object.metadata.managed_fields.as_mut().unwrap().push(serde_json::from_value(entry).unwrap());
        row(object, &resource()).owned
    };
    assert_eq!(taken_by("styrmin-action"), ours);
    assert_ne!(taken_by("kubectl"), ours);
}

#[test]
fn the_owned_hash_tells_drift_of_our_fields_only() {
    let ours = row(applied(json!({"f:spec": {"f:replicas": {}}})), &resource()).owned;
    let mut with_foreign_fields = applied(json!({"f:spec": {"f:replicas": {}}}));
    with_foreign_fields.data["status"]["readyReplicas"] = json!(2);
    assert_eq!(row(with_foreign_fields, &resource()).owned, ours);
    assert_ne!(row(applied(json!({"f:spec": {}})), &resource()).owned, ours);
    let mut never_written = applied(json!({}));
    never_written.metadata.managed_fields = None;
    assert_eq!(row(never_written, &resource()).owned, None);
}

#[test]
fn a_crashing_pod_says_so() {
    let pod = summary(&json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": "demo", "annotations": {"sandbox.styrmin.io/simulated": "true"},
            "ownerReferences": [{"uid": "other"}, {"uid": "rs", "controller": true}]},
        "spec": {"nodeName": "n", "containers": [{"name": "web", "image": "web:1"}, {"name": "side", "image": "side:1"}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": [
            {"name": "web", "ready": false, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
             "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}
    }));
    assert_eq!(pod.owner.as_deref(), Some("rs"));
    let Detail::Pod(pod) = pod.detail else { panic!("not a pod") };
    assert!(pod.simulated);
    assert_eq!(pod.containers.len(), 2);
    let web = &pod.containers[0];
    assert_eq!((web.state.as_str(), web.restarts, web.exit_code), ("CrashLoopBackOff", 3, Some(137)));
    assert_eq!(pod.containers[1].state, "");
}

#[test]
fn events_of_both_styles_have_a_time() {
    let old = event(
        &json!({"involvedObject": {"kind": "Pod", "name": "p"}, "type": "Warning", "reason": "BackOff",
        "message": "m", "count": 4, "lastTimestamp": "2026-01-01T00:00:05Z", "firstTimestamp": "2026-01-01T00:00:00Z"}),
    );
    let old = old.unwrap();
    assert_eq!((old.object.as_str(), old.count, old.warning), ("Pod/p", 4, true));
    assert_eq!(old.at.to_string(), "2026-01-01T00:00:05Z");
    let new = event(
        &json!({"involvedObject": {"kind": "Pod", "name": "p"}, "eventTime": "2026-01-01T00:00:00.000001Z",
        "lastTimestamp": null}),
    );
    assert_eq!(new.unwrap().count, 1);
    assert_eq!(event(&json!({"involvedObject": {"kind": "Pod", "name": "p"}})), None);
}
