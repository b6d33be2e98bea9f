//! The actions of the demo application, in pods that are real processes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use styrmin::cluster::Command;
use styrmin::domain::call::StepId;
use styrmin::domain::operation::OperationState::{Failed, PartiallyFailed, Succeeded};
use styrmin::domain::plan::Verb;
use styrmin::domain::world::LogTarget;
use styrmin::domain::{
    ActionRequest, DeploymentDraft, DeploymentId, DriverVersion, Intent, OperationKind, OperationView,
    StepRecord, StepState,
};
use styrmin::driver::{built_in, load_files};

use crate::bench::Bench;
use crate::support::LIMIT;

/// Not the name of its driver: its Services are not called as the driver calls them.
const BLOG: &str = "blog";

/// Two notes as 1.0.0 has them.
const NOTES: &str = r#"{"format":"notes-db","schema":1,"sequence":2,"next_id":3}
{"id":1,"text":"milk"}
{"id":2,"text":"eggs"}
{"end":true,"count":2}
"#;

/// A running engine with the application at a version and two notes in it.
async fn with_notes(version: &str) -> (Bench, DeploymentId) {
    let bench = Bench::on_sandbox().await;
    let id = bench.deploy(bench.draft(BLOG, version)).await;
    bench.until_running(BLOG, 1).await;
    assert_eq!(db(&bench, &["restore"], NOTES).await.unwrap()["restored"], 2);
    (bench, id)
}

/// What a command of the database says in its last line, or why it ended with another code than 0.
async fn db(bench: &Bench, words: &[&str], stdin: &str) -> Result<Value, String> {
    let namespace = bench.environment.clone();
    let target = LogTarget { namespace, pod: format!("{BLOG}-db-0"), container: "db".into() };
    let argv = ["notes-db"].iter().chain(words).copied();
    let command = Command { stdin: Some(stdin.into()), ..Command::new(argv) };
    let executed = bench.cluster.exec(&target, command, None).await.unwrap();
    match executed.code() {
        Some(0) => Ok(serde_json::from_str(executed.stdout.text().lines().last().unwrap()).unwrap()),
        _ => Err(executed.stderr.text()),
    }
}

async fn upgrade(bench: &Bench, id: DeploymentId, version: &str) {
    let recorded = bench.recorded(BLOG).await.unwrap();
    let mut draft = recorded.draft;
    draft.application_version = version.to_owned();
    bench.confirm(Intent::Change(id, draft)).await;
}

/// The position and the record of a step.
fn step<'a>(view: &'a OperationView, name: &str) -> (usize, &'a StepRecord) {
    let position = view.operation.plan.steps.iter().position(|step| step.name == name);
    let position = position.unwrap_or_else(|| panic!("no step '{name}' in {}", view.operation.plan));
    (position, &view.steps[position])
}

/// What a step printed.
async fn printed(bench: &Bench, view: &OperationView, name: &str) -> String {
    let step = StepId { operation: view.operation.id, position: step(view, name).0 };
    let lines = bench.store.lines(step, 1000).await.unwrap();
    lines.into_iter().map(|line| line.text + "\n").collect()
}

/// When steps began and ended, those that match.
fn span(view: &OperationView, matches: impl Fn(&styrmin::domain::Step) -> bool) -> (Timestamp, Timestamp) {
    let records = view.operation.plan.steps.iter().zip(&view.steps).filter(|(step, _)| matches(step));
    let times: Vec<_> = records.map(|(_, record)| (record.started.unwrap(), record.ended.unwrap())).collect();
    (times.iter().map(|time| time.0).min().unwrap(), times.iter().map(|time| time.1).max().unwrap())
}

fn assert_order(view: &OperationView) {
    let named = |name: &'static str| span(view, move |step| step.name == name);
    let order = [
        ("prepare", named("run prepare")),
        ("apply", span(view, |step| matches!(step.verb, Verb::Create | Verb::Update))),
        ("wait", span(view, |step| step.verb == Verb::Wait)),
        ("migrate", named("run migrate")),
        ("smoke-test", named("run smoke-test")),
        ("clean-up", named("run clean-up")),
    ];
    for pair in order.windows(2) {
        let ((first, before), (second, after)) = (pair[0], pair[1]);
        // a wait begins as soon as its own object is applied
        let begins = if second == "wait" { after.1 } else { after.0 };
        assert!(before.1 <= begins, "{second} came before the end of {first}: {order:#?}");
    }
}

