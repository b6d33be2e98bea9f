//! Steps of backups and restores: what is stopped and started here; everything else another room does.

use super::{Hands, failed, lasting};
use crate::domain::backup::{BackupPart, Request};
use crate::domain::driver::DriverSpec;
use crate::domain::object::Detail;
use crate::domain::{ObjectKey, ObjectSummary, Problem};
use crate::operate::{Done, StepError, StepRun};
use crate::reconcile::components::{component_views, component_workloads};
use crate::reconcile::compose::{
    BACK_UP, CLEAR, QUIESCE, RESTORE, RESUME, SEAL, SEAL_SAFETY, START, START_AGAIN, START_ANYHOW, STOP,
    STOP_RESTORED, STOP_WRITERS, Stopping, stopped,
};

/// Whether a step is done by whoever knows of backups.
pub(super) fn is_foreign(name: &str) -> bool {
    let begins = [BACK_UP, QUIESCE, RESUME, RESTORE];
    [SEAL, SEAL_SAFETY, CLEAR].contains(&name) || begins.iter().any(|begin| name.starts_with(begin))
}

impl Hands {
    /// Stops or starts components for a backup or a restore; none when the step is another one.
    pub(super) async fn halt(&self, run: StepRun<'_>) -> Option<Result<Done, StepError>> {
        Some(match run.step.name.as_str() {
            STOP | STOP_WRITERS | STOP_RESTORED => self.stop_components(run).await,
            START | START_AGAIN | START_ANYHOW => self.start_components().await,
            _ => return None,
        })
    }

    fn spec(&self) -> Result<&DriverSpec, StepError> {
        let driver = self.driver.as_ref().ok_or_else(|| {
            lasting(Problem::new(
                "Its components are not known",
                "the driver of the application is not there any more",
                "load the driver again",
            ))
        })?;
        Ok(&driver.spec)
    }

    /// The components that a step stops: they follow from what was asked for.
    async fn to_stop(&self, run: StepRun<'_>) -> Result<Vec<String>, StepError> {
        let spec = self.spec()?;
        let subject = &run.operation.subject;
        match &run.operation.request {
            Some(Request::Backup(request)) => {
                let planned =
                    BackupPart::planned(spec, &subject.environment, &subject.name, &request.components);
                Ok(stopped(spec, &planned))
            }
            Some(Request::Restore(request)) => {
                let backup = self.engine.store().backup(&request.backup).await?.ok_or_else(|| {
                    lasting(Problem::new(
                        format!("The backup {} is not there any more", request.backup),
                        "it was taken out of the catalogue",
                        "choose another one",
                    ))
                })?;
                let stopping = Stopping::of(spec, &request.chosen(&backup));
                Ok(if run.step.name == STOP_WRITERS { stopping.writers } else { stopping.restored })
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn stop_components(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        let names = self.to_stop(run).await?;
        let spec = self.spec()?;
        for workload in self.scalable(spec, &names) {
            self.engine.scale_for(self.operation.id, &workload, 0).await.map_err(failed)?;
        }
        let index = self.engine.cluster().index();
        let left = || {
            let objects = index.objects_of(&self.name.namespace, &self.name.name);
            still_running(spec, &names, &objects)
        };
        self.until_gone(left).await?;
        Ok(Done { note: Some(format!("{} stopped", names.join(", "))), ..Done::default() })
    }

    /// Gives every workload that was stopped as many pods as it had before. Repeated, it does nothing.
    async fn start_components(&self) -> Result<Done, StepError> {
        self.engine.give_back(&self.name, self.operation.id, |_| true).await.map_err(failed)?;
        Ok(Done::default())
    }

    fn scalable(&self, spec: &DriverSpec, names: &[String]) -> Vec<ObjectKey> {
        let objects = self.engine.cluster().index().objects_of(&self.name.namespace, &self.name.name);
        let all = component_workloads(spec, &objects);
        let chosen = all.into_iter().filter(|(name, _)| names.contains(name));
        chosen.flat_map(|(_, keys)| keys).filter(|key| key.kind != "DaemonSet").collect()
    }
}

/// The pods of components that are to be stopped and have not ended. Those of a DaemonSet go on: it has no number of pods.
fn still_running(spec: &DriverSpec, names: &[String], objects: &[ObjectSummary]) -> Vec<ObjectKey> {
    let is_daemon = |pod: &ObjectSummary| {
        let owner = pod.owner.as_deref();
        owner.is_some_and(|uid| {
            objects.iter().any(|object| object.uid == uid && object.key.kind == "DaemonSet")
        })
    };
    let has_ended = |pod: &ObjectSummary| matches!(&pod.detail, Detail::Pod(detail) if matches!(detail.phase.as_str(), "Succeeded" | "Failed"));
    let stopping = component_views(spec, objects).into_iter().filter(|view| names.contains(&view.name));
    let pods = stopping.flat_map(|view| view.pods);
    pods.filter(|pod| !has_ended(pod) && !is_daemon(pod)).map(|pod| pod.key).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::cluster::summary;
    use crate::domain::driver::ComponentSpec;

    #[test]
    fn what_has_ended_or_cannot_be_stopped_is_not_waited_for() {
        let object = |kind: &str, name: &str, owner: &str, phase: &str| {
            let owners = match owner {
                "" => json!([]),
                uid => json!([{"uid": uid, "controller": true}]),
            };
            let api_version = if kind == "Pod" { "v1" } else { "apps/v1" };
            summary(&json!({"apiVersion": api_version, "kind": kind,
                "metadata": {"name": name, "namespace": "demo", "uid": name, "labels": {"app": "web"},
                    "ownerReferences": owners},
                "status": {"phase": phase}}))
        };
        let objects = [
            object("Deployment", "web", "", ""),
            object("ReplicaSet", "web-1", "web", ""),
            object("Pod", "web-1-x", "web-1", "Running"),
            object("DaemonSet", "agent", "", ""),
            object("Pod", "agent-x", "agent", "Running"),
            object("Pod", "migrate-x", "migrate", "Succeeded"),
        ];
        let labels = BTreeMap::from([("app".to_owned(), "web".to_owned())]);
        let web = ComponentSpec { labels, ..ComponentSpec::default() };
        let components = BTreeMap::from([("web".to_owned(), web)]);
        let spec = DriverSpec { components, ..DriverSpec::default() };
        let left = still_running(&spec, &["web".to_owned()], &objects);
        let left: Vec<&str> = left.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(left, ["web-1-x"]);
    }
}
