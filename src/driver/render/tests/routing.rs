//! What is said about routes, in the context and in the objects.

use super::*;
use crate::domain::canonical::canonical_digest;
use crate::domain::route::{
    ExtraHost, GatewayRef, Isolation, IssuerRef, Peer, RouteKind, Routing, SANDBOX, TRAEFIK, TlsSource, Via,
};

/// Digests of contexts and of what is rendered from them, as the version before routes were asked about had them.
const BEFORE: [(&str, bool, &str, &str); 4] = [
    (
        "one",
        false,
        "6284c6f62451160196a780546e8d638f577acd981bf3083cdf7bed8fc5e1e86f",
        "f8a77358bc51bc6966909b0a57c798147685667b55a451fea6f22f4443761091",
    ),
    (
        "one",
        true,
        "8224063c3422b5855a7f96ca6b5d6064be1b9a286872b7a695e950d67700bbb5",
        "c51c552c24fdea12a762be7f760b0bead093d962f6c124bfec73f96fda3088e3",
    ),
    (
        "two",
        false,
        "07c8a9e8e4d24d6bc28246ed8f4027874df1748cbedc90fef0cd63d8d8e25f00",
        "6d09c4745d64f0792bd41328f5725f8f343f870953e2ce9584d9c3d26cbf61b0",
    ),
    (
        "two",
        true,
        "8a0a82e6bbfeb57949cabe8d9841a64c522f11d0977d2576f34a273dcc9c0409",
        "7ef5b9cb5c52fe3e1a759309d696924963ade5cf1f3c45d0a174b5e5905e5736",
    ),
];

#[test]
fn environments_of_which_nothing_is_said_stay_as_they_were() {
    for (deployment, dedicated, before, rendered) in BEFORE {
        let mut sources = Sources::manifest(CONFIG);
        sources.deployment.draft.name = deployment.to_owned();
        // who has an https port as well has said nothing yet
        sources.cluster.ingress_tls_port = Some(8443);
        if dedicated {
            sources.environment.dedicated_ingress = Some(Default::default());
            sources.environment.ip_whitelist = vec!["10.0.0.0/8".to_owned()];
        }
        let (context, objects) = (sources.context(), sources.render().unwrap());
        assert_eq!(context::digest(&context), before, "{deployment} {dedicated}: {context:#}");
        assert_eq!(canonical_digest(&json!(objects)), rendered, "{deployment} {dedicated}: {objects:#?}");
    }
}

fn via(kind: RouteKind, controller: &str, class: Option<&str>) -> Via {
    Via {
        kind,
        controller: controller.to_owned(),
        class: class.map(str::to_owned),
        gateway: None,
        namespace: Some("kube-system".to_owned()),
    }
}

/// An environment as they are made now.
fn asked(text: &str) -> Sources {
    let mut sources = Sources::manifest(text);
    sources.environment.ingress_class = None;
    sources.environment.routing = Routing {
        via: Some(via(RouteKind::Ingress, SANDBOX, Some("sandbox"))),
        isolation: Some(Isolation::Inbound),
        ..Routing::default()
    };
    sources
}

fn rendering(sources: &Sources) -> Rendering {
    render_alone(&sources.driver, &sources.context()).unwrap_or_else(|problem| panic!("{problem}"))
}

fn find<'a>(objects: &'a [Value], wanted: &str) -> &'a Value {
    let mut all = objects.iter().zip(kinds(objects));
    all.find(|(_, name)| name == wanted)
        .unwrap_or_else(|| panic!("{wanted} is not in {:?}", kinds(objects)))
        .0
}

fn hosts_of(ingress: &Value) -> Vec<&str> {
    let rules = ingress["spec"]["rules"].as_array().unwrap();
    rules.iter().map(|rule| rule["host"].as_str().unwrap()).collect()
}

