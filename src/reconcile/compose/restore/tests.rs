use super::super::test::{Ground, names, spec};
use super::*;
use crate::domain::backup::{BackupId, BackupRequest, BackupState, NewBackup, PartState, RestorePath};
use crate::domain::{Instance, OperationKind};
use crate::reconcile::decide::tests::{operation, settled};

fn backup(driver: &DriverSpec) -> Backup {
    let instance: Instance = settled().newest.unwrap();
    let parts = BackupPart::planned(driver, "demo", "shop", &[]);
    let new = NewBackup {
        engine: crate::domain::backup::Engine::Styrmin,
        location: "nas".to_owned(),
        request: BackupRequest::default(),
        instance,
        parts,
    };
    let made = operation(OperationKind::Backup, crate::domain::OperationState::Succeeded, &settled());
    let mut backup = new.record(&made, "");
    backup.state = BackupState::Completed;
    for part in &mut backup.parts {
        (part.state, part.snapshot) = (PartState::Completed, format!("s-{}", part.name()));
    }
    backup
}

fn workload(name: &str) -> (String, Vec<ObjectKey>) {
    let key = ObjectKey {
        api_version: "apps/v1".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: "demo".to_owned(),
        name: name.to_owned(),
    };
    (name.to_owned(), vec![key])
}

fn request(components: &[&str]) -> RestoreRequest {
    RestoreRequest {
        backup: BackupId("b".to_owned()),
        components: components.iter().map(|name| (*name).to_owned()).collect(),
        path: None,
        safety_backup: true,
    }
}

fn plan(driver: DriverSpec, request: &RestoreRequest) -> Plan {
    let ground = Ground::new(driver);
    let backup = backup(&ground.spec);
    let mut parts = BackupPart::planned(&ground.spec, "demo", "shop", &request.chosen(&backup));
    parts.retain(|_| request.safety_backup);
    let workloads = [workload("db"), workload("files"), workload("web")];
    let restoring = Restoring {
        backup: &backup,
        request,
        safety: Keeping { spec: &ground.spec, parts: &parts, place: "nas", last: None, warnings: &[] },
        workloads: &workloads,
    };
    restore(&ground.basis(OperationKind::Restore, &ground.spec.actions), &restoring)
}

#[test]
fn what_writes_stops_then_what_is_there_is_kept_then_it_is_replaced_and_starts_again() {
    let plan = plan(spec(), &request(&[]));
    assert_eq!(
        names(&plan),
        [
            "stop for restore",
            "back up db",
            "back up files/a",
            "back up files/b",
            "stop what is restored",
            "seal safety backup",
            "restore db",
            "restore files/a",
            "restore files/b",
            "start after restore",
            "wait Deployment/db",
            "wait Deployment/files",
            "wait Deployment/web",
            "run check",
            "clear away what stood in",
            "start what was stopped",
        ]
    );
    assert_eq!((plan.steps[0].note.as_str(), plan.steps[4].note.as_str()), ("web", "files"));
    assert_eq!(plan.class(), Class::Destructive);
    assert!(plan.steps[..6].iter().all(|step| step.prepares), "nothing is reached before it is written");
    let needs = |step: usize, needed: usize| plan.steps[step].after.contains(&needed);
    assert!(needs(6, 5), "nothing is overwritten before what is there is kept");
    assert!((1..4).all(|read| needs(5, read)) && needs(7, 6) && needs(9, 8));
    assert_eq!(plan.steps[13].after, [10, 11, 12]);
    assert!(plan.steps[14..].iter().all(|step| step.finally && step.on_failure));
    assert!(plan.steps[15].after == [14], "what stood in goes before its component starts");
}

#[test]
fn only_what_is_chosen_is_kept_and_replaced() {
    let db = plan(spec(), &request(&["db"]));
    assert_eq!(
        names(&db),
        [
            "stop for restore",
            "back up db",
            "seal safety backup",
            "restore db",
            "start after restore",
            "wait Deployment/db",
            "wait Deployment/files",
            "wait Deployment/web",
            "run check",
            "start what was stopped",
        ]
    );
    assert_eq!(db.steps[0].note, "files, web");
    let path = RestorePath { component: "files".into(), volume: "b".into(), path: "x/y".into() };
    let single = plan(spec(), &RestoreRequest { path: Some(path), safety_backup: false, ..request(&[]) });
    let written: Vec<String> = names(&single).into_iter().filter(|name| name.starts_with(RESTORE)).collect();
    assert_eq!(written, ["restore files/b"]);
    assert!(!names(&single).iter().any(|name| name.starts_with("back up") || name.starts_with("seal")));
    let step = single.steps.iter().find(|step| step.name == "restore files/b").unwrap();
    assert!(step.note.starts_with("only x/y"));
}

#[test]
fn a_server_that_cannot_be_read_while_it_runs_is_kept_when_it_has_stopped() {
    let mut driver = spec();
    driver.components.get_mut("db").unwrap().backup = Some("neo4j".to_owned());
    let plan = plan(driver, &request(&["db"]));
    assert_eq!(
        names(&plan)[..5],
        ["stop for restore", "stop what is restored", "back up db", "seal safety backup", "restore db"]
    );
}

#[test]
fn other_data_makes_another_plan() {
    let whole = plan(spec(), &request(&[])).hash();
    assert_eq!(plan(spec(), &request(&[])).hash(), whole);
    let mut unsafe_one = request(&[]);
    unsafe_one.safety_backup = false;
    assert_ne!(plan(spec(), &unsafe_one).hash(), whole);
}

#[test]
fn what_goes_on_during_a_restore_is_told() {
    use crate::cluster::summary;
    use crate::domain::driver::ComponentSpec;
    let object = |api: &str, kind: &str, name: &str, spec: serde_json::Value| {
        summary(&serde_json::json!({"apiVersion": api, "kind": kind, "spec": spec,
            "metadata": {"name": name, "namespace": "demo", "uid": name, "labels": {"app": name}}}))
    };
    let objects = [
        object("apps/v1", "DaemonSet", "agent", serde_json::json!({})),
        object("apps/v1", "Deployment", "web", serde_json::json!({})),
        object("batch/v1", "CronJob", "nightly", serde_json::json!({})),
        object("batch/v1", "CronJob", "paused", serde_json::json!({"suspend": true})),
    ];
    let mut driver = DriverSpec::default();
    for name in ["agent", "web", "db"] {
        let labels = std::collections::BTreeMap::from([("app".to_owned(), name.to_owned())]);
        driver.components.insert(name.to_owned(), ComponentSpec { labels, ..ComponentSpec::default() });
    }
    for (name, strategy) in [("web", "action"), ("db", "postgres")] {
        driver.components.get_mut(name).unwrap().backup = Some(strategy.to_owned());
    }
    let chosen = ["db".to_owned(), "web".to_owned()];
    let said = going_on(&driver, &chosen, &objects);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("agent goes on running") && said[1].contains("CronJob nightly"), "{said:?}");
    let beside = running_beside(&driver, &chosen);
    assert!(beside.len() == 1 && beside[0].starts_with("web goes on running"), "{beside:?}");
    assert!(running_beside(&driver, &chosen[1..]).is_empty(), "nothing else is restored");
}
