//! Following the log of a container. The server ends such a stream after hours, at every restart of the container, and
//! whenever the network does; here it goes on, from the last line's time, without repeating a line.

use std::time::Duration;

use futures::io::AsyncBufRead;
use futures::{AsyncBufReadExt, Stream, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;
use tokio::sync::mpsc;

use crate::domain::object::Detail;
use crate::domain::world::LogTarget;
use crate::domain::{ObjectKey, ObjectSummary, Problem};

use super::Cluster;
use super::error::ClusterError;

/// Lines that may wait for the reader before the server has to.
const BACKLOG: usize = 1024;
/// The longest pause before another try, when nothing tells that one is worth it.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// What of a log is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// How many of the last lines to begin with; all when none.
    pub tail: Option<u32>,
    /// Go on as lines are written.
    pub follow: bool,
    /// The log of the container's previous process.
    pub previous: bool,
    /// Keep the server's time stamp in front of each line.
    pub timestamps: bool,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { tail: Some(500), follow: true, previous: false, timestamps: false }
    }
}

impl Cluster {
    /// The lines of a container's log, oldest first. The stream ends with the pod when it is followed; an error is its
    /// last item. Dropping it ends the request.
    pub fn logs(
        &self,
        target: LogTarget,
        options: LogOptions,
    ) -> impl Stream<Item = Result<String, Problem>> + Send + use<> {
        let (lines, received) = mpsc::channel(BACKLOG);
        let follower = Follower { cluster: self.clone(), target, options, mark: Mark::default() };
        tokio::spawn(async move {
            let closed = lines.clone();
            tokio::select! {
                () = closed.closed() => {}
                ended = follower.run(&lines) => {
                    if let Err(error) = ended {
                        // Nobody listens any more when this fails.
                        let _ = lines.send(Err(error.problem())).await;
                    }
                }
            }
        });
        futures::stream::unfold(received, |mut received| async move {
            received.recv().await.map(|line| (line, received))
        })
    }
}

struct Follower {
    cluster: Cluster,
    target: LogTarget,
    options: LogOptions,
    mark: Mark,
}

/// Why one request of the log ended.
enum End {
    /// The server closed the stream in good order.
    Closed,
    /// The container does not run yet, or not at the moment.
    Waiting,
    /// The connection broke.
    Lost,
}