#[test]
fn what_is_said_is_frozen_with_the_context() {
    let mut sources = asked(CONFIG);
    sources.cluster.ingress_tls_port = Some(8443);
    let context = sources.context();
    assert_eq!(crate::ingress::routing_of(&context).unwrap(), sources.environment.routing);
    assert_eq!(context["instance"]["config"]["ingress_class"], "sandbox", "templates name it");
    assert_eq!(context["services"]["one"]["url"], "http://one-demo.localhost:8480/");
    assert!(context["services"]["one"].get("tls").is_none());
    sources.environment.routing.tls = TlsSource::Secret("wildcard".to_owned());
    let context = sources.context();
    let one = &context["services"]["one"];
    assert_eq!(one["url"], "https://one-demo.localhost:8443/");
    assert_eq!(one["tls"], json!({"secret": "wildcard"}));
    assert_eq!(crate::ingress::tls_of(one), TlsSource::Secret("wildcard".to_owned()));
    let ingress = find(&sources.render().unwrap(), "Ingress/one").clone();
    assert_eq!(ingress["spec"]["tls"], json!([{"hosts": hosts_of(&ingress), "secretName": "wildcard"}]));

    sources.environment.dedicated_ingress = Some(Default::default());
    assert!(sources.context()["instance"]["config"].get("ingress_class").is_none());
}

#[test]
fn http_is_sent_on_to_the_port_that_people_see() {
    let mut sources = asked(CONFIG);
    sources.cluster.ingress_tls_port = Some(8443);
    sources.environment.routing.via = Some(via(RouteKind::Ingress, TRAEFIK, Some("traefik")));
    sources.environment.routing.tls = TlsSource::Secret("wildcard".to_owned());
    let before = sources.context();
    assert!(before["instance"]["config"].get("ingress_tls_port").is_none(), "as contexts of before are");
    assert!(!kinds(&sources.render().unwrap()).iter().any(|kind| kind.starts_with("Middleware/")));
    sources.environment.routing.redirect = Some(true);
    let objects = sources.render().unwrap();
    let middleware = &find(&objects, "Middleware/one-to-https")["spec"]["redirectScheme"];
    assert_eq!(*middleware, json!({"scheme": "https", "permanent": true, "port": "8443"}));
}

#[test]
fn who_else_comes_in_and_whether_anybody_asks_makes_no_instance_new() {
    let small = |routing: &mut Routing| {
        routing.unprobed = true;
        routing.allow_from = vec![Peer::Cidr("192.0.2.0/24".to_owned())];
    };
    let mut sources = asked(CONFIG);
    let now = sources.context();
    small(&mut sources.environment.routing);
    assert_eq!(sources.context(), now);

    let mut before = asked(CONFIG);
    before.deployment.draft.name = "two".to_owned();
    before.environment.routing = Routing::default();
    let then = before.context();
    small(&mut before.environment.routing);
    assert_eq!(before.context(), then, "nor does it rename anything in an environment of before");
    assert_eq!(then["services"]["one"]["human_readable_fqdn"], "one-demo.localhost");
    before.environment.routing.isolation = Some(Isolation::Inbound);
    assert_ne!(before.context(), then);
}

#[test]
fn two_deployments_of_a_driver_have_readable_names_of_their_own() {
    let mut sources = asked(CONFIG);
    sources.deployment.draft.name = "two".to_owned();
    let context = sources.context();
    let service = &context["services"]["one"];
    assert_eq!(service["human_readable_fqdn"], "two-one-demo.localhost");
    assert!(service["primary_fqdn"].as_str().unwrap().starts_with("one-"), "{service}");
    sources.environment.routing = Routing::default();
    assert_eq!(sources.context()["services"]["one"]["human_readable_fqdn"], "one-demo.localhost");
}

