use super::super::test::{Ground, names, spec};
use super::*;
use crate::domain::backup::{BackupPart, BackupRequest, BackupState, Engine, NewBackup};
use crate::domain::{OperationKind, OperationState};
use crate::reconcile::decide::tests::{operation, settled};

/// A backup that Velero has completed.
pub(in crate::reconcile) fn backup() -> Backup {
    let made = NewBackup {
        engine: Engine::Velero,
        location: "cluster".to_owned(),
        request: BackupRequest::default(),
        instance: settled().newest.unwrap(),
        parts: vec![BackupPart::of_velero()],
    };
    let operation = operation(OperationKind::Backup, OperationState::Succeeded, &settled());
    Backup { state: BackupState::Completed, ..made.record(&operation, "") }
}

fn asked() -> Asked<'static> {
    Asked { place: "cluster (velero:velero/default)", warnings: &[], held: &["db"] }
}

#[test]
fn a_backup_is_one_step_and_its_end() {
    let ground = Ground::new(spec());
    let plan = back_up_with(&ground.basis(OperationKind::Backup, &[]), &asked());
    assert_eq!(names(&plan), ["back up with Velero", "seal backup"]);
    assert!(plan.steps[0].timeout > 0 && plan.steps[1].finally);
    assert!(plan.steps[0].note.contains("it makes db hold still"), "{}", plan.steps[0].note);
}

#[test]
fn a_restore_keeps_what_is_there_and_waits_until_it_is_healthy() {
    let ground = Ground::new(spec());
    let key = ObjectKey {
        api_version: "apps/v1".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: "demo".to_owned(),
        name: "web".to_owned(),
    };
    let workloads = [("web".to_owned(), vec![key])];
    let basis = ground.basis(OperationKind::Restore, &[]);
    let with = |safety| restore_with(&basis, &asked(), (&backup(), safety), &workloads);
    let plan = with(true);
    assert_eq!(
        names(&plan),
        ["back up with Velero", "restore with Velero", "wait Deployment/web", "seal safety backup"]
    );
    assert_eq!((plan.steps[1].class, &plan.steps[1].after), (Class::Destructive, &vec![0]));
    assert_eq!(plan.steps[2].after, [1]);
    assert_eq!(names(&with(false)), ["restore with Velero", "wait Deployment/web"]);
}
