//! The records as the other rooms use them, and every way in which their file can be bad.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;

use super::{FILE_NAME, Finding, Holder, NewInstance, Recorded, Store, StoreError, migrate};
use crate::domain::driver::ChartPin;
use crate::domain::{
    Clock, ClusterKind, ClusterRecord, DedicatedIngress, Deployment, DeploymentDraft, DeploymentId,
    DesiredPhase, DriverRef, DriverSpec, DriverVersion, Environment, InstanceState, ManualClock, Problem,
};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-11-22T12:00:00Z".parse::<Timestamp>().unwrap()))
}

fn cluster() -> ClusterRecord {
    ClusterRecord {
        name: "sandbox".to_owned(),
        kind: ClusterKind::Sandbox,
        fqdn_suffix: Some("localhost".to_owned()),
        storage_class: None,
        ingress_port: Some(8480),
        ingress_tls_port: None,
    }
}

fn environment(name: &str) -> Environment {
    Environment {
        name: name.to_owned(),
        cluster: "sandbox".to_owned(),
        namespace: name.to_owned(),
        ingress_class: None,
        fqdn_suffix: None,
        production: false,
        ..Environment::new("", "", "")
    }
}

fn driver(content: &str) -> DriverVersion {
    DriverVersion {
        reference: reference(),
        source: "/drivers/notes".to_owned(),
        digest: crate::domain::names::digest(content.as_bytes()),
        spec: DriverSpec { default_version: "1.0.0".to_owned(), ..DriverSpec::default() },
        files: BTreeMap::from([("driver.styrmin.yml".to_owned(), content.to_owned())]),
        binaries: BTreeMap::from([("logo.png".to_owned(), Arc::from([0xFF_u8, 0x00]))]),
        chart: Some(ChartPin { version: "1.2".to_owned(), ..ChartPin::default() }),
        loaded_at: None,
    }
}

/// The driver as it is read back.
fn recorded(content: &str) -> DriverVersion {
    DriverVersion { loaded_at: Some(clock().now()), ..driver(content) }
}

fn reference() -> DriverRef {
    DriverRef { name: "notes".to_owned(), version: "1.0.0".to_owned() }
}

fn draft(name: &str) -> DeploymentDraft {
    DeploymentDraft {
        name: name.to_owned(),
        environment: "demo".to_owned(),
        driver: reference(),
        application_version: "1.0.0".to_owned(),
        parameters: BTreeMap::from([("title".to_owned(), json!("Notes"))]),
        ..DeploymentDraft::default()
    }
}

fn new_instance(deployment: DeploymentId, version: &str) -> NewInstance {
    NewInstance {
        deployment,
        draft: DeploymentDraft { application_version: version.to_owned(), ..draft("notes") },
        context: json!({"app": {"version": version}}),
        digest: version.to_owned(),
        number: 1,
    }
}

async fn filled() -> Store {
    let store = Store::in_memory(clock()).unwrap();
    fill(&store).await;
    store
}

async fn fill(store: &Store) {
    store.upsert_cluster(&cluster()).await.unwrap();
    store.upsert_environment(&environment("demo")).await.unwrap();
    store.record_driver(&driver("one")).await.unwrap();
}

async fn deployed(store: &Store) -> Deployment {
    store.create_deployment("sandbox", &draft("notes"), "uid-1").await.unwrap()
}

#[tokio::test]
async fn records_come_back_as_they_were_written() {
    let store = filled().await;
    assert_eq!(store.clusters().await.unwrap(), [cluster()]);
    assert_eq!(store.environment("sandbox", "demo").await.unwrap(), Some(environment("demo")));
    assert_eq!(store.driver(&reference()).await.unwrap(), Some(recorded("one")));

    let own = Environment {
        ip_whitelist: vec!["10.0.0.0/8".to_owned()],
        dedicated_ingress: Some(DedicatedIngress::default()),
        ..environment("own")
    };
    store.upsert_environment(&own).await.unwrap();
    assert_eq!(store.environment("sandbox", "own").await.unwrap(), Some(own));

    let created = deployed(&store).await;
    assert_eq!((created.revision, created.phase), (1, DesiredPhase::Running));
    assert_eq!(created.draft, draft("notes"));
    assert_eq!(store.deployment(created.id).await.unwrap(), Some(created.clone()));
    assert_eq!(store.find_deployment("sandbox", "demo", "notes").await.unwrap(), Some(created.clone()));
    assert_eq!(store.deployments("sandbox").await.unwrap(), [created]);

    store.set_setting("theme", "paper").await.unwrap();
    assert_eq!(store.setting("theme").await.unwrap().as_deref(), Some("paper"));
    assert_eq!(store.setting("keymap").await.unwrap(), None);
}

