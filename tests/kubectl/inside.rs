//! Into the pods: logs, exec, attach, port-forward, cp, top.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::ground::{Ground, cells, shell, texts, web};
use crate::pty::{PATIENCE, Pty};

cases! { logs, commands, a_terminal, attaching, ports, copies, usage }

async fn running(kubectl: &Ground, name: &str, script: &str) {
    kubectl.ok_with("apply -f -", &shell(name, script)).await;
    kubectl.ok(&format!("wait --for=condition=Ready pod/{name} --timeout=50s")).await;
}

async fn logs(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &shell("talk", "for i in 1 2 3; do echo line $i; sleep 0.3; done")).await;
    let followed = loop {
        // Before the container runs, following it is refused.
        let output = kubectl.run_with("logs -f talk", b"", &[]).await;
        if output.status.success() {
            break texts(&output).0;
        }
    };
    assert_eq!(followed, "line 1\nline 2\nline 3\n");
    assert_eq!(kubectl.ok("logs talk --tail=1").await, "line 3\n");
    let stamped = kubectl.ok("logs talk --timestamps --tail=1").await;
    assert!(stamped.contains("T") && stamped.ends_with("line 3\n"), "{stamped}");
    let wrong = kubectl.refused("logs talk -c other", "").await;
    assert!(wrong.contains("container other is not valid for pod talk"), "{wrong}");
    kubectl.ok_with("apply -f -", &web("web", 2, "1.0.0")).await;
    kubectl.ok("rollout status deployment web --timeout=50s").await;
    assert!(!kubectl.ok("logs -l app=web --prefix").await.is_empty());
}

async fn commands(kubectl: &Ground) {
    running(kubectl, "box", "exec sleep 1000").await;
    assert_eq!(kubectl.ok("exec box -- echo hello").await, "hello\n");
    assert_eq!(kubectl.ok_with("exec -i box -- cat", "from outside").await, "from outside");
    let failed = kubectl.run_with("exec box -- sh -c 'echo trouble >&2; exit 3'", b"", &[]).await;
    assert_eq!(failed.status.code(), Some(3));
    assert!(texts(&failed).1.contains("trouble"), "{:?}", texts(&failed));
    let large = "x".repeat(1_500_000);
    assert_eq!(kubectl.ok_with("exec -i box -- wc -c", &large).await.trim(), "1500000");
    let much = kubectl.ok("exec box -- sh -c 'head -c 3000000 /dev/zero'").await;
    assert_eq!(much.len(), 3_000_000);
    let absent = kubectl.refused("exec box -- no-such-program", "").await;
    assert!(absent.contains("no-such-program"), "{absent}");
    assert!(kubectl.refused("exec nothing -- true", "").await.contains("not found"));
}

async fn a_terminal(kubectl: &Ground) {
    running(kubectl, "box", "exec sleep 1000").await;
    let (program, environment) = kubectl.in_terminal();
    let mut terminal = Pty::start(program, &["exec", "-it", "box", "--", "sh"], &environment, (100, 30));
    // kubectl tells the size beside what is typed
    let opened = "until [ \"$(stty size)\" = '30 100' ]; do sleep 0.1; done; echo it is a $(tty | cut -c1-5) of $(stty size)\n";
    terminal.send(opened.as_bytes()).await;
    terminal
        .wait_until("the size of the terminal", PATIENCE, |text| text.contains("it is a /dev/ of 30 100"))
        .await;
    terminal.resize(90, 20);
    let resized = "until [ \"$(stty size)\" = '20 90' ]; do sleep 0.1; done; echo now $(stty size)\n";
    terminal.send(resized.as_bytes()).await;
    terminal.wait_until("the new size", PATIENCE, |text| text.contains("now 20 90")).await;
    // That it answers shows that the shell has started it, and waits for it.
    terminal.send(b"cat\nmirror\n").await;
    terminal.wait_until("cat", PATIENCE, |text| text.matches("mirror").count() == 2).await;
    terminal.send(b"\x03").await;
    terminal
        .wait_until("the prompt", PATIENCE, |text| text.contains("^C") && text.trim_end().ends_with('#'))
        .await;
    terminal.send(b"echo still $((40 + 2))\n").await;
    terminal.wait_until("the shell after ctrl-c", PATIENCE, |text| text.contains("still 42")).await;
    terminal.send(b"exit 4\n").await;
    let status = tokio::time::timeout(PATIENCE, terminal.child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(4));
}

