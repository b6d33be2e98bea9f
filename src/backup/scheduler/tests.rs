use std::sync::Mutex;

use jiff::SignedDuration;

use super::*;
use crate::backup::retention;
use crate::backup::sample_tests::{at, backup, schedule};
use crate::domain::backup::{Depth, Request};
use crate::domain::operation::{Goal, Origin, Subject};
use crate::domain::plan::Verb;
use crate::domain::{ClusterKind, ClusterRecord, Environment, ManualClock, Plan, Step};
use crate::store::NewOperation;

/// Begins operations in the records, as the engine would, or fails in several ways.
struct Fake {
    store: Store,
    begun: Mutex<Vec<Intent>>,
    /// It records the operation and then does not come back: the process was killed.
    dies: Mutex<bool>,
    refuses: Mutex<Option<Problem>>,
}

impl Starter for Fake {
    fn begin<'a>(
        &'a self,
        intent: &'a Intent,
        actor: &'a str,
    ) -> BoxFuture<'a, Result<OperationId, Problem>> {
        Box::pin(async move {
            if let Some(problem) = self.refuses.lock().unwrap().clone() {
                return Err(problem);
            }
            let id = record(&self.store, intent, actor).await;
            self.begun.lock().unwrap().push(intent.clone());
            if *self.dies.lock().unwrap() {
                std::future::pending::<()>().await;
            }
            Ok(id)
        })
    }
}

async fn record(store: &Store, intent: &Intent, actor: &str) -> OperationId {
    let (kind, environment, name, request) = match intent {
        Intent::BackUpEnvironment(environment, request) => {
            (OperationKind::Backup, environment.clone(), String::new(), Request::Backup(request.clone()))
        }
        Intent::Verify(request) => {
            (OperationKind::Verify, String::new(), "location/vault".into(), Request::Verify(request.clone()))
        }
        Intent::Prune(request) => {
            (OperationKind::Prune, String::new(), "location/vault".into(), Request::Prune(request.clone()))
        }
        other => panic!("{other:?}"),
    };
    let new = NewOperation {
        subject: Subject { cluster: "sandbox".into(), environment, name },
        kind,
        plan: Plan { steps: vec![Step::named(Verb::Run, "back up")], ..Plan::default() },
        origin: Origin { actor: actor.into(), cause: "a schedule".into(), confirmed: true },
        goal: Goal::default(),
        instance: None,
        action: None,
        request: Some(request),
        parent: None,
    };
    store.begin_operation(new, None).await.unwrap().id
}

struct Bench {
    store: Store,
    clock: Arc<ManualClock>,
    starter: Arc<Fake>,
}

