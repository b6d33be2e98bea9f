//! Many pods, many restarts.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::rig::{Rig, host_container, pid, pod, within};
use super::{ready, restarts, waiting_for};

/// How many pods run at once.
const MANY: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_pods_of_processes_start_and_end() {
    let rig = Rig::start().await;
    for index in 0..MANY {
        rig.create("pods", pod(&format!("p{index}"), host_container(&["sleep", "1000"])));
    }
    let started = async {
        for index in 0..MANY {
            rig.until("pods", &format!("p{index}"), ready).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(180), started).await.expect("200 pods in three minutes");
    let pids: Vec<i32> = rig.api.list("pods", None).iter().map(|pod| pid(pod)).collect();
    assert_eq!(pids.len(), MANY);
    tokio::time::timeout(Duration::from_secs(60), rig.stop()).await.expect("they end within a minute");
    assert!(pids.into_iter().all(|pid| !super::alive(pid)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_restarts_keep_two_logs() {
    let (rig, clock) = Rig::standing_still().await;
    rig.create("pods", pod("a", host_container(&["sh", "-c", "echo life; exit 1"])));
    let looping = |restarted: u64| {
        move |pod: &Value| restarts(pod) == restarted && waiting_for("CrashLoopBackOff")(pod)
    };
    for restarted in 1..8 {
        within(rig.until("pods", "a", looping(restarted))).await;
        clock.advance(SignedDuration::from_secs(300));
    }
    let last = within(rig.until("pods", "a", looping(8))).await;
    let logs = rig.pod_directory(&last).join("logs/main");
    let mut names: Vec<String> = std::fs::read_dir(logs)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["7.log", "8.log"]);
    assert_eq!(last["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], json!(1));
    rig.stop().await;
}
