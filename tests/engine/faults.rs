//! The engine on a bad day: what it brings about is the same, only later.

use styrmin::domain::Intent;
use styrmin::sandbox::faults::Scenario;

use crate::bench::Bench;

/// Every kind of fault that the engine's own requests can meet.
const BAD_DAY: &str = "
seed: 11
rules:
- {verbs: [patch], when: {every: 6}, fault: {status: {code: 500}}}
- {verbs: [patch], when: {every: 8}, fault: {drop: after}}
- {verbs: [patch], when: {every: 9}, fault: {drop: before}}
- {verbs: [patch], when: {nth: 3}, fault: {status: {code: 429, retryAfterSeconds: 1}}}
- {verbs: [get, list], when: {every: 5}, fault: {truncate: 40}}
- {verbs: [watch], when: {every: 3}, fault: {expire: 2}}
- {verbs: [watch], when: {every: 2}, fault: duplicate}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_comes_up_and_changes_all_the_same() {
    let bench = Bench::on_sandbox().await;
    let intent = Intent::Deploy(bench.draft("notes", "1.0.0"));
    let plan = bench.engine.preview(&intent).await.unwrap().plan;
    bench.engine.confirm(&intent, &plan.hash(), "anna").await.unwrap();
    let id = bench.recorded("notes").await.unwrap().id;
    bench.faults().play(Scenario::parse(BAD_DAY).unwrap());
    bench.until_running("notes", 1).await;
    let struck = bench.faults().matched();
    assert!(struck.iter().take(4).all(|matched| *matched >= 4), "the day was not bad enough: {struck:?}");
    bench.faults().end();
    let active = bench.active(id).await.unwrap();
    assert_eq!(active.number, 1, "a try that failed is no new instance");
    bench.close().await;
}
