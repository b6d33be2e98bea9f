use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::ui::{action_samples as samples, sample};

struct Filling {
    view: ActionForm,
    world: World,
    requests: u64,
}

impl Filling {
    fn new(action: &str, before: Option<&ActionRequest>) -> Self {
        let world = samples::world();
        let actions = samples::actions();
        let spec = actions.iter().find(|spec| spec.name == action).unwrap();
        Self { view: ActionForm::new(&world.applications[0], spec, before), world, requests: 0 }
    }

    fn run(&mut self, command: Command) -> Vec<Step> {
        let size = Size::new(80, 22);
        let mut context = Context::new(&self.world, Some(sample::now()), size, &mut self.requests);
        self.view.command(command, &mut context);
        context.steps
    }

    fn fill(&mut self, label: &str, text: &str) {
        self.view.focus = self.view.fields.iter().position(|field| field.label == label).unwrap();
        let mut context =
            Context::new(&self.world, Some(sample::now()), Size::new(80, 22), &mut self.requests);
        self.view.paste(text, &mut context);
    }

    fn accept(&mut self) -> Vec<Step> {
        self.run(Command::Bottom);
        self.run(Command::Accept)
    }

    fn errors(&self) -> Vec<(&str, &str)> {
        let found = self.view.fields.iter().filter_map(|it| Some((it.label.as_str(), it.error.as_deref()?)));
        found.collect()
    }
}

fn asked(steps: &[Step]) -> &ActionRequest {
    match steps {
        [Step::Plan(intent)] => match &**intent {
            Intent::Act(DeploymentId(1), request) => request,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_wrong_is_told_at_each_field_and_the_first_one_gets_the_keys() {
    let mut filling = Filling::new("reindex", None);
    filling.fill("Table", "Notes 2");
    filling.fill("Workers", "00");
    assert_eq!(filling.accept(), []);
    let wanted = [
        ("Table", "it must match [a-z_]+"),
        ("Workers", "expected 1 to 8, found 200"),
        ("Password", "a value is needed"),
    ];
    assert_eq!(filling.errors(), wanted);
    assert_eq!(filling.view.focus, 0);
    filling.fill("Password", "hunter2");
    assert_eq!(filling.errors().len(), 2, "an error goes when its field changes");
    assert!(filling.view.is_secret(), "what is typed there is not kept");
}

#[test]
fn answers_have_their_types_defaults_are_left_out_and_secrets_go_beside() {
    let mut filling = Filling::new("reindex", None);
    filling.fill("Table", "notes");
    filling.view.focus = 3;
    filling.run(Command::Toggle);
    filling.view.focus = 4;
    filling.run(Command::Right);
    filling.fill("Leave out", "a\nb");
    filling.fill("Password", "hunter2");
    let steps = filling.accept();
    let request = asked(&steps);
    let wanted = json!({"table": "notes", "full": true, "mode": "thorough", "skip": ["a", "b"]});
    assert_eq!(json!(request.answers), wanted);
    assert_eq!(request.typed["password"].reveal(), "hunter2");
    assert!(!format!("{steps:?}").contains("hunter2"));
}

#[test]
fn the_answers_of_an_earlier_run_are_filled_in_but_secrets() {
    let before = ActionRequest {
        action: "reindex".into(),
        answers: BTreeMap::from([
            ("table".to_owned(), json!("notes")),
            ("workers".to_owned(), json!(4)),
            ("password".to_owned(), json!({"secret": "notes-prompts", "key": "password.ab12"})),
        ]),
        ..ActionRequest::default()
    };
    let mut filling = Filling::new("reindex", Some(&before));
    assert_eq!(filling.view.unasked(), None, "a secret is typed again");
    assert_eq!(filling.accept(), []);
    assert_eq!(filling.errors(), [("Password", "a value is needed")]);
    filling.fill("Password", "x");
    assert_eq!(json!(asked(&filling.accept()).answers), json!({"table": "notes", "workers": 4}));
}

#[test]
fn nothing_is_asked_where_all_is_known() {
    let wanted = |action: &str| {
        let request = ActionRequest { action: action.into(), ..ActionRequest::default() };
        Some(Intent::Act(DeploymentId(1), request))
    };
    assert_eq!(Filling::new("vacuum", None).view.unasked(), wanted("vacuum"));
    let world = samples::world();
    let mut spec = samples::actions().remove(2);
    spec.prompts.retain(|prompt| prompt.name == "table");
    let mut before = ActionRequest { action: "reindex".into(), ..ActionRequest::default() };
    before.answers.insert("table".into(), json!("notes"));
    let again =
        |before: &ActionRequest| ActionForm::new(&world.applications[0], &spec, Some(before)).unasked();
    assert_eq!(again(&before), Some(Intent::Act(DeploymentId(1), before.clone())));
    assert_eq!(ActionForm::new(&world.applications[0], &spec, None).unasked(), None);
    before.answers.insert("table".into(), json!("Not Any More"));
    assert_eq!(again(&before), None, "the driver takes other answers now");
}

#[test]
fn dropping_what_was_filled_in_is_asked_twice() {
    let mut filling = Filling::new("reindex", None);
    assert_eq!(filling.run(Command::Cancel), [Step::Close]);
    filling.fill("Table", "x");
    assert!(matches!(&filling.run(Command::Cancel)[..], [Step::Say(_)]));
    assert_eq!(filling.run(Command::Cancel), [Step::Close]);
}
