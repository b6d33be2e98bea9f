//! Which process answers, and what is said when none does.

use serde_json::json;
use styrmin::sandbox::proxy::TlsPort;
use styrmin::sandbox::{SandboxError, SandboxOptions};

use crate::rig::{INGRESSES, POLICIES, Rig, rule, service};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_reach_the_process_that_the_host_means() {
    let rig = Rig::start(&["test", "live"]).await;
    let all: Vec<(&str, &str)> =
        ["test", "live"].into_iter().flat_map(|home| [("web", home), ("api", home)]).collect();
    for (name, home) in &all {
        rig.deploy(home, name);
    }
    for (name, home) in &all {
        let host = format!("{name}-{home}.localhost");
        let answer = rig.until(&host, 200, "name=").await;
        answer.is(200, &format!("name={name} of {home}\n"));
        answer.is(200, "x-forwarded-proto: http\r\n");
        rig.get(&format!("{}.:80", host.to_uppercase())).await.is(200, &format!("name={name} of {home}\n"));
    }
    rig.get("web-nowhere.localhost").await.is(404, "answer for: api-live.localhost, api-test.localhost");

    // one is stopped, and the others do not notice
    rig.change("deployments.apps", ("test", "web"), |web| web["spec"]["replicas"] = json!(0));
    rig.until("web-test.localhost", 503, "It is stopped: none of its pods is there.").await;
    rig.get("web-live.localhost").await.is(200, "name=web of live\n");
    rig.get("api-test.localhost").await.is(200, "name=api of test\n");
    rig.change("deployments.apps", ("test", "web"), |web| web["spec"]["replicas"] = json!(1));
    rig.until("web-test.localhost", 200, "name=web of test\n").await;
    rig.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said() {
    let rig = Rig::start(&["demo"]).await;
    rig.create(INGRESSES, "demo", "web", json!({"spec": {"rules": [rule("web.localhost", "web")]}}));
    rig.until("web.localhost", 503, "The Service demo/web does not exist.").await;
    let mut bare = service("web", "ClusterIP");
    bare["spec"]["ports"] = json!([{"name": "other", "port": 81}]);
    rig.create("services", "demo", "web", bare);
    rig.until("web.localhost", 503, "The Service demo/web has no port http.").await;
    rig.change("services", ("demo", "web"), |web| {
        web["spec"]["ports"] = json!([{"name": "http", "port": 80, "targetPort": 8080}]);
    });
    rig.until("web.localhost", 503, "It is stopped").await;
    let pod = |annotation: &str| {
        json!({"metadata": {"labels": {"app": "web"}, "annotations": {"sandbox.styrmin.io/scene": annotation}},
            "spec": {"containers": [{"name": "main", "image": "nginx:1.27"}]}})
    };
    rig.create("pods", "demo", "late", pod("not-ready"));
    rig.until("web.localhost", 503, "It is starting, stopping or failing: late (is not ready yet)").await;
    rig.create("pods", "demo", "played", pod("slow-start=0s"));
    let page = rig.until("web.localhost", 502, "The pod demo/played is simulated").await;
    page.is(502, "does not know the image nginx:1.27");
    rig.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_keep_the_ingress_out_or_let_it_in() {
    let rig = Rig::start(&["demo"]).await;
    rig.deploy("demo", "web");
    rig.until("web-demo.localhost", 200, "name=web of demo").await;
    rig.create(POLICIES, "demo", "default-deny", json!({"spec": {"podSelector": {}}}));
    rig.create(
        POLICIES,
        "demo",
        "same-namespace",
        json!({"spec": {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}}),
    );
    let page = rig.get("web-demo.localhost").await;
    page.is(504, "NetworkPolicy default-deny, same-namespace: the ingress (a pod of kube-system");
    page.is(504, "at port 8080.");
    rig.get_tls("web-demo.localhost").await.is(504, "NetworkPolicy default-deny");
    // the port of the pod counts, by its number or its name, not the Service's
    let system =
        json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}});
    let from = |port: serde_json::Value| {
        json!({"spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"],
            "ingress": [{"from": [system], "ports": [{"port": port}]}]}})
    };
    rig.create(POLICIES, "demo", "from-ingress", from(json!(80)));
    rig.get("web-demo.localhost").await.is(504, "from-ingress");
    for port in [json!("web"), json!(8080)] {
        rig.change(POLICIES, ("demo", "from-ingress"), |policy| {
            policy["spec"]["ingress"][0]["ports"][0]["port"] = port;
        });
        rig.get("web-demo.localhost").await.is(200, "name=web of demo");
    }
    rig.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_is_named_unless_nobody_asked_for_it() {
    // nobody else takes ports there
    let alone = std::net::Ipv4Addr::new(127, 0, 0, 41);
    let taken = std::net::TcpListener::bind((alone, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let start = async |ingress_tls| {
        styrmin::sandbox::Sandbox::start(SandboxOptions {
            ingress: (alone, 0).into(),
            ingress_tls,
            ..SandboxOptions::in_memory(12, env!("CARGO_BIN_EXE_styrmin"))
        })
        .await
    };
    let refused = start(TlsPort::Exactly(address.port())).await.err().unwrap();
    assert!(refused.to_string().contains(&address.to_string()), "{refused}");
    assert!(matches!(refused, SandboxError::Ingress(why) if why.is_tls()));
    let beside = start(TlsPort::Preferably(address.port())).await.unwrap();
    assert_ne!(beside.ingress_tls_address().port(), address.port());
    drop(taken);
    let first = start(TlsPort::Preferably(address.port())).await.unwrap();
    assert_eq!(first.ingress_tls_address(), address);
    assert_eq!(TlsPort::beside(8480, None), TlsPort::Preferably(8443));
    assert_eq!(TlsPort::beside(0, None), TlsPort::Exactly(0));
    assert_eq!(TlsPort::beside(0, Some(8443)), TlsPort::Exactly(8443));
    beside.stop().await;
    first.stop().await;
}
