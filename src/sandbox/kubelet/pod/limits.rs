//! What ends a pod as failed: its deadline, and an emptyDir that holds too much.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::worker::Worker;
use super::{Stop, Why};
use crate::sandbox::kubelet::volumes;
use crate::sandbox::object;

/// How often volumes with a limit are measured: a real kubelet's housekeeping.
const HOUSEKEEPING: Duration = Duration::from_secs(10);
/// What an evicted pod's processes get.
const EVICTION_GRACE: Duration = Duration::from_secs(1);
const DEADLINE: &str = "Pod was active on the node longer than the specified deadline";

impl Worker {
    /// The pod has failed: its containers end, and it stays as it is until it is deleted.
    fn fail(&self, reason: &'static str, message: &str, grace: Duration) {
        self.record.state.send_modify(|state| state.failure = Some((reason, message.to_owned())));
        self.record.order(Stop::within(grace, Why::Failed));
    }
}

/// Fails the pod when its `activeDeadlineSeconds` are over. Never returns.
pub(super) async fn deadline(worker: &Worker) {
    let mut pod = worker.record.follow();
    loop {
        let end = end(&pod.borrow_and_update());
        let changed = match end {
            Some(end) => tokio::select! {
                () = worker.node.sleep_until(end) => {
                    worker.event(false, "DeadlineExceeded", DEADLINE);
                    worker.fail("DeadlineExceeded", DEADLINE, worker.grace());
                    return std::future::pending().await;
                }
                changed = pod.changed() => changed,
            },
            None => pod.changed().await,
        };
        if changed.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Until when the pod may be active; `None`: as long as it likes, or it has not begun.
fn end(pod: &Value) -> Option<Timestamp> {
    let seconds = pod["spec"]["activeDeadlineSeconds"].as_i64()?;
    let started: Timestamp = pod["status"]["startTime"].as_str()?.parse().ok()?;
    Some(object::after(started, seconds))
}

/// Evicts the pod when an emptyDir grows over its `sizeLimit`. Never returns.
pub(super) async fn empty_dirs(worker: &Worker) {
    let own = worker.record.directory.join("volumes");
    loop {
        match volumes::too_full(&worker.record.pod(), &own) {
            None => return std::future::pending().await,
            Some(Ok(())) => tokio::time::sleep(HOUSEKEEPING).await,
            Some(Err(message)) => {
                worker.event(true, "Evicted", &message);
                worker.fail("Evicted", &message, EVICTION_GRACE);
                return std::future::pending().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_deadline_counts_from_the_start() {
        let pod =
            json!({"spec": {"activeDeadlineSeconds": 10}, "status": {"startTime": "2026-01-01T00:00:00Z"}});
        assert_eq!(end(&pod), Some("2026-01-01T00:00:10Z".parse().unwrap()));
        let endless = json!({"spec": {}, "status": {"startTime": "2026-01-01T00:00:00Z"}});
        assert_eq!(end(&endless), None);
    }
}
