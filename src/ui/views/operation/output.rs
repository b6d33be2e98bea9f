//! The end of what a step prints and calls, on the page of its operation.

use super::content::Page;
use crate::domain::{OperationView, StepState};
use crate::ui::keymap::{Command, Layer};
use crate::ui::theme::Role;
use crate::ui::views::output::{Feed, Width, has_output, rows};
use crate::ui::views::progress;

/// How many rows are shown here; the page of the output has them all.
const ROWS: usize = 6;

/// The step whose output is worth a look by itself: the one that runs, else the last that was begun.
pub fn last(view: &OperationView) -> Option<usize> {
    let prints = |position: &usize| view.operation.plan.steps.get(*position).is_some_and(has_output);
    let begun = |position: &usize| {
        let state = view.steps.get(*position).map(|record| record.state);
        state.is_some_and(|state| !matches!(state, StepState::Pending | StepState::Skipped))
    };
    let current = progress::current(view).filter(prints);
    current.or_else(|| (0..view.steps.len()).rev().find(|position| prints(position) && begun(position)))
}

/// Adds the last rows of the step that is followed; nothing before there are any.
pub fn add(page: &mut Page<'_>, view: &OperationView, feed: &Feed) {
    let Some(step) = feed.step().and_then(|step| view.operation.plan.steps.get(step.position)) else {
        return;
    };
    let look = page.look;
    let width = Width { columns: page.width, wrap: false, clock: false };
    let rows = rows(feed, look, width);
    if let Some(problem) = feed.problem() {
        page.section("OUTPUT");
        page.problem(super::Item::Text, problem);
        return;
    }
    if rows.is_empty() {
        return;
    }
    let (more, key) = (rows.len().saturating_sub(ROWS), look.key(Command::Open, Layer::Detail));
    let hint = match more {
        0 => format!("  {}", step.name),
        more => format!("  {}; {more} earlier, {key} on the step shows all", step.name),
    };
    page.heading(vec![look.span(Role::Section, "OUTPUT"), look.span(Role::Muted, hint)]);
    for line in rows.into_iter().skip(more) {
        page.add(None, line.spans);
    }
}
