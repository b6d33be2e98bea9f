//! Plain http that is sent on to https, as each controller is told.

use serde_json::{Value, json};

use super::*;
use crate::domain::route::RouteListener;

const MIDDLEWARES: &str = "traefik.ingress.kubernetes.io/router.middlewares";

fn sending(via: Via, said: Option<bool>) -> RouteSet {
    let redirect = Redirect { said, ..Redirect::default() };
    RouteSet { redirect, ..with_tls(set(Some(via)), TlsSource::Secret("s".into())) }
}

fn annotations(set: &RouteSet) -> Value {
    rendered(set).last().unwrap()["metadata"]["annotations"].clone()
}

#[test]
fn each_controller_is_told_by_its_annotations() {
    let haproxy = json!({"haproxy.org/ssl-redirect": "true", "haproxy.org/ssl-redirect-code": "301",
        "haproxy.org/ssl-redirect-port": "443"});
    let alb = json!({"alb.ingress.kubernetes.io/listen-ports": r#"[{"HTTP": 80}, {"HTTPS": 443}]"#,
        "alb.ingress.kubernetes.io/ssl-redirect": "443"});
    let nginx = |value: &str| json!({"nginx.ingress.kubernetes.io/ssl-redirect": value});
    let community = |value: &str| json!({"haproxy-ingress.github.io/ssl-redirect": value});
    for (controller, on, off) in [
        (SANDBOX, json!({"sandbox.styrmin.io/ssl-redirect": "true"}), Value::Null),
        (INGRESS_NGINX, nginx("true"), nginx("false")),
        ("haproxy-ingress.github.io/controller/edge", community("true"), community("false")),
        ("haproxy.org/ingress-controller/edge", haproxy, json!({"haproxy.org/ssl-redirect": "false"})),
        ("ingress.k8s.aws/alb", alb, Value::Null),
        ("k8s.io/ingress-gce", Value::Null, Value::Null),
        ("k8s.io/ingress-nginx-of-ours", Value::Null, Value::Null),
    ] {
        let sending = |said: Option<bool>| {
            let set = sending(via(RouteKind::Ingress, controller, Some("x")), said);
            with_tls(set, TlsSource::Controller)
        };
        assert_eq!(rendered(&sending(Some(true))).len(), 1, "{controller}");
        assert_eq!(annotations(&sending(Some(true))), on, "{controller}");
        assert_eq!(annotations(&sending(Some(false))), off, "{controller}");
        // as before anybody asked; and without https there is nowhere to go
        assert_eq!(annotations(&sending(None)), Value::Null, "{controller}");
        let plain = with_tls(sending(Some(true)), TlsSource::Off);
        assert_eq!(annotations(&plain), Value::Null, "{controller}");
    }
}

