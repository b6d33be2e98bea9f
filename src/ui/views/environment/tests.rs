use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::route::{Isolation, Peer, RouteKind, TlsSource};
use crate::domain::world::Installed;
use crate::domain::{DriftMode, Environment, Intent};
use crate::ui::event::{Effect, Event};
use crate::ui::model::Model;
use crate::ui::update::tests::{model_of, press, toasts};
use crate::ui::update::update;
use crate::ui::{route_samples, sample};

/// The environment that is planned last.
fn planned(effects: &[Effect]) -> Environment {
    match effects.last() {
        Some(Effect::Plan(_, Intent::SetEnvironment(wanted))) => (**wanted).clone(),
        other => panic!("{other:?}"),
    }
}

fn model() -> Model {
    model_of(route_samples::world())
}

fn known(name: &str) -> Environment {
    route_samples::world().environments.into_iter().find(|it| it.name == name).unwrap()
}

/// To the button and on it, from wherever the focus is.
const GO: &str =
    "<up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><shift-tab><enter>";

#[test]
fn a_new_environment_is_kept_apart_and_nothing_else_is_said() {
    let mut model = model();
    press(&mut model, "aI");
    assert_eq!(model.screens(), ["environment"]);
    let wanted = planned(&press(&mut model, &format!("qa{GO}")));
    let mut expected = Environment::new("qa", "kind-local", "qa");
    expected.routing.isolation = Some(Isolation::Inbound);
    assert_eq!(wanted, expected);
    assert_eq!(model.screens(), ["environment", "plan"]);
}

#[test]
fn what_is_known_is_filled_in_and_stays() {
    for name in ["demo", "lab", "prod", "staging"] {
        let mut model = model();
        press(&mut model, &format!("2ai{name}<enter>"));
        assert_eq!(press(&mut model, GO), [], "{name}");
        assert_eq!(toasts(&model).last().map(String::as_str), Some("Nothing was changed"), "{name}");
    }
}

#[test]
fn what_is_changed_is_planned_and_the_rest_stays() {
    let mut model = model();
    press(&mut model, "5/billing<enter>ai");
    let suffix = "<backspace>".repeat("example.org".len());
    let wanted = planned(&press(&mut model, &format!("{suffix}shop.example{GO}")));
    let mut expected = known("prod");
    expected.fqdn_suffix = Some("shop.example".into());
    assert_eq!(wanted, expected);
}

#[test]
fn what_others_said_while_the_form_was_open_stays() {
    let mut model = model();
    press(&mut model, "5/billing<enter>ai");
    let mut world = route_samples::world();
    let prod = world.environments.iter_mut().find(|it| it.name == "prod").unwrap();
    prod.backup_location = Some("nightly".into());
    prod.labels = [("team".to_owned(), "blue".to_owned())].into();
    prod.drift = DriftMode::Ignore;
    let newest = prod.clone();
    update(&mut model, Event::World(Arc::new(world.clone()), sample::now()));
    let suffix = "<backspace>".repeat("example.org".len());
    let wanted = planned(&press(&mut model, &format!("{suffix}shop.example{GO}")));
    assert_eq!(wanted, Environment { fqdn_suffix: Some("shop.example".into()), ..newest });

    press(&mut model, "<esc>");
    world.environments.retain(|it| it.name != "prod");
    update(&mut model, Event::World(Arc::new(world), sample::now()));
    assert_eq!(press(&mut model, GO), [], "one that is gone is not made anew");
}

#[test]
fn another_ingress_asks_for_what_belongs_to_it() {
    let mut world = route_samples::world();
    world.environments[0].ingress_class = Some("nginx".into());
    let mut model = model_of(world);
    press(&mut model, "5/notes-d<enter>ai");
    let typed = "<tab><space><tab><tab>lb/pool: inner<enter>lb/size: small";
    let wanted = planned(&press(&mut model, &format!("{typed}{GO}")));
    let annotations: BTreeMap<String, String> =
        [("lb/pool", "inner"), ("lb/size", "small")].map(|(key, value)| (key.into(), value.into())).into();
    assert_eq!(wanted.dedicated_ingress.unwrap().service_annotations, annotations);
    assert_eq!(wanted.ingress_class.as_deref(), Some("nginx"), "what is not asked for stays");
}

