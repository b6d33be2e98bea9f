//! Gathering what is known about one deployment: from the records and from the watches. The cluster is not asked anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::cluster::{DeploymentResource, Index};
use crate::domain::driver::Hook;
use crate::domain::names::digest;
use crate::domain::operation::Subject;
use crate::domain::route::{Reach, RouteKind};
use crate::domain::{
    ClusterRecord, Deployment, DeploymentDraft, DeploymentId, DesiredPhase, DriverVersion, Environment,
    ObjectKey, ObjectSummary, Problem, Resolution, Role, labels,
};
use crate::driver;
use crate::store::FieldResolution;

use super::components::{component_statuses, urls};
use super::decide::is_upgrade;
use super::engine::Engine;
use super::ownership;
use super::queue::Name;
use super::render::digests;
use super::routes::{self, Carried, RouteSources};
use super::seed::Keepsake;
use super::situation::{Answer, BackedUp, Live, Rendered, Situation, Trace, Wanted, Work, Written};

/// How many of its last backups a deployment's status is made from.
const BACKUPS: u32 = 20;

/// What the records say beside the deployment itself.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// The cluster.
    pub cluster: ClusterRecord,
    /// The environment.
    pub environment: Environment,
}

/// A situation, and what acting on it needs.
pub(super) struct Observed {
    /// What the decision is made from.
    pub situation: Situation,
    /// The environment and its cluster; none for a custom resource that nobody recorded.
    pub setting: Option<Setting>,
    /// The driver version that the record pins.
    pub driver: Option<Arc<DriverVersion>>,
    /// Who is to have the fields that others own.
    pub resolutions: Vec<FieldResolution>,
    /// What its chart is rendered with; none without a chart, and when it is not kept anywhere.
    pub keepsake: Option<Keepsake>,
}

impl Observed {
    /// Whether the application comes as a chart.
    pub fn has_chart(&self) -> bool {
        self.driver.as_ref().is_some_and(|driver| driver.spec.helm.is_some())
    }

    /// Whether something else is wanted than what was made last.
    fn is_another(&self) -> bool {
        let newest = self.situation.newest.as_ref().map(|newest| newest.digest.as_str());
        let wanted = self.situation.wanted.as_ref().and_then(|wanted| wanted.as_ref().ok());
        newest.is_some() && wanted.is_some_and(|wanted| Some(wanted.digest.as_str()) != newest)
    }

    /// Leaves out the fields that others are to have.
    pub fn yield_fields(&self, objects: &mut [Value]) {
        for object in objects {
            let key = crate::cluster::key(object);
            let left: Vec<String> = (self.resolutions.iter())
                .filter(|known| known.key == key && known.resolution != Resolution::Take)
                .map(|known| known.field.clone())
                .collect();
            ownership::leave_out(object, &left);
        }
    }

    /// Adds what follows from the record: the context that it asks for, its URLs, its components.
    fn resolve_wanted(&mut self) {
        let situation = &mut self.situation;
        let (Some(record), Some(setting)) = (&situation.record, &self.setting) else { return };
        situation.work.drift = record.draft.drift.unwrap_or(setting.environment.drift);
        if record.phase == DesiredPhase::Deleting {
            return;
        }
        let Some(driver) = &self.driver else {
            situation.wanted = Some(Err(unknown_driver(record)));
            return;
        };
        let known = situation.newest.as_ref().map(|newest| newest.number);
        let wanted = match (known, situation.resource.as_deref().and_then(|known| known.status.instance)) {
            (None, Some(before)) => {
                wanted_again(setting, record, driver, (before, situation.resource.as_deref()))
            }
            (known, _) => wanted(setting, record, driver, known.map_or(1, |number| number + 1)),
        };
        if let Ok(wanted) = &wanted {
            let urls = urls(&driver.spec, &wanted.context, &setting.cluster);
            situation.urls = urls.into_iter().map(|(_, url)| url).collect();
        }
        situation.wanted = Some(wanted);
        situation.components = component_statuses(&driver.spec, &situation.objects);
    }
}

