//! A wish that is recorded in one process and carried out in another: how long until that one has begun.

use std::process::Stdio;
use std::sync::Arc;

use styrmin::app::paths::Paths;
use styrmin::app::session;
use styrmin::app::{Options, Target};
use styrmin::domain::{Clock, DeploymentDraft, DriverRef, Intent, OperationView, SystemClock};
use styrmin::store::Store;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Milliseconds from the record of each wish to its first step, in the journal's own times; `count` wishes, one after the other.
pub async fn milliseconds(count: usize) -> Vec<f64> {
    let home = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_styrmin");
    let mut agent = Command::new(program)
        .args(["agent", "--sandbox"])
        .env("HOME", home.path())
        .env("STYRMIN_INGRESS_PORT", "0")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(agent.stderr.take().unwrap()).lines();
    while !said.next_line().await.unwrap().unwrap().contains("the engine runs here") {}
    let paths = Paths { state: home.path().join(".local/state/styrmin"), config: home.path().join("config") };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::open(&paths.state, Arc::clone(&clock)).unwrap();
    let options = Options { target: Target::Sandbox, executable: Some(program.into()), ..Options::default() };
    let session = session::open(&options, &paths, store, clock).await.unwrap().session;
    session.start();
    session.cluster.watch_namespace("demo");
    let mut took = Vec::new();
    for number in 0..count {
        let draft = DeploymentDraft {
            name: format!("notes-{number}"),
            environment: "demo".to_owned(),
            driver: DriverRef { name: "notes".to_owned(), version: "1.1.0".to_owned() },
            application_version: "1.0.0".to_owned(),
            ..DeploymentDraft::default()
        };
        let intent = Intent::Deploy(draft);
        let preview = session.engine.preview(&intent).await.unwrap();
        let mut changes = session.store.changes();
        session.engine.confirm(&intent, &preview.plan.hash(), "bench").await.unwrap();
        loop {
            changes.mark_unchanged();
            let newest = session.store.operations("sandbox", 1).await.unwrap().remove(0);
            if let Some(time) = begun(&newest) {
                took.push(time);
                break;
            }
            changes.changed().await.unwrap();
        }
    }
    agent.start_kill().unwrap();
    agent.wait().await.unwrap();
    took
}

fn begun(view: &OperationView) -> Option<f64> {
    let first = view.steps.iter().filter_map(|step| step.started).min()?;
    Some(first.duration_since(view.operation.times.created).as_secs_f64() * 1000.0)
}