async fn attaching(kubectl: &Ground) {
    running(kubectl, "ticker", "while true; do echo tick; sleep 0.2; done").await;
    let mut attached = kubectl.start_command("attach ticker");
    let mut lines = BufReader::new(attached.stdout.take().unwrap()).lines();
    loop {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        if line == "tick" {
            break;
        }
    }
    attached.kill().await.unwrap();
    let run = "run once --rm -i --restart=Never --image=styrmin/host:1 --quiet --command -- cat";
    let output = kubectl.run_with(run, b"through the pod\n", &[]).await;
    assert!(texts(&output).0.contains("through the pod"), "{:?}", texts(&output));
    assert!(kubectl.refused("get pod once", "").await.contains("not found"), "--rm takes it away");
}

/// The local port of a forwarding that says where it listens.
async fn local_port(forwarding: &mut tokio::process::Child) -> u16 {
    let mut lines = BufReader::new(forwarding.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    let line = line.expect("a line that says where");
    // It goes on talking, and ends when nobody listens.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let port = line.strip_prefix("Forwarding from 127.0.0.1:").unwrap().split(' ').next().unwrap();
    port.parse().unwrap()
}

async fn ports(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &web("web", 1, "1.0.0")).await;
    kubectl.ok("rollout status deployment web --timeout=50s").await;
    kubectl.ok("expose deployment web --port=80 --target-port=http").await;
    for target in ["deployment/web :8080", "service/web :80"] {
        let mut forwarding = kubectl.start_command(&format!("port-forward --address 127.0.0.1 {target}"));
        let port = local_port(&mut forwarding).await;
        for _ in 0..3 {
            let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut answer = Vec::new();
            // How kubectl ends a connection that the pod has ended is its own business.
            while !answer.ends_with(b"ok\n") {
                let read =
                    tokio::time::timeout(PATIENCE, stream.read_buf(&mut answer)).await.unwrap().unwrap();
                assert_ne!(read, 0, "it ends early: {}", String::from_utf8_lossy(&answer));
            }
            assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        }
        forwarding.kill().await.unwrap();
    }
}

async fn copies(kubectl: &Ground) {
    running(kubectl, "box", "exec sleep 1000").await;
    let text = "some text\n".repeat(50_000);
    let file = kubectl.file("sent.txt", &text);
    let place = kubectl.ok("exec box -- sh -c 'echo -n $PWD'").await;
    kubectl.ok(&format!("cp {file} box:{place}/received.txt")).await;
    assert_eq!(kubectl.ok("exec box -- sh -c 'wc -c < received.txt'").await.trim(), text.len().to_string());
    kubectl.ok(&format!("cp box:{place}/received.txt back.txt")).await;
    assert_eq!(std::fs::read_to_string(kubectl.home().join("back.txt")).unwrap(), text);
}

async fn usage(kubectl: &Ground) {
    running(kubectl, "busy", "while :; do :; done").await;
    let table = loop {
        // Usage is a difference: there is none before the second look at the processes.
        let output = kubectl.run_with("top pods", b"", &[]).await;
        let told = texts(&output).0;
        if cells(&told).iter().any(|row| row[0] == "busy" && row[1] != "0m") {
            break told;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let rows = cells(&table);
    assert_eq!(rows[0], ["NAME", "CPU(cores)", "MEMORY(bytes)"]);
    assert!(rows[1][1].ends_with('m'), "{table}");
    let nodes = cells(&kubectl.ok("top nodes").await);
    assert_eq!(nodes.len(), 2, "{nodes:?}");
}
