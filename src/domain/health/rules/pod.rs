//! Pods and their containers.

use jiff::{SignedDuration, Timestamp};

use super::read::Object;
use super::{Finding, Health};
use crate::domain::conditions::Conditions;

/// Reasons for which a container waits and that do not pass by themselves. `ErrImagePull` is not among them: it is the first
/// failed try, and turns into `ImagePullBackOff` when the next ones fail too.
const STUCK: [&str; 8] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "ImageInspectError",
];

/// How long a pod may look for a node.
const SCHEDULING_GRACE: SignedDuration = SignedDuration::from_secs(15);

pub(super) fn pod(object: Object<'_>, conditions: &Conditions<'_>, now: Option<Timestamp>) -> Finding {
    match object.text("status.phase") {
        Some("Succeeded") => Finding::healthy(),
        Some("Failed") => failed(object),
        Some("Running") => running(object, conditions),
        Some("Pending") => pending(object, conditions, now),
        None => Finding::progressing("PodNotObserved", "nothing has looked at it yet"),
        Some("Unknown") => Finding::new(
            Health::Unknown,
            object.text("status.reason").unwrap_or("NodeLost"),
            object.text("status.message").unwrap_or("its node does not report"),
        ),
        Some(other) => Finding::new(Health::Unknown, "UnknownPhase", format!("its phase is '{other}'")),
    }
}

/// A failed pod counts when nothing replaces it: otherwise its controller says how things are.
fn failed(object: Object<'_>) -> Finding {
    if object.controller().is_some() {
        return Finding::healthy();
    }
    let reason = object.text("status.reason");
    if let Some(message) = object.text("status.message") {
        return Finding::degraded(reason.unwrap_or("PodFailed"), message);
    }
    let ended = containers(object).find_map(|container| {
        let (reason, message) = termination(container, "state.terminated")?;
        Some(Finding::degraded(reason, message))
    });
    ended.unwrap_or_else(|| Finding::degraded(reason.unwrap_or("PodFailed"), "its containers failed"))
}

fn running(object: Object<'_>, conditions: &Conditions<'_>) -> Finding {
    if conditions.holds("Ready").is_some() {
        return Finding::healthy();
    }
    if let Some(finding) = troubled(object) {
        return finding;
    }
    let message = conditions.find("Ready").map_or("", |found| found.message());
    Finding::progressing(
        "PodRunningNotReady",
        if message.is_empty() { "it is not ready yet" } else { message },
    )
}

fn pending(object: Object<'_>, conditions: &Conditions<'_>, now: Option<Timestamp>) -> Finding {
    let scheduled = conditions.find("PodScheduled");
    if let Some(scheduled) = scheduled.filter(|found| found.is("False") && found.reason() == "Unschedulable")
    {
        let created = object.text("metadata.creationTimestamp").and_then(|at| at.parse::<Timestamp>().ok());
        let health = match (created, now) {
            (Some(created), Some(now)) if now.duration_since(created) > SCHEDULING_GRACE => Health::Degraded,
            _ => Health::Progressing,
        };
        return Finding::new(health, "Unschedulable", scheduled.message());
    }
    if let Some(finding) = troubled(object) {
        return finding;
    }
    let waiting = containers(object).find_map(|container| container.text("state.waiting.reason"));
    Finding::progressing(waiting.unwrap_or("PodPending"), "its containers have not started yet")
}

/// The first container, init containers first, that is stuck or has just ended with an error.
fn troubled(object: Object<'_>) -> Option<Finding> {
    let stuck = containers(object).find_map(|container| {
        let reason = container.text("state.waiting.reason").filter(|reason| STUCK.contains(reason))?;
        Some(Finding::degraded(reason, why_waiting(container)))
    });
    stuck.or_else(|| {
        containers(object).find_map(|container| {
            let pulling = container.text("state.waiting.reason").filter(|reason| *reason == "ErrImagePull");
            if let Some(reason) = pulling {
                return Some(Finding::progressing(reason, why_waiting(container)));
            }
            let (reason, message) = termination(container, "state.terminated")?;
            Some(Finding::progressing(reason, message))
        })
    })
}

fn containers(object: Object<'_>) -> impl Iterator<Item = Object<'_>> {
    object.items("status.initContainerStatuses").chain(object.items("status.containerStatuses"))
}

/// Why a container waits: how it ended the last time where it did, else what the kubelet says.
fn why_waiting(container: Object<'_>) -> String {
    let name = container.text("name").unwrap_or("");
    if let Some((reason, message)) = termination(container, "lastState.terminated") {
        let restarts = container.count("restartCount");
        return format!("{message} ({reason}), restarted {restarts} times");
    }
    match container.text("state.waiting.message") {
        Some(message) => format!("container {name}: {message}"),
        None => format!("container {name} does not start"),
    }
}

/// How a container ended: reason and words. None when it has not, or ended well.
fn termination<'a>(container: Object<'a>, path: &str) -> Option<(&'a str, String)> {
    let ended = Object(container.at(path)?);
    let code = ended.count("exitCode");
    let reason = ended.text("reason").unwrap_or("Error");
    if code == 0 && reason != "OOMKilled" {
        return None;
    }
    let name = container.text("name").unwrap_or("");
    let tail = ended.text("message").map(|message| format!(": {}", message.trim())).unwrap_or_default();
    Some((reason, format!("container {name} ended with exit code {code}{tail}")))
}
