//! The immutable picture that the cockpit draws. Built at most once per frame by `app`, from the records and the watches.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::backup::{Backup, LocationView, ScheduleView};
use super::object::EventSummary;
use super::operation::Subject;
use super::route::RouteView;
use super::{
    ClusterRecord, Deployment, Drift, DriverVersion, Environment, Health, Instance, ObjectKey, ObjectSummary,
    OperationId, OperationView, Problem, Verdict,
};

/// Everything there is to show.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// Counts up with every picture.
    pub generation: u64,
    /// The cluster that is looked at, and whether it answers.
    pub cluster: ClusterView,
    /// Where the engine of that cluster runs.
    #[serde(default)]
    pub engine: EngineView,
    /// Its environments, by name.
    pub environments: Vec<Environment>,
    /// What is known of their surroundings, in the same order.
    #[serde(default)]
    pub places: Vec<Place>,
    /// Its applications, by environment and name.
    pub applications: Vec<Arc<Application>>,
    /// Every driver version that can be deployed, by name, newest first.
    pub drivers: Vec<Arc<DriverVersion>>,
    /// Operations, newest first: all that have not ended, and the last ones that have.
    #[serde(default)]
    pub operations: Vec<Arc<OperationView>>,
    /// Backups of this cluster's applications, newest first; also of those that are gone.
    #[serde(default)]
    pub backups: Vec<Arc<Backup>>,
    /// Backup locations, by name.
    #[serde(default)]
    pub locations: Vec<LocationView>,
    /// Schedules of this cluster, by name.
    #[serde(default)]
    pub schedules: Vec<ScheduleView>,
}

impl World {
    /// The operation of this number, while it is among those that are shown.
    pub fn operation(&self, id: OperationId) -> Option<&Arc<OperationView>> {
        self.operations.iter().find(|view| view.operation.id == id)
    }

    /// The environment of that name.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name == name)
    }

    /// What is known of the surroundings of the environment of that name.
    pub fn place(&self, name: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.environment == name)
    }

    /// The applications of the environment of that name, by name.
    pub fn applications_in(&self, environment: &str) -> impl Iterator<Item = &Application> {
        let is_there = move |it: &&Application| it.deployment.draft.environment == environment;
        self.applications.iter().map(|application| &**application).filter(is_there)
    }

    /// The operations about an environment as a whole, newest first; not those that are steps of others.
    pub fn operations_on(&self, environment: &str) -> impl Iterator<Item = &OperationView> {
        let is_about = move |view: &&OperationView| {
            let operation = &view.operation;
            operation.parent.is_none() && operation.subject.as_environment() == Some(environment)
        };
        self.operations.iter().map(|view| &**view).filter(is_about)
    }

    /// The backups of an application, newest first.
    pub fn backups_of(&self, application: &Application) -> impl Iterator<Item = &Backup> {
        let draft = &application.deployment.draft;
        let is_its = |backup: &&Backup| {
            backup.source.environment == draft.environment && backup.source.application == draft.name
        };
        self.backups.iter().map(|backup| &**backup).filter(is_its)
    }

    /// The operations of an application, newest first.
    pub fn operations_of(&self, application: &Application) -> impl Iterator<Item = &OperationView> {
        let draft = &application.deployment.draft;
        let is_its =
            |subject: &Subject| subject.environment == draft.environment && subject.name == draft.name;
        self.operations.iter().map(|view| &**view).filter(move |view| is_its(&view.operation.subject))
    }
}

/// The cluster that is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterView {
    /// Its record; none before the first connection.
    pub record: Option<ClusterRecord>,
    /// Whether it answers.
    pub link: Link,
    /// `v1.34.0`, once known.
    pub version: Option<String>,
    /// Whether Styrmin is installed there.
    pub installed: Installed,
    /// What is worth knowing about it: an ingress controller that gets no more security fixes.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// Whether the cluster answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// Not tried yet, or trying.
    #[default]
    Connecting,
    /// Watches are live.
    Live,
    /// Lost; what is shown is as of then.
    Stale {
        /// When the last answer came.
        since: Timestamp,
        /// What is wrong.
        problem: Problem,
    },
}

