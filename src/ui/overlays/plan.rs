//! A plan, and the question whether it is to be carried out. Nothing is written before the answer.

mod about;
mod gate;
mod list;
mod view;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use self::about::About;
use self::gate::Gate;
use crate::domain::{Intent, OperationId, OperationKind, Preview, Problem, World};
use crate::ui::event::{Effect, Reply, RequestId};
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::screen::{Begun, Context, Screen, Step};
use crate::ui::text_field::TextField;
use crate::ui::toast::Toast;

/// Where the dialog stands.
#[derive(Debug, Clone, PartialEq)]
enum Stage {
    /// It explains itself; the plan is made when the person wants it.
    Explaining,
    /// The plan is to be asked for as soon as possible.
    Wanted,
    /// The plan is being made.
    Planning(RequestId),
    /// The plan is shown and can be confirmed.
    Ready(Box<Preview>),
    /// It was confirmed and is being recorded.
    Sending(RequestId, Box<Preview>),
    /// The plan could not be made; or not be recorded, when it was confirmed.
    Failed { problem: Problem, confirmed: bool },
}

/// What has the keys inside the dialog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Focus {
    /// The button that goes back: an impatient Enter confirms nothing unread.
    #[default]
    Back,
    /// The field for the name that has to be typed.
    Field,
    /// The button that goes on.
    Forward,
}

/// A plan, and the question whether it is to be carried out.
#[derive(Debug)]
pub struct PlanDialog {
    intent: Intent,
    about: About,
    stage: Stage,
    /// What changes line by line is shown, not the steps.
    differences: bool,
    /// The first row of the list on screen.
    offset: usize,
    focus: Focus,
    field: TextField,
    /// The environment is a production one, and nobody unlocked it.
    locked: bool,
    /// The newest operation when it was confirmed.
    newest: Option<OperationId>,
    /// What was confirmed.
    kind: Option<OperationKind>,
}

impl PlanDialog {
    /// Its name.
    pub const NAME: &str = "plan";

    /// The dialog of what a person wants: the plan is made at once, but the installation explains itself first. `unlocked` are the
    /// production environments whose changes may be confirmed.
    pub fn new(intent: Intent, world: &World, unlocked: &[String]) -> Self {
        let about = About::new(&intent, world);
        let stage = if intent == Intent::Install { Stage::Explaining } else { Stage::Wanted };
        // a backup only reads: nobody should have to unlock anything to be on the safe side
        let reads = matches!(intent, Intent::BackUp(..) | Intent::BackUpEnvironment(..));
        let locked = !reads && about.is_production(world) && !unlocked.contains(&about.environment);
        let (focus, field) = (Focus::default(), TextField::default());
        let (newest, kind) = Default::default();
        Self { intent, about, stage, differences: false, offset: 0, focus, field, locked, newest, kind }
    }

    fn preview(&self) -> Option<&Preview> {
        match &self.stage {
            Stage::Ready(preview) | Stage::Sending(_, preview) => Some(preview),
            _ => None,
        }
    }

