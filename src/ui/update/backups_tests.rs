use std::sync::Arc;

use super::tests::{model_of, press, toasts};
use super::update;
use crate::domain::backup::{
    BackupId, BackupRequest, CloneSource, Depth, PruneRequest, RestorePath, RestoreRequest, VerifyRequest,
};
use crate::domain::{DeploymentId, Intent, OperationId, OperationKind, Preview, Problem, World};
use crate::ui::backup_samples as samples;
use crate::ui::event::{Effect, Event, Reply, RequestId};
use crate::ui::model::Model;

const NOTES: DeploymentId = DeploymentId(1);
const SHOP: DeploymentId = DeploymentId(2);

fn id(index: usize) -> BackupId {
    samples::backups()[index].id.clone()
}

/// The only thing that the keys ask to be planned.
fn planned(model: &mut Model, keys: &str) -> Intent {
    let effects = press(model, keys);
    match &effects[..] {
        [Effect::Plan(_, intent)] => intent.clone(),
        other => panic!("{keys}: {other:?}, {:?}", toasts(model)),
    }
}

fn restore(index: usize) -> RestoreRequest {
    RestoreRequest { backup: id(index), components: Vec::new(), path: None, safety_backup: true }
}

#[test]
fn every_command_about_backups_leads_to_the_plan_of_what_it_says() {
    let verify = |depth| Intent::Verify(VerifyRequest { backup: id(1), depth });
    let delete = |location: &str, backups| {
        Intent::Prune(PruneRequest {
            location: location.into(),
            // the name of the location is typed before
            even_the_last: !Vec::is_empty(&backups),
            backups,
            orphans: Vec::new(),
        })
    };
    let all = Intent::BackUpEnvironment("demo".into(), BackupRequest::default());
    let keep = Intent::BackUp(NOTES, BackupRequest::default());
    let cases = [
        ("B", keep.clone()),
        ("aB", keep.clone()),
        ("<enter>B", keep.clone()),
        ("bB", keep.clone()),
        ("4jB", keep.clone()),
        ("4j<enter>aB", keep),
        ("aE", all.clone()),
        ("4jaE", all),
        ("4jav", verify(Depth::Quick)),
        ("4jaV", verify(Depth::Full)),
        ("bav", verify(Depth::Quick)),
        ("4j<enter>aV", verify(Depth::Full)),
        ("4jad", Intent::Drill(id(1))),
        ("bjad", Intent::Drill(id(3))),
        ("4jaX", delete("nas", vec![id(1)])),
        ("4j jj aX", delete("nas", vec![id(1), id(3)])),
        ("4<tab><tab>ag", delete("nas", Vec::new())),
        ("aR<tab><tab><tab><tab><tab><tab><enter>", Intent::Restore(NOTES, restore(1))),
        ("4jjjaR<tab><tab><tab><tab><tab><tab><enter>", Intent::Restore(NOTES, restore(3))),
    ];
    for (keys, intent) in cases {
        let mut model = model_of(samples::world());
        assert_eq!(planned(&mut model, keys), intent, "{keys}");
        assert_eq!(model.screens().last(), Some(&"plan"), "{keys}: nothing is done without it");
    }
}

#[test]
fn records_alone_are_changed_at_once_and_told_with_what_came_of_it() {
    let mut model = model_of(samples::world());
    let effects = press(&mut model, "4jp");
    assert_eq!(effects, [Effect::PinBackup(RequestId(1), id(1), true)]);
    update(&mut model, Event::Reply(RequestId(1), Reply::Done(Ok("It is pinned".into()))));
    assert_eq!(toasts(&model), ["It is pinned"]);
    let effects = press(&mut model, "jjjjjjp");
    assert_eq!(effects, [Effect::PinBackup(RequestId(2), id(7), false)], "a pin is taken away again");

    let mut model = model_of(samples::world());
    assert_eq!(press(&mut model, "4<tab>jp<enter>"), [], "a reason is needed");
    let effects = press(&mut model, "the disk is full<enter>");
    assert_eq!(
        effects,
        [Effect::PauseSchedule(RequestId(1), "nightly".into(), Some("the disk is full".into()))]
    );
    update(&mut model, Event::Reply(RequestId(1), Reply::Done(Ok("nightly is paused".into()))));
    assert_eq!((model.screens(), toasts(&model)), (vec!["backups"], vec!["nightly is paused".to_owned()]));
    let effects = press(&mut model, "Gp");
    assert_eq!(effects, [Effect::PauseSchedule(RequestId(2), "weekly".into(), None)], "it is resumed");
}

