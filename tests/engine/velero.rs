//! Backups that Velero makes: its resources are written, followed and listed. Velero itself cannot be had here: each test plays its
//! part, phase by phase.

use std::collections::BTreeSet;

use futures::StreamExt;
use kube::api::{DynamicObject, PostParams};
use serde_json::{Value, json};
use styrmin::backup::velero::Mirror;
use styrmin::cluster::Followed;
use styrmin::domain::backup::{
    Backup, BackupId, BackupRequest, BackupState, Depth, Engine, Location, LocationKind, Missed, Pause,
    PruneRequest, RestoreRequest, Schedule, SecretSource, VerifyRequest,
};
use styrmin::domain::operation::OperationState::{Cancelled, Failed, Succeeded};
use styrmin::domain::operation::Subject;
use styrmin::domain::{Environment, Intent, ObjectKey, OperationId, OperationKind, OperationView};
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

use crate::bench::Bench;
use crate::rig::{self, YARD};
use crate::support::LIMIT;

const HOME: &str = "velero";
const LOCATION: &str = "cluster";

const KINDS: [(&str, &str); 5] = [
    ("backups", "Backup"),
    ("restores", "Restore"),
    ("schedules", "Schedule"),
    ("podvolumebackups", "PodVolumeBackup"),
    ("deletebackuprequests", "DeleteBackupRequest"),
];

/// A running engine with an application, and a cluster that has Velero's resources.
struct Scene {
    bench: Bench,
    _mirror: DropGuard,
}

fn named(kind: &str, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: "velero.io/v1".to_owned(),
        kind: kind.to_owned(),
        namespace: HOME.to_owned(),
        name: name.to_owned(),
    }
}

fn api(bench: &Bench, key: &ObjectKey, plural: &str) -> kube::Api<DynamicObject> {
    let (group, version) = key.api_version.split_once('/').unwrap();
    let resource = kube::core::ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: key.api_version.clone(),
        kind: key.kind.clone(),
        plural: plural.to_owned(),
    };
    match key.namespace.as_str() {
        "" => kube::Api::all_with(bench.other.clone(), &resource),
        namespace => kube::Api::namespaced_with(bench.other.clone(), namespace, &resource),
    }
}

