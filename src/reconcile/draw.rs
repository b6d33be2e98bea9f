//! Drawing a plan up: renders what is to be, compares it with what is known, and composes the steps. Nothing is asked.

use serde_json::Value;

use crate::domain::{Deployment, DesiredPhase, Instance, ObjectKey, OperationKind, Plan, Problem, Step};
use crate::store::NewInstance;

use super::compose::{Basis, compose, correct, removal, restart};
use super::engine::Engine;
use super::observe::{Observed, live};
use super::place;
use super::queue::Name;
use super::render::digests;

/// What is to be planned.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    /// What for.
    pub kind: OperationKind,
    /// The deployment as it is, or would be, recorded.
    pub record: Deployment,
    /// The components whose pods are replaced; empty: all.
    pub components: Vec<String>,
    /// Whether the volumes of an application that is taken away go too.
    pub volumes: bool,
    /// The step that keeps what was typed into secret parameters.
    pub vault: Option<Step>,
}

impl Order {
    /// What the deployment asks for as it is recorded.
    pub fn of(kind: OperationKind, record: Deployment) -> Self {
        Self { kind, record, components: Vec::new(), volumes: false, vault: None }
    }
}

/// A plan, and what it was made from.
pub(super) struct Drawn {
    pub plan: Plan,
    /// The objects as they are applied.
    pub objects: Vec<Value>,
    /// The instance that is to be frozen with it, when there is no such one yet.
    pub instance: Option<NewInstance>,
}

impl Engine {
    /// The plan of `order` in the situation `observed`, which was made for the order's record.
    ///
    /// # Errors
    /// When what is to be cannot be resolved or rendered.
    pub(super) fn draw(&self, name: &Name, observed: &mut Observed, order: &Order) -> Result<Drawn, Problem> {
        let Some(setting) = observed.setting.clone() else {
            return Err(Problem::new("the environment is not recorded", name.namespace.clone(), "try again"));
        };
        let (objects, instance) = match order.record.phase {
            DesiredPhase::Deleting => (Vec::new(), None),
            _ => self.settle_objects(name, observed, order)?,
        };
        let newest_is_active = observed.situation.newest.as_ref().is_some_and(is_active);
        let place = match order.kind {
            OperationKind::Deploy => place::objects(&setting.environment),
            _ => Vec::new(),
        };
        let basis = Basis {
            title: title(order),
            cluster: self.cluster().name(),
            environment: &setting.environment,
            name: &name.name,
            situation: &observed.situation,
            objects: &objects,
            place: &place,
            vault: order.vault.as_ref(),
            activate: instance.is_some() || !newest_is_active,
        };
        let plan = match order.kind {
            OperationKind::Delete => removal(&basis, &volumes(observed, order)),
            OperationKind::Restart => restart(&basis, &workloads(observed, order)?),
            OperationKind::Correct => correct(&basis),
            _ => compose(&basis),
        };
        Ok(Drawn { plan, objects, instance })
    }

    /// The objects to apply, put into the situation too; and the instance to freeze when the newest one is another.
    fn settle_objects(
        &self,
        name: &Name,
        observed: &mut Observed,
        order: &Order,
    ) -> Result<(Vec<Value>, Option<NewInstance>), Problem> {
        let wanted = match &observed.situation.wanted {
            Some(Ok(wanted)) => wanted.clone(),
            Some(Err(problem)) => return Err(problem.clone()),
            None => return Err(Problem::new("nothing is wanted", "it is on its way out", "try again")),
        };
        let same = observed.situation.newest.as_ref().filter(|newest| newest.digest == wanted.digest);
        let context = same.map_or(&wanted.context, |newest| &newest.context);
        let objects = observed.objects(&order.record, context)?;
        let instance = same.is_none().then(|| NewInstance {
            deployment: order.record.id,
            draft: order.record.draft.clone(),
            context: wanted.context.clone(),
            digest: wanted.digest.clone(),
            number: wanted.number,
        });
        let rendered = self.with_visibility(digests(&objects));
        observed.situation.live = live(&self.cluster().index(), name, &rendered.objects);
        observed.situation.rendered = Some(Ok(rendered));
        Ok((objects, instance))
    }
}

fn is_active(instance: &Instance) -> bool {
    instance.state == crate::domain::InstanceState::Active
}

fn title(order: &Order) -> String {
    let draft = &order.record.draft;
    let (name, place) = (&draft.name, &draft.environment);
    match order.kind {
        OperationKind::Install => "Install Styrmin".to_owned(),
        OperationKind::Deploy => format!("Deploy {name} {} to {place}", draft.application_version),
        OperationKind::Upgrade => format!("Upgrade {name} in {place} to {}", draft.application_version),
        OperationKind::Rollback => format!("Roll {name} in {place} back to {}", draft.application_version),
        OperationKind::Update => format!("Change {name} in {place}"),
        OperationKind::Stop => format!("Stop {name} in {place}"),
        OperationKind::Start => format!("Start {name} in {place}"),
        OperationKind::Restart => format!("Restart {name} in {place}"),
        OperationKind::Scale => format!("Scale {name} in {place}"),
        OperationKind::Correct => format!("Set {name} in {place} right"),
        OperationKind::Delete => format!("Delete {name} from {place}"),
    }
}

/// The claims of the application, when they are to go too.
fn volumes(observed: &Observed, order: &Order) -> Vec<ObjectKey> {
    let marked = observed.situation.resource.as_ref().is_some_and(|resource| resource.delete_volumes);
    if !order.volumes && !marked {
        return Vec::new();
    }
    let claims = observed.situation.live.iter().filter(|(key, _)| key.kind == "PersistentVolumeClaim");
    claims.map(|(key, _)| key.clone()).collect()
}

/// The workloads behind the components that are to be restarted.
fn workloads(observed: &Observed, order: &Order) -> Result<Vec<ObjectKey>, Problem> {
    let Some(driver) = &observed.driver else { return Ok(Vec::new()) };
    let known = &driver.spec.components;
    if let Some(unknown) = order.components.iter().find(|name| !known.contains_key(*name)) {
        return Err(Problem::new(
            format!("{} has no component '{unknown}'", order.record.draft.name),
            format!("it has {}", known.keys().cloned().collect::<Vec<_>>().join(", ")),
            "name one of them",
        ));
    }
    let views = super::components::component_workloads(&driver.spec, &observed.situation.objects);
    let chosen = |name: &String| order.components.is_empty() || order.components.contains(name);
    Ok(views.into_iter().filter(|(name, _)| chosen(name)).flat_map(|(_, keys)| keys).collect())
}
