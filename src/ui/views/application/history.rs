//! The instances of an application, newest first: what ran, since when, by whom, and what it can be compared with.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::world::Application;
use crate::domain::{Instance, InstanceState, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{inset, row, rows_from};
use crate::ui::list::{Cursor, window};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::table::{Column, Grid};
use crate::ui::widgets::{empty, paint, scroll};

/// The rows below the list: a rule, what the selected instance says, what Enter does.
const DETAIL: u16 = 4;
/// The characters of a digest that are shown.
const DIGEST: usize = 8;

/// The cursor, and the instances that are marked for a comparison.
#[derive(Debug, Default)]
pub struct History {
    cursor: Cursor,
    marked: Vec<u32>,
}

impl History {
    /// The rows of the list, in so many rows of content.
    fn page(height: u16) -> usize {
        usize::from(height.saturating_sub(1 + detail_height(height)))
    }

    /// Moves the cursor.
    pub fn command(&mut self, command: Command, application: &Application, height: u16) -> bool {
        self.cursor.command(command, application.history.len(), Self::page(height))
    }

    /// Brings the cursor to an instance that exists.
    pub fn settle(&mut self, application: &Application, height: u16) {
        self.cursor.settle(application.history.len(), Self::page(height));
    }

    /// The instance that the cursor is on.
    pub fn selected<'a>(&self, application: &'a Application) -> Option<&'a Instance> {
        application.history.get(self.cursor.at).map(|instance| &**instance)
    }

    /// Marks the selected instance, or takes its mark away. There are two marks: a third one takes the place of the first.
    pub fn mark(&mut self, application: &Application) {
        let Some(number) = self.selected(application).map(|instance| instance.number) else { return };
        if let Some(at) = self.marked.iter().position(|marked| *marked == number) {
            self.marked.remove(at);
            return;
        }
        if self.marked.len() == 2 {
            self.marked.remove(0);
        }
        self.marked.push(number);
    }

    /// What Enter compares, the older one first: the two that are marked; the marked one and the selected one; else the
    /// selected one and the active one, or the one before it. None when there is only one.
    pub fn pair(&self, application: &Application) -> Option<(u32, u32)> {
        let selected = self.selected(application)?.number;
        let active = application.active.as_ref().map(|active| active.number);
        let before =
            application.history.iter().map(|instance| instance.number).find(|number| *number < selected);
        let other = match self.marked.as_slice() {
            [first, second] => return Some(ordered(*first, *second)),
            [marked] if *marked != selected => Some(*marked),
            _ => active.filter(|active| *active != selected).or(before),
        };
        other.map(|other| ordered(selected, other))
    }

    /// Draws the instances.
    pub fn draw(
        &self,
        (application, world): (&Application, &World),
        look: &Look<'_>,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let history = &application.history;
        if history.is_empty() {
            let next =
                ["Every change of what is wanted freezes one; the first comes with the first plan"
                    .to_owned()];
            empty(buffer, area, look, "No instances yet", &next);
            return;
        }
        let detail = detail_height(area.height);
        let head = Rect { height: area.height.min(1), ..area };
        let rows = Rect { height: area.height.saturating_sub(1 + detail), ..rows_from(area, 1) };
        let actors: Vec<String> =
            history.iter().map(|instance| actor(instance, application, world)).collect();
        let grid = Grid::new(columns(history, &actors), area, look);
        grid.head(buffer, head, None);
        let offset = window(self.cursor.at, self.cursor.offset, history.len(), usize::from(rows.height));
        let visible = history.iter().zip(actors).enumerate().skip(offset);
        for (row, (index, (instance, actor))) in rows.rows().zip(visible) {
            let marked = self.marked.contains(&instance.number);
            grid.row(buffer, row, cells(instance, actor, marked, look), index == self.cursor.at);
        }
        scroll::bar(buffer, rows, look, offset, history.len());
        if detail > 0 {
            self.detail(application, look, rows_from(area, area.height - detail), buffer);
        }
    }

    /// What the selected instance says, and what can be done with it.
    fn detail(&self, application: &Application, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let Some(instance) = self.selected(application) else { return };
        paint::rule(buffer, area, look.style(Role::Border));
        let name = format!(" Instance {} ", instance.number);
        paint::line(buffer, inset(row(area, 0), 2), Line::from(look.span(Role::Title, name)));
        let said = instance.message.as_deref().unwrap_or_else(|| calm(instance.state));
        let width = usize::from(area.width.saturating_sub(2));
        let said =
            format::wrap(said, width).into_iter().take(1).map(|part| Line::from(look.span(Role::Text, part)));
        paint::lines(buffer, inset(row(area, 1), 1), said);
        let key = |command| look.span(Role::Key, look.key(command, Layer::Detail));
        let compare = match self.pair(application) {
            Some((old, new)) => format!(" compares {old} with {new}   "),
            None => " has nothing to compare it with   ".to_owned(),
        };
        let mut spans = vec![key(Command::Open), look.span(Role::Text, compare), key(Command::Mark)];
        let marks = if self.marked.contains(&instance.number) { " takes its mark away" } else { " marks it" };
        spans.push(look.span(Role::Text, marks));
        paint::line(buffer, inset(row(area, 2), 1), Line::from(spans));
        if can_roll_back_to(application, instance.number) {
            let text = format!(" rolls back: a new instance that equals {}", instance.number);
            let line = Line::from(vec![key(Command::RollBack), look.span(Role::Text, text)]);
            paint::line(buffer, inset(row(area, 3), 1), line);
        }
    }
}

