//! The journal of actions: the runs of their functions, and what each of them called.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::Value;

use super::{column, fenced, refused};
use crate::domain::call::{ActionRun, CallOutcome, CallRecord, StepId};
use crate::domain::{OperationState, Problem};
use crate::store::worker::Durability;
use crate::store::{Store, StoreError, row};

/// One run of the function of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId {
    /// The step.
    pub step: StepId,
    /// Which, from 1.
    pub number: u32,
}

/// A run that is about to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// What the function is told. Secrets are references.
    pub context: Value,
    /// Whether it is run again from its top after a crash, with the answers that it had.
    pub replays: bool,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEnd {
    /// It gave this.
    Answered(Value),
    /// The function failed there.
    Refused(Problem),
    /// Nothing was done, and it may be made again.
    Undone(Problem),
}

/// A call that is about to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCall {
    /// What is called.
    pub name: String,
    /// With what. Secrets are references.
    pub arguments: Value,
    /// The digest of all of them.
    pub digest: String,
    /// Where in the driver.
    pub place: String,
    /// Whether it changes something: then it is on the disk before it is made.
    pub changes: bool,
    /// When it is made for the first time.
    pub begun: Timestamp,
}

impl Store {
    /// The run of a step that has not ended, with what it called so far; a new one when there is none.
    ///
    /// # Errors
    /// The operation does not run, the epoch is over, or SQLite refused.
    pub async fn open_run(&self, step: StepId, epoch: u64, new: NewRun) -> Result<ActionRun, StoreError> {
        self.write("begin the action", move |transaction| {
            running(transaction, step, epoch)?;
            if let Some(run) = open(transaction, step)? {
                return Ok(run);
            }
            let sql = "INSERT INTO action_runs (operation, step, run, context, replays)
                SELECT ?1, ?2, COALESCE(MAX(run), 0) + 1, ?3, ?4 FROM action_runs WHERE operation = ?1 AND step = ?2
                RETURNING run";
            let text = row::to_json("action_runs.context", &new.context)?;
            let columns = params![step.operation.0, column(step.position), text, new.replays];
            let number = transaction.prepare_cached(sql)?.query_row(columns, |row| row.get(0))?;
            Ok(ActionRun { number, context: new.context, calls: Vec::new() })
        })
        .await
    }

