//! The whole way: an application on the sandbox, backed up and restored by commands, and by a schedule beside the engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;
use styrmin::app::paths::Paths;
use styrmin::app::session::{self, Session};
use styrmin::app::{Options, Target};
use styrmin::domain::backup::{BackupState, Depth, Missed, Retention, Schedule};
use styrmin::domain::{
    Clock, DeploymentDraft, DriverRef, Intent, OperationKind, OperationState, OperationView, SystemClock,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::home::{Home, PROGRAM, now};

/// How long anything may take before the test fails.
const LIMIT: Duration = Duration::from_secs(120);

/// A process of its own kind: the engine runs here.
struct Engine {
    session: Session,
    stop: CancellationToken,
    leading: JoinHandle<()>,
}

impl Engine {
    async fn start(home: &Home) -> Self {
        let options = Options {
            target: Target::Sandbox,
            executable: Some(PathBuf::from(PROGRAM)),
            ..Options::default()
        };
        let paths = Paths { state: home.path(".local/state/styrmin"), config: home.path(".config/styrmin") };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let opened = session::open(&options, &paths, home.store(), clock).await.unwrap();
        let stop = CancellationToken::new();
        let leading = tokio::spawn(opened.leader.run(stop.clone()));
        opened.session.start();
        opened.session.cluster.watch_namespace("demo");
        Self { session: opened.session, stop, leading }
    }

    /// Waits until the records satisfy `holds`.
    async fn until<T>(&self, what: &str, holds: impl AsyncFn(&Session) -> Option<T>) -> T {
        let mut changes = self.session.store.changes();
        let wait = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = holds(&self.session).await {
                    return found;
                }
                changes.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(LIMIT, wait).await {
            Ok(found) => found,
            Err(_) => {
                let operations = self.session.store.operations("sandbox", 20).await.unwrap();
                let said: Vec<_> = operations.iter().map(describe).collect();
                panic!("not within {} s: {what}\n{}", LIMIT.as_secs(), said.join("\n"));
            }
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.leading.await.unwrap();
    }
}

fn describe(view: &OperationView) -> String {
    let operation = &view.operation;
    format!("{} {} {:?} {:?}", operation.id, operation.plan.title, operation.state, view.first_problem())
}

/// A home with the demo application deployed in `demo`, a vault for its backups, and an engine that runs beside the commands.
async fn with_notes() -> (Home, Engine) {
    let home = Home::new().await;
    home.with_vault(&["demo"]);
    let engine = Engine::start(&home).await;
    let draft = DeploymentDraft {
        name: "notes".to_owned(),
        environment: "demo".to_owned(),
        driver: DriverRef { name: "notes".to_owned(), version: "1.1.0".to_owned() },
        application_version: "1.0.0".to_owned(),
        ..DeploymentDraft::default()
    };
    let intent = Intent::Deploy(draft);
    let plan = engine.session.engine.preview(&intent).await.unwrap().plan;
    engine.session.engine.confirm(&intent, &plan.hash(), "anna").await.unwrap();
    let deployed = engine.until("it is deployed", async |session| {
        let operations = session.store.operations("sandbox", 1).await.unwrap();
        operations.into_iter().next().filter(|view| view.operation.state.is_final())
    });
    let deployed = deployed.await;
    assert_eq!(deployed.operation.state, OperationState::Succeeded, "{}", describe(&deployed));
    (home, engine)
}

/// The lines that a program is told.
fn events(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_back_up_prove_restore_and_delete() {
    let (home, engine) = with_notes().await;
    let asked = ["--yes", "--json", "--sandbox"];
    // the engine needs this thread meanwhile
    let run = |arguments: &[&str]| tokio::task::block_in_place(|| home.run(&[arguments, &asked].concat()));
    let told = events(&run(&["backup", "run", "notes"]).good());
    let of = |event: &str| told.iter().filter(|one| one["event"] == event).cloned().collect::<Vec<_>>();
    assert_eq!((of("plan").len(), of("recorded").len()), (1, 1), "{told:?}");
    assert!(
        of("step").iter().any(|step| step["step"] == "seal backup" && step["state"] == "Succeeded"),
        "{told:?}"
    );
    assert_eq!(of("ended")[0]["state"], "Succeeded");
    let listed = home.run(&["backup", "list", "-o", "json"]).json();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["state"]), (1, &"Completed".into()));
    assert!(listed[0]["bytes"].as_u64().unwrap() > 0);
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    run(&["backup", "verify", &id, "--full"]).good();
    assert!(home.run(&["backup", "list"]).good().contains("Verified"));
    run(&["backup", "restore", &id, "--component", "nothing"]).bad(2, &["no component nothing", "it has db"]);
    run(&["backup", "restore", &id]).good();
    let all = home.run(&["backup", "list", "-o", "json"]).json();
    assert_eq!(all[0]["trigger"]["by"], "restore", "what was there is kept: {all}");
    // the records are lost, and come back
    let store = home.store();
    let before = store.backups("sandbox").await.unwrap();
    for backup in &before {
        store.forget_backup(&backup.id).await.unwrap();
    }
    let scanned = home.run(&["location", "scan", "vault", "-o", "json"]).json();
    assert_eq!(scanned["found"].as_array().unwrap().len(), 2, "{scanned}");
    let after = store.backup(&before[1].id).await.unwrap().unwrap();
    assert_eq!((&after.parts, after.created), (&before[1].parts, before[1].created));
    // one of two goes
    assert!(home.run(&["location", "sweep", "vault"]).good().contains("agree"));
    run(&["backup", "prune", "demo/notes", "--keep", "last=1"]).good();
    let left = home.run(&["backup", "list", "-o", "json"]).json();
    assert_eq!((left.as_array().unwrap().len(), left[0]["trigger"]["by"].as_str()), (1, Some("restore")));
    assert!(home.run(&["location", "check", "vault", "--full"]).good().contains("nothing is wrong"));
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_makes_backups_beside_the_engine_verifies_them_and_deletes_old_ones() {
    let (home, engine) = with_notes().await;
    let schedule = Schedule {
        name: "often".into(),
        cluster: "sandbox".into(),
        environment: "demo".into(),
        application: Some("notes".into()),
        cron: "* * * * *".into(),
        time_zone: "UTC".into(),
        jitter: 0,
        // what passed while nobody ran the engine is made up for, at once
        missed: Missed::Once,
        retention: Some(Retention { last: 1, ..Retention::default() }),
        verify: Some(Depth::Quick),
        paused: None,
        created: now() - SignedDuration::from_mins(30),
    };
    home.store().upsert_schedule(&schedule).await.unwrap();
    let of = async |session: &Session, kind: OperationKind| -> usize {
        let operations = session.store.operations("sandbox", 100).await.unwrap();
        let done = operations.iter().filter(|view| {
            let operation = &view.operation;
            operation.kind == kind
                && operation.origin.actor == "schedule/often"
                && operation.state == OperationState::Succeeded
        });
        done.count()
    };
    engine
        .until("a backup and its verification", async |session| {
            (of(session, OperationKind::Verify).await >= 1).then_some(())
        })
        .await;
    let runs = engine.session.store.runs("sandbox", "often", 10).await.unwrap();
    assert!(runs.iter().any(|run| run.backups.len() == 1), "{runs:?}");
    assert!(
        runs.iter().any(|run| run.problem.as_ref().is_some_and(|problem| problem.what.contains("missed")))
    );
    // the next minute's takes its place
    engine
        .until("an old one is deleted", async |session| {
            (of(session, OperationKind::Prune).await >= 1).then_some(())
        })
        .await;
    let backups = engine.session.store.backups("sandbox").await.unwrap();
    assert!(!backups.is_empty() && backups.iter().any(|backup| backup.state == BackupState::Completed));
    let records = engine.session.records().await.unwrap();
    assert!(records.schedules[0].next.len() >= 24 * 60 - 1, "the cockpit sees what comes");
    engine.stop().await;
}
