//! What Styrmin writes of routes and policies, applied: every kind with its options, against schemas as the projects publish them
//! (their fields that are written here), and what a cluster has to offer.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use styrmin::cluster::{ApplyOptions, Cluster, DeleteOptions, key};
use styrmin::domain::Environment;
use styrmin::domain::route::{
    GatewayRef, Isolation, IssuerRef, Peer, RouteKind, RouteListener, SANDBOX, TRAEFIK, TlsSource, Via, read,
};
use styrmin::ingress::{self, Gate, Guarded, PolicySet, Route, RouteSet};

use crate::ground::Ground;

cases!(every_kind_of_route_is_accepted_and_offered, policies_are_accepted);

fn text() -> Value {
    json!({"type": "string"})
}

fn whole() -> Value {
    json!({"type": "integer", "format": "int32"})
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn mapping(required: &[&str], properties: Value) -> Value {
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn defaulted(mut schema: Value, default: Value) -> Value {
    schema["default"] = default;
    schema
}

fn definition(names: (&str, &str, &str, &str), scope: &str, spec: Value, status: Value) -> Value {
    let (group, version, kind, plural) = names;
    let mut properties = json!({"spec": spec});
    let mut served = json!({"name": version, "served": true, "storage": true});
    if !status.is_null() {
        properties["status"] = status;
        served["subresources"] = json!({"status": {}});
    }
    served["schema"] = json!({"openAPIV3Schema": mapping(&["spec"], properties)});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        // groups of the project itself are protected: they say where they were approved
        "metadata": {"name": format!("{plural}.{group}"),
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/3328"}},
        "spec": {"group": group, "scope": scope, "versions": [served],
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")}}})
}

const GATEWAY: &str = "gateway.networking.k8s.io";

fn http_route() -> Value {
    let reference = |group: Value, kind: Value| json!({"group": group, "kind": kind, "name": text()});
    let mut parent = reference(defaulted(text(), json!(GATEWAY)), defaulted(text(), json!("Gateway")));
    parent["namespace"] = text();
    parent["sectionName"] = text();
    // published with the default "", which servers up to 1.20 lose when a definition is applied
    let mut backend = reference(text(), defaulted(text(), json!("Service")));
    backend["port"] = json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": 65535});
    backend["weight"] = defaulted(whole(), json!(1));
    let kinds = json!({"type": "string", "enum": ["Exact", "PathPrefix", "RegularExpression"]});
    let path = json!({"type": defaulted(kinds, json!("PathPrefix")), "value": defaulted(text(), json!("/"))});
    let filters = json!({"type": "string", "enum": ["RequestHeaderModifier", "RequestRedirect", "URLRewrite", "ExtensionRef"]});
    let code = json!({"type": "integer", "enum": [301, 302]});
    let redirect = json!({"scheme": {"type": "string", "enum": ["http", "https"]}, "hostname": text(),
        "port": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 65535}, "statusCode": code});
    let filter = json!({"type": filters, "requestRedirect": mapping(&[], redirect), "extensionRef": mapping(&["group", "kind", "name"], reference(text(), text()))});
    let rule = json!({
        "matches": list(mapping(&[], json!({"path": mapping(&[], path)}))),
        "filters": list(mapping(&["type"], filter)),
        "backendRefs": list(mapping(&["name"], backend)),
    });
    let host = json!({"type": "string", "minLength": 1, "maxLength": 253,
        "pattern": r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"});
    let mut hosts = list(host);
    hosts["maxItems"] = json!(16);
    let spec = json!({"parentRefs": list(mapping(&["name"], parent)), "hostnames": hosts, "rules": list(mapping(&[], rule))});
    definition(
        (GATEWAY, "v1", "HTTPRoute", "httproutes"),
        "Namespaced",
        mapping(&[], spec),
        mapping(&[], json!({})),
    )
}

fn gateway() -> Value {
    let namespaces = json!({"from": defaulted(text(), json!("Same")),
        "selector": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let allowed = json!({"namespaces": mapping(&[], namespaces),
        "kinds": list(mapping(&["kind"], json!({"group": defaulted(text(), json!(GATEWAY)), "kind": text()})))});
    let listener = json!({"name": text(), "hostname": text(), "port": whole(), "protocol": text(), "allowedRoutes": mapping(&[], allowed)});
    let spec = json!({"gatewayClassName": text(), "listeners": list(mapping(&["name", "port", "protocol"], listener))});
    let status = json!({
        "addresses": list(mapping(&["value"], json!({"type": text(), "value": text()}))),
        "conditions": list(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}))});
    definition(
        (GATEWAY, "v1", "Gateway", "gateways"),
        "Namespaced",
        mapping(&["gatewayClassName", "listeners"], spec),
        mapping(&[], status),
    )
}

fn gateway_class() -> Value {
    let spec = mapping(&["controllerName"], json!({"controllerName": text()}));
    definition((GATEWAY, "v1", "GatewayClass", "gatewayclasses"), "Cluster", spec, mapping(&[], json!({})))
}

fn ingress_route() -> Value {
    let port =
        json!({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true});
    let service = json!({"name": text(), "namespace": text(), "kind": {"type": "string", "enum": ["Service", "TraefikService"]}, "port": port});
    let route = json!({
        "kind": {"type": "string", "enum": ["Rule"]}, "match": text(), "priority": {"type": "integer"},
        "services": list(mapping(&["name"], service)),
        "middlewares": list(mapping(&["name"], json!({"name": text(), "namespace": text()})))});
    let tls = json!({"secretName": text(), "certResolver": text()});
    let spec = json!({"entryPoints": list(text()), "routes": list(mapping(&["match"], route)), "tls": mapping(&[], tls)});
    definition(
        ("traefik.io", "v1alpha1", "IngressRoute", "ingressroutes"),
        "Namespaced",
        mapping(&["routes"], spec),
        Value::Null,
    )
}

fn middleware() -> Value {
    let list_of_addresses = json!({"sourceRange": list(text()),
        "ipStrategy": mapping(&[], json!({"depth": {"type": "integer", "minimum": 0}, "excludedIPs": list(text())}))});
    let scheme = json!({"scheme": text(), "permanent": {"type": "boolean"}, "port": text()});
    let spec = mapping(
        &[],
        json!({"ipAllowList": mapping(&[], list_of_addresses), "redirectScheme": mapping(&[], scheme)}),
    );
    definition(("traefik.io", "v1alpha1", "Middleware", "middlewares"), "Namespaced", spec, Value::Null)
}

fn certificate() -> Value {
    let issuer = mapping(&["name"], json!({"group": text(), "kind": text(), "name": text()}));
    let spec = mapping(
        &["issuerRef", "secretName"],
        json!({"dnsNames": list(text()), "issuerRef": issuer, "secretName": text()}),
    );
    definition(
        ("cert-manager.io", "v1", "Certificate", "certificates"),
        "Namespaced",
        spec,
        mapping(&[], json!({})),
    )
}

fn security_policy() -> Value {
    let target = mapping(
        &["group", "kind", "name"],
        json!({"group": text(), "kind": text(), "name": text(), "sectionName": text()}),
    );
    let action = json!({"type": "string", "enum": ["Allow", "Deny"]});
    let block = json!({"type": "string", "pattern": r"((?:[0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2})|(([0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}/[0-9]{1,3})"});
    let principal = mapping(&[], json!({"clientCIDRs": list(block)}));
    let rule =
        mapping(&["action", "principal"], json!({"name": text(), "action": action, "principal": principal}));
    let spec = json!({"targetRefs": list(target), "authorization": mapping(&[], json!({"defaultAction": action, "rules": list(rule)}))});
    definition(
        ("gateway.envoyproxy.io", "v1alpha1", "SecurityPolicy", "securitypolicies"),
        "Namespaced",
        mapping(&[], spec),
        mapping(&[], json!({})),
    )
}

fn definitions() -> [Value; 7] {
    [
        http_route(),
        gateway(),
        gateway_class(),
        ingress_route(),
        middleware(),
        certificate(),
        security_policy(),
    ]
}

fn via(kind: RouteKind, controller: &str, class: Option<&str>) -> Via {
    let gateway = (kind == RouteKind::HttpRoute).then(|| GatewayRef {
        namespace: "infra".to_owned(),
        name: "web".to_owned(),
        section: Some("https".to_owned()),
        https: true,
    });
    Via { kind, controller: controller.to_owned(), class: class.map(str::to_owned), gateway, namespace: None }
}

fn listener(name: &str, https: bool) -> RouteListener {
    RouteListener { name: name.to_owned(), host: String::new(), https }
}

/// Every kind with every adapter and every source of certificates, each under a name of its own.
fn sets(namespace: &str) -> Vec<RouteSet> {
    let envoy = "gateway.envoyproxy.io/gatewayclass-controller";
    let vias = [
        None,
        Some(via(RouteKind::Ingress, SANDBOX, Some("sandbox"))),
        Some(via(RouteKind::Ingress, "k8s.io/ingress-nginx", Some("nginx"))),
        Some(via(RouteKind::Ingress, TRAEFIK, None)),
        Some(via(RouteKind::IngressRoute, TRAEFIK, Some("mine"))),
        Some(via(RouteKind::HttpRoute, "traefik.io/gateway-controller", None)),
        Some(via(RouteKind::HttpRoute, envoy, None)),
    ];
    let issuer = IssuerRef { name: "le".to_owned(), cluster_wide: true };
    let certificates = [
        TlsSource::Off,
        TlsSource::Secret("wild".to_owned()),
        TlsSource::Issuer(issuer),
        TlsSource::Controller,
    ];
    let mut sets = Vec::new();
    for (number, via) in vias.into_iter().enumerate() {
        for (other, tls) in certificates.iter().enumerate() {
            let name = format!("r{number}-{other}");
            let hosts = if other == 0 { 17 } else { 2 };
            let route = Route {
                name: name.clone(),
                namespace: namespace.to_owned(),
                hosts: (0..hosts).map(|host| format!("{name}-{host}.example.org")).collect(),
                path: "/app".to_owned(),
                service: name,
                port: 8080,
                tls: tls.clone(),
            };
            sets.push(RouteSet {
                via: via.clone(),
                class: None,
                dedicated: false,
                annotations: BTreeMap::from([(
                    "external-dns.alpha.kubernetes.io/ttl".to_owned(),
                    "60".to_owned(),
                )]),
                allow: vec!["10.0.0.0/8".to_owned(), "fd00::/8".to_owned()],
                redirect: ingress::Redirect {
                    said: Some(true),
                    port: Some(8443),
                    listeners: vec![listener("http", false), listener("https", true)],
                },
                routes: vec![route],
            });
        }
    }
    sets
}

/// Whether everything in `part` is in `whole`: the server may add, and takes nothing away.
fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|found| holds(found, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| holds(whole, part))
        }
        (whole, part) => whole == part,
    }
}

/// Applies an object, dry and for real and once more: all of it is taken, and the second time nothing is written.
async fn accepted(cluster: &Cluster, object: &Value) {
    let named = key(object);
    for options in [ApplyOptions { dry_run: true, force: false }, ApplyOptions::default()] {
        let applied = cluster
            .apply(object, options)
            .await
            .unwrap_or_else(|error| panic!("{named}: {error}\n{object:#}"));
        assert!(holds(&applied.object, object), "{named} lost something: {:#}", applied.object);
        if !options.dry_run {
            // a controller may write its status meanwhile: what is wanted has a number of its own
            let again =
                cluster.apply(object, options).await.unwrap_or_else(|error| panic!("{named}: {error}"));
            let generation = |object: &Value| object["metadata"]["generation"].clone();
            assert_eq!(generation(&again.object), generation(&applied.object), "{named} is written again");
            assert_eq!(read(&again.object), read(object), "{named} is read as it was written");
        }
    }
}

async fn define(ground: &Ground, cluster: &Cluster) {
    for definition in definitions() {
        let named = key(&definition);
        cluster
            .apply(&definition, ApplyOptions::default())
            .await
            .unwrap_or_else(|error| panic!("{named}: {error}"));
        cluster.until_established(&named.name).await.unwrap();
        let mut kind = named.clone();
        let version = &definition["spec"]["versions"][0]["name"];
        kind.api_version =
            format!("{}/{}", definition["spec"]["group"].as_str().unwrap(), version.as_str().unwrap());
        kind.kind = definition["spec"]["names"]["kind"].as_str().unwrap().to_owned();
        // a real server serves the kind a moment later than it says
        let served = async {
            while cluster.list(&kind).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        ground.within("the kind is served", served).await;
    }
}

async fn every_kind_of_route_is_accepted_and_offered(ground: &Ground) {
    let cluster = ground.cluster();
    let before = cluster.offer(&ground.namespace).await.unwrap();
    assert!(!before.gateway_api && !before.traefik && !before.cert_manager && !before.security_policies);
    assert!(before.gateways.is_empty(), "{before:?}");
    define(ground, &cluster).await;
    for set in sets(&ground.namespace) {
        for object in ingress::render(&set).unwrap_or_else(|problem| panic!("{problem}")) {
            accepted(&cluster, &object).await;
        }
    }
    offered(ground, &cluster).await;
    for definition in definitions() {
        cluster.delete(&key(&definition), &DeleteOptions::default()).await.unwrap();
    }
}

/// What the cluster offers, and who is found.
async fn offered(ground: &Ground, cluster: &Cluster) {
    let home = ground.namespace.as_str();
    let selector = json!({"matchLabels": {"team": "blue"}});
    let objects = [
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "routes-test"},
            "spec": {"controllerName": "example.org/gateways"}}),
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "web", "namespace": home},
            "spec": {"gatewayClassName": "routes-test", "listeners": [
                {"name": "http", "port": 80, "protocol": "HTTP",
                    "allowedRoutes": {"namespaces": {"from": "Selector", "selector": selector}}},
                {"name": "https", "port": 443, "protocol": "HTTPS", "hostname": "*.example.org"}]}}),
    ];
    for object in &objects {
        accepted(cluster, object).await;
    }
    let here = cluster.offer(home).await.unwrap();
    assert!(here.gateway_api && here.traefik && here.cert_manager && here.security_policies);
    assert!(here.gateways.is_empty(), "it is not programmed: {here:?}");
    let status = json!({"status": {"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}],
        "conditions": [{"type": "Programmed", "status": "True"}]}});
    let gateways = crate::things::Things::of(
        ground,
        &crate::things::resource("gateway.networking.k8s.io/v1", "Gateway", "gateways"),
        Some(home),
    );
    gateways.merge_status("web", status).await;

    let told = async |namespace: &str| -> Vec<String> {
        let offer = cluster.offer(namespace).await.unwrap();
        let told = |section: Option<String>, https: bool| format!("{} {https}", section.unwrap_or_default());
        offer.gateways.into_iter().map(|found| told(found.gateway.section, found.gateway.https)).collect()
    };
    assert_eq!(told(home).await, [" true", "https true"], "its own namespace, without the label");
    assert!(told("default").await.is_empty());
    ground.things("namespaces").merge(home, json!({"metadata": {"labels": {"team": "blue"}}})).await;
    assert_eq!(told(home).await, [" true", "http false", "https true"]);

    let mut environment = Environment::new("demo", "c", home);
    environment.routing.kind = Some(RouteKind::HttpRoute);
    environment.fqdn_suffix = Some("example.org".to_owned());
    let offer = cluster.offer(home).await.unwrap();
    let found = ingress::detect(&offer, &environment, environment.suffix(None))
        .unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!((found.via.controller.as_str(), found.warnings), ("example.org/gateways", vec![]));
    environment.routing.via = Some(found.via);
    assert!(ingress::check(&environment, &offer, environment.suffix(None)).is_ok());
    cluster.delete(&key(&objects[0]), &DeleteOptions::default()).await.unwrap();
}

