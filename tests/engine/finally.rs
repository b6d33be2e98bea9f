//! What always runs: after a cancel, too, and never before everything else has ended.

use std::sync::{Arc, Mutex};

use styrmin::domain::operation::{Goal, Origin, Subject};
use styrmin::domain::plan::Verb;
use styrmin::domain::{
    ClusterKind, ClusterRecord, OperationKind, OperationState, Plan, Step, StepState, SystemClock,
};
use styrmin::operate::{Done, Executor, Probed, Runner, StepError, StepRun};
use styrmin::store::{Holder, NewOperation, Store};
use tokio::sync::watch;

/// Notes what it does; what waits never ends by itself.
#[derive(Default)]
struct Noting(Mutex<Vec<String>>);

impl Executor for Noting {
    async fn execute(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        self.0.lock().unwrap().push(run.step.name.clone());
        match run.step.verb {
            Verb::Wait => std::future::pending().await,
            _ => Ok(Done::default()),
        }
    }

    async fn probe(&self, _run: StepRun<'_>) -> Result<Probed, StepError> {
        Ok(Probed::NotDone)
    }

    async fn is_wanted(&self) -> bool {
        true
    }
}

fn plan() -> Plan {
    let after = |step: Step, after: &[usize]| Step { after: after.to_vec(), ..step };
    let steps = vec![
        Step::named(Verb::Run, "quiesce"),
        after(Step::named(Verb::Wait, "wait for ever"), &[0]),
        after(Step::named(Verb::Run, "copy"), &[1]),
        Step { finally: true, ..Step::named(Verb::Run, "let go on") },
    ];
    Plan { title: "Try".to_owned(), steps, ..Plan::default() }
}

#[tokio::test]
async fn it_runs_after_a_cancel_and_what_is_left_is_said() {
    let clock = Arc::new(SystemClock);
    let store = Store::in_memory(clock.clone()).unwrap();
    let record = ClusterRecord {
        name: "c".to_owned(),
        kind: ClusterKind::Sandbox,
        fqdn_suffix: None,
        storage_class: None,
        ingress_port: None,
        ingress_tls_port: None,
    };
    store.upsert_cluster(&record).await.unwrap();
    let me = Holder { identity: "test".to_owned(), host: "here".to_owned(), pid: None };
    let epoch = store.claim_engine("c", &me, 0).await.unwrap();
    let new = NewOperation {
        subject: Subject { cluster: "c".to_owned(), environment: "e".to_owned(), name: "n".to_owned() },
        kind: OperationKind::Restart,
        plan: plan(),
        origin: Origin { actor: "anna".to_owned(), cause: "a test".to_owned(), confirmed: true },
        goal: Goal::default(),
        instance: None,
        action: None,
        request: None,
        parent: None,
    };
    let operation = store.begin_operation(new, None).await.unwrap();
    let (executor, (_kept, moved)) = (Noting::default(), watch::channel(0));
    let runner = Runner { store: &store, clock: &*clock, epoch };
    let cancel = async {
        let mut changes = store.changes();
        while store.step(operation.id, 1).await.unwrap().state != StepState::Started {
            changes.changed().await.unwrap();
        }
        store.request_cancel(operation.id, "bert").await.unwrap();
    };
    let (ended, ()) = tokio::join!(runner.run(&operation, &executor, moved), cancel);
    let ended = ended.unwrap();
    assert_eq!(ended.operation.state, OperationState::Cancelled);
    assert_eq!(*executor.0.lock().unwrap(), ["quiesce", "wait for ever", "let go on"]);
    let states: Vec<StepState> = ended.steps.iter().map(|step| step.state).collect();
    use StepState::{Skipped, Succeeded};
    assert_eq!(states, [Succeeded, Skipped, Skipped, Succeeded]);
    let problem = ended.operation.problem.unwrap();
    assert_eq!(problem.why, "bert asked for it; 1 of 3 steps were not done: 'copy'");
}
