//! Services, their endpoints, and ingresses.

use serde_json::{Value, json};

use crate::ground::Ground;
use crate::objects::pod;
use crate::things::{Things, condition, number, text};

cases!(
    a_service_gets_an_address_and_keeps_it,
    a_headless_service_has_none,
    endpoints_are_kept_in_the_older_form,
    node_ports_are_given_out;
    only_sandbox:
        endpoints_by_hand_are_mirrored: "Kubernetes 1.20 does not serve discovery.k8s.io/v1",
        an_autoscaler_says_that_it_does_nothing: "Kubernetes 1.20 does not serve autoscaling/v2",
        a_claim_waits_for_its_pod: "the test cluster has neither a scheduler nor a volume provisioner",
        a_claim_grows_only_where_its_class_allows: "the test cluster has no volume provisioner",
        a_pod_that_asks_for_too_much_is_explained: "the test cluster has no scheduler",
        endpoints_follow_the_pods: "Kubernetes 1.20 does not serve discovery.k8s.io/v1",
        named_ports_are_looked_up: "Kubernetes 1.20 does not serve discovery.k8s.io/v1",
        an_ingress_gets_the_address_of_the_proxy: "the test cluster has no ingress controller",
        a_claim_is_bound: "the test cluster has no volume provisioner",
        a_load_balancer_gets_its_cluster_address: "the test cluster has no load balancers",
);

fn service(spec: Value) -> Value {
    let mut service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "one"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}});
    for (field, value) in spec.as_object().expect("a spec") {
        service["spec"][field] = value.clone();
    }
    service
}

async fn a_service_gets_an_address_and_keeps_it(ground: &Ground) {
    let services = ground.things("services");
    let made = services.create(service(json!({}))).await;
    let address = text(&made, "/spec/clusterIP").to_owned();
    assert!(address.parse::<std::net::Ipv4Addr>().is_ok(), "{address}");
    assert_eq!((text(&made, "/spec/type"), text(&made, "/spec/ports/0/protocol")), ("ClusterIP", "TCP"));
    let kept = services.merge("web", json!({"spec": {"ports": [{"port": 81}]}})).await;
    assert_eq!(text(&kept, "/spec/clusterIP"), address);
    let mut moved = services.get("web").await;
    moved["spec"]["clusterIP"] = json!("10.1.2.3");
    moved["spec"]["clusterIPs"] = json!(["10.1.2.3"]);
    assert_eq!(services.try_replace(moved).await.expect_err("a refusal").code, 422);
}

async fn a_headless_service_has_none(ground: &Ground) {
    let made = ground.things("services").create(service(json!({"clusterIP": "None"}))).await;
    assert_eq!(text(&made, "/spec/clusterIP"), "None");
}

fn endpoints(slices: &[&Value]) -> Vec<(String, bool)> {
    let all = slices.iter().flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
    let ready = |endpoint: &Value| endpoint.pointer("/conditions/ready") == Some(&json!(true));
    all.map(|endpoint| (text(endpoint, "/targetRef/name").to_owned(), ready(endpoint))).collect()
}

const OF_WEB: &str = "kubernetes.io/service-name=web";

async fn endpoints_follow_the_pods(ground: &Ground) {
    let slices = ground.things("endpointslices");
    ground.things("services").create(service(json!({}))).await;
    slices.until_all(OF_WEB, "one, empty", |slices| slices.len() == 1 && endpoints(slices).is_empty()).await;
    let pods = ground.things("pods");
    pods.create(pod("one")).await;
    let found = slices
        .until_all(OF_WEB, "the pod is ready", |slices| endpoints(slices) == [("one".to_owned(), true)])
        .await;
    let running = pods.get("one").await;
    let slice = &found[0];
    assert_eq!(slice["endpoints"][0]["addresses"], json!([text(&running, "/status/podIP")]));
    assert_eq!(slice["ports"], json!([{"name": "http", "port": 8080, "protocol": "TCP"}]));
    assert_eq!(text(slice, "/addressType"), "IPv4");
    pods.merge("one", json!({"metadata": {"labels": {"app": "other"}}})).await;
    slices.until_all(OF_WEB, "it is empty again", |slices| endpoints(slices).is_empty()).await;
    ground.things("services").delete("web").await;
    slices.until_all(OF_WEB, "they go with the service", |slices| slices.is_empty()).await;
}

async fn named_ports_are_looked_up(ground: &Ground) {
    let mut named = pod("one");
    named["spec"]["containers"][0]["ports"] = json!([{"name": "admin", "containerPort": 9090}]);
    ground.things("pods").create(named).await;
    let ports = json!([{"name": "http", "port": 80, "targetPort": "admin"}]);
    ground.things("services").create(service(json!({"ports": ports}))).await;
    let slices = ground.things("endpointslices");
    let resolved = |slice: &&Value| number(slice, "/ports/0/port") == 9090;
    slices.until_all(OF_WEB, "the port is found", |slices| slices.iter().any(resolved)).await;
}