fn detail_height(height: u16) -> u16 {
    if height >= 9 { DETAIL } else { 0 }
}

fn ordered(one: u32, other: u32) -> (u32, u32) {
    (one.min(other), one.max(other))
}

/// Whether going back to an instance would change anything: the newest one is what is wanted already.
pub fn can_roll_back_to(application: &Application, number: u32) -> bool {
    application.history.first().is_some_and(|newest| newest.number != number)
}

/// The instance that a rollback goes to when none is named: the active one while a newer one is on its way or failed, else the
/// last one that was active before.
pub fn earlier(application: &Application) -> Option<u32> {
    let newest = application.history.first()?.number;
    let active = application.active.as_ref().map(|active| active.number).filter(|number| *number != newest);
    let superseded = application
        .history
        .iter()
        .find(|instance| instance.number < newest && instance.state == InstanceState::Superseded);
    active.or_else(|| superseded.map(|instance| instance.number))
}

fn calm(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Planned => "It is frozen, and nothing of it is written yet",
        InstanceState::Applying => "It is being written and waited for",
        InstanceState::Active => "It counts as live",
        InstanceState::Superseded => "A newer one took its place",
        InstanceState::Failed => "It could not be applied, or did not become healthy",
    }
}

/// Who wanted it, where its operation is still known.
fn actor(instance: &Instance, application: &Application, world: &World) -> String {
    let mut operations = world.operations_of(application);
    // The oldest one that applied it: what came later set it right or started it again.
    let made =
        operations.by_ref().filter(|view| view.operation.goal.instance == Some(instance.number)).last();
    made.map_or_else(|| "–".to_owned(), |view| view.operation.origin.actor.clone())
}

fn columns(history: &[std::sync::Arc<Instance>], actors: &[String]) -> Vec<Column> {
    let widest = |widths: &mut dyn Iterator<Item = usize>| {
        u16::try_from(widths.max().unwrap_or(0)).unwrap_or(u16::MAX)
    };
    let versions = widest(&mut history.iter().map(|instance| format::width(&instance.application_version)));
    let drivers = widest(&mut history.iter().map(|instance| format::width(&instance.driver.to_string())));
    let actors = widest(&mut actors.iter().map(|actor| format::width(actor)));
    vec![
        Column::fixed("", 1, 1),
        Column::fixed("INSTANCE", 0, 8),
        Column::fixed("STATE", 0, 13),
        Column::content("VERSION", 2, (7, 12, 24), versions),
        Column::content("DRIVER", 4, (8, 14, 28), drivers),
        Column::fixed("AGE", 3, 4),
        Column::content("BY", 5, (6, 16, 28), actors),
        Column::fixed("DIGEST", 6, 8),
    ]
}

fn cells(instance: &Instance, actor: String, marked: bool, look: &Look<'_>) -> Vec<Line<'static>> {
    let (sign, role) = match instance.state {
        InstanceState::Planned => ("○", Role::Muted),
        InstanceState::Applying => (look.spinner(), Role::Progress),
        InstanceState::Active => ("✓", Role::Ok),
        InstanceState::Superseded => ("→", Role::Idle),
        InstanceState::Failed => ("✗", Role::Fail),
    };
    let digest: String = instance.digest.chars().take(DIGEST).collect();
    vec![
        Line::from(look.span(Role::Accent, if marked { "●" } else { " " })),
        Line::from(look.span(Role::Title, instance.number.to_string())),
        Line::from(look.span(role, format!("{sign} {}", instance.state.as_str()))),
        Line::from(look.span(Role::Text, instance.application_version.clone())),
        Line::from(look.span(Role::Muted, instance.driver.to_string())),
        Line::from(look.span(Role::Muted, look.age(instance.created_at))),
        Line::from(look.span(Role::Muted, actor)),
        Line::from(look.span(Role::Muted, digest)),
    ]
}
