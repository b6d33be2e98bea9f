//! Faults on purpose, as a client of the sandbox meets them, and what the engine's own client makes of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, ObjectMeta, PostParams, WatchEvent, WatchParams};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Client, Error};
use styrmin::sandbox::faults::{Cut, Fault, Refusal, Rule, Scenario, Verb, When};
use styrmin::sandbox::{Sandbox, SandboxOptions};

const LIMIT: Duration = Duration::from_secs(60);

async fn start() -> (Sandbox, Api<ConfigMap>) {
    let sandbox = Sandbox::start(SandboxOptions::in_memory(1, env!("CARGO_BIN_EXE_styrmin"))).await.unwrap();
    let client = Client::new(sandbox.service(), "default");
    (sandbox, Api::default_namespaced(client))
}

fn named(name: &str, value: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(BTreeMap::from([("value".to_owned(), value.to_owned())])),
        ..ConfigMap::default()
    }
}

fn rule(verb: Verb, when: When, fault: Fault) -> Rule {
    Rule { verbs: vec![verb], resources: vec!["configmaps".to_owned()], when, ..Rule::new(fault) }
}

async fn create(maps: &Api<ConfigMap>, name: &str) -> Result<ConfigMap, Error> {
    maps.create(&PostParams::default(), &named(name, "1")).await
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("it takes too long")
}

/// The names of the events of a watch from the beginning, as many as are wanted.
async fn told(maps: &Api<ConfigMap>, count: usize) -> Vec<String> {
    let events = maps.watch(&WatchParams::default(), "0").await.unwrap();
    let names = events.take(count).map(|event| match event.unwrap() {
        WatchEvent::Added(map) => map.metadata.name.unwrap(),
        WatchEvent::Error(status) => format!("{} {}", status.code, status.reason),
        other => panic!("{other:?}"),
    });
    within(names.collect()).await
}

/// A sandbox with the maps a, b and c, in a namespace where nothing else makes any.
async fn with_three() -> (Sandbox, Api<ConfigMap>) {
    let (sandbox, _) = start().await;
    let client = Client::new(sandbox.service(), "kube-node-lease");
    let maps = Api::default_namespaced(client);
    for name in ["a", "b", "c"] {
        create(&maps, name).await.unwrap();
    }
    let ours: Vec<String> = maps
        .list(&ListParams::default())
        .await
        .unwrap()
        .into_iter()
        .filter_map(|map| map.metadata.name)
        .collect();
    for other in ours.iter().filter(|name| name.len() > 1) {
        maps.delete(other, &Default::default()).await.unwrap();
    }
    (sandbox, maps)
}

