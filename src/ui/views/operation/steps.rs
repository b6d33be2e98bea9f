//! The steps of an operation: where each stands, for how long, and what it waits for.

use ratatui::text::Span;

use super::content::{Children, Item, Page};
use crate::domain::operation::StepRecord;
use crate::domain::{OperationView, Problem, Step, StepState};
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::moving;
use crate::ui::views::progress::{self, Standing};

/// The columns of a state's word, and of a duration.
const STATE: usize = 11;
const TOOK: usize = 8;
/// The width below which the sign stands for the state alone: its word would leave no room for what a step is about.
const WORDS_FROM: usize = 96;

/// Adds a line per step, in the order of the plan.
pub fn add(page: &mut Page<'_>, view: &OperationView, children: &Children) {
    let steps = &view.operation.plan.steps;
    let longest = steps.iter().map(|step| format::width(&step.name)).max().unwrap_or(0);
    // What is said of a step needs room too.
    let state = if page.width < WORDS_FROM { 0 } else { STATE };
    let room = page.width.saturating_sub(6 + state + TOOK);
    let name = longest.min(room.saturating_sub(20).max(16)).min(56);
    let told = view.first_problem().map(|(position, _)| position);
    for (position, step) in steps.iter().enumerate() {
        let Some(record) = view.steps.get(position) else { continue };
        line(page, view, (position, step, record), (name, state), told == Some(position));
        if let Some(child) = children.get(&position) {
            part(page, child);
        }
    }
}

/// One step. What went wrong with it goes on below where it does not fit; what is `told` above already is left out.
fn line(
    page: &mut Page<'_>,
    view: &OperationView,
    (position, step, record): (usize, &Step, &StepRecord),
    (name, state): (usize, usize),
    told: bool,
) {
    let look = page.look;
    let (sign, role) = progress::record_mark(record, look);
    let quiet = matches!(record.state, StepState::Pending | StepState::Skipped);
    let text = if quiet { Role::Muted } else { Role::Text };
    let word = if state == 0 { "" } else { record.state.as_str() };
    let mut spans = vec![
        look.span(role, format!("  {sign} ")),
        look.span(text, format!("{:<name$}  ", format::cut(&step.name, name))),
        look.span(role, format!("{word:<state$}")),
        look.span(Role::Muted, format!("{:<TOOK$}", took(record, look))),
    ];
    let used: usize = spans.iter().map(Span::width).sum();
    let remark = remark(view, position, told, look);
    let room = page.width.saturating_sub(used);
    let urgent = progress::is_told(record.state)
        || record.state == StepState::Unknown
        || progress::warning(record).is_some();
    let below = urgent && format::width(&remark) > room;
    if !below {
        let role = if urgent { Role::Text } else { Role::Muted };
        spans.push(look.span(role, format::cut(&remark, room)));
    }
    page.add(Some(Item::Step(position)), spans);
    if let Some(moved) = moving::of(view, position) {
        let mut spans = vec![Span::raw("      ")];
        spans.extend(moving::spans(moved, look, page.width.saturating_sub(6)));
        page.add(None, spans);
    }
    for part in format::wrap(&remark, page.width.saturating_sub(6).max(16)).into_iter().filter(|_| below) {
        page.add(None, vec![Span::raw("      "), look.span(Role::Text, part)]);
    }
}

/// The operation that a step began: where it stands, and how far it is.
fn part(page: &mut Page<'_>, child: &OperationView) {
    let look = page.look;
    let mut spans = vec![
        look.span(Role::Muted, "      ↳ "),
        Standing::of(child).span(look),
        look.span(
            Role::Muted,
            format!("  operation {} · {} steps  ", child.operation.id, progress::steps(child)),
        ),
    ];
    let used: usize = spans.iter().map(Span::width).sum();
    let room = page.width.saturating_sub(used);
    match (moving::current(child), child.first_problem()) {
        (_, Some((_, problem))) => spans.push(look.span(Role::Text, format::cut(&problem.what, room))),
        (Some(moved), None) => spans.extend(moving::spans(moved, look, room)),
        (None, None) => {}
    }
    page.add(None, spans);
}

