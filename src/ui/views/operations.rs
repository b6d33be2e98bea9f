//! The operations of the cluster: one row each, those that have not ended on top.

mod rows;
mod table;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use self::rows::Rows;
use crate::domain::{OperationId, OperationView, World};
use crate::ui::filter::Filter;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::overlays::Question;
use crate::ui::screen::{ApplicationKey, Context, Screen, Step, Tab};
use crate::ui::toast::Toast;
use crate::ui::views::progress;

/// The operations of the cluster, as a live table.
#[derive(Debug)]
pub struct OperationsView {
    rows: Rows,
    /// The rows that the filter lets through.
    shown: Vec<usize>,
    cursor: Cursor,
    /// The operation that the cursor is on: it stays there when rows come and go. None until it was moved: then the newest
    /// one has it.
    selected: Option<OperationId>,
    filter: Filter,
    faults_only: bool,
}

impl Default for OperationsView {
    fn default() -> Self {
        let filter = Filter::new("name, state:failed, kind:upgrade, by:anna, !not");
        let (rows, shown, cursor, selected, faults_only) = Default::default();
        Self { rows, shown, cursor, selected, filter, faults_only }
    }
}

impl OperationsView {
    /// Its name.
    pub const NAME: &str = "operations";

    fn page(size: Size) -> usize {
        usize::from(table::Areas::new(Rect::new(0, 0, size.width, size.height)).rows.height)
    }

    fn selected_in<'a>(&self, world: &'a World) -> Option<&'a OperationView> {
        let id = self.rows.id(*self.shown.get(self.cursor.at)?)?;
        world.operation(id).map(|view| &**view)
    }

    /// Filters anew; the cursor stays on its operation where it is still shown.
    fn reorder(&mut self, context: &Context<'_>) {
        let rows = self.filter.query().matches(self.rows.haystacks());
        let faults = self.faults_only;
        self.shown = rows.into_iter().filter(|index| !faults || self.rows.is_fault(*index)).collect();
        if let Some(id) = self.selected
            && let Some(at) = self.shown.iter().position(|index| self.rows.id(*index) == Some(id))
        {
            self.cursor.at = at;
        }
        self.cursor.settle(self.shown.len(), Self::page(context.size));
    }

    fn cursor_command(&mut self, command: Command, context: &Context<'_>) -> bool {
        let moved = self.cursor.command(command, self.shown.len(), Self::page(context.size));
        if moved {
            self.selected = self.shown.get(self.cursor.at).and_then(|index| self.rows.id(*index));
        }
        moved
    }

    /// Commands while the filter is being typed.
    fn command_in_filter(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Accept => self.filter.close(),
            Command::Cancel => {
                self.filter.clear();
                self.reorder(context);
            }
            other => return self.cursor_command(other, context),
        }
        true
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
        if self.filter.is_open() { Layer::Input } else { Layer::Table }
    }

    fn flags(&self, world: &World, _size: Size, flags: &mut Flags) {
        let selected = self.selected_in(world);
        flags.set(Flag::Operations, self.rows.len() > 0);
        flags.set(Flag::Row, selected.is_some());
        flags.set(Flag::Busy, selected.is_some_and(progress::can_be_cancelled));
        flags.set(Flag::Asking, selected.is_some_and(progress::asks));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        if self.filter.is_open() {
            return self.command_in_filter(command, context);
        }
        match command {
            Command::Open | Command::ShowOverview | Command::CancelOperation | Command::AnswerStep => {
                self.command_on_selected(command, context);
            }
            Command::Filter => self.filter.open(),
            Command::FaultsOnly => {
                self.faults_only = !self.faults_only;
                self.reorder(context);
            }
            Command::Back if self.faults_only || !self.filter.is_empty() => {
                self.faults_only = false;
                self.filter.clear();
                self.reorder(context);
            }
            other => return self.cursor_command(other, context),
        }
        true
    }

    fn key(&mut self, key: KeyEvent, context: &mut Context<'_>) {
        if self.filter.key(key) {
            self.reorder(context);
        }
    }

    fn paste(&mut self, text: &str, context: &mut Context<'_>) {
        if self.filter.is_open() {
            self.filter.paste(text);
            self.reorder(context);
        }
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        self.rows.take(context.world);
        self.reorder(context);
    }

    fn hints(&self) -> &'static [Command] {
        if self.filter.is_open() {
            return &[Command::Accept, Command::Cancel];
        }
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
        HINTS
    }

    fn lasts(&self, world: &World, now: Timestamp, size: Size) -> Option<Duration> {
        let visible = self.shown.iter().skip(self.cursor.offset).take(Self::page(size));
        let views = visible.filter_map(|index| world.operation(self.rows.id(*index)?));
        views.filter_map(|view| progress::lasts(view, now)).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        table::draw(self, world, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
