//! The pods of a Job: their logs, followed as soon as there is one, and how they ended.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use kube::Api;
use kube::api::{DynamicObject, ListParams};
use serde_json::Value;
use tokio::time::timeout;

use crate::cluster::error::ClusterError;
use crate::cluster::exec::{Capture, Captured, OutputSender, OutputStream};
use crate::cluster::logs::LogOptions;
use crate::cluster::{Cluster, project};
use crate::domain::object::Detail;
use crate::domain::world::LogTarget;
use crate::domain::{ObjectKey, Problem};

/// How long the rest of the log may take after the end.
const REST: Duration = Duration::from_secs(10);

/// Follows the pods of one Job.
pub(super) struct Follower<'a> {
    cluster: &'a Cluster,
    job: ObjectKey,
    uid: String,
    container: String,
    capture: Capture,
    output: Option<OutputSender>,
    /// A line that is kept, and waits for who reads along.
    pending: Option<Bytes>,
    lines: SelectAll<BoxStream<'static, Result<String, Problem>>>,
    followed: BTreeSet<String>,
    problem: Option<String>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(cluster: &'a Cluster, job: &Value, limit: usize, output: Option<OutputSender>) -> Self {
        let container = &job["spec"]["template"]["spec"]["containers"][0]["name"];
        let mut follower = Self {
            cluster,
            job: project::key(job),
            uid: job["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
            container: container.as_str().unwrap_or_default().to_owned(),
            capture: Capture::new(limit),
            output,
            pending: None,
            lines: SelectAll::new(),
            followed: BTreeSet::new(),
            problem: None,
        };
        follower.look();
        follower
    }

    /// Looks for pods that run and are not followed yet. Before they do their node may not know them.
    pub(super) fn look(&mut self) {
        for object in self.cluster.index().owned_by(&self.job.namespace, &self.uid) {
            let Detail::Pod(pod) = &object.detail else { continue };
            let mut containers = pod.containers.iter().filter(|known| known.name == self.container);
            let runs = containers.any(|container| container.started.is_some());
            if runs && !self.followed.contains(&object.key.name) {
                self.follow(object.key.name, true);
            }
        }
    }

    fn follow(&mut self, pod: String, follow: bool) {
        let target = LogTarget {
            namespace: self.job.namespace.clone(),
            pod: pod.clone(),
            container: self.container.clone(),
        };
        let options = LogOptions { tail: None, follow, ..LogOptions::default() };
        self.lines.push(self.cluster.logs(target, options).boxed());
        self.followed.insert(pod);
    }

    /// Passes the next line on; waits as long as there is none. Nothing is lost when it is dropped.
    pub(super) async fn pass_on(&mut self) {
        if self.pending.is_none() {
            match self.lines.next().await {
                Some(line) => self.take(line),
                None => std::future::pending().await,
            }
        }
        self.send().await;
    }

    fn take(&mut self, line: Result<String, Problem>) {
        match line {
            Ok(line) => {
                let line = Bytes::from(line + "\n");
                self.capture.take(&line);
                self.pending = Some(line);
            }
            Err(problem) => self.problem = Some(problem.why),
        }
    }

    async fn send(&mut self) {
        let Some(output) = self.output.as_ref().filter(|_| self.pending.is_some()) else {
            self.pending = None;
            return;
        };
        let reads_on = match output.reserve().await {
            Ok(place) => {
                if let Some(line) = self.pending.take() {
                    place.send((OutputStream::Stdout, line));
                }
                true
            }
            Err(_) => false,
        };
        if !reads_on {
            // what is kept is still kept
            self.output = None;
        }
        self.pending = None;
    }

    /// The exit code and the whole log of a Job that has ended.
    pub(super) async fn finish(mut self) -> (Option<i32>, Captured, Option<String>) {
        let pods = match pods(self.cluster, &self.job, &self.uid).await {
            Ok(pods) => pods,
            Err(error) => {
                self.problem = Some(error.to_string());
                Vec::new()
            }
        };
        let ends: Vec<(String, &Value)> = pods
            .iter()
            .map(|pod| (project::key(pod).name, end(pod, &self.container)))
            .filter(|(_, end)| end.is_object())
            .collect();
        for (name, _) in &ends {
            // it ran so shortly that no watch has told of it yet
            if !self.followed.contains(name) {
                self.follow(name.clone(), false);
            }
        }
        let rest = async {
            self.send().await;
            while let Some(line) = self.lines.next().await {
                self.take(line);
                self.send().await;
            }
        };
        if timeout(REST, rest).await.is_err() {
            self.problem = Some(format!("it did not end within {} s after the Job", REST.as_secs()));
        }
        let last = ends.iter().max_by_key(|(_, end)| end["finishedAt"].as_str());
        let code =
            last.and_then(|(_, end)| end["exitCode"].as_i64()).and_then(|code| i32::try_from(code).ok());
        // a pod that never ran has no log, and one that was stopped takes it along
        let problem = self.problem.filter(|_| !ends.is_empty());
        (code, self.capture.captured(), problem)
    }
}

/// The pods of a Job as the server has them.
async fn pods(cluster: &Cluster, job: &ObjectKey, uid: &str) -> Result<Vec<Value>, ClusterError> {
    let kind = ObjectKey { api_version: "v1".into(), kind: "Pod".into(), ..job.clone() };
    let served = cluster.resolve(&kind).await?;
    let api: Api<DynamicObject> = cluster.api(&served.resource, &job.namespace);
    let params = ListParams::default().labels(&format!("job-name={}", job.name));
    let listed = cluster.unary(&format!("the pods of {job}"), api.list(&params)).await?;
    let all = listed.items.into_iter().map(|pod| project::complete(pod, &served.resource));
    Ok(all.filter(|pod| pod["metadata"]["ownerReferences"][0]["uid"] == *uid).collect())
}

/// How the container of a pod ended; null when it has not.
fn end<'p>(pod: &'p Value, container: &str) -> &'p Value {
    let all = pod["status"]["containerStatuses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = all.iter().find(|status| status["name"] == *container);
    found.map_or(&Value::Null, |status| &status["state"]["terminated"])
}
