//! Whatever happens, in whatever order, at whatever size: nothing panics, and nothing is written that was not shown and
//! confirmed.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

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

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use jiff::SignedDuration;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use styrmin::domain::plan::Class;
use styrmin::domain::world::{Installed, Link};
use styrmin::domain::{ClusterKind, Intent, Plan, Problem, World};
use styrmin::ui::event::{Effect, Event, Reply, RequestId};
use styrmin::ui::{ColourDepth, KeymapSet, Model, ThemeSet, UiConfig, UiOptions, draw, update};

/// Something that happens.
#[derive(Debug, Clone)]
enum Act {
    Key(KeyCode, KeyModifiers),
    Type(&'static str),
    Resize(u16, u16),
    World(usize),
    Tick(i64),
    Answer(bool),
    LateAnswer(u64),
    Paste(String),
    Wheel(bool),
    Configure(usize),
}

fn key() -> impl Strategy<Value = KeyCode> {
    let named = prop_oneof![
        Just(KeyCode::Enter),
        Just(KeyCode::Esc),
        Just(KeyCode::Tab),
        Just(KeyCode::BackTab),
        Just(KeyCode::Backspace),
        Just(KeyCode::Up),
        Just(KeyCode::Down),
        Just(KeyCode::Left),
        Just(KeyCode::Right),
        Just(KeyCode::Home),
        Just(KeyCode::End),
        Just(KeyCode::PageUp),
        Just(KeyCode::PageDown),
    ];
    let letters = "abcdefghijklmnopqrstuvwxyzGFSTNIUQRD/:?123456 []éö日\u{301}"
        .chars()
        .map(KeyCode::Char)
        .collect::<Vec<_>>();
    prop_oneof![3 => named, 5 => prop::sample::select(letters)]
}

fn act() -> impl Strategy<Value = Act> {
    let modifiers = prop_oneof![8 => Just(KeyModifiers::NONE), 1 => Just(KeyModifiers::CONTROL), 1 => Just(KeyModifiers::ALT)];
    let scripts = [
        "n",
        "FS",
        "jl",
        "l/WARN\n",
        "2",
        ":drivers\n",
        "Tpaper\n",
        "/env:demo\n",
        "\u{1b}\u{1b}",
        "n\t\t\t\t\t\t\t\t\tsecret\t\n",
        "y",
        "yy",
        "ynotes\n",
        "d",
        "ab",
        "ax",
        "as",
        "ac",
        "ak\u{1b}",
        "af\n",
        "R\n",
        "anweb\n3\n",
        "aD\n",
        "aDj\n",
        "U\t\t\t\t\t\t\t\n",
        "3",
        "3/ledger\n\naajj\n",
        "3\nakj\n",
        "jh j \n",
        "jjd",
        "x\n",
        "xj\nnotes\t\t\t\t\t\thunter2\t\n",
        "xj.",
        "ae\n",
        "3\n\ngw",
        "4",
        "4\t\t\t",
        "4j\n",
        "4jaX",
        "ynas\n",
        "4\tjaw",
        "4\tjpfull\n",
        "4jp",
        "4e/by:night\nS",
        "jb",
        "B",
        "aR\t\t\t\t\t\t\n",
        "aC\t\t\t\t\t\t\t\n",
        "5",
        "5\n",
        "5tQ",
        "5eSSF",
        "5/why:refuse\n\nt",
        "5l",
        "Q",
        "6",
        "6jj\n",
        "6FS",
        "ai\t\t\t \t\t\t\t\t\n",
        "aIlab\tlab.example.org\t \t \t\n",
        ":remove-env\n\n",
    ];
    prop_oneof![
        24 => (key(), modifiers).prop_map(|(code, modifiers)| Act::Key(code, modifiers)),
        4 => prop::sample::select(scripts.to_vec()).prop_map(Act::Type),
        2 => (1..130u16, 1..45u16).prop_map(|(width, height)| Act::Resize(width, height)),
        2 => Just(Act::Resize(100, 30)),
        2 => (0..16usize).prop_map(Act::World),
        1 => (0..100_000i64).prop_map(Act::Tick),
        6 => any::<bool>().prop_map(Act::Answer),
        1 => (0..50u64).prop_map(Act::LateAnswer),
        1 => "\\PC{0,12}\n?\\PC{0,4}".prop_map(Act::Paste),
        1 => any::<bool>().prop_map(Act::Wheel),
        1 => (0..4usize).prop_map(Act::Configure),
    ]
}

fn world(number: usize) -> World {
    match number {
        0 => sample::empty_world(ClusterKind::Kubeconfig, Link::Live, Installed::No),
        1 => sample::empty_world(ClusterKind::Sandbox, sample::stale(), Installed::Yes),
        2 => sample::large_world(200),
        3 => World::default(),
        4 => plan_samples::stopped(),
        5 => production(),
        6 => plan_samples::world(),
        7 => action_samples::world(),
        8 => action_samples::running_world(),
        9 => backup_samples::world(),
        10 => backup_samples::bare(),
        11 => route_samples::world(),
        12 => route_samples::plain_world(),
        13 => place_samples::world(),
        14 => place_samples::none(),
        _ => sample::world(),
    }
}

/// The picture with its environments in production.
fn production() -> World {
    let mut world = plan_samples::world();
    world.environments.iter_mut().for_each(|environment| environment.production = true);
    world
}

fn config(number: usize) -> UiConfig {
    let keymaps = KeymapSet::bundled();
    let keymap = ["default", "k9s", "helix", "none"][number].to_owned();
    let colours = [ColourDepth::Full, ColourDepth::Indexed, ColourDepth::Sixteen, ColourDepth::Mono][number];
    let options = UiOptions { keymap, colours, ascii: number == 3, ..UiOptions::default() };
    UiConfig::new(ThemeSet::bundled(), &keymaps, options).0
}

/// A cockpit with an `app` that answers when told to.
struct Cockpit {
    model: Model,
    size: (u16, u16),
    open: Vec<(RequestId, Effect)>,
    screen: String,
    confirmed: Vec<Intent>,
    answered: usize,
    events: usize,
}

impl Cockpit {
    fn new() -> Self {
        let mut cockpit = Self {
            model: Model::new(UiConfig::default(), (100, 30)),
            size: (100, 30),
            open: Vec::new(),
            screen: String::new(),
            confirmed: Vec::new(),
            answered: 0,
            events: 0,
        };
        cockpit.send(Event::World(Arc::new(sample::world()), sample::now()));
        cockpit
    }

