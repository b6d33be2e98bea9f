//! Whether http is sent on: what is decided, what is refused.

use super::*;
use crate::domain::environment::DedicatedIngress;
use crate::domain::route::{GatewayOffer, TlsSource, Via};

fn environment(kind: RouteKind, controller: &str) -> Environment {
    let mut environment = Environment::new("demo", "c", "ns");
    let gateway = (kind == RouteKind::HttpRoute).then(|| gateway(None, true));
    let controller = controller.to_owned();
    environment.routing.via = Some(Via { kind, controller, gateway, ..Via::unknown() });
    environment.routing.tls = TlsSource::Controller;
    environment
}

fn gateway(section: Option<&str>, https: bool) -> GatewayRef {
    GatewayRef { namespace: "infra".into(), name: "web".into(), section: section.map(str::to_owned), https }
}

fn offer() -> Offer {
    let offered = |section: Option<&str>, https: bool, host: &str| GatewayOffer {
        gateway: gateway(section, https),
        controller: "x".into(),
        hostnames: Some(host).filter(|host| !host.is_empty()).map(str::to_owned).into_iter().collect(),
    };
    let mut other = offered(Some("other"), true, "");
    other.gateway.name = "another".into();
    Offer {
        gateways: vec![
            offered(None, true, ""),
            offered(Some("plain"), false, ""),
            offered(Some("secure"), true, "*.apps.org"),
            other,
        ],
        ..Offer::default()
    }
}

fn settled(mut wanted: Environment, before: Option<&Environment>, offer: &Offer) -> (Environment, String) {
    let said = settle_redirect(&mut wanted, before, offer).unwrap_or_default();
    (wanted, said)
}

#[test]
fn what_gains_https_sends_http_on_and_what_had_it_stays() {
    let nginx = environment(RouteKind::Ingress, INGRESS_NGINX);
    let (made, said) = settled(nginx.clone(), None, &Offer::default());
    assert_eq!((made.routing.redirect, said.as_str()), (Some(true), ""));
    let mut plain = nginx.clone();
    plain.routing.tls = TlsSource::Off;
    assert_eq!(settled(plain.clone(), None, &Offer::default()).0.routing.redirect, None);
    assert_eq!(settled(nginx.clone(), Some(&plain), &Offer::default()).0.routing.redirect, Some(true));
    // it was decided by the controller, or by a person
    assert_eq!(settled(nginx.clone(), Some(&nginx), &Offer::default()), (nginx.clone(), String::new()));
    let mut off = nginx;
    off.routing.redirect = Some(false);
    assert_eq!(settled(off.clone(), Some(&plain), &Offer::default()), (off, String::new()));
}

#[test]
fn where_there_is_no_way_it_is_told_or_refused() {
    for (kind, controller, why) in [
        (RouteKind::Ingress, "k8s.io/ingress-gce", "for k8s.io/ingress-gce, and Styrmin knows no way"),
        (RouteKind::Ingress, "", "a controller that nobody knows"),
        (RouteKind::Ingress, TRAEFIK, "a Middleware of traefik.io"),
        (RouteKind::IngressRoute, TRAEFIK, "a Middleware of traefik.io"),
        (RouteKind::HttpRoute, "x", "the listeners of the Gateway infra/web are not known"),
    ] {
        let wanted = environment(kind, controller);
        let (made, said) = settled(wanted.clone(), None, &Offer::default());
        assert_eq!(made, wanted, "{controller}");
        assert!(said.starts_with("plain http is not sent on") && said.contains(why), "{said}");
        assert_eq!(check(&made, &Offer::default()), Ok(None));

        let mut insists = wanted;
        insists.routing.redirect = Some(true);
        let (made, said) = settled(insists, None, &Offer::default());
        assert_eq!((made.routing.redirect, said.as_str()), (Some(true), ""));
        let problem = check(&made, &Offer::default()).unwrap_err();
        assert!(problem.why.contains(why) && problem.next.contains("--redirect off"), "{problem}");
    }
    let mut own = environment(RouteKind::Ingress, TRAEFIK);
    own.dedicated_ingress = Some(DedicatedIngress::default());
    assert_eq!(settled(own, None, &Offer::default()).0.routing.redirect, Some(true), "it has its own");
    let nobody = Environment { routing: Default::default(), ..Environment::new("demo", "c", "ns") };
    let mut wanted = nobody.clone();
    wanted.routing.tls = TlsSource::Controller;
    assert!(settled(wanted, None, &Offer::default()).1.contains("nobody found out"));
    let mut early = nobody;
    early.routing.redirect = Some(true);
    assert!(check(&early, &Offer::default()).unwrap().unwrap().contains("--tls"));
    // a driver may have TLS of its own: what is made for it has to be had
    early.routing.via = Some(Via { controller: TRAEFIK.to_owned(), ..Via::unknown() });
    let problem = check(&early, &Offer::default()).unwrap_err();
    assert!(problem.why.contains("a Middleware of traefik.io"), "{problem}");
    let known = Offer { traefik: true, ..Offer::default() };
    assert!(check(&early, &known).unwrap().unwrap().contains("the environment itself has no https"));
}

#[test]
fn aws_shows_no_certificate_of_a_secret() {
    let mut wanted = environment(RouteKind::Ingress, AWS);
    assert_eq!(settled(wanted.clone(), None, &Offer::default()).0.routing.redirect, Some(true));
    wanted.routing.tls = TlsSource::Secret("wild".to_owned());
    let (made, said) = settled(wanted, None, &Offer::default());
    assert!(made.routing.redirect.is_none() && said.contains("certificates of ACM only"), "{said}");
}

#[test]
fn who_named_a_listener_is_asked() {
    let mut named = environment(RouteKind::HttpRoute, "x");
    named.routing.via.as_mut().unwrap().gateway = Some(gateway(Some("secure"), true));
    let (made, said) = settled(named.clone(), None, &offer());
    assert_eq!(made, named);
    assert!(said.contains("--redirect on"), "{said}");
    named.routing.redirect = Some(true);
    let (made, said) = settled(named, None, &offer());
    assert_eq!((made.routing.listeners.len(), said.as_str()), (2, ""));
}

#[test]
fn listeners_are_found_once_and_kept() {
    let (made, said) = settled(environment(RouteKind::HttpRoute, "x"), None, &offer());
    let listener =
        |name: &str, host: &str, https| RouteListener { name: name.into(), host: host.into(), https };
    let found = [listener("plain", "", false), listener("secure", "*.apps.org", true)];
    assert_eq!((made.routing.listeners.as_slice(), said.as_str()), (&found[..], ""));
    assert_eq!(check(&made, &offer()), Ok(None));
    // what the Gateway gains or loses later changes nothing that runs
    let later = settled(made.clone(), Some(&made), &Offer::default()).0;
    assert_eq!(later, made);
    assert_eq!(check(&made, &Offer::default()), Ok(None), "nobody knows");
    let mut renamed = offer();
    renamed.gateways[2].gateway.section = Some("tls".to_owned());
    let told = check(&made, &renamed).unwrap().unwrap();
    assert!(told.contains("the listener secure of the Gateway infra/web is gone"), "{told}");
    let mut off = made.clone();
    off.routing.redirect = Some(false);
    assert_eq!(settled(off, Some(&made), &offer()).0.routing.listeners, []);

    let mut secure = offer();
    secure.gateways.remove(1);
    let (made, _) = settled(environment(RouteKind::HttpRoute, "x"), None, &secure);
    assert!(check(&made, &secure).unwrap().unwrap().contains("infra/web has no http listener"));
}