impl Engine {
    /// Everything that is known about `name` now.
    pub(super) async fn observe(&self, name: &Name) -> Result<Observed, Problem> {
        let setting = self.setting(&name.namespace).await?;
        let record = match &setting {
            Some(setting) => {
                let environment = &setting.environment.name;
                self.store().find_deployment(self.cluster().name(), environment, &name.name).await?
            }
            None => None,
        };
        self.observe_as(name, setting, record).await
    }

    /// Everything that is known about `name`, as if `record` were what is recorded.
    pub(super) async fn observe_as(
        &self,
        name: &Name,
        setting: Option<Setting>,
        record: Option<Deployment>,
    ) -> Result<Observed, Problem> {
        let index = self.cluster().index();
        let resource = index.custom_resource(&name.namespace, &name.name);
        if let Some(resource) = &resource {
            self.saw_epoch(resource.trace.epoch);
        }
        let mut observed = Observed {
            situation: Situation {
                now: self.clock().now(),
                complete: index.deployments_complete() && index.is_complete(&name.namespace),
                resource,
                record: record.clone(),
                newest: None,
                wanted: None,
                rendered: None,
                live: BTreeMap::new(),
                objects: index.objects_of(&name.namespace, &name.name),
                trace: self.trace(name),
                components: Vec::new(),
                urls: Vec::new(),
                routes: Vec::new(),
                work: Work::default(),
            },
            setting,
            driver: None,
            resolutions: Vec::new(),
            keepsake: None,
        };
        if let Some(record) = &record {
            self.read_records(record, &mut observed).await?;
        }
        observed.resolve_wanted();
        if let (Some(record), Some(newest), true) =
            (&record, &observed.situation.newest, observed.is_another())
        {
            observed.situation.work.turn = self.turn(record, newest).await?;
        }
        self.add_answers(name, &mut observed);
        if observed.has_chart() {
            let newest = observed.situation.newest.as_ref().map(|newest| newest.digest.as_str());
            observed.keepsake = self.keepsake(name, newest).await?;
        }
        self.add_rendered(name, &mut observed).await;
        let unseen = self.unseen(&observed.situation.trace);
        observed.situation.live = live(&index, name, observed.situation.rendered_objects(), unseen);
        observed.situation.recall();
        Ok(observed)
    }

    /// What requests to its routes find, as it was last published.
    fn add_answers(&self, name: &Name, observed: &mut Observed) {
        let situation = &mut observed.situation;
        let (Some(setting), Some(newest)) = (&observed.setting, &situation.newest) else { return };
        let found = self.reach().borrow().clone();
        situation.routes = answers(setting, &newest.context, &situation.objects, &found);
        let urls = situation.routes.iter().map(|route| route.url.clone());
        self.set_urls(name, urls.collect());
    }

    /// What the records say about a deployment beside its own row.
    async fn read_records(&self, record: &Deployment, observed: &mut Observed) -> Result<(), Problem> {
        let store = self.store();
        observed.situation.newest = store.latest_instance(record.id).await?;
        observed.driver = self.driver(&record.draft.driver).await?;
        observed.resolutions = store.resolutions(record.id).await?;
        let subject = self.subject(&record.draft.environment, &record.draft.name);
        let latest = store.current_operation(&subject).await?;
        observed.situation.work.failures = match &latest {
            Some(latest) if latest.operation.state.is_final() => store.failures_in_a_row(&subject).await?,
            _ => 0,
        };
        observed.situation.work.latest = latest.map(|view| view.operation);
        observed.situation.work.backups = BackedUp::of(&store.backups_of(&subject, BACKUPS).await?);
        let work = &mut observed.situation.work;
        (work.hook, work.goes_back) = self.change(record, observed.driver.as_deref()).await?;
        if observed.situation.trace.0.is_empty() {
            let known = store.inventory(record.id).await?;
            let written = known.into_iter().map(|item| {
                let written = Written {
                    uid: Some(item.uid),
                    digest: item.digest,
                    owned: item.owned,
                    role: item.role,
                    corrections: Vec::new(),
                };
                (item.key, written)
            });
            observed.situation.trace = Trace(written.collect());
        }
        Ok(())
    }

