//! What keeps access current: roles that gather others' rules, and every namespace's `kube-root-ca.crt`.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{ROOT_CERTIFICATE, aggregation, rbac};
use crate::sandbox::api::{Api, Subscription, Watching};
use crate::sandbox::object::{deleting, name, namespace};

const CONFIG_MAPS: &str = "configmaps";
/// The field manager of its writes.
const PUBLISHER: &str = "root-ca-certificate-publisher";

/// Keeps them until `stop`.
pub async fn run(api: Api, stop: CancellationToken) {
    let mut authority = api.credentials().authority();
    loop {
        let mut roles = api.subscribe(rbac::CLUSTER_ROLES);
        let mut namespaces = api.subscribe("namespaces");
        let mut maps = api.subscribe(CONFIG_MAPS);
        aggregation::gather_all(&api);
        publish_all(&api);
        // Until changes were forgotten before they were read: then everything is looked at again.
        loop {
            let more = tokio::select! {
                () = stop.cancelled() => return,
                change = roles.recv() => {
                    drain(&mut roles);
                    aggregation::gather_all(&api);
                    change.is_some()
                }
                change = namespaces.recv() => {
                    change.is_some_and(|change| { publish(&api, &change.object); true })
                }
                change = maps.recv() => change.is_some_and(|change| {
                    restore(&api, &change.object);
                    true
                }),
                changed = authority.changed() => {
                    publish_all(&api);
                    changed.is_ok()
                }
            };
            if !more {
                break;
            }
        }
    }
}

/// Takes what has come meanwhile: one look is enough for a burst.
fn drain(feed: &mut Subscription) {
    while let Some(Watching::Changed(_)) = feed.ready() {}
}

/// Puts the certificate into every namespace.
fn publish_all(api: &Api) {
    if api.credentials().authority().borrow().is_none() {
        return;
    }
    for namespace in api.list("namespaces", None) {
        publish(api, &namespace);
    }
}

/// Puts the certificate back when somebody changed or took it.
fn restore(api: &Api, map: &Arc<Value>) {
    if name(map) != ROOT_CERTIFICATE {
        return;
    }
    let home = namespace(map);
    if let Some(namespace) = api.get("namespaces", "", home) {
        publish(api, &namespace);
    }
}

/// Puts the certificate into one namespace. Without an API that others can reach there is none.
fn publish(api: &Api, namespace: &Value) {
    let Some(certificate) = api.credentials().authority().borrow().clone() else { return };
    let home = name(namespace);
    let Some(namespace) = api.get("namespaces", "", home) else { return };
    if deleting(&namespace) {
        return;
    }
    let data = json!({"ca.crt": &*certificate});
    let written = match api.get(CONFIG_MAPS, home, ROOT_CERTIFICATE) {
        Some(map) if map["data"] == data => return,
        Some(_) => {
            let put = |map: &mut Value| map["data"] = data;
            api.mutate(CONFIG_MAPS, home, ROOT_CERTIFICATE, PUBLISHER, put).map(|_| ())
        }
        None => {
            let map = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "data": data,
                "metadata": {
                    "name": ROOT_CERTIFICATE, "namespace": home,
                    "annotations": {"kubernetes.io/description":
                        "The certificate of the authority that signs the API server's certificate."},
                },
            });
            api.create(CONFIG_MAPS, map, PUBLISHER).map(|_| ())
        }
    };
    if let Err(status) = written {
        tracing::debug!(namespace = home, %status.message, "the root certificate is not published");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::clock::SystemClock;

    #[test]
    fn a_namespace_gets_the_certificate_when_there_is_one() {
        let api = Api::new(Arc::new(SystemClock), 1);
        publish_all(&api);
        assert!(api.list(CONFIG_MAPS, None).is_empty());
        api.credentials().publish_authority("pem");
        publish_all(&api);
        assert_eq!(api.list(CONFIG_MAPS, None).len(), 4);
        let broken = |map: &mut Value| map["data"] = json!({});
        let changed = api.mutate(CONFIG_MAPS, "default", ROOT_CERTIFICATE, "t", broken).unwrap().unwrap();
        restore(&api, &changed);
        let map = api.get(CONFIG_MAPS, "default", ROOT_CERTIFICATE).unwrap();
        assert_eq!(map["data"]["ca.crt"], "pem");
    }
}
