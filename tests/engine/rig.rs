//! What the tests of faults, of bad input and of operations do to a running engine, and what they look at.

use std::sync::atomic::{AtomicUsize, Ordering};

use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::ApiResource;
use serde_json::{Value, json};
use styrmin::cluster::{API_VERSION, KIND};
use styrmin::domain::{
    DeploymentDraft, Health, Intent, ObjectKey, OperationState, OperationView, Problem, StepState,
};
use styrmin::reconcile::Name;
use styrmin::sandbox::faults::Scenario;

use crate::bench::Bench;
use crate::support::{LIMIT, until};
use crate::yard;

/// The name of the application that most tests are about.
pub const YARD: &str = "yard";

/// A running engine with the application of [`yard`] deployed as instance 1.
pub async fn deployed() -> Bench {
    let mut bench = Bench::with_driver(yard::driver()).await;
    bench.id = Some(bench.deploy(bench.yard(&[])).await);
    bench.until_running(YARD, 1).await;
    bench
}

/// An object of the application, or beside it.
pub fn key(kind: &str, name: &str) -> ObjectKey {
    let api_version = match kind {
        "Deployment" => "apps/v1",
        "Job" => "batch/v1",
        KIND => API_VERSION,
        _ => "v1",
    };
    let (kind, name) = (kind.to_owned(), name.to_owned());
    ObjectKey { api_version: api_version.to_owned(), kind, namespace: "demo".to_owned(), name }
}

/// Another number each time.
fn next() -> usize {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    COUNT.fetch_add(1, Ordering::SeqCst)
}

/// The step of an operation with this name: where it stands, and why.
pub fn step_of(view: &OperationView, step: &str) -> (StepState, String) {
    let position = view.operation.plan.steps.iter().position(|known| known.name == step);
    let position = position.unwrap_or_else(|| panic!("no step '{step}' in {}", view.operation.plan));
    let record = &view.steps[position];
    (record.state, record.problem.as_ref().map(ToString::to_string).unwrap_or_default())
}

fn plural(key: &ObjectKey) -> String {
    format!("{}s", key.kind.to_lowercase())
}

impl Bench {
    /// A draft of the application with these parameters.
    pub fn yard(&self, parameters: &[(&str, Value)]) -> DeploymentDraft {
        let mut draft = DeploymentDraft { driver: yard::reference(), ..self.draft(YARD, "1.0.0") };
        draft.parameters.extend(parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        draft
    }

    /// The wish for these parameters, once it is deployed.
    pub fn change(&self, parameters: &[(&str, Value)]) -> Intent {
        Intent::Change(self.id.unwrap(), self.yard(parameters))
    }

    /// From now on these rules hold.
    pub fn play(&self, rules: &str) {
        self.faults().play(Scenario::parse(rules).unwrap());
    }

    /// A person changes the custom resource with another tool: what follows is planned without asking the server first.
    pub async fn edit_spec(&self, spec: Value) {
        self.edit(&key(KIND, YARD), "styrmindeployments", json!({"spec": spec})).await;
    }

    /// The same for parameters.
    pub async fn edit_parameters(&self, parameters: Value) {
        self.edit_spec(json!({"parameters": parameters})).await;
    }

    /// Puts the clock forward, and has the engine look at the application.
    pub async fn advance(&self, name: &str, seconds: i64) {
        self.clock.advance(seconds);
        self.tick(name).await;
    }

    /// Something about the application changes that means nothing.
    pub async fn tick(&self, name: &str) {
        let moment = next().to_string();
        let patch = json!({"metadata": {"annotations": {"example.org/tick": moment}}});
        self.edit(&key(KIND, name), "styrmindeployments", patch).await;
    }

    fn api(&self, key: &ObjectKey) -> Api<DynamicObject> {
        let (group, version) = key.api_version.split_once('/').unwrap_or(("", &key.api_version));
        let resource = ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: key.api_version.clone(),
            kind: key.kind.clone(),
            plural: plural(key),
        };
        match key.namespace.as_str() {
            "" => Api::all_with(self.other.clone(), &resource),
            namespace => Api::namespaced_with(self.other.clone(), namespace, &resource),
        }
    }