    /// The hook of what leads from the active instance to what is desired, and whether that is a way back, which one goes without
    /// any.
    async fn change(
        &self,
        record: &Deployment,
        driver: Option<&DriverVersion>,
    ) -> Result<(Option<Hook>, bool), Problem> {
        let active = self.store().active_instance(record.id).await?;
        let hook = match active.as_ref().map(|active| &active.draft) {
            None => Hook::Setup,
            Some(Some(draft)) if is_upgrade(draft, &record.draft) => Hook::Upgrade,
            Some(_) => return Ok((None, false)),
        };
        if self.goes_back(record.id, &record.draft).await? {
            return Ok((None, true));
        }
        let actions = driver.map(|driver| driver.spec.actions.as_slice()).unwrap_or_default();
        Ok((Some(hook).filter(|_| actions.iter().any(|action| action.hook == Some(hook))), false))
    }

    /// Whether a draft has the version that the deployment was to go back to, when nobody has asked for another one since. That it is
    /// older than what runs would not tell: after a way back, the version that was left is an older one too.
    pub(super) async fn goes_back(&self, id: DeploymentId, draft: &DeploymentDraft) -> Result<bool, Problem> {
        let Some(number) = self.store().last_rollback(id).await? else { return Ok(false) };
        let instance = self.store().instance(id, number).await?;
        Ok(instance.is_some_and(|instance| {
            instance.driver == draft.driver && instance.application_version == draft.application_version
        }))
    }

