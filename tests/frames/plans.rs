//! Plans, the questions that lead to them, and what is said when they cannot be carried out.

use super::plan_samples as samples;
use super::*;

/// Opens the form of a change and asks for its plan.
fn to_plan(cockpit: &mut Cockpit) -> &mut Cockpit {
    cockpit.press("U<right><tab><tab><tab><tab><tab><tab><tab><enter>")
}

#[test]
fn form_of_a_change() {
    check("change_form", samples::world, |cockpit| {
        cockpit.press("U<tab><tab><tab><tab><tab><tab>");
    });
}

#[test]
fn what_can_be_done() {
    check("actions", samples::world, |cockpit| {
        cockpit.press("a");
    });
}

#[test]
fn steps_of_a_plan() {
    check("plan_steps", samples::world, |cockpit| {
        to_plan(cockpit).reply(Reply::Plan(Ok(samples::upgrade())));
    });
}

#[test]
fn differences_of_a_plan() {
    check("plan_differences", samples::world, |cockpit| {
        to_plan(cockpit).reply(Reply::Plan(Ok(samples::upgrade()))).press("d");
    });
}

#[test]
fn second_look_at_a_disruptive_plan() {
    check("plan_second_look", samples::world, |cockpit| {
        to_plan(cockpit).reply(Reply::Plan(Ok(samples::upgrade()))).press("y");
    });
}

#[test]
fn plan_being_recorded() {
    check("plan_recording", samples::world, |cockpit| {
        to_plan(cockpit).reply(Reply::Plan(Ok(samples::upgrade()))).press("yy");
        assert!(matches!(cockpit.effects.last(), Some(Effect::Confirm(..))), "{:?}", cockpit.effects);
    });
}

#[test]
fn destructive_plan_with_half_a_name() {
    check("plan_destructive", samples::world, |cockpit| {
        to_plan(cockpit).reply(Reply::Plan(Ok(samples::replacement()))).press("ynot");
    });
    let mut low = Cockpit::new((60, 18), samples::world());
    to_plan(&mut low).reply(Reply::Plan(Ok(samples::replacement()))).press("y");
    check_screen("plan_destructive", &low);
}

#[test]
fn plan_with_a_title_that_has_no_room() {
    let mut preview = samples::environment();
    preview.plan.title =
        "Make the environment laboratory-of-the-northern-branch with an ingress of its own".into();
    preview.plan.cluster = "arn:aws:eks:eu-north-1:111122223333:cluster".into();
    let mut low = Cockpit::new((50, 20), samples::world());
    to_plan(&mut low).reply(Reply::Plan(Ok(preview)));
    check_screen("plan_long_title", &low);
    low.press("y");
    assert!(matches!(low.effects.last(), Some(Effect::Confirm(..))), "{}", low.screen());
}

#[test]
fn nothing_lies_on_a_plan() {
    for size in [(40, 17), (60, 18), (80, 24)] {
        let mut cockpit = Cockpit::new(size, samples::world());
        to_plan(&mut cockpit).reply(Reply::Plan(Ok(samples::replacement())));
        let plan = |screen: String| screen.lines().rev().skip(1).map(str::to_owned).collect::<Vec<_>>();
        let before = plan(cockpit.screen());
        cockpit.press("pfu");
        assert!(cockpit.screen().contains("› 'u' does nothing here"), "{}", cockpit.screen());
        let problem = Problem::new("The backup of ledger failed", "the bucket is full", "make room");
        cockpit.send(Event::Notice(problem));
        let footer = cockpit.screen().lines().last().unwrap().trim_matches(['"', ' ']).to_owned();
        assert_eq!(footer, "▲ The backup of ledger failed", "and nothing of the key hints");
        assert_eq!(plan(cockpit.screen()), before, "{size:?}");
        cockpit.press("q");
        assert!(
            cockpit.screen().contains("make room"),
            "the rest is said once there is room\n{}",
            cockpit.screen()
        );
    }
}

#[test]
fn plan_that_is_out_of_date() {
    check("plan_stale", samples::world, |cockpit| {
        to_plan(cockpit).reply(Reply::Plan(Ok(samples::upgrade()))).press("yy");
        cockpit.reply(Reply::Done(Err(samples::stale())));
    });
}

#[test]
fn plan_with_nothing_to_do() {
    check("plan_nothing", samples::world, |cockpit| {
        to_plan(cockpit).reply(Reply::Plan(Ok(samples::nothing("Change notes in demo"))));
    });
}

#[test]
fn plan_that_says_what_it_rests_on() {
    check("plan_facts", samples::world, |cockpit| {
        to_plan(cockpit).reply(Reply::Plan(Ok(samples::environment())));
    });
}

#[test]
fn plan_that_meets_another_owner() {
    check("plan_contested", samples::world, |cockpit| {
        to_plan(cockpit).reply(Reply::Plan(Err(samples::conflict())));
    });
}

#[test]
fn plan_for_a_production_environment() {
    let world = || {
        let mut world = samples::world();
        world.environments[0].production = true;
        world
    };
    check("plan_production", world, |cockpit| {
        to_plan(cockpit).reply(Reply::Plan(Ok(samples::upgrade())));
    });
}

#[test]
fn what_becomes_of_the_volumes() {
    check("delete_choice", samples::world, |cockpit| {
        cockpit.press("aD<down>");
    });
}

#[test]
fn deletion_with_volumes() {
    check("plan_deletion", samples::world, |cockpit| {
        cockpit.press("aD<down><enter>");
        let Some(Effect::Plan(_, intent)) = cockpit.effects.last() else { panic!("{:?}", cockpit.effects) };
        let preview = samples::preview(intent);
        cockpit.reply(Reply::Plan(Ok(preview))).press("ynotes");
    });
}

#[test]
fn parts_to_restart() {
    check("restart_picker", samples::world, |cockpit| {
        cockpit.press("R");
    });
}

#[test]
fn number_of_pods() {
    check("scale_number", samples::world, |cockpit| {
        cockpit.press("anweb<enter>three<enter>");
    });
    check("scale_picker", samples::world, |cockpit| {
        cockpit.press("an");
    });
}

#[test]
fn who_is_to_have_the_fields() {
    check("resolution", samples::world, |cockpit| {
        cockpit.press("af<down>");
    });
    check("plan_resolution", samples::world, |cockpit| {
        cockpit.press("af<down><enter>");
        let Some(Effect::Plan(_, intent)) = cockpit.effects.last() else { panic!("{:?}", cockpit.effects) };
        let preview = samples::preview(intent);
        cockpit.reply(Reply::Plan(Ok(preview)));
    });
}

#[test]
fn an_operation_to_cancel() {
    check("cancel_operation", samples::world, |cockpit| {
        cockpit.press("<enter>ak<down>");
    });
}