async fn policies_are_accepted(ground: &Ground) {
    let cluster = ground.cluster();
    let mut environment = Environment::new("demo", "c", &ground.namespace);
    let namespace = |name: &str, pods: &[(&str, &str)]| Peer::Namespace {
        name: name.to_owned(),
        pods: pods.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    };
    let peers =
        vec![namespace("*", &[]), namespace("ops", &[("app", "x")]), Peer::Cidr("fd00::/8".to_owned())];
    environment.routing.allow_from.clone_from(&peers);
    environment.routing.tls = TlsSource::Issuer(IssuerRef { name: "le".to_owned(), cluster_wide: true });
    for isolation in [Isolation::Inbound, Isolation::Both] {
        environment.routing.isolation = Some(isolation);
        let guarded = |name: &str, external: bool, allow_from: &[Peer]| Guarded {
            name: name.to_owned(),
            selector: BTreeMap::from([("styrmin.io/deployment".to_owned(), "notes".to_owned())]),
            ports: vec![json!(8080), json!("http")],
            external,
            allow_from: allow_from.to_vec(),
        };
        let door = json!({ "port": "web", "protocol": "TCP" });
        let gate = Gate { deployment: "ingress".to_owned(), ports: vec![door] };
        let set = PolicySet {
            isolation: Some(isolation),
            via: Some(via(RouteKind::Ingress, "ingress.k8s.aws/alb", None)),
            namespace: ground.namespace.clone(),
            gate: Some(gate),
            services: vec![guarded("notes", true, &[]), guarded("notes-db", false, &peers)],
        };
        let policies = ingress::environment_policies(&environment).into_iter().chain(ingress::policies(&set));
        let policies: Vec<Value> = policies.collect();
        assert_eq!(policies.len(), if isolation == Isolation::Both { 7 } else { 6 });
        for policy in &policies {
            accepted(&cluster, policy).await;
        }
    }
}
