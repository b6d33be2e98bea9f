//! What an action that was cut off leaves behind: its Job, its answers, and whether it was done.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use styrmin::cluster::DeleteOptions;
use styrmin::domain::operation::StepAnswer;
use styrmin::domain::{ObjectKey, OperationId, OperationState, OperationView, StepState};
use styrmin::sandbox::faults::Scenario;

use crate::actions::{NAME, Stage};
use crate::guillotine::Guillotine;
use crate::rig::key;
use crate::support::LIMIT;

/// An engine died while a Job was at work: the operation, and the Job.
async fn dead_with_a_job() -> (Stage, OperationId, ObjectKey) {
    let mut stage = Stage::set().await;
    stage.forget();
    stage.bench.end().await;
    stage.bench.confirm(stage.act("slow-job")).await;
    let guillotine = Arc::new(Guillotine::default());
    stage.bench.start_mortal(&guillotine);
    let named = async {
        let mut changes = stage.bench.store.changes();
        loop {
            let view = stage.bench.operations(NAME).await.remove(0);
            let lines = stage.lines(&view, "run slow-job").await;
            if let Some(name) = lines.lines().find_map(|line| line.strip_prefix("Job ")) {
                return (view.operation.id, name.to_owned());
            }
            changes.changed().await.unwrap();
        }
    };
    let (id, name) = tokio::time::timeout(LIMIT, named).await.expect("the Job is told");
    let at_work = async {
        while stage.effects() != ["job"] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, at_work).await.expect("the Job is at work");
    // whatever of it is left does nothing more
    guillotine.at.store(guillotine.passed.load(Ordering::SeqCst) + 1, Ordering::SeqCst);
    stage.bench.kill().await;
    (stage, id, key("Job", &name))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_job_of_an_action_that_is_cancelled_while_no_engine_runs_is_taken_away() {
    let (mut stage, id, job) = dead_with_a_job().await;
    assert!(stage.bench.live(&job).await.is_some());
    stage.bench.engine.cancel(id, "anna@here").await.unwrap();
    stage.bench.reconnect().await;
    assert_eq!(stage.ended().await.operation.state, OperationState::Cancelled);
    let gone = async {
        while stage.bench.live(&job).await.is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.expect("its work is not wanted any more");
    stage.bench.close().await;
}

async fn until_state(stage: &Stage, id: OperationId, states: &[StepState]) -> (OperationView, usize) {
    let found = async {
        let mut changes = stage.bench.store.changes();
        loop {
            changes.mark_unchanged();
            let view = stage.bench.store.operation(id).await.unwrap().unwrap();
            if let Some(position) = view.steps.iter().position(|step| states.contains(&step.state)) {
                return (view, position);
            }
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(LIMIT, found).await.expect("a step comes to that")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_may_have_come_and_gone_is_put_to_a_person() {
    let (mut stage, id, job) = dead_with_a_job().await;
    stage.bench.cluster.delete(&job, &DeleteOptions::default()).await.unwrap();
    stage.bench.clock.advance(3700);
    stage.bench.reconnect().await;
    let (view, position) = until_state(&stage, id, &[StepState::Asking]).await;
    let asked = view.steps[position].problem.clone().unwrap();
    assert!(asked.what.contains("Did the Job slow do its work?") && asked.next.contains("done"), "{asked}");
    stage.bench.engine.answer(id, position, StepAnswer::Done, "anna@here").await.unwrap();
    assert_eq!(stage.ended().await.operation.state, OperationState::Succeeded);
    assert_eq!(stage.effects(), ["job"], "it is not made again");
    stage.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_to_nothing_is_tried_again_though_it_may_be_done_once_only() {
    let stage = Stage::set().await;
    stage.forget();
    let bad = "rules:\n- {verbs: [patch], resources: [deployments.apps], fault: {status: {code: 503}}}\n";
    stage.bench.faults().play(Scenario::parse(bad).unwrap());
    stage.bench.confirm(stage.act("careful")).await;
    let id = stage.bench.operations(NAME).await.remove(0).operation.id;
    let (view, position) = until_state(&stage, id, &[StepState::Asking, StepState::Retrying]).await;
    assert_eq!(view.steps[position].state, StepState::Retrying, "nobody has to be asked: {view:#?}");
    stage.bench.faults().end();
    assert_eq!(stage.ended().await.operation.state, OperationState::Succeeded);
    assert_eq!(stage.effects(), ["careful"]);
    stage.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_answers_of_an_action_that_never_ran_are_taken_away() {
    let mut stage = Stage::set().await;
    stage.bench.end().await;
    for overtaken in [true, false] {
        stage.bench.confirm(stage.act("work")).await;
        let held = answers(&stage).await;
        assert_eq!(held.len(), 1, "{held:?}");
        let queued = stage.bench.operations(NAME).await.remove(0).operation;
        match overtaken {
            true => stage.bench.confirm(stage.upgrade("2.0.0")).await,
            false => drop(stage.bench.engine.cancel(queued.id, "anna@here").await.unwrap()),
        }
        let ended = stage.bench.store.operation(queued.id).await.unwrap().unwrap().operation;
        assert!(ended.state.is_final() && ended.times.started.is_none(), "{ended:#?}");
        stage.bench.reconnect().await;
        stage.bench.until_settled(NAME, Some(2)).await;
        stage.bench.until_idle().await;
        assert_eq!(answers(&stage).await, [""; 0], "overtaken: {overtaken}");
        stage.bench.end().await;
    }
    stage.bench.close().await;
}

/// The keys of the secret answers that are kept.
async fn answers(stage: &Stage) -> Vec<String> {
    let vault = stage.bench.live(&key("Secret", "acts-parameters")).await.unwrap();
    let keys = vault["data"].as_object().unwrap().keys();
    keys.filter(|key| key.contains("token")).cloned().collect()
}
