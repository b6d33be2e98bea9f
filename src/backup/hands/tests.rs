//! The steps of backups over means that are played.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::domain::backup::{
    BackupOf, BackupPart, BackupRequest, BackupState, Depth, GroupPart, GroupRequest, KeySource,
    LocationKind, NewBackup, PartState, PartWork, PruneRequest, RestoreRequest, Trigger, VerifyRequest,
};
use crate::domain::driver::{ComponentSpec, Quiesce};
use crate::domain::operation::{Goal, Origin, StepProgress, Subject};
use crate::domain::plan::{Plan, Step, Verb};
use crate::domain::{
    ClusterKind, ClusterRecord, DeploymentDraft, DriverRef, DriverVersion, Environment, OperationKind,
    OperationState, SystemClock,
};
use crate::operate::{Executor, Runner};
use crate::store::{NewInstance, NewOperation};

mod held;

/// A location in memory, and components whose data is a text.
#[derive(Default)]
struct Played(Mutex<State>);

#[derive(Default)]
struct State {
    data: BTreeMap<String, String>,
    snapshots: BTreeMap<String, (Vec<String>, Vec<u8>)>,
    /// Components that cannot be read, and how often that passes.
    broken: BTreeMap<String, u32>,
    lasting: BTreeSet<String>,
    /// Components that went on by themselves.
    let_go: BTreeSet<String>,
    deleted: Vec<String>,
    count: usize,
    done: Vec<String>,
    unreachable: bool,
}

impl Played {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn problem(what: &str) -> Problem {
        Problem::new(what, "because", "")
    }
}

impl State {
    fn add(&mut self, label: Label, bytes: Vec<u8>) -> String {
        self.count += 1;
        let name = format!("snapshot-{}", self.count);
        self.snapshots.insert(name.clone(), (label.tags, bytes));
        name
    }

    fn reach(&self) -> Result<(), StepError> {
        match self.unreachable {
            true => Err(StepError::lasting(Played::problem("the location is gone"))),
            false => Ok(()),
        }
    }
}

fn name_of(component: &Component<'_>) -> String {
    component.volume.map_or(component.name.to_owned(), |volume| format!("{}/{volume}", component.name))
}

