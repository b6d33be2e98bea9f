use std::sync::Arc;

use super::summary::{Kept, Missing, Summary};
use crate::domain::world::Whose;
use crate::domain::{Health, Intent, World};
use crate::ui::event::{Effect, Event};
use crate::ui::model::Model;
use crate::ui::update;
use crate::ui::update::tests::{model_of, press, toasts};
use crate::ui::views::routes::Standing;
use crate::ui::{draw_linked, place_samples, sample};

fn model() -> Model {
    model_of(place_samples::world())
}

fn screen(model: &Model) -> String {
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(160, 50)).unwrap();
    terminal.draw(|frame| drop(draw_linked(model, frame))).unwrap();
    terminal.backend().to_string()
}

/// The names of the rows, from top to bottom.
fn names(model: &Model) -> Vec<String> {
    let known = ["demo", "lab", "prod", "staging", "training"];
    let screen = screen(model);
    let rows = screen.lines().skip(3).take(known.len());
    let first = |line: &str| line.trim_start_matches(['"', '▌', ' ']).split(' ').next().unwrap().to_owned();
    rows.map(first).filter(|name| known.contains(&name.as_str())).collect()
}

fn summary<T>(name: &str, change: impl FnOnce(&mut World), read: impl FnOnce(&Summary<'_>) -> T) -> T {
    let mut world = place_samples::world();
    change(&mut world);
    read(&Summary::of(world.environment(name).unwrap(), &world, Some(sample::now())))
}

#[test]
fn what_is_in_it_is_counted_worst_first() {
    summary(
        "demo",
        |_| {},
        |demo| {
            assert_eq!(demo.healths, [(Health::Degraded, 1), (Health::Healthy, 2)]);
            assert_eq!(demo.routes, [(Standing::Fails, 1), (Standing::Waits, 1), (Standing::Works, 2)]);
            assert_eq!(demo.worst_first()[0].deployment.draft.name, "shop");
            assert!(demo.is_fault() && demo.operation.is_none());
        },
    );
    summary(
        "prod",
        |_| {},
        |prod| {
            assert_eq!(prod.ingress().unwrap().deployment.draft.name, "ingress");
            let kept = prod.kept.unwrap();
            assert_eq!(kept.since, Some(sample::before(7_200)));
            assert!(kept.next.is_some(), "its schedule is due");
        },
    );
}

#[test]
fn it_is_a_fault_when_something_of_it_is_missing_or_failed() {
    let lab = |change: fn(&mut World)| summary("lab", change, |it| it.is_fault());
    assert!(!lab(|_| {}));
    assert!(lab(|world| world.places[1].namespace = Whose::Missing));
    assert!(lab(|world| world.places[1].refused = Some("there is no such Gateway".into())));
    assert!(
        lab(|world| world.environments[1].dedicated_ingress = Some(Default::default())),
        "its own ingress is not deployed"
    );
    assert!(lab(|world| {
        let operation = Arc::make_mut(&mut world.operations[0]);
        operation.operation.subject.environment = "lab".into();
    }));
    assert!(
        !lab(|world| {
            let operation = Arc::make_mut(&mut world.operations[0]);
            (operation.operation.subject.environment, operation.operation.subject.name) =
                ("lab".into(), "metrics".into());
        }),
        "an operation of an application is told with the application"
    );
}

#[test]
fn what_is_missing_is_told_below_the_table_and_on_the_page() {
    let told = |name: &str, change: fn(&mut World)| {
        let mut world = place_samples::world();
        change(&mut world);
        let mut model = model_of(world);
        press(&mut model, &format!("6/name:={name}<enter>"));
        let table = screen(&model);
        press(&mut model, "<enter>");
        assert_eq!(model.screens(), ["place"]);
        (table, screen(&model))
    };
    let is = |name: &str, change: fn(&mut World), wanted: &[Missing<'_>]| {
        summary(name, change, |it| {
            assert_eq!(it.missing(), wanted);
            assert_eq!(it.is_fault(), !wanted.is_empty());
        });
    };
    let (why, calm) =
        ("there is no such Gateway", "its namespace course-2026 is made by the first deployment");
    let new = |world: &mut World| world.places[4].namespace = Whose::Missing;
    is("training", new, &[]);
    let (table, page) = told("training", new);
    assert!(table.contains(calm) && !table.contains("there is no namespace"), "{table}");
    assert!(
        page.contains("it is made by the first deployment") && !page.contains("▲ it is not there"),
        "{page}"
    );
    let lacks = |world: &mut World| {
        world.places[4].namespace = Whose::Missing;
        world.places[4].refused = Some("there is no such Gateway".into());
        world.environments[4].dedicated_ingress = Some(Default::default());
    };
    is("training", lacks, &[Missing::Gateway(why), Missing::Ingress]);
    let (table, page) = told("training", lacks);
    assert!(table.contains("▲ its Gateway does not answer: there is no such Gateway"), "{table}");
    assert!(table.contains("▲ its own ingress is not deployed") && table.contains(calm), "{table}");
    assert!(page.contains("✗ there is no such Gateway") && page.contains("▲ it is not deployed"), "{page}");
    let lost = |world: &mut World| world.places[1].namespace = Whose::Missing;
    is("lab", lost, &[Missing::Namespace]);
    let (table, page) = told("lab", lost);
    assert!(table.contains("▲ there is no namespace lab") && !table.contains("first deployment"), "{table}");
    assert!(page.contains("▲ it is not there"), "{page}");
}

#[test]
fn an_environment_without_backups_has_none_to_worry_about() {
    let kept = summary("training", |_| {}, |it| it.kept);
    assert_eq!(kept, Some(Kept::default()));
    let unused = |world: &mut World| {
        world.backups.clear();
        world.locations.clear();
        world.schedules.clear();
    };
    assert_eq!(summary("training", unused, |it| it.kept), None, "nothing is known of backups");
}

#[test]
fn one_that_was_never_backed_up_counts_for_more_than_the_age_of_another() {
    let kept = |name: &str| summary(name, |_| {}, |it| it.kept.unwrap());
    let (prod, staging) = (kept("prod"), kept("staging"));
    assert!(prod.worry && prod.missing && prod.since.is_some(), "its ingress was never backed up: {prod:?}");
    assert!(staging.worry && !staging.missing && staging.since < prod.since, "{staging:?}");
    let mut model = model();
    press(&mut model, "6SSS");
    assert_eq!(names(&model)[..2], ["prod", "staging"]);
    let screen = screen(&model);
    assert!(screen.contains("▲ none") && screen.contains("▲ 10d"), "{screen}");
}

#[test]
fn what_makes_it_a_fault_is_said_below_the_table() {
    let below = |name: &str| {
        let mut model = model();
        press(&mut model, &format!("6/name:={name}<enter>"));
        screen(&model)
    };
    let prod = below("prod");
    assert!(prod.contains("✓ All 2 applications are healthy"), "{prod}");
    assert!(prod.contains("▲ backups: there is no good one of ingress"), "{prod}");
    let staging = below("staging");
    assert!(staging.contains("▲ backups: the last good one of team-handbook is too old"), "{staging}");
    assert!(!below("lab").contains("▲ backups"));
}

#[test]
fn who_was_changed_by_somebody_else_is_named_though_it_is_healthy() {
    let all = sample::world().applications;
    let drift = all.into_iter().map(|it| it.drift.clone()).find(|drift| !drift.is_empty()).unwrap();
    let mut world = place_samples::world();
    let name = {
        let its = world.applications.iter_mut().find(|it| it.deployment.draft.environment == "lab").unwrap();
        Arc::make_mut(its).drift = drift;
        its.deployment.draft.name.clone()
    };
    let mut model = model_of(world);
    press(&mut model, "6/name:=lab<enter>");
    let table = screen(&model);
    assert!(table.contains(&format!("≠ {name}: drifted: ")), "{table}");
    press(&mut model, "<enter>");
    let page = screen(&model);
    assert_eq!(model.screens(), ["place"]);
    assert!(page.contains("≠ drifted: "), "{page}");
}

#[test]
fn rows_are_filtered_by_what_is_said() {
    let shown = |keys: &str| {
        let mut model = model();
        press(&mut model, keys);
        names(&model)
    };
    assert_eq!(shown("6"), ["demo", "lab", "prod", "staging", "training"]);
    assert_eq!(shown("6/production<enter>"), ["prod"]);
    assert_eq!(shown("6/tls:letsencrypt<enter>"), ["prod"]);
    assert_eq!(shown("6/class:infra<enter>"), ["staging"]);
    assert_eq!(shown("6/routes:envoy<enter>"), ["staging"]);
    assert_eq!(shown("6/open:192.0.2<enter>"), ["prod"]);
    assert_eq!(shown("6/health:degraded<enter>"), ["demo"]);
    assert_eq!(shown("6/!isolation:off<enter>"), ["prod", "staging"]);
    assert_eq!(shown("6F"), ["demo", "prod", "staging"]);
    assert_eq!(shown("6F<esc>").len(), 5);
}

#[test]
fn rows_are_sorted_by_how_they_are() {
    let mut world = place_samples::world();
    // the one that is not well is in the last one by name
    let shop = world.applications.iter_mut().find(|it| it.deployment.draft.name == "shop").unwrap();
    Arc::make_mut(shop).deployment.draft.environment = "training".into();
    let shown = |keys: &str| {
        let mut model = model_of(world.clone());
        press(&mut model, keys);
        names(&model)
    };
    assert_eq!(shown("6"), ["demo", "lab", "prod", "staging", "training"]);
    assert_eq!(shown("6S")[0], "training", "the worst health first");
    assert_eq!(shown("6SS")[..3], ["staging", "training", "prod"], "those with failing routes first");
}

#[test]
fn from_an_environment_to_what_is_in_it_and_back() {
    let mut model = model();
    press(&mut model, "6");
    assert_eq!(model.screens(), ["environments"]);
    press(&mut model, "<enter>");
    assert_eq!(model.screens(), ["place"]);
    press(&mut model, "<enter>");
    assert_eq!(model.screens(), ["application"]);
    assert!(screen(&model).contains("shop"), "the worst one comes first");
    press(&mut model, "<esc><esc>");
    assert_eq!(model.screens(), ["environments"]);
    for keys in ["6Ge", "6G<enter>e"] {
        press(&mut model, keys);
        assert_eq!(model.screens(), ["applications"], "{keys}");
        assert!(screen(&model).contains("env:=training"), "{keys}");
    }
    press(&mut model, "6e");
    assert!(screen(&model).contains("env:=demo"), "what narrowed them before does not any more");
}

#[test]
fn those_of_an_environment_with_a_longer_name_are_not_among_its_own() {
    let mut world = place_samples::world();
    let mut other = (*world.applications[0]).clone();
    (other.deployment.draft.environment, other.deployment.draft.name) = ("demo2".into(), "stranger".into());
    world.applications.push(Arc::new(other));
    let mut model = model_of(world);
    press(&mut model, "1");
    assert!(screen(&model).contains("stranger"));
    press(&mut model, "6e");
    let screen = screen(&model);
    assert!(screen.contains("shop") && !screen.contains("stranger"), "{screen}");
}

#[test]
fn the_page_leads_to_routes_operations_and_its_own_ingress() {
    let led = |environment: &str, to: &str| {
        let mut model = model();
        press(&mut model, &format!("6/{environment}<enter><enter>"));
        let mut found = Vec::new();
        for _ in 0..40 {
            press(&mut model, "<enter>");
            if model.screens() != ["place"] {
                found.push(model.screens().concat());
                press(&mut model, "<esc>");
            }
            press(&mut model, "j");
        }
        found.iter().filter(|screen| *screen == to).count()
    };
    assert!(led("staging", "route") > 0);
    assert!(led("staging", "operation") > 0);
    let inside = place_samples::world().applications_in("prod").count();
    assert_eq!(led("prod", "application"), inside + 1, "its ingress stands where routes are told, too");
}

#[test]
fn what_is_done_with_it_is_planned_or_asked_for() {
    for open in ["6", "6<enter>"] {
        let at = |keys: &str| {
            let mut model = model();
            let effects = press(&mut model, &format!("{open}{keys}"));
            let intent = effects.into_iter().find_map(|effect| match effect {
                Effect::Plan(_, intent) => Some(intent),
                _ => None,
            });
            (model.screens().last().map(|it| (*it).to_owned()).unwrap(), intent)
        };
        assert_eq!(at("aD").1, Some(Intent::RemoveEnvironment("demo".into())), "{open}");
        assert!(matches!(at("aE").1, Some(Intent::BackUpEnvironment(name, _)) if name == "demo"), "{open}");
        assert_eq!(at("ai").0, "environment", "{open}");
        assert_eq!(at("aI").0, "environment", "{open}");
        assert_eq!(at("aC").0, "clone", "{open}");
        let mut model = model();
        assert_eq!(press(&mut model, &format!("{open}c")), [Effect::Copy("demo".to_owned())]);
    }
}

#[test]
fn nothing_is_backed_up_of_an_empty_one() {
    for keys in ["6GaE", "6GaC", "6G<enter>aE"] {
        let mut model = model();
        assert_eq!(press(&mut model, keys), [], "{keys}");
        assert_eq!(toasts(&model).last().unwrap(), "There are no applications in training", "{keys}");
    }
}

#[test]
fn one_that_is_gone_says_so() {
    let mut model = model();
    press(&mut model, "6<enter>");
    update(&mut model, Event::World(Arc::new(World::default()), sample::now()));
    assert!(screen(&model).contains("There is no such environment any more"));
    assert_eq!(press(&mut model, "ec<enter>aE"), []);
}

#[test]
fn what_is_inherited_and_whose_the_namespace_is_stand_on_the_page() {
    let page = |name: &str| {
        let mut model = model();
        press(&mut model, &format!("6/{name}<enter><enter>"));
        screen(&model)
    };
    let lab = page("lab");
    assert!(lab.contains("localhost (the cluster's)"), "{lab}");
    assert!(lab.contains("whose it is is not known"), "{lab}");
    let staging = page("staging");
    assert!(staging.contains("others made it: it stays"), "{staging}");
    assert!(staging.contains("controller in envoy-gateway-system"), "{staging}");
    assert!(staging.contains("203.0.113.10"), "{staging}");
}

#[test]
fn what_is_deployed_from_there_goes_to_the_environment_that_is_meant() {
    for keys in ["6/training<enter>n", "6/training<enter><enter>n"] {
        let mut model = model();
        press(&mut model, keys);
        assert_eq!(model.screens(), ["new deployment"], "{keys}");
        let screen = screen(&model);
        let line = screen.lines().find(|line| line.contains("Environment ")).unwrap();
        assert!(line.contains("training"), "{keys}: {line}");
    }
}
