//! Drift: what others change is set right, shown, or ignored; who fights is left alone; and where nothing drifts nothing is sent.

use serde_json::{Value, json};
use styrmin::cluster::KIND;
use styrmin::domain::drift::DriftAnswer;
use styrmin::domain::operation::OperationState::Succeeded;
use styrmin::domain::{DeploymentDraft, Drift, DriftMode, Intent, OperationKind};
use styrmin::reconcile::Name;

use crate::bench::Bench;
use crate::rig::{YARD, deployed, key};
use crate::support::until;

async fn in_mode(mode: DriftMode) -> Bench {
    let bench = deployed().await;
    let draft = DeploymentDraft { drift: Some(mode), ..bench.yard(&[]) };
    bench.confirm(Intent::Change(bench.id.unwrap(), draft)).await;
    bench.until_ended(YARD, Succeeded, None).await;
    bench.until_idle().await;
    bench
}

async fn meddle(bench: &Bench, text: &str) {
    bench.patch(&key("ConfigMap", YARD), "kubectl-edit", json!({"data": {"text": text}})).await;
}

async fn text(bench: &Bench) -> Value {
    bench.live(&key("ConfigMap", YARD)).await.unwrap()["data"]["text"].clone()
}

fn drifts(bench: &Bench) -> Option<Vec<Drift>> {
    bench.engine.drifts().remove(&Name { namespace: "demo".to_owned(), name: YARD.to_owned() })
}

