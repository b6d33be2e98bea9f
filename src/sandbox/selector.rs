//! Label selectors: `matchLabels`, `matchExpressions`, and the plain map of a Service.

use serde_json::{Map, Value};

use super::object::{list, map, text};

/// Whether labels satisfy the `LabelSelector` of a workload. An empty or absent one matches nothing: no workload may claim
/// every pod.
pub fn matches(selector: Option<&Value>, labels: Option<&Map<String, Value>>) -> bool {
    let Some(selector) = selector else { return false };
    let empty = map(selector, "/matchLabels").is_none_or(Map::is_empty)
        && list(selector, "/matchExpressions").is_empty();
    !empty && selects(selector, labels)
}

/// Whether labels satisfy a `LabelSelector` of which an empty one means everything.
pub fn selects(selector: &Value, labels: Option<&Map<String, Value>>) -> bool {
    map(selector, "/matchLabels").is_none_or(|wanted| contains(labels, wanted))
        && list(selector, "/matchExpressions").iter().all(|expression| requirement(expression, labels))
}

/// Whether labels contain every pair of a plain selector map.
pub fn contains(labels: Option<&Map<String, Value>>, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

/// One requirement: `In`, `NotIn`, `Exists`, `DoesNotExist`, and for nodes `Gt` and `Lt`. An unknown operator never matches.
pub fn requirement(expression: &Value, labels: Option<&Map<String, Value>>) -> bool {
    let value = labels.and_then(|labels| labels.get(text(expression, "/key")));
    let listed = value.is_some_and(|value| list(expression, "/values").contains(value));
    let compare = |holds: fn(i64, i64) -> bool| {
        let left = value.and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok());
        let right = text(expression, "/values/0").parse::<i64>().ok();
        left.zip(right).is_some_and(|(left, right)| holds(left, right))
    };
    match text(expression, "/operator") {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compare(|left, right| left > right),
        "Lt" => compare(|left, right| left < right),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(selector: Value, labels: Value) -> bool {
        matches(Some(&selector), labels.as_object())
    }

    #[test]
    fn labels_and_expressions_are_anded() {
        let selector = json!({"matchLabels": {"app": "web"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["front", "edge"]},
            {"key": "old", "operator": "DoesNotExist"}]});
        assert!(check(selector.clone(), json!({"app": "web", "tier": "edge"})));
        assert!(!check(selector.clone(), json!({"app": "web", "tier": "back"})));
        assert!(!check(selector, json!({"app": "web", "tier": "edge", "old": ""})));
    }

    #[test]
    fn an_empty_selector_claims_nothing() {
        assert!(!check(json!({}), json!({"app": "web"})));
        assert!(!matches(None, None));
        assert!(selects(&json!({}), None));
    }

    #[test]
    fn not_in_matches_a_missing_key() {
        let selector =
            json!({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["back"]}]});
        assert!(check(selector, json!({})));
    }

    #[test]
    fn numbers_compare_for_nodes() {
        let labels = json!({"cores": "8"});
        let more = json!({"key": "cores", "operator": "Gt", "values": ["4"]});
        let less = json!({"key": "cores", "operator": "Lt", "values": ["4"]});
        assert!(requirement(&more, labels.as_object()));
        assert!(!requirement(&less, labels.as_object()));
    }
}
