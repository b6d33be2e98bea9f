//! From what a person wants to a plan that is made of others' plans. Nothing is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::backup::{Backup, BackupId, BackupOf, BackupRequest, Engine as BackupEngine};
use crate::domain::diff::ObjectDiff;
use crate::domain::names::short_hash;
use crate::domain::operation::Subject;
use crate::domain::secret::references;
use crate::domain::{
    Deployment, DeploymentDraft, DesiredPhase, DriverVersion, Environment, Intent, OperationKind, Plan,
    Preview, Problem,
};
use crate::reconcile::engine::Engine;
use crate::reconcile::routing;
use crate::reconcile::vault::Vault;

use super::layout::{Layout, Place};
use super::rewrite;

/// The domain of Services within a cluster, unless its administrator chose another one.
pub(super) const CLUSTER_DOMAIN: &str = "cluster.local";

/// Whether carrying out an intent is made of other operations.
pub(in crate::reconcile) fn is_group(intent: &Intent) -> bool {
    matches!(
        intent,
        Intent::BackUpEnvironment(..)
            | Intent::RestoreEnvironment(..)
            | Intent::DeployFrom(..)
            | Intent::Clone(_)
            | Intent::Drill(_)
            | Intent::SetEnvironment(_)
            | Intent::RemoveEnvironment(_)
            | Intent::SetCluster(_)
    )
}

/// A plan that is made of others', ready to be confirmed.
pub(in crate::reconcile) struct Proposal {
    pub kind: OperationKind,
    pub subject: Subject,
    pub plan: Plan,
    pub diffs: Vec<ObjectDiff>,
    pub layout: Layout,
    /// What was typed into secret parameters, and where it is to be written when this is confirmed.
    pub vault: Option<(Vault, Environment)>,
}

impl Proposal {
    /// As a person sees it.
    pub fn preview(&self) -> Preview {
        Preview {
            kind: Some(self.kind),
            plan: self.plan.clone(),
            diffs: self.diffs.clone(),
            ..Preview::default()
        }
    }
}

/// An application of an environment, with its driver.
pub(super) struct Member {
    pub record: Deployment,
    pub driver: Arc<DriverVersion>,
}

impl Member {
    /// Whether its data can be backed up: Velero does not need to be told how.
    pub fn is_kept(&self, by_velero: bool) -> bool {
        by_velero || self.driver.spec.components.values().any(|component| component.backup.is_some())
    }

    pub fn name(&self) -> &str {
        &self.record.draft.name
    }
}

impl Engine {
    /// What `intent` comes down to.
    ///
    /// # Errors
    /// What would make it fail, as far as it can be known before.
    pub(in crate::reconcile) async fn propose_group(&self, intent: &Intent) -> Result<Proposal, Problem> {
        match intent {
            Intent::BackUpEnvironment(name, request) => self.propose_backups(name, request).await,
            Intent::RestoreEnvironment(name, backups) => self.propose_restores(name, backups).await,
            Intent::DeployFrom(draft, backup) => self.propose_deploy_from(draft, backup).await,
            Intent::Clone(request) => self.propose_clone(request).await,
            Intent::Drill(backup) => self.propose_drill(backup).await,
            Intent::SetEnvironment(environment) => self.propose_environment(environment).await,
            Intent::RemoveEnvironment(name) => self.propose_removal(name).await,
            Intent::SetCluster(record) => self.propose_cluster(record).await,
            _ => Err(Problem::new("this is not made of other operations", "", "report this: it is a defect")),
        }
    }

    async fn propose_backups(&self, name: &str, request: &BackupRequest) -> Result<Proposal, Problem> {
        let environment = self.recorded_environment(name).await?;
        check_location(&environment)?;
        let by_velero = self.is_by_velero(&environment).await?;
        let (mut layout, mut warnings, mut before) = (Layout::default(), Vec::new(), Vec::new());
        let request = BackupRequest { group: Some(self.group_name(name)), ..request.clone() };
        for member in self.members(name, &[]).await? {
            match why_not_kept(&member, by_velero) {
                Some(why) => warnings.push(why),
                None => {
                    let place = Place { environment: name, application: member.name() };
                    before = vec![layout.back_up(place, &request, &before)];
                }
            }
        }
        if layout.steps.is_empty() {
            return Err(Problem::new(
                format!("there is nothing to back up in {name}"),
                warnings.join("; "),
                "deploy an application whose driver says how it is backed up",
            ));
        }
        let title = format!("Back up all of {name}");
        self.proposal(OperationKind::Backup, &environment, title, (layout, warnings)).await
    }