#[tokio::test]
async fn the_generation_moves_with_changes_only() {
    let store = filled().await;
    let changes = store.changes();
    let before = *changes.borrow();
    store.upsert_cluster(&cluster()).await.unwrap();
    store.upsert_environment(&environment("demo")).await.unwrap();
    assert_eq!(store.record_driver(&driver("one")).await.unwrap(), Recorded::Known);
    assert_eq!(*changes.borrow(), before, "what is the same writes nothing");
    store.upsert_environment(&environment("test")).await.unwrap();
    assert_eq!(*changes.borrow(), before + 1);
}

#[tokio::test]
async fn drivers_are_listed_by_name_the_latest_first_and_without_their_binaries() {
    let store = filled().await;
    for (name, version) in [("notes", "1.10.0"), ("notes", "1.9.0"), ("atlas", "0.1")] {
        let mut other = driver(version);
        other.reference = DriverRef { name: name.to_owned(), version: version.to_owned() };
        store.record_driver(&other).await.unwrap();
    }
    let listed = store.drivers().await.unwrap();
    let names: Vec<_> = listed.iter().map(|driver| driver.reference.to_string()).collect();
    assert_eq!(names, ["atlas 0.1", "notes 1.10.0", "notes 1.9.0", "notes 1.0.0"]);
    assert!(listed.iter().all(|driver| driver.binaries.is_empty() && !driver.files.is_empty()));

    let mut understood = driver("one");
    understood.spec.default_version = "1.0.1".to_owned();
    assert_eq!(store.record_driver(&understood).await.unwrap(), Recorded::Known);
    let read = store.driver(&reference()).await.unwrap().unwrap();
    assert_eq!(read.spec.default_version, "1.0.1", "the same files, read by a newer version");
}

#[tokio::test]
async fn a_driver_version_is_immutable_unless_it_is_built_in() {
    let store = filled().await;
    let refused = store.record_driver(&driver("two")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Immutable { .. }));
    assert!(Problem::from(refused).next.contains("spec.version"));

    let mut built_in = driver("three");
    built_in.reference.name = "inside".to_owned();
    built_in.source = "built-in".to_owned();
    assert_eq!(store.record_driver(&built_in).await.unwrap(), Recorded::New);
    built_in.digest = "other".to_owned();
    built_in.files = BTreeMap::from([("driver.styrmin.yml".to_owned(), "four".to_owned())]);
    assert_eq!(store.record_driver(&built_in).await.unwrap(), Recorded::Replaced);
    assert_eq!(
        store.driver(&built_in.reference).await.unwrap(),
        Some(DriverVersion { loaded_at: Some(clock().now()), ..built_in })
    );
}

#[tokio::test]
async fn broken_references_and_taken_names_are_told_by_name() {
    let store = filled().await;
    deployed(&store).await;
    let taken = store.create_deployment("sandbox", &draft("notes"), "uid-2").await.unwrap_err();
    assert_eq!(taken.to_string(), "deployment 'notes' exists already");

    let nowhere = DeploymentDraft { environment: "nope".to_owned(), ..draft("other") };
    let missing = store.create_deployment("sandbox", &nowhere, "uid-3").await.unwrap_err();
    assert_eq!(missing.to_string(), "there is no environment 'nope'");

    let mut undriven = draft("other");
    undriven.driver.version = "9".to_owned();
    let missing = store.create_deployment("sandbox", &undriven, "uid-4").await.unwrap_err();
    assert_eq!(missing.to_string(), "there is no driver version 'notes 9'");

    let lost = Environment { cluster: "gone".to_owned(), ..environment("x") };
    let missing = store.upsert_environment(&lost).await.unwrap_err();
    assert_eq!(missing.to_string(), "there is no cluster 'gone'");
}

