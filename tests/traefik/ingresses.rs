//! Ingresses of a class that is an annotation, in one namespace: what an environment's own controller answers for.

use serde_json::{Value, json};

use crate::asking::{ask, ask_tls};
use crate::ground::{Ground, with_traefik};
use crate::objects::{application, certificate, namespace, own_routes, route};

#[test]
fn a_class_by_annotation_and_a_namespace_keep_environments_apart() {
    with_traefik(async |program| {
        let ground = Ground::start().await;
        for name in ["one", "two"] {
            ground.create(namespace(name));
            ground.create_all(application(name, "web", &format!("Thoughts of {name}")));
        }
        ground.create_all(application("one", "blog", "A blog"));
        ground.create_all(own_routes(
            "one",
            vec![
                route("one", "web", "web-one.localhost", None),
                route("one", "blog", "blog-one.localhost", None),
            ],
        ));
        // as another environment's would say it, or somebody who takes one for the other
        let mut elsewhere = own_routes("one", vec![route("two", "web", "web-two.localhost", None)]);
        ground.create(elsewhere.remove(0));
        let other = |name: &str, class: &str, named: Value| {
            let host = format!("{name}.localhost");
            let mut ingress = own_routes("one", vec![route("one", "web", &host, None)]).remove(0);
            ingress["metadata"]["name"] = json!(name);
            ingress["metadata"]["annotations"] = json!({ class: "styrmin-two" });
            ingress["spec"]["ingressClassName"] = named;
            ground.create(ingress);
        };
        other("named", "example.org/none", json!("sandbox"));
        other("classless", "example.org/none", Value::Null);
        other("other", "kubernetes.io/ingress.class", Value::Null);
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

        let deployment = ground.api.get("deployments.apps", "one", "blog").unwrap();
        let mut stopped = (*deployment).clone();
        stopped["spec"]["replicas"] = json!(0);
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
            let tls = format!("{name}-tls");
            let (secret, certificate) = certificate("one", &tls, &host);
            ground.create_all(application("one", name, title));
            ground.create(secret);
            ground.create_all(own_routes("one", vec![route("one", name, &host, Some(&tls))]));
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
