//! Init containers and sidecars: in order before the others, and the sidecars' end after them.

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::worker::Worker;
use super::{Stop, Why};
use crate::sandbox::kubelet::container::ordered;
use crate::sandbox::kubelet::state::Role;
use crate::sandbox::kubelet::status::PodState;

/// A sidecar that runs, and the way to end it.
pub(super) struct Sidecar {
    stop: watch::Sender<Option<Stop>>,
    task: JoinSet<()>,
}

/// What a container's task met goes on in the pod's: a panic ends the pod's task, which is then begun anew.
pub(super) fn carry_on(result: Result<(), JoinError>) {
    if let Err(error) = result
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

impl Worker {
    /// Runs the init containers; false when one failed for good or the pod was ordered to stop.
    pub(super) async fn initialize(&self, sidecars: &mut Vec<Sidecar>) -> bool {
        for (name, role) in self.record.roles() {
            match role {
                Role::Main => {}
                Role::Init => {
                    let mut task = JoinSet::new();
                    task.spawn(self.runner(name.clone(), role, self.record.stop.subscribe()).run());
                    while let Some(result) = task.join_next().await {
                        carry_on(result);
                    }
                    let code = self.record.container(&name).and_then(|state| state.exit_code());
                    if code != Some(0) {
                        return false;
                    }
                }
                Role::Sidecar => sidecars.push(self.start_sidecar(&name).await),
            }
            if self.record.ordered().is_some() {
                return false;
            }
        }
        true
    }

    /// Starts a sidecar and waits until it has started, or the pod is ordered to stop.
    async fn start_sidecar(&self, name: &str) -> Sidecar {
        let mut sidecar = Sidecar { stop: watch::Sender::new(None), task: JoinSet::new() };
        let signal = sidecar.stop.subscribe();
        sidecar.task.spawn(self.runner(name.to_owned(), Role::Sidecar, signal).run());
        let started =
            |state: &PodState| state.containers.iter().any(|(known, state)| known == name && state.started);
        let (mut state, mut stop) = (self.record.state.subscribe(), self.record.stop.subscribe());
        tokio::select! {
            _ = state.wait_for(started) => {}
            () = ordered(&mut stop) => {}
        }
        sidecar
    }

    /// Ends the sidecars, the last first, all within the pod's grace period.
    pub(super) async fn end_sidecars(&self, sidecars: Vec<Sidecar>) {
        let last = Stop::within(self.grace(), Why::Deleted);
        for mut sidecar in sidecars.into_iter().rev() {
            let mut order = self.record.stop.subscribe();
            loop {
                let stop = order.borrow_and_update().unwrap_or(last);
                sidecar.stop.send_replace(Some(stop));
                tokio::select! {
                    result = sidecar.task.join_next() => {
                        if let Some(result) = result {
                            carry_on(result);
                        }
                        break;
                    }
                    changed = order.changed() => if changed.is_err() { break },
                }
            }
        }
    }
}
