//! One operation: what holds it up, its steps live, and what happened.

mod content;
mod output;
mod steps;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use self::content::{Areas, Children, Item, Told};
use crate::domain::call::StepId;
use crate::domain::operation::OperationEvent;
use crate::domain::{OperationId, OperationView, Problem, StepState, World};
use crate::ui::event::{Effect, Reply, RequestId};
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step, Tab};
use crate::ui::views::operations::{ask_for_answer, ask_to_cancel, show_application};
use crate::ui::views::output::{Feed, has_output};
use crate::ui::views::progress;
use crate::ui::widgets::page::plain;

/// One operation, with its journal.
#[derive(Debug)]
pub struct OperationPage {
    id: OperationId,
    /// As it was seen last: what has ended long ago is still readable when newer ones have taken its place in the picture.
    seen: Option<Arc<OperationView>>,
    /// The operations that its steps began, by the step.
    children: Children,
    journal: Journal,
    /// What one of its steps prints and calls.
    feed: Feed,
    cursor: Cursor,
}

/// What happened, and how far it was read.
#[derive(Debug, Default)]
struct Journal {
    /// None before the first answer.
    events: Option<Result<Vec<OperationEvent>, Problem>>,
    asked: Option<RequestId>,
    /// The operation as it was when its events were last asked for.
    as_of: Option<Arc<OperationView>>,
}

impl OperationPage {
    /// Its name.
    pub const NAME: &str = "operation";

    /// The page of an operation.
    pub fn new(id: OperationId) -> Self {
        let (children, journal, feed, cursor) = Default::default();
        Self { id, seen: None, children, journal, feed, cursor }
    }

    /// Reads the events again when the operation moved since they were asked for; never twice at once.
    fn read(&mut self, context: &mut Context<'_>) {
        let is_read = self.journal.as_of.is_some() && self.journal.as_of == self.seen;
        if self.seen.is_none() || is_read || self.journal.asked.is_some() {
            return;
        }
        let id = context.request();
        context.effects.push(Effect::ReadOperation(id, self.id));
        self.journal.asked = Some(id);
        self.journal.as_of.clone_from(&self.seen);
    }

    /// What is known of it beside its steps.
    fn told(&self) -> Told<'_> {
        Told { events: self.journal.events.as_ref(), feed: &self.feed, children: &self.children }
    }

    /// Follows the output of the step under the cursor; of the one that runs, or ran last, where that has none.
    fn watch(&mut self, context: &mut Context<'_>) {
        let Some(view) = self.seen.clone() else { return };
        let chosen = self.step_under(context.size).filter(|position| prints(&view, *position));
        let step = chosen.or_else(|| output::last(&view));
        let step = step.map(|position| StepId { operation: self.id, position });
        self.feed.follow(step, context);
    }

    /// Enter: the answers of a step that asks, else all that it printed.
    fn open(&self, view: &OperationView, context: &mut Context<'_>) {
        let under = self.step_under(context.size);
        if let Some(child) = under.and_then(|position| self.children.get(&position)) {
            context.steps.push(Step::ShowOperation(child.operation.id));
            return;
        }
        let asks = |position: usize| {
            view.steps.get(position).is_some_and(|record| record.state == StepState::Asking)
        };
        match under.filter(|position| prints(view, *position) && !asks(*position)) {
            Some(position) => {
                let step = StepId { operation: self.id, position };
                context.steps.push(Step::ShowOutput(step));
            }
            None => ask_for_answer(view, under, context),
        }
    }

    fn settle(&mut self, size: Size) {
        let Some(view) = self.seen.clone() else { return };
        let mut cursor = self.cursor;
        plain(|look| {
            content::page(&view, self.told(), look, size.width).settle(&mut cursor, Areas::height(size));
        });
        self.cursor = cursor;
    }

    fn move_cursor(&mut self, command: Command, size: Size) -> bool {
        let Some(view) = self.seen.clone() else { return false };
        let mut cursor = self.cursor;
        let moved = plain(|look| {
            let page = content::page(&view, self.told(), look, size.width);
            page.move_cursor(&mut cursor, command, Areas::height(size))
        });
        self.cursor = cursor;
        moved
    }

    /// The step that the cursor is on.
    fn step_under(&self, size: Size) -> Option<usize> {
        let view = self.seen.as_ref()?;
        let item = plain(|look| content::page(view, self.told(), look, size.width).item_at(self.cursor.at))?;
        match item {
            Item::Step(position) => Some(position),
            Item::Text => None,
        }
    }
}

/// Whether a step runs a function of the driver.
fn prints(view: &OperationView, position: usize) -> bool {
    view.operation.plan.steps.get(position).is_some_and(has_output)
}

impl Screen for OperationPage {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Detail
    }

    fn flags(&self, _world: &World, size: Size, flags: &mut Flags) {
        let Some(view) = &self.seen else { return };
        let asking = progress::asks(view);
        flags.set(Flag::Busy, progress::can_be_cancelled(view));
        flags.set(Flag::Asking, asking);
        // Enter opens the question, or what the step printed; there is nothing else behind a step.
        let opens = |position| prints(view, position) || self.children.contains_key(&position);
        flags.set(Flag::Row, asking || self.step_under(size).is_some_and(opens));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        let Some(view) = self.seen.clone() else { return false };
        match command {
            Command::AnswerStep => ask_for_answer(&view, self.step_under(context.size), context),
            Command::Open => self.open(&view, context),
            Command::CancelOperation => ask_to_cancel(&view, context),
            Command::CopyName => context.copy(&view.operation.id.to_string()),
            other => match Tab::of(other) {
                Some(tab) => show_application(&view, tab, context),
                None => {
                    let moved = self.move_cursor(other, context.size);
                    self.watch(context);
                    return moved;
                }
            },
        }
        true
    }

    fn reply(&mut self, id: RequestId, reply: Reply, context: &mut Context<'_>) -> Option<Reply> {
        match reply {
            Reply::OperationEvents(events) if self.journal.asked == Some(id) => {
                self.journal.asked = None;
                self.journal.events = Some(events);
                self.read(context);
                self.settle(context.size);
                None
            }
            other => {
                let left = self.feed.reply(id, other);
                self.settle(context.size);
                left
            }
        }
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        if let Some(view) = context.world.operation(self.id) {
            self.seen = Some(Arc::clone(view));
        }
        let parts = context.world.operations.iter().filter_map(|view| {
            let (parent, step) = view.operation.parent?;
            (parent == self.id).then(|| (step, Arc::clone(view)))
        });
        // one that is repeated is begun anew: the newest counts, and it comes first in the picture
        parts.for_each(|(step, view)| {
            let known = self.children.entry(step).or_insert_with(|| Arc::clone(&view));
            if known.operation.id <= view.operation.id {
                *known = view;
            }
        });
        self.watch(context);
        self.read(context);
        self.settle(context.size);
    }

    fn leave(&mut self, context: &mut Context<'_>) {
        context.effects.extend(self.journal.asked.take().map(Effect::Cancel));
        self.feed.stop(context);
    }

    fn hints(&self) -> &'static [Command] {
        &[
            Command::AnswerStep,
            Command::Open,
            Command::CancelOperation,
            Command::ShowOverview,
            Command::ShowLogs,
            Command::Next,
            Command::ShowOperations,
            Command::Help,
            Command::Back,
        ]
    }

    fn lasts(&self, _world: &World, now: Timestamp, _size: Size) -> Option<Duration> {
        progress::lasts(self.seen.as_ref()?, now)
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        content::draw(self, world, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
