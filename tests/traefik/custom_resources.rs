//! IngressRoutes and Middlewares.

use serde_json::{Value, json};

use crate::asking::{STRANGER, ask, ask_from, ask_tls};
use crate::ground::{Ground, with_traefik};
use crate::objects::{application, certificate, definition, ingress, namespace};

const KINDS: [(&str, &str); 10] = [
    ("IngressRoute", "ingressroutes"),
    ("IngressRouteTCP", "ingressroutetcps"),
    ("IngressRouteUDP", "ingressrouteudps"),
    ("Middleware", "middlewares"),
    ("MiddlewareTCP", "middlewaretcps"),
    ("ServersTransport", "serverstransports"),
    ("ServersTransportTCP", "serverstransporttcps"),
    ("TLSOption", "tlsoptions"),
    ("TLSStore", "tlsstores"),
    ("TraefikService", "traefikservices"),
];

const VERSION: &str = "traefik.io/v1alpha1";

/// Defines the kinds of Traefik, and waits until they are served.
pub async fn define(ground: &Ground) {
    for (kind, plural) in KINDS {
        ground.create(definition("traefik.io", "v1alpha1", kind, plural, "Namespaced"));
        established(ground, &format!("{plural}.traefik.io")).await;
    }
}

/// Waits until objects of a definition can be written.
pub async fn established(ground: &Ground, name: &str) {
    let is = |object: &Value| {
        let conditions = object["status"]["conditions"].as_array();
        conditions.into_iter().flatten().any(|one| one["type"] == "Established" && one["status"] == "True")
    };
    ground.until("customresourcedefinitions.apiextensions.k8s.io", ("", name), is).await;
}

pub fn allow(namespace: &str, name: &str, ranges: &[&str]) -> Value {
    json!({
        "apiVersion": VERSION, "kind": "Middleware", "metadata": {"name": name, "namespace": namespace},
        "spec": {"ipAllowList": {"sourceRange": ranges}},
    })
}

fn route(namespace: &str, name: &str, host: &str, class: &str) -> Value {
    json!({
        "apiVersion": VERSION, "kind": "IngressRoute",
        "metadata": {"name": name, "namespace": namespace,
            "annotations": {"kubernetes.io/ingress.class": class}},
        "spec": {"routes": [{
            "kind": "Rule", "match": format!("Host(`{host}`) && PathPrefix(`/`)"),
            "middlewares": [{"name": "web-allow"}], "services": [{"name": "web", "port": 80}],
        }]},
    })
}

#[test]
fn routes_of_the_class_lead_to_their_pods_and_keep_strangers_out() {
    with_traefik(async |program| {
        let ground = Ground::start().await;
        define(&ground).await;
        ground.create(namespace("one"));
        ground.create_all(application("one", "web", "Thoughts"));
        let host = "web-one.localhost";
        let (secret, certificate) = certificate("one", "web-tls", host);
        let mut secure = route("one", "web", host, "styrmin-one");
        secure["spec"]["entryPoints"] = json!(["websecure"]);
        secure["spec"]["tls"] = json!({"secretName": "web-tls"});
        let mut plain = route("one", "web-plain", host, "styrmin-one");
        plain["spec"]["entryPoints"] = json!(["web"]);
        let mut annotated = ingress("one", "web", "ingress-one.localhost", Some("styrmin-one"));
        annotated["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.middlewares"] =
            json!("one-web-allow@kubernetescrd");
        let foreign = route("one", "foreign", "foreign.localhost", "another");
        let list = allow("one", "web-allow", &["127.0.0.1/32"]);
        ground.create_all([secret, list, secure, plain, annotated, foreign]);
        ground.until_ready("one", "web", 1).await;
        let mut traefik = ground
            .traefik(
                &program,
                &[
                    "--providers.kubernetesCRD.namespaces=one",
                    "--providers.kubernetesCRD.ingressClass=styrmin-one",
                    "--providers.kubernetesCRD.disableClusterScopeResources=true",
                    "--providers.kubernetesIngress.namespaces=one",
                    "--providers.kubernetesIngress.ingressClass=styrmin-one",
                    "--providers.kubernetesIngress.disableClusterScopeResources=true",
                ],
            )
            .await;
        traefik.until_reached(host, "Thoughts").await;
        traefik.until_reached("ingress-one.localhost", "Thoughts").await;
        for host in [host, "ingress-one.localhost"] {
            assert_eq!(ask_from(STRANGER, traefik.web(), host).await.code, 403, "{host}");
        }
        assert_eq!(ask(traefik.web(), "foreign.localhost").await.code, 404);
        let websecure = traefik.websecure();
        let secure = async || ask_tls(websecure, host, &certificate).await;
        traefik.until("it shows its certificate", secure, |answer| answer.text.contains("Thoughts")).await;
        ground.stop().await;
    });
}
