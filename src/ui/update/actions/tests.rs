use std::sync::Arc;

use super::*;
use crate::domain::world::Installed;
use crate::domain::{ClusterKind, OperationId, Problem};
use crate::ui::event::{Event, Reply, RequestId};
use crate::ui::plan_samples::{self, NOTES};
use crate::ui::sample;
use crate::ui::update::tests::{model_of, press, toasts};
use crate::ui::update::update;

/// The only thing that the keys ask to be planned.
fn planned(model: &mut Model, keys: &str) -> Intent {
    let effects = press(model, keys);
    match &effects[..] {
        [Effect::Plan(_, intent)] => intent.clone(),
        other => panic!("{keys}: {other:?}"),
    }
}

#[test]
fn every_action_leads_to_the_plan_of_what_it_says() {
    let web = plan_samples::key("Deployment", "notes-web");
    let cases = [
        ("ab", Intent::Rollback(NOTES, 2)),
        ("ax", Intent::Stop(NOTES)),
        ("ac", Intent::Correct(NOTES)),
        ("R<enter>", Intent::Restart(NOTES, Vec::new())),
        ("arweb<enter>", Intent::Restart(NOTES, vec!["web".into()])),
        ("anweb<enter>4<enter>", Intent::Scale(NOTES, "web".into(), Some(4))),
        ("anweb<enter><enter>", Intent::Scale(NOTES, "web".into(), None)),
        ("aD<enter>", Intent::Delete(NOTES, Volumes::Keep)),
        ("aD<down><enter>", Intent::Delete(NOTES, Volumes::Delete)),
        ("af<enter>", Intent::Resolve(NOTES, web.clone(), Resolution::Yield)),
        ("af<down><enter>", Intent::Resolve(NOTES, web.clone(), Resolution::Take)),
        ("af<down><down><enter>", Intent::Resolve(NOTES, web, Resolution::Share)),
    ];
    for (keys, intent) in cases {
        let mut model = model_of(plan_samples::world());
        assert_eq!(planned(&mut model, keys), intent, "{keys} in the table");
        assert_eq!(model.screens().last(), Some(&"plan"), "{keys}: nothing is done without it");
        let mut model = model_of(plan_samples::world());
        press(&mut model, "<enter>");
        assert_eq!(planned(&mut model, keys), intent, "{keys} in the application's view");
    }
    let mut model = model_of(plan_samples::stopped());
    assert_eq!(planned(&mut model, "as"), Intent::Start(NOTES));
}

/// A picture in which `notes` runs in its first instance, and nothing is wrong or under way.
fn plain() -> World {
    let mut world = plan_samples::world_with(|notes| notes.history.truncate(1));
    world.operations.clear();
    world
}

#[test]
fn the_palette_offers_what_applies_and_nothing_else() {
    let offered = |world: World, name: &str| {
        let mut model = model_of(world);
        press(&mut model, &format!(":{name}"));
        let effects = press(&mut model, "<enter>");
        matches!(&effects[..], [Effect::Plan(..)])
    };
    assert!(offered(plan_samples::world(), "stop") && offered(plan_samples::stopped(), "start"));
    assert!(offered(plan_samples::world(), "roll-back") && offered(plan_samples::world(), "correct"));
    assert!(!offered(plan_samples::stopped(), "stop"), "it is stopped");
    assert!(!offered(plain(), "roll-back"), "there is no instance before");
}

#[test]
fn what_does_not_apply_says_so_and_does_nothing() {
    for keys in ["as", "ab", "ac", "af", "ak"] {
        let mut model = model_of(plain());
        assert_eq!(press(&mut model, keys), [], "{keys}");
        assert_eq!(model.screens(), ["applications"], "{keys}");
        assert!(toasts(&model)[0].contains("does nothing here"), "{keys}");
    }
    let mut going = sample::world();
    let mut notes = (*going.applications[0]).clone();
    notes.deployment.phase = DesiredPhase::Deleting;
    going.applications[0] = Arc::new(notes);
    for keys in ["U", "R", "ax", "an", "aD"] {
        let mut model = model_of(going.clone());
        assert_eq!(press(&mut model, keys), [], "{keys}: it is on its way out");
        assert_eq!(model.screens(), ["applications"], "{keys}");
        assert_eq!(toasts(&model), ["notes is being deleted: nothing else can be done to it"], "{keys}");
    }
}

