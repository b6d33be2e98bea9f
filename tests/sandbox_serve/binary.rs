//! The real program: what it prints, what it leaves behind, what survives its death.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use kube::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::rig::{CONFIG_MAPS, ask, block_on, client, config_map};

const PROGRAM: &str = env!("CARGO_BIN_EXE_styrmin");
const PODS: &str = "/api/v1/namespaces/default/pods";

/// `styrmin sandbox serve`, ready.
pub struct Running {
    child: Child,
    pub address: String,
    pub kubeconfig: PathBuf,
}

pub fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear().env("HOME", home).env("TMPDIR", home.join("tmp"));
    command.env("PATH", std::env::var_os("PATH").unwrap());
    fs::create_dir_all(home.join("tmp")).unwrap();
    command.kill_on_drop(true);
    command
}

impl Running {
    pub async fn start(home: &Path, more: &[&str]) -> Self {
        let mut arguments = vec!["sandbox", "serve", "--ingress", "127.0.0.1:0"];
        arguments.extend(more);
        let mut child = command(home, &arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.next_line().await.unwrap().expect("a line");
        assert!(ready.starts_with("The sandbox is ready after "), "{ready}");
        let address = ready.split("https://").nth(1).unwrap().split(',').next().unwrap().to_owned();
        let export = lines.next_line().await.unwrap().expect("a second line");
        let path = export.strip_prefix("export KUBECONFIG='").and_then(|rest| rest.strip_suffix('\''));
        let kubeconfig = PathBuf::from(path.unwrap_or_else(|| panic!("{export}")));
        Self { child, address, kubeconfig }
    }

    pub async fn client(&self) -> Client {
        client(&self.kubeconfig).await
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id().expect("it runs")).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// SIGTERM, and its exit code.
    pub async fn stop(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.child.wait().await.unwrap().code()
    }

    async fn kill(mut self) {
        self.signal(Signal::KILL);
        self.child.wait().await.unwrap();
    }
}

/// Runs to the end: exit code, standard output, standard error.
pub async fn run(home: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = command(home, arguments).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

async fn get(client: &Client, path: &str) -> Value {
    ask(client, "GET", path, &Value::Null).await.unwrap()
}

fn revision(value: &Value) -> u64 {
    value["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
}

/// Follows a watch until something of the object is so, and returns the object.
async fn until(client: &Client, path: &str, name: &str, done: impl Fn(&Value) -> bool) -> Value {
    loop {
        let list = get(client, path).await;
        let items = list["items"].as_array().unwrap().clone();
        if let Some(found) = items.into_iter().find(|item| item["metadata"]["name"] == name && done(item)) {
            return found;
        }
        let more = format!("{path}?watch=1&timeoutSeconds=5&resourceVersion={}", revision(&list));
        let request = http::Request::get(more).body(Vec::new()).unwrap();
        let mut lines = client.request_stream(request).await.unwrap().into_lines();
        // any change is worth another look
        let _ = lines.next().await;
    }
}

trait IntoLines {
    fn into_lines(self) -> futures::stream::BoxStream<'static, String>;
}

impl<T: futures::AsyncBufRead + Send + Unpin + 'static> IntoLines for T {
    fn into_lines(self) -> futures::stream::BoxStream<'static, String> {
        use futures::{AsyncBufReadExt, StreamExt};
        self.lines().filter_map(|line| async { line.ok() }).boxed()
    }
}

use futures::StreamExt;

#[test]
fn it_says_how_to_come_in_and_goes_in_order() {
    block_on(async {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        let running = Running::start(home.path(), &["--state", state.to_str().unwrap()]).await;
        assert_eq!(running.kubeconfig, state.join("sandbox/kubeconfig"));
        for secret in ["kubeconfig", "serve/token", "serve/server.key", "serve/ca.key"] {
            let mode = fs::metadata(state.join("sandbox").join(secret)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{secret}");
        }
        let client = running.client().await;
        ask(&client, "POST", CONFIG_MAPS, &config_map("mine")).await.unwrap();
        // made beside the start
        until(&client, CONFIG_MAPS, "kube-root-ca.crt", |_| true).await;
        let before = get(&client, CONFIG_MAPS).await;
        let (address, kubeconfig) =
            (running.address.clone(), fs::read_to_string(&running.kubeconfig).unwrap());
        assert_eq!(running.stop().await, Some(0));

        let again = Running::start(home.path(), &["--state", state.to_str().unwrap()]).await;
        assert_eq!(again.address, address);
        assert_eq!(
            fs::read_to_string(&again.kubeconfig).unwrap(),
            kubeconfig,
            "whoever had a copy still comes in"
        );
        let after = get(&client, CONFIG_MAPS).await;
        assert_eq!(after["items"], before["items"]);
        // an orderly end leaves no gap: a watch goes on where it was
        let path = format!("{CONFIG_MAPS}?watch=1&timeoutSeconds=20&resourceVersion={}", revision(&before));
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        let mut events = client.request_stream(request).await.unwrap().into_lines();
        ask(&client, "POST", CONFIG_MAPS, &config_map("more")).await.unwrap();
        let event: Value = serde_json::from_str(&events.next().await.expect("an event")).unwrap();
        assert_eq!(
            (event["type"].as_str(), event["object"]["metadata"]["name"].as_str()),
            (Some("ADDED"), Some("more"))
        );
        assert_eq!(again.stop().await, Some(0));
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    block_on(async {
        let home = tempfile::tempdir().unwrap();
        let running = Running::start(home.path(), &[]).await;
        let client = running.client().await;
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
            "spec": {"containers": [{"name": "main", "image": "nginx"}], "terminationGracePeriodSeconds": 0},
        });
        ask(&client, "POST", PODS, &pod).await.unwrap();
        let is_running = |pod: &Value| {
            pod["status"]["phase"] == "Running" && pod["status"]["containerStatuses"][0]["ready"] == true
        };
        let ran = until(&client, PODS, "web", is_running).await;
        let mut newest = 0;
        for number in 0..50 {
            let made = ask(&client, "POST", CONFIG_MAPS, &config_map(&format!("c{number}"))).await.unwrap();
            newest = revision(&made);
        }
        running.kill().await;

        let again = Running::start(home.path(), &[]).await;
        let list = get(&client, CONFIG_MAPS).await;
        let names =
            list["items"].as_array().unwrap().iter().filter_map(|item| item["metadata"]["name"].as_str());
        assert_eq!(names.filter(|name| name.starts_with('c')).count(), 50);
        assert!(revision(&list) > newest, "{} after {newest}", revision(&list));
        let still = until(&client, PODS, "web", is_running).await;
        assert_eq!(still["metadata"]["uid"], ran["metadata"]["uid"]);
        // what the killed one told last may not be on the disk: whoever watched has to list again
        let path = format!("{CONFIG_MAPS}?watch=1&timeoutSeconds=20&resourceVersion={newest}");
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        let told = match client.request_stream(request).await {
            Err(kube::Error::Api(status)) => u64::from(status.code),
            Err(error) => panic!("{error}"),
            Ok(events) => {
                let event: Value =
                    serde_json::from_str(&events.into_lines().next().await.expect("an event")).unwrap();
                event["object"]["code"].as_u64().unwrap_or_default()
            }
        };
        assert_eq!(told, 410);
        assert_eq!(again.stop().await, Some(0));
    });
}

#[test]
fn an_ephemeral_one_leaves_nothing_behind() {
    block_on(async {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config");
        let running =
            Running::start(home.path(), &["--ephemeral", "--kubeconfig", file.to_str().unwrap()]).await;
        let client = running.client().await;
        ask(&client, "POST", CONFIG_MAPS, &config_map("mine")).await.unwrap();
        assert!(fs::read_dir(home.path().join("tmp")).unwrap().count() > 0);
        assert_eq!(running.stop().await, Some(0));
        let left: Vec<_> =
            fs::read_dir(home.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["tmp"]);
        assert_eq!(fs::read_dir(home.path().join("tmp")).unwrap().count(), 0);
    });
}

#[test]
fn what_cannot_be_served_is_told_with_what_to_do() {
    block_on(async {
        let home = tempfile::tempdir().unwrap();
        let running = Running::start(home.path(), &[]).await;
        let refused = async |arguments: &[&str], parts: &[&str]| {
            let mut all = vec!["sandbox", "serve"];
            all.extend(arguments);
            if !arguments.contains(&"--ingress") {
                all.extend(["--ingress", "127.0.0.1:0"]);
            }
            let (code, out, told) = run(home.path(), &all).await;
            assert_eq!((code, out.as_str()), (Some(1), ""), "{told}");
            for part in parts {
                assert!(told.contains(part), "'{part}' is not in:\n{told}");
            }
        };
        refused(&[], &["another process runs", "styrmin --kubeconfig", "sandbox/kubeconfig", "next:"]).await;
        refused(&["--ephemeral", "--listen", &running.address], &["--listen", "port"]).await;
        refused(&["--ephemeral", "--listen", "0.0.0.0:0"], &["loopback", "--listen"]).await;
        refused(&["--ephemeral", "--ingress", "0.0.0.0:0"], &["loopback", "--ingress"]).await;
        let foreign = home.path().join("foreign");
        let text = "kind: Config\nclusters: [{name: production, cluster: {server: 'https://192.0.2.1'}}]\n";
        fs::write(&foreign, text).unwrap();
        refused(
            &["--ephemeral", "--kubeconfig", foreign.to_str().unwrap()],
            &["other clusters", "--kubeconfig"],
        )
        .await;
        assert_eq!(fs::read_to_string(&foreign).unwrap(), text);
        assert_eq!(running.stop().await, Some(0));
    });
}

#[test]
fn rules_from_a_file_make_requests_go_wrong() {
    block_on(async {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("faults.yaml");
        let path = file.to_str().unwrap();
        let rules = "rules:\n- verbs: [create]\n  resources: [configmaps]\n  when: {nth: 2}\n  fault: {status: {code: 500, message: a bad day}}\n";
        fs::write(&file, rules).unwrap();
        let running = Running::start(home.path(), &["--ephemeral", "--faults", path]).await;
        let client = running.client().await;
        let create = async |name: &str| ask(&client, "POST", CONFIG_MAPS, &config_map(name)).await;
        // 500, as the client would ask again by itself after a 503
        create("first").await.unwrap();
        match create("second").await.unwrap_err() {
            kube::Error::Api(status) => {
                assert_eq!((status.code, status.message.as_str()), (500, "a bad day"))
            }
            other => panic!("{other}"),
        }
        create("second").await.unwrap();
        assert_eq!(running.stop().await, Some(0));
        fs::write(&file, "rules:\n- {verbs: [fly], fault: duplicate}\n").unwrap();
        let (code, out, told) =
            run(home.path(), &["sandbox", "serve", "--ephemeral", "--faults", path]).await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{told}");
        assert!(told.contains("faults.yaml") && told.contains("fly") && told.contains("next:"), "{told}");
    });
}
