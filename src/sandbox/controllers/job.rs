//! Jobs: pods that run to their end, as many as asked for, with failures counted and delayed.
//!
//! A pod carries a finalizer until it has been counted, so that none is forgotten and none counted twice: first its uid is
//! written into `status.uncountedTerminatedPods`, then its finalizer goes, then the counter moves (tracking).

mod finish;
mod indexes;
mod policy;
#[cfg(test)]
mod tests;
mod tracking;
mod tries;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::object::{after, condition_is_true, deleting, list, name, number, put, stamp, text, time, uid};
use super::pods::{self, PODS};
use super::write::{Context, Note, Outcome, Target, Write, conditions_of};
pub use tracking::{FINALIZER, sync_pod};

/// The resource.
pub const JOBS: &str = "jobs.batch";
/// The delay after a first failure; each further one doubles it.
const FIRST_DELAY: i64 = 10;
/// The longest delay.
const LONGEST_DELAY: i64 = 600;

/// Brings a Job one step further.
pub fn sync(context: &Context<'_>, job: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    if !matches!(text(job, "/spec/managedBy"), "" | "kubernetes.io/job-controller") {
        return outcome;
    }
    let pods: Vec<Arc<Value>> = context.cache.owned(PODS, uid(job)).cloned().collect();
    if is_finished(job) {
        tracking::let_go(&pods, &mut outcome);
        expire(context, job, &mut outcome);
        return outcome;
    }
    let mut scene = Scene::new(context, job, pods, outcome);
    if !deleting(job) {
        scene.step();
    }
    scene.finish()
}

/// Whether a Job has ended, well or not.
pub fn is_finished(job: &Value) -> bool {
    condition_is_true(job, "Complete") || condition_is_true(job, "Failed")
}

/// Deletes a finished Job when its `ttlSecondsAfterFinished` is over.
fn expire(context: &Context<'_>, job: &Value, outcome: &mut Outcome) {
    let Some(keep) = number(job, "/spec/ttlSecondsAfterFinished").filter(|_| !deleting(job)) else { return };
    let ended = list(job, "/status/conditions")
        .iter()
        .filter(|condition| matches!(text(condition, "/type"), "Complete" | "Failed"))
        .find_map(|condition| time(condition, "/lastTransitionTime"));
    let Some(ended) = ended else { return };
    let due = after(ended, keep);
    if due <= context.now {
        outcome.push(Write::Delete { target: Target::of(JOBS, job), note: None });
    } else {
        outcome.look_again(due);
    }
}

/// One sync of one Job.
struct Scene<'a> {
    context: &'a Context<'a>,
    job: &'a Arc<Value>,
    pods: Vec<Arc<Value>>,
    active: Vec<Arc<Value>>,
    /// Pods made in this sync, counted into `status.active`.
    made: i64,
    tracking: tracking::Tracking,
    conditions: Vec<Value>,
    started: Option<Timestamp>,
    completed: Option<Timestamp>,
    outcome: Outcome,
}

impl<'a> Scene<'a> {
    fn new(context: &'a Context<'a>, job: &'a Arc<Value>, pods: Vec<Arc<Value>>, outcome: Outcome) -> Self {
        let active = pods.iter().filter(|pod| pods::is_active(pod)).cloned().collect();
        let mut outcome = outcome;
        let tracking = tracking::Tracking::read(job, &pods, &mut outcome);
        Self {
            context,
            job,
            pods,
            active,
            made: 0,
            tracking,
            conditions: conditions_of(job),
            started: time(job, "/status/startTime"),
            completed: None,
            outcome,
        }
    }

    fn parallelism(&self) -> i64 {
        number(self.job, "/spec/parallelism").unwrap_or(1).max(0)
    }

    fn step(&mut self) {
        if self.ends() {
            return;
        }
        if policy::is_suspended(self.job) {
            self.suspend();
            return;
        }
        self.resume();
        if policy::is_indexed(self.job) {
            for pod in self.superfluous() {
                self.drop(&pod);
            }
        }
        let missing = self.wanted() - self.present();
        if missing < 0 {
            self.drop_active((-missing) as usize);
        } else if missing > 0 {
            self.fill(missing as usize);
        }
        if let (Some(started), Some(limit)) = (self.started, number(self.job, "/spec/activeDeadlineSeconds"))
        {
            self.outcome.look_again(after(started, limit));
        }
    }

