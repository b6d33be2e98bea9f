use super::*;
use crate::domain::DriverRef;
use crate::domain::plan::Verb;
use crate::domain::world::{Installed, Link};
use crate::ui::sample;

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
        let dialog = PlanDialog::deployment(draft());
        let mut asking = Self { dialog, world: sample::world(), size: Size::new(80, 22), requests: 0 };
        let (effects, _) = asking.with(|dialog, context| dialog.refresh(context));
        assert_eq!(effects, [Effect::Plan(RequestId(1), Intent::Deploy(draft()))]);
        asking
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
    let dialog = PlanDialog::installation(&world);
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
