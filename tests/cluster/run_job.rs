//! Jobs of actions: run to their end, followed, found again.

use std::time::Duration;

use serde_json::{Value, json};
use styrmin::cluster::{ClusterError, JobEnded, JobSpec, JobValue, OutputStream, job};
use styrmin::domain::names::digest;
use tokio::sync::mpsc;

use crate::ground::Ground;
use crate::things::{condition, text};
use crate::workloads::stuck;

cases!(
    a_job_that_takes_too_long_is_told,
    somebody_elses_job_is_left_alone,
    a_job_that_is_deleted_is_told;
    only_sandbox:
        a_job_completes_and_its_log_comes_while_it_runs: "the test cluster has no nodes",
        a_job_fails_with_its_exit_code_and_log: "the test cluster has no nodes",
        a_job_is_found_again_and_runs_once: "the test cluster has no nodes",
        secret_variables_are_references: "the test cluster has no nodes",
        a_large_log_is_kept_in_part: "the test cluster has no nodes",
        what_ran_until_its_deadline_keeps_its_log: "the test cluster has no nodes",
);

fn spec(ground: &Ground, script: &str) -> JobSpec {
    JobSpec {
        namespace: ground.namespace.clone(),
        name: "site-migrate-7-1".into(),
        labels: [("styrmin.io/operation".to_owned(), "7".to_owned())].into(),
        container: None,
        image: Some("styrmin/host:1".into()),
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        args: vec![],
        env: vec![],
        timeout: Duration::from_secs(60),
    }
}

async fn run(ground: &Ground, job: &Value, limit: usize) -> Result<JobEnded, ClusterError> {
    let cluster = ground.cluster();
    ground.within("the Job", cluster.run_job(job, limit, None)).await
}

/// A Job whose pod never starts, on both kinds of cluster.
fn waiting(ground: &Ground, timeout: Duration) -> Value {
    let spec = JobSpec { image: Some("example.org/one:1".into()), timeout, ..spec(ground, "true") };
    let mut job = job(&spec, None).expect("a Job");
    job["spec"]["template"]["metadata"]["annotations"] = stuck();
    job
}

async fn a_job_completes_and_its_log_comes_while_it_runs(ground: &Ground) {
    let cluster = ground.cluster();
    let script = "echo one; until test -e $STYRMIN_ROOT/go/now; do sleep 0.05; done; echo two >&2";
    let template = json!({"spec": {
        "volumes": [{"name": "go", "emptyDir": {}}],
        "containers": [{"name": "web", "image": "styrmin/host:1", "volumeMounts": [{"name": "go", "mountPath": "/go"}]}]}});
    let job = job(&JobSpec { image: None, ..spec(ground, script) }, Some(&template)).expect("a Job");
    let (sender, mut output) = mpsc::channel::<(OutputStream, bytes::Bytes)>(8);
    let reading = async {
        let (stream, first) = output.recv().await.expect("a first line");
        assert_eq!((stream, first.as_ref()), (OutputStream::Stdout, &b"one\n"[..]));
        let live = ground.things("jobs").get("site-migrate-7-1").await;
        assert_eq!(condition(&live, "Complete").0, "", "it has not ended");
        let pod = &ground
            .things("pods")
            .until_all("job-name=site-migrate-7-1", "one", |pods| pods.len() == 1)
            .await[0];
        let name = text(pod, "/metadata/name").to_owned();
        let target = styrmin::domain::world::LogTarget {
            namespace: ground.namespace.clone(),
            pod: name,
            container: "web".into(),
        };
        let go = styrmin::cluster::Command::new(["sh", "-c", "touch $STYRMIN_ROOT/go/now"]);
        assert_eq!(cluster.exec(&target, go, None).await.expect("it runs").code(), Some(0));
        let (_, second) = output.recv().await.expect("a second line");
        assert_eq!(second.as_ref(), b"two\n");
        assert!(output.recv().await.is_none());
    };
    let both = async { tokio::join!(cluster.run_job(&job, 1000, Some(sender)), reading) };
    let ended = ground.within("the Job", both).await.0.expect("it ends");
    assert!(ended.succeeded && !ended.adopted, "{ended:?}");
    assert_eq!((ended.exit_code, ended.log.text().as_str()), (Some(0), "one\ntwo\n"));
    assert_eq!(ended.log_problem, None);
}

