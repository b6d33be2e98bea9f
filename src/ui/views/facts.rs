//! What several views say of an application in the same words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::backups::is_any_location_faulty;
use super::progress;
use super::routes::Standing;
use crate::domain::world::Application;
use crate::domain::{InstanceState, World};
use crate::ui::filter::Filter;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::inset;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::paint;

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
        None => match (application.verdict.headline(), application.drift.as_slice()) {
            (Some(cause), _) => cause.replace('\n', " "),
            (None, []) => String::new(),
            (None, [only]) => format!("drifted: {}", only.object),
            (None, [first, others @ ..]) => format!("drifted: {} and {} more", first.object, others.len()),
        },
    }
}

/// Whether there is something to say of it whatever its health: the engine stopped, or somebody else changed it.
pub fn is_astray(application: &Application) -> bool {
    application.problem.is_some() || !application.drift.is_empty()
}

/// The sign before the headline of such an application.
pub fn astray_mark(application: &Application, look: &Look<'_>) -> Span<'static> {
    match application.problem {
        Some(_) => look.span(Role::Fail, "✗"),
        None => look.span(Role::Warn, "≠"),
    }
}

/// The views that stand beside each other at the bottom of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Main {
    /// The applications.
    Applications,
    /// The drivers.
    Drivers,
    /// The operations.
    Operations,
    /// The backups.
    Backups,
    /// The routes.
    Routes,
    /// The environments.
    Environments,
}

/// What is told of the views that are not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    /// Their names, and how much there is in each.
    All,
    /// Their names, and what is wrong.
    Names,
    /// The same, with short names.
    Short,
    /// Nothing.
    None,
}

/// The columns that a filter needs at least.
const FILTER: usize = 26;

/// The first line of such a view: the views with their keys, and what narrows the one that is shown.
#[derive(Debug, Clone, Copy)]
pub struct Title {
    /// The view that is shown.
    pub shown: Main,
    /// How many of how many rows are shown, when not all are.
    pub narrowed: Option<(usize, usize)>,
    /// Only what somebody should look at is shown.
    pub faults_only: bool,
}

impl Title {
    /// The title of a view that shows everything.
    pub fn plain(shown: Main) -> Self {
        Self { shown, narrowed: None, faults_only: false }
    }

    /// Draws it. Where a filter would have no room, the other views' names give way.
    pub fn draw(
        self,
        (world, filter): (&World, Option<&Filter>),
        look: &Look<'_>,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let area = inset(area, 1);
        let filter = filter.filter(|filter| filter.is_open() || !filter.is_empty());
        let narrowed = filter.is_some() || self.faults_only;
        let needed = |line: &Line<'_>| line.width() + if filter.is_some() { FILTER } else { 0 };
        // the gaps give way first, then what is calm in the others, then their names; what narrows the view is always said
        let attempts = [
            (Others::All, 3),
            (Others::All, 2),
            (Others::All, 1),
            (Others::Names, 2),
            (Others::Names, 1),
            (Others::Short, 2),
        ];
        let tight = (!narrowed).then_some((Others::Short, 1));
        let mut lines = attempts.into_iter().chain(tight).map(|how| self.line(world, filter, look, how));
        let fits = lines.find(|line| needed(line) <= usize::from(area.width));
        // where even that has no room, the one that is shown must be seen
        let line = fits.unwrap_or_else(|| self.line(world, filter, look, (Others::None, 3)));
        let used = u16::try_from(line.width()).unwrap_or(area.width).min(area.width);
        paint::line(buffer, area, line);
        if let Some(filter) = filter.filter(|filter| filter.is_open()) {
            let place = Rect { x: area.x + used, width: area.width - used, ..area };
            filter.field().draw(buffer, place, look, true);
        }
    }

    fn line(
        self,
        world: &World,
        filter: Option<&Filter>,
        look: &Look<'_>,
        (others, gap): (Others, usize),
    ) -> Line<'static> {
        let mains = [
            (Main::Applications, Command::ShowApplications, ("Applications", "Apps")),
            (Main::Drivers, Command::ShowDrivers, ("Drivers", "Drivers")),
            (Main::Operations, Command::ShowOperations, ("Operations", "Ops")),
            (Main::Backups, Command::ShowBackups, ("Backups", "Backups")),
            (Main::Routes, Command::ShowRoutes, ("Routes", "Routes")),
            (Main::Environments, Command::ShowEnvironments, ("Environments", "Envs")),
        ];
        let mut spans = Vec::new();
        let is_told = |main: Main| others != Others::None || main == self.shown;
        for (main, command, (name, short)) in mains.into_iter().filter(|(main, ..)| is_told(*main)) {
            let role = if main == self.shown { Role::TabActive } else { Role::Tab };
            spans.push(look.span(Role::Muted, format!("{} ", look.key(command, Layer::Global))));
            let is_short = others == Others::Short && main != self.shown;
            spans.push(look.span(role, if is_short { short } else { name }));
            let narrowed = self.narrowed.filter(|_| main == self.shown);
            let (calm, failing) =
                narrowed.map_or_else(|| count(main, world), |(shown, all)| (format!("{shown} of {all}"), 0));
            if others == Others::All || main == self.shown {
                spans.push(look.span(Role::Muted, format!(" {calm}")));
            } else if let Some(mark) = calm.find('▲') {
                spans.push(look.span(Role::Muted, format!(" {}", &calm[mark..])));
            }
            if failing > 0 {
                spans.push(Span::raw(" "));
                spans.push(look.span(Role::Fail, format!("✗{failing}")));
            }
            spans.push(Span::raw(" ".repeat(gap)));
        }
        if !self.faults_only && filter.is_none() {
            spans.pop();
        }
        if self.faults_only {
            spans.push(look.span(Role::Warn, "  ▲ faults only"));
        }
        if let Some(filter) = filter {
            spans.push(look.span(Role::Key, "  / "));
            if !filter.is_open() {
                spans.push(look.span(Role::Text, filter.field().text()));
            }
        }
        Line::from(spans)
    }
}

/// What there is in a view, and how much of it fails where that is said beside it: of the operations, which pile up, only what has not
/// ended counts.
fn count(main: Main, world: &World) -> (String, usize) {
    let number = match main {
        Main::Applications => world.applications.len().to_string(),
        Main::Drivers => {
            // They stand by name: of several versions the first counts.
            let names = world.drivers.chunk_by(|a, b| a.reference.name == b.reference.name);
            names.count().to_string()
        }
        Main::Environments => world.environments.len().to_string(),
        Main::Operations => match progress::all_open(world).count() {
            0 => String::new(),
            open => format!("{open} open"),
        },
        Main::Backups => {
            let mark = if is_any_location_faulty(world) { " ▲" } else { "" };
            match world.backups.len() {
                0 => mark.to_owned(),
                count => format!("{count}{mark}"),
            }
        }
        Main::Routes => {
            let each = |it: &std::sync::Arc<Application>| {
                let failing = it.routes.iter().filter(|route| Standing::of(it, route) == Standing::Fails);
                (it.routes.len(), failing.count())
            };
            let sum = |sum: (usize, usize), its: (usize, usize)| (sum.0 + its.0, sum.1 + its.1);
            let (all, failing) = world.applications.iter().map(each).fold((0, 0), sum);
            return (all.to_string(), failing);
        }
    };
    (number, 0)
}