#[test]
fn what_a_person_says_by_an_annotation_stays() {
    let set = sending(via(RouteKind::Ingress, "ingress.k8s.aws/alb", None), Some(true));
    let mut set = with_tls(set, TlsSource::Controller);
    let key = "alb.ingress.kubernetes.io/listen-ports";
    set.annotations.insert(key.to_owned(), r#"[{"HTTPS": 443}]"#.to_owned());
    // one without the other may name a port at which nobody listens, and then the controller does nothing at all
    assert_eq!(annotations(&set), json!({key: r#"[{"HTTPS": 443}]"#}));
    let mut set = sending(via(RouteKind::Ingress, "haproxy.org/ingress-controller", None), Some(true));
    set.redirect.port = Some(8443);
    assert_eq!(annotations(&set)["haproxy.org/ssl-redirect-port"], "8443");
    // each of these stands by itself
    set.annotations.insert("haproxy.org/ssl-redirect-code".to_owned(), "302".to_owned());
    assert_eq!(annotations(&set)["haproxy.org/ssl-redirect-code"], "302");
    assert_eq!(annotations(&set)["haproxy.org/ssl-redirect-port"], "8443");
}

#[test]
fn aws_sends_on_where_the_certificate_is_its_own() {
    let alb = |tls: TlsSource| {
        let set = sending(via(RouteKind::Ingress, "ingress.k8s.aws/alb", None), Some(true));
        annotations(&with_tls(set, tls))
    };
    assert_eq!(alb(TlsSource::Controller)["alb.ingress.kubernetes.io/ssl-redirect"], "443");
    for unserved in [TlsSource::Secret("s".into()), issuer()] {
        assert_eq!(alb(unserved), Value::Null);
    }
}

#[test]
fn traefik_is_told_by_a_middleware() {
    let middleware = |scheme: Value| {
        json!({"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware",
            "metadata": {"name": "notes-to-https", "namespace": "demo"}, "spec": {"redirectScheme": scheme}})
    };
    let mut set = sending(via(RouteKind::Ingress, TRAEFIK, Some("traefik")), Some(true));
    let objects = rendered(&set);
    assert_eq!(objects[0], middleware(json!({"scheme": "https", "permanent": true})));
    assert_eq!(annotations(&set), json!({MIDDLEWARES: "demo-notes-to-https@kubernetescrd"}));
    set.redirect.port = Some(8443);
    assert_eq!(rendered(&set)[0], middleware(json!({"scheme": "https", "permanent": true, "port": "8443"})));
    set.redirect.port = Some(443);
    assert_eq!(rendered(&set), objects);
    // who is not let in is not sent on, and what a person said comes last
    set.annotations.insert(MIDDLEWARES.to_owned(), "demo-gzip@kubernetescrd".to_owned());
    set.allow = vec!["10.0.0.0/8".to_owned()];
    let all = "demo-notes-allow@kubernetescrd,demo-notes-to-https@kubernetescrd,demo-gzip@kubernetescrd";
    assert_eq!(annotations(&set), json!({MIDDLEWARES: all}));
    for said in [None, Some(false)] {
        assert_eq!(rendered(&sending(via(RouteKind::Ingress, TRAEFIK, None), said)).len(), 1);
    }
}

#[test]
fn an_own_ingress_has_the_middleware_itself() {
    let own = RouteSet {
        dedicated: true,
        ..sending(via(RouteKind::Ingress, TRAEFIK, Some("styrmin-demo")), Some(true))
    };
    assert_eq!(rendered(&own).len(), 1);
    assert_eq!(
        annotations(&own),
        json!({"kubernetes.io/ingress.class": "styrmin-demo", MIDDLEWARES: "redirect@file"})
    );
}

#[test]
fn an_ingress_route_has_another_one_beside_it() {
    let via = || via(RouteKind::IngressRoute, TRAEFIK, Some("mine"));
    let set = RouteSet { allow: vec!["10.0.0.0/8".to_owned()], ..sending(via(), Some(true)) };
    let objects = rendered(&set);
    let names: Vec<_> = objects.iter().map(|object| (&object["kind"], &object["metadata"]["name"])).collect();
    let (route, middleware) = (json!("IngressRoute"), json!("Middleware"));
    let [name, allow, beside] = ["notes", "notes-allow", "notes-to-https"].map(|name| json!(name));
    assert_eq!(names, [(&middleware, &allow), (&middleware, &beside), (&route, &beside), (&route, &name)]);
    let hosts = "Host(`notes-1a2b3c4d.example.org`) || Host(`notes-demo.example.org`)";
    assert_eq!(
        objects[2],
        json!({"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
            "metadata": {"name": "notes-to-https", "namespace": "demo",
                "annotations": {"kubernetes.io/ingress.class": "mine"}},
            "spec": {"entryPoints": ["web"], "routes": [{"kind": "Rule", "match": hosts,
                "services": [{"name": "notes", "port": 8080}],
                "middlewares": [{"name": "notes-allow"}, {"name": "notes-to-https"}]}]}})
    );
    let before = RouteSet { redirect: Redirect::default(), ..set };
    assert_eq!(rendered(&before).last(), objects.last(), "the route itself is as it was");
    for said in [None, Some(false)] {
        assert_eq!(rendered(&sending(via(), said)).len(), 1);
    }
}

#[test]
fn an_http_route_is_told_apart_by_listeners() {
    let listener =
        |name: &str, host: &str, https| RouteListener { name: name.to_owned(), host: host.to_owned(), https };
    let mut set = sending(via(RouteKind::HttpRoute, "x", None), Some(true));
    set.redirect.listeners = vec![
        listener("plain", "", false),
        listener("secure", "*.example.org", true),
        listener("elsewhere", "*.example.com", true),
    ];
    let parent = |section: &str| {
        json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "infra", "name": "web",
            "sectionName": section})
    };
    let objects = rendered(&set);
    let hosts = json!(["notes-1a2b3c4d.example.org", "notes-demo.example.org"]);
    let to_https = |redirect: Value| {
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": "notes-to-https", "namespace": "demo"},
            "spec": {"parentRefs": [parent("plain")], "hostnames": hosts, "rules": [{
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "filters": [{"type": "RequestRedirect", "requestRedirect": redirect}]}]}})
    };
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0], to_https(json!({"scheme": "https", "statusCode": 301})));
    assert_eq!(objects[1]["metadata"]["name"], "notes");
    assert_eq!(objects[1]["spec"]["parentRefs"], json!([parent("secure")]), "not where none of its hosts is");
    assert_eq!(objects[1]["spec"]["rules"][0]["backendRefs"][0]["name"], "notes");

    set.redirect.port = Some(8443);
    let ported = json!({"scheme": "https", "statusCode": 301, "port": 8443});
    assert_eq!(rendered(&set)[0], to_https(ported));
    // each part of many hosts has its own
    set.routes[0].hosts = (0..17).map(|number| format!("n{number}.example.org")).collect();
    let names: Vec<Value> = rendered(&set).iter().map(|object| object["metadata"]["name"].clone()).collect();
    assert_eq!(names, ["notes-to-https", "notes", "notes-2-to-https", "notes-2"]);
}

