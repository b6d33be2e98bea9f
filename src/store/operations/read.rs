//! Reading the journal.

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::Head;
use crate::domain::operation::{Goal, OperationEvent, Orders, Origin, Subject, Times};
use crate::domain::{
    DeploymentId, Operation, OperationId, OperationKind, OperationState, OperationView, Plan, StepRecord,
    StepState,
};
use crate::store::{Store, StoreError, row};

const SELECT: &str = "SELECT id, cluster, environment, name, deployment, revision, instance, kind, state, plan,
        plan_hash, actor, cause, confirmed, created_at, started_at, ended_at, deadline, cancelled_by, superseded,
        problem, epoch, action, request, parent, parent_step
    FROM operations";

impl Store {
    /// The operations of a cluster that have not ended, oldest first: what whoever takes the engine over carries on.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn open_operations(&self, cluster: &str) -> Result<Vec<OperationView>, StoreError> {
        let cluster = cluster.to_owned();
        self.read("read the operations", move |connection| {
            views(connection, "WHERE cluster = ?1 AND state IN ('Queued', 'Running') ORDER BY id", [cluster])
        })
        .await
    }

    /// The operation of that number, with its steps.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn operation(&self, id: OperationId) -> Result<Option<OperationView>, StoreError> {
        self.read("read the operation", move |connection| by_id(connection, id)).await
    }

    /// The operation about a subject that counts now: the one that has not ended, else the newest that is about what is
    /// desired: actions and backups say nothing about that. One that a newer wish overtook while nobody carried it on still has to end first.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn current_operation(&self, subject: &Subject) -> Result<Option<OperationView>, StoreError> {
        let subject = subject.clone();
        self.read("read the operation", move |connection| {
            let aside = &*super::ASIDE;
            let condition = format!(
                "WHERE cluster = ?1 AND environment = ?2 AND name = ?3
                AND (kind NOT IN {aside} OR state IN ('Queued', 'Running'))
                ORDER BY state = 'Running' DESC, id DESC LIMIT 1"
            );
            let found =
                views(connection, &condition, params![subject.cluster, subject.environment, subject.name])?;
            Ok(found.into_iter().next())
        })
        .await
    }

    /// The operation about a subject whose turn it is, where they are carried out one after the other: the one that runs, else the
    /// oldest that was not begun.
    ///
    /// # Errors
    /// SQLite refused, or the record cannot be read.
    pub async fn next_in_line(&self, subject: &Subject) -> Result<Option<OperationView>, StoreError> {
        let subject = subject.clone();
        self.read("read the operation", move |connection| {
            let condition = "WHERE cluster = ?1 AND environment = ?2 AND name = ?3
                AND state IN ('Queued', 'Running') ORDER BY state = 'Running' DESC, id LIMIT 1";
            let found =
                views(connection, condition, params![subject.cluster, subject.environment, subject.name])?;
            Ok(found.into_iter().next())
        })
        .await
    }

    /// The newest `limit` operations of a cluster and every one that has not ended, newest first.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn operations(&self, cluster: &str, limit: u32) -> Result<Vec<OperationView>, StoreError> {
        let cluster = cluster.to_owned();
        self.read("read the operations", move |connection| {
            let condition =
                "WHERE id IN (SELECT id FROM operations WHERE cluster = ?1 ORDER BY id DESC LIMIT ?2)
                OR (cluster = ?1 AND state IN ('Queued', 'Running')) ORDER BY id DESC";
            views(connection, condition, params![cluster, limit])
        })
        .await
    }

    /// The newest `limit` operations about a subject, newest first.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn operations_of(
        &self,
        subject: &Subject,
        limit: u32,
    ) -> Result<Vec<OperationView>, StoreError> {
        let subject = subject.clone();
        self.read("read the operations", move |connection| {
            let condition = "WHERE cluster = ?1 AND environment = ?2 AND name = ?3 ORDER BY id DESC LIMIT ?4";
            views(connection, condition, params![subject.cluster, subject.environment, subject.name, limit])
        })
        .await
    }

    /// The operation that is the part of `parent` which its step at `step` began.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn part_of(
        &self,
        parent: OperationId,
        step: usize,
    ) -> Result<Option<OperationView>, StoreError> {
        self.read("read the operation", move |connection| {
            let condition = "WHERE parent = ?1 AND parent_step = ?2";
            let found = views(connection, condition, params![parent.0, super::column(step)])?;
            Ok(found.into_iter().next())
        })
        .await
    }

    /// The number of the instance that a deployment was last to go back to, when nobody has asked for another version since.
    ///
    /// # Errors
    /// SQLite refused.
    pub async fn last_rollback(&self, deployment: DeploymentId) -> Result<Option<u32>, StoreError> {
        self.read("read the operations", move |connection| {
            let sql = "SELECT kind = 'Rollback', instance FROM operations WHERE deployment = ?1
                AND kind IN ('Deploy', 'Upgrade', 'Rollback') ORDER BY id DESC LIMIT 1";
            let mut statement = connection.prepare_cached(sql)?;
            let columns = |row: &Row<'_>| Ok((row.get::<_, bool>(0)?, row.get::<_, Option<u32>>(1)?));
            let last = statement.query_row([deployment.0], columns).optional()?;
            Ok(last.and_then(|(goes_back, instance)| instance.filter(|_| goes_back)))
        })
        .await
    }

    /// What happened during an operation, in order. Empty for one that is not recorded.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn operation_events(&self, id: OperationId) -> Result<Vec<OperationEvent>, StoreError> {
        self.read("read the events of the operation", move |connection| events(connection, id)).await
    }
}

