//! Drawing the view of routes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::about::about;
use super::rows::{Sort, address, carrier};
use super::standing::{Standing, certificate, days_span};
use super::{RoutesView, place};
use crate::domain::World;
use crate::domain::route::{ProbeOutcome, RouteView};
use crate::domain::world::{Application, Link};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{inset, row, rows_from};
use crate::ui::look::Look;
use crate::ui::query::Query;
use crate::ui::theme::Role;
use crate::ui::views::facts::{self, Main};
use crate::ui::widgets::beats::{self, beats};
use crate::ui::widgets::table::{Column, Grid};
use crate::ui::widgets::{empty, paint};

const STATE: usize = 0;
const HOST: usize = 1;
const TIME: usize = 3;
const CERTIFICATE: usize = 4;
const HISTORY: usize = 5;

/// The rows below the table from which on there is room for the bars of the phases.
const TALL: u16 = 10;

/// Where the parts of the view stand.
#[derive(Debug, Clone, Copy)]
pub struct Areas {
    /// Tabs of the cockpit, filter, number of rows.
    pub title: Rect,
    /// What is said of the environment of the selected row.
    pub place: Rect,
    /// What is to be known of the cluster.
    pub warning: Rect,
    /// Headings of the columns.
    pub head: Rect,
    /// The rows.
    pub rows: Rect,
    /// What there is to say about the selected row.
    pub detail: Rect,
}

impl Areas {
    /// The parts, in what room there is: rows first, then headings, title, environment, and the selected row's detail. A banner takes
    /// as many rows as are `warned`.
    pub fn new(area: Rect, warned: u16) -> Self {
        let title = u16::from(area.height >= 5);
        let place = u16::from(area.height >= 7);
        let warning = if area.height >= 12 { warned } else { 0 };
        let head = u16::from(area.height >= 3);
        let detail = match area.height {
            0..9 => 0,
            9..14 => 3,
            14..30 => 6,
            30.. => TALL,
        };
        let rows = area.height.saturating_sub(title + place + warning + head + detail);
        let part = |from: u16, height: u16| {
            let left = rows_from(area, from);
            Rect { height: height.min(left.height), ..left }
        };
        Self {
            title: part(0, title),
            place: part(title, place),
            warning: part(title + place, warning),
            head: part(title + place + warning, head),
            rows: part(title + place + warning + head, rows),
            detail: rows_from(area, title + place + warning + head + rows),
        }
    }
}

/// Draws the view.
pub fn draw(view: &RoutesView, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let warning = warnings(world, area.width);
    let areas = Areas::new(area, u16::try_from(warning.len()).unwrap_or(0));
    let (list, rows) = (&view.list, view.list.rows());
    let title =
        facts::Title { shown: Main::Routes, narrowed: list.narrowed(), faults_only: list.faults_only() };
    title.draw((world, Some(list.filter())), look, areas.title, buffer);
    let warning = warning.into_iter().map(|line| Line::from(look.span(Role::Warn, line)));
    paint::lines(buffer, inset(areas.warning, 1), warning);
    paint::line(buffer, inset(areas.place, 1), place(view, world, look, area.width));
    if list.shown().is_empty() {
        let (heading, next) = nothing(view, world, look);
        let top = areas.title.height + areas.place.height + areas.warning.height;
        empty(buffer, rows_from(area, top), look, &heading, &next);
        return;
    }
    let grid = Grid::new(columns(view), areas.rows, look);
    let sorted = match list.sorted_by() {
        Sort::State => STATE,
        Sort::Host => HOST,
        Sort::Time => TIME,
        Sort::Certificate => CERTIFICATE,
    };
    grid.head(buffer, areas.head, Some(sorted));
    list.draw(&grid, look, (areas.rows, buffer), |index, selected| {
        let (application, route) = rows.find(index, world)?;
        let mut cells = cells((application, route), look, list.filter().query(), selected);
        let calm = rows.standing(index) > Standing::Works;
        cells[HISTORY] = Line::from(beats(look, &route.history, usize::from(grid.width(HISTORY)), calm));
        Some(cells)
    });
    if let Some((application, route)) = view.selected_in(world) {
        detail((application, route), look, areas.detail, buffer);
    }
}

/// What is to be known of the cluster, in lines of this width; two at most.
pub fn warnings(world: &World, width: u16) -> Vec<String> {
    let text: Vec<String> = world.cluster.warnings.iter().map(|warning| format!("▲ {warning}")).collect();
    let room = usize::from(width.saturating_sub(2));
    text.iter().flat_map(|warning| format::wrap(warning, room)).take(2).collect()
}

