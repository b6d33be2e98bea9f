//! Helm's functions that write values as YAML, JSON or TOML, and read them.
//!
//! They never fail: what cannot be written becomes an empty text, and where something cannot be read, the result says so.

use super::call::Trouble;
use super::helm::{Known, text};
use super::types::Parameters;
use crate::driver::chart::format::is_limit;
use crate::driver::chart::functions::Kind;
use crate::driver::chart::json::{self, Numbers};
use crate::driver::chart::toml;
use crate::driver::chart::value::Value;
use crate::driver::chart::yaml;

type Outcome = Result<Value, Trouble>;

const NO_MAP: &str = "into Go value of type map[string]interface {}";
const NO_LIST: &str = "into Go value of type []interface {}";

/// The function of that name.
pub(super) fn find(name: &str) -> Option<Known> {
    let known = |kind, function| Some(Known { parameters: Parameters::fixed(kind), function });
    match name {
        "toYaml" => known(&[Kind::Any], |_, _, arguments| written(yaml::write, nothing, arguments)),
        "toYamlPretty" => {
            known(&[Kind::Any], |_, _, arguments| written(yaml::write_pretty, nothing, arguments))
        }
        "toJson" => known(&[Kind::Any], |_, _, arguments| written(json::write, nothing, arguments)),
        "toToml" => known(&[Kind::Any], |_, _, arguments| written(toml::write, |problem| problem, arguments)),
        "mustToYaml" => known(&[Kind::Any], |_, _, arguments| must(yaml::write, arguments)),
        "mustToToml" => known(&[Kind::Any], |_, _, arguments| must(toml::write, arguments)),
        "fromYaml" => known(&[Kind::Text], |_, _, arguments| Ok(from_yaml(&text(arguments, 0)))),
        "fromYamlArray" => known(&[Kind::Text], |_, _, arguments| Ok(from_yaml_array(&text(arguments, 0)))),
        "fromJson" => known(&[Kind::Text], |_, _, arguments| Ok(from_json(&text(arguments, 0)))),
        "fromJsonArray" => known(&[Kind::Text], |_, _, arguments| Ok(from_json_array(&text(arguments, 0)))),
        "fromToml" => known(&[Kind::Text], |_, _, arguments| Ok(from_toml(&text(arguments, 0)))),
        _ => None,
    }
}

fn first(arguments: &[Value]) -> Value {
    arguments.first().cloned().unwrap_or(Value::Nil)
}

/// What cannot be written becomes what `otherwise` makes of the problem; what a limit forbids is an error.
fn written(
    write: fn(&Value) -> Result<String, String>,
    otherwise: fn(String) -> String,
    arguments: &[Value],
) -> Outcome {
    match write(&first(arguments)) {
        Ok(text) => Ok(Value::text(text)),
        Err(problem) if is_limit(&problem) => Err(Trouble::Limit(problem)),
        Err(problem) => Ok(Value::text(otherwise(problem))),
    }
}

fn nothing(_problem: String) -> String {
    String::new()
}

fn must(write: fn(&Value) -> Result<String, String>, arguments: &[Value]) -> Outcome {
    Ok(Value::text(write(&first(arguments))?))
}

fn problem_entry(problem: String) -> Value {
    Value::dict([("Error", Value::text(problem))])
}

fn from_yaml(text: &str) -> Value {
    match yaml::read(text, Numbers::Float) {
        Ok(value) => match misfit(&value, true) {
            Some(kind) => problem_entry(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} {NO_MAP}"
            )),
            None => or_empty(value, Value::dict::<&str>([])),
        },
        Err(error) => problem_entry(format!("error converting YAML to JSON: {error}")),
    }
}

fn from_yaml_array(text: &str) -> Value {
    match yaml::read(text, Numbers::Float) {
        Ok(value) => match misfit(&value, false) {
            Some(kind) => Value::list([Value::text(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} {NO_LIST}"
            ))]),
            None => or_empty(value, Value::list([])),
        },
        Err(error) => Value::list([Value::text(format!("error converting YAML to JSON: {error}"))]),
    }
}

fn from_json(text: &str) -> Value {
    match json::read(text, Numbers::Float) {
        Ok(value) => match misfit(&value, true) {
            Some(kind) => problem_entry(format!("json: cannot unmarshal {kind} {NO_MAP}")),
            None => or_empty(value, Value::dict::<&str>([])),
        },
        Err(problem) => problem_entry(problem),
    }
}

fn from_json_array(text: &str) -> Value {
    match json::read(text, Numbers::Float) {
        Ok(value) => match misfit(&value, false) {
            Some(kind) => Value::list([Value::text(format!("json: cannot unmarshal {kind} {NO_LIST}"))]),
            None => or_empty(value, Value::list([])),
        },
        Err(problem) => Value::list([Value::text(problem)]),
    }
}

fn from_toml(text: &str) -> Value {
    toml::read(text).unwrap_or_else(problem_entry)
}

fn or_empty(value: Value, empty: Value) -> Value {
    if let Value::Nil = value { empty } else { value }
}

/// What JSON calls a value that is neither nothing nor a mapping, or a list where one is wanted.
fn misfit(value: &Value, wants_mapping: bool) -> Option<&'static str> {
    match value {
        Value::Nil => None,
        Value::Dict(_) if wants_mapping => None,
        Value::List(_) if !wants_mapping => None,
        Value::Dict(_) => Some("object"),
        Value::List(_) => Some("array"),
        Value::Bool(_) => Some("bool"),
        Value::Int(_) | Value::Float(_) | Value::Number(_) => Some("number"),
        _ => Some("string"),
    }
}
