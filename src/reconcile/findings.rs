//! Recording what was found, so that every process of the state directory shows the same.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use super::engine::Engine;
use super::queue::Name;
use crate::store::Finding;

/// How long to wait before it is tried again when it cannot be recorded.
const AGAIN: Duration = Duration::from_secs(5);

impl Engine {
    /// Records what was found whenever it is something else, for as long as it is polled.
    pub(super) async fn record_findings(&self) -> Infallible {
        let mut found = self.found();
        let cluster = self.cluster().name();
        let mut recorded = self.store().findings(cluster).await.ok();
        loop {
            found.mark_unchanged();
            let findings = self.findings();
            if recorded.as_ref() != Some(&findings) {
                let outcome = self.store().record_findings(cluster, self.epoch(), findings.clone()).await;
                match outcome {
                    Ok(()) => recorded = Some(findings),
                    Err(error) => {
                        tracing::warn!(%error, "what was found is not recorded");
                        tokio::time::sleep(AGAIN).await;
                        continue;
                    }
                }
            }
            if found.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let mut by_name: BTreeMap<Name, Finding> = BTreeMap::new();
        let blank = |name: &Name| Finding {
            namespace: name.namespace.clone(),
            name: name.name.clone(),
            ..Finding::default()
        };
        for (name, trouble) in self.problems() {
            by_name.entry(name.clone()).or_insert_with(|| blank(&name)).problem = Some(trouble.problem);
        }
        for (name, drift) in self.drifts() {
            by_name.entry(name.clone()).or_insert_with(|| blank(&name)).drift = drift;
        }
        by_name.into_values().collect()
    }
}
