//! What whoever carries an operation out writes down: that it begins, where its steps stand, and how it ended.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Head, StepNote, actions, begin, close, column, fenced, read, refused, tell};
use crate::domain::call::StepId;
use crate::domain::operation::Orders;
use crate::domain::{OperationId, OperationState, OperationView, Problem, StepRecord, StepState};
use crate::store::worker::Durability;
use crate::store::{Store, StoreError, inventory, row};

impl Store {
    /// Begins an operation, which must end by `deadline`, or carries one on that was begun before: that one keeps its deadline, and
    /// steps that were under way then become `Unknown`, with their time counted anew.
    ///
    /// # Errors
    /// It is not recorded, it has ended, another one about the subject still runs, the epoch is over, or SQLite refused.
    pub async fn start_operation(
        &self,
        id: OperationId,
        epoch: u64,
        deadline: Option<Timestamp>,
    ) -> Result<OperationView, StoreError> {
        let now = self.clock.now().to_string();
        self.write("start the operation", move |transaction| {
            let state = fenced(transaction, id, epoch)?.state;
            match state {
                OperationState::Queued => start(transaction, id, deadline, &now)?,
                OperationState::Running => carry_on(transaction, id, &now)?,
                ended => return refused(id, format!("it has ended: {}", ended.as_str())),
            }
            transaction
                .prepare_cached("UPDATE operations SET epoch = ?2 WHERE id = ?1 AND epoch <> ?2")?
                .execute(params![id.0, i64::try_from(epoch).unwrap_or(i64::MAX)])?;
            read::require(transaction, id)
        })
        .await
    }

    /// Writes down where some steps stand, all at once, and gives what is asked of the operation now. When one of them is `Started`
    /// it is on the disk before this returns; otherwise a power cut may take it, as if the process had died before.
    ///
    /// # Errors
    /// The operation does not run, there is no such step, it cannot go there from where it stands, the epoch is over, or SQLite
    /// refused. Then nothing is written.
    pub async fn note_steps(
        &self,
        id: OperationId,
        epoch: u64,
        notes: Vec<StepNote>,
    ) -> Result<Orders, StoreError> {
        let now = self.clock.now().to_string();
        let starts = notes.iter().any(|note| note.record.state == StepState::Started);
        let (action, durability) = match starts {
            true => ("start the steps", Durability::Full),
            false => ("record the outcome of the steps", Durability::Normal),
        };
        self.write_durably(action, durability, move |transaction| {
            let head = fenced(transaction, id, epoch)?;
            if head.state != OperationState::Running {
                return refused(id, format!("it does not run: {}", head.state.as_str()));
            }
            notes.iter().try_for_each(|note| write_note(transaction, id, &head, note, &now))?;
            orders(transaction, id)
        })
        .await
    }

    /// Writes down where one step stands; see [`Self::note_steps`].
    ///
    /// # Errors
    /// As [`Self::note_steps`].
    pub async fn note_step(&self, id: OperationId, epoch: u64, note: StepNote) -> Result<Orders, StoreError> {
        self.note_steps(id, epoch, vec![note]).await
    }

    /// Ends an operation. One that ran has steps that all have ended; one that never ran cannot have succeeded.
    ///
    /// # Errors
    /// It is not recorded, it has ended, it cannot end like that, the epoch is over, or SQLite refused.
    pub async fn finish_operation(
        &self,
        id: OperationId,
        epoch: u64,
        state: OperationState,
        problem: Option<Problem>,
    ) -> Result<OperationView, StoreError> {
        let now = self.clock.now().to_string();
        self.write("end the operation", move |transaction| {
            let from = fenced(transaction, id, epoch)?.state;
            if from.is_final() || !state.is_final() {
                return refused(id, format!("it cannot go from {} to {}", from.as_str(), state.as_str()));
            }
            if from == OperationState::Queued {
                if state == OperationState::Succeeded {
                    return refused(id, "it never ran");
                }
                begin::skip_all(transaction, id, &now)?;
            } else if let Some(open) = open_step(transaction, id)? {
                return refused(id, format!("step {open} has not ended"));
            }
            close(transaction, id, state, problem.as_ref(), &now)?;
            read::require(transaction, id)
        })
        .await
    }

    /// What is asked of an operation now.
    ///
    /// # Errors
    /// It is not recorded, or SQLite refused.
    pub async fn orders(&self, id: OperationId) -> Result<Orders, StoreError> {
        self.read("read what is asked of the operation", move |connection| orders(connection, id)).await
    }

