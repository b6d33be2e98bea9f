//! From a draft to a running application, and what happens to it then.

use std::collections::BTreeMap;

use futures::StreamExt;
use jiff::Timestamp;
use serde_json::json;
use styrmin::cluster::{API_VERSION, Command, DeleteOptions, KIND, LogOptions};
use styrmin::domain::object::{Detail, ObjectSummary};
use styrmin::domain::plan::Verb;
use styrmin::domain::world::LogTarget;
use styrmin::domain::{DeploymentDraft, InstanceState, Intent, ObjectKey, Volumes};
use styrmin::ingress::probe::{Ask, probe};

use crate::bench::Bench;
use crate::support::{LIMIT, remove, until};

async fn deploys(bench: &Bench) {
    let draft = bench.draft("notes", "1.0.0");
    let intent = Intent::Deploy(draft);
    let preview = bench.engine.preview(&intent).await.unwrap();
    let plan = &preview.plan;
    let objects = plan.steps.iter().filter(|step| step.verb == Verb::Create);
    let kinds: Vec<&str> = objects.map(|step| step.object.as_ref().unwrap().kind.as_str()).collect();
    assert_eq!(kinds[0], "Namespace", "{plan}");
    assert!(kinds.contains(&"Deployment") && kinds.contains(&"StatefulSet"), "{plan}");
    assert_eq!(bench.engine.preview(&intent).await.unwrap().plan.hash(), plan.hash(), "a plan is stable");
    let problem = bench.engine.confirm(&intent, "another", "anna").await.unwrap_err();
    assert!(problem.what.contains("out of date"), "{problem}");
    assert!(bench.resource("notes").is_none());
    bench.engine.confirm(&intent, &plan.hash(), "anna").await.unwrap();
    let id = bench.recorded("notes").await.unwrap().id;
    bench.until_running("notes", 1).await;
    assert_eq!(bench.active(id).await.unwrap().number, 1);
    let resource = bench.resource("notes").unwrap();
    assert!(resource.has_finalizer());
    let ready: Vec<_> =
        resource.status.components.iter().map(|c| (c.name.as_str(), c.ready, c.desired)).collect();
    assert_eq!(ready, [("db", 1, 1), ("web", 1, 1)]);
    // Kubernetes 1.20 gives fields of a StatefulSet to its controller when that writes the status first: that is set right once.
    let counted = |resource: &styrmin::cluster::DeploymentResource| {
        resource.status.inventory.as_ref().is_some_and(|inventory| inventory.count >= 4)
    };
    bench.until_resource("notes", "its inventory is told", counted).await;
    let problem = bench.engine.preview(&intent).await.unwrap_err();
    assert!(problem.what.contains("exists already"), "{problem}");
}

fn web(bench: &Bench) -> ObjectKey {
    let objects = bench.cluster.index().objects_of(&bench.environment, "notes");
    objects.into_iter().find(|object| object.key.kind == "Deployment").unwrap().key
}

/// Somebody else writes a field of ours, as `kubectl edit` would.
async fn corrects_drift(bench: &Bench) {
    let key = web(bench);
    let before = bench.cluster.index().row(&key).unwrap();
    bench.edit(&key, "deployments", json!({"spec": {"replicas": 0}})).await;
    let index = bench.cluster.index();
    until(&bench.cluster, "the replicas are set right", || {
        let row = index.row(&key)?;
        let Detail::Workload(detail) = &row.summary.detail else { return None };
        let newer = row.summary.resource_version != before.summary.resource_version;
        (newer && detail.desired == 1 && row.owned == before.owned).then_some(())
    })
    .await;
    index.object(&key).unwrap();
    bench.until_running("notes", 1).await;
}

/// A deleted object comes back.
async fn restores_deleted(bench: &Bench) {
    let key = web(bench);
    let before = bench.cluster.index().object(&key).unwrap();
    bench.cluster.delete(&key, &DeleteOptions::default()).await.unwrap();
    let index = bench.cluster.index();
    until(&bench.cluster, "the deployment is back", || {
        index.object(&key).filter(|object| object.uid != before.uid).map(|_| ())
    })
    .await;
    bench.until_running("notes", 1).await;
}

/// Another client edits the custom resource.
async fn picks_up_edits(bench: &Bench) {
    let key = ObjectKey {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        namespace: bench.environment.clone(),
        name: "notes".to_owned(),
    };
    bench.edit(&key, "styrmindeployments", json!({"spec": {"applicationVersion": "1.1.0"}})).await;
    bench.until_running("notes", 2).await;
    let recorded = bench.recorded("notes").await.unwrap();
    assert_eq!(recorded.draft.application_version, "1.1.0");
    assert_eq!(recorded.revision, 2);
    let old = bench.store.instance(recorded.id, 1).await.unwrap().unwrap();
    assert_eq!(old.state, InstanceState::Superseded);
    let images = bench.cluster.index().object(&web(bench)).unwrap();
    let Detail::Workload(detail) = images.detail else { panic!("not a workload") };
    assert!(detail.images[0].ends_with(":1.1.0"), "{detail:?}");
}

