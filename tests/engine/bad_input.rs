//! Bad input: each is refused or fails with a clear message on the right object, and leaves the other branches unharmed.

use serde_json::{Value, json};
use styrmin::domain::operation::OperationState::{Failed, PartiallyFailed, Stale, Succeeded};
use styrmin::domain::plan::{Class, Verb};
use styrmin::domain::{DeploymentDraft, DriftMode, DriverRef, Intent, ObjectKey, Resolution, StepState};

use crate::bench::Bench;
use crate::rig::{YARD, deployed, key, step_of};
use crate::support::until;

fn config_map(name: &str, text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "demo"},
        "data": {"text": text}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_appears_after_the_plan_was_made_is_not_taken_over() {
    let mut bench = deployed().await;
    bench.end().await;
    bench.confirm(bench.change(&[("extra", json!("late")), ("port", json!(81))])).await;
    bench.create("configmaps", config_map("late", "theirs")).await;
    bench.start();
    let ended = bench.until_ended(YARD, Stale, Some(2)).await;
    let problem = ended.operation.problem.unwrap().to_string();
    assert!(problem.contains("ConfigMap/late exists already"), "{problem}");
    assert_eq!(bench.step(YARD, "update Service/yard").await.0, StepState::Succeeded, "another branch");
    bench.until_problem(YARD, "ConfigMap/late exists already").await;
    assert_eq!(bench.managers(&key("ConfigMap", "late"), "/f:data/f:text").await, ["kubectl-create"]);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_is_gone_is_named_and_nothing_is_touched() {
    let mut bench = deployed().await;
    let id = bench.id.unwrap();
    let newer = DeploymentDraft {
        driver: DriverRef { version: "2.0.0".to_owned(), ..crate::yard::reference() },
        ..bench.yard(&[])
    };
    let refused = bench.engine.preview(&Intent::Change(id, newer)).await.unwrap_err().to_string();
    assert!(refused.contains("there is no driver yard 2.0.0") && refused.contains("load it"), "{refused}");
    let before = bench.live(&key("Deployment", "yard-web")).await.unwrap();
    let loaded = std::mem::take(&mut bench.drivers);
    bench.lose_records().await;
    let told = bench.until_problem(YARD, "there is no driver yard 1.0.0").await;
    assert!(told.next.contains("load it"), "{told}");
    assert_eq!(bench.live(&key("Deployment", "yard-web")).await.unwrap(), before);
    bench.store.record_driver(&loaded[0]).await.unwrap();
    bench.advance(YARD, 60).await;
    bench.until_settled(YARD, Some(1)).await;
    bench.until_running(YARD, 1).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_deployments_that_want_one_object_are_told_whose_it_is() {
    let bench = deployed().await;
    bench.confirm(bench.change(&[("extra", json!("shared"))])).await;
    bench.until_running(YARD, 2).await;
    let second = DeploymentDraft { name: "barn".to_owned(), ..bench.yard(&[("extra", json!("shared"))]) };
    let refused = bench.engine.preview(&Intent::Deploy(second.clone())).await.unwrap_err().to_string();
    assert!(refused.contains("ConfigMap/shared belongs to the deployment 'yard'"), "{refused}");
    bench.deploy(DeploymentDraft { parameters: Default::default(), ..second }).await;
    bench.until_running("barn", 1).await;
    // nobody asks the server when a custom resource is edited: it is found out by the step
    let edit = json!({"spec": {"parameters": {"extra": "shared", "text": "barn"}}});
    bench.edit(&key(styrmin::cluster::KIND, "barn"), "styrmindeployments", edit).await;
    let ended = bench.until_first_ended("barn", PartiallyFailed, 2).await;
    let (state, problem) = step_of(&ended, "adopt ConfigMap/shared");
    assert_eq!(state, StepState::Failed);
    assert!(problem.contains("ConfigMap/shared belongs to the deployment 'yard'"), "{problem}");
    assert_eq!(step_of(&ended, "update ConfigMap/barn").0, StepState::Succeeded);
    bench.until_condition("barn", "Stalled", "True", "belongs to the deployment 'yard'").await;
    let shared = bench.live(&key("ConfigMap", "shared")).await.unwrap();
    assert_eq!(shared["data"]["text"], "hello", "it is still the first one's");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_are_too_long_are_refused_with_the_limit() {
    let bench = Bench::with_driver(crate::yard::driver()).await;
    let named = |length: usize| DeploymentDraft { name: "n".repeat(length), ..bench.yard(&[]) };
    let refused = bench.engine.preview(&Intent::Deploy(named(41))).await.unwrap_err().to_string();
    assert!(
        refused.contains("too long") && refused.contains("it has 41 characters, the limit is 40"),
        "{refused}"
    );
    let place = DeploymentDraft { environment: "e".repeat(64), ..bench.yard(&[]) };
    let refused = bench.engine.preview(&Intent::Deploy(place)).await.unwrap_err().to_string();
    assert!(refused.contains("cannot name the environment") && refused.contains("63"), "{refused}");
    bench.deploy(named(40)).await;
    bench.until_running(&"n".repeat(40), 1).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_tool_made_is_adopted_as_a_step_or_refused() {
    let bench = deployed().await;
    bench.create("configmaps", config_map("theirs", "hello")).await;
    let intent = bench.change(&[("extra", json!("theirs"))]);
    let plan = bench.engine.preview(&intent).await.unwrap().plan;
    let adopted = plan.steps.iter().find(|step| step.verb == Verb::Adopt).unwrap();
    assert_eq!(adopted.name, "adopt ConfigMap/theirs", "{plan}");
    assert!(
        plan.warnings.iter().any(|warning| warning.contains("ConfigMap/theirs exists already")),
        "{plan}"
    );
    bench.confirm(intent).await;
    bench.until_running(YARD, 2).await;
    let owners = bench.managers(&key("ConfigMap", "theirs"), "/f:data/f:text").await;
    assert_eq!(owners, ["kubectl-create", "styrmin"]);
    // one that says something else is not overwritten by the way
    bench.create("configmaps", config_map("other", "not hello")).await;
    let refused = bench.engine.preview(&bench.change(&[("extra", json!("other"))])).await.unwrap_err();
    let words = refused.to_string();
    for part in ["kubectl-create", ".data.text", "another tool made it"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    bench.close().await;
}

/// Who has a contested field at the end, and what it says.
const RESOLVED: [(Resolution, &str, &[&str]); 3] = [
    (Resolution::Take, "ours", &["styrmin"]),
    (Resolution::Yield, "theirs", &["kubectl-edit"]),
    (Resolution::Share, "theirs", &["kubectl-edit", "styrmin"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contested_field_goes_where_a_person_says() {
    for (resolution, text, owners) in RESOLVED {
        let bench = deployed().await;
        let config = key("ConfigMap", YARD);
        let tolerant = DeploymentDraft { drift: Some(DriftMode::Warn), ..bench.yard(&[]) };
        bench.confirm(Intent::Change(bench.id.unwrap(), tolerant)).await;
        bench.until_ended(YARD, Succeeded, None).await;
        bench.patch(&config, "kubectl-edit", json!({"data": {"text": "theirs"}})).await;
        bench.edit_parameters(json!({"text": "ours"})).await;
        bench.until_problem(YARD, "kubectl-edit").await;
        let intent = Intent::Resolve(bench.id.unwrap(), config.clone(), resolution);
        let plan = bench.engine.preview(&intent).await.unwrap().plan;
        assert!(plan.to_string().contains(".data.text (kubectl-edit)"), "{plan}");
        bench.confirm(intent).await;
        bench.until_ended(YARD, Succeeded, Some(2)).await;
        bench.until_running(YARD, 2).await;
        let live = bench.live(&config).await.unwrap();
        assert_eq!(live["data"]["text"], text, "{resolution:?}");
        assert_eq!(bench.managers(&config, "/f:data/f:text").await, owners, "{resolution:?}");
        // it holds for what comes after, and a preview says so too
        bench.confirm(bench.change(&[("text", json!("later"))])).await;
        bench.until_running(YARD, 3).await;
        let later = if resolution == Resolution::Take { "later" } else { text };
        assert_eq!(bench.live(&config).await.unwrap()["data"]["text"], later, "{resolution:?}");
        bench.close().await;
    }
}

/// Changes that the server refuses in place: the parameter, its first and second value, and the object.
fn immutable() -> [(&'static str, Value, Value, ObjectKey); 3] {
    [
        ("headless", json!(false), json!(true), key("Service", YARD)),
        ("job", json!("one"), json!("two"), key("Job", "yard-job")),
        ("generation", json!("a"), json!("b"), key("Deployment", "yard-web")),
    ]
}

async fn uid(bench: &Bench, key: &ObjectKey) -> String {
    bench.live(key).await.unwrap()["metadata"]["uid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_changed_in_place_is_offered_as_a_replacement() {
    for (parameter, before, after, object) in immutable() {
        let bench = deployed().await;
        bench.confirm(bench.change(&[(parameter, before)])).await;
        bench.until_ended(YARD, Succeeded, None).await;
        bench.until_resource(YARD, "it runs", |known| known.status.phase.as_deref() == Some("Running")).await;
        let (old, database) = (uid(&bench, &object).await, uid(&bench, &key("Deployment", "yard-db")).await);
        let intent = bench.change(&[(parameter, after)]);
        let plan = bench.engine.preview(&intent).await.unwrap().plan;
        let replaced: Vec<_> = plan.steps.iter().filter(|step| step.verb == Verb::Replace).collect();
        assert_eq!(replaced.len(), 1, "{plan}");
        assert_eq!((replaced[0].object.as_ref(), replaced[0].class), (Some(&object), Class::Destructive));
        let warned =
            plan.warnings.iter().any(|text| text.contains(&format!("{object} cannot be changed in place")));
        assert!(warned && plan.class() == Class::Destructive, "{plan}");
        bench.confirm(intent).await;
        let ended = bench.until_ended(YARD, Succeeded, None).await;
        assert_eq!(ended.operation.plan_hash, plan.hash(), "what was shown is what ran");
        assert_ne!(uid(&bench, &object).await, old, "{parameter}: it was created anew");
        assert_eq!(uid(&bench, &key("Deployment", "yard-db")).await, database, "nothing else was");
        bench.until_resource(YARD, "it runs", |known| known.status.phase.as_deref() == Some("Running")).await;
        bench.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replacement_that_nobody_confirmed_is_not_made() {
    let bench = deployed().await;
    let web = key("Deployment", "yard-web");
    let before = uid(&bench, &web).await;
    bench.edit_parameters(json!({"generation": "b", "text": "newer"})).await;
    let ended = bench.until_first_ended(YARD, PartiallyFailed, 2).await;
    let (state, problem) = step_of(&ended, "update Deployment/yard-web");
    assert_eq!(state, StepState::Failed);
    assert!(problem.contains("field is immutable") && problem.contains("from the cockpit"), "{problem}");
    assert_eq!(step_of(&ended, "update ConfigMap/yard").0, StepState::Succeeded);
    bench.until_condition(YARD, "Stalled", "True", "field is immutable").await;
    assert_eq!(uid(&bench, &web).await, before);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_refuses_is_named_and_the_rest_is_done() {
    let bench = deployed().await;
    let broken = bench.change(&[("broken", json!(true))]);
    let refused = bench.engine.preview(&broken).await.unwrap_err().to_string();
    assert!(refused.contains("Service/yard-broken") && refused.contains("spec.ports[0].port"), "{refused}");
    bench.edit_parameters(json!({"broken": true, "text": "newer"})).await;
    let ended = bench.until_first_ended(YARD, PartiallyFailed, 2).await;
    let (state, problem) = step_of(&ended, "create Service/yard-broken");
    assert_eq!(state, StepState::Failed);
    assert!(
        problem.contains("refuses Service/yard-broken") && problem.contains("spec.ports[0].port"),
        "{problem}"
    );
    assert_eq!(step_of(&ended, "update ConfigMap/yard").0, StepState::Succeeded);
    bench.until_condition(YARD, "Stalled", "True", "Service/yard-broken").await;
    assert_eq!(bench.active(bench.id.unwrap()).await.unwrap().number, 1, "the old instance stays active");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_could_be_asked_before_the_refusal_comes_with_the_step() {
    let bench = Bench::with_driver(crate::yard::driver()).await;
    // the namespace does not exist yet: nothing in it can be tried
    bench.deploy(bench.yard(&[("broken", json!(true))])).await;
    bench.until_ended(YARD, PartiallyFailed, Some(1)).await;
    let problem = bench.until_problem(YARD, "refuses Service/yard-broken").await;
    assert!(problem.next.contains("correct the field"), "{problem}");
    let index = bench.cluster.index();
    until(&bench.cluster, "the other objects are there", || {
        index.object(&key("Deployment", "yard-web")).map(|_| ())
    })
    .await;
    assert_ne!(bench.operations(YARD).await[0].operation.state, Failed);
    bench.close().await;
}
