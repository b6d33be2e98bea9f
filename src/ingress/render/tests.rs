//! Every kind with every option, as it is applied.

use serde_json::{Value, json};

use super::*;
use crate::domain::route::{GatewayRef, INGRESS_NGINX, SANDBOX, TRAEFIK, read};

mod redirect;

fn via(kind: RouteKind, controller: &str, class: Option<&str>) -> Via {
    let gateway = (kind == RouteKind::HttpRoute).then(|| GatewayRef {
        namespace: "infra".to_owned(),
        name: "web".to_owned(),
        section: None,
        https: false,
    });
    Via { kind, controller: controller.to_owned(), class: class.map(str::to_owned), gateway, namespace: None }
}

fn route() -> Route {
    Route {
        name: "notes".to_owned(),
        namespace: "demo".to_owned(),
        hosts: ["notes-1a2b3c4d.example.org", "notes-demo.example.org"].map(str::to_owned).to_vec(),
        path: "/".to_owned(),
        service: "notes".to_owned(),
        port: 8080,
        tls: TlsSource::Off,
    }
}

fn set(via: Option<Via>) -> RouteSet {
    RouteSet { via, routes: vec![route()], ..RouteSet::default() }
}

fn allowing(via: Via) -> RouteSet {
    RouteSet { allow: vec!["10.0.0.0/8".to_owned(), "fd00::/8".to_owned()], ..set(Some(via)) }
}

fn with_tls(mut set: RouteSet, tls: TlsSource) -> RouteSet {
    set.routes[0].tls = tls;
    set
}

fn rendered(set: &RouteSet) -> Vec<Value> {
    render(set).unwrap_or_else(|problem| panic!("{problem}"))
}

fn issuer() -> TlsSource {
    TlsSource::Issuer(IssuerRef { name: "le".to_owned(), cluster_wide: true })
}

fn paths(service: &str, path: &str) -> Value {
    json!({"paths": [{"path": path, "pathType": "Prefix",
        "backend": {"service": {"name": service, "port": {"number": 8080}}}}]})
}

#[test]
fn an_ingress_of_before_is_as_it_was() {
    let mut before = set(None);
    before.class = Some("sandbox".to_owned());
    before.routes[0].path = "app".to_owned();
    // said, but to nobody
    before.allow = vec!["10.0.0.0/8".to_owned()];
    let rule = |host: &str| json!({"host": host, "http": paths("notes", "/app")});
    let wanted = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "notes", "namespace": "demo"},
        "spec": {"ingressClassName": "sandbox",
            "rules": [rule("notes-1a2b3c4d.example.org"), rule("notes-demo.example.org")]},
    });
    assert_eq!(rendered(&before), [wanted]);
    before.class = None;
    assert!(rendered(&before)[0]["spec"].get("ingressClassName").is_none(), "the cluster's default class");
}

#[test]
fn an_ingress_has_what_the_environment_says() {
    let mut set = with_tls(
        allowing(via(RouteKind::Ingress, SANDBOX, Some("sandbox"))),
        TlsSource::Secret("wild".into()),
    );
    set.annotations.insert("external-dns.alpha.kubernetes.io/ttl".to_owned(), "60".to_owned());
    let ingress = &rendered(&set)[0];
    assert_eq!(
        ingress["metadata"]["annotations"],
        json!({"external-dns.alpha.kubernetes.io/ttl": "60", "sandbox.styrmin.io/allow-list": "10.0.0.0/8,fd00::/8"})
    );
    assert_eq!(ingress["spec"]["tls"], json!([{"hosts": set.routes[0].hosts, "secretName": "wild"}]));
    let own = with_tls(set, TlsSource::Controller);
    assert_eq!(rendered(&own)[0]["spec"]["tls"], json!([{"hosts": own.routes[0].hosts}]));
}

