//! Builds the picture of the world from the records, the watches and the probes. Pure: everything is handed in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::last_words::{self, Words};
use super::probes::Results;
use super::route_facts::Facts;
use crate::domain::backup::{Backup, LocationView, ScheduleView};
use crate::domain::object::{Detail, EventSummary};
use crate::domain::world::{Application, ClusterView, ComponentView, Condition, EngineView};
use crate::domain::{
    Cause, ClusterRecord, Deployment, DesiredPhase, DriverRef, DriverVersion, Environment, Health, Instance,
    ObjectKey, ObjectSummary, OperationView, Problem, Verdict, World,
};
use crate::reconcile;
use crate::store::{EngineRecord, Finding};

mod places;
mod routes;

pub use places::wants as place_wants;

/// The most events that an application shows.
const EVENTS: usize = 200;

/// What the records hold.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// The cluster's own.
    pub cluster: Option<ClusterRecord>,
    /// Who runs its engine.
    pub engine: Option<EngineRecord>,
    /// Environments of the cluster.
    pub environments: Vec<Environment>,
    /// Driver versions, by name, newest first.
    pub drivers: Vec<Arc<DriverVersion>>,
    /// Deployments with their newest and their active instance.
    pub deployments: Vec<DeploymentRecord>,
    /// Operations, newest first.
    pub operations: Vec<Arc<OperationView>>,
    /// Backups, newest first.
    pub backups: Vec<Arc<Backup>>,
    /// Backup locations, by name.
    pub locations: Vec<LocationView>,
    /// Schedules, by name.
    pub schedules: Vec<ScheduleView>,
    /// What the engine found, by namespace and name.
    pub findings: Vec<Finding>,
}

impl Records {
    fn finding(&self, namespace: &str, name: &str) -> Option<&Finding> {
        let key =
            |finding: &Finding| (finding.namespace.as_str(), finding.name.as_str()).cmp(&(namespace, name));
        self.findings.get(self.findings.binary_search_by(key).ok()?)
    }
}

/// One deployment's rows.
#[derive(Debug, Clone)]
pub struct DeploymentRecord {
    /// What is desired.
    pub deployment: Deployment,
    /// The newest instance.
    pub newest: Option<Instance>,
    /// The one that counts as live.
    pub active: Option<Instance>,
    /// All of them, newest first.
    pub history: Vec<Arc<Instance>>,
}

/// What the watches hold of one namespace.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The objects of each deployment: labelled as its own, or owned by such a one.
    pub objects: BTreeMap<String, Vec<ObjectSummary>>,
    /// Its events, newest first.
    pub events: Vec<EventSummary>,
    /// Conditions of its custom resources, by name.
    pub conditions: BTreeMap<String, Vec<Condition>>,
    /// Whether all of it was listed.
    pub complete: bool,
    /// Kinds of routes, and Services, that are not seen there: not served, or denied.
    pub unseen: BTreeSet<String>,
}

/// Everything that a picture is made of.
pub struct Sources<'a> {
    /// Counts up with every picture.
    pub generation: u64,
    /// The cluster.
    pub cluster: ClusterView,
    /// Where its engine runs.
    pub engine: EngineView,
    /// The records.
    pub records: &'a Records,
    /// The watches, per namespace.
    pub observed: &'a HashMap<String, Observed>,
    /// What the probes found, per URL.
    pub probes: &'a Results,
    /// The last lines of containers that ended badly.
    pub words: &'a Words,
    /// Certificates and Gateways that were read.
    pub facts: &'a Facts,
    /// The present moment.
    pub now: Timestamp,
}

/// Builds the picture.
pub fn assemble(sources: &Sources<'_>) -> World {
    let nothing = Observed::default();
    let mut applications: Vec<Arc<Application>> = sources
        .records
        .deployments
        .iter()
        .map(|record| {
            let environment = &record.deployment.draft.environment;
            let namespace = namespace_of(&sources.records.environments, environment);
            let observed = sources.observed.get(&namespace).unwrap_or(&nothing);
            Arc::new(application(sources, record, namespace, observed))
        })
        .collect();
    applications.sort_by(|a, b| {
        let key =
            |app: &Application| (app.deployment.draft.environment.clone(), app.deployment.draft.name.clone());
        key(a).cmp(&key(b))
    });
    World {
        generation: sources.generation,
        cluster: sources.cluster.clone(),
        engine: sources.engine.clone(),
        environments: sources.records.environments.clone(),
        places: places::places(sources.records, sources.facts),
        applications,
        drivers: sources.records.drivers.clone(),
        operations: sources.records.operations.clone(),
        backups: sources.records.backups.clone(),
        locations: sources.records.locations.clone(),
        schedules: sources.records.schedules.clone(),
    }
}

