//! Scenes: the same each time, with a clock that moves only when told to.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use styrmin::sandbox::clock::ManualClock;
use styrmin::sandbox::kubelet::scene::SCENE;

use super::rig::{Rig, host_container, pod, within};
use super::{condition, ready, restarts, state, waiting_for};

fn playing(name: &str, scene: &str) -> Value {
    let mut pod = pod(name, json!({"name": "main", "image": "nginx:1.27"}));
    pod["metadata"]["annotations"] = json!({SCENE: scene});
    pod
}

fn forward(clock: &Arc<ManualClock>, seconds: i64) {
    clock.advance(SignedDuration::from_secs(seconds));
}

fn terminated(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]["lastState"]["terminated"]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loop_waits_longer_and_longer() {
    let (rig, clock) = Rig::standing_still().await;
    rig.create("pods", playing("a", "crash-loop"));
    let mut at = 0;
    for (restarted, wait) in [(1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 300), (7, 300)] {
        let looping =
            within(rig.until("pods", "a", |pod| {
                restarts(pod) == restarted && waiting_for("CrashLoopBackOff")(pod)
            }))
            .await;
        let message = state(&looping)["waiting"]["message"].as_str().unwrap().to_owned();
        assert!(
            message.starts_with(&format!("back-off {wait}s restarting failed container=main pod=a_default("))
        );
        let second = |seconds: i64| {
            let start: jiff::Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
            json!((start + SignedDuration::from_secs(seconds)).to_string())
        };
        let last = terminated(&looping);
        assert_eq!((&last["exitCode"], &last["reason"]), (&json!(1), &json!("Error")));
        assert_eq!((&last["startedAt"], &last["finishedAt"]), (&second(at), &second(at)));
        assert_eq!(looping["status"]["phase"], "Running");
        assert!(!ready(&looping));
        forward(&clock, wait);
        at += wait;
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_starts_take_their_time_and_some_are_never_ready() {
    let (rig, clock) = Rig::standing_still().await;
    rig.create("pods", playing("slow", "slow-start=10s"));
    rig.create("pods", playing("never", "not-ready"));
    let started = |pod: &Value| pod["status"]["containerStatuses"][0]["started"] == true;
    let running = |pod: &Value| state(pod)["running"].is_object();
    let starting = within(rig.until("pods", "slow", running)).await;
    assert!(!started(&starting) && !ready(&starting));
    let never = within(rig.until("pods", "never", |pod| running(pod) && started(pod))).await;
    assert!(!ready(&never));
    forward(&clock, 10);
    let slow = within(rig.until("pods", "slow", ready)).await;
    let ready_at = super::object::list(&slow, "/status/conditions")
        .iter()
        .find(|condition| condition["type"] == "Ready")
        .map(|condition| condition["lastTransitionTime"].clone());
    assert_eq!(ready_at, Some(json!("2026-03-01T12:00:10Z")));
    // The end of a scene is an edit away.
    rig.api
        .mutate("pods", "default", "never", "test", |pod| pod["metadata"]["annotations"][SCENE] = json!(""))
        .unwrap();
    within(rig.until("pods", "never", ready)).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_have_the_code_and_the_reason_of_the_scene() {
    let (rig, _clock) = Rig::standing_still().await;
    for (name, scene, code, reason, phase) in [
        ("oom", "oom", 137, "OOMKilled", "Failed"),
        ("three", "main:exit=3", 3, "Error", "Failed"),
        ("well", "exit=0", 0, "Completed", "Succeeded"),
    ] {
        let mut once = playing(name, scene);
        once["spec"]["restartPolicy"] = json!("Never");
        rig.create("pods", once);
        let ended = within(rig.until("pods", name, |pod| pod["status"]["phase"] == phase)).await;
        let ended = &state(&ended)["terminated"];
        assert_eq!((ended["exitCode"].as_i64(), &ended["reason"]), (Some(code), &json!(reason)));
    }
    rig.create("pods", playing("typo", "crashloop"));
    within(rig.until_event_of("typo", "UnknownScene", |told| told.ends_with(": crashloop"))).await;
    within(rig.until("pods", "typo", ready)).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_cannot_be_pulled_until_the_scene_ends() {
    let (rig, clock) = Rig::standing_still().await;
    rig.create("pods", playing("a", "image-pull-error"));
    within(rig.until("pods", "a", waiting_for("ErrImagePull"))).await;
    forward(&clock, 1);
    let backing = within(rig.until("pods", "a", waiting_for("ImagePullBackOff"))).await;
    let message = state(&backing)["waiting"]["message"].as_str().unwrap();
    assert!(message.starts_with("Back-off pulling image \"nginx:1.27\": ErrImagePull: "), "{message}");
    forward(&clock, 10);
    within(rig.until("pods", "a", waiting_for("ErrImagePull"))).await;
    forward(&clock, 1);
    within(rig.until("pods", "a", waiting_for("ImagePullBackOff"))).await;
    rig.api
        .mutate("pods", "default", "a", "test", |pod| pod["metadata"]["annotations"][SCENE] = json!(""))
        .unwrap();
    let pulled = within(rig.until("pods", "a", ready)).await;
    assert!(condition(&pulled, "Initialized"));
    rig.create("pods", pod("b", json!({"name": "main", "image": "Nginx"})));
    let wrong = within(rig.until("pods", "b", waiting_for("InvalidImageName"))).await;
    assert!(state(&wrong)["waiting"]["message"].as_str().unwrap().ends_with("must be lowercase"));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_plays_too() {
    let rig = Rig::start().await;
    let mut real = pod("a", host_container(&["sleep", "1000"]));
    real["metadata"]["annotations"] = json!({SCENE: "oom"});
    rig.create("pods", real);
    let killed = within(rig.until("pods", "a", waiting_for("CrashLoopBackOff"))).await;
    let last = terminated(&killed);
    assert_eq!((&last["exitCode"], &last["reason"]), (&json!(137), &json!("OOMKilled")));
    rig.stop().await;
}
