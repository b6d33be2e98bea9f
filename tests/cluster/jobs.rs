//! Jobs beyond the plain ones: indexes, policies, deadlines, suspension.

use serde_json::{Value, json};

use crate::ground::Ground;
use crate::things::{condition, number, text};
use crate::workloads::{job, stuck};

cases!(
    a_job_that_takes_too_long_fails,
    a_job_is_given_fewer_pods;
    only_sandbox:
        each_index_is_completed: "Kubernetes 1.20 knows no indexed Jobs",
        failed_indexes_do_not_stop_the_others: "Kubernetes 1.20 knows no indexed Jobs",
        a_policy_ends_a_job_at_its_first_failure: "Kubernetes 1.20 knows no podFailurePolicy",
        enough_indexes_are_enough: "Kubernetes 1.20 knows no successPolicy",
        a_finished_job_goes_after_its_time: "Kubernetes 1.20 does not delete finished Jobs by default",
        a_running_job_is_suspended_and_resumed: "Kubernetes 1.20 does not suspend Jobs",
);

fn waiting(spec: Value) -> Value {
    let mut job = job(spec);
    job["spec"]["template"]["metadata"]["annotations"] = stuck();
    job
}

/// A Job whose pods fail: a program of the sandbox that knows no such option.
fn failing(spec: Value) -> Value {
    let mut job = job(spec);
    job["spec"]["template"]["spec"]["containers"] =
        json!([{"name": "main", "image": "styrmin/notes-web:1.0.0", "args": ["--no-such-option"]}]);
    job
}

async fn a_job_that_takes_too_long_fails(ground: &Ground) {
    let jobs = ground.things("jobs");
    jobs.create(waiting(json!({"activeDeadlineSeconds": 1}))).await;
    let failed = jobs.until_is("seed", "it has failed", |job| condition(job, "Failed").0 == "True").await;
    assert_eq!(condition(&failed, "Failed").1, "DeadlineExceeded");
    ground.things("pods").until_all("job-name=seed", "its pod is stopped", |pods| pods.is_empty()).await;
}

async fn a_job_is_given_fewer_pods(ground: &Ground) {
    let jobs = ground.things("jobs");
    jobs.create(waiting(json!({"parallelism": 3, "completions": 5}))).await;
    for size in [3, 1, 2] {
        jobs.merge("seed", json!({"spec": {"parallelism": size}})).await;
        jobs.until_is("seed", "it has its pods", |job| number(job, "/status/active") == size).await;
        ground.things("pods").until_all("job-name=seed", "as many", |pods| pods.len() as i64 == size).await;
    }
}

async fn each_index_is_completed(ground: &Ground) {
    let jobs = ground.things("jobs");
    jobs.create(job(json!({"completionMode": "Indexed", "completions": 3, "parallelism": 2}))).await;
    let done = jobs.until_is("seed", "it is complete", |job| condition(job, "Complete").0 == "True").await;
    assert_eq!((text(&done, "/status/completedIndexes"), number(&done, "/status/succeeded")), ("0-2", 3));
    assert_eq!(condition(&done, "SuccessCriteriaMet").0, "True");
    let is_counted = |pod: &&Value| pod.pointer("/metadata/finalizers").is_none();
    let counted = |pods: &[&Value]| pods.len() == 3 && pods.iter().all(is_counted);
    let pods = ground.things("pods").until_all("job-name=seed", "three that were counted", counted).await;
    for (index, pod) in pods.iter().enumerate() {
        let key = "batch.kubernetes.io/job-completion-index";
        assert_eq!(pod["metadata"]["annotations"][key], index.to_string());
        assert_eq!(pod["metadata"]["labels"][key], index.to_string());
        assert!(text(pod, "/metadata/name").starts_with(&format!("seed-{index}-")));
        assert_eq!(text(pod, "/spec/hostname"), format!("seed-{index}"));
        let variable = &pod["spec"]["containers"][0]["env"][0];
        assert_eq!(variable["name"], "JOB_COMPLETION_INDEX");
    }
}

async fn failed_indexes_do_not_stop_the_others(ground: &Ground) {
    let jobs = ground.things("jobs");
    let spec =
        json!({"completionMode": "Indexed", "completions": 2, "parallelism": 1, "backoffLimitPerIndex": 0});
    jobs.create(failing(spec)).await;
    let failed = jobs.until_is("seed", "it has failed", |job| condition(job, "Failed").0 == "True").await;
    assert_eq!(condition(&failed, "Failed").1, "FailedIndexes");
    assert_eq!((text(&failed, "/status/failedIndexes"), number(&failed, "/status/failed")), ("0,1", 2));
}

async fn a_policy_ends_a_job_at_its_first_failure(ground: &Ground) {
    let jobs = ground.things("jobs");
    let rule = json!({"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [99]}});
    jobs.create(failing(json!({"backoffLimit": 5, "podFailurePolicy": {"rules": [rule]}}))).await;
    let failed = jobs.until_is("seed", "it has failed", |job| condition(job, "Failed").0 == "True").await;
    assert_eq!(condition(&failed, "Failed").1, "PodFailurePolicy");
    assert_eq!(condition(&failed, "FailureTarget"), ("True", "PodFailurePolicy"));
    let all = failed["status"]["conditions"].as_array().expect("conditions");
    let told = all.iter().map(|known| text(known, "/message")).find(|told| told.contains("exit code"));
    assert!(told.is_some_and(|told| told.ends_with("matching FailJob rule at index 0")), "{all:?}");
    assert_eq!(number(&failed, "/status/failed"), 1);
}

async fn enough_indexes_are_enough(ground: &Ground) {
    let jobs = ground.things("jobs");
    let policy = json!({"rules": [{"succeededCount": 1}]});
    let spec =
        json!({"completionMode": "Indexed", "completions": 9, "parallelism": 1, "successPolicy": policy});
    jobs.create(job(spec)).await;
    let done = jobs.until_is("seed", "it is complete", |job| condition(job, "Complete").0 == "True").await;
    assert_eq!(condition(&done, "Complete").1, "SuccessPolicy");
    assert!(number(&done, "/status/succeeded") < 9);
}

async fn a_finished_job_goes_after_its_time(ground: &Ground) {
    let jobs = ground.things("jobs");
    jobs.create(job(json!({}))).await;
    jobs.until_is("seed", "it is complete", |job| condition(job, "Complete").0 == "True").await;
    jobs.merge("seed", json!({"spec": {"ttlSecondsAfterFinished": 1}})).await;
    jobs.until_gone("seed").await;
    ground.things("pods").until_all("job-name=seed", "its pods go with it", |pods| pods.is_empty()).await;
}

async fn a_running_job_is_suspended_and_resumed(ground: &Ground) {
    let jobs = ground.things("jobs");
    jobs.create(waiting(json!({}))).await;
    jobs.until_is("seed", "it runs", |job| number(job, "/status/active") == 1).await;
    jobs.merge("seed", json!({"spec": {"suspend": true}})).await;
    let held = jobs
        .until_is("seed", "it is suspended", |job| {
            condition(job, "Suspended").0 == "True" && number(job, "/status/active") == 0
        })
        .await;
    assert_eq!(text(&held, "/status/startTime"), "", "its time does not run");
    jobs.merge("seed", json!({"spec": {"suspend": false}})).await;
    jobs.until_is("seed", "it runs again", |job| {
        condition(job, "Suspended") == ("False", "JobResumed") && number(job, "/status/active") == 1
    })
    .await;
}