#[test]
fn a_gateway_is_named_and_found_out_again() {
    let mut model = model();
    press(&mut model, "5/notes-d<enter>ai");
    let wanted = planned(&press(&mut model, &format!("<tab><tab><right><right><tab>infra/inner/web{GO}")));
    let via = wanted.routing.via.unwrap();
    let gateway = via.gateway.unwrap();
    assert_eq!((wanted.routing.kind, via.kind), (Some(RouteKind::HttpRoute), RouteKind::HttpRoute));
    assert_eq!((gateway.namespace.as_str(), gateway.name.as_str()), ("infra", "inner"));
    assert_eq!(gateway.section.as_deref(), Some("web"));

    let mut world = route_samples::world();
    let staging = world.environments.iter_mut().find(|it| it.name == "staging").unwrap();
    staging.routing.kind = Some(RouteKind::HttpRoute);
    let mut model = model_of(world);
    press(&mut model, "5/handbook<enter>ai");
    let cleared = "<backspace>".repeat("infra/public/https".len());
    let wanted = planned(&press(&mut model, &format!("<tab><tab><tab>{cleared}{GO}")));
    assert_eq!((wanted.routing.kind, wanted.routing.via), (Some(RouteKind::HttpRoute), None));
}

#[test]
fn certificates_have_a_name_where_they_need_one() {
    let mut model = model();
    press(&mut model, "5/notes-d<enter>ai");
    let to_tls = "<tab><tab><tab><tab><tab>";
    assert_eq!(press(&mut model, &format!("{to_tls}<right>{GO}")), [], "a Secret without a name is none");
    assert_eq!(model.screens(), ["environment"]);
    let wanted = planned(&press(&mut model, &format!("wildcard{GO}")));
    assert_eq!(wanted.routing.tls, TlsSource::Secret("wildcard".into()));
}

