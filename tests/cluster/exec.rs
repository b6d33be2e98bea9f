//! Commands in containers, as Styrmin runs them.

use std::time::Duration;

use serde_json::{Value, json};
use styrmin::cluster::{Cluster, ClusterError, Command, ExecEnded as Ended, Executed, OutputStream, Stopped};
use styrmin::domain::names::digest;
use styrmin::domain::world::LogTarget;
use tokio::sync::mpsc;

use crate::ground::Ground;
use crate::objects;
use crate::things::condition;

cases!(
    ;
    only_sandbox:
        a_command_gets_its_environment_and_directory: "the test cluster has no nodes",
        input_output_and_exit_code_are_its_own: "the test cluster has no nodes",
        a_command_that_takes_too_long_is_ended: "the test cluster has no nodes",
        one_that_does_not_heed_it_is_killed: "the test cluster has no nodes",
        one_that_nobody_waits_for_is_ended: "the test cluster has no nodes",
        large_output_is_passed_on_whole_and_kept_in_part: "the test cluster has no nodes",
        a_container_without_a_shell_runs_what_needs_none: "the test cluster has no nodes",
        what_cannot_be_run_says_why: "the test cluster has no nodes",
        a_command_of_the_image_is_run_with_an_environment: "the test cluster has no nodes",
);

/// A pod that runs and does nothing, with the programs of this machine.
async fn idle(ground: &Ground, container: Value) -> LogTarget {
    let mut pod = objects::pod("idle");
    pod["spec"]["containers"] =
        json!([{"name": "main", "image": "styrmin/host:1", "command": ["sleep", "1000"]}]);
    for (field, value) in container.as_object().expect("fields") {
        pod["spec"]["containers"][0][field] = value.clone();
    }
    pod["spec"]["volumes"] = json!([{"name": "work", "emptyDir": {}}]);
    pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "work", "mountPath": "/work"}]);
    let pods = ground.things("pods");
    pods.create(pod).await;
    pods.until_is("idle", "it is ready", |pod| condition(pod, "Ready").0 == "True").await;
    LogTarget { namespace: ground.namespace.clone(), pod: "idle".into(), container: "main".into() }
}

fn shell(script: &str) -> Command {
    Command::new(["sh", "-c", script])
}

async fn run(ground: &Ground, cluster: &Cluster, target: &LogTarget, command: Command) -> Executed {
    let executed = ground.within("the command", cluster.exec(target, command, None)).await;
    executed.expect("it runs")
}

async fn a_command_gets_its_environment_and_directory(ground: &Ground) {
    let target = idle(ground, json!({"env": [{"name": "KEPT", "value": "from the container"}]})).await;
    let cluster = ground.cluster();
    let mut command = shell("printf '%s|' \"$KEPT\" \"$PASSWORD\" \"$LINES\"; pwd; cat");
    command.env = vec![("PASSWORD".into(), "a 'b' \"c\" $d".into()), ("LINES".into(), "1\n\n3\n".into())];
    command.cwd = Some("/work".into());
    let executed = run(ground, &cluster, &target, command.clone()).await;
    let text = executed.stdout.text();
    let (values, directory) = text.rsplit_once('|').expect("values");
    assert_eq!(values, "from the container|a 'b' \"c\" $d|1\n\n3\n");
    assert!(directory.trim_end().ends_with("work"), "{directory}");
    assert_eq!((executed.code(), executed.stderr.text()), (Some(0), String::new()));
    command.stdin = Some(b"and its input".to_vec());
    assert!(run(ground, &cluster, &target, command).await.stdout.text().ends_with("and its input"));
}

