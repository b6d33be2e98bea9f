//! Epochs in the cluster: an engine that was deposed while it slept writes nothing more, whatever its own records say.

use serde_json::json;
use styrmin::cluster::KIND;

use crate::rig::{YARD, deployed, key};
use crate::support::until;

async fn epoch(bench: &crate::bench::Bench) -> String {
    let live = bench.live(&key(KIND, YARD)).await.unwrap();
    live["metadata"]["annotations"]["styrmin.io/epoch"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_of_an_earlier_epoch_writes_nothing_more() {
    let mut old = deployed().await;
    assert_eq!(epoch(&old).await, old.engine.epoch().to_string(), "it says who wrote");
    old.until_idle().await;
    old.has_lease = false;
    old.end().await;
    old.start();
    old.until_idle().await;
    // another host, with records of its own, takes over: it imports what it finds, and changes it
    let mut new = old.beside(1000).await;
    new.until_running(YARD, 1).await;
    new.id = Some(new.recorded(YARD).await.unwrap().id);
    new.confirm(new.change(&[("text", json!("newer"))])).await;
    new.until_running(YARD, 2).await;
    assert_eq!(epoch(&new).await, new.engine.epoch().to_string());
    assert!(new.engine.epoch() >= 1000);
    old.until_deposed().await;
    // what the old one still wants stays a wish
    old.confirm(old.change(&[("text", json!("older"))])).await;
    let (writes, stood) = (old.writes(), new.live(&key("ConfigMap", YARD)).await.unwrap());
    assert_eq!(stood["data"]["text"], "newer");
    old.start();
    old.until_deposed().await;
    assert_eq!(old.writes(), writes, "it wakes up, looks, and ends");
    assert_eq!(new.live(&key("ConfigMap", YARD)).await.unwrap(), stood);
    new.until_idle().await;
    assert_eq!(new.engine.problems(), Default::default());
    let resource = new.resource(YARD).unwrap();
    until(&new.cluster, "the newer one has the last word", || {
        (resource.spec.parameters["text"] == "newer").then_some(())
    })
    .await;
    new.close().await;
    old.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_the_lease_goes_on_above_what_the_cluster_has_seen() {
    let mut bench = deployed().await;
    bench.until_idle().await;
    bench.end().await;
    let ahead = json!({"metadata": {"annotations": {"styrmin.io/epoch": "70"}}});
    bench.patch(&key(KIND, YARD), "kubectl", ahead).await;
    bench.start();
    bench.edit_parameters(json!({"text": "newer"})).await;
    bench.until_running(YARD, 2).await;
    assert_eq!((bench.engine.epoch(), epoch(&bench).await.as_str()), (71, "71"));
    bench.close().await;
}
