//! What people ask of an operation while it is under way. From any process, in no epoch.

use rusqlite::params;

use super::{actions, begin, close, column, head, read, refused, tell};
use crate::domain::call::StepId;
use crate::domain::operation::StepAnswer;
use crate::domain::{OperationId, OperationState, OperationView, Problem, StepState};
use crate::store::{Store, StoreError, row};

impl Store {
    /// Asks an operation to end at the next boundary of a step. One that has not begun ends at once. Asking again changes nothing.
    ///
    /// # Errors
    /// It is not recorded, it has ended, or SQLite refused.
    pub async fn request_cancel(&self, id: OperationId, actor: &str) -> Result<OperationView, StoreError> {
        let (actor, now) = (actor.to_owned(), self.clock.now().to_string());
        self.write("cancel the operation", move |transaction| {
            let state = head(transaction, id)?.state;
            if state.is_final() {
                return refused(id, format!("it has ended: {}", state.as_str()));
            }
            let sql = "UPDATE operations SET cancelled_by = ?2 WHERE id = ?1 AND cancelled_by IS NULL";
            if transaction.execute(sql, params![id.0, actor])? > 0 {
                tell(transaction, id, None, &now, &format!("{actor} cancels it"))?;
                if state == OperationState::Queued {
                    begin::skip_all(transaction, id, &now)?;
                    close(transaction, id, OperationState::Cancelled, None, &now)?;
                }
            }
            read::require(transaction, id)
        })
        .await
    }

    /// Says that something newer takes the place of an operation. One that has not begun ends at once. Saying it again changes nothing.
    ///
    /// # Errors
    /// It is not recorded, it has ended, or SQLite refused.
    pub async fn supersede(&self, id: OperationId) -> Result<OperationView, StoreError> {
        let now = self.clock.now().to_string();
        self.write("supersede the operation", move |transaction| {
            let state = head(transaction, id)?.state;
            if state.is_final() {
                return refused(id, format!("it has ended: {}", state.as_str()));
            }
            begin::supersede(transaction, id, "by a newer wish", &now)?;
            read::require(transaction, id)
        })
        .await
    }

    /// Records what a person says of a step that a crash left open: it was done, it is to be done, or it is not to be.
    ///
    /// # Errors
    /// The operation is not recorded or has ended, nobody asked, or SQLite refused.
    pub async fn answer_step(
        &self,
        id: OperationId,
        position: usize,
        answer: StepAnswer,
        actor: &str,
    ) -> Result<OperationView, StoreError> {
        let (actor, now) = (actor.to_owned(), self.clock.now().to_string());
        self.write("record the answer", move |transaction| {
            let state = head(transaction, id)?.state;
            if state.is_final() {
                return refused(id, format!("it has ended: {}", state.as_str()));
            }
            let asking = read::one_step(transaction, id, position)?;
            if asking.is_none_or(|step| step.state != StepState::Asking) {
                return refused(id, format!("nobody asks about step {position}"));
            }
            let (mut state, mut ended, problem, words) = answered(answer, &actor, &now);
            let step = StepId { operation: id, position };
            match answer {
                // It is a call of an action's function that was asked about: the function goes on behind it.
                StepAnswer::Done if actions::tell_done(transaction, step, &now)? => {
                    (state, ended) = (StepState::Pending, None);
                }
                StepAnswer::Repeat => actions::repeat(transaction, step, &now)?,
                StepAnswer::Done | StepAnswer::Fail => {}
            }
            let problem = problem.map(|problem| row::to_json("operation_steps.problem", &problem));
            // Its time counts anew: it did not pass while the person was away.
            transaction.execute(
                "UPDATE operation_steps SET state = ?3, ended_at = ?4, problem = ?5, next_try = NULL,
                     started_at = CASE ?3 WHEN 'Pending' THEN NULL ELSE started_at END
                 WHERE operation = ?1 AND position = ?2",
                params![id.0, column(position), state.as_str(), ended, problem.transpose()?],
            )?;
            tell(transaction, id, Some(position), &now, &format!("{actor} says: {words}"))?;
            read::require(transaction, id)
        })
        .await
    }
}

/// The state that follows from an answer, when the step ended, why, and the answer in words.
fn answered<'a>(
    answer: StepAnswer,
    actor: &str,
    now: &'a str,
) -> (StepState, Option<&'a str>, Option<Problem>, &'static str) {
    match answer {
        StepAnswer::Done => (StepState::Succeeded, Some(now), None, "it was done"),
        StepAnswer::Repeat => (StepState::Pending, None, None, "do it"),
        StepAnswer::Fail => {
            let why = format!("a crash left it open, and {actor} said that it is not to be done");
            let problem = Problem::new("The step was not done", why, "plan it again when it is wanted");
            (StepState::Failed, Some(now), Some(problem), "it is not to be done")
        }
    }
}