async fn input_output_and_exit_code_are_its_own(ground: &Ground) {
    let (target, cluster) = (idle(ground, json!({})).await, ground.cluster());
    let mut command = shell("cat; echo bad >&2; exit 3");
    command.stdin = Some(b"good".to_vec());
    let executed = run(ground, &cluster, &target, command).await;
    assert_eq!((executed.stdout.text().as_str(), executed.stderr.text().as_str()), ("good", "bad\n"));
    assert_eq!(executed.ended, Ended::Exited(3));
    // without input it reads nothing, and does not wait for it
    assert_eq!(run(ground, &cluster, &target, shell("wc -c")).await.stdout.text().trim(), "0");
    // one that does not read its input ends all the same
    let mut deaf = Command::new(["true"]);
    deaf.stdin = Some(vec![b'x'; 3_000_000]);
    assert_eq!(run(ground, &cluster, &target, deaf).await.code(), Some(0));
    let mut counting = Command::new(["wc", "-c"]);
    counting.stdin = Some(vec![b'\n'; 3_000_000]);
    assert_eq!(run(ground, &cluster, &target, counting).await.stdout.text().trim(), "3000000");
    // both ways at once, more than the pipes hold
    let mut through = Command { limit: 10, ..Command::new(["cat"]) };
    through.stdin = Some(vec![b'z'; 3_000_000]);
    assert_eq!(run(ground, &cluster, &target, through).await.stdout.total, 3_000_000);
    let missing = run(ground, &cluster, &target, Command::new(["no-such-program"])).await;
    assert_eq!(missing.code(), Some(127));
    assert!(missing.stderr.text().contains("not found"), "{}", missing.stderr.text());
}

async fn a_command_that_takes_too_long_is_ended(ground: &Ground) {
    let (target, cluster) = (idle(ground, json!({})).await, ground.cluster());
    // the shell waits for its child: the signal has to reach both
    let mut command = shell("trap 'echo told; exit 9' TERM; echo $$; sleep 1000; echo never");
    command.timeout = Duration::from_secs(8);
    let executed = run(ground, &cluster, &target, command).await;
    let expected = Ended::TimedOut { after: Duration::from_secs(8), stopped: Stopped::Terminated };
    assert_eq!(executed.ended, expected);
    let output = executed.stdout.text();
    let (process, rest) = output.split_once('\n').expect("its process id");
    assert_eq!(rest, "told\n", "what it said is kept, and it was told once");
    assert!(!is_alive(process));
    assert_eq!(executed.ended.to_string(), "it ran longer than 8 s and was ended (TERM)");
}

async fn one_that_does_not_heed_it_is_killed(ground: &Ground) {
    let (target, cluster) = (idle(ground, json!({})).await, ground.cluster());
    let mut command = shell("trap 'echo no' TERM; echo $$; while :; do sleep 0.1; done");
    command.timeout = Duration::from_secs(8);
    command.stdin = Some(Vec::new());
    let executed = run(ground, &cluster, &target, command).await;
    let expected = Ended::TimedOut { after: Duration::from_secs(8), stopped: Stopped::Killed };
    assert_eq!(executed.ended, expected);
    let output = executed.stdout.text();
    let (process, rest) = output.split_once('\n').expect("its process id");
    assert_eq!((rest, is_alive(process)), ("no\n", false), "it was told once");
    assert_eq!(executed.ended.to_string(), "it ran longer than 8 s and was ended (TERM, then KILL)");
}

async fn one_that_nobody_waits_for_is_ended(ground: &Ground) {
    let (target, cluster) = (idle(ground, json!({})).await, ground.cluster());
    let script = "trap 'echo ended >note; exit 0' TERM; echo ready; while :; do sleep 0.1; done";
    let command = Command { cwd: Some("/work".into()), ..shell(script) };
    let (sender, mut output) = mpsc::channel(8);
    let waiting = cluster.exec(&target, command, Some(sender));
    let first = async {
        tokio::select! {
            ended = waiting => panic!("it ended: {ended:?}"),
            first = output.recv() => first,
        }
    };
    let (stream, chunk) = ground.within("its first line", first).await.expect("it comes while it runs");
    assert_eq!((stream, chunk.as_ref()), (OutputStream::Stdout, &b"ready\n"[..]));
    let looking =
        Command { cwd: Some("/work".into()), ..shell("until test -s note; do sleep 0.05; done; cat note") };
    assert_eq!(run(ground, &cluster, &target, looking).await.stdout.text(), "ended\n");
}

