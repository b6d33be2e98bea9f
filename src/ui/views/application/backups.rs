//! What is kept of an application: its backups, when the next one is made, what of it is not backed up.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::actions::Shown;
use crate::domain::backup::{Backup, BackupId};
use crate::domain::driver::ComponentSpec;
use crate::domain::{OperationKind, OperationView};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::backups::{keeps, no_location, past, schedule_lasts, what, when};
use crate::ui::views::keeping::{self, Keeping, Worry};
use crate::ui::views::{moving, progress};
use crate::ui::widgets::empty;
use crate::ui::widgets::page::{self, plain};

/// What a line stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A backup.
    Backup(BackupId),
    /// Something to read.
    Text,
}

type Page<'a> = page::Page<'a, Item>;

/// The backup that the cursor is on.
pub fn selected<'a>(cursor: Cursor, shown: Shown<'a>, width: u16) -> Option<&'a Backup> {
    match plain(|look| page(shown, look, width).item_at(cursor.at))? {
        Item::Backup(id) => shown.world.backups.iter().find(|it| it.id == id).map(|it| &**it),
        Item::Text => None,
    }
}

/// Moves the cursor over the lines that stand for something.
pub fn move_cursor(
    cursor: &mut Cursor,
    command: Command,
    shown: Shown<'_>,
    (width, height): (u16, u16),
) -> bool {
    plain(|look| page(shown, look, width).move_cursor(cursor, command, usize::from(height)))
}

/// Brings the cursor to a line that exists.
pub fn settle(cursor: &mut Cursor, shown: Shown<'_>, (width, height): (u16, u16)) {
    plain(|look| page(shown, look, width).settle(cursor, usize::from(height)));
}

/// How long what it shows stays true by itself.
pub fn lasts(shown: Shown<'_>, now: Timestamp) -> Option<Duration> {
    let (application, world) = (shown.application, shown.world);
    let backups = world.backups_of(application).map(|backup| keeping::lasts(backup, now));
    let schedules = keeping::schedules(application, world).filter_map(|view| schedule_lasts(view, now));
    let proven = world.backups_of(application).filter_map(Backup::proven).max();
    backups.chain(schedules).chain(proven.map(|at| format::age_lasts(now, at))).min()
}

/// Draws what is kept.
pub fn draw(shown: Shown<'_>, cursor: Cursor, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let (application, world) = (shown.application, shown.world);
    let draft = &application.deployment.draft;
    if world.backups_of(application).next().is_none()
        && keeping::schedules(application, world).next().is_none()
        && let Some((heading, next)) = nothing(shown)
    {
        empty(buffer, area, look, &heading, &next);
        return;
    }
    if world.drivers.iter().all(|driver| driver.reference != draft.driver)
        && world.backups_of(application).next().is_none()
    {
        let next = "Load it again: it says how its components are backed up".to_owned();
        empty(buffer, area, look, &format!("{} is no longer loaded", draft.driver), &[next]);
        return;
    }
    page(shown, look, area.width).draw(cursor, area, buffer);
}

/// What is said while nothing is kept, and nothing can be or is to be.
fn nothing(shown: Shown<'_>) -> Option<(String, Vec<String>)> {
    let (application, world) = (shown.application, shown.world);
    let draft = &application.deployment.draft;
    let known = keeping::components(application, world).next().is_some();
    if known && !keeping::keeps(application, world) {
        let next = [
            format!(
                "{} gives none of its components a strategy, so nothing of it can be backed up.",
                draft.driver
            ),
            "Whoever writes the driver can: spec.components.NAME.backup".to_owned(),
        ];
        return Some(("Nothing of it can be backed up".to_owned(), next.to_vec()));
    }
    if world.locations.is_empty() {
        return Some(no_location(&draft.environment));
    }
    if keeping::location(application, world).is_none() {
        let name = world.locations.first().map_or("NAME", |view| &view.location.name);
        let assign = format!("styrmin location assign {name} --environment {}", draft.environment);
        let next = vec!["Say where the backups of this environment are to lie:".to_owned(), assign];
        return Some((format!("{} has no backup location", draft.environment), next));
    }
    None
}

