//! Job and CronJob.

use jiff::Timestamp;

use super::read::Object;
use super::{Finding, Health};
use crate::domain::conditions::Conditions;

pub(super) fn job(object: Object<'_>, conditions: &Conditions<'_>) -> Finding {
    if conditions.holds("Complete").is_some() {
        return Finding::healthy();
    }
    if let Some(failed) = conditions.holds("Failed") {
        return Finding::degraded(failed.reason_or("JobFailed"), failed.message());
    }
    if conditions.holds("Suspended").is_some() && object.flag("spec.suspend") {
        return Finding::new(Health::Suspended, "JobSuspended", "it is suspended");
    }
    if object.text("status.startTime").is_none() {
        return Finding::progressing("JobNotStarted", "it has not started yet");
    }
    let done = object.count("status.succeeded");
    let wanted = object.number("spec.completions").unwrap_or(1);
    let failed = object.count("status.failed");
    let tries = if failed > 0 { format!(", {failed} tries failed") } else { String::new() };
    Finding::progressing("JobRunning", format!("{done} of {wanted} completions{tries}"))
}

/// A cron job is degraded when its last run ended and did not succeed.
pub(super) fn cron_job(object: Object<'_>) -> Finding {
    if object.flag("spec.suspend") {
        return Finding::new(Health::Suspended, "CronJobSuspended", "it is suspended");
    }
    let moment = |path: &str| object.text(path).and_then(|at| at.parse::<Timestamp>().ok());
    let (scheduled, succeeded) = (moment("status.lastScheduleTime"), moment("status.lastSuccessfulTime"));
    let idle = object.items("status.active").next().is_none();
    match scheduled {
        Some(at) if idle && succeeded.is_none_or(|success| success < at) => {
            Finding::degraded("LastRunFailed", format!("the run of {at} did not succeed"))
        }
        _ => Finding::healthy(),
    }
}