async fn until_drift(bench: &Bench, what: &str, condition: impl Fn(&Drift) -> bool) -> Drift {
    let find = || drifts(bench)?.into_iter().find(&condition);
    until(&bench.cluster, what, find).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_set_right_by_an_operation_that_says_so() {
    let bench = in_mode(DriftMode::Correct).await;
    meddle(&bench, "theirs").await;
    let done = bench
        .until_operation(YARD, "it is set right", |view| {
            view.operation.kind == OperationKind::Correct && view.operation.state == Succeeded
        })
        .await;
    let told = bench.told(&done).await;
    assert!(told.contains("ConfigMap/yard was changed by somebody else and is set right"), "{told}");
    assert_eq!(done.operation.origin.cause, "somebody else changed what was written");
    assert_eq!(done.operation.plan.steps.len(), 1, "nothing else is written: {}", done.operation.plan);
    assert_eq!(text(&bench).await, "hello");
    assert_eq!(bench.managers(&key("ConfigMap", YARD), "/f:data/f:text").await, ["styrmin"]);
    until(&bench.cluster, "nothing drifts", || drifts(&bench).is_none().then_some(())).await;
    bench.until_condition(YARD, "Drifted", "False", "").await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_shown_with_its_author_until_a_person_sets_it_right() {
    let bench = in_mode(DriftMode::Warn).await;
    meddle(&bench, "theirs").await;
    let drift = until_drift(&bench, "it is shown", |drift| !drift.fields.is_empty()).await;
    assert_eq!((drift.object, drift.answer), (key("ConfigMap", YARD), DriftAnswer::Tolerated));
    let field = &drift.fields[0];
    assert_eq!((field.path.as_str(), field.manager.as_deref()), (".data.text", Some("kubectl-edit")));
    assert_eq!((field.wanted.as_str(), field.found.as_deref()), ("\"hello\"", Some("\"theirs\"")));
    bench.until_condition(YARD, "Drifted", "True", "ConfigMap/yard").await;
    bench.until_idle().await;
    assert_eq!(text(&bench).await, "theirs");
    bench.confirm(Intent::Correct(bench.id.unwrap())).await;
    bench.until_ended(YARD, Succeeded, None).await;
    bench.until_condition(YARD, "Drifted", "False", "").await;
    assert_eq!(text(&bench).await, "hello");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_nobodys_business() {
    let bench = in_mode(DriftMode::Ignore).await;
    let operations = bench.operations(YARD).await.len();
    let requests = bench.requests();
    bench.wakes(async || meddle(&bench, "theirs").await).await;
    assert_eq!((drifts(&bench), bench.requests()), (None, requests), "nobody looks");
    assert_eq!(text(&bench).await, "theirs");
    bench.until_condition(YARD, "Drifted", "Unknown", "").await;
    assert_eq!(bench.operations(YARD).await.len(), operations);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_fights_is_left_alone_and_named_until_it_has_been_quiet() {
    let bench = in_mode(DriftMode::Correct).await;
    for round in 0..5 {
        let before = bench.operations(YARD).await[0].operation.id;
        meddle(&bench, &format!("round {round}")).await;
        // that it drifts may be over before anybody sees it; what set it right stays
        bench
            .until_operation(YARD, &format!("round {round} is set right"), |view| {
                let newest = &view.operation;
                newest.id > before && newest.kind == OperationKind::Correct && newest.state == Succeeded
            })
            .await;
        assert_eq!(text(&bench).await, "hello", "round {round}");
    }
    meddle(&bench, "the last word").await;
    let problem = bench.until_problem(YARD, "somebody else keeps changing ConfigMap/yard").await;
    assert!(problem.why.contains("five times") && problem.next.contains("managed-fields"), "{problem}");
    let drift = until_drift(&bench, "it is given up", |drift| drift.answer == DriftAnswer::Fought(5)).await;
    assert_eq!(drift.fields[0].manager.as_deref(), Some("kubectl-edit"));
    bench.until_condition(YARD, "Stalled", "True", "somebody else keeps changing").await;
    bench.until_condition(YARD, "Drifted", "True", "ConfigMap/yard").await;
    assert_eq!(text(&bench).await, "the last word");
    bench.advance(YARD, 700).await;
    bench.until_condition(YARD, "Drifted", "False", "").await;
    assert_eq!(text(&bench).await, "hello");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_drifts_nothing_is_sent() {
    let bench = deployed().await;
    for name in ["barn", "shed"] {
        bench.deploy(DeploymentDraft { name: name.to_owned(), ..bench.yard(&[]) }).await;
        bench.until_running(name, 1).await;
    }
    for name in [YARD, "barn", "shed"] {
        bench.until_all_is_told(name).await;
    }
    let before = (bench.requests(), bench.writes());
    assert!(before.1 > 20, "the deployments were counted: {before:?}");
    let deployment = key("Deployment", "yard-db");
    for round in 0..5 {
        for name in [YARD, "barn", "shed"] {
            bench.wakes(async || bench.tick(name).await).await;
        }
        // a field that is not ours, on an object that is
        let patch = json!({"metadata": {"annotations": {"example.org/round": round.to_string()}}});
        bench.wakes(async || bench.patch(&deployment, "kubectl", patch.clone()).await).await;
    }
    assert_eq!((bench.requests(), bench.writes()), before, "no writes, no lists, nothing");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_of_the_custom_resource_becomes_a_revision_with_its_author() {
    let bench = deployed().await;
    bench.edit_parameters(json!({"text": "edited"})).await;
    bench.until_running(YARD, 2).await;
    let recorded = bench.recorded(YARD).await.unwrap();
    assert_eq!((recorded.revision, &recorded.draft.parameters["text"]), (2, &json!("edited")));
    let done = bench.operations(YARD).await.remove(0).operation;
    assert_eq!((done.origin.actor.as_str(), done.origin.confirmed), ("kubectl-edit", false));
    assert_eq!(done.origin.cause, "the custom resource was changed");
    assert_eq!(text(&bench).await, "edited");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_records_come_back_without_a_write_to_what_runs() {
    let mut bench = deployed().await;
    bench.confirm(bench.change(&[("text", json!("kept"))])).await;
    bench.until_running(YARD, 2).await;
    let before = bench.store.deployment(bench.id.unwrap()).await.unwrap().unwrap();
    let objects = ["yard-web", "yard-db"].map(|name| key("Deployment", name));
    let mut stood = Vec::new();
    for object in &objects {
        stood.push(bench.live(object).await.unwrap()["metadata"]["resourceVersion"].clone());
    }
    bench.lose_records().await;
    bench.until_settled(YARD, Some(2)).await;
    let after = bench.recorded(YARD).await.unwrap();
    assert_eq!((after.uid, after.draft), (before.uid, before.draft));
    let inventory = bench.store.inventory(after.id).await.unwrap();
    assert_eq!(inventory.len(), 5, "it is rebuilt from the objects: {inventory:?}");
    for (object, version) in objects.iter().zip(stood) {
        let live = bench.live(object).await.unwrap();
        assert_eq!(live["metadata"]["resourceVersion"], version, "{object} was not touched");
    }
    let resource = bench.resource(YARD).unwrap();
    assert_eq!(resource.spec.parameters["text"], "kept", "{KIND}");
    assert_eq!(resource.status.instance, Some(2), "what people know it by");
    bench.id = Some(after.id);
    bench.confirm(bench.change(&[("text", json!("newer"))])).await;
    bench.until_running(YARD, 3).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_that_somebody_takes_off_makes_no_stranger_of_an_object() {
    let bench = in_mode(DriftMode::Correct).await;
    // one kind is watched by its label, the other as a whole
    for object in [key("ConfigMap", YARD), key("Service", YARD)] {
        let before = bench.live(&object).await.unwrap()["metadata"]["uid"].clone();
        let patch = json!({"metadata": {"labels": {"styrmin.io/deployment": null}}});
        bench.patch(&object, "kubectl", patch).await;
        let corrects = |view: &styrmin::domain::OperationView| {
            let about = view.operation.plan.steps.iter().any(|step| step.object.as_ref() == Some(&object));
            view.operation.kind == OperationKind::Correct && view.operation.state == Succeeded && about
        };
        bench.until_operation(YARD, "the label is back", corrects).await;
        let live = bench.live(&object).await.unwrap();
        assert_eq!(live["metadata"]["labels"]["styrmin.io/deployment"], YARD, "{object}");
        assert_eq!(live["metadata"]["uid"], before, "{object}");
    }
    bench.close().await;
}
