// Routes in every state, to draw and to test with. Included by `tests/frames.rs`, `tests/random_keys.rs` and the unit tests of `ui`,
// where `sample` is their sibling.

use std::sync::Arc;

use jiff::SignedDuration;
use styrmin::domain::route::{
    Beat, Certificate, CertificateView, Endpoints, GatewayRef, Hop, Isolation, IssuerRef, ManagerReport,
    Peer, Phase, Phases, Probe, ProbeOutcome, RouteKind, RouteView, TlsSource, Via,
};
use styrmin::domain::world::Application;
use styrmin::domain::{DedicatedIngress, DesiredPhase, Environment, ObjectKey, World};

use super::sample::{self, before, certificate, now, probe};

/// A picture with routes in every state, in four environments.
pub fn world() -> World {
    let mut world = sample::world();
    world.environments = environments();
    world.applications = vec![
        Arc::new(notes()),
        Arc::new(shop()),
        Arc::new(fresh()),
        Arc::new(metrics()),
        Arc::new(billing()),
        Arc::new(handbook()),
        Arc::new(wiki()),
    ];
    world.cluster.warnings = vec![
        "The class nginx is answered for by ingress-nginx, which was retired in March 2026 and gets no more security fixes"
            .into(),
    ];
    world
}

/// The same picture before anything was found out about certificates, on a cluster that nothing is to be said of.
pub fn plain_world() -> World {
    let mut world = world();
    world.cluster.warnings.clear();
    world.applications.retain(|it| it.routes.iter().all(|route| route.url.starts_with("http://")));
    world
}

fn environments() -> Vec<Environment> {
    let named = |name: &str| Environment::new(name, "kind-local", name);
    let mut lab = named("lab");
    lab.routing.unprobed = true;
    let mut production = named("prod");
    production.production = true;
    production.fqdn_suffix = Some("example.org".into());
    production.dedicated_ingress = Some(DedicatedIngress {
        service_annotations: [("lb.example.org/pool".to_owned(), "outside".to_owned())].into(),
    });
    production.ip_whitelist = ["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"].map(Into::into).to_vec();
    production.routing.tls = TlsSource::Issuer(IssuerRef { name: "letsencrypt".into(), cluster_wide: true });
    production.routing.isolation = Some(Isolation::Both);
    production.routing.allow_from = vec![Peer::Namespace {
        name: "monitoring".into(),
        pods: [("app".to_owned(), "prometheus".to_owned())].into(),
    }];
    production.routing.kind = Some(RouteKind::IngressRoute);
    let mut staging = named("staging");
    staging.routing.isolation = Some(Isolation::Inbound);
    staging.routing.via = Some(Via {
        kind: RouteKind::HttpRoute,
        controller: "gateway.envoyproxy.io/gatewayclass-controller".into(),
        class: None,
        gateway: Some(GatewayRef {
            namespace: "infra".into(),
            name: "public".into(),
            section: Some("https".into()),
            https: true,
        }),
        namespace: Some("envoy-gateway-system".into()),
    });
    vec![named("demo"), lab, production, staging]
}

/// The last probes, one every half minute; `failed` says which of them failed, counted from the newest.
pub fn history(count: i64, failed: impl Fn(i64) -> bool) -> Arc<[Beat]> {
    let beat = |ago: i64| Beat {
        at: before(8 + 30 * ago),
        works: !failed(ago),
        micros: u32::try_from(9_000 + (ago * 7_919) % 6_000 + if ago % 17 == 3 { 22_000 } else { 0 })
            .unwrap(),
    };
    (0..count).rev().map(beat).collect()
}

fn object(kind: RouteKind, namespace: &str, name: &str) -> Option<ObjectKey> {
    let api_version = match kind {
        RouteKind::Ingress => "networking.k8s.io/v1",
        RouteKind::HttpRoute => "gateway.networking.k8s.io/v1",
        RouteKind::IngressRoute => "traefik.io/v1alpha1",
    };
    Some(ObjectKey {
        api_version: api_version.into(),
        kind: kind.as_str().into(),
        namespace: namespace.into(),
        name: name.into(),
    })
}

/// The route of an application on https, at this host.
fn secure(name: &str, environment: &str, host: &str) -> RouteView {
    let mut found = probe(200, 24);
    found.phases.tls = Some(9_100);
    found.certificate = Some(certificate(host, 61));
    found.address = Some([203, 0, 113, 10].into());
    found.addresses = vec![[203, 0, 113, 10].into()];
    RouteView {
        host: host.into(),
        url: format!("https://{host}/"),
        addresses: vec!["203.0.113.10".into()],
        endpoints: Some(Endpoints { ready: 2, total: 2 }),
        certificate: Some(CertificateView {
            secret: format!("{name}-tls"),
            held: Some(certificate(host, 61)),
            manager: None,
        }),
        probe: Some(found),
        history: history(60, |_| false),
        ..sample::route(name, environment)
    }
}