    fn gate(&self) -> Option<Gate<'_>> {
        let Stage::Ready(preview) = &self.stage else { return None };
        Gate::of(&preview.plan, self.locked, &self.about)
    }

    fn plan(&mut self, context: &mut Context<'_>) {
        let id = context.request();
        context.effects.push(Effect::Plan(id, self.intent.clone()));
        self.stage = Stage::Planning(id);
        self.begin_anew();
    }

    fn begin_anew(&mut self) {
        (self.offset, self.focus, self.differences) = (0, Focus::Back, false);
        self.field.set("");
    }

    /// Goes on towards carrying the plan out, as far as its class allows with one key.
    fn confirm(&mut self, context: &mut Context<'_>) {
        let Stage::Ready(preview) = &self.stage else { return };
        let Some(gate) = self.gate() else {
            context.say(Toast::hint("There is nothing to do: everything is as the plan says"));
            return;
        };
        if !view::is_readable(self, context.size) {
            context
                .say(Toast::hint("Make the terminal larger: a plan that cannot be read cannot be confirmed"));
            return;
        }
        let typed = self.field.text().trim();
        match gate {
            Gate::SecondLook if self.focus != Focus::Forward => self.focus = Focus::Forward,
            Gate::Unlock(name) | Gate::TypeName(name) if typed != name => {
                if self.focus != Focus::Back {
                    context.say(Toast::hint(format!("To go on, type {name} letter by letter")));
                }
                self.focus = Focus::Field;
            }
            Gate::Unlock(name) => {
                context.steps.push(Step::Unlock(name.to_owned()));
                (self.locked, self.focus) = (false, Focus::Back);
                self.field.set("");
            }
            Gate::Press | Gate::SecondLook | Gate::TypeName(_) => {
                let (preview, id) = (preview.clone(), context.request());
                context.effects.push(Effect::Confirm(id, self.intent.clone(), preview.plan.hash()));
                self.kind = preview.kind;
                self.newest = context.world.operations.iter().map(|view| view.operation.id).max();
                self.stage = Stage::Sending(id, preview);
                self.focus = Focus::Back;
            }
        }
    }

    /// Enter: whatever has the focus.
    fn accept(&mut self, context: &mut Context<'_>) {
        match (&self.stage, self.focus) {
            (_, Focus::Back) => context.steps.push(Step::Close),
            (Stage::Ready(_), Focus::Field | Focus::Forward) => self.confirm(context),
            (Stage::Failed { .. }, _) if self.settles().is_some() => {
                context.steps.extend(self.settles());
            }
            (Stage::Explaining | Stage::Failed { .. }, _) => self.plan(context),
            (Stage::Wanted | Stage::Planning(_) | Stage::Sending(..), _) => {}
        }
    }

    /// The way out when somebody else owns fields of an object of this application.
    fn settles(&self) -> Option<Step> {
        let Stage::Failed { problem, .. } = &self.stage else { return None };
        let object = problem.contested.clone()?;
        Some(Step::AskResolution(self.about.id?, object, problem.why.clone()))
    }

    fn cancel(&self, context: &mut Context<'_>) {
        if matches!(self.stage, Stage::Sending(..)) {
            context.say(Toast::hint("It was confirmed and goes on"));
        }
        context.steps.push(Step::Close);
    }

    fn turn(&mut self, forwards: bool) {
        let typed = self.gate().is_some_and(|gate| gate.name().is_some());
        let stops: &[Focus] =
            if typed { &[Focus::Back, Focus::Field, Focus::Forward] } else { &[Focus::Back, Focus::Forward] };
        let at = stops.iter().position(|stop| *stop == self.focus).unwrap_or(0);
        let next = if forwards { at + 1 } else { at + stops.len() - 1 };
        self.focus = stops[next % stops.len()];
    }

    fn scroll(&mut self, command: Command, size: Size) -> bool {
        let Some(len) = view::length(self, size) else { return false };
        let page = view::page(self, size);
        let last = len.saturating_sub(page);
        let offset = match command {
            Command::Up => self.offset.saturating_sub(1),
            Command::Down => self.offset + 1,
            Command::HalfPageUp | Command::PageUp => self.offset.saturating_sub(page.max(1)),
            Command::HalfPageDown | Command::PageDown => self.offset + page.max(1),
            Command::Top => 0,
            Command::Bottom => last,
            _ => return false,
        };
        self.offset = offset.min(last);
        true
    }

    fn done(&mut self, result: Result<String, Problem>, context: &mut Context<'_>) {
        match result {
            Err(problem) => {
                self.stage = Stage::Failed { problem, confirmed: true };
                self.begin_anew();
            }
            Ok(sentence) => {
                context.say(Toast::info(sentence));
                // what is deleted is gone in a moment: there is nothing to go to
                let stays = matches!(self.intent, Intent::Install | Intent::Delete(..));
                let key = self.about.key.clone().filter(|_| !stays);
                // what is made of several operations is about an environment
                let alone = matches!(self.intent, Intent::Act(..) | Intent::BackUp(..) | Intent::Restore(..));
                let about = key.clone().filter(|_| alone);
                let begun = Begun { kind: self.kind, about, newest: self.newest };
                context.steps.push(match key {
                    _ if is_followed(&self.intent) => Step::Begun(begun),
                    None => Step::Close,
                    Some(key) => Step::Deployed(key),
                });
            }
        }
    }
}

