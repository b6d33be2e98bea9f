use super::*;

fn spec() -> JobSpec {
    JobSpec {
        namespace: "demo".into(),
        name: "site-migrate-1".into(),
        labels: [("styrmin.io/operation".to_owned(), "7".to_owned())].into(),
        container: None,
        image: None,
        command: vec!["migrate".into()],
        args: vec!["--all".into()],
        env: vec![],
        timeout: Duration::from_millis(1500),
    }
}

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {
    "serviceAccountName": "web", "imagePullSecrets": [{"name": "registry"}], "securityContext": {"runAsUser": 7},
    "restartPolicy": "Always", "hostNetwork": true, "initContainers": [{"name": "init", "image": "init:1"}],
    "volumes": [
        {"name": "config", "configMap": {"name": "web"}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
    ],
    "containers": [
        {"name": "web", "image": "web:1", "command": ["serve"], "args": ["--port", "80"],
            "ports": [{"containerPort": 80}], "readinessProbe": {"httpGet": {"port": 80}},
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "envFrom": [{"secretRef": {"name": "web"}}], "securityContext": {"privileged": false},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/web"}, {"name": "data", "mountPath": "/data"}]},
        {"name": "side", "image": "side:1"},
    ]}})
}

#[test]
fn the_pod_is_like_the_components_but_for_its_command() {
    let job = job(&spec(), Some(&template())).unwrap();
    let expected = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "site-migrate-1", "namespace": "demo", "labels": {"styrmin.io/operation": "7"}},
        "spec": {"backoffLimit": 0, "activeDeadlineSeconds": 2, "ttlSecondsAfterFinished": 3600, "template": {
            "metadata": {"labels": {"styrmin.io/operation": "7"}},
            "spec": {
                "serviceAccountName": "web", "imagePullSecrets": [{"name": "registry"}],
                "securityContext": {"runAsUser": 7}, "restartPolicy": "Never",
                "volumes": [{"name": "config", "configMap": {"name": "web"}},
                    {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
                "containers": [{"name": "web", "image": "web:1", "command": ["migrate"], "args": ["--all"],
                    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                    "envFrom": [{"secretRef": {"name": "web"}}], "securityContext": {"privileged": false},
                    "volumeMounts": [{"name": "config", "mountPath": "/etc/web"},
                        {"name": "data", "mountPath": "/data"}]}]}}}
    });
    assert_eq!(job, expected);
}

#[test]
fn the_claims_of_a_stateful_set_are_those_of_its_first_pod() {
    let claims = json!([{"metadata": {"name": "data"}}]);
    let set = json!({"metadata": {"name": "db"}, "spec": {"volumeClaimTemplates": claims, "template": {"spec": {
        "containers": [{"name": "db", "image": "db:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}}}});
    let pod = job(&spec(), Some(&lent(&set))).unwrap()["spec"]["template"]["spec"].clone();
    let expected = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}]);
    assert_eq!(pod["volumes"], expected);
    assert_eq!(pod["containers"][0]["volumeMounts"], json!([{"name": "data", "mountPath": "/data"}]));
    // one that nothing of the container's mounts is not needed
    let side = JobSpec { container: Some("side".into()), ..spec() };
    assert_eq!(job(&side, Some(&template())).unwrap()["spec"]["template"]["spec"]["volumes"], Value::Null);
}

#[test]
fn variables_are_added_and_replace_those_of_the_same_name() {
    let mut spec = spec();
    let secret = JobValue::Secret { secret: "keys".into(), key: "password".into() };
    spec.env = vec![("B".into(), secret), ("C".into(), JobValue::Plain("$(A) $x".into()))];
    let job = job(&spec, Some(&template())).unwrap();
    let expected = json!([
        {"name": "A", "value": "1"},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "password"}}},
        {"name": "C", "value": "$$(A) $x"},
    ]);
    assert_eq!(job["spec"]["template"]["spec"]["containers"][0]["env"], expected);
}

#[test]
fn another_container_or_an_image_of_its_own_can_be_named() {
    let of = |job: &Value| job["spec"]["template"]["spec"]["containers"][0].clone();
    let side = JobSpec { container: Some("side".into()), ..spec() };
    assert_eq!(of(&job(&side, Some(&template())).unwrap())["image"], "side:1");
    let own = JobSpec { image: Some("tool:3".into()), ..spec() };
    assert_eq!(of(&job(&own, Some(&template())).unwrap())["image"], "tool:3");
    let alone = of(&job(&own, None).unwrap());
    assert_eq!((&alone["image"], &alone["name"]), (&json!("tool:3"), &json!("main")));
    assert!(job(&spec(), None).unwrap_err().contains("no image"));
    let wrong = JobSpec { container: Some("x".into()), ..spec() };
    assert!(job(&wrong, Some(&template())).unwrap_err().contains("web, side"));
}
