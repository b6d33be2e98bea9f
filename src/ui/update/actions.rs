//! What is done to the application that is shown or selected. Each leads to a plan, at most after a question.

use super::steps;
use crate::domain::backup::BackupRequest;
use crate::domain::driver::ActionSpec;
use crate::domain::object::Detail;
use crate::domain::world::Application;
use crate::domain::{
    DeploymentId, DesiredPhase, Intent, ObjectKey, OperationView, Problem, Resolution, StepState, Volumes,
    World,
};
use crate::ui::event::Effect;
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags};
use crate::ui::model::Model;
use crate::ui::overlays::{Answer, Choice, Picker, Question};
use crate::ui::screen::{ApplicationKey, Step};
use crate::ui::toast::Toast;
use crate::ui::views::{earlier, is_never_kept, manual};

/// The most volumes that a question lists one by one.
const VOLUMES: usize = 8;

/// Adds the facts about an application that say what can be done to it. A view that shows it may have said better already.
pub fn flags(application: &Application, world: &World, flags: &mut Flags) {
    if !flags.has(Flag::Subject) {
        flags.set(Flag::Subject, true);
        flags.set(Flag::Drifted, !application.drift.is_empty());
        flags.set(Flag::Earlier, earlier(application).is_some());
        flags.set(Flag::Busy, under_way(application, world).is_some());
    }
    flags.set(Flag::Actions, !manual(application, world).is_empty());
    flags.set(Flag::Stopped, application.deployment.phase == DesiredPhase::Stopped);
    flags.set(Flag::Contested, !contested(application, world).is_empty());
}

/// Says that nothing can be changed about an application that is being deleted; false for any other command or application.
pub fn refuses(model: &mut Model, command: Command) -> bool {
    let key = model.views.last().and_then(|view| view.subject(&model.world));
    let subject = key.filter(|_| changes(command));
    let Some(application) = subject.as_ref().and_then(|key| key.find(&model.world)) else { return false };
    let going = application.deployment.phase == DesiredPhase::Deleting;
    if going {
        let name = &application.deployment.draft.name;
        let said = format!("{name} is being deleted: nothing else can be done to it");
        model.toasts.add(Toast::hint(said), None);
    }
    going
}

/// Runs a command about the application that is shown or selected; false when it is not about one.
pub fn run(model: &mut Model, command: Command, effects: &mut Vec<Effect>) -> bool {
    let world = std::sync::Arc::clone(&model.world);
    let key = model.views.last().and_then(|view| view.subject(&world));
    let Some(application) = key.and_then(|key| key.find(&world)) else { return false };
    let id = application.deployment.id;
    let asked = match command {
        Command::Change => {
            steps::show_change(model, application, effects);
            return true;
        }
        Command::RollBack => earlier(application).map(|number| plan(Intent::Rollback(id, number))),
        Command::Stop => Some(plan(Intent::Stop(id))),
        Command::Start => Some(plan(Intent::Start(id))),
        Command::Correct => Some(plan(Intent::Correct(id))),
        Command::Restart => {
            let all =
                ("everything".to_owned(), "all components".to_owned(), plan(Intent::Restart(id, Vec::new())));
            let one = |name: &str| plan(Intent::Restart(id, vec![name.to_owned()]));
            pick(model, "Restart", application, Some(all), one)
        }
        Command::Scale => {
            pick(model, "Scale", application, None, |name| Step::AskReplicas(id, name.to_owned()))
        }
        Command::BackUp => back_up(model, application, &world),
        Command::Restore => Some(Step::ShowRestore(Some(ApplicationKey::of(application)), None)),
        Command::BackUpEnvironment => {
            let environment = application.deployment.draft.environment.clone();
            Some(plan(Intent::BackUpEnvironment(environment, BackupRequest::default())))
        }
        Command::CloneEnvironment => Some(Step::ShowClone(application.deployment.draft.environment.clone())),
        Command::Act => pick_action(model, application, &world),
        Command::Settle => settle(model, application, &world),
        Command::Delete => delete(model, application),
        Command::CancelOperation => {
            under_way(application, &world).map(|view| Step::Ask(Box::new(Question::cancel(view))))
        }
        _ => return false,
    };
    if let Some(step) = asked {
        let slot = model.top_slot();
        steps::take(model, slot, step, effects);
    }
    true
}

/// Whether a command changes what is wanted of an application.
fn changes(command: Command) -> bool {
    matches!(
        command,
        Command::Change
            | Command::RollBack
            | Command::Restart
            | Command::Scale
            | Command::Stop
            | Command::Start
            | Command::Correct
            | Command::Act
            | Command::BackUp
            | Command::Restore
            | Command::RunAgain
            | Command::Settle
            | Command::Delete
    )
}

fn plan(intent: Intent) -> Step {
    Step::Plan(Box::new(intent))
}

/// The operation that is under way and was not told to end.
fn under_way<'a>(application: &Application, world: &'a World) -> Option<&'a OperationView> {
    let mut views = world.operations_of(application);
    views.find(|view| !view.operation.state.is_final() && view.operation.orders.cancelled_by.is_none())
}

/// The objects whose fields somebody else owns, with the words that say so: what the engine stopped at, and what the newest
/// operation met.
fn contested(application: &Application, world: &World) -> Vec<(ObjectKey, String)> {
    let newest = world.operations_of(application).next();
    let met = newest.into_iter().flat_map(|view| &view.steps);
    let met = met.filter(|step| matches!(step.state, StepState::Failed | StepState::Retrying));
    let problems = application.problem.iter().chain(met.filter_map(|step| step.problem.as_ref()));
    let mut found: Vec<(ObjectKey, String)> = Vec::new();
    for problem in problems {
        if let Some(object) = &problem.contested
            && !found.iter().any(|(known, _)| known == &**object)
        {
            found.push(((**object).clone(), problem.why.clone()));
        }
    }
    found
}

