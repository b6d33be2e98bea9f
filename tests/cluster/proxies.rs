//! Asking pods and Services through the API server.

use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};
use styrmin::cluster::{ClusterError, HttpAnswer, ServiceRequest};

use crate::ground::Ground;
use crate::objects;
use crate::things::condition;

cases!(
    what_does_not_exist_is_told,
    a_service_without_pods_is_unavailable;
    only_sandbox:
        a_service_is_asked_by_name_and_number: "the test cluster has no nodes",
        a_service_is_asked_as_styrmin_does: "the test cluster has no nodes",
        a_pod_is_asked_with_any_method: "the test cluster has no nodes",
        only_ready_pods_are_asked: "the test cluster has no nodes",
        redirects_stay_on_the_proxy: "the test cluster has no nodes",
        what_is_not_done_is_refused: "a real server does it",
);

/// A pod that answers, and a Service in front of it.
async fn notes(ground: &Ground) {
    let mut pod = objects::pod("store");
    pod["spec"]["volumes"] = json!([{"name": "data", "emptyDir": {}}]);
    pod["spec"]["containers"] = json!([{"name": "main", "image": "styrmin/notes-db:1.0.0",
        "ports": [{"containerPort": 5433}], "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 5433}, "periodSeconds": 1}}]);
    ground.things("services").create(service("store", 5433)).await;
    ground.things("pods").create(pod).await;
    serving(ground, "store").await;
}

fn service(name: &str, target: u16) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": target}]}})
}

async fn serving(ground: &Ground, name: &str) {
    let ready = |endpoints: &Value| endpoints.pointer("/subsets/0/addresses/0").is_some();
    ground.things("endpoints").until_is(name, "it has a ready pod", ready).await;
}

async fn ask(ground: &Ground, method: Method, path: &str, body: &str) -> (u16, Response<()>, String) {
    let uri = format!("/api/v1/namespaces/{}/{path}", ground.namespace);
    let request = Request::builder().method(method).uri(uri).body(Body::from(body.as_bytes().to_vec()));
    let asking = ground.client.send(request.expect("a request"));
    let answer = ground.within(path, asking).await.expect("an answer");
    let (head, body) = answer.into_parts();
    let body = ground.within(path, body.collect()).await.expect("a body").to_bytes();
    (head.status.as_u16(), Response::from_parts(head, ()), String::from_utf8_lossy(&body).into_owned())
}

async fn get(ground: &Ground, path: &str) -> (u16, String) {
    let (status, _, body) = ask(ground, Method::GET, path, "").await;
    (status, body)
}

async fn styrmin_asks(ground: &Ground, port: &str, path: &str) -> Result<HttpAnswer, ClusterError> {
    let request = ServiceRequest {
        namespace: ground.namespace.clone(),
        service: "store".into(),
        port: port.into(),
        tls: false,
        path: path.into(),
        timeout: Duration::from_secs(10),
    };
    ground.cluster().http_get(&request).await
}

fn message(body: &str) -> String {
    let status: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("no Status: {body}"));
    assert_eq!(status["kind"], "Status");
    status["message"].as_str().unwrap_or_default().to_owned()
}

async fn what_does_not_exist_is_told(ground: &Ground) {
    for (path, told) in [
        ("services/none:80/proxy/", "services \"none\" not found"),
        ("services/none:http/proxy/", "services \"none\" not found"),
        ("pods/none/proxy/", "pods \"none\" not found"),
    ] {
        let (status, body) = get(ground, path).await;
        assert_eq!((status, message(&body).as_str()), (404, told), "{path}");
    }
    let (status, body) = get(ground, "services/ftp:none:21/proxy/").await;
    assert_eq!((status, message(&body).as_str()), (400, "invalid service request \"ftp:none:21\""));
    let missing = styrmin_asks(ground, "80", "/").await.expect_err("a refusal");
    assert!(matches!(missing, ClusterError::NotFound { .. }), "{missing:?}");
}

async fn a_service_without_pods_is_unavailable(ground: &Ground) {
    ground.things("services").create(service("store", 5433)).await;
    ground.things("endpoints").until_is("store", "it is there", |_| true).await;
    for (path, told) in [
        ("services/store:80/proxy/", "no endpoints available for service \"store\""),
        ("services/store:http/proxy/x", "no endpoints available for service \"store\""),
        ("services/store:81/proxy/", "no service port 81 found for service \"store\""),
    ] {
        let (status, body) = get(ground, path).await;
        assert_eq!((status, message(&body).as_str()), (503, told), "{path}");
    }
    let none = styrmin_asks(ground, "80", "/").await.expect_err("a refusal");
    assert!(none.is_transient() && none.to_string().contains("no endpoints available"), "{none}");
}

async fn a_service_is_asked_by_name_and_number(ground: &Ground) {
    notes(ground).await;
    for name in ["store:80", "store:http", "http:store:80"] {
        let (status, body) = get(ground, &format!("services/{name}/proxy/stat?labelSelector=!!")).await;
        assert_eq!(status, 200, "{name}: {body}");
        assert!(body.contains("schema"), "{name}: {body}");
    }
    let (status, body) = get(ground, "services/store/proxy/stat").await;
    assert_eq!((status, message(&body).as_str()), (503, "no endpoints available for service \"store\""));
    let (status, body) = get(ground, "services/store:http/proxy/no/such").await;
    assert_eq!(status, 404);
    assert!(!body.contains("\"Status\""), "it is the pod's own answer: {body}");
}

async fn a_service_is_asked_as_styrmin_does(ground: &Ground) {
    notes(ground).await;
    let answer = styrmin_asks(ground, "http", "/healthz").await.expect("an answer");
    assert_eq!((answer.status, answer.truncated, answer.location), (200, false, None));
    assert!(answer.millis < 10_000);
    assert_eq!(styrmin_asks(ground, "80", "/no/such").await.expect("an answer").status, 404);
    // more than is kept
    let note = json!({"text": "x".repeat(50_000)}).to_string();
    for _ in 0..2 {
        let (status, _, body) = ask(ground, Method::POST, "services/store:80/proxy/notes", &note).await;
        assert_eq!(status, 201, "{body}");
    }
    let long = styrmin_asks(ground, "80", "/notes").await.expect("an answer");
    assert_eq!((long.status, long.body.len(), long.truncated), (200, 64 * 1024, true));
}

async fn a_pod_is_asked_with_any_method(ground: &Ground) {
    notes(ground).await;
    let (status, _, body) = ask(ground, Method::POST, "pods/store/proxy/notes", r#"{"text": "milk"}"#).await;
    assert_eq!(status, 201, "{body}");
    let (status, body) = get(ground, "pods/store:5433/proxy/notes").await;
    assert_eq!((status, body.contains("milk")), (200, true), "{body}");
    let (status, body) = get(ground, "pods/store:9/proxy/").await;
    let why = message(&body);
    assert!(status == 503 && why.starts_with("error trying to reach service: dial tcp"), "{status} {why}");
}

async fn only_ready_pods_are_asked(ground: &Ground) {
    notes(ground).await;
    // it never gets ready, and would answer nothing
    let mut other = objects::pod("other");
    other["metadata"]["labels"]["app"] = json!("store");
    other["spec"]["containers"] = json!([{"name": "main", "image": "styrmin/host:1", "command": ["sleep", "1000"],
        "readinessProbe": {"exec": {"command": ["false"]}}}]);
    ground.things("pods").create(other).await;
    let unready = |endpoints: &Value| endpoints.pointer("/subsets/0/notReadyAddresses/0").is_some();
    ground.things("endpoints").until_is("store", "one is not ready", unready).await;
    for _ in 0..6 {
        assert_eq!(get(ground, "services/store:80/proxy/healthz").await.0, 200);
    }
    ground.things("pods").delete("store").await;
    let none = |endpoints: &Value| endpoints.pointer("/subsets/0/addresses/0").is_none();
    ground.things("endpoints").until_is("store", "none is ready", none).await;
    let (status, body) = get(ground, "services/store:80/proxy/healthz").await;
    assert_eq!((status, message(&body).as_str()), (503, "no endpoints available for service \"store:80\""));
}

async fn redirects_stay_on_the_proxy(ground: &Ground) {
    notes(ground).await;
    let (status, head, _) = ask(ground, Method::GET, "services/store:80/proxy?a=1", "").await;
    let location = head.headers()["location"].to_str().expect("text").to_owned();
    assert_eq!(status, 301);
    assert!(location.ends_with("/services/store:80/proxy/?a=1"), "{location}");
}

async fn what_is_not_done_is_refused(ground: &Ground) {
    notes(ground).await;
    let (status, body) = get(ground, "services/https:store:80/proxy/").await;
    assert_eq!((status, message(&body).as_str()), (501, "the sandbox does not implement a proxy to HTTPS"));
    ground.things("pods").create(objects::pod("one")).await;
    ground.things("pods").until_is("one", "it runs", |pod| condition(pod, "Ready").0 == "True").await;
    // simulated: nothing listens
    assert_eq!(get(ground, "pods/one:80/proxy/").await.0, 503);
}