#[test]
fn what_a_retention_would_delete_is_looked_at_first() {
    let mut model = model_of(samples::world());
    let effects = press(&mut model, "4<tab>jaw");
    assert_eq!(effects, [Effect::PreviewRetention(RequestId(1), "nightly".into())]);
    assert_eq!(press(&mut model, "y"), [], "nothing is known yet");
    update(&mut model, Event::Reply(RequestId(1), Reply::Retention(Ok(samples::fates()))));
    let gone = PruneRequest {
        location: "nas".into(),
        backups: vec![id(2), id(5)],
        orphans: Vec::new(),
        even_the_last: false,
    };
    assert_eq!(planned(&mut model, "y"), Intent::Prune(gone));
    assert_eq!(model.screens(), ["backups", "plan"]);
    let mut model = model_of(samples::world());
    press(&mut model, "4<tab>jaw");
    assert_eq!(press(&mut model, "<esc>"), [Effect::Cancel(RequestId(1))]);
}

#[test]
fn what_cannot_be_done_to_a_backup_says_why() {
    let cases = [
        ("4aX", "It has not ended yet"),
        ("4av", "It has not ended yet"),
        ("4jjjjav", "It is Velero's: what lies in its storage cannot be verified from here"),
        ("4jjjjjjjaX", " is pinned: take the pin away first"),
        ("4j Gk aX", "They lie in nas and in offsite: mark only those of one location"),
        ("4jjjjjjaR", "was kept that could be restored"),
    ];
    for (keys, said) in cases {
        let mut model = model_of(samples::world());
        assert_eq!(press(&mut model, keys), [], "{keys}");
        let toasts = toasts(&model);
        assert!(toasts.last().is_some_and(|toast| toast.contains(said)), "{keys}: {toasts:?}");
    }
    let mut never = samples::world();
    for driver in &mut never.drivers {
        Arc::make_mut(driver).spec.components.values_mut().for_each(|spec| spec.backup = None);
    }
    let mut model = model_of(never);
    assert_eq!(press(&mut model, "B"), []);
    assert_eq!(toasts(&model), ["Nothing of notes can be backed up"]);
    let mut model = model_of(samples::bare());
    assert_eq!(press(&mut model, "aR"), []);
    assert_eq!(toasts(&model), ["There is no backup of notes in demo that could be restored"]);
}

#[test]
fn a_restore_takes_components_a_path_another_application_or_all() {
    let asked = |keys: &str| planned(&mut model_of(samples::world()), &format!("aR{keys}"));
    let one = RestoreRequest { components: vec!["db".into()], safety_backup: false, ..restore(1) };
    assert_eq!(
        asked("<tab><tab><space><tab><tab><tab><space><tab><enter>"),
        Intent::Restore(NOTES, one),
        "one component, and no safety backup"
    );
    let path = RestorePath { component: "web".into(), volume: "uploads".into(), path: "2026/11".into() };
    let some = RestoreRequest { components: vec!["web".into()], path: Some(path), ..restore(1) };
    assert_eq!(asked("<tab><tab><tab><right><tab>/2026/11<tab><enter>"), Intent::Restore(NOTES, some));
    let other = asked("<tab><right><tab><tab><tab><tab><tab><tab><enter>");
    assert_eq!(other, Intent::Restore(SHOP, restore(1)));
    let Intent::DeployFrom(draft, from) = asked("<tab><right><right><tab><tab><tab><enter>") else {
        panic!()
    };
    assert_eq!((draft.name.as_str(), draft.environment.as_str(), from), ("notes-restored", "demo", id(1)));
    assert_eq!(draft.application_version, "1.0.0");
    let Intent::RestoreEnvironment(environment, members) = asked("<tab><left><tab><enter>") else { panic!() };
    assert_eq!(environment, "demo");
    assert_eq!(members.into_values().collect::<Vec<_>>(), [id(1), id(2)]);
}

#[test]
fn a_restore_that_is_not_filled_in_says_what_is_missing() {
    for keys in [
        "<tab><tab><tab><right><tab><tab><enter>",
        "<tab><tab><tab><right><tab>../../etc<tab><enter>",
        "<tab><tab><tab><tab><space><tab><space><tab><enter>",
        "<tab><right><right><tab><tab><ctrl-u>Notes!<tab><enter>",
        "<tab><right><right><tab><tab><ctrl-u>shop<tab><enter>",
    ] {
        let mut model = model_of(samples::world());
        press(&mut model, "aR");
        assert_eq!(press(&mut model, keys), [], "{keys}");
        assert_eq!(model.screens(), ["restore"], "{keys}");
    }
}

#[test]
fn a_clone_asks_where_to_and_what_of() {
    let asked = |keys: &str| {
        let Intent::Clone(request) = planned(&mut model_of(samples::world()), &format!("aC{keys}")) else {
            panic!("{keys}")
        };
        request
    };
    let live = asked("<tab><tab><tab><tab><tab><tab><tab><enter>");
    assert_eq!(
        (live.from.as_str(), live.to.as_str(), &live.source),
        ("demo", "demo-copy", &CloneSource::Live)
    );
    assert!(live.applications.is_empty() && !live.scale_down && live.fqdn_suffix.is_none());
    let kept = asked("<tab><ctrl-u>try<tab><right><tab><space><tab>x.localhost<tab><space><tab><tab><enter>");
    assert_eq!(
        (kept.to.as_str(), kept.scale_down, kept.applications.as_slice()),
        ("try", true, &["shop".to_owned()][..])
    );
    assert_eq!(kept.fqdn_suffix.as_deref(), Some("x.localhost"));
    let CloneSource::Backups { backups } = kept.source else { panic!() };
    assert_eq!(backups.into_values().collect::<Vec<_>>(), [id(5)], "the last good one, not the last one");
    let other = asked("<right><tab><tab><tab><tab><tab><tab><tab><enter>");
    assert_eq!(
        (other.from.as_str(), other.to.as_str()),
        ("staging", "staging-copy"),
        "the suggestion follows"
    );
}