#[test]
fn an_issuer_is_asked_by_a_certificate_of_our_own() {
    for kind in [RouteKind::Ingress, RouteKind::IngressRoute, RouteKind::HttpRoute] {
        let objects = rendered(&with_tls(set(Some(via(kind, TRAEFIK, None))), issuer()));
        assert_eq!(
            objects[0],
            json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
                "metadata": {"name": "notes-tls", "namespace": "demo"},
                "spec": {"secretName": "notes-tls",
                    "dnsNames": ["notes-1a2b3c4d.example.org", "notes-demo.example.org"],
                    "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "le"}}})
        );
        let rules = read(&objects[1]);
        let secret = (kind != RouteKind::HttpRoute).then(|| "notes-tls".to_owned());
        assert!(rules.len() == 2 && rules.iter().all(|rule| rule.secret == secret), "{rules:?}");
    }
}

#[test]
fn each_controller_gets_its_allow_list() {
    for (controller, annotation) in [
        (SANDBOX, "sandbox.styrmin.io/allow-list"),
        (INGRESS_NGINX, "nginx.ingress.kubernetes.io/whitelist-source-range"),
        ("haproxy-ingress.github.io/controller", "haproxy-ingress.github.io/allowlist-source-range"),
        ("haproxy-ingress.github.io/controller/edge", "haproxy-ingress.github.io/allowlist-source-range"),
        ("haproxy.org/ingress-controller/edge", "haproxy.org/allow-list"),
        ("ingress.k8s.aws/alb", "alb.ingress.kubernetes.io/inbound-cidrs"),
    ] {
        let objects = rendered(&allowing(via(RouteKind::Ingress, controller, Some("x"))));
        assert_eq!(objects.len(), 1);
        assert_eq!(
            objects[0]["metadata"]["annotations"],
            json!({annotation: "10.0.0.0/8,fd00::/8"}),
            "{controller}"
        );
    }
    for (kind, controller) in [
        (RouteKind::Ingress, ""),
        (RouteKind::Ingress, "k8s.io/ingress-nginx-of-ours"),
        (RouteKind::Ingress, "k8s.io/ingress-gce"),
        (RouteKind::HttpRoute, "istio.io/gateway-controller"),
        (RouteKind::HttpRoute, TRAEFIK),
    ] {
        let problem = render(&allowing(via(kind, controller, None))).unwrap_err();
        assert!(
            problem.why.contains(kind.as_str()) && problem.next.contains("--dedicated-ingress"),
            "{problem}"
        );
        // nobody to keep away, nothing to say
        assert!(render(&set(Some(via(kind, controller, None)))).is_ok());
    }
}

#[test]
fn traefik_gets_its_allow_list_as_a_middleware() {
    let middleware = json!({"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware",
        "metadata": {"name": "notes-allow", "namespace": "demo"},
        "spec": {"ipAllowList": {"sourceRange": ["10.0.0.0/8", "fd00::/8"]}}});
    let mut set = allowing(via(RouteKind::Ingress, TRAEFIK, Some("traefik")));
    let key = "traefik.ingress.kubernetes.io/router.middlewares";
    let objects = rendered(&set);
    assert_eq!(objects[0], middleware);
    assert_eq!(objects[1]["metadata"]["annotations"], json!({key: "demo-notes-allow@kubernetescrd"}));
    set.annotations.insert(key.to_owned(), "demo-gzip@kubernetescrd".to_owned());
    let both = json!({key: "demo-notes-allow@kubernetescrd,demo-gzip@kubernetescrd"});
    assert_eq!(rendered(&set)[1]["metadata"]["annotations"], both);

    let objects = rendered(&allowing(via(RouteKind::IngressRoute, TRAEFIK, None)));
    assert_eq!(objects[0], middleware);
    assert_eq!(objects[1]["spec"]["routes"][0]["middlewares"], json!([{"name": "notes-allow"}]));

    let objects = rendered(&allowing(via(RouteKind::HttpRoute, "traefik.io/gateway-controller", None)));
    assert_eq!(objects[0], middleware);
    assert_eq!(
        objects[1]["spec"]["rules"][0]["filters"],
        json!([{"type": "ExtensionRef",
            "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "notes-allow"}}])
    );
}

#[test]
fn envoy_gateway_gets_its_allow_list_as_a_policy() {
    let mut set = allowing(via(RouteKind::HttpRoute, "gateway.envoyproxy.io/gatewayclass-controller", None));
    let target =
        |name: &str| json!({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": name});
    assert_eq!(
        rendered(&set)[0],
        json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "SecurityPolicy",
            "metadata": {"name": "notes-allow", "namespace": "demo"},
            "spec": {"targetRefs": [target("notes")],
                "authorization": {"defaultAction": "Deny", "rules": [
                    {"name": "allowed", "action": "Allow", "principal": {"clientCIDRs": ["10.0.0.0/8", "fd00::/8"]}}]}}})
    );
    // an HTTPRoute has sixteen hosts at most: every one of them is guarded
    set.routes[0].hosts = (0..17).map(|number| format!("n{number}.example.org")).collect();
    let objects = rendered(&set);
    assert_eq!(objects[0]["spec"]["targetRefs"], json!([target("notes"), target("notes-2")]));
    let names: Vec<&Value> = objects[1..].iter().map(|object| &object["metadata"]["name"]).collect();
    assert_eq!(names, ["notes", "notes-2"]);
    assert_eq!(objects[2]["spec"]["hostnames"], json!(["n16.example.org"]));
}

#[test]
fn an_http_route_attaches_to_its_gateway() {
    let mut set = set(Some(via(RouteKind::HttpRoute, "x", None)));
    set.routes[0].path = "/app".to_owned();
    assert_eq!(
        rendered(&set),
        [json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": "notes", "namespace": "demo"},
            "spec": {
                "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "infra", "name": "web"}],
                "hostnames": ["notes-1a2b3c4d.example.org", "notes-demo.example.org"],
                "rules": [{
                    "matches": [{"path": {"type": "PathPrefix", "value": "/app"}}],
                    "backendRefs": [{"kind": "Service", "name": "notes", "port": 8080, "weight": 1}]}]}})]
    );
    let mut named = set.clone();
    if let Some(gateway) = named.via.as_mut().and_then(|via| via.gateway.as_mut()) {
        gateway.section = Some("https".to_owned());
    }
    assert_eq!(rendered(&named)[0]["spec"]["parentRefs"][0]["sectionName"], "https");
    if let Some(via) = set.via.as_mut() {
        via.gateway = None;
    }
    assert!(render(&set).unwrap_err().why.contains("attaches to a Gateway"));
}

#[test]
fn an_ingress_route_says_its_hosts_in_traefiks_language() {
    let mut set = with_tls(
        set(Some(via(RouteKind::IngressRoute, TRAEFIK, Some("mine")))),
        TlsSource::Secret("s".into()),
    );
    set.routes[0].path = "/app".to_owned();
    assert_eq!(
        rendered(&set),
        [json!({"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
            "metadata": {"name": "notes", "namespace": "demo", "annotations": {"kubernetes.io/ingress.class": "mine"}},
            "spec": {"entryPoints": ["websecure"], "tls": {"secretName": "s"},
                "routes": [{"kind": "Rule",
                    "match": "(Host(`notes-1a2b3c4d.example.org`) || Host(`notes-demo.example.org`)) && PathPrefix(`/app`)",
                    "services": [{"name": "notes", "port": 8080}]}]}})]
    );
    let matched =
        |set: &RouteSet| rendered(set)[0]["spec"]["routes"][0]["match"].as_str().unwrap().to_owned();
    set.routes[0].hosts.truncate(1);
    assert_eq!(matched(&set), "Host(`notes-1a2b3c4d.example.org`) && PathPrefix(`/app`)");
    set.routes[0].path = "/".to_owned();
    set.routes[0].tls = TlsSource::Controller;
    assert_eq!(matched(&set), "Host(`notes-1a2b3c4d.example.org`)");
    assert_eq!(rendered(&set)[0]["spec"]["tls"], json!({}));
    set.routes[0].tls = TlsSource::Off;
    assert_eq!(rendered(&set)[0]["spec"]["entryPoints"], json!(["web"]));
    assert!(rendered(&set)[0]["spec"].get("tls").is_none());
    set.routes[0].path = "/a`) || Host(`b".to_owned();
    assert_eq!(read(&rendered(&set)[0]).len(), 1, "a path stays a path");
}

#[test]
fn the_class_of_an_own_ingress_is_an_annotation() {
    for kind in [RouteKind::Ingress, RouteKind::IngressRoute] {
        let set = RouteSet { dedicated: true, ..allowing(via(kind, TRAEFIK, Some("styrmin-demo"))) };
        let objects = rendered(&set);
        assert_eq!(objects.len(), 1, "it keeps the allow-list itself");
        assert_eq!(
            objects[0]["metadata"]["annotations"],
            json!({"kubernetes.io/ingress.class": "styrmin-demo"})
        );
        assert!(objects[0]["spec"].get("ingressClassName").is_none());
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    for kind in [RouteKind::Ingress, RouteKind::IngressRoute, RouteKind::HttpRoute] {
        let mut set = set(Some(via(kind, TRAEFIK, None)));
        set.routes[0].path = "/app".to_owned();
        let told: Vec<(String, String, String)> =
            read(&rendered(&set)[0]).into_iter().map(|rule| (rule.host, rule.path, rule.service)).collect();
        let wanted =
            set.routes[0].hosts.iter().map(|host| (host.clone(), "/app".to_owned(), "notes".to_owned()));
        assert_eq!(told, wanted.collect::<Vec<_>>(), "{}", kind.as_str());
    }
}

#[test]
fn long_names_stay_within_their_limits() {
    let long = "n".repeat(63);
    let mut set = with_tls(allowing(via(RouteKind::Ingress, TRAEFIK, None)), issuer());
    set.routes[0].name.clone_from(&long);
    set.routes[0].service = long;
    for object in rendered(&set) {
        let name = object["metadata"]["name"].as_str().unwrap();
        assert!(name.len() <= 63, "{name}");
    }
    assert!(render(&RouteSet { routes: Vec::new(), ..set }).unwrap().is_empty());
}

#[test]
fn a_host_is_proven_where_it_leads() {
    let mut own = with_tls(set(Some(via(RouteKind::Ingress, TRAEFIK, Some("styrmin-demo")))), issuer());
    assert!(rendered(&own)[0]["metadata"].get("annotations").is_none(), "the issuer knows a shared class");
    own.dedicated = true;
    assert_eq!(
        rendered(&own)[0]["metadata"]["annotations"],
        json!({"acme.cert-manager.io/http01-override-ingress-class": "styrmin-demo"})
    );
}
