//! Crash at every step: the engine is ended between each two writes to its journal and to the cluster, once per run, and
//! another one goes on. Whatever the point, the same end is reached, and nothing is left over.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use serde_json::json;
use styrmin::cluster::DeploymentResource;
use styrmin::domain::{InstanceState, Intent, OperationState, StepState, Volumes};

use crate::bench::Bench;
use crate::guillotine::Guillotine;
use crate::site;
use crate::support::{LIMIT, until};

/// So many runs of one scene at the same time: they mostly wait.
const SIDE_BY_SIDE: usize = 4;

/// What is done before the engine that dies starts, and what it is asked for.
struct Scene {
    name: &'static str,
    /// What the application has been through before.
    past: Past,
    intent: fn(&Bench) -> Intent,
    /// The instance that is active at the end; none: the application is gone.
    ends_with: Option<u32>,
    /// Whether the object that the first instance has and the second has not is there at the end.
    extra: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Past {
    Nothing,
    Deployed,
    Upgraded,
    Stopped,
}

const DEPLOY: Scene = Scene {
    name: "deploy",
    past: Past::Nothing,
    intent: |bench| Intent::Deploy(bench.site("1.0.0")),
    ends_with: Some(1),
    extra: false,
};

const UPGRADE: Scene =
    Scene { name: "upgrade", past: Past::Deployed, intent: upgrade, ends_with: Some(2), extra: false };

const ROLLBACK: Scene = Scene {
    name: "rollback",
    past: Past::Upgraded,
    intent: |bench| Intent::Rollback(bench.id.expect("deployed"), 1),
    ends_with: Some(3),
    extra: true,
};

const STOP: Scene =
    Scene { name: "stop", past: Past::Deployed, intent: stop, ends_with: Some(1), extra: true };

const START: Scene = Scene {
    name: "start",
    past: Past::Stopped,
    intent: |bench| Intent::Start(bench.id.expect("deployed")),
    ends_with: Some(1),
    extra: true,
};

const RESTART: Scene = Scene {
    name: "restart",
    past: Past::Deployed,
    intent: |bench| Intent::Restart(bench.id.expect("deployed"), Vec::new()),
    ends_with: Some(1),
    extra: true,
};

const SCALE: Scene = Scene {
    name: "scale",
    past: Past::Deployed,
    intent: |bench| Intent::Scale(bench.id.expect("deployed"), "web".to_owned(), Some(2)),
    ends_with: Some(2),
    extra: true,
};

const DELETE: Scene = Scene {
    name: "delete",
    past: Past::Deployed,
    intent: |bench| Intent::Delete(bench.id.expect("deployed"), Volumes::Keep),
    ends_with: None,
    extra: false,
};

fn upgrade(bench: &Bench) -> Intent {
    let mut draft = bench.site("2.0.0");
    draft.parameters.insert("extra".to_owned(), json!(false));
    Intent::Change(bench.id.expect("deployed"), draft)
}

fn stop(bench: &Bench) -> Intent {
    Intent::Stop(bench.id.expect("deployed"))
}

/// Leads the application through its past.
async fn live_through(bench: &mut Bench, past: Past) {
    if past == Past::Nothing {
        return;
    }
    let mut draft = bench.site("1.0.0");
    draft.parameters.insert("extra".to_owned(), json!(true));
    bench.id = Some(bench.deploy(draft).await);
    bench.until_running("site", 1).await;
    match past {
        Past::Upgraded => {
            bench.confirm(upgrade(bench)).await;
            bench.until_running("site", 2).await;
        }
        Past::Stopped => {
            bench.confirm(stop(bench)).await;
            let stopped = |resource: &DeploymentResource| resource.status.phase.as_deref() == Some("Stopped");
            bench.until_resource("site", "it has stopped", stopped).await;
        }
        Past::Nothing | Past::Deployed => {}
    }
}

/// Plays a scene with an engine that dies at point `at`; gives the number of points that it passed.
async fn play(scene: &Scene, at: usize) -> usize {
    let mut bench = Bench::with_driver(site::driver()).await;
    live_through(&mut bench, scene.past).await;
    bench.end().await;
    bench.confirm((scene.intent)(&bench)).await;
    let guillotine = Arc::new(Guillotine::default());
    guillotine.at.store(at, Ordering::SeqCst);
    bench.start_mortal(&guillotine);
    if at == 0 {
        bench.until_settled("site", scene.ends_with).await;
        let passed = guillotine.passed.load(Ordering::SeqCst);
        bench.close().await;
        return passed;
    }
    tokio::select! {
        () = guillotine.falls.notified() => {}
        // the order of independent steps varies: this time there were fewer points
        () = bench.until_settled("site", scene.ends_with) => {}
    }
    bench.kill().await;
    bench.reconnect().await;
    bench.until_settled("site", scene.ends_with).await;
    check(&bench, scene, at).await;
    bench.close().await;
    at
}

/// The end is the one that was wanted, and nothing is left over.
async fn check(bench: &Bench, scene: &Scene, at: usize) {
    let told = format!("{} killed at point {at}", scene.name);
    let operations = bench.operations("site").await;
    assert!(operations.iter().all(|view| view.operation.state.is_final()), "{told}: {operations:#?}");
    let newest = &operations[0];
    assert_eq!(newest.operation.state, OperationState::Succeeded, "{told}: {newest:#?}");
    let done = |state: StepState| matches!(state, StepState::Succeeded | StepState::Pending);
    assert!(newest.steps.iter().all(|step| done(step.state) || step.state.is_final()), "{told}: {newest:#?}");
    // Another process knows nothing of the cluster before its watches have listed.
    let index = bench.cluster.index();
    until(&bench.cluster, &told, || index.is_complete(&bench.environment).then_some(())).await;
    let kinds = || {
        let ours = index.inventory(&bench.environment, "site");
        let mut kinds: Vec<String> = ours.iter().map(|row| row.summary.key.to_string()).collect();
        kinds.sort();
        kinds
    };
    let mut wanted = match scene.ends_with {
        Some(_) => vec!["ConfigMap/site", "Deployment/site", "Service/site"],
        None => Vec::new(),
    };
    if scene.extra {
        wanted.insert(1, "ConfigMap/site-extra");
    }
    soon(bench, || kinds() == wanted).await;
    assert_eq!(kinds(), wanted, "{told}: nothing is missing, and nothing left over");
    let Some(number) = scene.ends_with else {
        assert!(bench.recorded("site").await.is_none(), "{told}");
        return;
    };
    let id = bench.recorded("site").await.unwrap().id;
    let active = bench.active(id).await.unwrap();
    assert_eq!((active.number, active.state), (number, InstanceState::Active), "{told}");
    let instances = bench.store.instances(id).await.unwrap();
    assert_eq!(instances.len(), number as usize, "{told}: an instance too many: {instances:?}");
    if scene.name == "restart" {
        let sets = || {
            let objects = index.objects_of(&bench.environment, "site");
            objects.iter().filter(|object| object.key.kind == "ReplicaSet").count()
        };
        soon(bench, || sets() >= 2).await;
        assert_eq!(sets(), 2, "{told}: its pods were replaced once, no more and no less");
    }
    let recorded = bench.store.inventory(id).await.unwrap();
    assert_eq!(recorded.len(), wanted.len(), "{told}: the inventory in the records: {recorded:?}");
}

/// Waits for what one watch tells later than another; in vain, so that whoever looks next says what there is instead.
async fn soon(bench: &Bench, condition: impl Fn() -> bool) {
    let reached = until(&bench.cluster, "it is as it should be", || condition().then_some(()));
    let _ = tokio::time::timeout(LIMIT - Duration::from_secs(2), reached).await;
}

async fn at_every_point(scene: &Scene) {
    let points = play(scene, 0).await;
    assert!(points > 5, "{}: {points} points", scene.name);
    // once more when it has written all
    let plays = futures::stream::iter((1..=points + 1).map(|at| play(scene, at)));
    plays.buffer_unordered(SIDE_BY_SIDE).collect::<Vec<_>>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_survives_a_crash_at_every_point() {
    at_every_point(&DEPLOY).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_survives_a_crash_at_every_point() {
    at_every_point(&UPGRADE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_survives_a_crash_at_every_point() {
    at_every_point(&ROLLBACK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_survives_a_crash_at_every_point() {
    at_every_point(&STOP).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_survives_a_crash_at_every_point() {
    at_every_point(&START).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_survives_a_crash_at_every_point() {
    at_every_point(&RESTART).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_scale_survives_a_crash_at_every_point() {
    at_every_point(&SCALE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_survives_a_crash_at_every_point() {
    at_every_point(&DELETE).await;
}
