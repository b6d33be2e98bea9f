//! What people ask of the engine: previews, confirmations, orders to what is under way, and looking back.

use crate::cluster::key;
use crate::domain::backup::SAFETY;
use crate::domain::diff::ObjectDiff;
use crate::domain::operation::{Goal, Origin, StepAnswer};
use crate::domain::plan::Verb;
use crate::domain::{
    Deployment, DeploymentId, Instance, Intent, ObjectKey, Operation, OperationId, OperationKind, Plan,
    Preview, Problem, Resolution, Step,
};
use crate::store::{DesiredChange, NewOperation};

use super::engine::Engine;
use super::execute::is_immutable;
use super::group::is_group;
use super::queue::Name;
use super::render::Source;
use super::wish::Wish;

/// Who wants an operation, and what it is part of.
pub(super) struct By {
    pub origin: Origin,
    pub parent: Option<(OperationId, usize)>,
}

impl By {
    /// Somebody who saw the plan and said yes.
    pub fn person(actor: &str) -> Self {
        let cause = "confirmed in the cockpit".to_owned();
        Self { origin: Origin { actor: actor.to_owned(), cause, confirmed: true }, parent: None }
    }
}

impl Engine {
    /// What carrying out `intent` would do. Nothing is written.
    ///
    /// # Errors
    /// Everything that would make it fail: a bad name, an unknown driver version, a version out of its range,
    /// bad parameters, a name that is taken, objects that collide with another deployment's, what the cluster refuses.
    pub async fn preview(&self, intent: &Intent) -> Result<Preview, Problem> {
        match intent {
            Intent::Install => {
                let plan = self.cluster().installation().await?;
                Ok(Preview { kind: Some(OperationKind::Install), plan, ..Preview::default() })
            }
            Intent::Resolve(id, object, resolution) => {
                self.preview_resolution(*id, object, *resolution).await
            }
            _ if is_group(intent) => Ok(self.propose_group(intent).await?.preview()),
            Intent::Verify(_) | Intent::Prune(_) => self.preview_in_location(intent).await,
            _ => Ok(self.propose(&self.wish(intent).await?).await?.preview),
        }
    }

    /// Records what a person confirmed by the hash of its plan, under the name `actor`; the holder of the engine carries it
    /// out. Gives a sentence that says what was recorded.
    ///
    /// # Errors
    /// When the plan is no longer the one with this hash, and whatever [`Self::preview`] would say.
    pub async fn confirm(&self, intent: &Intent, plan_hash: &str, actor: &str) -> Result<String, Problem> {
        match intent {
            Intent::Install => {
                self.install(plan_hash, actor).await?;
                Ok(format!("Styrmin is installed on {}", self.cluster().name()))
            }
            Intent::Resolve(id, object, resolution) => {
                let preview = self.preview_resolution(*id, object, *resolution).await?;
                check_hash(&preview.plan, plan_hash)?;
                self.resolve(*id, object, *resolution).await
            }
            _ if is_group(intent) => {
                let proposal = self.propose_group(intent).await?;
                let said = format!("{}: recorded", proposal.plan.title);
                self.begin_group(proposal, plan_hash, By::person(actor)).await?;
                Ok(said)
            }
            Intent::Verify(_) | Intent::Prune(_) => self.confirm_in_location(intent, plan_hash, actor).await,
            _ => {
                let wish = self.wish(intent).await?;
                let proposed = self.propose(&wish).await?;
                check_hash(&proposed.preview.plan, plan_hash)?;
                let said = format!("{}: recorded", proposed.preview.plan.title);
                self.begin(wish, proposed, By::person(actor)).await?;
                Ok(said)
            }
        }
    }