impl Means for Played {
    fn keep<'a>(
        &'a self,
        _: &'a Location,
        label: Label,
        of: Component<'a>,
        (_, tell): (Option<u64>, Tell<'a>),
    ) -> BoxFuture<'a, Result<Kept, StepError>> {
        Box::pin(async move {
            let mut state = self.state();
            state.reach()?;
            let name = name_of(&of);
            if state.lasting.contains(&name) {
                return Err(StepError::lasting(Self::problem("the dump failed")));
            }
            if let Some(left) = state.broken.get_mut(&name).filter(|left| **left > 0) {
                *left -= 1;
                return Err(StepError::transient(Self::problem("the network is away")));
            }
            let data = state.data.get(&name).cloned().unwrap_or_default();
            tell(StepProgress { done: data.len() as u64, ..StepProgress::default() });
            let snapshot = state.add(label, data.clone().into_bytes());
            let digest = crate::domain::names::digest(data.as_bytes());
            Ok(Kept { snapshot, bytes: data.len() as u64, stored: 1, digest, ..Kept::default() })
        })
    }

    fn write<'a>(
        &'a self,
        _: &'a Location,
        label: Label,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<String, StepError>> {
        Box::pin(async move {
            self.state().reach()?;
            Ok(self.state().add(label, bytes))
        })
    }

    fn restore<'a>(
        &'a self,
        _: &'a Location,
        from: &'a BackupPart,
        _: Option<&'a str>,
        (into, _): (Component<'a>, Tell<'a>),
    ) -> BoxFuture<'a, Result<Vec<Problem>, StepError>> {
        Box::pin(async move {
            let mut state = self.state();
            let (_, bytes) = state.snapshots.get(&from.snapshot).cloned().unwrap();
            let text = String::from_utf8(bytes).unwrap();
            state.data.insert(name_of(&into), text);
            state.done.push(format!("helper {}", into.helper.is_some()));
            Ok(Vec::new())
        })
    }

    fn quiesce<'a>(&'a self, component: Component<'a>) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async move {
            let mut state = self.state();
            let done = format!("quiesce {}", component.name);
            let fails = state.lasting.contains(&done);
            state.done.push(done);
            match fails {
                true => Err(StepError::lasting(Self::problem("it does not hold still"))),
                false => Ok(()),
            }
        })
    }

    fn holds<'a>(&'a self, component: Component<'a>) -> BoxFuture<'a, Result<bool, StepError>> {
        Box::pin(async move { Ok(!self.state().let_go.contains(component.name)) })
    }

    fn resume<'a>(&'a self, component: Component<'a>) -> BoxFuture<'a, Result<bool, StepError>> {
        Box::pin(async move {
            let mut state = self.state();
            state.done.push(format!("resume {}", component.name));
            Ok(!state.let_go.contains(component.name))
        })
    }

    fn clear<'a>(
        &'a self,
        _: &'a str,
        _: Vec<(&'static str, String)>,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async { Ok(()) })
    }

    fn list<'a>(&'a self, _: &'a Location) -> BoxFuture<'a, Result<Vec<Found>, StepError>> {
        Box::pin(async move {
            let state = self.state();
            state.reach()?;
            let found = state.snapshots.iter();
            Ok(found.map(|(name, (tags, _))| Found { snapshot: name.clone(), tags: tags.clone() }).collect())
        })
    }

    fn delete<'a>(&'a self, _: &'a Location, names: Vec<String>) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async move {
            let mut state = self.state();
            for name in names {
                state.snapshots.remove(&name);
                state.deleted.push(name);
            }
            Ok(())
        })
    }

    fn check<'a>(
        &'a self,
        _: &'a Location,
        _: Depth,
        names: Vec<String>,
    ) -> BoxFuture<'a, Result<Vec<String>, StepError>> {
        Box::pin(async move {
            let state = self.state();
            let missing = names.into_iter().filter(|name| !state.snapshots.contains_key(name));
            Ok(missing.map(|name| format!("{name} is missing")).collect())
        })
    }

    fn measure<'a>(
        &'a self,
        _: &'a Location,
        snapshot: &'a str,
        _: Tell<'a>,
    ) -> BoxFuture<'a, Result<(u64, String), StepError>> {
        Box::pin(async move {
            let state = self.state();
            let (_, bytes) = &state.snapshots[snapshot];
            Ok((bytes.len() as u64, crate::domain::names::digest(bytes)))
        })
    }

    fn prune<'a>(&'a self, _: &'a Location) -> BoxFuture<'a, Result<String, StepError>> {
        Box::pin(async { Ok("nothing".to_owned()) })
    }
}

/// Hands as the executor of a whole operation.
struct All<'a>(&'a Hands);

impl Executor for All<'_> {
    async fn execute(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        self.0.execute(run).await
    }

    async fn probe(&self, run: StepRun<'_>) -> Result<Probed, StepError> {
        self.0.probe(run).await
    }

    async fn is_wanted(&self) -> bool {
        true
    }
}

struct Scene {
    store: Store,
    played: Arc<Played>,
    hands: Hands,
    goal: Goal,
}

fn driver() -> DriverVersion {
    let of = |backup: &str, volumes: &[&str]| ComponentSpec {
        backup: Some(backup.to_owned()),
        volumes: volumes.iter().map(|name| (*name).to_owned()).collect(),
        ..ComponentSpec::default()
    };
    let mut db = of("postgres", &[]);
    db.backup_target.quiesce =
        Some(Quiesce { command: vec!["hold".to_owned()], resume: vec!["go".to_owned()], limit: 60 });
    let components = BTreeMap::from([("db".to_owned(), db), ("files".to_owned(), of("disk", &["a"]))]);
    DriverVersion {
        reference: DriverRef { name: "shop".to_owned(), version: "1.0.0".to_owned() },
        digest: "d".to_owned(),
        spec: DriverSpec { components, ..DriverSpec::default() },
        ..DriverVersion::default()
    }
}

