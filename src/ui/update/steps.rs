//! What screens ask of the model: opening and closing screens, themes, messages.

use std::sync::Arc;

use super::{actions, environments, keys};
use crate::domain::backup::BackupId;
use crate::domain::operation::Subject;
use crate::domain::world::{Application, Installed};
use crate::domain::{ActionRequest, DesiredPhase, Intent, OperationView, Problem};
use crate::ui::event::Effect;
use crate::ui::keymap::Command;
use crate::ui::model::{Model, Slot, Worked};
use crate::ui::overlays::{Cells, Pause, Picker, PlanDialog, Qr, Replicas, Retention};
use crate::ui::screen::{ApplicationKey, Begun, Screen, Step, Tab};
use crate::ui::toast::Toast;
use crate::ui::views::{
    ActionForm, ApplicationView, BackupPage, CloneForm, ComparisonView, DeployForm, DriverComparison,
    DriverPage, EnvironmentForm, EnvironmentPage, OperationPage, OutputPage, RestoreForm, RoutePage, manual,
};

/// Carries out what the screen in `slot` asked for.
pub fn follow_up<T>(model: &mut Model, slot: Slot, worked: Option<Worked<T>>, effects: &mut Vec<Effect>) {
    let Some(worked) = worked else { return };
    effects.extend(worked.effects);
    for step in worked.steps {
        take(model, slot, step, effects);
    }
}

/// Takes one step that the screen in `slot` asked for.
pub fn take(model: &mut Model, slot: Slot, step: Step, effects: &mut Vec<Effect>) {
    match step {
        Step::Say(toast) => model.toasts.add(toast, None),
        Step::Close => close(model, slot, effects),
        Step::ShowApplication(key, tab) => show_application(model, key, tab, effects),
        Step::ShowForm(driver) => show_form(model, driver.as_deref(), effects),
        Step::Plan(intent) => show_plan(model, *intent, effects),
        Step::ShowOperation(id) => {
            show(model, OperationPage::NAME, Box::new(OperationPage::new(id)), effects)
        }
        Step::ShowOutput(step) => {
            show(model, OutputPage::NAME, Box::new(OutputPage::new(step)), effects);
        }
        Step::Compare(key, old, new) => {
            let view = ComparisonView::new(key, old, new);
            show(model, ComparisonView::NAME, Box::new(view), effects);
        }
        Step::ShowDriver(reference) => {
            show(model, DriverPage::NAME, Box::new(DriverPage::new(reference)), effects);
        }
        Step::CompareDrivers(old, new) => {
            show(model, DriverComparison::NAME, Box::new(DriverComparison::new(old, new)), effects);
        }
        Step::Ask(question) => model.overlays.push(question),
        Step::Deployed(key) => show_deployed(model, slot, key, effects),
        Step::RunAction(key, name, before) => run_action(model, &key, (&name, before.as_deref()), effects),
        Step::Begun(begun) => show_begun(model, slot, begun, effects),
        Step::ShowBackup(id) => show(model, BackupPage::NAME, Box::new(BackupPage::new(id)), effects),
        Step::ShowRestore(key, id) => show_restore(model, key, id.as_ref(), effects),
        Step::ShowClone(environment) => {
            let form = CloneForm::new(environment, &model.world);
            push(model, Box::new(form), effects);
        }
        Step::ShowRoute(key) => show(model, RoutePage::NAME, Box::new(RoutePage::new(key)), effects),
        Step::ShowQr(url) => model.overlays.push(Box::new(Qr::new(url, Cells::of(&model.config.options)))),
        Step::ShowEnvironment(name) => {
            let form = EnvironmentForm::new(name.as_deref(), &model.world);
            push(model, Box::new(form), effects);
        }
        Step::ShowPlace(name) => {
            show(model, EnvironmentPage::NAME, Box::new(EnvironmentPage::new(name)), effects);
        }
        Step::ShowApplicationsOf(environment) => {
            environments::show_applications(model, &environment, effects)
        }
        Step::AskPause(schedule) => model.overlays.push(Box::new(Pause::new(schedule))),
        Step::ShowRetention(schedule) => {
            model.overlays.push(Box::new(Retention::new(schedule)));
            refresh_top(model, effects);
        }
        Step::Tell(request) => model.awaited.told.push(request),
        Step::AskReplicas(id, component) => {
            let asked = model.world.applications.iter().find(|it| it.deployment.id == id);
            if let Some(question) = asked.map(|application| Replicas::new(application, component)) {
                model.overlays.push(Box::new(question));
            }
        }
        Step::AskResolution(id, object, why) => {
            model.overlays.push(Box::new(actions::resolution(id, &object, &why)));
        }
        Step::Unlock(environment) => unlock(model, environment),
        Step::PickContainer(targets) => model.overlays.push(Box::new(Picker::containers(&targets))),
        Step::Follow(target) => {
            let slot = Slot::View(model.views.len().saturating_sub(1));
            let worked = model.work(slot, |screen, context| screen.follow(target, context));
            follow_up(model, slot, worked, effects);
        }
        Step::Run(Command::Quit) => effects.push(Effect::Quit),
        Step::Run(command) => keys::run(model, command, effects),
        Step::PreviewTheme(name) => {
            let name = name.as_ref().unwrap_or(&model.config.options.theme);
            model.theme = model.config.theme(name);
        }
        Step::UseTheme(name) => {
            model.theme = model.config.theme(&name);
            model.config.options.theme.clone_from(&name);
            effects.push(Effect::UseTheme(name));
        }
    }
}

