//! The sandbox's kubelet with real processes: pods through the API, and what `kube::Client` sees of them.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may end at once"
)]

#[path = "sandbox_kubelet/endings.rs"]
mod endings;
#[path = "sandbox_kubelet/metrics.rs"]
mod metrics;
#[path = "sandbox_kubelet/rig.rs"]
mod rig;
#[path = "sandbox_kubelet/robust.rs"]
mod robust;
#[path = "sandbox_kubelet/scenes.rs"]
mod scenes;
#[path = "sandbox_kubelet/sockets.rs"]
mod sockets;
#[path = "sandbox_kubelet/spdy.rs"]
mod spdy;
#[path = "sandbox_kubelet/terminals.rs"]
mod terminals;
#[path = "sandbox_kubelet/volumes.rs"]
mod volumes;
#[path = "support/wire.rs"]
mod wire;

use futures::{AsyncBufReadExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams, AttachedProcess, LogParams};
use serde_json::{Value, json};
use styrmin::sandbox::api::DeleteOptions;
use styrmin::sandbox::object;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use rig::{Rig, alive, host_container, pid, pod, within};

fn ready(pod: &Value) -> bool {
    condition(pod, "Ready")
}

fn condition(pod: &Value, kind: &str) -> bool {
    object::list(pod, "/status/conditions").iter().any(|c| c["type"] == kind && c["status"] == "True")
}

fn state(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]["state"]
}

fn restarts(pod: &Value) -> u64 {
    pod["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap_or(0)
}

fn waiting_for(reason: &str) -> impl Fn(&Value) -> bool + use<'_> {
    move |pod| state(pod)["waiting"]["reason"] == reason
}

async fn output(process: &mut AttachedProcess) -> (String, String, Value) {
    let (mut stdout, mut stderr) = (process.stdout().unwrap(), process.stderr().unwrap());
    let status = process.take_status().unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    let (first, second, status) = within(async {
        tokio::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err), status)
    })
    .await;
    first.unwrap();
    second.unwrap();
    (out, err, serde_json::to_value(status).unwrap())
}