async fn upgrades(bench: &Bench, id: DeploymentId) {
    upgrade(bench, id, "1.1.0").await;
    let done = bench.until_ended(BLOG, Succeeded, Some(2)).await;
    assert_eq!(done.operation.kind, OperationKind::Upgrade);
    assert_order(&done);
    assert_eq!(step(&done, "run explain").1.state, StepState::Skipped, "{done:#?}");
    let told = printed(bench, &done, "run prepare").await;
    assert!(told.contains("blog goes from 1.0.0 to 1.1.0, by the driver notes 1.1.0"), "{told}");
    assert!(told.contains("2 notes with schema 1, sha256 "), "{told}");
    let tested = bench.told(&done).await;
    assert!(tested.contains("the data has schema 2: nothing to migrate"), "{tested}");
    assert!(tested.contains("the notes came in"), "{tested}");
    let stat = db(bench, &["stat"], "").await.unwrap();
    assert_eq!((&stat["schema"], &stat["notes"], &stat["version"]), (&json!(2), &json!(2), &json!("1.1.0")));
    let copies = db(bench, &["copies"], "").await.unwrap();
    let kept = copies["kept"].as_array().unwrap();
    assert!(kept.len() == 1 && kept[0].as_str().unwrap().ends_with("-1.0.0"), "{copies}");
}

