//! The journal: operations, their steps, and what happened to them.
//!
//! Every function that writes is one immediate transaction. What ended never changes any more. Whoever carries operations out
//! hands over the epoch in which it holds the engine, and is refused once a newer one was seen; what people ask for (begin,
//! cancel, answer) comes from any process and has no epoch.

mod actions;
mod begin;
mod lines;
mod moving;
mod orders;
mod read;
mod steps;
mod subjects;

pub use actions::{CallEnd, NewCall, NewRun, RunId};

use std::sync::LazyLock;

use rusqlite::{Connection, Transaction, params};

use super::{InventoryChange, NewInstance, StoreError};
use crate::domain::backup::Request;
use crate::domain::operation::{ActionRequest, Goal, Origin, Subject};
use crate::domain::{
    DeploymentDraft, DeploymentId, DesiredPhase, OperationId, OperationKind, OperationState, Plan, Problem,
    StepRecord,
};

/// An operation that is about to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOperation {
    /// What it is about.
    pub subject: Subject,
    /// What it is for.
    pub kind: OperationKind,
    /// What is done. Steps need earlier ones only; steps that always run are needed by such steps only.
    pub plan: Plan,
    /// Who wants it.
    pub origin: Origin,
    /// What it makes true. The revision and the number of the instance that are recorded with it take the place of these.
    pub goal: Goal,
    /// An instance that is frozen with it.
    pub instance: Option<NewInstance>,
    /// The action that was asked for.
    pub action: Option<ActionRequest>,
    /// What else is asked for, of backups and of what is made of other operations.
    pub request: Option<Request>,
    /// The operation and its step that this one is part of.
    pub parent: Option<(OperationId, usize)>,
}

/// Another desired state, recorded together with the operation that carries it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredChange {
    /// Of which deployment.
    pub deployment: DeploymentId,
    /// The revision that the change is based on: at another one it is refused.
    pub based_on: u64,
    /// What is desired from now on. Name and environment stay as they are.
    pub draft: DeploymentDraft,
    /// In which phase.
    pub phase: DesiredPhase,
}

/// What is journaled about one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepNote {
    /// The step's position in the plan.
    pub position: usize,
    /// Where it stands from now on.
    pub record: StepRecord,
    /// What happened, in words.
    pub event: Option<String>,
    /// What became of an object.
    pub inventory: InventoryChange,
    /// Whether the run of its action has ended: what comes next begins anew.
    pub ends_run: bool,
}

impl StepNote {
    /// Where a step stands from now on, and nothing else.
    pub fn new(position: usize, record: StepRecord) -> Self {
        Self { position, record, event: None, inventory: InventoryChange::None, ends_run: false }
    }
}

/// The kinds that say nothing about what is desired, as a list in SQL.
static ASIDE: LazyLock<String> = LazyLock::new(|| {
    let words: Vec<String> = OperationKind::ASIDE.iter().map(|kind| format!("'{}'", kind.as_str())).collect();
    format!("({})", words.join(", "))
});

/// Refuses a writer who holds the engine no more.
fn fence(transaction: &Transaction<'_>, cluster: &str, epoch: u64) -> Result<(), StoreError> {
    let sql = "SELECT COALESCE(MAX(epoch), 0) FROM operations WHERE cluster = ?1";
    let newest: i64 = transaction.prepare_cached(sql)?.query_row([cluster], |row| row.get(0))?;
    match u64::try_from(newest) {
        Ok(newest) if newest > epoch => Err(StoreError::Deposed { epoch, newest }),
        // who never claimed the engine has nobody to be deposed by
        _ if epoch == 0 => Ok(()),
        _ => super::engines::check_epoch(transaction, cluster, epoch),
    }
}

/// What has to be known of an operation before anything is written about it.
struct Head {
    cluster: String,
    deployment: Option<DeploymentId>,
    state: OperationState,
}

fn head(connection: &Connection, id: OperationId) -> Result<Head, StoreError> {
    read::head(connection, id)?.ok_or_else(|| StoreError::Missing { what: "operation", name: id.to_string() })
}

/// The same for whoever carries it out, in an epoch that is not over.
fn fenced(transaction: &Transaction<'_>, id: OperationId, epoch: u64) -> Result<Head, StoreError> {
    let found = head(transaction, id)?;
    fence(transaction, &found.cluster, epoch)?;
    Ok(found)
}

fn refused<T>(operation: OperationId, why: impl Into<String>) -> Result<T, StoreError> {
    Err(StoreError::Refused { operation, why: why.into() })
}

fn tell(
    transaction: &Transaction<'_>,
    id: OperationId,
    step: Option<usize>,
    at: &str,
    message: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO operation_events (operation, position, at, message) VALUES (?1, ?2, ?3, ?4)";
    transaction.prepare_cached(sql)?.execute(params![id.0, step.map(column), at, message])?;
    Ok(())
}

/// A position as it is stored.
fn column(position: usize) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Ends an operation, which has not ended.
fn close(
    transaction: &Transaction<'_>,
    id: OperationId,
    state: OperationState,
    problem: Option<&Problem>,
    at: &str,
) -> Result<(), StoreError> {
    let text = problem.map(|problem| super::row::to_json("operations.problem", problem)).transpose()?;
    transaction
        .prepare_cached("UPDATE operations SET state = ?2, ended_at = ?3, problem = ?4 WHERE id = ?1")?
        .execute(params![id.0, state.as_str(), at, text])?;
    super::backups::close(transaction, id, state, problem, at)?;
    tell(transaction, id, None, at, state.as_str())
}
