use crossterm::event::KeyCode;

use super::*;
use crate::domain::plan::{Class, Verb};
use crate::domain::world::{Installed, Link};
use crate::domain::{ClusterKind, DeploymentDraft, DriverRef, ObjectKey, Resolution, Volumes};
use crate::ui::plan_samples::{self, NOTES};
use crate::ui::sample;
use crate::ui::screen::ApplicationKey;

struct Asking {
    dialog: PlanDialog,
    world: World,
    size: Size,
    requests: u64,
}

type Outcome = (Vec<Effect>, Vec<Step>);

fn draft() -> DeploymentDraft {
    DeploymentDraft {
        name: "notes-2".into(),
        environment: "demo".into(),
        driver: DriverRef { name: "notes".into(), version: "1.2.0".into() },
        application_version: "1.0.0".into(),
        parameters: std::collections::BTreeMap::new(),
        ..DeploymentDraft::default()
    }
}

impl Asking {
    fn deployment() -> Self {
        Self::about(Intent::Deploy(draft()), sample::world())
    }

    fn about(intent: Intent, world: World) -> Self {
        let dialog = PlanDialog::new(intent.clone(), &world, &[]);
        let mut asking = Self { dialog, world, size: Size::new(80, 22), requests: 0 };
        let (effects, _) = asking.with(|dialog, context| dialog.refresh(context));
        assert_eq!(effects, [Effect::Plan(RequestId(1), intent)]);
        asking
    }

    /// A dialog that shows the plan of `intent`.
    fn showing(intent: Intent) -> Self {
        let preview = plan_samples::preview(&intent);
        let mut asking = Self::about(intent, sample::world());
        asking.reply(1, Reply::Plan(Ok(preview)));
        asking
    }

    fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            assert_eq!(self.dialog.layer(), Layer::Input, "letters are typed, not commands");
            self.with(|dialog, context| dialog.key(KeyEvent::from(KeyCode::Char(letter)), context));
        }
    }

    fn with(&mut self, work: impl FnOnce(&mut PlanDialog, &mut Context<'_>)) -> Outcome {
        let mut context = Context::new(&self.world, Some(sample::now()), self.size, &mut self.requests);
        work(&mut self.dialog, &mut context);
        (context.effects, context.steps)
    }

    fn run(&mut self, command: Command) -> Outcome {
        self.with(|dialog, context| {
            dialog.command(command, context);
        })
    }

    fn reply(&mut self, id: u64, reply: Reply) -> Outcome {
        self.with(|dialog, context| drop(dialog.reply(RequestId(id), reply, context)))
    }
}

fn deploy(id: u64) -> Effect {
    Effect::Confirm(RequestId(id), Intent::Deploy(draft()), sample::plan().hash())
}

#[test]
fn nothing_is_confirmed_before_the_plan_is_there() {
    let mut asking = Asking::deployment();
    for command in [Command::Confirm, Command::Right, Command::Accept] {
        assert_eq!(asking.run(command), (vec![], vec![]));
    }
    asking.reply(1, Reply::Plan(Ok(sample::preview())));
    assert_eq!(asking.run(Command::Confirm).0, [deploy(2)]);
    assert_eq!(asking.run(Command::Confirm).0, [], "it is confirmed once");
}

#[test]
fn an_impatient_enter_goes_back_and_the_button_goes_on() {
    let mut asking = Asking::deployment();
    asking.reply(1, Reply::Plan(Ok(sample::preview())));
    assert_eq!(asking.run(Command::Accept), (vec![], vec![Step::Close]));
    asking.run(Command::Right);
    assert_eq!(asking.run(Command::Accept).0, [deploy(2)]);
}

#[test]
fn a_plan_that_cannot_be_read_cannot_be_confirmed() {
    let mut asking = Asking::deployment();
    asking.reply(1, Reply::Plan(Ok(sample::preview())));
    for size in [Size::new(20, 22), Size::new(80, 6), Size::new(1, 1)] {
        asking.size = size;
        assert_eq!(asking.run(Command::Confirm).0, []);
    }
    asking.size = Size::new(80, 22);
    assert_eq!(asking.run(Command::Confirm).0, [deploy(2)]);
}