#[test]
fn hosts_are_added_to_the_only_external_service() {
    let mut sources = asked(CONFIG);
    let extra = |service: Option<&str>, host: &str| ExtraHost {
        service: service.map(str::to_owned),
        host: host.to_owned(),
    };
    sources.deployment.draft.hosts =
        vec![extra(None, "wiki.example.org"), extra(Some("one"), "one-demo.localhost")];
    let context = sources.context();
    assert_eq!(
        context["services"]["one"]["hosts"],
        json!(["wiki.example.org"]),
        "the other one is there anyway"
    );
    let objects = sources.render().unwrap();
    assert_eq!(hosts_of(find(&objects, "Ingress/one"))[1..], ["one-demo.localhost", "wiki.example.org"]);

    sources.cluster.fqdn_suffix = None;
    let rendered = rendering(&sources);
    assert_eq!(hosts_of(find(&rendered.objects, "Ingress/one")), ["wiki.example.org", "one-demo.localhost"]);
    assert_eq!(sources.context()["services"]["one"]["url"], "http://wiki.example.org:8480/");
    assert_eq!(rendered.warnings, Vec::<String>::new());

    for (host, why) in [
        (extra(None, "*.example.org"), "wildcard"),
        (extra(None, "http://x"), "scheme"),
        (extra(Some("oen"), "x.example.org"), "'oen' is not among its services"),
    ] {
        sources.deployment.draft.hosts = vec![host];
        let problem = sources.resolve(1).unwrap_err();
        assert!(problem.why.contains(why), "{problem}");
    }
    sources.deployment.draft.hosts = vec![extra(None, "x.example.org"), extra(Some("one"), "x.example.org")];
    assert!(sources.resolve(1).unwrap_err().why.contains("twice"));
    sources.deployment.draft.hosts = vec![extra(Some("one"), "x.example.org")];
    let mut second = sources.driver.spec.services[0].clone();
    second.name = "two".to_owned();
    sources.driver.spec.services.push(second);
    assert!(sources.resolve(1).is_ok());
    sources.deployment.draft.hosts[0].service = None;
    assert!(sources.resolve(1).unwrap_err().next.contains("one, two"));
    for spec in &mut sources.driver.spec.services {
        spec.scope = crate::domain::driver::ServiceScope::Internal;
    }
    assert!(sources.resolve(1).unwrap_err().why.contains("no external service"));
    sources.deployment.draft.hosts[0].service = Some("two".to_owned());
    assert!(sources.resolve(1).unwrap_err().why.contains("'two' is internal"));
}

#[test]
fn no_host_is_told() {
    let mut sources = asked(CONFIG);
    sources.cluster.fqdn_suffix = None;
    let rendered = rendering(&sources);
    assert!(!kinds(&rendered.objects).contains(&"Ingress/one".to_owned()));
    assert_eq!(rendered.warnings.len(), 1);
    assert!(
        rendered.warnings[0].starts_with("one is external, but neither the environment demo"),
        "{rendered:?}"
    );
}

#[test]
fn what_a_driver_says_of_certificates_wins() {
    let mut sources = asked(CONFIG);
    let said = |secret: Option<&str>, issuer: Option<&str>| {
        Some(crate::domain::driver::TlsSpec {
            secret: secret.map(str::to_owned),
            issuer: issuer.map(str::to_owned),
            cluster_wide: true,
        })
    };
    let issuer = IssuerRef { name: "company".to_owned(), cluster_wide: false };
    let tls = |sources: &Sources| crate::ingress::tls_of(&sources.context()["services"]["one"]);
    sources.driver.spec.services[0].tls = said(None, None);
    assert_eq!(tls(&sources), TlsSource::Off);
    assert!(rendering(&sources).warnings[0].contains("the environment says nothing of certificates"));
    sources.environment.routing.tls = TlsSource::Issuer(issuer.clone());
    assert_eq!(tls(&sources), TlsSource::Issuer(issuer));
    sources.driver.spec.services[0].tls = said(Some("own"), None);
    assert_eq!(tls(&sources), TlsSource::Secret("own".to_owned()));
    sources.driver.spec.services[0].tls = said(None, Some("le"));
    assert_eq!(tls(&sources), TlsSource::Issuer(IssuerRef { name: "le".to_owned(), cluster_wide: true }));
    assert_eq!(
        find(&rendering(&sources).objects, "Certificate/one-tls")["spec"]["issuerRef"]["kind"],
        "ClusterIssuer"
    );

    let gateway = GatewayRef { namespace: "infra".into(), name: "web".into(), section: None, https: true };
    sources.environment.routing.via =
        Some(Via { gateway: Some(gateway), ..via(RouteKind::HttpRoute, "x", None) });
    assert_eq!(tls(&sources), TlsSource::Controller, "the listener has it");
    let rendered = rendering(&sources);
    assert!(
        rendered.warnings[0].contains("names the certificate le, which is not used"),
        "{:?}",
        rendered.warnings
    );
    find(&rendered.objects, "HTTPRoute/one");

    sources.environment.routing = Routing::default();
    assert_eq!(tls(&sources), TlsSource::Off, "as before anybody asked");
    assert!(rendering(&sources).warnings[0].contains("nothing was said of the environment's routes"));
}

const OWN: &str = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: mine }\nspec: { rules: [{ host: HOST, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: BACKEND, port: { number: 80 } } } }] } }] }\n";