    /// Where one step of an operation stands.
    ///
    /// # Errors
    /// There is no such step, or SQLite refused.
    pub async fn step(&self, id: OperationId, position: usize) -> Result<StepRecord, StoreError> {
        self.read("read the step", move |connection| require_step(connection, id, position)).await
    }
}

fn start(
    transaction: &Transaction<'_>,
    id: OperationId,
    deadline: Option<Timestamp>,
    now: &str,
) -> Result<(), StoreError> {
    let sql = "SELECT other.id FROM operations this JOIN operations other
        ON (this.cluster, this.environment, this.name) = (other.cluster, other.environment, other.name)
        WHERE this.id = ?1 AND other.state = 'Running'";
    let other: Option<i64> =
        transaction.prepare_cached(sql)?.query_row([id.0], |row| row.get(0)).optional()?;
    if let Some(other) = other {
        return refused(id, format!("operation {other} about the same subject still runs"));
    }
    transaction
        .prepare_cached(
            "UPDATE operations SET state = 'Running', started_at = ?2, deadline = ?3 WHERE id = ?1",
        )?
        .execute(params![id.0, now, deadline.map(|at| at.to_string())])?;
    Ok(())
}

fn carry_on(transaction: &Transaction<'_>, id: OperationId, now: &str) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE operation_steps SET started_at = ?2, state = CASE state WHEN 'Started' THEN 'Unknown' ELSE state END
             WHERE operation = ?1 AND started_at IS NOT NULL AND state IN ('Pending', 'Started', 'Unknown', 'Retrying')",
        )?
        .execute(params![id.0, now])?;
    tell(transaction, id, None, now, "carried on")
}

fn write_note(
    transaction: &Transaction<'_>,
    id: OperationId,
    head: &Head,
    note: &StepNote,
    now: &str,
) -> Result<(), StoreError> {
    let (position, record) = (note.position, &note.record);
    let from = require_step(transaction, id, position)?.state;
    if !may_go(from, record.state) {
        let (from, to) = (from.as_str(), record.state.as_str());
        return refused(id, format!("step {position} cannot go from {from} to {to}"));
    }
    let problem = record.problem.as_ref().map(|problem| row::to_json("operation_steps.problem", problem));
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
    transaction
        .prepare_cached(
            "UPDATE operation_steps SET state = ?3, attempt = ?4, started_at = ?5, ended_at = ?6, next_try = ?7,
                 output = ?8, problem = ?9, stale = ?10
             WHERE operation = ?1 AND position = ?2",
        )?
        .execute(params![
            id.0,
            column(position),
            record.state.as_str(),
            record.attempt,
            moment(record.started),
            moment(record.ended),
            moment(record.next_try),
            record.output,
            problem.transpose()?,
            record.stale
        ])?;
    if note.ends_run {
        actions::end_run(transaction, StepId { operation: id, position }, now)?;
    }
    if let Some(event) = &note.event {
        tell(transaction, id, Some(position), now, event)?;
    }
    inventory::apply(transaction, head.deployment, &note.inventory)
}

/// Whether a step may go from one state to another. What ended stays as it is, and what was never begun cannot have been done.
/// Only a person's answer leads out of `Asking` to anything but the end.
fn may_go(from: StepState, to: StepState) -> bool {
    use StepState::{Asking, Failed, Pending, Retrying, Skipped, Started, Succeeded, Unknown};
    match from {
        Pending => matches!(to, Started | Failed | Skipped),
        Started => !matches!(to, Pending | Unknown | Started),
        Unknown | Retrying => true,
        Asking => matches!(to, Failed | Skipped),
        Succeeded | Failed | Skipped => false,
    }
}

fn orders(connection: &Connection, id: OperationId) -> Result<Orders, StoreError> {
    let sql = "SELECT cancelled_by, superseded FROM operations WHERE id = ?1";
    connection
        .prepare_cached(sql)?
        .query_row([id.0], |row| Ok(Orders { cancelled_by: row.get(0)?, superseded: row.get(1)? }))
        .optional()?
        .ok_or_else(|| StoreError::Missing { what: "operation", name: id.to_string() })
}

fn require_step(connection: &Connection, id: OperationId, position: usize) -> Result<StepRecord, StoreError> {
    read::one_step(connection, id, position)?
        .ok_or_else(|| StoreError::Missing { what: "step", name: format!("{position} of operation {id}") })
}

/// The first step that has not ended.
fn open_step(connection: &Connection, id: OperationId) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT MIN(position) FROM operation_steps
        WHERE operation = ?1 AND state NOT IN ('Succeeded', 'Failed', 'Skipped')";
    Ok(connection.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?)
}