    async fn propose_restores(
        &self,
        name: &str,
        backups: &BTreeMap<String, BackupId>,
    ) -> Result<Proposal, Problem> {
        let environment = self.recorded_environment(name).await?;
        let (mut layout, mut before) = (Layout::default(), Vec::new());
        let chosen: Vec<String> = backups.keys().cloned().collect();
        for member in self.members(name, &chosen).await? {
            let Some(id) = backups.get(member.name()) else { continue };
            self.known_backup(id).await?;
            let place = Place { environment: name, application: member.name() };
            before = vec![layout.restore(place, BackupOf::Known(id.clone()), true, &before)];
        }
        self.proposal(OperationKind::Restore, &environment, format!("Restore {name}"), (layout, Vec::new()))
            .await
    }

    async fn propose_deploy_from(&self, draft: &DeploymentDraft, id: &BackupId) -> Result<Proposal, Problem> {
        let backup = self.kept_here(id).await?;
        if backup.source.driver.name != draft.driver.name {
            return Err(Problem::new(
                format!("{id} cannot be restored into {}", draft.name),
                format!(
                    "it was made with the driver {}, not {}",
                    backup.source.driver.name, draft.driver.name
                ),
                format!("deploy a version of {}", backup.source.driver.name),
            ));
        }
        // what would keep it from being deployed is known now, but for secrets that are copied when its turn comes
        let secrets_of = match draft.typed.is_empty() {
            true => self.secrets_of(&backup, draft).await?,
            false => None,
        };
        let (draft, vault) = match secrets_of {
            Some(_) if !references(&draft.parameters).is_empty() => (draft.clone(), None),
            _ => {
                let wish = self.wish(&Intent::Deploy(draft.clone())).await?;
                (wish.order.record.draft, wish.vault)
            }
        };
        let draft = &draft;
        let known = self.store().environment(self.cluster().name(), &draft.environment).await?;
        let name = &draft.environment;
        let (environment, mut warnings) = match known.clone() {
            Some(environment) => (environment, Vec::new()),
            None => self.new_environment(name).await?,
        };
        let facts = if known.is_none() { routing::facts(&environment) } else { Vec::new() };
        let mut layout = Layout::default();
        let after = match known {
            Some(_) => Vec::new(),
            None => vec![layout.make(environment.clone())],
        };
        let deployed = layout.deploy(draft.clone(), secrets_of, &after);
        let place = Place { environment: name, application: &draft.name };
        layout.restore(place, BackupOf::Known(id.clone()), false, &[deployed]);
        warnings.extend(versions(&backup, draft));
        let title = format!("Deploy {} to {name} from {id}", draft.name);
        let mut proposal =
            self.proposal(OperationKind::Restore, &environment, title, (layout, warnings)).await?;
        proposal.plan.facts = facts;
        proposal.vault = vault.map(|vault| (vault, environment));
        Ok(proposal)
    }