    /// Another client changes an object.
    pub async fn patch(&self, key: &ObjectKey, manager: &str, patch: Value) {
        let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
        self.api(key).patch(&key.name, &params, &Patch::Merge(&patch)).await.unwrap();
    }

    /// Another client deletes an object.
    pub async fn delete(&self, key: &ObjectKey) {
        self.api(key).delete(&key.name, &DeleteParams::default()).await.unwrap();
    }

    /// Another client creates a namespace.
    pub async fn other_namespace(&self, name: &str) {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let space = ObjectKey { namespace: String::new(), ..key("Namespace", name) };
        self.api(&space).create(&Default::default(), &object).await.unwrap();
    }

    /// An object as the server has it, with its managers.
    pub async fn live(&self, key: &ObjectKey) -> Option<Value> {
        let found = self.api(key).get_opt(&key.name).await.unwrap();
        found.map(|object| serde_json::to_value(object).unwrap())
    }

    /// Waits until the server has an object as `condition` says, whatever the engine knows of it.
    pub async fn until_live(&self, key: &ObjectKey, condition: impl Fn(&Value) -> bool) {
        let holds = |found: Option<&DynamicObject>| {
            found.is_some_and(|object| serde_json::to_value(object).is_ok_and(|object| condition(&object)))
        };
        let reached = kube::runtime::wait::await_condition(self.api(key), &key.name, holds);
        tokio::time::timeout(LIMIT, reached).await.expect("the object becomes so").unwrap();
    }

