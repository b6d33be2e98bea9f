//! What there is to say about an environment in a few lines, the most pressing first: below the table.

use ratatui::text::{Line, Span};

use super::summary::{Missing, Summary};
use crate::domain::environment::answers;
use crate::domain::world::{Application, Whose};
use crate::domain::{Health, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::facts::{astray_mark, headline, is_astray};
use crate::ui::views::keeping::{Keeping, Worry};
use crate::ui::views::progress;
use crate::ui::views::routes::{Standing, place_line};

/// The lines, for a text of this width.
pub fn about(summary: &Summary<'_>, world: &World, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![applications(summary, look, width)];
    lines.extend(route(summary, look, width));
    lines.extend(missing(summary, look, width));
    lines.extend(backups(summary, world, look, width));
    lines.extend(operation(summary, look, width));
    // the line below has the class and the kind already
    let known = summary.environment.routing.via.as_ref().is_some_and(|via| !via.controller.is_empty());
    lines.extend(known.then(|| Line::from(look.span(Role::Muted, answers(summary.environment)))));
    lines.push(Line::from(place_line(summary.environment, world, (look, width))));
    lines
}

/// The worst application, and why it is so.
fn applications(summary: &Summary<'_>, look: &Look<'_>, width: usize) -> Line<'static> {
    let Some(worst) = summary.worst_first().first().copied() else {
        let key = look.key(Command::NewDeployment, Layer::Table);
        let said = vec![
            look.span(Role::Muted, "○ No applications yet: "),
            look.span(Role::Key, key),
            look.span(Role::Muted, " deploys one"),
        ];
        return Line::from(said);
    };
    let health = worst.health();
    let told = |application: &Application, mark: Span<'static>| {
        let cause = headline(application);
        let said = if cause.is_empty() { application.health().as_str().to_owned() } else { cause };
        let name = format!(" {}: ", application.deployment.draft.name);
        let said = format::cut(&said, width.saturating_sub(format::width(&name) + 1));
        Line::from(vec![mark, look.span(Role::Title, name), look.span(Role::Text, said)])
    };
    if health > Health::Suspended {
        return told(worst, look.mark(health));
    }
    match summary.worst_first().into_iter().find(|it| is_astray(it)) {
        Some(astray) => told(astray, astray_mark(astray, look)),
        None => {
            let said = calm(health, summary.applications.len());
            Line::from(vec![look.mark(health), look.span(Role::Text, format!(" {said}"))])
        }
    }
}

/// What is said where nothing is wrong, and this is the worst health of so many.
fn calm(worst: Health, count: usize) -> String {
    match (worst, count) {
        (Health::Stopped, 1) => "Its application is stopped on purpose".to_owned(),
        (Health::Suspended, 1) => "Its application is paused on purpose".to_owned(),
        (_, 1) => "Its application is healthy".to_owned(),
        (Health::Healthy, count) => format!("All {count} applications are healthy"),
        (_, count) => format!("All {count} applications are healthy, or rest on purpose"),
    }
}

/// The route that is worst, and why it fails.
fn route(summary: &Summary<'_>, look: &Look<'_>, width: usize) -> Option<Line<'static>> {
    let all = summary.applications.iter().flat_map(|it| it.routes.iter().map(move |route| (*it, route)));
    let (application, route) = all.min_by_key(|(it, route)| Standing::of(it, route))?;
    let standing = Standing::of(application, route);
    let reason = route.trouble.first().filter(|_| standing.is_fault())?;
    let host = format!(" {}: ", format::cut(&route.host, width / 2));
    let reason = format::cut(reason, width.saturating_sub(format::width(&host) + 1));
    Some(Line::from(vec![standing.glyph(look), look.span(Role::Title, host), look.span(Role::Text, reason)]))
}

/// What of itself is not there; last, what is not there yet.
fn missing(summary: &Summary<'_>, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let namespace = &summary.environment.namespace;
    let tell = |missing: Missing<'_>| {
        let said = match missing {
            Missing::Namespace => format!("there is no namespace {namespace}"),
            Missing::Gateway(why) => format!("its Gateway does not answer: {why}"),
            Missing::Ingress => "its own ingress is not deployed".to_owned(),
        };
        let said = format::cut(&said, width.saturating_sub(2));
        Line::from(vec![look.span(Role::Warn, "▲ "), look.span(Role::Text, said)])
    };
    let mut lines: Vec<Line<'static>> = summary.missing().into_iter().map(tell).collect();
    let gone = summary.place.is_some_and(|place| place.namespace == Whose::Missing);
    if gone && summary.applications.is_empty() {
        let said = format!("its namespace {namespace} is made by the first deployment");
        lines.push(Line::from(look.span(Role::Muted, said)));
    }
    lines
}

/// The application that is kept worst, and why.
fn backups(summary: &Summary<'_>, world: &World, look: &Look<'_>, width: usize) -> Option<Line<'static>> {
    summary.kept.filter(|kept| kept.worry)?;
    let keeping = |it: &Application| Keeping::of(it, world, world.backups_of(it), look.now);
    let each = summary.applications.iter().copied().map(|it| (&it.deployment.draft.name, keeping(it)));
    let worried = each.filter_map(|(name, its)| Some((name, its.worry?, its.good.is_some())));
    let (name, worry, has_good) = worried.min_by_key(|(_, worry, good)| (*good, *worry == Worry::Old))?;
    let said = match worry {
        _ if !has_good => format!("backups: there is no good one of {name}"),
        Worry::Old => format!("backups: the last good one of {name} is too old"),
        Worry::Never | Worry::FailedSince => format!("backups: one of {name} failed since the last good one"),
    };
    let said = format::cut(&said, width.saturating_sub(2));
    Some(Line::from(vec![look.span(Role::Warn, "▲ "), look.span(Role::Text, said)]))
}

fn operation(summary: &Summary<'_>, look: &Look<'_>, width: usize) -> Option<Line<'static>> {
    let view = summary.operation?;
    let ago = look.ago(view.operation.times.ended.unwrap_or(view.operation.times.created));
    let standing = progress::Standing::of(view).span(look);
    let room = width.saturating_sub(standing.width() + format::width(&ago) + 4);
    let title = format::cut(&view.operation.plan.title, room);
    Some(Line::from(vec![
        standing,
        Span::raw("  "),
        look.span(Role::Text, title),
        look.span(Role::Muted, format!("  {ago}")),
    ]))
}
