//! The lines of the operation that is under way, or was the last one.

use ratatui::text::Span;

use super::{Item, Page};
use crate::domain::world::Application;
use crate::domain::{OperationState, OperationView};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::theme::Role;
use crate::ui::views::moving;
use crate::ui::views::progress::{self, Standing};

/// Whether a person has to see it before anything else.
pub fn comes_first(view: &OperationView) -> bool {
    !view.operation.state.is_final() || Standing::of(view).is_fault()
}

/// The operation: where it stands, how far it is, what it does now, and the first cause that holds it up.
pub fn section(page: &mut Page<'_>, view: &OperationView, application: &Application) {
    let look = page.look;
    let ended = view.operation.state.is_final();
    page.section(match view.operation.state {
        OperationState::Queued => "WAITING FOR ITS TURN",
        OperationState::Running => "UNDER WAY",
        _ if comes_first(view) => "THE LAST OPERATION",
        _ => "LAST OPERATION",
    });
    let lead = vec![Span::raw("  "), Standing::of(view).span(look), Span::raw("  ")];
    page.wrapped(Some(Item::Operation(view.operation.id)), lead, Role::Title, &view.operation.plan.title);
    let mut spans = vec![Span::raw("    ")];
    if !ended {
        spans.extend(progress::bar(view, look));
        spans.push(Span::raw("  "));
    }
    spans.push(look.span(Role::Muted, told(page, view).join(" · ")));
    page.add(None, spans);
    if let Some(position) = progress::current(view).filter(|_| !ended) {
        current(page, view, position);
    }
    if !comes_first(view) {
        return;
    }
    if let Some((position, problem)) = view.first_problem() {
        super::told(page, &progress::in_step(view, position, problem));
    }
    if let Some(number) = progress::way_back(view, application) {
        let key = look.key(Command::RollBack, Layer::Detail);
        page.add(
            None,
            vec![
                Span::raw("  "),
                look.span(Role::Key, key),
                look.span(
                    Role::Text,
                    format!(" rolls back to instance {number}, which is still the active one"),
                ),
            ],
        );
    }
}

/// How far it is, how long it takes or took, and who wants it.
fn told(page: &Page<'_>, view: &OperationView) -> Vec<String> {
    let times = &view.operation.times;
    let steps = format!("{} steps", progress::steps(view));
    let took = progress::took(view, page.look);
    let mut told = match times.ended {
        None => [Some(steps), took].into_iter().flatten().collect(),
        Some(ended) => {
            let took = took.map(|took| format!("took {took}"));
            [Some(page.look.ago(ended)), Some(steps), took].into_iter().flatten().collect::<Vec<_>>()
        }
    };
    told.push(format!("by {}", view.operation.origin.actor));
    told
}

/// The step that is under way, and what it waits for.
fn current(page: &mut Page<'_>, view: &OperationView, position: usize) {
    let (Some(step), Some(record)) = (view.operation.plan.steps.get(position), view.steps.get(position))
    else {
        return;
    };
    let look = page.look;
    let (sign, role) = progress::step_mark(record.state, look);
    let room = page.width.saturating_sub(format::width(&step.name) + 8);
    let waits = record.problem.as_ref().filter(|_| !progress::is_told(record.state));
    let note = waits.map_or(step.note.as_str(), |problem| problem.what.as_str());
    page.add(
        None,
        vec![
            Span::raw("    "),
            look.span(role, format!("{sign} ")),
            look.span(Role::Text, step.name.clone()),
            look.span(Role::Muted, format!("  {}", format::cut(note, room))),
        ],
    );
    if let Some(moved) = moving::of(view, position) {
        let mut spans = vec![Span::raw("      ")];
        spans.extend(moving::spans(moved, look, page.width.saturating_sub(6)));
        page.add(None, spans);
    }
}
