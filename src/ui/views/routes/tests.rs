use std::sync::Arc;

use crate::domain::World;
use crate::ui::event::{Effect, Event, Reply};
use crate::ui::model::Model;
use crate::ui::update;
use crate::ui::update::tests::{model_of, press, toasts};
use crate::ui::{draw_linked, route_samples, sample};

fn model() -> Model {
    model_of(route_samples::world())
}

/// What is drawn, and the cells that lead somewhere.
fn drawn(model: &Model, size: (u16, u16)) -> (String, Vec<(String, String)>) {
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(size.0, size.1)).unwrap();
    let mut linked = Vec::new();
    terminal.draw(|frame| linked = draw_linked(model, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut links: Vec<(String, String)> = Vec::new();
    let mut last = None;
    for it in linked {
        let follows =
            last.is_some_and(|last: ratatui::layout::Position| last.y == it.at.y && last.x + 1 == it.at.x);
        match links.last_mut() {
            Some((url, text)) if follows && *url == it.url => text.push_str(buffer[it.at].symbol()),
            _ => links.push((it.url.clone(), buffer[it.at].symbol().to_owned())),
        }
        last = Some(it.at);
    }
    (terminal.backend().to_string(), links)
}

fn first_row(model: &Model) -> String {
    let (screen, _) = drawn(model, (120, 40));
    let row = screen.lines().find(|line| line.contains('▌')).unwrap_or_default();
    row.split_whitespace().nth(2).unwrap_or_default().to_owned()
}

#[test]
fn the_worst_comes_first_and_the_order_can_be_changed() {
    let mut model = model();
    press(&mut model, "5");
    assert_eq!(model.screens(), ["routes"]);
    assert_eq!(first_row(&model), "shop-demo.localhost");
    for first in ["notes-demo.localhost", "billing.example.org", "billing.example.org", "shop-demo.localhost"]
    {
        press(&mut model, "S");
        assert_eq!(first_row(&model), first);
    }
}

#[test]
fn the_cursor_stays_on_its_route_when_others_come_and_go() {
    let mut model = model();
    press(&mut model, "5j");
    assert_eq!(first_row(&model), "team-handbook-staging.example.org");
    let mut world = route_samples::world();
    world.applications.remove(1);
    update(&mut model, Event::World(Arc::new(world), sample::now()));
    assert_eq!(first_row(&model), "team-handbook-staging.example.org");
}

#[test]
fn it_is_narrowed_by_words_faults_and_environments() {
    let shown = |keys: &str| {
        let mut model = model();
        press(&mut model, keys);
        let (screen, _) = drawn(&model, (120, 40));
        let line = screen.lines().nth(1).unwrap_or_default().to_owned();
        let at = line.find("Routes ").unwrap();
        line[at + 7..].split("  ").next().unwrap().to_owned()
    };
    assert_eq!(shown("5F"), "3 of 8");
    assert_eq!(shown("5e"), "3 of 8".replace('3', "4"), "demo has four");
    assert_eq!(shown("5/why:refuse<enter>"), "1 of 8");
    assert_eq!(shown("5/state:works<enter>"), "2 of 8");
    assert_eq!(shown("5/code:503 !wiki<enter>"), "1 of 8");
    assert_eq!(shown("5F<esc>"), "8 ✗2");
}

#[test]
fn a_route_is_tested_at_once_and_what_was_found_is_told() {
    for keys in ["5t", "5<enter>t", "jt", "j<enter>t"] {
        let mut model = model();
        let effects = press(&mut model, keys);
        let [Effect::Probe(id, url)] = &effects[..] else { panic!("{keys}: {effects:?}") };
        assert_eq!(url, "http://shop-demo.localhost:8480/", "{keys}");
        let found = "http://shop-demo.localhost:8480/ answers 503 after 4 ms".to_owned();
        update(&mut model, Event::Reply(*id, Reply::Done(Ok(found.clone()))));
        assert_eq!(toasts(&model).last(), Some(&found), "{keys}");
    }
}

#[test]
fn from_a_route_to_its_application_its_log_and_back() {
    let mut model = model();
    press(&mut model, "5<enter>");
    assert_eq!(model.screens(), ["route"]);
    press(&mut model, "o");
    assert_eq!(model.screens(), ["application"]);
    press(&mut model, "<esc>");
    assert_eq!(model.screens(), ["route"]);
    let effects = press(&mut model, "l");
    let followed: Vec<&str> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::FollowLogs(_, target) => Some(target.pod.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(
        followed.last(),
        Some(&"shop-web-7c9d8b5f4-lq2zt"),
        "what is behind the service, not the first pod"
    );
    press(&mut model, "<esc><esc>");
    assert_eq!(model.screens(), ["routes"]);
}

#[test]
fn urls_are_copied_and_shown_as_codes() {
    let mut model = model();
    let url = "http://shop-demo.localhost:8480/";
    assert_eq!(press(&mut model, "5y"), [Effect::Copy(url.to_owned())]);
    assert_eq!(press(&mut model, "c"), [Effect::Copy("shop-demo.localhost".to_owned())]);
    press(&mut model, "Q");
    assert_eq!(model.screens(), ["routes", "QR code"]);
    press(&mut model, "<enter>");
    assert_eq!(model.screens(), ["routes"]);
    press(&mut model, "1jQ");
    assert_eq!(model.screens(), ["applications", "QR code"]);
}

#[test]
fn every_host_on_screen_is_a_link_wherever_it_stands() {
    let mut model = model();
    press(&mut model, "5");
    let (_, links) = drawn(&model, (80, 24));
    let handbook = links.iter().find(|(url, _)| url == "https://team-handbook-staging.example.org/").unwrap();
    assert_eq!(handbook.1, "team-handbook-staging.example…", "what was cut leads there all the same");
    assert!(
        links.contains(&(
            "http://shop-demo.localhost:8480/".into(),
            "http://shop-demo.localhost:8480/".into()
        ))
    );
    assert_eq!(links.len(), 9, "each row, and the URL below: {links:?}");
    // what lies on top of them hides them
    press(&mut model, "?");
    let (screen, links) = drawn(&model, (40, 12));
    assert_eq!(links, [], "{screen}");
}

#[test]
fn a_route_that_is_gone_says_so() {
    let mut model = model();
    press(&mut model, "5<enter>");
    update(&mut model, Event::World(Arc::new(World::default()), sample::now()));
    assert!(drawn(&model, (80, 24)).0.contains("There is no such route any more"));
    assert_eq!(press(&mut model, "tyQ<enter>"), []);
}