pub(super) fn head(connection: &Connection, id: OperationId) -> Result<Option<Head>, StoreError> {
    let sql = "SELECT cluster, deployment, state FROM operations WHERE id = ?1";
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, String>(2)?));
    let found = connection.prepare_cached(sql)?.query_row([id.0], columns).optional()?;
    let Some((cluster, deployment, state)) = found else { return Ok(None) };
    let state = row::word("operations.state", &state, OperationState::parse)?;
    Ok(Some(Head { cluster, deployment: deployment.map(DeploymentId), state }))
}

/// The operation, which must be there.
pub(super) fn require(connection: &Connection, id: OperationId) -> Result<OperationView, StoreError> {
    by_id(connection, id)?.ok_or_else(|| StoreError::Missing { what: "operation", name: id.to_string() })
}

fn by_id(connection: &Connection, id: OperationId) -> Result<Option<OperationView>, StoreError> {
    Ok(views(connection, "WHERE id = ?1", [id.0])?.into_iter().next())
}

fn views(
    connection: &Connection,
    condition: &str,
    params: impl Params,
) -> Result<Vec<OperationView>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} {condition}"))?;
    let rows = statement.query_map(params, |row| Ok(operation(row)))?;
    let operations: Vec<Operation> = rows.map(|row| row?).collect::<Result<_, _>>()?;
    operations
        .into_iter()
        .map(|operation| {
            let moving = super::moving::of(connection, operation.id)?;
            Ok(OperationView { steps: steps(connection, &operation)?, moving, operation })
        })
        .collect()
}

/// One record per step of the plan, whatever the table holds.
fn steps(connection: &Connection, operation: &Operation) -> Result<Vec<StepRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT position, state, attempt, started_at, ended_at, next_try, output, problem, stale
         FROM operation_steps WHERE operation = ?1",
    )?;
    let mut records = vec![StepRecord::default(); operation.plan.steps.len()];
    let mut rows = statement.query([operation.id.0])?;
    while let Some(columns) = rows.next()? {
        let position: usize = row::narrow("operation_steps.position", columns.get(0)?)?;
        if let Some(record) = records.get_mut(position) {
            *record = step(columns)?;
        }
    }
    Ok(records)
}