    /// What an operation on a deployment is about.
    pub(super) fn subject(&self, environment: &str, name: &str) -> Subject {
        Subject {
            cluster: self.cluster().name().to_owned(),
            environment: environment.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The environment of a namespace, and its cluster.
    async fn setting(&self, namespace: &str) -> Result<Option<Setting>, Problem> {
        let cluster = self.cluster().name();
        let environments = self.store().environments(cluster).await?;
        let environment = environments.into_iter().find(|environment| environment.namespace == namespace);
        let record = self.store().cluster(cluster).await?;
        Ok(environment.zip(record).map(|(environment, cluster)| Setting { cluster, environment }))
    }

    /// The rendered objects by digest, from memory when neither the instance nor the phase changed.
    async fn add_rendered(&self, name: &Name, observed: &mut Observed) {
        let (Some(record), Some(Ok(wanted)), Some(newest)) =
            (&observed.situation.record, &observed.situation.wanted, &observed.situation.newest)
        else {
            return;
        };
        if wanted.digest != newest.digest {
            return;
        }
        let resolved: Vec<String> = (observed.resolutions.iter())
            .map(|known| format!("{}{}{}", known.key, known.field, known.resolution.as_str()))
            .collect();
        let cache_key = format!(
            "{} {} {} {}",
            newest.number,
            newest.digest,
            record.phase.as_str(),
            digest(resolved.concat().as_bytes())
        );
        let rendered = match self.remembered(name, &cache_key) {
            Some(rendered) => Ok(rendered),
            None => {
                let parts = self.parts(name, observed, record, (&newest.context, &newest.digest)).await;
                parts.map(|(parts, _)| digests(&parts.objects))
            }
        };
        let rendered = rendered.map(|rendered| {
            self.remember(name, cache_key, &rendered);
            self.with_visibility(rendered)
        });
        observed.situation.rendered = Some(rendered);
    }

    /// What was written and no watch shows: kinds of others, and what belongs to the whole cluster.
    pub(super) fn unseen(&self, trace: &Trace) -> BTreeMap<ObjectKey, Live> {
        let unseen = trace.0.iter().filter(|(key, _)| !self.is_visible(key));
        unseen.map(|(key, written)| (key.clone(), written.as_live())).collect()
    }

    fn is_visible(&self, key: &ObjectKey) -> bool {
        self.cluster().watches_kind(key) && self.cluster().index().sees(&key.namespace, &key.kind)
    }

    pub(super) fn with_visibility(&self, mut rendered: Rendered) -> Rendered {
        for object in &mut rendered.objects {
            object.visible = self.is_visible(&object.key);
        }
        rendered
    }
}

/// The objects as they are: the rendered ones, and whatever else was written for this deployment. What no watch shows is
/// taken to be as it was written: `unseen` has it.
pub(super) fn live(
    index: &Index,
    name: &Name,
    rendered: &[super::situation::RenderedObject],
    unseen: BTreeMap<ObjectKey, Live>,
) -> BTreeMap<ObjectKey, Live> {
    let inventory = index.inventory(&name.namespace, &name.name);
    let named = rendered.iter().filter_map(|object| index.row(&object.key));
    let rows = inventory.into_iter().chain(named);
    rows.map(|row| {
        let summary = &row.summary;
        let live = Live {
            uid: Some(summary.uid.clone()),
            owned: row.owned.clone(),
            deleting: summary.deleting,
            // what we wrote and somebody took the label off is no stranger
            ours: match summary.labels.get(labels::DEPLOYMENT) {
                Some(label) => *label == name.name,
                None => row.owned.is_some(),
            },
            role: Role::of(|label| summary.labels.contains_key(label)),
            verdict: summary.verdict.clone(),
        };
        (summary.key.clone(), live)
    })
    .chain(unseen)
    .collect()
}

/// The routes of an instance, each with what requests to it find.
fn answers(
    setting: &Setting,
    context: &Value,
    objects: &[ObjectSummary],
    found: &BTreeMap<String, Reach>,
) -> Vec<Answer> {
    let gateways = routes::Gateways::new();
    let sources = RouteSources {
        context,
        cluster: Some(&setting.cluster),
        objects,
        gateways: &gateways,
        unprobed: setting.environment.routing.unprobed,
    };
    let answer = |carried: Carried| {
        let view = carried.view;
        Answer {
            reach: found.get(&view.url).cloned(),
            service: view.service,
            url: view.url,
            unprobed: view.unprobed,
            endpoints: view.endpoints,
        }
    };
    routes::routes(&sources).into_iter().filter(is_told).map(answer).collect()
}

/// Whether the engine knows the URL of a route. Whether a chart's own HTTPRoute is on https says a Gateway that may lie anywhere.
fn is_told(carried: &Carried) -> bool {
    carried.is_wanted || carried.view.kind != RouteKind::HttpRoute
}

pub(super) fn unknown_driver(record: &Deployment) -> Problem {
    Problem::new(
        format!("the driver {} is not loaded", record.draft.driver),
        format!("{} pins it", record.draft.name),
        "load the driver, or pin a version that is loaded",
    )
}

/// The same where the records were lost, but not the custom resource: what it has stays that instance, and another one comes
/// after it.
fn wanted_again(
    setting: &Setting,
    record: &Deployment,
    driver: &DriverVersion,
    (before, resource): (u32, Option<&DeploymentResource>),
) -> Result<Wanted, Problem> {
    let same = wanted(setting, record, driver, before)?;
    match resource.and_then(|resource| resource.trace.context_digest.as_ref()) == Some(&same.digest) {
        true => Ok(same),
        false => wanted(setting, record, driver, before + 1),
    }
}

/// What the record asks for, resolved as the instance of this number.
fn wanted(
    setting: &Setting,
    record: &Deployment,
    driver: &DriverVersion,
    number: u32,
) -> Result<Wanted, Problem> {
    let context = driver::context::resolve(&driver::context::ContextSources {
        cluster: &setting.cluster,
        environment: &setting.environment,
        deployment: record,
        driver,
        instance_number: number,
    })?;
    let digest = instance_digest(&context, driver);
    Ok(Wanted { context, digest, number })
}

/// The digest of an instance: over its context without its number, and the content of its driver, since a built-in driver may
/// change under the same version.
fn instance_digest(context: &Value, driver: &DriverVersion) -> String {
    let context = driver::context::digest(context);
    digest(format!("{}\n{}\n{context}", driver.reference, driver.digest).as_bytes())
}
