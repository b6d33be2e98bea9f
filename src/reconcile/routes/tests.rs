use serde_json::{Value, json};

use super::*;
use crate::cluster::summary;

fn context() -> Value {
    json!({
        "instance": {"config": {"ingress_class": "traefik"}},
        "services": {
            "db": {"host": "notes-db", "path": "/"},
            "notes": {"host": "notes", "path": "/", "human_readable_fqdn": "notes-demo.example.org",
                "primary_fqdn": "notes-0011aabb.example.org", "hosts": ["notes.example.com"]}
        }
    })
}

fn cluster() -> ClusterRecord {
    ClusterRecord {
        name: "c".into(),
        kind: crate::domain::ClusterKind::Sandbox,
        fqdn_suffix: None,
        storage_class: None,
        ingress_port: Some(8480),
        ingress_tls_port: Some(8443),
    }
}

fn made(context: &Value, objects: &[Value]) -> Vec<Carried> {
    let objects: Vec<ObjectSummary> = objects.iter().map(summary).collect();
    let (gateways, cluster) = (Gateways::new(), cluster());
    let sources = RouteSources {
        context,
        cluster: Some(&cluster),
        objects: &objects,
        gateways: &gateways,
        unprobed: false,
    };
    routes(&sources)
}

/// Service, URL and the object that carries it.
fn lines(found: &[Carried]) -> Vec<String> {
    let line = |carried: &Carried| {
        let view = &carried.view;
        let object = view.object.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        format!("{} {} {object}", view.service, view.url)
    };
    found.iter().map(line).collect()
}

fn ingress(name: &str, rules: &[(&str, &str, &str)]) -> Value {
    let rules: Vec<Value> = rules
        .iter()
        .map(|(host, path, service)| {
            json!({"host": host, "http": {"paths": [
                {"path": path, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}}]}})
        })
        .collect();
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": "demo"},
        "spec": {"ingressClassName": "live", "rules": rules},
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}})
}

#[test]
fn the_readable_host_comes_first_and_the_primary_one_last() {
    let found = made(&context(), &[]);
    assert_eq!(
        lines(&found),
        [
            "notes http://notes-demo.example.org:8480/ -",
            "notes http://notes.example.com:8480/ -",
            "notes http://notes-0011aabb.example.org:8480/ -",
        ]
    );
    let view = &found[0].view;
    assert_eq!(
        (view.class.as_str(), view.kind, view.backend.as_str()),
        ("traefik", RouteKind::Ingress, "notes")
    );
    assert!(found.iter().all(|carried| carried.is_wanted) && view.endpoints.is_none());
}

#[test]
fn what_is_live_says_what_it_is() {
    let objects = [
        ingress("other", &[("notes-demo.example.org", "/static", "assets")]),
        ingress("notes", &[("NOTES-demo.example.org", "/", "notes"), ("notes.example.com", "/", "notes")]),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "notes", "namespace": "demo"}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "notes-a",
            "namespace": "demo", "labels": {"kubernetes.io/service-name": "notes"}},
            "endpoints": [{"conditions": {"ready": true}}, {"conditions": {"ready": false}}]}),
    ];
    let found = made(&context(), &objects);
    let view = &found[0].view;
    assert_eq!(lines(&found)[0], "notes http://notes-demo.example.org:8480/ Ingress/notes");
    assert_eq!((view.class.as_str(), view.addresses.join(" ").as_str()), ("live", "203.0.113.7"));
    assert_eq!(view.endpoints, Some(Endpoints { ready: 1, total: 2 }));
    assert_eq!(found[2].view.object, None, "nothing carries the primary host");
    assert_eq!(
        lines(&found)[3],
        " http://notes-demo.example.org:8480/static Ingress/other",
        "the same host for something else"
    );
    assert!(!found[3].is_wanted);
}

#[test]
fn what_has_the_certificate_carries_a_host_and_not_what_sends_on_to_it() {
    let mut context = context();
    context["services"]["notes"]["tls"] = json!({"secret": "wild"});
    let route = |name: &str, tls: Value| {
        json!({"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
            "metadata": {"name": name, "namespace": "demo"},
            "spec": {"tls": tls, "routes": [{"match": "Host(`notes-demo.example.org`)",
                "services": [{"name": "notes", "port": 80}]}]}})
    };
    let (secure, plain) =
        (route("notes", json!({"secretName": "wild"})), route("notes-to-https", Value::Null));
    for objects in [[secure.clone(), plain.clone()], [plain, secure]] {
        let found = made(&context, &objects);
        let carried = found.iter().find(|found| found.view.host == "notes-demo.example.org").unwrap();
        assert_eq!(carried.view.object.as_ref().unwrap().name, "notes");
        assert_eq!(carried.view.certificate.as_ref().unwrap().secret, "wild");
        assert_eq!(found.len(), 3, "{:?}", lines(&found));
    }
}