async fn fails_and_goes_back(bench: &Bench, id: DeploymentId) {
    upgrade(bench, id, "1.2.0-broken").await;
    let is_awaited = |view: &OperationView| {
        let mut steps = view.operation.plan.steps.iter().zip(&view.steps);
        view.operation.goal.instance == Some(3)
            && steps.any(|(step, record)| {
                step.name == "wait Deployment/blog-web" && record.state == StepState::Started
            })
    };
    let hanging = bench.until_operation(BLOG, "the broken version is waited for", is_awaited).await;
    let copies = |kept: &Value| kept["kept"].as_array().unwrap().clone();
    let own = copies(&db(bench, &["copies"], "").await.unwrap())[0].clone();
    assert!(own.as_str().unwrap().ends_with("-1.1.0"), "{own}");
    // the data changes while the upgrade is tried again and again
    for later in ["later-0", "later-1", "later-2"] {
        db(bench, &["restore"], &NOTES.replace("milk", later)).await.unwrap();
        assert_eq!(db(bench, &["dump", "--to", later], "").await.unwrap()["written"], true);
    }
    db(bench, &["restore", "--from", own.as_str().unwrap()], "").await.unwrap();
    for _ in 0..3 {
        bench.is_looked_at(BLOG).await;
        bench.clock.advance(60);
    }
    bench.is_looked_at(BLOG).await;
    let ended = async {
        let mut changes = bench.store.changes();
        loop {
            changes.mark_unchanged();
            let view = bench.store.operation(hanging.operation.id).await.unwrap().unwrap();
            if view.operation.state.is_final() {
                return view;
            }
            changes.changed().await.unwrap();
        }
    };
    let ended = tokio::time::timeout(LIMIT, ended).await.expect("it is given up");
    assert!(matches!(ended.operation.state, Failed | PartiallyFailed), "{ended:#?}");
    assert_eq!(step(&ended, "run smoke-test").1.state, StepState::Skipped);
    let record = step(&ended, "run explain").1;
    assert_eq!((record.state, &record.problem), (StepState::Succeeded, &None));
    assert_eq!(step(&ended, "run clean-up").1.state, StepState::Skipped, "it is for what is done");
    let left = copies(&db(bench, &["copies"], "").await.unwrap());
    assert!(left.contains(&own), "the copy of an upgrade that failed stays: {left:?}");
    let told = printed(bench, &ended, "run explain").await;
    assert!(told.contains("the upgrade to 1.2.0-broken failed") && told.contains("-1.1.0, "), "{told}");
    assert_eq!(bench.active(id).await.unwrap().application_version, "1.1.0");
    bench.confirm(Intent::Rollback(id, 2)).await;
    let back = bench.until_ended(BLOG, Succeeded, None).await;
    assert_eq!(back.operation.kind, OperationKind::Rollback);
    bench.until_running(BLOG, back.operation.goal.instance.unwrap()).await;
    assert_eq!(db(bench, &["stat"], "").await.unwrap()["notes"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_copies_migrates_and_tests_and_a_failed_one_says_what_to_do() {
    let (bench, id) = with_notes("1.0.0").await;
    upgrades(&bench, id).await;
    fails_and_goes_back(&bench, id).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stopped_is_upgraded_without_asking_its_pods() {
    let (bench, id) = with_notes("1.0.0").await;
    bench.confirm(Intent::Stop(id)).await;
    bench.until_ended(BLOG, Succeeded, None).await;
    upgrade(&bench, id, "1.1.0").await;
    let done = bench.until_ended(BLOG, Succeeded, Some(2)).await;
    assert_eq!(done.operation.kind, OperationKind::Upgrade);
    for name in ["run prepare", "run migrate", "run smoke-test", "run clean-up"] {
        let told = printed(&bench, &done, name).await;
        assert!(told.contains("the application is stopped"), "{name}: {told}");
    }
    bench.confirm(Intent::Start(id)).await;
    bench.until_running(BLOG, 2).await;
    let stat = db(&bench, &["stat"], "").await.unwrap();
    assert_eq!((&stat["schema"], &stat["notes"]), (&json!(2), &json!(2)));
    bench.close().await;
}

/// The driver as it was before it had actions.
fn without_actions() -> DriverVersion {
    let mut files = built_in().remove(0).version.files;
    let spec = files.get_mut("driver.styrmin.yml").unwrap();
    let before = spec.split("\n  actions:").next().unwrap();
    *spec = before.replace("version: \"1.1.0\"\n  supported", "version: \"1.0.0\"\n  supported");
    files.remove("actions.star");
    load_files("test", files).unwrap().version
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_older_driver_deployed_goes_to_the_newer_one() {
    let older = without_actions();
    let reference = older.reference.clone();
    assert_eq!(reference.to_string(), "notes 1.0.0");
    let bench = Bench::with_driver(older).await;
    let draft = bench.draft(BLOG, "1.0.0");
    let id = bench.deploy(DeploymentDraft { driver: reference, ..draft.clone() }).await;
    bench.until_running(BLOG, 1).await;
    db(&bench, &["restore"], NOTES).await.unwrap();
    bench.confirm(Intent::Change(id, draft)).await;
    let done = bench.until_ended(BLOG, Succeeded, Some(2)).await;
    let told = printed(&bench, &done, "run prepare").await;
    assert!(told.contains("from 1.0.0 to 1.0.0, by the driver notes 1.1.0"), "{told}");
    assert_eq!(db(&bench, &["stat"], "").await.unwrap()["notes"], 2);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_is_reindexed_when_a_person_asks() {
    let (bench, id) = with_notes("1.1.0").await;
    let answers = [("pause_web", json!(true)), ("batch", json!(1)), ("note", json!("the weekly one"))];
    let request = |answers: BTreeMap<String, Value>| {
        let action = "reindex".to_owned();
        Intent::Act(id, ActionRequest { action, answers, ..ActionRequest::default() })
    };
    let asked = request(answers.map(|(name, value)| (name.to_owned(), value)).into());
    let rehearsed = bench.engine.rehearse(&asked).await.unwrap().join("\n");
    assert!(rehearsed.contains("stop_component") && rehearsed.contains("reindex"), "{rehearsed}");
    assert!(!rehearsed.contains("it fails"), "{rehearsed}");
    for asked in [asked, request(BTreeMap::new())] {
        bench.confirm(asked).await;
        let done = bench
            .until_operation(BLOG, "it is reindexed", |view| {
                view.operation.kind == OperationKind::Action && view.operation.state.is_final()
            })
            .await;
        assert_eq!(done.operation.state, Succeeded, "{done:#?}");
        let told = bench.told(&done).await;
        assert!(told.contains("2 notes are sound"), "{told}");
    }
    let all = bench.operations(BLOG).await;
    let [usual, first] = [&all[0], &all[1]];
    let told = printed(&bench, first, "run reindex").await;
    for line in ["the weekly one\n", "checked 1 of 2 notes\n", "checked 2 of 2 notes\n"] {
        assert!(told.contains(line), "{told}");
    }
    assert!(!printed(&bench, usual, "run reindex").await.contains("checked 1 of 2"));
    let wrong = request(BTreeMap::from([("batch".to_owned(), json!(0))]));
    let refused = bench.engine.preview(&wrong).await.unwrap_err().to_string();
    assert!(refused.contains("batch"), "{refused}");
    bench.until_running(BLOG, 1).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_database_refuses_writes_until_it_thaws() {
    let (bench, _) = with_notes("1.1.0").await;
    assert_eq!(db(&bench, &["freeze", "--for", "3600"], "").await.unwrap()["frozen_seconds"], 3600);
    let why = db(&bench, &["restore"], NOTES).await.unwrap_err();
    assert!(why.contains("503") && why.contains("writes are frozen"), "{why}");
    assert_eq!(db(&bench, &["dump"], "").await.unwrap()["count"], 2, "it is read all the same");
    assert_eq!(db(&bench, &["thaw"], "").await.unwrap()["was_frozen"], true);
    assert_eq!(db(&bench, &["thaw"], "").await.unwrap()["was_frozen"], false);
    db(&bench, &["restore"], NOTES).await.unwrap();
    db(&bench, &["freeze", "--for", "1"], "").await.unwrap();
    let thawed = async { while db(&bench, &["stat"], "").await.unwrap()["frozen_seconds"] != Value::Null {} };
    tokio::time::timeout(LIMIT, thawed).await.expect("it thaws by itself");
    db(&bench, &["restore"], NOTES).await.unwrap();
    bench.close().await;
}
