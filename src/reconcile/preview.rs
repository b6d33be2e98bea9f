//! A plan as a person sees it before it is confirmed: what the server says to each write, and what changes line by line.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use serde_json::Value;

use crate::cluster::{ClusterError, Comparison, KIND, key};
use crate::domain::diff::ObjectDiff;
use crate::domain::environment::is_own_ingress;
use crate::domain::plan::{Class, Verb};
use crate::domain::{DriftMode, ObjectKey, OperationKind, Plan, Preview, Problem, Resolution, Step, labels};

use crate::driver::Rendering;

use super::draw::Drawn;
use super::engine::Engine;
use super::execute::is_immutable;
use super::group::check_https;
use super::observe::Observed;
use super::owner::Owner;
use super::place;
use super::queue::Name;
use super::routing;
use super::wish::Wish;

/// How many objects are asked about at once.
const AT_ONCE: usize = 8;

/// A plan that is ready to be confirmed.
pub(super) struct Proposed {
    pub preview: Preview,
    pub drawn: Drawn,
    /// The instance that is applied, when none is frozen for it.
    pub instance: Option<u32>,
}

impl Engine {
    /// What carrying out `wish` would do, as the cluster sees it.
    ///
    /// # Errors
    /// What would make it fail: objects that collide with another deployment's, what the cluster refuses.
    pub(super) async fn propose(&self, wish: &Wish) -> Result<Proposed, Problem> {
        let (namespace, draft) = (&wish.setting.environment.namespace, &wish.order.record.draft);
        self.cluster().check_sayable(namespace, draft).map_err(|error| explain(&error))?;
        let is_wished = matches!(
            wish.order.kind,
            OperationKind::Deploy | OperationKind::Update | OperationKind::Upgrade | OperationKind::Rollback
        );
        let (record, environment) = (&wish.order.record, &wish.setting.environment);
        if is_wished && environment.dedicated_ingress.is_some() && is_own_ingress(&record.draft) {
            check_https(record, environment)?;
        }
        let mut proposed = self.propose_unchecked(wish).await?;
        if let Some(instance) = proposed.drawn.instance.as_ref().filter(|_| is_wished) {
            let before = self.store().latest_instance(wish.order.record.id).await?;
            let before = before.as_ref().map(|instance| &instance.context);
            let objects = &proposed.drawn.parts.objects;
            let said = self.check_hosts(&wish.order.record, before, &instance.context, objects).await?;
            proposed.preview.plan.warnings.extend(said);
        }
        Ok(proposed)
    }

    /// The same, without a look at who else answers to its hosts.
    ///
    /// # Errors
    /// As [`Self::propose`].
    pub(super) async fn propose_unchecked(&self, wish: &Wish) -> Result<Proposed, Problem> {
        let environment = &wish.setting.environment;
        let draft = &wish.order.record.draft;
        let name = Name { namespace: environment.namespace.clone(), name: draft.name.clone() };
        let mut observed =
            self.observe_as(&name, Some(wish.setting.clone()), Some(wish.order.record.clone())).await?;
        let seedless = self.plan_seed(&name, &mut observed, wish.order.kind)?;
        let mut drawn = self.draw(&name, &mut observed, &wish.order).await?;
        let mut plan = std::mem::take(&mut drawn.plan);
        let mut home = Verb::Unchanged;
        if wish.order.kind == OperationKind::Deploy {
            home = self.judge_home(wish, &mut plan).await?;
            self.show_resource(wish, &mut plan).await?;
        }
        let manner = Manner {
            name: &draft.name,
            environment: &environment.name,
            defined: defined(&drawn.parts),
            blindly: home == Verb::Create,
            forced: forced(&observed, wish.order.kind),
            ours: ours(&observed),
        };
        plan.warnings.extend(seedless);
        plan.warnings.extend(drawn.parts.warnings.iter().cloned());
        let diffs = self.refine(&mut plan, &drawn.parts, &manner).await?;
        if !wish.environment_known {
            plan.facts.extend(routing::facts(environment));
            plan.warnings.push(match home {
                Verb::Create => format!("the environment {} is new", draft.environment),
                _ => format!(
                    "the environment {0} is new, in the namespace {0} that exists already",
                    draft.environment
                ),
            });
        }
        for said in &wish.said {
            if !plan.warnings.contains(said) {
                plan.warnings.push(said.clone());
            }
        }
        plan.warnings.extend(shared(&drawn.parts));
        // Back one may always go, and should know what the driver says about it.
        if wish.order.kind == OperationKind::Rollback
            && let Some(driver) = &observed.driver
            && let Err(problem) = self.check_upgrade(wish.order.record.id, draft, driver).await
        {
            plan.warnings.push(problem.why);
        }
        let notes = drawn.parts.notes.clone();
        let preview = Preview { kind: Some(wish.order.kind), plan, diffs, notes };
        let newest = observed.situation.newest.as_ref().map(|instance| instance.number);
        let instance = newest.filter(|_| drawn.instance.is_none());
        Ok(Proposed { preview, instance, drawn })
    }