#[test]
fn a_charts_own_route_is_its_services() {
    let own = ingress(
        "own",
        &[("www.example.net", "/", "notes"), ("www.example.net", "/api", "notes"), ("*.wild.net", "/", "x")],
    );
    let found = made(&context(), &[own]);
    assert_eq!(
        lines(&found[3..]),
        [" http://*.wild.net:8480/ Ingress/own", "notes http://www.example.net:8480/ Ingress/own"]
    );
    assert!(found[3].view.unprobed && !found[4].view.unprobed, "nobody can ask for every name");
}

#[test]
fn the_services_own_tls_makes_it_https() {
    let mut context = context();
    context["services"]["notes"]["tls"] = json!({"issuer": {"name": "letsencrypt", "cluster_wide": true}});
    let certificate = json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
        "metadata": {"name": "notes-tls", "namespace": "demo"}, "spec": {"secretName": "notes-tls"},
        "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "DoesNotExist"}]}});
    let found = made(&context, &[certificate]);
    let view = &found[0].view;
    assert_eq!(view.url, "https://notes-demo.example.org:8443/");
    let known = view.certificate.as_ref().unwrap();
    assert_eq!((known.secret.as_str(), known.manager.as_ref().unwrap().ready), ("notes-tls", Some(false)));
    context["services"]["notes"]["tls"] = json!("controller");
    let found = made(&context, &[]);
    assert_eq!(
        (found[0].view.url.as_str(), &found[0].view.certificate),
        ("https://notes-demo.example.org:8443/", &None)
    );
}

fn http_route() -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "own", "namespace": "demo"},
        "spec": {"parentRefs": [{"name": "shared", "namespace": "infra"}], "hostnames": ["a.example.org"],
            "rules": [{"backendRefs": [{"name": "notes", "port": 80}]}]},
        "status": {"parents": [{"parentRef": {"name": "shared", "namespace": "infra"},
            "conditions": [{"type": "Accepted", "status": "True", "reason": "Accepted"}]}]}})
}

#[test]
fn a_gateway_says_where_and_how_a_route_of_its_answers() {
    let objects = [summary(&http_route())];
    let listener = |host: &str, https| Listener {
        name: String::new(),
        host: host.into(),
        https,
        secret: https.then(|| ("infra".to_owned(), "wildcard".to_owned())),
    };
    let mut gateway = GatewayDetail {
        class: "eg".into(),
        addresses: vec!["203.0.113.9".into()],
        refused: None,
        listeners: vec![listener("", false), listener("*.example.org", true)],
    };
    let context = json!({"services": {"notes": {"host": "notes"}}});
    let made = |gateway: &GatewayDetail| {
        let gateways = Gateways::from([("infra/shared".to_owned(), gateway.clone())]);
        let sources = RouteSources {
            context: &context,
            cluster: None,
            objects: &objects,
            gateways: &gateways,
            unprobed: false,
        };
        routes(&sources).remove(0)
    };
    let found = made(&gateway);
    assert_eq!(
        (found.view.url.as_str(), found.view.class.as_str()),
        ("https://a.example.org/", "infra/shared")
    );
    assert_eq!(
        (found.view.service.as_str(), found.view.addresses.join(" ").as_str()),
        ("notes", "203.0.113.9")
    );
    assert_eq!(found.view.certificate.unwrap().secret, "infra/wildcard");
    gateway.refused = Some("AddressNotAssigned: none".to_owned());
    gateway.listeners.pop();
    let found = made(&gateway);
    assert_eq!(found.view.url, "http://a.example.org/");
    assert_eq!(found.refused.as_deref(), Some("Gateway infra/shared: AddressNotAssigned: none"));
}

#[test]
fn the_routing_that_is_recorded_says_what_is_to_come() {
    let mut context = context();
    context["instance"]["config"]["routing"] = json!({"via": {"kind": "HttpRoute",
        "gateway": {"namespace": "infra", "name": "shared"}}});
    let found = made(&context, &[]);
    assert_eq!((found[0].view.kind, found[0].view.class.as_str()), (RouteKind::HttpRoute, "infra/shared"));
}

#[test]
fn a_context_without_services_has_no_routes() {
    assert!(made(&json!({}), &[]).is_empty());
    assert!(
        made(&json!({"services": {"notes": {"host": "notes", "human_readable_fqdn": ""}}}), &[]).is_empty()
    );
}