fn own(host: &str, backend: &str) -> String {
    OWN.replace("HOST", host).replace("BACKEND", backend)
}

#[test]
fn a_route_that_the_driver_brings_is_not_doubled() {
    let ingresses = |sources: &Sources| -> Vec<String> {
        let all = kinds(&sources.render().unwrap());
        all.into_iter().filter(|kind| kind.contains("Route/") || kind.starts_with("Ingress/")).collect()
    };
    assert_eq!(ingresses(&asked(&own("elsewhere.org", "one"))), ["Ingress/mine"], "by its backend");
    assert_eq!(ingresses(&asked(&own("one-demo.localhost", "front"))), ["Ingress/mine"], "by its host");
    assert_eq!(ingresses(&asked(&own("elsewhere.org", "front"))), ["Ingress/mine", "Ingress/one"]);
    let traefik = "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: { name: mine }\nspec: { routes: [{ kind: Rule, match: 'Host(`a`)', services: [{ name: one, port: 80 }] }] }\n";
    assert_eq!(ingresses(&asked(traefik)), ["IngressRoute/mine"]);
    let gateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: { name: mine }\nspec: { rules: [{ backendRefs: [{ name: one, port: 80 }] }] }\n";
    assert_eq!(ingresses(&asked(gateway)), ["HTTPRoute/mine"]);

    let mut before = asked(&own("elsewhere.org", "one"));
    before.environment.routing = Routing::default();
    assert_eq!(ingresses(&before), ["Ingress/mine", "Ingress/one"], "instances from before stay");
}

#[test]
fn a_route_that_the_driver_brings_gets_what_the_environment_says() {
    let mut sources = asked(&own("elsewhere.org", "one"));
    sources.environment.ip_whitelist = vec!["10.0.0.0/8".to_owned(), "fd00::/8".to_owned()];
    let annotations = |sources: &Sources| {
        find(&sources.render().unwrap(), "Ingress/mine")["metadata"]["annotations"].clone()
    };
    assert_eq!(annotations(&sources), json!({"sandbox.styrmin.io/allow-list": "10.0.0.0/8,fd00::/8"}));

    let ingress = find(&sources.render().unwrap(), "Ingress/mine").clone();
    assert_eq!(ingress["spec"]["ingressClassName"], "sandbox", "the default class may be another one");
    let said = "metadata: { name: mine, annotations: { sandbox.styrmin.io/allow-list: 0.0.0.0/0 } }";
    let open = own("elsewhere.org", "one").replace("metadata: { name: mine }", said);
    let kept = std::mem::replace(&mut sources.driver, asked(&open).driver);
    assert_eq!(annotations(&sources)["sandbox.styrmin.io/allow-list"], "10.0.0.0/8,fd00::/8");
    sources.driver = kept;

    sources.environment.routing.via = Some(via(RouteKind::Ingress, TRAEFIK, Some("traefik")));
    assert_eq!(
        annotations(&sources),
        json!({"traefik.ingress.kubernetes.io/router.middlewares": "demo-mine-allow@kubernetescrd"})
    );
    let objects = sources.render().unwrap();
    let list = &find(&objects, "Middleware/mine-allow")["spec"]["ipAllowList"]["sourceRange"];
    assert_eq!(*list, json!(["10.0.0.0/8", "fd00::/8"]));

    sources.environment.dedicated_ingress = Some(Default::default());
    sources.environment.routing.via = Some(via(RouteKind::Ingress, TRAEFIK, Some("styrmin-demo")));
    assert_eq!(annotations(&sources), json!({"kubernetes.io/ingress.class": "styrmin-demo"}));
    assert_eq!(rendering(&sources).warnings, Vec::<String>::new());

    let classed = own("elsewhere.org", "one").replace("spec: {", "spec: { ingressClassName: other,");
    sources.driver = asked(&classed).driver;
    let problem = sources.render().unwrap_err();
    assert!(problem.what.contains("cannot be put on Ingress/mine"), "it names another class: {problem}");
    sources.environment.ip_whitelist.clear();
    assert!(annotations(&sources).is_null(), "a class that is named stays");
}

