//! Reading an object's JSON without caring what is absent.

use serde_json::Value;

use super::Finding;
use crate::domain::ObjectKey;

/// An object's JSON. Paths are field names joined by dots.
#[derive(Clone, Copy)]
pub(super) struct Object<'a>(pub(super) &'a Value);

impl<'a> Object<'a> {
    /// The value at a path.
    pub(super) fn at(self, path: &str) -> Option<&'a Value> {
        path.split('.').try_fold(self.0, |value, field| value.get(field))
    }

    /// The text at a path; an empty one counts as absent.
    pub(super) fn text(self, path: &str) -> Option<&'a str> {
        self.at(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// The whole number at a path.
    pub(super) fn number(self, path: &str) -> Option<i64> {
        self.at(path)?.as_i64()
    }

    /// The whole number at a path, 0 when absent.
    pub(super) fn count(self, path: &str) -> i64 {
        self.number(path).unwrap_or(0)
    }

    /// Whether the value at a path is `true`.
    pub(super) fn flag(self, path: &str) -> bool {
        self.at(path).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The items of the list at a path, none when it is absent.
    pub(super) fn items(self, path: &str) -> impl Iterator<Item = Object<'a>> {
        self.at(path).and_then(Value::as_array).into_iter().flatten().map(Object)
    }

    pub(super) fn kind(self) -> &'a str {
        self.text("kind").unwrap_or("")
    }

    /// The API group, empty for the core group.
    pub(super) fn group(self) -> &'a str {
        self.text("apiVersion").and_then(|version| version.split_once('/')).map_or("", |(group, _)| group)
    }

    /// The kind of the controlling owner.
    pub(super) fn controller(self) -> Option<&'a str> {
        self.items("metadata.ownerReferences").find(|owner| owner.flag("controller"))?.text("kind")
    }

    pub(super) fn key(self) -> ObjectKey {
        let text = |path| self.text(path).unwrap_or("").to_owned();
        ObjectKey {
            api_version: text("apiVersion"),
            kind: text("kind"),
            namespace: text("metadata.namespace"),
            name: text("metadata.name"),
        }
    }
}

/// A condition as it stands on the object.
#[derive(Clone, Copy)]
pub(super) struct Condition<'a>(Object<'a>);

impl<'a> Condition<'a> {
    pub(super) fn is(self, status: &str) -> bool {
        self.0.text("status") == Some(status)
    }

    pub(super) fn reason(self) -> &'a str {
        self.0.text("reason").unwrap_or("")
    }

    pub(super) fn reason_or(self, fallback: &'a str) -> &'a str {
        self.0.text("reason").unwrap_or(fallback)
    }

    pub(super) fn message(self) -> &'a str {
        self.0.text("message").unwrap_or("")
    }

    fn kind(self) -> &'a str {
        self.0.text("type").unwrap_or("")
    }
}

/// The conditions of an object that speak about its present generation: those that say that they were made for an older one
/// are left out.
pub(super) struct Conditions<'a>(Vec<Condition<'a>>);

impl<'a> Conditions<'a> {
    pub(super) fn of(object: Object<'a>) -> Self {
        Self::within(object, object.number("metadata.generation"))
    }

    /// The conditions of a part of a status, of an object of this generation.
    pub(super) fn within(part: Object<'a>, generation: Option<i64>) -> Self {
        let current = |condition: &Condition<'_>| match (generation, condition.0.number("observedGeneration"))
        {
            (Some(generation), Some(observed)) => observed >= generation,
            _ => true,
        };
        let path = if part.at("status").is_some() { "status.conditions" } else { "conditions" };
        Self(part.items(path).map(Condition).filter(current).collect())
    }

    pub(super) fn find(&self, kind: &str) -> Option<Condition<'a>> {
        self.0.iter().copied().find(|condition| condition.kind() == kind)
    }

    /// The condition of that type when its status is `True`.
    pub(super) fn holds(&self, kind: &str) -> Option<Condition<'a>> {
        self.find(kind).filter(|condition| condition.is("True"))
    }

    /// What the two conditions that any controller may set say, in the order in which they stand.
    pub(super) fn reconciling_or_stalled(&self) -> Option<Finding> {
        self.0.iter().find_map(|condition| match condition.kind() {
            "Reconciling" if condition.is("True") => {
                Some(Finding::progressing(condition.reason_or("Reconciling"), condition.message()))
            }
            "Stalled" if condition.is("True") => {
                Some(Finding::degraded(condition.reason_or("Stalled"), condition.message()))
            }
            _ => None,
        })
    }
}