#[tokio::test]
async fn a_change_needs_the_revision_that_it_was_based_on() {
    let store = filled().await;
    let created = deployed(&store).await;
    let mut changed = draft("notes");
    changed.application_version = "1.1.0".to_owned();
    let updated = store.update_deployment(created.id, 1, &changed, DesiredPhase::Running).await.unwrap();
    assert_eq!((updated.revision, updated.draft.application_version.as_str()), (2, "1.1.0"));
    let notes = draft("notes");
    let stale = store.update_deployment(created.id, 1, &notes, DesiredPhase::Running).await.unwrap_err();
    assert!(matches!(stale, StoreError::Changed { expected: 1, found: 2, .. }));

    assert_eq!(store.set_phase(created.id, DesiredPhase::Stopped).await.unwrap().revision, 3);
    assert_eq!(store.set_phase(created.id, DesiredPhase::Stopped).await.unwrap().revision, 3);
    assert!(store.delete_deployment(created.id).await.unwrap());
    assert!(!store.delete_deployment(created.id).await.unwrap());
}

#[tokio::test]
async fn instances_are_numbered_and_only_one_is_active() {
    let store = filled().await;
    let id = deployed(&store).await.id;
    assert_eq!(store.next_instance_number(id).await.unwrap(), 1);
    for (number, version) in [(1, "1.0.0"), (2, "1.1.0")] {
        let added = store.add_instance(new_instance(id, version)).await.unwrap();
        assert_eq!((added.number, added.state), (number, InstanceState::Planned));
        for state in [InstanceState::Applying, InstanceState::Active] {
            store.set_instance_state(id, number, state, None).await.unwrap();
        }
    }
    let states: Vec<_> =
        store.instances(id).await.unwrap().into_iter().map(|found| (found.number, found.state)).collect();
    assert_eq!(states, [(2, InstanceState::Active), (1, InstanceState::Superseded)]);
    assert_eq!(store.active_instance(id).await.unwrap().unwrap().number, 2);

    let back = store.set_instance_state(id, 1, InstanceState::Active, None).await.unwrap_err();
    assert!(matches!(back, StoreError::Transition { number: 1, .. }), "a rollback is a new instance");
    let unknown = store.set_instance_state(id, 7, InstanceState::Failed, None).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no instance '7'");
}

#[tokio::test]
async fn a_newer_instance_supersedes_one_that_never_became_active() {
    let store = filled().await;
    let id = deployed(&store).await.id;
    store.add_instance(new_instance(id, "1.0.0")).await.unwrap();
    store.set_instance_state(id, 1, InstanceState::Applying, None).await.unwrap();
    store.add_instance(new_instance(id, "1.1.0")).await.unwrap();
    let first = store.instance(id, 1).await.unwrap().unwrap();
    assert_eq!(first.state, InstanceState::Superseded);
    assert_eq!(first.message.as_deref(), Some("replaced by instance 2"));
    assert_eq!(store.latest_instance(id).await.unwrap().unwrap().number, 2);
}

#[tokio::test]
async fn a_frozen_instance_cannot_be_changed_even_by_hand() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), clock()).unwrap();
    fill(&store).await;
    let id = deployed(&store).await.id;
    store.add_instance(new_instance(id, "1.0.0")).await.unwrap();
    let by_hand = Connection::open(directory.path().join(FILE_NAME)).unwrap();
    let refused = by_hand.execute("UPDATE instances SET context = '{}'", []).unwrap_err();
    assert!(refused.to_string().contains("frozen"), "{refused}");
}

#[tokio::test]
async fn records_survive_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let nested = directory.path().join("a/b");
    {
        let store = Store::open(&nested, clock()).unwrap();
        fill(&store).await;
        deployed(&store).await;
    }
    let again = Store::open(&nested, clock()).unwrap();
    assert_eq!(again.deployments("sandbox").await.unwrap().len(), 1);
    assert_eq!(again.path(), Some(nested.join(FILE_NAME)));
}

