use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::SignedDuration;

use super::*;
use crate::domain::world::Link;
use crate::domain::{Problem, World};
use crate::ui::keymap::Flag;
use crate::ui::theme::ColourDepth;
use crate::ui::{action_samples, backup_samples, place_samples, route_samples, sample};

/// A model that has seen `world`, on 80 × 24.
pub fn model_of(world: World) -> Model {
    let mut model = Model::new(UiConfig::default(), (80, 24));
    update(&mut model, Event::World(Arc::new(world), sample::now()));
    model
}

/// Types keys: single characters, or names in angle brackets (`<enter>`, `<ctrl-c>`). Returns all effects.
pub fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let (name, length) = match rest.strip_prefix('<').and_then(|named| named.split_once('>')) {
            Some((name, _)) => (name.to_owned(), name.len() + 2),
            None => (first.to_string(), first.len_utf8()),
        };
        effects.extend(update(model, Event::Key(key_named(&name))));
        rest = &rest[length..];
    }
    effects
}

fn key_named(name: &str) -> KeyEvent {
    if let Some(letter) = name.strip_prefix("ctrl-") {
        return KeyEvent::new(KeyCode::Char(letter.chars().next().unwrap()), KeyModifiers::CONTROL);
    }
    KeyEvent::from(match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "shift-tab" => KeyCode::BackTab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "space" => KeyCode::Char(' '),
        "backspace" => KeyCode::Backspace,
        other => KeyCode::Char(other.chars().next().unwrap()),
    })
}

pub fn toasts(model: &Model) -> Vec<String> {
    model.toasts.iter().map(|toast| toast.text.what.clone()).collect()
}

#[test]
fn leaving_needs_the_key_twice_in_a_row() {
    let mut model = model_of(sample::world());
    assert_eq!(press(&mut model, "<ctrl-c>"), []);
    assert_eq!(toasts(&model), ["Press ctrl-c again to leave"]);
    assert_eq!(press(&mut model, "j<ctrl-c>"), []);
    assert_eq!(press(&mut model, "<ctrl-c>"), [Effect::Quit]);
    assert_eq!(press(&mut model_of(sample::world()), "qq"), [Effect::Quit]);
}

#[test]
fn the_palette_runs_commands_and_opens_applications() {
    let mut model = model_of(sample::world());
    assert_eq!(press(&mut model, ":quit<enter>"), [Effect::Quit]);
    press(&mut model, ":shop<enter>");
    assert_eq!(model.screens(), ["application"]);
    press(&mut model, ":drivers<enter>");
    assert_eq!(model.screens(), ["drivers"]);
    press(&mut model, "<esc>");
    assert_eq!(model.screens(), ["applications"]);
}

#[test]
fn going_to_and_fro_between_an_application_and_its_operations_makes_no_longer_way_back() {
    let mut model = model_of(sample::world());
    press(&mut model, "j<enter>");
    for _ in 0..3 {
        press(&mut model, "<enter>");
        assert_eq!(model.screens(), ["operation"]);
        press(&mut model, "o");
        assert_eq!(model.screens(), ["application"]);
    }
    press(&mut model, "<enter><esc>");
    assert_eq!(model.screens(), ["application"]);
    press(&mut model, "<esc>");
    assert_eq!(model.screens(), ["applications"]);
}

#[test]
fn operations_stand_beside_the_applications() {
    let mut model = model_of(sample::world());
    press(&mut model, "j<enter>3");
    assert_eq!(model.screens(), ["operations"]);
    press(&mut model, "3<enter>ak");
    assert_eq!(model.screens(), ["operation", "question"]);
    assert_eq!(press(&mut model, "<esc><esc>1").len(), 1, "the reading of its journal ends");
    assert_eq!(model.screens(), ["applications"]);
}

#[test]
fn instances_are_compared_in_a_view_of_their_own_and_a_rollback_is_planned_first() {
    let mut model = model_of(sample::world());
    let asked = press(&mut model, "jh<enter>");
    assert!(matches!(asked[..], [Effect::CompareInstances(_, _, 3, 4)]), "{asked:?}");
    assert_eq!(model.screens(), ["comparison"]);
    press(&mut model, "h");
    assert_eq!(model.screens(), ["application"]);
    let planned = press(&mut model, "jab");
    assert!(matches!(planned[..], [Effect::Plan(_, Intent::Rollback(_, 3))]), "{planned:?}");
    assert_eq!(model.screens(), ["application", "plan"]);
}

#[test]
fn themes_are_previewed_and_only_kept_when_chosen() {
    let mut model = model_of(sample::world());
    press(&mut model, "Tpaper");
    assert_eq!(model.theme_name(), "paper");
    press(&mut model, "<esc>");
    assert_eq!(model.theme_name(), "midnight");
    assert_eq!(press(&mut model, "Tpaper<enter>"), [Effect::UseTheme("paper".into())]);
    assert_eq!(model.theme_name(), "paper");
}