fn step(columns: &Row<'_>) -> Result<StepRecord, StoreError> {
    let state: String = columns.get(1)?;
    let problem: Option<String> = columns.get(7)?;
    Ok(StepRecord {
        state: row::word("operation_steps.state", &state, StepState::parse)?,
        attempt: columns.get(2)?,
        started: row::optional_moment("operation_steps.started_at", columns.get(3)?)?,
        ended: row::optional_moment("operation_steps.ended_at", columns.get(4)?)?,
        next_try: row::optional_moment("operation_steps.next_try", columns.get(5)?)?,
        output: columns.get(6)?,
        problem: problem.map(|text| row::from_json("operation_steps.problem", &text)).transpose()?,
        stale: columns.get(8)?,
    })
}

/// Where one step stands, if there is such a step.
pub(super) fn one_step(
    connection: &Connection,
    id: OperationId,
    position: usize,
) -> Result<Option<StepRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT position, state, attempt, started_at, ended_at, next_try, output, problem, stale
         FROM operation_steps WHERE operation = ?1 AND position = ?2",
    )?;
    statement.query_row(params![id.0, super::column(position)], |row| Ok(step(row))).optional()?.transpose()
}

fn operation(columns: &Row<'_>) -> Result<Operation, StoreError> {
    let (kind, state): (String, String) = (columns.get(7)?, columns.get(8)?);
    let (plan, problem): (String, Option<String>) = (columns.get(9)?, columns.get(20)?);
    let (created, action): (String, Option<String>) = (columns.get(14)?, columns.get(22)?);
    let plan: Plan = row::from_json("operations.plan", &plan)?;
    let (request, parent): (Option<String>, Option<i64>) = (columns.get(23)?, columns.get(24)?);
    let step = columns.get::<_, Option<i64>>(25)?.map(|step| row::narrow("operations.parent_step", step));
    Ok(Operation {
        id: OperationId(columns.get(0)?),
        subject: Subject { cluster: columns.get(1)?, environment: columns.get(2)?, name: columns.get(3)? },
        kind: row::word("operations.kind", &kind, OperationKind::parse)?,
        state: row::word("operations.state", &state, OperationState::parse)?,
        plan,
        plan_hash: columns.get(10)?,
        origin: Origin { actor: columns.get(11)?, cause: columns.get(12)?, confirmed: columns.get(13)? },
        goal: Goal {
            deployment: columns.get::<_, Option<i64>>(4)?.map(DeploymentId),
            revision: row::narrow("operations.revision", columns.get(5)?)?,
            instance: columns.get(6)?,
        },
        action: action.map(|text| row::from_json("operations.action", &text)).transpose()?,
        request: request.map(|text| row::from_json("operations.request", &text)).transpose()?,
        parent: parent
            .zip(step)
            .map(|(id, step)| Ok::<_, StoreError>((OperationId(id), step?)))
            .transpose()?,
        times: Times {
            created: row::moment("operations.created_at", &created)?,
            started: row::optional_moment("operations.started_at", columns.get(15)?)?,
            ended: row::optional_moment("operations.ended_at", columns.get(16)?)?,
            deadline: row::optional_moment("operations.deadline", columns.get(17)?)?,
        },
        orders: Orders { cancelled_by: columns.get(18)?, superseded: columns.get(19)? },
        problem: problem.map(|text| row::from_json("operations.problem", &text)).transpose()?,
        epoch: row::narrow("operations.epoch", columns.get(21)?)?,
    })
}

fn events(connection: &Connection, id: OperationId) -> Result<Vec<OperationEvent>, StoreError> {
    let sql = "SELECT position, at, message FROM operation_events WHERE operation = ?1 ORDER BY seq";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([id.0], |row| Ok(event(row)))?;
    rows.map(|row| row?).collect()
}

fn event(columns: &Row<'_>) -> Result<OperationEvent, StoreError> {
    let position: Option<i64> = columns.get(0)?;
    let at: String = columns.get(1)?;
    Ok(OperationEvent {
        at: row::moment("operation_events.at", &at)?,
        step: position.map(|number| row::narrow("operation_events.position", number)).transpose()?,
        message: columns.get(2)?,
    })
}
