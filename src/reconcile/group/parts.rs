//! The operations that one is made of: how each is begun, and what its end means.

use crate::domain::backup::{BackupId, GroupPart};
use crate::domain::backup::{BackupOf, PartWork, RestoreRequest};
use crate::domain::operation::Origin;
use crate::domain::{
    Deployment, DesiredPhase, Environment, InstanceState, Intent, Operation, OperationKind, OperationState,
    OperationView, Plan, Problem, Volumes,
};
use crate::reconcile::confirm::By;
use crate::reconcile::engine::Engine;
use crate::reconcile::queue::Name;

/// What became of the attempt to begin a part.
pub(super) enum Begun {
    /// It is recorded.
    Recorded,
    /// There is nothing to do.
    Nothing,
    /// Another operation about the application has to end first.
    Busy,
}

impl Engine {
    /// Begins the operation of `part`.
    ///
    /// # Errors
    /// It cannot be planned.
    pub(super) async fn begin_part(&self, parent: &Operation, part: &GroupPart) -> Result<Begun, Problem> {
        let subject = self.subject(&part.environment, &part.application);
        if let Some(open) = self.store().current_operation(&subject).await?
            && !open.operation.state.is_final()
            // a newer wish takes the place of what is under way, but of half a restore
            && (part.work != PartWork::Delete || open.operation.kind == OperationKind::Restore)
        {
            return Ok(Begun::Busy);
        }
        let Some(intent) = self.intent_of(parent, part).await? else { return Ok(Begun::Nothing) };
        if !matches!(intent, Intent::Deploy(_)) {
            self.until_listed(&self.place_of(&part.environment).await?.namespace).await;
        }
        let wish = self.wish(&intent).await?;
        let proposed = self.propose(&wish).await?;
        let by = By {
            origin: Origin {
                actor: parent.origin.actor.clone(),
                cause: format!("part of operation {}: {}", parent.id, parent.plan.title),
                confirmed: true,
            },
            parent: Some((parent.id, part.step)),
        };
        if let PartWork::Restore { safety_backup: true, .. } = part.work {
            check_safety(&proposed.preview.plan)?;
        }
        self.begin(wish, proposed, by).await?;
        Ok(Begun::Recorded)
    }

    /// What a part asks for; none when it is so already.
    async fn intent_of(&self, parent: &Operation, part: &GroupPart) -> Result<Option<Intent>, Problem> {
        let cluster = self.cluster().name();
        let found = self.store().find_deployment(cluster, &part.environment, &part.application).await?;
        if let PartWork::Deploy { draft, secrets_of } = &part.work {
            let mut draft = draft.clone();
            if let Some((environment, name)) = secrets_of {
                let from = self.place_of(environment).await?;
                let to = self.place_of(&part.environment).await?;
                self.carry_secrets(&mut draft, (&from, name), &to).await?;
            }
            return Ok(Some(Intent::Deploy(draft)));
        }
        if part.work == PartWork::Delete {
            let going = |record: &Deployment| record.phase == DesiredPhase::Deleting;
            return Ok(found
                .filter(|record| !going(record))
                .map(|record| Intent::Delete(record.id, Volumes::Delete)));
        }
        if part.work == PartWork::Update && found.as_ref().is_none_or(|it| it.phase == DesiredPhase::Deleting)
        {
            return Ok(None);
        }
        let record = found.ok_or_else(|| gone(part))?;
        Ok(match &part.work {
            PartWork::BackUp(request) => Some(Intent::BackUp(record.id, request.clone())),
            PartWork::Restore { backup, safety_backup } => {
                let request = RestoreRequest {
                    backup: self.backup_of(parent, backup).await?,
                    components: Vec::new(),
                    path: None,
                    safety_backup: *safety_backup,
                };
                Some(Intent::Restore(record.id, request))
            }
            PartWork::Update if self.follows(&record).await? => None,
            PartWork::Update => Some(Intent::Change(record.id, record.draft)),
            PartWork::Stop if record.phase == DesiredPhase::Stopped => None,
            PartWork::Stop => Some(Intent::Stop(record.id)),
            PartWork::Deploy { .. } | PartWork::Delete => None,
        })
    }

