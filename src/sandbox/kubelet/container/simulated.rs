//! Containers whose image is not known: no process, only the states that one would go through.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{Attempt, Runner, ordered};
use crate::sandbox::kubelet::state::Role;

impl Runner {
    /// Runs (and is ready) after a moment. Init containers, and containers of pods that are meant to end, succeed after another.
    pub(super) async fn simulate(&mut self) -> Attempt {
        let moment = self.node.options.simulated_delay;
        let begin = self.node.after(moment);
        self.record.update(&self.name, |state| state.begin());
        if !self.rest_until(begin).await {
            return Attempt::Stopped;
        }
        self.event(false, "Created", &format!("Created container: {} (simulated)", self.name));
        self.event(false, "Started", &format!("Started container {} (simulated)", self.name));
        let start = self.node.api.now();
        self.running("simulated", true);
        let mut stop = self.stop.clone();
        let (exit_code, reason) = tokio::select! {
            ending = self.play(moment, start) => ending,
            () = ordered(&mut stop) => (0, "Completed"),
        };
        self.end(exit_code, reason, String::new());
        Attempt::Ended { exit_code, ran: self.since(start) }
    }

    /// What the container does until it ends by itself: exit code and reason.
    async fn play(&mut self, moment: Duration, start: Timestamp) -> (i32, &'static str) {
        let scene = self.scene();
        let later = |time: Duration| start.saturating_add(time).unwrap_or(start);
        if let Some(ending) = scene.ending {
            self.node.sleep_until(later(scene.slow_start.max(moment))).await;
            return (ending.exit_code, ending.reason);
        }
        self.node.sleep_until(later(scene.slow_start)).await;
        self.record.update(&self.name, |state| state.started = true);
        if self.ends() {
            self.note_ready(true);
            self.node.sleep_until(later(scene.slow_start + moment)).await;
            return (0, "Completed");
        }
        loop {
            // The annotation may change while it runs.
            self.note_ready(true);
            if self.pod.changed().await.is_err() || self.image_changed() {
                return (0, "Completed");
            }
            if let Some(ending) = self.scene().ending {
                return (ending.exit_code, ending.reason);
            }
        }
    }

    fn ends(&self) -> bool {
        ends(self.role, &self.record.pod())
    }
}

/// Whether a container of this role is meant to end by itself.
fn ends(role: Role, pod: &Value) -> bool {
    match role {
        Role::Init => true,
        Role::Sidecar => false,
        Role::Main => matches!(pod["spec"]["restartPolicy"].as_str(), Some("Never" | "OnFailure")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn init_containers_and_jobs_end() {
        let pod = |policy: &str| json!({"spec": {"restartPolicy": policy}});
        assert!(ends(Role::Init, &pod("Always")));
        assert!(ends(Role::Main, &pod("Never")));
        assert!(!ends(Role::Main, &pod("Always")));
        assert!(!ends(Role::Sidecar, &pod("Never")));
    }
}
