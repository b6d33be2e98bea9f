//! IngressRoutes and Middlewares.

use serde_json::{Value, json};
use styrmin::domain::route::{RouteKind, TRAEFIK};

use crate::asking::{STRANGER, ask, ask_from, ask_tls};
use crate::ground::{Ground, with_traefik};
use crate::objects::{application, certificate, definition, namespace, route, routes, via};

const ALLOWED: &str = "127.0.0.1/32";

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

#[test]
fn routes_of_the_class_lead_to_their_pods_and_keep_strangers_out() {
    with_traefik(async |program| {
        let ground = Ground::start().await;
        define(&ground).await;
        ground.create(namespace("one"));
        ground.create_all(application("one", "web", "Thoughts"));
        let host = "web-one.localhost";
        let (secret, certificate) = certificate("one", "web-tls", host);
        ground.create(secret);
        let of_class = || via(RouteKind::IngressRoute, "styrmin-one");
        let mut plain = route("one", "plain", host, None);
        plain.service = "web".to_owned();
        let mut foreign = route("one", "foreign", "foreign.localhost", None);
        foreign.service = "web".to_owned();
        ground.create_all(routes(
            of_class(),
            &[ALLOWED],
            vec![route("one", "web", host, Some("web-tls")), plain],
        ));
        ground.create_all(routes(via(RouteKind::IngressRoute, "another"), &[], vec![foreign]));

        // an Ingress of a class of the cluster names its Middleware by an annotation
        ground.create(json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "shared"},
            "spec": {"controller": TRAEFIK},
        }));
        let mut shared = route("one", "shared", "ingress-one.localhost", None);
        shared.service = "web".to_owned();
        ground.create_all(routes(via(RouteKind::Ingress, "shared"), &[ALLOWED], vec![shared]));
        ground.until_ready("one", "web", 1).await;
        let mut traefik = ground
            .traefik(
                &program,
                &[
                    "--providers.kubernetesCRD.namespaces=one",
                    "--providers.kubernetesCRD.ingressClass=styrmin-one",
                    "--providers.kubernetesCRD.disableClusterScopeResources=true",
                    "--providers.kubernetesIngress.ingressClass=shared",
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
