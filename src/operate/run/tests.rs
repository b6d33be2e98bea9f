//! The runner with a journal in memory, virtual time, and an executor that fails, hangs and dies where a test says.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::*;
use crate::domain::operation::{Goal, Origin, StepAnswer, Subject};
use crate::domain::plan::{Policy, Verb};
use crate::domain::{
    ClusterKind, ClusterRecord, OperationKind, OperationState, Plan, Problem, Step, StepState,
};
use crate::operate::{Done, Probed, StepError};
use crate::store::{Gate, Holder, NewOperation};

/// The runtime's own clock, which stands still while anything is to do.
#[derive(Debug)]
struct Virtual(Instant);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::try_from(self.0.elapsed()).unwrap()
    }
}

/// What comes of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    /// It fails, and nothing was done.
    Refused,
    /// It was done, and the answer is lost.
    Lost,
    /// It fails for good.
    Broken,
    /// Nothing ever comes back.
    Silent,
}

const FATES: [Fate; 5] = [Fate::Done, Fate::Refused, Fate::Lost, Fate::Broken, Fate::Silent];

/// Does steps as it is told, and remembers what was done, as a cluster would: it outlives the process.
#[derive(Debug, Default)]
struct Site {
    /// The fates of the next tries; then all is done.
    fates: Mutex<Vec<Fate>>,
    done: Mutex<BTreeMap<usize, usize>>,
    unwanted: std::sync::atomic::AtomicBool,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

impl Site {
    fn times(&self, position: usize) -> usize {
        held(&self.done).get(&position).copied().unwrap_or_default()
    }

    fn work(&self, position: usize) {
        *held(&self.done).entry(position).or_default() += 1;
    }
}

impl Executor for Site {
    async fn execute(&self, step: StepRun<'_>) -> Result<Done, StepError> {
        let fate = held(&self.fates).pop().unwrap_or(Fate::Done);
        sleep(Duration::from_millis(50 * (step.position as u64 + 1))).await;
        let problem = |what: &str| Problem::new(what, "", "");
        match fate {
            Fate::Done => self.work(step.position),
            Fate::Refused => return Err(StepError::transient(problem("refused"))),
            Fate::Lost => {
                self.work(step.position);
                return Err(StepError::transient(problem("no answer")));
            }
            Fate::Broken => return Err(StepError::lasting(problem("broken"))),
            Fate::Silent => pending().await,
        }
        Ok(Done::default())
    }

    async fn probe(&self, step: StepRun<'_>) -> Result<Probed, StepError> {
        Ok(match self.times(step.position) {
            0 => Probed::NotDone,
            _ => Probed::Done(Done::default()),
        })
    }

    async fn is_wanted(&self) -> bool {
        !self.unwanted.load(Ordering::SeqCst)
    }
}

/// The process dies at the n-th door.
#[derive(Default)]
struct Deadly {
    passed: AtomicUsize,
    at: usize,
    dead: Notify,
}

impl Gate for Arc<Deadly> {
    fn pass(&self, _point: String) -> BoxFuture<'static, ()> {
        let deadly = Self::clone(self);
        Box::pin(async move {
            if deadly.passed.fetch_add(1, Ordering::SeqCst) + 1 >= deadly.at {
                deadly.dead.notify_one();
                pending().await
            }
        })
    }
}

/// One step of each kind and policy; a wait in the middle, two steps that always run.
fn plan() -> Plan {
    let step = |verb, policy, after: &[usize], position: usize| {
        let mut step = Step::named(verb, format!("step {position}"));
        (step.policy, step.after, step.timeout) = (policy, after.to_vec(), 600);
        step
    };
    let mut steps = vec![
        step(Verb::Create, Policy::Idempotent, &[], 0),
        step(Verb::Run, Policy::Probe, &[0], 1),
        step(Verb::Run, Policy::Once, &[0], 2),
        step(Verb::Wait, Policy::Idempotent, &[1, 2], 3),
        step(Verb::Run, Policy::Once, &[3], 4),
        step(Verb::Run, Policy::Idempotent, &[], 5),
        step(Verb::Run, Policy::Probe, &[5], 6),
    ];
    (steps[5].finally, steps[6].finally) = (true, true);
    Plan { title: "a plan".to_owned(), steps, ..Plan::default() }
}

struct Scene {
    clock: Arc<Virtual>,
    store: Store,
    operation: Operation,
    site: Arc<Site>,
}