/// What is said of the environment that the selected row, or what is shown, belongs to.
fn place(view: &RoutesView, world: &World, look: &Look<'_>, width: u16) -> Line<'static> {
    let selected = view.selected_in(world).map(|(it, _)| it.deployment.draft.environment.as_str());
    let name = view.list.scope().or(selected);
    let found = name.and_then(|name| world.environment(name));
    let scope = if view.list.scope().is_some() { "only " } else { "" };
    let room = usize::from(width).saturating_sub(scope.len() + 2);
    let mut spans = found.map_or_else(Vec::new, |found| place::line(found, world, (look, room)));
    spans.insert(0, look.span(Role::Warn, scope));
    Line::from(spans)
}

fn columns(view: &RoutesView) -> Vec<Column> {
    let widths = view.list.rows().widths();
    let most = u16::try_from(beats::MOST).unwrap_or(u16::MAX);
    vec![
        Column::fixed("STATE", 0, 10),
        Column::content("HOST", 1, (16, 28, 44), widths.host),
        Column::fixed("CODE", 2, 7),
        Column::fixed("   TIME", 3, 7),
        Column::fixed("CERT", 5, 6).shown_if(view.list.rows().is_secure()),
        Column::rest("HISTORY", 4, 8, most.min(16)),
        Column::content("APPLICATION", 6, (11, 16, 26), widths.application),
        Column::content("ENV", 7, (4, 10, 18), widths.environment),
        Column::fixed("PROBED", 8, 6),
        Column::content("SERVICE", 9, (7, 12, 20), widths.service),
        Column::content("CLASS", 10, (7, 20, 28), widths.carrier),
        Column::content("ADDRESS", 11, (7, 15, 40), widths.address),
    ]
}

fn cells(
    (application, route): (&Application, &RouteView),
    look: &Look<'_>,
    query: &Query,
    selected: bool,
) -> Vec<Line<'static>> {
    let quiet = if selected { Role::Text } else { Role::Muted };
    let draft = &application.deployment.draft;
    let standing = Standing::of(application, route);
    let said = |text: String| Line::from(look.span(quiet, text));
    let days = certificate(route).and_then(|shown| days_span(look, route, shown, quiet));
    let unsure = if route.url.starts_with("https://") { "?" } else { "–" };
    let probe = route.probe.as_ref();
    vec![
        Line::from(standing.span(look)),
        host(route, look, query),
        Line::from(code(route, look, standing)),
        Line::from(look.span(Role::Text, probe.map(|it| format::millis(it.millis())).unwrap_or_default()))
            .right_aligned(),
        Line::from(days.unwrap_or_else(|| look.span(quiet, unsure))),
        Line::default(),
        said(draft.name.clone()),
        said(draft.environment.clone()),
        said(probe.map_or_else(|| "–".to_owned(), |probe| look.roughly(probe.at))),
        said(route.service.clone()),
        said(carrier(route)),
        said(address(route)),
    ]
}

/// The host, which leads to the URL, with the characters that a filter matched.
fn host(route: &RouteView, look: &Look<'_>, query: &Query) -> Line<'static> {
    let matched = query.highlights(&route.host);
    if matched.is_empty() {
        return Line::from(look.link(route.host.clone(), &route.url));
    }
    let spans = route.host.chars().enumerate().map(|(index, character)| {
        let mut span = look.link(character.to_string(), &route.url);
        if matched.contains(&index) {
            span.style = span.style.patch(look.style(Role::Key)).add_modifier(Modifier::UNDERLINED);
        }
        span
    });
    Line::from(spans.collect::<Vec<_>>())
}

/// The status code, or the phase that failed.
fn code(route: &RouteView, look: &Look<'_>, standing: Standing) -> Span<'static> {
    let Some(probe) = &route.probe else { return look.span(Role::Muted, "–") };
    let role = match &probe.outcome {
        _ if matches!(standing, Standing::Stopped | Standing::Unprobed) => Role::Muted,
        ProbeOutcome::Failed { .. } => Role::Fail,
        ProbeOutcome::Answered(_) if !probe.works() => Role::Fail,
        ProbeOutcome::Answered(400..) => Role::Warn,
        ProbeOutcome::Answered(_) => Role::Text,
    };
    look.span(role, format::probe_code(probe))
}

/// What there is to say about the selected row, under a rule that names it.
fn detail(
    (application, route): (&Application, &RouteView),
    look: &Look<'_>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let draft = &application.deployment.draft;
    paint::rule(buffer, area, look.style(Role::Border));
    let said = route.service.is_empty() || route.service == draft.name;
    let of = if said { String::new() } else { format!("{} of ", route.service) };
    let title = Line::from(look.span(Role::Title, format!(" {of}{} in {} ", draft.name, draft.environment)));
    let probed = match &route.probe {
        Some(probe) => format!(" probed {} ", look.roughly_ago(probe.at)),
        None => " not probed yet ".to_owned(),
    };
    let right = Line::from(look.span(Role::Muted, probed)).right_aligned();
    if title.width() + right.width() + 8 < usize::from(area.width) {
        paint::line(buffer, inset(row(area, 0), 2), right);
    }
    paint::line(buffer, inset(row(area, 0), 2), title);
    let text = inset(rows_from(area, 1), 1);
    paint::lines(
        buffer,
        text,
        about(application, route, look, (usize::from(text.width), area.height >= TALL)),
    );
}

/// What an empty table says, and what to do next.
fn nothing(view: &RoutesView, world: &World, look: &Look<'_>) -> (String, Vec<String>) {
    let words = |heading: &str, next: &str| (heading.to_owned(), vec![next.to_owned()]);
    let key = |command| look.key(command, Layer::Table);
    if view.list.len() > 0 {
        return words("Nothing matches", &format!("{} clears the filter", key(Command::Back)));
    }
    let record = world.cluster.record.as_ref();
    let has_suffix = world.environments.iter().any(|environment| environment.suffix(record).is_some());
    match &world.cluster.link {
        Link::Connecting => {
            words("Connecting to the cluster …", "what is known appears as soon as it answers")
        }
        Link::Stale { problem, .. } => words(&problem.what, &problem.next),
        Link::Live if world.applications.is_empty() => {
            words("No routes yet", &format!("Press {} to deploy an application", key(Command::NewDeployment)))
        }
        Link::Live if !has_suffix => {
            let next = format!(
                "Host names are made under a suffix, and neither the cluster nor an environment has one: {} says it",
                key(Command::ConfigureEnvironment)
            );
            words("No application has a URL", &next)
        }
        Link::Live => {
            words("No application has a URL", "none of their drivers has a service for the outside")
        }
    }
}
