//! What several views say of an application in the same words.

use ratatui::text::Span;

use crate::domain::InstanceState;
use crate::domain::world::Application;
use crate::ui::keymap::{Command, Layer};
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// The version that runs, and the one that it is on its way to.
pub fn version(application: &Application) -> String {
    let wanted = application.instance.as_ref().map_or_else(
        || application.deployment.draft.application_version.as_str(),
        |instance| instance.application_version.as_str(),
    );
    match &application.active {
        Some(active) if active.application_version != wanted => {
            format!("{} → {wanted}", active.application_version)
        }
        _ => wanted.to_owned(),
    }
}

/// The instance that counts as live, and the newer one that is to replace it.
pub fn instance(application: &Application) -> String {
    let newest = application.instance.as_ref();
    let failed = newest.is_some_and(|newest| newest.state == InstanceState::Failed);
    let mark = if failed { "!" } else { "" };
    match (&application.active, newest) {
        (Some(active), Some(newest)) if active.number != newest.number => {
            format!("{} → {}{mark}", active.number, newest.number)
        }
        (_, Some(newest)) => format!("{}{mark}", newest.number),
        (Some(active), None) => active.number.to_string(),
        (None, None) => "–".to_owned(),
    }
}

/// Pods that are ready, and that should be.
pub fn ready(application: &Application) -> (u32, u32) {
    application.components.iter().fold((0, 0), |sum, part| (sum.0 + part.ready, sum.1 + part.desired))
}

/// Why it is not well, in one line: what stopped the engine, else the innermost cause.
pub fn headline(application: &Application) -> String {
    match &application.problem {
        Some(problem) => problem.what.clone(),
        None => application.verdict.headline().unwrap_or_default().replace('\n', " "),
    }
}

/// The two views at the bottom of the stack with their keys, each a name and a number; the first, or the second, is shown.
pub fn tabs(
    look: &Look<'_>,
    first: (&str, &str),
    second: (&str, &str),
    first_shown: bool,
) -> Vec<Span<'static>> {
    let tabs =
        [(Command::ShowApplications, first, first_shown), (Command::ShowDrivers, second, !first_shown)];
    let spans = tabs.into_iter().flat_map(|(command, (name, number), shown)| {
        let role = if shown { Role::TabActive } else { Role::Tab };
        [
            look.span(Role::Muted, format!("{} ", look.key(command, Layer::Global))),
            look.span(role, name),
            look.span(Role::Muted, format!(" {number}   ")),
        ]
    });
    spans.collect()
}
