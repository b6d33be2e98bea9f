use super::super::bench::{Bench, reasons};
use super::*;

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.add(CLASSES, default_class());
    bench
}

fn claim(class: Option<&str>) -> Value {
    let mut claim = json!({"metadata": {"name": "data", "namespace": "a"}, "status": {"phase": "Pending"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    if let Some(class) = class {
        claim["spec"]["storageClassName"] = json!(class);
    }
    claim
}

#[test]
fn a_claim_gets_a_volume_of_its_own() {
    let mut bench = bench();
    bench.add(CLAIMS, claim(None));
    bench.settle();
    let claim = bench.get(CLAIMS, "a", "data");
    let volume_name = format!("pvc-{}", uid(&claim));
    assert_eq!(claim["spec"]["storageClassName"], "standard");
    assert_eq!(claim["spec"]["volumeName"], volume_name.as_str());
    assert_eq!(
        claim["status"],
        json!({"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}})
    );
    assert_eq!(bench.get(VOLUMES, "", &volume_name)["status"]["phase"], "Bound");
    assert_eq!(reasons(&bench), ["ProvisioningSucceeded"]);
}

#[test]
fn a_larger_request_grows_the_volume() {
    let mut bench = bench();
    bench.add(CLAIMS, claim(Some("standard")));
    bench.settle();
    bench.change(CLAIMS, "a", "data", |claim| {
        claim["spec"]["resources"]["requests"]["storage"] = json!("2Gi")
    });
    bench.settle();
    assert_eq!(bench.get(CLAIMS, "a", "data")["status"]["capacity"]["storage"], "2Gi");
}

#[test]
fn a_claim_in_use_outlives_its_deletion_and_takes_its_volume_along() {
    let mut bench = bench();
    bench.add(CLAIMS, claim(None));
    bench.add(
        pods::PODS,
        json!({"metadata": {"name": "p", "namespace": "a"}, "spec": {"nodeName": "n", "volumes": [
            {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}}),
    );
    bench.settle();
    bench.change(CLAIMS, "a", "data", |claim| {
        claim["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    bench.settle();
    assert_eq!(bench.names(CLAIMS), ["data"]);
    bench.remove(pods::PODS, "a", "p");
    bench.settle();
    bench.settle();
    assert_eq!((bench.names(CLAIMS).len(), bench.names(VOLUMES).len()), (0, 0));
}

#[test]
fn a_class_that_is_missing_or_foreign_is_named() {
    let mut bench = Bench::new();
    bench.add(CLAIMS, claim(Some("fast")));
    let claim = bench.get(CLAIMS, "a", "data");
    bench.change(CLAIMS, "a", "data", |claim| claim["metadata"]["finalizers"] = json!([PROTECTION]));
    let claim_now = bench.get(CLAIMS, "a", name(&claim));
    let context = Context { cache: &bench.cache, now: bench.now, failure: None };
    let outcome = sync_claim(&context, &claim_now);
    let Write::Event(note) = &outcome.writes[0] else { panic!("an event, not {outcome:?}") };
    assert_eq!(note.message, "storageclass.storage.k8s.io \"fast\" not found");
}

#[test]
fn a_volume_made_by_hand_is_taken_when_it_fits() {
    let mut bench = bench();
    bench.add(
        VOLUMES,
        json!({"metadata": {"name": "small"}, "spec": {"capacity": {"storage": "500Mi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand"}}),
    );
    bench.add(
        VOLUMES,
        json!({"metadata": {"name": "big"}, "spec": {"capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand"}}),
    );
    bench.add(CLAIMS, claim(Some("by-hand")));
    bench.settle();
    assert_eq!(bench.get(CLAIMS, "a", "data")["spec"]["volumeName"], "big");
    assert_eq!(bench.get(VOLUMES, "", "big")["spec"]["claimRef"]["name"], "data");
    assert_eq!(bench.get(VOLUMES, "", "small")["status"]["phase"], "Available");
}