async fn an_ingress_gets_the_address_of_the_proxy(ground: &Ground) {
    let ingresses = ground.things("ingresses");
    let ingress = |name: &str, class: Option<&str>| {
        let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
        let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
        let mut ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name},
            "spec": {"rules": [{"host": "web.localhost", "http": {"paths": paths}}]}});
        if let Some(class) = class {
            ingress["spec"]["ingressClassName"] = json!(class);
        }
        ingress
    };
    ingresses.create(ingress("foreign", Some("nginx"))).await;
    for (name, class) in [("plain", None), ("named", Some("sandbox"))] {
        ingresses.create(ingress(name, class)).await;
        ingresses
            .until_is(name, "it has an address", |ingress| {
                text(ingress, "/status/loadBalancer/ingress/0/ip") == "127.0.0.1"
            })
            .await;
    }
    assert!(ingresses.get("foreign").await.pointer("/status/loadBalancer/ingress").is_none());
}

async fn a_claim_is_bound(ground: &Ground) {
    let claims = ground.things("persistentvolumeclaims");
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    claims.create(claim).await;
    let bound = claims.until_is("data", "it is bound", |claim| text(claim, "/status/phase") == "Bound").await;
    assert_eq!(text(&bound, "/status/capacity/storage"), "1Gi");
    assert_eq!(text(&bound, "/spec/storageClassName"), "standard");
    let name = format!("pvc-{}", text(&bound, "/metadata/uid"));
    assert_eq!(text(&bound, "/spec/volumeName"), name);
    let volumes: Things = ground.things("persistentvolumes");
    volumes.until_is(&name, "it is bound", |volume| text(volume, "/status/phase") == "Bound").await;
    let mut user = pod("one");
    user["spec"]["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]);
    ground.things("pods").create(user).await;
    ground.things("pods").until_is("one", "it runs", |pod| text(pod, "/status/phase") == "Running").await;
    claims.delete("data").await;
    assert!(claims.find("data").await.is_some(), "a pod uses it");
    ground.things("pods").delete("one").await;
    claims.until_gone("data").await;
    volumes.until_gone(&name).await;
}

async fn a_load_balancer_gets_its_cluster_address(ground: &Ground) {
    let services = ground.things("services");
    let made = services.create(service(json!({"type": "LoadBalancer"}))).await;
    let address = text(&made, "/spec/clusterIP").to_owned();
    services
        .until_is("web", "it has an address", |service| {
            text(service, "/status/loadBalancer/ingress/0/ip") == address
        })
        .await;
}

async fn endpoints_are_kept_in_the_older_form(ground: &Ground) {
    let (endpoints, pods) = (ground.things("endpoints"), ground.things("pods"));
    let mut made = service(json!({}));
    made["metadata"]["labels"] = json!({"tier": "front"});
    ground.things("services").create(made).await;
    pods.create(pod("one")).await;
    let ready = |found: &Value| found.pointer("/subsets/0/addresses/0").is_some();
    let found = endpoints.until_is("web", "the pod is ready", ready).await;
    let address = &found["subsets"][0]["addresses"][0];
    assert_eq!(text(address, "/ip"), text(&pods.get("one").await, "/status/podIP"));
    assert_eq!((text(address, "/targetRef/kind"), text(address, "/targetRef/name")), ("Pod", "one"));
    assert_eq!(found["subsets"][0]["ports"], json!([{"name": "http", "port": 8080, "protocol": "TCP"}]));
    assert_eq!(text(&found, "/metadata/labels/tier"), "front");
    pods.merge("one", json!({"metadata": {"labels": {"app": "other"}}})).await;
    endpoints.until_is("web", "it is empty", |found| found.pointer("/subsets/0").is_none()).await;
    ground.things("services").delete("web").await;
    endpoints.until_gone("web").await;
}

async fn node_ports_are_given_out(ground: &Ground) {
    let services = ground.things("services");
    let made = services.create(service(json!({"type": "NodePort"}))).await;
    let given = number(&made, "/spec/ports/0/nodePort");
    assert!((30_000..32_768).contains(&given), "{given}");
    let mut second = service(json!({"type": "NodePort"}));
    second["metadata"]["name"] = json!("second");
    second["spec"]["ports"][0]["nodePort"] = json!(given);
    let refused = services.try_create(second.clone()).await.expect_err("a refusal");
    assert_eq!(refused.code, 422);
    let why = format!("spec.ports[0].nodePort: Invalid value: {given}: provided port is already allocated");
    assert!(refused.message.contains(&why), "{}", refused.message);
    second["spec"]["ports"][0]["nodePort"] = json!(80);
    let refused = services.try_create(second).await.expect_err("a refusal");
    assert!(refused.message.contains("The range of valid ports is 30000-32767"), "{}", refused.message);
    let labelled = services.merge("web", json!({"metadata": {"labels": {"a": "b"}}})).await;
    assert_eq!(number(&labelled, "/spec/ports/0/nodePort"), given, "kept");
    let plain = services.merge("web", json!({"spec": {"type": "ClusterIP"}})).await;
    assert_eq!(plain.pointer("/spec/ports/0/nodePort"), None);
}

async fn endpoints_by_hand_are_mirrored(ground: &Ground) {
    let bare = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 80}]}});
    ground.things("services").create(bare).await;
    ground
        .things("endpoints")
        .create(json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web"},
            "subsets": [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 8080}]}]}))
        .await;
    let slices = ground.things("endpointslices");
    let found = slices.until_all(OF_WEB, "one", |slices| slices.len() == 1).await;
    assert_eq!(found[0]["endpoints"][0]["addresses"], json!(["10.1.2.3"]));
    assert_eq!(number(&found[0], "/ports/0/port"), 8080);
    ground.things("services").delete("web").await;
    slices.until_all(OF_WEB, "it goes", |slices| slices.is_empty()).await;
}