/// Lets changes of a production environment be confirmed from now on, and says so.
fn unlock(model: &mut Model, environment: String) {
    if !model.unlocked.contains(&environment) {
        let said = format!("{environment} is unlocked until this cockpit is closed");
        model.toasts.add(Toast::info(said), None);
        model.unlocked.push(environment);
    }
}

/// Closes a screen and lets it end what it started. The last view stays.
fn close(model: &mut Model, slot: Slot, effects: &mut Vec<Effect>) {
    if slot == Slot::View(0) {
        return;
    }
    let worked = model.work(slot, |screen, context| {
        screen.leave(context);
        screen.awaits()
    });
    match slot {
        Slot::View(index) if index < model.views.len() => drop(model.views.remove(index)),
        Slot::Overlay(index) if index < model.overlays.len() => drop(model.overlays.remove(index)),
        Slot::View(_) | Slot::Overlay(_) => {}
    }
    if let Some(worked) = worked {
        effects.extend(worked.effects);
        model.awaited.told.extend(worked.value);
    }
}

/// Closes everything but the applications.
pub fn show_base(model: &mut Model, effects: &mut Vec<Effect>) {
    while !model.overlays.is_empty() {
        close(model, Slot::Overlay(model.overlays.len() - 1), effects);
    }
    while model.views.len() > 1 {
        close(model, Slot::View(model.views.len() - 1), effects);
    }
}

/// Puts a view on top of the others.
pub fn push(model: &mut Model, view: Box<dyn Screen>, effects: &mut Vec<Effect>) {
    model.views.push(view);
    let slot = Slot::View(model.views.len() - 1);
    let worked = model.work(slot, |screen, context| screen.refresh(context));
    follow_up(model, slot, worked, effects);
}

fn refresh_top(model: &mut Model, effects: &mut Vec<Effect>) {
    let slot = model.top_slot();
    let worked = model.work(slot, |screen, context| screen.refresh(context));
    follow_up(model, slot, worked, effects);
}

fn show_application(model: &mut Model, key: ApplicationKey, tab: Tab, effects: &mut Vec<Effect>) {
    show(model, ApplicationView::NAME, Box::new(ApplicationView::new(key, tab)), effects);
}

/// Shows a view; in the place of another one of its name, and of what was opened from there: going to and fro between an
/// application and its operations makes no longer way back.
fn show(model: &mut Model, name: &str, view: Box<dyn Screen>, effects: &mut Vec<Effect>) {
    if let Some(found) = model.views.iter().position(|view| view.name() == name) {
        while model.views.len() > found.max(1) {
            close(model, Slot::View(model.views.len() - 1), effects);
        }
    }
    push(model, view, effects);
}

fn show_form(model: &mut Model, driver: Option<&str>, effects: &mut Vec<Effect>) {
    if model.views.last().is_some_and(|view| view.name() == DeployForm::NAME) {
        return;
    }
    if model.world.cluster.installed == Installed::No {
        show_plan(model, Intent::Install, effects);
        return;
    }
    if model.world.drivers.is_empty() && is_starting(model) {
        model.awaited.form = Some(driver.map(str::to_owned));
        let said = "Styrmin is still starting: the form opens as soon as the drivers are there";
        model.toasts.add(Toast::hint(said), None);
        return;
    }
    if model.world.drivers.is_empty() {
        let problem = Problem::new(
            "There is no driver to deploy with",
            "no application driver is loaded",
            "load one from its directory, then come back",
        );
        model.toasts.add(Toast::problem(problem), None);
        return;
    }
    // where environments are shown, the one that the cursor is on is meant
    let view = model.views.last().filter(|view| view.subject(&model.world).is_none());
    let environment = view.and_then(|view| view.environment(&model.world));
    let form = DeployForm::new(&model.world, driver, environment.as_deref());
    push(model, Box::new(form), effects);
}