async fn large_output_is_passed_on_whole_and_kept_in_part(ground: &Ground) {
    let (target, cluster) = (idle(ground, json!({})).await, ground.cluster());
    let script = "head -c 3000000 /dev/zero; head -c 20 /dev/zero >&2";
    let command = Command { limit: 1000, ..shell(script) };
    let (sender, mut output) = mpsc::channel::<(OutputStream, bytes::Bytes)>(4);
    let reading = async {
        let (mut stdout, mut stderr) = (0, 0);
        while let Some((stream, chunk)) = output.recv().await {
            *(if stream == OutputStream::Stdout { &mut stdout } else { &mut stderr }) += chunk.len();
        }
        (stdout, stderr)
    };
    let both = async { tokio::join!(cluster.exec(&target, command, Some(sender)), reading) };
    let (executed, passed_on) = ground.within("the command", both).await;
    let executed = executed.expect("it runs");
    assert_eq!(passed_on, (3_000_000, 20));
    assert!(executed.is_truncated() && !executed.stderr.is_truncated());
    assert_eq!((executed.stdout.bytes.len(), executed.stdout.total), (1000, 3_000_000));
    assert_eq!(executed.stdout.digest, Some(digest(&vec![0; 3_000_000])));
}

async fn a_container_without_a_shell_runs_what_needs_none(ground: &Ground) {
    let target = idle(
        ground,
        json!({
        "command": ["/bin/sleep", "1000"], "env": [{"name": "PATH", "value": "/nowhere"}]}),
    )
    .await;
    let cluster = ground.cluster();
    let executed = run(ground, &cluster, &target, Command::new(["/bin/echo", "plain"])).await;
    assert_eq!((executed.stdout.text().as_str(), executed.code()), ("plain\n", Some(0)));
    let mut reading = Command::new(["/bin/cat"]);
    reading.stdin = Some(b"in".to_vec());
    assert_eq!(run(ground, &cluster, &target, reading).await.stdout.text(), "in");
    let late = Command { timeout: Duration::from_millis(500), ..Command::new(["/bin/sleep", "999"]) };
    let told = run(ground, &cluster, &target, late).await.ended.to_string();
    assert!(told.starts_with("it ran longer than 0.5 s") && told.contains("it may still run"), "{told}");
    let mut wanting = Command::new(["/bin/echo"]);
    wanting.env = vec![("A".into(), "1".into())];
    let refused = cluster.exec(&target, wanting, None).await.expect_err("a refusal");
    assert!(refused.to_string().contains("need a shell (sh) in the container"), "{refused}");
    let missing = cluster.exec(&target, Command::new(["/no/such"]), None).await.expect_err("a refusal");
    assert!(!missing.is_transient() && missing.to_string().contains("no such file"), "{missing}");
}

async fn what_cannot_be_run_says_why(ground: &Ground) {
    let (target, cluster) = (idle(ground, json!({})).await, ground.cluster());
    let lost = Command { cwd: Some("/no/such".into()), ..Command::new(["true"]) };
    let refused = cluster.exec(&target, lost, None).await.expect_err("a refusal");
    assert!(refused.to_string().contains("no directory /no/such"), "{refused}");
    let nowhere = LogTarget { pod: "nowhere".into(), ..target.clone() };
    let refused = cluster.exec(&nowhere, Command::new(["true"]), None).await.expect_err("a refusal");
    assert!(matches!(refused, ClusterError::NotFound { .. }), "{refused:?}");
    assert!(refused.to_string().contains("pods \"nowhere\" not found"), "{refused}");
    ground.things("pods").create(objects::pod("one")).await;
    ground.things("pods").until_is("one", "it runs", |pod| condition(pod, "Ready").0 == "True").await;
    let simulated = LogTarget { pod: "one".into(), ..target };
    let refused = cluster.exec(&simulated, Command::new(["true"]), None).await.expect_err("a refusal");
    assert!(!refused.is_transient(), "{refused:?}");
    let why = refused.problem().why;
    assert!(
        why.contains("it is simulated, because nothing is known about the image example.org/one:1"),
        "{why}"
    );
}

async fn a_command_of_the_image_is_run_with_an_environment(ground: &Ground) {
    let target = idle(ground, json!({"image": "styrmin/notes-db:1.0.0", "command": null, "env": [{"name": "DATA_DIR", "value": "/work"}]})).await;
    let cluster = ground.cluster();
    let mut command = Command::new(["notes-db", "stat"]);
    command.env = vec![("A".into(), "1".into())];
    let executed = run(ground, &cluster, &target, command).await;
    assert_eq!(executed.code(), Some(0), "{}", executed.stderr.text());
    assert!(executed.stdout.text().contains("schema"), "{}", executed.stdout.text());
}

/// Whether a process of the sandbox, which is one of this machine, has not ended.
fn is_alive(process: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}
