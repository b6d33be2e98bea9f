use super::super::bench::{Bench, reasons};
use super::*;

fn job(spec: Value) -> Value {
    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "seed", "namespace": "a"},
        "spec": {"parallelism": 1, "completions": 1, "backoffLimit": 6, "template": {
            "metadata": {"labels": {"app": "seed"}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}});
    json_patch::merge(&mut job["spec"], &spec);
    job
}

fn start(spec: Value) -> Bench {
    let mut bench = Bench::new();
    bench.add(JOBS, job(spec));
    bench.settle();
    bench
}

fn active(bench: &Bench) -> Vec<String> {
    let pods = bench.cache.all(PODS).filter(|pod| pods::is_active(pod));
    pods.map(|pod| name(pod).to_owned()).collect()
}

fn status(bench: &Bench) -> Value {
    bench.get(JOBS, "a", "seed")["status"].clone()
}

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a str> {
    let found = list(status, "/conditions").iter().find(|known| text(known, "/type") == kind);
    found.filter(|known| text(known, "/status") == "True").map(|known| text(known, "/reason"))
}

#[test]
fn completions_are_reached_with_no_more_than_parallelism_at_once() {
    let mut bench = start(json!({"completions": 3, "parallelism": 2}));
    for left in [2, 2, 1] {
        let running = active(&bench);
        assert_eq!(running.len(), left);
        bench.finish("a", &running[0], "Succeeded");
        bench.settle();
    }
    let status = status(&bench);
    assert_eq!(condition(&status, "Complete"), Some("CompletionsReached"));
    assert_eq!((status["succeeded"].clone(), status.get("active")), (json!(3), None));
    assert_eq!(status["uncountedTerminatedPods"], json!({}));
    assert!(status["completionTime"].is_string());
    assert!(bench.cache.all(PODS).all(|pod| list(pod, "/metadata/finalizers").is_empty()), "all let go");
    assert_eq!(reasons(&bench).last(), Some(&"Completed"));
}

#[test]
fn failures_delay_the_next_try_and_end_at_the_limit() {
    let mut bench = start(json!({"backoffLimit": 1}));
    bench.finish("a", &active(&bench)[0], "Failed");
    let again = bench.settle().expect("a second try is planned");
    assert_eq!(again, bench.now + jiff::SignedDuration::from_secs(10));
    assert_eq!(active(&bench).len(), 0);
    bench.advance(10);
    bench.settle();
    bench.finish("a", &active(&bench)[0], "Failed");
    bench.settle();
    let status = status(&bench);
    assert_eq!(condition(&status, "Failed"), Some("BackoffLimitExceeded"));
    assert_eq!(status["failed"], json!(2));
    assert_eq!(active(&bench).len(), 0);
}

#[test]
fn the_deadline_ends_a_job_and_its_pods() {
    let mut bench = start(json!({"activeDeadlineSeconds": 30}));
    assert_eq!(active(&bench).len(), 1);
    bench.advance(30);
    bench.settle();
    assert_eq!(active(&bench).len(), 0);
    assert_eq!(condition(&status(&bench), "Failed"), Some("DeadlineExceeded"));
}

#[test]
fn a_suspended_job_runs_nothing_until_it_is_resumed() {
    let mut bench = start(json!({"suspend": true}));
    assert_eq!(active(&bench).len(), 0);
    assert_eq!(condition(&status(&bench), "Suspended"), Some("JobSuspended"));
    assert!(status(&bench).get("startTime").is_none());
    bench.change(JOBS, "a", "seed", |job| job["spec"]["suspend"] = json!(false));
    bench.settle();
    assert_eq!(active(&bench).len(), 1);
    assert_eq!(condition(&status(&bench), "Suspended"), None);
    assert!(status(&bench)["startTime"].is_string());
}

#[test]
fn a_finished_job_goes_after_its_time() {
    let mut bench = start(json!({"ttlSecondsAfterFinished": 60}));
    bench.finish("a", &active(&bench)[0], "Succeeded");
    let again = bench.settle().expect("its end is planned");
    assert_eq!(again, bench.now + jiff::SignedDuration::from_secs(60));
    bench.advance(60);
    bench.settle();
    assert_eq!(bench.names(JOBS), Vec::<String>::new());
}

#[test]
fn a_deleted_pod_is_counted_as_failed_and_replaced() {
    let mut bench = start(json!({}));
    let first = active(&bench)[0].clone();
    bench.change(PODS, "a", &first, |pod| {
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z")
    });
    bench.settle();
    assert_eq!(status(&bench)["failed"], json!(1));
    assert_eq!(active(&bench).len(), 1);
    assert_ne!(active(&bench)[0], first);
}

#[test]
fn a_pod_of_a_job_that_is_gone_is_let_go() {
    let mut bench = start(json!({}));
    let pod = bench.get(PODS, "a", &active(&bench)[0]);
    bench.remove(JOBS, "a", "seed");
    let context = Context { cache: &bench.cache, now: bench.now, failure: None };
    let outcome = sync_pod(&context, &pod);
    assert!(
        matches!(&outcome.writes[..], [Write::Merge { patch, .. }] if *patch == json!({"metadata": {"finalizers": []}}))
    );
}

