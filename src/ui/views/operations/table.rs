//! Drawing the operations.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::OperationsView;
use crate::domain::world::EngineView;
use crate::domain::{OperationState, OperationView, World};
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{inset, row, rows_from};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::facts::{self, Main};
use crate::ui::views::moving;
use crate::ui::views::progress::{self, Standing};
use crate::ui::widgets::table::{Column, Grid};
use crate::ui::widgets::{empty, paint};

/// Where the parts of the view stand.
#[derive(Debug, Clone, Copy)]
pub struct Areas {
    /// Tabs of the cockpit, filter, number of rows.
    pub title: Rect,
    /// Headings of the columns.
    pub head: Rect,
    /// The rows.
    pub rows: Rect,
    /// What there is to say about the selected row.
    pub detail: Rect,
}

impl Areas {
    /// The parts, in what room there is: rows first, then headings, title, and the selected row's detail.
    pub fn new(area: Rect) -> Self {
        let title = u16::from(area.height >= 5);
        let head = u16::from(area.height >= 3);
        let detail = match area.height {
            0..8 => 0,
            8..14 => 2,
            14.. => 3,
        };
        let rows = area.height - title - head - detail;
        Self {
            title: Rect { height: title, ..area },
            head: Rect { height: head, ..rows_from(area, title) },
            rows: Rect { height: rows, ..rows_from(area, title + head) },
            detail: rows_from(area, title + head + rows),
        }
    }
}

/// Draws the view.
pub fn draw(view: &OperationsView, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let areas = Areas::new(area);
    let list = &view.list;
    let title =
        facts::Title { shown: Main::Operations, narrowed: list.narrowed(), faults_only: list.faults_only() };
    title.draw((world, Some(list.filter())), look, areas.title, buffer);
    if list.shown().is_empty() {
        let (heading, next) = nothing(view, look);
        empty(buffer, rows_from(area, areas.title.height), look, heading, &[next]);
        return;
    }
    let grid = Grid::new(columns(view), areas.rows, look);
    grid.head(buffer, areas.head, None);
    list.draw(&grid, look, (areas.rows, buffer), |index, selected| {
        Some(cells(view.view_of(index, world)?, look, selected))
    });
    if let Some(operation) = view.selected_in(world) {
        detail(operation, world, look, areas.detail, buffer);
    }
}

fn columns(view: &OperationsView) -> Vec<Column> {
    let widths = view.list.rows().widths();
    vec![
        Column::fixed("STATE", 0, 15),
        Column::fixed("STEPS", 2, 5),
        Column::rest("WHAT", 1, widths.title.clamp(20, 42), widths.title),
        Column::fixed("AGE", 3, 4),
        Column::fixed("TOOK", 4, 7),
        Column::content("BY", 5, (6, 16, 28), widths.actor),
        Column::content("APPLICATION", 6, (11, 18, 32), widths.name),
        Column::content("ENV", 7, (6, 10, 20), widths.environment),
        Column::fixed("KIND", 8, 8),
    ]
}

fn cells(view: &OperationView, look: &Look<'_>, selected: bool) -> Vec<Line<'static>> {
    let operation = &view.operation;
    let quiet = if selected { Role::Text } else { Role::Muted };
    let dash = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    let took = progress::took(view, look).unwrap_or_else(|| "–".to_owned());
    vec![
        Line::from(Standing::of(view).span(look)),
        Line::from(look.span(Role::Text, progress::steps(view))),
        Line::from(look.span(Role::Title, operation.plan.title.clone())),
        Line::from(look.span(quiet, look.age(operation.times.created))),
        Line::from(look.span(quiet, took)),
        Line::from(look.span(quiet, operation.origin.actor.clone())),
        Line::from(look.span(quiet, dash(&operation.subject.name))),
        Line::from(look.span(quiet, dash(&operation.subject.environment))),
        Line::from(look.span(quiet, operation.kind.as_str())),
    ]
}

/// Two lines about the selected row, under a rule that names it: what it does or why it stands, and where it comes from.
fn detail(view: &OperationView, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    paint::rule(buffer, area, look.style(Role::Border));
    let operation = &view.operation;
    let title = format!(" {} ", operation.plan.title);
    let number = Line::from(look.span(Role::Muted, format!(" operation {} ", operation.id))).right_aligned();
    if usize::from(area.width) > number.width() + title.len() + 8 {
        paint::line(buffer, inset(row(area, 0), 2), number);
    }
    paint::line(buffer, inset(row(area, 0), 2), Line::from(look.span(Role::Title, title)));
    let width = usize::from(area.width.saturating_sub(2));
    paint::line(buffer, inset(row(area, 1), 1), why(view, world, look, width));
    let origin = format!("  {}, by {}", operation.origin.cause, operation.origin.actor);
    paint::line(buffer, inset(row(area, 2), 1), Line::from(look.span(Role::Muted, origin)));
}

fn why(view: &OperationView, world: &World, look: &Look<'_>, width: usize) -> Line<'static> {
    let standing = Standing::of(view);
    let mut spans = vec![look.span(standing.role(), standing.sign(look)), Span::raw(" ")];
    if let Some((_, problem)) = view.first_problem() {
        spans.push(look.span(Role::Title, format!("{}: ", problem.what)));
        spans.push(look.span(Role::Text, problem.why.replace('\n', " ")));
    } else if let Some(step) = progress::current(view).and_then(|at| view.operation.plan.steps.get(at)) {
        spans.push(look.span(Role::Text, format!("{}  ", step.name)));
        let used: usize = spans.iter().map(Span::width).sum();
        match moving::current(view) {
            Some(moved) => spans.extend(moving::spans(moved, look, width.saturating_sub(used))),
            None => spans.push(look.span(Role::Muted, step.note.clone())),
        }
    } else {
        spans.push(look.span(Role::Muted, calm(view.operation.state, &world.engine)));
    }
    Line::from(spans)
}

/// What a state without a problem says.
pub fn calm(state: OperationState, engine: &EngineView) -> &'static str {
    match (state, engine) {
        (OperationState::Queued, EngineView::None) => "Nobody runs the engine: it waits until somebody does",
        (OperationState::Queued, _) => "It waits until what is done before it has ended",
        (OperationState::Running, EngineView::None) => {
            "Nobody runs the engine: it goes on as soon as somebody does"
        }
        (OperationState::Running, _) => "Its next step begins",
        (OperationState::Succeeded, _) => "Every step succeeded",
        (OperationState::Failed | OperationState::PartiallyFailed, _) => "It failed, and gives no reason",
        (OperationState::Cancelled, _) => "Somebody ended it; what was done until then stays done",
        (OperationState::Superseded, _) => "A newer wish took its place",
        (OperationState::Stale, _) => "What it was planned on is not so any more",
    }
}

/// What an empty table says, and what to do next.
fn nothing(view: &OperationsView, look: &Look<'_>) -> (&'static str, String) {
    let key = |command| look.key(command, Layer::Table);
    if view.list.len() > 0 {
        return ("Nothing matches", format!("{} clears the filter", key(Command::Back)));
    }
    let next = format!(
        "Every change becomes one: {} deploys an application, and what is done for it is shown here step by step",
        key(Command::NewDeployment)
    );
    ("Nothing was done yet", next)
}
