//! Drawing a plan up: renders what is to be, compares it with what is known, and composes the steps. Nothing is asked.

use crate::domain::backup::NewBackup;
use crate::domain::driver::ActionSpec;
use crate::domain::{
    ActionRequest, Deployment, DesiredPhase, Instance, ObjectKey, OperationKind, Plan, Problem, Step, suggest,
};
use crate::driver::Rendering;
use crate::store::NewInstance;

use super::compose::{Basis, act, compose, correct, removal, restart};
use super::engine::Engine;
use super::keep::{self, Data};
use super::observe::{Observed, live};
use super::place;
use super::queue::Name;
use super::render::digests;
use super::seed::Keepsake;

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
    /// The step that keeps what was typed into secret parameters or prompts.
    pub vault: Option<Step>,
    /// The action that runs.
    pub action: Option<ActionRequest>,
    /// What is backed up or restored.
    pub data: Option<Data>,
}

impl Order {
    /// What the deployment asks for as it is recorded.
    pub fn of(kind: OperationKind, record: Deployment) -> Self {
        Self { kind, record, components: Vec::new(), volumes: false, vault: None, action: None, data: None }
    }
}

/// A plan, and what it was made from.
pub(super) struct Drawn {
    pub plan: Plan,
    /// What is applied.
    pub parts: Rendering,
    /// What is to be kept of a new instance with a chart before it is recorded.
    pub keepsake: Option<Keepsake>,
    /// The instance that is to be frozen with it, when there is no such one yet.
    pub instance: Option<NewInstance>,
    /// The backup that it makes.
    pub backup: Option<NewBackup>,
}

impl Engine {
    /// The plan of `order` in the situation `observed`, which was made for the order's record.
    ///
    /// # Errors
    /// When what is to be cannot be resolved or rendered.
    pub(super) async fn draw(
        &self,
        name: &Name,
        observed: &mut Observed,
        order: &Order,
    ) -> Result<Drawn, Problem> {
        let Some(setting) = observed.setting.clone() else {
            return Err(Problem::new("the environment is not recorded", name.namespace.clone(), "try again"));
        };
        let (parts, instance, keepsake) = match order.record.phase {
            // what runs is left as it is
            _ if leaves_alone(order.kind) => Default::default(),
            DesiredPhase::Deleting => (self.last_parts(name, observed, order).await, None, None),
            _ => self.settle_parts(name, observed, order).await?,
        };
        let newest_is_active = observed.situation.newest.as_ref().is_some_and(is_active);
        let mut place = match order.kind {
            OperationKind::Deploy => place::objects(&setting.environment),
            _ => Vec::new(),
        };
        // what keeps connections away is written when the ways around it are there: by whoever is about it
        if !place.is_empty() && self.is_being_configured(&setting.environment.name).await? {
            place.retain(|object| object["kind"] != place::POLICY);
        }
        let driver = observed.driver.clone().unwrap_or_default();
        let seed = keepsake.as_ref().map(|keepsake| keepsake.step(name));
        let secrets: Vec<Step> = order.vault.iter().cloned().chain(seed).collect();
        let basis = Basis {
            title: title(order),
            cluster: self.cluster().name(),
            environment: &setting.environment,
            name: &name.name,
            situation: &observed.situation,
            parts: &parts,
            kind: order.kind,
            place: &place,
            secrets: &secrets,
            actions: &driver.spec.actions,
            driver_digest: &driver.digest,
            activate: instance.is_some() || !newest_is_active,
        };
        let mut backup = None;
        let plan = match order.kind {
            OperationKind::Backup | OperationKind::Restore => {
                let (plan, made) = plan_of_data(&basis, observed, order)?;
                backup = made;
                plan
            }
            OperationKind::Delete => removal(&basis, &volumes(observed, order)),
            OperationKind::Restart => restart(&basis, &workloads(observed, order)?),
            OperationKind::Correct => correct(&basis),
            OperationKind::Action => plan_of_action(&basis, order)?,
            _ => compose(&basis),
        };
        Ok(Drawn { plan, parts, instance, keepsake, backup })
    }