/// The namespace of an environment; its own name while its record is not there yet.
pub fn namespace_of(environments: &[Environment], name: &str) -> String {
    environments
        .iter()
        .find(|environment| environment.name == name)
        .map_or_else(|| name.to_owned(), |found| found.namespace.clone())
}

fn application(
    sources: &Sources<'_>,
    record: &DeploymentRecord,
    namespace: String,
    observed: &Observed,
) -> Application {
    let deployment = &record.deployment;
    let name = &deployment.draft.name;
    let objects = observed.objects.get(name).cloned().unwrap_or_default();
    let shown = record.newest.as_ref().or(record.active.as_ref());
    let reference = shown.map_or(&deployment.draft.driver, |instance| &instance.driver);
    let driver = driver(&sources.records.drivers, reference);
    let mut components =
        driver.map_or_else(Vec::new, |driver| reconcile::component_views(&driver.spec, &objects));
    for component in &mut components {
        explain(&mut component.verdict, &observed.events);
        last_words::explain(component, sources.words);
    }
    let finding = sources.records.finding(&namespace, name);
    let problem = finding.and_then(|finding| finding.problem.clone());
    let events = observed
        .events
        .iter()
        .filter(|event| concerns(event, &objects, name))
        .take(EVENTS)
        .cloned()
        .collect();
    let routes = shown.map_or_else(Vec::new, |instance| {
        let environments = &sources.records.environments;
        let environment = environments.iter().find(|known| known.name == deployment.draft.environment);
        routes::routes(&routes::Around {
            instance,
            phase: deployment.phase,
            namespace: &namespace,
            unprobed: environment.is_some_and(|environment| environment.routing.unprobed),
            cluster: sources.cluster.record.as_ref(),
            objects: &objects,
            complete: observed.complete,
            unseen: &observed.unseen,
            facts: sources.facts,
            probes: sources.probes,
            now: sources.now,
        })
    });
    Application {
        verdict: verdict(deployment, &namespace, &components, &objects, problem.as_ref()),
        routes,
        conditions: observed.conditions.get(name).cloned().unwrap_or_default(),
        deployment: deployment.clone(),
        namespace,
        instance: record.newest.clone(),
        active: record.active.clone(),
        components,
        events,
        objects,
        problem,
        history: record.history.clone(),
        drift: finding.map(|finding| finding.drift.clone()).unwrap_or_default(),
    }
}

fn driver<'a>(drivers: &'a [Arc<DriverVersion>], reference: &DriverRef) -> Option<&'a DriverVersion> {
    drivers.iter().find(|driver| driver.reference == *reference).map(Arc::as_ref)
}

/// Ends a chain of causes with what was last said about its innermost object.
fn explain(verdict: &mut Verdict, events: &[EventSummary]) {
    let Some(innermost) = verdict.causes.last().filter(|_| verdict.health > Health::Suspended) else {
        return;
    };
    let name = innermost.object.to_string();
    let Some(event) = events.iter().find(|event| event.warning && event.object == name) else { return };
    let (reason, message) = (event.reason.clone(), event.message.clone());
    if reason != innermost.reason {
        verdict.causes.push(Cause { object: innermost.object.clone(), reason, message });
    }
}

fn concerns(event: &EventSummary, objects: &[ObjectSummary], deployment: &str) -> bool {
    let Some((kind, name)) = event.object.split_once('/') else { return false };
    if kind == "StyrminDeployment" {
        return name == deployment;
    }
    objects.iter().any(|object| object.key.name == name && object.key.kind == kind)
}

fn verdict(
    deployment: &Deployment,
    namespace: &str,
    components: &[ComponentView],
    objects: &[ObjectSummary],
    problem: Option<&Problem>,
) -> Verdict {
    let key = || ObjectKey {
        api_version: "styrmin.io/v1alpha1".to_owned(),
        kind: "StyrminDeployment".to_owned(),
        namespace: namespace.to_owned(),
        name: deployment.draft.name.clone(),
    };
    if let Some(problem) = problem {
        return Verdict::because(
            Health::Degraded,
            key(),
            "EngineFailed",
            format!("{}: {}", problem.what, problem.why),
        );
    }
    if deployment.phase == DesiredPhase::Deleting {
        return Verdict::because(Health::Progressing, key(), "Deleting", "its objects are being taken away");
    }
    let others = objects
        .iter()
        .filter(|object| {
            object.owner.is_none()
                && !matches!(object.detail, Detail::Workload(_) | Detail::Pod(_))
                && !is_claim_of_a_set(object, objects)
        })
        .map(|object| &object.verdict);
    let worst = Verdict::worst(components.iter().map(|component| &component.verdict).chain(others));
    worst.unwrap_or_else(|| Verdict::because(Health::Missing, key(), "NotFound", "nothing of it exists yet"))
}

