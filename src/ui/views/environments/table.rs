//! Drawing the environments.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::EnvironmentsView;
use super::about::about;
use super::rows::{Row, Rows, Short, Sort, counted, width};
use super::summary::{Summary, health_spans, kept_span, route_spans};
use crate::domain::World;
use crate::domain::world::Link;
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{inset, row, rows_from};
use crate::ui::look::Look;
use crate::ui::query::Query;
use crate::ui::theme::Role;
use crate::ui::views::facts::{self, Main};
use crate::ui::widgets::table::{Column, Grid};
use crate::ui::widgets::{empty, paint};

const NAME: usize = 0;
const HEALTH: usize = 2;
const ROUTES: usize = 3;
const BACKUP: usize = 9;

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
            0..9 => 0,
            9..16 => 3,
            16.. => 7,
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
pub fn draw(view: &EnvironmentsView, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let (areas, list) = (Areas::new(area), &view.list);
    let title = facts::Title {
        shown: Main::Environments,
        narrowed: list.narrowed(),
        faults_only: list.faults_only(),
    };
    title.draw((world, Some(list.filter())), look, areas.title, buffer);
    if list.shown().is_empty() {
        let (heading, next) = nothing(view, world, look);
        empty(buffer, rows_from(area, areas.title.height), look, &heading, &next);
        return;
    }
    let grid = Grid::new(columns(list.rows()), areas.rows, look);
    let sorted = match list.sorted_by() {
        Sort::Name => NAME,
        Sort::Health => HEALTH,
        Sort::Routes => ROUTES,
        Sort::Backup => BACKUP,
    };
    grid.head(buffer, areas.head, Some(sorted));
    let query = list.filter().query();
    list.draw(&grid, look, (areas.rows, buffer), |index, selected| {
        Some(cells(list.rows().get(index)?, look, query, selected))
    });
    if let Some(environment) = view.selected_in(world) {
        detail(&Summary::of(environment, world, look.now), world, look, areas.detail, buffer);
    }
}

fn columns(rows: &Rows) -> Vec<Column> {
    let short = |of: fn(&Row) -> &Short| rows.widest(|row| width(of(row)));
    let healths = rows.widest(|row| counted(row.healths.iter().map(|(_, count)| *count)));
    let routes = rows.widest(|row| counted(row.routes.iter().map(|(_, count)| *count)));
    let says = |of: fn(&Row) -> bool| rows.any(of);
    vec![
        Column::content("NAME", 0, (6, 16, 30), rows.widest(|row| format::width(&row.name))),
        Column::fixed("PROD", 6, 4).shown_if(says(|row| row.production)),
        Column::content("HEALTH", 1, (8, 14, 24), healths),
        Column::content("ROUTES", 2, (8, 10, 16), routes),
        Column::content("CLASS", 3, (7, 16, 34), short(|row| &row.answers)),
        Column::content("TLS", 4, (4, 11, 28), short(|row| &row.tls)),
        Column::fixed("ISOLATION", 5, 9),
        Column::content("OPEN TO", 7, (8, 13, 30), short(|row| &row.open_to)),
        Column::content("HOSTS", 8, (6, 14, 36), short(|row| &row.hosts)),
        Column::fixed("BACKUP", 9, 8).shown_if(says(|row| row.kept.is_some())),
        Column::fixed("NEXT", 10, 6).shown_if(says(|row| row.next().is_some())),
        Column::fixed("DRIFT", 11, 7),
        Column::content("NAMESPACE", 12, (9, 14, 30), rows.widest(|row| format::width(&row.namespace))),
    ]
}

fn cells(row: &Row, look: &Look<'_>, query: &Query, selected: bool) -> Vec<Line<'static>> {
    let quiet = if selected { Role::Text } else { Role::Muted };
    let said = |(role, text): &Short| {
        let role = if *role == Role::Muted { quiet } else { *role };
        Line::from(look.span(role, text.clone()))
    };
    let next = row.next().zip(look.now).map(|(at, now)| format::until(now, at));
    vec![
        name(&row.name, look, query),
        Line::from(look.span(Role::Warn, if row.production { "prod" } else { "" })),
        Line::from(health_spans(&row.healths, look)),
        Line::from(route_spans(&row.routes, look)),
        said(&row.answers),
        said(&row.tls),
        said(&row.isolation),
        said(&row.open_to),
        said(&row.hosts),
        Line::from(row.kept.map_or_else(|| look.span(quiet, "–"), |kept| kept_span(kept, look, quiet))),
        Line::from(look.span(quiet, next.unwrap_or_else(|| "–".to_owned()))),
        said(&row.drift),
        Line::from(look.span(quiet, row.namespace.clone())),
    ]
}

/// The name, with the characters that a filter matched.
fn name(name: &str, look: &Look<'_>, query: &Query) -> Line<'static> {
    let matched = query.highlights(name);
    if matched.is_empty() {
        return Line::from(look.span(Role::Title, name.to_owned()));
    }
    let spans = name.chars().enumerate().map(|(index, character)| {
        let mut span = look.span(Role::Title, character.to_string());
        if matched.contains(&index) {
            span.style = span.style.patch(look.style(Role::Key)).add_modifier(Modifier::UNDERLINED);
        }
        span
    });
    Line::from(spans.collect::<Vec<Span<'static>>>())
}

/// What there is to say about the selected row, under a rule that names it.
fn detail(summary: &Summary<'_>, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let environment = summary.environment;
    paint::rule(buffer, area, look.style(Role::Border));
    let title = Line::from(look.span(Role::Title, format!(" {} ", environment.name)));
    let right = format!(" namespace {} ", environment.namespace);
    let right = Line::from(look.span(Role::Muted, right)).right_aligned();
    if title.width() + right.width() + 8 < usize::from(area.width) {
        paint::line(buffer, inset(row(area, 0), 2), right);
    }
    paint::line(buffer, inset(row(area, 0), 2), title);
    let text = inset(rows_from(area, 1), 1);
    paint::lines(buffer, text, about(summary, world, look, usize::from(text.width)));
}

/// What an empty table says, and what to do next.
fn nothing(view: &EnvironmentsView, world: &World, look: &Look<'_>) -> (String, Vec<String>) {
    let key = |command| look.key(command, Layer::Table);
    let words = |heading: &str, next: Vec<String>| (heading.to_owned(), next);
    if view.list.len() > 0 {
        let next = format!("{} shows everything again", key(Command::Back));
        return words(
            if view.list.faults_only() { "Nothing is wrong here" } else { "Nothing matches" },
            vec![next],
        );
    }
    match &world.cluster.link {
        Link::Connecting => words(
            "Connecting to the cluster …",
            vec!["what is known appears as soon as it answers".to_owned()],
        ),
        Link::Stale { problem, .. } => words(&problem.what, vec![problem.next.clone()]),
        Link::Live => words(
            "No environments yet",
            vec![
                "An environment is a group of applications in one namespace: it is reached, backed up and cloned as a whole."
                    .to_owned(),
                format!(
                    "{} makes the first one. {} deploys an application, and its environment with it.",
                    key(Command::NewEnvironment),
                    key(Command::NewDeployment)
                ),
            ],
        ),
    }
}