impl Follower {
    async fn run(mut self, lines: &mpsc::Sender<Result<String, Problem>>) -> Result<(), ClusterError> {
        let mut pause = Duration::from_millis(500);
        loop {
            let mut moved = self.cluster.generation();
            moved.mark_unchanged();
            let before = self.container();
            let progress = self.mark.clone();
            let end = self.read(lines).await?;
            if !self.options.follow || (matches!(end, End::Closed) && self.is_over()) {
                return Ok(());
            }
            if self.mark != progress {
                pause = Duration::from_millis(500);
            }
            // A change of the container ends the pause at once; without a watch on it the time does.
            let changed = async { while self.container() == before && moved.changed().await.is_ok() {} };
            let _ = tokio::time::timeout(pause, changed).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Reads until the stream ends.
    async fn read(&mut self, lines: &mpsc::Sender<Result<String, Problem>>) -> Result<End, ClusterError> {
        let pods: Api<Pod> = Api::namespaced(self.cluster.0.client.clone(), &self.target.namespace);
        let object = format!("the log of {}/{}", self.target.pod, self.target.container);
        self.mark.begin();
        let params = self.params();
        let stream = match self.cluster.unary(&object, pods.log_stream(&self.target.pod, &params)).await {
            Ok(stream) => stream,
            Err(ClusterError::Invalid { message, .. }) if self.options.follow && is_waiting(&message) => {
                return Ok(End::Waiting);
            }
            // A pod that was there and is gone has simply ended.
            Err(ClusterError::NotFound { .. }) if self.mark.last.is_some() => {
                self.options.follow = false;
                return Ok(End::Closed);
            }
            Err(ClusterError::Unreachable { .. } | ClusterError::Busy { .. }) if self.options.follow => {
                return Ok(End::Lost);
            }
            Err(error) => return Err(error),
        };
        self.pass_on(stream, lines).await
    }

    async fn pass_on(
        &mut self,
        stream: impl AsyncBufRead,
        lines: &mpsc::Sender<Result<String, Problem>>,
    ) -> Result<End, ClusterError> {
        let mut incoming = std::pin::pin!(stream.lines());
        while let Some(line) = incoming.next().await {
            let Ok(line) = line else { return Ok(End::Lost) };
            let Some(text) = self.mark.admit(&line) else { continue };
            let shown = if self.options.timestamps { line } else { text };
            if lines.send(Ok(shown)).await.is_err() {
                self.options.follow = false;
                return Ok(End::Closed);
            }
        }
        Ok(End::Closed)
    }

    fn params(&self) -> LogParams {
        let since = self.mark.last.and_then(|at| Timestamp::from_second(at.as_second()).ok());
        LogParams {
            container: Some(self.target.container.clone()),
            follow: self.options.follow,
            previous: self.options.previous,
            timestamps: true,
            tail_lines: if since.is_some() { None } else { self.options.tail.map(i64::from) },
            since_time: since,
            ..LogParams::default()
        }
    }

    fn pod(&self) -> Option<ObjectSummary> {
        let key = ObjectKey {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: self.target.namespace.clone(),
            name: self.target.pod.clone(),
        };
        self.cluster.index().object(&key)
    }

    /// What tells one process of the container from the next.
    fn container(&self) -> Option<(String, u32, Option<Timestamp>)> {
        let Detail::Pod(detail) = self.pod()?.detail else { return None };
        let container = detail.containers.into_iter().find(|found| found.name == self.target.container)?;
        Some((container.state, container.restarts, container.started))
    }

    /// Whether no more lines can come: the pod is gone, or has run to its end.
    fn is_over(&self) -> bool {
        match self.pod() {
            Some(pod) => {
                let Detail::Pod(detail) = &pod.detail else { return true };
                pod.deleting || detail.phase == "Succeeded" || detail.phase == "Failed"
            }
            None => self.cluster.index().is_complete(&self.target.namespace),
        }
    }
}

fn is_waiting(message: &str) -> bool {
    message.contains("waiting to start")
        || message.contains("ContainerCreating")
        || message.contains("PodInitializing")
}

/// How far the log has been read: the time of the last line, and every line of that very time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Mark {
    last: Option<Timestamp>,
    same: Vec<String>,
    /// Lines of the last time that a repeated request has shown again so far.
    repeated: usize,
}

impl Mark {
    /// The text of a line with a time stamp, unless it has been seen. A line without one is passed on as it is.
    fn admit(&mut self, line: &str) -> Option<String> {
        let (stamp, text) = line.split_once(' ').unwrap_or((line, ""));
        let Ok(at) = stamp.parse::<Timestamp>() else { return Some(line.to_owned()) };
        match self.last {
            Some(last) if at < last => return None,
            Some(last) if at == last => {
                if self.same.get(self.repeated).is_some_and(|seen| seen == text) {
                    self.repeated += 1;
                    return None;
                }
                self.same.push(text.to_owned());
                self.repeated = self.same.len();
            }
            _ => {
                self.last = Some(at);
                self.same = vec![text.to_owned()];
                self.repeated = 1;
            }
        }
        Some(text.to_owned())
    }

    /// A new request begins: it repeats the lines of the last second.
    fn begin(&mut self) {
        self.repeated = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_request_shows_no_line_twice() {
        let mut mark = Mark::default();
        let first = ["2026-01-01T00:00:00.1Z a", "2026-01-01T00:00:00.2Z b", "2026-01-01T00:00:00.2Z b"];
        let shown: Vec<_> = first.iter().filter_map(|line| mark.admit(line)).collect();
        assert_eq!(shown, ["a", "b", "b"], "equal lines of one request are two lines");
        mark.begin();
        let second = [&first[..], &["2026-01-01T00:00:00.2Z c", "2026-01-01T00:00:01Z d"]].concat();
        let shown: Vec<_> = second.iter().filter_map(|line| mark.admit(line)).collect();
        assert_eq!(shown, ["c", "d"]);
    }

    #[test]
    fn a_line_without_a_time_is_passed_on() {
        assert_eq!(
            Mark::default().admit("unable to retrieve container logs"),
            Some("unable to retrieve container logs".into())
        );
    }
}
