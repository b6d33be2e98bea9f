//! Writing objects: server-side apply, always under the same field manager, so that the server knows which fields are ours.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    DeleteParams, DynamicObject, ListParams, Patch, PatchParams, Preconditions, PropagationPolicy,
};
use kube::runtime::wait::{await_condition, conditions};
use serde_json::{Value, json};

use crate::domain::plan::Verb;
use crate::domain::{ObjectKey, labels};

use super::discovery::Served;
use super::error::ClusterError;
use super::{Cluster, describe, informer, project};

/// How long a server may take to serve a kind that was just defined.
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(60);
/// The field manager of restarts.
const RESTARTER: &str = "styrmin-restart";

/// How an object is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// The server checks and answers as if, but writes nothing.
    pub dry_run: bool,
    /// Take fields over from other managers instead of reporting the conflict.
    pub force: bool,
}

/// What the server made of an applied object.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// Its name.
    pub key: ObjectKey,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`; unchanged when there was nothing to write.
    pub resource_version: String,
    /// The hash of the fields that are ours now; see [`super::Row::owned`].
    pub owned: Option<String>,
    /// The whole object, without `managedFields`.
    pub object: Value,
}

/// How an object as it should be differs from the one that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What applying it would do.
    pub verb: Verb,
    /// The object as it exists.
    pub live: Option<Value>,
    /// The object as it would be.
    pub after: Value,
}

/// How an object is deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Only the object with this uid: a successor of the same name is left alone.
    pub uid: Option<String>,
    /// Wait for what it owns, instead of letting the server collect that afterwards.
    pub foreground: bool,
}

impl Cluster {
    /// Applies an object. What other managers own stays theirs, unless forced; what an action of ours has changed is ours again.
    ///
    /// # Errors
    /// [`ClusterError::Conflict`] with every field that another manager owns; [`ClusterError::Unserved`] for an unknown kind.
    pub async fn apply(&self, object: &Value, options: ApplyOptions) -> Result<Applied, ClusterError> {
        let mut applied = self.apply_as(object, labels::MANAGER, options).await;
        // what an action of ours has for a while is taken back
        if let Err(ClusterError::Conflict { conflicts, .. }) = &mut applied {
            conflicts.retain(|conflict| conflict.manager != labels::ACTION_MANAGER);
            if conflicts.is_empty() {
                let options = ApplyOptions { force: true, ..options };
                applied = self.apply_as(object, labels::MANAGER, options).await;
            }
        }
        applied.map_err(|error| error.while_applying(&project::key(object)))
    }

    /// Applies an object under another manager's name: for the engine's own fields of the custom resource.
    pub(super) async fn apply_as(
        &self,
        object: &Value,
        manager: &str,
        options: ApplyOptions,
    ) -> Result<Applied, ClusterError> {
        let key = project::key(object);
        let served = self.resolve(&key).await?;
        let params = PatchParams {
            dry_run: options.dry_run,
            force: options.force,
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let api = self.api(&served.resource, &key.namespace);
        let patch = Patch::Apply(object);
        let answer = self.unary(&describe(&key), api.patch(&key.name, &params, &patch)).await;
        let answer = answer.map_err(|error| denied(error, "patch", &served, &key))?;
        Ok(self.take(answer, &served, options.dry_run))
    }

    /// Waits until a definition is served, so that objects of its kind can be applied.
    ///
    /// # Errors
    /// When the server does not answer, or does not accept its names within a minute.
    pub async fn until_established(&self, definition: &str) -> Result<(), ClusterError> {
        let api = kube::Api::<CustomResourceDefinition>::all(self.0.client.clone());
        let wait = await_condition(api, definition, conditions::is_crd_established());
        let object = format!("CustomResourceDefinition/{definition}");
        match tokio::time::timeout(ESTABLISHED_WITHIN, wait).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(ClusterError::Unreachable { message: format!("{object}: {error}") }),
            Err(_) => {
                let message = "it is stored, but its kind is not served yet".to_owned();
                Err(ClusterError::NotFound { object, message })
            }
        }
    }

    /// The object, whole, as the server has it; none when it does not exist.
    ///
    /// # Errors
    /// When the server does not answer, or denies it.
    pub async fn get(&self, key: &ObjectKey) -> Result<Option<Value>, ClusterError> {
        let served = self.resolve(key).await?;
        let api = self.api(&served.resource, &key.namespace);
        let found = self.unary(&describe(key), api.get_opt(&key.name)).await?;
        Ok(found.map(|object| project::complete(object, &served.resource)))
    }

    /// Every object of a kind in a namespace, or in the whole cluster, whole.
    ///
    /// # Errors
    /// When the server does not answer, or denies it.
    pub async fn list(&self, kind: &ObjectKey) -> Result<Vec<Value>, ClusterError> {
        let served = self.resolve(kind).await?;
        let api = self.api(&served.resource, &kind.namespace);
        let listed =
            self.unary(&format!("the list of {}", kind.kind), api.list(&ListParams::default())).await?;
        Ok(listed.items.into_iter().map(|object| project::complete(object, &served.resource)).collect())
    }

    /// Deletes an object. One that does not exist is as good as deleted.
    ///
    /// # Errors
    /// [`ClusterError::Stale`] when it is another object of that name, by uid.
    pub async fn delete(&self, key: &ObjectKey, options: &DeleteOptions) -> Result<(), ClusterError> {
        let served = self.resolve(key).await?;
        let policy = match options.foreground {
            true => PropagationPolicy::Foreground,
            false => PropagationPolicy::Background,
        };
        let preconditions =
            options.uid.as_ref().map(|uid| Preconditions { uid: Some(uid.clone()), resource_version: None });
        let params =
            DeleteParams { propagation_policy: Some(policy), preconditions, ..DeleteParams::default() };
        let api = self.api(&served.resource, &key.namespace);
        match self.unary(&describe(key), api.delete(&key.name, &params)).await {
            Ok(_) | Err(ClusterError::NotFound { .. }) => Ok(()),
            Err(error) => Err(denied(error, "delete", &served, key)),
        }
    }

    /// What applying `object`, by force or not, would do: found out by reading it and by a dry run on the server, which also
    /// validates it.
    ///
    /// # Errors
    /// What the server would say to the real write.
    pub async fn compare(&self, object: &Value, force: bool) -> Result<Comparison, ClusterError> {
        let live = self.get(&project::key(object)).await?;
        let dry = self.apply(object, ApplyOptions { dry_run: true, force }).await?;
        let verb = match &live {
            None => Verb::Create,
            Some(live) if without_bookkeeping(live) == without_bookkeeping(&dry.object) => Verb::Unchanged,
            Some(_) => Verb::Update,
        };
        Ok(Comparison { verb, live, after: dry.object })
    }

    /// Replaces the pods of a workload, as `kubectl rollout restart` does. The same moment again restarts nothing.
    ///
    /// # Errors
    /// When the server refuses it, or the workload does not exist.
    pub async fn restart(&self, key: &ObjectKey, at: jiff::Timestamp) -> Result<(), ClusterError> {
        let served = self.resolve(key).await?;
        let api = self.api(&served.resource, &key.namespace);
        // a manager of its own: what is applied neither has nor removes this annotation
        let params = PatchParams { field_manager: Some(RESTARTER.to_owned()), ..PatchParams::default() };
        let annotations = json!({"kubectl.kubernetes.io/restartedAt": at.to_string()});
        let patch = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
        let answer = self.unary(&describe(key), api.patch(&key.name, &params, &Patch::Merge(&patch))).await;
        let answer = answer.map_err(|error| denied(error, "patch", &served, key))?;
        self.take(answer, &served, false);
        Ok(())
    }

    /// Changes parts of an object that exists, by a merge patch: what the patch does not name stays, null removes. With a
    /// resourceVersion in the patch, only the object as it is in that version.
    ///
    /// # Errors
    /// [`ClusterError::Stale`] for another version; [`ClusterError::NotFound`] when it does not exist.
    pub async fn merge(&self, key: &ObjectKey, patch: &Value) -> Result<(), ClusterError> {
        let served = self.resolve(key).await?;
        let api = self.api(&served.resource, &key.namespace);
        let params =
            PatchParams { field_manager: Some(labels::MANAGER.to_owned()), ..PatchParams::default() };
        let answer = self.unary(&describe(key), api.patch(&key.name, &params, &Patch::Merge(patch))).await;
        let answer = answer.map_err(|error| denied(error, "patch", &served, key))?;
        self.take(answer, &served, false);
        Ok(())
    }

    /// Whether the cluster serves the kind of this object, and whether it lives in namespaces.
    ///
    /// # Errors
    /// [`ClusterError::Unserved`] when it does not.
    pub async fn is_namespaced(&self, key: &ObjectKey) -> Result<bool, ClusterError> {
        Ok(self.resolve(key).await?.namespaced)
    }

    /// Whether the server has another state of an object than the watches have told. It is asked: for doubts only.
    ///
    /// # Errors
    /// When the server does not answer, or denies it.
    pub async fn is_behind(&self, key: &ObjectKey) -> Result<bool, ClusterError> {
        let found = self.get(key).await?;
        let version = |text: &str| text.parse::<u64>().unwrap_or_default();
        let there = found.map(|object| version(object["metadata"]["resourceVersion"].as_str().unwrap_or("")));
        // the watch may have come further while the server answered
        let known = self.0.index.row(key).map(|row| version(&row.summary.resource_version));
        Ok(there > known || (there.is_none() && known.is_some()))
    }

    /// Whether every object of this kind is seen where it is watched, whoever it belongs to.
    pub fn watches_all(&self, key: &ObjectKey) -> bool {
        informer::is_watched_whole(&key.api_version, &key.kind)
            && self.0.index.sees(&key.namespace, &key.kind)
    }

    /// Whether objects of this kind are watched, so that their health is known without asking.
    pub fn watches_kind(&self, key: &ObjectKey) -> bool {
        informer::is_watched(&key.api_version, &key.kind)
    }

    pub(super) async fn resolve(&self, key: &ObjectKey) -> Result<Served, ClusterError> {
        self.0.discovery.resolve(&key.api_version, &key.kind).await
    }

    /// The answer to a write is the newest news there is: the index learns it before the watch does.
    pub(super) fn take(&self, answer: DynamicObject, served: &Served, dry_run: bool) -> Applied {
        let row = project::row(answer.clone(), &served.resource);
        let applied = Applied {
            key: row.summary.key.clone(),
            uid: row.summary.uid.clone(),
            resource_version: row.summary.resource_version.clone(),
            owned: row.owned.clone(),
            object: project::complete(answer, &served.resource),
        };
        if !dry_run && self.watches_kind(&row.summary.key) {
            self.0.index.offer(row);
        }
        applied
    }
}

/// What was refused, with what has to be granted.
fn denied(error: ClusterError, verb: &str, served: &Served, key: &ObjectKey) -> ClusterError {
    error.asked(verb, &served.resource.plural, &key.namespace)
}

/// The object without what the server keeps for itself, so that two of them compare by content.
fn without_bookkeeping(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in
            ["managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink"]
        {
            metadata.remove(field);
        }
    }
    object
}