#[test]
fn a_plan_that_changes_nothing_cannot_be_confirmed() {
    let mut asking = Asking::deployment();
    let mut preview = sample::preview();
    preview.plan.steps.iter_mut().for_each(|item| item.verb = Verb::Unchanged);
    asking.reply(1, Reply::Plan(Ok(preview)));
    assert_eq!(asking.run(Command::Confirm).0, []);
}

#[test]
fn a_recorded_deployment_is_shown() {
    let mut asking = Asking::deployment();
    asking.reply(1, Reply::Plan(Ok(sample::preview())));
    asking.run(Command::Confirm);
    let (_, steps) = asking.reply(2, Reply::Done(Ok("recorded".into())));
    let key = ApplicationKey { environment: "demo".into(), name: "notes-2".into() };
    assert_eq!(steps, [Step::Say(Toast::info("recorded")), Step::Deployed(key)]);
}

#[test]
fn a_failure_is_shown_and_the_plan_can_be_made_again() {
    let mut asking = Asking::deployment();
    asking.reply(1, Reply::Plan(Ok(sample::preview())));
    asking.run(Command::Confirm);
    asking.reply(2, Reply::Done(Err(Problem::new("The plan is out of date", "", ""))));
    assert_eq!(asking.run(Command::Confirm).0, [], "the old plan is gone");
    assert_eq!(asking.run(Command::PlanAgain).0, [Effect::Plan(RequestId(3), Intent::Deploy(draft()))]);
    asking.reply(1, Reply::Plan(Ok(sample::preview())));
    assert_eq!(asking.run(Command::Confirm).0, [], "an older reply is dropped");
}

#[test]
fn closing_ends_the_making_of_a_plan_but_not_what_was_confirmed() {
    let mut asking = Asking::deployment();
    assert_eq!(asking.with(|dialog, context| dialog.leave(context)).0, [Effect::Cancel(RequestId(1))]);
    asking.reply(1, Reply::Plan(Ok(sample::preview())));
    asking.run(Command::Confirm);
    assert_eq!(asking.with(|dialog, context| dialog.leave(context)).0, []);
}

#[test]
fn the_installation_explains_itself_before_it_plans() {
    let world = sample::empty_world(ClusterKind::Kubeconfig, Link::Live, Installed::No);
    let dialog = PlanDialog::new(Intent::Install, &world, &[]);
    let mut asking = Asking { dialog, world, size: Size::new(80, 22), requests: 0 };
    assert_eq!(asking.with(|dialog, context| dialog.refresh(context)).0, []);
    asking.run(Command::Right);
    assert_eq!(asking.run(Command::Accept).0, [Effect::Plan(RequestId(1), Intent::Install)]);
    asking.reply(1, Reply::Plan(Ok(sample::preview())));
    assert_eq!(
        asking.run(Command::Confirm).0,
        [Effect::Confirm(RequestId(2), Intent::Install, sample::plan().hash())]
    );
}

fn every_intent() -> Vec<Intent> {
    let web = || plan_samples::key("Deployment", "notes-web");
    vec![
        Intent::Deploy(draft()),
        Intent::Change(NOTES, DeploymentDraft { name: "notes".into(), ..draft() }),
        Intent::Rollback(NOTES, 2),
        Intent::Stop(NOTES),
        Intent::Restart(NOTES, Vec::new()),
        Intent::Restart(NOTES, vec!["web".into()]),
        Intent::Scale(NOTES, "web".into(), Some(3)),
        Intent::Correct(NOTES),
        Intent::Resolve(NOTES, web(), Resolution::Take),
        Intent::Delete(NOTES, Volumes::Keep),
        Intent::Delete(NOTES, Volumes::Delete),
    ]
}

