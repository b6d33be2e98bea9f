//! What there is to say about a backup below the table, the most important first.

use ratatui::text::{Line, Span};

use super::maker;
use crate::domain::World;
use crate::domain::backup::{Backup, BackupState};
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::{keeping, moving, progress};

/// Why it is as it is or how far it is, what it is of, what it consists of.
pub fn about(
    backup: &Backup,
    world: &World,
    look: &Look<'_>,
    (quiet, width): (Role, usize),
) -> Vec<Line<'static>> {
    let mut lines = why(backup, world, look, (quiet, width));
    lines.push(facts(backup, look, quiet));
    lines.extend(parts(backup, look, quiet));
    lines
}

fn why(backup: &Backup, world: &World, look: &Look<'_>, (quiet, width): (Role, usize)) -> Vec<Line<'static>> {
    let (sign, role) = keeping::mark(backup, look);
    let lead = || look.span(role, format!("{sign} "));
    let fault = backup.newest_verification().and_then(|last| last.problem.as_ref());
    if let Some(problem) = backup.problem.as_ref().or(fault) {
        let said = vec![
            lead(),
            look.span(Role::Title, format!("{}: ", problem.what)),
            look.span(Role::Text, problem.why.replace('\n', " ")),
        ];
        let mut lines = vec![Line::from(said)];
        if !problem.next.is_empty() {
            lines.push(Line::from(look.span(Role::Text, format!("  next {}", problem.next))));
        }
        return lines;
    }
    if !backup.state.is_final() {
        let moved = maker(backup, world).and_then(|view| Some((view, moving::current(view)?)));
        let mut spans = vec![lead()];
        match moved {
            Some((view, moved)) => {
                let step = progress::current(view).and_then(|at| view.operation.plan.steps.get(at));
                spans.extend(step.map(|step| look.span(Role::Title, format!("{}  ", step.name))));
                let used: usize = spans.iter().map(Span::width).sum();
                spans.extend(moving::spans(moved, look, width.saturating_sub(used)));
            }
            None => spans.push(look.span(quiet, "It is being made; nothing is told of it yet")),
        }
        return vec![Line::from(spans)];
    }
    vec![Line::from(vec![lead(), look.span(Role::Text, calm(backup, look))])]
}

/// What a backup without a problem says.
fn calm(backup: &Backup, look: &Look<'_>) -> String {
    match (backup.state, keeping::telling(backup)) {
        (BackupState::Completed, Some(last)) if last.depth.as_str() == "drill" => {
            format!("Proven restorable {}: it was restored, and what was restored worked", look.ago(last.at))
        }
        (BackupState::Completed, Some(last)) => {
            format!(
                "Verified {} ({}); no drill has proven yet that it can be restored",
                look.ago(last.at),
                last.depth.as_str()
            )
        }
        (BackupState::Completed, None) => "Everything was kept; nobody has verified it yet".to_owned(),
        (BackupState::Cancelled, _) => {
            "Somebody ended it; what was kept until then does not count".to_owned()
        }
        (BackupState::PartiallyFailed, _) => "Some of its components were not kept".to_owned(),
        _ => "It failed, and gives no reason".to_owned(),
    }
}

fn facts(backup: &Backup, look: &Look<'_>, quiet: Role) -> Line<'static> {
    let mut told = vec![
        format!("version {}", backup.source.application_version),
        format!("driver {}", backup.source.driver),
        format!("instance {}", backup.source.instance),
    ];
    if let (Some(ended), created) = (backup.ended, backup.created) {
        told.push(format!("took {}", format::duration(created, ended)));
    }
    told.push(format!("in {}", backup.location));
    told.extend(backup.pinned.then(|| "pinned".to_owned()));
    told.extend(backup.group.as_ref().map(|group| format!("part of {group}")));
    Line::from(vec![look.span(quiet, format!("  {}", told.join(" · ")))])
}

/// A line per part.
pub fn parts(backup: &Backup, look: &Look<'_>, quiet: Role) -> Vec<Line<'static>> {
    let name = backup.parts.iter().map(|part| format::width(&keeping::part_name(part))).max().unwrap_or(0);
    let strategy = backup.parts.iter().map(|part| part.strategy.len()).max().unwrap_or(0);
    let line = |part: &crate::domain::backup::BackupPart| {
        let (sign, role) = keeping::part_mark(part, look);
        let said = match &part.problem {
            Some(problem) => problem.what.clone(),
            None => part.server.clone(),
        };
        let new = match part.digest.is_empty() {
            true => String::new(),
            false => format!("new {}", format::bytes(part.stored)),
        };
        let size = if part.bytes > 0 || !part.digest.is_empty() {
            format::bytes(part.bytes)
        } else {
            "–".to_owned()
        };
        Line::from(vec![
            look.span(role, format!("  {sign} ")),
            look.span(Role::Text, format!("{:<name$}  ", keeping::part_name(part))),
            look.span(quiet, format!("{:<strategy$}  ", part.strategy)),
            look.span(Role::Text, format!("{size:>8}  ")),
            look.span(quiet, format!("{new:<12}  {:<8}  {said}", short(&part.digest))),
        ])
    };
    backup.parts.iter().map(line).collect()
}

/// The beginning of a digest or a snapshot: enough to tell it from others.
pub fn short(hexadecimal: &str) -> String {
    hexadecimal.chars().take(8).collect()
}
