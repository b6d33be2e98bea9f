//! Running a Job to its end: made once under a name that is known beforehand, found again after a crash, its log followed.

use std::time::Duration;

use kube::api::{DynamicObject, PostParams};
use serde_json::Value;
use tokio::time::sleep;

use crate::domain::{ObjectKey, labels};

use super::error::ClusterError;
use super::exec::{Captured, OutputSender};
use super::{Cluster, describe, project};

mod build;
mod follow;

pub use build::{JobSpec, JobValue, KEPT_FOR as JOB_KEPT_FOR, job, lent};

/// How often is looked where Jobs may not be watched.
const LOOK: Duration = Duration::from_secs(5);

/// A Job that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEnded {
    /// Whether it completed.
    pub succeeded: bool,
    /// The exit code of its container; none when it never ran, or is not known any more.
    pub exit_code: Option<i32>,
    /// Why it failed, in a word: `BackoffLimitExceeded` (its pod failed), `DeadlineExceeded`.
    pub reason: String,
    /// The same in the server's words.
    pub message: String,
    /// What it wrote, both streams as one.
    pub log: Captured,
    /// Why not all of the log could be read; none when it was.
    pub log_problem: Option<String>,
    /// Whether it had been made before.
    pub adopted: bool,
}

impl Cluster {
    /// Makes a Job (see [`job`]) and follows it to its end; its log is also passed on as it comes. Where there is one of that name
    /// with all its labels it is followed instead: it was made before a crash. Dropping this leaves the Job running; deleting it
    /// ends it. Its namespace is watched from then on.
    ///
    /// # Errors
    /// When it cannot be made, somebody else has its name, or it is deleted meanwhile.
    pub async fn run_job(
        &self,
        job: &Value,
        limit: usize,
        output: Option<OutputSender>,
    ) -> Result<JobEnded, ClusterError> {
        let key = project::key(job);
        self.watch_namespace(&key.namespace);
        let (live, adopted) = self.make_or_find(job, &key).await?;
        let mut follower = follow::Follower::new(self, &live, limit, output);
        let (condition, succeeded) = self.until_ended(&key, live, &mut follower).await?;
        let (exit_code, log, log_problem) = follower.finish().await;
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        Ok(JobEnded {
            succeeded,
            exit_code: if succeeded { Some(0) } else { exit_code },
            reason: text("reason"),
            message: text("message"),
            log,
            log_problem,
            adopted,
        })
    }

    /// The Job as it exists, and whether it did before.
    async fn make_or_find(&self, job: &Value, key: &ObjectKey) -> Result<(Value, bool), ClusterError> {
        let served = self.resolve(key).await?;
        let api = self.api(&served.resource, &key.namespace);
        let invalid = |message: String| ClusterError::Invalid { object: describe(key), message };
        let object: DynamicObject =
            serde_json::from_value(job.clone()).map_err(|error| invalid(error.to_string()))?;
        let params = PostParams { field_manager: Some(labels::MANAGER.to_owned()), ..PostParams::default() };
        match self.unary(&describe(key), api.create(&params, &object)).await {
            Ok(made) => Ok((self.take(made, &served, false).object, false)),
            Err(error @ ClusterError::Stale { .. }) => {
                // gone again meanwhile: the same may be tried anew
                let Some(live) = self.get(key).await? else { return Err(error) };
                if !live["metadata"]["deletionTimestamp"].is_null() {
                    let message = "one of that name is still being deleted".to_owned();
                    return Err(ClusterError::Stale { object: describe(key), message });
                }
                match is_the_same(job, &live) {
                    true => Ok((live, true)),
                    false => Err(invalid("one of that name was made for something else".to_owned())),
                }
            }
            Err(error) => Err(error.asked("create", &served.resource.plural, &key.namespace)),
        }
    }

    /// Waits for the condition that tells the end, and says whether it is a good one.
    async fn until_ended(
        &self,
        key: &ObjectKey,
        mut live: Value,
        follower: &mut follow::Follower<'_>,
    ) -> Result<(Value, bool), ClusterError> {
        let index = self.index();
        let mut moved = index.generation();
        let uid = live["metadata"]["uid"].clone();
        let mut looked_at = live["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        loop {
            if let Some(end) = end_of(&live) {
                return Ok(end);
            }
            looked_at = loop {
                moved.mark_unchanged();
                // also for what moved while the server was asked
                follower.look();
                let told = index.object(key).map(|known| known.resource_version);
                let watched = index.sees(&key.namespace, &key.kind);
                if watched && told != looked_at {
                    break told;
                }
                let unseen = async { if watched { std::future::pending().await } else { sleep(LOOK).await } };
                tokio::select! {
                    // the index lives as long as this cluster
                    _ = moved.changed() => {}
                    () = follower.pass_on() => {}
                    () = unseen => break told,
                }
            };
            let gone = || ClusterError::NotFound {
                object: describe(key),
                message: "it was deleted before it ended".to_owned(),
            };
            live = self.get(key).await?.filter(|found| found["metadata"]["uid"] == uid).ok_or_else(gone)?;
        }
    }
}

/// Whether a Job is the one that was to be made: it has all its labels.
fn is_the_same(wanted: &Value, live: &Value) -> bool {
    let labels = wanted["metadata"]["labels"].as_object();
    labels.is_some_and(|labels| labels.iter().all(|(name, value)| live["metadata"]["labels"][name] == *value))
}

/// The condition that tells the end of a Job, and whether it is a good one.
fn end_of(job: &Value) -> Option<(Value, bool)> {
    let conditions = job["status"]["conditions"].as_array()?;
    let ended = |kind: &str| {
        conditions.iter().find(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    let good = ended("Complete").map(|condition| (condition.clone(), true));
    good.or_else(|| ended("Failed").map(|condition| (condition.clone(), false)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_last_condition_is_an_end() {
        let job = |kind: &str, status: &str| json!({"status": {"conditions": [{"type": kind, "status": status, "reason": "R"}]}});
        assert_eq!(end_of(&json!({})), None);
        for waiting in [job("FailureTarget", "True"), job("Complete", "False"), job("Suspended", "True")] {
            assert_eq!(end_of(&waiting), None);
        }
        assert!(end_of(&job("Complete", "True")).is_some_and(|(_, good)| good));
        assert!(
            end_of(&job("Failed", "True"))
                .is_some_and(|(condition, good)| !good && condition["reason"] == "R")
        );
    }

    #[test]
    fn a_job_is_the_same_with_all_its_labels() {
        let job = |labels: Value| json!({"metadata": {"labels": labels}});
        let wanted = job(json!({"a": "1", "b": "2"}));
        assert!(is_the_same(&wanted, &job(json!({"a": "1", "b": "2", "c": "3"}))));
        assert!(!is_the_same(&wanted, &job(json!({"a": "1"}))) && !is_the_same(&wanted, &json!({})));
        assert!(!is_the_same(&json!({}), &wanted), "without labels nothing tells");
    }
}
