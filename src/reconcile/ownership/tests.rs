use serde_json::{Value, json};

use super::{get, leave_out, put, remove, share};

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "x", "app.kubernetes.io/name": "web"}, "finalizers": ["a/b", "c"]},
        "spec": {"replicas": 1, "template": {"spec": {
            "volumes": [{"name": "tmp", "emptyDir": {}}],
            "containers": [
                {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]},
                {"name": "si]de", "env": [{"name": "A", "value": "1"}]},
            ]}}},
    })
}

const IMAGE: &str = r#".spec.template.spec.containers[name="web"].image"#;
const PORT: &str = r#".spec.template.spec.containers[name="web"].ports[containerPort=80,protocol="UDP"]"#;
const SIDE: &str = r#".spec.template.spec.containers[name="si]de"].env[name="A"].value"#;

#[test]
fn every_form_of_a_path_is_found() {
    let object = deployment();
    assert_eq!(get(&object, ".spec.replicas"), Some(&json!(1)));
    assert_eq!(get(&object, IMAGE), Some(&json!("web:1")));
    assert_eq!(get(&object, PORT).unwrap()["protocol"], "UDP");
    let tcp = PORT.replace("UDP", "TCP");
    assert!(get(&object, &tcp).unwrap().get("protocol").is_none());
    assert_eq!(get(&object, SIDE), Some(&json!("1")));
    assert_eq!(get(&object, ".metadata.labels.app.kubernetes.io/name"), Some(&json!("web")));
    assert_eq!(get(&object, ".metadata.labels.app"), Some(&json!("x")));
    for set in
        [r#".metadata.finalizers["a/b"]"#, r#".metadata.finalizers[="a/b"]"#, ".metadata.finalizers[0]"]
    {
        assert_eq!(get(&object, set), Some(&json!("a/b")), "{set}");
    }
    for wrong in
        [".spec.nothing", ".spec[0]", ".metadata.finalizers[7]", ".spec.replicas.x", ".spec[", "[name=]"]
    {
        assert_eq!(get(&object, wrong), None, "{wrong}");
    }
}

#[test]
fn what_is_removed_leaves_nothing_empty_behind() {
    let mut object = deployment();
    assert!(remove(&mut object, ".spec.replicas") && !remove(&mut object, ".spec.replicas"));
    assert!(remove(&mut object, ".metadata.labels.app.kubernetes.io/name"));
    assert_eq!(object["metadata"]["labels"], json!({"app": "x"}));
    remove(&mut object, ".metadata.labels.app");
    assert!(object["metadata"].get("labels").is_none());
    remove(&mut object, r#".metadata.finalizers["a/b"]"#);
    remove(&mut object, r#".metadata.finalizers["c"]"#);
    assert!(object["metadata"].get("finalizers").is_none());
    remove(&mut object, SIDE);
    let containers = &object["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[1], json!({"name": "si]de", "env": [{"name": "A"}]}));
    assert_eq!(object["spec"]["template"]["spec"]["volumes"][0]["emptyDir"], json!({}));
}

#[test]
fn an_object_keeps_its_name() {
    let mut object = deployment();
    let fields = [".kind", ".metadata.name", ""].map(str::to_owned);
    leave_out(&mut object, &fields);
    assert_eq!(object, deployment());
}

#[test]
fn what_is_put_makes_its_way() {
    let mut object = json!({"metadata": {"annotations": {"a": "1"}}});
    assert!(put(&mut object, ".metadata.annotations.a.b/c", json!("2")));
    assert!(put(&mut object, ".spec.template.spec.containers[name=\"web\"].image", json!("web:2")));
    assert!(put(&mut object, ".metadata.finalizers[=\"x\"]", json!("x")));
    assert!(
        !put(&mut object, ".spec.list[3]", json!(1))
            && !put(&mut object, ".metadata.annotations.a[0]x[", json!(1))
    );
    assert_eq!(object["metadata"]["annotations"]["a.b/c"], "2");
    assert_eq!(object["metadata"]["finalizers"], json!(["x"]));
    assert_eq!(object["spec"]["template"]["spec"]["containers"], json!([{"name": "web", "image": "web:2"}]));
}

#[test]
fn shared_fields_become_what_is_there() {
    let mut live = deployment();
    live["spec"]["replicas"] = 5.into();
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "web:9".into();
    live["metadata"]["labels"].as_object_mut().unwrap().remove("app");
    let mut object = deployment();
    let fields = [".spec.replicas", IMAGE, ".metadata.labels.app"].map(str::to_owned);
    share(&mut object, &live, &fields);
    assert_eq!(object, live);
}

#[test]
fn plain_values_of_a_secret_go_too() {
    let secret = json!({"kind": "Secret", "stringData": {"a.b": "plain", "c": "x"}});
    let fields = [".data.a.b".to_owned()];
    let mut object = secret.clone();
    leave_out(&mut object, &fields);
    assert_eq!(object, json!({"kind": "Secret", "stringData": {"c": "x"}}));
    let mut object = secret;
    share(&mut object, &json!({"data": {"a.b": "bGl2ZQ=="}}), &fields);
    assert_eq!(object, json!({"kind": "Secret", "data": {"a.b": "bGl2ZQ=="}, "stringData": {"c": "x"}}));
}
