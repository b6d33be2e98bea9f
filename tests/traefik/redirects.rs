//! Plain http of hosts with https, sent on to it, as a real Traefik does what Styrmin writes.

use serde_json::json;
use styrmin::domain::route::{RouteKind, TRAEFIK};

use crate::asking::{STRANGER, ask, ask_from, ask_tls};
use crate::custom_resources::define;
use crate::ground::{Ground, with_traefik};
use crate::objects::{application, certificate, namespace, redirecting, route, via};

const ALLOWED: &str = "127.0.0.1/32";

#[test]
fn ingresses_and_ingress_routes_send_http_on() {
    with_traefik(async |program| {
        let ground = Ground::start().await;
        define(&ground).await;
        ground.create(namespace("one"));
        ground.create_all(application("one", "web", "Thoughts"));
        ground.create(json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "shared"},
            "spec": {"controller": TRAEFIK},
        }));
        let mut trusted = Vec::new();
        for (name, via) in [
            ("ingress", via(RouteKind::Ingress, "shared")),
            ("custom", via(RouteKind::IngressRoute, "styrmin-one")),
        ] {
            let (host, tls) = (format!("{name}.localhost"), format!("{name}-tls"));
            let (secret, certificate) = certificate("one", &tls, &host);
            ground.create(secret);
            let plain = format!("{name}-plain");
            let mut routes = vec![
                route("one", name, &host, Some(&tls)),
                route("one", &plain, &format!("{plain}.localhost"), None),
            ];
            routes.iter_mut().for_each(|route| route.service = "web".to_owned());
            ground.create_all(redirecting(via, Vec::new(), &[ALLOWED], routes));
            trusted.push((host, certificate));
        }
        ground.until_ready("one", "web", 1).await;
        let arguments = [
            "--providers.kubernetesCRD.namespaces=one",
            "--providers.kubernetesCRD.ingressClass=styrmin-one",
            "--providers.kubernetesCRD.disableClusterScopeResources=true",
            "--providers.kubernetesIngress.ingressClass=shared",
        ];
        let mut traefik = ground.traefik(&program, &arguments).await;
        let (web, websecure) = (traefik.web(), traefik.websecure());
        for (host, certificate) in &trusted {
            let sent = |answer: &crate::asking::Answer| {
                answer.code == 301 && answer.text.contains(&format!("Location: https://{host}/\r\n"))
            };
            traefik.until(&format!("{host} sends on"), async || ask(web, host).await, sent).await;
            assert_eq!(ask_from(STRANGER, web, host).await.code, 403, "{host}");
            let secure = async || ask_tls(websecure, host, certificate).await;
            // the application says by 503 that it has no database
            let what = format!("{host} over TLS");
            traefik.until(&what, secure, |answer| answer.text.contains("Thoughts")).await;
        }
        for host in ["ingress-plain.localhost", "custom-plain.localhost"] {
            traefik.until_reached(host, "Thoughts").await;
        }
        ground.stop().await;
    });
}
