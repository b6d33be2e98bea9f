//! Recording a new operation, with everything that belongs to it in one transaction.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{ASIDE, DesiredChange, NewOperation, close, column, read, refused, tell};
use crate::domain::backup::Backup;
use crate::domain::operation::Subject;
use crate::domain::plan::Verb;
use crate::domain::{
    DeploymentDraft, Operation, OperationId, OperationKind, OperationState, Plan, StepState,
};
use crate::store::worker::Durability;
use crate::store::{Store, StoreError, backups, deployments, instances, row};

/// How many operations that have ended are kept per subject, of those that are about what is desired and of the others.
const KEPT: u32 = 100;

impl Store {
    /// The same as [`Self::begin_operation`], with the backups that it makes recorded in the same transaction; `backups` gives them.
    ///
    /// # Errors
    /// As [`Self::begin_operation`].
    pub async fn begin_backup(
        &self,
        new: NewOperation,
        backups: impl FnOnce(&Operation) -> Vec<Backup> + Send + 'static,
    ) -> Result<Operation, StoreError> {
        let now = self.clock.now().to_string();
        self.write_durably("record the operation", Durability::Full, move |transaction| {
            let operation = begin(transaction, new, &now)?;
            backups(&operation).iter().try_for_each(|backup| backups::write(transaction, backup))?;
            Ok(operation)
        })
        .await
    }

    /// Records an operation as `Queued`, with one record per step. In the same transaction the desired state changes (then the goal
    /// is the new revision) and the instance is frozen, if there are any. Older operations about the subject are superseded:
    /// queued ones end at once, one that runs is told to.
    ///
    /// # Errors
    /// It is no newer wish (nobody confirmed it; an action, a backup), and another one about the subject has not ended; the subject
    /// is being restored; the plan can never end, the deployment stands at another revision, something that it names is not
    /// recorded, or SQLite refused.
    pub async fn begin_operation(
        &self,
        new: NewOperation,
        desired: Option<DesiredChange>,
    ) -> Result<Operation, StoreError> {
        let now = self.clock.now().to_string();
        self.write_durably("record the operation", Durability::Full, move |transaction| {
            let mut new = new;
            if let Some(change) = &desired {
                let changed = deployments::change(
                    transaction,
                    change.deployment,
                    change.based_on,
                    &change.draft,
                    change.phase,
                )?;
                (new.goal.deployment, new.goal.revision) = (Some(changed.id), changed.revision);
            }
            begin(transaction, new, &now)
        })
        .await
    }

    /// Records a new deployment in an environment of the subject's cluster together with the operation that deploys it. `uid` is
    /// random and the caller's. The instance, if there is one, is the new deployment's, whatever deployment it names.
    ///
    /// # Errors
    /// As [`Self::create_deployment`] and [`Self::begin_operation`].
    pub async fn begin_deployment(
        &self,
        new: NewOperation,
        draft: &DeploymentDraft,
        uid: &str,
    ) -> Result<Operation, StoreError> {
        let (draft, uid, now) = (draft.clone(), uid.to_owned(), self.clock.now().to_string());
        self.write_durably("record the deployment", Durability::Full, move |transaction| {
            let mut new = new;
            let created = deployments::create(transaction, &new.subject.cluster, &draft, &uid, &now)?;
            (new.goal.deployment, new.goal.revision) = (Some(created.id), created.revision);
            if let Some(instance) = &mut new.instance {
                instance.deployment = created.id;
            }
            begin(transaction, new, &now)
        })
        .await
    }
}

