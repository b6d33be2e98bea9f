//! The operations of the cluster: one row each, those that have not ended on top.

mod rows;
mod table;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use self::rows::Rows;
use crate::domain::{OperationView, World};
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::listing::{Listed, Listing};
use crate::ui::look::Look;
use crate::ui::overlays::Question;
use crate::ui::screen::{ApplicationKey, Context, Screen, Step, Tab};
use crate::ui::toast::Toast;
use crate::ui::views::progress;

/// The operations of the cluster, as a live table. Until the cursor was moved, the newest one has it.
#[derive(Debug)]
pub struct OperationsView {
    list: Listing<Rows>,
}

impl Default for OperationsView {
    fn default() -> Self {
        Self { list: Listing::new("name, state:failed, kind:upgrade, by:anna, !not") }
    }
}

impl OperationsView {
    /// Its name.
    pub const NAME: &str = "operations";

    fn page(size: Size) -> usize {
        usize::from(table::Areas::new(Rect::new(0, 0, size.width, size.height)).rows.height)
    }

    fn view_of<'a>(&self, index: usize, world: &'a World) -> Option<&'a OperationView> {
        world.operation(*self.list.rows().key(index)?).map(|view| &**view)
    }

    fn selected_in<'a>(&self, world: &'a World) -> Option<&'a OperationView> {
        self.view_of(self.list.current()?, world)
    }

    /// Commands about the selected operation.
    fn command_on_selected(&self, command: Command, context: &mut Context<'_>) {
        let Some(view) = self.selected_in(context.world) else { return };
        match command {
            Command::Open => context.steps.push(Step::ShowOperation(view.operation.id)),
            Command::CancelOperation => ask_to_cancel(view, context),
            Command::AnswerStep => ask_for_answer(view, None, context),
            _ => show_application(view, Tab::Overview, context),
        }
    }
}

/// Asks whether an operation is to end, where it has not.
pub fn ask_to_cancel(view: &OperationView, context: &mut Context<'_>) {
    if view.operation.state.is_final() {
        context.say(Toast::hint("It has ended already"));
    } else if let Some(actor) = &view.operation.orders.cancelled_by {
        context
            .say(Toast::hint(format!("{actor} cancelled it already: it ends at the next step's boundary")));
    } else {
        context.steps.push(Step::Ask(Box::new(Question::cancel(view))));
    }
}

/// Asks what became of a step: of the one at `position` when it asks, else of the first that does.
pub fn ask_for_answer(view: &OperationView, position: Option<usize>, context: &mut Context<'_>) {
    let question = position
        .and_then(|position| Question::answer(view, position))
        .or_else(|| (0..view.steps.len()).find_map(|position| Question::answer(view, position)));
    match question {
        Some(question) => context.steps.push(Step::Ask(Box::new(question))),
        None => context.say(Toast::hint("None of its steps asks anything")),
    }
}

/// Shows the application that an operation is about.
pub fn show_application(view: &OperationView, tab: Tab, context: &mut Context<'_>) {
    let subject = &view.operation.subject;
    let key = ApplicationKey { environment: subject.environment.clone(), name: subject.name.clone() };
    if key.find(context.world).is_some() {
        context.steps.push(Step::ShowApplication(key, tab));
    } else if subject.name.is_empty() || subject.environment.is_empty() {
        context.say(Toast::hint("It is about no single application"));
    } else {
        context.say(Toast::hint("Its application is not there any more"));
    }
}

impl Screen for OperationsView {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        self.list.layer()
    }

    fn flags(&self, world: &World, _size: Size, flags: &mut Flags) {
        let selected = self.selected_in(world);
        flags.set(Flag::Operations, self.list.len() > 0);
        flags.set(Flag::Row, selected.is_some());
        flags.set(Flag::Busy, selected.is_some_and(progress::can_be_cancelled));
        flags.set(Flag::Asking, selected.is_some_and(progress::asks));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        if self.list.is_typing() {
            return self.list.command(command);
        }
        match command {
            Command::Open | Command::ShowOverview | Command::CancelOperation | Command::AnswerStep => {
                self.command_on_selected(command, context);
                true
            }
            other => self.list.command(other),
        }
    }

    fn key(&mut self, key: KeyEvent, _context: &mut Context<'_>) {
        self.list.key(key);
    }

    fn paste(&mut self, text: &str, _context: &mut Context<'_>) {
        self.list.paste(text);
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        self.list.take(Self::page(context.size), |rows| rows.take(context.world));
    }

    fn hints(&self) -> &'static [Command] {
        const HINTS: &[Command] = &[
            Command::AnswerStep,
            Command::Open,
            Command::CancelOperation,
            Command::ShowOverview,
            Command::Filter,
            Command::FaultsOnly,
            Command::Palette,
            Command::Help,
            Command::Back,
        ];
        self.list.hints(HINTS)
    }

    fn lasts(&self, world: &World, now: Timestamp, _size: Size) -> Option<Duration> {
        let views = self.list.on_screen().filter_map(|index| self.view_of(index, world));
        views.filter_map(|view| progress::lasts(view, now)).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        table::draw(self, world, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
