//! Steps of backups and restores: what is stopped and started here; everything else another room does.

use super::{Hands, failed, lasting};
use crate::domain::backup::{BackupPart, Request};
use crate::domain::driver::DriverSpec;
use crate::domain::{ObjectKey, Problem};
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
            let views = component_views(spec, &objects);
            let stopping = views.into_iter().filter(|view| names.contains(&view.name));
            stopping.flat_map(|view| view.pods).map(|pod| pod.key).collect()
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
