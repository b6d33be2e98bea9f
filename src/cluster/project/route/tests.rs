use serde_json::Value;

use super::super::summary;
use crate::domain::object::{Detail, GatewayDetail, RouteDetail};
use crate::domain::route::ManagerReport;

fn detail(yaml: &str) -> Detail {
    let object: Value = serde_saphyr::from_str(yaml).unwrap();
    summary(&object).detail
}

fn route(yaml: &str) -> RouteDetail {
    match detail(yaml) {
        Detail::Route(route) => route,
        other => panic!("no route: {other:?}"),
    }
}

/// Each rule in one line: host, path, service; `s` for https and the Secret.
fn rules(route: &RouteDetail) -> Vec<String> {
    let line = |rule: &crate::domain::object::RouteRule| {
        let tls = if rule.tls { " s" } else { "" };
        let secret = rule.secret.as_deref().map(|secret| format!(" {secret}")).unwrap_or_default();
        format!("{}{} {}{tls}{secret}", rule.host, rule.path, rule.service)
    };
    route.rules.iter().map(line).collect()
}

#[test]
fn an_ingress_with_several_hosts() {
    let found = route(
        r"
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: demo
spec:
  ingressClassName: traefik
  tls:
    - hosts: ['*.shop.example.org']
      secretName: wildcard
    - hosts: [blog.example.org]
  rules:
    - host: www.shop.example.org
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop-web, port: {number: 80}}}}
          - {path: /api, pathType: Prefix, backend: {service: {name: shop-api, port: {name: http}}}}
    - host: blog.example.org
      http:
        paths:
          - {pathType: ImplementationSpecific, backend: {service: {name: blog, port: {number: 80}}}}
    - host: static.example.org
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {resource: {apiGroup: k8s.example.com, kind: StorageBucket, name: static}}}
status:
  loadBalancer:
    ingress:
      - ip: 203.0.113.7
        ports: [{port: 443, protocol: TCP}]
      - hostname: lb-1234.eu-west-1.elb.amazonaws.com
",
    );
    assert_eq!(
        rules(&found),
        [
            "www.shop.example.org/ shop-web s wildcard",
            "www.shop.example.org/api shop-api s wildcard",
            "blog.example.org/ blog s",
            "static.example.org/ ",
        ]
    );
    assert_eq!(found.class, "traefik");
    assert_eq!(found.addresses, ["203.0.113.7", "lb-1234.eu-west-1.elb.amazonaws.com"]);
    assert_eq!(found.refused, None);
}

#[test]
fn an_ingress_that_names_its_class_as_of_old_and_one_secret_for_all() {
    let found = route(
        r"
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {kubernetes.io/ingress.class: styrmin-demo}
spec:
  tls: [{secretName: shop-tls}]
  rules: [{host: a.example.org, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}}]
",
    );
    assert_eq!(
        (found.class.as_str(), rules(&found).join(" | ").as_str()),
        ("styrmin-demo", "a.example.org/ shop s shop-tls")
    );
    assert!(found.addresses.is_empty());
}

const HTTP_ROUTE: &str = r"
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: notes, namespace: demo, generation: 2}
spec:
  parentRefs:
    - {name: shared, namespace: infra, sectionName: https}
  hostnames: [notes.example.org]
  rules:
    - matches: [{path: {type: PathPrefix, value: /}}]
      backendRefs: [{name: notes, port: 80}]
";

/// The HTTPRoute with what its only parent says: conditions as they stand in YAML.
fn told(conditions: &str) -> RouteDetail {
    route(&format!(
        "{HTTP_ROUTE}status:
  parents:
    - parentRef: {{group: gateway.networking.k8s.io, kind: Gateway, name: shared, namespace: infra, sectionName: https}}
      controllerName: traefik.io/gateway-controller
      conditions: [{conditions}]
"
    ))
}