/// Whether a StatefulSet made this claim: then its pod is what waits for the volume, and says so. The engine, which looks at
/// what it rendered, sees it the same way.
fn is_claim_of_a_set(object: &ObjectSummary, objects: &[ObjectSummary]) -> bool {
    let Some((stem, _ordinal)) = object.key.name.rsplit_once('-') else { return false };
    let is_its =
        |set: &ObjectSummary| set.key.kind == "StatefulSet" && stem.ends_with(&format!("-{}", set.key.name));
    matches!(object.detail, Detail::Volume { .. }) && objects.iter().any(is_its)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::DeploymentId;

    fn key(kind: &str, name: &str) -> ObjectKey {
        ObjectKey { api_version: "v1".into(), kind: kind.into(), namespace: "demo".into(), name: name.into() }
    }

    fn object(kind: &str, name: &str, detail: Detail, verdict: Verdict) -> ObjectSummary {
        ObjectSummary {
            key: key(kind, name),
            uid: name.to_owned(),
            resource_version: "1".to_owned(),
            owner: None,
            labels: BTreeMap::new(),
            created: None,
            deleting: false,
            verdict,
            detail,
        }
    }

    fn claim(name: &str) -> ObjectSummary {
        let unbound =
            Verdict::because(Health::Progressing, key("PersistentVolumeClaim", name), "NotBound", "");
        let detail = Detail::Volume { phase: "Pending".into(), size: "1Gi".into() };
        object("PersistentVolumeClaim", name, detail, unbound)
    }

    fn deployment() -> Deployment {
        Deployment {
            id: DeploymentId(1),
            uid: "u".into(),
            draft: crate::domain::DeploymentDraft {
                name: "notes".into(),
                environment: "demo".into(),
                driver: DriverRef { name: "notes".into(), version: "1".into() },
                application_version: "1".into(),
                parameters: BTreeMap::new(),
                ..Default::default()
            },
            phase: DesiredPhase::Running,
            revision: 1,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_claim_counts_unless_a_set_made_it() {
        let set = object("StatefulSet", "notes-db", Detail::Workload(Default::default()), Verdict::healthy());
        let health = |objects: &[ObjectSummary]| verdict(&deployment(), "demo", &[], objects, None).health;
        assert_eq!(
            health(&[
                set.clone(),
                claim("data-notes-db-0"),
                object("Service", "s", Detail::Other, Verdict::healthy())
            ]),
            Health::Healthy
        );
        assert_eq!(health(&[set, claim("uploads")]), Health::Progressing);
    }

    #[test]
    fn what_stops_the_engine_is_told_before_anything_else() {
        let problem = Problem::new("refused", "quota", "ask");
        let told = verdict(&deployment(), "demo", &[], &[], Some(&problem));
        assert_eq!((told.health, told.causes[0].reason.as_str()), (Health::Degraded, "EngineFailed"));
        let nothing = verdict(&deployment(), "demo", &[], &[], None);
        assert_eq!(nothing.health, Health::Missing);
    }

    #[test]
    fn a_chain_ends_with_the_last_warning_about_its_innermost_object() {
        let mut told = Verdict::because(Health::Progressing, key("Pod", "web-1"), "PodRunningNotReady", "");
        let event = |warning: bool, reason: &str, object: &str| EventSummary {
            at: Timestamp::UNIX_EPOCH,
            warning,
            reason: reason.into(),
            message: "m".into(),
            object: object.into(),
            count: 1,
        };
        let events = [
            event(false, "Started", "Pod/web-1"),
            event(true, "Failed", "Pod/web-2"),
            event(true, "Unhealthy", "Pod/web-1"),
        ];
        explain(&mut told, &events);
        assert_eq!(told.causes.last().unwrap().reason, "Unhealthy");
        let mut healthy = Verdict::healthy();
        explain(&mut healthy, &events);
        assert_eq!(healthy, Verdict::healthy());
    }
}