async fn stops_and_starts(bench: &Bench) {
    let id = bench.recorded("notes").await.unwrap().id;
    bench.confirm(Intent::Stop(id)).await;
    bench
        .until_resource("notes", "it is stopped", |resource| {
            resource.status.phase.as_deref() == Some("Stopped")
                && resource.status.components.iter().all(|component| component.desired == 0)
        })
        .await;
    bench.confirm(Intent::Start(id)).await;
    bench.until_running("notes", 2).await;
}

async fn goes_away(bench: &Bench) {
    let id = bench.recorded("notes").await.unwrap().id;
    bench.confirm(Intent::Delete(id, Volumes::Keep)).await;
    let index = bench.cluster.index();
    until(&bench.cluster, "the custom resource is gone", || bench.resource("notes").is_none().then_some(()))
        .await;
    let left = index.inventory(&bench.environment, "notes");
    assert!(left.iter().all(|row| row.summary.key.kind == "PersistentVolumeClaim"), "{left:?}");
    let mut recorded = bench.store.changes();
    while bench.recorded("notes").await.is_some() {
        recorded.changed().await.unwrap();
    }
}

async fn lives(bench: &Bench) {
    deploys(bench).await;
    corrects_drift(bench).await;
    restores_deleted(bench).await;
    picks_up_edits(bench).await;
    stops_and_starts(bench).await;
    goes_away(bench).await;
    assert_eq!(bench.engine.problems(), Default::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_lives_on_the_sandbox() {
    let bench = Bench::on_sandbox().await;
    lives(&bench).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_lives_on_a_real_cluster() {
    let Some(bench) = Bench::on_real_cluster("lives").await else { return };
    lives(&bench).await;
    remove(&bench.cluster, &bench.environment).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settled_application_costs_nothing_even_after_a_restart() {
    let mut bench = Bench::on_sandbox().await;
    bench.deploy(bench.draft("notes", "1.0.0")).await;
    bench.until_running("notes", 1).await;
    bench.until_all_is_told("notes").await;
    bench.end().await;
    let (requests, writes) = (bench.requests(), bench.writes());
    assert!(writes > 5, "the deployment itself was counted");
    let version = bench.resource("notes").unwrap().resource_version.clone();
    bench.restart().await;
    bench.engine.idle().wait_for(|idle| *idle).await.unwrap();
    assert_eq!(bench.requests(), requests, "nothing is sent when the memory of the engine is lost");
    bench.reconnect().await;
    bench.until_resource("notes", "it is known again", |_| true).await;
    let index = bench.cluster.index();
    until(&bench.cluster, "the namespace is known again", || index.is_complete("demo").then_some(())).await;
    bench.engine.idle().wait_for(|idle| *idle).await.unwrap();
    assert!(bench.requests() > requests, "a new process lists once");
    assert_eq!(bench.writes(), writes, "and writes nothing");
    assert_eq!(bench.resource("notes").unwrap().resource_version, version);
    bench.close().await;
}

/// The name and the process of the only pod of a component.
fn pod(bench: &Bench, component: &str) -> ObjectSummary {
    let selector = BTreeMap::from([("app.kubernetes.io/component".to_owned(), component.to_owned())]);
    let pods = bench.cluster.index().pods_of(&bench.environment, &selector);
    assert_eq!(pods.len(), 1, "{pods:?}");
    pods.into_iter().next().unwrap()
}

/// The process of a pod of the sandbox, found by the host name in its environment.
fn process(pod: &str) -> rustix::process::Pid {
    let wanted = format!("HOSTNAME={pod}");
    let found = std::fs::read_dir("/proc").unwrap().find_map(|entry| {
        let entry = entry.unwrap();
        let number: i32 = entry.file_name().to_str()?.parse().ok()?;
        let environment = std::fs::read(entry.path().join("environ")).ok()?;
        let ours = environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes());
        ours.then_some(number)
    });
    rustix::process::Pid::from_raw(found.expect("the pod has a process")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_answers_and_survives_the_death_of_its_process() {
    let bench = Bench::on_sandbox().await;
    bench.deploy(bench.draft("notes", "1.0.0")).await;
    bench.until_running("notes", 1).await;
    let urls = bench.resource("notes").unwrap().status.urls.clone();
    assert_eq!(urls.len(), 1, "{urls:?}");
    let answer = probe(&Ask::new(&urls[0], LIMIT), Timestamp::UNIX_EPOCH).await;
    assert!(answer.works(), "{urls:?}: {answer:?}");

    let web = pod(&bench, "web");
    let target = LogTarget { namespace: "demo".into(), pod: web.key.name.clone(), container: "web".into() };
    let mut lines = std::pin::pin!(bench.cluster.logs(target.clone(), LogOptions::default()));
    // what it says on standard error may come before what it says on standard output
    let greeted = async { while !lines.next().await.unwrap().unwrap().contains("notes-web 1.0.0 on") {} };
    tokio::time::timeout(LIMIT, greeted).await.expect("its first line");

    let argv = ["sh", "-c", "cat; echo bad >&2; exit 3"];
    let command = Command { stdin: Some(b"good".to_vec()), ..Command::new(argv) };
    let executed = bench.cluster.exec(&target, command, None).await.unwrap();
    assert_eq!((executed.code(), executed.is_truncated()), (Some(3), false));
    assert_eq!((executed.stdout.text(), executed.stderr.text()), ("good".to_owned(), "bad\n".to_owned()));

    rustix::process::kill_process(process(&web.key.name), rustix::process::Signal::KILL).unwrap();
    let index = bench.cluster.index();
    until(&bench.cluster, "the restart shows", || {
        let Detail::Pod(detail) = index.object(&web.key)?.detail else { return None };
        (detail.containers[0].restarts == 1).then_some(())
    })
    .await;
    bench.until_running("notes", 1).await;
    let again = async {
        loop {
            // The restarted process writes a first line of its own: the log goes on by itself.
            if lines.next().await.unwrap().unwrap().contains("notes-web 1.0.0 on") {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, again).await.expect("its first line, once more");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_wish_overtakes_an_upgrade_that_hangs() {
    let bench = Bench::on_sandbox().await;
    let id = bench.deploy(bench.draft("notes", "1.0.0")).await;
    bench.until_running("notes", 1).await;
    let key = ObjectKey {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        namespace: "demo".to_owned(),
        name: "notes".to_owned(),
    };
    bench.edit(&key, "styrmindeployments", json!({"spec": {"applicationVersion": "1.2.0-broken"}})).await;
    bench
        .until_resource("notes", "the broken version is waited for", |resource| {
            resource.status.instance == Some(2) && resource.status.phase.as_deref() == Some("Applying")
        })
        .await;
    assert_eq!(bench.active(id).await.unwrap().number, 1, "the old one stays active");
    bench.edit(&key, "styrmindeployments", json!({"spec": {"applicationVersion": "1.0.0"}})).await;
    bench.until_running("notes", 3).await;
    assert_eq!(bench.active(id).await.unwrap().application_version, "1.0.0");
    let broken = bench.store.instance(id, 2).await.unwrap().unwrap();
    assert_eq!(broken.state, InstanceState::Superseded);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_deployed_is_refused_with_the_reason() {
    let bench = Bench::on_sandbox().await;
    let refused = async |change: &dyn Fn(&mut DeploymentDraft)| {
        let mut draft = bench.draft("notes", "1.0.0");
        change(&mut draft);
        bench.engine.preview(&Intent::Deploy(draft)).await.unwrap_err().to_string()
    };
    assert!(refused(&|draft| draft.name = "Notes".into()).await.contains("cannot name the deployment"));
    assert!(refused(&|draft| draft.environment = "No".into()).await.contains("cannot name the environment"));
    assert!(refused(&|draft| draft.application_version = "9.0".into()).await.contains(">=1.0,<2.0"));
    assert!(refused(&|draft| draft.driver.name = "nothing".into()).await.contains("there is no driver"));
    let wrong = refused(&|draft| drop(draft.parameters.insert("replicas".into(), json!(9))));
    assert!(wrong.await.contains("replicas"));
    bench.deploy(bench.draft("notes", "1.0.0")).await;
    bench.until_running("notes", 1).await;
    let second = bench.engine.preview(&Intent::Deploy(bench.draft("blog", "1.0.0"))).await.unwrap().plan;
    assert!(second.steps.iter().filter(|item| item.verb == Verb::Create).count() > 3, "{second:?}");
    assert_eq!(second.steps[0].verb, Verb::Unchanged, "the namespace is there");
    let taken = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop-notes", "namespace": "demo"},
        "spec": {"ports": [{"port": 9999, "name": "http"}], "selector": {"app": "other"}}});
    bench.create("services", taken).await;
    let conflict = refused(&|draft| draft.name = "shop".into()).await;
    assert!(conflict.contains("kubectl-create") && conflict.contains(".spec"), "{conflict}");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_records_are_rebuilt_from_the_cluster() {
    let mut bench = Bench::on_sandbox().await;
    let id = bench.deploy(bench.draft("notes", "1.0.0")).await;
    bench.until_running("notes", 1).await;
    let before = bench.store.deployment(id).await.unwrap().unwrap();
    bench.lose_records().await;
    let mut recorded = bench.store.changes();
    let after = loop {
        if let Some(found) = bench.recorded("notes").await {
            break found;
        }
        recorded.changed().await.unwrap();
    };
    assert_eq!((after.uid, after.draft), (before.uid, before.draft));
    bench.until_running("notes", 1).await;
    bench.close().await;
}
