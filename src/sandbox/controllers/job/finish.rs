//! How a Job ends: enough successes, too many failures, too long; and how it is suspended and resumed.

use serde_json::{Value, json};

use super::super::object::{after, count, list, number, text};
use super::super::pods;
use super::super::write::{Note, Write, set_condition};
use super::Scene;
use super::policy::{self, Verdict};

const PROBE: [&str; 1] = ["lastProbeTime"];

impl Scene<'_> {
    /// Ends the Job when it is time. True: nothing else is to be done for it.
    pub(super) fn ends(&mut self) -> bool {
        if let Some((reason, message)) = self.failure() {
            self.fail(reason, &message);
            return true;
        }
        if let Some((reason, message)) = self.success() {
            self.complete(reason, &message);
            return true;
        }
        false
    }

    /// Why the Job fails: its reason and its message.
    fn failure(&self) -> Option<Ending> {
        if let Some(target) = self.known("FailureTarget") {
            let reason = REASONS.into_iter().find(|reason| *reason == text(target, "/reason"));
            return Some((reason.unwrap_or(BACKOFF.0), text(target, "/message").to_owned()));
        }
        if self.known("SuccessCriteriaMet").is_some() {
            return None;
        }
        let fatal =
            self.pods.iter().filter(|pod| policy::is_failed(pod, self.job)).find_map(
                |pod| match policy::judge(self.job, pod) {
                    Verdict::FailJob(message) => Some((POLICY, message)),
                    _ => None,
                },
            );
        fatal.or_else(|| self.exhausted())
    }

    fn exhausted(&self) -> Option<Ending> {
        let ended = |(reason, message): (&'static str, &str)| Some((reason, message.to_owned()));
        let limit = number(self.job, "/spec/backoffLimit").unwrap_or(6);
        if self.tracking.failed() > limit || self.restarts() > limit {
            return ended(BACKOFF);
        }
        let started = self.started.zip(number(self.job, "/spec/activeDeadlineSeconds"));
        if started.is_some_and(|(started, limit)| after(started, limit) <= self.context.now) {
            return ended(DEADLINE);
        }
        let failed = self.tracking.failed_indexes.len();
        let most = number(self.job, "/spec/maxFailedIndexes");
        if most.is_some_and(|most| failed > most) {
            return ended(MAX_FAILED);
        }
        let completions = number(self.job, "/spec/completions").unwrap_or(0);
        if failed > 0 && failed + self.tracking.succeeded() >= completions {
            return ended(FAILED_INDEXES);
        }
        None
    }

    /// Why the Job has done enough.
    fn success(&self) -> Option<Ending> {
        if let Some(met) = self.known("SuccessCriteriaMet") {
            let reason = if text(met, "/reason") == SUCCESS_POLICY { SUCCESS_POLICY } else { REACHED.0 };
            return Some((reason, text(met, "/message").to_owned()));
        }
        if let Some(message) = policy::success(self.job, &self.tracking.completed) {
            return Some((SUCCESS_POLICY, message));
        }
        let successes = self.tracking.succeeded();
        let enough = match number(self.job, "/spec/completions") {
            Some(completions) => successes >= completions,
            None => successes > 0 && self.active.is_empty(),
        };
        enough.then(|| (REACHED.0, REACHED.1.to_owned()))
    }

    /// Restarts inside the pods count as failures when the pods restart their containers themselves.
    fn restarts(&self) -> i64 {
        if text(self.job, "/spec/template/spec/restartPolicy") != "OnFailure" {
            return 0;
        }
        let containers = self.active.iter().flat_map(|pod| list(pod, "/status/containerStatuses"));
        containers.map(|container| count(container, "/restartCount")).sum()
    }

    fn known(&self, kind: &str) -> Option<&Value> {
        self.conditions.iter().find(|condition| text(condition, "/type") == kind)
    }

    fn set(&mut self, kind: &str, status: &str, reason: &str, message: &str) -> bool {
        let wanted = json!({"type": kind, "status": status, "reason": reason, "message": message});
        set_condition(&mut self.conditions, wanted, self.context.now, &PROBE)
    }

    /// Whether every pod has stopped and has been counted.
    fn is_quiet(&self) -> bool {
        self.pods.iter().all(|pod| pods::is_finished(pod)) && self.tracking.is_settled()
    }

    fn fail(&mut self, reason: &'static str, message: &str) {
        self.set("FailureTarget", "True", reason, message);
        self.drop_active(usize::MAX);
        if self.is_quiet() {
            self.set("Failed", "True", reason, message);
            self.outcome.push(Write::Event(Note::warning(self.job, reason, message)));
        }
    }

    fn complete(&mut self, reason: &'static str, message: &str) {
        self.set("SuccessCriteriaMet", "True", reason, message);
        self.drop_active(usize::MAX);
        if self.is_quiet() {
            self.set("Complete", "True", reason, message);
            self.completed = Some(self.context.now);
            self.outcome.push(Write::Event(Note::normal(self.job, "Completed", "Job completed")));
        }
    }

    pub(super) fn suspend(&mut self) {
        self.drop_active(usize::MAX);
        self.started = None;
        if self.set("Suspended", "True", "JobSuspended", "Job suspended") {
            self.outcome.push(Write::Event(Note::normal(self.job, "Suspended", "Job suspended")));
        }
    }

    pub(super) fn resume(&mut self) {
        let suspended = self.known("Suspended").is_some_and(|known| text(known, "/status") == "True");
        if suspended {
            self.set("Suspended", "False", "JobResumed", "Job resumed");
            self.outcome.push(Write::Event(Note::normal(self.job, "Resumed", "Job resumed")));
        }
        if suspended || self.started.is_none() {
            self.started = Some(self.context.now);
        }
    }
}

/// A reason and a message.
type Ending = (&'static str, String);

const REACHED: (&str, &str) = ("CompletionsReached", "Reached expected number of succeeded pods");
const BACKOFF: (&str, &str) = ("BackoffLimitExceeded", "Job has reached the specified backoff limit");
const DEADLINE: (&str, &str) = ("DeadlineExceeded", "Job was active longer than specified deadline");
const MAX_FAILED: (&str, &str) =
    ("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
const FAILED_INDEXES: (&str, &str) = ("FailedIndexes", "Job has failed indexes");
const POLICY: &str = "PodFailurePolicy";
const SUCCESS_POLICY: &str = "SuccessPolicy";
/// Every reason for which a Job fails.
const REASONS: [&str; 5] = [BACKOFF.0, DEADLINE.0, MAX_FAILED.0, FAILED_INDEXES.0, POLICY];
