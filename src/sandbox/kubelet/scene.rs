//! Scenes: a pod's annotation makes its containers behave badly, for tests and demonstrations.
//!
//! | scene | what is seen |
//! |---|---|
//! | `crash-loop` | ends with exit code 1 a moment after each start |
//! | `exit=N` | ends with exit code N a moment after each start |
//! | `oom` | ends a moment after each start, as if the kernel had killed it: `OOMKilled`, 137 |
//! | `slow-start=10s` | has not started, and is not ready, for so long |
//! | `not-ready` | runs and is never ready |
//! | `image-pull-error` | the image cannot be pulled: `ErrImagePull`, `ImagePullBackOff` |
//!
//! Several are separated by commas; `web:crash-loop` is about the container `web` only, and init containers play only what
//! names them. A simulated container plays everything; of one with a process the readiness is withheld, or the process is
//! killed. A container that is to end this way is never ready. The times of simulated containers, of back-offs and of failed pulls
//! are those of the sandbox's clock: with one that moves only when told to, a scene is the same each time, to the second. What a
//! process plays is timed by the machine.

use std::time::Duration;

use serde_json::Value;

use super::state::Role;

/// The annotation of a pod that names its scenes.
pub const SCENE: &str = "sandbox.styrmin.io/scene";
/// The older annotation that makes pulling fail: `fail`.
pub const IMAGE_PULL: &str = "sandbox.styrmin.io/image-pull";
/// Set by the kubelet on a pod none of whose containers has a process: `true`.
pub const SIMULATED: &str = "sandbox.styrmin.io/simulated";
/// Set by the kubelet: the names of the containers that have no process, separated by commas.
pub const SIMULATED_CONTAINERS: &str = "sandbox.styrmin.io/simulated-containers";

/// How a life ends by a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) exit_code: i32,
    pub(super) reason: &'static str,
}

/// What one container plays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scene {
    pub(super) pull_error: Option<String>,
    pub(super) slow_start: Duration,
    pub(super) not_ready: bool,
    pub(super) ending: Option<Ending>,
}

impl Scene {
    /// What the container `name` of a pod plays.
    pub(super) fn of(pod: &Value, name: &str, role: Role) -> Self {
        let annotations = &pod["metadata"]["annotations"];
        let mut scene = Self::default();
        if annotations[IMAGE_PULL] == "fail" {
            scene.pull_error = Some(format!("the annotation {IMAGE_PULL} says fail"));
        }
        for part in parts(annotations[SCENE].as_str().unwrap_or_default()) {
            let (container, part) = part.split_once(':').unwrap_or(("", part));
            if container == name || (container.is_empty() && role != Role::Init) {
                scene.play(part.trim());
            }
        }
        scene
    }

    /// Adds one scene; false when it is not known.
    fn play(&mut self, part: &str) -> bool {
        let (what, value) = part.split_once('=').unwrap_or((part, ""));
        match (what, value) {
            ("crash-loop", "") => self.ending = Some(ending(1)),
            ("oom", "") => self.ending = Some(Ending { exit_code: 137, reason: "OOMKilled" }),
            ("not-ready", "") => self.not_ready = true,
            ("image-pull-error", "") => {
                self.pull_error = Some(format!("the annotation {SCENE} says image-pull-error"));
            }
            ("exit", code) => match code.parse::<u8>() {
                Ok(code) => self.ending = Some(ending(i32::from(code))),
                Err(_) => return false,
            },
            ("slow-start", time) => match duration(time) {
                Some(time) => self.slow_start = time,
                None => return false,
            },
            _ => return false,
        }
        true
    }

    /// Whether the container may become ready.
    pub(super) fn allows_ready(&self) -> bool {
        !self.not_ready && self.ending.is_none()
    }
}

fn ending(exit_code: i32) -> Ending {
    Ending { exit_code, reason: if exit_code == 0 { "Completed" } else { "Error" } }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// `10s`, `500ms`, `2m`; a plain number is seconds.
fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" | "" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    }
}

/// The scenes of a pod that are not known.
pub(super) fn unknown(pod: &Value) -> Vec<String> {
    let text = pod["metadata"]["annotations"][SCENE].as_str().unwrap_or_default();
    parts(text)
        .filter(|part| {
            let part = part.split_once(':').map_or(*part, |(_, part)| part.trim());
            !Scene::default().play(part)
        })
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(scene: &str) -> Value {
        json!({"metadata": {"annotations": {SCENE: scene}}})
    }

    #[test]
    fn scenes_are_read_for_the_container_that_they_name() {
        let pod = pod("slow-start=10s, web:crash-loop,setup:exit=3");
        let ten = Duration::from_secs(10);
        let web = Scene { slow_start: ten, ending: Some(ending(1)), ..Scene::default() };
        assert_eq!(Scene::of(&pod, "web", Role::Main), web);
        assert_eq!(Scene::of(&pod, "side", Role::Main), Scene { slow_start: ten, ..Scene::default() });
        let setup = Scene { ending: Some(ending(3)), ..Scene::default() };
        assert_eq!(Scene::of(&pod, "setup", Role::Init), setup);
        assert_eq!(Scene::of(&pod, "other", Role::Init), Scene::default());
        assert!(!web.allows_ready() && Scene::default().allows_ready());
    }

    #[test]
    fn what_is_not_known_is_told() {
        let known = "crash-loop,exit=3,oom,slow-start=2m,not-ready,image-pull-error,a:oom,slow-start=500ms";
        assert!(unknown(&pod(known)).is_empty());
        let wrong = "crash,exit=999,slow-start=soon,oom=1,a:b";
        assert_eq!(unknown(&pod(wrong)), wrong.split(',').collect::<Vec<_>>());
    }
}
