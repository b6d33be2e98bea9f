//! Writing the custom resource. Three writers share it without treading on each other, each under its own field manager or
//! subresource: people's wishes (`styrmin`: spec), the engine's own fields (`styrmin-engine`: annotations, finalizer,
//! context), and the status.

use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::domain::{DeploymentDraft, DesiredPhase, ObjectKey, labels};

use super::apply::ApplyOptions;
use super::error::ClusterError;
use super::resource::{
    API_VERSION, CONTEXT_ANNOTATION, DeploymentResource, DeploymentStatus, EPOCH_ANNOTATION, KIND,
    REVISION_ANNOTATION, StyrminDeployment, UID_ANNOTATION, VOLUMES_ANNOTATION,
};
use super::{Cluster, describe};

/// The field manager of the engine's own fields.
const ENGINE: &str = "styrmin-engine";

/// What the engine keeps on a custom resource beside its status. Written as a whole: what is absent is removed.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineFields {
    /// The deployment's random identifier.
    pub uid: String,
    /// The desired revision that the spec stands for.
    pub revision: u64,
    /// The epoch of the engine that writes.
    pub epoch: u64,
    /// The frozen configuration of the newest instance, and its digest.
    pub context: Option<(Value, String)>,
}

/// The name of a deployment's custom resource.
fn key(namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// The custom resource that says what a person asked for.
pub(crate) fn desired_object(namespace: &str, draft: &DeploymentDraft, phase: DesiredPhase) -> Value {
    let mut object = json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": draft.name, "namespace": namespace,
            "labels": {labels::MANAGED_BY: labels::MANAGER, labels::ENVIRONMENT: draft.environment}},
        "spec": {
            "environment": draft.environment,
            "driver": {"name": draft.driver.name, "version": draft.driver.version},
            "applicationVersion": draft.application_version,
            "phase": phase.as_str(),
            "parameters": draft.parameters,
        }
    });
    if !draft.components.is_empty() {
        object["spec"]["components"] = json!(draft.components);
    }
    if !draft.hosts.is_empty() {
        object["spec"]["hosts"] = json!(draft.hosts);
    }
    if let Some(mode) = draft.drift {
        object["spec"]["drift"] = mode.as_str().into();
    }
    object
}

impl Cluster {
    /// The custom resource with which [`Self::write_desired`] would express a wish: for plans.
    pub fn desired_object(&self, namespace: &str, draft: &DeploymentDraft, phase: DesiredPhase) -> Value {
        desired_object(namespace, draft, phase)
    }

    /// Writes what a person asked for into the custom resource, creating it when it does not exist. It wins over whoever
    /// wrote these fields before.
    ///
    /// # Errors
    /// When the server refuses it, or the namespace does not exist.
    pub async fn write_desired(
        &self,
        namespace: &str,
        draft: &DeploymentDraft,
        phase: DesiredPhase,
    ) -> Result<DeploymentResource, ClusterError> {
        self.write(desired_object(namespace, draft, phase), labels::MANAGER).await
    }

