//! How two objects differ, line by line, for people. Secret values never appear: they are masked by their digest, so that one
//! sees that they change.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::ObjectKey;

/// The most lines of one object's difference.
const LINES_MAX: usize = 2000;
/// The unchanged lines around a change.
const AROUND: usize = 3;

/// What changes of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectDiff {
    /// Which.
    pub object: ObjectKey,
    /// Its lines, with a few unchanged ones around each change.
    pub lines: Vec<DiffLine>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    /// What became of it.
    pub change: Change,
    /// The line, without its end.
    pub text: String,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Change {
    /// It is as it was.
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Lines that are as they were are left out here.
    Gap,
}

impl Change {
    /// One character, so that meaning never hangs on colour.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Same => " ",
            Self::Added => "+",
            Self::Removed => "-",
            Self::Gap => "⋯",
        }
    }
}

impl ObjectDiff {
    /// How `new` differs from `old`; either may be absent. Both are masked and stripped of what the server keeps for itself.
    pub fn between(object: ObjectKey, old: Option<&Value>, new: Option<&Value>) -> Self {
        let text = |value: Option<&Value>, before: Option<&Value>| {
            value.map(|value| yaml(&presentable_beside(value, before))).unwrap_or_default()
        };
        Self { object, lines: lines(&text(old, None), &text(new, old)) }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| matches!(line.change, Change::Same | Change::Gap))
    }

    /// How many lines are new, and how many are gone.
    pub fn counts(&self) -> (usize, usize) {
        counts(&self.lines)
    }
}

/// How many of these lines are new, and how many are gone.
pub fn counts(lines: &[DiffLine]) -> (usize, usize) {
    let count = |change| lines.iter().filter(|line| line.change == change).count();
    (count(Change::Added), count(Change::Removed))
}

/// How two texts differ, with a few unchanged lines around each change.
pub fn lines(old: &str, new: &str) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if index > 0 {
            lines.push(DiffLine { change: Change::Gap, text: String::new() });
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let kind = match change.tag() {
                ChangeTag::Equal => Change::Same,
                ChangeTag::Insert => Change::Added,
                ChangeTag::Delete => Change::Removed,
            };
            lines.push(DiffLine { change: kind, text: change.value().trim_end_matches('\n').to_owned() });
        }
    }
    if lines.len() > LINES_MAX {
        let left_out = lines.len() - LINES_MAX;
        lines.truncate(LINES_MAX);
        lines.push(DiffLine { change: Change::Gap, text: format!("{left_out} more lines") });
    }
    lines
}

/// The object as people look at it: without what the server keeps for itself, and with secret values masked.
pub fn presentable(object: &Value) -> Value {
    presentable_beside(object, None)
}

/// The same; secret values that differ from those of `before` say so.
fn presentable_beside(object: &Value, before: Option<&Value>) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    // asking by index would make what is not there
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let kept_by_the_server =
            ["managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink"];
        for field in kept_by_the_server {
            metadata.remove(field);
        }
    }
    mask(&mut object, before);
    object
}

/// Replaces every value of a Secret by a mark; it says so when `before` has another one. A hash would do as well, and would let
/// a weak value be guessed from it.
fn mask(object: &mut Value, before: Option<&Value>) {
    if object["kind"] != "Secret" {
        return;
    }
    for part in ["data", "stringData"] {
        let Some(values) = object.get_mut(part).and_then(Value::as_object_mut) else { continue };
        for (name, value) in values {
            let known = before.and_then(|before| before.get(part)?.get(name));
            let changed = known.is_some_and(|known| known != value);
            *value = if changed { "(secret, another one)" } else { "(secret)" }.into();
        }
    }
    let annotations = object.pointer_mut("/metadata/annotations");
    if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
        // kubectl keeps the whole object in it
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

/// A value as YAML, keys in the order of their bytes.
pub fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(&sorted(value)).unwrap_or_else(|_| value.to_string())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut entries: Vec<_> = fields.iter().collect();
            entries.sort_by_key(|(name, _)| name.as_str());
            entries.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key() -> ObjectKey {
        ObjectKey {
            api_version: "v1".into(),
            kind: "Secret".into(),
            namespace: "demo".into(),
            name: "s".into(),
        }
    }

    #[test]
    fn secrets_are_masked_and_still_seen_to_change() {
        let secret =
            |value: &str| json!({"kind": "Secret", "data": {"password": value}, "metadata": {"uid": "1"}});
        let diff = ObjectDiff::between(key(), Some(&secret("b25l")), Some(&secret("dHdv")));
        assert_eq!(diff.counts(), (1, 1));
        let text: String = diff.lines.iter().map(|line| line.text.as_str()).collect();
        assert!(!text.contains("b25l") && !text.contains("dHdv") && !text.contains("uid"), "{text}");
        assert!(!text.contains("null"), "what is not there does not appear: {text}");
        assert!(ObjectDiff::between(key(), Some(&secret("b25l")), Some(&secret("b25l"))).is_empty());
    }

    #[test]
    fn only_changes_and_what_is_around_them_are_shown() {
        let numbers = |changed: usize| {
            (0..40)
                .map(|n| if n == changed { "x\n".to_owned() } else { format!("{n}\n") })
                .collect::<String>()
        };
        let found = lines(&numbers(99), &numbers(20));
        assert_eq!(found.len(), 3 + 2 + 3);
        let two = lines("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n");
        assert!(two.iter().any(|line| line.change == Change::Gap));
    }

    #[test]
    fn an_absent_side_is_all_new_or_all_gone() {
        let object = json!({"kind": "ConfigMap", "data": {"a": "1"}});
        let (added, removed) = ObjectDiff::between(key(), None, Some(&object)).counts();
        assert!(added > 0 && removed == 0);
    }
}
