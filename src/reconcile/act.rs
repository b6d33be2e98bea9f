//! Carrying out one move. Every one of them may be repeated: what is done already changes nothing.

use crate::cluster::{ApplyOptions, ClusterError, DeploymentResource, EngineFields, Note};
use crate::domain::driver::ParameterKind;
use crate::domain::operation::{Goal, Origin};
use crate::domain::{
    Deployment, DeploymentDraft, DesiredPhase, DriverVersion, Environment, Instance, InstanceState,
    Operation, OperationId, OperationKind, OperationState, OperationView, Problem, SecretReference, names,
};
use crate::driver::Rendering;
use crate::store::{NewOperation, StoreError};

use super::decide::{Move, sentence};
use super::draw::Order;
use super::engine::Engine;
use super::execute::Hands;
use super::observe::Observed;
use super::place;
use super::queue::Name;
use super::random::identifier;

/// What the engine calls itself where somebody has to be named.
const OURSELVES: &str = "styrmin";

/// A move that did not succeed.
pub(super) struct Failure {
    /// What to tell.
    pub problem: Problem,
    /// Whether it will fail again until somebody changes something.
    pub lasting: bool,
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        Self { problem: error.problem(), lasting: !error.is_transient() }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let lasting = matches!(error, StoreError::Missing { .. } | StoreError::Exists { .. });
        Self { problem: error.into(), lasting }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problem, lasting: true }
    }
}

/// What a move needs is not there: the situation changed, and the next look will show it.
fn outdated() -> Failure {
    let problem =
        Problem::new("the situation changed", "what was to be written is not wanted any more", "nothing");
    Failure { problem, lasting: false }
}

impl Engine {
    /// Carries out `next` for `name`.
    pub(super) async fn act(&self, name: &Name, observed: &mut Observed, next: &Move) -> Result<(), Failure> {
        match next {
            Move::Adopt => self.adopt(resource(observed)?).await,
            Move::Import => self.import(name, record(observed)?, resource(observed)?).await,
            Move::WriteDesired => self.write_desired(observed).await,
            Move::Plan(kind) => self.plan(name, observed, *kind).await,
            Move::Carry(id) => self.carry(name, observed, *id).await,
            Move::Activate => {
                self.advance(observed, InstanceState::Active, None).await?;
                self.tidy_vault(name, record(observed)?.id).await?;
                let message = format!("instance {} is active", number(observed));
                self.note(observed.situation.resource.as_deref(), false, "Active", &message).await;
                Ok(())
            }
            Move::Fail { message } => {
                self.advance(observed, InstanceState::Failed, Some(message.clone())).await?;
                self.note(observed.situation.resource.as_deref(), true, "Failed", message).await;
                Ok(())
            }
            Move::Release => Ok(self.cluster().release(resource(observed)?).await?),
            Move::DropRecord => {
                self.store().delete_deployment(record(observed)?.id).await?;
                self.forget(name);
                Ok(())
            }
            Move::Wait(_) | Move::Stall(_) => Ok(()),
        }
    }

    /// Plans an operation that nobody asked for by its plan, and records it.
    async fn plan(&self, name: &Name, observed: &mut Observed, kind: OperationKind) -> Result<(), Failure> {
        let order = Order::of(kind, record(observed)?.clone());
        if observed.situation.newest.is_none() {
            // nobody confirmed a plan with a seed: it was asked for by its custom resource
            self.plan_seed(name, observed, kind)?;
        }
        let drawn = self.draw(name, observed, &order).await?;
        if let Some((keepsake, setting)) = drawn.keepsake.as_ref().zip(observed.setting.as_ref()) {
            self.keep(name, &setting.environment, keepsake).await?;
        }
        let subject = self.subject(&order.record.draft.environment, &order.record.draft.name);
        let number = observed.situation.newest.as_ref().map(|instance| instance.number);
        let new = NewOperation {
            subject,
            kind,
            plan: drawn.plan,
            origin: self.origin(name, kind),
            goal: Goal {
                deployment: Some(order.record.id),
                revision: order.record.revision,
                instance: number.filter(|_| drawn.instance.is_none()),
            },
            instance: drawn.instance,
            action: None,
            request: None,
            parent: None,
        };
        let operation = self.store().begin_operation(new, None).await?;
        let reason = if kind == OperationKind::Correct { "DriftCorrected" } else { "Planned" };
        let resource = observed.situation.resource.as_deref();
        self.note(resource, kind == OperationKind::Correct, reason, &operation.plan.title).await;
        Ok(())
    }

