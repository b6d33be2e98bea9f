use crossterm::event::KeyCode;
use serde_json::json;

use super::*;
use crate::domain::DeploymentDraft;
use crate::ui::sample;

struct Filling {
    view: DeployForm,
    world: World,
    requests: u64,
}

impl Filling {
    fn new() -> Self {
        let world = sample::world();
        Self { view: DeployForm::new(&world, None), world, requests: 0 }
    }

    fn with(&mut self, work: impl FnOnce(&mut DeployForm, &mut Context<'_>)) -> Vec<Step> {
        let mut context =
            Context::new(&self.world, Some(sample::now()), Size::new(80, 22), &mut self.requests);
        work(&mut self.view, &mut context);
        context.steps
    }

    fn run(&mut self, command: Command) -> Vec<Step> {
        self.with(|view, context| {
            view.command(command, context);
        })
    }

    fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            self.with(|view, context| view.key(KeyEvent::from(KeyCode::Char(letter)), context));
        }
    }

    fn go_to(&mut self, label: &str) {
        self.view.focus = self.view.form.fields().iter().position(|field| field.label == label).unwrap();
    }

    fn value(&self, label: &str) -> String {
        let field = self.view.form.fields().iter().find(|field| field.label == label);
        field.map_or_else(|| "(no field)".to_owned(), |field| field.text().to_owned())
    }

    fn send(&mut self) -> Vec<Step> {
        self.run(Command::Bottom);
        self.run(Command::Accept)
    }

    fn draft(&mut self) -> DeploymentDraft {
        match self.send().into_iter().next() {
            Some(Step::PlanDeployment(draft)) => *draft,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_can_be_guessed_is_filled_in() {
    let mut filling = Filling::new();
    assert_eq!(filling.value("Application"), "notes");
    assert_eq!(filling.value("Environment"), "demo");
    assert_eq!(filling.value("Version"), "1.0.0");
    assert_eq!(filling.value("Name"), "notes-2", "notes is taken in demo");
    filling.go_to("Environment");
    filling.with(|view, context| view.key(KeyEvent::from(KeyCode::Right), context));
    assert_eq!((filling.value("Environment"), filling.value("Name")), ("staging".into(), "notes".into()));
}

#[test]
fn a_complete_form_makes_a_draft_of_what_differs_from_the_defaults() {
    let mut filling = Filling::new();
    filling.go_to("Password");
    filling.type_text("s3cret");
    filling.go_to("Public");
    filling.run(Command::Toggle);
    let draft = filling.draft();
    assert_eq!((draft.name.as_str(), draft.environment.as_str()), ("notes-2", "demo"));
    assert_eq!(draft.driver.to_string(), "notes 1.2.0");
    let parameters = serde_json::to_value(&draft.parameters).unwrap();
    assert_eq!(parameters, json!({"password": "s3cret", "public": true}));
}

#[test]
fn errors_stand_at_their_fields_and_the_first_gets_the_focus() {
    let mut filling = Filling::new();
    filling.go_to("Name");
    filling.type_text("_");
    assert_eq!(filling.send(), []);
    let wrong: Vec<&str> = filling
        .view
        .form
        .fields()
        .iter()
        .filter(|field| field.error.is_some())
        .map(|field| field.label.as_str())
        .collect();
    assert_eq!(wrong, ["Name", "Password"]);
    assert_eq!(filling.view.focus, 3);
    filling.with(|view, context| view.key(KeyEvent::from(KeyCode::Backspace), context));
    assert!(filling.view.form.fields()[3].error.is_none(), "an edit takes the error away");
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let mut filling = Filling::new();
    filling.go_to("Name");
    filling.with(|view, context| view.key(KeyEvent::from(KeyCode::Backspace), context));
    filling.with(|view, context| view.key(KeyEvent::from(KeyCode::Backspace), context));
    assert_eq!(filling.value("Name"), "notes");
    assert_eq!(filling.send(), []);
    assert_eq!(filling.view.form.fields()[3].error.as_deref(), Some("there is one of that name in demo"));
}

#[test]
fn another_driver_brings_its_own_versions_and_parameters() {
    let mut filling = Filling::new();
    filling.run(Command::Right);
    assert_eq!(filling.value("Application"), "wiki");
    assert_eq!((filling.value("Version"), filling.value("Name")), ("3.2.1".into(), "wiki".into()));
    assert_eq!(filling.value("Password"), "(no field)");
    assert_eq!(filling.draft().driver.to_string(), "wiki 0.4.0");
}

#[test]
fn dropping_what_was_filled_in_is_asked_twice() {
    let mut filling = Filling::new();
    assert_eq!(filling.run(Command::Cancel), [Step::Close], "nothing was filled in");
    filling.go_to("Title");
    filling.type_text("x");
    assert!(matches!(&filling.run(Command::Cancel)[..], [Step::Say(_)]));
    assert_eq!(filling.run(Command::Cancel), [Step::Close]);
}

#[test]
fn keys_go_where_the_focus_is() {
    let mut filling = Filling::new();
    assert_eq!(filling.view.layer(), Layer::Dialog, "a driver is chosen, not typed");
    filling.run(Command::Next);
    assert_eq!(filling.view.layer(), Layer::Input);
    filling.type_text("rehearsal");
    assert_eq!(filling.value("Environment"), "rehearsal");
    filling.run(Command::Bottom);
    assert_eq!(filling.view.layer(), Layer::Dialog);
}