async fn a_job_fails_with_its_exit_code_and_log(ground: &Ground) {
    let job = job(&spec(ground, "echo before; exit 3"), None).expect("a Job");
    let ended = run(ground, &job, 1000).await.expect("it ends");
    assert_eq!(
        (ended.succeeded, ended.exit_code, ended.reason.as_str()),
        (false, Some(3), "BackoffLimitExceeded")
    );
    assert_eq!((ended.log.text().as_str(), ended.log_problem), ("before\n", None));
}

async fn a_job_that_takes_too_long_is_told(ground: &Ground) {
    let job = waiting(ground, Duration::from_millis(1200));
    let ended = run(ground, &job, 1000).await.expect("it ends");
    assert_eq!((ended.succeeded, ended.exit_code, ended.reason.as_str()), (false, None, "DeadlineExceeded"));
    assert!(ended.message.contains("longer than"), "{}", ended.message);
    assert_eq!(ended.log_problem, None, "it never ran");
}

async fn what_ran_until_its_deadline_keeps_its_log(ground: &Ground) {
    let spec = JobSpec { timeout: Duration::from_secs(12), ..spec(ground, "echo begun; sleep 1000") };
    let ended = run(ground, &job(&spec, None).expect("a Job"), 1000).await.expect("it ends");
    assert_eq!((ended.succeeded, ended.reason.as_str()), (false, "DeadlineExceeded"));
    assert_eq!(ended.log.text(), "begun\n");
}

async fn a_job_is_found_again_and_runs_once(ground: &Ground) {
    let script = "echo begun; sleep 8; echo done";
    let job = job(&spec(ground, script), None).expect("a Job");
    let cluster = ground.cluster();
    let (sender, mut output) = mpsc::channel::<(OutputStream, bytes::Bytes)>(8);
    let before_the_crash = async {
        tokio::select! {
            ended = cluster.run_job(&job, 1000, Some(sender)) => panic!("it ended: {ended:?}"),
            first = output.recv() => first,
        }
    };
    ground.within("its first line", before_the_crash).await.expect("a first line");
    drop(cluster);
    // while it runs, and when it is over
    for _ in 0..2 {
        let ended = run(ground, &job, 1000).await.expect("it ends");
        assert!(ended.adopted && ended.succeeded, "{ended:?}");
        assert_eq!((ended.log.text().as_str(), ended.log_problem), ("begun\ndone\n", None));
    }
    assert_eq!(ground.things("pods").names("job-name=site-migrate-7-1").await.len(), 1);
}

async fn somebody_elses_job_is_left_alone(ground: &Ground) {
    let mut other = waiting(ground, Duration::from_secs(60));
    other["metadata"]["labels"]["styrmin.io/operation"] = json!("6");
    ground.things("jobs").create(other).await;
    let job = waiting(ground, Duration::from_secs(60));
    let refused = run(ground, &job, 1000).await.expect_err("a refusal");
    assert!(!refused.is_transient() && refused.to_string().contains("made for something else"), "{refused}");
}

async fn a_job_that_is_deleted_is_told(ground: &Ground) {
    let job = waiting(ground, Duration::from_secs(60));
    let jobs = ground.things("jobs");
    let deleting = async {
        jobs.until_is("site-migrate-7-1", "it is there", |_| true).await;
        jobs.delete("site-migrate-7-1").await;
    };
    let (ended, ()) = tokio::join!(run(ground, &job, 1000), deleting);
    assert!(matches!(ended, Err(ClusterError::NotFound { .. })), "{ended:?}");
}

async fn secret_variables_are_references(ground: &Ground) {
    ground
        .things("secrets")
        .create(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
        "data": {"password": "aHVudGVyMg=="}}))
        .await;
    let secret = JobValue::Secret { secret: "keys".into(), key: "password".into() };
    let env =
        vec![("PASSWORD".to_owned(), secret), ("PLAIN".to_owned(), JobValue::Plain("$(PASSWORD)".into()))];
    let spec = JobSpec { env, ..spec(ground, "echo ${#PASSWORD} \"$PLAIN\"") };
    let job = job(&spec, None).expect("a Job");
    assert!(!job.to_string().contains("hunter2"));
    assert_eq!(run(ground, &job, 1000).await.expect("it ends").log.text(), "7 $(PASSWORD)\n");
}

async fn a_large_log_is_kept_in_part(ground: &Ground) {
    let script = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i + 1)); done";
    let ended = run(ground, &job(&spec(ground, script), None).expect("a Job"), 100).await.expect("it ends");
    let whole: String = (0..2000).map(|number| format!("line {number}\n")).collect();
    assert_eq!((ended.log.bytes.len(), ended.log.total), (100, whole.len() as u64));
    assert_eq!(ended.log.digest, Some(digest(whole.as_bytes())));
}
