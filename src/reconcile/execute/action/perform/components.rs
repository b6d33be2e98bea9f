//! Calls about the components of the deployment: how many pods they have, and whether they are well.

use std::time::Duration;

use serde_json::Value;

use super::{Doer, failed, refused};
use crate::cluster::key;
use crate::domain::object::{Detail, ObjectSummary};
use crate::domain::world::ComponentView;
use crate::domain::{Health, ObjectKey, suggest};
use crate::hooks::CallError;
use crate::reconcile::components::{component_views, component_workloads};

/// The kind of workloads without a number of pods.
const DAEMON_SET: &str = "DaemonSet";

/// A workload and how many pods it is to have.
type Wanted = (ObjectKey, u32);

impl Doer<'_> {
    /// The components of these names; all when none are named.
    fn chosen(&self, names: Option<&[String]>) -> Result<Vec<String>, CallError> {
        let known = &self.driver.spec.components;
        let Some(names) = names else { return Ok(known.keys().cloned().collect()) };
        names.iter().try_for_each(|name| self.check_component(name))?;
        Ok(names.to_vec())
    }

    /// The driver has a component of that name.
    pub(super) fn check_component(&self, name: &str) -> Result<(), CallError> {
        let known = &self.driver.spec.components;
        if known.contains_key(name) {
            return Ok(());
        }
        let hint = suggest::hint(name, known.keys().map(String::as_str));
        Err(refused(format!("there is no component '{name}'"), hint))
    }

    fn objects(&self) -> Vec<ObjectSummary> {
        let name = &self.hands.name;
        self.hands.engine.cluster().index().objects_of(&name.namespace, &name.name)
    }

    /// How the components are now.
    pub(super) fn views(&self, names: &[String]) -> Vec<ComponentView> {
        let views = component_views(&self.driver.spec, &self.objects());
        views.into_iter().filter(|view| names.contains(&view.name)).collect()
    }

    /// The workloads of the components.
    fn all_workloads(&self, names: &[String]) -> Vec<ObjectKey> {
        let all = component_workloads(&self.driver.spec, &self.objects());
        let chosen = all.into_iter().filter(|(name, _)| names.contains(name));
        chosen.flat_map(|(_, keys)| keys).collect()
    }

    /// Those that have a number of pods.
    pub(super) fn workloads(&self, names: &[String]) -> Vec<ObjectKey> {
        let all = self.all_workloads(names).into_iter();
        all.filter(|key| key.kind != DAEMON_SET).collect()
    }

    pub(super) async fn stop(&self, names: Option<&[String]>, timeout: Duration) -> Result<Value, CallError> {
        let mut chosen = self.chosen(names)?;
        let stays = |name: &String| {
            self.all_workloads(std::slice::from_ref(name)).iter().any(|key| key.kind == DAEMON_SET)
        };
        if let Some(name) = chosen.iter().find(|name| names.is_some() && stays(name)) {
            return Err(refused(
                format!("stop_components: the component '{name}' cannot be stopped"),
                "a DaemonSet runs one pod on each node",
            ));
        }
        // of all components, those are stopped that can be
        chosen.retain(|name| !stays(name));
        let names = chosen;
        let wanted: Vec<Wanted> = self.workloads(&names).into_iter().map(|key| (key, 0)).collect();
        self.set(&wanted).await?;
        let gone = || self.views(&names).iter().all(|view| view.pods.is_empty() && view.desired == 0);
        self.until("stop_components", &names, timeout, gone).await
    }

    pub(super) async fn start(
        &self,
        names: Option<&[String]>,
        timeout: Duration,
    ) -> Result<Value, CallError> {
        let names = self.chosen(names)?;
        let wanted: Vec<Wanted> =
            self.workloads(&names).into_iter().map(|key| (key.clone(), self.usual(&key))).collect();
        if !wanted.is_empty() && wanted.iter().all(|(_, replicas)| *replicas == 0) {
            return Err(refused(
                "start_components: they are to have no pods",
                "the application is to be stopped",
            ));
        }
        self.set(&wanted).await?;
        let well = || self.have(&wanted) && self.are_well(&names);
        self.until("start_components", &names, timeout, well).await
    }

    pub(super) async fn scale(&self, name: &str, replicas: u32) -> Result<Value, CallError> {
        let names = self.chosen(Some(&[name.to_owned()]))?;
        let workloads = self.workloads(&names);
        if workloads.is_empty() {
            return Err(refused(
                format!("scale: the component '{name}' has nothing that could be scaled"),
                "",
            ));
        }
        let wanted: Vec<Wanted> = workloads.into_iter().map(|key| (key, replicas)).collect();
        self.set(&wanted).await?;
        Ok(Value::Null)
    }

    pub(super) async fn restart(&self, names: Option<&[String]>, position: u32) -> Result<Value, CallError> {
        let names = self.chosen(names)?;
        let begun = self.book.begun(position);
        for key in self.all_workloads(&names) {
            let _permit = self.hands.engine.permit().await;
            // the moment of the call, not of the try: a repeated one restarts nothing twice
            self.hands.engine.cluster().restart(&key, begun).await.map_err(failed)?;
        }
        Ok(Value::Null)
    }

    pub(super) async fn wait_ready(
        &self,
        names: Option<&[String]>,
        timeout: Duration,
    ) -> Result<Value, CallError> {
        let names = self.chosen(names)?;
        self.until("wait_ready", &names, timeout, || self.are_well(&names)).await
    }

    async fn set(&self, wanted: &[Wanted]) -> Result<(), CallError> {
        for (key, replicas) in wanted {
            self.hands.engine.scale_for(self.run.operation.id, key, *replicas).await.map_err(failed)?;
        }
        Ok(())
    }

    /// How many pods a workload has when nobody scales it.
    fn usual(&self, workload: &ObjectKey) -> u32 {
        let objects = self.hands.objects.as_deref().unwrap_or_default();
        let rendered = objects.iter().find(|object| key(object) == *workload);
        let replicas = rendered.and_then(|object| object["spec"]["replicas"].as_u64());
        replicas.map_or(1, |replicas| u32::try_from(replicas).unwrap_or(u32::MAX))
    }

    /// Whether the watches have seen these numbers: before, what they say is of the time before.
    fn have(&self, wanted: &[Wanted]) -> bool {
        let index = self.hands.engine.cluster().index();
        wanted.iter().all(|(key, replicas)| match index.object(key).map(|object| object.detail) {
            Some(Detail::Workload(detail)) => detail.desired == *replicas,
            _ => false,
        })
    }

    fn are_well(&self, names: &[String]) -> bool {
        let well = |view: &ComponentView| matches!(view.verdict.health, Health::Healthy | Health::Stopped);
        self.views(names).iter().all(well)
    }

    /// Waits for something about the components; what keeps them is told when the time is over.
    async fn until(
        &self,
        call: &str,
        names: &[String],
        timeout: Duration,
        mut reached: impl FnMut() -> bool,
    ) -> Result<Value, CallError> {
        let mut moved = self.hands.engine.cluster().generation();
        let wait = async {
            loop {
                moved.mark_unchanged();
                if reached() {
                    return;
                }
                if moved.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        if tokio::time::timeout(timeout, wait).await.is_ok() {
            return Ok(Value::Null);
        }
        let causes: Vec<String> = (self.views(names).into_iter())
            .map(|view| {
                let why = view.verdict.headline().unwrap_or_default();
                format!("{}: {} {why}", view.name, view.verdict.health.as_str()).trim_end().to_owned()
            })
            .collect();
        let what = format!("{call}: it took longer than {} s", timeout.as_secs());
        Err(refused(what, causes.join("\n")))
    }
}
