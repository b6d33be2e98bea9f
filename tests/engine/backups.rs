//! Backups and restores of the demo application, in pods that are real processes, kept in a directory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;
use styrmin::backup::repository::Repository;
use styrmin::backup::secrets;
use styrmin::cluster::{Command, Executed};
use styrmin::domain::backup::{
    Backup, BackupId, BackupRequest, BackupState, Depth, KeySource, Location, LocationKind, PruneRequest,
    RestorePath, RestoreRequest, VerifyRequest,
};
use styrmin::domain::object::Detail;
use styrmin::domain::operation::OperationState::{Cancelled, Failed, Succeeded, Superseded};
use styrmin::domain::operation::Subject;
use styrmin::domain::plan::Class;
use styrmin::domain::world::LogTarget;
use styrmin::domain::{Environment, Intent, OperationKind, OperationView, StepState, Volumes};
use tempfile::TempDir;

use crate::bench::Bench;
use crate::guillotine::Guillotine;
use crate::support::{LIMIT, until};

const BLOG: &str = "blog";
pub const NAS: &str = "nas";

pub const NOTES: &str = r#"{"format":"notes-db","schema":1,"sequence":2,"next_id":3}
{"id":1,"text":"milk"}
{"id":2,"text":"eggs"}
{"end":true,"count":2}
"#;

pub const OTHERS: &str = r#"{"format":"notes-db","schema":1,"sequence":1,"next_id":2}
{"id":1,"text":"nothing that anybody wanted"}
{"end":true,"count":1}
"#;

/// A running engine with the application and two notes in it, and a place for its backups.
pub struct Scene {
    pub bench: Bench,
    pub home: TempDir,
}

/// A directory as a location, with its repository made.
async fn location(home: &Path, name: &str) -> Location {
    let key = home.join(format!("{name}.key"));
    std::fs::write(&key, "not a secret at all").unwrap();
    let path = home.join(name);
    std::fs::create_dir_all(&path).unwrap();
    let location = Location {
        name: name.to_owned(),
        kind: LocationKind::Directory { path },
        key: KeySource::File { path: key },
        repository: None,
        created: jiff::Timestamp::UNIX_EPOCH,
    };
    let secrets = secrets::resolve(&location, None).await.unwrap();
    Repository::init(&location, &secrets).await.unwrap();
    location
}

impl Scene {
    pub async fn new() -> Self {
        let mut bench = Bench::on_sandbox().await;
        let home = tempfile::tempdir().unwrap();
        let nas = location(home.path(), NAS).await;
        bench.store.upsert_location(&nas).await.unwrap();
        let name = bench.cluster.name().to_owned();
        let environment = bench.store.environment(&name, &bench.environment).await.unwrap().unwrap();
        let environment = Environment { backup_location: Some(NAS.to_owned()), ..environment };
        bench.store.upsert_environment(&environment).await.unwrap();
        bench.id = Some(bench.deploy(bench.draft(BLOG, "1.0.0")).await);
        bench.until_running(BLOG, 1).await;
        let scene = Self { bench, home };
        scene.load(NOTES).await;
        scene
    }

    async fn db(&self, words: &[&str], stdin: &str) -> Executed {
        let target = LogTarget {
            namespace: self.bench.environment.clone(),
            pod: format!("{BLOG}-db-0"),
            container: "db".into(),
        };
        let argv = ["notes-db"].iter().chain(words).copied();
        let command = Command { stdin: Some(stdin.into()), ..Command::new(argv) };
        self.bench.cluster.exec(&target, command, None).await.unwrap()
    }

    pub async fn load(&self, notes: &str) {
        let done = self.db(&["restore"], notes).await;
        assert_eq!(done.code(), Some(0), "{}", done.stderr.text());
    }

    pub async fn notes(&self) -> String {
        let dumped = self.db(&["dump"], "").await;
        assert_eq!(dumped.code(), Some(0), "{}", dumped.stderr.text());
        dumped.stdout.text()
    }

    async fn stat(&self) -> Value {
        serde_json::from_str(&self.db(&["stat"], "").await.stdout.text()).unwrap()
    }

    fn back_up(&self) -> Intent {
        Intent::BackUp(self.bench.id.unwrap(), BackupRequest::default())
    }

    fn restore(&self, backup: &BackupId) -> Intent {
        let request = RestoreRequest {
            backup: backup.clone(),
            components: Vec::new(),
            path: None,
            safety_backup: true,
        };
        Intent::Restore(self.bench.id.unwrap(), request)
    }

