//! Drift, looked at: which fields of an object are not as they were written, and who has them now.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::domain::drift::DriftedField;
use crate::domain::labels;

use super::error::ClusterError;
use super::{Cluster, describe, project};

use lists::Step;

mod lists;
mod owner;
mod same;

/// The most fields of one object: more say nothing more.
const FIELDS_MAX: usize = 50;

/// Fields that are not for anybody to change, or not ours.
const SKIPPED: [&str; 7] = [
    ".apiVersion",
    ".kind",
    ".status",
    ".metadata.name",
    ".metadata.namespace",
    ".metadata.managedFields",
    ".metadata.creationTimestamp",
];

impl Cluster {
    /// The fields of an object as it is rendered that are not so on the cluster, with who has them now; none when the object
    /// is gone.
    ///
    /// # Errors
    /// When the server does not answer, or denies it.
    pub async fn drifted_fields(&self, rendered: &Value) -> Result<Option<Vec<DriftedField>>, ClusterError> {
        let key = project::key(rendered);
        let served = self.resolve(&key).await?;
        let api = self.api(&served.resource, &key.namespace);
        let found = self.unary(&describe(&key), api.get_opt(&key.name)).await?;
        let Some(object) = found else { return Ok(None) };
        let live = serde_json::to_value(object).map_err(|error| ClusterError::Other {
            object: describe(&key),
            message: format!("the answer cannot be read: {error}"),
        })?;
        Ok(Some(fields(rendered, &live)))
    }
}

/// The fields of `rendered` that differ in `live`, which has its `managedFields`. What `rendered` does not say may be
/// anything. Values of Secrets are masked; at most 50 fields.
pub(super) fn fields(rendered: &Value, live: &Value) -> Vec<DriftedField> {
    let mut wanted = rendered.clone();
    encode_secret(&mut wanted);
    let mut walk = Walk {
        live,
        built_in: is_built_in(&wanted),
        secret: wanted["kind"] == "Secret",
        steps: Vec::new(),
        found: Vec::new(),
    };
    walk.compare(&wanted, Some(live));
    walk.found
}

/// The server keeps `stringData` as `data`.
fn encode_secret(object: &mut Value) {
    if object["kind"] != "Secret" {
        return;
    }
    let Some(Value::Object(plain)) = object.as_object_mut().and_then(|fields| fields.remove("stringData"))
    else {
        return;
    };
    for (key, value) in plain {
        object["data"][key] = STANDARD.encode(value.as_str().unwrap_or_default()).into();
    }
}

/// Whether its kind comes with Kubernetes, so that the keys of its lists are known.
fn is_built_in(object: &Value) -> bool {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    !group.contains('.') || (group.ends_with(".k8s.io") && group != "gateway.networking.k8s.io")
}

/// The comparison on its way through an object.
struct Walk<'a> {
    live: &'a Value,
    built_in: bool,
    secret: bool,
    steps: Vec<Step>,
    found: Vec<DriftedField>,
}

impl Walk<'_> {
    fn compare(&mut self, wanted: &Value, live: Option<&Value>) {
        let path = lists::path(&self.steps);
        if self.found.len() >= FIELDS_MAX || SKIPPED.contains(&path.as_str()) {
            return;
        }
        match (wanted, live) {
            (Value::Object(fields), Some(Value::Object(_)) | None) => {
                for (name, value) in fields {
                    let inside = live.and_then(|live| live.get(name));
                    self.within(Step::Field(name.clone()), value, inside);
                }
            }
            (Value::Array(items), Some(Value::Array(others))) => self.list(wanted, items, others),
            _ if same::value(&self.steps, wanted, live) => {}
            _ => self.differs(path, wanted, live),
        }
    }

    fn within(&mut self, step: Step, wanted: &Value, live: Option<&Value>) {
        self.steps.push(step);
        self.compare(wanted, live);
        self.steps.pop();
    }

    fn list(&mut self, whole: &Value, items: &[Value], others: &[Value]) {
        let keys = if self.built_in { lists::keys(&self.steps, items) } else { lists::Keys::None };
        match keys {
            lists::Keys::Fields(keys) => {
                for item in items {
                    let other = others.iter().find(|other| lists::same_item(item, other, keys));
                    self.steps.push(Step::Keyed(lists::named(item, keys)));
                    match other {
                        Some(other) => self.compare(item, Some(other)),
                        None => self.differs(lists::path(&self.steps), item, None),
                    }
                    self.steps.pop();
                }
            }
            lists::Keys::Itself => {
                for item in items.iter().filter(|item| !others.contains(item)) {
                    self.within(Step::Itself(item.clone()), item, None);
                }
            }
            lists::Keys::None if items.len() == others.len() => {
                for (position, (item, other)) in items.iter().zip(others).enumerate() {
                    self.within(Step::Item(position), item, Some(other));
                }
            }
            lists::Keys::None => {
                let live = Value::Array(others.to_vec());
                self.differs(lists::path(&self.steps), whole, Some(&live));
            }
        }
    }

    fn differs(&mut self, path: String, wanted: &Value, live: Option<&Value>) {
        if self.found.len() >= FIELDS_MAX {
            return;
        }
        let manager = live.and_then(|_| owner::of(self.live, &self.steps));
        // what an action of ours changed is not somebody else's doing
        if manager.as_deref() == Some(labels::ACTION_MANAGER) {
            return;
        }
        let masked = self.secret && path.starts_with(".data");
        // Not even a hash of a secret: it would let a weak one be guessed.
        let show = |value: &Value, mark: &str| match masked {
            true => Value::from(mark).to_string(),
            false => value.to_string(),
        };
        self.found.push(DriftedField {
            wanted: show(wanted, "(secret)"),
            found: live.map(|live| show(live, "(secret, another one)")),
            manager,
            path,
        });
    }
}

#[cfg(test)]
mod tests;
