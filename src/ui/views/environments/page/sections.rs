//! The sections of an environment's page: what changes first, then what is said.

use ratatui::text::Span;

use super::Item;
use crate::domain::environment::{About, Source, Told, policies, told};
use crate::domain::route::RouteView;
use crate::domain::world::{Application, Whose};
use crate::domain::{Health, OperationView, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::screen::{ApplicationKey, RouteKey};
use crate::ui::theme::Role;
use crate::ui::views::environments::summary::{Missing, Summary, kept_span};
use crate::ui::views::facts::{astray_mark, headline, is_astray};
use crate::ui::views::progress;
use crate::ui::views::routes::{Standing, certificate, days_span};

type Page<'a> = crate::ui::widgets::page::Page<'a, Item>;

/// The columns of a label.
const LABEL: usize = 13;
/// The columns of the word for a health.
const WORD: usize = 13;

/// All of them.
pub fn all(page: &mut Page<'_>, summary: &Summary<'_>, world: &World) {
    let cluster = world.cluster.record.as_ref();
    let told = told(summary.environment, cluster);
    let of = |about| told.iter().filter(move |fact: &&Told| fact.about == about);
    applications(page, summary);
    failing(page, summary);
    if let Some(view) = summary.operation {
        operation(page, view);
    }
    page.section("REACHED");
    for fact in of(About::Routes) {
        fact_line(page, fact);
        match fact.label {
            "ingress" => ingress(page, summary),
            "routes" => gateway(page, summary),
            "tls" => certificates(page, summary),
            _ => {}
        }
    }
    page.section("WHO MAY CONNECT");
    for fact in of(About::Access) {
        fact_line(page, fact);
    }
    let controller = summary.place.and_then(|place| place.controller.as_deref());
    for (index, sentence) in policies(summary.environment, controller).iter().enumerate() {
        said(page, if index == 0 { "policies" } else { "" }, Role::Text, sentence);
    }
    page.section("BACKUPS");
    for fact in of(About::Backups) {
        fact_line(page, &Told { label: "location", ..fact.clone() });
    }
    kept(page, summary);
    page.section("PLACE");
    said(page, "cluster", Role::Text, &summary.environment.cluster);
    for fact in of(About::Place) {
        fact_line(page, fact);
        if fact.label == "namespace" {
            namespace(page, summary);
        }
    }
}

/// A label and what it says.
fn said(page: &mut Page<'_>, label: &str, role: Role, text: &str) {
    let lead = vec![page.look.span(Role::Muted, format!("  {label:<LABEL$}"))];
    page.wrapped(Some(Item::Text), lead, role, text);
}

/// A label, and what it says in several parts.
fn spans(page: &mut Page<'_>, item: Item, label: &str, parts: Vec<Span<'static>>) {
    let mut spans = vec![page.look.span(Role::Muted, format!("  {label:<LABEL$}"))];
    spans.extend(parts);
    page.add(Some(item), spans);
}

/// What is said, as loud as whoever says it: what nobody said is quiet.
fn fact_line(page: &mut Page<'_>, fact: &Told) {
    let role = match fact.source {
        Source::Own => Role::Text,
        Source::Cluster | Source::Nobody => Role::Muted,
    };
    let label = if fact.label == "tls" { "TLS" } else { fact.label };
    let text = if fact.value == "-" { "none".to_owned() } else { fact.text() };
    said(page, label, role, &text);
}

fn applications(page: &mut Page<'_>, summary: &Summary<'_>) {
    let look = page.look;
    let count = summary.applications.len();
    let title = look.span(Role::Section, "APPLICATIONS");
    page.heading(vec![title, look.span(Role::Muted, format!("  {count}"))]);
    if count == 0 {
        let key = look.key(Command::NewDeployment, Layer::Global);
        let spans = vec![
            look.span(Role::Muted, "  none yet: "),
            look.span(Role::Key, key),
            look.span(Role::Muted, " deploys one"),
        ];
        page.add(Some(Item::Text), spans);
        return;
    }
    let widest = summary.applications.iter().map(|it| format::width(&it.deployment.draft.name)).max();
    let column = widest.unwrap_or(0).min(24);
    for application in summary.worst_first() {
        page.add(
            Some(Item::Application(ApplicationKey::of(application))),
            application_line(page, application, column),
        );
    }
}

/// Its health and name, and why it is not well or who changed it, or its first URL.
fn application_line(page: &Page<'_>, application: &Application, column: usize) -> Vec<Span<'static>> {
    let look = page.look;
    let name = format::cut(&application.deployment.draft.name, column);
    let health = look.health(application.health());
    let gap = WORD.saturating_sub(health.width()) + 1;
    let pad = column.saturating_sub(format::width(&name)) + 2;
    let room = page.width.saturating_sub(2 + WORD + 1 + column + 2);
    let cause = headline(application);
    let mut spans = vec![Span::raw("  "), health, Span::raw(" ".repeat(gap))];
    spans.extend([look.span(Role::Title, name), Span::raw(" ".repeat(pad))]);
    match application.routes.first() {
        _ if application.health() > Health::Suspended && !cause.is_empty() => {
            spans.push(look.span(Role::Text, format::cut(&cause, room)));
        }
        _ if is_astray(application) => {
            spans.extend([astray_mark(application, look), Span::raw(" ")]);
            spans.push(look.span(Role::Text, format::cut(&cause, room.saturating_sub(2))));
        }
        Some(route) => {
            spans.extend([Standing::of(application, route).glyph(look), Span::raw(" ")]);
            let url = format::cut(&route.url, room.saturating_sub(2));
            spans.push(look.link(url, &route.url));
        }
        None => spans.push(look.span(Role::Muted, "no URL")),
    }
    spans
}

/// The routes that somebody should look at, and why.
fn failing(page: &mut Page<'_>, summary: &Summary<'_>) {
    let all = summary.applications.iter().flat_map(|it| it.routes.iter().map(move |route| (*it, route)));
    let mut faulty: Vec<(&Application, &RouteView)> =
        all.filter(|(it, route)| Standing::of(it, route).is_fault()).collect();
    if faulty.is_empty() {
        return;
    }
    faulty.sort_by_key(|(it, route)| Standing::of(it, route));
    let look = page.look;
    page.section("ROUTES THAT NEED A LOOK");
    for (application, route) in faulty {
        let lead = vec![
            Span::raw("  "),
            Standing::of(application, route).glyph(look),
            Span::raw(" "),
            look.link(route.host.clone(), &route.url),
        ];
        page.add(Some(Item::Route(RouteKey::of(application, route))), lead);
        if let Some(reason) = route.trouble.first() {
            page.wrapped(None, vec![Span::raw("    ")], Role::Text, reason);
        }
    }
}

/// The newest operation about it as a whole.
fn operation(page: &mut Page<'_>, view: &OperationView) {
    let look = page.look;
    let times = &view.operation.times;
    page.section(if view.operation.state.is_final() { "LAST OPERATION" } else { "UNDER WAY" });
    let lead = vec![Span::raw("  "), progress::Standing::of(view).span(look), Span::raw("  ")];
    page.wrapped(Some(Item::Operation(view.operation.id)), lead, Role::Title, &view.operation.plan.title);
    let ago = look.ago(times.ended.unwrap_or(times.created));
    let steps = format!("{} steps", progress::steps(view));
    let told = format!("    {ago} · {steps} · by {}", view.operation.origin.actor);
    page.add(None, vec![look.span(Role::Muted, told)]);
    if let Some((position, problem)) = view.first_problem().filter(|_| view.operation.state.is_final()) {
        page.problem(Item::Text, &progress::in_step(view, position, problem));
    }
}

/// The ingress controller of its own, as an application.
fn ingress(page: &mut Page<'_>, summary: &Summary<'_>) {
    if summary.environment.dedicated_ingress.is_none() {
        return;
    }
    let look = page.look;
    match summary.ingress() {
        Some(application) => {
            let name = application.deployment.draft.name.clone();
            let parts = vec![look.span(Role::Text, format!("{name} ")), look.health(application.health())];
            spans(page, Item::Application(ApplicationKey::of(application)), "controller", parts);
        }
        None => said(page, "controller", Role::Warn, "▲ it is not deployed"),
    }
}

/// Where its routes are answered.
fn gateway(page: &mut Page<'_>, summary: &Summary<'_>) {
    let Some(place) = summary.place else { return };
    if let Some(why) = &place.refused {
        said(page, "Gateway", Role::Fail, &format!("✗ {why}"));
    }
    let routes = summary.applications.iter().flat_map(|it| &it.routes);
    let mut addresses: Vec<String> = routes.flat_map(|route| route.addresses.iter().cloned()).collect();
    addresses.extend(place.addresses.iter().cloned());
    addresses.sort_unstable();
    addresses.dedup();
    if !addresses.is_empty() {
        said(page, "addresses", Role::Text, &addresses.join(", "));
    }
}

/// The certificate that ends first.
fn certificates(page: &mut Page<'_>, summary: &Summary<'_>) {
    let look = page.look;
    let routes = summary.applications.iter().flat_map(|it| it.routes.iter().map(move |route| (*it, route)));
    let held = routes.filter_map(|(it, route)| Some((it, route, certificate(route)?)));
    let Some((application, route, first)) = held.min_by_key(|(.., shown)| shown.earliest) else { return };
    let mut parts: Vec<Span<'static>> = days_span(look, route, first, Role::Text).into_iter().collect();
    parts.push(look.span(Role::Muted, format!("  until the first one ends: {}", route.host)));
    spans(page, Item::Route(RouteKey::of(application, route)), "certificates", parts);
}

fn kept(page: &mut Page<'_>, summary: &Summary<'_>) {
    let Some(kept) = summary.kept.filter(|_| !summary.applications.is_empty()) else { return };
    let look = page.look;
    let mut parts = vec![kept_span(kept, look, Role::Text)];
    let said = match (kept.worry, kept.since) {
        _ if kept.missing => "  not all of its applications have a good one",
        (true, _) => "  not all of its applications are kept as they should be",
        (false, Some(_)) => "  the oldest of its applications' last good ones",
        (false, None) => "",
    };
    parts.push(look.span(Role::Muted, said));
    spans(page, Item::Text, "last backup", parts);
    if let Some((next, now)) = kept.next.zip(look.now) {
        spans(page, Item::Text, "next", vec![look.span(Role::Text, format::until(now, next))]);
    }
}

/// Whose its namespace is.
fn namespace(page: &mut Page<'_>, summary: &Summary<'_>) {
    let (role, text) = match summary.place.map(|place| place.namespace).unwrap_or_default() {
        Whose::Ours => (Role::Muted, "Styrmin made it: it goes with the environment"),
        Whose::Others => (Role::Text, "others made it: it stays when the environment goes"),
        Whose::Missing if summary.missing().contains(&Missing::Namespace) => {
            (Role::Warn, "▲ it is not there")
        }
        Whose::Missing => (Role::Muted, "it is made by the first deployment"),
        Whose::Unknown => (Role::Muted, "whose it is is not known"),
    };
    said(page, "", role, text);
}
