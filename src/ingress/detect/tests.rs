//! A table of clusters and environments.

use std::collections::BTreeMap;

use super::*;
use crate::domain::environment::DedicatedIngress;
use crate::domain::route::SANDBOX;

fn class(name: &str, controller: &str, is_default: bool) -> ClassOffer {
    ClassOffer { name: name.to_owned(), controller: controller.to_owned(), is_default }
}

fn gateway(name: &str, https: bool, hostnames: &[&str]) -> GatewayOffer {
    GatewayOffer {
        gateway: GatewayRef { namespace: "infra".to_owned(), name: name.to_owned(), section: None, https },
        controller: "example.org/gateways".to_owned(),
        hostnames: hostnames.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn offer(classes: &[ClassOffer], gateways: &[GatewayOffer]) -> Offer {
    Offer {
        classes: classes.to_vec(),
        gateway_api: !gateways.is_empty(),
        gateways: gateways.to_vec(),
        ..Offer::default()
    }
}

fn environment() -> Environment {
    Environment::new("demo", "c", "ns")
}

/// Of an environment that inherits nothing.
fn detect(offer: &Offer, environment: &Environment) -> Result<Detected, Problem> {
    super::detect(offer, environment, environment.suffix(None))
}

/// Who was found, as a line, and the warnings.
fn told(offer: &Offer, environment: &Environment) -> (String, Vec<String>) {
    let found = detect(offer, environment).unwrap_or_else(|problem| panic!("{problem}"));
    let Via { kind, controller, class, gateway, namespace } = found.via;
    let gateway = gateway.as_ref().map(ToString::to_string);
    let parts = [class, gateway, namespace].map(Option::unwrap_or_default);
    (format!("{} {controller} {}", kind.as_str(), parts.join("|")), found.warnings)
}

#[test]
fn a_default_class_is_taken() {
    let sandbox = offer(&[class("other", "x", false), class("sandbox", SANDBOX, true)], &[]);
    assert_eq!(told(&sandbox, &environment()), (format!("Ingress {SANDBOX} sandbox||"), vec![]));
    let beside = offer(&[class("sandbox", SANDBOX, true)], &[gateway("web", true, &[])]);
    assert_eq!(
        told(&beside, &environment()).0,
        format!("Ingress {SANDBOX} sandbox||"),
        "not every Gateway is meant"
    );
    let only = offer(&[class("one", "x", false)], &[]);
    assert_eq!(told(&only, &environment()), ("Ingress x one||".to_owned(), vec![]));
}

#[test]
fn ingress_nginx_is_told_of_and_left_for_a_gateway() {
    let nginx = [class("nginx", INGRESS_NGINX, true)];
    let (via, warnings) = told(&offer(&nginx, &[]), &environment());
    assert_eq!(via, format!("Ingress {INGRESS_NGINX} nginx||"));
    assert!(
        warnings[0].contains("retired in March 2026") && warnings[0].contains("--dedicated-ingress"),
        "{warnings:?}"
    );
    let both = offer(&nginx, &[gateway("web", true, &[])]);
    let (via, warnings) = told(&both, &environment());
    assert_eq!(via, "HTTPRoute example.org/gateways |infra/web|");
    assert!(warnings[0].contains("a Gateway is taken instead"), "{warnings:?}");
    // who names it gets it
    let mut named = environment();
    named.ingress_class = Some("nginx".to_owned());
    let (via, warnings) = told(&both, &named);
    assert_eq!(via, format!("Ingress {INGRESS_NGINX} nginx||"));
    assert!(warnings[0].contains("--route-kind http-route"), "{warnings:?}");
    let mut kind = environment();
    kind.routing.kind = Some(RouteKind::Ingress);
    assert_eq!(told(&both, &kind).0, format!("Ingress {INGRESS_NGINX} nginx||"));
}

#[test]
fn without_a_class_there_are_gateways_then_traefik_then_nobody() {
    let mut offer = offer(&[], &[gateway("web", false, &[])]);
    offer.traefik = true;
    assert_eq!(
        told(&offer, &environment()),
        ("HTTPRoute example.org/gateways |infra/web|".to_owned(), vec![])
    );
    offer.gateways.clear();
    assert_eq!(told(&offer, &environment()), (format!("IngressRoute {TRAEFIK} ||"), vec![]));
    offer.traefik = false;
    let (via, warnings) = told(&offer, &environment());
    assert_eq!(via, "Ingress  ||");
    assert!(warnings[0].contains("nobody answers"), "{warnings:?}");
    offer.classes = vec![class("a", "x", false), class("b", "y", false)];
    let (via, warnings) = told(&offer, &environment());
    assert_eq!(via, "Ingress  ||");
    assert!(warnings[0].contains("a, b"), "{warnings:?}");
}

#[test]
fn of_several_gateways_the_one_that_fits_is_taken() {
    let all = [
        gateway("a", false, &["*.other.org"]),
        gateway("b", false, &[]),
        gateway("c", true, &["*.apps.org"]),
    ];
    let (via, warnings) = told(&offer(&[], &all), &environment());
    assert_eq!(via, "HTTPRoute example.org/gateways |infra/b|", "it takes every host");
    assert!(warnings[0].contains("infra/b is taken, not infra/c, infra/a"), "{warnings:?}");
    let mut apps = environment();
    apps.fqdn_suffix = Some("apps.org".to_owned());
    assert_eq!(
        told(&offer(&[], &all), &apps).0,
        "HTTPRoute example.org/gateways |infra/c|",
        "it speaks https"
    );
    let inherited = super::detect(&offer(&[], &all), &environment(), Some("other.org")).unwrap().via;
    let fits = inherited.gateway.map(|gateway| gateway.name);
    assert_eq!(fits.as_deref(), Some("a"), "the hosts are those of the cluster's suffix");
}

#[test]
fn a_gateway_can_be_named() {
    let mut listener = gateway("a", true, &[]);
    listener.gateway.section = Some("tls".to_owned());
    let offer =
        offer(&[class("x", "x", true)], &[gateway("a", true, &[]), listener, gateway("b", false, &[])]);
    let mut environment = environment();
    environment.routing.kind = Some(RouteKind::HttpRoute);
    let (via, warnings) = told(&offer, &environment);
    assert_eq!(via, "HTTPRoute example.org/gateways |infra/a|");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for (name, section, wanted) in [("b", None, "infra/b"), ("a", Some("tls"), "infra/a/tls")] {
        let gateway = GatewayRef {
            namespace: "infra".to_owned(),
            name: name.to_owned(),
            section: section.map(str::to_owned),
            https: false,
        };
        environment.routing.via = Some(Via {
            kind: RouteKind::HttpRoute,
            controller: String::new(),
            class: None,
            gateway: Some(gateway),
            namespace: None,
        });
        assert_eq!(
            told(&offer, &environment),
            (format!("HTTPRoute example.org/gateways |{wanted}|"), vec![])
        );
    }
    if let Some(gateway) = environment.routing.via.as_mut().and_then(|via| via.gateway.as_mut()) {
        gateway.section = Some("nope".to_owned());
    }
    let problem = detect(&offer, &environment).unwrap_err();
    assert!(problem.what.contains("infra/a/nope") && problem.why.contains("infra/b"), "{problem}");
    let problem = detect(&Offer::default(), &environment).unwrap_err();
    assert!(problem.why.contains("does not serve the Gateway API"), "{problem}");
}

#[test]
fn an_ingress_of_its_own_answers_for_everything() {
    let mut environment = environment();
    environment.dedicated_ingress = Some(DedicatedIngress::default());
    let cluster = offer(&[class("nginx", INGRESS_NGINX, true)], &[gateway("web", true, &[])]);
    assert_eq!(told(&cluster, &environment), (format!("Ingress {TRAEFIK} styrmin-demo||ns"), vec![]));
    environment.routing.kind = Some(RouteKind::IngressRoute);
    assert_eq!(told(&cluster, &environment).0, format!("IngressRoute {TRAEFIK} styrmin-demo||ns"));
    environment.routing.kind = Some(RouteKind::HttpRoute);
    assert!(detect(&cluster, &environment).unwrap_err().next.contains("--shared-ingress"));
}

#[test]
fn what_is_named_must_be_there() {
    let cluster = offer(&[class("sandbox", SANDBOX, true)], &[]);
    let mut environment = environment();
    environment.ingress_class = Some("sandbx".to_owned());
    let problem = detect(&cluster, &environment).unwrap_err();
    assert!(problem.next.contains("did you mean 'sandbox'?"), "{problem}");
    let (via, warnings) = told(&Offer::default(), &environment);
    assert_eq!(via, "Ingress  sandbx||", "classes may not be listed");
    assert!(warnings[0].contains("nobody is known to answer"), "{warnings:?}");
    environment.routing.kind = Some(RouteKind::IngressRoute);
    assert!(detect(&cluster, &environment).unwrap_err().why.contains("traefik.io"));
}

#[test]
fn where_the_controller_runs_is_told_when_it_matters() {
    let mut cluster = offer(&[class("t", TRAEFIK, true)], &[]);
    let mut environment = environment();
    environment.routing.isolation = Some(Isolation::Inbound);
    let (_, warnings) = told(&cluster, &environment);
    assert!(warnings[0].contains("everybody may reach the ports"), "{warnings:?}");
    cluster.namespaces = BTreeMap::from([(TRAEFIK.to_owned(), "kube-system".to_owned())]);
    assert_eq!(told(&cluster, &environment), (format!("Ingress {TRAEFIK} t||kube-system"), vec![]));
    cluster.classes[0].controller = "ingress.k8s.aws/alb".to_owned();
    assert!(told(&cluster, &environment).1[0].contains("not from pods"), "a load balancer of the cloud");
}

#[test]
fn https_is_what_a_listener_speaks_that_takes_the_hosts() {
    let listener = |name: &str, https: bool, hostname: &str| {
        let mut one =
            gateway("web", https, if hostname.is_empty() { &[] } else { std::slice::from_ref(&hostname) });
        one.gateway.section = Some(name.to_owned());
        one
    };
    let mut environment = environment();
    environment.fqdn_suffix = Some("apps.org".to_owned());
    environment.routing.kind = Some(RouteKind::HttpRoute);
    for (hostname, wanted) in [("*.apps.org", true), ("", true), ("admin.other.org", false)] {
        let all = [gateway("web", true, &[]), listener("http", false, ""), listener("https", true, hostname)];
        let https = |environment: &Environment| {
            detect(&offer(&[], &all), environment).unwrap().via.gateway.unwrap().https
        };
        assert_eq!(https(&environment), wanted, "{hostname}");
        let anywhere = Environment { fqdn_suffix: None, ..environment.clone() };
        assert!(https(&anywhere), "which hosts they get is not known here");
        let inherited = super::detect(&offer(&[], &all), &anywhere, Some("apps.org")).unwrap().via;
        assert_eq!(inherited.gateway.unwrap().https, wanted, "{hostname}: by the cluster's suffix");
    }
}

#[test]
fn an_ingress_route_of_a_class_that_nobody_takes_is_refused_or_told() {
    let mut cluster = offer(&[class("nginx", INGRESS_NGINX, true), class("edge", TRAEFIK, false)], &[]);
    cluster.traefik = true;
    let mut environment = environment();
    environment.routing.kind = Some(RouteKind::IngressRoute);
    environment.ingress_class = Some("nginx".to_owned());
    let problem = detect(&cluster, &environment).unwrap_err();
    assert!(problem.why.contains(INGRESS_NGINX), "{problem}");
    for (name, warned) in [("edge", true), ("unlisted", true), ("traefik", false)] {
        environment.ingress_class = Some(name.to_owned());
        let (via, warnings) = told(&cluster, &environment);
        assert_eq!(via, format!("IngressRoute {TRAEFIK} {name}||"));
        assert_eq!(
            warnings.iter().any(|line| line.contains("providers.kubernetesCRD")),
            warned,
            "{warnings:?}"
        );
    }
}