#[test]
fn what_is_confirmed_is_the_plan_on_screen_and_takes_what_its_class_asks_for() {
    for intent in every_intent() {
        let plan = plan_samples::preview(&intent).plan;
        let wanted = vec![Effect::Confirm(RequestId(2), intent.clone(), plan.hash())];
        let mut asking = Asking::showing(intent);
        let first = asking.run(Command::Confirm).0;
        match plan.class() {
            Class::Safe => assert_eq!(first, wanted),
            Class::Disruptive => {
                assert_eq!(first, [], "{}: the first key is the second look", plan.title);
                assert_eq!(asking.run(Command::Confirm).0, wanted);
            }
            Class::Destructive => {
                assert_eq!(first, []);
                asking.type_text("note");
                assert_eq!(asking.run(Command::Accept).0, [], "half a name");
                asking.type_text("s");
                assert_eq!(asking.run(Command::Accept).0, wanted);
            }
        }
    }
}

#[test]
fn the_name_is_needed_whichever_way_one_goes() {
    let mut asking = Asking::showing(Intent::Delete(NOTES, Volumes::Delete));
    asking.run(Command::Right);
    for command in [Command::Accept, Command::Confirm, Command::Accept] {
        assert_eq!(asking.run(command).0, []);
    }
    asking.with(|dialog, context| dialog.paste("shop", context));
    assert_eq!(asking.run(Command::Accept).0, [], "another application's name");
}

#[test]
fn a_production_environment_is_unlocked_first_and_by_its_name() {
    let mut world = sample::world();
    world.environments[0].production = true;
    let mut asking = Asking::about(Intent::Restart(NOTES, vec!["web".into()]), world.clone());
    let preview = plan_samples::preview(&Intent::Restart(NOTES, vec!["web".into()]));
    asking.reply(1, Reply::Plan(Ok(preview.clone())));
    assert_eq!(asking.run(Command::Confirm), (vec![], vec![]));
    asking.type_text("demo");
    assert_eq!(asking.run(Command::Accept), (vec![], vec![Step::Unlock("demo".into())]));
    let (effects, _) = asking.run(Command::Confirm);
    assert!(matches!(&effects[..], [Effect::Confirm(_, _, hash)] if *hash == preview.plan.hash()));
    let dialog = PlanDialog::new(Intent::Stop(NOTES), &world, &["demo".to_owned()]);
    assert!(!dialog.locked, "it stays unlocked");
}

#[test]
fn a_change_is_shown_where_it_happens_and_a_deletion_leaves_one_where_one_is() {
    let key = ApplicationKey { environment: "demo".into(), name: "notes".into() };
    for (intent, goes) in
        [(Intent::Correct(NOTES), Step::Deployed(key)), (Intent::Delete(NOTES, Volumes::Keep), Step::Close)]
    {
        let mut asking = Asking::showing(intent);
        asking.run(Command::Confirm);
        asking.run(Command::Confirm);
        let (_, steps) = asking.reply(2, Reply::Done(Ok("recorded".into())));
        assert_eq!(steps, [Step::Say(Toast::info("recorded")), goes]);
    }
}

#[test]
fn fields_that_somebody_else_owns_are_settled_from_the_plan_that_met_them() {
    let mut asking = Asking::about(Intent::Correct(NOTES), sample::world());
    let conflict = plan_samples::conflict();
    let why = conflict.why.clone();
    asking.reply(1, Reply::Plan(Err(conflict)));
    asking.run(Command::Right);
    let object: ObjectKey = plan_samples::key("Deployment", "notes-web");
    assert_eq!(asking.run(Command::Accept).1, [Step::AskResolution(NOTES, Box::new(object), why)]);
    assert_eq!(asking.run(Command::PlanAgain).0, [Effect::Plan(RequestId(2), Intent::Correct(NOTES))]);
}

#[test]
fn steps_and_differences_take_turns_and_both_scroll() {
    let mut asking = Asking::showing(Intent::Rollback(NOTES, 2));
    asking.size = Size::new(60, 14);
    asking.run(Command::Bottom);
    let steps = asking.dialog.offset;
    asking.run(Command::ShowDifferences);
    assert_eq!(asking.dialog.offset, 0);
    asking.run(Command::Bottom);
    assert!(asking.dialog.offset > steps && steps > 0, "the differences are longer");
    assert_eq!(asking.run(Command::Confirm).0, []);
    assert_eq!(
        asking.run(Command::Confirm).0.len(),
        1,
        "what is read can be confirmed wherever one reads it"
    );
}
