//! CronJobs: a Job at each time of a schedule.
//!
//! ```text
//! sync → what became of the Jobs → clean up the history → which time is due? → too late? one running? → make the Job
//!                                                                                                     → status
//! ```
//! What a run was started for is read from its Job, so that nothing is started twice, and nothing is forgotten that was
//! refused.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::job::{self, JOBS};
use super::object::{
    after, annotation, condition_is_true, created, deleting, flag, list, map, name, namespace, number,
    owner_reference, put, stamp, text, time, uid,
};
use super::write::{Context, Note, Outcome, Target, Write};

pub mod schedule;
#[cfg(test)]
mod tests;

use schedule::Schedule;

/// The resource.
pub const CRONJOBS: &str = "cronjobs.batch";
/// The annotation of a Job with the time that it was made for.
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// More missed times than this are told.
const MANY: usize = 100;
const TOO_MANY: &str =
    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
const STILL_RUNNING: &str =
    "Not starting job because prior execution is running and concurrency policy is Forbid";

/// Brings a CronJob one step further.
pub fn sync(context: &Context<'_>, cron_job: &Arc<Value>) -> Outcome {
    let jobs: Vec<Arc<Value>> = context.cache.owned(JOBS, uid(cron_job)).cloned().collect();
    let mut scene = Scene::new(context, cron_job, jobs);
    scene.review();
    scene.clean_up();
    if !deleting(cron_job) && !flag(cron_job, "/spec/suspend") {
        scene.start();
    }
    scene.finish()
}

/// One sync of one CronJob.
struct Scene<'a> {
    context: &'a Context<'a>,
    cron_job: &'a Arc<Value>,
    jobs: Vec<Arc<Value>>,
    active: Vec<Value>,
    last_started: Option<Timestamp>,
    last_successful: Option<Timestamp>,
    outcome: Outcome,
}

impl<'a> Scene<'a> {
    fn new(context: &'a Context<'a>, cron_job: &'a Arc<Value>, jobs: Vec<Arc<Value>>) -> Self {
        let noted = time(cron_job, "/status/lastScheduleTime");
        let last_started = jobs.iter().filter_map(|job| made_for(job)).chain(noted).max();
        Self {
            context,
            cron_job,
            jobs,
            active: list(cron_job, "/status/active").to_vec(),
            last_started,
            last_successful: time(cron_job, "/status/lastSuccessfulTime"),
            outcome: Outcome::nothing(),
        }
    }

    fn tell(&mut self, warning: bool, reason: &'static str, message: impl Into<String>) {
        let note = if warning { Note::warning } else { Note::normal };
        self.outcome.push(Write::Event(note(self.cron_job, reason, message.into())));
    }

    /// What became of the Jobs: the list of the active ones, and the last success.
    fn review(&mut self) {
        for job in self.jobs.clone() {
            let known = self.active.iter().position(|active| active["uid"] == uid(&job));
            match (known, job::is_finished(&job)) {
                (Some(at), true) => {
                    self.active.remove(at);
                    let ended = if condition_is_true(&job, "Complete") { "Complete" } else { "Failed" };
                    let message = format!("Saw completed job: {}, condition: {ended}", name(&job));
                    self.tell(false, "SawCompletedJob", message);
                }
                (None, false) if made_for(&job).is_some() => self.active.push(reference(&job)),
                (None, false) => {
                    let message =
                        format!("Saw a job that the controller did not create or forgot: {}", name(&job));
                    self.tell(true, "UnexpectedJob", message);
                }
                _ => {}
            }
            if condition_is_true(&job, "Complete") {
                let completed = time(&job, "/status/completionTime");
                self.last_successful = self.last_successful.max(completed);
            }
        }
        let present: Vec<&str> = self.jobs.iter().map(|job| uid(job)).collect();
        let (here, missing): (Vec<Value>, Vec<Value>) = std::mem::take(&mut self.active)
            .into_iter()
            .partition(|job| present.contains(&text(job, "/uid")));
        self.active = here;
        for job in missing {
            self.tell(false, "MissingJob", format!("Active job went missing: {}", text(&job, "/name")));
        }
    }

    /// Deletes the oldest finished Jobs beyond the limits of the history.
    fn clean_up(&mut self) {
        for (kind, field) in
            [("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")]
        {
            let Some(limit) = number(self.cron_job, &format!("/spec/{field}")) else { continue };
            let ended = |job: &&Arc<Value>| condition_is_true(job, kind) && !deleting(job);
            let mut jobs: Vec<Arc<Value>> = self.jobs.iter().filter(ended).cloned().collect();
            jobs.sort_by_key(|job| (time(job, "/status/startTime"), name(job).to_owned()));
            let surplus = jobs.len().saturating_sub(limit.max(0) as usize);
            for job in jobs.iter().take(surplus) {
                self.delete(job);
            }
        }
    }

    fn delete(&mut self, job: &Arc<Value>) {
        let note = Note::normal(self.cron_job, "SuccessfulDelete", format!("Deleted job {}", name(job)));
        self.outcome.push(Write::Delete { target: Target::of(JOBS, job), note: Some(note) });
        self.active.retain(|active| active["uid"] != uid(job));
    }

