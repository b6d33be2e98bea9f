//! What an event does to the model: pure, and at once. What must be done elsewhere is handed back as effects.

mod actions;
mod environments;
mod keys;
mod steps;

pub(super) use actions::flags as action_flags;

use crossterm::event::{KeyEventKind, MouseEventKind};
use ratatui::layout::Size;

use super::config::UiConfig;
use super::event::{Effect, Event, Reply, RequestId};
use super::keymap::Command;
use super::model::{Model, Slot};
use super::toast::Toast;
use crate::domain::world::Installed;
use crate::domain::{ClusterKind, Intent};

/// Rows per notch of the wheel.
const NOTCH: usize = 3;

/// Takes note of an event. The effects are to be carried out by whoever calls.
pub fn update(model: &mut Model, event: Event) -> Vec<Effect> {
    let mut effects = Vec::new();
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Release => {}
        Event::Key(key) => keys::press(model, key, &mut effects),
        Event::Mouse(mouse) => {
            let command = match mouse.kind {
                MouseEventKind::ScrollUp => Some(Command::Up),
                MouseEventKind::ScrollDown => Some(Command::Down),
                _ => None,
            };
            for command in command.into_iter().flat_map(|command| [command; NOTCH]) {
                keys::run(model, command, &mut effects);
            }
        }
        Event::Paste(text) => {
            let slot = model.top_slot();
            let worked = model.work(slot, |screen, context| screen.paste(&text, context));
            steps::follow_up(model, slot, worked, &mut effects);
        }
        Event::Resize(width, height) => {
            model.size = Size::new(width, height);
            refresh(model, &mut effects);
        }
        Event::World(world, now) => {
            model.world = world;
            model.now = Some(now);
            model.toasts.tick(now, model.is_deciding());
            refresh(model, &mut effects);
            offer_installation(model, &mut effects);
            steps::show_wanted_form(model, &mut effects);
            steps::show_wanted_operation(model, &mut effects);
        }
        Event::Tick(now) => {
            model.now = Some(now);
            model.toasts.tick(now, model.is_deciding());
        }
        Event::Reply(id, reply) => answer(model, id, reply, &mut effects),
        Event::Config(Ok(config)) => configure(model, config),
        Event::Config(Err(problem)) | Event::Notice(problem) => {
            model.toasts.add(Toast::problem(problem), None);
        }
    }
    effects
}

/// Every screen, views first.
fn slots(model: &Model) -> impl DoubleEndedIterator<Item = Slot> + use<> {
    let (views, overlays) = (model.views.len(), model.overlays.len());
    (0..views).map(Slot::View).chain((0..overlays).map(Slot::Overlay))
}

fn refresh(model: &mut Model, effects: &mut Vec<Effect>) {
    for slot in slots(model) {
        let worked = model.work(slot, |screen, context| screen.refresh(context));
        steps::follow_up(model, slot, worked, effects);
    }
}

/// Offers a reply to the screens, the topmost first; one that nobody waits for any more is dropped.
fn answer(model: &mut Model, id: RequestId, reply: Reply, effects: &mut Vec<Effect>) {
    if model.awaited.engine == Some(id) {
        model.awaited.engine = None;
        if let Reply::Done(done) = reply {
            model.toasts.add(done.map_or_else(Toast::problem, Toast::info), None);
        }
        return;
    }
    if let Some(at) = model.awaited.told.iter().position(|told| *told == id) {
        model.awaited.told.remove(at);
        if let Reply::Done(done) = reply {
            model.toasts.add(done.map_or_else(Toast::problem, Toast::info), None);
        }
        return;
    }
    let mut reply = Some(reply);
    for slot in slots(model).rev() {
        let Some(offered) = reply.take() else { return };
        let mut worked = model.work(slot, |screen, context| screen.reply(id, offered, context));
        reply = worked.as_mut().and_then(|worked| worked.value.take());
        steps::follow_up(model, slot, worked, effects);
    }
}

fn configure(model: &mut Model, config: UiConfig) {
    model.theme = config.theme(&config.options.theme);
    model.config = config;
    model.pending.clear();
}

/// Offers the installation once, on a real cluster that is known to lack it, when nothing else is being done.
fn offer_installation(model: &mut Model, effects: &mut Vec<Effect>) {
    let cluster = &model.world.cluster;
    let real = cluster.record.as_ref().is_some_and(|record| record.kind == ClusterKind::Kubeconfig);
    let idle = model.overlays.is_empty() && model.views.len() == 1;
    if real && cluster.installed == Installed::No && idle && !model.offered_installation {
        model.offered_installation = true;
        steps::show_plan(model, Intent::Install, effects);
    }
}

#[cfg(test)]
mod backups_tests;

#[cfg(test)]
pub(super) mod tests;
