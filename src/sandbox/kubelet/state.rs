//! What is known about a container, and what its restart policy makes of it. Pure.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sandbox::clock::rfc3339;
use crate::sandbox::object;

/// The part a container plays in its pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Runs to its end before the next one starts.
    Init,
    /// An init container with `restartPolicy: Always`: starts before the next one and stays.
    Sidecar,
    /// An ordinary container.
    Main,
}

impl Role {
    /// Whether a container of this role is started again after `exit_code`, under the pod's restart policy.
    pub(super) fn restarts(self, policy: &str, exit_code: i32) -> bool {
        match (self, policy) {
            (Self::Sidecar, _) => true,
            (_, "Never") => false,
            (Self::Main, "OnFailure") | (Self::Init, _) => exit_code != 0,
            (Self::Main, _) => true,
        }
    }
}

/// How a life ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terminated {
    pub(super) exit_code: i32,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) started: Option<Timestamp>,
    pub(super) finished: Option<Timestamp>,
    pub(super) id: String,
}

/// What a container does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Current {
    /// It is not running yet, or not again.
    Waiting { reason: &'static str, message: String },
    /// It runs.
    Running { since: Timestamp, id: String },
    /// It ended.
    Terminated(Terminated),
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContainerState {
    pub(super) role: Role,
    pub(super) image: String,
    pub(super) current: Current,
    pub(super) last: Option<Terminated>,
    pub(super) restarts: u32,
    pub(super) ready: bool,
    pub(super) started: bool,
    pub(super) simulated: bool,
}

impl ContainerState {
    /// One that was never started.
    pub(super) fn new(role: Role, image: &str, reason: &'static str) -> Self {
        Self {
            role,
            image: image.to_owned(),
            current: Current::Waiting { reason, message: String::new() },
            last: None,
            restarts: 0,
            ready: false,
            started: false,
            simulated: false,
        }
    }

    /// One as it stands in a pod's status after the sandbox was started again: what ran then has ended.
    pub(super) fn restore(role: Role, image: &str, status: &Value, reason: &'static str) -> Self {
        let mut state = Self::new(role, image, reason);
        state.restarts =
            status["restartCount"].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
        state.last = read_terminated(&status["lastState"]["terminated"]);
        if let Some(ended) = read_terminated(&status["state"]["terminated"]) {
            state.current = Current::Terminated(ended);
        } else if let Some(running) = status["state"]["running"].as_object() {
            state.current = Current::Terminated(Terminated {
                exit_code: 255,
                reason: "Unknown".into(),
                message: "the sandbox stopped while the container ran".into(),
                started: running.get("startedAt").and_then(Value::as_str).and_then(|at| at.parse().ok()),
                finished: None,
                id: status["containerID"].as_str().unwrap_or_default().to_owned(),
            });
        }
        state
    }

    /// Whether it has run before: then the next start is a restart.
    pub(super) fn has_run(&self) -> bool {
        self.last.is_some() || !matches!(self.current, Current::Waiting { .. })
    }

    /// It is about to be started: what ended becomes the last state, and a restart is counted.
    pub(super) fn begin(&mut self) {
        if self.has_run() {
            self.restarts += 1;
        }
        self.settle("ContainerCreating", String::new());
    }

    /// It waits for something; what ended becomes the last state.
    pub(super) fn settle(&mut self, reason: &'static str, message: String) {
        let before = std::mem::replace(&mut self.current, Current::Waiting { reason, message });
        if let Current::Terminated(ended) = before {
            self.last = Some(ended);
        }
        self.ready = false;
        self.started = false;
    }

    /// The exit code, when it has ended.
    pub(super) fn exit_code(&self) -> Option<i32> {
        match &self.current {
            Current::Terminated(ended) => Some(ended.exit_code),
            _ => None,
        }
    }

    /// An entry of `containerStatuses`.
    pub(super) fn to_value(&self, name: &str) -> Value {
        let (state, id) = match &self.current {
            Current::Waiting { reason, message } => {
                let mut waiting = json!({"reason": reason});
                if !message.is_empty() {
                    waiting["message"] = json!(message);
                }
                (json!({"waiting": waiting}), self.last.as_ref().map(|ended| ended.id.clone()))
            }
            Current::Running { since, id } => {
                (json!({"running": {"startedAt": rfc3339(*since)}}), Some(id.clone()))
            }
            Current::Terminated(ended) => (json!({"terminated": ended.to_value()}), Some(ended.id.clone())),
        };
        let last = self.last.as_ref().map_or(json!({}), |ended| json!({"terminated": ended.to_value()}));
        json!({
            "name": name, "image": self.image, "imageID": self.image,
            "containerID": id.unwrap_or_default(), "restartCount": self.restarts,
            "ready": self.ready, "started": self.started, "state": state, "lastState": last,
        })
    }
}

impl Terminated {
    fn to_value(&self) -> Value {
        let mut value = json!({"exitCode": self.exit_code, "reason": self.reason});
        if !self.id.is_empty() {
            value["containerID"] = json!(self.id);
        }
        if !self.message.is_empty() {
            value["message"] = json!(self.message);
        }
        for (field, time) in [("startedAt", self.started), ("finishedAt", self.finished)] {
            value[field] = time.map_or(Value::Null, |time| json!(rfc3339(time)));
        }
        if self.exit_code > 128 && self.exit_code < 160 {
            value["signal"] = json!(self.exit_code - 128);
        }
        value
    }
}

fn read_terminated(value: &Value) -> Option<Terminated> {
    let exit_code = value["exitCode"].as_i64().and_then(|code| i32::try_from(code).ok())?;
    Some(Terminated {
        exit_code,
        reason: object::text(value, "/reason").to_owned(),
        message: object::text(value, "/message").to_owned(),
        started: object::text(value, "/startedAt").parse().ok(),
        finished: object::text(value, "/finishedAt").parse().ok(),
        id: object::text(value, "/containerID").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(exit_code: i32) -> Terminated {
        Terminated {
            exit_code,
            reason: "Error".into(),
            message: String::new(),
            started: Some(Timestamp::UNIX_EPOCH),
            finished: Some(Timestamp::UNIX_EPOCH),
            id: "sandbox://1".into(),
        }
    }

    #[test]
    fn the_restart_policy_decides() {
        for (role, policy, code, expected) in [
            (Role::Main, "Always", 0, true),
            (Role::Main, "OnFailure", 0, false),
            (Role::Main, "OnFailure", 1, true),
            (Role::Main, "Never", 1, false),
            (Role::Init, "Always", 0, false),
            (Role::Init, "Always", 1, true),
            (Role::Init, "Never", 1, false),
            (Role::Sidecar, "Never", 0, true),
        ] {
            assert_eq!(role.restarts(policy, code), expected, "{role:?} {policy} {code}");
        }
    }

    #[test]
    fn restarts_are_counted_and_the_last_end_is_kept() {
        let mut state = ContainerState::new(Role::Main, "a:1", "ContainerCreating");
        state.begin();
        assert_eq!(state.restarts, 0);
        state.current = Current::Terminated(ended(137));
        state.settle("CrashLoopBackOff", "back-off 10s".into());
        state.begin();
        assert_eq!((state.restarts, state.last.as_ref().map(|last| last.exit_code)), (1, Some(137)));
        let value = state.to_value("main");
        assert_eq!(value["lastState"]["terminated"]["signal"], 9);
        assert_eq!(value["state"]["waiting"]["reason"], "ContainerCreating");
    }

    #[test]
    fn what_ran_before_the_sandbox_stopped_is_restarted_and_counted() {
        let mut state = ContainerState::new(Role::Main, "a:1", "ContainerCreating");
        state.begin();
        state.current = Current::Running { since: Timestamp::UNIX_EPOCH, id: "sandbox://7".into() };
        let mut restored =
            ContainerState::restore(Role::Main, "a:1", &state.to_value("main"), "ContainerCreating");
        assert_eq!(restored.exit_code(), Some(255));
        restored.begin();
        assert_eq!(restored.restarts, 1);
        let last = restored.last.unwrap();
        assert_eq!((last.reason.as_str(), last.started), ("Unknown", Some(Timestamp::UNIX_EPOCH)));
    }
}