/// Whether Styrmin's custom resource exists on the cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Installed {
    /// Not known yet, or the cluster denies to say.
    #[default]
    Unknown,
    /// No: nothing is written before a person confirmed the installation plan.
    No,
    /// Yes.
    Yes,
}

/// Where the engine runs that carries out what is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EngineView {
    /// Not known yet.
    #[default]
    Unknown,
    /// In this process.
    Here {
        /// Counts the take-overs.
        epoch: u64,
        /// Since when.
        since: Timestamp,
    },
    /// In another one.
    Elsewhere {
        /// `pid 123 on jump`.
        holder: String,
        /// Since when, by the holder's clock.
        since: Option<Timestamp>,
        /// Counts the take-overs.
        epoch: u64,
    },
    /// Nowhere: what is asked for waits.
    None,
}

/// What is known of the surroundings of an environment, beside what is said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The environment.
    pub environment: String,
    /// Whose its namespace is.
    pub namespace: Whose,
    /// The namespace that the pods of its ingress controller are in; none: nobody knows.
    pub controller: Option<String>,
    /// Where its Gateway answers: IP addresses and host names.
    pub addresses: Vec<String>,
    /// Why its Gateway does not answer; none: nothing is known to be wrong with it.
    pub refused: Option<String>,
}

/// Whose a namespace is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whose {
    /// Not known yet, or the cluster denies to say.
    #[default]
    Unknown,
    /// There is none.
    Missing,
    /// Styrmin made it, and takes it away with the environment.
    Ours,
    /// It was there before, and stays.
    Others,
}

/// One application: a deployment and everything observed of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// What is desired.
    pub deployment: Deployment,
    /// The namespace that it lives in.
    pub namespace: String,
    /// The newest instance.
    pub instance: Option<Instance>,
    /// The one that counts as live.
    pub active: Option<Instance>,
    /// Folded over its components; `Missing` before anything exists.
    pub verdict: Verdict,
    /// Its components, by name.
    pub components: Vec<ComponentView>,
    /// Its routes: what people open first comes first.
    #[serde(default)]
    pub routes: Vec<RouteView>,
    /// Conditions of its custom resource.
    pub conditions: Vec<Condition>,
    /// Events of its objects, newest first.
    pub events: Vec<EventSummary>,
    /// Every object of its inventory that exists.
    pub objects: Vec<ObjectSummary>,
    /// What stopped the engine, if something did.
    pub problem: Option<Problem>,
    /// Its instances, newest first.
    #[serde(default)]
    pub history: Vec<Arc<Instance>>,
    /// Its objects that are not as they were written.
    #[serde(default)]
    pub drift: Vec<Drift>,
}

/// A component and its pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentView {
    /// Its name.
    pub name: String,
    /// Folded over its workloads and pods.
    pub verdict: Verdict,
    /// Pods that are ready.
    pub ready: u32,
    /// Pods that should be.
    pub desired: u32,
    /// Its workloads' images.
    pub images: Vec<String>,
    /// Its pods, by name.
    pub pods: Vec<ObjectSummary>,
}

/// A condition as it stands on an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// `Ready`, `Reconciling`, `Stalled` …
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False`, `Unknown`.
    pub status: String,
    /// CamelCase.
    pub reason: String,
    /// In words.
    pub message: String,
    /// When the status last changed.
    pub since: Option<Timestamp>,
}

/// A container whose log can be followed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogTarget {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
}

impl Application {
    /// The health that a table shows.
    pub fn health(&self) -> Health {
        self.verdict.health
    }

    /// Finds the summary of one of its objects.
    pub fn object(&self, key: &ObjectKey) -> Option<&ObjectSummary> {
        self.objects.iter().find(|object| object.key == *key)
    }
}