#[test]
fn a_host_that_no_https_listener_takes_is_not_sent_on() {
    let mut set = sending(via(RouteKind::HttpRoute, "x", None), Some(true));
    let listener =
        |name: &str, host: &str, https| RouteListener { name: name.to_owned(), host: host.to_owned(), https };
    set.redirect.listeners = vec![listener("plain", "", false), listener("secure", "*.example.org", true)];
    set.routes[0].hosts = ["n.example.org", "shop.org"].map(str::to_owned).to_vec();
    let summary = |set: &RouteSet| -> Vec<(String, Value, Value)> {
        let of = |object: &Value| {
            let (name, spec) = (object["metadata"]["name"].as_str().unwrap().to_owned(), &object["spec"]);
            (name, spec["hostnames"].clone(), spec["parentRefs"][0]["sectionName"].clone())
        };
        rendered(set).iter().map(of).collect()
    };
    let told = |name: &str, host: &str, section: Value| (name.to_owned(), json!([host]), section);
    assert_eq!(
        summary(&set),
        [
            told("notes-to-https", "n.example.org", json!("plain")),
            told("notes", "n.example.org", json!("secure")),
            told("notes-without-https", "shop.org", Value::Null),
        ]
    );
    let objects = rendered(&set);
    assert_eq!(objects[2]["spec"]["rules"], objects[1]["spec"]["rules"], "it is answered as before");
    // one that has no other host is as it was
    set.routes[0].hosts.remove(0);
    assert_eq!(summary(&set), [told("notes", "shop.org", Value::Null)]);
}

#[test]
fn an_http_route_attaches_as_before_where_there_is_nothing_to_tell_apart() {
    let listener = |name: &str, https| RouteListener { name: name.to_owned(), host: String::new(), https };
    let listeners = |all: Vec<RouteListener>, said: Option<bool>| {
        let set = sending(via(RouteKind::HttpRoute, "x", None), said);
        let redirect = Redirect { listeners: all, ..set.redirect };
        rendered(&RouteSet { redirect, ..set })
    };
    let before = listeners(Vec::new(), None);
    assert!(before.len() == 1 && before[0]["spec"]["parentRefs"][0].get("sectionName").is_none());
    assert_eq!(listeners(vec![listener("plain", false)], Some(true)), before, "nobody speaks https");
    assert_eq!(listeners(vec![listener("plain", false), listener("secure", true)], Some(false)), before);
    // without http there is no other route
    let secure = listeners(vec![listener("secure", true)], Some(true));
    assert!(secure.len() == 1 && secure[0]["spec"]["parentRefs"][0]["sectionName"] == "secure");

    // a listener that a person named stays the only one
    let mut named = sending(via(RouteKind::HttpRoute, "x", None), Some(true));
    named.redirect.listeners =
        vec![listener("plain", false), listener("secure", true), listener("inner", true)];
    if let Some(gateway) = named.via.as_mut().and_then(|via| via.gateway.as_mut()) {
        gateway.section = Some("inner".to_owned());
    }
    let objects = rendered(&named);
    assert_eq!(objects[0]["spec"]["parentRefs"][0]["sectionName"], "plain");
    let sections: Vec<_> = objects[1]["spec"]["parentRefs"].as_array().unwrap().iter().collect();
    assert!(sections.len() == 1 && sections[0]["sectionName"] == "inner", "{sections:?}");
}