    /// Whether an application is what its place says by now: the engine may have begun it by itself, because its context changed.
    async fn follows(&self, record: &Deployment) -> Result<bool, Problem> {
        let namespace = self.place_of(&record.draft.environment).await?.namespace;
        let observed = self.observe(&Name { namespace, name: record.draft.name.clone() }).await?;
        let (Some(newest), Some(wanted)) = (&observed.situation.newest, &observed.situation.wanted) else {
            return Ok(false);
        };
        let is_same = wanted.as_ref().is_ok_and(|wanted| wanted.digest == newest.digest);
        Ok(is_same && matches!(newest.state, InstanceState::Active | InstanceState::Superseded))
    }

    /// What is planned on the pods of an application has to know them.
    async fn until_listed(&self, namespace: &str) {
        self.cluster().watch_namespace(namespace);
        let index = self.cluster().index();
        let mut moved = index.generation();
        while !(index.deployments_complete() && index.is_complete(namespace)) {
            // the index lives as long as this engine
            if moved.changed().await.is_err() {
                return;
            }
        }
    }

    async fn place_of(&self, name: &str) -> Result<Environment, Problem> {
        let known = self.store().environment(self.cluster().name(), name).await?;
        Ok(known.unwrap_or_else(|| Environment::new(name, self.cluster().name(), name)))
    }

    /// The backup that a part restores.
    async fn backup_of(&self, parent: &Operation, backup: &BackupOf) -> Result<BackupId, Problem> {
        let step = match backup {
            BackupOf::Known(id) => return Ok(id.clone()),
            BackupOf::Step(step) => *step,
        };
        let made = self.store().part_of(parent.id, step).await?.map(|view| view.operation.id);
        let all = self.store().backups(self.cluster().name()).await?;
        let found = all.into_iter().find(|backup| made.is_some() && backup.operation == made);
        found.map(|backup| backup.id).ok_or_else(|| {
            Problem::new(
                "the backup to restore is not in the catalogue",
                format!("step {} made none that is recorded", step + 1),
                "begin again",
            )
        })
    }
}

/// Nobody sees the plan of a part before it runs: what it overwrites has to be kept before, all of it.
fn check_safety(plan: &Plan) -> Result<(), Problem> {
    let count = |begin: &str| plan.steps.iter().filter(|step| step.name.starts_with(begin)).count();
    match count("back up ") >= count("restore ") {
        true => Ok(()),
        false => Err(Problem::new(
            format!("{} would overwrite what is not kept", plan.title),
            plan.warnings.join("; "),
            "see that all of its pods run, or restore it by itself",
        )),
    }
}

fn gone(part: &GroupPart) -> Problem {
    Problem::new(
        format!("there is no application '{}' in {}", part.application, part.environment),
        "it was taken away meanwhile",
        "begin again",
    )
}

/// What the end of a part means for its step; none when it succeeded.
pub(super) fn fault(ended: &OperationView) -> Option<Problem> {
    let operation = &ended.operation;
    match operation.state {
        OperationState::Succeeded => None,
        state => {
            let first = ended.first_problem().map(|(_, problem)| problem);
            Some(Problem::new(
                format!("operation {} {}", operation.id, word(state)),
                first.map_or_else(String::new, |problem| match problem.why.is_empty() {
                    true => problem.what.clone(),
                    false => format!("{}: {}", problem.what, problem.why),
                }),
                first.map_or("look at it", |problem| problem.next.as_str()),
            ))
        }
    }
}

fn word(state: OperationState) -> &'static str {
    match state {
        OperationState::PartiallyFailed => "failed in part",
        OperationState::Cancelled => "was cancelled",
        OperationState::Superseded => "was superseded by something newer",
        OperationState::Stale => "was out of date",
        _ => "failed",
    }
}