    /// Writes a call down before it is made. One that came to nothing is begun anew.
    ///
    /// # Errors
    /// The operation does not run, the call has an answer already, the epoch is over, or SQLite refused.
    pub async fn begin_call(
        &self,
        run: RunId,
        epoch: u64,
        position: u32,
        call: NewCall,
    ) -> Result<(), StoreError> {
        let begun = call.begun.to_string();
        let durability = if call.changes { Durability::Full } else { Durability::Normal };
        self.write_durably("begin the call", durability, move |transaction| {
            running(transaction, run.step, epoch)?;
            let sql = "INSERT INTO calls (operation, step, run, position, name, arguments, digest, place, state, started_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'Open', ?9)
                ON CONFLICT (operation, step, run, position) DO UPDATE SET state = 'Open', answer = NULL, ended_at = NULL
                WHERE state IN ('Open', 'Undone')";
            let arguments = row::to_json("calls.arguments", &call.arguments)?;
            let (operation, step) = (run.step.operation.0, column(run.step.position));
            let written = transaction.prepare_cached(sql)?.execute(params![
                operation,
                step,
                run.number,
                position,
                call.name,
                arguments,
                call.digest,
                call.place,
                begun
            ])?;
            match written {
                0 => refused(run.step.operation, format!("call {position} has an answer already")),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Writes down what came of a call.
    ///
    /// # Errors
    /// The operation does not run, no such call is open, the epoch is over, or SQLite refused.
    pub async fn end_call(
        &self,
        run: RunId,
        epoch: u64,
        position: u32,
        end: CallEnd,
    ) -> Result<(), StoreError> {
        let now = self.clock.now().to_string();
        self.write("record the answer of the call", move |transaction| {
            running(transaction, run.step, epoch)?;
            let (state, answer) = match &end {
                CallEnd::Answered(answer) => ("Answered", row::to_json("calls.answer", answer)?),
                CallEnd::Refused(problem) => ("Refused", row::to_json("calls.answer", problem)?),
                CallEnd::Undone(problem) => ("Undone", row::to_json("calls.answer", problem)?),
            };
            let sql = "UPDATE calls SET state = ?5, answer = ?6, ended_at = ?7
                WHERE operation = ?1 AND step = ?2 AND run = ?3 AND position = ?4 AND state = 'Open'";
            let (operation, step) = (run.step.operation.0, column(run.step.position));
            let written = transaction
                .prepare_cached(sql)?
                .execute(params![operation, step, run.number, position, state, answer, now])?;
            match written {
                0 => refused(run.step.operation, format!("call {position} is not open")),
                _ => Ok(()),
            }
        })
        .await
    }

    /// What the newest run of a step called, in order; none when it has not run.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn newest_run(&self, step: StepId) -> Result<Option<ActionRun>, StoreError> {
        self.read("read the calls of the action", move |connection| {
            let sql = "SELECT run, context FROM action_runs WHERE operation = ?1 AND step = ?2
                ORDER BY run DESC LIMIT 1";
            one(connection, step, sql)
        })
        .await
    }
}

fn running(transaction: &Transaction<'_>, step: StepId, epoch: u64) -> Result<(), StoreError> {
    let state = fenced(transaction, step.operation, epoch)?.state;
    match state {
        OperationState::Running => Ok(()),
        state => refused(step.operation, format!("it does not run: {}", state.as_str())),
    }
}

fn open(connection: &Connection, step: StepId) -> Result<Option<ActionRun>, StoreError> {
    let sql = "SELECT run, context FROM action_runs
        WHERE operation = ?1 AND step = ?2 AND ended_at IS NULL ORDER BY run DESC LIMIT 1";
    one(connection, step, sql)
}

fn one(connection: &Connection, step: StepId, sql: &str) -> Result<Option<ActionRun>, StoreError> {
    let columns = params![step.operation.0, column(step.position)];
    let read = |row: &Row<'_>| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?));
    let Some((number, context)) = connection.prepare_cached(sql)?.query_row(columns, read).optional()? else {
        return Ok(None);
    };
    let context = row::from_json("action_runs.context", &context)?;
    Ok(Some(ActionRun { number, context, calls: calls(connection, RunId { step, number })? }))
}

fn calls(connection: &Connection, run: RunId) -> Result<Vec<CallRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT name, arguments, place, state, answer, started_at, ended_at, digest FROM calls
         WHERE operation = ?1 AND step = ?2 AND run = ?3 ORDER BY position",
    )?;
    let columns = params![run.step.operation.0, column(run.step.position), run.number];
    let rows = statement.query_map(columns, |row| Ok(call(row)))?;
    rows.map(|row| row?).collect()
}

fn call(columns: &Row<'_>) -> Result<CallRecord, StoreError> {
    let (arguments, state): (String, String) = (columns.get(1)?, columns.get(3)?);
    let (answer, started): (Option<String>, String) = (columns.get(4)?, columns.get(5)?);
    let answer = answer.as_deref().unwrap_or("null");
    let outcome = match state.as_str() {
        "Answered" => CallOutcome::Answered(row::from_json("calls.answer", answer)?),
        "Refused" => CallOutcome::Refused(row::from_json("calls.answer", answer)?),
        "Undone" => CallOutcome::Undone(row::from_json("calls.answer", answer)?),
        "Told" => CallOutcome::Told,
        _ => CallOutcome::Open,
    };
    Ok(CallRecord {
        name: columns.get(0)?,
        arguments: row::from_json("calls.arguments", &arguments)?,
        digest: columns.get(7)?,
        place: columns.get(2)?,
        outcome,
        started: row::moment("calls.started_at", &started)?,
        ended: row::optional_moment("calls.ended_at", columns.get(6)?)?,
    })
}

/// Says that the run of a step has ended, if there is one: what comes next begins anew.
pub(super) fn end_run(transaction: &Transaction<'_>, step: StepId, now: &str) -> Result<(), StoreError> {
    let sql = "UPDATE action_runs SET ended_at = ?3 WHERE operation = ?1 AND step = ?2 AND ended_at IS NULL";
    transaction.prepare_cached(sql)?.execute(params![step.operation.0, column(step.position), now])?;
    Ok(())
}

/// Says of the call that a crash left open that it was done, as a person told. Whether there was one.
pub(super) fn tell_done(transaction: &Transaction<'_>, step: StepId, now: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE calls SET state = 'Told', ended_at = ?3
        WHERE operation = ?1 AND step = ?2 AND state = 'Open'
        AND run = (SELECT run FROM action_runs
            WHERE operation = ?1 AND step = ?2 AND ended_at IS NULL AND replays)";
    Ok(transaction.prepare_cached(sql)?.execute(params![step.operation.0, column(step.position), now])? > 0)
}

/// Forgets the call that a crash left open, so that it is made; ends a run that cannot be replayed, so that another one begins.
pub(super) fn repeat(transaction: &Transaction<'_>, step: StepId, now: &str) -> Result<(), StoreError> {
    let (operation, position) = (step.operation.0, column(step.position));
    let sql = "DELETE FROM calls WHERE operation = ?1 AND step = ?2 AND state = 'Open'";
    transaction.prepare_cached(sql)?.execute(params![operation, position])?;
    let sql = "UPDATE action_runs SET ended_at = ?3
        WHERE operation = ?1 AND step = ?2 AND ended_at IS NULL AND NOT replays";
    transaction.prepare_cached(sql)?.execute(params![operation, position, now])?;
    Ok(())
}
