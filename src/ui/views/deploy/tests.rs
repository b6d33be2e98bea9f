use crossterm::event::KeyCode;
use serde_json::json;

use super::*;
use crate::domain::{DeploymentDraft, DeploymentId, Intent};
use crate::ui::sample;

struct Filling {
    view: DeployForm,
    world: World,
    requests: u64,
}

impl Filling {
    fn new() -> Self {
        let world = sample::world();
        Self { view: DeployForm::new(&world, None, None), world, requests: 0 }
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
        field.map_or_else(|| "(no field)".to_owned(), |field| field.text().into_owned())
    }

    fn send(&mut self) -> Vec<Step> {
        self.run(Command::Bottom);
        self.run(Command::Accept)
    }

    fn draft(&mut self) -> DeploymentDraft {
        match self.send().into_iter().next() {
            Some(Step::Plan(intent)) => match *intent {
                Intent::Deploy(draft) | Intent::Change(_, draft) => draft,
                other => panic!("{other:?}"),
            },
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
    assert_eq!(parameters, json!({"public": true}));
    assert_eq!(draft.typed["password"].reveal(), "s3cret");
    assert!(!format!("{:?}", filling.send()).contains("s3cret"), "what is asked for does not show it");
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

/// Where the password lies.
fn reference() -> serde_json::Value {
    json!({"secret": "notes-parameters", "key": "password.ab12", "digest": "ab12"})
}

#[test]
fn a_list_is_edited_line_by_line() {
    let mut filling = Filling::new();
    let mut driver = (*filling.world.drivers[0]).clone();
    driver.digest = "digest-with-a-list".into();
    driver.spec.parameters.insert(
        0,
        crate::domain::driver::ParameterSpec {
            name: "hosts".into(),
            label: "Hosts".into(),
            kind: crate::domain::driver::ParameterKind::List,
            default: Some(json!(["a.example.org"])),
            ..Default::default()
        },
    );
    filling.world.drivers[0] = std::sync::Arc::new(driver);
    filling.with(|view, context| view.refresh(context));
    filling.go_to("Hosts");
    assert_eq!(filling.run(Command::Accept), [], "enter adds a line");
    filling.type_text("b.example.org");
    filling.run(Command::Up);
    assert_eq!(filling.view.form.fields()[filling.view.focus].label, "Hosts", "up moves in the field first");
    filling.run(Command::Next);
    filling.go_to("Password");
    filling.type_text("s3cret");
    assert_eq!(filling.draft().parameters["hosts"], json!(["a.example.org", "b.example.org"]));
}

impl Filling {
    /// The change of `notes`, of which this was asked for before.
    fn change(parameters: serde_json::Value) -> Self {
        let mut world = sample::world();
        let mut older = (*world.drivers[0]).clone();
        older.reference.version = "1.1.0".into();
        older.digest = "digest-of-older-notes".into();
        older.spec.parameters.retain(|parameter| parameter.name != "log_level");
        world.drivers.insert(1, std::sync::Arc::new(older));
        let mut application = (*world.applications[0]).clone();
        application.deployment.draft.parameters =
            parameters.as_object().unwrap().clone().into_iter().collect();
        let replicas = crate::domain::ComponentOverride { replicas: Some(3), ..Default::default() };
        application.deployment.draft.components.insert("web".into(), replicas);
        world.applications[0] = std::sync::Arc::new(application);
        Self { view: DeployForm::change(&world, &world.applications[0].clone()), world, requests: 0 }
    }
}

#[test]
fn a_change_begins_with_what_was_asked_for_and_keeps_the_rest() {
    let before = json!({"title": "Ours", "replicas": 2, "public": true, "log_level": "debug", "password": reference()});
    let mut filling = Filling::change(before.clone());
    assert_eq!(filling.view.focus, 2, "the version is what most changes are about");
    let shown = ["Title", "Replicas", "Public", "Log level", "Password"].map(|label| filling.value(label));
    assert_eq!(shown, ["Ours", "2", "true", "debug", ""], "a secret is not shown");
    let old = filling.world.applications[0].deployment.draft.clone();
    assert_eq!(filling.draft(), old, "nothing was changed");
    filling.go_to("Version");
    filling.with(|view, context| view.key(KeyEvent::from(KeyCode::Right), context));
    filling.go_to("Password");
    filling.type_text("other");
    filling.run(Command::Bottom);
    let steps = filling.run(Command::Accept);
    let [Step::Plan(intent)] = &steps[..] else { panic!("{steps:?}") };
    let Intent::Change(id, draft) = &**intent else { panic!("{intent:?}") };
    assert_eq!((*id, draft.application_version.as_str()), (DeploymentId(1), "1.1.0"));
    assert_eq!(draft.typed["password"].reveal(), "other");
    assert!(!draft.parameters.contains_key("password"), "the old value is not asked for any more");
    assert_eq!(draft.components["web"].replicas, Some(3), "overrides stay");
}

#[test]
fn another_version_of_the_driver_brings_its_parameters_and_keeps_the_version_that_runs() {
    let before = json!({"title": "Ours", "log_level": "debug", "password": reference()});
    let mut filling = Filling::change(before);
    filling.go_to("Driver");
    filling.run(Command::Right);
    assert_eq!((filling.value("Driver"), filling.value("Version")), ("1.1.0".into(), "1.0.0".into()));
    assert_eq!((filling.value("Title"), filling.value("Log level")), ("Ours".into(), "(no field)".into()));
    let draft = filling.draft();
    assert_eq!(draft.driver.to_string(), "notes 1.1.0");
    assert_eq!(
        serde_json::to_value(&draft.parameters).unwrap(),
        json!({"title": "Ours", "password": reference()})
    );
}

#[test]
fn a_secret_that_was_never_given_is_asked_for_and_fixed_fields_are_passed_over() {
    let mut filling = Filling::change(json!({}));
    assert_eq!(filling.send(), []);
    assert_eq!(filling.view.form.fields()[filling.view.focus].label, "Password");
    filling.go_to("Version");
    filling.run(Command::Up);
    assert_eq!(filling.view.form.fields()[filling.view.focus].label, "Driver");
    filling.run(Command::Next);
    assert_eq!(filling.view.form.fields()[filling.view.focus].label, "Version");
}
