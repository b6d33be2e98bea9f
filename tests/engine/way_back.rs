//! Going back: to an older version without the actions of an upgrade, and to the number of pods that an action changed for a while.

use serde_json::json;
use styrmin::domain::object::Detail;
use styrmin::domain::{Intent, OperationKind, OperationState, Plan};

use crate::actions::{NAME, Stage};
use crate::rig::key;
use crate::support::until;

fn runs(plan: &Plan) -> Vec<&str> {
    let names = plan.steps.iter().map(|step| step.name.as_str());
    names.filter(|name| name.starts_with("run ")).collect()
}

/// Version 2.0.0 is active, and a rollback to the first instance was cancelled before it began. No engine runs.
async fn cancelled_rollback() -> Stage {
    let mut stage = Stage::set().await;
    assert_eq!(stage.run(stage.upgrade("2.0.0")).await.operation.state, OperationState::Succeeded);
    stage.bench.until_running(NAME, 2).await;
    stage.bench.end().await;
    stage.bench.confirm(Intent::Rollback(stage.bench.id.unwrap(), 1)).await;
    let queued = stage.bench.operations(NAME).await.remove(0).operation;
    stage.bench.engine.cancel(queued.id, "anna@here").await.unwrap();
    stage.forget();
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_that_is_carried_out_again_is_no_upgrade() {
    let mut stage = cancelled_rollback().await;
    let id = stage.bench.id.unwrap();
    let again = stage.bench.engine.preview(&Intent::Change(id, stage.draft("1.0.0"))).await.unwrap();
    assert_eq!((again.kind, runs(&again.plan)), (Some(OperationKind::Rollback), vec![]));
    let scaled = Intent::Scale(id, "web".to_owned(), Some(2));
    assert_eq!(runs(&stage.bench.engine.preview(&scaled).await.unwrap().plan), [""; 0]);
    // to something else it is an upgrade all the same
    let other = stage.bench.engine.preview(&stage.upgrade("1.5.0")).await.unwrap();
    assert_eq!((other.kind, runs(&other.plan).len()), (Some(OperationKind::Upgrade), 6));

    // a new revision that has no operation: the engine plans one
    let record = stage.bench.recorded(NAME).await.unwrap();
    let store = &stage.bench.store;
    store.update_deployment(id, record.revision, &record.draft, record.phase).await.unwrap();
    stage.bench.start();
    stage.bench.until_settled(NAME, Some(3)).await;
    let done = stage.bench.operations(NAME).await.remove(0).operation;
    assert_eq!((done.kind, runs(&done.plan)), (OperationKind::Rollback, vec![]), "{}", done.plan);
    assert_eq!(stage.effects(), [""; 0]);
    // what was left can be upgraded to again, with its actions
    let forward = stage.bench.engine.preview(&stage.upgrade("2.0.0")).await.unwrap();
    assert_eq!((forward.kind, runs(&forward.plan).len()), (Some(OperationKind::Upgrade), 6));
    stage.bench.close().await;
}

/// How many pods the workload is to have, as the watch says.
fn desired(stage: &Stage) -> Option<u32> {
    match stage.bench.cluster.index().object(&key("Deployment", NAME))?.detail {
        Detail::Workload(detail) => Some(detail.desired),
        _ => None,
    }
}

async fn until_desired(stage: &Stage, replicas: u32) {
    let what = format!("it is to have {replicas} pods");
    until(&stage.bench.cluster, &what, || (desired(stage) == Some(replicas)).then_some(())).await;
}

/// It has its one pod again, nothing says that it was scaled, and nobody is said to have changed it.
async fn is_as_before(stage: &Stage) {
    until_desired(stage, 1).await;
    let marked = || {
        let object = stage.bench.cluster.index().object(&key("Deployment", NAME))?;
        (!object.labels.contains_key("styrmin.io/scaled")).then_some(())
    };
    until(&stage.bench.cluster, "the mark is gone", marked).await;
    stage.bench.until_idle().await;
    let drifts = stage.bench.engine.drifts();
    assert!(drifts.values().all(Vec::is_empty), "{drifts:?}");
    let corrected = stage.bench.operations(NAME).await;
    assert!(corrected.iter().all(|view| view.operation.kind != OperationKind::Correct), "{corrected:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_cancelled_action_stopped_starts_again() {
    let mut stage = Stage::set().await;
    stage.bench.confirm(stage.act("paused")).await;
    until_desired(&stage, 0).await;
    let running = stage.bench.operations(NAME).await.remove(0).operation;
    stage.bench.engine.cancel(running.id, "anna@here").await.unwrap();
    assert_eq!(stage.ended().await.operation.state, OperationState::Cancelled);
    is_as_before(&stage).await;

    // also where it is cancelled while no engine runs
    stage.bench.confirm(stage.act("paused")).await;
    until_desired(&stage, 0).await;
    stage.bench.kill().await;
    let running = stage.bench.operations(NAME).await.remove(0).operation;
    stage.bench.engine.cancel(running.id, "anna@here").await.unwrap();
    stage.bench.reconnect().await;
    assert_eq!(stage.ended().await.operation.state, OperationState::Cancelled);
    is_as_before(&stage).await;
    stage.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_failed_action_scaled_has_as_many_pods_as_before() {
    let stage = Stage::set().await;
    assert_eq!(stage.run(stage.act("overdone")).await.operation.state, OperationState::Failed);
    is_as_before(&stage).await;
    // what a good one scaled stays, and is what the next one gives back
    assert_eq!(stage.run(stage.act("scaled")).await.operation.state, OperationState::Succeeded);
    until_desired(&stage, 2).await;
    assert_eq!(stage.run(stage.act("overdone")).await.operation.state, OperationState::Failed);
    stage.bench.until_idle().await;
    assert_eq!(desired(&stage), Some(2));
    // and what somebody else says meanwhile is left alone
    stage.bench.confirm(stage.act("paused")).await;
    until_desired(&stage, 0).await;
    let replicas = json!({"spec": {"replicas": 4}});
    stage.bench.edit(&key("Deployment", NAME), "deployments", replicas).await;
    until_desired(&stage, 4).await;
    let running = stage.bench.operations(NAME).await.remove(0).operation;
    stage.bench.engine.cancel(running.id, "anna@here").await.unwrap();
    stage.ended().await;
    let corrected = || desired(&stage).filter(|replicas| *replicas != 4);
    assert_eq!(until(&stage.bench.cluster, "drift is set right", corrected).await, 1);
    stage.bench.close().await;
}