    async fn propose_drill(&self, id: &BackupId) -> Result<Proposal, Problem> {
        let backup = self.kept_here(id).await?;
        let Some(mut draft) = backup.source.draft.clone() else {
            return Err(Problem::new(
                format!("{id} does not say how its application is deployed"),
                "its manifest was not read",
                format!("scan its location first: styrmin location scan {}", backup.location),
            ));
        };
        let name = format!("drill-{}", short_hash(&[&id.0]));
        if self.store().environment(self.cluster().name(), &name).await?.is_some() {
            return Err(Problem::new(
                format!("{id} is being proven already, or was not cleared away"),
                format!("its environment {name} exists"),
                "wait for that operation, or delete what is left in that environment",
            ));
        }
        let secrets_of = self.secrets_of(&backup, &draft).await?;
        let known = self.store().environment(self.cluster().name(), &backup.source.environment).await?;
        let before = known.map_or_else(|| backup.source.environment.clone(), |known| known.namespace);
        draft = rewrite::clone_of(&draft, &name, &rewrite::namespace(&before, &name, CLUSTER_DOMAIN));
        // what is proven must not reach what runs
        let reaching = rewrite::still_naming(&draft, &before);
        if !reaching.is_empty() {
            return Err(Problem::new(
                format!("{id} cannot be proven by a drill"),
                format!("{} of {} name {before}: the copy would reach it", reaching.join(", "), draft.name),
                "clone the environment, look at the differences, and restore there",
            ));
        }
        self.known_driver(&draft).await?;
        let mut layout = Layout::default();
        let environment = Environment::new(&name, self.cluster().name(), &name);
        let made = layout.make(environment);
        let place = Place { environment: &name, application: &draft.name.clone() };
        let deployed = layout.deploy(draft, secrets_of, &[made]);
        layout.restore(place, BackupOf::Known(id.clone()), false, &[deployed]);
        layout.prove(id, &[]);
        let deleted = layout.delete(place);
        layout.remove(&name, &[deleted]);
        let source = self.store().environment(self.cluster().name(), &backup.source.environment).await?;
        let home = source.unwrap_or_else(|| Environment::new("", self.cluster().name(), ""));
        let title = format!("Prove that {id} can be restored");
        self.proposal(OperationKind::Drill, &home, title, (layout, Vec::new())).await
    }

    pub(super) async fn proposal(
        &self,
        kind: OperationKind,
        environment: &Environment,
        title: String,
        (layout, warnings): (Layout, Vec<String>),
    ) -> Result<Proposal, Problem> {
        let cluster = self.cluster().name();
        let known = self.store().environment(cluster, &environment.name).await?.is_some();
        let subject = match known {
            true => self.subject(&environment.name, ""),
            // nobody looks after an environment that is not there yet
            false => self.subject("", &format!("{}{}", Subject::ENVIRONMENT, environment.name)),
        };
        if let Some(open) = self.store().current_operation(&subject).await?
            && !open.operation.state.is_final()
        {
            return Err(Problem::new(
                format!("something else is done to {}", environment.name),
                format!("operation {} has not ended: {}", open.operation.id, open.operation.plan.title),
                "wait for its end, or cancel it",
            ));
        }
        let plan = Plan {
            title,
            cluster: cluster.to_owned(),
            target: layout.request.environment.as_deref().unwrap_or(environment).name.clone(),
            steps: layout.steps.clone(),
            warnings,
            ..Plan::default()
        };
        Ok(Proposal { kind, subject, plan, diffs: Vec::new(), layout, vault: None })
    }

    /// The applications of an environment in the order in which they were created: what others build on came first.
    pub(super) async fn members(&self, environment: &str, chosen: &[String]) -> Result<Vec<Member>, Problem> {
        let mut records = self.store().deployments(self.cluster().name()).await?;
        records.retain(|record| {
            record.draft.environment == environment && record.phase != DesiredPhase::Deleting
        });
        if let Some(unknown) =
            chosen.iter().find(|name| !records.iter().any(|record| record.draft.name == **name))
        {
            return Err(Problem::new(
                format!("there is no application '{unknown}' in {environment}"),
                "it is not recorded, or is being taken away",
                "name one that is there",
            ));
        }
        records.retain(|record| chosen.is_empty() || chosen.contains(&record.draft.name));
        records.sort_by(|a, b| (a.created_at, &a.draft.name).cmp(&(b.created_at, &b.draft.name)));
        let mut members = Vec::new();
        for record in records {
            let driver = self.driver(&record.draft.driver).await?.ok_or_else(|| {
                Problem::new(
                    format!("the driver {} of {} is not loaded", record.draft.driver, record.draft.name),
                    "without it nobody knows how it is backed up",
                    "load it",
                )
            })?;
            members.push(Member { record, driver });
        }
        Ok(members)
    }

