//! `values.schema.json`: what a chart demands of its values.
//!
//! A schema is untrusted input: nothing is fetched for it, and how much work it may make is bounded before it is tried.

mod closed;
mod work;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value as Json;

use super::dependencies::Node;
use super::error::ChartError;
use super::merge::Warnings;
use super::plain;
use super::value::Value;

/// How many violations of one chart are told.
const TOLD: usize = 20;
/// How large one pattern may become, in bytes.
const PATTERN_LIMIT: usize = 256 << 10;

/// Compares the values with the schema of every chart that is taken.
///
/// # Errors
/// Everything that they do not meet, each with its path.
pub(super) fn validate(node: &Node<'_>, values: &Value, warnings: &mut Warnings) -> Result<(), ChartError> {
    let mut told = String::new();
    chart(node, values, &mut told, warnings);
    if told.is_empty() {
        return Ok(());
    }
    let what = "values don't meet the specifications of the schema(s) in the following chart(s)";
    Err(ChartError::Values(format!("{what}:\n{}", told.trim_end())))
}

fn chart(node: &Node<'_>, values: &Value, told: &mut String, warnings: &mut Warnings) {
    if let Some(schema) = &node.chart.schema {
        let json = plain::to_whole(plain::to_json(values));
        let found = violations(schema, &json, node.name(), warnings).unwrap_or_else(|why| vec![why]);
        if !found.is_empty() {
            told.push_str(&format!("{}:\n", node.name()));
            for violation in found.iter().take(TOLD) {
                told.push_str(&format!("- {violation}\n"));
            }
            if found.len() > TOLD {
                told.push_str(&format!("- and {} more\n", found.len() - TOLD));
            }
        }
    }
    for child in &node.children {
        let values = values.get(child.name()).unwrap_or(Value::Nil);
        chart(child, &values, told, warnings);
    }
}

/// What of `values` does not meet the schema; an error is why it cannot be told.
fn violations(
    schema: &[u8],
    values: &Json,
    chart: &str,
    warnings: &mut Warnings,
) -> Result<Vec<String>, String> {
    let schema: Json =
        serde_json::from_slice(schema).map_err(|error| format!("values.schema.json: {error}"))?;
    let draft = draft(&schema);
    let (schema, outside) = closed::closed(schema);
    for reference in outside {
        warnings.add(format!("{chart}: values.schema.json refers to {reference}, which is not fetched: what it demands is not checked"));
    }
    let object = Json::Object(serde_json::Map::new());
    let values = if values.is_null() { &object } else { values };
    work::check(&schema, values)?;
    let validator = validator(&schema, draft)?;
    Ok(validator.iter_errors(values).take(TOLD * 10).map(|error| told(&error)).collect())
}

fn validator(schema: &Json, draft: Draft) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(draft)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_LIMIT))
        .build(schema)
        .map_err(|error| {
            format!("values.schema.json: {}: {}", error.instance_path(), error.masked_with("this"))
        })
}

/// The path and the rule. The value itself may be a secret, and is not told.
fn told(error: &jsonschema::ValidationError<'_>) -> String {
    let path = error.instance_path().as_str().trim_start_matches('/').replace('/', ".");
    let path = path.replace("~1", "/").replace("~0", "~");
    let path = if path.is_empty() { "(root)" } else { &path };
    format!("{path}: {}", error.masked_with("the value"))
}

/// The draft that a schema names. Without one, or with one that nobody knows, it is draft 7, which is what charts are written for.
fn draft(schema: &Json) -> Draft {
    let name = schema.get("$schema").and_then(Json::as_str).unwrap_or_default();
    let name = name.trim_end_matches('#').trim_start_matches("http://").trim_start_matches("https://");
    match name {
        "json-schema.org/draft-04/schema" => Draft::Draft4,
        "json-schema.org/draft-06/schema" => Draft::Draft6,
        "json-schema.org/draft/2019-09/schema" => Draft::Draft201909,
        "json-schema.org/draft/2020-12/schema" => Draft::Draft202012,
        _ => Draft::Draft7,
    }
}

#[cfg(test)]
mod tests;
