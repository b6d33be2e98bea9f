//! Drawing the applications.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::ApplicationsView;
use super::rows::{Sort, Widths};
use crate::domain::world::{Application, Installed, Link};
use crate::domain::{Health, World};
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{inset, row, rows_from};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::facts::{self, Main};
use crate::ui::views::keeping::{self, Keeping, Worry};
use crate::ui::views::progress;
use crate::ui::views::routes::Standing;
use crate::ui::widgets::table::{Column, Grid};
use crate::ui::widgets::{empty, paint};
use crate::ui::{format, query::Query};

/// The width from which there is room for both a health and what is being done.
const WIDE: u16 = 150;

const HEALTH: usize = 0;
const URL: usize = 5;
const BACKUP: usize = 6;
const AGE: usize = 9;

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
            0..8 => 0,
            8..14 => 2,
            14.. => 3,
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
pub fn draw(view: &ApplicationsView, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let areas = Areas::new(area);
    let (list, rows) = (&view.list, view.list.rows());
    let title = facts::Title {
        shown: Main::Applications,
        narrowed: list.narrowed(),
        faults_only: list.faults_only(),
    };
    title.draw((world, Some(list.filter())), look, areas.title, buffer);
    if list.shown().is_empty() {
        let (heading, next) = nothing(view, world, look);
        empty(buffer, rows_from(area, areas.title.height), look, &heading, &next);
        return;
    }
    let grid = Grid::new(columns(view, area.width), areas.rows, look);
    let told = Told::within(grid.width(HEALTH), rows.widths());
    let sorted = match list.sorted_by() {
        Sort::Name => None,
        Sort::Health => Some(HEALTH),
        Sort::Age => Some(AGE),
        Sort::Backup => Some(BACKUP),
    };
    grid.head(buffer, areas.head, sorted);
    list.draw(&grid, look, (areas.rows, buffer), |index, selected| {
        let application = world.applications.get(index)?;
        let kept = (grid.width(BACKUP) > 0).then(|| kept(application, world, look));
        let room = (grid.width(URL), kept);
        let mut cells = cells(application, (look, room), list.filter().query(), selected);
        let room = usize::from(grid.width(HEALTH));
        cells[HEALTH] = status(application, rows.doing(index), (told, room), look);
        Some(cells)
    });
    if let Some(application) = view.selected_in(world) {
        detail(application, world, look, areas.detail, buffer);
    }
}

fn columns(view: &ApplicationsView, width: u16) -> Vec<Column> {
    let widths = view.list.rows().widths();
    let health = if width >= WIDE { widths.health } else { widths.status };
    // Nobody needs an empty column.
    let cause = if widths.cause == 0 { u16::MAX } else { 24 };
    let keeps = view.list.rows().keeps();
    vec![
        Column::content("HEALTH", 0, (13, 13, 40), health),
        Column::content("NAME", 1, (8, 18, 32), widths.name),
        Column::content("ENV", 3, (6, 10, 20), widths.environment),
        Column::content("VERSION", 4, (7, 15, 24), widths.version),
        Column::fixed("READY", 2, 5),
        Column::whole("URL", 6, 5, widths.url.saturating_add(2).min(48)),
        Column::fixed("BACKUP", 5, 6).shown_if(keeps),
        Column::fixed("PROVEN", 7, 6).shown_if(keeps),
        Column::fixed("INSTANCE", 10, 8),
        Column::fixed("AGE", 8, 4),
        Column::rest("CAUSE", 9, cause, cause),
    ]
}

/// How well an application is kept.
fn kept<'a>(application: &Application, world: &'a World, look: &Look<'_>) -> Keeping<'a> {
    Keeping::of(application, world, world.backups_of(application), look.now)
}

/// Why it is not kept as it should be.
fn unkept(application: &Application, world: &World, look: &Look<'_>) -> Option<String> {
    let kept = keeping::is_used(world).then(|| kept(application, world, look))?;
    let good = kept.good.map(|good| look.ago(good.created));
    Some(match (kept.worry?, good) {
        (Worry::Never, _) | (_, None) => "There is no good backup of it".to_owned(),
        (Worry::Old, Some(ago)) => format!("Its last good backup is too old: {ago}"),
        (Worry::FailedSince, Some(ago)) => format!("A backup failed since the last good one, {ago}"),
    })
}