fn begin(transaction: &Transaction<'_>, new: NewOperation, now: &str) -> Result<Operation, StoreError> {
    check(&new.plan)?;
    refuse(transaction, &new)?;
    // those of a location are carried out one after the other
    let replaces = new.subject.as_location().is_none();
    let NewOperation { subject, kind, plan, origin, mut goal, instance, action, request, parent } = new;
    let action = action.map(|action| row::to_json("operations.action", &action)).transpose()?;
    let request = request.map(|request| row::to_json("operations.request", &request)).transpose()?;
    if let Some(instance) = instance {
        goal.instance = Some(instances::freeze(transaction, instance, now)?.number);
    }
    transaction
        .prepare_cached(
            "INSERT INTO operations (cluster, environment, name, deployment, revision, instance, kind, state, plan,
                 plan_hash, actor, cause, confirmed, created_at, action, request, parent, parent_step)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'Queued', ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        )?
        .execute(params![
            subject.cluster,
            subject.environment,
            subject.name,
            goal.deployment.map(|deployment| deployment.0),
            i64::try_from(goal.revision).unwrap_or(i64::MAX),
            goal.instance,
            kind.as_str(),
            row::to_json("operations.plan", &plan)?,
            plan.hash(),
            origin.actor,
            origin.cause,
            origin.confirmed,
            now,
            action,
            request,
            parent.map(|(id, _)| id.0),
            parent.map(|(_, step)| column(step))
        ])?;
    let id = OperationId(transaction.last_insert_rowid());
    add_steps(transaction, id, &plan, now)?;
    tell(transaction, id, None, now, &format!("{}: {}", origin.actor, origin.cause))?;
    if replaces {
        supersede_older(transaction, &subject, id, now)?;
    }
    delete_oldest(transaction, &subject)?;
    Ok(read::require(transaction, id)?.operation)
}

fn add_steps(
    transaction: &Transaction<'_>,
    id: OperationId,
    plan: &Plan,
    now: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO operation_steps (operation, position, state, ended_at) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = transaction.prepare_cached(sql)?;
    for (position, step) in plan.steps.iter().enumerate() {
        // What is as it should be needs nobody to do it.
        let (state, ended) = match step.verb {
            Verb::Unchanged => (StepState::Succeeded, Some(now)),
            _ => (StepState::Pending, None),
        };
        statement.execute(params![id.0, column(position), state.as_str(), ended])?;
    }
    Ok(())
}

/// Refuses a plan with steps that could never start.
fn check(plan: &Plan) -> Result<(), StoreError> {
    for (position, step) in plan.steps.iter().enumerate() {
        for needed in step.after.iter().chain(&step.behind) {
            let why = match plan.steps.get(*needed).filter(|_| *needed < position) {
                None => format!("'{}' needs step {needed}, which does not come before it", step.name),
                Some(before) if before.finally && !step.finally => {
                    format!("'{}' needs '{}', which runs when all else has ended", step.name, before.name)
                }
                Some(_) => continue,
            };
            return Err(StoreError::Unsound { why });
        }
    }
    Ok(())
}

/// Refuses what may not be begun while something else about its subject has not ended.
fn refuse(transaction: &Transaction<'_>, new: &NewOperation) -> Result<(), StoreError> {
    if new.subject.as_location().is_some() {
        return Ok(());
    }
    let no_wish = matches!(new.kind, OperationKind::Action | OperationKind::Backup);
    if !new.origin.confirmed || no_wish || new.subject.is_environment() {
        return refuse_beside_open(transaction, &new.subject, &[]);
    }
    match new.kind {
        // a backup that is under way is worth less than what somebody wants back now
        OperationKind::Restore => refuse_beside_open(transaction, &new.subject, &[OperationKind::Backup]),
        _ => refuse_while_restored(transaction, &new.subject),
    }
}

/// Half of a restore is worse than none: it ends, or is cancelled, before anything else is done.
fn refuse_while_restored(transaction: &Transaction<'_>, subject: &Subject) -> Result<(), StoreError> {
    let sql = "SELECT id FROM operations WHERE cluster = ?1 AND environment = ?2 AND name = ?3
         AND state IN ('Queued', 'Running') AND kind = 'Restore' LIMIT 1";
    let columns = params![subject.cluster, subject.environment, subject.name];
    let open: Option<i64> =
        transaction.prepare_cached(sql)?.query_row(columns, |row| row.get(0)).optional()?;
    match open {
        Some(open) => Err(StoreError::Restoring { name: subject.name.clone(), operation: OperationId(open) }),
        None => Ok(()),
    }
}

