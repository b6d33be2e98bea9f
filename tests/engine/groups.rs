//! Operations that are made of others: an environment's backup and restore, clones, a new application from a backup, drills.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use styrmin::cluster::Command;
use styrmin::domain::backup::{
    Backup, BackupRequest, BackupState, CloneRequest, CloneSource, Depth, Request,
};
use styrmin::domain::operation::OperationState::{Cancelled, PartiallyFailed, Succeeded};
use styrmin::domain::operation::Subject;
use styrmin::domain::world::LogTarget;
use styrmin::domain::{DesiredPhase, Intent, OperationKind, OperationView, StepState};
use tokio::net::TcpStream;

use crate::backups::{NAS, OTHERS, Scene, hold_up, until_held_up};
use crate::environments::key;
use crate::guillotine::Guillotine;
use crate::support::LIMIT;
use crate::wire::{self, Answer};

const DIARY: &str = "diary";

/// Runs a command of the database of an application in some namespace, and gives what it wrote.
async fn db(scene: &Scene, namespace: &str, name: &str, words: &[&str], stdin: &str) -> String {
    let target =
        LogTarget { namespace: namespace.to_owned(), pod: format!("{name}-db-0"), container: "db".into() };
    let argv = ["notes-db"].iter().chain(words).copied();
    let command = Command { stdin: Some(stdin.into()), ..Command::new(argv) };
    let done = scene.bench.cluster.exec(&target, command, None).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}", done.stderr.text());
    done.stdout.text()
}

impl Scene {
    /// With a second application in the environment, which has other notes.
    async fn with_diary() -> Self {
        let scene = Self::new().await;
        scene.bench.deploy(scene.bench.draft(DIARY, "1.0.0")).await;
        scene.bench.until_running(DIARY, 1).await;
        db(&scene, "demo", DIARY, &["restore"], OTHERS).await;
        scene
    }

    /// Confirms what is made of other operations, and waits for its end.
    async fn whole(&self, intent: Intent, subject: &str) -> OperationView {
        self.bench.confirm(intent).await;
        self.whole_ended(subject).await
    }

    /// The newest operation about an environment, once it has ended.
    async fn whole_ended(&self, environment: &str) -> OperationView {
        self.until_whole(environment, "it ends", |view| view.operation.state.is_final()).await
    }

