//! HTTPRoutes, by Traefik's Gateway provider.

use serde_json::{Value, json};
use styrmin::domain::route::{GatewayRef, RouteKind, RouteListener, TlsSource, Via};
use styrmin::ingress::Route;

use crate::asking::{Answer, STRANGER, ask, ask_from, ask_tls};
use crate::custom_resources::{define, established};
use crate::ground::{Ground, WEB, WEBSECURE, with_traefik};
use crate::objects::{application, certificate, definition, namespace, redirecting, route, routes};

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

/// A sandbox that knows of Gateways, with an application in the namespace `one`.
async fn with_application() -> Ground {
    let ground = Ground::start().await;
    define(&ground).await;
    define_gateways(&ground).await;
    ground.create(namespace("one"));
    ground.create_all(application("one", "web", "Thoughts"));
    ground
}

fn gateway(version: &str, kind: &str, metadata: Value, spec: Value) -> Value {
    json!({"apiVersion": format!("{GROUP}/{version}"), "kind": kind, "metadata": metadata, "spec": spec})
}

/// A Gateway `shared` in the namespace `gateways`, of a class that Traefik answers for, and what attaches to it.
fn shared(ground: &Ground, listeners: &[Value]) -> Via {
    ground.create(namespace("gateways"));
    let class = json!({"controllerName": CONTROLLER});
    ground.create(gateway("v1", "GatewayClass", json!({"name": "traefik"}), class));
    let spec = json!({"gatewayClassName": "traefik", "listeners": listeners});
    ground.create(gateway("v1", "Gateway", json!({"name": "shared", "namespace": "gateways"}), spec));
    let attached = GatewayRef {
        namespace: "gateways".to_owned(),
        name: "shared".to_owned(),
        section: None,
        https: listeners.iter().any(|listener| listener["protocol"] == "HTTPS"),
    };
    Via {
        kind: RouteKind::HttpRoute,
        controller: CONTROLLER.to_owned(),
        class: None,
        gateway: Some(attached),
        namespace: None,
    }
}

fn listener(name: &str, protocol: &str, port: u16) -> Value {
    json!({"name": name, "protocol": protocol, "port": port, "allowedRoutes": {"namespaces": {"from": "All"}}})
}

#[test]
fn a_route_attaches_to_a_gateway_and_names_its_middleware() {
    with_traefik(async |program| {
        let ground = with_application().await;
        let via = shared(&ground, &[listener("web", "HTTP", WEB)]);
        let host = "web-one.localhost";
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

#[test]
fn http_is_sent_on_to_the_listener_that_has_a_certificate() {
    with_traefik(async |program| {
        let ground = with_application().await;
        let (host, secret) = ("web-one.localhost", "shown");
        let mut secure = listener("websecure", "HTTPS", WEBSECURE);
        secure["tls"] = json!({"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": secret}]});
        let via = shared(&ground, &[listener("web", "HTTP", WEB), secure]);
        let (secret, trusted) = certificate("gateways", secret, host);
        ground.create(secret);
        let told = |name: &str, https| RouteListener { name: name.to_owned(), host: String::new(), https };
        let listeners = vec![told("web", false), told("websecure", true)];
        let route = Route { tls: TlsSource::Controller, ..route("one", "web", host, None) };
        ground.create_all(redirecting(via, listeners, &["127.0.0.1/32"], vec![route]));
        ground.until_ready("one", "web", 1).await;
        let arguments = ["--providers.kubernetesGateway=true", "--providers.kubernetesCRD=true"];
        let mut traefik = ground.traefik(&program, &arguments).await;
        let (web, websecure) = (traefik.web(), traefik.websecure());
        let over_tls = async || ask_tls(websecure, host, &trusted).await;
        traefik.until("its title over TLS", over_tls, |answer| answer.text.contains("Thoughts")).await;
        let sent_on = |answer: &Answer| {
            answer.code == 301 && answer.text.contains(&format!("Location: https://{host}/\r\n"))
        };
        traefik.until("http is sent on", async || ask(web, host).await, sent_on).await;
        ground.stop().await;
    });
}
