//! The built-in driver of an environment's own ingress controller.

use serde_json::{Value, json};

use super::{Sources, kinds};
use crate::domain::DedicatedIngress;
use crate::domain::route::{Isolation, RouteKind, TRAEFIK, Via};
use crate::driver::built_in;

fn sources(parameters: &[(&str, Value)], allowed: &[&str]) -> Sources {
    let driver = built_in().into_iter().map(|loaded| loaded.version);
    let driver = driver.into_iter().find(|driver| driver.reference.name == "traefik").unwrap();
    let mut sources = Sources::of(driver, "ingress", "3.7");
    sources.environment.dedicated_ingress = Some(DedicatedIngress::default());
    sources.environment.ip_whitelist = allowed.iter().map(|&range| range.to_owned()).collect();
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    sources.deployment.draft.parameters = parameters.collect();
    sources
}

fn rendered(parameters: &[(&str, Value)], allowed: &[&str]) -> Vec<Value> {
    let mut sources = sources(parameters, allowed);
    let via = Via { controller: "traefik.io/ingress-controller".to_owned(), ..Via::unknown() };
    sources.environment.routing.via = Some(via);
    sources.environment.routing.isolation = Some(Isolation::Off);
    sources.render().unwrap_or_else(|problem| panic!("{problem}"))
}

fn find<'a>(objects: &'a [Value], wanted: &str) -> &'a Value {
    let position = kinds(objects).iter().position(|found| found == wanted);
    &objects[position.unwrap_or_else(|| panic!("no {wanted} in {:?}", kinds(objects)))]
}

fn pod(objects: &[Value]) -> &Value {
    &find(objects, "Deployment/ingress-proxy")["spec"]["template"]
}

fn arguments(objects: &[Value]) -> Vec<&str> {
    let arguments = pod(objects)["spec"]["containers"][0]["args"].as_array().unwrap();
    arguments.iter().map(|argument| argument.as_str().unwrap()).collect()
}

#[test]
fn it_answers_for_the_class_of_its_environment_and_spreads() {
    let objects = rendered(&[], &[]);
    assert_eq!(
        kinds(&objects),
        [
            "ServiceAccount/ingress-proxy",
            "Role/ingress-proxy",
            "RoleBinding/ingress-proxy",
            "Service/ingress-public",
            "Service/ingress-traefik",
            "Deployment/ingress-proxy",
            "PodDisruptionBudget/ingress-proxy",
        ]
    );
    assert_eq!(
        arguments(&objects),
        [
            "--entryPoints.web.address=:8000",
            "--entryPoints.websecure.address=:8443",
            "--entryPoints.websecure.http.tls=true",
            "--entryPoints.web.transport.lifeCycle.requestAcceptGraceTimeout=5s",
            "--entryPoints.web.transport.lifeCycle.graceTimeOut=30s",
            "--entryPoints.websecure.transport.lifeCycle.requestAcceptGraceTimeout=5s",
            "--entryPoints.websecure.transport.lifeCycle.graceTimeOut=30s",
            "--entryPoints.traefik.address=:8080",
            "--ping=true",
            "--providers.kubernetesIngress=true",
            "--providers.kubernetesIngress.namespaces=demo",
            "--providers.kubernetesIngress.ingressClass=styrmin-demo",
            "--providers.kubernetesIngress.disableClusterScopeResources=true",
            "--providers.kubernetesIngress.allowEmptyServices=true",
            "--providers.kubernetesIngress.ingressEndpoint.publishedService=demo/ingress-public",
            "--log.level=INFO",
            "--global.checkNewVersion=false",
            "--global.sendAnonymousUsage=false",
        ]
    );
    let pod = &pod(&objects)["spec"];
    assert_eq!(pod["containers"][0]["image"], "traefik:v3.7");
    assert!(pod["terminationGracePeriodSeconds"].as_u64() > Some(5 + 30));
    let spread = &pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0];
    let labels = &spread["podAffinityTerm"]["labelSelector"]["matchLabels"];
    assert_eq!(labels["app.kubernetes.io/instance"], "ingress");
    let service = &find(&objects, "Service/ingress-public")["spec"];
    assert!(
        service.get("externalTrafficPolicy").is_none() && service.get("loadBalancerSourceRanges").is_none()
    );

    let one = rendered(&[("replicas", json!(1)), ("ingresses", json!("classless"))], &[]);
    assert!(!kinds(&one).iter().any(|kind| kind.starts_with("PodDisruptionBudget")));
    assert!(self::pod(&one)["spec"].get("affinity").is_none());
    assert!(!arguments(&one).iter().any(|argument| argument.contains("ingressClass")));
}