    /// Who wants what the engine plans by itself.
    fn origin(&self, name: &Name, kind: OperationKind) -> Origin {
        let (actor, cause) = match (self.take_editor(name), kind) {
            (Some(editor), _) => (editor, "the custom resource was changed"),
            (None, OperationKind::Correct) => {
                (OURSELVES.to_owned(), "somebody else changed what was written")
            }
            (None, _) => (OURSELVES.to_owned(), "what runs is not what is desired"),
        };
        Origin { actor, cause: cause.to_owned(), confirmed: false }
    }

    /// Carries on with a recorded operation until it ends.
    async fn carry(&self, name: &Name, observed: &mut Observed, id: OperationId) -> Result<(), Failure> {
        let Some(view) = self.store().operation(id).await? else { return Err(outdated()) };
        let hands = self.hands(name, observed, &view).await?;
        self.set_trying(name);
        let ended = self.runner().run(&view.operation, &hands, hands.moved.clone()).await?;
        self.report_end(observed.situation.resource.as_deref(), &ended).await;
        self.drop_jobs(name, &ended).await?;
        self.drop_answers(name, &ended.operation).await?;
        Ok(())
    }

    async fn hands(&self, name: &Name, observed: &Observed, view: &OperationView) -> Result<Hands, Failure> {
        let record = record(observed)?;
        let operation: &Operation = &view.operation;
        let instance = match (operation.goal.deployment, operation.goal.instance) {
            (Some(id), Some(number)) => self.store().instance(id, number).await?,
            _ => observed.situation.newest.clone(),
        };
        let rendered = match &instance {
            Some(instance) => {
                let frozen = (&instance.context, instance.digest.as_str());
                self.parts(name, observed, record, frozen).await.map(|(parts, _)| parts)
            }
            None => Ok(Rendering::default()),
        };
        let rendered = match rendered {
            // what goes is not rendered; its hooks are, where they can be
            found if record.phase == DesiredPhase::Deleting => {
                Ok(Rendering { hooks: found.unwrap_or_default().hooks, ..Rendering::default() })
            }
            found => found,
        };
        let places = observed.setting.as_ref().map(|setting| place::objects(&setting.environment));
        let objects = rendered.map(|parts| {
            let hooks = parts.hooks.into_iter().map(|hook| hook.object);
            let all = parts.objects.into_iter().chain(parts.definitions).chain(hooks);
            all.chain(places.unwrap_or_default()).collect()
        });
        self.set_drift_mode(name, observed.situation.work.drift);
        let moved = self.moved(name);
        let driver = match &instance {
            Some(instance) => self.driver(&instance.driver).await?,
            None => observed.driver.clone(),
        };
        let (name, operation) = (name.clone(), operation.clone());
        Ok(Hands { engine: self.clone(), name, operation, objects, driver, instance, moved })
    }

    async fn report_end(&self, resource: Option<&DeploymentResource>, ended: &OperationView) {
        let operation = &ended.operation;
        let title = &operation.plan.title;
        let (warning, reason) = match operation.state {
            OperationState::Succeeded => (false, "Succeeded"),
            OperationState::Superseded => (false, "Superseded"),
            OperationState::Cancelled => (true, "Cancelled"),
            OperationState::Stale => (true, "Stale"),
            _ => (true, "Failed"),
        };
        let why = ended.first_problem().map(|(_, problem)| format!(": {}", sentence(problem)));
        let message = format!("{title}{}", why.filter(|_| warning).unwrap_or_default());
        self.note(resource, warning, reason, &message).await;
    }

    /// Records what a custom resource describes, with its environment when that is not known either.
    async fn adopt(&self, resource: &DeploymentResource) -> Result<(), Failure> {
        let draft = resource.draft();
        names::check_label("deployment", &draft.name)?;
        let cluster = self.cluster().name();
        match self.store().environment(cluster, &draft.environment).await? {
            Some(environment) if environment.namespace != resource.namespace => {
                return Err(misplaced(resource, &environment).into());
            }
            Some(_) => {}
            None => {
                names::check_label("environment", &draft.environment)?;
                let environment = Environment::new(&draft.environment, cluster, &resource.namespace);
                self.store().upsert_environment(&environment).await?;
            }
        }
        let driver = self.ensure_driver(&draft.driver).await?;
        refuse_plain_secrets(&draft, &driver)?;
        let uid = resource.deployment_uid.clone().unwrap_or_else(|| identifier(self.random()));
        let created = self.store().create_deployment(cluster, &draft, &uid).await?;
        if resource.phase() != DesiredPhase::Running {
            self.store().set_phase(created.id, resource.phase()).await?;
        }
        Ok(())
    }