fn piped() -> AttachParams {
    AttachParams::default().stdin(false).stdout(true).stderr(true)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_application_runs_is_upgraded_and_keeps_its_notes() {
    let rig = Rig::start().await;
    rig.create_notes("1.0.0");
    within(rig.until("deployments.apps", "notes-web", |d| d["status"]["availableReplicas"] == 1)).await;
    within(rig.until_answer("notes-demo.localhost", "/", |page| {
        page.contains("My notes") && page.contains("notes-web 1.0.0")
    }))
    .await;
    rig.post("notes-demo.localhost", "/api/notes", r#"{"text":"buy milk"}"#).await.is(201, "buy milk");

    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    let database = rig.pod_of("notes-db");
    let mut dump = within(pods.exec(&database, ["notes-db", "dump"], &piped())).await.unwrap();
    let (out, err, status) = output(&mut dump).await;
    assert_eq!(status["status"], "Success", "{err}");
    assert!(
        out.contains("\"schema\":1") && out.contains("buy milk") && out.contains("\"end\":true"),
        "{out}"
    );
    within(rig.until_log(&rig.pod_of("notes-web"), |log| log.contains("POST /api/notes 201"))).await;

    rig.set_image("notes-db", "styrmin/notes-db:1.1.0");
    rig.set_image("notes-web", "styrmin/notes-web:1.1.0");
    within(rig.until_answer("notes-demo.localhost", "/version", |body| body.contains("1.1.0"))).await;
    within(rig.until_answer("notes-demo.localhost", "/api/notes", |body| {
        body.contains("buy milk") && body.contains("\"schema\":2") && body.contains("created_at")
    }))
    .await;

    rig.set_image("notes-web", "styrmin/notes-web:1.2.0-broken");
    let broken = within(rig.until_any_pod(|pod| {
        pod["spec"]["containers"][0]["image"] == "styrmin/notes-web:1.2.0-broken"
            && state(pod)["running"].is_object()
    }))
    .await;
    let name = object::name(&broken).to_owned();
    within(rig.until_log(&name, |log| log.contains("error: NOTES_SEARCH_URL is not usable"))).await;
    within(rig.until_event_of(&name, "Unhealthy", |message| message.contains("statuscode: 503"))).await;
    assert!(!ready(&rig.api.get("pods", "default", &name).unwrap()));
    // The old version goes on answering.
    within(rig.until_answer("notes-demo.localhost", "/version", |body| body.contains("1.1.0"))).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ingress_says_what_is_wrong() {
    let rig = Rig::start().await;
    rig.get("nowhere.localhost", "/").await.is(404, "nowhere.localhost");
    rig.create("ingresses.networking.k8s.io", rig::ingress());
    rig.create("services", rig::service("notes-web", 80, 8080));
    let page = within(rig.until_status("notes-demo.localhost", 503)).await;
    page.is(503, "default/notes-web has no ready endpoint");
    // Ready, but nothing listens.
    let mut idle = pod("idle", host_container(&["sleep", "1000"]));
    idle["metadata"]["labels"] = json!({"app": "notes-web"});
    rig.create("pods", idle);
    within(rig.until_status("notes-demo.localhost", 502)).await.is(502, "did not answer");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_is_restarted_at_once_and_then_backs_off() {
    // the clock stands still: whatever is waited for by it never comes
    let (rig, _clock) = Rig::standing_still().await;
    rig.create("pods", pod("a", host_container(&["sleep", "1000"])));
    let running = within(rig.until("pods", "a", ready)).await;
    let first = pid(&running);
    rig::kill(first);
    let restarted = within(rig.until("pods", "a", |pod| restarts(pod) == 1 && ready(pod))).await;
    let last = &restarted["status"]["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!((last["exitCode"].as_i64(), last["reason"].as_str()), (Some(137), Some("Error")));
    assert!(!alive(first));
    rig::kill(pid(&restarted));
    let looping = within(rig.until("pods", "a", waiting_for("CrashLoopBackOff"))).await;
    assert_eq!(looping["status"]["phase"], "Running");
    assert!(object::text(state(&looping), "/waiting/message").starts_with("back-off 10s restarting failed"));
    within(rig.until_event("BackOff", |message| message.contains("Back-off restarting failed container")))
        .await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exec_carries_input_output_and_the_exit_code() {
    let rig = Rig::start().await;
    rig.create("pods", pod("a", host_container(&["sleep", "1000"])));
    within(rig.until("pods", "a", ready)).await;
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());

    let script = "echo out; echo $MY_NAME >&2; exit 7";
    let mut process = within(pods.exec("a", ["sh", "-c", script], &piped())).await.unwrap();
    let (out, err, status) = output(&mut process).await;
    assert_eq!((out.as_str(), err.as_str()), ("out\n", "a\n"));
    assert_eq!(
        (&status["reason"], &status["details"]["causes"][0]["message"]),
        (&json!("NonZeroExitCode"), &json!("7"))
    );

    let params = piped().stdin(true);
    let mut process = within(pods.exec("a", ["wc", "-c"], &params)).await.unwrap();
    let mut stdin = process.stdin().unwrap();
    let big = vec![b'x'; 300_000];
    within(async {
        stdin.write_all(&big).await.unwrap();
        stdin.shutdown().await.unwrap();
    })
    .await;
    drop(stdin);
    let (out, _, status) = output(&mut process).await;
    assert_eq!((out.trim(), &status["status"]), ("300000", &json!("Success")));

    let mut process = within(pods.exec("a", ["no-such-program"], &piped())).await.unwrap();
    let (_, _, status) = output(&mut process).await;
    assert!(status["message"].as_str().unwrap().contains("executable file not found"), "{status}");

    let missing = within(pods.exec("a", ["ls"], &piped().container("x"))).await.err().unwrap();
    assert!(missing.to_string().contains("400"), "{missing}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_dump_comes_whole_and_a_client_that_leaves_ends_the_process() {
    let rig = Rig::start().await;
    rig.create("pods", pod("a", host_container(&["sleep", "1000"])));
    within(rig.until("pods", "a", ready)).await;
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    let params = piped().max_stdout_buf_size(1 << 20);
    let mut process = within(pods.exec("a", ["head", "-c", "20000000", "/dev/zero"], &params)).await.unwrap();
    let (out, _, status) = output(&mut process).await;
    assert_eq!((out.len(), &status["status"]), (20_000_000, &json!("Success")));

    let mut process = within(pods.exec("a", ["sh", "-c", "echo $$; sleep 1000"], &piped())).await.unwrap();
    let mut line = String::new();
    let mut reader = tokio::io::BufReader::new(process.stdout().unwrap());
    within(tokio::io::AsyncBufReadExt::read_line(&mut reader, &mut line)).await.unwrap();
    let inner: i32 = line.trim().parse().unwrap();
    assert!(alive(inner));
    drop(reader);
    drop(process);
    within(rig::gone(inner)).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_are_read_followed_and_kept_over_a_restart() {
    let rig = Rig::start().await;
    let script = "echo one; echo two; read line < gate; echo $line";
    // the second life does not meet whoever wrote into the gate
    let again = "test -e again && exec sleep 1000; touch again";
    rig.create("pods", pod("a", host_container(&["sh", "-c", &format!("{again}; mkfifo gate; {script}")])));
    within(rig.until("pods", "a", |pod| ready(pod) && restarts(pod) == 0)).await;
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    let follow = LogParams { follow: true, ..LogParams::default() };
    let mut lines = within(pods.log_stream("a", &follow)).await.unwrap().lines();
    assert_eq!(within(lines.try_next()).await.unwrap().as_deref(), Some("one"));
    assert_eq!(within(lines.try_next()).await.unwrap().as_deref(), Some("two"));
    let previous = LogParams { previous: true, ..LogParams::default() };
    let refused = within(pods.logs("a", &previous)).await.unwrap_err();
    assert!(refused.to_string().contains("previous terminated container"), "{refused}");
    let mut open = within(pods.exec("a", ["sh", "-c", "echo three > gate"], &piped())).await.unwrap();
    output(&mut open).await;
    assert_eq!(within(lines.try_next()).await.unwrap().as_deref(), Some("three"));
    // The container has ended, and with it its log.
    assert_eq!(within(lines.try_next()).await.unwrap(), None);
    within(rig.until("pods", "a", |pod| restarts(pod) == 1 && ready(pod))).await;
    let log = within(pods.logs("a", &previous)).await.unwrap();
    assert_eq!(log, "one\ntwo\nthree\n");
    let tail = LogParams { tail_lines: Some(1), previous: true, timestamps: true, ..LogParams::default() };
    let log = within(pods.logs("a", &tail)).await.unwrap();
    assert!(log.starts_with("20") && log.ends_with("Z three\n"), "{log}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ports_are_forwarded_and_errors_are_told() {
    let rig = Rig::start().await;
    rig.create_notes("1.0.0");
    within(rig.until("deployments.apps", "notes-web", |d| d["status"]["availableReplicas"] == 1)).await;
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    let mut forwarder = within(pods.portforward(&rig.pod_of("notes-web"), &[8080, 9])).await.unwrap();
    let mut stream = forwarder.take_stream(8080).unwrap();
    let mut answer = String::new();
    within(async {
        stream.write_all(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        while !answer.contains("\"1.0.0\"") {
            let mut buffer = [0; 1024];
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "{answer}");
            answer.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    })
    .await;
    let refused = within(forwarder.take_error(9).unwrap()).await.unwrap();
    assert!(refused.contains("refused"), "{refused}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_container_needs_is_waited_for() {
    let rig = Rig::start().await;
    let mut wanting =
        pod("a", host_container(&["sh", "-c", "echo $PASSWORD; cat $STYRMIN_ROOT/conf/x; echo; sleep 1000"]));
    wanting["spec"]["containers"][0]["env"] =
        json!([{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "password"}}}]);
    wanting["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "conf", "mountPath": "/conf"}]);
    wanting["spec"]["volumes"] = json!([{"name": "conf", "configMap": {"name": "settings"}}]);
    rig.create("pods", wanting);
    within(rig.until_event("FailedMount", |message| message.contains("configmap \"settings\" not found")))
        .await;
    rig.create("configmaps", json!({"metadata": {"name": "settings"}, "data": {"x": "from-the-map"}}));
    within(rig.until("pods", "a", waiting_for("CreateContainerConfigError"))).await;
    within(rig.until_event("Failed", |message| message == "Error: secret \"keys\" not found")).await;
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    let refused = within(pods.logs("a", &LogParams::default())).await.unwrap_err();
    assert!(refused.to_string().contains("is waiting to start: CreateContainerConfigError"), "{refused}");
    rig.create("secrets", json!({"metadata": {"name": "keys"}, "data": {"password": "czNjcmV0"}}));
    within(rig.until("pods", "a", ready)).await;
    within(rig.until_log("a", |log| log == "s3cret\nfrom-the-map")).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_end_gracefully_or_are_killed() {
    let rig = Rig::start().await;
    let polite = "trap 'echo bye; exit 0' TERM; echo up; while true; do sleep 0.05; done";
    let stubborn = "trap '' TERM; echo up; while true; do sleep 0.05; done";
    // who is polite does not need its time: it is more than anything here may take
    for (name, script, grace) in [("polite", polite, 3600), ("stubborn", stubborn, 1)] {
        let mut pod = pod(name, host_container(&["sh", "-c", script]));
        pod["spec"]["terminationGracePeriodSeconds"] = json!(grace);
        rig.create("pods", pod);
    }
    for (name, at_least) in [("polite", 0), ("stubborn", 900)] {
        let running = within(rig.until("pods", name, ready)).await;
        within(rig.until_log(name, |log| log.contains("up"))).await;
        let process = pid(&running);
        let start = std::time::Instant::now();
        rig.api.delete("pods", "default", name, &DeleteOptions::default()).unwrap();
        within(rig.until_gone("pods", name)).await;
        let took = start.elapsed().as_millis();
        assert!(took >= at_least, "{name} {took} ms");
        assert!(!alive(process));
    }
    within(rig.until_event("Killing", |message| message == "Stopping container main")).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn init_containers_come_first_and_jobs_end() {
    let rig = Rig::start().await;
    let mut ordered = pod("a", host_container(&["sh", "-c", "test -e $STYRMIN_ROOT/work/made && exit 3"]));
    ordered["spec"]["restartPolicy"] = json!("Never");
    ordered["spec"]["volumes"] = json!([{"name": "work", "emptyDir": {}}]);
    let mounts = json!([{"name": "work", "mountPath": "/work"}]);
    ordered["spec"]["containers"][0]["volumeMounts"] = mounts.clone();
    let mut init = host_container(&["sh", "-c", "echo made > $STYRMIN_ROOT/work/made"]);
    init["name"] = json!("init");
    init["volumeMounts"] = mounts;
    ordered["spec"]["initContainers"] = json!([init]);
    rig.create("pods", ordered);
    let ended = within(rig.until("pods", "a", |pod| pod["status"]["phase"] == "Failed")).await;
    assert_eq!(state(&ended)["terminated"]["exitCode"], 3);
    assert_eq!(ended["status"]["initContainerStatuses"][0]["state"]["terminated"]["reason"], "Completed");
    assert!(condition(&ended, "Initialized"));
    let job = json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "main", "image": "example/migrate:1"}],
    }}}});
    rig.create("jobs.batch", job);
    within(rig.until("jobs.batch", "j", |job| job["status"]["succeeded"] == 1)).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_images_are_simulated_and_say_so() {
    let rig = Rig::start().await;
    rig.create("pods", pod("a", json!({"name": "main", "image": "nginx:1.27"})));
    let simulated = within(rig.until("pods", "a", ready)).await;
    assert_eq!(simulated["metadata"]["annotations"]["sandbox.styrmin.io/simulated"], "true");
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    let log = within(pods.logs("a", &LogParams::default())).await.unwrap();
    assert!(log.contains("simulated") && log.lines().count() == 1, "{log}");
    let refused = within(pods.exec("a", ["ls"], &piped())).await.err().unwrap();
    assert!(refused.to_string().contains("501"), "{refused}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_that_cannot_be_pulled_back_off_until_they_can() {
    let rig = Rig::start().await;
    let mut refused = pod("a", host_container(&["sleep", "1000"]));
    refused["metadata"]["annotations"] = json!({"sandbox.styrmin.io/image-pull": "fail"});
    let unknown = pod("b", json!({"name": "main", "image": "styrmin/notes-web:9.9.9"}));
    for (name, pod) in [("a", refused), ("b", unknown)] {
        rig.create("pods", pod);
        within(rig.until("pods", name, waiting_for("ErrImagePull"))).await;
        within(rig.until("pods", name, waiting_for("ImagePullBackOff"))).await;
    }
    rig.api
        .mutate("pods", "default", "a", "test", |pod| {
            pod["metadata"]["annotations"]["sandbox.styrmin.io/image-pull"] = json!("ok");
        })
        .unwrap();
    within(rig.until("pods", "a", ready)).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_liveness_probe_restarts_the_container() {
    let rig = Rig::start().await;
    let mut container = host_container(&["sleep", "1000"]);
    container["livenessProbe"] = json!({"exec": {"command": ["test", "!", "-e", "sick"]}, "periodSeconds": 1, "timeoutSeconds": 30, "failureThreshold": 1});
    rig.create("pods", pod("a", container));
    within(rig.until("pods", "a", ready)).await;
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    let mut process = within(pods.exec("a", ["touch", "sick"], &piped())).await.unwrap();
    output(&mut process).await;
    within(rig.until("pods", "a", |pod| restarts(pod) >= 1)).await;
    within(rig.until_event("Unhealthy", |message| message.starts_with("Liveness probe failed"))).await;
    within(rig.until_event("Killing", |m| m == "Container main failed liveness probe, will be restarted"))
        .await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_are_started_again_with_the_node() {
    let mut rig = Rig::start().await;
    rig.create("pods", pod("a", host_container(&["sleep", "1000"])));
    let before = within(rig.until("pods", "a", ready)).await;
    rig.restart_node().await;
    assert!(!alive(pid(&before)));
    let after = within(rig.until("pods", "a", |pod| restarts(pod) == 1 && ready(pod))).await;
    assert_eq!(object::uid(&before), object::uid(&after));
    let last = &after["status"]["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!((last["exitCode"].as_i64(), last["reason"].as_str()), (Some(255), Some("Unknown")));
    rig.stop().await;
}

/// Not a test of its own: the process that [`no_process_outlives_a_killed_sandbox`] kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn host_of_a_sandbox() {
    if std::env::var_os("STYRMIN_TEST_HOST").is_none() {
        return;
    }
    let rig = Rig::start().await;
    rig.create("pods", pod("a", host_container(&["sh", "-c", "sleep 1000 & echo $!; wait"])));
    rig.create("pods", pod("b", json!({"name": "main", "image": "styrmin/notes-web:1.0.0"})));
    let first = within(rig.until("pods", "a", ready)).await;
    let second = within(rig.until("pods", "b", ready)).await;
    let inner = within(rig.until_log("a", |log| !log.is_empty())).await;
    println!("PIDS {} {} {inner}", pid(&first), pid(&second));
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_process_outlives_a_killed_sandbox() {
    let mut host = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "host_of_a_sandbox", "--nocapture"])
        .env("STYRMIN_TEST_HOST", "1")
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(host.stdout.take().unwrap()));
    let pids: Vec<i32> = within(async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the host ended");
            if let Some(at) = line.find("PIDS ") {
                return line[at + 5..].split_whitespace().map(|pid| pid.parse().unwrap()).collect();
            }
        }
    })
    .await;
    assert_eq!(pids.len(), 3);
    assert!(pids.iter().all(|pid| alive(*pid)));
    host.start_kill().unwrap();
    host.wait().await.unwrap();
    for pid in pids {
        within(rig::gone(pid)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_end_with_a_sandbox_that_is_dropped() {
    let rig = Rig::start().await;
    rig.create("pods", pod("a", host_container(&["sleep", "1000"])));
    let running = within(rig.until("pods", "a", ready)).await;
    rig.abort();
    within(rig::gone(pid(&running))).await;
}