/// The cells of a row; the URL's depends on the room that it has.
fn cells(
    application: &Application,
    (look, (url_width, kept)): (&Look<'_>, (u16, Option<Keeping<'_>>)),
    query: &Query,
    selected: bool,
) -> Vec<Line<'static>> {
    let draft = &application.deployment.draft;
    let (ready, desired) = facts::ready(application);
    let ready_role = if ready < desired { Role::Warn } else { Role::Text };
    let moving = facts::version(application).contains('→') || application.active.is_none();
    let quiet = if selected { Role::Text } else { Role::Muted };
    vec![
        Line::default(),
        name(&draft.name, look, query),
        Line::from(look.span(quiet, draft.environment.clone())),
        Line::from(look.span(if moving { Role::Progress } else { Role::Text }, facts::version(application))),
        Line::from(look.span(ready_role, format!("{ready}/{desired}"))),
        url(application, look, quiet, url_width),
        Line::from(kept.map_or_else(Span::default, |kept| kept.age(look, quiet))),
        Line::from(kept.map_or_else(Span::default, |kept| proven(&kept, look, quiet))),
        Line::from(look.span(quiet, facts::instance(application))),
        Line::from(look.span(quiet, look.age(application.deployment.created_at))),
        Line::from(look.span(quiet, facts::headline(application))),
    ]
}

/// When a backup of it was last proven restorable.
fn proven(kept: &Keeping<'_>, look: &Look<'_>, quiet: Role) -> Span<'static> {
    match kept.proven {
        Some(proven) => look.span(Role::Ok, look.age(proven)),
        None => look.span(quiet, if kept.good.is_some() { "never" } else { "–" }),
    }
}

/// What there is room for under HEALTH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// How it is.
    Health,
    /// What is being done to it takes the place of the health's word; its sign stays.
    Doing,
    /// How it is, and what is being done to it.
    Both,
}

impl Told {
    fn within(width: u16, widths: Widths) -> Self {
        match width {
            _ if width >= widths.health => Self::Both,
            _ if width >= widths.status => Self::Doing,
            _ => Self::Health,
        }
    }
}

/// How it is, what is being done to it, and whether it drifted.
fn status(
    application: &Application,
    (doing, held): (&str, bool),
    (told, room): (Told, usize),
    look: &Look<'_>,
) -> Line<'static> {
    let health = application.health();
    let role = if held { Role::Warn } else { Role::Progress };
    let mut spans = match (doing, told) {
        ("", _) | (_, Told::Health) => vec![look.health(health)],
        (doing, Told::Both) => vec![look.health(health), look.span(role, format!("  {doing}"))],
        (doing, Told::Doing) => vec![look.mark(health), look.span(role, format!(" {doing}"))],
    };
    let used: usize = spans.iter().map(Span::width).sum();
    // A cut word would say less than a mark adds.
    if !application.drift.is_empty() && used + 2 <= room {
        spans.push(look.span(Role::Warn, " ≠"));
    }
    Line::from(spans)
}