impl Scene {
    async fn new() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Store::in_memory(Arc::clone(&clock)).unwrap();
        let record = ClusterRecord {
            name: "c".to_owned(),
            kind: ClusterKind::Sandbox,
            fqdn_suffix: None,
            storage_class: None,
            ingress_port: None,
            ingress_tls_port: None,
        };
        store.upsert_cluster(&record).await.unwrap();
        let environment =
            Environment { backup_location: Some("nas".into()), ..Environment::new("demo", "c", "demo") };
        store.upsert_environment(&environment).await.unwrap();
        let location = Location {
            name: "nas".to_owned(),
            kind: LocationKind::Directory { path: "/nas".into() },
            key: KeySource::File { path: "/key".into() },
            repository: None,
            created: Timestamp::UNIX_EPOCH,
        };
        store.upsert_location(&location).await.unwrap();
        store.record_driver(&driver()).await.unwrap();
        let draft = DeploymentDraft {
            name: "shop".to_owned(),
            environment: "demo".to_owned(),
            driver: driver().reference,
            application_version: "1.0.0".to_owned(),
            ..DeploymentDraft::default()
        };
        let id = store.create_deployment("c", &draft, "uid").await.unwrap().id;
        let instance = NewInstance {
            deployment: id,
            draft,
            context: json!({"parameters": {"password": {"secret": "s", "key": "k"}}}),
            digest: "x".to_owned(),
            number: 1,
        };
        store.add_instance(instance).await.unwrap();
        let played = Arc::new(Played::default());
        for (name, text) in [("db", "tables"), ("files/a", "pictures")] {
            played.state().data.insert(name.to_owned(), text.to_owned());
        }
        let hands = Hands::new(store.clone(), clock, Arc::clone(&played) as _);
        let goal = Goal { deployment: Some(id), revision: 1, instance: Some(1) };
        Self { store, played, hands, goal }
    }

    fn new_operation(&self, kind: OperationKind, steps: Vec<Step>, request: Request) -> NewOperation {
        let subject = match &request {
            Request::Verify(_) | Request::Prune(_) => Subject::location("c", "nas"),
            _ => Subject { cluster: "c".into(), environment: "demo".into(), name: "shop".into() },
        };
        NewOperation {
            subject,
            kind,
            plan: Plan { steps, timeout: 3600, ..Plan::default() },
            origin: Origin { actor: "anna".to_owned(), cause: "a test".to_owned(), confirmed: true },
            goal: self.goal,
            instance: None,
            action: None,
            request: Some(request),
            parent: None,
        }
    }

    async fn begin(&self, kind: OperationKind, steps: Vec<Step>, request: Request, mark: &str) -> Operation {
        let id = self.goal.deployment.unwrap();
        let instance = self.store.instance(id, 1).await.unwrap().unwrap();
        let parts = BackupPart::planned(&driver().spec, "demo", "shop", &[]);
        let asked = BackupRequest { trigger: Trigger::Person, ..BackupRequest::default() };
        let makes = steps.iter().any(|step| step.name.starts_with("back up"));
        let new = NewBackup {
            engine: crate::domain::backup::Engine::Styrmin,
            location: "nas".to_owned(),
            request: asked,
            instance,
            parts,
        };
        let mark = mark.to_owned();
        let records = move |operation: &Operation| match makes {
            true => vec![new.record(operation, &mark)],
            false => Vec::new(),
        };
        self.store.begin_backup(self.new_operation(kind, steps, request), records).await.unwrap()
    }

    async fn run(&self, operation: &Operation) -> OperationState {
        let (_kept, moved) = tokio::sync::watch::channel(0);
        let runner = Runner { store: &self.store, clock: &SystemClock, epoch: 0 };
        let ended = runner.run(operation, &All(&self.hands), moved).await.unwrap();
        ended.operation.state
    }

    /// A whole backup; how it ended, and what the catalogue has.
    async fn back_up(&self) -> (OperationState, Backup) {
        let request = Request::Backup(BackupRequest::default());
        let operation = self.begin(OperationKind::Backup, steps(), request, "").await;
        let state = self.run(&operation).await;
        (state, self.hands.backup(&BackupId::of(&operation, "")).await.unwrap())
    }

    fn tagged(&self, backup: &Backup) -> usize {
        let tag = format!("backup:{}", backup.id);
        self.played.state().snapshots.values().filter(|(tags, _)| tags.contains(&tag)).count()
    }
}

fn steps() -> Vec<Step> {
    vec![
        Step { timeout: 600, ..Step::named(Verb::Read, "back up db") },
        Step { behind: vec![0], timeout: 600, ..Step::named(Verb::Read, "back up files/a") },
        Step { finally: true, timeout: 600, ..Step::named(Verb::Run, "seal backup") },
    ]
}