    fn send(&mut self, event: Event) {
        let by_key = matches!(event, Event::Key(_));
        let before = std::mem::take(&mut self.screen);
        for effect in update(&mut self.model, event) {
            match &effect {
                Effect::Confirm(_, intent, hash) => {
                    assert!(by_key, "only a person confirms");
                    let plan = plan_samples::preview(intent).plan;
                    assert_eq!(*hash, plan.hash());
                    assert!(shows(&before, intent, &plan), "the plan was not on screen:\n{before}");
                    self.confirmed.push(intent.clone());
                }
                Effect::PinBackup(..) | Effect::PauseSchedule(..) => {
                    assert!(by_key, "only a person pins and pauses");
                }
                Effect::CancelOperation(..) | Effect::AnswerStep(..) => {
                    self.answered += 1;
                    assert!(by_key, "only a person ends operations and answers for steps");
                    let shown = ["Not now", "Cancel '", "Was '"].iter().any(|words| before.contains(words));
                    assert!(shown, "the question was not on screen:\n{before}");
                }
                _ => {}
            }
            if let Some(id) = request_of(&effect) {
                self.open.push((id, effect));
            }
        }
        let _ = self.model.wants_tick();
        self.events += 1;
        // Every frame of a plan or a question, and every fourth of the rest.
        let asks = self.model.screens().iter().any(|name| matches!(*name, "plan" | "question"));
        if asks || self.events.is_multiple_of(4) {
            self.screen = self.draw();
        }
    }

    fn draw(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| draw(&self.model, frame)).unwrap();
        terminal.backend().to_string()
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Key(code, modifiers) => self.send(Event::Key(KeyEvent::new(code, modifiers))),
            Act::Type(keys) => keys.chars().for_each(|letter| {
                let code = match letter {
                    '\n' => KeyCode::Enter,
                    '\t' => KeyCode::Tab,
                    '\u{1b}' => KeyCode::Esc,
                    other => KeyCode::Char(other),
                };
                self.send(Event::Key(KeyEvent::from(code)));
            }),
            Act::Resize(width, height) => {
                self.size = (width, height);
                self.send(Event::Resize(width, height));
            }
            Act::World(number) => self.send(Event::World(Arc::new(world(number)), sample::now())),
            Act::Tick(seconds) => self.send(Event::Tick(sample::now() + SignedDuration::from_secs(seconds))),
            Act::Answer(well) => self.answer(well),
            Act::LateAnswer(id) => self.send(Event::Reply(RequestId(id), Reply::Done(Ok("late".into())))),
            Act::Paste(text) => self.send(Event::Paste(text)),
            Act::Wheel(down) => {
                let kind = if down { MouseEventKind::ScrollDown } else { MouseEventKind::ScrollUp };
                self.send(Event::Mouse(MouseEvent {
                    kind,
                    column: 1,
                    row: 1,
                    modifiers: KeyModifiers::NONE,
                }));
            }
            Act::Configure(number) => self.send(Event::Config(Ok(config(number)))),
        }
    }

    fn answer(&mut self, well: bool) {
        let Some((id, effect)) = self.open.pop() else { return };
        let problem = || Problem::new("It did not work", "for a reason\nof two lines", "try again");
        let reply = match effect {
            Effect::Plan(_, intent) if well => Reply::Plan(Ok(plan_samples::preview(&intent))),
            Effect::Plan(..) => Reply::Plan(Err(plan_samples::conflict())),
            Effect::CompareInstances(..) => {
                Reply::Diffs(if well { Ok(sample::preview().diffs) } else { Err(problem()) })
            }
            Effect::ReadOperation(..) => {
                Reply::OperationEvents(if well { Ok(sample::operation_events()) } else { Err(problem()) })
            }
            Effect::FollowOutput(..) => {
                Reply::Output(if well { Ok(action_samples::output()) } else { Err(problem()) })
            }
            Effect::PreviewRetention(..) => {
                Reply::Retention(if well { Ok(backup_samples::fates()) } else { Err(problem()) })
            }
            Effect::Confirm(..)
            | Effect::CancelOperation(..)
            | Effect::AnswerStep(..)
            | Effect::PinBackup(..)
            | Effect::PauseSchedule(..)
            | Effect::Probe(..) => Reply::Done(if well { Ok("under way".into()) } else { Err(problem()) }),
            _ if well => Reply::LogLines(
                (0..40).map(|n| format!("12:00:0{} WARN {n}\t\u{1b}[31m日本 é", n % 10)).collect(),
            ),
            _ => Reply::LogEnded(Some(problem())),
        };
        self.send(Event::Reply(id, reply));
    }
}