    /// Makes the Job of the time that is due, if one is.
    fn start(&mut self) {
        let written = text(self.cron_job, "/spec/schedule").to_owned();
        let schedule = match Schedule::parse(&written) {
            Ok(schedule) => schedule,
            Err(why) => {
                let message = format!("unparseable schedule: {written:?} : {why}");
                return self.tell(true, "UnparseableSchedule", message);
            }
        };
        let zone = match zone(self.cron_job) {
            Ok(zone) => zone,
            Err(message) => return self.tell(true, "UnknownTimeZone", message),
        };
        let now = self.context.now;
        if let Some(next) = schedule.next(now, &zone) {
            self.outcome.look_again(next);
        }
        let Some(due) = self.due(&schedule, &zone) else { return };
        let deadline = number(self.cron_job, "/spec/startingDeadlineSeconds");
        if deadline.is_some_and(|deadline| after(due, deadline) < now) {
            let missed = due.to_zoned(zone).strftime("%a, %d %b %Y %H:%M:%S %z").to_string();
            return self.tell(
                true,
                "MissSchedule",
                format!("Missed scheduled time to start a job: {missed}"),
            );
        }
        if self.make_room() {
            self.make_job(due, zone);
        }
    }

    /// The latest time that has come and has no Job yet.
    fn due(&mut self, schedule: &Schedule, zone: &TimeZone) -> Option<Timestamp> {
        let now = self.context.now;
        let mut earliest = self.last_started.or_else(|| created(self.cron_job))?;
        if let Some(deadline) = number(self.cron_job, "/spec/startingDeadlineSeconds") {
            earliest = earliest.max(after(now, -deadline));
        }
        let mut missed = 0;
        let mut latest = None;
        let mut time = earliest;
        while let Some(next) = schedule.next(time, zone).filter(|next| *next <= now) {
            missed += 1;
            latest = Some(next);
            time = next;
            if missed > MANY {
                self.tell(true, "TooManyMissedTimes", TOO_MANY);
                return last_before(schedule, zone, next, now);
            }
        }
        latest
    }

    /// What `spec.concurrencyPolicy` asks for. False: no Job now.
    fn make_room(&mut self) -> bool {
        if self.active.is_empty() {
            return true;
        }
        match text(self.cron_job, "/spec/concurrencyPolicy") {
            "Forbid" => {
                self.tell(false, "JobAlreadyActive", STILL_RUNNING);
                false
            }
            "Replace" => {
                let active: Vec<Value> = self.active.clone();
                let running = |job: &&Arc<Value>| active.iter().any(|active| active["uid"] == uid(job));
                for job in self.jobs.iter().filter(running).cloned().collect::<Vec<_>>() {
                    self.delete(&job);
                }
                true
            }
            _ => true,
        }
    }

    fn make_job(&mut self, due: Timestamp, zone: TimeZone) {
        let cron_job = self.cron_job;
        let job_name = format!("{}-{}", name(cron_job), due.as_second().div_euclid(60));
        if self.context.cache.get(JOBS, namespace(cron_job), &job_name).is_some() {
            // another's, or one that is already going
            return;
        }
        let template = &cron_job["spec"]["jobTemplate"];
        let mut annotations = map(template, "/metadata/annotations").cloned().unwrap_or_default();
        let at = due.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        annotations.insert(SCHEDULED.to_owned(), json!(at.replace("+00:00", "Z")));
        let mut metadata = json!({
            "name": job_name, "namespace": namespace(cron_job), "annotations": annotations,
            "ownerReferences": [owner_reference(cron_job)]});
        if let Some(labels) = map(template, "/metadata/labels") {
            metadata["labels"] = json!(labels);
        }
        self.outcome.push(Write::Create {
            resource: JOBS,
            object: json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]}),
            note: Some(Note::normal(cron_job, "SuccessfulCreate", "Created job ")),
        });
    }

    /// Adds the status to what was decided.
    fn finish(mut self) -> Outcome {
        let mut status = Map::new();
        put(&mut status, "active", std::mem::take(&mut self.active));
        put(&mut status, "lastScheduleTime", self.last_started.map(stamp));
        put(&mut status, "lastSuccessfulTime", self.last_successful.map(stamp));
        let known = self.cron_job.get("status").cloned().unwrap_or_else(|| json!({}));
        if known != Value::Object(status.clone()) {
            self.outcome.status(CRONJOBS, self.cron_job, Value::Object(status));
        }
        self.outcome
    }
}

/// The last time of a schedule that is not after `now`, found from behind; `known` is one of its times.
fn last_before(schedule: &Schedule, zone: &TimeZone, known: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let mut back = 60;
    let mut from = known;
    while after(now, -back) > known {
        from = after(now, -back);
        if schedule.next(from, zone).is_some_and(|next| next <= now) {
            break;
        }
        from = known;
        back *= 2;
    }
    let mut latest = Some(known);
    let mut time = from;
    while let Some(next) = schedule.next(time, zone).filter(|next| *next <= now) {
        latest = Some(next);
        time = next;
    }
    latest
}

/// The time that a Job was made for.
fn made_for(job: &Value) -> Option<Timestamp> {
    annotation(job, SCHEDULED)?.parse().ok()
}

/// The zone of a schedule; UTC when none is named.
fn zone(cron_job: &Value) -> Result<TimeZone, String> {
    match text(cron_job, "/spec/timeZone") {
        "" => Ok(TimeZone::UTC),
        named => TimeZone::get(named).map_err(|why| format!("invalid timeZone: {named:?} : {why}")),
    }
}

fn reference(job: &Value) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "namespace": namespace(job), "name": name(job), "uid": uid(job),
        "resourceVersion": text(job, "/metadata/resourceVersion")})
}