    /// The newest operation, once it has ended.
    async fn ended(&self, kind: OperationKind) -> OperationView {
        let is_it = |view: &OperationView| view.operation.kind == kind && view.operation.state.is_final();
        self.bench.until_operation(BLOG, &format!("{} ends", kind.as_str()), is_it).await
    }

    async fn make(&self, intent: Intent, kind: OperationKind) -> OperationView {
        self.bench.confirm(intent).await;
        self.ended(kind).await
    }

    pub async fn backups(&self) -> Vec<Backup> {
        self.bench.store.backups(self.bench.cluster.name()).await.unwrap()
    }

    /// A complete backup of what there is now.
    pub async fn kept(&self) -> Backup {
        let view = self.make(self.back_up(), OperationKind::Backup).await;
        assert_eq!(view.operation.state, Succeeded, "{view:#?}");
        self.backups().await.remove(0)
    }

    async fn in_location(&self, intent: Intent) -> OperationView {
        self.bench.confirm(intent).await;
        let subject = Subject::location(self.bench.cluster.name(), NAS);
        let mut changes = self.bench.store.changes();
        let ended = async {
            loop {
                changes.mark_unchanged();
                let newest = self.bench.store.operations_of(&subject, 1).await.unwrap().remove(0);
                if newest.operation.state.is_final() {
                    return newest;
                }
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(LIMIT, ended).await.expect("it ends")
    }

    /// The snapshots in the location, by tag.
    async fn snapshots(&self, tag: &str) -> usize {
        let location = self.bench.store.location(NAS).await.unwrap().unwrap().location;
        let secrets = secrets::resolve(&location, None).await.unwrap();
        let repository = Repository::open(&location, &secrets).await.unwrap();
        let found = repository.snapshots().await.unwrap();
        found.iter().filter(|found| found.tags.iter().any(|known| known == tag)).count()
    }

    async fn is_healthy_and_moves(&self) {
        self.bench.until_running(BLOG, 1).await;
        let stat = self.stat().await;
        assert_eq!(stat.get("frozen_seconds"), Some(&Value::Null), "nothing is frozen: {stat}");
    }
}

fn step<'a>(view: &'a OperationView, name: &str) -> &'a styrmin::domain::StepRecord {
    let position = view.operation.plan.steps.iter().position(|step| step.name == name);
    &view.steps[position.unwrap_or_else(|| panic!("no step '{name}' in {}", view.operation.plan))]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_destroyed_comes_back() {
    let scene = Scene::new().await;
    let before = scene.notes().await;
    let preview = scene.bench.engine.preview(&scene.back_up()).await.unwrap();
    let names: Vec<&str> = preview.plan.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["run quiesce", "back up db/data", "run release", "seal backup"]);
    assert!(preview.plan.warnings.iter().any(|warning| warning.starts_with("web is not kept")));
    let backup = scene.kept().await;
    assert_eq!((backup.state, backup.parts.len()), (BackupState::Completed, 1), "{backup:#?}");
    assert_eq!(scene.snapshots(&format!("backup:{}", backup.id)).await, 2);
    let said = |resource: &styrmin::cluster::DeploymentResource| resource.status.last_backup.is_some();
    scene.bench.until_resource(BLOG, "its last backup is told", said).await;
    scene.bench.until_condition(BLOG, "BackedUp", "True", "Completed").await;
    scene.is_healthy_and_moves().await;

    scene.load(OTHERS).await;
    assert_ne!(scene.notes().await, before);
    let intent = scene.restore(&backup.id);
    let preview = scene.bench.engine.preview(&intent).await.unwrap();
    assert_eq!(preview.plan.class(), Class::Destructive);
    let restored = scene.make(intent, OperationKind::Restore).await;
    assert_eq!(restored.operation.state, Succeeded, "{restored:#?}");
    assert_eq!(scene.notes().await, before);
    scene.is_healthy_and_moves().await;