    /// Writes the engine's own fields and its finalizer, over the custom resource as it was read and no other.
    ///
    /// # Errors
    /// [`ClusterError::Stale`] when it changed meanwhile: an engine that was deposed finds out by that. When the server refuses
    /// it, or the custom resource does not exist.
    pub async fn write_engine_fields(
        &self,
        resource: &DeploymentResource,
        fields: &EngineFields,
    ) -> Result<DeploymentResource, ClusterError> {
        let mut object = json!({
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": resource.name, "namespace": resource.namespace, "uid": resource.uid,
                "resourceVersion": resource.resource_version,
                "annotations": {UID_ANNOTATION: fields.uid, REVISION_ANNOTATION: fields.revision.to_string(),
                    EPOCH_ANNOTATION: fields.epoch.to_string()}}
        });
        // A resource on its way out takes no new finalizer.
        if !resource.deleting || resource.has_finalizer() {
            object["metadata"]["finalizers"] = json!([labels::FINALIZER]);
        }
        if let Some((context, digest)) = &fields.context {
            object["spec"]["context"] = context.clone();
            object["metadata"]["annotations"][CONTEXT_ANNOTATION] = digest.clone().into();
        }
        self.write(object, ENGINE).await
    }

    /// Says in the custom resource that its spec, as it was read, stands for this revision of the records.
    ///
    /// # Errors
    /// [`ClusterError::Stale`] when it changed meanwhile.
    pub async fn acknowledge(
        &self,
        resource: &DeploymentResource,
        revision: u64,
        epoch: u64,
    ) -> Result<(), ClusterError> {
        let annotations =
            json!({REVISION_ANNOTATION: revision.to_string(), EPOCH_ANNOTATION: epoch.to_string()});
        let patch = json!({"metadata": {"annotations": annotations,
            "resourceVersion": resource.resource_version}});
        let answer = self.amend(resource, patch).await?;
        self.offer_deployment(answer, &key(&resource.namespace, &resource.name))?;
        Ok(())
    }

    /// Says in the custom resource that its volumes go with it.
    ///
    /// # Errors
    /// [`ClusterError::Stale`] when it changed meanwhile.
    pub async fn mark_delete_volumes(&self, resource: &DeploymentResource) -> Result<(), ClusterError> {
        let patch = json!({"metadata": {"annotations": {VOLUMES_ANNOTATION: "true"}}});
        self.amend(resource, patch).await.map(|_| ())
    }

    /// Takes our finalizer off, so that a deleted custom resource goes.
    ///
    /// # Errors
    /// [`ClusterError::Stale`] when it changed meanwhile.
    pub async fn release(&self, resource: &DeploymentResource) -> Result<(), ClusterError> {
        let others: Vec<&String> =
            resource.finalizers.iter().filter(|name| *name != labels::FINALIZER).collect();
        let patch = json!({"metadata": {"finalizers": others, "resourceVersion": resource.resource_version}});
        match self.amend(resource, patch).await {
            Ok(_) | Err(ClusterError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Changes the custom resource by a merge patch.
    async fn amend(
        &self,
        resource: &DeploymentResource,
        patch: Value,
    ) -> Result<DynamicObject, ClusterError> {
        let key = key(&resource.namespace, &resource.name);
        let served = self.resolve(&key).await?;
        let api = self.api(&served.resource, &key.namespace);
        let params = PatchParams { field_manager: Some(ENGINE.to_owned()), ..PatchParams::default() };
        self.unary(&describe(&key), api.patch(&key.name, &params, &Patch::Merge(&patch))).await
    }

    /// Deletes the custom resource; it stays, deleting, until [`Self::release`].
    ///
    /// # Errors
    /// When the server does not answer, or denies it.
    pub async fn delete_deployment(&self, resource: &DeploymentResource) -> Result<(), ClusterError> {
        let options = super::DeleteOptions { uid: Some(resource.uid.clone()), foreground: false };
        self.delete(&key(&resource.namespace, &resource.name), &options).await
    }

    /// Writes the status through its subresource, without what an older definition does not have. Nothing is sent when it already is
    /// so; says whether it was written.
    ///
    /// # Errors
    /// When the server refuses it, or the custom resource does not exist.
    pub async fn write_status(
        &self,
        resource: &DeploymentResource,
        status: &DeploymentStatus,
    ) -> Result<bool, ClusterError> {
        match self.put_status(resource, &self.sayable(status.clone())).await {
            Err(error) if self.learns(&error) => {
                self.put_status(resource, &self.sayable(status.clone())).await
            }
            other => other,
        }
    }

    async fn put_status(
        &self,
        resource: &DeploymentResource,
        status: &DeploymentStatus,
    ) -> Result<bool, ClusterError> {
        if resource.status == *status {
            return Ok(false);
        }
        let key = key(&resource.namespace, &resource.name);
        let served = self.resolve(&key).await?;
        let object = json!({
            "apiVersion": API_VERSION, "kind": KIND,
            "metadata": {"name": resource.name, "namespace": resource.namespace},
            "status": status,
        });
        let params =
            PatchParams { force: true, field_manager: Some(ENGINE.to_owned()), ..PatchParams::default() };
        let api = self.api(&served.resource, &key.namespace);
        let patch = Patch::Apply(&object);
        let answer = self.unary(&describe(&key), api.patch_status(&key.name, &params, &patch)).await;
        let resource = format!("{}/status", served.resource.plural);
        let answer = answer.map_err(|error| error.asked("patch", &resource, &key.namespace))?;
        self.offer_deployment(answer, &key)?;
        Ok(true)
    }

    async fn write(&self, object: Value, manager: &str) -> Result<DeploymentResource, ClusterError> {
        let options = ApplyOptions { dry_run: false, force: true };
        self.refuse_lacking(&object)?;
        let applied = self.apply_as(&object, manager, options).await;
        if applied.as_ref().is_err_and(|error| self.learns(error)) {
            self.refuse_lacking(&object)?;
        }
        let applied = applied?;
        let answer = serde_json::from_value(applied.object).map_err(|error| ClusterError::Other {
            object: describe(&applied.key),
            message: format!("the answer cannot be read: {error}"),
        })?;
        self.offer_deployment(answer, &applied.key)
    }

    fn offer_deployment(
        &self,
        answer: DynamicObject,
        key: &ObjectKey,
    ) -> Result<DeploymentResource, ClusterError> {
        let parsed = answer.try_parse::<StyrminDeployment>().map_err(|error| ClusterError::Other {
            object: describe(key),
            message: format!("the answer cannot be read: {error}"),
        })?;
        let resource = DeploymentResource::from(parsed);
        self.0.index.offer_deployment(resource.clone());
        Ok(resource)
    }
}
