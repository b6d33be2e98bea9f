use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::needs;

fn object(kind: &str, name: &str) -> Value {
    let version = match kind {
        "Thing" => "example.org/v1",
        _ => "v1",
    };
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "demo"}})
}

fn with(kind: &str, name: &str, more: Value) -> Value {
    let mut object = object(kind, name);
    for (field, value) in more.as_object().unwrap() {
        object[field] = value.clone();
    }
    object
}

#[test]
fn a_workload_needs_what_its_template_names() {
    let template = json!({"spec": {
        "serviceAccountName": "runner",
        "imagePullSecrets": [{"name": "pull"}],
        "volumes": [
            {"secret": {"secretName": "mounted"}},
            {"persistentVolumeClaim": {"claimName": "data"}},
            {"projected": {"sources": [{"configMap": {"name": "projected"}}]}},
        ],
        "initContainers": [{"envFrom": [{"secretRef": {"name": "from"}}]}],
        "containers": [{"env": [{"valueFrom": {"configMapKeyRef": {"name": "one"}}}]}],
    }});
    let objects = [
        object("NetworkPolicy", "deny"),
        object("ServiceAccount", "runner"),
        object("ServiceAccount", "other"),
        object("Secret", "pull"),
        object("Secret", "mounted"),
        object("Secret", "from"),
        object("Secret", "unused"),
        object("ConfigMap", "projected"),
        object("ConfigMap", "one"),
        object("PersistentVolumeClaim", "data"),
        with("Deployment", "web", json!({"spec": {"template": template}})),
        with("CronJob", "nightly", json!({"spec": {"jobTemplate": {"spec": {"template": template}}}})),
    ];
    let found = needs(&objects);
    assert_eq!(found[10], [0, 1, 3, 4, 5, 7, 8, 9]);
    assert_eq!(found[11], found[10]);
    assert!(found[..10].iter().all(Vec::is_empty));
}

#[test]
fn rights_stand_before_who_uses_them() {
    let subjects = json!([{"kind": "ServiceAccount", "name": "runner"}, {"kind": "User", "name": "ann"}]);
    let binding = json!({"roleRef": {"kind": "Role", "name": "reader"}, "subjects": subjects});
    let objects = [
        object("ServiceAccount", "runner"),
        object("Role", "reader"),
        with("RoleBinding", "reader", binding),
        with("Pod", "one", json!({"spec": {"serviceAccountName": "runner"}})),
    ];
    assert_eq!(needs(&objects), [vec![], vec![], vec![0, 1], vec![0, 2]]);
}

#[test]
fn routes_need_their_services() {
    let backend = |name: &str| json!({"backend": {"service": {"name": name}}});
    let objects = [
        object("Service", "a"),
        object("Service", "b"),
        with("StatefulSet", "db", json!({"spec": {"serviceName": "b"}})),
        with("Ingress", "i", json!({"spec": {"rules": [{"http": {"paths": [backend("a")]}}]}})),
        with("HTTPRoute", "h", json!({"spec": {"rules": [{"backendRefs": [{"name": "b"}]}]}})),
        with(
            "IngressRoute",
            "r",
            json!({"spec": {"routes": [{"services": [{"name": "a"}, {"name": "x"}]}]}}),
        ),
        with(
            "HorizontalPodAutoscaler",
            "s",
            json!({"spec": {"scaleTargetRef": {"kind": "StatefulSet", "name": "db"}}}),
        ),
    ];
    assert_eq!(needs(&objects)[2..], [vec![1], vec![0], vec![1], vec![0], vec![2]]);
}

#[test]
fn definitions_and_namespaces_come_first() {
    let names = json!({"spec": {"group": "example.org", "names": {"kind": "Thing"}}});
    let mut far = object("Secret", "far");
    far["metadata"]["namespace"] = "elsewhere".into();
    let objects = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo"}}),
        with("CustomResourceDefinition", "things.example.org", names),
        object("Thing", "one"),
        far,
    ];
    assert_eq!(needs(&objects), [vec![], vec![0], vec![0, 1], vec![]]);
}

#[test]
fn what_comes_later_is_not_waited_for() {
    let objects =
        [with("StatefulSet", "db", json!({"spec": {"serviceName": "db"}})), object("Service", "db")];
    assert_eq!(needs(&objects), [Vec::<usize>::new(), vec![]]);
}

#[test]
fn a_thousand_objects_take_no_time() {
    let pod = |n: usize| json!({"spec": {"template": {"spec": {"volumes": [{"secret": {"secretName": format!("s{n}")}}]}}}});
    let secrets = (0..500).map(|n| object("Secret", &format!("s{n}")));
    let workloads = (0..500).map(|n| with("Deployment", &format!("d{n}"), pod(n)));
    let objects: Vec<Value> = secrets.chain(workloads).collect();
    let start = Instant::now();
    let found = needs(&objects);
    assert!(start.elapsed() < Duration::from_secs(60));
    assert!((0..500).all(|n| found[500 + n] == [n]));
}
