//! Velero's resources, written and followed. Velero itself cannot be had here: each case plays its part, phase by phase.

use serde_json::{Value, json};
use styrmin::backup::velero::{self, Scope, VeleroError};
use styrmin::cluster::key;
use styrmin::domain::backup::{BackupId, BackupState};

use crate::ground::Ground;
use crate::things::{Things, condition, resource, text};

cases!(
    a_backup_is_followed_to_its_end,
    one_that_fails_says_why,
    one_that_is_deleted_is_told,
    what_moves_data_is_asked_to_stop,
    where_it_is_not_installed_that_is_said,
);

const KINDS: [(&str, &str); 4] = [
    ("backups", "Backup"),
    ("restores", "Restore"),
    ("podvolumebackups", "PodVolumeBackup"),
    ("deletebackuprequests", "DeleteBackupRequest"),
];

/// Its definitions, as far as they matter here: they are the same for all cases, and stay.
async fn install(ground: &Ground) {
    let definitions = ground.things("customresourcedefinitions");
    for (plural, kind) in KINDS {
        let name = format!("{plural}.velero.io");
        let made = definitions
            .try_create(json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": name, "annotations": {
                    "api-approved.kubernetes.io": "unapproved, for a test"}},
                "spec": {"group": "velero.io", "scope": "Namespaced",
                    "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind},
                    "versions": [{"name": "v1", "served": true, "storage": true,
                        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
            }))
            .await;
        assert!(made.is_ok() || made.as_ref().is_err_and(|status| status.code == 409), "{made:?}");
        definitions
            .until_is(&name, "it is served", |found| condition(found, "Established").0 == "True")
            .await;
    }
}

fn things(ground: &Ground, index: usize) -> Things {
    let (plural, kind) = KINDS[index];
    Things::of(ground, &resource("velero.io/v1", kind, plural), Some(&ground.namespace))
}

fn scope(ground: &Ground) -> Scope<'_> {
    Scope {
        namespace: &ground.namespace,
        environment: "demo",
        application: None,
        storage_location: Some("default"),
    }
}

/// A backup that was just written.
async fn written(ground: &Ground, name: &str) -> (BackupId, Value) {
    install(ground).await;
    let id = BackupId(name.to_owned());
    let object = velero::backup(&id, &scope(ground), &ground.namespace, &[]);
    velero::write(&ground.cluster(), &object).await.expect("it is written");
    // a crash writes it once more
    velero::write(&ground.cluster(), &object).await.expect("it is found");
    (id, object)
}

async fn a_backup_is_followed_to_its_end(ground: &Ground) {
    let (id, object) = written(ground, "one").await;
    let cluster = ground.cluster();
    let (told, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let playing = async {
        let backups = things(ground, 0);
        let mut say = async |phase: &str, done: u64| {
            let status = json!({"phase": phase, "progress": {"totalItems": 9, "itemsBackedUp": done}});
            backups.merge(&id.0, json!({"status": status})).await;
            // the next phase comes when this one was seen
            while seen.recv().await.expect("a report") != (phase.to_owned(), done) {}
        };
        say("InProgress", 4).await;
        say("Finalizing", 9).await;
        backups
            .merge(&id.0, json!({"status": {"phase": "Completed", "startTimestamp": "2026-11-29T03:00:00Z"}}))
            .await;
    };
    let key = key(&object);
    let following =
        velero::follow(&cluster, &key, |report| drop(told.send((report.phase.clone(), report.items.0))));
    let (ended, ()) = ground.within("the backup", futures::future::join(following, playing)).await;
    assert_eq!(ended.expect("an end").report.state, BackupState::Completed);
    let shown = velero::list(&cluster, &ground.namespace, ("demo", &ground.namespace)).await.expect("a list");
    assert_eq!(shown.iter().map(|backup| backup.id.0.as_str()).collect::<Vec<_>>(), ["one"]);
    velero::delete(&cluster, &ground.namespace, &id).await.expect("it is asked for");
    assert_eq!(text(&things(ground, 3).get("one").await, "/spec/backupName"), "one");
}

async fn one_that_fails_says_why(ground: &Ground) {
    let (id, object) = written(ground, "two").await;
    let status = json!({"phase": "FailedValidation", "validationErrors": ["no such storage location"]});
    things(ground, 0).merge(&id.0, json!({"status": status})).await;
    let ended = ground.within("the end", velero::follow(&ground.cluster(), &key(&object), |_| {})).await;
    let report = ended.expect("an end").report;
    assert_eq!(report.state, BackupState::Failed);
    assert_eq!(report.problem.expect("a reason").why, "no such storage location");
}

async fn one_that_is_deleted_is_told(ground: &Ground) {
    let (id, object) = written(ground, "three").await;
    things(ground, 0).delete(&id.0).await;
    let ended = ground.within("the end", velero::follow(&ground.cluster(), &key(&object), |_| {})).await;
    assert!(matches!(ended, Err(VeleroError::Gone(_))), "{ended:?}");
}

async fn what_moves_data_is_asked_to_stop(ground: &Ground) {
    let (id, _) = written(ground, "four").await;
    let volumes = things(ground, 2);
    for (name, backup) in [("four-a", "four"), ("five-a", "five")] {
        volumes
            .create(json!({"apiVersion": "velero.io/v1", "kind": "PodVolumeBackup",
                "metadata": {"name": name, "namespace": ground.namespace,
                    "labels": {"velero.io/backup-name": backup}}, "spec": {}}))
            .await;
    }
    let asked = velero::cancel(&ground.cluster(), &ground.namespace, &id).await.expect("it is asked");
    assert_eq!(asked, 1);
    assert_eq!(volumes.get("four-a").await["spec"]["cancel"], true);
    assert!(volumes.get("five-a").await["spec"]["cancel"].is_null());
}

async fn where_it_is_not_installed_that_is_said(ground: &Ground) {
    // another group that nobody serves: the definitions of the real one stay from other cases
    let mut object = velero::backup(&BackupId("x".into()), &scope(ground), &ground.namespace, &[]);
    object["apiVersion"] = "nothing.velero.io/v1".into();
    let refused = velero::write(&ground.cluster(), &object).await.expect_err("nobody serves it");
    assert_eq!(refused, VeleroError::NotInstalled);
    assert!(refused.problem().what.contains("not installed"));
}
