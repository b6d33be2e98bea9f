//! Hosts of other controllers: they are carried to their load balancer.

use serde_json::{Value, json};

use crate::rig::{HOME, INGRESSES, POLICIES, Rig, deployment, rule, service, within};
use crate::{client, echo};

/// The controller of another class: a Service of type LoadBalancer, and a process that answers for every host.
fn deploy_controller(rig: &Rig, namespace: &str) {
    rig.create("deployments.apps", namespace, "ingress", deployment("the controller", "ingress"));
    rig.create("services", namespace, "ingress", service("ingress", "LoadBalancer"));
}

fn other_class(host: &str) -> Value {
    json!({"metadata": {"annotations": {"kubernetes.io/ingress.class": "styrmin-demo"}},
        "spec": {"rules": [rule(host, "web")]}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_of_another_class_go_to_its_load_balancer() {
    let rig = Rig::start(&["demo"]).await;
    let host = "web-demo.localhost";
    rig.create(INGRESSES, "demo", "web", other_class(host));
    let page = rig.until(host, 404, "The Ingress demo/web of the class styrmin-demo names this host.").await;
    page.is(
        404,
        "Nobody answers for it: the namespace demo has no Service of type LoadBalancer with port 80.",
    );
    let stream = client::connect_from(HOME, rig.sandbox.ingress_tls_address()).await;
    assert!(client::tls(stream, host, &[]).await.is_err(), "nobody else's certificate is shown for it");

    rig.create("services", "demo", "ingress", service("ingress", "LoadBalancer"));
    rig.until(host, 503, "The load balancer demo/ingress has no ready endpoint.").await;
    rig.create("deployments.apps", "demo", "ingress", deployment("the controller", "ingress"));
    let answer = rig.until(host, 200, "name=the controller\n").await;
    answer.is(200, "host: web-demo.localhost\r\n");
    assert!(!answer.body.contains("x-forwarded"), "a load balancer adds nothing: {answer:?}");
    // the controller sees who asks
    rig.get_from([127, 0, 0, 77], host).await.is(200, "peer=127.0.0.77\n");

    let stream = client::connect_from([127, 0, 0, 78], rig.sandbox.ingress_tls_address()).await;
    let stream = client::tls(stream, host, &[]).await.unwrap();
    assert!(client::names(&client::chain(&stream)[0], echo::CERTIFIED));
    let answer = client::get(stream, host, "/").await;
    answer.is(200, "name=the controller over tls\npeer=127.0.0.78\n");

    let balancer = rig.api.get("services", "demo", "ingress").unwrap();
    assert_eq!(balancer["status"]["loadBalancer"]["ingress"][0]["ip"], balancer["spec"]["clusterIP"]);
    rig.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_load_balancer_lets_in_whom_its_ranges_and_the_policies_name() {
    let rig = Rig::start(&["demo"]).await;
    let host = "web-demo.localhost";
    rig.create(INGRESSES, "demo", "web", other_class(host));
    deploy_controller(&rig, "demo");
    rig.until(host, 200, "name=the controller").await;
    rig.change("services", ("demo", "ingress"), |service| {
        service["spec"]["loadBalancerSourceRanges"] = json!(["127.0.0.2/32"]);
    });
    rig.get(host).await.is(403, "The load balancer demo/ingress does not let you in.");
    rig.get_from([127, 0, 0, 2], host).await.is(200, "peer=127.0.0.2");
    let tls = rig.sandbox.ingress_tls_address();
    assert!(client::tls(client::connect_from(HOME, tls).await, host, &[]).await.is_err());
    assert!(client::tls(client::connect_from([127, 0, 0, 2], tls).await, host, &[]).await.is_ok());

    rig.create(POLICIES, "demo", "deny", json!({"spec": {"podSelector": {}}}));
    rig.get_from([127, 0, 0, 2], host)
        .await
        .is(504, "NetworkPolicy deny: 127.0.0.2 may not reach the pod demo/ingress-");
    let block = json!({"spec": {"podSelector": {"matchLabels": {"app": "ingress"}},
        "ingress": [{"from": [{"ipBlock": {"cidr": "127.0.0.2/32"}}]}]}});
    rig.create(POLICIES, "demo", "from-outside", block);
    rig.get_from([127, 0, 0, 2], host).await.is(200, "name=the controller");
    rig.sandbox.stop().await;
}

/// A CRD of one version whose objects may hold anything.
fn definition(group: &str, kind: &str, plural: &str, version: &str) -> Value {
    json!({"metadata": {"name": format!("{plural}.{group}")}, "spec": {
        "group": group, "scope": "Namespaced",
        "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
        "versions": [{"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": {
            "type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
    }})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_of_traefik_and_of_gateways_go_where_their_controller_is() {
    let rig = Rig::start(&["demo", "edge"]).await;
    deploy_controller(&rig, "edge");
    let gateway = "gateway.networking.k8s.io";
    for (group, kind, plural, version) in [
        ("traefik.io", "IngressRoute", "ingressroutes", "v1alpha1"),
        (gateway, "Gateway", "gateways", "v1"),
        (gateway, "HTTPRoute", "httproutes", "v1"),
    ] {
        let definition = definition(group, kind, plural, version);
        rig.api.create("customresourcedefinitions.apiextensions.k8s.io", definition, "test").unwrap();
        within(async {
            let mut changes = rig.api.changes();
            while rig.api.resource_type(&format!("{plural}.{group}")).is_none() {
                changes.changed().await.unwrap();
            }
        })
        .await;
    }
    let route = json!({"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
        "spec": {"routes": [{"match": "Host(`routed.localhost`) && PathPrefix(`/`)", "kind": "Rule"}]}});
    rig.create("ingressroutes.traefik.io", "edge", "web", route);
    rig.until("routed.localhost", 200, "name=the controller").await;

    let object = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "spec": {"parentRefs": [{"name": "shared", "namespace": "edge"}], "hostnames": ["gated.localhost"]}});
    rig.create("httproutes.gateway.networking.k8s.io", "demo", "web", object);
    rig.until("gated.localhost", 200, "name=the controller").await;

    // an Ingress of a class whose controller is elsewhere, once that has published its address
    rig.create(INGRESSES, "demo", "web", other_class("published.localhost"));
    rig.until("published.localhost", 404, "Nobody answers for it").await;
    let balancer = rig.api.get("services", "edge", "ingress").unwrap();
    let address = balancer["spec"]["clusterIP"].clone();
    let publish = |ingress: &mut Value| {
        ingress["status"] = json!({"loadBalancer": {"ingress": [{"ip": address}]}});
    };
    rig.api.mutate_status(INGRESSES, "demo", "web", "test", publish).unwrap().unwrap();
    rig.until("published.localhost", 200, "name=the controller").await;
    rig.sandbox.stop().await;
}
