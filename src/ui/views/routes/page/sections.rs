//! The sections of a route's page.

use ratatui::text::Span;

use super::{Item, Shown};
use crate::domain::route::{Beat, Certificate, CertificateView, Peer, Probe, RouteView};
use crate::ui::format;
use crate::ui::theme::Role;
use crate::ui::views::routes::about::{carried, endpoints};
use crate::ui::views::routes::act::component;
use crate::ui::views::routes::place;
use crate::ui::views::routes::standing::{Standing, days_span};
use crate::ui::widgets::beats::{MOST, beats};
use crate::ui::widgets::waterfall;

type Page<'a> = crate::ui::widgets::page::Page<'a, Item>;

/// All of them, what is most pressing first.
pub fn all(page: &mut Page<'_>, shown: Shown<'_>) {
    why(page, shown);
    reached(page, shown.route);
    last_probe(page, shown.route);
    history(page, shown.route);
    behind(page, shown);
    certificates(page, shown.route);
    environment(page, shown);
}

/// A label and what it says.
fn fact(page: &mut Page<'_>, item: Item, label: &str, role: Role, text: &str) {
    let lead = vec![page.look.span(Role::Muted, format!("  {label:<13}"))];
    page.wrapped(Some(item), lead, role, text);
}

/// A label, and what it says in several parts.
fn spans(page: &mut Page<'_>, item: Item, label: &str, said: Vec<Span<'static>>) {
    let mut spans = vec![page.look.span(Role::Muted, format!("  {label:<13}"))];
    spans.extend(said);
    page.add(Some(item), spans);
}

fn why(page: &mut Page<'_>, shown: Shown<'_>) {
    let look = page.look;
    let standing = Standing::of(shown.application, shown.route);
    let reasons = &shown.route.trouble;
    if reasons.is_empty() || standing == Standing::Stopped {
        return;
    }
    let fails = standing == Standing::Fails;
    page.heading(vec![look.span(Role::Section, if fails { "WHY IT FAILS" } else { "WHAT DOES NOT FIT" })]);
    for (index, reason) in reasons.iter().enumerate() {
        let glyph = if index == 0 { standing.glyph(look) } else { look.span(Role::Muted, "·") };
        let lead = vec![Span::raw("  "), glyph, Span::raw(" ")];
        let role = if index == 0 { Role::Title } else { Role::Text };
        page.wrapped(Some(Item::Text), lead, role, reason);
    }
}

/// The URL, and what carries it.
fn reached(page: &mut Page<'_>, route: &RouteView) {
    let look = page.look;
    page.section("ROUTE");
    spans(page, Item::Url, "URL", vec![look.link(route.url.clone(), &route.url)]);
    fact(page, Item::Text, "carried by", Role::Text, &carried(route));
}

fn last_probe(page: &mut Page<'_>, route: &RouteView) {
    let look = page.look;
    let Some(probe) = &route.probe else {
        page.section("LAST PROBE");
        let said = if route.unprobed { "probes are off in its environment" } else { "none yet" };
        page.add(Some(Item::Text), vec![look.span(Role::Muted, format!("  {said}"))]);
        return;
    };
    let title = look.span(Role::Section, "LAST PROBE");
    page.heading(vec![title, look.span(Role::Muted, format!("  {}", look.roughly_ago(probe.at)))]);
    for line in waterfall::lines(look, probe, page.width) {
        page.add(Some(Item::Text), line);
    }
    let answer = if probe.works() { Role::Ok } else { Role::Fail };
    let all = format!("{}, {} in all", format::probe_code(probe), format::micros(probe.micros()));
    spans(page, Item::Text, "outcome", vec![look.span(answer, all)]);
    names(page, probe);
    for (index, hop) in probe.hops.iter().enumerate() {
        let label = if index == 0 { "redirects" } else { "" };
        fact(page, Item::Text, label, Role::Text, &format!("{} → {}", hop.code, hop.location));
    }
}

