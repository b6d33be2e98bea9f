//! What is said of environments and of the cluster, and what follows from it for what runs there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use styrmin::cluster::ApplyOptions;
use styrmin::domain::backup::{CloneRequest, CloneSource};
use styrmin::domain::operation::OperationState::{Failed, Succeeded};
use styrmin::domain::operation::Subject;
use styrmin::domain::plan::Class;
use styrmin::domain::route::{ExtraHost, Isolation, RouteKind, TlsSource};
use styrmin::domain::{
    ClusterRecord, DedicatedIngress, DeploymentDraft, DesiredPhase, Environment, Intent, ObjectKey,
    OperationKind, OperationView, Preview,
};

use crate::bench::Bench;
use crate::guillotine::Guillotine;
use crate::site;
use crate::support::LIMIT;

#[path = "environments/gateways.rs"]
mod gateways;
#[path = "environments/others.rs"]
mod others;

pub fn key(kind: &str, namespace: &str, name: &str) -> ObjectKey {
    let api_version = match kind {
        "Ingress" | "NetworkPolicy" => "networking.k8s.io/v1",
        "Deployment" => "apps/v1",
        _ => "v1",
    };
    ObjectKey {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

fn set(environment: &Environment) -> Intent {
    Intent::SetEnvironment(Box::new(environment.clone()))
}

/// A site with a route: nothing that takes time.
async fn bench() -> Bench {
    let bench = Bench::with_driver(site::routed()).await;
    let mut demo = bench.said("demo").await.unwrap();
    demo.routing.isolation = Some(Isolation::Off);
    bench.store.upsert_environment(&demo).await.unwrap();
    bench
}

impl Bench {
    fn routed(&self, name: &str) -> DeploymentDraft {
        DeploymentDraft { driver: site::routed().reference, ..self.draft(name, "1.0.0") }
    }

    async fn said(&self, name: &str) -> Option<Environment> {
        self.store.environment(self.cluster.name(), name).await.unwrap()
    }

    async fn cluster_said(&self) -> ClusterRecord {
        self.store.cluster(self.cluster.name()).await.unwrap().unwrap()
    }

    async fn get(&self, key: &ObjectKey) -> Option<Value> {
        self.cluster.get(key).await.unwrap()
    }

    async fn names(&self, kind: &str, namespace: &str) -> Vec<String> {
        let all = self.cluster.list(&key(kind, namespace, "")).await.unwrap();
        all.iter().map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    async fn plan(&self, intent: &Intent) -> Preview {
        self.engine.preview(intent).await.unwrap_or_else(|problem| panic!("{problem}"))
    }

    async fn refused(&self, intent: &Intent) -> String {
        self.engine.preview(intent).await.unwrap_err().to_string()
    }

    /// Plans and confirms what is said of a place, and waits for its end.
    async fn configure(&self, intent: Intent) -> OperationView {
        let plan = self.plan(&intent).await.plan;
        self.engine.confirm(&intent, &plan.hash(), "anna@here").await.unwrap();
        self.configured(&plan.hash()).await
    }

    /// The operation of a plan, once it has ended.
    async fn configured(&self, hash: &str) -> OperationView {
        self.ended(OperationKind::Configure, hash).await
    }

    async fn ended(&self, kind: OperationKind, hash: &str) -> OperationView {
        let mut changes = self.store.changes();
        let ended = async {
            loop {
                changes.mark_unchanged();
                let all = self.store.operations(self.cluster.name(), 50).await.unwrap();
                let is_it =
                    |view: &OperationView| view.operation.plan_hash == hash && view.operation.kind == kind;
                if let Some(view) = all.into_iter().find(is_it).filter(|it| it.operation.state.is_final()) {
                    return view;
                }
                changes.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(LIMIT, ended).await {
            Ok(view) => view,
            Err(_) => panic!("{:#?}", self.store.operations(self.cluster.name(), 20).await.unwrap()),
        }
    }

    async fn well(&self, intent: Intent) -> OperationView {
        let ended = self.configure(intent).await;
        assert_eq!(ended.operation.state, Succeeded, "{ended:#?}");
        ended
    }

    async fn hosts(&self, namespace: &str, name: &str) -> Vec<String> {
        let ingress = self.get(&key("Ingress", namespace, name)).await.unwrap();
        let rules = ingress["spec"]["rules"].as_array().unwrap();
        rules.iter().map(|rule| rule["host"].as_str().unwrap().to_owned()).collect()
    }
}

fn steps(preview: &Preview) -> Vec<&str> {
    preview.plan.steps.iter().map(|step| step.name.as_str()).collect()
}

fn warns(preview: &Preview, part: &str) {
    has(&preview.plan.warnings, part);
}

/// It is said, and is no warning.
fn tells(preview: &Preview, part: &str) {
    has(&preview.plan.facts, part);
}

fn has(all: &[String], part: &str) {
    assert!(all.iter().any(|sentence| sentence.contains(part)), "'{part}' is not in {all:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_environment_is_made_with_what_keeps_others_away_and_removed() {
    let bench = bench().await;
    let mut wanted = Environment::new("shop", "sandbox", "shop-space");
    wanted.labels.insert("team".into(), "blue".into());
    wanted.quota.insert("pods".into(), "20".into());
    let preview = bench.plan(&set(&wanted)).await;
    assert_eq!(preview.kind, Some(OperationKind::Configure));
    tells(&preview, "routes: Ingress of class sandbox (sandbox.styrmin.io/ingress)");
    assert!(preview.diffs.iter().any(|diff| diff.object.name == "styrmin-default-deny"), "{preview:#?}");
    bench.well(set(&wanted)).await;
    let said = bench.said("shop").await.unwrap();
    assert_eq!(said.routing.isolation, Some(Isolation::Inbound));
    assert_eq!(said.routing.via.as_ref().map(|via| via.kind), Some(RouteKind::Ingress));
    let namespace = bench.get(&key("Namespace", "", "shop-space")).await.unwrap();
    assert_eq!(namespace["metadata"]["labels"]["team"], "blue");
    assert_eq!(bench.names("ResourceQuota", "shop-space").await, ["styrmin"]);
    assert_eq!(
        bench.names("NetworkPolicy", "shop-space").await,
        ["styrmin-acme", "styrmin-default-deny", "styrmin-same-namespace"]
    );

    // the same again
    let again = bench.plan(&set(&said)).await;
    assert!(again.plan.steps.is_empty(), "{}", again.plan);

    // what is not wanted any more goes, and only what is ours
    let other = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "theirs", "namespace": "shop-space"}, "spec": {"podSelector": {}}});
    bench.cluster.apply(&other, ApplyOptions::default()).await.unwrap();
    let stranger = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "of-an-application", "namespace": "shop-space", "labels": {
            "app.kubernetes.io/managed-by": "styrmin", "styrmin.io/environment": "shop",
            "styrmin.io/deployment": "x"}}, "spec": {"podSelector": {}}});
    bench.cluster.apply(&stranger, ApplyOptions::default()).await.unwrap();
    let mut open = Environment { quota: BTreeMap::new(), ..said };
    open.routing.isolation = Some(Isolation::Off);
    let preview = bench.plan(&set(&open)).await;
    assert_eq!(
        steps(&preview),
        [
            "record the environment shop",
            "delete ResourceQuota/styrmin in shop-space",
            "delete NetworkPolicy/styrmin-acme in shop-space",
            "delete NetworkPolicy/styrmin-default-deny in shop-space",
            "delete NetworkPolicy/styrmin-same-namespace in shop-space"
        ]
        .map(|name| name.split(" in ").next().unwrap()),
    );
    bench.well(set(&open)).await;
    assert_eq!(bench.names("NetworkPolicy", "shop-space").await, ["of-an-application", "theirs"]);
    assert!(bench.names("ResourceQuota", "shop-space").await.is_empty());

    let removal = Intent::RemoveEnvironment("shop".into());
    let preview = bench.plan(&removal).await;
    assert_eq!(
        (steps(&preview), preview.plan.class()),
        (vec!["remove the environment shop"], Class::Destructive)
    );
    bench.well(removal).await;
    assert_eq!(bench.said("shop").await, None);
    assert_eq!(bench.get(&key("Namespace", "", "shop-space")).await, None, "it can be made anew at once");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_of_others_stays_and_does_not_become_ours() {
    let bench = bench().await;
    bench.other_namespace("theirs").await;
    let wanted = Environment::new("guest", "sandbox", "theirs");
    warns(&bench.plan(&set(&wanted)).await, "the namespace theirs exists already");
    bench.well(set(&wanted)).await;
    let live = bench.get(&key("Namespace", "", "theirs")).await.unwrap();
    assert_eq!(live["metadata"]["labels"]["app.kubernetes.io/managed-by"], Value::Null);
    assert_eq!(bench.names("NetworkPolicy", "theirs").await.len(), 3);
    let removal = Intent::RemoveEnvironment("guest".into());
    assert_eq!(bench.plan(&removal).await.plan.steps.len(), 4, "the policies go one by one");
    bench.well(removal).await;
    let live = bench.get(&key("Namespace", "", "theirs")).await.unwrap();
    assert_eq!(live["metadata"]["deletionTimestamp"], Value::Null);
    assert!(bench.names("NetworkPolicy", "theirs").await.is_empty());
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applications_follow_what_is_said_of_their_environment() {
    let bench = bench().await;
    for name in ["one", "two"] {
        bench.deploy(bench.routed(name)).await;
        bench.until_running(name, 1).await;
    }
    assert!(bench.hosts("demo", "one-web").await.iter().all(|host| host.ends_with(".localhost")));
    let before = bench.said("demo").await.unwrap();
    let wanted = Environment { fqdn_suffix: Some("apps.localhost".into()), ..before.clone() };
    let preview = bench.plan(&set(&wanted)).await;
    let updates: Vec<&str> = steps(&preview)
        .into_iter()
        .filter(|step| step.starts_with("update ") && step.ends_with(" in demo"))
        .collect();
    assert_eq!(updates, ["update one in demo", "update two in demo"], "{}", preview.plan);
    warns(&preview, "one does not answer to one-web-demo.localhost");
    let shown = format!("{:?}", preview.diffs);
    assert!(shown.contains("one-web-demo.apps.localhost"), "{shown}");
    bench.well(set(&wanted)).await;
    for name in ["one", "two"] {
        bench.until_running(name, 2).await;
        let hosts = bench.hosts("demo", &format!("{name}-web")).await;
        assert!(hosts.contains(&format!("{name}-web-demo.apps.localhost")), "{hosts:?}");
        let newest = &bench.operations(name).await[0].operation;
        assert_eq!((newest.kind, newest.parent.is_some()), (OperationKind::Update, true));
        assert_eq!(bench.operations(name).await.len(), 2, "nothing was begun beside it");
    }

    // an allow-list reaches the routes as their controller understands it
    let mut guarded = bench.said("demo").await.unwrap();
    guarded.routing.kind = Some(RouteKind::Ingress);
    guarded.ip_whitelist = vec!["10.0.0.0/8".into()];
    tells(&bench.plan(&set(&guarded)).await, "routes: Ingress of class sandbox");
    bench.well(set(&guarded)).await;
    let ingress = bench.get(&key("Ingress", "demo", "one-web")).await.unwrap();
    assert_eq!(ingress["metadata"]["annotations"]["sandbox.styrmin.io/allow-list"], "10.0.0.0/8");

    // one that is stopped follows, and stays stopped
    let id = bench.recorded("two").await.unwrap().id;
    bench.confirm(Intent::Stop(id)).await;
    bench.until_ended("two", Succeeded, None).await;
    let production = Environment { production: true, ..bench.said("demo").await.unwrap() };
    warns(&bench.plan(&set(&production)).await, "demo is a production environment");
    bench.well(set(&production)).await;
    assert_eq!(bench.recorded("two").await.unwrap().phase, DesiredPhase::Stopped);
    let web = bench.get(&key("Deployment", "demo", "two")).await.unwrap();
    assert_eq!(web["spec"]["replicas"], 0);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_since_the_plan_was_seen_is_not_written_over() {
    let mut bench = bench().await;
    bench.deploy(bench.routed("one")).await;
    bench.until_running("one", 1).await;
    let before = bench.said("demo").await.unwrap();
    let wanted = Environment { fqdn_suffix: Some("x.localhost".into()), ..before.clone() };
    let hash = bench.plan(&set(&wanted)).await.plan.hash();
    let other = Environment { fqdn_suffix: Some("y.localhost".into()), ..before };
    bench.store.upsert_environment(&other).await.unwrap();
    let told = bench.engine.confirm(&set(&wanted), &hash, "anna@here").await.unwrap_err();
    assert!(told.to_string().contains("out of date"), "{told}");

    // and what changes between the confirmation and the step
    bench.end().await;
    let hash = bench.plan(&set(&wanted)).await.plan.hash();
    bench.engine.confirm(&set(&wanted), &hash, "anna@here").await.unwrap();
    let third = Environment { fqdn_suffix: Some("z.localhost".into()), ..other.clone() };
    bench.store.upsert_environment(&third).await.unwrap();
    bench.start();
    let ended = bench.configured(&hash).await;
    assert_eq!(ended.operation.state, Failed, "{ended:#?}");
    assert_eq!(bench.said("demo").await.unwrap(), third);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_in_the_plan() {
    let bench = bench().await;
    let demo = bench.said("demo").await.unwrap();
    let moved = Environment { namespace: "elsewhere".into(), ..demo.clone() };
    assert!(bench.refused(&set(&moved)).await.contains("stays in the namespace demo"));
    let class = Environment { ingress_class: Some("nothere".into()), ..demo.clone() };
    assert!(bench.refused(&set(&class)).await.contains("no ingress class 'nothere'"));
    let list = Environment { ip_whitelist: vec!["everywhere".into()], ..demo.clone() };
    assert!(bench.refused(&set(&list)).await.contains("everywhere"));
    let mut gateway = demo.clone();
    gateway.routing.kind = Some(RouteKind::HttpRoute);
    assert!(bench.refused(&set(&gateway)).await.contains("Gateway"));
    let missing = bench.refused(&Intent::RemoveEnvironment("nothere".into())).await;
    assert!(missing.contains("no environment 'nothere'"), "{missing}");
    bench.deploy(bench.routed("one")).await;
    bench.until_running("one", 1).await;
    let full = bench.refused(&Intent::RemoveEnvironment("demo".into())).await;
    assert!(full.contains("there are applications in it: one"), "{full}");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ingress_of_its_own_comes_first_and_goes_last() {
    let bench = bench().await;
    bench.deploy(bench.routed("one")).await;
    bench.until_running("one", 1).await;
    let demo = bench.said("demo").await.unwrap();
    let own = Environment { dedicated_ingress: Some(DedicatedIngress::default()), ..demo.clone() };
    let preview = bench.plan(&set(&own)).await;
    let order = |preview: &Preview, part: &str| {
        steps(preview)
            .iter()
            .position(|step| *step == part)
            .unwrap_or_else(|| panic!("{part}: {}", preview.plan))
    };
    assert!(order(&preview, "deploy ingress in demo") < order(&preview, "update one in demo"));
    assert!(preview.diffs.iter().any(|diff| diff.object.kind == "Deployment"), "Traefik is shown");
    let ended = bench.well(set(&own)).await;
    let at = |part: &str| {
        let plan = &ended.operation.plan.steps;
        ended.steps[plan.iter().position(|step| step.name == part).unwrap()].clone()
    };
    assert!(at("deploy ingress in demo").ended.unwrap() <= at("update one in demo").started.unwrap());
    let said = bench.said("demo").await.unwrap();
    assert_eq!(said.routing.via.as_ref().unwrap().class.as_deref(), Some("styrmin-demo"));
    let ingress = bench.get(&key("Ingress", "demo", "one-web")).await.unwrap();
    assert_eq!(ingress["metadata"]["annotations"]["kubernetes.io/ingress.class"], "styrmin-demo");
    let controller = bench.recorded("ingress").await.unwrap();
    assert_eq!(controller.draft.driver.name, "traefik");

    // where plain http is sent on to its https, that stays open
    let mut closed = controller.draft.clone();
    closed.parameters.insert("https".into(), json!(false));
    let closed = Intent::Change(controller.id, closed);
    bench.plan(&closed).await;
    let mut sending = said.clone();
    (sending.routing.tls, sending.routing.redirect) = (TlsSource::Controller, Some(true));
    bench.store.upsert_environment(&sending).await.unwrap();
    let told = bench.refused(&closed).await;
    assert!(told.contains("it does not serve https, and plain http would be sent on to it"), "{told}");
    bench.store.upsert_environment(&said).await.unwrap();

    // a clone has one of its own
    let request = CloneRequest {
        from: "demo".into(),
        to: "copy".into(),
        source: CloneSource::Empty,
        applications: Vec::new(),
        scale_down: false,
        fqdn_suffix: None,
    };
    let clone = bench.plan(&Intent::Clone(request)).await;
    assert_eq!(
        steps(&clone),
        ["make the environment copy", "deploy ingress in copy", "deploy one in copy"],
        "{}",
        clone.plan
    );
    tells(&clone, "routes: Ingress of class styrmin-copy");

    let shared = Environment { dedicated_ingress: None, ..said };
    let preview = bench.plan(&set(&shared)).await;
    assert!(order(&preview, "update one in demo") < order(&preview, "delete ingress in demo"));
    bench.well(set(&shared)).await;
    bench.until_settled("ingress", None).await;
    let ingress = bench.get(&key("Ingress", "demo", "one-web")).await.unwrap();
    assert_eq!(ingress["spec"]["ingressClassName"], "sandbox");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_takes_the_own_ingress_along() {
    let bench = bench().await;
    let mut wanted = Environment::new("shop", "sandbox", "shop");
    wanted.dedicated_ingress = Some(DedicatedIngress::default());
    bench.well(set(&wanted)).await;
    assert_eq!(bench.said("shop").await.unwrap().routing.via.unwrap().class.as_deref(), Some("styrmin-shop"));
    let cluster = bench.cluster.name().to_owned();
    assert!(bench.store.find_deployment(&cluster, "shop", "ingress").await.unwrap().is_some());
    let removal = Intent::RemoveEnvironment("shop".into());
    assert_eq!(steps(&bench.plan(&removal).await), ["delete ingress in shop", "remove the environment shop"]);
    bench.well(removal).await;
    assert_eq!(bench.store.find_deployment(&cluster, "shop", "ingress").await.unwrap(), None);
    assert_eq!(bench.said("shop").await, None);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_somebody_has_are_found_in_the_plan() {
    let bench = bench().await;
    bench.deploy(bench.routed("one")).await;
    bench.until_running("one", 1).await;
    let extra = |host: &str| DeploymentDraft {
        hosts: vec![ExtraHost { service: None, host: host.into() }],
        ..bench.routed("two")
    };
    // another application's
    let told = bench.refused(&Intent::Deploy(extra("one-web-demo.localhost"))).await;
    assert!(told.contains("two in demo cannot have the host one-web-demo.localhost"), "{told}");
    assert!(told.contains("one in demo answers to it"), "{told}");
    // somebody else's
    bench.other_namespace("old").await;
    let theirs = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "shop", "namespace": "old"},
        "spec": {"rules": [
            {"host": "shop.example.org", "http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": "x", "port": {"number": 80}}}}]}},
            {"host": "api.example.org", "http": {"paths": [{"path": "/v1", "pathType": "Prefix",
                "backend": {"service": {"name": "x", "port": {"number": 80}}}}]}},
            {"host": "*.wild.org", "http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": "x", "port": {"number": 80}}}}]}}]}});
    bench.cluster.apply(&theirs, ApplyOptions::default()).await.unwrap();
    let told = bench.refused(&Intent::Deploy(extra("shop.example.org"))).await;
    assert!(told.contains("Ingress/shop in the namespace old answers to it"), "{told}");
    warns(&bench.plan(&Intent::Deploy(extra("a.wild.org"))).await, "*.wild.org");
    bench.plan(&Intent::Deploy(extra("api.example.org"))).await;
    // a change, an environment, a clone
    bench.deploy(extra("mine.example.org")).await;
    bench.until_running("two", 1).await;
    let id = bench.recorded("two").await.unwrap().id;
    let told = bench.refused(&Intent::Change(id, extra("shop.example.org"))).await;
    assert!(told.contains("old answers to it"), "{told}");
    let mut taken = theirs.clone();
    taken["metadata"]["name"] = "second".into();
    taken["spec"]["rules"][0]["host"] = "one-web-demo.new.org".into();
    taken["spec"]["rules"].as_array_mut().unwrap().truncate(1);
    bench.cluster.apply(&taken, ApplyOptions::default()).await.unwrap();
    let demo = bench.said("demo").await.unwrap();
    let suffix = |suffix: &str| set(&Environment { fqdn_suffix: Some(suffix.into()), ..demo.clone() });
    let told = bench.refused(&suffix("new.org")).await;
    assert!(told.contains("one in demo cannot have the host one-web-demo.new.org"), "{told}");
    bench.plan(&suffix("fine.org")).await;
    taken["metadata"]["name"] = "third".into();
    taken["spec"]["rules"][0]["host"] = "one-web-copy.localhost".into();
    bench.cluster.apply(&taken, ApplyOptions::default()).await.unwrap();
    let clone = |to: &str| {
        Intent::Clone(CloneRequest {
            from: "demo".into(),
            to: to.into(),
            source: CloneSource::Empty,
            applications: Vec::new(),
            scale_down: false,
            fqdn_suffix: None,
        })
    };
    let told = bench.refused(&clone("copy")).await;
    assert!(told.contains("one in copy cannot have the host one-web-copy.localhost"), "{told}");
    warns(&bench.plan(&clone("other")).await, "mine.example.org stays with two in demo");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_on_a_cluster_follows_what_is_said_of_it() {
    let bench = bench().await;
    bench.deploy(bench.routed("one")).await;
    bench.until_running("one", 1).await;
    let record = bench.cluster_said().await;
    let wanted = ClusterRecord { fqdn_suffix: Some("example.localhost".into()), ..record.clone() };
    let intent = Intent::SetCluster(Box::new(wanted.clone()));
    let preview = bench.plan(&intent).await;
    assert_eq!(steps(&preview), ["record the cluster sandbox", "update one in demo"]);
    bench.well(intent).await;
    assert_eq!(bench.cluster_said().await, wanted);
    bench.until_running("one", 2).await;
    assert!(bench.hosts("demo", "one-web").await.contains(&"one-web-demo.example.localhost".to_owned()));
    let port = ClusterRecord { ingress_port: Some(1), ..wanted };
    let told = bench.refused(&Intent::SetCluster(Box::new(port))).await;
    assert!(told.contains("--ingress-port"), "{told}");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_into_a_new_environment_finds_out_who_answers() {
    let bench = bench().await;
    let draft = DeploymentDraft { environment: "fresh".into(), ..bench.routed("one") };
    let preview = bench.plan(&Intent::Deploy(draft.clone())).await;
    tells(&preview, "routes: Ingress of class sandbox (sandbox.styrmin.io/ingress)");
    bench.confirm(Intent::Deploy(draft)).await;
    let said = bench.said("fresh").await.unwrap();
    assert_eq!(said.routing.isolation, Some(Isolation::Inbound));
    assert_eq!(said.routing.via.unwrap().class.as_deref(), Some("sandbox"));
    bench.close().await;
}

/// Sets a suffix and an ingress of its own with an engine that dies at point `at`; gives the number of points that it passed.
async fn play(at: usize) -> usize {
    let mut bench = bench().await;
    bench.deploy(bench.routed("one")).await;
    bench.until_running("one", 1).await;
    bench.end().await;
    let demo = bench.said("demo").await.unwrap();
    let mut wanted = Environment {
        fqdn_suffix: Some("x.localhost".into()),
        dedicated_ingress: Some(DedicatedIngress::default()),
        ..demo
    };
    wanted.routing.isolation = Some(Isolation::Inbound);
    let hash = bench.plan(&set(&wanted)).await.plan.hash();
    bench.engine.confirm(&set(&wanted), &hash, "anna@here").await.unwrap();
    let guillotine = Arc::new(Guillotine::default());
    guillotine.at.store(at, Ordering::SeqCst);
    bench.start_mortal(&guillotine);
    if at > 0 {
        tokio::select! {
            () = guillotine.falls.notified() => {}
            _ = bench.configured(&hash) => {}
        }
        bench.kill().await;
        bench.reconnect().await;
    }
    let ended = bench.configured(&hash).await;
    assert_eq!(ended.operation.state, Succeeded, "killed at point {at}: {ended:#?}");
    bench.until_running("one", 2).await;
    bench.until_running("ingress", 1).await;
    assert!(bench.hosts("demo", "one-web").await.contains(&"one-web-demo.x.localhost".to_owned()));
    assert_eq!(bench.operations("one").await.len(), 2, "killed at point {at}: each part was begun once");
    assert_eq!(bench.operations("ingress").await.len(), 1, "killed at point {at}");
    let policies = bench.names("NetworkPolicy", "demo").await;
    assert!(policies.contains(&"styrmin-default-deny".to_owned()), "killed at point {at}: {policies:?}");
    let subject = Subject { cluster: "sandbox".into(), environment: "demo".into(), name: String::new() };
    assert_eq!(bench.store.operations_of(&subject, 10).await.unwrap().len(), 1);
    let passed = guillotine.passed.load(Ordering::SeqCst);
    bench.close().await;
    passed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_survives_a_crash() {
    let points = play(0).await;
    assert!(points > 20, "{points} points");
    // a real Traefik ends in an orderly way, which takes its time
    let stride = if std::env::var_os("STYRMIN_TRAEFIK").is_some() { 67 } else { 17 };
    for at in (2..=points).step_by(stride) {
        play(at).await;
    }
}
