//! What the tests of the engine share: clusters to run against, and waiting for named conditions.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use styrmin::cluster::{ApplyOptions, Cluster, Connection, DeleteOptions, key};
use styrmin::domain::SystemClock;

/// How long anything may take before a test fails.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The variable that names the kubeconfig of a real API server.
pub const KUBECONFIG: &str = "STYRMIN_TEST_KUBECONFIG";

/// The real API server, when the variable names one.
pub async fn real_cluster(context: Option<&str>) -> Option<Cluster> {
    let path = PathBuf::from(std::env::var_os(KUBECONFIG)?);
    let connection = Connection::from_kubeconfig(Some(&path), context).await.unwrap();
    Some(Cluster::new(connection, Arc::new(SystemClock)))
}

/// Waits until `condition` gives something, looking again whenever the cluster's picture changes; fails with `what`.
pub async fn until<T>(cluster: &Cluster, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let mut moved = cluster.generation();
    let wait = async {
        loop {
            moved.mark_unchanged();
            if let Some(found) = condition() {
                return found;
            }
            moved.changed().await.unwrap();
        }
    };
    match tokio::time::timeout(LIMIT, wait).await {
        Ok(found) => found,
        Err(_) => panic!("not within {} s: {what}; link {:?}", LIMIT.as_secs(), cluster.link()),
    }
}

/// A namespace of its own for a test, created and watched.
pub async fn namespace(cluster: &Cluster, name: &str) -> String {
    let name = format!("styrmin-test-{name}-{}", std::process::id());
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    cluster.apply(&object, ApplyOptions::default()).await.unwrap();
    cluster.watch_namespace(&name);
    let index = cluster.index();
    until(cluster, "every watch has listed", || index.is_complete(&name).then_some(())).await;
    name
}

/// Takes a test's namespace away.
pub async fn remove(cluster: &Cluster, namespace: &str) {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    cluster.delete(&key(&object), &DeleteOptions::default()).await.unwrap();
}

/// A Deployment that any cluster takes.
pub fn web(namespace: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace, "labels": {"styrmin.io/deployment": "site"}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "example.org/web:1"}]}}}
    })
}
