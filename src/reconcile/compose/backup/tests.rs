use super::super::test::{Ground, names, spec};
use super::*;
use crate::domain::driver::Quiesce;

fn plan(ground: &Ground, warnings: &[String]) -> Plan {
    let parts = BackupPart::planned(&ground.spec, "demo", "shop", &[]);
    let keeping =
        Keeping { spec: &ground.spec, parts: &parts, place: "nas (/srv/backups)", last: None, warnings };
    let actions = hooks(&ground.spec);
    back_up(&ground.basis(crate::domain::OperationKind::Backup, &actions), &keeping)
}

#[test]
fn parts_come_one_after_the_other_however_the_one_before_ended_and_the_seal_is_last() {
    let ground = Ground::new(spec());
    let plan = plan(&ground, &["w".to_owned()]);
    assert_eq!(
        names(&plan),
        ["run hold", "back up db", "back up files/a", "back up files/b", "run let-go", "seal backup"]
    );
    let step = |name: &str| plan.steps.iter().find(|step| step.name == name).unwrap();
    assert!(step("run hold").prepares && !step("back up db").prepares);
    assert_eq!((&step("back up db").after[..], &step("back up db").behind[..]), (&[0][..], &[][..]));
    assert_eq!(
        (&step("back up files/b").after[..], &step("back up files/b").behind[..]),
        (&[0][..], &[2][..])
    );
    assert!(step("run let-go").finally && step("seal backup").finally);
    assert_eq!(step("seal backup").after, [4]);
    assert!(plan.steps.iter().all(|step| step.timeout > 0) && plan.time_limit() == ALL_WITHIN);
    assert_eq!(plan.warnings, ["w"]);
}

#[test]
fn what_holds_still_goes_on_and_what_may_be_read_beside_others_is() {
    let mut driver = spec();
    let db = driver.components.get_mut("db").unwrap();
    db.backup_target.quiesce = Some(Quiesce::default());
    driver.components.get_mut("files").unwrap().backup_target.parallel = true;
    let plan = plan(&Ground::new(driver), &[]);
    assert_eq!(
        names(&plan),
        [
            "run hold",
            "quiesce db",
            "back up db",
            "back up files/a",
            "back up files/b",
            "resume db",
            "run let-go",
            "seal backup"
        ]
    );
    assert_eq!(plan.steps[1].after, [0]);
    assert_eq!(plan.steps[2].after, [0, 1], "it is read while it holds still");
    assert!(plan.steps[3..5].iter().all(|step| step.behind.is_empty() && step.after == [0]));
    assert_eq!(plan.steps[7].after, [5, 6]);
}

#[test]
fn what_cannot_be_read_while_it_runs_is_stopped_and_started_again() {
    let mut driver = spec();
    driver.components.get_mut("db").unwrap().backup = Some("neo4j".to_owned());
    let plan = plan(&Ground::new(driver), &[]);
    let named: Vec<String> = names(&plan);
    assert_eq!(named[1], STOP);
    assert_eq!(plan.steps[1].class, Class::Disruptive);
    assert_eq!(plan.steps[2].after, [1]);
    let start = named.iter().position(|name| name == START).unwrap();
    assert_eq!((named[start - 1].as_str(), plan.steps[start].finally), (CLEAR, true));
}

#[test]
fn the_action_that_is_a_strategy_is_no_step_of_its_own() {
    let mut driver = spec();
    let db = driver.components.get_mut("db").unwrap();
    (db.backup, db.backup_target.action) = (Some("action".to_owned()), Some("hold".to_owned()));
    assert_eq!(names(&plan(&Ground::new(driver), &[]))[0], "back up db");
}

#[test]
fn another_place_or_another_strategy_makes_another_plan() {
    let ground = Ground::new(spec());
    let hash = plan(&ground, &[]).hash();
    assert_eq!(plan(&ground, &["a warning".to_owned()]).hash(), hash);
    let mut driver = spec();
    driver.components.get_mut("db").unwrap().backup_target.database = Some("other".to_owned());
    assert_ne!(plan(&Ground::new(driver), &[]).hash(), hash);
}