#[tokio::test]
async fn the_third_write_is_refused_and_not_carried_out() {
    let (sandbox, maps) = start().await;
    let refusal = Refusal { retry_after_seconds: Some(2), ..Refusal::new(503) };
    sandbox.faults().play_rule(rule(Verb::Create, When::Nth(3), Fault::Status(refusal)));
    create(&maps, "a").await.unwrap();
    create(&maps, "b").await.unwrap();
    let Err(Error::Api(status)) = create(&maps, "c").await else { panic!("not refused") };
    assert_eq!((status.code, status.reason.as_str()), (503, "ServiceUnavailable"));
    assert_eq!(status.details.as_ref().map(|details| details.retry_after_seconds), Some(2));
    assert!(maps.get_opt("c").await.unwrap().is_none());
    create(&maps, "c").await.unwrap();
    assert_eq!(sandbox.faults().matched(), [4]);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_cut_connection_leaves_the_client_in_doubt() {
    let (sandbox, maps) = start().await;
    sandbox.faults().play_rule(rule(Verb::Create, When::First(1), Fault::Drop(Cut::Before)));
    assert!(matches!(create(&maps, "before").await, Err(error) if !matches!(error, Error::Api(_))));
    assert!(maps.get_opt("before").await.unwrap().is_none(), "it was never carried out");
    sandbox.faults().play_rule(rule(Verb::Create, When::First(1), Fault::Drop(Cut::After)));
    assert!(matches!(create(&maps, "after").await, Err(error) if !matches!(error, Error::Api(_))));
    assert!(maps.get_opt("after").await.unwrap().is_some(), "it was carried out all the same");
    sandbox.stop().await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error() {
    let (sandbox, maps) = start().await;
    create(&maps, "a").await.unwrap();
    sandbox.faults().play_rule(rule(Verb::Get, When::First(1), Fault::Truncate(20)));
    let broken = maps.get("a").await.unwrap_err();
    assert!(!matches!(broken, Error::Api(_)), "{broken}");
    maps.get("a").await.unwrap();
    sandbox.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_late() {
    let (sandbox, maps) = start().await;
    create(&maps, "a").await.unwrap();
    let late = Duration::from_secs(40);
    sandbox.faults().play_rule(rule(Verb::Get, When::Always, Fault::Delay(late)));
    let before = tokio::time::Instant::now();
    maps.get("a").await.unwrap();
    assert!(before.elapsed() >= late);
    sandbox.stop().await;
}

#[tokio::test]
async fn events_come_twice_in_disorder_or_not_at_all() {
    let (sandbox, maps) = with_three().await;
    let faults = sandbox.faults();
    assert_eq!(told(&maps, 3).await, ["a", "b", "c"]);
    faults.play_rule(rule(Verb::Watch, When::Always, Fault::Duplicate));
    assert_eq!(told(&maps, 6).await, ["a", "a", "b", "b", "c", "c"]);
    faults.play_rule(rule(Verb::Watch, When::Always, Fault::Reorder));
    create(&maps, "d").await.unwrap();
    assert_eq!(told(&maps, 4).await, ["b", "a", "d", "c"]);
    faults.play_rule(rule(Verb::Watch, When::Always, Fault::Expire(2)));
    assert_eq!(told(&maps, 9).await, ["a", "b", "410 Expired"]);
    faults.play_rule(rule(Verb::Watch, When::Always, Fault::Silence(1)));
    let short = WatchParams::default().timeout(1);
    let events: Vec<_> = within(maps.watch(&short, "0").await.unwrap().collect()).await;
    assert_eq!(events.len(), 1, "after one event it says nothing until its time is up");
    sandbox.stop().await;
}

#[tokio::test]
async fn the_clock_on_new_objects_is_wrong() {
    let (sandbox, maps) = start().await;
    let ahead = SignedDuration::from_hours(48);
    sandbox.faults().play(Scenario { clock_skew: ahead, ..Scenario::default() });
    let created = create(&maps, "a").await.unwrap();
    let stamp = created.metadata.creation_timestamp.unwrap().0;
    sandbox.faults().end();
    let honest = create(&maps, "b").await.unwrap().metadata.creation_timestamp.unwrap().0;
    assert!(stamp.duration_since(honest) > SignedDuration::from_hours(47));
    sandbox.stop().await;
}

/// What a reflector holds is right in the end, whatever the watch went through on the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reflector_comes_through_a_bad_day() {
    let (sandbox, maps) = with_three().await;
    let bad_day = "
seed: 3
rules:
- {verbs: [list, watch], resources: [configmaps], when: {every: 3}, fault: {status: {code: 500}}}
- {verbs: [watch], when: {every: 2}, fault: {expire: 2}}
- {verbs: [watch], fault: duplicate}
- {verbs: [list], when: {nth: 2}, fault: {truncate: 100}}
- {verbs: [watch], when: {nth: 3}, fault: {drop: after}}
";
    sandbox.faults().play(Scenario::parse(bad_day).unwrap());
    let (store, writer) = reflector::store();
    let stream = reflector(writer, watcher(maps.clone(), watcher::Config::default()).default_backoff());
    let following = tokio::spawn(stream.for_each(|_| std::future::ready(())));
    let honest = Api::<ConfigMap>::namespaced(Client::new(sandbox.service(), "default"), "kube-node-lease");
    for round in 0..20 {
        let name = format!("m{round}");
        create(&honest, &name).await.unwrap();
        if round % 3 == 0 {
            honest.delete(&name, &Default::default()).await.unwrap();
        }
    }
    within(async {
        loop {
            let mut held: Vec<String> =
                store.state().iter().filter_map(|map| map.metadata.name.clone()).collect();
            held.sort();
            // One list in three is refused: ask until it is not.
            let listed = honest.list(&ListParams::default()).await;
            let Ok(listed) = listed else { continue };
            let mut real: Vec<String> = listed.into_iter().filter_map(|map| map.metadata.name).collect();
            real.sort();
            let met = sandbox.faults().matched().iter().all(|count| *count > 0);
            if held == real && real.len() == 3 + 13 && met {
                break;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    following.abort();
    sandbox.stop().await;
}

#[tokio::test]
async fn what_no_rule_matches_goes_well() {
    let (sandbox, maps) = start().await;
    let unrelated = Rule { names: vec!["other".to_owned()], ..Rule::new(Fault::Status(Refusal::new(500))) };
    sandbox.faults().play_rule(unrelated);
    for name in ["a", "b"] {
        create(&maps, name).await.unwrap();
    }
    let events = maps.watch(&WatchParams::default().timeout(1), "0").await.unwrap();
    let names: Vec<_> = within(events.try_collect::<Vec<_>>()).await.unwrap();
    assert!(names.len() >= 2);
    assert_eq!(sandbox.faults().matched(), [0]);
    sandbox.stop().await;
}