fn page<'a>(shown: Shown<'_>, look: &'a Look<'a>, width: u16) -> Page<'a> {
    let (application, world) = (shown.application, shown.world);
    let mut page = Page::new(look, width);
    let keeping = Keeping::of(application, world, world.backups_of(application), look.now);
    summary(&mut page, &keeping, keeping::location(application, world));
    for view in world.operations_of(application).filter(|view| moves(view)) {
        under_way(&mut page, view);
    }
    let key = |command| look.key(command, Layer::Detail);
    let hint = format!(
        "  {} back up  {} restore  {} opens one",
        key(Command::BackUp),
        key(Command::Restore),
        key(Command::Open)
    );
    page.heading(vec![look.span(Role::Section, "BACKUPS"), look.span(Role::Muted, hint)]);
    let mut none = true;
    for backup in world.backups_of(application) {
        none = false;
        line(&mut page, backup);
    }
    if none {
        page.add(Some(Item::Text), vec![look.span(Role::Muted, "  none yet")]);
    }
    schedules(&mut page, shown);
    page.section("WHAT IS BACKED UP");
    for (name, spec) in keeping::components(application, world) {
        component(&mut page, name, spec);
    }
    page
}

/// Whether an operation makes or restores a backup, and has not ended.
fn moves(view: &OperationView) -> bool {
    let kinds = [OperationKind::Backup, OperationKind::Restore];
    kinds.contains(&view.operation.kind) && !view.operation.state.is_final()
}

/// How well it is kept, in a line.
fn summary(page: &mut Page<'_>, keeping: &Keeping<'_>, location: Option<&str>) {
    let look = page.look;
    let (sign, role, said) = match (keeping.worry, keeping.good) {
        (Some(Worry::Never), _) => ("▲", Role::Warn, "There is no good backup of it".to_owned()),
        (Some(Worry::FailedSince), None) => ("▲", Role::Fail, "None of its backups is good".to_owned()),
        (Some(Worry::FailedSince), Some(good)) => {
            ("▲", Role::Warn, format!("A backup failed since the last good one, {}", look.ago(good.created)))
        }
        (Some(Worry::Old), Some(good)) => {
            ("▲", Role::Warn, format!("Last good backup {}: too old", look.ago(good.created)))
        }
        (_, Some(good)) => ("✓", Role::Ok, format!("Last good backup {}", look.ago(good.created))),
        (_, None) => ("○", Role::Muted, "Nothing is kept of it".to_owned()),
    };
    page.add(None, vec![look.span(role, format!("{sign} ")), look.span(Role::Title, said)]);
    let proven = keeping.proven.map_or_else(
        || "never proven restorable".to_owned(),
        |proven| format!("proven restorable {}", look.ago(proven)),
    );
    let next = match (keeping.next, look.now) {
        (Some((at, view)), Some(now)) => {
            format!("next {} by {}", format::until(now, at), view.schedule.name)
        }
        _ => "nothing is due within a day".to_owned(),
    };
    let place = location.map_or_else(|| "no location".to_owned(), |location| format!("to {location}"));
    page.add(None, vec![look.span(Role::Muted, format!("  {proven} · {next} · {place}"))]);
}

/// An operation that moves data, and how far it is.
fn under_way(page: &mut Page<'_>, view: &OperationView) {
    let look = page.look;
    page.section("UNDER WAY");
    let lead = vec![Span::raw("  "), progress::Standing::of(view).span(look), Span::raw("  ")];
    page.wrapped(None, lead, Role::Title, &view.operation.plan.title);
    if let Some(moved) = moving::current(view) {
        let mut spans = vec![Span::raw("    ")];
        spans.extend(moving::spans(moved, look, page.width.saturating_sub(4)));
        page.add(None, spans);
    }
}