impl Scene {
    async fn new(plan: Plan, fates: &[Fate]) -> Self {
        let clock = Arc::new(Virtual(Instant::now()));
        let store = Store::in_memory(Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        let record = ClusterRecord {
            name: "sandbox".to_owned(),
            kind: ClusterKind::Sandbox,
            fqdn_suffix: None,
            storage_class: None,
            ingress_port: None,
            ingress_tls_port: None,
        };
        store.upsert_cluster(&record).await.unwrap();
        let subject = Subject {
            cluster: "sandbox".to_owned(),
            environment: "demo".to_owned(),
            name: "site".to_owned(),
        };
        let origin = Origin { actor: "anna".to_owned(), cause: "a test".to_owned(), confirmed: true };
        let (kind, goal) = (OperationKind::Deploy, Goal::default());
        let new = NewOperation {
            subject,
            kind,
            plan,
            origin,
            goal,
            instance: None,
            action: None,
            request: None,
            parent: None,
        };
        let operation = store.begin_operation(new, None).await.unwrap();
        let site = Arc::new(Site { fates: Mutex::new(fates.to_vec()), ..Site::default() });
        Self { clock, store, operation, site }
    }

    async fn claim(&self) -> u64 {
        let holder = Holder { identity: "test".to_owned(), host: "here".to_owned(), pid: None };
        self.store.claim_engine("sandbox", &holder, 0).await.unwrap()
    }

    /// A process that carries the operation out; it dies at a door, or sees the end.
    async fn process(&self, dies_at: Option<usize>) -> Option<OperationView> {
        let deadly = Arc::new(Deadly { at: dies_at.unwrap_or(usize::MAX), ..Deadly::default() });
        let store = self.store.clone().gated(Arc::new(Arc::clone(&deadly)));
        let epoch = self.claim().await;
        let (_moved, heard) = watch::channel(0);
        let runner = Runner { store: &store, clock: &*self.clock, epoch };
        tokio::select! {
            ended = runner.run(&self.operation, &*self.site, heard) => Some(ended.unwrap()),
            () = deadly.dead.notified() => None,
            () = self.person() => None,
        }
    }

    /// The last process: it goes on from whatever the one before left.
    async fn successor(&self) -> OperationView {
        let left = self.view().await;
        match left.operation.state.is_final() {
            // The one before died between its last write and its end.
            true => left,
            false => self.process(None).await.unwrap(),
        }
    }

    /// Somebody who is asked whether a step was done, and looks.
    async fn person(&self) {
        let mut changes = self.store.changes();
        loop {
            changes.mark_unchanged();
            let view = self.view().await;
            for (position, step) in view.steps.iter().enumerate() {
                if step.state == StepState::Asking {
                    let answer = match self.site.times(position) {
                        0 => StepAnswer::Repeat,
                        _ => StepAnswer::Done,
                    };
                    self.store.answer_step(view.operation.id, position, answer, "anna").await.unwrap();
                }
            }
            changes.changed().await.unwrap();
        }
    }

    async fn view(&self) -> OperationView {
        self.store.operation(self.operation.id).await.unwrap().unwrap()
    }

    /// What holds of every end.
    fn check(&self, ended: &OperationView) {
        for (position, step) in ended.operation.plan.steps.iter().enumerate() {
            let (times, record) = (self.site.times(position), &ended.steps[position]);
            assert!(record.state.is_final());
            if step.policy != Policy::Idempotent {
                assert!(times <= 1, "{} was done {times} times: {ended:#?}", step.name);
            }
            if record.state == StepState::Succeeded && step.verb != Verb::Unchanged {
                assert!(times >= 1, "{} was not done: {ended:#?}", step.name);
            }
            assert!(!step.finally || record.attempt > 0, "{} did not run: {ended:#?}", step.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_dies_at_every_door_once_is_done_once() {
    let mut doors = 1;
    loop {
        let scene = Scene::new(plan(), &[]).await;
        let first = scene.process(Some(doors)).await;
        let died = first.is_none();
        let ended = match first {
            Some(ended) => ended,
            None => scene.successor().await,
        };
        scene.check(&ended);
        assert_eq!(ended.operation.state, OperationState::Succeeded, "died at door {doors}: {ended:#?}");
        if !died {
            break;
        }
        doors += 1;
    }
    assert!(doors > 2 * plan().steps.len(), "{doors} doors");
}

#[tokio::test(start_paused = true)]
async fn who_lost_the_engine_writes_nothing_more() {
    let scene = Scene::new(plan(), &[]).await;
    let epoch = scene.claim().await;
    let (_moved, heard) = watch::channel(0);
    let runner = Runner { store: &scene.store, clock: &*scene.clock, epoch };
    let mut changes = scene.store.changes();
    let deposed = runner.run(&scene.operation, &*scene.site, heard);
    let successor = async {
        while scene.view().await.steps[0].state != StepState::Started {
            changes.changed().await.unwrap();
        }
        scene.claim().await;
        pending::<()>().await;
    };
    let error = tokio::select! {
        ended = deposed => ended.unwrap_err(),
        () = successor => unreachable!("it waits for ever"),
    };
    assert!(matches!(error, StoreError::Deposed { .. }), "{error:?}");
    let left = scene.view().await;
    assert_eq!(left.steps[0].state, StepState::Started, "its outcome was not written");
    let ended = scene.process(None).await.unwrap();
    assert_eq!(ended.operation.state, OperationState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_cancelled_and_cleared_away_after() {
    let scene = Scene::new(plan(), &[Fate::Silent, Fate::Done, Fate::Done, Fate::Done]).await;
    let mut changes = scene.store.changes();
    let person = async {
        while scene.view().await.steps[3].state != StepState::Started {
            changes.changed().await.unwrap();
        }
        scene.store.request_cancel(scene.operation.id, "anna").await.unwrap();
        pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = scene.process(None) => ended.unwrap(),
        () = person => unreachable!("it waits for ever"),
    };
    scene.check(&ended);
    assert_eq!(ended.operation.state, OperationState::Cancelled);
    assert_eq!(ended.steps[3].state, StepState::Skipped);
    assert_eq!((scene.site.times(4), scene.site.times(5), scene.site.times(6)), (0, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_says_nothing_fails_in_time_and_takes_only_its_branch_with_it() {
    // The two steps after the first run side by side: the earlier one takes the earlier fate.
    let scene = Scene::new(plan(), &[Fate::Done, Fate::Silent, Fate::Done]).await;
    let ended = scene.process(None).await.unwrap();
    scene.check(&ended);
    assert_eq!(ended.operation.state, OperationState::PartiallyFailed);
    let states: Vec<StepState> = ended.steps.iter().map(|step| step.state).collect();
    use StepState::{Failed, Skipped, Succeeded};
    assert_eq!(states, [Succeeded, Failed, Succeeded, Skipped, Skipped, Succeeded, Succeeded]);
    let problem = ended.operation.problem.unwrap();
    assert_eq!(problem.what, "'step 1' took too long");
    assert!(scene.clock.now() >= Timestamp::UNIX_EPOCH + SignedDuration::from_secs(600));
}

#[tokio::test(start_paused = true)]
async fn tries_pause_longer_and_longer_and_a_change_ends_the_pause() {
    let scene = Scene::new(plan(), &[Fate::Refused; 5]).await;
    let epoch = scene.claim().await;
    let (moved, heard) = watch::channel(0);
    let runner = Runner { store: &scene.store, clock: &*scene.clock, epoch };
    let mut changes = scene.store.changes();
    let hasty = async {
        while scene.view().await.steps[0].attempt < 5 {
            changes.changed().await.unwrap();
        }
        let before = scene.clock.now();
        while scene.view().await.steps[0].state != StepState::Retrying {
            changes.changed().await.unwrap();
        }
        // after five tries the pause is 16 s
        moved.send_modify(|count| *count += 1);
        while scene.view().await.steps[0].attempt < 6 {
            changes.changed().await.unwrap();
        }
        let waited = scene.clock.now().duration_since(before);
        assert!(waited < SignedDuration::from_secs(3), "{waited}");
        assert!(before.duration_since(Timestamp::UNIX_EPOCH) >= SignedDuration::from_secs(1 + 2 + 4 + 8));
        pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = runner.run(&scene.operation, &*scene.site, heard) => ended.unwrap(),
        () = hasty => unreachable!("it waits for ever"),
    };
    assert_eq!(ended.operation.state, OperationState::Succeeded);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Deaths and failures at any point: it ends, and what must not be done twice was not.
    #[test]
    fn whatever_happens_it_ends_and_nothing_is_done_twice(
        fates in prop::collection::vec(prop::sample::select(&FATES[..]), 0..12),
        deaths in prop::collection::vec(1_usize..24, 0..5),
        unwanted in prop::bool::weighted(0.2),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let scene = Scene::new(plan(), &fates).await;
            let mut ended = None;
            for door in deaths {
                ended = scene.process(Some(door)).await;
                if ended.is_some() || scene.view().await.operation.state.is_final() {
                    break;
                }
                scene.site.unwanted.store(unwanted, Ordering::SeqCst);
            }
            let ended = match ended {
                Some(ended) => ended,
                None => scene.successor().await,
            };
            scene.check(&ended);
        });
    }
}
