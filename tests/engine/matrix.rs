//! The matrix of faults: what an API server and a network do on a bad day while something is carried out. Each ends in the
//! right state, with the reason shown where a person looks for it.

use serde_json::json;
use styrmin::domain::operation::OperationState::{PartiallyFailed, Stale, Succeeded};
use styrmin::domain::{Intent, OperationKind, OperationState, StepState, Volumes};

use crate::bench::Bench;
use crate::rig::{YARD, deployed, key, step_of};
use crate::support::until;

/// What goes wrong with the first write of the ConfigMap, and the words in which the step tells it.
const PASSING: [(&str, &str); 9] = [
    ("status: {code: 409}", "changed while it was written"),
    ("status: {code: 429, retryAfterSeconds: 3}", "slow down; again in 3 s"),
    ("status: {code: 500}", "in trouble"),
    ("status: {code: 503}", "in trouble"),
    ("status: {code: 504}", "in trouble"),
    ("status: {code: 401}", "does not know us"),
    ("drop: before", "cannot be reached"),
    ("drop: after", "cannot be reached"),
    ("truncate: 40", "again in 1 s"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_told_and_tried_again() {
    let bench = deployed().await;
    for (number, (fault, words)) in (2..).zip(PASSING) {
        bench.play(&format!(
            "rules: [{{verbs: [patch], resources: [configmaps], when: {{first: 1}}, fault: {{{fault}}}}}]"
        ));
        bench.edit_parameters(json!({"text": format!("after {fault}")})).await;
        // that it waits for another try may be over before anybody sees it; what was told of it stays
        bench.until_told(YARD, number, "update ConfigMap/yard", words).await;
        bench.advance(YARD, 3).await;
        bench.until_ended(YARD, Succeeded, Some(number)).await;
        assert_eq!(bench.faults().matched(), [2], "{fault}: one more try was enough");
        let live = bench.live(&key("ConfigMap", YARD)).await.unwrap();
        assert_eq!(live["data"]["text"], format!("after {fault}"));
    }
    bench.until_running(YARD, 1 + u32::try_from(PASSING.len()).unwrap()).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_wants_to_be_left_alone_is() {
    let bench = deployed().await;
    bench.play(
        "rules: [{verbs: [patch], resources: [configmaps], names: [yard], when: {first: 1},
            fault: {status: {code: 429, retryAfterSeconds: 600}}}]",
    );
    bench.edit_parameters(json!({"text": "patient"})).await;
    let (position, before) = bench.until_retrying(YARD, "slow down").await;
    // a change would end any other pause after a second
    bench.advance(YARD, 60).await;
    // by the time that another application is up, the engine has looked at that change for long
    let other = styrmin::domain::DeploymentDraft { name: "other".to_owned(), ..bench.yard(&[]) };
    bench.deploy(other).await;
    bench.until_running("other", 1).await;
    let after = bench.operations(YARD).await.remove(0);
    assert_eq!(after.steps[position], before.steps[position], "it waits as long as it was asked to");
    assert_eq!(bench.faults().matched(), [1]);
    bench.advance(YARD, 600).await;
    bench.until_ended(YARD, Succeeded, Some(2)).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_that_expire_repeat_or_mix_up_their_news_change_nothing() {
    const DISORDER: [&str; 3] = [
        "rules: [{verbs: [watch], when: {first: 60}, fault: {expire: 2}},
            {verbs: [watch], when: {every: 3}, fault: {status: {code: 410}}}]",
        "rules: [{verbs: [watch], fault: duplicate}]",
        "rules: [{verbs: [watch], when: {first: 40}, fault: {expire: 1}}, {verbs: [watch], fault: duplicate}]",
    ];
    let mut bench = deployed().await;
    for (number, rules) in (2..).zip(DISORDER) {
        bench.play(rules);
        bench.reconnect().await;
        bench.edit_parameters(json!({"text": format!("{number}")})).await;
        bench.until_ended(YARD, Succeeded, Some(number)).await;
        bench.until_running(YARD, number).await;
        assert!(bench.faults().matched()[0] > 10, "{rules}");
    }
    assert_eq!(bench.engine.problems(), Default::default());
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_falls_silent_is_doubted() {
    let mut bench = deployed().await;
    bench.play(
        "rules: [{verbs: [watch], resources: [deployments.apps], when: {first: 1}, fault: {silence: 0}}]",
    );
    bench.reconnect().await;
    bench.until_running(YARD, 1).await;
    bench.edit_parameters(json!({"patience": 500})).await;
    bench
        .until_operation(YARD, "the rollout is waited for", |view| {
            let steps = view.operation.plan.steps.iter().zip(&view.steps);
            let mut waits = steps.filter(|(step, _)| step.name == "wait Deployment/yard-web");
            view.operation.goal.instance == Some(2)
                && waits.any(|(_, record)| record.state == StepState::Started)
        })
        .await;
    let rolled_out = |object: &serde_json::Value| {
        object["status"]["observedGeneration"] == object["metadata"]["generation"]
            && object["spec"]["progressDeadlineSeconds"] == 500
    };
    bench.until_live(&key("Deployment", "yard-web"), rolled_out).await;
    bench.is_looked_at(YARD).await;
    bench.advance(YARD, 30).await;
    bench.until_ended(YARD, Succeeded, Some(2)).await;
    assert!(bench.faults().matched()[0] >= 2, "the watch was begun anew");
    bench.close().await;
}

/// Another client takes an object away and makes another one of the same name.
async fn replace_behind(bench: &Bench) {
    let config = key("ConfigMap", YARD);
    bench.delete(&config).await;
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": YARD, "namespace": "demo"},
        "data": {"mine": "yes"}});
    bench.create("configmaps", theirs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_was_replaced_since_the_plan_was_made_makes_it_stale() {
    let mut bench = deployed().await;
    bench.end().await;
    bench.confirm(bench.change(&[("text", json!("newer"))])).await;
    replace_behind(&bench).await;
    let index = bench.cluster.index();
    until(&bench.cluster, "the old one is gone", || {
        index.object(&key("ConfigMap", YARD)).is_none().then_some(())
    })
    .await;
    bench.start();
    let stale = bench.until_ended(YARD, Stale, Some(2)).await;
    let problem = stale.operation.problem.unwrap().to_string();
    assert!(problem.contains("ConfigMap/yard is not the object that was planned for"), "{problem}");
    bench.until_problem(YARD, "ConfigMap/yard is not the object that was planned for").await;
    bench
        .until_condition(YARD, "Stalled", "True", "ConfigMap/yard is not the object that was planned for")
        .await;
    let live = bench.live(&key("ConfigMap", YARD)).await.unwrap();
    assert_eq!(live["data"], json!({"mine": "yes"}), "what somebody else made is left alone");
    let again = bench.change(&[("text", json!("newer"))]);
    let plan = bench.engine.preview(&again).await.unwrap().plan;
    assert!(plan.to_string().contains("& adopt ConfigMap/yard"), "{plan}");
    bench.confirm(again).await;
    bench.until_ended(YARD, Succeeded, None).await;
    bench.until_running(YARD, 2).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_guards_against_what_a_silent_watch_does_not_tell() {
    let mut bench = deployed().await;
    bench.play("rules: [{verbs: [watch], resources: [configmaps], when: {first: 1}, fault: {silence: 0}}]");
    bench.reconnect().await;
    let (index, config) = (bench.cluster.index(), key("ConfigMap", YARD));
    until(&bench.cluster, "the old one is known", || index.object(&config).map(|_| ())).await;
    replace_behind(&bench).await;
    bench.edit_parameters(json!({"text": "newer"})).await;
    // planned on the old one, refused by the server, and looked at anew: now a person has to say that it is to be adopted
    bench.until_problem(YARD, "ConfigMap/yard exists already").await;
    let operations = bench.operations(YARD).await;
    let stale = operations.iter().find(|view| view.operation.state == Stale);
    let problem = stale.unwrap().operation.problem.as_ref().unwrap().to_string();
    assert!(problem.contains("ConfigMap/yard is not the object that was planned for"), "{problem}");
    let live = bench.live(&config).await.unwrap();
    assert_eq!(live["data"], json!({"mine": "yes"}), "what somebody else made is left alone");
    bench.confirm(bench.change(&[("text", json!("newer"))])).await;
    bench.until_running(YARD, 2).await;
    let live = bench.live(&config).await.unwrap();
    assert_eq!(live["data"], json!({"mine": "yes", "text": "newer"}));
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verb_that_is_denied_is_named_and_the_rest_goes_on() {
    let bench = deployed().await;
    bench.play("rules: [{verbs: [patch], resources: [services], fault: {status: {code: 403, message: not for you}}}]");
    bench.edit_parameters(json!({"text": "newer", "port": 81})).await;
    let ended = bench.until_first_ended(YARD, PartiallyFailed, 2).await;
    let (state, problem) = step_of(&ended, "update Service/yard");
    assert_eq!(state, StepState::Failed);
    for words in ["denies patch services in demo", "Service/yard", "not for you", "ask for the permission"] {
        assert!(problem.contains(words), "{words}: {problem}");
    }
    let done = ended.steps.iter().zip(&ended.operation.plan.steps);
    for (record, step) in done.filter(|(_, step)| step.name != "update Service/yard") {
        let expected = step.name == "make the instance the active one";
        let wanted = if expected { StepState::Skipped } else { StepState::Succeeded };
        assert_eq!(record.state, wanted, "{}", step.name);
    }
    bench.until_problem(YARD, "denies patch services in demo").await;
    bench.until_condition(YARD, "Stalled", "True", "denies patch services in demo").await;
    bench.faults().end();
    bench.advance(YARD, 60).await;
    bench.until_running(YARD, 2).await;
    assert_eq!(bench.engine.problems(), Default::default());
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_somebody_else_has_is_named_with_its_owner() {
    let bench = deployed().await;
    let mut draft = bench.yard(&[]);
    draft.drift = Some(styrmin::domain::DriftMode::Warn);
    bench.confirm(Intent::Change(bench.id.unwrap(), draft)).await;
    bench.until_ended(YARD, Succeeded, None).await;
    bench.patch(&key("ConfigMap", YARD), "kubectl-edit", json!({"data": {"text": "theirs"}})).await;
    bench.edit_parameters(json!({"text": "ours", "port": 81})).await;
    let ended = bench.until_first_ended(YARD, PartiallyFailed, 2).await;
    let (state, problem) = step_of(&ended, "update ConfigMap/yard");
    assert_eq!(state, StepState::Failed);
    for words in [".data.text", "kubectl-edit", "yield, take, or share"] {
        assert!(problem.contains(words), "{words}: {problem}");
    }
    assert_eq!(step_of(&ended, "update Service/yard").0, StepState::Succeeded, "another branch");
    bench.until_condition(YARD, "Stalled", "True", "kubectl-edit").await;
    let live = bench.live(&key("ConfigMap", YARD)).await.unwrap();
    assert_eq!(live["data"]["text"], "theirs");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_is_going_takes_nothing_new() {
    let mut bench = Bench::with_driver(crate::yard::driver()).await;
    let space = styrmin::domain::ObjectKey { namespace: String::new(), ..key("Namespace", "demo") };
    bench.other_namespace("demo").await;
    bench.end().await;
    bench.confirm(Intent::Deploy(bench.yard(&[]))).await;
    let pin = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "pin", "namespace": "demo", "finalizers": ["example.org/slow"]}});
    bench.create("configmaps", pin).await;
    bench.delete(&space).await;
    let refused = styrmin::domain::DeploymentDraft { name: "late".to_owned(), ..bench.yard(&[]) };
    let refused = bench.engine.preview(&Intent::Deploy(refused)).await.unwrap_err().to_string();
    assert!(refused.contains("its namespace is going"), "{refused}");
    bench.start();
    bench.until_problem(YARD, "its namespace is going").await;
    bench.patch(&key("ConfigMap", "pin"), "kubectl", json!({"metadata": {"finalizers": null}})).await;
    bench.until_running(YARD, 1).await;
    assert_eq!(bench.engine.problems(), Default::default());
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_deletes_the_namespace_deletes_the_application() {
    let bench = deployed().await;
    let space = styrmin::domain::ObjectKey { namespace: String::new(), ..key("Namespace", "demo") };
    bench.delete(&space).await;
    bench.until_settled(YARD, None).await;
    let last = bench.operations(YARD).await.remove(0);
    assert_eq!((last.operation.kind, last.operation.state), (OperationKind::Delete, Succeeded));
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_that_a_finalizer_holds_says_which() {
    let bench = deployed().await;
    let service = key("Service", YARD);
    bench.patch(&service, "kubectl", json!({"metadata": {"finalizers": ["example.org/slow"]}})).await;
    bench.confirm(Intent::Delete(bench.id.unwrap(), Volumes::Keep)).await;
    bench
        .until_operation(YARD, "nothing else is left", |view| {
            view.operation.kind == OperationKind::Delete
                && view.steps.iter().filter(|step| step.state != StepState::Succeeded).count() == 2
        })
        .await;
    bench.advance(YARD, 30).await;
    let (_, waiting) = bench.until_retrying(YARD, "example.org/slow").await;
    assert_eq!(waiting.operation.state, OperationState::Running);
    let problem = waiting.first_problem().unwrap().1.to_string();
    assert!(problem.contains("Service/yard is held by the finalizer example.org/slow"), "{problem}");
    bench.patch(&service, "kubectl", json!({"metadata": {"finalizers": null}})).await;
    bench.until_settled(YARD, None).await;
    assert!(bench.live(&key("PersistentVolumeClaim", "yard-data")).await.is_some(), "volumes stay");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_that_may_not_be_written_keeps_nothing_from_being_done() {
    let bench = deployed().await;
    bench.play(
        "rules: [{verbs: [patch], resources: [styrmindeployments.styrmin.io/status], fault: {status: {code: 403}}}]",
    );
    bench.edit_parameters(json!({"text": "newer"})).await;
    bench.until_ended(YARD, Succeeded, Some(2)).await;
    let problem = bench.until_problem(YARD, "StyrminDeployment/yard").await;
    assert!(problem.what.contains("denies patch styrmindeployments/status in demo"), "{problem}");
    assert_eq!(bench.resource(YARD).unwrap().status.instance, Some(1));
    bench.faults().end();
    bench.advance(YARD, 60).await;
    bench.until_running(YARD, 2).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_that_meets_a_conflict_is_tried_again() {
    let bench = deployed().await;
    let claim = key("PersistentVolumeClaim", "yard-data");
    bench.play(
        "rules: [{verbs: [delete], resources: [persistentvolumeclaims], when: {first: 1}, fault: {status: {code: 409}}},
            {verbs: [delete], resources: [deployments.apps], when: {first: 1}, fault: {drop: after}}]",
    );
    bench.confirm(Intent::Delete(bench.id.unwrap(), Volumes::Delete)).await;
    bench.until_settled(YARD, None).await;
    let (index, ended) = (bench.cluster.index(), bench.operations(YARD).await.remove(0));
    until(&bench.cluster, "the claim is gone", || index.object(&claim).is_none().then_some(())).await;
    assert_eq!(ended.operation.state, Succeeded);
    let told = bench.told(&ended).await;
    assert!(told.contains("PersistentVolumeClaim/yard-data in demo changed while it was written"), "{told}");
    assert_eq!(bench.faults().matched()[0], 2, "it was tried again");
    bench.close().await;
}