/// Whether nothing is known yet: what is missing may still come.
fn is_starting(model: &Model) -> bool {
    model.world.generation == 0 || model.world.cluster.record.is_none()
}

/// Opens the form that was asked for while nothing was known, once there is something to fill it with.
pub fn show_wanted_form(model: &mut Model, effects: &mut Vec<Effect>) {
    if is_starting(model) {
        return;
    }
    let Some(driver) = model.awaited.form.take() else { return };
    if model.overlays.is_empty() {
        show_form(model, driver.as_deref(), effects);
    }
}

/// Shows the form of an application's change.
pub fn show_change(model: &mut Model, application: &Application, effects: &mut Vec<Effect>) {
    let form = DeployForm::change(&model.world, application);
    push(model, Box::new(form), effects);
}

/// Shows the plan of what a person wants, once it is made.
pub fn show_plan(model: &mut Model, intent: Intent, effects: &mut Vec<Effect>) {
    let dialog = PlanDialog::new(intent, &model.world, &model.unlocked);
    model.overlays.push(Box::new(dialog));
    refresh_top(model, effects);
}

/// Asks what an action asks for, or shows its plan where all is known.
fn run_action(
    model: &mut Model,
    key: &ApplicationKey,
    (name, before): (&str, Option<&ActionRequest>),
    effects: &mut Vec<Effect>,
) {
    let world = Arc::clone(&model.world);
    let Some(application) = key.find(&world) else { return };
    if application.deployment.phase == DesiredPhase::Deleting {
        let said = format!("{} is being deleted: nothing else can be done to it", key.name);
        model.toasts.add(Toast::hint(said), None);
        return;
    }
    let actions = manual(application, &world);
    let Some(action) = actions.into_iter().find(|action| action.name == name) else { return };
    let mut form = ActionForm::new(application, action, before);
    match form.unasked() {
        Some(intent) => show_plan(model, intent, effects),
        None => push(model, Box::new(form), effects),
    }
}

/// Shows the form of a restore, or says why there is nothing to restore.
fn show_restore(
    model: &mut Model,
    key: Option<ApplicationKey>,
    backup: Option<&BackupId>,
    effects: &mut Vec<Effect>,
) {
    match RestoreForm::new(key, backup, &model.world) {
        Ok(form) => push(model, Box::new(form), effects),
        Err(why) => model.toasts.add(Toast::hint(why), None),
    }
}

/// Closes the screen in `slot`, what lies above the views, and the form that led there.
fn close_what_led_there(model: &mut Model, slot: Slot, effects: &mut Vec<Effect>) {
    close(model, slot, effects);
    while !model.overlays.is_empty() {
        close(model, Slot::Overlay(model.overlays.len() - 1), effects);
    }
    let forms =
        [DeployForm::NAME, ActionForm::NAME, RestoreForm::NAME, CloneForm::NAME, EnvironmentForm::NAME];
    if model.views.last().is_some_and(|view| forms.contains(&view.name())) {
        close(model, Slot::View(model.views.len() - 1), effects);
    }
}

/// An operation is recorded: everything that led there closes, and it is shown as soon as it is in the picture.
fn show_begun(model: &mut Model, slot: Slot, begun: Begun, effects: &mut Vec<Effect>) {
    close_what_led_there(model, slot, effects);
    model.awaited.begun = Some(begun);
    show_wanted_operation(model, effects);
}

/// Shows the operation that was recorded, once it is in the picture.
pub fn show_wanted_operation(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(begun) = &model.awaited.begun else { return };
    let is_about = |subject: &Subject| {
        let is_it = |key: &ApplicationKey| subject.environment == key.environment && subject.name == key.name;
        begun.about.as_ref().is_none_or(is_it)
    };
    let is_it = |view: &OperationView| {
        let operation = &view.operation;
        begun.kind.is_none_or(|kind| operation.kind == kind)
            && begun.newest.is_none_or(|newest| operation.id > newest)
            && operation.parent.is_none()
            && is_about(&operation.subject)
    };
    let world = Arc::clone(&model.world);
    let Some(view) = world.operations.iter().find(|view| is_it(view)) else { return };
    let id = view.operation.id;
    model.awaited.begun = None;
    if model.overlays.is_empty() {
        show(model, OperationPage::NAME, Box::new(OperationPage::new(id)), effects);
    }
}

/// What was wanted of an application is recorded: everything that led there closes, and the application is shown.
fn show_deployed(model: &mut Model, slot: Slot, key: ApplicationKey, effects: &mut Vec<Effect>) {
    close_what_led_there(model, slot, effects);
    let shown = model.views.last().filter(|view| view.name() == ApplicationView::NAME);
    if shown.and_then(|view| view.subject(&model.world)).as_ref() != Some(&key) {
        show_application(model, key, Tab::Overview, effects);
    }
}
