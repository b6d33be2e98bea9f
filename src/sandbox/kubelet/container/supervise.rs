//! A real process: from its start to its end.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Attempt, Runner, ordered};
use crate::sandbox::kubelet::console::{Console, Streams};
use crate::sandbox::kubelet::logs::{self, LogWriter};
use crate::sandbox::kubelet::pod::Live;
use crate::sandbox::kubelet::probes::check::Target;
use crate::sandbox::kubelet::probes::{Finding, Probes, hook};
use crate::sandbox::kubelet::process::{Inside, Running};
use crate::sandbox::kubelet::scene::{Ending, Scene};
use crate::sandbox::kubelet::termination;
use crate::sandbox::schema::quantity::Quantity;

/// How long the log waits at most for the rest of the output after the process has ended: somebody outside of its group may keep
/// the pipe open.
const REST_OF_OUTPUT: Duration = Duration::from_secs(5);
/// The exit code of a container that could not be started.
const START_ERROR: i32 = 128;
/// The exit code of a process that was killed: 128 and the signal.
const KILLED: i32 = 137;

/// How a process ended.
struct Ended {
    exit_code: i32,
    reason: &'static str,
}

impl From<i32> for Ended {
    fn from(exit_code: i32) -> Self {
        Self { exit_code, reason: if exit_code == 0 { "Completed" } else { "Error" } }
    }
}

/// When the container's scene wants it to end.
async fn ending(scene: Scene, moment: Duration) -> Ending {
    match scene.ending {
        Some(ending) => {
            tokio::time::sleep(scene.slow_start.max(moment)).await;
            ending
        }
        None => std::future::pending().await,
    }
}

/// `limits.memory` in bytes.
fn memory_limit(container: &Value) -> Option<u64> {
    let text = container["resources"]["limits"]["memory"].as_str()?;
    u64::try_from(Quantity::parse(text)?.nanos() / 1_000_000_000).ok().filter(|limit| *limit > 0)
}

impl Runner {
    /// Starts the process and stays until it has ended.
    pub(super) async fn launch(&mut self, inside: Arc<Inside>, argv: &[String]) -> Attempt {
        self.record.update(&self.name, |state| state.begin());
        let mut captures = JoinSet::new();
        let (mut process, console, log) = match self.start(&inside, argv, &mut captures) {
            Ok(started) => started,
            Err(why) => {
                self.event(
                    true,
                    "Failed",
                    &format!("Error: failed to start container \"{}\": {why}", self.name),
                );
                self.end(START_ERROR, "StartError", why);
                return Attempt::Ended { exit_code: START_ERROR, ran: Duration::ZERO };
            }
        };
        let start = self.node.api.now();
        let live = Live { inside: Arc::clone(&inside), log: log.progress(), console };
        self.record.set_live(&self.name, Some(live));
        self.running(&process.id().to_string(), false);
        self.event(false, "Created", &format!("Created container: {}", self.name));
        self.event(false, "Started", &format!("Started container {}", self.name));
        let ended = self.watch_over(&mut process, Arc::clone(&inside)).await;
        self.record.set_live(&self.name, None);
        // The group is dead; what is still in the pipes belongs to the log.
        tokio::time::timeout(REST_OF_OUTPUT, async { while captures.join_next().await.is_some() {} })
            .await
            .ok();
        log.close();
        let Ended { exit_code, reason } = ended;
        let file = logs::path(&self.record.logs(&self.name), self.life());
        let message = termination::message(&self.specification(), &inside.root, &file, exit_code);
        self.end(exit_code, reason, message);
        Attempt::Ended { exit_code, ran: self.since(start) }
    }

    fn start(
        &self,
        inside: &Inside,
        argv: &[String],
        captures: &mut JoinSet<()>,
    ) -> Result<(Running, Arc<Console>, Arc<LogWriter>), String> {
        let log = LogWriter::create(&self.record.logs(&self.name), self.life(), self.node.api.clock())
            .map_err(|error| format!("its log: {error}"))?;
        let log = Arc::new(log);
        let command = inside.command(&self.node.options.executable, argv)?;
        let streams = Streams::of(&self.specification());
        let (process, console) =
            Console::start(streams, command, &log, captures).map_err(|error| error.to_string())?;
        Ok((process, console, log))
    }

