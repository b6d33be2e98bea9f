use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::*;
use crate::cluster::summary;
use crate::domain::route::{Phase, Phases};
use crate::domain::{DeploymentId, DriverRef};

const HOST: &str = "notes-demo.example.org";
const URL: &str = "https://notes-demo.example.org/";

/// An application that is as it should be: every test breaks one thing.
struct Scene {
    instance: Instance,
    phase: DesiredPhase,
    objects: Vec<Value>,
    complete: bool,
    unseen: BTreeSet<String>,
    facts: BTreeMap<Want, Fact>,
    probe: Option<Probe>,
}

fn now() -> Timestamp {
    "2026-11-29T12:00:00Z".parse().unwrap()
}

fn certificate(ends: &str) -> Certificate {
    let ends: Timestamp = ends.parse().unwrap();
    Certificate {
        subject: HOST.into(),
        issuer: "Test CA".into(),
        names: vec!["*.example.org".into()],
        not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
        not_after: ends,
        earliest: ends,
        fingerprint: "aa".into(),
    }
}

fn probe(outcome: ProbeOutcome) -> Probe {
    Probe {
        at: now(),
        outcome,
        phases: Phases::default(),
        address: None,
        addresses: vec!["203.0.113.7".parse().unwrap()],
        hops: Vec::new(),
        certificate: Some(certificate("2027-06-01T00:00:00Z")),
    }
}

fn failed(phase: Phase, message: &str) -> Probe {
    Probe { certificate: None, ..probe(ProbeOutcome::Failed { phase, message: message.into() }) }
}

fn slice(ready: bool) -> Value {
    json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "notes-a",
        "namespace": "demo", "labels": {"kubernetes.io/service-name": "notes"}},
        "endpoints": [{"conditions": {"ready": ready}}]})
}

fn manager(conditions: &Value, renewal: Option<&str>) -> Value {
    json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
        "metadata": {"name": "notes-tls", "namespace": "demo", "resourceVersion": "9"},
        "spec": {"secretName": "notes-tls"}, "status": {"conditions": conditions, "renewalTime": renewal}})
}

impl Scene {
    fn new() -> Self {
        let context = json!({"services": {"notes": {"host": "notes", "path": "/", "human_readable_fqdn": HOST,
            "tls": {"secret": "notes-tls"}}}});
        let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "notes", "namespace": "demo"},
            "spec": {"tls": [{"hosts": [HOST], "secretName": "notes-tls"}], "rules": [{"host": HOST, "http": {"paths": [
                {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "notes", "port": {"number": 80}}}}]}}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}});
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "notes", "namespace": "demo"}});
        let held = Fact::Certificate(Box::new(certificate("2027-06-01T00:00:00Z")));
        Self {
            instance: Instance {
                deployment: DeploymentId(1),
                number: 1,
                state: InstanceState::Active,
                driver: DriverRef { name: "notes".into(), version: "1".into() },
                application_version: "1".into(),
                context,
                digest: "d".into(),
                created_at: now(),
                message: None,
                draft: None,
            },
            phase: DesiredPhase::Running,
            objects: vec![ingress, service, slice(true)],
            complete: true,
            unseen: BTreeSet::new(),
            facts: BTreeMap::from([(secret(), held)]),
            probe: Some(probe(ProbeOutcome::Answered(200))),
        }
    }

    fn view(&self) -> RouteView {
        let objects: Vec<ObjectSummary> = self.objects.iter().map(summary).collect();
        let watched = crate::app::probes::Watched { probe: self.probe.clone(), history: Arc::default() };
        let probes: Results = Arc::new(HashMap::from([(URL.to_owned(), Arc::new(watched))]));
        let found = routes(&Around {
            instance: &self.instance,
            phase: self.phase,
            namespace: "demo",
            unprobed: false,
            cluster: None,
            complete: self.complete,
            objects: &objects,
            unseen: &self.unseen,
            facts: &Arc::new(self.facts.clone()),
            probes: &probes,
            now: now(),
        });
        assert_eq!(found[0].url, URL);
        found.into_iter().next().unwrap()
    }

    fn trouble(&self) -> String {
        self.view().trouble.join(" | ")
    }
}

fn secret() -> Want {
    Want::Certificate("demo".to_owned(), "notes-tls".to_owned())
}