#[tokio::test]
async fn everything_is_kept_with_its_manifest() {
    let scene = Scene::new().await;
    let (state, backup) = scene.back_up().await;
    assert_eq!((state, backup.state), (OperationState::Succeeded, BackupState::Completed));
    assert_eq!(backup.parts[1].bytes, 8);
    assert!(backup.parts.iter().all(|part| part.state == PartState::Completed && !part.snapshot.is_empty()));
    assert_eq!(scene.tagged(&backup), 3);
    let written = scene.played.state().snapshots[backup.manifest.as_ref().unwrap()].clone();
    assert!(written.0.contains(&"manifest".to_owned()));
    let manifest = crate::backup::manifest::Manifest::read(&written.1).unwrap();
    assert_eq!(Backup { manifest: backup.manifest.clone(), ..manifest.backup }, backup);
    assert_eq!((manifest.uid.as_str(), manifest.draft.name.as_str()), ("uid", "shop"));
}

#[tokio::test(start_paused = true)]
async fn what_fails_for_a_while_is_tried_again_and_what_fails_for_good_keeps_nothing_else_from_being_kept() {
    let scene = Scene::new().await;
    scene.played.state().broken.insert("db".to_owned(), 2);
    let (state, backup) = scene.back_up().await;
    assert_eq!((state, backup.state), (OperationState::Succeeded, BackupState::Completed));
    scene.played.state().broken.insert("db".to_owned(), 3);
    let (state, backup) = scene.back_up().await;
    assert_eq!((state, backup.state), (OperationState::PartiallyFailed, BackupState::PartiallyFailed));
    assert_eq!((backup.parts[0].state, backup.parts[1].state), (PartState::Failed, PartState::Completed));
    assert!(backup.problem.unwrap().why.contains("tried 3 times"));
    assert!(backup.manifest.is_some());
}

#[tokio::test]
async fn nothing_kept_is_a_failure_and_leaves_nothing() {
    let scene = Scene::new().await;
    scene.played.state().lasting = BTreeSet::from(["db".to_owned(), "files/a".to_owned()]);
    let (state, backup) = scene.back_up().await;
    assert_eq!((state, backup.state), (OperationState::Failed, BackupState::Failed));
    assert_eq!(backup.problem.as_ref().unwrap().what, "the dump failed");
    assert_eq!((scene.tagged(&backup), backup.manifest), (0, None));
}

#[tokio::test]
async fn a_part_that_a_lost_try_kept_is_kept_once_and_the_rest_is_swept() {
    let scene = Scene::new().await;
    let request = Request::Backup(BackupRequest::default());
    let operation = scene.begin(OperationKind::Backup, steps(), request, "").await;
    let id = BackupId::of(&operation, "");
    let stray = Label {
        host: "c".to_owned(),
        path: String::new(),
        tags: vec![format!("backup:{id}")],
        time: Timestamp::UNIX_EPOCH,
    };
    let stray = scene.played.state().add(stray, Vec::new());
    let run = StepRun { operation: &operation, position: 0, step: &operation.plan.steps[0], attempt: 1 };
    scene.hands.execute(run).await.unwrap();
    assert_eq!(scene.run(&operation).await, OperationState::Succeeded);
    let backup = scene.hands.backup(&id).await.unwrap();
    assert_eq!((scene.tagged(&backup), backup.state), (3, BackupState::Completed));
    assert_eq!(scene.played.state().deleted, [stray]);
    let sealed = StepRun { position: 2, step: &operation.plan.steps[2], ..run };
    scene.hands.execute(sealed).await.unwrap();
    assert_eq!(scene.hands.backup(&id).await.unwrap(), backup, "sealed again, it is the same");
}