#[tokio::test]
async fn handles_in_parallel_never_give_a_number_twice() {
    let directory = tempfile::tempdir().unwrap();
    // Two connections, as two processes have them.
    let stores =
        [Store::open(directory.path(), clock()).unwrap(), Store::open(directory.path(), clock()).unwrap()];
    fill(&stores[0]).await;
    let id = deployed(&stores[0]).await.id;
    let tasks: Vec<_> = (0..40)
        .map(|turn| {
            let store = stores[turn % 2].clone();
            tokio::spawn(async move { store.add_instance(new_instance(id, "1.0.0")).await.unwrap().number })
        })
        .collect();
    let mut numbers = Vec::new();
    for task in tasks {
        numbers.push(task.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
}

fn refusal(directory: &Path) -> Problem {
    match Store::open_waiting(directory, clock(), Duration::from_millis(50)) {
        Ok(_) => panic!("the records opened"),
        Err(problem) => problem,
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let problem = refusal(&file.join("state"));
    assert!(problem.what.contains("directory"), "{problem}");
    assert!(problem.why.contains(&file.display().to_string()), "{problem}");
}

#[test]
fn a_locked_file_is_told_and_opens_when_it_is_free() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), clock()).unwrap());
    let path = directory.path().join(FILE_NAME);
    let other = Connection::open(&path).unwrap();
    // The journal of one process only, as a tool in exclusive mode holds it.
    other.pragma_update(None, "journal_mode", "delete").unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let problem = refusal(directory.path());
    assert!(problem.why.contains("locked"), "{problem}");
    assert!(problem.why.contains(&path.display().to_string()), "{problem}");
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    assert!(Store::open(directory.path(), clock()).is_ok());
}

#[test]
fn a_damaged_file_is_kept_and_named() {
    for content in ["this is no database, and long enough to be read as one".repeat(40), damaged_middle()] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        fs::write(&path, latin(&content)).unwrap();
        let before = fs::read(&path).unwrap();
        let problem = refusal(directory.path());
        assert!(problem.why.contains("damaged"), "{problem}");
        assert!(problem.next.contains("mv "), "{problem}");
        assert_eq!(fs::read(&path).unwrap(), before, "the file is kept as it was");
    }
}

/// A real database whose schema page is sound and whose other pages are not; one character per byte.
fn damaged_middle() -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("whole.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(migrate::ALL[0]).unwrap();
    drop(connection);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[8192..end].fill(0xAB);
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

#[test]
fn a_newer_schema_is_refused_untouched() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), clock()).unwrap());
    let by_hand = Connection::open(directory.path().join(FILE_NAME)).unwrap();
    by_hand.pragma_update(None, "user_version", 99).unwrap();
    drop(by_hand);
    let problem = refusal(directory.path());
    assert!(problem.what.contains("newer"), "{problem}");
    assert!(problem.why.contains("schema 99"), "{problem}");
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    let refused = rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY),
        Some("attempt to write a readonly database".to_owned()),
    );
    let problem =
        Problem::from(StoreError::from(refused).during("record the cluster", Some(Path::new("/x/y.db"))));
    assert_eq!(problem.what, "Cannot record the cluster");
    assert!(problem.why.contains("/x/y.db cannot be written"), "{problem}");
}

#[test]
fn the_file_is_backed_up_before_its_schema_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAME);
    drop(Store::open(directory.path(), clock()).unwrap());
    let mut connection = Connection::open(&path).unwrap();
    connection.execute("INSERT INTO settings VALUES ('kept', 'yes')", []).unwrap();
    let all = [migrate::ALL, &["CREATE TABLE later (a TEXT) STRICT; DELETE FROM settings"]].concat();
    let before = migrate::ALL.len();
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    migrate::back_up_before(&connection, &all, &path, now).unwrap();
    migrate::run(&mut connection, &all).unwrap();
    assert_eq!(migrate::version(&connection).unwrap(), before + 1);

    let backup = directory.path().join(format!("styrmin.db.v{before}-20261122T120000Z.backup"));
    let old = Connection::open(backup).unwrap();
    assert_eq!(migrate::version(&old).unwrap(), before);
    let kept: String = old.query_row("SELECT value FROM settings", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, "yes");
}

