//! Watches: what comes over the wire, in which order, and how a watch ends.

use std::pin::pin;

use futures::StreamExt;
use kube::api::{ListParams, WatchParams};
use kube::runtime::watcher;
use serde_json::json;

use crate::ground::Ground;
use crate::objects::config_map;
use crate::things::{Seen, Things, text, version};

cases!(
    a_watch_goes_on_where_the_list_ended,
    a_watch_from_zero_starts_with_what_is_there,
    objects_enter_and_leave_a_selection,
    a_watch_of_one_name_sees_that_one,
    bookmarks_come_before_a_watch_ends,
    a_watch_sees_its_namespace_only,
    metadata_can_be_watched_alone,
    a_watch_without_version_starts_with_what_is_there,
    a_watch_ends_when_its_time_is_up,
    a_path_with_a_name_is_read_not_watched,
    old_paths_watch,
    a_watcher_that_does_not_read_holds_up_nobody;
    only_sandbox:
        a_streaming_list_ends_with_a_mark: "streaming lists came with 1.27",
        a_streaming_list_of_the_future_times_out: "streaming lists came with 1.27",
        watch_options_that_make_no_sense_are_refused: "streaming lists, and their rules, came with 1.27",
        a_burst_expires_nobody: "how much a real server remembers is its own affair",
        a_version_too_old_is_told_in_the_stream: "etcd forgets after minutes, and not on request",
        a_watcher_lists_again_when_it_is_too_late: "etcd forgets after minutes, and not on request",
);

fn labelled(name: &str, app: &str) -> serde_json::Value {
    let mut map = config_map(name, "a");
    map["metadata"]["labels"] = json!({"app": app});
    map
}

async fn moment(things: &Things) -> String {
    things.list(&ListParams::default()).await.resource_version
}

async fn a_watch_goes_on_where_the_list_ended(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(labelled("before", "x")).await;
    let from = moment(&maps).await;
    let made = maps.create(labelled("one", "x")).await;
    let mut watch = maps.watch(&WatchParams::default().labels("app=x"), &from).await;
    let (seen, object) = watch.next_change().await;
    assert_eq!((seen, version(&object)), (Seen::Added("one".into()), version(&made)));
    let changed = maps.merge("one", json!({"data": {"text": "b"}})).await;
    let (seen, object) = watch.next_change().await;
    assert_eq!((seen, version(&object)), (Seen::Modified("one".into()), version(&changed)));
    maps.delete("one").await;
    let (seen, object) = watch.next_change().await;
    assert_eq!(seen, Seen::Deleted("one".into()));
    assert_eq!(object["data"]["text"], "b", "the last state");
    assert_ne!(version(&object), version(&changed), "with the version of the deletion");
}

async fn a_watch_from_zero_starts_with_what_is_there(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(labelled("one", "x")).await;
    maps.until("one", "the cache has it", |map| map.is_some()).await;
    let mut watch = maps.watch(&WatchParams::default().labels("app=x"), "0").await;
    assert_eq!(watch.next_change().await.0, Seen::Added("one".into()));
    maps.create(labelled("two", "x")).await;
    assert_eq!(watch.next_change().await.0, Seen::Added("two".into()));
}

async fn objects_enter_and_leave_a_selection(ground: &Ground) {
    let maps = ground.things("configmaps");
    let from = moment(&maps).await;
    let mut watch = maps.watch(&WatchParams::default().labels("app=x"), &from).await;
    maps.create(labelled("one", "y")).await;
    maps.merge("one", json!({"metadata": {"labels": {"app": "x"}}})).await;
    assert_eq!(watch.next_change().await.0, Seen::Added("one".into()), "it enters");
    maps.merge("one", json!({"data": {"text": "b"}})).await;
    assert_eq!(watch.next_change().await.0, Seen::Modified("one".into()));
    let left = maps.merge("one", json!({"metadata": {"labels": {"app": "z"}}})).await;
    let (seen, object) = watch.next_change().await;
    assert_eq!((seen, version(&object)), (Seen::Deleted("one".into()), version(&left)), "it leaves");
    maps.merge("one", json!({"data": {"text": "c"}})).await;
    maps.create(labelled("two", "x")).await;
    assert_eq!(watch.next_change().await.0, Seen::Added("two".into()), "nothing in between");
}