    /// What becomes of the environment's own objects.
    async fn judge_home(&self, wish: &Wish, plan: &mut Plan) -> Result<Verb, Problem> {
        let mut home = Verb::Unchanged;
        for object in place::objects(&wish.setting.environment) {
            let key = key(&object);
            let Some(step) = plan.steps.iter_mut().find(|step| step.object.as_ref() == Some(&key)) else {
                continue;
            };
            let verb = match (key.kind == "Namespace", home) {
                (false, Verb::Create) => Verb::Create,
                (false, _) => {
                    let compared = self.cluster().compare(&object, false).await;
                    compared.map_err(|error| explain(&error))?.verb
                }
                (true, _) => match self.cluster().get(&key).await {
                    Ok(None) => Verb::Create,
                    // one that exists is taken as it is, with the labels of the environment
                    Ok(Some(_)) if wish.setting.environment.labels.is_empty() => Verb::Unchanged,
                    Ok(Some(live)) => {
                        if !place::is_ours(&live, &wish.setting.environment.name) {
                            "it was there before: it gets the labels, and stays whose it is"
                                .clone_into(&mut step.note);
                        }
                        Verb::Update
                    }
                    Err(ClusterError::Forbidden { .. }) => {
                        plan.warnings.push(format!("whether {key} exists may not be asked; it is taken to"));
                        Verb::Unchanged
                    }
                    Err(error) => return Err(error.problem()),
                },
            };
            rename(step, verb);
            if key.kind == "Namespace" {
                home = verb;
            }
        }
        Ok(home)
    }

    /// The custom resource is created with the deployment.
    async fn show_resource(&self, wish: &Wish, plan: &mut Plan) -> Result<(), Problem> {
        let record = &wish.order.record;
        let namespace = &wish.setting.environment.namespace;
        let object = self.cluster().desired_object(namespace, &record.draft, record.phase);
        let key = key(&object);
        self.cluster().is_namespaced(&key).await.map_err(|error| explain(&error))?;
        let Some(step) = plan.steps.iter_mut().find(|step| step.object.as_ref() == Some(&key)) else {
            return Ok(());
        };
        step.note = super::note::note(&object);
        step.digest = crate::domain::canonical::canonical_digest(&object);
        Ok(())
    }

