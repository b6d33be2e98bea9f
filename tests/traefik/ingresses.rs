//! Ingresses of a class that is an annotation, in one namespace: what an environment's own controller answers for.

use serde_json::json;

use crate::asking::{ask, ask_tls};
use crate::ground::{Ground, with_traefik};
use crate::objects::{application, certificate, ingress, namespace};

const CLASS: &str = "styrmin-one";

#[test]
fn a_class_by_annotation_and_a_namespace_keep_environments_apart() {
    with_traefik(async |program| {
        let ground = Ground::start().await;
        for name in ["one", "two"] {
            ground.create(namespace(name));
            ground.create_all(application(name, "web", &format!("Thoughts of {name}")));
        }
        ground.create_all(application("one", "blog", "A blog"));
        ground.create(ingress("one", "web", "web-one.localhost", Some(CLASS)));
        ground.create(ingress("one", "blog", "blog-one.localhost", Some(CLASS)));
        ground.create(ingress("two", "web", "web-two.localhost", Some(CLASS)));
        let mut named = ingress("one", "web", "named.localhost", None);
        named["metadata"]["name"] = json!("named");
        named["spec"]["ingressClassName"] = json!("sandbox");
        let mut classless = ingress("one", "web", "classless.localhost", None);
        classless["metadata"]["name"] = json!("classless");
        let mut other = ingress("one", "web", "other.localhost", Some("styrmin-two"));
        other["metadata"]["name"] = json!("other");
        ground.create_all([named, classless, other]);
        ground.until_ready("one", "web", 1).await;
        ground.until_ready("one", "blog", 1).await;
        let mut traefik = ground
            .traefik(
                &program,
                &[
                    "--providers.kubernetesIngress.namespaces=one",
                    "--providers.kubernetesIngress.ingressClass=styrmin-one",
                    "--providers.kubernetesIngress.disableClusterScopeResources=true",
                    "--providers.kubernetesIngress.allowEmptyServices=true",
                ],
            )
            .await;
        traefik.until_reached("web-one.localhost", "Thoughts of one").await;
        // one configuration holds them all, so what is not there now is not there at all
        assert!(ask(traefik.web(), "blog-one.localhost").await.text.contains("A blog"));
        for host in ["web-two", "named", "classless", "other", "nobody"] {
            let answer = ask(traefik.web(), &format!("{host}.localhost")).await;
            assert_eq!(answer.code, 404, "{host}: {answer:?}");
        }

        let scaled = json!({"spec": {"replicas": 0}});
        let deployment = ground.api.get("deployments.apps", "one", "blog").unwrap();
        let mut stopped = (*deployment).clone();
        stopped["spec"]["replicas"] = scaled["spec"]["replicas"].clone();
        ground.api.update("deployments.apps", stopped, "test").unwrap();
        let web = traefik.web();
        traefik
            .until(
                "a stopped application is told apart from an unknown one",
                async || ask(web, "blog-one.localhost").await,
                |answer| answer.code == 503 && !answer.text.contains("A blog"),
            )
            .await;
        ground.stop().await;
    });
}

#[test]
fn the_certificate_of_a_secret_is_shown_by_its_name() {
    with_traefik(async |program| {
        let ground = Ground::start().await;
        ground.create(namespace("one"));
        let mut trusted = Vec::new();
        for (name, title) in [("web", "Thoughts"), ("blog", "A blog")] {
            let host = format!("{name}-one.localhost");
            let (secret, certificate) = certificate("one", &format!("{name}-tls"), &host);
            let mut ingress = ingress("one", name, &host, Some(CLASS));
            ingress["spec"]["tls"] = json!([{"hosts": [host], "secretName": format!("{name}-tls")}]);
            ground.create_all(application("one", name, title));
            ground.create_all([secret, ingress]);
            trusted.push((host, certificate, title));
        }
        ground.until_ready("one", "web", 1).await;
        ground.until_ready("one", "blog", 1).await;
        let arguments = [
            "--providers.kubernetesIngress.namespaces=one",
            "--providers.kubernetesIngress.ingressClass=styrmin-one",
            "--providers.kubernetesIngress.disableClusterScopeResources=true",
        ];
        let mut traefik = ground.traefik(&program, &arguments).await;
        let websecure = traefik.websecure();
        for (host, certificate, title) in &trusted {
            let shows = async || ask_tls(websecure, host, certificate).await;
            traefik.until(&format!("{host} over TLS"), shows, |answer| answer.text.contains(title)).await;
        }
        let crossed = ask_tls(websecure, &trusted[0].0, &trusted[1].1).await;
        assert_eq!(crossed.code, 0, "the other's certificate is not shown: {crossed:?}");
        ground.stop().await;
    });
}
