//! Kubernetes Events about a custom resource: what the engine did, for everybody who looks with other tools.

use kube::api::PostParams;
use serde_json::json;

use crate::domain::names::{LABEL_MAX, bounded, short_hash};
use crate::domain::{ObjectKey, labels};

use super::Cluster;
use super::error::ClusterError;
use super::resource::{API_VERSION, DeploymentResource, KIND};

/// The longest message that the API takes, in bytes.
const MESSAGE_MAX: usize = 1024;

/// One thing worth an Event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// `Warning`, as opposed to `Normal`.
    pub warning: bool,
    /// CamelCase.
    pub reason: String,
    /// In words.
    pub message: String,
}

impl Cluster {
    /// Records an Event about a custom resource.
    ///
    /// # Errors
    /// When the server does not take it; nothing depends on that.
    pub async fn record_event(&self, about: &DeploymentResource, note: &Note) -> Result<(), ClusterError> {
        let now = self.0.clock.now();
        let hash = short_hash(&[&about.uid, &note.reason, &note.message, &now.to_string()]);
        let seconds = jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string();
        let name = bounded(&[&about.name, &hash], LABEL_MAX);
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": name, "namespace": about.namespace},
            "involvedObject": {"apiVersion": API_VERSION, "kind": KIND, "namespace": about.namespace,
                "name": about.name, "uid": about.uid, "resourceVersion": about.resource_version},
            "type": if note.warning { "Warning" } else { "Normal" },
            "reason": note.reason,
            "message": cut(&note.message),
            "source": {"component": labels::MANAGER},
            "firstTimestamp": seconds, "lastTimestamp": seconds, "count": 1,
        });
        let key = ObjectKey {
            api_version: "v1".to_owned(),
            kind: "Event".to_owned(),
            namespace: about.namespace.clone(),
            name,
        };
        let served = self.resolve(&key).await?;
        let object = serde_json::from_value(event)
            .map_err(|error| ClusterError::Other { object: key.to_string(), message: error.to_string() })?;
        let api = self.api(&served.resource, &about.namespace);
        self.unary(&super::describe(&key), api.create(&PostParams::default(), &object)).await?;
        Ok(())
    }
}

fn cut(message: &str) -> &str {
    let mut end = message.len().min(MESSAGE_MAX);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let long = "ä".repeat(600);
        assert_eq!(cut(&long).len(), MESSAGE_MAX);
        assert_eq!(cut(&format!("x{long}")).len(), MESSAGE_MAX - 1);
        assert_eq!(cut("short"), "short");
    }
}
