//! What is worth knowing about the cluster's ingress classes: that the controller of one gets no more fixes.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;

use crate::cluster::{Cluster, ClusterError, Followed, key};
use crate::domain::ObjectKey;
use crate::domain::route::INGRESS_NGINX;

/// How long after a failure classes are asked for again, at least.
const AGAIN: Duration = Duration::from_secs(2);

/// The warnings, by class.
pub type Warnings = Arc<RwLock<BTreeMap<String, String>>>;

/// The warnings as they are now.
pub fn read(warnings: &Warnings) -> Vec<String> {
    warnings.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
}

/// Keeps the warnings for as long as the cluster is there. Where classes may not be read, or are not served, there are none.
pub async fn follow(cluster: Cluster, warnings: Warnings) {
    let classes = ObjectKey::every("networking.k8s.io/v1", "IngressClass");
    let mut moved = cluster.generation();
    let index = Arc::downgrade(&cluster.index());
    loop {
        match cluster.list(&classes).await {
            Ok(_) => break,
            Err(error @ (ClusterError::Forbidden { .. } | ClusterError::Unserved { .. })) => {
                tracing::info!(%error, "ingress classes are not looked at");
                return;
            }
            // news of the cluster is a sign that it answers by now
            Err(_) => {
                tokio::time::sleep(AGAIN).await;
                if moved.changed().await.is_err() {
                    return;
                }
            }
        }
    }
    let Ok(followed) = cluster.follow_all(&classes).await else { return };
    // the stream keeps what it needs: a clone here would keep the watches of everything alive
    drop(cluster);
    let mut followed = std::pin::pin!(followed);
    loop {
        let step = tokio::select! {
            step = followed.next() => step,
            changed = moved.changed() => match changed {
                Ok(()) => continue,
                // nobody looks at the cluster any more
                Err(_) => return,
            },
        };
        let Some(step) = step else { return };
        let Ok(step) = step else { continue };
        let changed = take(&mut warnings.write().unwrap_or_else(PoisonError::into_inner), step);
        if let Some(index) = index.upgrade().filter(|_| changed) {
            index.touch();
        }
    }
}

/// Says whether a warning came, went or changed.
fn take(warnings: &mut BTreeMap<String, String>, step: Followed) -> bool {
    let before = warnings.clone();
    match step {
        Followed::All(classes) => {
            *warnings = classes.iter().filter_map(warning).collect();
        }
        Followed::Changed(class) => {
            warnings.remove(&key(&class).name);
            warnings.extend(warning(&class));
        }
        Followed::Gone(class) => {
            warnings.remove(&key(&class).name);
        }
    }
    *warnings != before
}

/// The class's name and what is to be said about it; none for nothing.
fn warning(class: &Value) -> Option<(String, String)> {
    let name = key(class).name;
    (class["spec"]["controller"] == INGRESS_NGINX).then(|| {
        let said = format!(
            "the ingress class {name} is of ingress-nginx, which was retired in March 2026 and gets no security fixes: \
             move its routes to another class, a Gateway, or an environment's own ingress"
        );
        (name, said)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn class(name: &str, controller: &str) -> Value {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name},
            "spec": {"controller": controller}})
    }

    #[test]
    fn a_retired_controller_is_told_for_as_long_as_it_is_there() {
        let mut warnings = BTreeMap::new();
        let others = vec![class("traefik", "traefik.io/ingress-controller"), class("nginx", INGRESS_NGINX)];
        assert!(take(&mut warnings, Followed::All(others)));
        assert!(warnings["nginx"].contains("retired in March 2026"), "{warnings:?}");
        assert_eq!(warnings.len(), 1);
        // NGINX Inc.'s own controller is another one
        assert!(!take(
            &mut warnings,
            Followed::Changed(Box::new(class("inc", "nginx.org/ingress-controller")))
        ));
        assert!(take(
            &mut warnings,
            Followed::Changed(Box::new(class("nginx", "haproxy.org/ingress-controller")))
        ));
        assert!(take(&mut warnings, Followed::Changed(Box::new(class("old", INGRESS_NGINX)))));
        assert!(take(&mut warnings, Followed::Gone(Box::new(class("old", INGRESS_NGINX)))));
        assert!(warnings.is_empty());
    }
}