#[test]
fn a_clone_from_backups_needs_a_good_one_of_each() {
    let mut world = samples::world();
    world.backups.retain(|backup| backup.source.application != "shop");
    let mut model = model_of(world);
    press(&mut model, "aC");
    assert_eq!(press(&mut model, "<tab><tab><right><tab><tab><tab><tab><tab><enter>"), []);
    assert_eq!(model.screens(), ["clone"]);
    let taken = press(&mut model, "<tab><tab><tab><tab><space><tab><enter>");
    assert!(matches!(&taken[..], [Effect::Plan(_, Intent::Clone(_))]), "shop is left out: {taken:?}");
    let mut model = model_of(samples::world());
    press(&mut model, "aC");
    assert_eq!(
        press(&mut model, "<tab><ctrl-u>staging<tab><tab><tab><tab><tab><tab><enter>"),
        [],
        "it exists"
    );
}

#[test]
fn a_confirmed_backup_is_shown_as_soon_as_it_is_in_the_picture() {
    let quiet = || {
        let mut world = samples::world();
        world.operations.remove(0);
        world
    };
    let mut model = model_of(quiet());
    press(&mut model, "jB");
    let preview = Preview {
        kind: Some(OperationKind::Backup),
        plan: samples::running_operation().operation.plan,
        ..Preview::default()
    };
    update(&mut model, Event::Reply(RequestId(1), Reply::Plan(Ok(preview))));
    let effects = press(&mut model, "y");
    assert!(matches!(&effects[..], [Effect::Confirm(_, Intent::BackUp(SHOP, _), _)]), "{effects:?}");
    update(&mut model, Event::Reply(RequestId(2), Reply::Done(Ok("recorded".into()))));
    assert_eq!(model.screens(), ["applications"]);
    let send = |model: &mut Model, world: World| {
        update(model, Event::World(Arc::new(world), crate::ui::sample::now()));
    };
    let mut part = quiet();
    let mut child = samples::running_operation();
    child.operation.parent = Some((OperationId(19), 0));
    part.operations.insert(0, Arc::new(child));
    send(&mut model, part);
    assert_eq!(model.screens(), ["applications"], "a part of another operation is not it");
    send(&mut model, samples::world());
    assert_eq!(model.screens(), ["operation"]);
}

#[test]
fn to_delete_backups_the_name_of_their_location_is_typed() {
    use crate::domain::plan::{Class, Step, Verb};
    let mut model = model_of(samples::world());
    press(&mut model, "4jaX");
    let mut plan = samples::running_operation().operation.plan;
    plan.steps = vec![Step { class: Class::Destructive, ..Step::named(Verb::Delete, "delete a backup") }];
    let preview = Preview { kind: Some(OperationKind::Prune), plan, ..Preview::default() };
    update(&mut model, Event::Reply(RequestId(1), Reply::Plan(Ok(preview))));
    assert_eq!(press(&mut model, "yy<enter>"), [], "its name is needed");
    let effects = press(&mut model, "<ctrl-u>nas<enter>");
    assert!(matches!(&effects[..], [Effect::Confirm(_, Intent::Prune(_), _)]), "{effects:?}");
}

#[test]
fn a_failed_record_is_a_problem() {
    let mut model = model_of(samples::world());
    press(&mut model, "4jp");
    let problem = Problem::new("The pin cannot be written", "the disk is full", "make room");
    update(&mut model, Event::Reply(RequestId(1), Reply::Done(Err(problem))));
    assert_eq!(toasts(&model), ["The pin cannot be written"]);
}

#[test]
fn a_backup_of_a_production_environment_needs_no_unlocking_and_a_restore_does() {
    let confirmed = |keys: &str| {
        let mut world = samples::world();
        world.environments[0].production = true;
        let mut model = model_of(world);
        press(&mut model, keys);
        let plan = samples::running_operation().operation.plan;
        let preview = Preview { kind: Some(OperationKind::Backup), plan, ..Preview::default() };
        update(&mut model, Event::Reply(RequestId(1), Reply::Plan(Ok(preview))));
        !press(&mut model, "y").is_empty()
    };
    assert!(confirmed("B") && confirmed("aE"));
    assert!(!confirmed("aR<tab><tab><tab><tab><tab><tab><enter>"));
}
