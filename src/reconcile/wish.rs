//! From what a person wants to what is to be planned: checked against the records and the driver. Nothing is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::driver::ActionSpec;
use crate::domain::{
    ActionRequest, Deployment, DeploymentDraft, DeploymentId, DesiredPhase, DriverSpec, DriverVersion,
    Instance, Intent, Operation, OperationKind, Problem, Volumes, names,
};
use crate::driver;

use super::decide::is_upgrade;
use super::draw::{Order, no_such_action};
use super::engine::Engine;
use super::observe::Setting;
use super::vault::{PROMPT, Sealing, Vault};

/// The longest name of a deployment: room is left for what is made of it.
const NAME_MAX: usize = 40;

/// What a person wants, ready to be planned.
pub(super) struct Wish {
    /// What is to be planned.
    pub order: Order,
    /// Where.
    pub setting: Setting,
    /// Whether the environment is recorded already.
    pub environment_known: bool,
    /// The revision that the wish is based on; none for a new deployment, and where nothing desired changes.
    pub based_on: Option<u64>,
    /// What there is to know of the place: who answers for the routes of an environment that is made by the way.
    pub said: Vec<String>,
    /// What was typed into secret parameters, to be written when the wish is confirmed.
    pub vault: Option<Vault>,
}

impl Engine {
    /// What `intent` comes down to.
    ///
    /// # Errors
    /// When a name, a version, a parameter or a component is wrong, or what it speaks of is not recorded.
    pub(super) async fn wish(&self, intent: &Intent) -> Result<Wish, Problem> {
        self.check_not_restored(intent).await?;
        match intent {
            Intent::Install
            | Intent::Resolve(..)
            | Intent::Verify(_)
            | Intent::Prune(_)
            | Intent::Drill(_)
            | Intent::BackUpEnvironment(..)
            | Intent::RestoreEnvironment(..)
            | Intent::DeployFrom(..)
            | Intent::Clone(_)
            | Intent::SetEnvironment(_)
            | Intent::RemoveEnvironment(_)
            | Intent::SetCluster(_) => Err(Problem::new(
                "this is not planned as a change of an application",
                "",
                "report this: it is a defect",
            )),
            Intent::Deploy(draft) => self.wish_to_deploy(draft).await,
            Intent::Change(id, draft) => {
                let record = self.recorded(*id).await?;
                // what runs counts, not what was wished for and never came
                let active = self.store().active_instance(*id).await?;
                let before = active.and_then(|active| active.draft).unwrap_or_else(|| record.draft.clone());
                let kind = match kind_of(&before, draft) {
                    OperationKind::Upgrade if self.goes_back(*id, draft).await? => OperationKind::Rollback,
                    kind => kind,
                };
                self.wish_to_change(record, draft.clone(), kind).await
            }
            Intent::Rollback(id, number) => {
                let record = self.recorded(*id).await?;
                let draft = self.draft_of(&record, *number).await?;
                self.wish_to_change(record, draft, OperationKind::Rollback).await
            }
            Intent::Scale(id, component, replicas) => {
                let record = self.recorded(*id).await?;
                let mut draft = record.draft.clone();
                let known = draft.components.entry(component.clone()).or_default();
                known.replicas = *replicas;
                draft.components.retain(|_, known| *known != Default::default());
                self.wish_to_change(record, draft, OperationKind::Scale).await
            }
            Intent::Stop(id) => self.wish_for_phase(*id, DesiredPhase::Stopped, OperationKind::Stop).await,
            Intent::Start(id) => self.wish_for_phase(*id, DesiredPhase::Running, OperationKind::Start).await,
            Intent::Delete(id, volumes) => {
                let mut wish =
                    self.wish_for_phase(*id, DesiredPhase::Deleting, OperationKind::Delete).await?;
                wish.order.volumes = *volumes == Volumes::Delete;
                Ok(wish)
            }
            Intent::Restart(id, components) => {
                let record = self.recorded(*id).await?;
                let mut order = Order::of(OperationKind::Restart, record);
                order.components.clone_from(components);
                self.placed(order, None).await
            }
            Intent::Act(id, request) => self.wish_to_act(*id, request).await,
            Intent::BackUp(id, request) => self.wish_to_back_up(*id, request).await,
            Intent::Restore(id, request) => self.wish_to_restore(*id, request).await,
            Intent::Correct(id) => {
                let record = self.recorded(*id).await?;
                self.placed(Order::of(OperationKind::Correct, record), None).await
            }
        }
    }