#[test]
fn escape_closes_a_problem_first_then_the_filter_then_the_view() {
    let mut model = model_of(sample::world());
    press(&mut model, "<enter>");
    update(&mut model, Event::Notice(Problem::new("It broke", "why", "next")));
    press(&mut model, "<esc>");
    assert!(model.toasts.is_empty());
    assert_eq!(model.screens(), ["application"]);
    press(&mut model, "<esc>");
    assert_eq!(model.screens(), ["applications"]);
}

#[test]
fn a_key_that_does_nothing_says_where_the_keys_are() {
    let mut model = model_of(sample::world());
    press(&mut model, "Z");
    assert_eq!(toasts(&model), ["'Z' does nothing here · ? shows the keys"]);
}

#[test]
fn help_is_closed_by_escape_or_its_own_key() {
    for key in ["<esc>", "?", "q"] {
        let mut model = model_of(sample::world());
        press(&mut model, "?");
        assert_eq!(model.screens(), ["applications", "help"]);
        press(&mut model, key);
        assert_eq!(model.screens(), ["applications"], "{key}");
    }
}

#[test]
fn the_installation_is_offered_once_and_only_on_a_real_cluster() {
    let without = |kind| sample::empty_world(kind, Link::Live, Installed::No);
    let mut model = model_of(without(ClusterKind::Kubeconfig));
    assert_eq!(model.screens(), ["applications", "plan"]);
    press(&mut model, "<esc>");
    update(&mut model, Event::World(Arc::new(without(ClusterKind::Kubeconfig)), sample::now()));
    assert_eq!(model.screens(), ["applications"]);
    press(&mut model, "n");
    assert_eq!(model.screens(), ["applications", "plan"], "a deployment needs the installation first");
    assert_eq!(model_of(without(ClusterKind::Sandbox)).screens(), ["applications"]);
    let denied = sample::empty_world(ClusterKind::Kubeconfig, Link::Live, Installed::Unknown);
    assert_eq!(model_of(denied).screens(), ["applications"], "nobody says that it is missing");
}

#[test]
fn a_broken_configuration_is_told_and_a_good_one_taken() {
    let mut model = model_of(sample::world());
    update(&mut model, Event::Config(Err(Problem::new("The theme cannot be used", "x.toml:3: …", ""))));
    assert_eq!(toasts(&model), ["The theme cannot be used"]);
    let mut config = UiConfig::default();
    config.options.theme = "paper".into();
    config.options.colours = ColourDepth::Indexed;
    update(&mut model, Event::Config(Ok(config)));
    assert_eq!(model.theme_name(), "paper");
}

#[test]
fn ticks_are_wanted_only_while_something_changes_by_itself() {
    let mut model = model_of(sample::world());
    assert_eq!(model.wants_tick(), Some(crate::ui::model::SPIN), "a spinner is on screen");
    let mut calm = sample::world();
    calm.applications.truncate(1);
    let later = sample::now() + SignedDuration::from_secs(3600);
    update(&mut model, Event::World(Arc::new(calm), later));
    let wanted = model.wants_tick().unwrap();
    assert!(wanted.as_secs() > 60, "ages of hours and days change rarely: {wanted:?}");
    let nothing = World { applications: Vec::new(), ..sample::world() };
    assert_eq!(model_of(nothing).wants_tick(), None);
}

#[test]
fn a_release_of_a_key_is_no_press() {
    let mut model = model_of(sample::world());
    let mut key = KeyEvent::from(KeyCode::Enter);
    key.kind = KeyEventKind::Release;
    update(&mut model, Event::Key(key));
    assert_eq!(model.screens(), ["applications"]);
}

#[test]
fn sequences_show_what_can_follow_and_escape_ends_them() {
    let mut model = model_of(sample::world());
    let (keymap, _) = crate::ui::KeymapSet::bundled().resolve("helix").unwrap();
    model.config.keymap = keymap;
    press(&mut model, "jg");
    assert_eq!(model.pending.len(), 1);
    press(&mut model, "<esc>");
    assert!(model.pending.is_empty() && model.toasts.is_empty());
    press(&mut model, "ge<enter>");
    assert_eq!(model.screens(), ["application"]);
}

#[test]
fn what_keymaps_say_is_never_shown_together_never_is() {
    let journeys = [
        "1 <enter> <tab> <tab> <tab> <tab> <tab> <tab> <tab>",
        "1 j b",
        "2 <enter>",
        "2 d",
        "3 <enter> <enter>",
        "4 <enter>",
        "4 <tab> j <tab> j <tab> j",
        "5 <enter>",
        "5 / a",
        "6 <enter>",
        "6 j j <enter> j j",
        "1 ?",
    ];
    let worlds = [
        sample::world(),
        backup_samples::world(),
        route_samples::world(),
        place_samples::world(),
        action_samples::world(),
    ];
    let mut unseen: Vec<Flag> = Flag::apart().collect();
    for (world, journey) in worlds.iter().flat_map(|world| journeys.map(|journey| (world, journey))) {
        let mut model = model_of(world.clone());
        for key in journey.split_inclusive(' ') {
            press(&mut model, key.trim_end());
            let flags = model.flags();
            assert_eq!(flags.contradiction(), None, "{journey} at {key}");
            unseen.retain(|flag| !flags.has(*flag));
        }
    }
    assert_eq!(unseen, [], "the journeys must lead everywhere, or they show nothing");
}