    /// Asks the server about every write, and says what would change.
    async fn refine(
        &self,
        plan: &mut Plan,
        parts: &Rendering,
        manner: &Manner<'_>,
    ) -> Result<Vec<ObjectDiff>, Problem> {
        let hooks = parts.hooks.iter().map(|hook| &hook.object);
        let objects = parts.objects.iter().chain(&parts.definitions).chain(hooks);
        let by_key: BTreeMap<ObjectKey, &Value> = objects.map(|object| (key(object), object)).collect();
        // owned, so that the requests may wait on any thread
        let asked: Vec<(usize, Value)> = (plan.steps.iter().enumerate())
            .filter(|(_, step)| matches!(step.verb, Verb::Create | Verb::Update | Verb::Adopt))
            .filter_map(|(position, step)| Some((position, Value::clone(by_key.get(step.object.as_ref()?)?))))
            .collect();
        let answers: Vec<(usize, Value, Result<Comparison, ClusterError>)> = futures::stream::iter(asked)
            .map(|(position, object)| async move {
                let found = key(&object);
                let answer = match manner.blindly && !found.namespace.is_empty() {
                    true => self.blind(&object).await,
                    false => self.cluster().compare(&object, manner.forced.contains(&found)).await,
                };
                (position, object, answer)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut diffs = Vec::new();
        for (position, object, answer) in answers {
            diffs.extend(judge(plan, position, &object, answer, manner)?);
        }
        Ok(diffs)
    }

    /// An object of a namespace that does not exist yet: it will be created, if its kind is known at all.
    async fn blind(&self, object: &Value) -> Result<Comparison, ClusterError> {
        self.cluster().is_namespaced(&key(object)).await?;
        Ok(Comparison { verb: Verb::Create, live: None, after: object.clone() })
    }
}

/// How the server is asked.
struct Manner<'a> {
    /// The deployment's name.
    name: &'a str,
    /// Its environment's.
    environment: &'a str,
    /// Group and kind of the custom resources that the plan itself defines.
    defined: BTreeSet<(String, String)>,
    /// Whether the namespace does not exist yet, so that nothing in it can be asked about.
    blindly: bool,
    /// The objects that are applied by force: what is previewed is what runs.
    forced: BTreeSet<ObjectKey>,
    /// The objects that belong to the application already.
    ours: BTreeSet<ObjectKey>,
}

fn ours(observed: &Observed) -> BTreeSet<ObjectKey> {
    let live = observed.situation.live.iter();
    live.filter(|(_, live)| live.ours).map(|(key, _)| key.clone()).collect()
}

/// The objects whose fields are taken from others when they are applied.
fn forced(observed: &Observed, kind: OperationKind) -> BTreeSet<ObjectKey> {
    let situation = &observed.situation;
    let live = situation.live.iter();
    let ours = live.filter(|(_, live)| live.owned.is_some()).map(|(key, _)| key);
    let taken = observed.resolutions.iter().filter(|known| known.resolution == Resolution::Take);
    let corrects = kind == OperationKind::Correct || situation.work.drift == DriftMode::Correct;
    let corrected = ours.filter(|_| corrects);
    taken.map(|known| &known.key).chain(corrected).cloned().collect()
}

/// Takes the server's answer for the step at `position` into the plan.
fn judge(
    plan: &mut Plan,
    position: usize,
    object: &Value,
    answer: Result<Comparison, ClusterError>,
    manner: &Manner<'_>,
) -> Result<Option<ObjectDiff>, Problem> {
    let found = key(object);
    let Some(step) = plan.steps.get_mut(position) else { return Ok(None) };
    let comparison = match answer {
        Ok(comparison) => comparison,
        Err(error) if is_immutable(&error) => {
            rename(step, Verb::Replace);
            step.class = Class::Destructive;
            plan.warnings.push(format!("{found} cannot be changed in place: it is deleted and created anew"));
            return Ok(Some(ObjectDiff::between(found, None, Some(object))));
        }
        // its kind is defined by the same plan
        Err(ClusterError::Unserved { .. }) if manner.defined.contains(&group_and_kind(&found)) => {
            Comparison { verb: Verb::Create, live: None, after: object.clone() }
        }
        Err(error @ ClusterError::Conflict { .. }) if !manner.ours.contains(&found) => {
            return Err(Problem {
                next: "another tool made it: have it removed there or let go of these fields, or choose another name"
                    .to_owned(),
                ..error.problem()
            });
        }
        Err(error) => return Err(explain(&error)),
    };
    if let Some(live) = comparison.live.as_ref().filter(|_| is_defined_once(object)) {
        rename(step, Verb::Unchanged);
        step.expects.uid = live["metadata"]["uid"].as_str().map(str::to_owned);
        step.note = "it is defined already, and stays as it is".to_owned();
        return Ok(None);
    }
    let mut verb = comparison.verb;
    if let Some(live) = &comparison.live {
        let label = |name: &str| live["metadata"]["labels"][name].as_str();
        match Owner::of(label, manner.environment) {
            Some(other) if other.deployment != manner.name || other.environment != manner.environment => {
                return Err(collision(&found, &other));
            }
            None => {
                verb = Verb::Adopt;
                plan.warnings.push(format!("{found} exists already and becomes part of {}", manner.name));
            }
            _ => {}
        }
    }
    if verb == Verb::Unchanged {
        // it is written once all the same, so that it is known to be ours
        verb = Verb::Update;
        step.note = format!("{} (as it is)", step.note).trim_start().to_owned();
    }
    if verb != step.verb {
        rename(step, verb);
    }
    step.expects.uid = match &comparison.live {
        Some(live) => live["metadata"]["uid"].as_str().map(str::to_owned),
        None => Some(String::new()),
    };
    let diff = ObjectDiff::between(found, comparison.live.as_ref(), Some(&comparison.after));
    Ok((!diff.is_empty()).then_some(diff))
}

/// Group and kind of what the definitions among `objects` define.
fn defined(parts: &Rendering) -> BTreeSet<(String, String)> {
    let objects = parts.objects.iter().chain(&parts.definitions);
    let definitions = objects.filter(|object| object["kind"] == "CustomResourceDefinition");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    definitions.map(|found| (text(&found["spec"]["group"]), text(&found["spec"]["names"]["kind"]))).collect()
}

fn group_and_kind(key: &ObjectKey) -> (String, String) {
    let group = key.api_version.split_once('/').map_or("", |(group, _)| group);
    (group.to_owned(), key.kind.clone())
}

/// Whether an object is a definition that belongs to nobody: it is made where it is missing, and never changed.
pub(super) fn is_defined_once(object: &Value) -> bool {
    object["kind"] == "CustomResourceDefinition" && object["metadata"]["labels"][labels::DEPLOYMENT].is_null()
}

/// What is written outside of the environment.
fn shared(parts: &Rendering) -> Option<String> {
    let keys = parts.objects.iter().chain(&parts.definitions).map(key).filter(|key| key.namespace.is_empty());
    let names: Vec<String> = keys.map(|key| key.to_string()).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("{one} belongs to the whole cluster, not to the environment alone")),
        many => {
            Some(format!("{} belong to the whole cluster, not to the environment alone", many.join(", ")))
        }
    }
}