/// What the screen shows.
fn screen(model: &Model) -> String {
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(120, 50)).unwrap();
    terminal.draw(|frame| crate::ui::draw(model, frame)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn what_gains_https_is_sent_on_where_possible_unless_somebody_says() {
    let to_redirect = "<tab><tab><tab><tab><tab><right><right><right><right><tab>";
    for (keys, shown, redirect) in [
        ("", "‹ yes, where possible ›", None),
        ("<space>", "‹ yes ›", Some(true)),
        ("<space><space>", "‹ no ›", Some(false)),
        ("<space><space><space>", "‹ yes, where possible ›", None),
    ] {
        let mut model = model();
        press(&mut model, &format!("5/notes-d<enter>ai{to_redirect}{keys}"));
        let screen = screen(&model);
        assert!(screen.contains(shown), "{keys}\n{screen}");
        let wanted = planned(&press(&mut model, GO)).routing;
        assert_eq!((wanted.tls, wanted.redirect), (TlsSource::Controller, redirect), "{keys}");
    }
}

#[test]
fn what_has_https_is_sent_on_as_the_controller_does_until_somebody_says() {
    // by certificates, and by a Gateway alone
    for (name, open, tabs) in [("prod", "5/billing<enter>ai", 7), ("staging", "5/handbook<enter>ai", 6)] {
        let to_redirect = format!("{open}{}", "<tab>".repeat(tabs));
        for (keys, redirect) in [("<space>", true), ("<space><space>", false)] {
            let mut model = model();
            let wanted = planned(&press(&mut model, &format!("{to_redirect}{keys}{GO}")));
            let mut expected = known(name);
            expected.routing.redirect = Some(redirect);
            assert_eq!(wanted, expected, "{keys}");
        }
        let mut model = model();
        press(&mut model, &format!("{to_redirect}<space><space><space>"));
        assert!(screen(&model).contains("‹ as the controller does ›"), "{name}");
        assert_eq!(press(&mut model, GO), [], "{name}");

        // what was said is taken back
        let mut world = route_samples::world();
        let environment = world.environments.iter_mut().find(|it| it.name == name).unwrap();
        environment.routing.redirect = Some(false);
        let mut model = model_of(world);
        let wanted = planned(&press(&mut model, &format!("{to_redirect}<space>{GO}")));
        assert_eq!(wanted, known(name));
    }
}

#[test]
fn sending_on_is_not_asked_where_the_gateway_is_left() {
    let mut model = model();
    press(&mut model, "5/handbook<enter>ai");
    assert!(screen(&model).contains("Redirect"));
    press(&mut model, "<tab><tab><right>");
    assert!(!screen(&model).contains("Redirect"), "an Ingress without certificates has no https");
    let wanted = planned(&press(&mut model, GO)).routing;
    assert_eq!((wanted.kind, wanted.redirect), (Some(RouteKind::Ingress), None));
}

#[test]
fn who_is_let_in_is_read_line_by_line() {
    let mut model = model();
    press(&mut model, "5/notes-d<enter>ai");
    let to_allow = "<tab><tab><tab><tab><tab><tab>";
    let typed = "10.0.0.0/8<enter>2001:db8::/32<tab><right><tab>namespace:*<enter>cidr:192.0.2.0/24<tab><space><tab><space>";
    let wanted = planned(&press(&mut model, &format!("{to_allow}{typed}{GO}")));
    assert_eq!(wanted.ip_whitelist, ["10.0.0.0/8", "2001:db8::/32"]);
    assert_eq!(wanted.routing.isolation, Some(Isolation::Inbound));
    let everywhere = Peer::Namespace { name: "*".into(), pods: BTreeMap::new() };
    assert_eq!(wanted.routing.allow_from, [everywhere, Peer::Cidr("192.0.2.0/24".into())]);
    assert!(wanted.production && wanted.routing.unprobed);
}

#[test]
fn what_cannot_be_is_told_and_not_planned() {
    let cases = [
        ("aIdemo", "an environment of that name"),
        ("aIDemo", "not allowed"),
        ("aIqa<tab>https://x", "scheme"),
        ("aIqa<tab><tab><tab><right><right><tab>infra", "NAMESPACE/NAME"),
        ("aIqa<tab><tab><tab><tab><tab>key", "no KEY: VALUE"),
        ("aIqa<tab><tab><tab><tab><tab><tab><tab>10.0.0.0", "10.0.0.0/32"),
        ("aIqa<tab><tab><tab><tab><tab><tab><tab><tab><tab>pods", "neither namespace:"),
        ("aIqa<tab><tab><tab><tab><tab><tab><tab><tab><tab>namespace:a x", "no KEY=VALUE"),
    ];
    for (keys, says) in cases {
        let mut model = model();
        assert_eq!(press(&mut model, &format!("{keys}{GO}")), [], "{keys}");
        let screen = screen(&model);
        assert!(screen.contains(says), "{keys}\n{screen}");
    }
}

#[test]
fn which_environment_is_meant_is_asked_where_it_cannot_be_told() {
    let mut model = model();
    press(&mut model, "2ai");
    assert_eq!(model.screens(), ["drivers", "components"]);
    press(&mut model, "lab<enter>");
    assert_eq!(model.screens(), ["environment"]);
    let mut empty = route_samples::world();
    empty.environments.clear();
    let mut model = model_of(empty);
    press(&mut model, "ai");
    assert_eq!(model.screens(), ["environment"], "a new one: there is none yet");
}

#[test]
fn an_environment_is_removed_by_its_plan_alone() {
    let mut model = model();
    assert_eq!(press(&mut model, ":remove-env<enter>"), []);
    let effects = press(&mut model, "lab<enter>");
    assert!(
        matches!(&effects[..], [Effect::Plan(_, Intent::RemoveEnvironment(name))] if name == "lab"),
        "{effects:?}"
    );
}

#[test]
fn where_styrmin_is_not_installed_that_comes_first() {
    let mut world = route_samples::world();
    world.cluster.installed = Installed::No;
    let mut model = model_of(world);
    press(&mut model, "<esc>");
    for keys in ["aI", "ai", ":remove-env<enter>"] {
        press(&mut model, keys);
        assert_eq!(model.screens(), ["applications", "plan"], "{keys}");
        press(&mut model, "<esc>");
    }
}
