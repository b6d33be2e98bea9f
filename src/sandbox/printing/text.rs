//! Words and lists that several kinds share.

use serde_json::{Map, Value};

/// What stands for nothing.
pub const NONE: &str = "<none>";
/// What stands for a field that was not given.
pub const UNSET: &str = "<unset>";

/// The text of a field, empty when it is absent.
pub fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

/// The names and the images of containers, each as one text.
pub fn names_and_images(containers: &[Value]) -> (String, String) {
    let joined = |name| containers.iter().map(|one| field(one, name)).collect::<Vec<_>>().join(",");
    (joined("name"), joined("image"))
}

/// Labels as `a=b,c=d`; `<none>` when there are none.
pub fn labels(labels: Option<&Value>) -> String {
    let pairs: Vec<String> = pairs(labels).map(|(key, value)| format!("{key}={value}")).collect();
    if pairs.is_empty() { NONE.to_owned() } else { pairs.join(",") }
}

fn pairs(labels: Option<&Value>) -> impl Iterator<Item = (&str, &str)> {
    let labels = labels.and_then(Value::as_object).into_iter().flat_map(Map::iter);
    labels.map(|(key, value)| (key.as_str(), value.as_str().unwrap_or("")))
}

/// A `LabelSelector` as `a=b,c in (d,e),!f`, by its keys; `<none>` when it is empty, `<error>` when it has an unknown operator.
pub fn selector(selector: Option<&Value>) -> String {
    let Some(selector) = selector else { return NONE.to_owned() };
    let mut terms: Vec<(String, String)> = pairs(selector.get("matchLabels"))
        .map(|(key, value)| (key.to_owned(), format!("{key}={value}")))
        .collect();
    for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let Some(term) = requirement(expression) else { return "<error>".to_owned() };
        terms.push((field(expression, "key").to_owned(), term));
    }
    terms.sort_by(|a, b| a.0.cmp(&b.0));
    let terms: Vec<String> = terms.into_iter().map(|(_, term)| term).collect();
    if terms.is_empty() { NONE.to_owned() } else { terms.join(",") }
}

fn requirement(expression: &Value) -> Option<String> {
    let key = field(expression, "key");
    let mut values: Vec<&str> = expression
        .get("values")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    values.sort_unstable();
    let values = values.join(",");
    match field(expression, "operator") {
        "In" => Some(format!("{key} in ({values})")),
        "NotIn" => Some(format!("{key} notin ({values})")),
        "Exists" => Some(key.to_owned()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}

/// The first items, and how many there are beside them; `all` counts every one.
pub fn first_of(shown: &[String], all: usize) -> String {
    let text = shown.join(",");
    if all > shown.len() { format!("{text} + {} more...", all - shown.len()) } else { text }
}

/// Whether a condition is `True`; of several with one type the first counts.
pub fn is_true(conditions: &[Value], kind: &str) -> bool {
    conditions
        .iter()
        .find(|condition| field(condition, "type") == kind)
        .is_some_and(|condition| condition["status"] == "True")
}

/// A quantity, a port or the like, which JSON allows as a number too.
pub fn scalar(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_are_written_by_their_keys() {
        let full = json!({"matchLabels": {"b": "1"}, "matchExpressions": [
            {"key": "d", "operator": "DoesNotExist"}, {"key": "a", "operator": "In", "values": ["y", "x"]},
            {"key": "c", "operator": "Exists"}, {"key": "e", "operator": "NotIn", "values": ["z"]}]});
        assert_eq!(selector(Some(&full)), "a in (x,y),b=1,c,!d,e notin (z)");
        assert_eq!(selector(Some(&json!({}))), "<none>");
        assert_eq!(selector(None), "<none>");
        assert_eq!(
            selector(Some(&json!({"matchExpressions": [{"key": "a", "operator": "Like"}]}))),
            "<error>"
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let two = ["a".to_owned(), "b".to_owned()];
        assert_eq!(first_of(&two, 2), "a,b");
        assert_eq!(first_of(&two, 5), "a,b + 3 more...");
    }
}
