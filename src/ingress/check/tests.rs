//! What cannot be expressed is refused, and told why.

use super::*;
use crate::domain::environment::DedicatedIngress;
use crate::domain::route::{GatewayOffer, GatewayRef, IssuerRef, RouteKind, SANDBOX, TRAEFIK};

fn environment(kind: RouteKind, controller: &str) -> Environment {
    let mut environment = Environment::new("demo", "c", "ns");
    let gateway = (kind == RouteKind::HttpRoute).then(|| GatewayRef {
        namespace: "infra".to_owned(),
        name: "web".to_owned(),
        section: None,
        https: false,
    });
    environment.routing.via =
        Some(Via { kind, controller: controller.to_owned(), class: None, gateway, namespace: None });
    environment
}

fn sandbox() -> Environment {
    environment(RouteKind::Ingress, SANDBOX)
}

/// Of an environment that inherits nothing.
fn check(environment: &Environment, offer: &Offer) -> Result<Vec<String>, Problem> {
    super::check(environment, offer, environment.suffix(None))
}

fn refusal(environment: &Environment) -> Problem {
    check(environment, &Offer::default()).unwrap_err()
}

#[test]
fn nothing_said_is_right() {
    assert_eq!(check(&Environment::new("demo", "c", "ns"), &Offer::default()), Ok(Vec::new()));
    assert_eq!(check(&sandbox(), &Offer::default()), Ok(Vec::new()));
}

#[test]
fn what_is_malformed_is_refused() {
    for block in ["10.0.0.0", "10.0.0.0/64", "office"] {
        let mut wrong = sandbox();
        wrong.ip_whitelist = vec!["10.0.0.0/8".to_owned(), block.to_owned()];
        assert!(refusal(&wrong).what.contains(block));
        let mut wrong = sandbox();
        wrong.routing.allow_from = vec![Peer::Cidr(block.to_owned())];
        assert!(refusal(&wrong).what.contains(block));
    }
    let mut wrong = sandbox();
    let peer = |name: &str| Peer::Namespace { name: name.to_owned(), pods: Default::default() };
    wrong.routing.allow_from = vec![peer("*"), peer("No")];
    assert!(refusal(&wrong).what.contains("'No'"));
    for suffix in ["*.example.org", "a b", "http://x"] {
        let mut wrong = sandbox();
        wrong.fqdn_suffix = Some(suffix.to_owned());
        assert!(refusal(&wrong).what.contains(suffix));
    }
    let mut right = sandbox();
    right.fqdn_suffix = Some(".example.org".to_owned());
    assert!(check(&right, &Offer::default()).is_ok());
    for key in ["", "a/", "-a", "A_b.c/x", "a/b/c", "a b"] {
        let mut wrong = sandbox();
        wrong.routing.annotations.insert(key.to_owned(), "x".to_owned());
        assert!(refusal(&wrong).what.contains("annotation"), "{key}");
    }
    right.routing.annotations.insert("nginx.ingress.kubernetes.io/Some_thing.x".to_owned(), String::new());
    assert!(check(&right, &Offer::default()).is_ok());
}

#[test]
fn an_allow_list_needs_a_way_to_be_said() {
    let allowing = |mut environment: Environment| {
        environment.ip_whitelist = vec!["10.0.0.0/8".to_owned()];
        environment
    };
    let served = Offer { traefik: true, security_policies: true, ..Offer::default() };
    let envoy = "gateway.envoyproxy.io/gatewayclass-controller";
    for (kind, controller, needs) in [
        (RouteKind::Ingress, SANDBOX, false),
        (RouteKind::Ingress, TRAEFIK, true),
        (RouteKind::IngressRoute, TRAEFIK, true),
        (RouteKind::HttpRoute, envoy, true),
    ] {
        let environment = allowing(environment(kind, controller));
        assert_eq!(check(&environment, &served), Ok(Vec::new()), "{controller}");
        assert_eq!(check(&environment, &Offer::default()).is_err(), needs, "{controller}");
    }
    let mut unknown = allowing(environment(RouteKind::Ingress, "example.org/x"));
    assert!(check(&unknown, &served).unwrap_err().why.contains("example.org/x"));
    unknown.dedicated_ingress = Some(DedicatedIngress::default());
    assert_eq!(check(&unknown, &Offer::default()), Ok(Vec::new()), "its own ingress keeps it");
    let nobody = allowing(Environment::new("demo", "c", "ns"));
    assert!(check(&nobody, &served).unwrap_err().next.contains("--route-kind detect"));
    let own = Environment { dedicated_ingress: Some(DedicatedIngress::default()), ..nobody };
    assert_eq!(check(&own, &served), Ok(Vec::new()), "its own ingress keeps it");
}