    /// How many pods should run.
    fn wanted(&self) -> i64 {
        let over = self.tracking.succeeded() + self.tracking.failed_indexes.len();
        match number(self.job, "/spec/completions") {
            None if over > 0 => self.active.len() as i64,
            None => self.parallelism(),
            Some(completions) => self.parallelism().min((completions - over).max(0)),
        }
    }

    /// How many pods run, with those that are to be waited for before they are replaced.
    fn present(&self) -> i64 {
        let waits = policy::replaces_only_failed(self.job);
        self.active.len() as i64 + if waits { self.terminating() } else { 0 }
    }

    fn terminating(&self) -> i64 {
        self.pods.iter().filter(|pod| deleting(pod) && !pods::is_finished(pod)).count() as i64
    }

    fn fill(&mut self, missing: usize) {
        if tries::limit_per_index(self.job).is_none()
            && let Some(at) = self.delayed_until()
        {
            self.outcome.look_again(at);
        } else if policy::is_indexed(self.job) {
            for index in self.free_indexes().into_iter().take(missing) {
                self.make_pod(Some(index));
            }
        } else {
            (0..missing).for_each(|_| self.make_pod(None));
        }
    }

    /// After failures: when the next pod may be made.
    fn delayed_until(&self) -> Option<Timestamp> {
        let ended = |phase: &str| {
            let pods = self.pods.iter().filter(move |pod| text(pod, "/status/phase") == phase);
            pods.filter_map(|pod| end_of(pod)).collect::<Vec<Timestamp>>()
        };
        let success = ended("Succeeded").into_iter().max().unwrap_or(Timestamp::MIN);
        let failures: Vec<Timestamp> = ended("Failed").into_iter().filter(|at| *at > success).collect();
        let last = failures.iter().max()?;
        let due = after(*last, tries::delay(failures.len() as i64));
        (due > self.context.now).then_some(due)
    }

    fn make_pod(&mut self, index: Option<i64>) {
        let job = self.job;
        let mut pod = pods::from_template(job, &job["spec"]["template"]);
        let labels = &mut pod["metadata"]["labels"];
        for prefix in ["", "batch.kubernetes.io/"] {
            labels[format!("{prefix}job-name")] = json!(name(job));
            labels[format!("{prefix}controller-uid")] = json!(uid(job));
        }
        let mut finalizers = list(&pod, "/metadata/finalizers").to_vec();
        finalizers.push(json!(FINALIZER));
        pod["metadata"]["finalizers"] = json!(finalizers);
        if let Some(index) = index {
            self.give_index(&mut pod, index);
        }
        let note = Some(Note::normal(job, "SuccessfulCreate", "Created pod: "));
        self.outcome.push(Write::Create { resource: PODS, object: pod, note });
        self.made += 1;
    }

    /// Deletes active pods, the least useful first.
    fn drop_active(&mut self, most: usize) {
        let mut surplus = self.active.clone();
        pods::sort_for_deletion(&mut surplus);
        for pod in surplus.iter().take(most) {
            self.drop(pod);
        }
    }

    fn drop(&mut self, pod: &Arc<Value>) {
        let known = self.active.len();
        self.active.retain(|active| uid(active) != uid(pod));
        if self.active.len() == known {
            return;
        }
        let message = format!("Deleted pod: {}", name(pod));
        let note = Some(Note::normal(self.job, "SuccessfulDelete", message));
        self.outcome.push(Write::Delete { target: Target::of(PODS, pod), note });
    }

    /// Adds the status to what was decided.
    fn finish(mut self) -> Outcome {
        let ready = self.active.iter().filter(|pod| pods::is_ready(pod)).count();
        let terminating = self.terminating();
        let mut status = Map::new();
        put(&mut status, "conditions", std::mem::take(&mut self.conditions));
        put(&mut status, "startTime", self.started.map(stamp));
        put(&mut status, "completionTime", self.completed.map(stamp));
        put(&mut status, "active", self.active.len() as i64 + self.made);
        status.insert("terminating".to_owned(), json!(terminating));
        status.insert("ready".to_owned(), json!(ready));
        self.tracking.describe(self.job, &mut status);
        // before the writes that let pods go: what is counted must be written first
        let mut before = Outcome::nothing();
        before.status(JOBS, self.job, Value::Object(status));
        before.writes.append(&mut self.outcome.writes);
        self.outcome.writes = before.writes;
        self.outcome
    }
}

/// When the last container of a pod ended.
fn end_of(pod: &Value) -> Option<Timestamp> {
    let ends = list(pod, "/status/containerStatuses").iter();
    let last = ends.filter_map(|container| time(container, "/state/terminated/finishedAt")).max();
    last.or_else(|| super::object::created(pod))
}
