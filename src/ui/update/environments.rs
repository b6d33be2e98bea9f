//! Which environment is meant by what is said of one: the one that is shown or selected, the only one, else the one that is picked.

use super::{keys, steps};
use crate::domain::Intent;
use crate::domain::world::Installed;
use crate::ui::event::Effect;
use crate::ui::keymap::Command;
use crate::ui::model::{Model, Slot};
use crate::ui::overlays::Picker;
use crate::ui::screen::Step;
use crate::ui::toast::Toast;
use crate::ui::views::EnvironmentForm;

/// Shows the form of a new environment.
pub fn begin(model: &mut Model, effects: &mut Vec<Effect>) {
    show(model, Step::ShowEnvironment(None), effects);
}

/// Shows the form of an environment.
pub fn configure(model: &mut Model, effects: &mut Vec<Effect>) {
    let shown = meant(model);
    let names: Vec<String> = model.world.environments.iter().map(|it| it.name.clone()).collect();
    match (shown, names.as_slice()) {
        (Some(name), _) => show(model, Step::ShowEnvironment(Some(name)), effects),
        (None, []) => begin(model, effects),
        (None, [only]) => show(model, Step::ShowEnvironment(Some(only.clone())), effects),
        (None, _) => pick(model, "Configure which environment", |name| Step::ShowEnvironment(Some(name))),
    }
}

/// Plans the removal of the environment that is shown where environments are; elsewhere it offers them. What would be removed with it
/// the plan says.
pub fn remove(model: &mut Model, effects: &mut Vec<Effect>) {
    let plan = |name| Step::Plan(Box::new(Intent::RemoveEnvironment(name)));
    // nobody thinks of its environment who looks at an application
    let is_subject = model.views.last().is_some_and(|view| view.subject(&model.world).is_none());
    let shown = meant(model).filter(|_| is_subject);
    if model.world.environments.is_empty() {
        model.toasts.add(Toast::hint("There is no environment to remove"), None);
    } else if is_installed(model, effects) {
        match shown {
            Some(name) => steps::take(model, model.top_slot(), plan(name), effects),
            None => pick(model, "Remove which environment", plan),
        }
    }
}

/// The environment that is shown or selected, while it is recorded.
fn meant(model: &Model) -> Option<String> {
    let name = model.views.last()?.environment(&model.world)?;
    model.world.environment(&name).map(|environment| environment.name.clone())
}

/// Shows the applications, filtered by an environment.
pub fn show_applications(model: &mut Model, environment: &str, effects: &mut Vec<Effect>) {
    steps::show_base(model, effects);
    // `demo` is a part of `demo-copy` too
    let filter = format!("env:={environment} ");
    let worked = model.work(Slot::View(0), |screen, context| {
        // what narrows them now would hide some of it
        screen.command(Command::Back, context);
        screen.command(Command::Filter, context);
        screen.paste(&filter, context);
        screen.command(Command::Accept, context);
    });
    steps::follow_up(model, Slot::View(0), worked, effects);
}

fn show(model: &mut Model, step: Step, effects: &mut Vec<Effect>) {
    let shown = model.views.last().is_some_and(|view| view.name() == EnvironmentForm::NAME);
    if !shown && is_installed(model, effects) {
        let slot = model.top_slot();
        steps::take(model, slot, step, effects);
    }
}

/// Whether there is anything to write to; where there is not, the installation is offered.
fn is_installed(model: &mut Model, effects: &mut Vec<Effect>) -> bool {
    let missing = model.world.cluster.installed == Installed::No;
    if missing {
        keys::run(model, Command::Install, effects);
    }
    !missing
}

fn pick(model: &mut Model, title: &str, step: impl Fn(String) -> Step) {
    let world = &model.world;
    let item = |name: &String| {
        let about = match world.applications_in(name).count() {
            1 => "1 application".to_owned(),
            count => format!("{count} applications"),
        };
        (name.clone(), about, step(name.clone()))
    };
    let items = world.environments.iter().map(|environment| item(&environment.name)).collect();
    model.overlays.push(Box::new(Picker::components(title.to_owned(), items)));
}
