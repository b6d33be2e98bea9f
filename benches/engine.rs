//! What the engine costs: plans, writes, standing still, a thousand applications, going on after a crash. On the embedded
//! sandbox, in this process. `cargo bench --bench engine [-- APPLICATIONS]`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a measurement prints, fails by panicking, and uses a part of what the tests share"
)]

#[path = "../tests/engine/bench.rs"]
mod bench;
#[path = "engine/beside.rs"]
mod beside;
#[path = "engine/block.rs"]
mod block;
#[path = "../tests/engine/clock.rs"]
mod clock;
#[path = "../tests/engine/guillotine.rs"]
mod guillotine;
#[path = "../tests/engine/site.rs"]
mod site;
#[path = "../tests/engine/support.rs"]
mod support;

use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::json;
use styrmin::domain::plan::Verb;
use styrmin::domain::{DeploymentDraft, Intent, OperationState};

use bench::Bench;

/// How many objects the large application has, its Service and its Deployment among them.
const OBJECTS: usize = 1_000;
/// How many operations are under way when the process dies.
const UNDER_WAY: usize = 100;
/// How often what takes milliseconds is repeated.
const TIMES: usize = 11;

fn print(what: &str, figure: f64, unit: &str) {
    println!("{what:<64} {figure:>10.1} {unit}");
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let applications = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(1_000);
    if applications > 0 {
        one_large().await;
    }
    many_small(applications).await;
    resume().await;
    let mut took = beside::milliseconds(TIMES).await;
    took.sort_by(f64::total_cmp);
    print(&format!("a wish of another process → its first step, median of {TIMES}"), took[TIMES / 2], "ms");
    print("   the slowest", took[TIMES - 1], "ms");
}

fn draft(bench: &Bench, name: &str, maps: usize, scene: &str) -> DeploymentDraft {
    let parameters = [("maps".to_owned(), json!(maps)), ("scene".to_owned(), json!(scene))];
    DeploymentDraft {
        driver: block::reference(),
        parameters: parameters.into_iter().collect(),
        ..bench.draft(name, "1.0.0")
    }
}

async fn idle(bench: &Bench) {
    let mut idle = bench.engine.idle();
    idle.wait_for(|idle| *idle).await.unwrap();
}

/// Waits until so many deployments run; fails when nothing moves for a minute.
async fn until_all_run(bench: &Bench, count: usize) {
    let mut moved = bench.cluster.generation();
    loop {
        moved.mark_unchanged();
        let resources = bench.cluster.index().custom_resources();
        let running = resources.iter().filter(|resource| resource.status.phase.as_deref() == Some("Running"));
        if running.count() >= count {
            return;
        }
        tokio::time::timeout(support::LIMIT, moved.changed()).await.expect("nothing moves").unwrap();
    }
}

async fn one_large() {
    let bench = Bench::with_driver(block::driver()).await;
    let large = draft(&bench, "large", OBJECTS - 2, "");
    let intent = Intent::Deploy(large.clone());
    let asked = Instant::now();
    let preview = bench.engine.preview(&intent).await.unwrap();
    print(
        &format!("plan of {OBJECTS} new objects, asking the server about each"),
        milliseconds(asked.elapsed()),
        "ms",
    );
    bench.engine.confirm(&intent, &preview.plan.hash(), "bench").await.unwrap();
    bench.until_running("large", 1).await;
    let times = bench.operations("large").await[0].operation.times.clone();
    let took = times.ended.unwrap().duration_since(times.started.unwrap()).as_secs_f64();
    print("apply, confirmed plan → all applied and healthy", OBJECTS as f64 / took, "objects/s");
    idle(&bench).await;
    let id = bench.recorded("large").await.unwrap().id;
    let same = Intent::Change(id, large);
    let before = bench.requests();
    let mut took: Vec<f64> = Vec::new();
    for _ in 0..TIMES {
        let asked = Instant::now();
        let preview = bench.engine.preview(&same).await.unwrap();
        took.push(milliseconds(asked.elapsed()));
        let unchanged = preview.plan.steps.iter().filter(|step| step.verb == Verb::Unchanged).count();
        assert_eq!(unchanged, OBJECTS, "{}", preview.plan);
    }
    took.sort_by(f64::total_cmp);
    print(&format!("plan of {OBJECTS} objects from what is known, median of {TIMES}"), took[TIMES / 2], "ms");
    print("   requests for it", (bench.requests() - before) as f64, "");
    bench.close().await;
}

/// The first application brings the namespace, which changes the plans of those that are being confirmed.
async fn make_room(bench: &Bench) {
    bench.deploy(draft(bench, "first", 2, "")).await;
    bench.until_running("first", 1).await;
}

async fn many_small(count: usize) {
    let mut bench = Bench::with_driver(block::driver()).await;
    make_room(&bench).await;
    let started = Instant::now();
    let shared = &bench;
    futures::stream::iter(0..count)
        .map(|number| async move {
            shared.confirm(Intent::Deploy(draft(shared, &format!("app-{number:04}"), 2, ""))).await;
        })
        .buffer_unordered(8)
        .collect::<Vec<()>>()
        .await;
    print(
        &format!("{count} applications of four objects planned and recorded"),
        started.elapsed().as_secs_f64(),
        "s",
    );
    until_all_run(&bench, count + 1).await;
    let took = started.elapsed().as_secs_f64();
    print(&format!("{count} applications deployed to healthy"), count as f64 / took, "applications/s");
    idle(&bench).await;
    let before = (bench.requests(), bench.writes());
    let started = Instant::now();
    bench.restart().await;
    idle(&bench).await;
    print(
        &format!("no-op pass over {count} deployments by another engine"),
        milliseconds(started.elapsed()),
        "ms",
    );
    print("   requests for it", (bench.requests() - before.0) as f64, "");
    print("   writes among them", (bench.writes() - before.1) as f64, "");
    bench.close().await;
}

async fn resume() {
    let mut bench = Bench::with_driver(block::driver()).await;
    make_room(&bench).await;
    for number in 0..UNDER_WAY {
        bench.confirm(Intent::Deploy(draft(&bench, &format!("app-{number:03}"), 2, "not-ready"))).await;
    }
    let mut recorded = bench.store.changes();
    let cluster = bench.cluster.name().to_owned();
    // Each waits for health, which never comes.
    loop {
        recorded.mark_unchanged();
        let open = bench.store.open_operations(&cluster).await.unwrap();
        let waits = |state| state == OperationState::Running;
        if open.iter().filter(|view| waits(view.operation.state)).count() == UNDER_WAY {
            break;
        }
        recorded.changed().await.unwrap();
    }
    idle_writes(&bench).await;
    bench.kill().await;
    let before = bench.store.open_operations(&cluster).await.unwrap()[0].operation.epoch;
    let started = Instant::now();
    bench.restart().await;
    loop {
        recorded.mark_unchanged();
        let open = bench.store.open_operations(&cluster).await.unwrap();
        if open.iter().all(|view| view.operation.epoch > before) {
            break;
        }
        // reading all of them is dear: not at every change
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    print(&format!("{UNDER_WAY} operations carried on after a crash"), milliseconds(started.elapsed()), "ms");
    bench.close().await;
}

/// Waits until nothing was written for a while: every operation has come as far as it can.
async fn idle_writes(bench: &Bench) {
    loop {
        let before = bench.writes();
        tokio::time::sleep(Duration::from_secs(2)).await;
        if bench.writes() == before {
            return;
        }
    }
}