    /// The managers of a field, by the path of its owned fields (`/f:data/f:text`).
    pub async fn managers(&self, key: &ObjectKey, field: &str) -> Vec<String> {
        let live = self.live(key).await.unwrap();
        let entries = live["metadata"]["managedFields"].as_array().unwrap().clone();
        let owners = entries.iter().filter(|entry| entry["fieldsV1"].pointer(field).is_some());
        let mut names: Vec<String> =
            owners.map(|entry| entry["manager"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// Waits until the newest operation is as `condition` says.
    pub async fn until_operation(
        &self,
        name: &str,
        what: &str,
        condition: impl Fn(&OperationView) -> bool,
    ) -> OperationView {
        let newest = async || self.operations(name).await.into_iter().next().filter(&condition);
        self.until_recorded(name, what, newest).await
    }

    /// Looks again whenever something was recorded, until there is what is looked for.
    async fn until_recorded<T>(&self, name: &str, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let mut recorded = self.store.changes();
        let found = async {
            loop {
                recorded.mark_unchanged();
                if let Some(found) = look().await {
                    return found;
                }
                recorded.changed().await.unwrap();
            }
        };
        tokio::select! {
            found = found => found,
            () = self.explain(name) => panic!("{what}"),
        }
    }

    /// Waits until the newest operation has ended like this, and is about this instance when one is named.
    pub async fn until_ended(
        &self,
        name: &str,
        state: OperationState,
        instance: Option<u32>,
    ) -> OperationView {
        let about = |view: &OperationView| instance.is_none() || view.operation.goal.instance == instance;
        let what = format!("it ends {}", state.as_str());
        self.until_operation(name, &what, |view| view.operation.state == state && about(view)).await
    }

    /// Waits until an operation about this instance has ended like this, and gives the first one: what failed and was confirmed by
    /// nobody is planned anew after a moment, and the newest one may be another by then.
    pub async fn until_first_ended(&self, name: &str, state: OperationState, instance: u32) -> OperationView {
        let ended = |view: &OperationView| {
            view.operation.state == state && view.operation.goal.instance == Some(instance)
        };
        let first = async || self.operations(name).await.into_iter().rev().find(&ended);
        self.until_recorded(name, &format!("it ends {}", state.as_str()), first).await
    }

    /// Waits until something with these words was told of a step of the operation about this instance, which is the newest then.
    pub async fn until_told(&self, name: &str, instance: u32, step: &str, words: &str) {
        let what = format!("'{step}' of instance {instance} says '{words}'");
        let is_it = |view: &OperationView| view.operation.goal.instance == Some(instance);
        let view = self.until_operation(name, &what, is_it).await;
        let position = view.operation.plan.steps.iter().position(|known| known.name == step);
        let position = position.unwrap_or_else(|| panic!("no step '{step}' in {}", view.operation.plan));
        let told = async || {
            let events = self.store.operation_events(view.operation.id).await.unwrap();
            events.into_iter().find(|event| event.step == Some(position) && event.message.contains(words))
        };
        self.until_recorded(name, &what, told).await;
    }

    /// Waits until a step is to be tried again for a reason with these words; gives its position and the operation.
    pub async fn until_retrying(&self, name: &str, words: &str) -> (usize, OperationView) {
        let find = |view: &OperationView| {
            view.steps.iter().position(|step| {
                step.state == StepState::Retrying
                    && step.problem.as_ref().is_some_and(|problem| problem.to_string().contains(words))
            })
        };
        let what = format!("a step waits because of '{words}'");
        let view = self.until_operation(name, &what, |view| find(view).is_some()).await;
        (find(&view).unwrap(), view)
    }

    /// The step of the newest operation with this name.
    pub async fn step(&self, name: &str, step: &str) -> (StepState, String) {
        step_of(&self.operations(name).await[0], step)
    }

    /// What happened during an operation, in words.
    pub async fn told(&self, view: &OperationView) -> String {
        let events = self.store.operation_events(view.operation.id).await.unwrap();
        events.into_iter().map(|event| event.message).collect::<Vec<_>>().join("\n")
    }

    /// What keeps an application from going on, as the cockpit shows it.
    pub async fn until_problem(&self, name: &str, words: &str) -> Problem {
        let wanted = Name { namespace: self.environment.clone(), name: name.to_owned() };
        let find = || {
            let problem = self.engine.problems().remove(&wanted)?.problem;
            problem.to_string().contains(words).then_some(problem)
        };
        let what = format!("{name} says '{words}'");
        tokio::select! {
            problem = until(&self.cluster, &what, find) => problem,
            () = self.explain(name) => panic!("{what}"),
        }
    }

    /// Waits until a condition of the custom resource has this status, with a message that has these words.
    pub async fn until_condition(&self, name: &str, kind: &str, status: &str, words: &str) {
        self.until_resource(name, &format!("{kind} is {status}: {words}"), |resource| {
            resource.status.conditions.iter().any(|condition| {
                condition.kind == kind && condition.status == status && condition.message.contains(words)
            })
        })
        .await;
    }
}

impl Bench {
    /// Waits until the engine has looked at everything.
    pub async fn until_idle(&self) {
        let mut idle = self.engine.idle();
        tokio::select! {
            found = idle.wait_for(|idle| *idle) => drop(found.unwrap()),
            () = self.explain(YARD) => {}
        }
    }

    /// Waits until nothing is left to tell of an application that runs: how its components are shows at their pods, which come by
    /// another watch than the workloads by which it runs.
    pub async fn until_all_is_told(&self, name: &str) {
        self.until_resource(name, "its components are healthy", |known| {
            let components = &known.status.components;
            let mut healths = components.iter().map(|component| component.health.as_str());
            !components.is_empty() && healths.all(|health| health == Health::Healthy.as_str())
        })
        .await;
        self.until_idle().await;
    }

    /// Has whoever carries the application's operation on look at it, and waits until that was done: another generation of the
    /// custom resource that asks for nothing new shows in its status.
    pub async fn is_looked_at(&self, name: &str) {
        let moment = next().to_string();
        let patch = json!({"spec": {"context": {"looked": moment}}});
        self.edit(&key(KIND, name), "styrmindeployments", patch).await;
        let wanted = self.live(&key(KIND, name)).await.unwrap()["metadata"]["generation"].as_i64();
        self.until_resource(name, "it is looked at", |known| known.status.observed_generation >= wanted)
            .await;
    }

    /// Does something that wakes the engine, and waits until it has looked at it.
    pub async fn wakes(&self, cause: impl AsyncFn()) {
        self.until_idle().await;
        let mut idle = self.engine.idle();
        idle.mark_unchanged();
        cause().await;
        tokio::select! {
            woken = idle.changed() => woken.unwrap(),
            () = self.explain(YARD) => {}
        }
        self.until_idle().await;
    }
}
