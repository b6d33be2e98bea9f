//! The objects of an environment itself: what of them is written and deleted when it is made, changed or taken away.

use serde_json::Value;

use crate::cluster::{ApplyOptions, ClusterError, DeleteOptions, key};
use crate::domain::canonical::canonical_digest;
use crate::domain::diff::ObjectDiff;
use crate::domain::plan::Verb;
use crate::domain::{Environment, ObjectKey, Problem, Step, labels};
use crate::operate::{Done, StepError};
use crate::reconcile::engine::Engine;
use crate::reconcile::execute::{failed, lasting};
use crate::reconcile::place;

/// The kinds of objects that an environment consists of, beside its namespace.
const KINDS: [(&str, &str); 2] = [("v1", "ResourceQuota"), ("networking.k8s.io/v1", "NetworkPolicy")];
/// The kind that keeps connections away.
const POLICY: &str = "NetworkPolicy";

/// What changes of the objects of an environment.
#[derive(Default)]
pub(super) struct Home {
    /// Before the applications are looked after.
    pub early: Vec<Step>,
    /// After them: what keeps connections away comes when the ways around it are there.
    pub late: Vec<Step>,
    /// Line by line.
    pub diffs: Vec<ObjectDiff>,
    /// Worth knowing.
    pub warnings: Vec<String>,
}

/// What becomes of an environment that is taken away.
#[derive(Default)]
pub(super) struct End {
    /// What is deleted one by one, where the namespace stays.
    pub steps: Vec<Step>,
    /// What becomes of the namespace.
    pub note: String,
    /// Worth knowing.
    pub warnings: Vec<String>,
}

impl Engine {
    /// What is to be written and deleted so that the objects of an environment are as it says.
    ///
    /// # Errors
    /// The cluster does not answer, or refuses one of them.
    pub(super) async fn home(&self, environment: &Environment) -> Result<Home, Problem> {
        let mut home = Home::default();
        let namespace = key(&place::namespace(environment));
        let live = self.look_at(&namespace, &mut home.warnings).await?;
        let objects = place::objects(environment);
        for object in &objects {
            let found = key(object);
            let step = match &live {
                Live::Missing => {
                    home.diffs.push(ObjectDiff::between(found.clone(), None, Some(object)));
                    Some(written(Verb::Create, object))
                }
                Live::Ours => self.compared(object, &mut home).await?,
                Live::Foreign if found == namespace => {
                    let object = without_our_mark(object);
                    match environment.labels.is_empty() {
                        true => None,
                        false => self.compared(&object, &mut home).await?,
                    }
                }
                Live::Foreign => self.compared(object, &mut home).await?,
            };
            let Some(step) = step else { continue };
            match found.kind == POLICY && step.verb == Verb::Create && !matches!(live, Live::Missing) {
                true => home.late.push(step),
                false => home.early.push(step),
            }
        }
        if let Live::Foreign = live {
            let name = &environment.namespace;
            home.warnings
                .push(format!("the namespace {name} exists already: it stays when the environment goes"));
        }
        let wanted: Vec<ObjectKey> = objects.iter().map(key).collect();
        if !matches!(live, Live::Missing) {
            for left in self.home_objects(environment, &mut home.warnings).await? {
                let found = key(&left);
                if !wanted.contains(&found) {
                    home.diffs.push(ObjectDiff::between(found, Some(&left), None));
                    home.early.push(deleted(&left));
                }
            }
        }
        Ok(home)
    }