#[test]
fn a_route_that_the_driver_brings_names_the_class_as_ours_of_its_kind_do() {
    let ingress = own("elsewhere.org", "one");
    let route = "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: { name: mine }\nspec: { routes: [{ kind: Rule, match: 'Host(`a`)', services: [{ name: one, port: 80 }] }] }\n";
    let class = |text: &str, kind: RouteKind, own: bool| {
        let mut sources = asked(text);
        sources.environment.dedicated_ingress = own.then(Default::default);
        sources.environment.routing.via = Some(via(kind, TRAEFIK, Some("edge")));
        let objects = sources.render().unwrap();
        let brought = objects.iter().find(|object| object["metadata"]["name"] == "mine").unwrap();
        let annotation = &brought["metadata"]["annotations"]["kubernetes.io/ingress.class"];
        [&brought["spec"]["ingressClassName"], annotation].map(|it| it.as_str().map(str::to_owned))
    };
    let edge = || Some("edge".to_owned());
    assert_eq!(class(route, RouteKind::IngressRoute, false), [None, edge()]);
    assert_eq!(class(route, RouteKind::Ingress, false), [None, None], "Traefik has another class for these");
    assert_eq!(class(&ingress, RouteKind::Ingress, false), [edge(), None]);
    assert_eq!(class(&ingress, RouteKind::IngressRoute, false), [None, None]);
    for kind in [RouteKind::Ingress, RouteKind::IngressRoute] {
        assert_eq!(class(route, kind, true), [None, edge()]);
        assert_eq!(class(&ingress, kind, true), [None, edge()]);
    }
    let said = route.replace(
        "metadata: { name: mine }",
        "metadata: { name: mine, annotations: { kubernetes.io/ingress.class: other } }",
    );
    assert_eq!(class(&said, RouteKind::IngressRoute, false), [None, Some("other".to_owned())]);
}

#[test]
fn no_route_that_the_driver_brings_stays_outside_of_the_allow_list() {
    let limited = |text: &str, via: Via| {
        let mut sources = asked(text);
        sources.environment.ip_whitelist = vec!["10.0.0.0/8".to_owned()];
        sources.environment.routing.via = Some(via);
        sources
    };
    let route = "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: { name: mine }\nspec: { routes: [{ kind: Rule, match: 'Host(`a`)', middlewares: [{ name: other }], services: [{ name: one, port: 80 }] }] }\n";
    let objects = limited(route, via(RouteKind::IngressRoute, TRAEFIK, None)).render().unwrap();
    let rule = &find(&objects, "IngressRoute/mine")["spec"]["routes"][0];
    assert_eq!(rule["middlewares"], json!([{"name": "mine-allow"}, {"name": "other"}]));
    find(&objects, "Middleware/mine-allow");
    assert!(limited(route, via(RouteKind::Ingress, SANDBOX, Some("sandbox"))).render().is_err());
    let classless = limited(&own("a.org", "one"), via(RouteKind::IngressRoute, TRAEFIK, None));
    assert!(classless.render().is_err(), "nobody knows whose the default class is");

    let gateway = GatewayRef { namespace: "infra".into(), name: "web".into(), section: None, https: false };
    let at = |controller: &str| Via {
        gateway: Some(gateway.clone()),
        ..via(RouteKind::HttpRoute, controller, None)
    };
    let attached = |name: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{ name: mine }}\nspec: {{ parentRefs: [{{ name: {name}, namespace: infra }}], rules: [{{ backendRefs: [{{ name: one, port: 80 }}] }}] }}\n"
        )
    };
    let envoy = "gateway.envoyproxy.io/gatewayclass-controller";
    let objects = limited(&attached("web"), at(envoy)).render().unwrap();
    assert_eq!(find(&objects, "SecurityPolicy/mine-allow")["spec"]["targetRefs"][0]["name"], "mine");
    let objects = limited(&attached("web"), at("traefik.io/gateway-controller")).render().unwrap();
    let filter = &find(&objects, "HTTPRoute/mine")["spec"]["rules"][0]["filters"][0];
    assert_eq!(filter["extensionRef"]["name"], "mine-allow");
    find(&objects, "Middleware/mine-allow");
    let problem = limited(&attached("other"), at(envoy)).render().unwrap_err();
    assert!(problem.what.contains("HTTPRoute/mine") && problem.why.contains("infra/web"), "{problem}");
}