/// Gives a step another verb, in its name too.
fn rename(step: &mut Step, verb: Verb) {
    if let Some(object) = &step.object {
        // the moment of a hook stays in front
        let moment = step.name.split_once(": ").map_or(String::new(), |(moment, _)| format!("{moment}: "));
        step.name = format!("{moment}{} {object}", verb.as_str());
    }
    step.verb = verb;
}

/// Two deployments want the same object.
pub(super) fn collision(object: &ObjectKey, other: &Owner) -> Problem {
    let Owner { environment, deployment } = other;
    let (whose, why) = match object.namespace.is_empty() {
        true => (
            format!("'{deployment}' of {environment}"),
            "two deployments cannot share an object of the whole cluster",
        ),
        false => (format!("'{deployment}'"), "two deployments of an environment cannot share an object"),
    };
    Problem::new(
        format!("{object} belongs to the deployment {whose}"),
        why,
        "choose another name, or another environment",
    )
}

/// What the cluster says against a plan; that our own kind is unknown has its own remedy.
fn explain(error: &ClusterError) -> Problem {
    match error {
        ClusterError::Unserved { kind, .. } if kind == KIND => Problem::new(
            "Styrmin is not installed on this cluster",
            "its custom resource is not defined there",
            "look at the installation plan and confirm it first",
        ),
        error => error.problem(),
    }
}
