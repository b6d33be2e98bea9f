// Plans of everything that can be wanted of the picture's applications, for tests that show and confirm them. Included beside
// `sample.rs`, which makes the picture.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use styrmin::domain::diff::ObjectDiff;
use styrmin::domain::drift::DriftAnswer;
use styrmin::domain::operation::{Goal, Operation, Orders, Origin, Subject, Times};
use styrmin::domain::plan::{Class, Step, Verb};
use styrmin::domain::world::Application;
use styrmin::domain::{
    DeploymentId, DesiredPhase, Drift, Intent, ObjectKey, OperationId, OperationKind, OperationState,
    OperationView, Plan, Preview, Problem, Resolution, StepRecord, StepState, Volumes, World,
};

use super::sample;

/// The application `notes` of the picture.
pub const NOTES: DeploymentId = DeploymentId(1);

/// An object of the namespace `demo`.
pub fn key(kind: &str, name: &str) -> ObjectKey {
    let api_version = if matches!(kind, "Deployment" | "StatefulSet") { "apps/v1" } else { "v1" };
    ObjectKey {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: "demo".into(),
        name: name.into(),
    }
}

fn step(verb: Verb, kind: &str, name: &str, note: &str, class: Class) -> Step {
    Step { note: note.into(), class, digest: format!("digest-{name}"), ..Step::on(verb, key(kind, name)) }
}

fn record(phrase: &str) -> Step {
    let resource = key("StyrminDeployment", "notes");
    Step { object: Some(resource.clone()), ..Step::named(Verb::Record, format!("{phrase} {resource}")) }
}

fn plan(title: &str, steps: Vec<Step>) -> Plan {
    Plan {
        title: title.into(),
        cluster: "kind-local".into(),
        target: "demo".into(),
        steps,
        ..Plan::default()
    }
}

fn workload(kind: &str, image: &str, replicas: u32, level: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": kind,
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [
            {"name": "web", "image": image, "env": [{"name": "LOG_LEVEL", "value": level}]}
        ]}}}
    })
}

/// A plan of every class and length: what `intent` would come to.
pub fn preview(intent: &Intent) -> Preview {
    match intent {
        Intent::Install => {
            Preview { kind: Some(OperationKind::Install), diffs: Vec::new(), ..sample::preview() }
        }
        Intent::Deploy(_) => sample::preview(),
        Intent::Change(..) => upgrade(),
        Intent::Rollback(_, number) => Preview {
            kind: Some(OperationKind::Rollback),
            plan: Plan { title: format!("Roll notes in demo back to instance {number}"), ..upgrade().plan },
            diffs: upgrade().diffs,
            ..Preview::default()
        },
        Intent::Stop(_) => stop(),
        Intent::Start(_) => nothing("Start notes in demo"),
        Intent::Restart(_, components) => restart(components),
        Intent::Scale(_, component, replicas) => scale(component, *replicas),
        Intent::Correct(_) => correct(),
        Intent::Act(_, request) => act(&request.action),
        Intent::Resolve(_, object, resolution) => resolve(object, *resolution),
        Intent::Delete(_, volumes) => delete(*volumes),
        Intent::BackUp(..) | Intent::BackUpEnvironment(..) => moved("Back up notes in demo", Class::Safe),
        Intent::Verify(_) | Intent::Drill(_) => moved("Verify a backup of notes", Class::Safe),
        Intent::Prune(_) => moved("Delete backups", Class::Destructive),
        Intent::Restore(..) | Intent::RestoreEnvironment(..) => {
            moved("Restore notes in demo", Class::Destructive)
        }
        Intent::DeployFrom(..) | Intent::Clone(_) => nothing("Clone demo"),
        Intent::SetEnvironment(_) | Intent::RemoveEnvironment(_) | Intent::SetCluster(_) => {
            nothing("Configure demo")
        }
    }
}

/// Data is moved: one part after the other.
fn moved(title: &str, class: Class) -> Preview {
    let run = |name: &str, class| Step { class, ..Step::named(Verb::Run, name) };
    let steps = vec![run("db", class), run("web/uploads", class), run("seal backup", Class::Safe)];
    Preview { plan: plan(title, steps), ..Preview::default() }
}