#[test]
fn an_allow_list_that_cannot_be_said_is_refused() {
    let mut sources = asked(CONFIG);
    sources.environment.ip_whitelist = vec!["10.0.0.0/8".to_owned()];
    let objects = sources.render().unwrap();
    let annotations = &find(&objects, "Ingress/one")["metadata"]["annotations"];
    assert_eq!(annotations["sandbox.styrmin.io/allow-list"], "10.0.0.0/8");
    sources.environment.routing.via = Some(via(RouteKind::Ingress, "example.org/unknown", Some("x")));
    let problem = sources.render().unwrap_err();
    assert!(problem.what.contains("allow-list") && problem.why.contains("example.org/unknown"), "{problem}");
    sources.environment.routing = Routing::default();
    assert!(rendering(&sources).warnings[0].contains("is not enforced"));
}

#[test]
fn the_environments_own_ingress_is_named_by_annotation() {
    let mut sources = asked(CONFIG);
    sources.environment.dedicated_ingress = Some(Default::default());
    sources.environment.ip_whitelist = vec!["10.0.0.0/8".to_owned()];
    sources.environment.routing.via = Some(Via {
        namespace: Some("demo".to_owned()),
        ..via(RouteKind::Ingress, TRAEFIK, Some("styrmin-demo"))
    });
    let objects = sources.render().unwrap();
    let ingress = find(&objects, "Ingress/one");
    assert_eq!(ingress["metadata"]["annotations"], json!({"kubernetes.io/ingress.class": "styrmin-demo"}));
    assert!(ingress["spec"].get("ingressClassName").is_none());
    assert!(
        !kinds(&objects).iter().any(|kind| kind.starts_with("Middleware/")),
        "its entry points keep the list"
    );
}

#[test]
fn policies_let_in_who_was_named() {
    let mut sources = asked(CONFIG);
    let spec = SPEC.replace(
        "component: web, scope: external }",
        "component: web, scope: external, allow_from: [monitoring, 10.0.0.0/8] }",
    );
    let files = BTreeMap::from([
        ("driver.styrmin.yml".to_owned(), spec),
        ("manifests/a.yaml.j2".to_owned(), CONFIG.to_owned()),
    ]);
    sources.driver = load_files("test", files).unwrap().version;
    let objects = sources.render().unwrap();
    let from =
        |name: &str| json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}});
    assert_eq!(
        find(&objects, "NetworkPolicy/one-from")["spec"],
        json!({
            "podSelector": {"matchLabels": {"app": "web", "styrmin.io/deployment": "one"}},
            "policyTypes": ["Ingress"],
            "ingress": [{
                "from": [from("kube-system"), from("monitoring"), {"ipBlock": {"cidr": "10.0.0.0/8"}}],
                "ports": [{"port": 8080, "protocol": "TCP"}],
            }],
        })
    );
    sources.environment.routing.isolation = Some(Isolation::Off);
    assert!(!kinds(&sources.render().unwrap()).iter().any(|kind| kind.starts_with("NetworkPolicy/")));

    let brought = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: one-from }\nspec: { podSelector: {} }\n";
    let objects = asked(brought).render().unwrap();
    assert_eq!(find(&objects, "NetworkPolicy/one-from")["spec"], json!({"podSelector": {}}));
}

#[test]
fn the_environments_own_ingress_is_open_to_all() {
    let find_driver = |name: &str| {
        built_in()
            .into_iter()
            .map(|loaded| loaded.version)
            .find(|driver| driver.reference.name == name)
            .unwrap()
    };
    let driver = find_driver("traefik");
    let version = driver.spec.default_version.clone();
    let mut sources = Sources::of(driver, "ingress", &version);
    sources.environment.dedicated_ingress = Some(Default::default());
    sources.environment.routing = Routing {
        via: Some(via(RouteKind::Ingress, TRAEFIK, Some("styrmin-demo"))),
        isolation: Some(Isolation::Both),
        ..Routing::default()
    };
    let objects = sources.render().unwrap();
    let spec = &find(&objects, "NetworkPolicy/ingress-gate")["spec"];
    let selected = spec["podSelector"]["matchLabels"].as_object().unwrap();
    let doors = ["web", "websecure"].map(|port| json!({"port": port, "protocol": "TCP"}));
    assert_eq!(spec["ingress"], json!([{"ports": doors}]), "everybody comes, to what is served");
    assert_eq!(spec["egress"], json!([{}]), "it watches the API server");
    let pods = objects.iter().find(|object| object["kind"] == "Deployment").unwrap();
    let labels = &pods["spec"]["template"]["metadata"]["labels"];
    assert!(selected.iter().all(|(name, value)| labels[name] == *value), "{selected:?} {labels}");

    // a version of before brought a policy of its own, by the same name: there is one, and none is left over
    let brought = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: ingress-gate }\nspec: { podSelector: {}, ingress: [{}] }\n";
    let spec = SPEC.replace("metadata: { name: one }", "metadata: { name: traefik }");
    let files = [("driver.styrmin.yml", spec.as_str()), ("manifests/a.yaml.j2", brought)];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    sources.driver = load_files("traefik", files.into()).unwrap().version;
    let version = sources.driver.spec.default_version.clone();
    let mut before = Sources::of(sources.driver, "ingress", &version);
    before.environment = sources.environment;
    let all = kinds(&before.render().unwrap());
    assert_eq!(all.iter().filter(|name| *name == "NetworkPolicy/ingress-gate").count(), 1, "{all:?}");
}