#[test]
fn a_number_of_pods_is_a_number() {
    let mut model = model_of(plan_samples::world());
    assert_eq!(press(&mut model, "anweb<enter>-1<enter>"), []);
    assert_eq!(model.screens(), ["applications", "scale"]);
    let effects = press(&mut model, "<backspace><backspace>2<enter>");
    assert!(matches!(&effects[..], [Effect::Plan(_, Intent::Scale(_, _, Some(2)))]), "{effects:?}");
}

#[test]
fn an_application_without_volumes_is_not_asked_about_them() {
    let mut model = model_of(plan_samples::world_with(|notes| notes.objects.clear()));
    assert_eq!(planned(&mut model, "aD"), Intent::Delete(NOTES, Volumes::Keep));
}

#[test]
fn cancelling_asks_first() {
    let mut model = model_of(plan_samples::world());
    assert_eq!(press(&mut model, "ak<enter>"), [], "the first answer changes nothing");
    let effects = press(&mut model, "ak<down><enter>");
    assert!(matches!(&effects[..], [Effect::CancelOperation(_, OperationId(41))]), "{effects:?}");
    let mut world = plan_samples::world();
    let mut told = plan_samples::under_way();
    told.operation.orders.cancelled_by = Some("anna@jump-1".into());
    world.operations = vec![Arc::new(told)];
    let mut model = model_of(world);
    press(&mut model, "ak");
    assert_eq!(model.screens(), ["applications"], "it was cancelled already");
}

#[test]
fn a_conflict_that_an_operation_met_can_be_settled() {
    let mut world = plan_samples::world_with(|_| {});
    let mut view = plan_samples::under_way();
    view.steps[4].state = StepState::Failed;
    view.steps[4].problem = Some(plan_samples::conflict());
    world.operations = vec![Arc::new(view)];
    let mut model = model_of(world);
    press(&mut model, "af");
    assert_eq!(model.screens(), ["applications", "resolution"]);
}

#[test]
fn what_was_confirmed_is_told_even_when_its_dialog_was_closed() {
    for (reply, said) in [
        (Ok("Stop notes in demo: recorded".to_owned()), "Stop notes in demo: recorded"),
        (Err(plan_samples::stale()), "the plan to upgrade notes in demo to 1.1.0 is out of date"),
    ] {
        let mut model = model_of(plan_samples::world());
        let request = stop(&mut model);
        press(&mut model, "<esc>");
        update(&mut model, Event::Reply(request, Reply::Done(reply)));
        assert_eq!(toasts(&model).last().map(String::as_str), Some(said));
    }
}

/// Confirms that `notes` is stopped.
fn stop(model: &mut Model) -> RequestId {
    let effects = press(model, "ax");
    let [Effect::Plan(request, intent)] = &effects[..] else { panic!("{effects:?}") };
    update(model, Event::Reply(*request, Reply::Plan(Ok(plan_samples::preview(intent)))));
    let effects = press(model, "yy");
    let [Effect::Confirm(request, ..)] = &effects[..] else { panic!("{effects:?}") };
    *request
}

#[test]
fn a_confirmed_change_shows_the_application_and_its_tab_stays() {
    let mut model = model_of(plan_samples::world());
    let request = stop(&mut model);
    update(&mut model, Event::Reply(request, Reply::Done(Ok("recorded".into()))));
    assert_eq!(model.screens(), ["application"]);
    press(&mut model, "e");
    let request = stop(&mut model);
    update(&mut model, Event::Reply(request, Reply::Done(Ok("recorded".into()))));
    assert_eq!((model.screens(), model.views.len()), (vec!["application"], 2));
    assert_eq!(toasts(&model), ["recorded"]);
}

