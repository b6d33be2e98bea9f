// Actions of the picture's driver, what they were asked for, and what one of them prints. Included beside `sample.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use styrmin::domain::call::{CallOutcome, CallRecord, OutputLine, OutputSource, StepOutput};
use styrmin::domain::driver::{ActionSpec, Hook, Mode, OnFailure, ParameterKind, ParameterSpec};
use styrmin::domain::operation::{Goal, Operation, Orders, Origin, Subject, Times};
use styrmin::domain::plan::{Class, Step, Verb};
use styrmin::domain::{
    ActionRequest, DeploymentId, OperationId, OperationKind, OperationState, OperationView, Plan, Preview,
    Problem, StepRecord, StepState, World,
};

use super::sample;

fn action(name: &str, description: &str) -> ActionSpec {
    ActionSpec {
        name: name.into(),
        location: format!("actions.star::{}", name.replace('-', "_")),
        description: description.into(),
        ..ActionSpec::default()
    }
}

fn at_hook(name: &str, hook: Hook, mode: Mode, after: &[&str]) -> ActionSpec {
    ActionSpec {
        hook: Some(hook),
        mode: Some(mode),
        after: after.iter().map(|name| (*name).to_owned()).collect(),
        ..action(name, "Brings the tables of the database to the new version.")
    }
}

fn prompt(name: &str, label: &str, kind: ParameterKind) -> ParameterSpec {
    ParameterSpec { name: name.into(), label: label.into(), kind, ..ParameterSpec::default() }
}

/// A prompt of every kind.
pub fn prompts() -> Vec<ParameterSpec> {
    let table = ParameterSpec {
        pattern: Some("[a-z_]+".into()),
        description: "Which table is gone through".into(),
        ..prompt("table", "Table", ParameterKind::String)
    };
    let workers = ParameterSpec {
        default: Some(json!(2)),
        min: Some(1.0),
        max: Some(8.0),
        ..prompt("workers", "Workers", ParameterKind::Integer)
    };
    let share =
        ParameterSpec { default: Some(json!(0.5)), ..prompt("share", "Share", ParameterKind::Number) };
    let full =
        ParameterSpec { default: Some(json!(false)), ..prompt("full", "Full", ParameterKind::Boolean) };
    let modes = ParameterKind::Enum(["quick", "thorough"].map(String::from).to_vec());
    let mode = ParameterSpec { default: Some(json!("quick")), ..prompt("mode", "Mode", modes) };
    let skip = ParameterSpec { default: Some(json!([])), ..prompt("skip", "Leave out", ParameterKind::List) };
    vec![table, workers, share, full, mode, skip, prompt("password", "Password", ParameterKind::Secret)]
}

/// The actions of the driver: two that a person starts without a question, one with questions, two at hooks.
pub fn actions() -> Vec<ActionSpec> {
    let reindex = ActionSpec {
        prompts: prompts(),
        ..action("reindex", "Builds the index of a table anew.\nIt takes a while.")
    };
    let told =
        ActionSpec { on_failure: OnFailure::Warn, ..at_hook("tell", Hook::Upgrade, Mode::Finally, &[]) };
    vec![
        action("vacuum", "Gives back the room that deleted notes took."),
        at_hook("prepare", Hook::Upgrade, Mode::Pre, &[]),
        reindex,
        at_hook("migrate", Hook::Upgrade, Mode::Pre, &["prepare"]),
        action("rotate-keys", ""),
        told,
    ]
}

/// The picture whose driver has actions: `notes` ran two of them.
pub fn world() -> World {
    let mut world = sample::world();
    let mut driver = (*world.drivers[0]).clone();
    driver.spec.actions = actions();
    world.drivers[0] = Arc::new(driver);
    let again = ActionRequest {
        action: "reindex".into(),
        answers: BTreeMap::from([
            ("table".to_owned(), json!("notes")),
            ("workers".to_owned(), json!(4)),
            (
                "password".to_owned(),
                json!({"secret": "notes-prompts", "key": "password.ab12", "digest": "ab12"}),
            ),
        ]),
        ..ActionRequest::default()
    };
    let vacuum = ActionRequest { action: "vacuum".into(), ..ActionRequest::default() };
    let mut failed = ended(21, again, OperationState::Failed);
    failed.steps[0].state = StepState::Failed;
    failed.steps[0].problem = Some(Problem::new(
        "'run reindex' failed",
        "actions.star:14: the table notes is locked",
        "look at its output",
    ));
    world.operations.insert(0, Arc::new(failed));
    world.operations.insert(0, Arc::new(ended(22, vacuum, OperationState::Succeeded)));
    world
}

/// The picture while `notes` runs an action.
pub fn running_world() -> World {
    let mut world = world();
    world.operations.insert(0, Arc::new(running()));
    world
}