#[test]
fn an_http_route_says_what_its_gateway_has_against_it() {
    let untaken = route(HTTP_ROUTE);
    assert_eq!(rules(&untaken), ["notes.example.org/ notes"]);
    assert_eq!(
        (untaken.class.as_str(), untaken.refused.as_deref()),
        ("infra/shared", Some("no controller took it (yet)"))
    );

    let accepted = r#"{type: Accepted, status: "True", reason: Accepted, observedGeneration: 2}"#;
    assert_eq!(told(accepted).refused, None);
    let refused = told(
        r#"{type: Accepted, status: "False", reason: NotAllowedByListeners, message: "no listener takes namespace demo", observedGeneration: 2}"#,
    );
    assert_eq!(
        refused.refused.as_deref(),
        Some("Gateway infra/shared: NotAllowedByListeners: no listener takes namespace demo")
    );
    let unresolved = told(&format!(
        r#"{accepted}, {{type: ResolvedRefs, status: "False", reason: BackendNotFound, message: "", observedGeneration: 2}}"#
    ));
    assert_eq!(unresolved.refused.as_deref(), Some("Gateway infra/shared: BackendNotFound"));
    let stale = told(r#"{type: Accepted, status: "True", reason: Accepted, observedGeneration: 1}"#);
    assert_eq!(stale.refused.as_deref(), Some("Gateway infra/shared has not looked at it as it is now"));
    let fallen_back = told(
        r#"{type: Accepted, status: "True", reason: Accepted, observedGeneration: 1}, {type: PartiallyInvalid, status: "True", reason: UnsupportedValue, message: "Fall Back: no such filter", observedGeneration: 2}"#,
    );
    assert_eq!(
        fallen_back.refused.as_deref(),
        Some("Gateway infra/shared: UnsupportedValue: Fall Back: no such filter")
    );
}

#[test]
fn what_a_gateway_says_that_is_no_parent_any_more_does_not_count() {
    let found = route(&format!(
        "{HTTP_ROUTE}status:
  parents:
    - parentRef: {{name: former, namespace: infra}}
      controllerName: c
      conditions: [{{type: Accepted, status: \"True\", reason: Accepted, observedGeneration: 2}}]
"
    ));
    assert_eq!(found.refused.as_deref(), Some("no controller took it (yet)"));
}

fn gateway(status: &str) -> GatewayDetail {
    let found = detail(&format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: shared, namespace: infra, generation: 4}}
spec:
  gatewayClassName: eg
  listeners:
    - {{name: http, port: 80, protocol: HTTP}}
    - name: https
      port: 443
      protocol: HTTPS
      hostname: '*.example.org'
      tls: {{mode: Terminate, certificateRefs: [{{kind: Secret, name: wildcard}}]}}
status:
  {status}
"
    ));
    match found {
        Detail::Gateway(gateway) => gateway,
        other => panic!("no Gateway: {other:?}"),
    }
}

#[test]
fn a_gateway_has_listeners_and_addresses() {
    let good = gateway(
        r#"{addresses: [{type: IPAddress, value: 203.0.113.7}], conditions: [
    {type: Accepted, status: "True", reason: Accepted, observedGeneration: 4},
    {type: Programmed, status: "True", reason: Programmed, observedGeneration: 4}]}"#,
    );
    assert_eq!((good.class.as_str(), good.refused), ("eg", None));
    assert_eq!(good.addresses, ["203.0.113.7"]);
    assert_eq!((good.listeners[0].https, good.listeners[0].host.as_str()), (false, ""));
    assert_eq!(good.listeners[1].secret, Some(("infra".to_owned(), "wildcard".to_owned())));
    let bad = gateway(
        r#"{conditions: [{type: Accepted, status: "True", reason: Accepted, observedGeneration: 4},
    {type: Programmed, status: "False", reason: AddressNotAssigned, message: none is free, observedGeneration: 4}]}"#,
    );
    assert_eq!(bad.refused.as_deref(), Some("AddressNotAssigned: none is free"));
    let new = gateway(
        r#"{conditions: [{type: Accepted, status: Unknown, reason: Pending, message: Waiting for controller}]}"#,
    );
    assert_eq!(new.refused.as_deref(), Some("no controller took it (yet)"));
}

