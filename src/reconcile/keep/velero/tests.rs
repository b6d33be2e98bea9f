use super::*;
use crate::domain::DeploymentDraft;
use crate::domain::backup::{BackupId, RestorePath};
use crate::reconcile::compose::velero_backup;

fn record(name: &str) -> Deployment {
    let record = crate::reconcile::decide::tests::settled().record.unwrap();
    let draft = DeploymentDraft { name: name.to_owned(), ..record.draft.clone() };
    Deployment { draft, ..record }
}

fn request() -> RestoreRequest {
    RestoreRequest {
        backup: BackupId("b".to_owned()),
        components: Vec::new(),
        path: None,
        safety_backup: true,
    }
}

#[test]
fn what_velero_cannot_do_is_refused_before() {
    let backup = velero_backup();
    let cluster = backup.source.cluster.clone();
    let record = record(&backup.source.application);
    assert_eq!(check_restorable(&backup, &request(), &record, &cluster), Ok(()));
    let mut whole = backup.clone();
    whole.source.application.clear();
    assert_eq!(check_restorable(&whole, &request(), &record, &cluster), Ok(()), "of all of a namespace");
    let why = |backup: &Backup, request: &RestoreRequest, cluster: &str| {
        check_restorable(backup, request, &record, cluster).unwrap_err().why
    };
    let mut other = backup.clone();
    other.source.application = "other".to_owned();
    assert!(why(&other, &request(), &cluster).contains("under their names"));
    let failed = Backup { state: BackupState::Failed, ..backup.clone() };
    assert_eq!(why(&failed, &request(), &cluster), "it is Failed");
    assert!(why(&backup, &request(), "elsewhere").contains("Velero keeps it on"));
    let part = RestoreRequest { components: vec!["db".to_owned()], ..request() };
    assert!(why(&backup, &part, &cluster).contains("as a whole"));
    let path = RestorePath { component: "db".into(), volume: "data".into(), path: "a".into() };
    let path = RestoreRequest { path: Some(path), ..request() };
    assert!(why(&backup, &path, &cluster).contains("single paths"));
    assert!(check_whole(&record, &["db".to_owned()]).is_err() && check_whole(&record, &[]).is_ok());
}

#[test]
fn what_velero_does_otherwise_is_said_before() {
    let backup = velero_backup();
    let into = Environment::new("copy", "c", "copy-ns");
    let said = warnings(&backup, &request(), &into).join("\n");
    assert!(said.contains("does not overwrite the data of volumes") && said.contains("copy-ns"), "{said}");
    let here = Environment::new(&backup.source.environment, "c", "x");
    let said = warnings(&backup, &RestoreRequest { safety_backup: false, ..request() }, &here).join("\n");
    assert!(said.contains("not kept") && !said.contains("it is a backup of"), "{said}");
}
