//! The objects of an environment itself: what of them is written and deleted when it is made, changed or taken away.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cluster::{ApplyOptions, ClusterError, DeleteOptions, key};
use crate::domain::canonical::canonical_digest;
use crate::domain::diff::ObjectDiff;
use crate::domain::plan::Verb;
use crate::domain::route::Isolation;
use crate::domain::{Environment, ObjectKey, Problem, Step};
use crate::operate::{Done, StepError};
use crate::reconcile::engine::Engine;
use crate::reconcile::execute::{failed, lasting};
use crate::reconcile::place::{self, POLICY, is_ours, without_our_mark};

/// The kinds of objects that an environment consists of, beside its namespace.
const KINDS: [(&str, &str); 2] = [("v1", "ResourceQuota"), ("networking.k8s.io/v1", POLICY)];

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
        let live = self.look_at(environment, &mut home.warnings).await?;
        let objects = place::objects(environment);
        let left = match live {
            Live::Missing => Vec::new(),
            _ => self.home_objects(environment, &mut home.warnings).await?,
        };
        for object in &objects {
            let found = key(object);
            let step = match &live {
                Live::Missing => {
                    home.diffs.push(ObjectDiff::between(found.clone(), None, Some(object)));
                    Some(written(Verb::Create, object))
                }
                Live::Ours => self.compared(object, &mut home).await?,
                Live::Foreign if found == namespace => match place::labels_only(object) {
                    Some(object) => self.compared(&object, &mut home).await?,
                    None => None,
                },
                Live::Foreign => self.compared(object, &mut home).await?,
            };
            let Some(step) = step else { continue };
            // nothing runs yet in a namespace that is missing
            match keeps_more(object, &left) && !matches!(live, Live::Missing) {
                true => home.late.push(step),
                false => home.early.push(step),
            }
        }
        if let Live::Foreign = live {
            let name = &environment.namespace;
            home.warnings
                .push(format!("the namespace {name} exists already: it stays when the environment goes"));
            if !home.late.is_empty() {
                home.warnings.push(format!("what others run in {name} is kept from connections too"));
            }
        }
        let wanted: Vec<ObjectKey> = objects.iter().map(key).collect();
        for left in left.iter().filter(|left| !wanted.contains(&key(left))) {
            home.diffs.push(ObjectDiff::between(key(left), Some(left), None));
            home.early.push(deleted(left));
        }
        Ok(home)
    }

    /// In a namespace that others made may be pods of theirs: an environment that is made there by the way keeps nobody away from
    /// them. Gives what there is to know.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub(in crate::reconcile) async fn spare_others(
        &self,
        environment: &mut Environment,
    ) -> Result<Vec<String>, Problem> {
        let mut said = Vec::new();
        let live = self.look_at(environment, &mut said).await?;
        let isolation = environment.routing.isolation;
        if let (Live::Foreign, Some(_)) = (live, Isolation::in_force(isolation)) {
            environment.routing.isolation = Some(Isolation::Off);
            let (name, namespace) = (&environment.name, &environment.namespace);
            said.push(format!(
                "connections to {name} are not kept away: the namespace {namespace} is not Styrmin's, and others may run \
                 something in it (to have it all the same: styrmin environment set {name} --isolation inbound)"
            ));
        }
        Ok(said)
    }

    /// What becomes of the objects of an environment that is taken away.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub(super) async fn end_of_home(&self, environment: &Environment) -> Result<End, Problem> {
        let mut end = End::default();
        let name = &environment.namespace;
        match self.look_at(environment, &mut end.warnings).await? {
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
        let namespace = namespace.to_owned();
        let kind = ObjectKey { namespace, ..ObjectKey::every("v1", "PersistentVolumeClaim") };
        let names: Vec<String> = match self.cluster().list(&kind).await {
            Ok(all) => all.iter().map(|claim| key(claim).name).collect(),
            Err(ClusterError::Forbidden { .. }) => return Ok(None),
            Err(error) => return Err(error.problem()),
        };
        let told = || format!("volumes are lost with everything on them: {}", names.join(", "));
        Ok((!names.is_empty()).then(told))
    }

    /// Whether the namespace of an environment is there, and was made for it.
    async fn look_at(&self, environment: &Environment, warnings: &mut Vec<String>) -> Result<Live, Problem> {
        let namespace = key(&place::namespace(environment));
        match self.cluster().get(&namespace).await {
            Ok(None) => Ok(Live::Missing),
            Ok(Some(live)) if is_ours(&live, &environment.name) => Ok(Live::Ours),
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
            let namespace = environment.namespace.clone();
            let of_kind = ObjectKey { namespace, ..ObjectKey::every(api_version, kind) };
            match self.cluster().list(&of_kind).await {
                Ok(all) => found.extend(all.into_iter().filter(|it| is_ours(it, &environment.name))),
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
        // a namespace of others was planned without our mark
        let candidates = wanted.map(|wanted| [without_our_mark(&wanted), wanted]);
        let planned = |it: &Value| canonical_digest(it) == step.digest;
        let Some(wanted) = candidates.into_iter().flatten().find(planned) else {
            return Err(lasting(Problem::new(
                format!("{object} is not part of {}", environment.name),
                "it was planned by another version of Styrmin",
                "cancel it and plan it again",
            )));
        };
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
            Ok(live) => Ok(live.is_some_and(|live| is_ours(&live, &environment.name))),
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

/// The directions in which a policy keeps everything away that none lets through, from all pods of its namespace.
fn directions(object: &Value) -> Vec<&str> {
    let spec = &object["spec"];
    let is_for_all = spec["podSelector"].as_object().is_some_and(serde_json::Map::is_empty);
    let types = spec["policyTypes"].as_array().filter(|_| object["kind"] == POLICY && is_for_all);
    types.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether a policy keeps away what those that are there let pass.
fn keeps_more(object: &Value, left: &[Value]) -> bool {
    let kept: BTreeSet<&str> = left.iter().flat_map(directions).collect();
    directions(object).iter().any(|way| !kept.contains(way))
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
    use crate::domain::route::{IssuerRef, TlsSource};

    /// What of the policies of an environment is new in its directions, beside what is there.
    fn more(before: Option<Isolation>, now: Isolation) -> Vec<String> {
        let objects = |isolation| {
            let mut environment = Environment::new("demo", "c", "demo");
            environment.routing.isolation = isolation;
            environment.routing.tls = TlsSource::Issuer(IssuerRef { name: "le".into(), cluster_wide: true });
            place::objects(&environment)
        };
        let left = objects(before);
        let wanted = objects(Some(now));
        wanted.iter().filter(|it| keeps_more(it, &left)).map(|object| key(object).name).collect()
    }

    #[test]
    fn what_keeps_more_away_comes_late_and_names_first() {
        assert_eq!(more(None, Isolation::Inbound), ["styrmin-same-namespace", "styrmin-default-deny"]);
        let all = ["styrmin-dns", "styrmin-same-namespace", "styrmin-default-deny"];
        assert_eq!(more(None, Isolation::Both), all);
        assert_eq!(more(Some(Isolation::Inbound), Isolation::Both), all, "an update may keep more away");
        assert!(more(Some(Isolation::Both), Isolation::Inbound).is_empty());
        assert!(more(Some(Isolation::Both), Isolation::Both).is_empty());
    }
}
