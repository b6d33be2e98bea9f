//! Steps that write the records, or the engine's own part of the custom resource.

use std::sync::Arc;

use super::{Hands, failed, lasting, passing};
use crate::cluster::{DeploymentResource, EngineFields};
use crate::domain::{Instance, InstanceState, Problem, Step};
use crate::operate::{Done, StepError};
use crate::reconcile::compose::{ACTIVATE, DELETE_RESOURCE, RELEASE, WRITE_CONTEXT};

impl Hands {
    pub(super) async fn record(&self, step: &Step) -> Result<Done, StepError> {
        let name = step.name.as_str();
        if name.starts_with(WRITE_CONTEXT) {
            self.write_context().await
        } else if name == ACTIVATE {
            self.activate().await
        } else if name.starts_with(DELETE_RESOURCE) {
            self.mark_going().await
        } else if name.starts_with(RELEASE) {
            self.release().await
        } else {
            Err(lasting(Problem::new(
                format!("'{name}' is not known"),
                "it was planned by another version of Styrmin",
                "cancel it and plan it again",
            )))
        }
    }

    async fn write_context(&self) -> Result<Done, StepError> {
        let goal = &self.operation.goal;
        let store = self.engine.store();
        let record = match goal.deployment {
            Some(id) => store.deployment(id).await?,
            None => None,
        };
        let record = record.ok_or_else(|| lasting(unrecorded()))?;
        let instance = self.instance().await?;
        let resource = self.resource().ok_or_else(|| passing(absent(&self.name.name)))?;
        let fields = EngineFields {
            uid: record.uid,
            revision: goal.revision,
            epoch: self.engine.epoch(),
            context: instance.as_ref().map(|instance| (instance.context.clone(), instance.digest.clone())),
        };
        {
            let _permit = self.engine.permit().await;
            self.engine.cluster().write_engine_fields(&resource, &fields).await.map_err(failed)?;
        }
        if let Some(instance) = instance.filter(|instance| instance.state == InstanceState::Planned) {
            let (id, number) = (instance.deployment, instance.number);
            store.set_instance_state(id, number, InstanceState::Applying, None).await?;
        }
        Ok(Done::default())
    }

    async fn activate(&self) -> Result<Done, StepError> {
        let Some(instance) = self.instance().await? else { return Ok(Done::default()) };
        let (id, number) = (instance.deployment, instance.number);
        if instance.state != InstanceState::Active {
            let store = self.engine.store();
            if instance.state == InstanceState::Planned {
                store.set_instance_state(id, number, InstanceState::Applying, None).await?;
            }
            store.set_instance_state(id, number, InstanceState::Active, None).await?;
        }
        self.engine.tidy_vault(&self.name, id).await?;
        let note = format!("instance {number} is active");
        self.engine.note(self.resource().as_deref(), false, "Active", &note).await;
        Ok(Done { note: Some(note), ..Done::default() })
    }

    async fn mark_going(&self) -> Result<Done, StepError> {
        let Some(resource) = self.resource() else { return Ok(Done::default()) };
        let volumes =
            self.operation.plan.steps.iter().any(|step| {
                step.object.as_ref().is_some_and(|object| object.kind == "PersistentVolumeClaim")
            });
        let cluster = self.engine.cluster();
        if volumes && !resource.delete_volumes {
            cluster.mark_delete_volumes(&resource).await.map_err(failed)?;
        }
        if !resource.deleting {
            cluster.delete_deployment(&resource).await.map_err(failed)?;
        }
        Ok(Done::default())
    }

    async fn release(&self) -> Result<Done, StepError> {
        if let Some(resource) = self.resource() {
            self.engine.cluster().release(&resource).await.map_err(failed)?;
        }
        Ok(Done::default())
    }

    async fn instance(&self) -> Result<Option<Instance>, StepError> {
        let goal = &self.operation.goal;
        match (goal.deployment, goal.instance) {
            (Some(id), Some(number)) => Ok(self.engine.store().instance(id, number).await?),
            _ => Ok(None),
        }
    }

    fn resource(&self) -> Option<Arc<DeploymentResource>> {
        self.engine.cluster().index().custom_resource(&self.name.namespace, &self.name.name)
    }
}

fn unrecorded() -> Problem {
    Problem::new("the deployment is not recorded any more", "it was taken out of the records", "nothing")
}

fn absent(name: &str) -> Problem {
    Problem::new(
        format!("the custom resource of {name} is not there yet"),
        "it is written from the records first",
        "nothing: it is tried again",
    )
}