#[test]
fn what_fits_has_no_trouble() {
    let view = Scene::new().view();
    assert!(view.trouble.is_empty(), "{:?}", view.trouble);
    let known = view.certificate.unwrap();
    assert_eq!((known.secret.as_str(), known.held.unwrap().fingerprint.as_str()), ("notes-tls", "aa"));
    assert!(view.probe.unwrap().works());
}

#[test]
fn a_failed_phase_and_the_endpoints_make_one_sentence() {
    let mut scene = Scene::new();
    scene.probe = Some(failed(Phase::Connect, "203.0.113.7:443: refused"));
    assert_eq!(scene.trouble(), "connect failed: 203.0.113.7:443: refused; 1 of 1 endpoints are ready");
    scene.objects[2] = slice(false);
    assert_eq!(scene.trouble(), "connect failed: 203.0.113.7:443: refused; 0 of 1 endpoints are ready");
    scene.probe = Some(probe(ProbeOutcome::Answered(503)));
    assert_eq!(
        scene.trouble(),
        "it answers 503: the ingress has no backend to ask; 0 of 1 endpoints are ready"
    );
    scene.probe = None;
    assert_eq!(scene.trouble(), "0 of 1 endpoints are ready");
    scene.objects.truncate(2);
    assert_eq!(scene.trouble(), "", "nobody has counted them yet");
    scene.objects.truncate(1);
    assert_eq!(scene.trouble(), "the Service notes does not exist");
}

#[test]
fn what_was_stopped_on_purpose_says_so() {
    let mut scene = Scene::new();
    scene.phase = DesiredPhase::Stopped;
    scene.objects[2] = slice(false);
    scene.probe = Some(probe(ProbeOutcome::Answered(503)));
    assert_eq!(
        scene.trouble(),
        "it answers 503: the ingress has no backend to ask; the application is stopped on purpose"
    );
    scene.phase = DesiredPhase::Deleting;
    assert_eq!(scene.trouble(), "");
}

#[test]
fn nothing_that_carries_it_is_told_once_it_should_be_there() {
    let mut scene = Scene::new();
    scene.objects.remove(0);
    assert_eq!(scene.trouble(), "no Ingress in the namespace carries it");
    scene.instance.state = InstanceState::Applying;
    assert_eq!(scene.trouble(), "it is not applied yet");
    scene.unseen.insert("Ingress".to_owned());
    assert!(scene.trouble().contains("is not known"), "{}", scene.trouble());
    scene.complete = false;
    scene.objects.clear();
    assert_eq!(scene.trouble(), "", "nothing was listed yet");
}

#[test]
fn another_certificate_than_the_secrets_is_named() {
    let mut scene = Scene::new();
    let mut shown = certificate("2027-06-01T00:00:00Z");
    (shown.fingerprint, shown.issuer) = ("bb".into(), "Traefik default".into());
    scene.probe.as_mut().unwrap().certificate = Some(shown);
    assert_eq!(
        scene.trouble(),
        "the certificate that is shown (notes-demo.example.org, by Traefik default) is not the one in Secret notes-tls"
    );
}

#[test]
fn a_secret_that_is_not_as_it_should_be_is_named() {
    let mut scene = Scene::new();
    scene.facts.insert(secret(), Fact::Missing);
    assert_eq!(scene.trouble(), "Secret notes-tls does not exist");
    let making = json!([{"type": "Ready", "status": "False", "reason": "DoesNotExist"},
        {"type": "Issuing", "status": "True", "reason": "DoesNotExist", "message": "Issuing certificate as Secret does not exist"}]);
    scene.objects.push(manager(&making, None));
    assert_eq!(
        scene.trouble(),
        "Secret notes-tls does not exist; cert-manager is making one (DoesNotExist: Issuing certificate as Secret does not exist)"
    );
    scene.facts.insert(secret(), Fact::Bad("has no certificate in tls.crt: it is empty".to_owned()));
    assert!(
        scene.trouble().starts_with("Secret notes-tls has no certificate in tls.crt"),
        "{}",
        scene.trouble()
    );
    scene.facts.clear();
    scene.objects.pop();
    assert_eq!(scene.trouble(), "", "what was not read yet is nothing to tell");
}