/// How long it takes, or took.
fn took(record: &StepRecord, look: &Look<'_>) -> String {
    let end = record.ended.or(look.now.filter(|_| !record.state.is_final()));
    match (record.started, end) {
        (Some(started), Some(end)) => format::duration(started, end),
        _ => String::new(),
    }
}

/// What is to be said of a step: what it waits for, what went wrong unless that is `told` already, or what it is about.
fn remark(view: &OperationView, position: usize, told: bool, look: &Look<'_>) -> String {
    let (Some(step), Some(record)) = (view.operation.plan.steps.get(position), view.steps.get(position))
    else {
        return String::new();
    };
    let what = record.problem.as_ref().map(|problem| problem.what.as_str());
    match record.state {
        StepState::Pending => waits_for(view, step),
        StepState::Started if record.attempt > 1 => {
            let note = what.unwrap_or(&step.note);
            format!("try {}  {note}", record.attempt).trim_end().to_owned()
        }
        StepState::Started => what.unwrap_or(&step.note).to_owned(),
        StepState::Unknown => "a crash left open whether it was done: it is being looked at".to_owned(),
        StepState::Retrying => {
            let tries = if record.attempt == 1 { "1 try" } else { &format!("{} tries", record.attempt) };
            let tries = format!("{tries}, {}", next_try(record, look));
            if told { tries } else { format!("{tries}: {}", what.unwrap_or("it failed")) }
        }
        StepState::Failed | StepState::Asking if told => String::new(),
        StepState::Asking => what.unwrap_or("was it done?").to_owned(),
        StepState::Failed => what.unwrap_or("it failed, and gives no reason").to_owned(),
        StepState::Skipped => skipped(view, step, record),
        StepState::Succeeded => match progress::warning(record) {
            Some(problem) => warned(problem),
            None => step.note.clone(),
        },
    }
}

/// What went wrong and did not count.
fn warned(problem: &Problem) -> String {
    let why = problem.why.trim();
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    format!("{}{why}; it does not count", problem.what)
}

/// When the next try comes.
fn next_try(record: &StepRecord, look: &Look<'_>) -> String {
    match (record.next_try, look.now) {
        (Some(next), Some(now)) if next > now => format!("the next in {}", format::duration(now, next)),
        _ => "the next one now".to_owned(),
    }
}

/// The steps before it that have not succeeded yet.
fn waits_for(view: &OperationView, step: &Step) -> String {
    if step.on_failure {
        return "runs only when something fails".to_owned();
    }
    if step.finally {
        return "runs at the end, however it ends".to_owned();
    }
    let open = |position: &&usize| {
        view.steps.get(**position).is_some_and(|record| record.state != StepState::Succeeded)
    };
    let names: Vec<&str> = (step.after.iter().filter(open))
        .filter_map(|position| view.operation.plan.steps.get(*position))
        .map(|step| step.name.as_str())
        .collect();
    match names.as_slice() {
        [] => "comes next".to_owned(),
        [only] => format!("after {only}"),
        [first, others @ ..] => format!("after {first} and {}", format::count(others.len(), "other")),
    }
}

/// Why it was not done.
fn skipped(view: &OperationView, step: &Step, record: &StepRecord) -> String {
    if let Some(problem) = &record.problem {
        let why = problem.why.trim();
        return if why.is_empty() { problem.what.clone() } else { why.to_owned() };
    }
    let lacking = step
        .after
        .iter()
        .find(|needed| view.steps.get(**needed).is_some_and(|record| record.state != StepState::Succeeded));
    match lacking.and_then(|needed| view.operation.plan.steps.get(*needed)) {
        Some(needed) => format!("needs {}", needed.name),
        None => "the operation ended before".to_owned(),
    }
}