    /// Stays with the process until it has ended by itself, by order, by its limit, or because a probe or a scene said so.
    async fn watch_over(&mut self, process: &mut Running, inside: Arc<Inside>) -> Ended {
        let address = self.record.address().unwrap_or(std::net::Ipv4Addr::LOCALHOST);
        let executable = self.node.options.executable.clone();
        let target = Arc::new(Target { executable, inside, address });
        let (sender, mut findings) = mpsc::channel(16);
        let specification = self.specification();
        let scene = self.scene();
        // Dropped with this function: probing ends with the process.
        let mut probing = JoinSet::new();
        let (probes, aim) = (Probes::read(&specification), Arc::clone(&target));
        probing.spawn(async move {
            tokio::time::sleep(scene.slow_start).await;
            probes.run(aim, sender).await;
        });
        let node = Arc::clone(&self.node);
        let _measured = node.meter.measure(process.id(), &self.record.uid, &self.name);
        let full = node.meter.over(process.id(), memory_limit(&specification));
        let ending = ending(scene, node.options.simulated_delay);
        tokio::pin!(full, ending);
        loop {
            tokio::select! {
                exit_code = process.wait() => return exit_code.into(),
                Some(finding) = findings.recv() => match finding {
                    Finding::Kill { why, grace } => {
                        self.event(false, "Killing", &format!("Container {} {why}, will be restarted", self.name));
                        let grace = grace.map_or_else(|| self.own_grace(), Duration::from_secs);
                        return self.terminate(process, Instant::now() + grace, &target).await.into();
                    }
                    other => self.note(other),
                },
                () = &mut full => {
                    process.kill();
                    process.wait().await;
                    return Ended { exit_code: KILLED, reason: "OOMKilled" };
                }
                Ending { exit_code, reason } = &mut ending => {
                    process.kill();
                    process.wait().await;
                    return Ended { exit_code, reason };
                }
                () = ordered(&mut self.stop) => {
                    self.event(false, "Killing", &format!("Stopping container {}", self.name));
                    return self.terminate(process, self.last_moment(), &target).await.into();
                }
                _ = self.pod.changed() => if self.image_changed() {
                    let message = format!("Container {} definition changed, will be restarted", self.name);
                    self.event(false, "Killing", &message);
                    return self.terminate(process, Instant::now() + self.own_grace(), &target).await.into();
                },
            }
        }
    }

    fn note(&self, finding: Finding) {
        match finding {
            Finding::Started { ready } => {
                self.record.update(&self.name, |state| state.started = true);
                self.note_ready(ready);
            }
            Finding::Ready(ready) => self.note_ready(ready),
            Finding::Unhealthy(message) => self.event(true, "Unhealthy", &message),
            Finding::Kill { .. } => {}
        }
    }

    /// Notes whether it is ready, unless its scene says otherwise.
    pub(super) fn note_ready(&self, ready: bool) {
        let ready = ready && self.scene().allows_ready();
        if self.record.container(&self.name).is_some_and(|state| state.ready != ready) {
            self.record.update(&self.name, |state| state.ready = ready);
        }
    }

    fn own_grace(&self) -> Duration {
        let seconds = self.record.pod()["spec"]["terminationGracePeriodSeconds"].as_u64();
        Duration::from_secs(seconds.unwrap_or(30))
    }

    /// The graceful end: the `preStop` hook, TERM to the process, and KILL to its group when the time is over. An order to
    /// stop that leaves less time shortens it.
    async fn terminate(&mut self, process: &mut Running, mut deadline: Instant, target: &Target) -> i32 {
        let hook = hook(&self.specification(), "preStop");
        let hooked = async { if let Some(hook) = &hook { hook.run(target).await } else { Ok(()) } };
        tokio::pin!(hooked);
        let mut told = false;
        loop {
            let order = async {
                self.stop.changed().await.ok();
            };
            tokio::select! {
                biased;
                exit_code = process.wait() => return exit_code,
                result = &mut hooked, if !told => {
                    told = true;
                    process.signal(Signal::TERM);
                    if let Err(why) = result {
                        self.event(true, "FailedPreStopHook", &format!("PreStopHook failed: {why}"));
                    }
                }
                () = tokio::time::sleep_until(deadline) => {
                    process.kill();
                    return process.wait().await;
                }
                () = order => {
                    if let Some(stop) = self.ordered() {
                        deadline = deadline.min(stop.deadline);
                    }
                }
            }
        }
    }
}
