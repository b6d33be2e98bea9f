//! The actions of a driver on the sandbox: at their hooks, by themselves, with secrets, when they fail, and when the engine
//! dies in the middle. What they do leaves a line in a file of the test, so that it can be counted.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::StreamExt;
use serde_json::json;
use styrmin::domain::call::{CallOutcome, StepId};
use styrmin::domain::operation::{Origin, StepAnswer};
use styrmin::domain::{
    ActionRequest, DeploymentDraft, DriverRef, DriverVersion, Intent, OperationKind, OperationState,
    OperationView, SecretText, StepState,
};
use styrmin::driver::load_files;
use styrmin::store::{NewOperation, StoreError};

use crate::bench::Bench;
use crate::guillotine::Guillotine;
use crate::rig::key;
use crate::support::LIMIT;

pub const NAME: &str = "acts";
const TOKEN: &str = "swordfish-and-chips";

const SPEC: &str = "
apiVersion: styrmin.io/v1
kind: ApplicationDriver
metadata: {name: acts}
spec:
  version: 1.0.0
  supported_versions: '>=1.0,<3.0'
  default_version: 1.0.0
  components: {web: {identifier: {label: {part: web}}}}
  services: [{name: acts, kind: http, scope: internal, port: 80, component: web}]
  parameters:
    - {name: effects, kind: string}
    - {name: password, kind: secret, default: ''}
    - {name: text, kind: string, default: ''}
  actions:
    - {name: welcome, hook: setup, mode: post, location: 'actions.star::welcome'}
    - {name: quiet, hook: upgrade, mode: pre, location: 'actions.star::quiet'}
    - {name: migrate, hook: upgrade, mode: core, location: 'actions.star::migrate'}
    - {name: second, hook: upgrade, mode: post, location: 'actions.star::second', after: [first]}
    - {name: first, hook: upgrade, mode: post, location: 'actions.star::first'}
    - {name: explain, hook: upgrade, mode: failed, location: 'actions.star::explain'}
    - {name: tidy, hook: upgrade, mode: finally, location: 'actions.star::tidy', on_failure: warn}
    - {name: goodbye, hook: delete, mode: pre, location: 'actions.star::goodbye'}
    - name: work
      location: actions.star::work
      prompts:
        - {name: times, kind: integer, default: 2, min: 1, max: 9}
        - {name: token, kind: secret, min: 4}
    - {name: once, location: 'actions.star::once'}
    - {name: again, location: 'actions.star::again', retries: 2}
    - {name: long, location: 'actions.star::long'}
    - {name: endless, location: 'actions.star::endless'}
    - {name: wrong, location: 'actions.star::wrong'}
    - {name: job, location: 'actions.star::job'}
    - {name: scaled, location: 'actions.star::scaled'}
    - {name: paused, location: 'actions.star::paused'}
    - {name: slow-job, location: 'actions.star::slow_job', timeout: 3h}
    - {name: careful, location: 'actions.star::careful', policy: once}
    - {name: overdone, location: 'actions.star::overdone'}
";

const MANIFEST: &str = "
apiVersion: v1
kind: Service
metadata: {name: '{{ deployment.name }}'}
spec:
  selector: {app: '{{ deployment.name }}', part: web}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: '{{ deployment.name }}', labels: {part: web}}