/// What the host's name led to.
fn names(page: &mut Page<'_>, probe: &Probe) {
    if probe.addresses.is_empty() {
        return;
    }
    let mut addresses: Vec<String> = Vec::new();
    for address in &probe.addresses {
        let asked = probe.address == Some(*address) && probe.addresses.len() > 1;
        addresses.push(format!("{address}{}", if asked { " (asked)" } else { "" }));
    }
    fact(page, Item::Text, "DNS says", Role::Text, &addresses.join(", "));
}

/// What the last probes found: when one failed, and how long they took.
fn history(page: &mut Page<'_>, route: &RouteView) {
    let [first, .., last] = &*route.history else { return };
    let look = page.look;
    page.section("HISTORY");
    let shown = route.history.len().min(MOST).min(page.width.saturating_sub(2));
    let mut line = vec![Span::raw("  ")];
    line.extend(beats(look, &route.history, shown, route.unprobed));
    page.add(Some(Item::Text), line);
    let failed = route.history.iter().filter(|beat| !beat.works).count();
    let span = format::duration(first.at, last.at);
    let mut said =
        vec![look.span(Role::Muted, format!("  {} in {span}", format::count(route.history.len(), "probe")))];
    said.push(match failed {
        0 => look.span(Role::Ok, "   none failed"),
        failed => look.span(Role::Fail, format!("   {failed} failed")),
    });
    if let Some((fastest, usual, slowest)) = times(&route.history) {
        let [fastest, usual, slowest] = [fastest, usual, slowest].map(format::micros);
        said.push(
            look.span(Role::Muted, format!("   {fastest} at best, {usual} usually, {slowest} at worst")),
        );
    }
    page.add(None, said);
}

/// The shortest, the median and the longest time of the probes that worked.
fn times(history: &[Beat]) -> Option<(u32, u32, u32)> {
    let mut times: Vec<u32> = history.iter().filter(|beat| beat.works).map(|beat| beat.micros).collect();
    times.sort_unstable();
    Some((*times.first()?, *times.get(times.len() / 2)?, *times.last()?))
}

/// What answers behind the ingress.
fn behind(page: &mut Page<'_>, shown: Shown<'_>) {
    let look = page.look;
    let (application, route) = (shown.application, shown.route);
    let draft = &application.deployment.draft;
    page.section("BACKEND");
    let name = format!("{} in {} ", draft.name, draft.environment);
    let said = vec![look.span(Role::Text, name), look.health(application.health())];
    spans(page, Item::Application, "application", said);
    let service = vec![look.span(Role::Text, route.backend.clone()), endpoints(route, look)];
    spans(page, Item::Text, "Service", service);
    let Some(name) = component(application, route, shown.world) else { return };
    let mut said = vec![look.span(Role::Text, format!("{name} "))];
    if let Some(part) = application.components.iter().find(|part| part.name == name) {
        said.push(look.health(part.verdict.health));
        said.push(look.span(Role::Muted, format!("  {} of {} pods ready", part.ready, part.desired)));
    }
    spans(page, Item::Backend, "component", said);
}

fn certificates(page: &mut Page<'_>, route: &RouteView) {
    let served = route.probe.as_ref().and_then(|probe| probe.certificate.as_ref());
    let held = route.certificate.as_ref().and_then(|view| view.held.as_ref());
    if served.is_none() && route.certificate.is_none() {
        return;
    }
    page.section("CERTIFICATE");
    match (served, held) {
        (Some(served), Some(held)) if served.fingerprint != held.fingerprint => {
            let text = "the served one is not the one in the Secret";
            let lead = vec![Span::raw("  "), page.look.span(Role::Warn, "▲ ")];
            page.wrapped(Some(Item::Text), lead, Role::Warn, text);
            certificate(page, route, "served", served);
            certificate(page, route, "held", held);
        }
        (Some(both), Some(_)) => certificate(page, route, "served", both),
        (Some(served), None) => certificate(page, route, "served", served),
        (None, Some(held)) => certificate(page, route, "held", held),
        (None, None) => {}
    }
    if let Some(view) = &route.certificate {
        kept(page, view, served);
    }
}