    async fn wish_to_deploy(&self, draft: &DeploymentDraft) -> Result<Wish, Problem> {
        names::check_label("deployment", &draft.name)?;
        if draft.name.len() > NAME_MAX {
            return Err(Problem::new(
                format!("'{}' is too long for a deployment", draft.name),
                format!("it has {} characters, the limit is {NAME_MAX}", draft.name.len()),
                "choose a shorter name: others are made from it",
            ));
        }
        let mut wish = self.placed(Order::of(OperationKind::Deploy, self.planned(draft)), None).await?;
        let cluster = self.cluster().name();
        if self.store().find_deployment(cluster, &draft.environment, &draft.name).await?.is_some() {
            return Err(Problem::new(
                format!("'{}' exists already in {}", draft.name, draft.environment),
                "names are unique in an environment",
                "choose another name",
            ));
        }
        self.seal_wish(&mut wish, None).await?;
        self.check_draft(&wish.order.record.draft).await?;
        Ok(wish)
    }

    /// Puts references in the place of what was typed.
    async fn seal_wish(
        &self,
        wish: &mut Wish,
        known: Option<&BTreeMap<String, Value>>,
    ) -> Result<(), Problem> {
        let draft = &mut wish.order.record.draft;
        let driver = self.known_driver(draft).await?;
        let sealing = Sealing {
            environment: &wish.setting.environment,
            deployment: &draft.name,
            specs: &driver.spec.parameters,
            prefix: "",
        };
        let typed = std::mem::take(&mut draft.typed);
        wish.vault = self.seal(&sealing, typed, &mut draft.parameters, known).await?;
        wish.order.vault = wish.vault.as_ref().map(Vault::step);
        Ok(())
    }

    async fn wish_to_change(
        &self,
        record: Deployment,
        draft: DeploymentDraft,
        kind: OperationKind,
    ) -> Result<Wish, Problem> {
        if draft.name != record.draft.name || draft.environment != record.draft.environment {
            return Err(Problem::new(
                format!("{} cannot be renamed or moved", record.draft.name),
                "name and environment of a deployment stay as they are",
                "deploy it anew under the other name",
            ));
        }
        let based_on = record.revision;
        let known = record.draft.parameters.clone();
        let changed = Deployment { draft, revision: based_on + 1, ..record };
        let mut wish = self.placed(Order::of(kind, changed), Some(based_on)).await?;
        self.seal_wish(&mut wish, Some(&known)).await?;
        let draft = &wish.order.record.draft;
        let driver = self.check_draft(draft).await?;
        // Back to what was there before one may always go.
        if kind != OperationKind::Rollback {
            self.check_upgrade(wish.order.record.id, draft, &driver).await?;
        }
        if let Some(unknown) =
            draft.components.keys().find(|name| !driver.spec.components.contains_key(*name))
        {
            return Err(Problem::new(
                format!("{} has no component '{unknown}'", draft.name),
                format!(
                    "its driver has {}",
                    driver.spec.components.keys().cloned().collect::<Vec<_>>().join(", ")
                ),
                "name one of them",
            ));
        }
        Ok(wish)
    }

    async fn wish_to_act(&self, id: DeploymentId, request: &ActionRequest) -> Result<Wish, Problem> {
        let record = self.recorded(id).await?;
        let driver = self.known_driver(&record.draft).await?;
        let actions = &driver.spec.actions;
        let asked = actions.iter().find(|action| action.name == request.action && action.hook.is_none());
        let Some(action) = asked else {
            return Err(no_such_action(&record.draft.name, &request.action, actions));
        };
        if record.phase == DesiredPhase::Deleting || self.store().latest_instance(id).await?.is_none() {
            return Err(Problem::new(
                format!("{} cannot run on {}", action.name, record.draft.name),
                "the application does not run yet, or is being taken away",
                "wait until it runs",
            ));
        }
        self.check_idle(&record).await?;
        let mut wish = self.placed(Order::of(OperationKind::Action, record), None).await?;
        let mut request = request.clone();
        let sealing = Sealing {
            environment: &wish.setting.environment,
            deployment: &wish.order.record.draft.name,
            specs: &action.prompts,
            prefix: PROMPT,
        };
        let typed = std::mem::take(&mut request.typed);
        wish.vault = self.seal(&sealing, typed, &mut request.answers, None).await?;
        wish.order.vault = wish.vault.as_ref().map(Vault::step);
        request.answers = check_answers(action, &request.answers)?;
        wish.order.action = Some(request);
        Ok(wish)
    }

    /// An action is no newer wish: what is under way is not cut short for it.
    pub(super) async fn check_idle(&self, record: &Deployment) -> Result<(), Problem> {
        self.check_nothing_open(record, &[]).await
    }

    /// The same for what may take the place of operations of the kinds `except`.
    pub(super) async fn check_nothing_open(
        &self,
        record: &Deployment,
        except: &[OperationKind],
    ) -> Result<(), Problem> {
        let subject = self.subject(&record.draft.environment, &record.draft.name);
        let latest = self.store().current_operation(&subject).await?.map(|view| view.operation);
        let counts = |open: &Operation| !open.state.is_final() && !except.contains(&open.kind);
        match latest.filter(counts) {
            None => Ok(()),
            Some(open) => Err(Problem::new(
                format!("something else is done to {}", record.draft.name),
                format!("operation {} has not ended: {}", open.id, open.plan.title),
                "wait for its end, answer what it asks, or cancel it",
            )),
        }
    }