async fn an_autoscaler_says_that_it_does_nothing(ground: &Ground) {
    let autoscalers = ground.things("horizontalpodautoscalers");
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    autoscalers
        .create(json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
            "spec": {"scaleTargetRef": target, "maxReplicas": 3}}))
        .await;
    let says = |found: &Value| condition(found, "AbleToScale") == ("False", "NotImplemented");
    autoscalers.until_is("web", "it says so", says).await;
    let told =
        |event: &&Value| text(event, "/reason") == "NotImplemented" && text(event, "/type") == "Warning";
    ground.things("events").until_all("", "a warning", |events| events.iter().any(told)).await;
}

fn claim(class: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "1Mi"}}}})
}

async fn class(ground: &Ground, name: &str, mode: &str) {
    let standard = ground.things("storageclasses").get("standard").await;
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
        "provisioner": standard["provisioner"], "volumeBindingMode": mode, "allowVolumeExpansion": false});
    ground.things("storageclasses").create(class).await;
}

async fn a_claim_waits_for_its_pod(ground: &Ground) {
    class(ground, "lazy", "WaitForFirstConsumer").await;
    let (claims, pods) = (ground.things("persistentvolumeclaims"), ground.things("pods"));
    claims.create(claim("lazy")).await;
    let told = |event: &&Value| text(event, "/reason") == "WaitForFirstConsumer";
    ground.things("events").until_all("", "it waits", |events| events.iter().any(told)).await;
    assert_eq!(text(&claims.get("data").await, "/status/phase"), "Pending");
    let mut user = pod("one");
    user["spec"]["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]);
    pods.create(user).await;
    claims.until_is("data", "it is bound", |claim| text(claim, "/status/phase") == "Bound").await;
    pods.until_is("one", "it runs", |pod| condition(pod, "Ready").0 == "True").await;
}

async fn a_claim_grows_only_where_its_class_allows(ground: &Ground) {
    class(ground, "fixed", "Immediate").await;
    let claims = ground.things("persistentvolumeclaims");
    claims.create(claim("fixed")).await;
    claims.until_is("data", "it is bound", |claim| text(claim, "/status/phase") == "Bound").await;
    let more = json!({"spec": {"resources": {"requests": {"storage": "2Mi"}}}});
    let patch = kube::api::Patch::Merge(more);
    let refused =
        claims.try_patch("data", &kube::api::PatchParams::default(), patch).await.expect_err("a refusal");
    assert_eq!((refused.code, refused.reason.as_str()), (403, "Forbidden"));
    assert!(refused.message.contains("must support resize"), "{}", refused.message);
}

async fn a_pod_that_asks_for_too_much_is_explained(ground: &Ground) {
    let pods = ground.things("pods");
    let mut greedy = pod("one");
    greedy["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "100k"}});
    pods.create(greedy).await;
    let explained = |pod: &Value| condition(pod, "PodScheduled") == ("False", "Unschedulable");
    let waiting = pods.until_is("one", "it says why", explained).await;
    let scheduled = &waiting["status"]["conditions"][0];
    assert_eq!(text(scheduled, "/message"), "0/1 nodes are available: 1 Insufficient cpu.");
}
