//! What stands around every tab of an application: its name and state, and the tabs.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use super::actions::manual;
use crate::domain::world::Application;
use crate::domain::{InstanceState, World};
use crate::ui::format;
use crate::ui::layout::{inset, row, rows_from};
use crate::ui::look::Look;
use crate::ui::screen::{ApplicationKey, Tab};
use crate::ui::theme::Role;
use crate::ui::views::facts;
use crate::ui::widgets::{empty, paint};

/// Where the parts of the view stand.
#[derive(Debug, Clone, Copy)]
pub struct Areas {
    /// Name and health.
    pub title: Rect,
    /// Driver, version, instance.
    pub facts: Rect,
    /// The tabs.
    pub tabs: Rect,
    /// The tab that is shown.
    pub content: Rect,
}

impl Areas {
    /// The parts for a body of this size.
    pub fn new(size: Size) -> Self {
        Self::inside(Rect::new(0, 0, size.width, size.height))
    }

    /// The parts of `area`: the content comes first, then the title, the tabs, the facts.
    pub fn inside(area: Rect) -> Self {
        let (title, facts, tabs) = match area.height {
            0..4 => (0, 0, 0),
            4..8 => (1, 0, 1),
            8..12 => (1, 1, 1),
            12.. => (1, 1, 2),
        };
        Self {
            title: Rect { height: title, ..area },
            facts: Rect { height: facts, ..rows_from(area, title) },
            tabs: Rect { height: tabs, ..rows_from(area, title + facts) },
            content: rows_from(area, title + facts + tabs),
        }
    }
}

/// Draws name, environment and health, and the facts below.
pub fn head(application: &Application, look: &Look<'_>, areas: &Areas, buffer: &mut Buffer) {
    let draft = &application.deployment.draft;
    let left = Line::from(vec![
        look.span(Role::Muted, "Applications › "),
        look.span(Role::Title, draft.name.clone()),
        look.span(Role::Muted, format!(" in {}", draft.environment)),
    ]);
    let title = inset(areas.title, 1);
    let right = Line::from(look.health(application.health())).right_aligned();
    let left_width = title.width.saturating_sub(u16::try_from(right.width()).unwrap_or(0) + 2);
    paint::line(buffer, title, right);
    paint::line(buffer, Rect { width: left_width, ..title }, left);
    paint::line(buffer, inset(areas.facts, 1), facts(application, look));
}

fn facts(application: &Application, look: &Look<'_>) -> Line<'static> {
    let draft = &application.deployment.draft;
    let mut facts = vec![("version", facts::version(application)), ("instance", instance(application))];
    facts.push(("driver", draft.driver.to_string()));
    facts.push(("phase", application.deployment.phase.as_str().to_owned()));
    facts.push(("age", look.age(application.deployment.created_at)));
    if application.namespace != draft.environment {
        facts.push(("namespace", application.namespace.clone()));
    }
    let spans = facts.into_iter().flat_map(|(label, value)| {
        [look.span(Role::Muted, format!("{label} ")), look.span(Role::Text, value), Span::raw("   ")]
    });
    Line::from(spans.collect::<Vec<_>>())
}

/// The instance that counts, and where the newest one stands when that is another.
fn instance(application: &Application) -> String {
    let numbers = facts::instance(application);
    match &application.instance {
        Some(newest) if newest.state != InstanceState::Active => {
            format!("{numbers} {}", newest.state.as_str())
        }
        _ => numbers,
    }
}

/// Draws the tabs, and a rule below them where there is room.
pub fn tabs(
    (application, world): (&Application, &World),
    current: Tab,
    look: &Look<'_>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let room = usize::from(inset(area, 1).width);
    // where there is no room for it, the gaps give way first, then how much there is in each
    let named = |counted: bool| Tab::ALL.map(|tab| label(application, world, tab, counted));
    let wide = |labels: &[String], gap: usize| {
        labels.iter().map(|it| format::width(it)).sum::<usize>() + (labels.len() - 1) * gap <= room
    };
    let full = named(true);
    let (labels, gap) = match full {
        full if wide(&full, 3) => (full, 3),
        full if wide(&full, 2) => (full, 2),
        _ => (named(false), 2),
    };
    let mut spans = Vec::new();
    let mut underline = Vec::new();
    for (tab, name) in Tab::ALL.into_iter().zip(labels) {
        let (role, rule) = if tab == current { (Role::TabActive, "━") } else { (Role::Tab, "─") };
        let style = if tab == current { Role::Accent } else { Role::Border };
        underline.push(look.span(style, rule.repeat(format::width(&name))));
        underline.push(look.span(Role::Border, "─".repeat(gap)));
        spans.push(look.span(role, name));
        spans.push(Span::raw(" ".repeat(gap)));
    }
    spans.pop();
    underline.pop();
    paint::rule(buffer, row(area, 1), look.style(Role::Border));
    paint::line(buffer, inset(row(area, 0), 1), Line::from(spans));
    let under = inset(row(area, 1), 1);
    let shown: Vec<Span<'static>> = underline;
    let line = Line::from(shown);
    if line.width() <= usize::from(under.width) {
        paint::line(buffer, under, line);
    }
}

/// A tab's name, with how much there is in it when `counted`; the marks of what is wrong stay.
fn label(application: &Application, world: &World, tab: Tab, counted: bool) -> String {
    if !counted {
        let warned = application.events.iter().any(|event| event.warning);
        return match tab {
            Tab::Events if warned => "Events ▲".to_owned(),
            Tab::Drift if !application.drift.is_empty() => "Drift ≠".to_owned(),
            other => label(application, world, other, true).split(' ').next().unwrap_or_default().to_owned(),
        };
    }
    match tab {
        Tab::Overview => "Overview".to_owned(),
        Tab::Logs => "Logs".to_owned(),
        Tab::Objects => format!("Objects {}", application.objects.len()),
        Tab::Events => {
            let warnings = application.events.iter().filter(|event| event.warning).count();
            let mark = if warnings > 0 { " ▲" } else { "" };
            format!("Events {}{mark}", application.events.len())
        }
        Tab::History => format!("History {}", application.history.len()),
        Tab::Drift if application.drift.is_empty() => "Drift".to_owned(),
        Tab::Drift => format!("Drift {} ≠", application.drift.len()),
        Tab::Actions => match manual(application, world).len() {
            0 => "Actions".to_owned(),
            count => format!("Actions {count}"),
        },
        Tab::Backups => match world.backups_of(application).count() {
            0 => "Backups".to_owned(),
            count => format!("Backups {count}"),
        },
    }
}

/// Says that the application is not, or no longer, there.
pub fn gone(key: &ApplicationKey, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let heading = format!("{} in {} is not there", key.name, key.environment);
    let next = if world.generation == 0 {
        "The first picture has not come yet"
    } else {
        "It was just created and appears in a moment, or it was deleted"
    };
    empty(buffer, area, look, &heading, &[next.to_owned()]);
}
