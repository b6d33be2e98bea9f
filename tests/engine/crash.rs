//! Crash at every step: the engine is ended before and after each write to its journal and each request to the cluster, once
//! per run, and another one goes on. Whatever the point, the same end is reached, and nothing is left over.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::StreamExt;
use serde_json::json;
use styrmin::domain::{InstanceState, Intent, OperationState, StepState, Volumes};

use crate::bench::Bench;
use crate::guillotine::Guillotine;
use crate::site;
use crate::support::until;

/// So many runs of one scene at the same time: they mostly wait.
const SIDE_BY_SIDE: usize = 4;

/// What is done before the engine that dies starts, and what it is asked for.
struct Scene {
    name: &'static str,
    /// Whether the application is there already.
    deployed: bool,
    intent: fn(&Bench) -> Intent,
    /// The instance that is active at the end; none: the application is gone.
    ends_with: Option<u32>,
}

const SCENES: [Scene; 4] = [
    Scene {
        name: "deploy",
        deployed: false,
        intent: |bench| Intent::Deploy(bench.site("1.0.0")),
        ends_with: Some(1),
    },
    Scene {
        name: "upgrade",
        deployed: true,
        intent: |bench| {
            let mut draft = bench.site("2.0.0");
            draft.parameters.insert("extra".to_owned(), json!(false));
            Intent::Change(bench.id.expect("deployed"), draft)
        },
        ends_with: Some(2),
    },
    Scene {
        name: "stop",
        deployed: true,
        intent: |bench| Intent::Stop(bench.id.expect("deployed")),
        ends_with: Some(1),
    },
    Scene {
        name: "delete",
        deployed: true,
        intent: |bench| Intent::Delete(bench.id.expect("deployed"), Volumes::Keep),
        ends_with: None,
    },
];

/// Plays a scene with an engine that dies at point `at`; gives the number of points that it passed.
async fn play(scene: &Scene, at: usize) -> usize {
    let mut bench = Bench::with_driver(site::driver()).await;
    if scene.deployed {
        let mut draft = bench.site("1.0.0");
        draft.parameters.insert("extra".to_owned(), json!(true));
        bench.id = Some(bench.deploy(draft).await);
        bench.until_running("site", 1).await;
    }
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
    let ours = index.inventory(&bench.environment, "site");
    let Some(number) = scene.ends_with else {
        assert!(ours.is_empty(), "{told}: left over: {ours:?}");
        assert!(bench.recorded("site").await.is_none(), "{told}");
        return;
    };
    let id = bench.recorded("site").await.unwrap().id;
    let active = bench.active(id).await.unwrap();
    assert_eq!((active.number, active.state), (number, InstanceState::Active), "{told}");
    let instances = bench.store.instances(id).await.unwrap();
    assert_eq!(instances.len(), number as usize, "{told}: an instance too many: {instances:?}");
    let mut kinds: Vec<String> = ours.iter().map(|row| row.summary.key.to_string()).collect();
    kinds.sort();
    let extra = scene.name == "stop";
    let mut wanted = vec!["ConfigMap/site", "Deployment/site", "Service/site"];
    if extra {
        wanted.insert(1, "ConfigMap/site-extra");
    }
    assert_eq!(kinds, wanted, "{told}");
    let recorded = bench.store.inventory(id).await.unwrap();
    assert_eq!(recorded.len(), wanted.len(), "{told}: the inventory in the records: {recorded:?}");
}

async fn at_every_point(scene: &Scene) {
    let points = play(scene, 0).await;
    assert!(points > 10, "{}: {points} points", scene.name);
    let plays = futures::stream::iter((1..=points).map(|at| play(scene, at)));
    plays.buffer_unordered(SIDE_BY_SIDE).collect::<Vec<_>>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_survives_a_crash_at_every_point() {
    at_every_point(&SCENES[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_survives_a_crash_at_every_point() {
    at_every_point(&SCENES[1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_survives_a_crash_at_every_point() {
    at_every_point(&SCENES[2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_survives_a_crash_at_every_point() {
    at_every_point(&SCENES[3]).await;
}
