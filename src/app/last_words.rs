//! What containers printed before they ended badly: the last lines of their logs, read once per end. That is the innermost link of
//! the chain that explains why something is not healthy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, LogOptions};
use crate::domain::object::{ContainerSummary, Detail};
use crate::domain::world::{ComponentView, LogTarget};
use crate::domain::{Cause, Health, ObjectSummary, text};

/// How many lines are kept.
const LINES: usize = 3;
/// How many characters of a line are kept.
const WIDTH: usize = 300;
/// How many lines are read for that: some of them are empty.
const TAIL: u32 = 10;
/// How long one log may take to be read.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many logs are read at once.
const PARALLEL: usize = 4;

/// One bad end of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    pod: (String, String),
    /// A pod of the same name is another one.
    uid: String,
    container: String,
    /// Each end has a number.
    restarts: u32,
}

/// The ends to read the logs of.
pub type Ends = BTreeSet<End>;
/// The last lines before each of them; none when they cannot be read.
pub type Words = Arc<BTreeMap<End, Vec<String>>>;

/// The bad ends that explain how a component is.
pub fn ends(component: &ComponentView) -> impl Iterator<Item = End> + '_ {
    let troubled = component.verdict.health > Health::Suspended;
    component.pods.iter().filter(move |pod| troubled && !pod.deleting).flat_map(of_pod)
}

fn of_pod(pod: &ObjectSummary) -> Vec<End> {
    let Detail::Pod(detail) = &pod.detail else { return Vec::new() };
    let end = |container: &ContainerSummary| End {
        pod: (pod.key.namespace.clone(), pod.key.name.clone()),
        uid: pod.uid.clone(),
        container: container.name.clone(),
        restarts: container.restarts,
    };
    let badly = |container: &&ContainerSummary| {
        container.exit_code.is_some_and(|code| code != 0) && container.state != "Running"
    };
    detail.containers.iter().filter(badly).map(end).collect()
}

/// Adds the last words of the pod that a component's chain of causes ends at.
pub fn explain(component: &mut ComponentView, words: &Words) {
    let Some(innermost) = component.verdict.innermost().map(|cause| cause.object.clone()) else { return };
    let Some(pod) = component.pods.iter().find(|pod| pod.key == innermost) else { return };
    let lines = of_pod(pod).iter().find_map(|end| words.get(end)).cloned().unwrap_or_default();
    let cause = |message| Cause { object: innermost.clone(), reason: Cause::LOG.to_owned(), message };
    component.verdict.causes.extend(lines.into_iter().map(cause));
}

/// Reads logs until `stop`. A log that cannot be read is not asked for again: it explains nothing.
pub async fn run(
    cluster: Cluster,
    mut wanted: watch::Receiver<Ends>,
    words: watch::Sender<Words>,
    stop: CancellationToken,
) {
    loop {
        let ends = wanted.borrow_and_update().clone();
        let known = Arc::clone(&words.borrow());
        let new = ends.iter().filter(|end| !known.contains_key(end)).cloned().collect::<Vec<_>>();
        let cluster = &cluster;
        let read = futures::stream::iter(new)
            .map(|end| async move { (end.clone(), last_lines(cluster, &end).await) })
            .buffer_unordered(PARALLEL)
            .collect::<Vec<_>>();
        let read = tokio::select! {
            () = stop.cancelled() => return,
            read = read => read,
        };
        let kept = known.iter().filter(|(end, _)| ends.contains(end));
        let next: BTreeMap<_, _> =
            kept.map(|(end, lines)| (end.clone(), lines.clone())).chain(read).collect();
        words.send_if_modified(|held| {
            let changed = **held != next;
            *held = Arc::new(next);
            changed
        });
        tokio::select! {
            () = stop.cancelled() => return,
            changed = wanted.changed() => if changed.is_err() { return },
        }
    }
}

async fn last_lines(cluster: &Cluster, end: &End) -> Vec<String> {
    let target =
        LogTarget { namespace: end.pod.0.clone(), pod: end.pod.1.clone(), container: end.container.clone() };
    let options = LogOptions { tail: Some(TAIL), follow: false, ..LogOptions::default() };
    let lines = cluster.logs(target, options).filter_map(|line| async { line.ok() }).collect::<Vec<_>>();
    let lines = tokio::time::timeout(PATIENCE, lines).await.unwrap_or_default();
    shorten(&lines)
}

/// The last lines that say something, no longer than fits on a screen.
fn shorten(lines: &[String]) -> Vec<String> {
    let said = lines.iter().map(|line| text::plain(line).trim_end().chars().take(WIDTH).collect::<String>());
    let said: Vec<String> = said.filter(|line| !line.is_empty()).collect();
    said[said.len().saturating_sub(LINES)..].to_vec()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::summary;
    use crate::domain::Verdict;

    fn pod(restarts: u32, state: serde_json::Value) -> ObjectSummary {
        summary(&json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web-1", "namespace": "demo", "uid": "u"},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "web", "restartCount": restarts,
                "state": state, "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}}]}}))
    }

    fn component(pod: ObjectSummary) -> ComponentView {
        let verdict: Verdict = pod.verdict.clone();
        let (name, images) = ("web".to_owned(), Vec::new());
        ComponentView { name, verdict, ready: 0, desired: 1, images, pods: vec![pod] }
    }

    #[test]
    fn each_bad_end_is_asked_for_once_and_ends_the_chain() {
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let mut crashing = component(pod(2, waiting.clone()));
        let ends: Vec<End> = ends(&crashing).collect();
        assert_eq!(ends.len(), 1);
        let words: Words =
            Arc::new(BTreeMap::from([(ends[0].clone(), vec!["fatal: no database".to_owned()])]));
        explain(&mut crashing, &words);
        let last = crashing.verdict.causes.last().unwrap();
        assert_eq!((last.reason.as_str(), last.message.as_str()), (Cause::LOG, "fatal: no database"));
        assert!(crashing.verdict.headline().unwrap().starts_with("CrashLoopBackOff"));
        let mut again = component(pod(3, waiting));
        let before = again.clone();
        explain(&mut again, &words);
        assert_eq!(again, before, "the words of the end before say nothing of this one");
    }

    #[test]
    fn what_runs_again_has_no_last_words() {
        assert_eq!(ends(&component(pod(2, json!({"running": {}})))).count(), 0);
    }

    #[test]
    fn lines_are_made_fit_to_be_shown() {
        let lines = ["one", "two", "", "\u{1b}[31mthree\u{1b}[0m\u{7}", "four\t", "   "].map(str::to_owned);
        assert_eq!(shorten(&lines), ["two", "three", "four"]);
        assert_eq!(shorten(&["x".repeat(5000)])[0].len(), WIDTH);
        assert!(shorten(&[]).is_empty());
    }
}