    let safety = scene.backups().await.remove(0);
    assert_eq!(safety.state, BackupState::Completed);
    let back = scene.make(scene.restore(&safety.id), OperationKind::Restore).await;
    assert_eq!(back.operation.state, Succeeded, "{back:#?}");
    assert!(scene.notes().await.contains("nothing that anybody wanted"), "what was overwritten comes back");
    scene.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_verified_and_deleted_and_damage_is_found() {
    let scene = Scene::new().await;
    let (first, second) = (scene.kept().await, scene.kept().await);
    let verify = |backup: &Backup, depth| Intent::Verify(VerifyRequest { backup: backup.id.clone(), depth });
    for depth in [Depth::Quick, Depth::Full] {
        let view = scene.in_location(verify(&first, depth)).await;
        assert_eq!(view.operation.state, Succeeded, "{view:#?}");
    }
    let request = PruneRequest {
        location: NAS.to_owned(),
        backups: vec![first.id.clone()],
        orphans: Vec::new(),
        even_the_last: false,
    };
    let view = scene.in_location(Intent::Prune(request.clone())).await;
    assert_eq!(view.operation.state, Succeeded, "{view:#?}");
    assert_eq!(scene.snapshots(&format!("backup:{}", first.id)).await, 0);
    let last = PruneRequest { backups: vec![second.id.clone()], ..request };
    let preview = scene.bench.engine.preview(&Intent::Prune(last)).await.unwrap();
    assert!(preview.plan.warnings[0].contains("after it none is left"), "{}", preview.plan);

    let data = scene.home.path().join(NAS).join("data");
    for entry in walk(&data) {
        std::fs::remove_file(entry).unwrap();
    }
    let view = scene.in_location(verify(&second, Depth::Quick)).await;
    assert_eq!(view.operation.state, Failed, "{view:#?}");
    let known = scene.bench.store.backup(&second.id).await.unwrap().unwrap();
    assert_eq!(known.word(), "Damaged");
    scene.bench.close().await;
}

pub fn walk(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(walk(&path)),
            false => found.push(path),
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_asked_for_is_refused_with_what_to_do() {
    let scene = Scene::new().await;
    let backup = scene.kept().await;
    let refused = async |intent: Intent| scene.bench.engine.preview(&intent).await.unwrap_err().to_string();
    let id = scene.bench.id.unwrap();
    let of = |components: &[&str]| BackupRequest {
        components: components.iter().map(|name| (*name).to_owned()).collect(),
        ..BackupRequest::default()
    };
    let unknown = refused(Intent::BackUp(id, of(&["web"]))).await;
    assert!(unknown.contains("no component 'web'") && unknown.contains("it has db"), "{unknown}");
    let unknown = refused(scene.restore(&BackupId("x".to_owned()))).await;
    assert!(unknown.contains("styrmin location scan"), "{unknown}");
    let path = RestorePath { component: "db".into(), volume: "other".into(), path: "x".into() };
    let request = RestoreRequest {
        backup: backup.id.clone(),
        components: Vec::new(),
        path: Some(path),
        safety_backup: true,
    };
    let unknown = refused(Intent::Restore(id, request)).await;
    assert!(unknown.contains("it is Completed, and has db/data"), "{unknown}");
    let name = scene.bench.cluster.name().to_owned();
    let environment = scene.bench.store.environment(&name, "demo").await.unwrap().unwrap();
    let without = Environment { backup_location: None, ..environment };
    scene.bench.store.upsert_environment(&without).await.unwrap();
    let nowhere = refused(scene.back_up()).await;
    assert!(nowhere.contains("styrmin location add"), "{nowhere}");
    scene.bench.confirm(Intent::Stop(id)).await;
    scene.bench.until_ended(BLOG, Succeeded, None).await;
    let stopped = refused(scene.back_up()).await;
    assert!(stopped.contains("start it first"), "{stopped}");
    scene.bench.close().await;
}

/// A tool in the way of every read: the location is of a repository with another key.
async fn break_location(scene: &Scene) {
    std::fs::write(scene.home.path().join("nas.key"), "another one").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_fails_says_why_and_leaves_the_last_good_one_and_the_application_alone() {
    let scene = Scene::new().await;
    let good = scene.kept().await;
    // who comes anew does not have it open
    break_location(&scene).await;
    let location = scene.bench.store.location(NAS).await.unwrap().unwrap().location;
    let moved = scene.home.path().join("away");
    let LocationKind::Directory { path } = &location.kind else { panic!("a directory") };
    std::fs::rename(path, &moved).unwrap();
    let view = scene.make(scene.back_up(), OperationKind::Backup).await;
    assert_eq!(view.operation.state, Failed, "{view:#?}");
    let failed = scene.backups().await.remove(0);
    assert_eq!(failed.state, BackupState::Failed);
    assert!(failed.problem.is_some() && failed.id != good.id);
    scene.bench.until_condition(BLOG, "BackedUp", "False", "is Failed").await;
    scene.is_healthy_and_moves().await;
    std::fs::rename(&moved, path).unwrap();
    std::fs::write(scene.home.path().join("nas.key"), "not a secret at all").unwrap();
    let known = scene.bench.store.backup(&good.id).await.unwrap().unwrap();
    assert_eq!(known.state, BackupState::Completed);
    let restored = scene.make(scene.restore(&good.id), OperationKind::Restore).await;
    assert_eq!(restored.operation.state, Succeeded, "{restored:#?}");
    scene.bench.close().await;
}

/// Ends the engine, so that what is confirmed stays where it is.
async fn hold(scene: &mut Scene) {
    scene.bench.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_backup_waits_a_wish_takes_its_place_and_nothing_comes_between_a_restore() {
    let mut scene = Scene::new().await;
    let backup = scene.kept().await;
    let id = scene.bench.id.unwrap();
    hold(&mut scene).await;
    scene.bench.confirm(scene.back_up()).await;
    let second = scene.bench.engine.preview(&scene.back_up()).await.unwrap_err().to_string();
    assert!(second.contains("something else is done to blog"), "{second}");
    scene.bench.confirm(Intent::Restart(id, Vec::new())).await;
    let views = scene.bench.operations(BLOG).await;
    assert_eq!(views[1].operation.state, Superseded);
    assert_eq!(scene.backups().await[0].state, BackupState::Cancelled);
    scene.bench.start();
    scene.ended(OperationKind::Restart).await;

    hold(&mut scene).await;
    scene.bench.confirm(scene.restore(&backup.id)).await;
    for intent in [
        Intent::Restart(id, Vec::new()),
        Intent::Stop(id),
        Intent::Delete(id, Volumes::Keep),
        scene.back_up(),
        scene.restore(&backup.id),
    ] {
        let refused = scene.bench.engine.preview(&intent).await.unwrap_err().to_string();
        assert!(refused.contains("blog is being restored") && refused.contains("cancel it"), "{refused}");
    }
    scene.bench.start();
    assert_eq!(scene.ended(OperationKind::Restore).await.operation.state, Succeeded);
    scene.is_healthy_and_moves().await;
    scene.bench.close().await;
}

/// Waits until a step of the newest operation is under way.
async fn until_started(scene: &Scene, name: &str) -> OperationView {
    let begun = |view: &OperationView| {
        let mut steps = view.operation.plan.steps.iter().zip(&view.steps);
        steps.any(|(step, record)| step.name == name && record.state == StepState::Started)
    };
    scene.bench.until_operation(BLOG, &format!("'{name}' is under way"), begun).await
}

/// Holds the next request of a kind up, for longer than anybody waits.
pub fn hold_up(scene: &Scene, which: &str) {
    scene.bench.play(&format!("rules: [{{{which}, when: {{first: 1}}, fault: {{delay: 1h}}}}]"));
}

/// Waits until a request is held up: who sent it waits from then on, and no other one is held up any more.
pub async fn until_held_up(scene: &Scene) {
    let met = async {
        while scene.bench.faults().matched() < vec![1] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, met).await.expect("a request is held up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_cancelled_midway_lets_the_application_go_on() {
    let scene = Scene::new().await;
    // it holds still already, so that letting it go shows
    let frozen = scene.db(&["freeze", "--for", "300"], "").await;
    assert_eq!(frozen.code(), Some(0), "{}", frozen.stderr.text());
    let stat = scene.stat().await;
    assert_ne!(stat["frozen_seconds"], Value::Null, "{stat}");
    hold_up(&scene, "resources: [pods/exec]");
    scene.bench.confirm(scene.back_up()).await;
    let view = until_started(&scene, "run quiesce").await;
    until_held_up(&scene).await;
    scene.bench.engine.cancel(view.operation.id, "bert").await.unwrap();
    let ended = scene.ended(OperationKind::Backup).await;
    assert_eq!(ended.operation.state, Cancelled, "{ended:#?}");
    assert_eq!(step(&ended, "run release").state, StepState::Succeeded);
    let cancelled = scene.backups().await.remove(0);
    assert_eq!(cancelled.state, BackupState::Cancelled);
    assert_eq!(scene.snapshots(&format!("backup:{}", cancelled.id)).await, 0);
    scene.is_healthy_and_moves().await;
    scene.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_is_cancelled_midway_lets_the_application_go_on() {
    let scene = Scene::new().await;
    let backup = scene.kept().await;
    let index = scene.bench.cluster.index();
    let objects = index.objects_of("demo", BLOG);
    let web = objects.into_iter().find(|object| object.key.kind == "Deployment").unwrap().key;
    // the web front is stopped, and nobody hears of it: so the step is tried again
    scene.bench.clock.hold();
    scene.bench.play(
        "rules: [{verbs: [patch], resources: [deployments.apps], when: {first: 1}, fault: {drop: after}}]",
    );
    scene.bench.confirm(scene.restore(&backup.id)).await;
    let (position, waiting) = scene.bench.until_retrying(BLOG, "").await;
    assert_eq!(waiting.operation.plan.steps[position].name, "stop for restore");
    until(&scene.bench.cluster, "the web front is stopped", || {
        let Detail::Workload(detail) = index.object(&web)?.detail else { return None };
        (detail.desired == 0).then_some(())
    })
    .await;
    hold_up(&scene, "verbs: [get], resources: [deployments.apps]");
    scene.bench.clock.advance(3);
    let view = until_started(&scene, "stop for restore").await;
    until_held_up(&scene).await;
    scene.bench.engine.cancel(view.operation.id, "bert").await.unwrap();
    let ended = scene.ended(OperationKind::Restore).await;
    assert_eq!(ended.operation.state, Cancelled, "{ended:#?}");
    assert_eq!(step(&ended, "start what was stopped").state, StepState::Succeeded);
    assert_eq!(scene.bench.live(&web).await.unwrap()["spec"]["replicas"], 1);
    scene.is_healthy_and_moves().await;
    scene.bench.close().await;
}

/// Plays a backup or a restore with an engine that dies at point `at`; gives the number of points that it passed.
async fn play(kind: OperationKind, at: usize) -> usize {
    let mut scene = Scene::new().await;
    let before = scene.notes().await;
    let intent = match kind {
        OperationKind::Restore => {
            let backup = scene.kept().await;
            scene.load(OTHERS).await;
            scene.restore(&backup.id)
        }
        _ => scene.back_up(),
    };
    scene.bench.end().await;
    scene.bench.confirm(intent).await;
    let guillotine = Arc::new(Guillotine::default());
    guillotine.at.store(at, Ordering::SeqCst);
    scene.bench.start_mortal(&guillotine);
    if at > 0 {
        tokio::select! {
            () = guillotine.falls.notified() => {}
            _ = scene.ended(kind) => {}
        }
        scene.bench.kill().await;
        scene.bench.reconnect().await;
    }
    let told = format!("{} killed at point {at}", kind.as_str());
    let ended = scene.ended(kind).await;
    assert_eq!(ended.operation.state, Succeeded, "{told}: {ended:#?}");
    let passed = guillotine.passed.load(Ordering::SeqCst);
    scene.is_healthy_and_moves().await;
    assert_eq!(scene.notes().await, before, "{told}");
    let all = scene.backups().await;
    for backup in &all {
        assert_eq!(backup.state, BackupState::Completed, "{told}: {backup:#?}");
        let tag = format!("backup:{}", backup.id);
        assert_eq!(scene.snapshots(&tag).await, 2, "{told}: what lost tries kept is swept");
    }
    let helpers = scene.bench.cluster.index().objects_of("demo", BLOG);
    let helpers = helpers.iter().filter(|object| object.key.kind == "Pod" && !object.deleting).count();
    assert_eq!(helpers, 2, "{told}: nothing stands in for anything any more");
    scene.bench.close().await;
    passed
}

/// Every so many points: all of them where somebody has the time.
fn stride() -> usize {
    std::env::var("STYRMIN_TEST_STRIDE").ok().and_then(|text| text.parse().ok()).unwrap_or(31)
}

async fn at_many_points(kind: OperationKind) {
    let points = play(kind, 0).await;
    assert!(points > 10, "{points} points");
    for at in (1..=points).step_by(stride()) {
        play(kind, at).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_survives_a_crash_at_every_point() {
    at_many_points(OperationKind::Backup).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_survives_a_crash_at_every_point() {
    at_many_points(OperationKind::Restore).await;
}