    async fn until_whole(
        &self,
        environment: &str,
        what: &str,
        holds: impl Fn(&OperationView) -> bool,
    ) -> OperationView {
        let cluster = self.bench.cluster.name().to_owned();
        let subject = Subject { cluster, environment: environment.to_owned(), name: String::new() };
        let mut changes = self.bench.store.changes();
        let found = async {
            loop {
                changes.mark_unchanged();
                let newest = self.bench.store.operations_of(&subject, 1).await.unwrap();
                if let Some(view) = newest.into_iter().next().filter(|view| holds(view)) {
                    return view;
                }
                changes.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(LIMIT, found).await {
            Ok(view) => view,
            Err(_) => {
                let all = self.bench.store.operations(self.bench.cluster.name(), 20).await.unwrap();
                panic!("not in time: {what}: {all:#?}");
            }
        }
    }

    async fn kept_all(&self) -> Vec<Backup> {
        let made = self.whole(Intent::BackUpEnvironment("demo".into(), BackupRequest::default()), "demo");
        let made = made.await;
        assert_eq!(made.operation.state, Succeeded, "{made:#?}");
        self.backups().await
    }
}

/// What an application answers when its notes are asked for at the ingress, by its host.
async fn asked(scene: &Scene, environment: &str, name: &str) -> Answer {
    let (store, cluster) = (&scene.bench.store, scene.bench.cluster.name());
    let deployment = store.find_deployment(cluster, environment, name).await.unwrap().unwrap();
    let instance = store.latest_instance(deployment.id).await.unwrap().unwrap();
    let host = instance.context["services"]["notes"]["primary_fqdn"].as_str().unwrap();
    let address = scene.bench.sandbox.as_ref().unwrap().ingress_address();
    let stream = TcpStream::connect(address).await.unwrap();
    wire::ask(stream, wire::get(host, "/api/notes").as_bytes()).await
}

fn clone_of(source: CloneSource) -> CloneRequest {
    CloneRequest {
        from: "demo".into(),
        to: "copy".into(),
        source,
        applications: Vec::new(),
        scale_down: false,
        fqdn_suffix: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_is_backed_up_and_restored_in_one_operation_each() {
    let scene = Scene::with_diary().await;
    let before = (scene.notes().await, db(&scene, "demo", DIARY, &["dump"], "").await);
    let kept = scene.kept_all().await;
    assert_eq!(
        kept.iter().map(|backup| backup.source.application.as_str()).collect::<Vec<_>>(),
        [DIARY, "blog"]
    );
    assert!(
        kept.iter().all(|backup| backup.state == BackupState::Completed && backup.source.draft.is_some())
    );
    assert!(kept[0].group.is_some() && kept[0].group == kept[1].group);

    scene.load(OTHERS).await;
    db(&scene, "demo", DIARY, &["restore"], crate::backups::NOTES).await;
    let chosen: BTreeMap<_, _> =
        kept.iter().map(|backup| (backup.source.application.clone(), backup.id.clone())).collect();
    let restored = scene.whole(Intent::RestoreEnvironment("demo".into(), chosen), "demo").await;
    assert_eq!(restored.operation.state, Succeeded, "{restored:#?}");
    let parts = restored.operation.plan.steps.iter().map(|step| step.name.as_str());
    assert_eq!(parts.collect::<Vec<_>>(), ["restore blog in demo", "restore diary in demo"]);
    assert_eq!((scene.notes().await, db(&scene, "demo", DIARY, &["dump"], "").await), before);
    scene.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clone_has_the_data_and_hosts_of_its_own_and_leaves_the_other_alone() {
    let scene = Scene::with_diary().await;
    let before = (scene.notes().await, db(&scene, "demo", DIARY, &["dump"], "").await);
    let intent = Intent::Clone(clone_of(CloneSource::Live));
    let preview = scene.bench.engine.preview(&intent).await.unwrap();
    assert_eq!(preview.diffs.len(), 2, "both custom resources are shown");
    let told = format!("{:?}", preview.diffs);
    assert!(told.contains("environment: copy"), "{told}");
    let made = scene.whole(intent, "demo").await;
    assert_eq!(made.operation.state, Succeeded, "{made:#?}");
    let copied =
        (db(&scene, "copy", "blog", &["dump"], "").await, db(&scene, "copy", DIARY, &["dump"], "").await);
    assert_eq!(copied, before);
    let name = scene.bench.cluster.name().to_owned();
    let copy = scene.bench.store.find_deployment(&name, "copy", "blog").await.unwrap().unwrap();
    let source = scene.bench.store.find_deployment(&name, "demo", "blog").await.unwrap().unwrap();
    assert_ne!(copy.uid, source.uid);
    assert_eq!((source.revision, source.phase), (1, DesiredPhase::Running));
    db(&scene, "copy", "blog", &["restore"], OTHERS).await;
    assert_eq!(scene.notes().await, before.0, "what is written there is not written here");
    let (wanted, here) = ("nothing that anybody wanted", "milk");
    for (environment, name, notes) in
        [("demo", "blog", here), ("demo", DIARY, wanted), ("copy", "blog", wanted), ("copy", DIARY, wanted)]
    {
        let answer = asked(&scene, environment, name).await;
        answer.is(200, notes);
        assert!(notes == here || !answer.body.contains(here), "{environment}/{name}: {answer:?}");
    }
    let again = scene.bench.engine.preview(&Intent::Clone(clone_of(CloneSource::Live))).await.unwrap_err();
    assert!(again.to_string().contains("'copy' exists already"), "{again}");
    scene.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clone_from_a_backup_can_be_stopped_at_the_end() {
    let scene = Scene::new().await;
    let backup = scene.kept().await;
    scene.load(OTHERS).await;
    let source = CloneSource::Backups { backups: BTreeMap::from([("blog".to_owned(), backup.id)]) };
    let request =
        CloneRequest { scale_down: true, fqdn_suffix: Some("other.localhost".into()), ..clone_of(source) };
    let made = scene.whole(Intent::Clone(request), "demo").await;
    assert_eq!(made.operation.state, Succeeded, "{made:#?}");
    let name = scene.bench.cluster.name().to_owned();
    let copy = scene.bench.store.find_deployment(&name, "copy", "blog").await.unwrap().unwrap();
    assert_eq!(copy.phase, DesiredPhase::Stopped);
    let environment = scene.bench.store.environment(&name, "copy").await.unwrap().unwrap();
    assert_eq!(environment.fqdn_suffix.as_deref(), Some("other.localhost"));
    assert_eq!(environment.backup_location.as_deref(), Some(NAS));
    scene.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_application_is_made_from_a_backup() {
    let scene = Scene::new().await;
    let before = scene.notes().await;
    let backup = scene.kept().await;
    let draft = scene.bench.draft("second", "1.0.0");
    let made = scene.whole(Intent::DeployFrom(draft, backup.id), "demo").await;
    assert_eq!(made.operation.state, Succeeded, "{made:#?}");
    assert_eq!(db(&scene, "demo", "second", &["dump"], "").await, before);
    scene.bench.close().await;
}

/// What a drill leaves behind: nothing.
async fn nothing_is_left_of_drills(scene: &Scene) {
    let name = scene.bench.cluster.name().to_owned();
    let environments = scene.bench.store.environments(&name).await.unwrap();
    assert_eq!(environments.iter().map(|known| known.name.as_str()).collect::<Vec<_>>(), ["demo"]);
    let deployments = scene.bench.store.deployments(&name).await.unwrap();
    assert_eq!(deployments.len(), 1);
    let namespaces = scene.bench.cluster.list(&key("Namespace", "", "")).await.unwrap();
    let names = namespaces.iter().filter_map(|object| object["metadata"]["name"].as_str());
    assert_eq!(names.filter(|name| name.starts_with("drill-")).count(), 0, "{namespaces:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_proves_a_backup_or_finds_that_it_is_none() {
    let scene = Scene::new().await;
    let backup = scene.kept().await;
    let proven = scene.whole(Intent::Drill(backup.id.clone()), "demo").await;
    assert_eq!(proven.operation.state, Succeeded, "{proven:#?}");
    let known = scene.bench.store.backup(&backup.id).await.unwrap().unwrap();
    assert!(known.proven().is_some() && known.word() == "Verified", "{known:#?}");
    nothing_is_left_of_drills(&scene).await;

    let data = scene.home.path().join(NAS).join("data");
    for entry in crate::backups::walk(&data) {
        std::fs::remove_file(entry).unwrap();
    }
    let failed = scene.whole(Intent::Drill(backup.id.clone()), "demo").await;
    assert_eq!(failed.operation.state, PartiallyFailed, "it deployed, and could not restore: {failed:#?}");
    let known = scene.bench.store.backup(&backup.id).await.unwrap().unwrap();
    assert_eq!((known.word(), known.proven()), ("Damaged", None), "{known:#?}\n{failed:#?}");
    assert_eq!(known.newest_verification().unwrap().depth, Depth::Drill);
    nothing_is_left_of_drills(&scene).await;
    scene.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cancelled_takes_its_part_along() {
    let scene = Scene::new().await;
    let backup = scene.kept().await;
    // the first command in a pod is the restore's
    hold_up(&scene, "resources: [pods/exec]");
    scene.bench.confirm(Intent::Drill(backup.id.clone())).await;
    let restoring = |view: &OperationView| {
        let mut steps = view.operation.plan.steps.iter().zip(&view.steps);
        steps.any(|(step, record)| step.name.starts_with("restore ") && record.state == StepState::Started)
    };
    let view = scene.until_whole("demo", "it restores", restoring).await;
    until_held_up(&scene).await;
    scene.bench.engine.cancel(view.operation.id, "bert").await.unwrap();
    let ended = scene.whole_ended("demo").await;
    assert_eq!(ended.operation.state, Cancelled, "{ended:#?}");
    nothing_is_left_of_drills(&scene).await;
    let known = scene.bench.store.backup(&backup.id).await.unwrap().unwrap();
    assert_eq!(known.newest_verification(), None, "a drill that was cancelled found nothing");
    scene.bench.close().await;
}

/// Backs the environment up with an engine that dies at point `at`; gives the number of points that it passed.
async fn play(at: usize) -> usize {
    let mut scene = Scene::with_diary().await;
    scene.bench.end().await;
    scene.bench.confirm(Intent::BackUpEnvironment("demo".into(), BackupRequest::default())).await;
    let guillotine = Arc::new(Guillotine::default());
    guillotine.at.store(at, Ordering::SeqCst);
    scene.bench.start_mortal(&guillotine);
    if at > 0 {
        tokio::select! {
            () = guillotine.falls.notified() => {}
            _ = scene.whole_ended("demo") => {}
        }
        scene.bench.kill().await;
        scene.bench.reconnect().await;
    }
    let ended = scene.whole_ended("demo").await;
    assert_eq!(ended.operation.state, Succeeded, "killed at point {at}: {ended:#?}");
    let Some(Request::Group(request)) = &ended.operation.request else { panic!("{ended:#?}") };
    assert_eq!(request.parts.len(), 2);
    let all = scene.backups().await;
    assert_eq!(all.len(), 2, "killed at point {at}: each part was begun once: {all:#?}");
    assert!(
        all.iter().all(|backup| backup.state == BackupState::Completed),
        "killed at point {at}: {all:#?}"
    );
    assert_eq!(scene.bench.operations("blog").await[0].operation.kind, OperationKind::Backup);
    let passed = guillotine.passed.load(Ordering::SeqCst);
    scene.bench.close().await;
    passed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_an_environment_survives_a_crash() {
    let points = play(0).await;
    assert!(points > 20, "{points} points");
    for at in (3..=points).step_by(29) {
        play(at).await;
    }
}
