//! Scaling, as an action does it, and taking it back.

use serde_json::{Value, json};
use styrmin::cluster::{ApplyOptions, Cluster, ClusterError, key};
use styrmin::domain::{ObjectKey, OperationId};

use crate::ground::Ground;
use crate::objects;
use crate::things::number;

cases!(
    what_an_action_scales_is_taken_back_without_a_conflict,
    somebody_elses_change_is_still_a_conflict,
    where_we_never_said_how_many_nothing_is_taken_over,
    what_cannot_be_scaled_says_why,
    what_an_operation_scaled_is_given_back,
);

/// The operation that scales.
const ACTION: OperationId = OperationId(7);
const PLAIN: ApplyOptions = ApplyOptions { dry_run: false, force: false };

/// A workload as it would be rendered, applied.
async fn applied(ground: &Ground, cluster: &Cluster, mut object: Value) -> (Value, ObjectKey) {
    object["metadata"]["namespace"] = json!(ground.namespace);
    cluster.apply(&object, PLAIN).await.expect("it is applied");
    let key = key(&object);
    (object, key)
}

fn stateful_set(replicas: i64) -> Value {
    let mut set = objects::deployment("store", replicas);
    set["kind"] = json!("StatefulSet");
    set["spec"]["serviceName"] = json!("store");
    set
}

async fn what_an_action_scales_is_taken_back_without_a_conflict(ground: &Ground) {
    let cluster = ground.cluster();
    for object in [objects::deployment("web", 3), stateful_set(2)] {
        let wanted = number(&object, "/spec/replicas");
        let (object, key) = applied(ground, &cluster, object).await;
        let owned = cluster.apply(&object, PLAIN).await.expect("again").owned;
        assert_eq!(i64::from(cluster.scale(&key, 0, ACTION).await.expect("it is scaled")), wanted);
        assert_eq!(i64::from(cluster.scale(&key, 1, ACTION).await.expect("it is scaled")), wanted);
        let other = cluster.scale(&key, 1, OperationId(8)).await.expect("it is scaled");
        assert_eq!(other, 1, "another one found it like this");
        let scaled = cluster.get(&key).await.expect("an answer").expect("it is there");
        assert_eq!(number(&scaled, "/spec/replicas"), 1);
        assert_eq!(cluster.drifted_fields(&object).await.expect("an answer"), Some(vec![]), "it is no drift");
        let compared = cluster.compare(&object, false).await.expect("no conflict in a preview");
        assert_eq!(number(&compared.after, "/spec/replicas"), wanted);
        let back = cluster.apply(&object, PLAIN).await.expect("no conflict");
        assert_eq!((number(&back.object, "/spec/replicas"), &back.owned), (wanted, &owned));
        assert_eq!(cluster.end_scale(&key, true).await.expect("it is applied"), None);
        let plural = if key.kind == "Deployment" { "deployments" } else { "statefulsets" };
        let live = ground.things(plural).get(&key.name).await;
        assert!(!live["metadata"]["managedFields"].to_string().contains("styrmin-action"), "{live}");
    }
}

async fn somebody_elses_change_is_still_a_conflict(ground: &Ground) {
    let cluster = ground.cluster();
    let (object, key) = applied(ground, &cluster, objects::deployment("web", 3)).await;
    cluster.scale(&key, 0, ACTION).await.expect("it is scaled");
    let theirs = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{"name": "main", "image": "example.org/two:1"}]}}}});
    ground.things("deployments").try_apply("kubectl", true, theirs).await.expect("by force");
    let Err(ClusterError::Conflict { conflicts, .. }) = cluster.apply(&object, PLAIN).await else {
        panic!("no conflict")
    };
    let told: Vec<&str> = conflicts.iter().map(|conflict| conflict.manager.as_str()).collect();
    assert_eq!(told, ["kubectl"], "what an action has is none");
    let drifted = cluster.drifted_fields(&object).await.expect("an answer").expect("it is there");
    assert_eq!(drifted.len(), 1, "{drifted:?}");
    assert!(drifted[0].path.ends_with(".image"));
}

async fn where_we_never_said_how_many_nothing_is_taken_over(ground: &Ground) {
    let cluster = ground.cluster();
    let mut object = objects::deployment("web", 1);
    object["spec"].as_object_mut().expect("a spec").remove("replicas");
    let (object, key) = applied(ground, &cluster, object).await;
    let owned = cluster.apply(&object, PLAIN).await.expect("again").owned;
    assert_eq!(cluster.scale(&key, 4, ACTION).await.expect("it is scaled"), 1, "the server's default");
    let again = cluster.apply(&object, PLAIN).await.expect("no conflict");
    assert_eq!((number(&again.object, "/spec/replicas"), &again.owned), (4, &owned));
}

async fn what_cannot_be_scaled_says_why(ground: &Ground) {
    let cluster = ground.cluster();
    let object = |kind: &str| ObjectKey {
        api_version: "apps/v1".into(),
        kind: kind.into(),
        namespace: ground.namespace.clone(),
        name: "web".into(),
    };
    let refused = cluster.scale(&object("DaemonSet"), 0, ACTION).await.expect_err("a refusal");
    assert!(!refused.is_transient() && refused.to_string().contains("one pod on each node"), "{refused}");
    let missing = cluster.scale(&object("Deployment"), 0, ACTION).await.expect_err("a refusal");
    assert!(matches!(missing, ClusterError::NotFound { .. }), "{missing:?}");
}

async fn what_an_operation_scaled_is_given_back(ground: &Ground) {
    let cluster = ground.cluster();
    let (object, key) = applied(ground, &cluster, objects::deployment("web", 3)).await;
    assert_eq!(cluster.end_scale(&key, true).await.expect("an answer"), None, "nobody scaled it");
    cluster.scale(&key, 0, ACTION).await.expect("it is scaled");
    assert_eq!(cluster.end_scale(&key, true).await.expect("it is given back"), Some(3));
    assert_eq!(cluster.end_scale(&key, true).await.expect("an answer"), None, "once");
    assert_eq!(cluster.drifted_fields(&object).await.expect("an answer"), Some(vec![]), "it is no drift");
    cluster.scale(&key, 0, ACTION).await.expect("it is scaled");
    let theirs = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 5}});
    ground.things("deployments").try_apply("kubectl", true, theirs).await.expect("by force");
    assert_eq!(
        cluster.end_scale(&key, true).await.expect("an answer"),
        None,
        "somebody else said another number"
    );
    let live = cluster.get(&key).await.expect("an answer").expect("it is there");
    assert_eq!(
        (number(&live, "/spec/replicas"), &live["metadata"]["labels"]["styrmin.io/scaled"]),
        (5, &Value::Null)
    );
}
