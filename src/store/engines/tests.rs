use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::domain::{ClusterKind, ClusterRecord, ManualClock};

const CLUSTER: &str = "work";

fn holder(name: &str) -> Holder {
    Holder { identity: name.to_owned(), host: "jump".to_owned(), pid: Some(7) }
}

fn record() -> ClusterRecord {
    ClusterRecord {
        name: CLUSTER.to_owned(),
        kind: ClusterKind::Kubeconfig,
        fqdn_suffix: None,
        storage_class: None,
        ingress_port: None,
        ingress_tls_port: None,
    }
}

async fn store() -> (Store, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let store = Store::in_memory(clock.clone()).unwrap();
    store.upsert_cluster(&record()).await.unwrap();
    (store, clock)
}

async fn checked(store: &Store, epoch: u64) -> Result<(), StoreError> {
    store.write("write", move |transaction| check_epoch(transaction, CLUSTER, epoch)).await
}

#[tokio::test]
async fn every_take_over_has_a_higher_epoch() {
    let (store, clock) = store().await;
    assert_eq!(store.engine(CLUSTER).await.unwrap(), None);
    assert_eq!(store.claim_engine(CLUSTER, &holder("a"), 0).await.unwrap(), 1);
    assert_eq!(store.claim_engine(CLUSTER, &holder("a"), 0).await.unwrap(), 2);
    assert_eq!(store.claim_engine(CLUSTER, &holder("b"), 9).await.unwrap(), 9);
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(store.claim_engine(CLUSTER, &holder("c"), 4).await.unwrap(), 10);
    let found = store.engine(CLUSTER).await.unwrap().unwrap();
    assert_eq!((found.epoch, found.here, found.holder), (10, true, Some(holder("c"))));
    assert_eq!(found.since, Timestamp::from_second(1).unwrap());
    let unknown = store.claim_engine("absent", &holder("a"), 0).await.unwrap_err();
    assert!(matches!(unknown, StoreError::Missing { what: "cluster", .. }), "{unknown}");
}

#[tokio::test]
async fn a_deposed_engine_writes_nothing_more() {
    let (store, _) = store().await;
    assert!(matches!(checked(&store, 0).await, Err(StoreError::Deposed { newest: 0, .. })));
    let first = store.claim_engine(CLUSTER, &holder("a"), 0).await.unwrap();
    checked(&store, first).await.unwrap();
    let second = store.claim_engine(CLUSTER, &holder("b"), 0).await.unwrap();
    assert!(matches!(checked(&store, first).await, Err(StoreError::Deposed { newest: 2, .. })));
    checked(&store, second).await.unwrap();
    store.release_engine(CLUSTER, first).await.unwrap();
    checked(&store, second).await.unwrap();
    store.release_engine(CLUSTER, second).await.unwrap();
    assert!(checked(&store, second).await.is_err(), "what was put down writes nothing either");
    assert_eq!(store.engine(CLUSTER).await.unwrap().unwrap().holder, None);
}

#[tokio::test]
async fn a_holder_elsewhere_deposes_the_one_here() {
    let (store, _) = store().await;
    let ours = store.claim_engine(CLUSTER, &holder("a"), 5).await.unwrap();
    let since = Timestamp::UNIX_EPOCH;
    store.request_takeover(CLUSTER, "a").await.unwrap();
    store.note_engine(CLUSTER, &holder("far"), since, 2).await.unwrap();
    assert!(
        checked(&store, ours).await.is_err(),
        "even when its Lease was made anew and counts from the start"
    );
    let noted = store.engine(CLUSTER).await.unwrap().unwrap();
    assert_eq!((noted.epoch, noted.here, noted.takeover_requested_by.as_deref()), (6, false, Some("a")));
    let changes = store.changes();
    let before = *changes.borrow();
    store.note_engine(CLUSTER, &holder("far"), since, 2).await.unwrap();
    assert_eq!(*changes.borrow(), before, "the same again is no change");
    assert_eq!(store.claim_engine(CLUSTER, &holder("a"), 3).await.unwrap(), 7);
}

#[tokio::test]
async fn the_last_to_ask_is_the_one_who_gets_it() {
    let (store, _) = store().await;
    let nobody = store.request_takeover(CLUSTER, "b").await.unwrap_err();
    assert!(matches!(nobody, StoreError::Missing { .. }), "{nobody}");
    store.claim_engine(CLUSTER, &holder("a"), 0).await.unwrap();
    let asked = || async { store.engine(CLUSTER).await.unwrap().unwrap().takeover_requested_by };
    store.request_takeover(CLUSTER, "b").await.unwrap();
    store.request_takeover(CLUSTER, "c").await.unwrap();
    assert_eq!(asked().await.as_deref(), Some("c"));
    store.drop_takeover(CLUSTER, "b").await.unwrap();
    assert_eq!(asked().await.as_deref(), Some("c"));
    store.drop_takeover(CLUSTER, "c").await.unwrap();
    assert_eq!(asked().await, None);
    store.request_takeover(CLUSTER, "b").await.unwrap();
    store.claim_engine(CLUSTER, &holder("b"), 0).await.unwrap();
    assert_eq!(asked().await, None, "a take-over answers the request");
}