    async fn wish_for_phase(
        &self,
        id: DeploymentId,
        phase: DesiredPhase,
        kind: OperationKind,
    ) -> Result<Wish, Problem> {
        let record = self.recorded(id).await?;
        if record.phase == phase {
            return Err(Problem::new(
                format!("{} is to be {} already", record.draft.name, phase.as_str().to_lowercase()),
                "nothing about it would change",
                "see its operations for how far it is",
            ));
        }
        let based_on = record.revision;
        let changed = Deployment { phase, revision: based_on + 1, ..record };
        self.placed(Order::of(kind, changed), Some(based_on)).await
    }

    /// The wish with the environment as it is recorded, or will be.
    pub(super) async fn placed(&self, order: Order, based_on: Option<u64>) -> Result<Wish, Problem> {
        let (name, cluster) = (&order.record.draft.environment, self.cluster().name());
        let Some(record) = self.store().cluster(cluster).await? else {
            return Err(Problem::new(
                format!("the cluster {cluster} is not recorded"),
                "its record was removed while it was looked at",
                "start the cockpit again",
            ));
        };
        let known = self.store().environment(cluster, name).await?;
        let environment_known = known.is_some();
        let (environment, said) = match known {
            Some(environment) => (environment, Vec::new()),
            None => {
                names::check_label("environment", name)?;
                self.new_environment(name).await?
            }
        };
        let setting = Setting { cluster: record, environment };
        Ok(Wish { order, setting, environment_known, based_on, said, vault: None })
    }

    pub(super) async fn recorded(&self, id: DeploymentId) -> Result<Deployment, Problem> {
        self.store().deployment(id).await?.ok_or_else(|| {
            Problem::new(
                "the deployment is not recorded any more",
                "somebody took it away",
                "look at the applications",
            )
        })
    }

    /// What was asked for when an instance was frozen.
    async fn draft_of(&self, record: &Deployment, number: u32) -> Result<DeploymentDraft, Problem> {
        let instance = self.store().instance(record.id, number).await?.ok_or_else(|| {
            Problem::new(
                format!("{} has no instance {number}", record.draft.name),
                "it is not in the records",
                "choose one of its history",
            )
        })?;
        Ok(draft_of(&instance, record))
    }

    pub(super) async fn known_driver(&self, draft: &DeploymentDraft) -> Result<Arc<DriverVersion>, Problem> {
        self.driver(&draft.driver).await?.ok_or_else(|| {
            Problem::new(
                format!("there is no driver {}", draft.driver),
                "it is neither built in nor loaded",
                "load it, or choose another version",
            )
        })
    }

    /// The driver exists, takes this version of the application, and takes these parameters.
    async fn check_draft(&self, draft: &DeploymentDraft) -> Result<Arc<DriverVersion>, Problem> {
        let driver = self.known_driver(draft).await?;
        let range = &driver.spec.supported_versions;
        if !range.is_empty() && !driver::version::matches(range, &draft.application_version)? {
            return Err(Problem::new(
                format!("{} cannot deploy version {}", draft.driver, draft.application_version),
                format!("it supports {range}"),
                "choose a version in that range, or another version of the driver",
            ));
        }
        if let Err(errors) = driver::check_parameters(&driver.spec, &draft.parameters) {
            let lines: Vec<String> =
                errors.iter().map(|error| format!("{}: {}", error.name, error.message)).collect();
            return Err(Problem::new(
                format!("the parameters of {} are not valid", draft.name),
                lines.join("\n"),
                "correct them",
            ));
        }
        Ok(driver)
    }
}

/// The answers to the prompts of an action, with the defaults of those that are absent.
fn check_answers(
    action: &ActionSpec,
    answers: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, Problem> {
    let spec = DriverSpec { parameters: action.prompts.clone(), ..DriverSpec::default() };
    driver::check_parameters(&spec, answers).map_err(|errors| {
        let lines: Vec<String> =
            errors.iter().map(|error| format!("{}: {}", error.name, error.message)).collect();
        Problem::new(
            format!("the answers to the prompts of {} are not valid", action.name),
            lines.join("\n"),
            "correct them",
        )
    })
}

/// An instance of an older Styrmin does not say what was asked for: its parameters are in its context.
fn draft_of(instance: &Instance, record: &Deployment) -> DeploymentDraft {
    if let Some(draft) = &instance.draft {
        return draft.clone();
    }
    let parameters = instance.context["parameters"].as_object().cloned().unwrap_or_default();
    DeploymentDraft {
        driver: instance.driver.clone(),
        application_version: instance.application_version.clone(),
        parameters: parameters.into_iter().collect(),
        ..record.draft.clone()
    }
}

fn kind_of(old: &DeploymentDraft, new: &DeploymentDraft) -> OperationKind {
    match is_upgrade(old, new) {
        true => OperationKind::Upgrade,
        false => OperationKind::Update,
    }
}
