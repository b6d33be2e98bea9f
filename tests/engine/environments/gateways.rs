//! Environments whose routes a Gateway takes.

use super::*;

const GROUP: &str = "gateway.networking.k8s.io";

/// Teaches the cluster a kind that takes everything; what is written of its status counts.
async fn define(bench: &Bench, kind: &str, plural: &str, scope: &str) {
    let name = format!("{plural}.{GROUP}");
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": name, "annotations": {
            "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/2466"}},
        "spec": {"group": GROUP, "scope": scope,
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": open}}]}
    });
    bench.cluster.apply(&definition, ApplyOptions::default()).await.unwrap();
    bench.cluster.until_established(&name).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suffix_that_the_gateway_of_an_environment_does_not_take_is_told() {
    let bench = bench().await;
    define(&bench, "GatewayClass", "gatewayclasses", "Cluster").await;
    define(&bench, "Gateway", "gateways", "Namespaced").await;
    define(&bench, "HTTPRoute", "httproutes", "Namespaced").await;
    bench.other_namespace("infra").await;
    let version = format!("{GROUP}/v1");
    let class = json!({"apiVersion": version, "kind": "GatewayClass", "metadata": {"name": "shared"},
        "spec": {"controllerName": "example.org/gateway"}});
    let listener = json!({"name": "web", "protocol": "HTTP", "port": 80, "hostname": "*.localhost",
        "allowedRoutes": {"namespaces": {"from": "All"}}});
    let gateway = json!({"apiVersion": version, "kind": "Gateway",
        "metadata": {"name": "shared", "namespace": "infra"},
        "spec": {"gatewayClassName": "shared", "listeners": [listener]},
        "status": {"conditions": [{"type": "Programmed", "status": "True"}]}});
    for object in [class, gateway] {
        bench.cluster.apply(&object, ApplyOptions::default()).await.unwrap();
    }
    for (name, suffix) in [("shop", None), ("lab", Some("lab.localhost"))] {
        let mut environment = Environment::new(name, "sandbox", name);
        environment.fqdn_suffix = suffix.map(str::to_owned);
        environment.routing.kind = Some(RouteKind::HttpRoute);
        tells(&bench.plan(&set(&environment)).await, "routes: HTTPRoute of the Gateway infra/shared");
        bench.well(set(&environment)).await;
    }
    let record = bench.cluster_said().await;
    let moved = |suffix: &str| {
        let record = ClusterRecord { fqdn_suffix: Some(suffix.to_owned()), ..record.clone() };
        Intent::SetCluster(Box::new(record))
    };
    let preview = bench.plan(&moved("example.org")).await;
    assert_eq!(
        preview.plan.warnings,
        ["shop: the Gateway infra/shared takes *.localhost, which no host under example.org is"]
    );
    assert_eq!(bench.plan(&moved("example.localhost")).await.plan.warnings, [] as [String; 0]);
    bench.close().await;
}