async fn a_watch_of_one_name_sees_that_one(ground: &Ground) {
    let maps = ground.things("configmaps");
    let from = moment(&maps).await;
    let mut watch = maps.watch(&WatchParams::default().fields("metadata.name=two"), &from).await;
    maps.create(labelled("one", "x")).await;
    maps.create(labelled("two", "x")).await;
    assert_eq!(watch.next_change().await.0, Seen::Added("two".into()));
}

async fn bookmarks_come_before_a_watch_ends(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(labelled("one", "x")).await;
    let from = moment(&maps).await;
    let mut watch = maps.watch(&WatchParams::default().labels("app=x").timeout(5), &from).await;
    let mut marks = 0;
    loop {
        match watch.next().await {
            Seen::Bookmark(at) => {
                let (at, from): (u64, u64) = (at.parse().expect("a number"), from.parse().expect("a number"));
                assert!(at >= from, "{at} after {from}");
                marks += 1;
            }
            Seen::End => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(marks > 0);
    let mut plain =
        maps.watch(&WatchParams::default().labels("app=x").timeout(1).disable_bookmarks(), &from).await;
    assert_eq!(plain.next().await, Seen::End);
}

async fn a_watch_sees_its_namespace_only(ground: &Ground) {
    let (here, there) = (ground.things("configmaps"), ground.things_in("configmaps", "default"));
    let from = moment(&here).await;
    let mut watch = here.watch(&WatchParams::default().labels("app=x"), &from).await;
    let foreign = ground.unique("foreign");
    there.create(labelled(&foreign, "x")).await;
    here.create(labelled("one", "x")).await;
    assert_eq!(watch.next_change().await.0, Seen::Added("one".into()));
    there.delete(&foreign).await;
}

async fn metadata_can_be_watched_alone(ground: &Ground) {
    let maps = ground.things("configmaps");
    let from = moment(&maps).await;
    let params = WatchParams::default().labels("app=x");
    let mut stream = pin!(maps.api.watch_metadata(&params, &from).await.expect("a watch"));
    maps.create(labelled("one", "x")).await;
    let event = ground.within("the event", stream.next()).await.expect("an event").expect("no error");
    match event {
        kube::api::WatchEvent::Added(object) => assert_eq!(object.metadata.name.as_deref(), Some("one")),
        other => panic!("{other:?}"),
    }
}

/// More writes than the sandbox remembers.
fn forget(ground: &Ground) {
    let api = ground.sandbox.as_ref().expect("a sandbox").api();
    for round in 0..styrmin::sandbox::api::RING_CAPACITY + 10 {
        let text = round.to_string();
        api.mutate("configmaps", &ground.namespace, "busy", "test", |map| {
            map["data"] = json!({"text": text})
        })
        .expect("a write");
    }
}

async fn a_version_too_old_is_told_in_the_stream(ground: &Ground) {
    let maps = ground.things("configmaps");
    let from = version(&maps.create(labelled("busy", "x")).await);
    forget(ground);
    let mut watch = maps.watch(&WatchParams::default(), &from).await;
    assert_eq!(watch.next().await, Seen::Refused(410, "Expired".into()));
    assert_eq!(watch.next().await, Seen::End);
    let expired = maps.try_list(&ListParams::default().limit(1)).await.expect("a page");
    if !expired.next.is_empty() {
        forget(ground);
        let status = maps.try_list(&ListParams::default().limit(1).continue_token(&expired.next)).await;
        let status = status.expect_err("a refusal");
        assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
    }
}

async fn a_watcher_lists_again_when_it_is_too_late(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(labelled("busy", "x")).await;
    let config = watcher::Config::default().labels("app=x");
    let mut stream = pin!(watcher(maps.api.clone(), config));
    let mut lists = 0;
    let mut forgotten = false;
    ground
        .within("a second list", async {
            while let Some(event) = stream.next().await {
                match event {
                    Ok(watcher::Event::InitDone) => lists += 1,
                    // between its list and its watch everything is forgotten
                    Ok(watcher::Event::InitApply(_)) if !forgotten => {
                        forget(ground);
                        forgotten = true;
                    }
                    Ok(watcher::Event::Init) | Err(_) => {}
                    Ok(_) => {}
                }
                if lists == 2 {
                    break;
                }
            }
        })
        .await;
    let last = maps.get("busy").await;
    assert_eq!(text(&last, "/data/text"), (styrmin::sandbox::api::RING_CAPACITY + 9).to_string());
}

async fn a_watch_without_version_starts_with_what_is_there(ground: &Ground) {
    let maps = ground.things("configmaps");
    let made = maps.create(labelled("one", "x")).await;
    let mut watch = maps.watch(&WatchParams::default().labels("app=x"), "").await;
    let (seen, object) = watch.next_change().await;
    assert_eq!((seen, version(&object)), (Seen::Added("one".into()), version(&made)));
    maps.delete("one").await;
    assert_eq!(watch.next_change().await.0, Seen::Deleted("one".into()));
}

async fn a_watch_ends_when_its_time_is_up(ground: &Ground) {
    let maps = ground.things("configmaps");
    let from = moment(&maps).await;
    let params = WatchParams::default().labels("app=x").timeout(1).disable_bookmarks();
    let mut watch = maps.watch(&params, &from).await;
    assert_eq!(watch.next().await, Seen::End);
}

/// The lines of a response that ends by itself.
async fn lines(ground: &Ground, path: &str) -> Vec<serde_json::Value> {
    let request = http::Request::get(path).body(Vec::new()).expect("a request");
    let text = ground.within(path, ground.client.request_text(request)).await.expect("an answer");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

async fn a_path_with_a_name_is_read_not_watched(ground: &Ground) {
    ground.things("configmaps").create(labelled("one", "x")).await;
    let path = format!("/api/v1/namespaces/{}/configmaps/one?watch=1&timeoutSeconds=1", ground.namespace);
    let read = lines(ground, &path).await;
    assert_eq!(
        (read.len(), text(&read[0], "/kind"), text(&read[0], "/metadata/name")),
        (1, "ConfigMap", "one")
    );
}

async fn old_paths_watch(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(labelled("one", "x")).await;
    maps.create(labelled("two", "x")).await;
    let base = format!("/api/v1/watch/namespaces/{}", ground.namespace);
    let one = lines(ground, &format!("{base}/configmaps/one?timeoutSeconds=1")).await;
    assert_eq!(
        (one.len(), text(&one[0], "/type"), text(&one[0], "/object/metadata/name")),
        (1, "ADDED", "one")
    );
    let all = lines(ground, &format!("{base}/configmaps?timeoutSeconds=1&labelSelector=app%3Dx")).await;
    assert_eq!(all.len(), 2);
    let space = lines(ground, &format!("{base}?timeoutSeconds=1")).await;
    assert_eq!(text(&space[0], "/object/kind"), "Namespace");
}

async fn a_watcher_that_does_not_read_holds_up_nobody(ground: &Ground) {
    let maps = ground.things("configmaps");
    let from = moment(&maps).await;
    let params = WatchParams::default().labels("app=x");
    let mut lazy = maps.watch(&params, &from).await;
    let mut keen = maps.watch(&params, &from).await;
    let mut big = labelled("big", "x");
    big["data"]["text"] = json!("x".repeat(100_000));
    maps.create(big).await;
    for round in 0..40 {
        maps.merge("big", json!({"data": {"round": round.to_string()}})).await;
    }
    assert_eq!(keen.next_change().await.0, Seen::Added("big".into()));
    for round in 0..40 {
        assert_eq!(keen.next_change().await.1["data"]["round"], json!(round.to_string()));
    }
    // who comes back late goes on where it was, in order, or is told to list anew
    let mut last = -1;
    loop {
        match lazy.next_object().await {
            (Seen::Added(_), _) | (Seen::Bookmark(_), _) => {}
            (Seen::Modified(_), object) => {
                let round: i64 = text(&object, "/data/round").parse().expect("a number");
                assert_eq!(round, last + 1);
                last = round;
                if last == 39 {
                    break;
                }
            }
            (Seen::Refused(410, _) | Seen::End, _) => break,
            other => panic!("{other:?}"),
        }
    }
}

async fn a_streaming_list_ends_with_a_mark(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(labelled("one", "x")).await;
    let made = maps.create(labelled("two", "x")).await;
    let path = format!(
        "/api/v1/namespaces/{}/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1",
        ground.namespace
    );
    let seen = lines(ground, &format!("{path}&allowWatchBookmarks=true")).await;
    let kinds: Vec<&str> = seen.iter().map(|event| text(event, "/type")).collect();
    assert_eq!(&kinds[..3], ["ADDED", "ADDED", "BOOKMARK"]);
    assert_eq!(seen[2]["object"]["metadata"]["annotations"], json!({"k8s.io/initial-events-end": "true"}));
    let mark: u64 = text(&seen[2], "/object/metadata/resourceVersion").parse().expect("a number");
    assert!(mark >= version(&made).parse().expect("a number"));
    let plain = lines(ground, &path).await;
    assert_eq!(plain.len(), 2, "nobody asked for a mark");
    let none = lines(ground, &path.replace("=true", "=false")).await;
    assert!(none.is_empty(), "from now on");
}

async fn a_streaming_list_of_the_future_times_out(ground: &Ground) {
    let path = format!(
        "/api/v1/namespaces/{}/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=99999999",
        ground.namespace
    );
    let status = crate::objects::refusal(ground, "GET", &path, "application/json", "").await;
    assert_eq!((status.code, status.reason.as_str()), (504, "Timeout"));
}

async fn watch_options_that_make_no_sense_are_refused(ground: &Ground) {
    let path = format!("/api/v1/namespaces/{}/configmaps?watch=1", ground.namespace);
    for (query, part) in [
        (
            "resourceVersionMatch=NotOlderThan&resourceVersion=1",
            "is forbidden for watch unless sendInitialEvents",
        ),
        ("sendInitialEvents=true", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
        ("sendInitialEvents=true&resourceVersionMatch=Exact", "supported values: \"NotOlderThan\""),
    ] {
        let path = format!("{path}&{query}");
        let status = crate::objects::refusal(ground, "GET", &path, "application/json", "").await;
        assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"), "{query}");
        assert!(status.message.contains(part), "{query}: {}", status.message);
    }
}

async fn a_burst_expires_nobody(ground: &Ground) {
    let maps = ground.things("configmaps");
    let from = moment(&maps).await;
    let api = ground.sandbox.as_ref().expect("a sandbox").api();
    for index in 0..2_000 {
        let mut map = labelled(&format!("map-{index}"), "x");
        map["metadata"]["namespace"] = json!(ground.namespace);
        api.create("configmaps", map, "test").expect("made");
        let name = format!("map-{index}");
        let write = |map: &mut serde_json::Value| map["data"]["text"] = json!("b");
        api.mutate("configmaps", &ground.namespace, &name, "test", write).expect("changed");
    }
    let mut watch = maps.watch(&WatchParams::default().labels("app=x"), &from).await;
    for index in 0..2_000 {
        assert_eq!(watch.next_change().await.0, Seen::Added(format!("map-{index}")));
        assert_eq!(watch.next_change().await.0, Seen::Modified(format!("map-{index}")));
    }
}