#[test]
fn a_certificate_for_other_names_or_that_ends_soon_is_told() {
    let mut scene = Scene::new();
    let hold = |scene: &mut Scene, held: Certificate| {
        scene.probe.as_mut().unwrap().certificate = Some(held.clone());
        scene.facts.insert(secret(), Fact::Certificate(Box::new(held)));
    };
    let mut other = certificate("2027-06-01T00:00:00Z");
    other.names = vec!["a.org".into(), "b.org".into()];
    hold(&mut scene, other);
    assert_eq!(scene.trouble(), "the certificate is not for notes-demo.example.org: it is for a.org, b.org");
    hold(&mut scene, certificate("2026-12-21T00:00:00Z"));
    assert_eq!(scene.trouble(), "the certificate expires in 21 days, on 2026-12-21");
    hold(&mut scene, certificate("2026-12-22T00:00:00Z"));
    assert_eq!(scene.trouble(), "");
    hold(&mut scene, certificate("2026-11-01T00:00:00Z"));
    assert_eq!(scene.trouble(), "the certificate expired on 2026-11-01");
}

#[test]
fn who_renews_has_its_own_time() {
    let mut scene = Scene::new();
    let soon = certificate("2026-12-03T00:00:00Z");
    scene.probe.as_mut().unwrap().certificate = Some(soon.clone());
    scene.facts.insert(secret(), Fact::Certificate(Box::new(soon)));
    let ready = json!([{"type": "Ready", "status": "True", "reason": "Ready"}]);
    scene.objects.push(manager(&ready, Some("2026-12-01T00:00:00Z")));
    assert_eq!(scene.trouble(), "", "short-lived certificates are renewed in time");
    scene.objects.pop();
    scene.objects.push(manager(&ready, Some("2026-11-28T00:00:00Z")));
    assert_eq!(scene.trouble(), "the certificate was to be renewed on 2026-11-28, and expires in 3 days");
}

#[test]
fn names_that_lead_elsewhere_are_told() {
    let mut scene = Scene::new();
    let given = |addresses: &[&str]| addresses.iter().map(|address| address.parse().unwrap()).collect();
    scene.probe.as_mut().unwrap().addresses = given(&["198.51.100.1", "198.51.100.2"]);
    assert_eq!(scene.trouble(), "DNS gives 198.51.100.1 and 198.51.100.2, the load balancer is 203.0.113.7");
    scene.probe.as_mut().unwrap().addresses = given(&["198.51.100.1", "203.0.113.7"]);
    assert_eq!(scene.trouble(), "");
    scene.probe.as_mut().unwrap().addresses = given(&["198.51.100.1"]);
    scene.objects[0]["status"]["loadBalancer"]["ingress"] = json!([{"hostname": "lb.example.net"}]);
    assert_eq!(scene.trouble(), "", "a host name may have any address");
}

#[test]
fn a_missing_address_matters_while_nothing_answers() {
    let mut scene = Scene::new();
    scene.objects[0]["status"] = json!({});
    assert_eq!(scene.trouble(), "", "it answers, whatever its status lacks");
    scene.probe = None;
    assert_eq!(scene.trouble(), "it has no load balancer address yet");
}

#[test]
fn what_is_most_pressing_comes_first() {
    let mut scene = Scene::new();
    scene.objects[0] = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "notes", "namespace": "demo"},
        "spec": {"parentRefs": [{"name": "shared"}], "hostnames": [HOST], "rules": [{"backendRefs": [{"name": "notes"}]}]}});
    scene.objects[2] = slice(false);
    scene.probe = Some(failed(Phase::Dns, "no such name"));
    assert_eq!(
        scene.trouble(),
        "no controller took it (yet) | dns failed: no such name; 0 of 1 endpoints are ready"
    );
    scene.probe = None;
    scene.objects[2] = slice(true);
    scene.facts.insert(Want::Gateway("demo".to_owned(), "shared".to_owned()), Fact::Missing);
    assert_eq!(scene.trouble(), "Gateway demo/shared does not exist");
}

#[test]
fn a_refusal_is_told_with_the_list_that_may_have_led_to_it() {
    let mut scene = Scene { probe: Some(probe(ProbeOutcome::Answered(403))), ..Scene::new() };
    assert_eq!(scene.trouble(), "", "an application may answer 403 by itself");
    scene.instance.context["environment"] = json!({"ip_whitelist": ["192.0.2.0/24"]});
    assert_eq!(
        scene.trouble(),
        "it answers 403 to this machine; the environment is open to 192.0.2.0/24 only"
    );
    scene.probe = Some(probe(ProbeOutcome::Answered(200)));
    assert_eq!(scene.trouble(), "");
}
