//! What an instance consists of. A chart needs more than its context: the deployment's seed, and what its templates look up.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::key;
use crate::domain::object::is_cluster_scoped;
use crate::domain::{Deployment, DriverVersion, ObjectKey, Problem};
use crate::driver::chart::{LookupKey, Lookups};
use crate::driver::{self, Circumstances, Outcome, Rendering};

use super::engine::Engine;
use super::observe::{Observed, unknown_driver};
use super::queue::Name;
use super::render::Source;
use super::seed::Keepsake;

/// How often a chart may ask for more.
const ROUNDS: usize = 12;

impl Engine {
    /// What an instance with this context and digest consists of, as it is applied for `record`; and what its templates looked
    /// up.
    ///
    /// # Errors
    /// When it cannot be rendered, its seed is gone, or the cluster does not answer what the chart looks up.
    pub(super) async fn parts(
        &self,
        name: &Name,
        observed: &Observed,
        record: &Deployment,
        (context, digest): (&Value, &str),
    ) -> Result<(Rendering, Lookups), Problem> {
        let (Some(driver), Some(setting)) = (&observed.driver, &observed.setting) else {
            return Err(unknown_driver(record));
        };
        let source = Source {
            driver: Arc::clone(driver),
            context: context.clone(),
            deployment: record.clone(),
            environment: setting.environment.clone(),
        };
        let (mut parts, lookups) = self.rendered(name, source, digest, observed.keepsake.clone()).await?;
        observed.yield_fields(&mut parts.objects);
        Ok((parts, lookups))
    }

    /// Renders `source`, looking up what it asks for.
    pub(super) async fn rendered(
        &self,
        name: &Name,
        source: Source,
        digest: &str,
        keepsake: Option<Keepsake>,
    ) -> Result<(Rendering, Lookups), Problem> {
        if source.driver.spec.helm.is_none() {
            return match source.render(&Circumstances::NONE)? {
                Outcome::Rendered(mut parts) => {
                    self.settle_scopes(&mut parts).await;
                    Ok((*parts, Lookups::new()))
                }
                Outcome::Wants(_) => Err(endless(&source.driver)),
            };
        }
        let keepsake = keepsake.ok_or_else(|| super::seed::gone(name))?;
        let source = Arc::new(source);
        let mut lookups = keepsake.lookups.get(digest).cloned().unwrap_or_default();
        for _ in 0..ROUNDS {
            let (shared, drawn, known) = (Arc::clone(&source), keepsake.seed.clone(), lookups.clone());
            let render = move || {
                let circumstances = Circumstances { seed: &drawn, lookups: Some(&known) };
                shared.render(&circumstances)
            };
            match tokio::task::spawn_blocking(render).await.map_err(|error| broken(&source, &error))?? {
                Outcome::Rendered(mut parts) => {
                    self.settle_scopes(&mut parts).await;
                    return Ok((*parts, lookups));
                }
                Outcome::Wants(keys) => {
                    for key in keys {
                        let found = self.look_up(name, &key).await?;
                        lookups.insert(key, found);
                    }
                }
            }
        }
        Err(endless(&source.driver))
    }

    /// What a template's `lookup` finds. It sees its own environment and what belongs to the whole cluster: other namespaces
    /// look empty, since a driver has no business there.
    async fn look_up(&self, name: &Name, wanted: &LookupKey) -> Result<Value, Problem> {
        let cluster = self.cluster();
        let key = ObjectKey {
            api_version: wanted.api_version.clone(),
            kind: wanted.kind.clone(),
            namespace: wanted.namespace.clone(),
            name: wanted.name.clone(),
        };
        let namespaced = match cluster.is_namespaced(&key).await {
            Ok(namespaced) => namespaced,
            Err(crate::cluster::ClusterError::Unserved { .. }) => return Ok(Value::Null),
            Err(error) => return Err(error.problem()),
        };
        let key = match namespaced {
            true if key.namespace.is_empty() => ObjectKey { namespace: name.namespace.clone(), ..key },
            true if key.namespace != name.namespace => return Ok(Value::Null),
            true => key,
            false => ObjectKey { namespace: String::new(), ..key },
        };
        if key.name.is_empty() {
            let items = cluster.list(&key).await.map_err(|error| error.problem())?;
            return Ok(match items.is_empty() {
                true => Value::Null,
                false => {
                    json!({"apiVersion": key.api_version, "kind": format!("{}List", key.kind), "items": items})
                }
            });
        }
        let found = cluster.get(&key).await.map_err(|error| error.problem())?;
        Ok(found.unwrap_or(Value::Null))
    }

    /// Kinds that a cluster was taught may belong to the whole cluster: their objects lose the namespace that they were given.
    async fn settle_scopes(&self, parts: &mut Rendering) {
        let mut scopes: BTreeMap<(String, String), bool> = parts
            .definitions
            .iter()
            .chain(parts.objects.iter().filter(|object| object["kind"] == "CustomResourceDefinition"))
            .map(|found| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let spec = &found["spec"];
                ((text(&spec["group"]), text(&spec["names"]["kind"])), spec["scope"] != "Cluster")
            })
            .collect();
        let hooks = parts.hooks.iter_mut().map(|hook| &mut hook.object);
        for object in parts.objects.iter_mut().chain(hooks) {
            let key = key(object);
            let group = key.api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
            if is_kubernetes(&group) || is_cluster_scoped(&key.kind) {
                continue;
            }
            let family = (group, key.kind.clone());
            let namespaced = match scopes.get(&family) {
                Some(known) => *known,
                None => {
                    let asked = self.cluster().is_namespaced(&key).await.unwrap_or(true);
                    scopes.insert(family, asked);
                    asked
                }
            };
            if !namespaced && let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.remove("namespace");
            }
        }
    }

    /// Freezes in the context of a new instance what it is made in.
    ///
    /// # Errors
    /// When the cluster does not say what it can do.
    pub(super) async fn freeze(&self, name: &Name, digest: &str, context: &mut Value) -> Result<(), Problem> {
        let known = self.cluster().capabilities().await.map_err(|error| error.problem())?;
        let kubernetes = json!({"version": known.version, "api_versions": known.api_versions});
        driver::context::freeze(context, kubernetes, self.planned_moment(name, digest));
        Ok(())
    }
}

/// Whether a group is Kubernetes' own, whose scopes are known.
fn is_kubernetes(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io") && group != "gateway.networking.k8s.io"
}

fn endless(driver: &DriverVersion) -> Problem {
    Problem::new(
        format!("The chart of {} cannot be rendered", driver.reference),
        format!(
            "after {ROUNDS} rounds of looking things up in the cluster, its templates still ask for more"
        ),
        "correct the chart: what it looks up must not depend on itself",
    )
}

fn broken(source: &Source, error: &tokio::task::JoinError) -> Problem {
    Problem::new(
        format!("The driver {} cannot be rendered", source.driver.reference),
        error.to_string(),
        "report this: it is a defect",
    )
}
