//! One container: pulled, configured, started, watched over, restarted, stopped.

mod pull;
mod simulated;
mod supervise;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::backoff::Delays;
use super::pod::{PodRecord, Stop};
use super::process::Inside;
use super::state::{Current, Role, Terminated};
use super::{COMPONENT, Node, setup};
use crate::sandbox::images::KnownImage;
use crate::sandbox::object;

/// Says when to end.
pub(super) type StopSignal = watch::Receiver<Option<Stop>>;

/// Waits for the order.
pub(super) async fn ordered(stop: &mut StopSignal) {
    stop.wait_for(Option::is_some).await.ok();
}

/// Runs one container of a pod.
pub(super) struct Runner {
    node: Arc<Node>,
    record: Arc<PodRecord>,
    name: String,
    role: Role,
    stop: StopSignal,
    pod: watch::Receiver<Arc<Value>>,
    delays: Delays,
}

/// How an attempt to run the container went.
enum Attempt {
    /// It ran and ended.
    Ended { exit_code: i32, ran: Duration },
    /// The order to stop came before it ran.
    Stopped,
}

impl Runner {
    pub(super) fn new(
        node: Arc<Node>,
        record: Arc<PodRecord>,
        (name, role): (String, Role),
        stop: StopSignal,
    ) -> Self {
        let (pod, delays) = (record.follow(), Delays::new(node.options.back_off));
        Self { node, record, name, role, stop, pod, delays }
    }

    /// Runs it until it has ended for good, or is ordered to stop and has.
    pub(super) async fn run(mut self) {
        let before = self.record.container(&self.name).and_then(|state| state.exit_code());
        if self.role == Role::Main
            && let Some(exit_code) = before
            && !self.restarts(exit_code)
        {
            return;
        }
        while self.ordered().is_none() {
            let Attempt::Ended { exit_code, ran } = self.attempt().await else { return };
            if self.ordered().is_some() || !self.restarts(exit_code) {
                return;
            }
            let delay = self.delays.next(ran);
            if !delay.is_zero() && !self.back_off(delay).await {
                return;
            }
        }
    }

    async fn attempt(&mut self) -> Attempt {
        let Some(image) = self.pull().await else { return Attempt::Stopped };
        let Some(image) = image else {
            let present =
                self.configured(|runner, container| setup::check(&runner.node, &runner.record, container));
            return if present.await.is_some() { self.simulate().await } else { Attempt::Stopped };
        };
        match self.configure(image).await {
            Some((inside, argv)) => self.launch(inside, &argv).await,
            None => Attempt::Stopped,
        }
    }

    fn restarts(&self, exit_code: i32) -> bool {
        let pod = self.record.pod();
        self.role.restarts(pod["spec"]["restartPolicy"].as_str().unwrap_or("Always"), exit_code)
    }

    fn ordered(&self) -> Option<Stop> {
        *self.stop.borrow()
    }

    /// The container's specification as it is now.
    fn specification(&self) -> Value {
        let pod = self.record.pod();
        let pointer = if self.role == Role::Main { "/spec/containers" } else { "/spec/initContainers" };
        object::list(&pod, pointer).iter().find(|c| c["name"] == self.name).cloned().unwrap_or_default()
    }

    fn event(&self, warning: bool, reason: &str, message: &str) {
        self.node.api.record_event(&self.record.pod(), warning, reason, message, COMPONENT);
    }

    fn wait_state(&self, reason: &'static str, message: &str) {
        self.record.update(&self.name, |state| state.settle(reason, message.to_owned()));
    }

    /// Waits; false when ordered to stop.
    async fn rest_until(&mut self, time: Timestamp) -> bool {
        tokio::select! {
            () = self.node.sleep_until(time) => true,
            () = ordered(&mut self.stop) => false,
        }
    }

    async fn back_off(&mut self, delay: Duration) -> bool {
        let until = self.node.after(delay);
        let (pod, record) = (self.record.pod(), &self.record);
        let whole = format!("{}_{}({})", record.name, record.namespace, object::uid(&pod));
        let message =
            format!("back-off {}s restarting failed container={} pod={whole}", delay.as_secs(), self.name);
        self.wait_state("CrashLoopBackOff", &message);
        let event = format!("Back-off restarting failed container {} in pod {whole}", self.name);
        self.event(true, "BackOff", &event);
        self.rest_until(until).await
    }

    /// Environment, volumes and argv, as soon as everything that they name is there; `None` when ordered to stop meanwhile.
    async fn configure(&mut self, image: KnownImage) -> Option<(Arc<Inside>, Vec<String>)> {
        self.configured(|runner, container| {
            setup::inside(&runner.node, &runner.record, object::text(container, "/name"), image)
        })
        .await
    }

    /// Tries until nothing is missing; `None` when ordered to stop meanwhile.
    async fn configured<T>(&mut self, make: impl Fn(&Self, &Value) -> Result<T, String>) -> Option<T> {
        loop {
            let mut changed = self.node.inputs();
            let why = match make(self, &self.specification()) {
                Ok(made) => return Some(made),
                Err(why) => why,
            };
            self.wait_state("CreateContainerConfigError", &why);
            self.event(true, "Failed", &format!("Error: {why}"));
            tokio::select! {
                () = changed.wait() => {}
                () = ordered(&mut self.stop) => return None,
            }
        }
    }

    /// Notes how a life ended.
    fn end(&self, exit_code: i32, reason: &str, message: String) {
        let now = self.node.api.now();
        self.record.update(&self.name, |state| {
            let (started, id) = match &state.current {
                Current::Running { since, id } => (Some(*since), id.clone()),
                _ => (None, String::new()),
            };
            let reason = reason.to_owned();
            let finished = Some(now);
            state.current =
                Current::Terminated(Terminated { exit_code, reason, message, started, finished, id });
            state.ready = false;
            state.started = false;
        });
    }

    /// Notes that it runs.
    fn running(&self, process: &str, simulated: bool) {
        let now = self.node.api.now();
        self.record.update(&self.name, |state| {
            let id = format!("sandbox://{process}.{}", state.restarts);
            state.current = Current::Running { since: now, id };
            state.simulated = simulated;
        });
    }

    /// When the processes must have ended, as ordered; at once when nothing was.
    fn last_moment(&self) -> Instant {
        self.ordered().map_or_else(Instant::now, |stop| stop.deadline)
    }

    /// How long ago that was.
    fn since(&self, start: Timestamp) -> Duration {
        Duration::try_from(self.node.api.now().duration_since(start)).unwrap_or(Duration::ZERO)
    }

    fn life(&self) -> u32 {
        self.record.container(&self.name).map_or(0, |state| state.restarts)
    }

    /// Whether the image of the specification is another one than that which runs.
    fn image_changed(&self) -> bool {
        let wanted = self.specification();
        let state = self.record.container(&self.name);
        state.is_some_and(|state| wanted["image"] != json!(state.image))
    }
}
