//! A run that is interrupted anywhere ends as one that is not, and does nothing twice.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use styrmin::domain::Problem;
use styrmin::hooks::{
    Call, CallError, CallNote, CallRecord, End, Journal, MemoryJournal, Outcome, Performer, run,
};

use super::support::*;

const TEXT: &str = r#"
def main(ctx):
    seen = []
    for name in ctx.components:
        stop_component(name)
        seen.append(execute_commands(name, ["do", name]).stdout)
    start = now()
    luck = random()
    if luck % 2 == 0:
        log("even")
    else:
        log("odd")
    start_components()
    return [seen, start, luck]
"#;

/// The doors of a run: before each write of the journal and each effect. One thing follows the other, so that there is after
/// each what is there before the next.
struct Doors {
    passed: AtomicU32,
    /// The door that is never opened.
    shut: u32,
    stopped: tokio::sync::Notify,
}

impl Doors {
    async fn pass(&self) {
        if self.passed.fetch_add(1, Ordering::SeqCst) == self.shut {
            self.stopped.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// A journal and a cluster with doors.
struct Doored<'a> {
    doors: &'a Doors,
    journal: &'a MemoryJournal,
    effects: &'a Effects,
}

/// What was done in the "cluster", with the answers by position: effects are found again there.
#[derive(Default)]
struct Effects(Mutex<Vec<(u32, Call, Value)>>);

impl Effects {
    fn find(&self, position: u32) -> Option<Value> {
        let done = self.0.lock().unwrap();
        done.iter().find(|(at, ..)| *at == position).map(|(_, _, value)| value.clone())
    }
}

impl Journal for Doored<'_> {
    fn recorded(&self, position: u32) -> Option<CallRecord> {
        self.journal.recorded(position)
    }

    async fn begin(&self, position: u32, note: &CallNote) -> Result<(), Problem> {
        self.doors.pass().await;
        self.journal.begin(position, note).await
    }

    async fn end(&self, position: u32, outcome: &Outcome) -> Result<(), Problem> {
        self.doors.pass().await;
        self.journal.end(position, outcome).await
    }
}

impl Performer for Doored<'_> {
    async fn perform(&self, call: &Call, doubt: bool, position: u32) -> Result<Value, CallError> {
        self.doors.pass().await;
        let found = self.effects.find(position);
        assert!(doubt || found.is_none(), "done before, and not in doubt: {position} {call:?}");
        let value = match found {
            Some(value) => value,
            None => answer_of(call, position)?,
        };
        if self.effects.find(position).is_none() {
            self.effects.0.lock().unwrap().push((position, call.clone(), value.clone()));
        }
        Ok(value)
    }
}

async fn run_until(shut: u32, journal: &MemoryJournal, effects: &Effects) -> Option<End> {
    let doors = Doors { passed: AtomicU32::new(0), shut, stopped: tokio::sync::Notify::new() };
    let world = Doored { doors: &doors, journal, effects };
    let (worker, program) = (worker(), program(TEXT));
    tokio::select! {
        end = run(&worker, &program, &world, &world) => Some(end),
        () = doors.stopped.notified() => None,
    }
}

#[tokio::test]
async fn killed_at_every_door_it_ends_the_same() {
    let (journal, effects) = (MemoryJournal::default(), Effects::default());
    let whole = run_until(u32::MAX, &journal, &effects).await.unwrap();
    assert!(matches!(&whole, End::Returned(_)), "{whole:?}");
    let (records, done) = (journal.records(), effects.0.into_inner().unwrap());
    assert_eq!(done.len(), 8);
    let mut shut = 0;
    loop {
        let (journal, effects) = (MemoryJournal::default(), Effects::default());
        let killed = run_until(shut, &journal, &effects).await.is_none();
        let end = run_until(u32::MAX, &journal, &effects).await.unwrap();
        assert_eq!(end, whole, "killed at door {shut}");
        assert_eq!(journal.records(), records, "killed at door {shut}");
        assert_eq!(effects.0.into_inner().unwrap(), done, "killed at door {shut}");
        if !killed {
            break;
        }
        shut += 1;
    }
    assert_eq!(shut, 8 * 3);
}

#[tokio::test]
async fn killed_again_and_again_it_comes_to_its_end() {
    let (journal, effects) = (MemoryJournal::default(), Effects::default());
    let mut tries = 0;
    let end = loop {
        // Three doors a call: each try gets one call further at most.
        match run_until(2, &journal, &effects).await {
            Some(end) => break end,
            None => tries += 1,
        }
        assert!(tries < 100);
    };
    assert!(matches!(end, End::Returned(_)), "{end:?}");
    assert!(tries >= 8, "{tries}");
    assert_eq!(effects.0.into_inner().unwrap().len(), 8);
}

