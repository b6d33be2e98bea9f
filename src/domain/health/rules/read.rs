//! Reading an object's JSON without caring what is absent.

use serde_json::Value;

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