    /// Records what somebody else wrote as the new desired revision. The custom resource says first that it stands for that
    /// revision: an edit that follows at once is then told apart from a spec that is out of date.
    async fn import(
        &self,
        name: &Name,
        record: &Deployment,
        resource: &DeploymentResource,
    ) -> Result<(), Failure> {
        let draft = if resource.deleting { record.draft.clone() } else { resource.draft() };
        let driver = self.ensure_driver(&draft.driver).await?;
        refuse_plain_secrets(&draft, &driver)?;
        self.check_upgrade(record.id, &draft, &driver).await?;
        self.cluster().acknowledge(resource, record.revision + 1, self.epoch()).await?;
        self.store().update_deployment(record.id, record.revision, &draft, resource.phase()).await?;
        self.set_editor(name, resource.editor.clone());
        Ok(())
    }

    async fn write_desired(&self, observed: &Observed) -> Result<(), Failure> {
        let record = record(observed)?;
        let environment = &observed.setting.as_ref().ok_or_else(outdated)?.environment;
        let write = || self.cluster().write_desired(&environment.namespace, &record.draft, record.phase);
        let written = match write().await {
            Err(ClusterError::NotFound { .. }) => {
                self.cluster().apply(&place::namespace(environment), ApplyOptions::default()).await?;
                write().await?
            }
            other => other?,
        };
        let (uid, epoch) = (record.uid.clone(), self.epoch());
        let fields = EngineFields { uid, revision: record.revision, epoch, context: None };
        self.cluster().write_engine_fields(&written, &fields).await?;
        Ok(())
    }

    async fn advance(
        &self,
        observed: &Observed,
        state: InstanceState,
        message: Option<String>,
    ) -> Result<(), Failure> {
        let newest: &Instance = observed.situation.newest.as_ref().ok_or_else(outdated)?;
        self.store().set_instance_state(newest.deployment, newest.number, state, message).await?;
        Ok(())
    }

    /// Records an Event. Nothing depends on it, so its failure is no failure.
    pub(super) async fn note(
        &self,
        resource: Option<&DeploymentResource>,
        warning: bool,
        reason: &str,
        message: &str,
    ) {
        let Some(resource) = resource else { return };
        let note = Note { warning, reason: reason.to_owned(), message: message.to_owned() };
        if let Err(error) = self.cluster().record_event(resource, &note).await {
            tracing::debug!(%error, "an event was not recorded");
        }
    }
}

fn record(observed: &Observed) -> Result<&Deployment, Failure> {
    observed.situation.record.as_ref().ok_or_else(outdated)
}

fn resource(observed: &Observed) -> Result<&DeploymentResource, Failure> {
    observed.situation.resource.as_deref().ok_or_else(outdated)
}

fn number(observed: &Observed) -> u32 {
    observed.situation.newest.as_ref().map_or(0, |instance| instance.number)
}

/// A secret that stands in a custom resource in clear is not taken into the records. What it says is not repeated.
fn refuse_plain_secrets(draft: &DeploymentDraft, driver: &DriverVersion) -> Result<(), Problem> {
    let secrets = driver.spec.parameters.iter().filter(|spec| spec.kind == ParameterKind::Secret);
    let plain = secrets.map(|spec| spec.name.as_str()).find(|name| match draft.parameters.get(*name) {
        Some(value) => !value.is_null() && value != "" && SecretReference::read(value).is_none(),
        None => false,
    });
    match plain {
        None => Ok(()),
        Some(name) => Err(Problem::new(
            format!("the custom resource of {} has a secret in clear", draft.name),
            format!(
                "spec.parameters.{name} is a secret parameter of the driver, and holds something else than a reference"
            ),
            "put the value into a Secret of the namespace, and write { secret: NAME, key: KEY } in its place",
        )),
    }
}

fn misplaced(resource: &DeploymentResource, environment: &Environment) -> Problem {
    Problem::new(
        format!("{} is in the wrong namespace", resource.name),
        format!(
            "it names environment '{}', which is namespace '{}', but lies in '{}'",
            environment.name, environment.namespace, resource.namespace
        ),
        "create it in the environment's namespace",
    )
}