#[test]
fn certificates_need_somebody_who_makes_and_shows_them() {
    let issuer = TlsSource::Issuer(IssuerRef { name: "le".to_owned(), cluster_wide: true });
    let with = |mut environment: Environment, tls: &TlsSource| {
        environment.routing.tls = tls.clone();
        environment
    };
    let served = Offer { cert_manager: true, ..Offer::default() };
    assert!(refusal(&with(sandbox(), &issuer)).why.contains("cert-manager"));
    assert_eq!(check(&with(sandbox(), &issuer), &served), Ok(Vec::new()));
    assert!(refusal(&with(sandbox(), &TlsSource::Secret("No Name".to_owned()))).what.contains("No Name"));
    assert!(check(&with(sandbox(), &TlsSource::Secret("wild.card".to_owned())), &served).is_ok());

    let mut gateway = environment(RouteKind::HttpRoute, "x");
    for tls in [&issuer, &TlsSource::Secret("s".to_owned())] {
        let problem = check(&with(gateway.clone(), tls), &served).unwrap_err();
        assert!(problem.why.contains("the listener of the Gateway infra/web"), "{problem}");
    }
    let problem = check(&with(gateway.clone(), &TlsSource::Controller), &served).unwrap_err();
    assert!(problem.why.contains("no https listener"), "{problem}");
    assert_eq!(check(&gateway, &served), Ok(Vec::new()));
    if let Some(gateway) = gateway.routing.via.as_mut().and_then(|via| via.gateway.as_mut()) {
        gateway.https = true;
    }
    assert_eq!(check(&with(gateway.clone(), &TlsSource::Controller), &served), Ok(Vec::new()));
    assert!(check(&gateway, &served).unwrap()[0].contains("speaks https"));
}

#[test]
fn what_does_not_fit_is_told() {
    let mut environment = environment(RouteKind::HttpRoute, "x");
    environment.fqdn_suffix = Some("apps.org".to_owned());
    let gateway = environment.routing.via.as_ref().and_then(|via| via.gateway.clone()).unwrap();
    let offer = |hostname: &str| Offer {
        gateways: vec![GatewayOffer {
            gateway: gateway.clone(),
            controller: "x".to_owned(),
            hostnames: vec![hostname.to_owned()],
        }],
        ..Offer::default()
    };
    assert_eq!(check(&environment, &offer("*.apps.org")), Ok(Vec::new()));
    assert!(check(&environment, &offer("*.other.org")).unwrap()[0].contains("takes *.other.org"));
    let inherits = Environment { fqdn_suffix: None, ..environment.clone() };
    assert_eq!(check(&inherits, &offer("*.other.org")), Ok(Vec::new()), "there are no hosts");
    let said = super::check(&inherits, &offer("*.other.org"), Some("example.org")).unwrap();
    assert!(said[0].contains("no host under example.org"), "{said:?}");
    let elsewhere = Offer { gateway_api: true, ..Offer::default() };
    assert!(check(&environment, &elsewhere).unwrap()[0].contains("routes of the namespace ns"));
    environment.routing.isolation = Some(Isolation::Both);
    assert!(check(&environment, &offer("*.apps.org")).unwrap()[0].contains("pods reach nothing but names"));
}

#[test]
fn an_ingress_of_its_own_reads_traefiks_kinds_when_it_is_told_to() {
    let mut own = environment(RouteKind::IngressRoute, TRAEFIK);
    own.dedicated_ingress = Some(DedicatedIngress::default());
    assert!(refusal(&own).why.contains("traefik.io"));
    let told = check(&own, &Offer { traefik: true, ..Offer::default() }).unwrap();
    assert!(told.len() == 1 && told[0].contains("custom_resources"), "{told:?}");
}

#[test]
fn an_allow_list_at_the_door_keeps_certificate_authorities_out() {
    let issuer = TlsSource::Issuer(IssuerRef { name: "le".to_owned(), cluster_wide: true });
    let served = Offer { cert_manager: true, ..Offer::default() };
    let mut own = environment(RouteKind::Ingress, TRAEFIK);
    own.routing.tls = issuer;
    own.dedicated_ingress = Some(DedicatedIngress::default());
    assert_eq!(check(&own, &served), Ok(Vec::new()));
    own.ip_whitelist = vec!["10.0.0.0/8".to_owned()];
    assert_eq!(check(&own, &served), Ok(vec![UNPROVEN.to_owned()]));
    let shared = Environment { ip_whitelist: own.ip_whitelist.clone(), ..sandbox() };
    assert_eq!(
        check(&shared, &served),
        Ok(Vec::new()),
        "the list is on the routes, the proof has one of its own"
    );
}
