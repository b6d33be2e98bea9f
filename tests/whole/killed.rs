//! `kill -9` of an agent in the middle of an operation: another process goes on from what the journal says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::Signal;
use styrmin::app::paths::Paths;
use styrmin::app::session::{self, Session};
use styrmin::app::{Options, Target};
use styrmin::domain::operation::Subject;
use styrmin::domain::{
    Clock, DeploymentDraft, DriverRef, Health, InstanceState, Intent, OperationState, OperationView,
    SystemClock,
};
use styrmin::store::Store;

use crate::agents::Agent;
use crate::pty::PATIENCE;

/// What the demo application consists of: its claim was made by the set.
const OBJECTS: [&str; 7] = [
    "Deployment/notes-web",
    "Ingress/notes",
    "NetworkPolicy/notes-from",
    "PersistentVolumeClaim/data-notes-db-0",
    "Service/notes",
    "Service/notes-db",
    "StatefulSet/notes-db",
];

/// The agent is killed when the journal has been told so often that a step began or ended.
const POINTS: [usize; 6] = [1, 4, 7, 10, 13, 16];

/// A process beside the agent: it plans and confirms, and never leads.
async fn beside(home: &Path) -> Session {
    let options = Options {
        target: Target::Sandbox,
        executable: Some(PathBuf::from(env!("CARGO_BIN_EXE_styrmin"))),
        ..Options::default()
    };
    let paths = Paths { state: home.join(".local/state/styrmin"), config: home.join("config") };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::open(&paths.state, Arc::clone(&clock)).unwrap();
    let opened = session::open(&options, &paths, store, clock).await.unwrap();
    opened.session.start();
    opened.session.cluster.watch_namespace("demo");
    opened.session
}

fn notes() -> DeploymentDraft {
    DeploymentDraft {
        name: "notes".to_owned(),
        environment: "demo".to_owned(),
        driver: DriverRef { name: "notes".to_owned(), version: "1.1.0".to_owned() },
        application_version: "1.0.0".to_owned(),
        ..DeploymentDraft::default()
    }
}

async fn operations(session: &Session) -> Vec<OperationView> {
    let [cluster, environment, name] = ["sandbox", "demo", "notes"].map(str::to_owned);
    session.store.operations_of(&Subject { cluster, environment, name }, 10).await.unwrap()
}

/// Waits until `reached` holds of the newest operation.
async fn until(session: &Session, what: &str, reached: impl Fn(&OperationView) -> bool) -> OperationView {
    let mut changes = session.store.changes();
    let wait = async {
        loop {
            changes.mark_unchanged();
            if let Some(newest) = operations(session).await.into_iter().next().filter(|view| reached(view)) {
                return newest;
            }
            changes.changed().await.unwrap();
        }
    };
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(view) => view,
        Err(_) => panic!("waiting for: {what}\n{:#?}", operations(session).await),
    }
}

fn told(view: &OperationView) -> usize {
    view.steps.iter().map(|step| usize::from(step.attempt > 0) + usize::from(step.ended.is_some())).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_whose_agent_was_killed_is_carried_on_by_the_next() {
    for point in POINTS {
        let home = tempfile::tempdir().unwrap();
        let mut agent = Agent::start_at(home.path(), 0);
        agent.says("the engine runs here").await;
        let session = beside(home.path()).await;
        // The next process has it too: another port would be another context, and so another instance.
        let port = session.store.cluster("sandbox").await.unwrap().unwrap().ingress_port.unwrap();
        let intent = Intent::Deploy(notes());
        let preview = session.engine.preview(&intent).await.unwrap();
        session.engine.confirm(&intent, &preview.plan.hash(), "anna@here").await.unwrap();
        let so_far = format!("{point} things told of its steps");
        until(&session, &so_far, |view| told(view) >= point || view.operation.state.is_final()).await;
        agent.signal(Signal::KILL);
        agent.wait().await;
        let mut next = Agent::start_at(home.path(), port);
        next.says("the engine runs here").await;
        let ended = until(&session, "the end", |view| view.operation.state.is_final()).await;
        assert_eq!(ended.operation.state, OperationState::Succeeded, "killed at {point}: {ended:#?}");
        assert_eq!(operations(&session).await.len(), 1, "killed at {point}: it was planned once");
        healthy(&session, point).await;
        let records = session.records().await.unwrap();
        let active = records.deployments[0].active.clone().unwrap();
        assert_eq!((active.number, active.state), (1, InstanceState::Active));
        assert_eq!(records.deployments[0].history.len(), 1, "killed at {point}: an instance too many");
        next.signal(Signal::TERM);
        next.wait().await;
    }
}

/// Exactly its objects are there, and well.
async fn healthy(session: &Session, point: usize) {
    let index = session.cluster.index();
    let mut moved = session.cluster.generation();
    let seen = || {
        let rows = index.inventory("demo", "notes");
        let told = rows.iter().map(|row| (row.summary.key.to_string(), row.summary.verdict.health));
        told.collect::<BTreeMap<_, _>>()
    };
    let wait = async {
        loop {
            moved.mark_unchanged();
            let objects = seen();
            let well = |health: &Health| matches!(health, Health::Healthy | Health::Stopped);
            if objects.keys().eq(&OBJECTS) && objects.values().all(well) {
                return;
            }
            moved.changed().await.unwrap();
        }
    };
    let reached = tokio::time::timeout(PATIENCE, wait).await.is_ok();
    assert!(reached, "killed at {point}: {:?} {:#?}", session.cluster.link(), seen());
}