#[test]
fn an_ingress_controller_under_another_name_is_open_to_all() {
    let mut drivers = built_in().into_iter().map(|loaded| loaded.version);
    let driver = drivers.find(|driver| driver.reference.name == "traefik").unwrap();
    let version = driver.spec.default_version.clone();
    let mut sources = Sources::of(driver, "edge", &version);
    sources.environment.routing = Routing {
        via: Some(via(RouteKind::Ingress, TRAEFIK, Some("traefik"))),
        isolation: Some(Isolation::Inbound),
        ..Routing::default()
    };
    let objects = sources.render().unwrap();
    let spec = &find(&objects, "NetworkPolicy/edge-gate")["spec"];
    let doors = ["web", "websecure"].map(|port| json!({"port": port, "protocol": "TCP"}));
    assert_eq!(spec["ingress"], json!([{"ports": doors}]));
    assert_eq!(spec["podSelector"]["matchLabels"][crate::domain::labels::DEPLOYMENT], "edge");
}

#[test]
fn policies_follow_the_services_that_a_driver_brings() {
    let service = |name: &str, kind: &str| {
        format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{ name: {name} }}\nspec: {{ type: {kind}, selector: {{ chart: {name} }}, ports: [{{ port: 81 }}, {{ port: 80, targetPort: http }}] }}\n"
        )
    };
    let spec = |sources: &Sources, name: &str| find(&sources.render().unwrap(), name)["spec"].clone();
    let sources = asked(&service("one", "ClusterIP"));
    let policy = spec(&sources, "NetworkPolicy/one-from");
    assert_eq!(policy["podSelector"], json!({"matchLabels": {"chart": "one"}}));
    assert_eq!(policy["ingress"][0]["ports"], json!([{"port": "http", "protocol": "TCP"}]));

    // a route of its own may lead to another port of it, or to nothing that is known
    let sources = asked(&(own("elsewhere.org", "one") + &service("one", "ClusterIP")));
    let policy = spec(&sources, "NetworkPolicy/one-from");
    let ports = json!([{"port": "http", "protocol": "TCP"}, {"port": 81, "protocol": "TCP"}]);
    assert_eq!(policy["ingress"][0]["ports"], ports);
    let mut sources = asked(&own("elsewhere.org", "nowhere"));
    let told = "Ingress/mine leads to the Service nowhere";
    assert!(rendering(&sources).warnings.iter().any(|line| line.contains(told)));
    sources.environment.routing.isolation = Some(Isolation::Off);
    assert_eq!(rendering(&sources).warnings, Vec::<String>::new());

    // what its own routes lead to is reached by the ingress controller as well
    let sources = asked(&(own("elsewhere.org", "front") + &service("front", "LoadBalancer")));
    let policy = spec(&sources, "NetworkPolicy/front-from");
    assert_eq!(policy["podSelector"], json!({"matchLabels": {"chart": "front"}}));
    let ports = json!([{"port": 81, "protocol": "TCP"}, {"port": "http", "protocol": "TCP"}]);
    assert_eq!(policy["ingress"][0]["ports"], ports);
    let warnings = rendering(&sources).warnings;
    assert!(warnings[0].contains("Service/front is of type LoadBalancer"), "{warnings:?}");
}
