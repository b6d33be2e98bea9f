//! What an instance keeps of the moment and of the cluster that it was made in.

use jiff::Timestamp;
use serde_json::Value;

/// Freezes what an instance was made in: what the cluster can do, for `.Capabilities`, and the moment, for `now`. They are not
/// part of the [`super::digest`]: a cluster that learns a new kind is no reason for a new instance.
pub fn freeze(context: &mut Value, kubernetes: Value, created: Timestamp) {
    context["cluster"]["kubernetes"] = kubernetes;
    context["instance"]["created"] = created.to_string().into();
}

/// When the instance of this context was made; none for one that was never frozen.
pub fn created(context: &Value) -> Option<Timestamp> {
    context.pointer("/instance/created")?.as_str()?.parse().ok()
}

/// The context without what is frozen, and without its number: what two instances may have in common.
pub(super) fn thaw(context: &mut Value) {
    if let Some(instance) = context.get_mut("instance").and_then(Value::as_object_mut) {
        instance.remove("number");
        instance.remove("created");
    }
    if let Some(cluster) = context.get_mut("cluster").and_then(Value::as_object_mut) {
        cluster.remove("kubernetes");
    }
}
