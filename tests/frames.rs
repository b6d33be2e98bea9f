//! What every view looks like, at two sizes, with a fixed picture. `cargo insta review` shows what changed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail like tests"
)]

#[allow(dead_code, reason = "the picture is shared with other tests")]
#[path = "support/sample.rs"]
mod sample;

#[allow(dead_code, reason = "the plans are shared with other tests")]
#[path = "support/plans.rs"]
mod plan_samples;

#[allow(dead_code, reason = "the backups are shared with other tests")]
#[path = "support/backups.rs"]
mod backup_samples;

#[allow(dead_code, reason = "the routes are shared with other tests")]
#[path = "support/routes.rs"]
mod route_samples;

#[allow(dead_code, reason = "the environments are shared with other tests")]
#[path = "support/places.rs"]
mod place_samples;

#[allow(dead_code, reason = "the actions are shared with other tests")]
#[path = "support/actions.rs"]
mod action_samples;

#[path = "frames/actions.rs"]
mod actions;

#[path = "frames/backups.rs"]
mod backups;

#[path = "frames/environments.rs"]
mod environments;

#[path = "frames/operations.rs"]
mod operations;

#[path = "frames/plans.rs"]
mod plans;

#[path = "frames/routes.rs"]
mod routes;

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use styrmin::domain::world::{EngineView, Installed, Link};
use styrmin::domain::{ClusterKind, Problem, World};
use styrmin::ui::event::{Effect, Event, Reply, RequestId};
use styrmin::ui::{Model, UiConfig, UiOptions, draw, update};

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

/// A cockpit under test.
struct Cockpit {
    model: Model,
    size: (u16, u16),
    effects: Vec<Effect>,
}

impl Cockpit {
    fn new(size: (u16, u16), world: World) -> Self {
        Self::with(size, world, UiOptions { reduced_motion: true, ..UiOptions::default() })
    }

    fn with(size: (u16, u16), world: World, options: UiOptions) -> Self {
        let config = UiConfig { options, ..UiConfig::default() };
        let mut cockpit = Self { model: Model::new(config, size), size, effects: Vec::new() };
        cockpit.send(Event::World(Arc::new(world), sample::now()));
        cockpit
    }

    fn send(&mut self, event: Event) {
        self.effects.extend(update(&mut self.model, event));
    }

    /// Types keys: single characters, or names in angle brackets.
    fn press(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let (code, length) = match rest.strip_prefix('<').and_then(|named| named.split_once('>')) {
                Some((name, _)) => (named_key(name), name.len() + 2),
                None => (KeyCode::Char(first), first.len_utf8()),
            };
            self.send(Event::Key(KeyEvent::from(code)));
            rest = &rest[length..];
        }
        self
    }

    /// Answers the last request.
    fn reply(&mut self, reply: Reply) -> &mut Self {
        let id = self.effects.iter().rev().find_map(request_of).expect("a request");
        self.send(Event::Reply(id, reply));
        self
    }

    fn screen(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| draw(&self.model, frame)).unwrap();
        terminal.backend().to_string()
    }
}

fn named_key(name: &str) -> KeyCode {
    match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        other => panic!("no key {other}"),
    }
}

fn request_of(effect: &Effect) -> Option<RequestId> {
    match effect {
        Effect::Plan(id, _)
        | Effect::Confirm(id, ..)
        | Effect::CancelOperation(id, _)
        | Effect::AnswerStep(id, ..)
        | Effect::CompareInstances(id, ..)
        | Effect::ReadOperation(id, _)
        | Effect::FollowOutput(id, _)
        | Effect::PinBackup(id, ..)
        | Effect::PauseSchedule(id, ..)
        | Effect::PreviewRetention(id, _)
        | Effect::Probe(id, _)
        | Effect::TakeOver(id)
        | Effect::FollowLogs(id, _) => Some(*id),
        _ => None,
    }
}

/// Draws a scene at both sizes and compares with what is recorded.
fn check(name: &str, world: impl Fn() -> World, scene: impl Fn(&mut Cockpit)) {
    for size in SIZES {
        let mut cockpit = Cockpit::new(size, world());
        scene(&mut cockpit);
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), cockpit.screen());
    }
}

/// Compares the screen with what is recorded.
fn check_screen(name: &str, cockpit: &Cockpit) {
    insta::assert_snapshot!(format!("{name}_{}x{}", cockpit.size.0, cockpit.size.1), cockpit.screen());
}

fn to_form(cockpit: &mut Cockpit) {
    cockpit.press("n<tab><tab><tab><tab><tab><tab><tab><tab><tab>secret<tab>");
}

#[test]
fn applications() {
    check("applications", sample::world, |cockpit| {
        cockpit.press("j");
    });
}

#[test]
fn applications_filtered() {
    check("filter", sample::world, |cockpit| {
        cockpit.press("/env:demo ntes");
    });
}

#[test]
fn applications_that_are_not_well() {
    check("faults", sample::world, |cockpit| {
        cockpit.press("FS");
    });
}

#[test]
fn no_applications_yet() {
    let world = || sample::empty_world(ClusterKind::Sandbox, Link::Live, Installed::Yes);
    check("empty", world, |_| {});
}

#[test]
fn nothing_known_yet() {
    let cockpit =
        Cockpit { model: Model::new(UiConfig::default(), (80, 24)), size: (80, 24), effects: Vec::new() };
    insta::assert_snapshot!("first_frame_80x24", cockpit.screen());
}

#[test]
fn the_cluster_does_not_answer() {
    let world = || World {
        cluster: sample::empty_world(ClusterKind::Kubeconfig, sample::stale(), Installed::Yes).cluster,
        ..sample::world()
    };
    check("stale", world, |_| {});
}