fn certificate(page: &mut Page<'_>, route: &RouteView, label: &str, shown: &Certificate) {
    let look = page.look;
    let mut said = vec![
        look.span(Role::Title, shown.subject.clone()),
        look.span(Role::Muted, format!(" by {}", shown.issuer)),
    ];
    if let Some(days) = days_span(look, route, shown, Role::Ok) {
        said.push(Span::raw("   "));
        said.push(days);
    }
    spans(page, Item::Text, label, said);
    fact(page, Item::Text, "", Role::Text, &format!("for {}", shown.names.join(", ")));
    let (from, to) = (format::moment(shown.not_before), format::moment(shown.not_after));
    fact(page, Item::Text, "", Role::Muted, &format!("holds from {from} to {to}"));
    if shown.earliest < shown.not_after {
        let first = format!("another one of its chain ends first: {}", format::moment(shown.earliest));
        fact(page, Item::Text, "", Role::Warn, &first);
    }
}

/// The Secret, and what cert-manager says of it.
fn kept(page: &mut Page<'_>, view: &CertificateView, served: Option<&Certificate>) {
    let look = page.look;
    let same = match (&view.held, served) {
        (None, _) => look.span(Role::Warn, "  it was not read"),
        (Some(held), Some(served)) if held.fingerprint == served.fingerprint => {
            look.span(Role::Ok, "  ✓ it is the one that is served")
        }
        _ => Span::raw(""),
    };
    spans(page, Item::Text, "Secret", vec![look.span(Role::Text, view.secret.clone()), same]);
    let Some(manager) = &view.manager else { return };
    let (role, word) = match (manager.ready, manager.issuing) {
        (_, true) => (Role::Progress, format!("{} is being made", look.spinner())),
        (Some(true), _) => (Role::Ok, "✓ ready".to_owned()),
        (Some(false), _) => (Role::Fail, "✗ not ready".to_owned()),
        (None, _) => (Role::Unknown, "? says nothing yet".to_owned()),
    };
    let said = vec![look.span(Role::Text, format!("{} ", manager.name)), look.span(role, word)];
    spans(page, Item::Text, "cert-manager", said);
    if manager.ready != Some(true) && !manager.message.is_empty() {
        let text = format!("{}: {}", manager.reason, manager.message);
        fact(page, Item::Text, "", Role::Text, text.trim_start_matches(": "));
    }
    if let Some(renewal) = manager.renewal {
        fact(page, Item::Text, "", Role::Muted, &format!("to be made anew at {}", format::moment(renewal)));
    }
}

/// What is said of its environment.
fn environment(page: &mut Page<'_>, shown: Shown<'_>) {
    let look = page.look;
    let name = &shown.application.deployment.draft.environment;
    let Some(found) = shown.world.environment(name) else { return };
    page.heading(vec![look.span(Role::Section, "ENVIRONMENT"), look.span(Role::Muted, format!("  {name}"))]);
    for (label, role, said) in place::facts(found, shown.world.cluster.record.as_ref()) {
        // all of them, where there is room
        let all = found.ip_whitelist.join(", ");
        let said = if label == place::OPEN_TO && !all.is_empty() { all } else { said };
        fact(page, Item::Text, label, role, &said);
    }
    let peers: Vec<String> = found.routing.allow_from.iter().map(Peer::to_string).collect();
    if !peers.is_empty() {
        fact(page, Item::Text, "allowed in", Role::Text, &peers.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_probes_that_worked() {
        let beat = |works, micros| Beat { at: crate::ui::sample::now(), works, micros };
        let history = [beat(true, 30), beat(false, 9_000), beat(true, 10), beat(true, 20)];
        assert_eq!(times(&history), Some((10, 20, 30)));
        assert_eq!(times(&[beat(false, 1)]), None);
    }
}
