//! The rules of a definition: each one compiles, and stands where it can be evaluated.

use serde_json::{Value, json};

use super::compile::{Refusal, check_literals, compile, field_path, text};
use super::objects;
use crate::sandbox::schema::causes::Causes;

const REASONS: [&str; 4] =
    ["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"];

/// Checks the rules of the schema of one version, and that its default values keep them.
pub fn check(openapi: &Value, path: &str, causes: &mut Causes) {
    let before = causes.len();
    node(openapi, path, true, None, causes);
    if causes.len() == before {
        defaults(openapi, path, causes);
    }
}

/// `uncorrelated` is the list or map from which on values cannot be compared with those before.
fn node(schema: &Value, path: &str, resource: bool, uncorrelated: Option<&str>, causes: &mut Causes) {
    let rules = schema["x-kubernetes-validations"].as_array().map_or(&[][..], Vec::as_slice);
    for (index, source) in rules.iter().enumerate() {
        let path = format!("{path}.x-kubernetes-validations[{index}]");
        check_texts(source, schema, &path, causes);
        check_expressions(schema, source, (&path, uncorrelated), resource, causes);
    }
    let atomic = schema["x-kubernetes-map-type"] == "atomic";
    let below = uncorrelated.or(atomic.then_some(path));
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        node(property, &format!("{path}.properties[{name}]"), false, below, causes);
    }
    if schema["additionalProperties"].is_object() {
        let values = &schema["additionalProperties"];
        node(values, &format!("{path}.additionalProperties"), false, below, causes);
    }
    if schema["items"].is_object() {
        let keyed = schema["x-kubernetes-list-type"] == "map";
        let below = uncorrelated.or((!keyed).then_some(path));
        node(&schema["items"], &format!("{path}.items"), false, below, causes);
    }
}

fn check_texts(source: &Value, schema: &Value, path: &str, causes: &mut Causes) {
    let (rule, message) = (text(source, "rule"), text(source, "message"));
    let given = |field: &str| source[field].as_str().is_some_and(|text| !text.is_empty());
    if rule.is_empty() {
        causes.required(&format!("{path}.rule"), "rule is not specified");
    }
    let at = format!("{path}.message");
    if given("message") && message.is_empty() {
        causes.invalid(&at, &source["message"], "message must be non-empty if specified");
    } else if message.contains('\n') {
        causes.invalid(&at, &source["message"], "message must not contain line breaks");
    } else if rule.contains('\n') && message.is_empty() {
        causes.required(&at, "message must be specified if rule contains line breaks");
    }
    if given("messageExpression") && text(source, "messageExpression").is_empty() {
        let at = format!("{path}.messageExpression");
        causes.required(&at, "messageExpression must be non-empty if specified");
    }
    if given("reason") && !REASONS.contains(&source["reason"].as_str().unwrap_or_default()) {
        causes.unsupported(&format!("{path}.reason"), &source["reason"], REASONS);
    }
    let at = format!("{path}.fieldPath");
    let about = text(source, "fieldPath");
    if given("fieldPath") && about.is_empty() {
        causes.invalid(&at, &source["fieldPath"], "fieldPath must be non-empty if specified");
    } else if about.contains('\n') {
        causes.invalid(&at, &source["fieldPath"], "fieldPath must not contain line breaks");
    } else if let Err(why) = field_path(about, schema) {
        causes.invalid(&at, &source["fieldPath"], &format!("fieldPath must be a valid path: {why}"));
    }
}

fn check_expressions(
    schema: &Value,
    source: &Value,
    (path, uncorrelated): (&str, Option<&str>),
    resource: bool,
    causes: &mut Causes,
) {
    if text(source, "rule").is_empty() {
        return;
    }
    let at = format!("{path}.rule");
    let rule = match compile(schema, source, resource) {
        Ok(rule) => rule,
        Err(Refusal::Rule(why)) => return causes.invalid(&at, source, &why),
        Err(Refusal::Message(why)) => {
            return causes.invalid(&format!("{path}.messageExpression"), source, &why);
        }
    };
    if let Err(flaw) = check_literals(&rule.condition) {
        let text = source["rule"].as_str().unwrap_or_default();
        return causes.invalid(&at, source, &format!("compilation failed: {}", flaw.show(text)));
    }
    if let Some(within) = uncorrelated.filter(|_| rule.uses_old_self) {
        let why =
            format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {within}");
        causes.invalid(&at, &source["rule"], &why);
    }
    if source["optionalOldSelf"].is_boolean() && !rule.uses_old_self {
        let why = "may not be set if oldSelf is not used in rule";
        causes.invalid(&format!("{path}.optionalOldSelf"), &source["optionalOldSelf"], why);
    }
}

/// Every default value keeps the rules of its schema.
fn defaults(schema: &Value, path: &str, causes: &mut Causes) {
    if let Some(default) = schema.get("default") {
        let mut found = Causes::default();
        objects::check(schema, (None, default), &format!("{path}.default"), &mut found);
        causes.extend_below("", found);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        defaults(property, &format!("{path}.properties[{name}]"), causes);
    }
    for below in ["items", "additionalProperties"].into_iter().filter(|below| schema[*below].is_object()) {
        defaults(&schema[below], &format!("{path}.{below}"), causes);
    }
}

/// Whether a schema has rules anywhere.
pub fn has_rules(schema: &Value) -> bool {
    let own = schema["x-kubernetes-validations"].as_array().is_some_and(|rules| !rules.is_empty());
    let mut properties = schema["properties"].as_object().into_iter().flatten();
    own || properties.any(|(_, property)| has_rules(property))
        || ["items", "additionalProperties"]
            .iter()
            .any(|below| schema[*below].is_object() && has_rules(&schema[*below]))
}

/// What a real server adds when an object is so wrong that its rules were not evaluated.
pub fn not_checked(causes: &mut Causes) {
    let text = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
    causes.invalid("<nil>", &json!("null"), text);
}