#[test]
fn another_projects_gateway_is_none() {
    assert_eq!(
        detail("{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: g}}"),
        Detail::Other
    );
}

#[test]
fn an_ingress_route_of_traefik() {
    let found = route(
        r"
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  name: notes
  namespace: demo
  annotations: {kubernetes.io/ingress.class: traefik-internal}
spec:
  entryPoints: [websecure]
  routes:
    - kind: Rule
      match: (Host(`notes.example.org`) || Host(`www.notes.example.org`)) && PathPrefix(`/app`)
      services: [{name: notes, port: 80}]
      middlewares: [{name: notes-allow}]
    - kind: Rule
      match: Host(`dash.example.org`)
      services: [{name: api@internal, kind: TraefikService}]
  tls: {secretName: notes-tls}
",
    );
    assert_eq!(
        rules(&found),
        [
            "notes.example.org/app notes s notes-tls",
            "www.notes.example.org/app notes s notes-tls",
            "dash.example.org/  s notes-tls",
        ]
    );
    assert_eq!((found.class.as_str(), found.refused), ("traefik-internal", None));
}

fn endpoints(endpoints: &str) -> (String, u32, u32) {
    let found = detail(&format!(
        "
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {{name: notes-x, namespace: demo, labels: {{kubernetes.io/service-name: notes}}}}
endpoints: {endpoints}
"
    ));
    let Detail::Endpoints { service, endpoints } = found else { panic!("none: {found:?}") };
    (service, endpoints.ready, endpoints.total)
}

#[test]
fn endpoints_are_counted_as_a_proxy_uses_them() {
    let all = endpoints(
        "[{addresses: [10.0.0.1], conditions: {ready: true}}, {addresses: [10.0.0.2], conditions: {ready: false}},
        {addresses: [10.0.0.3]}, {addresses: [10.0.0.4], conditions: {ready: false, serving: true, terminating: true}}]",
    );
    assert_eq!(
        all,
        ("notes".to_owned(), 2, 3),
        "what is not said is ready, and what is going is none any more"
    );
    assert_eq!(endpoints("null"), ("notes".to_owned(), 0, 0));
}

fn certificate(status: &str) -> (String, ManagerReport) {
    let found = detail(&format!(
        "
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: notes-tls, namespace: demo, generation: 1}}
spec: {{secretName: notes-tls, dnsNames: [notes.example.org], issuerRef: {{name: letsencrypt, kind: ClusterIssuer}}}}
status: {status}
"
    ));
    let Detail::Certificate { secret, report } = found else { panic!("none: {found:?}") };
    (secret, report)
}

#[test]
fn cert_manager_says_what_it_is_doing() {
    let (secret, making) = certificate(
        r#"{conditions: [
    {type: Ready, status: "False", reason: DoesNotExist, message: Issuing certificate as Secret does not exist, observedGeneration: 1},
    {type: Issuing, status: "True", reason: DoesNotExist, message: Issuing certificate as Secret does not exist, observedGeneration: 1}]}"#,
    );
    assert_eq!((secret.as_str(), making.ready, making.issuing), ("notes-tls", Some(false), true));
    let (_, failed) = certificate(
        r#"{conditions: [
    {type: Ready, status: "False", reason: DoesNotExist, message: no Secret, observedGeneration: 1},
    {type: Issuing, status: "False", reason: Failed, message: "the order is invalid", observedGeneration: 1}]}"#,
    );
    assert_eq!((failed.reason.as_str(), failed.message.as_str()), ("Failed", "the order is invalid"));
    let (_, good) = certificate(
        r#"{renewalTime: "2026-12-24T10:00:00Z", conditions: [
    {type: Ready, status: "True", reason: Ready, message: "up to date", observedGeneration: 1}]}"#,
    );
    assert_eq!(
        (good.ready, good.issuing, good.renewal.unwrap().to_string().as_str()),
        (Some(true), false, "2026-12-24T10:00:00Z")
    );
    let (_, silent) = certificate("{}");
    assert_eq!((silent.ready, silent.reason.as_str()), (None, ""));
}