/// Lets a component be picked; the only thing there is to pick is taken at once.
fn pick(
    model: &mut Model,
    verb: &str,
    application: &Application,
    all: Option<(String, String, Step)>,
    one: impl Fn(&str) -> Step,
) -> Option<Step> {
    let draft = &application.deployment.draft;
    let part = |view: &crate::domain::world::ComponentView| {
        (view.name.clone(), format!("{} of {} ready", view.ready, view.desired), one(&view.name))
    };
    let parts = application.components.iter().map(part);
    let all = all.filter(|_| application.components.len() != 1);
    let mut items: Vec<_> = all.into_iter().chain(parts).collect();
    if items.len() < 2 {
        if items.is_empty() {
            model.toasts.add(Toast::hint(format!("{} has no components yet", draft.name)), None);
        }
        return items.pop().map(|(_, _, step)| step);
    }
    let title = format!("{verb} which part of {} in {}", draft.name, draft.environment);
    model.overlays.push(Box::new(Picker::components(title, items)));
    None
}

/// Plans a backup, where its driver says how; what else is missing the plan says.
fn back_up(model: &mut Model, application: &Application, world: &World) -> Option<Step> {
    if is_never_kept(application, world) {
        let driver = &application.deployment.draft.driver;
        let problem = Problem::new(
            format!("Nothing of {} can be backed up", application.deployment.draft.name),
            format!("{driver} gives none of its components a strategy"),
            "give the driver one: spec.components.NAME.backup",
        );
        model.toasts.add(Toast::problem(problem), None);
        return None;
    }
    Some(plan(Intent::BackUp(application.deployment.id, BackupRequest::default())))
}

/// Offers the actions of its driver; the only one there is is taken at once.
fn pick_action(model: &mut Model, application: &Application, world: &World) -> Option<Step> {
    let key = ApplicationKey::of(application);
    let item = |action: &ActionSpec| {
        let about = action.description.trim().lines().next().unwrap_or_default().to_owned();
        (action.name.clone(), about, Step::RunAction(key.clone(), action.name.clone(), None))
    };
    let mut items: Vec<_> = manual(application, world).into_iter().map(item).collect();
    if items.len() < 2 {
        if items.is_empty() {
            let said = format!("{} has no actions to be started", application.deployment.draft.driver);
            model.toasts.add(Toast::hint(said), None);
        }
        return items.pop().map(|(_, _, step)| step);
    }
    let title = format!("Run which action on {} in {}", key.name, key.environment);
    model.overlays.push(Box::new(Picker::components(title, items)));
    None
}

/// Asks what becomes of the volumes; an application without any is planned at once.
fn delete(model: &mut Model, application: &Application) -> Option<Step> {
    let (id, draft) = (application.deployment.id, &application.deployment.draft);
    let volumes: Vec<String> = (application.objects.iter())
        .filter_map(|object| match &object.detail {
            Detail::Volume { size, .. } => Some(format!("  {}  {size}", object.key.name)),
            _ => None,
        })
        .collect();
    if volumes.is_empty() {
        return Some(plan(Intent::Delete(id, Volumes::Keep)));
    }
    let mut facts = vec![format!(
        "{} in {} has {}:",
        draft.name,
        draft.environment,
        format::count(volumes.len(), "volume")
    )];
    let more = volumes.len().saturating_sub(VOLUMES);
    facts.extend(volumes.into_iter().take(VOLUMES));
    facts.extend((more > 0).then(|| format!("  and {more} more")));
    let keep = format!("They stay in the namespace {}, with everything on them.", application.namespace);
    let answers = vec![
        Answer::new(
            "Delete the application, keep its volumes",
            keep,
            plan(Intent::Delete(id, Volumes::Keep)),
        ),
        Answer::new(
            "Delete the application and its volumes",
            "Destructive: what is on them is lost for good.",
            plan(Intent::Delete(id, Volumes::Delete)),
        ),
    ];
    let title = format!("Delete {} in {}", draft.name, draft.environment);
    model.overlays.push(Box::new(Choice::new("delete", title, facts, answers)));
    None
}

/// Offers the objects whose fields somebody else owns.
fn settle(model: &mut Model, application: &Application, world: &World) -> Option<Step> {
    let id = application.deployment.id;
    let ask = |(object, why): (ObjectKey, String)| {
        let label = object.to_string();
        (label, why.clone(), Step::AskResolution(id, Box::new(object), why))
    };
    let mut items: Vec<_> = contested(application, world).into_iter().map(ask).collect();
    if items.len() < 2 {
        return items.pop().map(|(_, _, step)| step);
    }
    model.overlays.push(Box::new(Picker::components("Settle the fields of".to_owned(), items)));
    None
}

/// Asks who is to have the fields of an object.
pub fn resolution(id: DeploymentId, object: &ObjectKey, why: &str) -> Choice {
    let answers = Resolution::ALL.map(|resolution| {
        let (label, about) = match resolution {
            Resolution::Yield => (
                "Yield: they keep them",
                "Styrmin leaves the fields out of what it applies; whoever owns them goes on setting them.",
            ),
            Resolution::Take => (
                "Take: they become ours",
                "Styrmin sets the fields to what the driver says. Who owned them may set them again: that is drift then.",
            ),
            Resolution::Share => (
                "Share: both own them",
                "The values stay as they are and become ours too; whoever changes them first has them.",
            ),
        };
        Answer::new(label, about, plan(Intent::Resolve(id, object.clone(), resolution)))
    });
    let title = format!("Who is to have the fields of {object}?");
    Choice::new("resolution", title, vec![why.to_owned()], answers.to_vec())
}

#[cfg(test)]
mod tests;
