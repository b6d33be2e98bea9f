use super::super::bench::{Bench, reasons};
use super::super::pods::PODS;
use super::*;

fn start(spec: Value) -> Bench {
    let mut cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick", "namespace": "a"},
        "spec": {"schedule": "*/10 * * * *", "concurrencyPolicy": "Allow", "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1, "jobTemplate": {"metadata": {"labels": {"app": "tick"}}, "spec": {
                "parallelism": 1, "completions": 1, "backoffLimit": 0, "template": {"metadata": {},
                    "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}}});
    json_patch::merge(&mut cron_job["spec"], &spec);
    let mut bench = Bench::new();
    bench.add(CRONJOBS, cron_job);
    bench.settle();
    bench
}

fn status(bench: &Bench) -> Value {
    bench.get(CRONJOBS, "a", "tick")["status"].clone()
}

/// Advances to the next look, and takes it.
fn tick(bench: &mut Bench) {
    bench.advance(600);
    bench.settle();
}

fn end_all(bench: &mut Bench, phase: &str) {
    let running: Vec<String> = bench
        .cache
        .all(PODS)
        .filter(|pod| text(pod, "/status/phase").is_empty())
        .map(|pod| name(pod).to_owned())
        .collect();
    for pod in running {
        bench.finish("a", &pod, phase);
    }
    bench.settle();
}

#[test]
fn a_job_is_made_at_each_time_and_the_history_is_kept_short() {
    let mut bench = start(json!({}));
    assert!(bench.names(JOBS).is_empty(), "not before the time has come");
    tick(&mut bench);
    let minutes = bench.now.as_second() / 60;
    assert_eq!(bench.names(JOBS), [format!("tick-{minutes}")]);
    let job = bench.get(JOBS, "a", &format!("tick-{minutes}"));
    assert_eq!(annotation(&job, SCHEDULED), Some("2026-01-01T00:10:00Z"));
    assert_eq!(text(&job, "/metadata/labels/app"), "tick");
    assert_eq!(status(&bench)["active"][0]["name"], json!(name(&job)));
    assert_eq!(status(&bench)["lastScheduleTime"], "2026-01-01T00:10:00Z");
    bench.advance(5);
    end_all(&mut bench, "Succeeded");
    assert_eq!(status(&bench).get("active"), None);
    assert_eq!(status(&bench)["lastSuccessfulTime"], "2026-01-01T00:10:05Z");
    for _ in 0..5 {
        tick(&mut bench);
        end_all(&mut bench, "Succeeded");
    }
    assert_eq!(bench.names(JOBS).len(), 3);
    for reason in ["SuccessfulCreate", "SawCompletedJob", "SuccessfulDelete"] {
        assert!(reasons(&bench).contains(&reason), "{reason}");
    }
}

#[test]
fn only_one_failed_job_is_kept() {
    let mut bench = start(json!({}));
    for _ in 0..3 {
        tick(&mut bench);
        end_all(&mut bench, "Failed");
    }
    assert_eq!(bench.names(JOBS).len(), 1);
    assert_eq!(status(&bench).get("lastSuccessfulTime"), None);
}

#[test]
fn forbid_waits_and_replace_does_not() {
    let mut bench = start(json!({"concurrencyPolicy": "Forbid"}));
    tick(&mut bench);
    tick(&mut bench);
    assert_eq!(bench.names(JOBS).len(), 1);
    assert!(reasons(&bench).contains(&"JobAlreadyActive"));
    end_all(&mut bench, "Succeeded");
    assert_eq!(bench.names(JOBS).len(), 2, "the run that was held back is made up for");
    let mut bench = start(json!({"concurrencyPolicy": "Replace"}));
    tick(&mut bench);
    let first = bench.names(JOBS);
    tick(&mut bench);
    assert_eq!(bench.names(JOBS).len(), 1);
    assert_ne!(bench.names(JOBS), first);
}

#[test]
fn missed_times_give_one_run_and_too_late_is_too_late() {
    let mut bench = start(json!({}));
    bench.advance(3 * 600 + 30);
    bench.settle();
    assert_eq!(bench.names(JOBS).len(), 1);
    assert_eq!(status(&bench)["lastScheduleTime"], "2026-01-01T00:30:00Z");
    let mut late = start(json!({"startingDeadlineSeconds": 20}));
    late.advance(600 + 30);
    late.settle();
    assert!(late.names(JOBS).is_empty());
    let mut many = start(json!({"schedule": "* * * * *"}));
    many.advance(86_400);
    many.settle();
    assert_eq!(status(&many)["lastScheduleTime"], "2026-01-02T00:00:00Z");
    assert!(reasons(&many).contains(&"TooManyMissedTimes"));
}

#[test]
fn a_suspended_one_rests_and_a_zone_moves_the_time() {
    let mut bench = start(json!({"suspend": true}));
    tick(&mut bench);
    assert!(bench.names(JOBS).is_empty());
    let mut bench = start(json!({"schedule": "0 3 * * *", "timeZone": "Etc/GMT-2"}));
    bench.advance(3600);
    bench.settle();
    let annotations =
        bench.cache.all(JOBS).map(|job| annotation(job, SCHEDULED).unwrap_or_default().to_owned());
    assert_eq!(annotations.collect::<Vec<_>>(), ["2026-01-01T03:00:00+02:00"]);
    let bench = start(json!({"timeZone": "Moon/Crater"}));
    assert_eq!(reasons(&bench)[0], "UnknownTimeZone");
}