fn indexed(spec: Value) -> Bench {
    let mut merged = json!({"completionMode": "Indexed", "completions": 3, "parallelism": 3});
    json_patch::merge(&mut merged, &spec);
    start(merged)
}

/// The active pod of an index.
fn of_index(bench: &Bench, index: i64) -> Option<String> {
    let pods = bench.cache.all(PODS).filter(|pod| pods::is_active(pod));
    pods.filter(|pod| tries::index_of(pod) == Some(index)).map(|pod| name(pod).to_owned()).next()
}

fn end(bench: &mut Bench, index: i64, phase: &str) {
    let pod = of_index(bench, index).unwrap_or_else(|| panic!("no pod of index {index}"));
    bench.finish("a", &pod, phase);
    bench.settle();
}

#[test]
fn each_index_gets_its_pod_and_is_done_once() {
    let mut bench = indexed(json!({"parallelism": 2}));
    assert_eq!(active(&bench).len(), 2);
    let first = bench.get(PODS, "a", &of_index(&bench, 0).expect("the first"));
    assert!(name(&first).starts_with("seed-0-"));
    assert_eq!(text(&first, "/spec/hostname"), "seed-0");
    assert_eq!(text(&first, "/spec/containers/0/env/0/name"), "JOB_COMPLETION_INDEX");
    end(&mut bench, 1, "Succeeded");
    assert_eq!(status(&bench)["completedIndexes"], "1");
    bench.advance(1);
    end(&mut bench, 0, "Failed");
    assert!(of_index(&bench, 0).is_none(), "it is tried again later");
    bench.advance(10);
    bench.settle();
    end(&mut bench, 0, "Succeeded");
    end(&mut bench, 2, "Succeeded");
    let status = status(&bench);
    assert_eq!((text(&status, "/completedIndexes"), status["succeeded"].clone()), ("0-2", json!(3)));
    assert_eq!(condition(&status, "Complete"), Some("CompletionsReached"));
    assert!(bench.cache.all(PODS).all(|pod| list(pod, "/metadata/finalizers").is_empty()), "all let go");
}

#[test]
fn an_index_that_keeps_failing_is_given_up_and_the_others_go_on() {
    let mut bench = indexed(json!({"backoffLimitPerIndex": 1, "backoffLimit": 99}));
    end(&mut bench, 1, "Failed");
    bench.advance(10);
    bench.settle();
    let second = bench.get(PODS, "a", &of_index(&bench, 1).expect("a second try"));
    assert_eq!(
        super::super::object::annotation(&second, "batch.kubernetes.io/job-index-failure-count"),
        Some("1")
    );
    end(&mut bench, 1, "Failed");
    assert_eq!(status(&bench)["failedIndexes"], "1");
    assert_eq!(condition(&status(&bench), "Failed"), None);
    end(&mut bench, 0, "Succeeded");
    end(&mut bench, 2, "Succeeded");
    let status = status(&bench);
    assert_eq!(condition(&status, "Failed"), Some("FailedIndexes"));
    assert_eq!((text(&status, "/completedIndexes"), status["failed"].clone()), ("0,2", json!(2)));
}

#[test]
fn too_many_failed_indexes_end_the_job() {
    let mut bench = indexed(json!({"backoffLimitPerIndex": 0, "maxFailedIndexes": 0, "backoffLimit": 99}));
    end(&mut bench, 0, "Failed");
    assert_eq!(condition(&status(&bench), "Failed"), Some("MaxFailedIndexesExceeded"));
    assert!(active(&bench).is_empty());
}

#[test]
fn policies_decide_what_failures_and_successes_mean() {
    let rules = json!({"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}},
        {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [7]}}]});
    let mut bench = start(json!({"backoffLimit": 0, "podFailurePolicy": rules}));
    let fail = |bench: &mut Bench, code: i64| {
        let pod = active(bench)[0].clone();
        let now = stamp(bench.now);
        bench.change(PODS, "a", &pod, |pod| {
            pod["status"] = json!({"phase": "Failed", "containerStatuses": [
                {"name": "c", "state": {"terminated": {"exitCode": code, "finishedAt": now}}}]});
        });
        bench.settle();
    };
    fail(&mut bench, 7);
    assert_eq!((condition(&status(&bench), "Failed"), status(&bench).get("failed").cloned()), (None, None));
    bench.advance(10);
    bench.settle();
    fail(&mut bench, 42);
    assert_eq!(condition(&status(&bench), "Failed"), Some("PodFailurePolicy"));
    let mut bench = indexed(json!({"successPolicy": {"rules": [{"succeededIndexes": "0"}]}}));
    end(&mut bench, 0, "Succeeded");
    assert_eq!(condition(&status(&bench), "Complete"), Some("SuccessPolicy"));
    assert!(active(&bench).is_empty());
}
