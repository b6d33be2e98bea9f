//! What a step prints and calls, followed: read again whenever the records change, and told where it differs.

use serde_json::Value;
use tokio::sync::watch;

use super::frames::CALM_GAP;
use crate::domain::call::{CallOutcome, CallRecord, OutputLine, StepId, StepOutput};
use crate::domain::{OperationView, Problem};
use crate::store::Store;

/// Follows the output of one step until its operation has ended and all is told.
pub struct Output {
    store: Store,
    step: StepId,
    /// The most lines that are told at once.
    limit: u32,
    changes: watch::Receiver<u64>,
    told: Option<StepOutput>,
    is_over: bool,
}

impl Output {
    /// Follows the output of `step`, beginning with its last `limit` lines.
    pub fn new(store: Store, step: StepId, limit: u32) -> Self {
        let changes = store.changes();
        Self { store, step, limit, changes, told: None, is_over: false }
    }

    /// Waits for what is new. None: the operation has ended, and nothing more comes.
    pub async fn next(&mut self) -> Option<Result<StepOutput, Problem>> {
        let mut read_already = self.told.is_some();
        loop {
            if self.is_over {
                return None;
            }
            if read_already {
                self.changes.changed().await.ok()?;
                // let a burst gather: one answer per frame's time
                tokio::time::sleep(CALM_GAP).await;
                self.changes.mark_unchanged();
            }
            read_already = true;
            match self.read().await {
                Ok(None) => {}
                Ok(Some(output)) => return Some(Ok(output)),
                Err(problem) => {
                    self.is_over = true;
                    return Some(Err(problem));
                }
            }
        }
    }

    /// What is new since it was last told; none when nothing is.
    async fn read(&mut self) -> Result<Option<StepOutput>, Problem> {
        // in this order: what an operation prints is recorded before it ends
        let operation = self.store.operation(self.step.operation).await?;
        self.is_over = operation.as_ref().is_none_or(has_ended);
        let lines = self.store.lines(self.step, self.limit).await?;
        let run = self.store.newest_run(self.step).await?;
        let calls: Vec<CallRecord> = run.into_iter().flat_map(|run| run.calls).map(without_answer).collect();
        let Some(told) = &self.told else {
            let first = StepOutput { lines, anew: true, calls };
            self.told = Some(first.clone());
            return Ok(Some(first));
        };
        let known = overlap(&told.lines, &lines);
        if known == Some(lines.len()) && told.calls == calls {
            return Ok(None);
        }
        let new = lines.get(known.unwrap_or(0)..).unwrap_or_default().to_vec();
        let output = StepOutput { lines: new, anew: known.is_none(), calls: calls.clone() };
        self.told = Some(StepOutput { lines, anew: true, calls });
        Ok(Some(output))
    }
}

fn has_ended(view: &OperationView) -> bool {
    view.operation.state.is_final()
}

/// How many of the first `new` lines are the last ones of `old`; none when nothing of `old` is there any more.
fn overlap(old: &[OutputLine], new: &[OutputLine]) -> Option<usize> {
    if old.is_empty() {
        return Some(0);
    }
    let gone = (0..old.len()).find(|gone| old.get(*gone..).is_some_and(|kept| new.starts_with(kept)));
    gone.map(|gone| old.len() - gone)
}

fn without_answer(mut call: CallRecord) -> CallRecord {
    if let CallOutcome::Answered(answer) = &mut call.outcome {
        *answer = Value::Null;
    }
    call
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::call::OutputSource;
    use crate::domain::operation::{Goal, Origin, Subject};
    use crate::domain::plan::Verb;
    use crate::domain::{ClusterKind, ClusterRecord, OperationKind, Plan, Step, SystemClock};
    use crate::store::NewOperation;

    fn lines(texts: &[&str]) -> Vec<OutputLine> {
        let line = |text: &&str| OutputLine {
            at: Timestamp::UNIX_EPOCH,
            source: OutputSource::Out,
            text: (*text).to_owned(),
        };
        texts.iter().map(line).collect()
    }

    #[test]
    fn what_was_told_already_is_found_when_old_lines_are_gone() {
        let of = |old: &[&str], new: &[&str]| overlap(&lines(old), &lines(new));
        assert_eq!(of(&[], &["a"]), Some(0));
        assert_eq!(of(&["a", "b"], &["a", "b"]), Some(2));
        assert_eq!(of(&["a", "b"], &["a", "b", "c"]), Some(2));
        assert_eq!(of(&["a", "b", "c"], &["b", "c", "d", "e"]), Some(2));
        assert_eq!(of(&["a", "a", "b"], &["a", "b", "a", "b"]), Some(2));
        assert_eq!(of(&["a", "b"], &["c", "d"]), None, "more came than are told at once");
    }

    /// The records with an operation that waits for its turn.
    async fn recorded() -> (Store, StepId) {
        let store = Store::in_memory(Arc::new(SystemClock)).unwrap();
        let cluster = ClusterRecord {
            name: "sandbox".into(),
            kind: ClusterKind::Sandbox,
            fqdn_suffix: None,
            storage_class: None,
            ingress_port: None,
            ingress_tls_port: None,
        };
        store.upsert_cluster(&cluster).await.unwrap();
        let new = NewOperation {
            subject: Subject { cluster: "sandbox".into(), environment: "demo".into(), name: "notes".into() },
            kind: OperationKind::Action,
            plan: Plan { steps: vec![Step::named(Verb::Run, "run vacuum")], ..Plan::default() },
            origin: Origin { actor: "anna".into(), cause: "a test".into(), confirmed: true },
            goal: Goal::default(),
            instance: None,
            action: None,
            request: None,
            parent: None,
        };
        let operation = store.begin_operation(new, None).await.unwrap();
        (store, StepId { operation: operation.id, position: 0 })
    }

    #[tokio::test]
    async fn what_is_new_is_told_once_until_the_operation_has_ended() {
        let (store, step) = recorded().await;
        store.add_lines(step, lines(&["one", "two"])).await.unwrap();
        let mut output = Output::new(store.clone(), step, 3);
        let first = output.next().await.unwrap().unwrap();
        assert_eq!((first.anew, first.lines), (true, lines(&["one", "two"])));
        // something else moves: nothing is told of it
        store.set_setting("theme", "paper").await.unwrap();
        store.add_lines(step, lines(&["three", "four"])).await.unwrap();
        let second = output.next().await.unwrap().unwrap();
        assert_eq!((second.anew, second.lines), (false, lines(&["three", "four"])));
        store.add_lines(step, lines(&["5", "6", "7", "8"])).await.unwrap();
        let third = output.next().await.unwrap().unwrap();
        assert_eq!((third.anew, third.lines), (true, lines(&["6", "7", "8"])), "some between are not told");
        store.add_lines(step, lines(&["the last"])).await.unwrap();
        store.request_cancel(step.operation, "anna").await.unwrap();
        let last = output.next().await.unwrap().unwrap();
        assert_eq!(last.lines, lines(&["the last"]));
        assert!(output.next().await.is_none(), "it has ended, and all is told");
    }
}