/// What nobody asked for, and what is no newer wish, waits until the subject's operations have ended: one that a person confirmed
/// may have come meanwhile.
fn refuse_beside_open(
    transaction: &Transaction<'_>,
    subject: &Subject,
    except: &[OperationKind],
) -> Result<(), StoreError> {
    let sql = "SELECT id, kind FROM operations WHERE cluster = ?1 AND environment = ?2 AND name = ?3
         AND state IN ('Queued', 'Running')";
    let columns = params![subject.cluster, subject.environment, subject.name];
    let mut statement = transaction.prepare_cached(sql)?;
    let open = statement.query_map(columns, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let open: Vec<(i64, String)> = open.collect::<rusqlite::Result<_>>()?;
    let counts = |kind: &str| !except.iter().any(|except| except.as_str() == kind);
    match open.into_iter().find(|(_, kind)| counts(kind)) {
        Some((open, _)) => refused(OperationId(open), "it has not ended, and nothing newer is desired"),
        None => Ok(()),
    }
}

/// A newer wish takes the place of the older ones about the same subject.
fn supersede_older(
    transaction: &Transaction<'_>,
    subject: &Subject,
    id: OperationId,
    now: &str,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT id FROM operations WHERE cluster = ?1 AND environment = ?2 AND name = ?3 AND id < ?4
         AND state IN ('Queued', 'Running') AND superseded = 0",
    )?;
    let older = statement
        .query_map(params![subject.cluster, subject.environment, subject.name, id.0], |row| {
            Ok(OperationId(row.get(0)?))
        })?;
    let older: Vec<OperationId> = older.collect::<rusqlite::Result<_>>()?;
    older.into_iter().try_for_each(|older| supersede(transaction, older, &format!("by operation {id}"), now))
}

/// Ends a queued operation, and tells one that runs to end. One that was told before is left alone.
pub(super) fn supersede(
    transaction: &Transaction<'_>,
    id: OperationId,
    by: &str,
    now: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE operations SET superseded = 1 WHERE id = ?1 AND superseded = 0";
    if transaction.prepare_cached(sql)?.execute([id.0])? == 0 {
        return Ok(());
    }
    tell(transaction, id, None, now, &format!("superseded {by}"))?;
    if super::head(transaction, id)?.state == OperationState::Queued {
        skip_all(transaction, id, now)?;
        close(transaction, id, OperationState::Superseded, None, now)?;
    }
    Ok(())
}

/// Nothing of an operation that never ran was done.
pub(super) fn skip_all(transaction: &Transaction<'_>, id: OperationId, now: &str) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE operation_steps SET state = 'Skipped', ended_at = ?2
             WHERE operation = ?1 AND state NOT IN ('Succeeded', 'Failed', 'Skipped')",
        )?
        .execute(params![id.0, now])?;
    Ok(())
}

/// What is done beside what is desired has its own number: frequent backups push nothing else out.
fn delete_oldest(transaction: &Transaction<'_>, subject: &Subject) -> Result<(), StoreError> {
    for aside in [true, false] {
        let sql = format!(
            "DELETE FROM operations WHERE id IN (
                 SELECT id FROM operations WHERE cluster = ?1 AND environment = ?2 AND name = ?3
                 AND (kind IN {}) = ?5
                 AND state NOT IN ('Queued', 'Running') ORDER BY id DESC LIMIT -1 OFFSET ?4)",
            *ASIDE
        );
        let columns = params![subject.cluster, subject.environment, subject.name, KEPT, aside];
        transaction.prepare_cached(&sql)?.execute(columns)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
