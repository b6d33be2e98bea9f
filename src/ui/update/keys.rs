//! From keys to commands, and what commands do that concern no screen in particular.

use crossterm::event::KeyEvent;

use super::{actions, environments, steps};
use crate::domain::Intent;
use crate::domain::world::EngineView;
use crate::ui::event::{Effect, RequestId};
use crate::ui::keymap::{Chord, Command, Found, Layer};
use crate::ui::model::Model;
use crate::ui::overlays::{Help, Picker};
use crate::ui::screen::{Screen, Step};
use crate::ui::toast::Toast;
use crate::ui::views::{BackupsView, DriversView, EnvironmentsView, OperationsView, RoutesView};

/// A key was pressed.
pub fn press(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    // who does something else meanwhile does not want to be led elsewhere any more
    model.awaited.form = None;
    model.awaited.begun = None;
    let chord = Chord::from(key);
    model.pending.push(chord);
    let layer = model.layer();
    let found = model.config.keymap.find(layer, &model.flags(), &model.pending);
    match found {
        Found::Pending => return,
        Found::Command(command) => {
            model.pending.clear();
            run(model, command, effects);
            return;
        }
        Found::Nothing => {}
    }
    let keys = std::mem::take(&mut model.pending);
    model.leaving = false;
    if layer == Layer::Input {
        let slot = model.top_slot();
        let worked = model.work(slot, |screen, context| screen.key(key, context));
        steps::follow_up(model, slot, worked, effects);
    } else if !(keys.len() > 1 && chord == esc()) {
        say_unbound(model, &keys);
    }
}

fn esc() -> Chord {
    Chord::from(KeyEvent::from(crossterm::event::KeyCode::Esc))
}

fn say_unbound(model: &mut Model, keys: &[Chord]) {
    let pressed = keys.iter().map(Chord::to_string).collect::<Vec<_>>().join(" ");
    let help = model.config.keymap.keys_of(Command::Help, model.layer(), &model.flags());
    let text = match help.first() {
        Some(help) => format!("'{pressed}' does nothing here · {help} shows the keys"),
        None => format!("'{pressed}' does nothing here"),
    };
    model.toasts.add(Toast::hint(text), None);
}

/// Runs a command: first those of the whole cockpit, then the screen's that is on top.
pub fn run(model: &mut Model, command: Command, effects: &mut Vec<Effect>) {
    let was_leaving = std::mem::take(&mut model.leaving);
    match command {
        Command::Quit => leave(model, was_leaving, effects),
        Command::Redraw => effects.push(Effect::Redraw),
        Command::Help if !model.screens().contains(&Help::NAME) => {
            let help = Help::new(&model.config.keymap, model.layer(), &model.flags());
            model.overlays.push(Box::new(help));
        }
        Command::Back => back(model, was_leaving, effects),
        Command::Palette => open_palette(model, false),
        Command::ChooseTheme => open_palette(model, true),
        Command::TakeOver => take_over(model, effects),
        Command::ShowApplications => steps::show_base(model, effects),
        Command::ShowDrivers => show_beside(model, Box::new(DriversView::default()), effects),
        Command::ShowOperations => show_beside(model, Box::new(OperationsView::default()), effects),
        Command::ShowBackups => show_beside(model, Box::new(BackupsView::default()), effects),
        Command::ShowRoutes => show_beside(model, Box::new(RoutesView::default()), effects),
        Command::ShowEnvironments => show_beside(model, Box::new(EnvironmentsView::default()), effects),
        Command::NewEnvironment => environments::begin(model, effects),
        Command::ConfigureEnvironment => environments::configure(model, effects),
        Command::RemoveEnvironment => environments::remove(model, effects),
        Command::Install => steps::show_plan(model, Intent::Install, effects),
        refused if actions::refuses(model, refused) => {}
        other => {
            if on_top(model, other, effects) || actions::run(model, other, effects) {
                return;
            }
            if other == Command::NewDeployment {
                let slot = model.top_slot();
                steps::take(model, slot, Step::ShowForm(None), effects);
            }
        }
    }
}

fn on_top(model: &mut Model, command: Command, effects: &mut Vec<Effect>) -> bool {
    let slot = model.top_slot();
    let worked = model.work(slot, |screen, context| screen.command(command, context));
    let taken = worked.as_ref().is_some_and(|worked| worked.value);
    steps::follow_up(model, slot, worked, effects);
    taken
}

fn leave(model: &mut Model, sure: bool, effects: &mut Vec<Effect>) {
    if sure {
        effects.push(Effect::Quit);
        return;
    }
    model.leaving = true;
    let keys = model.config.keymap.keys_of(Command::Quit, model.layer(), &model.flags());
    let key = keys.first().map_or("the same key", String::as_str);
    model.toasts.add(Toast::hint(format!("Press {key} again to leave")), None);
}

/// Closes what is on top: a problem's message, what the screen itself can close, the view; then the cockpit, asked twice.
fn back(model: &mut Model, sure: bool, effects: &mut Vec<Effect>) {
    if model.toasts.close_problem() || on_top(model, Command::Back, effects) {
        return;
    }
    if model.views.len() > 1 {
        let slot = model.top_slot();
        steps::take(model, slot, Step::Close, effects);
    } else if sure {
        effects.push(Effect::Quit);
    } else {
        model.leaving = true;
        model.toasts.add(Toast::hint("Press it again to leave the cockpit"), None);
    }
}

/// Asks for the engine: who runs it hands it over between two moves, so that nothing is done twice.
fn take_over(model: &mut Model, effects: &mut Vec<Effect>) {
    let said = match &model.world.engine {
        _ if model.awaited.engine.is_some() => Toast::hint("The engine was asked for already"),
        EngineView::Here { .. } => Toast::hint("The engine runs here already"),
        EngineView::Elsewhere { holder, .. } => {
            let said = Toast::info(format!("Asked {holder} for the engine"));
            model.next_request += 1;
            let request = RequestId(model.next_request);
            model.awaited.engine = Some(request);
            effects.push(Effect::TakeOver(request));
            said
        }
        EngineView::Unknown | EngineView::None => {
            Toast::hint("Nobody runs the engine: it begins here as soon as it can")
        }
    };
    model.toasts.add(said, None);
}

fn open_palette(model: &mut Model, themes_only: bool) {
    if model.screens().contains(&Picker::PALETTE) {
        return;
    }
    let picker = if themes_only {
        Picker::themes(&model.config.themes, &model.theme.name)
    } else {
        Picker::palette(&model.config, &model.world, model.layer(), &model.flags())
    };
    model.overlays.push(Box::new(picker));
}

/// Shows one of the views that stand beside the applications.
fn show_beside(model: &mut Model, view: Box<dyn Screen>, effects: &mut Vec<Effect>) {
    if model.views.last().is_some_and(|shown| shown.name() == view.name()) {
        return;
    }
    steps::show_base(model, effects);
    steps::push(model, view, effects);
}
