//! The next 24 hours: what is due and when, what was not done within the last day, and what rests.

use ratatui::text::Line;

use super::rows::Entry;
use super::schedules;
use super::section::what;
use crate::domain::World;
use crate::domain::backup::ScheduleView;
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::table::Column;

/// The columns of the list.
pub fn columns([name, what, ..]: [u16; 4]) -> Vec<Column> {
    vec![
        Column::fixed("UTC", 0, 5),
        Column::fixed("WHEN", 2, 8),
        Column::fixed("STATE", 1, 12),
        Column::content("SCHEDULE", 3, (8, 14, 24), name),
        Column::content("WHAT", 2, (8, 16, 32), what),
        Column::rest("NOTE", 4, 16, 60),
    ]
}

/// The cells of an entry; none when the picture has it no longer.
pub fn cells(entry: Entry, world: &World, look: &Look<'_>, quiet: Role) -> Option<Vec<Line<'static>>> {
    let (Entry::Past(at, _) | Entry::Due(at, _) | Entry::Resting(at)) = entry else { return None };
    let view = world.schedules.get(at)?;
    let (at, when, state, note) = match entry {
        Entry::Past(_, index) => {
            let run = view.runs.get(index)?;
            let (sign, role) = schedules::outcome_mark(run.outcome);
            let note = run.problem.as_ref().map_or(schedules::told(run.outcome), |problem| &problem.what);
            let state = look.span(role, format!("{sign} {}", run.outcome.as_str()));
            (format::minute(run.due), format!("{} ago", look.age(run.due)), state, note.to_owned())
        }
        Entry::Due(_, index) => {
            let due = *view.next.get(index)?;
            let when = look.now.map(|now| format::until(now, due)).unwrap_or_default();
            (format::minute(due), when, look.span(Role::Text, "○ Due"), due_note(view))
        }
        _ => {
            let state = match view.problem {
                Some(_) => look.span(Role::Fail, "✗ Broken"),
                None => look.span(Role::Idle, "‖ Paused"),
            };
            ("–".to_owned(), String::new(), state, rest_note(view))
        }
    };
    let timely = if matches!(entry, Entry::Due(..)) { Role::Title } else { quiet };
    Some(vec![
        Line::from(look.span(timely, at)),
        Line::from(look.span(quiet, when)),
        Line::from(state),
        Line::from(look.span(Role::Title, view.schedule.name.clone())),
        Line::from(look.span(Role::Text, what(&view.schedule))),
        Line::from(look.span(quiet, note)),
    ])
}

/// What follows a run.
fn due_note(view: &ScheduleView) -> String {
    let verify = view.schedule.verify.map(|depth| match depth.as_str() {
        "drill" => "then a drill".to_owned(),
        word => format!("then verified ({word})"),
    });
    verify.unwrap_or_default()
}

/// Why a schedule makes no backups.
fn rest_note(view: &ScheduleView) -> String {
    match (&view.problem, &view.schedule.paused) {
        (Some(problem), _) => problem.what.clone(),
        (None, Some(pause)) if pause.reason.is_empty() => format!("by {}", pause.by),
        (None, Some(pause)) => format!("by {}: {}", pause.by, pause.reason),
        (None, None) => String::new(),
    }
}