/// Works, at two hosts and one that was asked for beside them.
fn notes() -> Application {
    let mut notes = sample::healthy("notes", "demo", 1);
    let route = RouteView {
        endpoints: Some(Endpoints { ready: 1, total: 1 }),
        class: "nginx".into(),
        object: object(RouteKind::Ingress, "demo", "notes"),
        history: history(60, |ago| ago == 40),
        ..sample::route("notes", "demo")
    };
    let host = "notes-1f2e3d4c.localhost";
    let primary = RouteView {
        host: host.into(),
        url: format!("http://{host}:8480/"),
        history: history(12, |_| false),
        ..route.clone()
    };
    notes.routes = vec![route, primary];
    notes
}

/// Nothing is behind its ingress.
fn shop() -> Application {
    let mut shop = sample::crashing();
    let route = &mut shop.routes[0];
    route.class = "nginx".into();
    route.object = object(RouteKind::Ingress, "demo", "shop");
    route.probe = Some(probe(503, 4));
    route.endpoints = Some(Endpoints { ready: 0, total: 2 });
    route.trouble =
        vec!["it answers 503: the ingress has no backend to ask; 0 of 2 endpoints are ready".into()];
    route.history = history(60, |ago| ago < 9);
    shop
}

/// Nobody looked at it yet.
fn fresh() -> Application {
    let mut fresh = sample::healthy("status-page", "demo", 5);
    let route = &mut fresh.routes[0];
    (route.probe, route.object) = (None, None);
    route.addresses.clear();
    fresh
}

/// Probes are off in its environment.
fn metrics() -> Application {
    let mut metrics = sample::healthy("metrics", "lab", 6);
    (metrics.routes[0].unprobed, metrics.routes[0].probe) = (true, None);
    metrics
}

/// Works, after a redirect; its certificate is another one than the Secret's, ends soon, and is not made anew.
fn billing() -> Application {
    let mut billing = sample::healthy("billing", "prod", 7);
    let host = "billing.example.org";
    let mut route = secure("billing", "prod", host);
    route.kind = RouteKind::IngressRoute;
    route.class = "styrmin-prod".into();
    route.object = object(RouteKind::IngressRoute, "prod", "billing");
    let served =
        Certificate { earliest: now() + SignedDuration::from_hours(24 * 12), ..certificate(host, 40) };
    let held = certificate(host, 88);
    let found = route.probe.as_mut().unwrap();
    found.certificate = Some(served);
    found.hops = vec![
        Hop { code: 301, location: "https://billing.example.org/app".into() },
        Hop { code: 302, location: "https://billing.example.org/app/login".into() },
    ];
    let manager_says =
        "The certificate request has failed to complete and will be retried: acme: 429 too many requests";
    let manager = ManagerReport {
        name: "billing-tls".into(),
        ready: Some(false),
        issuing: false,
        reason: "Failed".into(),
        message: manager_says.into(),
        renewal: Some(now() + SignedDuration::from_hours(24 * 3)),
    };
    route.certificate =
        Some(CertificateView { secret: "billing-tls".into(), held: Some(held), manager: Some(manager) });
    route.trouble = vec![
        "the certificate that is shown (billing.example.org, by R11) is not the one in Secret billing-tls"
            .into(),
        format!("Secret billing-tls: cert-manager has none (Failed: {})", manager_says),
        "the certificate expires in 12 days, on 2026-12-04".into(),
    ];
    route.history = history(60, |_| false);
    billing.routes = vec![route];
    billing
}

/// Its name leads to an address where nobody listens.
fn handbook() -> Application {
    let mut handbook = sample::healthy("team-handbook", "staging", 3);
    let mut route = secure("team-handbook", "staging", "team-handbook-staging.example.org");
    route.kind = RouteKind::HttpRoute;
    route.class = "infra/public".into();
    route.object = object(RouteKind::HttpRoute, "staging", "team-handbook");
    let refused = Probe {
        outcome: ProbeOutcome::Failed {
            phase: Phase::Connect,
            message: "198.51.100.7 refuses the connection at port 443".into(),
        },
        phases: Phases { dns: Some(1_200), connect: Some(31_000), tls: None, http: None },
        address: Some([198, 51, 100, 7].into()),
        addresses: vec![[198, 51, 100, 7].into(), [198, 51, 100, 8].into()],
        hops: Vec::new(),
        certificate: None,
        at: before(8),
    };
    route.probe = Some(refused);
    route.trouble = vec![
        "connect failed: 198.51.100.7 refuses the connection at port 443; 2 of 2 endpoints are ready".into(),
        "DNS gives 198.51.100.7 and 198.51.100.8, the load balancer is 203.0.113.10".into(),
    ];
    route.history = history(60, |ago| ago < 4 || (20..23).contains(&ago));
    handbook.routes = vec![route];
    handbook
}

/// Stopped on purpose.
fn wiki() -> Application {
    let mut wiki = sample::healthy("wiki", "staging", 4);
    wiki.deployment.phase = DesiredPhase::Stopped;
    let mut route = secure("wiki", "staging", "wiki-staging.example.org");
    route.kind = RouteKind::HttpRoute;
    route.class = "infra/public".into();
    route.object = object(RouteKind::HttpRoute, "staging", "wiki");
    route.endpoints = Some(Endpoints::default());
    route.probe.as_mut().unwrap().outcome = ProbeOutcome::Answered(503);
    route.trouble = vec![
        "it answers 503: the ingress has no backend to ask; the application is stopped on purpose".into(),
    ];
    route.history = history(30, |ago| ago < 20);
    wiki.routes = vec![route];
    wiki
}