    pub(super) async fn recorded_environment(&self, name: &str) -> Result<Environment, Problem> {
        self.store().environment(self.cluster().name(), name).await?.ok_or_else(|| {
            Problem::new(
                format!("there is no environment '{name}'"),
                "it is not recorded",
                "name one that is there",
            )
        })
    }

    /// A good backup that is written into what was just deployed: Velero leaves alone the volumes that are there then, and they stay
    /// empty.
    pub(super) async fn kept_here(&self, id: &BackupId) -> Result<Backup, Problem> {
        let backup = self.known_backup(id).await?;
        match backup.engine {
            BackupEngine::Styrmin => Ok(backup),
            BackupEngine::Velero => Err(Problem::new(
                format!("{id} cannot be restored into an application that is made for it"),
                "Velero keeps it, and does not overwrite the data of volumes that exist",
                format!(
                    "velero restore create --from-backup {id} --namespace-mappings OLD:NEW, into an empty namespace"
                ),
            )),
        }
    }

    /// Whether Velero makes the backups of an environment.
    pub(super) async fn is_by_velero(&self, environment: &Environment) -> Result<bool, Problem> {
        let Some(name) = &environment.backup_location else { return Ok(false) };
        Ok(self.location(name).await?.is_velero())
    }

    async fn known_backup(&self, id: &BackupId) -> Result<Backup, Problem> {
        let known = self.store().backup(id).await?;
        let Some(backup) = known else {
            return Err(Problem::new(
                format!("there is no backup {id}"),
                "the catalogue does not have it",
                "choose another one, or scan its location",
            ));
        };
        match backup.is_good() {
            true => Ok(backup),
            false => Err(Problem::new(
                format!("{id} is {}", backup.word().to_lowercase()),
                backup.problem.as_ref().map_or_else(String::new, |problem| problem.what.clone()),
                "choose one that is complete; single components of this one can be restored by themselves",
            )),
        }
    }

    /// The application that the secrets of a draft can be copied from.
    async fn secrets_of(
        &self,
        backup: &Backup,
        draft: &DeploymentDraft,
    ) -> Result<Option<(String, String)>, Problem> {
        let (environment, name) = (&backup.source.environment, &backup.source.application);
        let found = self.store().find_deployment(self.cluster().name(), environment, name).await?;
        match found {
            // the seed of its chart comes along too
            Some(_) => Ok(Some((environment.clone(), name.clone()))),
            None if references(&draft.parameters).is_empty() => Ok(None),
            None => Err(Problem::new(
                format!("the secrets of {name} are not in {}", backup.id),
                format!("they lay in a Secret of {environment}, and the application is gone"),
                "deploy it and type them, then restore the backup into it",
            )),
        }
    }

    /// The name that the members of an environment backup share.
    fn group_name(&self, environment: &str) -> String {
        format!("{environment}-{}", self.clock().now().strftime("%Y%m%dt%H%M%S"))
    }
}

pub(super) fn check_location(environment: &Environment) -> Result<(), Problem> {
    match environment.backup_location {
        Some(_) => Ok(()),
        None => Err(Problem::new(
            format!("{} has no backup location", environment.name),
            "nobody said where its backups are to lie",
            format!("styrmin location assign NAME --environment {}", environment.name),
        )),
    }
}

/// Why an application is left out of a backup of its environment.
pub(super) fn why_not_kept(member: &Member, by_velero: bool) -> Option<String> {
    let name = member.name();
    match (member.is_kept(by_velero), member.record.phase) {
        (false, _) => Some(format!("{name} is not backed up: its driver has no strategy for any component")),
        (true, DesiredPhase::Stopped) => Some(format!("{name} is not backed up: it is stopped")),
        (true, _) => None,
    }
}

/// What to know when a backup meets another version of its application.
fn versions(backup: &Backup, draft: &DeploymentDraft) -> Option<String> {
    let (old, new) = (&backup.source.application_version, &draft.application_version);
    (old != new).then(|| format!("{} is of version {old}, {} will be {new}", backup.id, draft.name))
}