#[test]
fn the_engine_runs_elsewhere() {
    let engine = EngineView::Elsewhere {
        holder: "pid 4123 on jump-1".into(),
        since: Some(sample::before(90)),
        epoch: 4,
    };
    let world = || World { engine: engine.clone(), ..sample::world() };
    check("engine_elsewhere", world, |cockpit| {
        cockpit.press(":take-over<enter>");
        assert!(matches!(cockpit.effects[..], [Effect::TakeOver(_)]), "{:?}", cockpit.effects);
    });
    let mut narrow = Cockpit::new((60, 10), world());
    narrow.press(":take-over<enter>").reply(Reply::Done(Ok("The engine runs here now, as number 5".into())));
    assert!(narrow.screen().contains("as number 5"), "{}", narrow.screen());
}

#[test]
fn overview() {
    check("overview", sample::world, |cockpit| {
        cockpit.press("<enter>");
    });
}

#[test]
fn overview_of_a_degraded_application() {
    check("overview_degraded", sample::world, |cockpit| {
        cockpit.press("j<enter>jjj");
    });
}

#[test]
fn events() {
    check("events", sample::world, |cockpit| {
        cockpit.press("je");
    });
}

#[test]
fn objects() {
    check("objects", sample::world, |cockpit| {
        cockpit.press("ij");
    });
}

#[test]
fn logs() {
    check("logs", sample::world, |cockpit| {
        let lines = (0..60).map(|number| {
            let level = ["INFO ", "WARN ", "ERROR"][number % 3];
            format!("2026-11-22T18:59:{:02}Z {level} request {number} took {} ms", number % 60, number * 7)
        });
        cockpit.press("jl").reply(Reply::LogLines(lines.collect())).press("/request 58<enter>");
    });
}

#[test]
fn logs_that_ended() {
    let problem = Problem::new("The log cannot be read", "pods \"x\" not found", "pick another container");
    check("logs_ended", sample::world, |cockpit| {
        cockpit.press("l").reply(Reply::LogEnded(Some(problem.clone())));
    });
}

#[test]
fn form() {
    check("form", sample::world, |cockpit| {
        cockpit.press("n<tab>");
    });
}

#[test]
fn form_with_errors() {
    check("form_errors", sample::world, |cockpit| {
        cockpit.press("n<tab>My Env<tab><tab><tab>http://x<tab><tab>x<tab><tab><tab><tab><enter>");
    });
}

#[test]
fn plan_of_a_deployment() {
    check("plan", sample::world, |cockpit| {
        to_form(cockpit);
        cockpit.press("<enter>").reply(Reply::Plan(Ok(sample::preview())));
    });
}

#[test]
fn plan_that_could_not_be_made() {
    let problem =
        Problem::new("The plan cannot be made", "notes-2-web: image is empty", "correct the driver");
    check("plan_failed", sample::world, |cockpit| {
        to_form(cockpit);
        cockpit.press("<enter>").reply(Reply::Plan(Err(problem.clone())));
    });
}

#[test]
fn installation_is_explained_first() {
    let world = || sample::empty_world(ClusterKind::Kubeconfig, Link::Live, Installed::No);
    check("installation", world, |_| {});
}

#[test]
fn not_installed() {
    let world = || sample::empty_world(ClusterKind::Kubeconfig, Link::Live, Installed::No);
    check("not_installed", world, |cockpit| {
        cockpit.press("<esc>");
    });
}

#[test]
fn drivers() {
    check("drivers", sample::world, |cockpit| {
        cockpit.press("2");
    });
}

#[test]
fn driver() {
    check("driver", sample::world, |cockpit| {
        cockpit.press("2<enter>");
    });
}

#[test]
fn driver_to_its_end() {
    check("driver_end", sample::world, |cockpit| {
        cockpit.press("2<enter>G");
    });
}

#[test]
fn driver_whose_chart_was_pulled() {
    check("driver_chart", sample::world, |cockpit| {
        cockpit.press("2G<enter>");
    });
}

#[test]
fn driver_versions_compared() {
    check("driver_comparison", sample::world, |cockpit| {
        cockpit.press("2d");
    });
}

#[test]
fn help() {
    check("help", sample::world, |cockpit| {
        cockpit.press("?");
    });
}

#[test]
fn palette() {
    check("palette", sample::world, |cockpit| {
        cockpit.press(":no");
    });
}

#[test]
fn themes() {
    check("themes", sample::world, |cockpit| {
        cockpit.press("T<down>");
    });
}

#[test]
fn containers() {
    check("containers", sample::world, |cockpit| {
        cockpit.press("jlc");
    });
}

#[test]
fn toasts() {
    let problem = Problem::new(
        "notes in demo was not deployed",
        "applying Deployment/notes-web: conflict with manager kubectl on .spec.replicas",
        "press D to take the field over, or change it in the driver",
    );
    check("toasts", sample::world, |cockpit| {
        cockpit.press("y");
        cockpit.send(Event::Notice(problem.clone()));
    });
}

#[test]
fn narrow_and_low() {
    for size in [(40, 12), (20, 5), (30, 8)] {
        let mut cockpit = Cockpit::new(size, sample::world());
        cockpit.press("j");
        insta::assert_snapshot!(format!("narrow_{}x{}", size.0, size.1), cockpit.screen());
    }
}

#[test]
fn ascii_only() {
    let options = UiOptions { ascii: true, reduced_motion: true, ..UiOptions::default() };
    let mut cockpit = Cockpit::with((80, 24), sample::world(), options);
    cockpit.press("j<enter>");
    let screen = cockpit.screen();
    assert!(screen.is_ascii(), "{screen}");
    insta::assert_snapshot!("ascii_80x24", screen);
}