    /// Records a confirmed operation with everything that it changes, as one transaction.
    pub(super) async fn begin(
        &self,
        wish: Wish,
        proposed: super::preview::Proposed,
        by: By,
    ) -> Result<OperationId, Problem> {
        let Wish { order, setting, environment_known, based_on, vault, .. } = wish;
        let action = order.action;
        let Deployment { id, uid, draft, phase, revision, .. } = order.record;
        self.ensure_driver(&draft.driver).await?;
        if !environment_known {
            self.store().upsert_environment(&setting.environment).await?;
        }
        if let Some(keepsake) = &proposed.drawn.keepsake {
            let name = Name { namespace: setting.environment.namespace.clone(), name: draft.name.clone() };
            self.keep(&name, &setting.environment, keepsake).await?;
        }
        let is_new = order.kind == OperationKind::Deploy;
        let new = NewOperation {
            subject: self.subject(&draft.environment, &draft.name),
            kind: order.kind,
            plan: proposed.preview.plan,
            origin: by.origin,
            goal: Goal { deployment: (!is_new).then_some(id), revision, instance: proposed.instance },
            instance: proposed.drawn.instance,
            action,
            request: order.data.map(|data| data.request),
            parent: by.parent,
        };
        // Before anything is recorded: nobody else knows what was typed.
        if let Some(vault) = &vault {
            self.write_vault(vault, &setting.environment).await?;
        }
        let begun = if !is_new && based_on.is_none() {
            let (backup, kind) = (proposed.drawn.backup, order.kind);
            let backups = move |operation: &Operation| {
                let mark = if kind == OperationKind::Restore { SAFETY } else { "" };
                backup.iter().map(|backup| backup.record(operation, mark)).collect()
            };
            self.store().begin_backup(new, backups).await
        } else if is_new {
            self.store().begin_deployment(new, &draft, &uid).await
        } else {
            let change = based_on.map(|based_on| DesiredChange {
                deployment: id,
                based_on,
                draft: draft.clone(),
                phase,
            });
            self.store().begin_operation(new, change).await
        };
        if let (Err(_), Some(vault)) = (&begun, &vault) {
            self.withdraw_vault(vault).await;
        }
        let begun = begun?;
        self.forget_planned(&draft);
        Ok(begun.id)
    }

    /// Asks an operation to end at the next boundary of a step.
    ///
    /// # Errors
    /// When it has ended already, or the order cannot be recorded.
    pub async fn cancel(&self, id: OperationId, actor: &str) -> Result<String, Problem> {
        self.store().request_cancel(id, actor).await?;
        Ok("It ends at the next step's boundary".to_owned())
    }

    /// Records what a person says of a step that a crash left open.
    ///
    /// # Errors
    /// When nobody asked, or the answer cannot be recorded.
    pub async fn answer(
        &self,
        id: OperationId,
        position: usize,
        answer: StepAnswer,
        actor: &str,
    ) -> Result<String, Problem> {
        self.store().answer_step(id, position, answer, actor).await?;
        Ok("The answer is recorded; it goes on".to_owned())
    }

    /// How the objects of two instances differ. Secret values are masked.
    ///
    /// # Errors
    /// When one of them is not recorded, or cannot be rendered any more.
    pub async fn compare_instances(
        &self,
        deployment: DeploymentId,
        old: u32,
        new: u32,
    ) -> Result<Vec<ObjectDiff>, Problem> {
        let record = self.recorded(deployment).await?;
        let before = self.objects_of(&record, old).await?;
        let after = self.objects_of(&record, new).await?;
        let mut keys: Vec<ObjectKey> = before.iter().chain(&after).map(key).collect();
        keys.sort();
        keys.dedup();
        let find = |objects: &[serde_json::Value], wanted: &ObjectKey| {
            objects.iter().find(|object| key(object) == *wanted).cloned()
        };
        let diffs = keys.into_iter().map(|wanted| {
            let (old, new) = (find(&before, &wanted), find(&after, &wanted));
            ObjectDiff::between(wanted, old.as_ref(), new.as_ref())
        });
        Ok(diffs.filter(|diff| !diff.is_empty()).collect())
    }