impl Bench {
    async fn new(schedule: Schedule, now: &str) -> Self {
        let clock = Arc::new(ManualClock::new(at(now)));
        let store = Store::in_memory(Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        let cluster = ClusterRecord {
            name: "sandbox".into(),
            kind: ClusterKind::Sandbox,
            fqdn_suffix: None,
            storage_class: None,
            ingress_port: None,
            ingress_tls_port: None,
        };
        store.upsert_cluster(&cluster).await.unwrap();
        store.upsert_environment(&Environment::new("demo", "sandbox", "demo")).await.unwrap();
        store.upsert_schedule(&schedule).await.unwrap();
        let starter = Arc::new(Fake {
            store: store.clone(),
            begun: Mutex::default(),
            dies: Mutex::new(false),
            refuses: Mutex::default(),
        });
        Self { store, clock, starter }
    }

    /// A scheduler, as a process that has just started.
    fn scheduler(&self) -> Scheduler {
        let starter = Arc::clone(&self.starter) as Arc<dyn Starter>;
        Scheduler::new(self.store.clone(), "sandbox", Arc::clone(&self.clock) as Arc<dyn Clock>, starter)
    }

    async fn runs(&self) -> Vec<ScheduleRun> {
        self.store.runs("sandbox", "nightly", 10).await.unwrap()
    }

    fn begun(&self) -> usize {
        self.starter.begun.lock().unwrap().len()
    }

    async fn end(&self, id: OperationId) {
        self.store.request_cancel(id, "anna").await.unwrap();
    }
}

#[tokio::test]
async fn a_run_is_begun_once_however_often_it_is_looked_at() {
    let bench = Bench::new(schedule(), "2026-05-01T02:29:00Z").await;
    let mut scheduler = bench.scheduler();
    let wake = scheduler.turn().await.unwrap();
    assert_eq!((wake, bench.begun()), (Some(at("2026-05-01T02:30:00Z")), 0));
    bench.clock.advance(SignedDuration::from_secs(61));
    for _ in 0..3 {
        scheduler.turn().await.unwrap();
        bench.scheduler().turn().await.unwrap();
    }
    assert_eq!(bench.begun(), 1);
    let run = bench.runs().await.remove(0);
    assert_eq!((run.outcome, run.due), (RunOutcome::Begun, at("2026-05-01T02:30:00Z")));
    let view = bench.store.operation(run.operation.unwrap()).await.unwrap().unwrap();
    assert_eq!(view.operation.origin.actor, "schedule/nightly");
    let Some(Request::Backup(request)) = view.operation.request else { panic!("{view:?}") };
    assert_eq!(request.trigger, Trigger::Schedule { name: "nightly".into() });
}

#[tokio::test]
async fn a_crash_between_the_records_repeats_nothing_and_loses_nothing() {
    let bench = Bench::new(schedule(), "2026-05-01T02:30:01Z").await;
    // killed after the operation was recorded, before that was noted
    *bench.starter.dies.lock().unwrap() = true;
    let died = tokio::time::timeout(Duration::from_millis(200), async { bench.scheduler().turn().await });
    assert!(died.await.is_err());
    assert_eq!(bench.runs().await[0].operation, None);
    *bench.starter.dies.lock().unwrap() = false;
    bench.scheduler().turn().await.unwrap();
    assert!(bench.runs().await[0].operation.is_some());
    assert_eq!(bench.begun(), 1, "it is found again");
    // killed after the run was recorded, before anything was begun
    bench.end(bench.runs().await[0].operation.unwrap()).await;
    bench.clock.advance(SignedDuration::from_hours(24));
    let claimed = ScheduleRun {
        schedule: "nightly".into(),
        due: at("2026-05-02T02:30:00Z"),
        at: bench.clock.now(),
        outcome: RunOutcome::Begun,
        operation: None,
        backups: Vec::new(),
        problem: None,
    };
    assert!(bench.store.record_run("sandbox", &claimed).await.unwrap());
    bench.scheduler().turn().await.unwrap();
    assert_eq!(bench.begun(), 2);
    assert!(bench.runs().await[0].operation.is_some());
}

#[tokio::test]
async fn it_waits_for_what_is_under_way_and_skips_when_it_overlaps_itself() {
    let bench = Bench::new(schedule(), "2026-05-01T02:30:01Z").await;
    let other = Intent::BackUpEnvironment("demo".into(), BackupRequest::default());
    let in_the_way = record(&bench.store, &other, "anna@jump").await;
    let mut scheduler = bench.scheduler();
    scheduler.turn().await.unwrap();
    let run = bench.runs().await.remove(0);
    assert_eq!((run.outcome, run.operation, bench.begun()), (RunOutcome::Begun, None, 0));
    assert!(run.problem.unwrap().what.contains("waits"));
    bench.end(in_the_way).await;
    scheduler.turn().await.unwrap();
    let run = bench.runs().await.remove(0);
    assert!(run.operation.is_some() && run.problem.is_none(), "{run:?}");
    // the next night it still runs
    bench.clock.advance(SignedDuration::from_hours(24));
    scheduler.turn().await.unwrap();
    let run = bench.runs().await.remove(0);
    assert_eq!((run.outcome, bench.begun()), (RunOutcome::Overlapped, 1));
    assert!(run.problem.unwrap().why.contains("has not ended"));
}

#[tokio::test]
async fn what_cannot_be_begun_is_tried_for_a_while_and_told() {
    let bench = Bench::new(schedule(), "2026-05-01T02:30:00Z").await;
    *bench.starter.refuses.lock().unwrap() = Some(Problem::new("No answer", "the cluster is slow", ""));
    let mut scheduler = bench.scheduler();
    let wake = scheduler.turn().await.unwrap();
    assert_eq!(wake, Some(at("2026-05-01T02:30:20Z")), "soon again");
    let run = bench.runs().await.remove(0);
    assert_eq!((run.outcome, run.problem.unwrap().what.as_str()), (RunOutcome::Begun, "No answer"));
    *bench.starter.refuses.lock().unwrap() = None;
    scheduler.turn().await.unwrap();
    assert_eq!(bench.begun(), 0, "not before its time");
    bench.clock.advance(SignedDuration::from_secs(20));
    scheduler.turn().await.unwrap();
    assert!(bench.runs().await[0].operation.is_some());
    bench.end(bench.runs().await[0].operation.unwrap()).await;
    // the next night it fails for longer
    bench.clock.advance(SignedDuration::from_hours(24));
    *bench.starter.refuses.lock().unwrap() =
        Some(Problem::new("No location", "the environment has none", ""));
    for _ in 0..40 {
        scheduler.turn().await.unwrap();
        bench.clock.advance(SignedDuration::from_secs(20));
    }
    let run = bench.runs().await.remove(0);
    assert_eq!((run.outcome, run.problem.unwrap().what.as_str()), (RunOutcome::Refused, "No location"));
    *bench.starter.refuses.lock().unwrap() = None;
    scheduler.turn().await.unwrap();
    assert_eq!(bench.begun(), 1, "the next one comes in its time");
}

#[tokio::test]
async fn verification_and_deletion_follow() {
    let keeping = Schedule {
        retention: Some(retention::parse("last=1").unwrap()),
        verify: Some(Depth::Quick),
        ..schedule()
    };
    let bench = Bench::new(keeping, "2026-05-01T02:30:01Z").await;
    bench.store.record_backup(&backup("old", at("2026-04-30T02:30:00Z"))).await.unwrap();
    let mut scheduler = bench.scheduler();
    scheduler.turn().await.unwrap();
    let id = bench.runs().await[0].operation.unwrap();
    let made = Backup { operation: Some(id), ..backup("new", bench.clock.now()) };
    bench.store.record_backup(&made).await.unwrap();
    scheduler.turn().await.unwrap();
    assert_eq!(bench.begun(), 1, "it has not ended");
    bench.end(id).await;
    for expected in [2, 3, 3] {
        scheduler.turn().await.unwrap();
        bench.scheduler().turn().await.unwrap();
        assert_eq!(bench.begun(), expected);
        let open = bench.store.open_operations("sandbox").await.unwrap();
        if expected == 2 {
            for view in open {
                bench.end(view.operation.id).await;
            }
        }
    }
    let begun = bench.starter.begun.lock().unwrap().clone();
    assert!(matches!(&begun[1], Intent::Verify(request) if request.backup.0 == "new"), "{begun:?}");
    assert!(
        matches!(&begun[2], Intent::Prune(request) if request.backups == [crate::domain::backup::BackupId("old".into())])
    );
    assert_eq!(bench.runs().await[0].backups, [made.id]);
}

#[tokio::test]
async fn a_verification_that_cannot_be_begun_keeps_nothing_from_being_deleted() {
    let keeping = Schedule {
        retention: Some(retention::parse("last=1").unwrap()),
        verify: Some(Depth::Quick),
        ..schedule()
    };
    let bench = Bench::new(keeping, "2026-05-01T02:30:01Z").await;
    bench.store.record_backup(&backup("old", at("2026-04-30T02:30:00Z"))).await.unwrap();
    let mut scheduler = bench.scheduler();
    scheduler.turn().await.unwrap();
    let id = bench.runs().await[0].operation.unwrap();
    let made = Backup { operation: Some(id), ..backup("new", bench.clock.now()) };
    bench.store.record_backup(&made).await.unwrap();
    bench.end(id).await;
    *bench.starter.refuses.lock().unwrap() = Some(Problem::new("No answer", "the cluster is slow", ""));
    let began = bench.clock.now();
    // the last of these tries gives the verification up, and tries to delete
    for _ in 0..=30 {
        let wake = scheduler.turn().await.unwrap();
        assert_eq!(wake, Some(bench.clock.now() + SignedDuration::from_secs(20)), "soon again");
        assert_eq!(bench.runs().await[0].problem.as_ref().unwrap().what, "No answer");
        bench.clock.advance(SignedDuration::from_secs(20));
    }
    assert!(bench.clock.now().duration_since(began) > SignedDuration::from_mins(10));
    *bench.starter.refuses.lock().unwrap() = None;
    scheduler.turn().await.unwrap();
    let begun = bench.starter.begun.lock().unwrap().clone();
    assert!(matches!(&begun[1], Intent::Prune(request) if request.backups[0].0 == "old"), "{begun:?}");
    assert!(bench.runs().await[0].problem.is_some(), "what was given up is told");
}

#[tokio::test]
async fn a_run_that_waited_long_is_tried_as_long_as_any_other() {
    let bench = Bench::new(schedule(), "2026-05-01T02:30:01Z").await;
    let other = Intent::BackUpEnvironment("demo".into(), BackupRequest::default());
    let in_the_way = record(&bench.store, &other, "anna@jump").await;
    let mut scheduler = bench.scheduler();
    scheduler.turn().await.unwrap();
    bench.clock.advance(SignedDuration::from_hours(1));
    bench.end(in_the_way).await;
    *bench.starter.refuses.lock().unwrap() = Some(Problem::new("No answer", "the cluster is slow", ""));
    scheduler.turn().await.unwrap();
    assert_eq!(bench.runs().await[0].outcome, RunOutcome::Begun);
    *bench.starter.refuses.lock().unwrap() = None;
    bench.clock.advance(SignedDuration::from_secs(20));
    scheduler.turn().await.unwrap();
    assert!(bench.runs().await[0].operation.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_loop_wakes_by_itself_and_by_a_change() {
    let bench = Bench::new(schedule(), "2026-05-01T02:29:59Z").await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(bench.scheduler().run(stop.clone()));
    let mut changes = bench.store.changes();
    bench.clock.advance(SignedDuration::from_secs(2));
    while bench.runs().await.first().and_then(|run| run.operation).is_none() {
        changes.changed().await.unwrap();
    }
    stop.cancel();
    running.await.unwrap();
    assert_eq!(bench.begun(), 1);
}