#[test]
fn a_migration_that_fails_leaves_the_schema_as_it_was() {
    let mut connection = Connection::open_in_memory().unwrap();
    let all =
        ["CREATE TABLE a (x TEXT) STRICT", "CREATE TABLE b (x TEXT) STRICT; CREATE TABLE a (x TEXT) STRICT"];
    assert!(migrate::run(&mut connection, &all).is_err());
    assert_eq!(migrate::version(&connection).unwrap(), 0);
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 0, "not even the step before it");
}

#[test]
fn cockpits_that_start_at_the_same_moment_all_open() {
    let directory = tempfile::tempdir().unwrap();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let path = directory.path().to_owned();
            let patience = Duration::from_secs(60);
            std::thread::spawn(move || Store::open_waiting(&path, clock(), patience).map(drop))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
}

/// Waits for the counter to move, and fails when it does not: 30 s stand for ever.
async fn moved(changes: &mut tokio::sync::watch::Receiver<u64>) -> u64 {
    let moved = tokio::time::timeout(Duration::from_secs(30), changes.changed()).await;
    moved.expect("the counter moves").unwrap();
    *changes.borrow_and_update()
}

#[tokio::test]
async fn the_generation_moves_with_what_others_commit() {
    let directory = tempfile::tempdir().unwrap();
    let first = Store::open(directory.path(), clock()).unwrap();
    let second = Store::open(directory.path(), clock()).unwrap();
    fill(&first).await;
    let mut changes = second.changes();
    for theme in ["paper", "midnight", "paper"] {
        changes.mark_unchanged();
        first.set_setting("theme", theme).await.unwrap();
        while second.setting("theme").await.unwrap().as_deref() != Some(theme) {
            moved(&mut changes).await;
        }
    }
    // What was written without a word is noticed as well: by another program, or by a process that died just then.
    let silent = Connection::open(directory.path().join(FILE_NAME)).unwrap();
    first.setting("theme").await.unwrap();
    changes.mark_unchanged();
    silent.execute("UPDATE settings SET value = 'silent'", []).unwrap();
    while second.setting("theme").await.unwrap().as_deref() != Some("silent") {
        moved(&mut changes).await;
    }
}

#[tokio::test]
async fn nothing_wakes_for_its_own_commits_twice() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) =
        (Store::open(directory.path(), clock()).unwrap(), Store::open(directory.path(), clock()).unwrap());
    let own = ours.changes();
    let mut heard = theirs.changes();
    let before = *own.borrow();
    for number in 0..20 {
        ours.set_setting("theme", &number.to_string()).await.unwrap();
    }
    // a commit of theirs is the last: when it is heard, everything before it was looked at
    theirs.set_setting("keymap", "helix").await.unwrap();
    let mut own = own;
    own.wait_for(|count| *count > before + 20).await.unwrap();
    assert_eq!(*own.borrow(), before + 21);
    while theirs.setting("theme").await.unwrap().as_deref() != Some("19") {
        moved(&mut heard).await;
    }
}

#[tokio::test]
async fn what_the_engine_found_is_there_for_everybody_until_it_finds_something_else() {
    let store = filled().await;
    let holder = Holder { identity: "me".to_owned(), host: "here".to_owned(), pid: None };
    let old = store.claim_engine("sandbox", &holder, 0).await.unwrap();
    let finding = |name: &str, problem: Option<&str>| Finding {
        namespace: "demo".to_owned(),
        name: name.to_owned(),
        problem: problem.map(|what| Problem::new(what, "why", "next")),
        drift: Vec::new(),
    };
    let found = vec![finding("a", None), finding("b", Some("it stands still"))];
    store.record_findings("sandbox", old, found.clone()).await.unwrap();
    assert_eq!(store.findings("sandbox").await.unwrap(), found);
    let new = store.claim_engine("sandbox", &holder, 0).await.unwrap();
    let late = store.record_findings("sandbox", old, Vec::new()).await.unwrap_err();
    assert!(matches!(late, StoreError::Deposed { .. }), "{late:?}");
    assert_eq!(store.findings("sandbox").await.unwrap(), found);
    store.record_findings("sandbox", new, vec![finding("a", None)]).await.unwrap();
    assert_eq!(store.findings("sandbox").await.unwrap(), [finding("a", None)]);
}