/// A backup in a line; why it failed below it.
fn line(page: &mut Page<'_>, backup: &Backup) {
    let look = page.look;
    let (read, new) = keeping::sizes(backup);
    let new = if new == "–" { String::new() } else { format!("new {new}") };
    let (sign, role) = keeping::mark(backup, look);
    let state = format!("{sign} {}", keeping::word(backup));
    let mut spans = vec![
        look.span(Role::Accent, if backup.pinned { "◆ " } else { "  " }),
        look.span(role, format!("{state:<15} ")),
        look.span(Role::Text, format!("{:>4} ", look.age(backup.created))),
        look.span(Role::Text, format!("{read:>9}")),
        look.span(Role::Muted, format!("  {new:<12}  ")),
    ];
    let verified = keeping::verified(backup, look, Role::Muted);
    let gap = 10_usize.saturating_sub(verified.width());
    spans.extend([verified, Span::raw(" ".repeat(gap + 2))]);
    let trigger = keeping::trigger(backup);
    spans.push(look.span(Role::Muted, format!("{trigger}  {}", backup.source.application_version)));
    page.add(Some(Item::Backup(backup.id.clone())), spans);
    let fault = backup.newest_verification().and_then(|last| last.problem.as_ref());
    if let Some(problem) = backup.problem.as_ref().or(fault) {
        let text = format!("{}: {}", problem.what, problem.why);
        page.wrapped(None, vec![Span::raw("    ")], Role::Text, &text);
    }
}

fn schedules(page: &mut Page<'_>, shown: Shown<'_>) {
    let look = page.look;
    for (index, view) in keeping::schedules(shown.application, shown.world).enumerate() {
        if index == 0 {
            page.section("SCHEDULES");
        }
        let schedule = &view.schedule;
        let (sign, role) = match (&view.problem, &schedule.paused) {
            (Some(_), _) => ("✗", Role::Fail),
            (None, Some(_)) => ("‖", Role::Idle),
            (None, None) => ("✓", Role::Ok),
        };
        let told =
            format!("{} · {} · keeps {}", when(schedule), what(schedule), keeps(schedule.retention.as_ref()));
        let lead = vec![
            look.span(role, format!("  {sign} ")),
            look.span(Role::Title, format!("{}  ", schedule.name)),
        ];
        page.wrapped(Some(Item::Text), lead, Role::Muted, &told);
        if let Some(pause) = &schedule.paused {
            let told = format!("paused by {} {}: {}", pause.by, look.ago(pause.since), pause.reason);
            page.wrapped(None, vec![Span::raw("    ")], Role::Text, &told);
        }
        for run in view.runs.iter().take(1) {
            let mut spans = vec![Span::raw("    ")];
            spans.extend(past(run, look, Role::Muted).spans);
            page.add(None, spans);
        }
    }
}

/// How a component is backed up, or that it is not.
fn component(page: &mut Page<'_>, name: &str, spec: &ComponentSpec) {
    let look = page.look;
    let Some(strategy) = &spec.backup else {
        let said = "  is not backed up: its driver gives it no strategy";
        page.add(None, vec![look.span(Role::Muted, format!("  – {name}{said}"))]);
        return;
    };
    let of = match (spec.volumes.as_slice(), &spec.backup_target.database, &spec.backup_target.action) {
        ([], Some(database), _) => format!("database {database}"),
        ([], None, Some(action)) => format!("by {action}"),
        ([], None, None) => String::new(),
        (volumes, ..) => format!("volumes {}", volumes.join(", ")),
    };
    page.add(
        None,
        vec![
            look.span(Role::Ok, "  ✓ "),
            look.span(Role::Text, format!("{name}  ")),
            look.span(Role::Muted, format!("{strategy}  {of}")),
        ],
    );
}
