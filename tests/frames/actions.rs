//! The actions of a driver: their list, the form of one, what one prints while it runs.

use styrmin::domain::{ActionRequest, OperationState, World};
use styrmin::ui::event::{Effect, Reply, RequestId};

use super::action_samples as samples;
use super::{Cockpit, Event, check};

/// Answers the request for a step's output.
fn hear(cockpit: &mut Cockpit) {
    let asked = cockpit.effects.iter().rev().find_map(|effect| match effect {
        Effect::FollowOutput(id, _) => Some(*id),
        _ => None,
    });
    let id: RequestId = asked.expect("the output is followed");
    cockpit.send(Event::Reply(id, Reply::Output(Ok(samples::output()))));
}

#[test]
fn actions_of_a_driver() {
    check("actions_tab", samples::world, |cockpit| {
        cockpit.press("xj");
    });
}

#[test]
fn an_action_that_runs() {
    check("actions_running", samples::running_world, |cockpit| {
        cockpit.press("xj");
    });
}

#[test]
fn a_driver_without_actions() {
    check("actions_none", super::sample::world, |cockpit| {
        cockpit.press("jjx");
    });
}

#[test]
fn actions_to_pick_from() {
    check("actions_picker", samples::world, |cockpit| {
        cockpit.press("ae");
    });
}

#[test]
fn form_of_an_action() {
    check("action_form", samples::world, |cockpit| {
        cockpit.press("xj<enter>notes<tab><tab><tab><tab><tab><tab>hunter2");
        assert!(!cockpit.screen().contains("hunter2"));
    });
}

#[test]
fn form_of_an_action_with_errors() {
    check("action_form_errors", samples::world, |cockpit| {
        cockpit.press("xj<enter>Notes<tab>0<tab><tab><tab><tab><tab><tab><enter>");
    });
}

#[test]
fn form_of_an_action_that_is_run_again() {
    check("action_form_again", samples::world, |cockpit| {
        cockpit.press("xj.");
    });
}

#[test]
fn plan_of_an_action_without_questions() {
    let request = ActionRequest { action: "vacuum".into(), ..ActionRequest::default() };
    check("plan_action", samples::world, |cockpit| {
        cockpit.press("x<enter>").reply(Reply::Plan(Ok(samples::preview(&request))));
    });
}

#[test]
fn what_was_confirmed_is_shown_as_soon_as_it_is_there() {
    let request = ActionRequest { action: "vacuum".into(), ..ActionRequest::default() };
    let mut cockpit = Cockpit::new((80, 24), samples::world());
    cockpit.press("x<enter>").reply(Reply::Plan(Ok(samples::preview(&request))));
    cockpit.press("yy");
    cockpit.reply(Reply::Done(Ok("Run vacuum on notes in demo: recorded".into())));
    assert_eq!(cockpit.model.screens(), ["application"], "it is not in the picture yet");
    cockpit.send(Event::World(std::sync::Arc::new(samples::world()), super::sample::now()));
    assert_eq!(cockpit.model.screens(), ["application"], "older ones are not it");
    cockpit.send(Event::World(std::sync::Arc::new(samples::running_world()), super::sample::now()));
    assert_eq!(cockpit.model.screens(), ["operation"]);
    cockpit.press("<esc>");
    assert_eq!(cockpit.model.screens(), ["application"]);
    cockpit.send(Event::World(std::sync::Arc::new(samples::running_world()), super::sample::now()));
    assert_eq!(cockpit.model.screens(), ["application"], "it is shown once");
}

#[test]
fn operation_of_an_action() {
    check("operation_action", samples::running_world, |cockpit| {
        cockpit.press("3<enter>").reply(Reply::OperationEvents(Ok(Vec::new())));
        hear(cockpit);
    });
}

#[test]
fn operation_with_a_warning() {
    let world = || {
        let mut world: World = samples::world();
        world.operations.insert(0, std::sync::Arc::new(samples::warned()));
        world
    };
    check("operation_warning", world, |cockpit| {
        cockpit.press("3/state:succeeded reindex<enter><enter>");
        cockpit.reply(Reply::OperationEvents(Ok(Vec::new())));
    });
}

#[test]
fn output_of_an_action_at_its_end() {
    check("output", samples::running_world, |cockpit| {
        cockpit.press("3<enter><enter>");
        hear(cockpit);
    });
}

#[test]
fn output_of_an_action_at_its_beginning() {
    check("output_top", samples::running_world, |cockpit| {
        cockpit.press("3<enter><enter>");
        hear(cockpit);
        cockpit.press("gw");
    });
}

#[test]
fn output_that_is_not_there() {
    let world = || {
        let mut world: World = samples::running_world();
        let mut ended = samples::running();
        ended.operation.state = OperationState::Cancelled;
        ended.steps[0].state = styrmin::domain::StepState::Skipped;
        world.operations[0] = std::sync::Arc::new(ended);
        world
    };
    check("output_empty", world, |cockpit| {
        cockpit.press("3/reindex kind:action cancelled<enter><enter><enter>");
        let asked = cockpit.effects.iter().rev().find_map(|effect| match effect {
            Effect::FollowOutput(id, _) => Some(*id),
            _ => None,
        });
        let nothing = Reply::Output(Ok(styrmin::domain::call::StepOutput::default()));
        cockpit.send(Event::Reply(asked.expect("the output is followed"), nothing));
    });
}