#[tokio::test]
async fn only_what_has_no_answer_is_performed() {
    let journal = MemoryJournal::default();
    let first = run(&worker(), &program(TEXT), &journal, &Recorder::default()).await;
    let again = Recorder::default();
    assert_eq!(run(&worker(), &program(TEXT), &journal, &again).await, first);
    assert!(again.calls().is_empty());
}

#[tokio::test]
async fn a_changed_function_is_told_and_performs_nothing() {
    let journal = MemoryJournal::default();
    run(
        &worker(),
        &program("def main(ctx):\n    log(\"a\")\n    scale(\"web\", 2)\n"),
        &journal,
        &Recorder::default(),
    )
    .await;
    let table = [
        (
            "def main(ctx):\n    log(\"a\")\n\n    scale(\"web\", 3)\n",
            "it called scale(component=\"web\", replicas=3) (actions.star:4) where it had called scale(component=\"web\", replicas=2) (actions.star:3)",
        ),
        (
            "def main(ctx):\n    restart()\n",
            "it called restart() (actions.star:2) where it had called log(text=\"a\") (actions.star:2)",
        ),
        (
            "def main(ctx):\n    log(\"a\")\n",
            "it returned where it had called scale(component=\"web\", replicas=2) (actions.star:3)",
        ),
    ];
    for (text, expected) in table {
        let recorder = Recorder::default();
        let End::Diverged(problem) = run(&worker(), &program(text), &journal, &recorder).await else {
            panic!("{text}: it is another function")
        };
        assert_eq!(problem.why, expected);
        assert!(recorder.calls().is_empty());
    }
    let moved = "# a line more\n\ndef main(ctx):\n    log(\"a\")\n    scale(\"web\", 2)\n";
    assert_eq!(
        run(&worker(), &program(moved), &journal, &Recorder::default()).await,
        End::Returned(json!(null))
    );
}

/// Fails at a position in a way of its own.
struct Failing(Recorder, u32, CallError);

impl Performer for Failing {
    async fn perform(&self, call: &Call, doubt: bool, position: u32) -> Result<Value, CallError> {
        if position == self.1 {
            return Err(self.2.clone());
        }
        self.0.perform(call, doubt, position).await
    }
}

#[tokio::test]
async fn each_failure_of_a_call_is_taken_up_in_its_own_way() {
    let text = "def main(ctx):\n    log(\"a\")\n    scale(\"web\", 2)\n    log(\"b\")\n";
    let problem = Problem::new("the cluster is away", "no route", "look");
    let cases = [
        (CallError::Transient(problem.clone()), End::Transient(problem.clone()), Some(false)),
        (CallError::InDoubt(problem.clone()), End::InDoubt(problem.clone()), Some(true)),
        (CallError::Refused(problem.clone()), End::Transient(problem.clone()), None),
    ];
    for (error, expected, again) in cases {
        let journal = MemoryJournal::default();
        let end = run(&worker(), &program(text), &journal, &Failing(Recorder::default(), 1, error)).await;
        let refused = again.is_none();
        match refused {
            false => assert_eq!(end, expected),
            true => assert_eq!(failed(end).to_string().lines().next(), Some("the cluster is away")),
        }
        let recorder = Recorder::default();
        let end = run(&worker(), &program(text), &journal, &recorder).await;
        match again {
            // It fails there at a replay too, and nothing is performed.
            None => {
                assert_eq!(failed(end).place.unwrap().line, 3);
                assert!(recorder.done().is_empty());
            }
            Some(doubt) => {
                assert_eq!(end, End::Returned(json!(null)));
                let done = recorder.done();
                assert_eq!(done.len(), 2);
                assert_eq!((done[0].0, done[0].2), (1, doubt));
                assert_eq!((done[1].0, done[1].2), (2, false));
            }
        }
    }
}

/// A journal that cannot be written.
struct Closed(u32);

impl Journal for Closed {
    fn recorded(&self, _: u32) -> Option<CallRecord> {
        None
    }

    async fn begin(&self, position: u32, _: &CallNote) -> Result<(), Problem> {
        match position < self.0 {
            true => Ok(()),
            false => Err(Problem::new("the journal is closed", "", "")),
        }
    }

    async fn end(&self, _: u32, _: &Outcome) -> Result<(), Problem> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_is_performed_that_is_not_written_first() {
    let recorder = Recorder::default();
    let end = run(&worker(), &program(TEXT), &Closed(2), &recorder).await;
    assert_eq!(end, End::Transient(Problem::new("the journal is closed", "", "")));
    assert_eq!(recorder.calls().len(), 2);
}
