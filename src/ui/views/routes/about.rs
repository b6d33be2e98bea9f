//! What there is to say about a route in a few lines, the most pressing first: below the table.

use ratatui::text::{Line, Span};

use super::standing::{Standing, certificate, days_span};
use crate::domain::route::{RouteKind, RouteView};
use crate::domain::world::Application;
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::waterfall;

/// The lines, as many as there is anything to say in, for a text of this width; where it is `tall` the phases have bars.
pub fn about(
    application: &Application,
    route: &RouteView,
    look: &Look<'_>,
    (width, tall): (usize, bool),
) -> Vec<Line<'static>> {
    let mut lines = why(application, route, look, width);
    lines.push(url(route, look));
    if let Some(probe) = &route.probe {
        if tall {
            let bars = waterfall::lines(look, probe, width).into_iter();
            // as far to the left as the lines around them
            lines.extend(bars.map(|spans| Line::from_iter(spans.into_iter().skip(1))));
        } else {
            let mut line = waterfall::line(look, probe);
            if let Some(address) = probe.address {
                line.spans.push(look.span(Role::Muted, format!("   from {address}")));
            }
            lines.push(line);
        }
    }
    lines.extend(shown_certificate(route, look));
    lines.push(behind(route, look));
    lines
}

/// How it is, and why: what is most pressing in a line of its own, and more of it where that is wide.
fn why(application: &Application, route: &RouteView, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let standing = Standing::of(application, route);
    let glyph = standing.glyph(look);
    let reasons = &route.trouble;
    if reasons.is_empty() || standing == Standing::Stopped {
        let said = match (standing, &route.probe) {
            (Standing::Stopped, _) => "Its application is stopped on purpose".to_owned(),
            (Standing::Unprobed, _) => "Probes are off in its environment".to_owned(),
            (_, Some(probe)) => format!("It answers {}", format::probe(probe)),
            (_, None) => "It was not probed yet".to_owned(),
        };
        return vec![Line::from(vec![glyph, Span::raw(" "), look.span(Role::Text, said)])];
    }
    let text = reasons.join("; ");
    let parts = format::wrap(&text, width.saturating_sub(2));
    let lead = |at: usize| if at == 0 { vec![glyph.clone(), Span::raw(" ")] } else { vec![Span::raw("  ")] };
    let line = |(at, part): (usize, String)| {
        let role = if at == 0 { Role::Title } else { Role::Text };
        Line::from([lead(at), vec![look.span(role, part)]].concat())
    };
    // two lines are enough here: its page has all of it
    parts.into_iter().take(2).enumerate().map(line).collect()
}

fn url(route: &RouteView, look: &Look<'_>) -> Line<'static> {
    let mut spans = vec![look.link(route.url.clone(), &route.url)];
    let keys = [(Command::TestRoute, "tests"), (Command::ShowQr, "QR code"), (Command::CopyUrl, "copies")];
    for (command, word) in keys {
        spans.push(look.span(Role::Key, format!("   {}", look.key(command, Layer::Table))));
        spans.push(look.span(Role::Muted, format!(" {word}")));
    }
    Line::from(spans)
}

fn shown_certificate(route: &RouteView, look: &Look<'_>) -> Option<Line<'static>> {
    let shown = certificate(route)?;
    let mut spans = vec![look.span(Role::Muted, "certificate ")];
    spans.push(look.span(Role::Text, shown.subject.clone()));
    spans.push(look.span(Role::Muted, format!(" by {}   ", shown.issuer)));
    spans.extend(days_span(look, route, shown, Role::Text));
    if let Some(view) = &route.certificate {
        spans.push(look.span(Role::Muted, format!("   Secret {}", view.secret)));
    }
    Some(Line::from(spans))
}

/// What carries it, and what answers behind it.
fn behind(route: &RouteView, look: &Look<'_>) -> Line<'static> {
    let mut spans = vec![look.span(Role::Text, carried(route))];
    spans.push(look.span(Role::Muted, format!("   Service {}", route.backend)));
    spans.push(endpoints(route, look));
    Line::from(spans)
}

/// The object that carries it, whose it is, and where that answers: `Ingress/notes of class nginx at 10.0.0.1`.
pub fn carried(route: &RouteView) -> String {
    let object = match &route.object {
        Some(object) => format!("{}/{}", object.kind, object.name),
        None => format!("{}, which is not there yet", route.kind.as_str()),
    };
    let class = match (route.class.as_str(), route.kind) {
        ("", _) => String::new(),
        (gateway, RouteKind::HttpRoute) => format!(" of Gateway {gateway}"),
        (class, _) => format!(" of class {class}"),
    };
    let place = match route.addresses.as_slice() {
        [] => String::new(),
        addresses => format!(" at {}", addresses.join(", ")),
    };
    format!("{object}{class}{place}")
}

/// How many endpoints there are: ` 1 of 2 endpoints ready`.
pub fn endpoints(route: &RouteView, look: &Look<'_>) -> Span<'static> {
    match route.endpoints {
        None => look.span(Role::Muted, ""),
        Some(it) => {
            let role = match (it.ready, it.total) {
                (0, _) => Role::Fail,
                (ready, total) if ready < total => Role::Warn,
                _ => Role::Muted,
            };
            look.span(role, format!(" {} of {} endpoints ready", it.ready, it.total))
        }
    }
}