fn operation(id: i64, request: ActionRequest, state: OperationState) -> OperationView {
    let title = format!("Run {} on notes in demo", request.action);
    let step = Step {
        class: Class::Disruptive,
        note: "Builds the index of a table anew.".into(),
        ..Step::named(Verb::Run, format!("run {}", request.action))
    };
    let plan = Plan {
        title,
        cluster: "kind-local".into(),
        target: "demo".into(),
        steps: vec![step],
        ..Plan::default()
    };
    let operation = Operation {
        id: OperationId(id),
        subject: Subject { cluster: "kind-local".into(), environment: "demo".into(), name: "notes".into() },
        kind: OperationKind::Action,
        state,
        plan_hash: plan.hash(),
        plan,
        origin: Origin {
            actor: "anna@jump-1".into(),
            cause: "confirmed in the cockpit".into(),
            confirmed: true,
        },
        goal: Goal { deployment: Some(DeploymentId(1)), revision: 1, instance: None },
        action: Some(request),
        request: None,
        parent: None,
        times: Times {
            created: sample::before(26),
            started: Some(sample::before(25)),
            ended: None,
            deadline: None,
        },
        orders: Orders::default(),
        problem: None,
        epoch: 3,
    };
    let step = StepRecord {
        state: StepState::Started,
        attempt: 1,
        started: Some(sample::before(25)),
        ..StepRecord::default()
    };
    OperationView { operation, steps: vec![step], moving: BTreeMap::new() }
}

fn ended(id: i64, request: ActionRequest, state: OperationState) -> OperationView {
    let mut view = operation(id, request, state);
    let times = &mut view.operation.times;
    (times.created, times.started, times.ended) =
        (sample::before(200), Some(sample::before(199)), Some(sample::before(187)));
    view.steps[0] = StepRecord {
        state: StepState::Succeeded,
        started: Some(sample::before(199)),
        ended: Some(sample::before(187)),
        ..view.steps[0].clone()
    };
    view
}

/// An action that runs.
pub fn running() -> OperationView {
    let request = ActionRequest { action: "reindex".into(), ..ActionRequest::default() };
    operation(23, request, OperationState::Running)
}

/// An action whose failure did not count.
pub fn warned() -> OperationView {
    let request = ActionRequest { action: "reindex".into(), ..ActionRequest::default() };
    let mut view = ended(23, request, OperationState::Succeeded);
    view.steps[0].problem = Some(Problem::new(
        "'run reindex' failed",
        "actions.star:14: the table notes is locked by another session, which has held it for eleven minutes",
        "",
    ));
    view
}

/// What the plan of an action looks like.
pub fn preview(request: &ActionRequest) -> Preview {
    let plan = operation(1, request.clone(), OperationState::Queued).operation.plan;
    Preview { kind: Some(OperationKind::Action), plan, ..Preview::default() }
}

fn call(
    name: &str,
    arguments: serde_json::Value,
    outcome: CallOutcome,
    (from, to): (i64, i64),
) -> CallRecord {
    let is_open = outcome == CallOutcome::Open;
    CallRecord {
        name: name.into(),
        arguments,
        place: "actions.star:12".into(),
        digest: String::new(),
        outcome,
        started: sample::before(from),
        ended: (!is_open).then(|| sample::before(to)),
    }
}

fn line(seconds: i64, source: OutputSource, text: &str) -> OutputLine {
    OutputLine { at: sample::before(seconds), source, text: text.into() }
}

/// What a running action called and printed so far.
pub fn output() -> StepOutput {
    use OutputSource::{Error, Log, Note, Out};
    let answered = || CallOutcome::Answered(serde_json::Value::Null);
    let password = json!({"$secret": {"secret": "notes-prompts", "key": "password.ab12"}});
    let refused = Problem::new("web answers with 503", "expected 200 at /healthz", "");
    let calls = vec![
        call("log", json!({"text": "reindexing notes"}), answered(), (24, 24)),
        call("stop_components", json!({"components": ["web"], "timeout": 60}), answered(), (23, 20)),
        call(
            "execute_commands",
            json!({"component": "db", "commands": ["reindex", "--table", "notes"], "env": {"PASSWORD": password}}),
            answered(),
            (19, 8),
        ),
        call(
            "http_check",
            json!({"service": "notes", "path": "/healthz"}),
            CallOutcome::Refused(refused),
            (7, 6),
        ),
        call("sleep", json!({"seconds": 30}), CallOutcome::Open, (5, 0)),
    ];
    let mut lines = vec![line(24, Log, "reindexing notes")];
    lines.extend((0..20).map(|page| line(18 - page / 2, Out, &format!("page {page} of 20 done"))));
    lines.push(line(
        9,
        Error,
        "warning: 3 rows of the table notes have no author; they are kept, and told of in the log of the server",
    ));
    lines.push(line(8, Note, "execute_commands ended with 0"));
    StepOutput { lines, anew: true, calls }
}

/// The moment of the newest line.
pub fn newest() -> Timestamp {
    sample::before(8)
}