    /// What is to be applied, put into the situation too; and the instance to freeze when the newest one is another.
    async fn settle_parts(
        &self,
        name: &Name,
        observed: &mut Observed,
        order: &Order,
    ) -> Result<(Rendering, Option<NewInstance>, Option<Keepsake>), Problem> {
        let wanted = match &observed.situation.wanted {
            Some(Ok(wanted)) => wanted.clone(),
            Some(Err(problem)) => return Err(problem.clone()),
            None => return Err(Problem::new("nothing is wanted", "it is on its way out", "try again")),
        };
        let same = observed.situation.newest.as_ref().filter(|newest| newest.digest == wanted.digest);
        let context = match same {
            Some(newest) => newest.context.clone(),
            None => {
                let mut context = wanted.context;
                if observed.has_chart() {
                    self.freeze(name, &wanted.digest, &mut context).await?;
                }
                context
            }
        };
        let is_new = same.is_none();
        let (parts, lookups) = self.parts(name, observed, &order.record, (&context, &wanted.digest)).await?;
        let keepsake = observed.keepsake.as_ref().map(|known| {
            let newest = observed.situation.newest.as_ref().map(|newest| newest.digest.as_str());
            known.with(newest, &wanted.digest, lookups)
        });
        // written where it is missing, and where a new instance looked something up
        let keepsake =
            keepsake.filter(|next| !next.is_kept || (is_new && next.lookups.contains_key(&wanted.digest)));
        let instance = is_new.then(|| NewInstance {
            deployment: order.record.id,
            draft: order.record.draft.clone(),
            context,
            digest: wanted.digest.clone(),
            number: wanted.number,
        });
        let rendered = self.with_visibility(digests(&parts.objects));
        let unseen = self.unseen(&observed.situation.trace);
        observed.situation.live = live(&self.cluster().index(), name, &rendered.objects, unseen);
        observed.situation.rendered = Some(Ok(rendered));
        Ok((parts, instance, keepsake))
    }

    /// The hooks of what is taken away. That they cannot be rendered does not keep it.
    async fn last_parts(&self, name: &Name, observed: &Observed, order: &Order) -> Rendering {
        let Some(newest) = &observed.situation.newest else { return Rendering::default() };
        let frozen = (&newest.context, newest.digest.as_str());
        let (parts, _) = self.parts(name, observed, &order.record, frozen).await.unwrap_or_default();
        Rendering { hooks: parts.hooks, ..Rendering::default() }
    }
}

/// Whether an operation renders and applies nothing.
fn leaves_alone(kind: OperationKind) -> bool {
    matches!(kind, OperationKind::Action | OperationKind::Backup | OperationKind::Restore)
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
        OperationKind::Action => {
            let action = order.action.as_ref().map_or("an action", |request| request.action.as_str());
            format!("Run {action} on {name} in {place}")
        }
        OperationKind::Backup => format!("Back up {name} in {place}"),
        OperationKind::Restore => {
            let restored = order.data.as_ref().and_then(|data| data.restored.as_ref());
            let from = restored.map_or_else(String::new, |backup| format!(" from {}", backup.id));
            format!("Restore {name} in {place}{from}")
        }
        OperationKind::Verify => format!("Verify a backup of {name} in {place}"),
        OperationKind::Drill => format!("Prove a backup of {name} in {place}"),
        OperationKind::Prune => format!("Delete backups of {name} in {place}"),
        OperationKind::Clone => format!("Clone {place}"),
        OperationKind::Configure => format!("Configure {place}"),
    }
}

fn plan_of_data(
    basis: &Basis<'_>,
    observed: &Observed,
    order: &Order,
) -> Result<(Plan, Option<NewBackup>), Problem> {
    match &order.data {
        Some(data) => keep::plan(basis, observed, data),
        None => Err(Problem::new(
            "nobody said what is to be kept",
            "backups and restores are asked for, never planned by themselves",
            "report this: it is a defect",
        )),
    }
}

fn plan_of_action(basis: &Basis<'_>, order: &Order) -> Result<Plan, Problem> {
    let request = order.action.clone().unwrap_or_default();
    match basis.actions.iter().find(|action| action.name == request.action) {
        Some(action) => Ok(act(basis, action, &serde_json::json!(request.answers))),
        None => Err(no_such_action(basis.name, &request.action, basis.actions)),
    }
}

/// The driver of a deployment has no action of that name that a person can ask for.
pub(super) fn no_such_action(deployment: &str, name: &str, actions: &[ActionSpec]) -> Problem {
    let known: Vec<&str> =
        actions.iter().filter(|action| action.hook.is_none()).map(|action| action.name.as_str()).collect();
    let next = match known.is_empty() {
        true => "its driver has none that a person can ask for".to_owned(),
        false => suggest::hint(name, known.iter().copied()),
    };
    Problem::new(
        format!("{deployment} has no action '{name}'"),
        format!("its driver has {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") }),
        next,
    )
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