#[tokio::test]
async fn what_is_cancelled_counts_for_nothing_and_leaves_nothing() {
    let scene = Scene::new().await;
    let request = Request::Backup(BackupRequest::default());
    let operation = scene.begin(OperationKind::Backup, steps(), request, "").await;
    let run = StepRun { operation: &operation, position: 0, step: &operation.plan.steps[0], attempt: 1 };
    scene.store.start_operation(operation.id, 0, None).await.unwrap();
    scene.hands.execute(run).await.unwrap();
    scene.store.request_cancel(operation.id, "anna").await.unwrap();
    assert_eq!(scene.run(&operation).await, OperationState::Cancelled);
    let backup = scene.hands.backup(&BackupId::of(&operation, "")).await.unwrap();
    assert_eq!((backup.state, scene.tagged(&backup)), (BackupState::Cancelled, 0));
}

#[tokio::test]
async fn a_restore_keeps_what_is_there_first() {
    let scene = Scene::new().await;
    let (_, backup) = scene.back_up().await;
    scene.played.state().data.insert("files/a".to_owned(), "nothing".to_owned());
    let request = RestoreRequest {
        backup: backup.id.clone(),
        components: vec!["files".to_owned()],
        path: None,
        safety_backup: true,
    };
    let after = |step: Step, after: usize| Step { after: vec![after], timeout: 600, ..step };
    let plan = vec![
        Step::named(Verb::Read, "back up db"),
        after(Step::named(Verb::Read, "back up files/a"), 0),
        after(Step::named(Verb::Run, "seal safety backup"), 1),
        after(Step::named(Verb::Run, "restore files/a"), 2),
    ];
    let operation = scene.begin(OperationKind::Restore, plan, Request::Restore(request), SAFETY).await;
    assert_eq!(scene.run(&operation).await, OperationState::Succeeded);
    assert_eq!(scene.played.state().data["files/a"], "pictures");
    assert_eq!(scene.played.state().done, ["helper true"], "a volume is written while nothing runs");
    let safety = scene.hands.backup(&BackupId::of(&operation, SAFETY)).await.unwrap();
    assert_eq!(safety.state, BackupState::Completed);
    let kept = scene.played.state().snapshots[&safety.parts[1].snapshot].1.clone();
    assert_eq!(kept, b"nothing");
}

#[tokio::test]
async fn what_is_read_back_is_compared_and_the_finding_noted() {
    let scene = Scene::new().await;
    let (_, backup) = scene.back_up().await;
    let verify = async |depth: Depth| {
        let request = Request::Verify(VerifyRequest { backup: backup.id.clone(), depth });
        let step = Step { timeout: 600, ..Step::named(Verb::Read, "verify backup") };
        let operation = scene.begin(OperationKind::Verify, vec![step], request, "").await;
        scene.run(&operation).await
    };
    let known = async || scene.hands.backup(&backup.id).await.unwrap();
    assert_eq!(verify(Depth::Full).await, OperationState::Succeeded);
    assert_eq!(known().await.word(), "Verified");
    let snapshot = backup.parts[0].snapshot.clone();
    scene.played.state().snapshots.get_mut(&snapshot).unwrap().1 = b"tabled".to_vec();
    assert_eq!(verify(Depth::Quick).await, OperationState::Succeeded);
    assert_eq!(verify(Depth::Full).await, OperationState::Failed);
    let damaged = known().await;
    assert_eq!((damaged.word(), damaged.verified.len()), ("Damaged", 2));
    let why = &damaged.newest_verification().unwrap().problem.as_ref().unwrap().why;
    assert!(why.contains("db is not what was kept"), "{why}");
    scene.played.state().snapshots.remove(&snapshot);
    assert_eq!(verify(Depth::Quick).await, OperationState::Failed);
}

#[tokio::test]
async fn what_is_deleted_goes_from_the_location_first_and_what_is_pinned_stays() {
    let scene = Scene::new().await;
    let ((_, gone), (_, kept)) = (scene.back_up().await, scene.back_up().await);
    scene.store.change_backup(&kept.id, |backup| backup.pinned = true).await.unwrap();
    let orphan = kept.parts[0].snapshot.clone();
    let request = PruneRequest {
        location: "nas".to_owned(),
        backups: vec![gone.id.clone(), kept.id.clone()],
        orphans: vec![orphan.clone()],
        even_the_last: false,
    };
    let names =
        [format!("delete {}", gone.id), format!("delete {}", kept.id), format!("delete orphan {orphan}")];
    let steps = names.into_iter().map(|name| Step { timeout: 600, ..Step::named(Verb::Delete, name) });
    let last = Step { behind: vec![0, 1, 2], ..Step::named(Verb::Run, "prune location") };
    let steps: Vec<Step> = steps.chain([last]).collect();
    let operation = scene.begin(OperationKind::Prune, steps, Request::Prune(request), "").await;
    assert_eq!(scene.run(&operation).await, OperationState::PartiallyFailed);
    assert_eq!((scene.tagged(&gone), scene.tagged(&kept)), (0, 3), "neither pinned nor taken for an orphan");
    assert!(scene.store.backup(&gone.id).await.unwrap().is_none());
    let view = scene.store.operation(operation.id).await.unwrap().unwrap();
    let states: Vec<bool> = view.steps.iter().map(|step| step.problem.is_none()).collect();
    assert_eq!(states, [true, false, false, true]);
}

