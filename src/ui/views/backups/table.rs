//! Drawing the view of backups.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::rows::{Entry, Sort};
use super::section::Section;
use super::{BackupsView, about, calendar, key_of, locations, maker, nothing, schedules};
use crate::domain::World;
use crate::domain::backup::Backup;
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{inset, row, rows_from};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::facts::{self, Main};
use crate::ui::views::{keeping, moving};
use crate::ui::widgets::table::{Column, Grid};
use crate::ui::widgets::{empty, paint};

const STATE: usize = 0;
const APPLICATION: usize = 1;
const AGE: usize = 3;
const READ: usize = 4;

/// Where the parts of the view stand.
#[derive(Debug, Clone, Copy)]
pub struct Areas {
    /// Tabs of the cockpit, filter, number of rows.
    pub title: Rect,
    /// The sections.
    pub sections: Rect,
    /// Headings of the columns.
    pub head: Rect,
    /// The rows.
    pub rows: Rect,
    /// What there is to say about the selected row.
    pub detail: Rect,
}

impl Areas {
    /// The parts, in what room there is: rows first, then headings, title, sections, and the selected row's detail.
    pub fn new(area: Rect) -> Self {
        let title = u16::from(area.height >= 5);
        let sections = u16::from(area.height >= 6);
        let head = u16::from(area.height >= 3);
        let detail = match area.height {
            0..9 => 0,
            9..14 => 2,
            14..30 => 5,
            30.. => 8,
        };
        let rows = area.height - title - sections - head - detail;
        Self {
            title: Rect { height: title, ..area },
            sections: Rect { height: sections, ..rows_from(area, title) },
            head: Rect { height: head, ..rows_from(area, title + sections) },
            rows: Rect { height: rows, ..rows_from(area, title + sections + head) },
            detail: rows_from(area, title + sections + head + rows),
        }
    }
}

/// Draws the view.
pub fn draw(view: &BackupsView, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let areas = Areas::new(area);
    let (list, section) = (&view.list, view.section());
    let title = facts::Title {
        shown: Main::Backups,
        narrowed: list.narrowed().filter(|_| section == Section::Backups),
        faults_only: list.faults_only(),
    };
    title.draw((world, Some(list.filter())), look, areas.title, buffer);
    sections(view, world, look, areas.sections, buffer);
    if list.shown().is_empty() {
        let (heading, next) = nothing::nothing(view, world, look);
        let place = rows_from(area, areas.title.height + areas.sections.height);
        empty(buffer, place, look, &heading, &next);
        return;
    }
    let grid = Grid::new(columns(view), areas.rows, look);
    let sorted = match (section, list.sorted_by()) {
        (Section::Backups, Sort::Application) => Some(APPLICATION),
        (Section::Backups, Sort::State) => Some(STATE),
        (Section::Backups, Sort::Size) => Some(READ),
        (Section::Backups, Sort::Age) => Some(AGE),
        _ => None,
    };
    grid.head(buffer, areas.head, sorted);
    list.draw(&grid, look, (areas.rows, buffer), |index, selected| {
        cells(view, list.rows().entry(index)?, world, (look, selected))
    });
    if let Some(entry) = view.entry() {
        detail(entry, world, look, areas.detail, buffer);
    }
}

/// The sections, the shown one marked; and the environment that the view is narrowed to.
fn sections(view: &BackupsView, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let mut spans = Vec::new();
    for section in Section::ALL {
        let current = section == view.section();
        let (role, mark) = if current { (Role::TabActive, "▸ ") } else { (Role::Tab, "  ") };
        spans.push(look.span(Role::Accent, mark));
        spans.push(look.span(role, section.label(world)));
        spans.push(Span::raw(" "));
    }
    let line = Line::from(spans);
    let used = line.width();
    paint::line(buffer, inset(area, 1), line);
    let key = look.key(Command::Scope, Layer::Table);
    let scope = match view.list.scope() {
        Some(name) => {
            Line::from(vec![look.span(Role::Warn, format!("only {name} ")), look.span(Role::Key, key)])
        }
        None => Line::from(vec![look.span(Role::Muted, "all environments "), look.span(Role::Key, key)]),
    };
    if used + scope.width() + 3 < usize::from(area.width) {
        paint::line(buffer, inset(area, 1), scope.right_aligned());
    }
}

