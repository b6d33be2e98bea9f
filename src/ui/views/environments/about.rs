//! What there is to say about an environment in a few lines, the most pressing first: below the table.

use ratatui::text::{Line, Span};

use super::summary::Summary;
use crate::domain::environment::answers;
use crate::domain::world::Whose;
use crate::domain::{Health, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::facts::headline;
use crate::ui::views::progress;
use crate::ui::views::routes::{Standing, place_line};

/// The lines, for a text of this width.
pub fn about(summary: &Summary<'_>, world: &World, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![applications(summary, look, width)];
    lines.extend(route(summary, look, width));
    lines.extend(missing(summary, look));
    lines.extend(operation(summary, look, width));
    lines.push(Line::from(look.span(Role::Muted, answers(summary.environment))));
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
    let (health, count) = (worst.health(), summary.applications.len());
    if health <= Health::Suspended {
        let said = match count {
            1 => "Its application is as it should be".to_owned(),
            count => format!("All {count} applications are as they should be"),
        };
        return Line::from(vec![look.mark(Health::Healthy), look.span(Role::Text, format!(" {said}"))]);
    }
    let cause = headline(worst);
    let said = if cause.is_empty() { health.as_str().to_owned() } else { cause };
    let name = format!(" {}: ", worst.deployment.draft.name);
    let said = format::cut(&said, width.saturating_sub(format::width(&name) + 1));
    Line::from(vec![look.mark(health), look.span(Role::Title, name), look.span(Role::Text, said)])
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

/// What of itself is not there.
fn missing(summary: &Summary<'_>, look: &Look<'_>) -> Option<Line<'static>> {
    let environment = summary.environment;
    let gone = summary.place.is_some_and(|place| place.namespace == Whose::Missing);
    let refused = summary.place.and_then(|place| place.refused.clone());
    let said = match refused {
        _ if gone => format!("there is no namespace {}", environment.namespace),
        Some(why) => format!("its Gateway does not answer: {why}"),
        None if environment.dedicated_ingress.is_some() && summary.ingress().is_none() => {
            "its own ingress is not deployed".to_owned()
        }
        None => return None,
    };
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
