//! The lines of its routes: whether each works, how fast, how it was lately, and why not.

use ratatui::text::Span;

use super::{Item, Page};
use crate::domain::route::RouteView;
use crate::domain::world::Application;
use crate::ui::format;
use crate::ui::theme::Role;
use crate::ui::views::routes::{Standing, certificate, days_span};
use crate::ui::widgets::beats::beats;

/// The columns of the past probes.
const BEATS: usize = 16;
/// The columns from which on there is room for them.
const WIDE: usize = 96;
/// The columns of what the last one found, its age and its certificate.
const FOUND: usize = 36;

/// A route: its mark, URL and what was found; below it the reasons, when something is wrong.
pub fn route(page: &mut Page<'_>, application: &Application, route: &RouteView) {
    let look = page.look;
    let standing = Standing::of(application, route);
    let reasons = if standing == Standing::Stopped { Vec::new() } else { route.trouble.clone() };
    let history = !route.history.is_empty() && page.width >= WIDE;
    let room = page.width.saturating_sub(4 + FOUND + if history { BEATS + 2 } else { 0 });
    let widest = application.routes.iter().map(|it| format::width(&it.url)).max().unwrap_or(0);
    let column = widest.min(room).max(20);
    let url = format::cut(&route.url, column);
    let gap = " ".repeat(column.saturating_sub(format::width(&url)));
    let mut spans = vec![
        Span::raw("  "),
        standing.glyph(look),
        Span::raw(" "),
        look.link(url, &route.url),
        Span::raw(gap),
    ];
    spans.push(Span::raw("  "));
    if history {
        spans.extend(beats(look, &route.history, BEATS, standing > Standing::Works));
        spans.push(Span::raw("  "));
    }
    spans.extend(found(page, route, standing));
    page.add(Some(Item::Route(route.url.clone())), spans);
    for reason in reasons {
        let lead = vec![Span::raw("      ")];
        page.wrapped(None, lead, Role::Text, &reason);
    }
}

/// What the last probe found, when, and how long the certificate holds.
fn found(page: &Page<'_>, route: &RouteView, standing: Standing) -> Vec<Span<'static>> {
    let look = page.look;
    let mut spans = Vec::new();
    match &route.probe {
        _ if standing == Standing::Unprobed => spans.push(look.span(Role::Muted, "probes are off")),
        None => spans.push(look.span(Role::Muted, "not probed yet")),
        Some(probe) => {
            let role = if probe.works() || standing == Standing::Stopped { Role::Muted } else { Role::Fail };
            spans.push(look.span(role, format::probe(probe)));
            spans.push(look.span(Role::Muted, format!(", {}", look.roughly_ago(probe.at))));
        }
    }
    if let Some(days) = certificate(route).and_then(|shown| days_span(look, route, shown, Role::Muted)) {
        spans.push(look.span(Role::Muted, "  cert "));
        spans.push(days);
    }
    spans
}
