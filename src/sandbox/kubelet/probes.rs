//! Probes: when they run and what their results mean. What they do is in [`check`].

pub(super) mod check;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use check::{Check, Target};

/// What the probes of a container have found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// It has started; `ready` when no readiness probe has to say so.
    Started { ready: bool },
    /// The readiness probe has decided.
    Ready(bool),
    /// A probe failed once: an event.
    Unhealthy(String),
    /// The container must be killed, and why. The grace period when the probe has one of its own, in seconds.
    Kill { why: String, grace: Option<u64> },
}

/// One probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Probe {
    check: Check,
    initial_delay: Duration,
    period: Duration,
    timeout: Duration,
    success_threshold: u64,
    failure_threshold: u64,
    grace: Option<u64>,
}

/// The probes of a container and its `postStart` hook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Probes {
    startup: Option<Probe>,
    readiness: Option<Probe>,
    liveness: Option<Probe>,
    post_start: Option<Check>,
}

impl Probes {
    /// From the container's specification.
    pub(super) fn read(container: &Value) -> Self {
        let probe = |name: &str| {
            let value = container.get(name).filter(|probe| !probe.is_null())?;
            let number = |field: &str, default: u64| value[field].as_u64().unwrap_or(default);
            Some(Probe {
                check: Check::read(value, container),
                initial_delay: Duration::from_secs(number("initialDelaySeconds", 0)),
                period: Duration::from_secs(number("periodSeconds", 10).max(1)),
                timeout: Duration::from_secs(number("timeoutSeconds", 1).max(1)),
                success_threshold: number("successThreshold", 1).max(1),
                failure_threshold: number("failureThreshold", 3).max(1),
                grace: value["terminationGracePeriodSeconds"].as_u64(),
            })
        };
        Self {
            startup: probe("startupProbe"),
            readiness: probe("readinessProbe"),
            liveness: probe("livenessProbe"),
            post_start: hook(container, "postStart"),
        }
    }

    /// Runs them until the receiver is gone or the container must be killed.
    pub(super) async fn run(self, target: Arc<Target>, findings: mpsc::Sender<Finding>) {
        if let Some(hook) = &self.post_start
            && let Err(why) = hook.run(&target).await
        {
            let why = format!("failed postStart hook: {why}");
            findings.send(Finding::Kill { why, grace: None }).await.ok();
            return;
        }
        let rounds = |probe: Probe, name| Rounds { probe, name, target: &target, findings: &findings };
        if let Some(probe) = self.startup
            && !rounds(probe, "Startup").started().await
        {
            return;
        }
        if findings.send(Finding::Started { ready: self.readiness.is_none() }).await.is_err() {
            return;
        }
        let readiness = async {
            if let Some(probe) = self.readiness {
                rounds(probe, "Readiness").readiness().await;
            }
        };
        let liveness = async {
            if let Some(probe) = self.liveness {
                rounds(probe, "Liveness").liveness().await;
            }
        };
        tokio::join!(readiness, liveness);
    }
}

/// A lifecycle hook of a container.
pub(super) fn hook(container: &Value, name: &str) -> Option<Check> {
    let handler = container["lifecycle"].get(name).filter(|handler| !handler.is_null())?;
    Some(Check::read(handler, container))
}

/// Counts results: thresholds in a row decide.
#[derive(Debug, Clone, Default)]
struct Tracker {
    successes: u64,
    failures: u64,
}

impl Tracker {
    /// The decision after one more result, if there is one.
    fn observe(&mut self, probe: &Probe, good: bool) -> Option<bool> {
        if good {
            self.successes += 1;
            self.failures = 0;
        } else {
            self.failures += 1;
            self.successes = 0;
        }
        match good {
            true => (self.successes >= probe.success_threshold).then_some(true),
            false => (self.failures >= probe.failure_threshold).then_some(false),
        }
    }
}

/// One probe, again and again.
struct Rounds<'a> {
    probe: Probe,
    name: &'static str,
    target: &'a Target,
    findings: &'a mpsc::Sender<Finding>,
}

impl Rounds<'_> {
    /// Whether the container has started; false once it must be killed (or nobody listens).
    async fn started(&self) -> bool {
        let mut tracker = Tracker::default();
        tokio::time::sleep(self.probe.initial_delay).await;
        loop {
            match tracker.observe(&self.probe, self.check().await) {
                Some(true) => return true,
                Some(false) => {
                    self.kill().await;
                    return false;
                }
                None if self.findings.is_closed() => return false,
                None => tokio::time::sleep(self.probe.period).await,
            }
        }
    }

    async fn readiness(&self) {
        let mut tracker = Tracker::default();
        let mut told = false;
        tokio::time::sleep(self.probe.initial_delay).await;
        while !self.findings.is_closed() {
            if let Some(ready) = tracker.observe(&self.probe, self.check().await)
                && ready != told
            {
                told = ready;
                self.findings.send(Finding::Ready(ready)).await.ok();
            }
            tokio::time::sleep(self.probe.period).await;
        }
    }

    async fn liveness(&self) {
        let mut tracker = Tracker::default();
        tokio::time::sleep(self.probe.initial_delay).await;
        while !self.findings.is_closed() {
            if tracker.observe(&self.probe, self.check().await) == Some(false) {
                return self.kill().await;
            }
            tokio::time::sleep(self.probe.period).await;
        }
    }

    async fn check(&self) -> bool {
        let result = match tokio::time::timeout(self.probe.timeout, self.probe.check.run(self.target)).await {
            Ok(result) => result,
            Err(_) => Err(format!("no answer within {} s", self.probe.timeout.as_secs())),
        };
        match result {
            Ok(()) => true,
            Err(why) => {
                let text = format!("{} probe failed: {why}", self.name);
                self.findings.send(Finding::Unhealthy(text)).await.ok();
                false
            }
        }
    }

    async fn kill(&self) {
        let why = format!("failed {} probe", self.name.to_lowercase());
        self.findings.send(Finding::Kill { why, grace: self.probe.grace }).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn probe(success: u64, failure: u64) -> Probe {
        let value = json!({"readinessProbe": {"tcpSocket": {"port": 1},
            "successThreshold": success, "failureThreshold": failure}});
        Probes::read(&value).readiness.unwrap()
    }

    #[test]
    fn thresholds_in_a_row_decide() {
        let probe = probe(2, 3);
        let mut tracker = Tracker::default();
        let results = [true, false, true, true, false, false, true, false, false, false];
        let decisions: Vec<Option<bool>> =
            results.iter().map(|good| tracker.observe(&probe, *good)).collect();
        let none = None;
        assert_eq!(decisions, [none, none, none, Some(true), none, none, none, none, none, Some(false)]);
    }

    #[test]
    fn defaults_are_those_of_kubernetes() {
        let probes = Probes::read(&json!({"livenessProbe": {"tcpSocket": {"port": 1}}}));
        let probe = probes.liveness.unwrap();
        assert_eq!((probe.period, probe.timeout), (Duration::from_secs(10), Duration::from_secs(1)));
        assert_eq!((probe.success_threshold, probe.failure_threshold), (1, 3));
        assert_eq!((probes.startup, probes.readiness), (None, None));
    }
}