/// Another version: something to change, to replace and to leave, with differences.
pub fn upgrade() -> Preview {
    let mut steps = vec![
        record("write the instance into"),
        step(Verb::Unchanged, "Service", "notes", "port 80", Class::Safe),
        step(Verb::Update, "Secret", "notes-parameters", "1 key", Class::Safe),
        step(Verb::Update, "StatefulSet", "notes-db", "styrmin/notes-db:1.1.0", Class::Disruptive),
        step(Verb::Update, "Deployment", "notes-web", "styrmin/notes-web:1.1.0", Class::Safe),
        step(Verb::Wait, "StatefulSet", "notes-db", "until it is healthy", Class::Safe),
        step(Verb::Wait, "Deployment", "notes-web", "until it is healthy", Class::Safe),
    ];
    steps.push(Step::named(Verb::Record, "make the instance the active one"));
    let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "data": {"password": value}});
    let of = |kind: &str, name: &str, old: &Value, new: &Value| {
        ObjectDiff::between(key(kind, name), Some(old), Some(new))
    };
    let diffs = vec![
        of("Secret", "notes-parameters", &secret("b25l"), &secret("dHdv")),
        of(
            "StatefulSet",
            "notes-db",
            &workload("StatefulSet", "styrmin/notes-db:1.0.0", 1, "info"),
            &workload("StatefulSet", "styrmin/notes-db:1.1.0", 1, "info"),
        ),
        of(
            "Deployment",
            "notes-web",
            &workload("Deployment", "styrmin/notes-web:1.0.0", 1, "info"),
            &workload("Deployment", "styrmin/notes-web:1.1.0", 2, "debug"),
        ),
    ];
    let plan = plan("Upgrade notes in demo to 1.1.0", steps);
    Preview { kind: Some(OperationKind::Upgrade), plan, diffs, ..Preview::default() }
}

/// A field that cannot be changed in place.
pub fn replacement() -> Preview {
    let mut preview = upgrade();
    preview.plan.steps[3] =
        Step { class: Class::Destructive, ..step(Verb::Replace, "StatefulSet", "notes-db", "", Class::Safe) };
    preview.plan.warnings =
        vec!["StatefulSet/notes-db cannot be changed in place: it is deleted and created anew".into()];
    preview
}

/// An environment that is made.
pub fn environment() -> Preview {
    let steps = vec![
        Step::named(Verb::Record, "record the environment lab"),
        step(Verb::Create, "Namespace", "lab", "", Class::Safe),
        step(Verb::Create, "NetworkPolicy", "styrmin-default-deny", "", Class::Safe),
    ];
    let mut plan = plan("Make the environment lab", steps);
    plan.facts = vec!["routes: Ingress of class sandbox (sandbox.styrmin.io/ingress)".into()];
    plan.warnings = vec!["lab is a production environment".into()];
    Preview { kind: Some(OperationKind::Configure), plan, ..Preview::default() }
}

fn stop() -> Preview {
    let update = |kind: &str, name: &str| step(Verb::Update, kind, name, "0 pods", Class::Disruptive);
    let wait = |kind: &str, name: &str| step(Verb::Wait, kind, name, "until it has stopped", Class::Safe);
    let steps = vec![
        record("write the instance into"),
        update("StatefulSet", "notes-db"),
        update("Deployment", "notes-web"),
        wait("StatefulSet", "notes-db"),
        wait("Deployment", "notes-web"),
    ];
    let plan = plan("Stop notes in demo", steps);
    Preview { kind: Some(OperationKind::Stop), plan, ..Preview::default() }
}

/// Everything is as it should be.
pub fn nothing(title: &str) -> Preview {
    let steps = vec![
        step(Verb::Unchanged, "Service", "notes", "port 80", Class::Safe),
        step(Verb::Unchanged, "Deployment", "notes-web", "styrmin/notes-web:1.0.0", Class::Safe),
        step(Verb::Wait, "Deployment", "notes-web", "until it is healthy", Class::Safe),
    ];
    Preview { kind: Some(OperationKind::Update), plan: plan(title, steps), ..Preview::default() }
}

fn restart(components: &[String]) -> Preview {
    let workloads = [("db", "StatefulSet", Class::Disruptive), ("web", "Deployment", Class::Safe)];
    let chosen = workloads
        .into_iter()
        .filter(|(name, ..)| components.is_empty() || components.iter().any(|component| component == name));
    let steps = chosen.flat_map(|(name, kind, class)| {
        let name = format!("notes-{name}");
        [
            step(Verb::Run, kind, &name, "its pods are replaced", class),
            step(Verb::Wait, kind, &name, "until it is healthy", Class::Safe),
        ]
    });
    let plan = plan("Restart notes in demo", steps.collect());
    Preview { kind: Some(OperationKind::Restart), plan, ..Preview::default() }
}

fn scale(component: &str, replicas: Option<u32>) -> Preview {
    let name = format!("notes-{component}");
    let number = replicas.unwrap_or(1);
    let of = |replicas| workload("Deployment", "styrmin/notes-web:1.0.0", replicas, "info");
    let steps = vec![
        step(Verb::Update, "Deployment", &name, &format!("{number} pods"), Class::Safe),
        step(Verb::Wait, "Deployment", &name, "until it is healthy", Class::Safe),
    ];
    let diffs = vec![ObjectDiff::between(key("Deployment", &name), Some(&of(2)), Some(&of(number)))];
    Preview {
        kind: Some(OperationKind::Scale),
        plan: plan("Scale notes in demo", steps),
        diffs,
        ..Preview::default()
    }
}

fn act(action: &str) -> Preview {
    let run = Step { class: Class::Disruptive, ..Step::named(Verb::Run, format!("run {action}")) };
    let plan = plan(&format!("Run {action} on notes in demo"), vec![run]);
    Preview { kind: Some(OperationKind::Action), plan, ..Preview::default() }
}

