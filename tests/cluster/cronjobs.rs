//! CronJobs. What happens over hours is tested on a clock of its own, beside the controller.

use serde_json::{Value, json};

use crate::ground::Ground;
use crate::things::{number, text};
use crate::workloads::{job, stuck};

cases!(
    ;
    only_sandbox:
        a_job_is_made_when_its_time_has_come: "Kubernetes 1.20 serves CronJobs as batch/v1beta1 only",
        a_schedule_must_be_one: "Kubernetes 1.20 serves CronJobs as batch/v1beta1 only",
        a_suspended_cron_job_makes_none: "Kubernetes 1.20 serves CronJobs as batch/v1beta1 only",
        running_jobs_forbid_further_ones: "Kubernetes 1.20 serves CronJobs as batch/v1beta1 only",
);

fn cron_job(schedule: &str, spec: Value) -> Value {
    let template = job(json!({}))["spec"].clone();
    let mut object = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
        "spec": {"schedule": schedule, "jobTemplate": {"metadata": {"labels": {"app": "tick"}}, "spec": template}}});
    for (field, value) in spec.as_object().expect("a spec") {
        object["spec"][field] = value.clone();
    }
    object
}

async fn a_job_is_made_when_its_time_has_come(ground: &Ground) {
    let cron_jobs = ground.things("cronjobs");
    let made = cron_jobs.create(cron_job("@every 1s", json!({}))).await;
    assert_eq!(
        (text(&made, "/spec/concurrencyPolicy"), number(&made, "/spec/failedJobsHistoryLimit")),
        ("Allow", 1)
    );
    let jobs = ground.things("jobs").until_all("app=tick", "the first", |jobs| !jobs.is_empty()).await;
    let first = &jobs[0];
    let at: jiff::Timestamp =
        first["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
            .as_str()
            .and_then(|at| at.parse().ok())
            .expect("the time that it was made for");
    assert_eq!(text(first, "/metadata/name"), format!("tick-{}", at.as_second() / 60));
    let owner = &first["metadata"]["ownerReferences"][0];
    assert_eq!((text(owner, "/kind"), &owner["controller"]), ("CronJob", &json!(true)));
    let done = |object: &Value| !text(object, "/status/lastSuccessfulTime").is_empty();
    let after = cron_jobs.until_is("tick", "it saw the Job end", done).await;
    assert!(text(&after, "/status/lastScheduleTime") >= at.to_string().as_str());
    let told = |event: &&Value| text(event, "/reason") == "SawCompletedJob";
    ground.things("events").until_all("", "it tells so", |events| events.iter().any(told)).await;
    cron_jobs.delete("tick").await;
    ground.things("jobs").until_all("app=tick", "they go with it", |jobs| jobs.is_empty()).await;
}

async fn a_schedule_must_be_one(ground: &Ground) {
    let cron_jobs = ground.things("cronjobs");
    for (schedule, part) in
        [("0 0 * * 7", "End of range (7) above maximum (6): 7"), ("* *", "exactly 5 fields")]
    {
        let refused = cron_jobs.try_create(cron_job(schedule, json!({}))).await.expect_err("a refusal");
        assert_eq!(refused.code, 422);
        assert!(refused.message.contains(part), "{}", refused.message);
    }
    let moon = cron_job("@daily", json!({"timeZone": "Moon/Crater"}));
    let refused = cron_jobs.try_create(moon).await.expect_err("a refusal");
    assert!(refused.message.contains("unknown time zone Moon/Crater"), "{}", refused.message);
}

async fn a_suspended_cron_job_makes_none(ground: &Ground) {
    let cron_jobs = ground.things("cronjobs");
    cron_jobs.create(cron_job("@every 1s", json!({"suspend": true}))).await;
    // made later and running: it shows that the time has passed for the other too
    let mut other = cron_job("@every 1s", json!({}));
    other["metadata"]["name"] = json!("tock");
    other["spec"]["jobTemplate"]["metadata"]["labels"] = json!({"app": "tock"});
    cron_jobs.create(other).await;
    ground.things("jobs").until_all("app=tock", "the other's", |jobs| !jobs.is_empty()).await;
    assert!(ground.things("jobs").names("app=tick").await.is_empty());
    assert_eq!(text(&cron_jobs.get("tick").await, "/status/lastScheduleTime"), "");
}

async fn running_jobs_forbid_further_ones(ground: &Ground) {
    let cron_jobs = ground.things("cronjobs");
    let mut object = cron_job("@every 1s", json!({"concurrencyPolicy": "Forbid"}));
    object["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["annotations"] = stuck();
    cron_jobs.create(object).await;
    let refused = |event: &&Value| text(event, "/reason") == "JobAlreadyActive";
    ground.things("events").until_all("", "it waits", |events| events.iter().any(refused)).await;
    assert_eq!(ground.things("jobs").names("app=tick").await.len(), 1);
    let active = |one: &Value| one["status"]["active"].as_array().map(Vec::len) == Some(1);
    cron_jobs.until_is("tick", "it is active", active).await;
}