/// Whether a person saw the plan, where it writes to, what it costs, and, before something is lost, the name that they typed.
fn shows(screen: &str, intent: &Intent, plan: &Plan) -> bool {
    let costs = plan.class() == Class::Safe || screen.contains(plan.class().as_str());
    let name = match intent {
        Intent::Install => "kind-local",
        Intent::Prune(request) => &request.location,
        _ => "notes",
    };
    let typed = plan.class() != Class::Destructive || screen.contains(&format!("type {name}: {name}"));
    // a title without room in the border is wrapped
    let titled = plan.title.split_whitespace().all(|word| screen.contains(word));
    titled && screen.contains(&plan.cluster) && costs && typed
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 25, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// 25 × 400 = 10 000 events.
    #[test]
    fn nothing_panics_and_nothing_is_written_unseen(acts in prop::collection::vec(act(), 400)) {
        let mut cockpit = Cockpit::new();
        for act in acts {
            cockpit.act(act);
        }
    }
}

#[test]
fn a_confirmed_plan_is_carried_out() {
    let mut cockpit = Cockpit::new();
    cockpit.act(Act::Type("n\t\t\t\t\t\t\t\t\tsecret\t\n"));
    cockpit.act(Act::Answer(true));
    cockpit.act(Act::Type("y"));
    assert_eq!(
        cockpit.confirmed.len(),
        1,
        "the property above would hold for a cockpit that can do nothing\n{}",
        cockpit.screen
    );
}

#[test]
fn every_change_of_an_application_can_be_confirmed() {
    for (keys, confirms) in [
        ("ab", "yy"),
        ("ax", "yy"),
        ("ac", "y"),
        ("R\n", "yy"),
        ("anweb\n3\n", "y"),
        ("af\n", "y"),
        ("aD\n", "yy"),
        ("aDj\n", "ynotes\n"),
        ("U\t\t\t\t\t\t\t\n", "yy"),
    ] {
        let mut cockpit = Cockpit::new();
        cockpit.act(Act::World(6));
        cockpit.act(Act::Type(keys));
        cockpit.act(Act::Answer(true));
        cockpit.act(Act::Type(confirms));
        assert_eq!(cockpit.confirmed.len(), 1, "{keys}\n{}", cockpit.screen);
    }
}

#[test]
fn a_question_that_is_answered_is_carried_out() {
    let mut cockpit = Cockpit::new();
    cockpit.act(Act::Type("3/ledger\n\naajj\n"));
    assert_eq!(cockpit.answered, 1, "{}", cockpit.screen);
    cockpit.act(Act::Answer(true));
    cockpit.act(Act::Type("3\nakj\n"));
    assert_eq!(cockpit.answered, 2, "{}", cockpit.screen);
}

#[test]
fn every_view_is_drawn_at_every_size() {
    let scenes = [
        "",
        "\n",
        "j\n",
        "jl",
        "je",
        "ji",
        "n\t\t",
        "2",
        "?",
        ":no",
        "T",
        "jlc",
        "n\t\t\t\t\t\t\t\t\tsecret\t\n",
        "U",
        "aD",
        "ax",
        "aDj\n",
        "an",
        "anweb\n",
        "af",
        "ak",
        "a",
        "3",
        "3\n",
        "3/ledger\n\naa",
        "3\nak",
        "jh",
        "jjd",
        "jh\n",
        "Q",
        "ai",
        "aI",
        "5",
        "5\n",
        "5jjj\n",
        "5Q",
        "5jj\nQ",
        "5eF/x",
        ":remove-env\n",
    ];
    let places = ["6", "6jj\n", "6jj\nG", "6FS", "6/prod"];
    let places = places.into_iter().flat_map(|scene| [(scene, 13), (scene, 14)]);
    for (scene, number) in scenes.into_iter().flat_map(|scene| [(scene, 6), (scene, 11)]).chain(places) {
        let mut cockpit = Cockpit::new();
        cockpit.act(Act::World(number));
        cockpit.act(Act::Type(scene));
        cockpit.act(Act::Answer(true));
        for size in [(1, 1), (2, 3), (5, 2), (3, 40), (12, 5), (20, 5), (39, 9), (79, 23), (300, 100)] {
            cockpit.act(Act::Resize(size.0, size.1));
        }
    }
}