fn correct() -> Preview {
    let steps = vec![
        step(Verb::Update, "Deployment", "notes-web", "styrmin/notes-web:1.0.0", Class::Safe),
        step(Verb::Wait, "Deployment", "notes-web", "until it is healthy", Class::Safe),
    ];
    Preview {
        kind: Some(OperationKind::Correct),
        plan: plan("Set notes in demo right", steps),
        ..Preview::default()
    }
}

fn resolve(object: &ObjectKey, resolution: Resolution) -> Preview {
    let note = format!(
        "{}: .spec.replicas (kubectl), .spec.template.spec.containers[name=\"web\"].image (kubectl)",
        resolution.as_str()
    );
    let step = Step { note, ..Step::on(Verb::Update, object.clone()) };
    let plan = plan(&format!("Settle who has the fields of {object}"), vec![step]);
    Preview { kind: Some(OperationKind::Update), plan, ..Preview::default() }
}

fn delete(volumes: Volumes) -> Preview {
    let delete = |kind: &str, name: &str, note: &str, class| step(Verb::Delete, kind, name, note, class);
    let mut steps = vec![
        record("announce the end of"),
        delete("Ingress", "notes", "", Class::Disruptive),
        delete("Deployment", "notes-web", "", Class::Disruptive),
        delete("StatefulSet", "notes-db", "", Class::Disruptive),
        delete("Service", "notes", "", Class::Disruptive),
        delete("Secret", "notes-parameters", "", Class::Safe),
    ];
    if volumes == Volumes::Delete {
        let claim = "data-notes-db-0";
        steps.push(delete("PersistentVolumeClaim", claim, "with everything on it", Class::Destructive));
    }
    steps.push(Step::named(Verb::Wait, "wait until nothing of it runs"));
    steps.push(record("let go of"));
    let plan = plan("Delete notes from demo", steps);
    Preview { kind: Some(OperationKind::Delete), plan, ..Preview::default() }
}

/// What is said when the plan is not the one that was confirmed any more.
pub fn stale() -> Problem {
    Problem::new(
        "the plan to upgrade notes in demo to 1.1.0 is out of date",
        "the cluster, the driver or the records changed since it was shown",
        "look at the new plan and confirm it again",
    )
}

/// What is said when somebody else owns fields of an object.
pub fn conflict() -> Problem {
    let what = "Deployment/notes-web in demo is also managed by somebody else";
    let why = "Deployment/notes-web in demo has fields that other managers own: .spec.replicas (kubectl)";
    Problem::new(what, why, "say who is to have the fields: yield, take, or share")
        .about_fields_of(key("Deployment", "notes-web"))
}

/// The picture in which everything can be done to `notes`: it was given a password, drifted, is contested,
/// and an operation of it is under way.
pub fn world() -> World {
    world_with(|notes| {
        notes.deployment.draft.parameters = BTreeMap::from([(
            "password".into(),
            json!({"secret": "notes-parameters", "key": "password.ab12", "digest": "ab12"}),
        )]);
        notes.drift.push(Drift {
            object: key("Deployment", "notes-web"),
            missing: false,
            fields: Vec::new(),
            since: sample::before(90),
            answer: DriftAnswer::Tolerated,
        });
        notes.problem = Some(conflict());
    })
}

/// The picture, with another `notes`.
pub fn world_with(change: impl FnOnce(&mut Application)) -> World {
    let mut world = sample::world();
    let mut notes = (*world.applications[0]).clone();
    change(&mut notes);
    world.applications[0] = Arc::new(notes);
    world.operations = vec![Arc::new(under_way())];
    world
}

/// The picture in which `notes` is stopped, and nothing is under way.
pub fn stopped() -> World {
    let mut world = world_with(|notes| notes.deployment.phase = DesiredPhase::Stopped);
    world.operations.clear();
    world
}

/// An upgrade of `notes`, half done.
pub fn under_way() -> OperationView {
    let plan = upgrade().plan;
    let states = [StepState::Succeeded, StepState::Succeeded, StepState::Succeeded, StepState::Started];
    let steps = (0..plan.steps.len()).map(|position| StepRecord {
        state: states.get(position).copied().unwrap_or(StepState::Pending),
        ..StepRecord::default()
    });
    let operation = Operation {
        id: OperationId(41),
        subject: Subject { cluster: "kind-local".into(), environment: "demo".into(), name: "notes".into() },
        kind: OperationKind::Upgrade,
        state: OperationState::Running,
        plan_hash: plan.hash(),
        origin: Origin {
            actor: "anna@jump-1".into(),
            cause: "confirmed in the cockpit".into(),
            confirmed: true,
        },
        goal: Goal { deployment: Some(NOTES), revision: 4, instance: Some(4) },
        action: None,
        request: None,
        parent: None,
        times: Times {
            created: sample::before(30),
            started: Some(sample::before(29)),
            ended: None,
            deadline: None,
        },
        orders: Orders::default(),
        problem: None,
        epoch: 3,
        plan: plan.clone(),
    };
    OperationView { operation, steps: steps.collect(), moving: BTreeMap::new() }
}
