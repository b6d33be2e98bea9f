//! Whole objects inside custom resources (`x-kubernetes-embedded-resource`).

use serde_json::{Map, Value};

use super::definition::{LABEL, is_dns_1035};
use crate::sandbox::schema::causes::Causes;

/// Checks what every object has: its type. What its metadata may not have was taken from it before.
pub fn check(fields: &Map<String, Value>, path: &str, causes: &mut Causes) {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let (version, kind) = (text("apiVersion"), text("kind"));
    if version.is_empty() {
        causes.required(&at("apiVersion"), "must not be empty");
    } else if version.matches('/').count() > 1 {
        let why = format!("unexpected GroupVersion string: {version}");
        causes.invalid(&at("apiVersion"), &Value::from(version), &why);
    }
    if kind.is_empty() {
        causes.required(&at("kind"), "must not be empty");
    } else if !is_dns_1035(&kind.to_lowercase()) {
        let why = format!("may have mixed case, but should otherwise match: {LABEL}");
        causes.invalid(&at("kind"), &Value::from(kind), &why);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(object: Value) -> Vec<String> {
        let mut causes = Causes::default();
        check(object.as_object().unwrap(), "spec.object", &mut causes);
        causes.texts()
    }

    #[test]
    fn an_embedded_object_says_what_it_is() {
        assert!(texts(json!({"apiVersion": "apps/v1", "kind": "Deployment"})).is_empty());
        assert_eq!(
            texts(json!({})),
            [
                "spec.object.apiVersion: Required value: must not be empty",
                "spec.object.kind: Required value: must not be empty"
            ]
        );
        let wrong = texts(json!({"apiVersion": "a/b/c", "kind": "No_pe"}));
        assert!(wrong[0].contains("unexpected GroupVersion string: a/b/c"), "{wrong:?}");
        assert!(wrong[1].starts_with("spec.object.kind: Invalid value: \"No_pe\""), "{wrong:?}");
    }
}