/// Its definitions, as far as they matter here.
async fn install(bench: &Bench) {
    for (plural, kind) in KINDS {
        let key = ObjectKey {
            api_version: "apiextensions.k8s.io/v1".to_owned(),
            kind: "CustomResourceDefinition".to_owned(),
            namespace: String::new(),
            name: format!("{plural}.velero.io"),
        };
        let object = json!({
            "apiVersion": key.api_version, "kind": key.kind, "metadata": {"name": key.name},
            "spec": {"group": "velero.io", "scope": "Namespaced",
                "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind},
                "versions": [{"name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
        });
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        api(bench, &key, "customresourcedefinitions").create(&PostParams::default(), &object).await.unwrap();
        bench.cluster.until_established(&key.name).await.unwrap();
    }
}

impl Scene {
    /// Velero is installed after we began to look for it.
    async fn new() -> Self {
        let bench = rig::deployed().await;
        bench.other_namespace(HOME).await;
        let location = Location {
            name: LOCATION.to_owned(),
            kind: LocationKind::Velero { namespace: HOME.to_owned(), storage_location: None },
            key: SecretSource::Unneeded,
            repository: None,
            created: jiff::Timestamp::UNIX_EPOCH,
        };
        bench.store.upsert_location(&location).await.unwrap();
        let name = bench.cluster.name().to_owned();
        let environment = bench.store.environment(&name, &bench.environment).await.unwrap().unwrap();
        let environment = Environment { backup_location: Some(LOCATION.to_owned()), ..environment };
        bench.store.upsert_environment(&environment).await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(Mirror::new(bench.store.clone(), bench.cluster.clone()).run(stop.clone()));
        install(&bench).await;
        Self { bench, _mirror: stop.drop_guard() }
    }

    /// Velero says something of one of its objects.
    async fn say(&self, key: &ObjectKey, status: Value) {
        self.bench.patch(key, "velero", json!({"status": status})).await;
    }

    async fn create(&self, key: &ObjectKey, rest: Value) {
        let mut object = json!({"apiVersion": key.api_version, "kind": key.kind,
            "metadata": {"name": key.name, "namespace": key.namespace}});
        for (field, value) in rest.as_object().unwrap() {
            match field.as_str() {
                "labels" => object["metadata"]["labels"] = value.clone(),
                field => object[field] = value.clone(),
            }
        }
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let plural = format!("{}s", key.kind.to_lowercase());
        api(&self.bench, key, &plural).create(&PostParams::default(), &object).await.unwrap();
    }

    /// The first object of a kind that is there.
    async fn first(&self, kind: &str) -> Value {
        let mut events = Box::pin(self.bench.cluster.follow_all(&named(kind, "any")).await.unwrap());
        let found = async {
            loop {
                match events.next().await.unwrap().unwrap() {
                    Followed::All(mut all) if !all.is_empty() => return all.remove(0),
                    Followed::Changed(object) => return *object,
                    _ => {}
                }
            }
        };
        tokio::time::timeout(LIMIT, found).await.expect("it is written")
    }

    /// Waits until the records say so.
    async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let mut changes = self.bench.store.changes();
        let found = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = look().await {
                    return found;
                }
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(LIMIT, found).await.unwrap_or_else(|_| panic!("not in time: {what}"))
    }

    async fn backups(&self) -> Vec<Backup> {
        self.bench.store.backups(self.bench.cluster.name()).await.unwrap()
    }

    /// Waits until a backup is recorded like this.
    async fn until_backup(&self, name: &str, state: BackupState) -> Backup {
        let id = BackupId(name.to_owned());
        self.until(&format!("{name} is {}", state.as_str()), async || {
            self.bench.store.backup(&id).await.unwrap().filter(|backup| backup.state == state)
        })
        .await
    }

    /// Begins a backup; gives its object once Velero could see it.
    async fn begin(&self) -> (OperationId, ObjectKey, Value) {
        self.bench.confirm(Intent::BackUp(self.bench.id.unwrap(), BackupRequest::default())).await;
        let id = self.bench.operations(YARD).await.remove(0).operation.id;
        let recorded = self.backups().await.into_iter().find(|backup| backup.operation == Some(id)).unwrap();
        let key = named("Backup", &recorded.id.0);
        self.bench.until_live(&key, |_| true).await;
        let object = self.bench.live(&key).await.unwrap();
        (id, key, object)
    }

    async fn ended(&self, kind: OperationKind) -> OperationView {
        let is_it = |view: &OperationView| view.operation.kind == kind && view.operation.state.is_final();
        self.bench.until_operation(YARD, &format!("{} ends", kind.as_str()), is_it).await
    }

    /// A backup that Velero has completed.
    async fn kept(&self) -> Backup {
        let (_, key, _) = self.begin().await;
        self.say(&key, json!({"phase": "Completed", "progress": {"totalItems": 9, "itemsBackedUp": 9}}))
            .await;
        let view = self.ended(OperationKind::Backup).await;
        assert_eq!(view.operation.state, Succeeded, "{view:#?}");
        let id = BackupId(key.name);
        self.bench.store.backup(&id).await.unwrap().unwrap()
    }

    fn restore(&self, backup: &BackupId, safety_backup: bool) -> Intent {
        let (backup, components) = (backup.clone(), Vec::new());
        let request = RestoreRequest { backup, components, path: None, safety_backup };
        Intent::Restore(self.bench.id.unwrap(), request)
    }
}

#[tokio::test]
async fn a_backup_is_followed_to_its_end_and_restored() {
    let scene = Scene::new().await;
    let (id, key, object) = scene.begin().await;
    assert_eq!(object["spec"]["includedNamespaces"], json!(["demo"]));
    assert_eq!(object["metadata"]["labels"]["styrmin.io/operation"], id.to_string());
    assert_eq!(scene.backups().await[0].id.0, key.name);
    let progress = json!({"phase": "InProgress", "progress": {"totalItems": 9, "itemsBackedUp": 4}});
    scene.say(&key, progress).await;
    scene
        .until("how far it is", async || {
            let view = scene.bench.store.operation(id).await.unwrap().unwrap();
            let said = view.moving.iter().any(|(_, progress)| progress.item == "4 of 9 items (InProgress)");
            said.then_some(())
        })
        .await;
    scene.say(&key, json!({"phase": "Completed", "warnings": 1})).await;
    let view = scene.ended(OperationKind::Backup).await;
    assert_eq!(view.operation.state, Succeeded, "{view:#?}");
    let backup = scene.backups().await.remove(0);
    assert_eq!((backup.engine, backup.state), (Engine::Velero, BackupState::Completed));
    assert_eq!((backup.location.as_str(), backup.word()), (LOCATION, "Completed"));

    let intent = scene.restore(&backup.id, false);
    let plan = scene.bench.engine.preview(&intent).await.unwrap().plan;
    assert!(plan.warnings.iter().any(|said| said.contains("does not overwrite")), "{plan}");
    scene.bench.confirm(intent).await;
    let object = scene.first("Restore").await;
    assert_eq!(object["spec"]["backupName"], backup.id.0);
    assert!(object["spec"]["namespaceMapping"].is_null());
    let key = styrmin::cluster::key(&object);
    scene.say(&key, json!({"phase": "Completed", "progress": {"totalItems": 9, "itemsRestored": 9}})).await;
    let view = scene.ended(OperationKind::Restore).await;
    assert_eq!(view.operation.state, Succeeded, "{view:#?}");
    scene.bench.until_running(YARD, 1).await;
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_veleros_words() {
    let scene = Scene::new().await;
    let (_, key, _) = scene.begin().await;
    scene.say(&key, json!({"phase": "PartiallyFailed", "errors": 2, "failureReason": "no space"})).await;
    let view = scene.ended(OperationKind::Backup).await;
    assert_eq!(view.operation.state, Failed);
    assert_eq!(view.operation.problem.unwrap().why, "no space; 2 errors");
    let backup = scene.backups().await.remove(0);
    assert_eq!(backup.state, BackupState::PartiallyFailed);
    assert_eq!(backup.problem.unwrap().why, "no space; 2 errors");
}

#[tokio::test]
async fn a_cancelled_backup_counts_for_nothing_and_its_data_moves_no_more() {
    let scene = Scene::new().await;
    let (id, key, _) = scene.begin().await;
    let volume = named("PodVolumeBackup", "one");
    scene.create(&volume, json!({"labels": {"velero.io/backup-name": key.name}, "spec": {}})).await;
    scene.bench.engine.cancel(id, "anna").await.unwrap();
    let view = scene.ended(OperationKind::Backup).await;
    assert_eq!(view.operation.state, Cancelled, "{view:#?}");
    assert_eq!(scene.bench.live(&volume).await.unwrap()["spec"]["cancel"], true);
    assert_eq!(scene.backups().await.remove(0).state, BackupState::Cancelled);
    // Velero ends it as it does; that changes nothing of what somebody said
    scene.say(&key, json!({"phase": "PartiallyFailed"})).await;
    scene.create(&named("Backup", "after"), json!({"spec": {"includedNamespaces": ["demo"]}})).await;
    scene.until_backup("after", BackupState::Queued).await;
    scene.until_backup(&key.name, BackupState::Cancelled).await;
}

#[tokio::test]
async fn after_a_crash_it_is_found_by_its_name() {
    let mut scene = Scene::new().await;
    let (_, key, object) = scene.begin().await;
    scene.bench.kill().await;
    scene.say(&key, json!({"phase": "Completed"})).await;
    scene.bench.reconnect().await;
    let view = scene.ended(OperationKind::Backup).await;
    assert_eq!(view.operation.state, Succeeded, "{view:#?}");
    let live = scene.bench.live(&key).await.unwrap();
    assert_eq!(live["metadata"]["uid"], object["metadata"]["uid"]);
    assert_eq!(scene.bench.cluster.list(&named("Backup", "any")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_velero_has_is_listed_and_deleted_by_velero() {
    let scene = Scene::new().await;
    let nightly = named("Backup", "nightly-1");
    let labels = json!({"velero.io/schedule-name": "nightly"});
    scene.create(&nightly, json!({"labels": labels, "spec": {"includedNamespaces": ["*"]}})).await;
    scene.create(&named("Backup", "other"), json!({"spec": {"includedNamespaces": ["other"]}})).await;
    scene.until_backup("nightly-1", BackupState::Queued).await;
    scene.say(&nightly, json!({"phase": "Completed"})).await;
    let found = scene.until_backup("nightly-1", BackupState::Completed).await;
    assert_eq!((found.source.environment.as_str(), found.operation), ("demo", None));
    let kept = scene.kept().await;
    let ids: BTreeSet<String> = scene.backups().await.into_iter().map(|backup| backup.id.0).collect();
    assert_eq!(ids, BTreeSet::from(["nightly-1".to_owned(), kept.id.0.clone()]));

    let verify = Intent::Verify(VerifyRequest { backup: kept.id.clone(), depth: Depth::Full });
    let refused = scene.bench.engine.preview(&verify).await.unwrap_err();
    assert!(refused.why.contains("Velero keeps its data"), "{refused}");

    scene.bench.delete(&nightly).await;
    scene.until("it leaves", async || (scene.backups().await.len() == 1).then_some(())).await;

    let (location, backups) = (LOCATION.to_owned(), vec![kept.id.clone()]);
    scene
        .bench
        .confirm(Intent::Prune(PruneRequest { location, backups, orphans: Vec::new(), even_the_last: false }))
        .await;
    let asked = scene.first("DeleteBackupRequest").await;
    assert_eq!(asked["spec"]["backupName"], kept.id.0);
    scene.bench.delete(&named("Backup", &kept.id.0)).await;
    let subject = Subject::location(scene.bench.cluster.name(), LOCATION);
    let ended = scene.until("it is deleted", async || {
        let newest = scene.bench.store.operations_of(&subject, 1).await.unwrap().remove(0);
        newest.operation.state.is_final().then_some(newest)
    });
    assert_eq!(ended.await.operation.state, Succeeded);
    assert!(scene.backups().await.is_empty());
}

#[tokio::test]
async fn a_deletion_in_vain_says_why_and_the_backup_stays() {
    let scene = Scene::new().await;
    let kept = scene.kept().await;
    let (location, backups) = (LOCATION.to_owned(), vec![kept.id.clone()]);
    scene
        .bench
        .confirm(Intent::Prune(PruneRequest { location, backups, orphans: Vec::new(), even_the_last: false }))
        .await;
    let asked = styrmin::cluster::key(&scene.first("DeleteBackupRequest").await);
    scene.say(&asked, json!({"phase": "Processed", "errors": ["no bucket"]})).await;
    let subject = Subject::location(scene.bench.cluster.name(), LOCATION);
    let ended = scene.until("it fails", async || {
        let newest = scene.bench.store.operations_of(&subject, 1).await.unwrap().remove(0);
        newest.operation.state.is_final().then_some(newest)
    });
    let ended = ended.await.operation;
    assert_eq!((ended.state, ended.problem.unwrap().why.as_str()), (Failed, "no bucket"));
    assert_eq!(scene.backups().await.len(), 1);
}

#[tokio::test]
async fn velero_keeps_the_schedules_of_the_environment() {
    let scene = Scene::new().await;
    let schedule = Schedule {
        name: "nightly".to_owned(),
        cluster: scene.bench.cluster.name().to_owned(),
        environment: "demo".to_owned(),
        application: Some(YARD.to_owned()),
        cron: "0 3 * * *".to_owned(),
        time_zone: "Europe/Stockholm".to_owned(),
        jitter: 0,
        missed: Missed::Skip,
        retention: None,
        verify: None,
        paused: None,
        created: jiff::Timestamp::UNIX_EPOCH,
    };
    let theirs = named("Schedule", "theirs");
    scene.create(&theirs, json!({"spec": {"schedule": "@daily"}})).await;
    let key = named("Schedule", "nightly");
    scene.bench.store.upsert_schedule(&schedule).await.unwrap();
    scene
        .bench
        .until_live(&key, |object| object["spec"]["schedule"] == "CRON_TZ=Europe/Stockholm 0 3 * * *")
        .await;
    let by = Pause { by: "anna".into(), since: jiff::Timestamp::UNIX_EPOCH, reason: "holidays".into() };
    scene.bench.store.upsert_schedule(&Schedule { paused: Some(by), ..schedule }).await.unwrap();
    scene.bench.until_live(&key, |object| object["spec"]["paused"] == true).await;
    scene.bench.store.forget_schedule(scene.bench.cluster.name(), "nightly").await.unwrap();
    let plural = api(&scene.bench, &key, "schedules");
    let gone = kube::runtime::wait::await_condition(plural, &key.name, |found: Option<&DynamicObject>| {
        found.is_none()
    });
    tokio::time::timeout(LIMIT, gone).await.expect("it goes").unwrap();
    assert!(scene.bench.live(&theirs).await.is_some(), "what is not ours stays");
}