/// The name, with the characters that a filter matched.
fn name(name: &str, look: &Look<'_>, query: &Query) -> Line<'static> {
    let matched = query.highlights(name);
    let hit = look.style(Role::Key).add_modifier(Modifier::UNDERLINED);
    let spans = name.chars().enumerate().map(|(index, character)| {
        let style = if matched.contains(&index) { hit } else { look.style(Role::Title) };
        Span::styled(character.to_string(), style)
    });
    if matched.is_empty() {
        Line::from(look.span(Role::Title, name))
    } else {
        Line::from(spans.collect::<Vec<_>>())
    }
}

/// Whether the first URL works, and its host where that fits; else what the probe found.
fn url(application: &Application, look: &Look<'_>, quiet: Role, width: u16) -> Line<'static> {
    let Some(first) = application.routes.first() else { return Line::from(look.span(quiet, "–")) };
    let mark = Standing::of(application, first).glyph(look);
    let host = format::short_url(&first.url);
    let room = usize::from(width.saturating_sub(2));
    let text = match &first.probe {
        _ if format::width(host) <= room || room >= 16 => look.link(host, &first.url),
        Some(probe) => Span::styled(format::probe_code(probe), mark.style),
        None => look.span(quiet, "…"),
    };
    Line::from(vec![mark, Span::raw(" "), text])
}

/// Two lines about the selected row, under a rule that names it: how it is and why; its URL, or what to do.
fn detail(application: &Application, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let draft = &application.deployment.draft;
    paint::rule(buffer, area, look.style(Role::Border));
    let name = format!(" {} in {} ", draft.name, draft.environment);
    paint::line(buffer, inset(row(area, 0), 2), Line::from(look.span(Role::Title, name)));
    let facts = format!(" {}  instance {} ", draft.driver, facts::instance(application));
    let facts = Line::from(look.span(Role::Muted, facts)).right_aligned();
    if usize::from(area.width) > facts.width() + draft.name.len() + draft.environment.len() + 12 {
        paint::line(buffer, inset(row(area, 0), 2), facts);
    }
    paint::line(buffer, inset(row(area, 1), 1), why(application, world, look));
    paint::line(buffer, inset(row(area, 2), 1), answer(application, look));
}

/// Why it is as it is: what stopped the engine, what holds an operation up, the innermost cause, what drifted.
fn why(application: &Application, world: &World, look: &Look<'_>) -> Line<'static> {
    let mut spans = vec![look.mark(application.health()), Span::raw(" ")];
    let held = progress::open(world, application).and_then(|view| Some((view, view.first_problem()?)));
    if let Some(problem) = &application.problem {
        spans.push(look.span(Role::Fail, format!("{}: ", problem.what)));
        spans.push(look.span(Role::Text, problem.why.replace('\n', " ")));
    } else if let Some((view, (_, problem))) = held {
        spans.push(look.span(Role::Warn, format!("{}: ", progress::short(view))));
        spans.push(look.span(Role::Text, format!("{}: {}", problem.what, problem.why.replace('\n', " "))));
    } else if let Some(cause) = application.verdict.innermost() {
        spans.push(look.span(Role::Title, format!("{} ", cause.reason)));
        spans.push(look.span(Role::Text, cause.message.replace('\n', " ")));
        spans.push(look.span(Role::Muted, format!("  {}", cause.object)));
    } else if !application.drift.is_empty() {
        let key = look.key(Command::ShowDrift, Layer::Table);
        spans.push(look.span(Role::Warn, format!("≠ {}", facts::headline(application))));
        spans.push(look.span(Role::Muted, format!("  {key} shows what differs")));
    } else if let Some(said) = unkept(application, world, look) {
        let key = look.key(Command::ShowItsBackups, Layer::Table);
        spans.push(look.span(Role::Warn, format!("▲ {said}")));
        spans.push(look.span(Role::Muted, format!("  {key} shows its backups")));
    } else {
        spans.push(look.span(Role::Muted, calm(application.health())));
    }
    Line::from(spans)
}

/// What a health without a cause says.
fn calm(health: Health) -> &'static str {
    match health {
        Health::Healthy => "Everything is as desired",
        Health::Stopped => "Stopped on purpose; its volumes are kept",
        Health::Suspended => "Paused on purpose",
        Health::Progressing => "On its way",
        Health::Missing => "Nothing of it exists yet",
        Health::Degraded => "It failed, and gives no reason",
        Health::Unknown => "It cannot be told how it is",
    }
}

fn answer(application: &Application, look: &Look<'_>) -> Line<'static> {
    if let Some(problem) = application.problem.as_ref().filter(|problem| !problem.next.is_empty()) {
        return Line::from(vec![
            look.span(Role::Muted, "  next "),
            look.span(Role::Text, problem.next.clone()),
        ]);
    }
    let Some(url) = application.routes.first() else {
        return Line::from(look.span(Role::Muted, "  It has no URL"));
    };
    let standing = Standing::of(application, url);
    let mut spans = match url.trouble.first().filter(|_| standing.is_fault()) {
        Some(reason) => vec![standing.glyph(look), look.span(Role::Text, format!(" {reason}"))],
        None => vec![look.probe(url.probe.as_ref(), true)],
    };
    spans.push(Span::raw("  "));
    spans.push(look.link(url.url.clone(), &url.url));
    if let Some(probe) = &url.probe {
        spans.push(look.span(Role::Muted, format!("  {}", look.roughly_ago(probe.at))));
    }
    Line::from(spans)
}

/// What an empty table says, and what to do next.
fn nothing(view: &ApplicationsView, world: &World, look: &Look<'_>) -> (String, Vec<String>) {
    let words = |heading: &str, next: &str| (heading.to_owned(), vec![next.to_owned()]);
    let key = |command| look.key(command, Layer::Table);
    if view.list.len() > 0 {
        return words("Nothing matches", &format!("{} clears the filter", key(Command::Back)));
    }
    match (&world.cluster.link, world.cluster.installed) {
        (Link::Connecting, _) => {
            words("Connecting to the cluster …", "what is known appears as soon as it answers")
        }
        (Link::Stale { problem, .. }, _) => words(&problem.what, &problem.next),
        (Link::Live, Installed::No) => {
            let next = format!("Press {} to see what an installation would write", key(Command::Install));
            words("Styrmin is not installed on this cluster", &next)
        }
        (Link::Live, Installed::Unknown) => words(
            "It is not known which applications there are",
            "either the cluster has not answered yet, or it denies to list styrmindeployments.styrmin.io",
        ),
        (Link::Live, _) => {
            let next = format!(
                "Press {} to deploy one: a driver, an environment, a version",
                key(Command::NewDeployment)
            );
            words("No applications yet", &next)
        }
    }
}