fn columns(view: &BackupsView) -> Vec<Column> {
    let widths = view.list.rows().widths();
    let [application, environment, trigger, location] = widths;
    match view.section() {
        Section::Schedules => schedules::columns(widths),
        Section::Locations => locations::columns(widths),
        Section::Calendar => calendar::columns(widths),
        Section::Backups => vec![
            Column::fixed("STATE", 0, 15),
            Column::content("APPLICATION", 1, (11, 17, 32), application),
            Column::content("ENV", 4, (4, 10, 20), environment),
            Column::fixed("AGE", 2, 5),
            Column::fixed("    READ", 3, 8),
            Column::fixed("     NEW", 9, 8),
            Column::fixed("KEPT", 8, 4),
            Column::fixed("VERIFIED", 6, 10),
            Column::content("WHY", 7, (7, 10, 28), trigger),
            Column::content("LOCATION", 10, (8, 12, 20), location),
        ],
    }
}

fn cells(
    view: &BackupsView,
    entry: Entry,
    world: &World,
    (look, selected): (&Look<'_>, bool),
) -> Option<Vec<Line<'static>>> {
    let quiet = if selected { Role::Text } else { Role::Muted };
    match entry {
        Entry::Backup(at) => {
            let backup = world.backups.get(at)?;
            let marked = view.marked.contains(&backup.id);
            Some(backup_cells(backup, world, look, (quiet, marked)))
        }
        Entry::Schedule(at) => Some(schedules::cells(world.schedules.get(at)?, look, quiet)),
        Entry::Location(at) => {
            Some(locations::cells(world.locations.get(at)?, &world.environments, look, quiet))
        }
        Entry::Past(..) | Entry::Due(..) | Entry::Resting(_) => calendar::cells(entry, world, look, quiet),
    }
}

fn backup_cells(
    backup: &Backup,
    world: &World,
    look: &Look<'_>,
    (quiet, marked): (Role, bool),
) -> Vec<Line<'static>> {
    let (read, new) = keeping::sizes(backup);
    let moved = maker(backup, world).and_then(moving::current).filter(|_| !backup.state.is_final());
    let read = moved.map_or(read, |moved| format::bytes(backup.bytes().saturating_add(moved.done)));
    let percent = moved.and_then(moving::percent).map(|percent| format!(" {percent}"));
    let mut state = vec![keeping::standing(backup, look)];
    state.extend(percent.map(|percent| look.span(Role::Progress, percent)));
    let mut name = vec![look.span(Role::Title, backup.source.application.clone())];
    name.extend(marked.then(|| look.span(Role::Warn, " ●")));
    name.extend(backup.pinned.then(|| look.span(Role::Accent, " ◆")));
    vec![
        Line::from(state),
        Line::from(name),
        Line::from(look.span(quiet, backup.source.environment.clone())),
        Line::from(look.span(Role::Text, look.age(backup.created))),
        Line::from(look.span(Role::Text, read)).right_aligned(),
        Line::from(look.span(quiet, new)).right_aligned(),
        Line::from(look.span(quiet, keeping::kept(backup))),
        Line::from(keeping::verified(backup, look, quiet)),
        Line::from(look.span(quiet, keeping::trigger(backup))),
        Line::from(look.span(quiet, backup.location.clone())),
    ]
}

/// What there is to say about the selected row, under a rule that names it.
fn detail(entry: Entry, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let quiet = Role::Muted;
    let width = usize::from(area.width.saturating_sub(2));
    let (name, right, lines) = match entry {
        Entry::Backup(at) => {
            let Some(backup) = world.backups.get(at) else { return };
            let key = key_of(backup);
            let name = format!("{} in {}", key.name, key.environment);
            (name, backup.id.to_string(), about(backup, world, look, (quiet, width)))
        }
        Entry::Location(at) => {
            let Some(view) = world.locations.get(at) else { return };
            let lines = locations::detail(view, &world.environments, look, quiet);
            (view.location.name.clone(), format::count(view.backups, "backup"), lines)
        }
        Entry::Schedule(at) | Entry::Past(at, _) | Entry::Due(at, _) | Entry::Resting(at) => {
            let Some(view) = world.schedules.get(at) else { return };
            let what = super::what(&view.schedule);
            (view.schedule.name.clone(), what, schedules::detail(view, look, quiet))
        }
    };
    paint::rule(buffer, area, look.style(Role::Border));
    let title = Line::from(look.span(Role::Title, format!(" {name} ")));
    let right = Line::from(look.span(Role::Muted, format!(" {right} "))).right_aligned();
    if title.width() + right.width() + 8 < usize::from(area.width) {
        paint::line(buffer, inset(row(area, 0), 2), right);
    }
    paint::line(buffer, inset(row(area, 0), 2), title);
    paint::lines(buffer, inset(rows_from(area, 1), 1), lines);
}
