//! Terminals, and attaching to the main process, through `kube::Client`.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams, LogParams, TerminalSize};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::ready;
use super::rig::{self, Rig, alive, host_container, pod, within};

/// Reads until what has come is as wanted.
async fn read_until(reader: &mut (impl AsyncRead + Unpin), text: &mut String, wanted: &str) {
    within(async {
        let mut buffer = [0; 1024];
        while !text.contains(wanted) {
            let count = reader.read(&mut buffer).await.unwrap();
            assert!(count > 0, "no {wanted:?} in {text:?}");
            text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exec_at_a_terminal_edits_lines_and_follows_the_window() {
    let rig = Rig::start().await;
    rig.create("pods", pod("a", host_container(&["sleep", "1000"])));
    within(rig.until("pods", "a", ready)).await;
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    let script = "test -t 0 && test -t 1 && test -t 2 && echo terminal; read line; echo \"<$line>\" >&2; \
                  while [ \"$(stty size)\" != '30 100' ]; do sleep 0.01; done; echo sized; exit 4";
    let mut process =
        within(pods.exec("a", ["sh", "-c", script], &AttachParams::interactive_tty())).await.unwrap();
    let (mut stdin, mut stdout) = (process.stdin().unwrap(), process.stdout().unwrap());
    let mut size = process.terminal_size().unwrap();
    let status = process.take_status().unwrap();
    let mut text = String::new();
    read_until(&mut stdout, &mut text, "terminal\r\n").await;
    // The terminal's line discipline takes the mistake back before the shell reads the line.
    stdin.write_all(b"helx\x7flo\r").await.unwrap();
    read_until(&mut stdout, &mut text, "<hello>\r\n").await;
    futures::SinkExt::send(&mut size, TerminalSize { width: 100, height: 30 }).await.unwrap();
    read_until(&mut stdout, &mut text, "sized\r\n").await;
    let status = serde_json::to_value(within(status).await).unwrap();
    assert_eq!(status["details"]["causes"][0]["message"], "4", "{status}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_of_a_terminal_end_with_its_client() {
    let rig = Rig::start().await;
    rig.create("pods", pod("a", host_container(&["sleep", "1000"])));
    within(rig.until("pods", "a", ready)).await;
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    // Job control gives the job a process group of its own, and it does not mind being hung up on.
    let script = "set -m; (trap '' HUP; sleep 1000) & echo pid $! end; wait";
    let mut process =
        within(pods.exec("a", ["sh", "-c", script], &AttachParams::interactive_tty())).await.unwrap();
    let mut stdout = process.stdout().unwrap();
    let mut text = String::new();
    read_until(&mut stdout, &mut text, " end").await;
    let job: i32 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(alive(job));
    drop(stdout);
    drop(process);
    within(rig::gone(job)).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_attach_to_the_terminal_of_the_main_process() {
    let rig = Rig::start().await;
    let mut shell = pod("a", host_container(&["sh"]));
    shell["spec"]["restartPolicy"] = json!("Never");
    for name in ["stdin", "tty"] {
        shell["spec"]["containers"][0][name] = json!(true);
    }
    rig.create("pods", shell);
    within(rig.until("pods", "a", ready)).await;
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    let mut first = within(pods.attach("a", &AttachParams::interactive_tty())).await.unwrap();
    let mut second = within(pods.attach("a", &AttachParams::interactive_tty())).await.unwrap();
    let (mut one, mut two) = (first.stdout().unwrap(), second.stdout().unwrap());
    let (mut seen, mut also) = (String::new(), String::new());
    first.stdin().unwrap().write_all(b"echo $((40+2))\n").await.unwrap();
    read_until(&mut one, &mut seen, "42\r\n").await;
    read_until(&mut two, &mut also, "42\r\n").await;
    // One leaves; the shell goes on.
    drop((first, one));
    let status = second.take_status().unwrap();
    second.stdin().unwrap().write_all(b"echo $((50+5)); exit 3\n").await.unwrap();
    read_until(&mut two, &mut also, "55\r\n").await;
    let status = serde_json::to_value(within(status).await).unwrap();
    assert_eq!(status["status"], "Success", "{status}");
    let ended = within(rig.until("pods", "a", |pod| pod["status"]["phase"] == "Failed")).await;
    assert_eq!(ended["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], 3);
    let log = within(pods.logs("a", &LogParams::default())).await.unwrap();
    assert!(log.contains("42\r\n") && log.contains("55\r\n"), "{log}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn input_that_is_given_once_ends_with_the_first_who_gave_it() {
    let rig = Rig::start().await;
    for (name, once) in [("once", true), ("open", false)] {
        let mut counter = pod(name, host_container(&["wc", "-c"]));
        counter["spec"]["restartPolicy"] = json!("Never");
        counter["spec"]["containers"][0]["stdin"] = json!(true);
        counter["spec"]["containers"][0]["stdinOnce"] = json!(once);
        rig.create("pods", counter);
        within(rig.until("pods", name, ready)).await;
    }
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    let params = AttachParams::default().stdin(true).stdout(true).stderr(false);
    for name in ["once", "open"] {
        let mut process = within(pods.attach(name, &params)).await.unwrap();
        let mut stdin = process.stdin().unwrap();
        stdin.write_all(b"12345").await.unwrap();
        stdin.shutdown().await.unwrap();
        drop(stdin);
        if name == "once" {
            let mut out = String::new();
            within(process.stdout().unwrap().read_to_string(&mut out)).await.unwrap();
            assert_eq!(out.trim(), "5");
        }
    }
    within(rig.until("pods", "once", |pod| pod["status"]["phase"] == "Succeeded")).await;
    let open = rig.api.get("pods", "default", "open").unwrap();
    assert_eq!(open["status"]["phase"], "Running");
    rig.stop().await;
}