#[test]
fn where_routes_name_no_class_it_asks_for_none() {
    let before = sources(&[("custom_resources", json!(true))], &[]);
    let objects = before.render().unwrap_or_else(|problem| panic!("{problem}"));
    let arguments = arguments(&objects);
    assert!(arguments.contains(&"--providers.kubernetesCRD=true"));
    assert!(!arguments.iter().any(|argument| argument.contains("ingressClass")), "{arguments:?}");
}

#[test]
fn the_allow_list_stands_at_every_entry_point() {
    let objects = rendered(&[], &["10.0.0.0/8", "fd00::/8"]);
    let list = find(&objects, "ConfigMap/ingress-proxy")["data"]["allow.yaml"].as_str().unwrap();
    let list: Value = serde_saphyr::from_str(list).unwrap();
    let allow = &list["http"]["middlewares"]["allow"]["ipAllowList"];
    assert_eq!(*allow, json!({"sourceRange": ["10.0.0.0/8", "fd00::/8"]}));
    let arguments = arguments(&objects);
    for wanted in [
        "--entryPoints.web.http.middlewares=allow@file",
        "--entryPoints.websecure.http.middlewares=allow@file",
        "--providers.file.filename=/etc/traefik-allow/allow.yaml",
    ] {
        assert!(arguments.contains(&wanted), "{wanted}: {arguments:?}");
    }
    let service = &find(&objects, "Service/ingress-public")["spec"];
    assert_eq!(service["loadBalancerSourceRanges"], json!(["10.0.0.0/8", "fd00::/8"]));
    assert_eq!(service["externalTrafficPolicy"], "Local", "the client's address is what the list is about");

    let other = rendered(&[], &["10.0.0.0/8"]);
    assert_ne!(pod(&objects)["metadata"]["annotations"], pod(&other)["metadata"]["annotations"], "it rolls");

    let plain = rendered(&[("https", json!(false))], &["10.0.0.0/8"]);
    assert!(!self::arguments(&plain).iter().any(|argument| argument.contains("websecure")));
    let inner = rendered(&[("service_type", json!("ClusterIP"))], &["10.0.0.0/8"]);
    assert!(find(&inner, "Service/ingress-public")["spec"].get("externalTrafficPolicy").is_none());
}

#[test]
fn where_http_may_be_sent_on_it_has_the_middleware_for_it() {
    let sending = |said: Option<bool>, allowed: &[&str], port: Option<u16>| {
        let mut sources = sources(&[], allowed);
        sources.cluster.ingress_tls_port = port;
        sources.environment.routing.via = Some(Via { controller: TRAEFIK.to_owned(), ..Via::unknown() });
        sources.environment.routing.redirect = said;
        sources.render().unwrap_or_else(|problem| panic!("{problem}"))
    };
    let middlewares = |objects: &[Value]| -> Value {
        let file = find(objects, "ConfigMap/ingress-proxy")["data"]["allow.yaml"].as_str().unwrap();
        let file: Value = serde_saphyr::from_str(file).unwrap();
        file["http"]["middlewares"].clone()
    };
    let on = sending(Some(true), &[], None);
    assert_eq!(
        middlewares(&on),
        json!({"redirect": {"redirectScheme": {"scheme": "https", "permanent": true}}})
    );
    assert!(arguments(&on).contains(&"--providers.file.filename=/etc/traefik-allow/allow.yaml"));
    assert!(!arguments(&on).iter().any(|argument| argument.contains("middlewares=")), "routes name it");
    assert_eq!(pod(&on)["spec"]["volumes"][1]["configMap"]["name"], "ingress-proxy");
    // taken back, it stays until the routes have followed
    assert_eq!(sending(Some(false), &[], None), on);

    let ported = sending(Some(true), &["10.0.0.0/8"], Some(8443));
    let scheme = json!({"scheme": "https", "permanent": true, "port": "8443"});
    assert_eq!(
        middlewares(&ported),
        json!({"allow": {"ipAllowList": {"sourceRange": ["10.0.0.0/8"]}}, "redirect": {"redirectScheme": scheme}})
    );
    assert_eq!(sending(Some(false), &["10.0.0.0/8"], Some(8443)), ported, "and to the same port");
    assert_eq!(arguments(&ported), arguments(&sending(None, &["10.0.0.0/8"], Some(8443))));
    assert_ne!(
        pod(&ported)["metadata"]["annotations"],
        pod(&sending(None, &["10.0.0.0/8"], Some(8443)))["metadata"]["annotations"],
        "the file is read at the start"
    );
    let before = sending(None, &[], None);
    assert!(!kinds(&before).contains(&"ConfigMap/ingress-proxy".to_owned()));
    assert!(pod(&before)["metadata"].get("annotations").is_none());
}