#[test]
fn a_confirmed_change_of_the_form_closes_the_form() {
    let mut model = model_of(plan_samples::world());
    let effects = press(&mut model, "U<right><tab><tab><tab><tab><tab><tab><tab><enter>");
    let [Effect::Plan(request, Intent::Change(NOTES, draft))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(draft.application_version, "1.1.0");
    assert_eq!(draft.parameters["password"]["secret"], "notes-parameters", "what was typed before stays");
    update(&mut model, Event::Reply(*request, Reply::Plan(Ok(plan_samples::upgrade()))));
    let effects = press(&mut model, "yy");
    let [Effect::Confirm(request, _, hash)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*hash, plan_samples::upgrade().plan.hash());
    update(&mut model, Event::Reply(*request, Reply::Done(Ok("recorded".into()))));
    assert_eq!((model.screens(), model.views.len()), (vec!["application"], 2));
}

#[test]
fn a_production_environment_stays_unlocked_once_its_name_was_typed() {
    let mut world = plan_samples::world();
    world.environments[0].production = true;
    let mut model = model_of(world);
    let effects = press(&mut model, "ax");
    let [Effect::Plan(request, intent)] = &effects[..] else { panic!("{effects:?}") };
    update(&mut model, Event::Reply(*request, Reply::Plan(Ok(plan_samples::preview(intent)))));
    assert_eq!(press(&mut model, "yydemo"), [], "the second y is typed");
    assert_eq!(press(&mut model, "<enter>"), []);
    press(&mut model, "<ctrl-u>demo<enter><esc>");
    assert_eq!(toasts(&model).last().unwrap(), "demo is unlocked until this cockpit is closed");
    stop(&mut model);
}

#[test]
fn a_form_that_is_asked_for_too_early_opens_when_the_drivers_come() {
    let mut model = Model::new(crate::ui::UiConfig::default(), (80, 24));
    press(&mut model, "n");
    assert_eq!(
        toasts(&model),
        ["Styrmin is still starting: the form opens as soon as the drivers are there"]
    );
    update(&mut model, Event::World(Arc::new(World::default()), sample::now()));
    assert_eq!(model.screens(), ["applications"]);
    update(&mut model, Event::World(Arc::new(sample::world()), sample::now()));
    assert_eq!(model.screens(), ["new deployment"]);
    let mut model = Model::new(crate::ui::UiConfig::default(), (80, 24));
    press(&mut model, "nj");
    update(&mut model, Event::World(Arc::new(sample::world()), sample::now()));
    assert_eq!(model.screens(), ["applications"], "something else was done meanwhile");
}

#[test]
fn no_driver_at_all_is_a_problem_and_no_start() {
    let mut world =
        sample::empty_world(ClusterKind::Sandbox, crate::domain::world::Link::Live, Installed::Yes);
    world.drivers.clear();
    let mut model = model_of(world);
    press(&mut model, "n");
    assert_eq!(toasts(&model), ["There is no driver to deploy with"]);
    update(&mut model, Event::World(Arc::new(sample::world()), sample::now()));
    assert_eq!(model.screens(), ["applications"]);
}

#[test]
fn a_message_does_not_vanish_early_on_a_cockpit_that_was_idle() {
    let mut model = model_of(plan_samples::world());
    press(&mut model, "Z");
    let an_hour_later = sample::now() + jiff::SignedDuration::from_secs(3600);
    update(&mut model, Event::Tick(an_hour_later));
    assert_eq!(toasts(&model).len(), 1, "its time begins now");
    update(&mut model, Event::Notice(Problem::new("It broke", "", "")));
    update(&mut model, Event::Tick(an_hour_later + jiff::SignedDuration::from_secs(6)));
    assert_eq!(toasts(&model), ["It broke"]);
}