    /// What becomes of the objects of an environment that is taken away.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub(super) async fn end_of_home(&self, environment: &Environment) -> Result<End, Problem> {
        let mut end = End::default();
        let (name, namespace) = (&environment.namespace, key(&place::namespace(environment)));
        match self.look_at(&namespace, &mut end.warnings).await? {
            Live::Missing => end.note = format!("the namespace {name} is not there"),
            Live::Ours => {
                end.note = format!("the namespace {name}, with everything that is left in it");
                end.warnings.extend(self.claims_left(name).await?);
            }
            Live::Foreign => {
                end.note = format!("the namespace {name} stays: it was there before");
                let left = self.home_objects(environment, &mut end.warnings).await?;
                end.steps = left.iter().map(deleted).collect();
            }
        }
        Ok(end)
    }

    /// The volumes that go with a namespace.
    async fn claims_left(&self, namespace: &str) -> Result<Option<String>, Problem> {
        let kind = ObjectKey {
            api_version: "v1".to_owned(),
            kind: "PersistentVolumeClaim".to_owned(),
            namespace: namespace.to_owned(),
            name: String::new(),
        };
        let names: Vec<String> = match self.cluster().list(&kind).await {
            Ok(all) => all.iter().map(|claim| key(claim).name).collect(),
            Err(ClusterError::Forbidden { .. }) => return Ok(None),
            Err(error) => return Err(error.problem()),
        };
        let told = || format!("volumes are lost with everything on them: {}", names.join(", "));
        Ok((!names.is_empty()).then(told))
    }

    /// Whether a namespace is there, and ours.
    async fn look_at(&self, namespace: &ObjectKey, warnings: &mut Vec<String>) -> Result<Live, Problem> {
        match self.cluster().get(namespace).await {
            Ok(None) => Ok(Live::Missing),
            Ok(Some(live)) if is_ours(&live, None) => Ok(Live::Ours),
            Ok(Some(_)) => Ok(Live::Foreign),
            Err(ClusterError::Forbidden { .. }) => {
                warnings.push(format!("whether {namespace} exists may not be asked; it is taken to"));
                Ok(Live::Foreign)
            }
            Err(error) => Err(error.problem()),
        }
    }

    /// What the server says to an object; none when it is so already.
    async fn compared(&self, object: &Value, home: &mut Home) -> Result<Option<Step>, Problem> {
        let compared = self.cluster().compare(object, false).await.map_err(|error| error.problem())?;
        if compared.verb == Verb::Unchanged {
            return Ok(None);
        }
        let diff = ObjectDiff::between(key(object), compared.live.as_ref(), Some(&compared.after));
        home.diffs.push(diff);
        Ok(Some(written(compared.verb, object)))
    }

    /// The objects in the namespace that belong to the environment itself. What may not be looked at is told.
    async fn home_objects(
        &self,
        environment: &Environment,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Value>, Problem> {
        let mut found = Vec::new();
        for (api_version, kind) in KINDS {
            let of_kind = ObjectKey {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
                namespace: environment.namespace.clone(),
                name: String::new(),
            };
            match self.cluster().list(&of_kind).await {
                Ok(all) => found.extend(all.into_iter().filter(|it| is_ours(it, Some(&environment.name)))),
                Err(ClusterError::Unserved { .. }) => {}
                Err(ClusterError::Forbidden { .. }) => warnings.push(format!(
                    "whether a {kind} is left that is not wanted any more was not looked for: the list is denied"
                )),
                Err(error) => return Err(error.problem()),
            }
        }
        Ok(found)
    }

    /// Writes or deletes an object of the environment, as the step says.
    ///
    /// # Errors
    /// What the cluster says; and when it is no object of the environment.
    pub(in crate::reconcile::group) async fn carry_home(
        &self,
        environment: &Environment,
        step: &Step,
        object: &ObjectKey,
    ) -> Result<Done, StepError> {
        if step.verb == Verb::Delete {
            let uid = step.expects.uid.clone();
            return match self.cluster().delete(object, &DeleteOptions { uid, foreground: false }).await {
                // another one of that name is not ours to delete
                Ok(()) | Err(ClusterError::Stale { .. }) => Ok(Done::default()),
                Err(error) => Err(failed(error)),
            };
        }
        let wanted = place::objects(environment).into_iter().find(|wanted| key(wanted) == *object);
        let Some(mut wanted) = wanted else {
            return Err(lasting(Problem::new(
                format!("{object} is not part of {}", environment.name),
                "it was planned by another version of Styrmin",
                "cancel it and plan it again",
            )));
        };
        if canonical_digest(&wanted) != step.digest {
            wanted = without_our_mark(&wanted);
        }
        self.cluster().watch_namespace(&environment.namespace);
        let options = ApplyOptions { dry_run: false, force: false };
        let applied = self.cluster().apply(&wanted, options).await.map_err(failed)?;
        Ok(Done { output: Some(applied.uid), ..Done::default() })
    }

    /// Whether the namespace of an environment was made for it: only then it goes with it.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub(in crate::reconcile::group) async fn owns_namespace(
        &self,
        environment: &Environment,
    ) -> Result<bool, ClusterError> {
        match self.cluster().get(&key(&place::namespace(environment))).await {
            Ok(live) => Ok(live.is_some_and(|live| is_ours(&live, Some(&environment.name)))),
            // the plan said that it stays
            Err(ClusterError::Forbidden { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A namespace as it is.
enum Live {
    Missing,
    Ours,
    Foreign,
}

/// Whether an object belongs to an environment itself, and to none of its applications.
fn is_ours(object: &Value, environment: Option<&str>) -> bool {
    let all = &object["metadata"]["labels"];
    all[labels::MANAGED_BY] == labels::MANAGER
        && all[labels::DEPLOYMENT].is_null()
        && environment.is_none_or(|name| all[labels::ENVIRONMENT] == name)
}

/// A namespace that others made gets labels, but does not become ours.
fn without_our_mark(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(all) = object["metadata"]["labels"].as_object_mut() {
        all.remove(labels::MANAGED_BY);
        all.remove(labels::ENVIRONMENT);
    }
    object
}

fn written(verb: Verb, object: &Value) -> Step {
    Step { digest: canonical_digest(object), ..Step::on(verb, key(object)) }
}

fn deleted(live: &Value) -> Step {
    let mut step = Step::on(Verb::Delete, key(live));
    step.expects.uid = live["metadata"]["uid"].as_str().map(str::to_owned);
    step
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_belongs_to_an_application_or_somebody_else_is_not_of_the_environment() {
        let object = |labels: Value| json!({"metadata": {"labels": labels}});
        let own = object(json!({labels::MANAGED_BY: "styrmin", labels::ENVIRONMENT: "demo"}));
        assert!(is_ours(&own, Some("demo")) && is_ours(&own, None) && !is_ours(&own, Some("live")));
        let of_application = json!({labels::MANAGED_BY: "styrmin", labels::ENVIRONMENT: "demo",
            labels::DEPLOYMENT: "notes"});
        assert!(!is_ours(&object(of_application), Some("demo")));
        assert!(!is_ours(&object(json!({labels::ENVIRONMENT: "demo"})), Some("demo")));
        assert!(!is_ours(&json!({"metadata": {}}), None));
    }

    #[test]
    fn a_namespace_of_others_gets_labels_and_not_our_mark() {
        let mut environment = Environment::new("demo", "c", "shared");
        environment.labels.insert("team".into(), "blue".into());
        let object = without_our_mark(&place::namespace(&environment));
        assert_eq!(object["metadata"]["labels"], json!({"team": "blue"}));
    }
}