#[test]
fn behind_proxies_the_list_is_about_whom_they_answer() {
    let given =
        [("ip_depth", json!(1)), ("trusted_proxies", json!(["192.0.2.1", "2001:db8::2", "198.51.100.0/24"]))];
    let objects = rendered(&given, &["10.0.0.0/8"]);
    let list = find(&objects, "ConfigMap/ingress-proxy")["data"]["allow.yaml"].as_str().unwrap();
    let list: Value = serde_saphyr::from_str(list).unwrap();
    assert_eq!(list["http"]["middlewares"]["allow"]["ipAllowList"]["ipStrategy"], json!({"depth": 1}));
    let trusted = "--entryPoints.websecure.forwardedHeaders.trustedIPs=192.0.2.1,2001:db8::2,198.51.100.0/24";
    assert!(arguments(&objects).contains(&trusted));
    let service = &find(&objects, "Service/ingress-public")["spec"];
    assert_eq!(
        service["loadBalancerSourceRanges"],
        json!(["192.0.2.1/32", "2001:db8::2/128", "198.51.100.0/24"])
    );
    let refused = sources(&[("trusted_proxies", json!(["a,b"]))], &[]).resolve(1).unwrap_err();
    assert!(refused.why.contains("trusted_proxies"), "{refused}");
}

#[test]
fn where_connections_are_kept_away_its_door_stays_open() {
    let policies = |isolation: Option<Isolation>| {
        let mut sources = sources(&[], &[]);
        // who answers may be known where nobody said what is kept away
        sources.environment.routing.via = Some(Via {
            kind: RouteKind::Ingress,
            controller: TRAEFIK.to_owned(),
            class: Some("styrmin-demo".to_owned()),
            gateway: None,
            namespace: Some("demo".to_owned()),
        });
        sources.environment.routing.isolation = isolation;
        let objects = sources.render().unwrap_or_else(|problem| panic!("{problem}"));
        let policies = objects.into_iter().filter(|object| object["kind"] == "NetworkPolicy");
        policies
            .map(|object| (object["metadata"]["name"].clone(), object["spec"].clone()))
            .collect::<Vec<_>>()
    };
    for none in [None, Some(Isolation::Off)] {
        assert!(policies(none).is_empty());
    }
    let inbound = policies(Some(Isolation::Inbound));
    assert_eq!(inbound.len(), 1, "{inbound:#?}");
    let (name, spec) = &inbound[0];
    assert_eq!(name, "ingress-gate");
    assert_eq!(spec["ingress"][0]["ports"][1], json!({"port": "websecure", "protocol": "TCP"}));
    assert!(spec["ingress"][0].get("from").is_none() && spec.get("egress").is_none(), "{spec}");
    let both = policies(Some(Isolation::Both));
    assert_eq!(both[0].1["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(both[0].1["egress"], json!([{}]), "it watches the API server");
}

#[test]
fn custom_resources_are_read_when_asked_for() {
    let without = rendered(&[], &[]);
    assert!(!find(&without, "Role/ingress-proxy").to_string().contains("traefik.io"));
    let objects = rendered(&[("custom_resources", json!(true))], &[]);
    for wanted in
        ["--providers.kubernetesCRD.namespaces=demo", "--providers.kubernetesCRD.ingressClass=styrmin-demo"]
    {
        assert!(arguments(&objects).contains(&wanted));
    }
    let rules = &find(&objects, "Role/ingress-proxy")["rules"];
    let rule = rules.as_array().unwrap().iter().find(|rule| rule["apiGroups"][0] == "traefik.io").unwrap();
    assert_eq!(rule["resources"].as_array().unwrap().len(), 10);
    assert_eq!(rules[0]["resources"], json!(["services", "secrets", "configmaps"]));
}