    /// The objects of a recorded instance.
    async fn objects_of(&self, record: &Deployment, number: u32) -> Result<Vec<serde_json::Value>, Problem> {
        let instance: Instance = self.store().instance(record.id, number).await?.ok_or_else(|| {
            Problem::new(
                format!("there is no instance {number}"),
                "it is not in the records",
                "choose another",
            )
        })?;
        let Some(driver) = self.driver(&instance.driver).await? else {
            return Err(Problem::new(
                format!("the driver {} of instance {number} is gone", instance.driver),
                "its objects cannot be rendered without it",
                "load the driver again",
            ));
        };
        let cluster = self.cluster().name();
        let Some(environment) = self.store().environment(cluster, &record.draft.environment).await? else {
            return Err(Problem::new("the environment is not recorded", "", "try again"));
        };
        let name = Name { namespace: environment.namespace.clone(), name: record.draft.name.clone() };
        let keepsake = match driver.spec.helm.is_some() {
            true => self.keepsake(&name, Some(&instance.digest)).await?,
            false => None,
        };
        let source = Source { driver, context: instance.context, deployment: record.clone(), environment };
        Ok(self.rendered(&name, source, &instance.digest, keepsake).await?.0.objects)
    }

    /// The fields of an object that others own, and what would become of them.
    async fn preview_resolution(
        &self,
        id: DeploymentId,
        object: &ObjectKey,
        resolution: Resolution,
    ) -> Result<Preview, Problem> {
        let record = self.recorded(id).await?;
        let conflicts = self.conflicts(&record, object).await?;
        let fields: Vec<String> =
            conflicts.iter().map(|conflict| format!("{} ({})", conflict.field, conflict.manager)).collect();
        let mut step = Step::on(Verb::Update, object.clone());
        step.note = format!("{}: {}", resolution.as_str(), fields.join(", "));
        let plan = Plan {
            title: format!("Settle who has the fields of {object}"),
            cluster: self.cluster().name().to_owned(),
            target: record.draft.environment,
            steps: vec![step],
            ..Plan::default()
        };
        Ok(Preview { kind: Some(OperationKind::Update), plan, ..Preview::default() })
    }

    /// What the server says against applying an object of a deployment.
    async fn conflicts(
        &self,
        record: &Deployment,
        object: &ObjectKey,
    ) -> Result<Vec<crate::cluster::FieldConflict>, Problem> {
        let newest = self.store().latest_instance(record.id).await?.map_or(1, |instance| instance.number);
        let objects = self.objects_of(record, newest).await?;
        let wanted = objects.iter().find(|candidate| key(candidate) == *object);
        let Some(wanted) = wanted else {
            return Err(Problem::new(
                format!("{object} is not part of {}", record.draft.name),
                format!("instance {newest} does not have it"),
                "choose one of its objects",
            ));
        };
        match self.cluster().compare(wanted, false).await {
            Err(crate::cluster::ClusterError::Conflict { conflicts, .. }) => Ok(conflicts),
            Err(error) if !is_immutable(&error) => Err(error.problem()),
            _ => Err(Problem::new(
                format!("nobody else owns fields of {object} that are ours"),
                "the conflict is over",
                "try again: nothing stands in the way",
            )),
        }
    }

    async fn resolve(
        &self,
        id: DeploymentId,
        object: &ObjectKey,
        resolution: Resolution,
    ) -> Result<String, Problem> {
        let record = self.recorded(id).await?;
        let conflicts = self.conflicts(&record, object).await?;
        let fields = conflicts.into_iter().map(|conflict| (conflict.field, conflict.manager)).collect();
        self.store().resolve_fields(id, object, fields, resolution).await?;
        // a new revision: what failed is planned anew at once
        self.store().update_deployment(id, record.revision, &record.draft, record.phase).await?;
        Ok(format!("{object}: {}", resolution.as_str()))
    }
}

pub(super) fn check_hash(plan: &Plan, confirmed: &str) -> Result<(), Problem> {
    if plan.hash() == confirmed {
        return Ok(());
    }
    Err(Problem::new(
        format!("the plan to {} is out of date", lowercase_first(&plan.title)),
        "the cluster, the driver or the records changed since it was shown",
        "look at the new plan and confirm it again",
    ))
}

fn lowercase_first(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
