//! HTTPRoutes, by Traefik's Gateway provider.

use serde_json::{Value, json};
use styrmin::domain::route::{GatewayRef, RouteKind, Via};

use crate::asking::{STRANGER, ask, ask_from};
use crate::custom_resources::{define, established};
use crate::ground::{Ground, WEB, with_traefik};
use crate::objects::{application, definition, namespace, route, routes};

const GROUP: &str = "gateway.networking.k8s.io";
const CONTROLLER: &str = "traefik.io/gateway-controller";

async fn define_gateways(ground: &Ground) {
    for (version, kind, plural, scope) in [
        ("v1", "GatewayClass", "gatewayclasses", "Cluster"),
        ("v1", "Gateway", "gateways", "Namespaced"),
        ("v1", "HTTPRoute", "httproutes", "Namespaced"),
        ("v1", "GRPCRoute", "grpcroutes", "Namespaced"),
        ("v1", "TLSRoute", "tlsroutes", "Namespaced"),
        ("v1beta1", "ReferenceGrant", "referencegrants", "Namespaced"),
        ("v1", "BackendTLSPolicy", "backendtlspolicies", "Namespaced"),
    ] {
        ground.create(definition(GROUP, version, kind, plural, scope));
        established(ground, &format!("{plural}.{GROUP}")).await;
    }
}

fn gateway(version: &str, kind: &str, metadata: Value, spec: Value) -> Value {
    json!({"apiVersion": format!("{GROUP}/{version}"), "kind": kind, "metadata": metadata, "spec": spec})
}

#[test]
fn a_route_attaches_to_a_gateway_and_names_its_middleware() {
    with_traefik(async |program| {
        let ground = Ground::start().await;
        define(&ground).await;
        define_gateways(&ground).await;
        for name in ["one", "gateways"] {
            ground.create(namespace(name));
        }
        ground.create_all(application("one", "web", "Thoughts"));
        let class = json!({"controllerName": CONTROLLER});
        ground.create(gateway("v1", "GatewayClass", json!({"name": "traefik"}), class));
        let listener = json!({"name": "web", "protocol": "HTTP", "port": WEB,
            "allowedRoutes": {"namespaces": {"from": "All"}}});
        let shared = json!({"gatewayClassName": "traefik", "listeners": [listener]});
        ground.create(gateway("v1", "Gateway", json!({"name": "shared", "namespace": "gateways"}), shared));
        let host = "web-one.localhost";
        let attached = GatewayRef {
            namespace: "gateways".to_owned(),
            name: "shared".to_owned(),
            section: None,
            https: false,
        };
        let via = Via {
            kind: RouteKind::HttpRoute,
            controller: CONTROLLER.to_owned(),
            class: None,
            gateway: Some(attached),
            namespace: None,
        };
        ground.create_all(routes(via, &["127.0.0.1/32"], vec![route("one", "web", host, None)]));
        ground.until_ready("one", "web", 1).await;
        let arguments = ["--providers.kubernetesGateway=true", "--providers.kubernetesCRD=true"];
        let mut traefik = ground.traefik(&program, &arguments).await;
        traefik.until_reached(host, "Thoughts").await;
        assert_eq!(ask_from(STRANGER, traefik.web(), host).await.code, 403);
        assert_eq!(ask(traefik.web(), "nobody.localhost").await.code, 404);
        let accepted = |route: &Value| {
            let conditions = route["status"]["parents"][0]["conditions"].as_array();
            conditions.into_iter().flatten().any(|one| one["type"] == "Accepted" && one["status"] == "True")
        };
        ground.until(&format!("httproutes.{GROUP}"), ("one", "web"), accepted).await;
        ground.stop().await;
    });
}