spec:
  replicas: 1
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: '{{ deployment.name }}', part: web}}
  template:
    metadata: {labels: {app: '{{ deployment.name }}', part: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: 'styrmin/host:1'
          command: [sleep, '1000']
          env: [{name: VERSION, value: '{{ app.version }}'}]
";

const ACTIONS: &str = r#"
load("lib/effects.star", "effect")

def welcome(ctx):
    effect(ctx, "welcome %s" % ctx.to_version)

def quiet(ctx):
    log("from %s to %s" % (ctx.from_version, ctx.to_version))
    effect(ctx, "quiet")
    stop_components()

def migrate(ctx):
    if ctx.to_version == "2.9.0":
        fail("there is no way to %s" % ctx.to_version)
    elif ctx.to_version == "2.9.1":
        for i in range(1000000000):
            last = i
    elif ctx.to_version == "2.9.2":
        all = []
        for i in range(1000000000):
            all.append(str(i) * 200)
    elif ctx.to_version == "2.9.3":
        for i in range(10000):
            print("x" * 100000)
    elif ctx.to_version == "2.9.4":
        scale("web", replicas = "many")

def first(ctx):
    wait_ready()
    effect(ctx, "first")

def second(ctx):
    done = execute_commands("web", ["sh", "-c", 'cat "$1"', "sh", ctx.parameters.effects]).stdout
    if ctx.to_version == "2.8.0" and "broken" not in done:
        effect(ctx, "broken")
        fail("not this time")
    effect(ctx, "second")

def explain(ctx):
    start_components()
    effect(ctx, "explain")

def tidy(ctx):
    effect(ctx, "tidy")

def goodbye(ctx):
    effect(ctx, "goodbye", idempotent = True)

def work(ctx):
    begun = now()
    number = random()
    for i in range(ctx.prompts.times):
        progress(i, ctx.prompts.times)
        effect(ctx, "work %d" % i, idempotent = True)
    said = execute_commands("web", ["sh", "-c", "echo the token is $TOKEN; echo $TOKEN >&2; echo $(printf '%s' \"$TOKEN\" | wc -c)"],
                            env = {"TOKEN": ctx.prompts.token})
    log(said.stdout)
    return {"begun": begun, "number": number, "said": said.stdout}

def once(ctx):
    effect(ctx, "one")
    effect(ctx, "two")

def again(ctx):
    count = execute_commands("web", ["sh", "-c", 'cat "$1" | wc -l', "sh", ctx.parameters.effects]).stdout.strip()
    effect(ctx, "try")
    if int(count) < 2:
        fail("not yet")

def long(ctx):
    effect(ctx, "begun")
    execute_commands("web", ["sh", "-c", 'echo $$; exec sleep 1000'], timeout = 2000)

def endless(ctx):
    for i in range(1000000000):
        pass

def wrong(ctx):
    scale("web", replicas = "many")

def job(ctx):
    done = run_job("count", ["sh", "-c", 'echo job >> "$0"; echo done', ctx.parameters.effects], component = "web")
    log(done.log)

def scaled(ctx):
    scale("web", 2)
    wait_ready()
    effect(ctx, "scaled")

def slow_job(ctx):
    run_job("slow", ["sh", "-c", 'echo job >> "$0"; exec sleep 1000', ctx.parameters.effects], component = "web", timeout = 2000)

def careful(ctx):
    scale("web", 1)
    effect(ctx, "careful", idempotent = True)

def paused(ctx):
    stop_components()
    sleep(3000)

def overdone(ctx):
    scale("web", 3)
    scale("web", 2)
    fail("that was not it")
"#;

const EFFECTS: &str = r#"
def effect(ctx, what, **more):
    return execute_commands("web", ["sh", "-c", 'echo "$1" >> "$2"', "sh", what, ctx.parameters.effects], **more)
"#;

fn driver() -> DriverVersion {
    let files = [
        ("driver.styrmin.yml", SPEC),
        ("manifests/a.yaml.j2", MANIFEST),
        ("actions.star", ACTIONS),
        ("lib/effects.star", EFFECTS),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    load_files("test", files).unwrap_or_else(|errors| panic!("{errors:?}")).version
}

/// A deployment of the driver, and the file of its effects.
pub struct Stage {
    pub bench: Bench,
    effects: PathBuf,
    _directory: tempfile::TempDir,
}

impl Stage {
    pub async fn set() -> Self {
        let bench = Bench::with_driver(driver()).await;
        let directory = tempfile::tempdir().unwrap();
        let effects = directory.path().join("effects");
        std::fs::write(&effects, "").unwrap();
        let mut stage = Self { bench, effects, _directory: directory };
        let draft = stage.draft("1.0.0");
        stage.bench.id = Some(stage.bench.deploy(draft).await);
        stage.bench.until_running(NAME, 1).await;
        assert_eq!(stage.effects(), ["welcome 1.0.0"]);
        stage
    }

    pub fn draft(&self, version: &str) -> DeploymentDraft {
        let mut draft = DeploymentDraft {
            driver: DriverRef { name: "acts".to_owned(), version: "1.0.0".to_owned() },
            ..self.bench.draft(NAME, version)
        };
        draft.parameters.insert("effects".to_owned(), json!(self.effects));
        draft
    }

    pub fn effects(&self) -> Vec<String> {
        std::fs::read_to_string(&self.effects).unwrap().lines().map(str::to_owned).collect()
    }

    pub fn forget(&self) {
        std::fs::write(&self.effects, "").unwrap();
    }

    pub fn act(&self, action: &str) -> Intent {
        let mut request = ActionRequest { action: action.to_owned(), ..ActionRequest::default() };
        if action == "work" {
            request.typed.insert("token".to_owned(), SecretText::new(TOKEN));
        }
        Intent::Act(self.bench.id.unwrap(), request)
    }

    pub fn upgrade(&self, version: &str) -> Intent {
        Intent::Change(self.bench.id.unwrap(), self.draft(version))
    }

    /// Waits until the newest operation has ended.
    pub async fn ended(&self) -> OperationView {
        let mut changes = self.bench.store.changes();
        let ended = async {
            loop {
                changes.mark_unchanged();
                let newest = self.bench.operations(NAME).await.remove(0);
                if newest.operation.state.is_final() {
                    return newest;
                }
                changes.changed().await.unwrap();
            }
        };
        tokio::select! {
            view = ended => view,
            () = self.bench.explain(NAME) => unreachable!(),
        }
    }

    pub async fn run(&self, intent: Intent) -> OperationView {
        self.bench.confirm(intent).await;
        self.ended().await
    }

    /// What the step of that name printed.
    pub async fn lines(&self, view: &OperationView, name: &str) -> String {
        let step = self.step(view, name);
        let lines = self.bench.store.lines(step, 1000).await.unwrap();
        lines.into_iter().map(|line| line.text + "\n").collect()
    }

    pub fn step(&self, view: &OperationView, name: &str) -> StepId {
        let position = view.operation.plan.steps.iter().position(|step| step.name == name).unwrap();
        StepId { operation: view.operation.id, position }
    }
}

fn why(view: &OperationView) -> String {
    view.first_problem().map(|(_, problem)| format!("{} {}", problem.what, problem.why)).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actions_run_at_their_hooks_in_the_order_of_the_modes() {
    let stage = Stage::set().await;
    stage.forget();
    let plan = stage.bench.engine.preview(&stage.upgrade("2.0.0")).await.unwrap().plan;
    let runs = plan.steps.iter().filter(|step| step.name.starts_with("run "));
    let runs: Vec<&str> = runs.map(|step| step.name.as_str()).collect();
    assert_eq!(runs, ["run quiet", "run migrate", "run first", "run second", "run explain", "run tidy"]);
    let view = stage.run(stage.upgrade("2.0.0")).await;
    assert_eq!(view.operation.state, OperationState::Succeeded, "{view:#?}");
    assert_eq!(stage.effects(), ["quiet", "first", "second", "tidy"], "{view:#?}");
    assert!(stage.lines(&view, "run quiet").await.contains("from 1.0.0 to 2.0.0"));
    let explain = view.steps[stage.step(&view, "run explain").position].clone();
    assert_eq!(explain.state, StepState::Skipped, "nothing failed");
    // what an action scaled is as it should be again, and nobody is said to have changed it
    stage.bench.until_running(NAME, 2).await;
    stage.bench.until_idle().await;
    assert!(stage.bench.engine.drifts().values().all(Vec::is_empty), "{:?}", stage.bench.engine.drifts());
    assert_eq!(stage.bench.operations(NAME).await.len(), 2, "nothing had to be set right");

    stage.forget();
    stage.run(Intent::Delete(stage.bench.id.unwrap(), Default::default())).await;
    assert_eq!(stage.effects(), ["goodbye"]);
    stage.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_explained_with_its_place_and_the_rest_runs_all_the_same() {
    let stage = Stage::set().await;
    for (version, told) in [
        ("2.9.0", "there is no way to 2.9.0"),
        ("2.9.1", "processor time"),
        ("2.9.2", "MiB of memory"),
        ("2.9.3", "it logged more than 16 MiB"),
        ("2.9.4", "scale: "),
    ] {
        stage.forget();
        let view = stage.run(stage.upgrade(version)).await;
        assert!(
            matches!(view.operation.state, OperationState::Failed | OperationState::PartiallyFailed),
            "{version}: {view:#?}"
        );
        assert!(why(&view).contains(told), "{version}: {}", why(&view));
        assert!(why(&view).contains("actions.star:"), "the place is told: {}", why(&view));
        let effects = stage.effects();
        assert_eq!(effects[0], "quiet", "{version}: {effects:?}");
        assert!(!effects.contains(&"first".to_owned()), "post runs after success only: {effects:?}");
        let place = |name: &str| effects.iter().position(|line| line == name);
        let (explain, tidy) = (place("explain"), place("tidy"));
        assert!(explain.is_some() && explain < tidy, "{version}: {effects:?} {view:#?}");
    }
    stage.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_upgrade_does_not_become_active_by_health_alone_and_is_tried_again_with_its_actions() {
    let stage = Stage::set().await;
    stage.forget();
    stage.bench.confirm(stage.upgrade("2.8.0")).await;
    stage.bench.until_settled(NAME, Some(2)).await;
    let operations = stage.bench.operations(NAME).await;
    let told: Vec<_> = operations.iter().map(|view| (view.operation.kind, view.operation.state)).collect();
    assert_eq!(told[0], (OperationKind::Upgrade, OperationState::Succeeded), "{operations:#?}");
    assert_eq!(told.len(), 3, "deployed, failed, tried again: {told:?}");
    assert!(matches!(told[1].1, OperationState::Failed | OperationState::PartiallyFailed), "{told:?}");
    let again = ["quiet", "first", "second", "tidy"];
    let effects = stage.effects();
    assert_eq!(effects[..5], ["quiet", "first", "broken", "explain", "tidy"], "{effects:?}");
    assert_eq!(effects[5..], again, "{effects:?}");
    let active = stage.bench.active(stage.bench.id.unwrap()).await.unwrap();
    assert_eq!(active.number, 2);
    stage.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_that_is_changed_on_its_way_stays_an_upgrade() {
    let stage = Stage::set().await;
    stage.bench.confirm(stage.upgrade("2.9.0")).await;
    let failed = stage.ended().await;
    assert_ne!(failed.operation.state, OperationState::Succeeded);
    // the same version, and something else is changed beside: what it began is not done
    let mut draft = stage.draft("2.9.0");
    draft.parameters.insert("text".to_owned(), json!("changed"));
    let plan = stage.bench.engine.preview(&Intent::Change(stage.bench.id.unwrap(), draft)).await.unwrap();
    assert_eq!(plan.kind, Some(OperationKind::Upgrade));
    assert!(plan.plan.steps.iter().any(|step| step.name == "run quiet"), "{:#?}", plan.plan);
    // back to what runs there are no actions
    let back = stage.bench.engine.preview(&Intent::Rollback(stage.bench.id.unwrap(), 1)).await.unwrap().plan;
    assert!(!back.steps.iter().any(|step| step.name.starts_with("run ")), "{back:#?}");
    stage.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_with_answers_runs_and_its_secrets_are_nowhere() {
    let stage = Stage::set().await;
    stage.forget();
    let wrong = Intent::Act(
        stage.bench.id.unwrap(),
        ActionRequest { action: "wrok".to_owned(), ..ActionRequest::default() },
    );
    let problem = stage.bench.engine.preview(&wrong).await.unwrap_err();
    assert!(problem.to_string().contains("did you mean 'work'?"), "{problem}");
    let bare = Intent::Act(
        stage.bench.id.unwrap(),
        ActionRequest { action: "work".to_owned(), ..ActionRequest::default() },
    );
    let problem = stage.bench.engine.preview(&bare).await.unwrap_err();
    assert!(problem.to_string().contains("token: it is required"), "{problem}");

    let view = stage.run(stage.act("work")).await;
    assert_eq!(view.operation.state, OperationState::Succeeded, "{view:#?}");
    assert_eq!(stage.effects(), ["work 0", "work 1"]);
    let printed = stage.lines(&view, "run work").await;
    assert!(printed.contains("the token is (secret)"), "{printed}");
    assert!(printed.contains(&TOKEN.len().to_string()), "the command had it: {printed}");
    let run = stage.bench.store.newest_run(stage.step(&view, "run work")).await.unwrap().unwrap();
    assert!(run.calls.iter().all(|call| matches!(call.outcome, CallOutcome::Answered(_))));
    let told = stage.bench.told(&view).await;
    let everything = format!("{printed} {run:?} {told} {}", serde_json::to_string(&view).unwrap());
    assert!(!everything.contains(TOKEN), "{everything}");
    stage.bench.until_idle().await;
    let vault = stage.bench.live(&key("Secret", "acts-parameters")).await.unwrap();
    let left: Vec<&String> =
        vault["data"].as_object().unwrap().keys().filter(|key| key.contains("token")).collect();
    assert!(left.is_empty(), "what was typed goes with the operation: {left:?}");
    stage.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_function_does_wrong_ends_it_and_is_told() {
    let stage = Stage::set().await;
    for (action, told) in [("wrong", "scale: "), ("endless", "processor time")] {
        let view = stage.run(stage.act(action)).await;
        assert_eq!(view.operation.state, OperationState::Failed, "{action}: {view:#?}");
        assert!(why(&view).contains(told), "{action}: {}", why(&view));
    }
    stage.forget();
    let view = stage.run(stage.act("again")).await;
    assert_eq!(view.operation.state, OperationState::Succeeded, "{view:#?}");
    assert_eq!(stage.effects().len(), 3, "a run that failed is followed by another one, so often as it may");
    stage.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_run_beside_the_application_and_scaling_is_taken_back() {
    let stage = Stage::set().await;
    stage.forget();
    let view = stage.run(stage.act("job")).await;
    assert_eq!(view.operation.state, OperationState::Succeeded, "{view:#?}");
    assert_eq!(stage.effects(), ["job"]);
    assert!(stage.lines(&view, "run job").await.contains("done"));
    stage.forget();
    let view = stage.run(stage.act("scaled")).await;
    assert_eq!(view.operation.state, OperationState::Succeeded, "{view:#?}");
    assert_eq!(stage.effects(), ["scaled"]);
    stage.bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cancels_an_action_ends_what_it_does() {
    let stage = Stage::set().await;
    stage.forget();
    stage.bench.confirm(stage.act("long")).await;
    let begun = async {
        let mut changes = stage.bench.store.changes();
        loop {
            changes.mark_unchanged();
            let view = stage.bench.operations(NAME).await.remove(0);
            let lines = stage.lines(&view, "run long").await;
            // the second command told its process id
            if let Some(pid) = lines.lines().find_map(|line| line.parse::<u32>().ok()) {
                return (view, pid);
            }
            changes.changed().await.unwrap();
        }
    };
    let (view, pid) = tokio::time::timeout(LIMIT, begun).await.unwrap();
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
    stage.bench.engine.cancel(view.operation.id, "anna@here").await.unwrap();
    let view = stage.ended().await;
    assert_eq!(view.operation.state, OperationState::Cancelled, "{view:#?}");
    let gone = async {
        while std::path::Path::new(&format!("/proc/{pid}")).exists() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.expect("the command is ended in the pod");
    // that an action was cancelled says nothing about what is desired
    stage.bench.patch(&key("Deployment", NAME), "somebody", json!({"spec": {"replicas": 2}})).await;
    let mut changes = stage.bench.store.changes();
    let corrected = async {
        while stage.bench.operations(NAME).await[0].operation.kind != OperationKind::Correct {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(LIMIT, corrected).await.expect("drift is set right");
    stage.bench.close().await;
}

/// Runs the action with an engine that dies at point `at`, and another one that goes on; gives the number of points passed.
/// Whatever is asked is answered as a person would: by looking whether it was done.
async fn play(action: &str, at: usize) -> usize {
    let mut stage = Stage::set().await;
    stage.forget();
    stage.bench.end().await;
    stage.bench.confirm(stage.act(action)).await;
    let guillotine = Arc::new(Guillotine::default());
    guillotine.at.store(at, Ordering::SeqCst);
    stage.bench.start_mortal(&guillotine);
    if at == 0 {
        stage.ended().await;
        stage.bench.close().await;
        return guillotine.passed.load(Ordering::SeqCst);
    }
    tokio::select! {
        () = guillotine.falls.notified() => {}
        _ = stage.ended() => {}
    }
    stage.bench.kill().await;
    stage.bench.reconnect().await;
    let mut asked = 0;
    let view = tokio::select! {
        view = stage.ended() => view,
        () = stage.answer(&mut asked) => unreachable!(),
    };
    let told = format!("{action} killed at point {at}, {asked} questions: {:?} {view:#?}", stage.effects());
    assert_eq!(view.operation.state, OperationState::Succeeded, "{told}");
    let run =
        stage.bench.store.newest_run(stage.step(&view, &format!("run {action}"))).await.unwrap().unwrap();
    assert_eq!(run.number, 1, "a crash is no failure: {told}");
    match action {
        "once" => assert_eq!(stage.effects(), ["one", "two"], "done once, neither less nor more: {told}"),
        _ => {
            let mut effects = stage.effects();
            effects.dedup();
            assert_eq!(effects, ["work 0", "work 1"], "{told}");
            assert_eq!(asked, usize::from(asked > 0), "{told}");
            let number = run.calls.iter().find(|call| call.name == "random").unwrap();
            let CallOutcome::Answered(number) = &number.outcome else { panic!("{told}") };
            assert!(
                stage.bench.told(&view).await.contains(&number.to_string()),
                "the same number to the end: {told}"
            );
        }
    }
    stage.bench.close().await;
    at
}

impl Stage {
    /// Answers every question of a step.
    async fn answer(&self, asked: &mut usize) {
        let mut changes = self.bench.store.changes();
        loop {
            changes.mark_unchanged();
            let view = self.bench.operations(NAME).await.remove(0);
            let asking = view.steps.iter().position(|step| step.state == StepState::Asking);
            if let Some(position) = asking {
                let step = StepId { operation: view.operation.id, position };
                let run = self.bench.store.newest_run(step).await.unwrap().unwrap();
                let open = run.calls.last().unwrap();
                assert_eq!(open.outcome, CallOutcome::Open);
                // the command that adds a line names it; the other one changes nothing
                let line = open.arguments["commands"][4].as_str().unwrap_or("nothing");
                let done = self.effects().iter().any(|effect| effect == line);
                let answer = if done { StepAnswer::Done } else { StepAnswer::Repeat };
                self.bench.engine.answer(step.operation, position, answer, "anna@here").await.unwrap();
                *asked += 1;
            }
            changes.changed().await.unwrap();
        }
    }
}

async fn at_every_point(action: &'static str) {
    let points = play(action, 0).await;
    assert!(points > 10, "{action}: {points} points");
    // once more when it has written all
    let plays = futures::stream::iter((1..=points + 1).map(|at| play(action, at)));
    plays.buffer_unordered(4).collect::<Vec<_>>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_happen_once_happens_once_wherever_the_engine_dies() {
    at_every_point("once").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_goes_on_where_it_was_wherever_the_engine_dies() {
    at_every_point("work").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_asked_for_does_not_overtake_what_a_person_confirmed() {
    let mut stage = Stage::set().await;
    stage.bench.end().await;
    stage.bench.confirm(stage.act("job")).await;
    let queued = stage.bench.operations(NAME).await.remove(0).operation;
    assert_eq!(queued.state, OperationState::Queued);
    // an action is no newer wish
    let problem = stage.bench.engine.preview(&stage.act("once")).await.unwrap_err();
    assert!(problem.why.contains("Run job on acts"), "{problem}");
    let new = NewOperation {
        subject: queued.subject.clone(),
        kind: OperationKind::Correct,
        plan: queued.plan.clone(),
        origin: Origin { confirmed: false, ..queued.origin.clone() },
        goal: queued.goal,
        instance: None,
        action: None,
        request: None,
        parent: None,
    };
    let confirmed = Origin { confirmed: true, ..queued.origin.clone() };
    let action = NewOperation { kind: OperationKind::Action, origin: confirmed, ..new.clone() };
    for new in [new, action] {
        let refused = stage.bench.store.begin_operation(new, None).await.unwrap_err();
        assert!(
            matches!(refused, StoreError::Refused { operation, .. } if operation == queued.id),
            "{refused}"
        );
    }
    stage.bench.close().await;
}