#[tokio::test]
async fn the_last_good_copy_goes_only_when_a_person_says_so() {
    let scene = Scene::new().await;
    let (_, last) = scene.back_up().await;
    let delete = async |even_the_last: bool| {
        let (location, backups) = ("nas".to_owned(), vec![last.id.clone()]);
        let request = PruneRequest { location, backups, orphans: Vec::new(), even_the_last };
        let step = Step { timeout: 600, ..Step::named(Verb::Delete, format!("delete {}", last.id)) };
        let operation = scene.begin(OperationKind::Prune, vec![step], Request::Prune(request), "").await;
        (scene.run(&operation).await, scene.tagged(&last))
    };
    assert_eq!(delete(false).await, (OperationState::Failed, 3));
    assert_eq!(delete(true).await, (OperationState::Succeeded, 0));
}

#[tokio::test]
async fn what_an_open_group_restores_or_proves_is_not_deleted() {
    let scene = Scene::new().await;
    let ((_, used), (_, other)) = (scene.back_up().await, scene.back_up().await);
    let restores = GroupPart {
        step: 0,
        environment: "e".to_owned(),
        application: "shop".to_owned(),
        work: PartWork::Restore { backup: BackupOf::Known(used.id.clone()), safety_backup: false },
    };
    let group = Request::Group(GroupRequest::default());
    let step = Step::named(Verb::Run, "x");
    let operation = scene.begin(OperationKind::Clone, vec![step], group, "").await;
    let mut open = scene.store.open_operations("c").await.unwrap();
    for request in [
        GroupRequest { parts: vec![restores], ..GroupRequest::default() },
        GroupRequest { proves: Some(used.id.clone()), ..GroupRequest::default() },
    ] {
        open[0].operation.request = Some(Request::Group(request));
        assert_eq!(location::uses(&open, &used, None), Some(operation.id));
        assert_eq!(location::uses(&open, &other, None), None);
        let made_by_it = Some((operation.id, 1));
        assert_eq!(location::uses(&open, &other, made_by_it), Some(operation.id));
    }
}

#[tokio::test]
async fn a_function_gets_the_same_backup_for_the_same_call() {
    let scene = Scene::new().await;
    let request = Request::Backup(BackupRequest::default());
    let operation =
        scene.begin(OperationKind::Action, vec![Step::named(Verb::Run, "run x")], request, "").await;
    let run = StepRun { operation: &operation, position: 0, step: &operation.plan.steps[0], attempt: 1 };
    let id = scene.hands.back_up(run, "0.1.4").await.unwrap();
    assert_eq!(scene.hands.back_up(run, "0.1.4").await.unwrap(), id);
    assert_ne!(scene.hands.back_up(run, "0.1.7").await.unwrap(), id);
    let backup = scene.hands.backup(&BackupId(id)).await.unwrap();
    assert_eq!((backup.state, backup.trigger), (BackupState::Completed, Trigger::Action));
    scene.played.state().lasting.insert("db".to_owned());
    let failed = scene.hands.back_up(run, "0.1.9").await.unwrap_err();
    assert_eq!(failed.problem.what, "the dump failed");
}

#[tokio::test]
async fn a_location_that_is_gone_is_the_reason() {
    let scene = Scene::new().await;
    scene.store.forget_location("nas").await.unwrap();
    let (state, backup) = scene.back_up().await;
    assert_eq!((state, backup.state), (OperationState::Failed, BackupState::Failed));
    assert!(backup.problem.unwrap().what.contains("no backup location 'nas'"));
}
