//! What people do to an application that runs, and rollouts that will not finish.

use serde_json::{Value, json};
use styrmin::domain::operation::OperationState::{Cancelled, Failed, PartiallyFailed, Succeeded, Superseded};
use styrmin::domain::plan::Class;
use styrmin::domain::{
    Environment, InstanceState, Intent, ObjectKey, OperationKind, OperationView, StepState, Volumes,
};

use crate::bench::Bench;
use crate::rig::{YARD, deployed, key};
use crate::support::until;

fn web() -> ObjectKey {
    key("Deployment", "yard-web")
}

async fn replicas(bench: &Bench, key: &ObjectKey) -> Value {
    bench.live(key).await.unwrap()["spec"]["replicas"].clone()
}

/// The uids of the pods of a component that are not on their way out.
fn pods(bench: &Bench, part: &str) -> Vec<String> {
    let objects = bench.cluster.index().objects_of("demo", YARD);
    let pods = objects.iter().filter(|object| object.key.kind == "Pod" && !object.deleting);
    pods.filter(|pod| pod.labels.get("part").is_some_and(|label| label == part))
        .map(|pod| pod.uid.clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_is_scaled_and_goes_back_to_what_its_driver_says() {
    let bench = deployed().await;
    let id = bench.id.unwrap();
    for (wanted, found, instance) in [(Some(3), 3, 2), (None, 1, 3)] {
        bench.confirm(Intent::Scale(id, "web".to_owned(), wanted)).await;
        let done = bench.until_ended(YARD, Succeeded, Some(instance)).await;
        assert_eq!(done.operation.kind, OperationKind::Scale);
        bench.until_running(YARD, instance).await;
        assert_eq!(replicas(&bench, &web()).await, found);
        assert_eq!(replicas(&bench, &key("Deployment", "yard-db")).await, 1, "the other component stays");
    }
    let draft = bench.recorded(YARD).await.unwrap().draft;
    assert!(draft.components.is_empty(), "nothing is overridden any more: {draft:?}");
    let unknown = Intent::Scale(id, "cache".to_owned(), Some(2));
    let refused = bench.engine.preview(&unknown).await.unwrap_err().to_string();
    assert!(refused.contains("no component 'cache'") && refused.contains("db, web"), "{refused}");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_replaces_the_pods_of_its_component_only() {
    let bench = deployed().await;
    // that it runs is told by its workloads: its pods come by another watch
    let before = until(&bench.cluster, "each component has one pod", || {
        let found = (pods(&bench, "web"), pods(&bench, "db"));
        ((found.0.len(), found.1.len()) == (1, 1)).then_some(found)
    })
    .await;
    bench.confirm(Intent::Restart(bench.id.unwrap(), vec!["web".to_owned()])).await;
    bench.until_ended(YARD, Succeeded, None).await;
    until(&bench.cluster, "another web pod runs", || {
        let now = pods(&bench, "web");
        (now.len() == 1 && now != before.0).then_some(())
    })
    .await;
    assert_eq!(pods(&bench, "db"), before.1);
    bench.until_running(YARD, 1).await;
    bench.until_idle().await;
    let last = bench.operations(YARD).await.remove(0).operation;
    assert_eq!(last.kind, OperationKind::Restart, "what it leaves on the object is no drift");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_makes_a_new_instance_that_equals_the_old_one() {
    let bench = deployed().await;
    let id = bench.id.unwrap();
    bench.confirm(bench.change(&[("text", json!("worse")), ("extra", json!("more"))])).await;
    bench.until_running(YARD, 2).await;
    assert!(!bench.engine.compare_instances(id, 1, 2).await.unwrap().is_empty());
    bench.confirm(Intent::Rollback(id, 1)).await;
    let done = bench.until_ended(YARD, Succeeded, Some(3)).await;
    assert_eq!(done.operation.kind, OperationKind::Rollback);
    bench.until_running(YARD, 3).await;
    assert_eq!(bench.engine.compare_instances(id, 1, 3).await.unwrap(), []);
    let instances = bench.store.instances(id).await.unwrap();
    let states: Vec<_> = instances.iter().map(|instance| (instance.number, instance.state)).collect();
    let mut wanted =
        vec![(1, InstanceState::Superseded), (2, InstanceState::Superseded), (3, InstanceState::Active)];
    if states.first().is_some_and(|(number, _)| *number == 3) {
        wanted.reverse();
    }
    assert_eq!(states, wanted);
    assert_eq!(bench.live(&key("ConfigMap", YARD)).await.unwrap()["data"]["text"], "hello");
    assert_eq!(bench.live(&key("ConfigMap", "more")).await, None, "what only the newer one had is gone");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stops_and_starts_with_its_numbers_kept() {
    let bench = deployed().await;
    let id = bench.id.unwrap();
    bench.confirm(Intent::Scale(id, "web".to_owned(), Some(2))).await;
    bench.until_running(YARD, 2).await;
    bench.confirm(Intent::Stop(id)).await;
    let stopped =
        |known: &styrmin::cluster::DeploymentResource| known.status.phase.as_deref() == Some("Stopped");
    bench.until_resource(YARD, "it is stopped", stopped).await;
    until(&bench.cluster, "no pod is left", || {
        (pods(&bench, "web").is_empty() && pods(&bench, "db").is_empty()).then_some(())
    })
    .await;
    let again = bench.engine.preview(&Intent::Stop(id)).await.unwrap_err().to_string();
    assert!(again.contains("is to be stopped already"), "{again}");
    let start = bench.engine.preview(&Intent::Start(id)).await.unwrap().plan;
    assert_eq!(start.class(), Class::Safe, "what stands still does not stop answering: {start}");
    bench.confirm(Intent::Start(id)).await;
    bench.until_running(YARD, 2).await;
    assert_eq!(replicas(&bench, &web()).await, 2);
    assert!(bench.live(&key("PersistentVolumeClaim", "yard-data")).await.is_some());
    bench.close().await;
}

/// Waits until the web component of an instance is waited for, or was: where the patience is short, that may be over already.
async fn until_waiting(bench: &Bench, instance: u32) -> OperationView {
    let waits = |view: &OperationView| {
        let mut steps = view.operation.plan.steps.iter().zip(&view.steps);
        let started = |name: &str, state: StepState| {
            name == "wait Deployment/yard-web" && (state == StepState::Started || state.is_final())
        };
        view.operation.goal.instance == Some(instance)
            && steps.any(|(step, record)| started(&step.name, record.state))
    };
    bench.until_operation(YARD, "the rollout is waited for", waits).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cancelled_says_what_is_left_and_can_be_taken_up_again() {
    let bench = deployed().await;
    let id = bench.id.unwrap();
    bench.confirm(bench.change(&[("scene", json!("not-ready"))])).await;
    let running = until_waiting(&bench, 2).await;
    bench.engine.cancel(running.operation.id, "anna@here").await.unwrap();
    let ended = bench.until_ended(YARD, Cancelled, Some(2)).await;
    let problem = ended.operation.problem.unwrap();
    assert!(problem.why.contains("anna@here asked for it"), "{problem}");
    assert!(problem.why.contains("'make the instance the active one'"), "what is left is said: {problem}");
    bench.until_resource(YARD, "it failed", |known| known.status.phase.as_deref() == Some("Failed")).await;
    assert_eq!(bench.active(id).await.unwrap().number, 1);
    let error = bench.engine.cancel(running.operation.id, "anna@here").await.unwrap_err().to_string();
    assert!(error.contains("it has ended: Cancelled"), "{error}");
    bench.until_idle().await;
    assert_eq!(bench.operations(YARD).await.len(), 2, "nothing is done by itself after a cancel");
    bench.confirm(Intent::Rollback(id, 1)).await;
    bench.until_running(YARD, 3).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_wish_takes_the_place_of_one_that_waits() {
    let bench = deployed().await;
    bench.confirm(bench.change(&[("scene", json!("not-ready"))])).await;
    let hanging = until_waiting(&bench, 2).await;
    bench.confirm(bench.change(&[("text", json!("newest"))])).await;
    bench.until_running(YARD, 3).await;
    let older = bench.store.operation(hanging.operation.id).await.unwrap().unwrap();
    assert_eq!(older.operation.state, Superseded);
    assert!(older.steps.iter().all(|step| step.state.is_final()), "{older:#?}");
    bench.until_idle().await;
    assert_eq!(bench.operations(YARD).await[0].operation.state, Succeeded);
    assert_eq!(bench.live(&key("ConfigMap", YARD)).await.unwrap()["data"]["text"], "newest");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_wish_takes_the_place_of_one_that_nobody_carries_on() {
    let mut bench = deployed().await;
    bench.confirm(bench.change(&[("scene", json!("not-ready"))])).await;
    let hanging = until_waiting(&bench, 2).await;
    bench.end().await;
    bench.confirm(bench.change(&[("text", json!("newest"))])).await;
    bench.reconnect().await;
    bench.until_running(YARD, 3).await;
    let older = bench.store.operation(hanging.operation.id).await.unwrap().unwrap();
    assert_eq!(older.operation.state, Superseded, "it ended before the newer one began");
    assert_eq!(bench.until_ended(YARD, Succeeded, Some(3)).await.operation.kind, OperationKind::Update);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn volumes_go_only_when_that_was_asked_for() {
    for (volumes, class, stays) in
        [(Volumes::Keep, Class::Disruptive, true), (Volumes::Delete, Class::Destructive, false)]
    {
        let bench = deployed().await;
        let claim = key("PersistentVolumeClaim", "yard-data");
        let intent = Intent::Delete(bench.id.unwrap(), volumes);
        let plan = bench.engine.preview(&intent).await.unwrap().plan;
        assert_eq!(plan.class(), class, "{plan}");
        let named = plan.steps.iter().any(|step| step.object.as_ref() == Some(&claim));
        assert_eq!(named, !stays, "{plan}");
        bench.confirm(intent).await;
        bench.until_settled(YARD, None).await;
        let index = bench.cluster.index();
        until(&bench.cluster, "the claim is as it was asked for", || {
            (index.object(&claim).is_some() == stays).then_some(())
        })
        .await;
        let left = index.inventory("demo", YARD);
        assert!(left.iter().all(|row| row.summary.key == claim), "{left:?}");
        bench.close().await;
    }
}

/// Rollouts that will not finish: the parameters, and the cause that is told.
fn hopeless() -> [(Value, &'static str); 4] {
    [
        (json!({"scene": "crash-loop"}), "CrashLoopBackOff"),
        (json!({"scene": "image-pull-error"}), "ImagePull"),
        (json!({"node": "nowhere"}), "Unschedulable"),
        (json!({"scene": "not-ready", "patience": 1}), "progress"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_that_will_not_finish_is_given_up_early_and_rolled_back() {
    for (parameters, cause) in hopeless() {
        let bench = deployed().await;
        let id = bench.id.unwrap();
        let parameters: Vec<_> = parameters.as_object().unwrap().clone().into_iter().collect();
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        bench.confirm(bench.change(&parameters)).await;
        let hanging = until_waiting(&bench, 2).await;
        let is_told = |object: &styrmin::domain::ObjectSummary| {
            let mut causes = object.verdict.causes.iter();
            causes.any(|known| known.reason.contains(cause) || known.message.contains(cause))
        };
        until(&bench.cluster, cause, || {
            bench.cluster.index().objects_of("demo", YARD).iter().any(is_told).then_some(())
        })
        .await;
        // a container that ends again and again runs in between: then the next look is the first one
        for _ in 0..4 {
            bench.is_looked_at(YARD).await;
            bench.clock.advance(60);
        }
        bench.is_looked_at(YARD).await;
        let ended = bench
            .until_operation(YARD, "it is given up", |view| {
                view.operation.id == hanging.operation.id && view.operation.state.is_final()
            })
            .await;
        assert!(matches!(ended.operation.state, Failed | PartiallyFailed), "{cause}: {ended:#?}");
        let (state, problem) = bench.step(YARD, "wait Deployment/yard-web").await;
        assert_eq!(state, StepState::Failed);
        assert!(problem.contains("Deployment/yard-web will not become healthy by itself"), "{problem}");
        assert!(problem.contains(cause) && problem.contains("roll back"), "{cause}: {problem}");
        bench.until_condition(YARD, "Stalled", "True", cause).await;
        assert_eq!(bench.active(id).await.unwrap().number, 1, "the old instance stays active");
        bench.confirm(Intent::Rollback(id, 1)).await;
        bench.until_running(YARD, 3).await;
        let failed = bench.store.instance(id, 2).await.unwrap().unwrap();
        assert_eq!(failed.state, InstanceState::Failed, "{cause}");
        assert!(failed.message.unwrap_or_default().contains(cause), "{cause}");
        bench.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_brings_its_labels_and_its_quota() {
    let bench = Bench::with_driver(crate::yard::driver()).await;
    let mut environment = Environment::new("demo", bench.cluster.name(), "demo");
    environment.labels.insert("team".to_owned(), "blue".to_owned());
    environment.quota.insert("pods".to_owned(), "40".to_owned());
    bench.store.upsert_environment(&environment).await.unwrap();
    let plan = bench.engine.preview(&Intent::Deploy(bench.yard(&[]))).await.unwrap().plan;
    assert!(plan.to_string().contains("+ create ResourceQuota/styrmin"), "{plan}");
    bench.deploy(bench.yard(&[])).await;
    bench.until_running(YARD, 1).await;
    let space =
        bench.live(&ObjectKey { namespace: String::new(), ..key("Namespace", "demo") }).await.unwrap();
    let labels = &space["metadata"]["labels"];
    assert_eq!((&labels["team"], &labels["styrmin.io/environment"]), (&json!("blue"), &json!("demo")));
    let quota = bench.live(&key("ResourceQuota", "styrmin")).await.unwrap();
    assert_eq!(quota["spec"]["hard"], json!({"pods": "40"}));
    bench.close().await;
}
