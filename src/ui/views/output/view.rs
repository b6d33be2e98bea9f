//! Drawing the page of a step's output.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::timeline::{Width, source_mark};
use super::{OutputPage, rows};
use crate::domain::call::OutputSource;
use crate::domain::{OperationView, StepRecord};
use crate::ui::layout::{inset, row, rows_from};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::progress;
use crate::ui::widgets::{empty, paint, scroll};

/// The columns from which the time of day of each row is shown.
const CLOCK_FROM: u16 = 60;

/// The room of the text: what stands above it goes first where there is little.
pub fn content(area: Rect) -> Rect {
    rows_from(area, head_height(area))
}

fn head_height(area: Rect) -> u16 {
    match area.height {
        0..5 => 0,
        5..9 => 1,
        9.. => 3,
    }
}

/// How wide the rows are in so many columns: the scroll bar has the last one.
pub fn width(columns: u16, wrap: bool) -> Width {
    Width { columns: usize::from(columns.saturating_sub(1)), wrap, clock: columns >= CLOCK_FROM }
}

/// Draws the page.
pub fn draw(page: &OutputPage, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let head = head_height(area);
    if head > 0 {
        title(page, look, row(area, 0), buffer);
    }
    if head > 1 {
        facts(page, look, row(area, 1), buffer);
        paint::rule(buffer, row(area, 2), look.style(Role::Border));
    }
    let area = content(area);
    let rows = rows(&page.feed, look, width(area.width, page.wrap));
    match (rows.is_empty(), page.feed.problem()) {
        (_, Some(problem)) => {
            let next = [problem.why.clone(), problem.next.clone()];
            empty(buffer, area, look, &problem.what, &next);
        }
        (true, None) => nothing(page, look, area, buffer),
        (false, None) => {
            let len = rows.len();
            paint::lines(buffer, area, rows.into_iter().skip(page.top));
            scroll::bar(buffer, area, look, page.top, len);
        }
    }
}

fn nothing(page: &OutputPage, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let (heading, next) = match (page.feed.is_heard(), record(page).is_some_and(|it| it.state.is_final())) {
        (false, _) => ("Reading what it printed …", ""),
        (true, true) => ("It printed nothing", "It called nothing either, or it was not run"),
        (true, false) => ("Nothing yet", "What it calls and prints comes here as it happens"),
    };
    empty(buffer, area, look, heading, &[next.to_owned()]);
}

fn record(page: &OutputPage) -> Option<&StepRecord> {
    page.seen.as_ref()?.steps.get(page.step.position)
}

fn title(page: &OutputPage, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let area = inset(area, 1);
    let mut left = vec![look.span(Role::Muted, "Operations › ")];
    let mut right = Line::default();
    if let Some(view) = &page.seen {
        left.push(look.span(Role::Muted, format!("{} › ", view.operation.plan.title)));
        left.push(look.span(Role::Title, name(view, page.step.position)));
    }
    if let Some(record) = record(page) {
        let (sign, role) = progress::record_mark(record, look);
        right = Line::from(look.span(role, format!("{sign} {}", record.state.as_str()))).right_aligned();
    }
    let width = area.width.saturating_sub(u16::try_from(right.width()).unwrap_or(0) + 2);
    paint::line(buffer, area, right);
    paint::line(buffer, Rect { width, ..area }, Line::from(left));
}

fn name(view: &OperationView, position: usize) -> String {
    view.operation.plan.steps.get(position).map(|step| step.name.clone()).unwrap_or_default()
}

/// What went wrong and does not count, else what the signs mean; and whether the end is followed.
fn facts(page: &OutputPage, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let area = inset(area, 1);
    let (sign, word) = if page.following { ("↓", "follows the end") } else { ("‖", "stands still") };
    let right = Line::from(look.span(Role::Muted, format!("{sign} {word}"))).right_aligned();
    let width = area.width.saturating_sub(u16::try_from(right.width()).unwrap_or(0) + 2);
    let warning = record(page).and_then(progress::warning);
    let left = match warning {
        Some(problem) => Line::from(vec![
            look.span(Role::Warn, "▲ "),
            look.span(Role::Text, format!("{}: {}", problem.what, problem.why)),
        ]),
        None => legend(look),
    };
    paint::line(buffer, area, right);
    paint::line(buffer, Rect { width, ..area }, left);
}

fn legend(look: &Look<'_>) -> Line<'static> {
    let mut spans = vec![look.span(Role::Accent, "▸ "), look.span(Role::Muted, "call   ")];
    let words = [
        (OutputSource::Log, "its own   "),
        (OutputSource::Out, "output   "),
        (OutputSource::Error, "errors   "),
        (OutputSource::Note, "Styrmin"),
    ];
    spans.extend(words.into_iter().flat_map(|(source, word)| -> [Span<'static>; 2] {
        let (sign, role) = source_mark(source);
        [look.span(role, format!("{sign} ")), look.span(Role::Muted, word)]
    }));
    Line::from(spans)
}