/// Whether what becomes of it is shown as an operation: it changes nothing that an application's page would show better.
fn is_followed(intent: &Intent) -> bool {
    matches!(
        intent,
        Intent::Act(..)
            | Intent::BackUp(..)
            | Intent::Restore(..)
            | Intent::Verify(_)
            | Intent::Drill(_)
            | Intent::Prune(_)
            | Intent::BackUpEnvironment(..)
            | Intent::RestoreEnvironment(..)
            | Intent::DeployFrom(..)
            | Intent::Clone(_)
            | Intent::SetEnvironment(_)
            | Intent::RemoveEnvironment(_)
            | Intent::SetCluster(_)
    )
}

impl Screen for PlanDialog {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn is_decided_by(&self) -> bool {
        true
    }

    fn layer(&self) -> Layer {
        let typed = self.gate().is_some_and(|gate| gate.name().is_some());
        if typed && self.focus == Focus::Field { Layer::Input } else { Layer::Dialog }
    }

    fn awaits(&self) -> Option<RequestId> {
        match self.stage {
            Stage::Sending(id, _) => Some(id),
            _ => None,
        }
    }

    fn flags(&self, _world: &World, _size: Size, flags: &mut Flags) {
        // where it cannot be read, the key says so
        flags.set(Flag::Plan, self.gate().is_some());
        flags.set(Flag::Failed, matches!(self.stage, Stage::Failed { .. }));
        flags.set(Flag::Differences, self.preview().is_some_and(|preview| !preview.diffs.is_empty()));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Confirm => self.confirm(context),
            Command::Accept => self.accept(context),
            Command::Cancel | Command::Back => self.cancel(context),
            Command::PlanAgain => self.plan(context),
            Command::ShowDifferences => {
                self.differences = !self.differences;
                self.offset = 0;
            }
            Command::Left => self.focus = Focus::Back,
            Command::Right => self.focus = Focus::Forward,
            Command::Next | Command::Previous => self.turn(command == Command::Next),
            other => return self.scroll(other, context.size),
        }
        true
    }

    fn key(&mut self, key: KeyEvent, _context: &mut Context<'_>) {
        self.field.key(key);
    }

    fn paste(&mut self, text: &str, _context: &mut Context<'_>) {
        if self.layer() == Layer::Input {
            self.field.paste(text);
        }
    }

    fn reply(&mut self, id: RequestId, reply: Reply, context: &mut Context<'_>) -> Option<Reply> {
        match (&self.stage, reply) {
            (Stage::Planning(wanted), Reply::Plan(result)) if *wanted == id => {
                self.stage = match result {
                    Ok(preview) => Stage::Ready(Box::new(preview)),
                    Err(problem) => Stage::Failed { problem, confirmed: false },
                };
                None
            }
            (Stage::Sending(wanted, _), Reply::Done(result)) if *wanted == id => {
                self.done(result, context);
                None
            }
            (_, reply) => Some(reply),
        }
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        if self.stage == Stage::Wanted {
            self.plan(context);
        }
        if let Some(len) = view::length(self, context.size) {
            self.offset = self.offset.min(len.saturating_sub(view::page(self, context.size)));
        }
    }

    fn leave(&mut self, context: &mut Context<'_>) {
        // What was confirmed goes on; only the making of a plan is pointless now.
        if let Stage::Planning(id) = self.stage {
            context.effects.push(Effect::Cancel(id));
        }
    }

    fn hints(&self) -> &'static [Command] {
        const HINTS: &[Command] = &[
            Command::Confirm,
            Command::ShowDifferences,
            Command::PlanAgain,
            Command::Next,
            Command::Accept,
            Command::Cancel,
        ];
        HINTS
    }

    fn lasts(&self, _world: &World, _now: Timestamp, _size: Size) -> Option<Duration> {
        matches!(self.stage, Stage::Planning(_) | Stage::Sending(..)).then_some(SPIN)
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        view::draw(self, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
