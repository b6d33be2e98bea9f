//! The values of a driver's parameters: read from a form, checked against the specification, completed with defaults.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::driver::{ParameterKind, ParameterSpec};
use super::suggest;
use super::{DriverSpec, SecretReference, SecretText};

/// The memory that a compiled pattern may take, in bytes.
const PATTERN_LIMIT: usize = 1 << 20;

/// The longest text that a parameter takes, in bytes.
const TEXT_LIMIT: usize = 64 << 10;

/// What is wrong with the value of one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterError {
    /// The parameter.
    pub name: String,
    /// What was expected.
    pub message: String,
}

/// Checks the given values and adds the defaults of those that are absent: the result has every parameter of the driver.
/// Absent are `null`, and an empty text for any kind but `string`. Values of other kinds may come as text, as forms have them.
///
/// # Errors
/// Everything that is wrong, at most one message per parameter.
pub fn check_parameters(
    spec: &DriverSpec,
    given: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, Vec<ParameterError>> {
    let mut errors = Vec::new();
    let mut values = BTreeMap::new();
    for name in given.keys() {
        if !spec.parameters.iter().any(|parameter| parameter.name == *name) {
            let hint = suggest::hint(name, spec.parameters.iter().map(|parameter| parameter.name.as_str()));
            let message = format!("the driver has no such parameter; {hint}");
            errors.push(ParameterError { name: name.clone(), message });
        }
    }
    for parameter in &spec.parameters {
        match value_of(parameter, given.get(&parameter.name)) {
            Ok(value) => {
                values.insert(parameter.name.clone(), value);
            }
            Err(message) => errors.push(ParameterError { name: parameter.name.clone(), message }),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

/// The value of one parameter: the given one, or the default.
fn value_of(parameter: &ParameterSpec, given: Option<&Value>) -> Result<Value, String> {
    let absent = |value: &Value| {
        value.is_null()
            || (value.as_str() == Some("")
                && (parameter.kind != ParameterKind::String || parameter.default.is_none()))
    };
    match (given.filter(|value| !absent(value)), &parameter.default) {
        (Some(value), _) if parameter.kind == ParameterKind::Secret => match SecretReference::read(value) {
            Some(reference) => Ok(reference.to_value()),
            // The value is not repeated: it may be the secret itself.
            None => {
                Err("expected a reference { secret, key } to where it lies, found something else".to_owned())
            }
        },
        (Some(value), _) => check_value(parameter, value),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err("it is required".to_owned()),
    }
}

/// Checks a secret as it was typed: its length and its pattern. The message never repeats it.
///
/// # Errors
/// What was expected instead.
pub fn check_secret(parameter: &ParameterSpec, typed: &SecretText) -> Result<(), String> {
    let text = typed.reveal();
    if text.len() > TEXT_LIMIT {
        return Err(format!("it has {} bytes, the limit is {TEXT_LIMIT}", text.len()));
    }
    let characters = text.chars().count();
    check_size(parameter, characters)?;
    match &parameter.pattern {
        Some(pattern) if !compile(pattern)?.is_match(text) => Err(format!("it must match {pattern}")),
        _ => Ok(()),
    }
}

/// Reads what was typed into a form.
///
/// # Errors
/// What was expected instead.
pub fn parse_input(kind: &ParameterKind, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    match kind {
        ParameterKind::String | ParameterKind::Secret => Ok(Value::from(text)),
        ParameterKind::Integer => trimmed
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| format!("expected a whole number, found '{trimmed}'")),
        // A whole number stays one: a default of 3 that is accepted is no value of its own.
        ParameterKind::Number => match (trimmed.parse::<i64>(), trimmed.parse::<f64>()) {
            (Ok(whole), _) => Ok(Value::from(whole)),
            (_, Ok(number)) if number.is_finite() => Ok(Value::from(number)),
            _ => Err(format!("expected a number, found '{trimmed}'")),
        },
        ParameterKind::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(Value::from(true)),
            "false" | "no" | "off" | "0" => Ok(Value::from(false)),
            _ => Err(format!("expected yes or no, found '{trimmed}'")),
        },
        ParameterKind::Enum(values) if values.iter().any(|value| value == trimmed) => {
            Ok(Value::from(trimmed))
        }
        ParameterKind::Enum(values) => {
            Err(format!("expected one of {}, found '{trimmed}'", values.join(", ")))
        }
        // Items that stand on lines of their own may have commas in them.
        ParameterKind::List => Ok(trimmed
            .split(if trimmed.contains('\n') { '\n' } else { ',' })
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(Value::from)
            .collect()),
    }
}

/// Checks one value that is there, and brings it into its kind's own type.
///
/// # Errors
/// What was expected instead.
pub fn check_value(parameter: &ParameterSpec, value: &Value) -> Result<Value, String> {
    let value = match (&parameter.kind, value) {
        (kind, Value::String(text)) => parse_input(kind, text)?,
        (ParameterKind::Integer, Value::Number(number)) if number.as_i64().is_some() => value.clone(),
        (ParameterKind::Number, Value::Number(_)) | (ParameterKind::Boolean, Value::Bool(_)) => value.clone(),
        (ParameterKind::List, Value::Array(items)) if items.iter().all(Value::is_string) => value.clone(),
        (kind, other) => return Err(format!("expected {}, found {other}", expected(kind))),
    };
    check_length(&value)?;
    check_bounds(parameter, &value)?;
    check_pattern(parameter, &value)?;
    Ok(value)
}

/// A kind in words.
fn expected(kind: &ParameterKind) -> String {
    match kind {
        ParameterKind::String | ParameterKind::Secret => "a text".to_owned(),
        ParameterKind::Integer => "a whole number".to_owned(),
        ParameterKind::Number => "a number".to_owned(),
        ParameterKind::Boolean => "yes or no".to_owned(),
        ParameterKind::Enum(values) => format!("one of {}", values.join(", ")),
        ParameterKind::List => "a list of texts".to_owned(),
    }
}

fn check_length(value: &Value) -> Result<(), String> {
    let length = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::len).sum(),
        _ => 0,
    };
    if length > TEXT_LIMIT {
        Err(format!("it has {length} bytes, the limit is {TEXT_LIMIT}"))
    } else {
        Ok(())
    }
}

/// `min` and `max`: of the number itself, of a text's characters, of a list's items.
fn check_bounds(parameter: &ParameterSpec, value: &Value) -> Result<(), String> {
    match (&parameter.kind, value) {
        (ParameterKind::Boolean | ParameterKind::Enum(_), _) => Ok(()),
        (_, Value::String(text)) => check_size(parameter, text.chars().count()),
        (_, Value::Array(items)) => check_size(parameter, items.len()),
        _ => check_between(parameter, value.as_f64().unwrap_or_default()),
    }
}

fn check_size(parameter: &ParameterSpec, size: usize) -> Result<(), String> {
    #[expect(clippy::cast_precision_loss, reason = "no text or list is that long")]
    check_between(parameter, size as f64)
}

fn check_between(parameter: &ParameterSpec, size: f64) -> Result<(), String> {
    let outside = parameter.min.is_some_and(|min| size < min) || parameter.max.is_some_and(|max| size > max);
    match parameter.limits().filter(|_| outside) {
        Some(limits) => Err(format!("expected {limits}, found {size}")),
        None => Ok(()),
    }
}

/// The pattern of a text, or of each item of a list.
fn check_pattern(parameter: &ParameterSpec, value: &Value) -> Result<(), String> {
    let Some(pattern) = &parameter.pattern else { return Ok(()) };
    let pattern_of = compile(pattern)?;
    match value {
        Value::String(text) if !pattern_of.is_match(text) => Err(format!("it must match {pattern}")),
        Value::Array(items) => {
            let bad = items.iter().filter_map(Value::as_str).find(|item| !pattern_of.is_match(item));
            bad.map_or(Ok(()), |item| Err(format!("'{item}' must match {pattern}")))
        }
        _ => Ok(()),
    }
}

/// Compiles a pattern so that it must match the whole value. The engine takes linear time whatever the pattern.
///
/// # Errors
/// It is no regular expression, or one that takes too much memory.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    // Compiled alone first: `a)(b` is no pattern, though it would be one inside the parentheses below.
    let build = |text: &str| RegexBuilder::new(text).size_limit(PATTERN_LIMIT).build();
    build(pattern).and_then(|_| build(&format!(r"\A(?:{pattern})\z"))).map_err(|error| {
        error.to_string().lines().last().unwrap_or("").trim_start_matches("error: ").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameter(name: &str, kind: ParameterKind) -> ParameterSpec {
        ParameterSpec { name: name.to_owned(), label: name.to_owned(), kind, ..ParameterSpec::default() }
    }

    fn spec() -> DriverSpec {
        let colors = ParameterKind::Enum(vec!["red".to_owned(), "blue".to_owned()]);
        DriverSpec {
            parameters: vec![
                ParameterSpec {
                    pattern: Some("[A-Z]+|x".to_owned()),
                    ..parameter("title", ParameterKind::String)
                },
                ParameterSpec {
                    min: Some(1.0),
                    max: Some(5.0),
                    ..parameter("replicas", ParameterKind::Integer)
                },
                ParameterSpec { default: Some(json!("red")), ..parameter("color", colors) },
                ParameterSpec { default: Some(json!("")), ..parameter("token", ParameterKind::Secret) },
                ParameterSpec { default: Some(json!([])), ..parameter("hosts", ParameterKind::List) },
                ParameterSpec {
                    default: Some(json!(false)),
                    ..parameter("read_only", ParameterKind::Boolean)
                },
                ParameterSpec {
                    default: Some(json!(0.5)),
                    min: Some(0.0),
                    ..parameter("ratio", ParameterKind::Number)
                },
            ],
            ..DriverSpec::default()
        }
    }

    fn given(value: Value) -> BTreeMap<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    fn message(name: &str, value: Value) -> String {
        let mut all = given(json!({"title": "A", "replicas": 1}));
        all.insert(name.to_owned(), value);
        match check_parameters(&spec(), &all) {
            Ok(values) => panic!("{values:?}"),
            Err(errors) => {
                assert_eq!(errors.len(), 1, "{errors:?}");
                assert_eq!(errors[0].name, name);
                errors[0].message.clone()
            }
        }
    }

    #[test]
    fn values_are_completed_and_brought_into_their_types() {
        let values = check_parameters(
            &spec(),
            &given(
                json!({"title": "ABC", "replicas": "3", "read_only": "yes", "hosts": "a, b\nc,d\n", "color": "", "ratio": "1.5"}),
            ),
        );
        let expected = json!({"title": "ABC", "replicas": 3, "read_only": true, "hosts": ["a, b", "c,d"],
            "color": "red", "ratio": 1.5, "token": ""});
        assert_eq!(values.unwrap(), given(expected));
    }

    #[test]
    fn every_error_is_told_at_once() {
        let errors = check_parameters(&spec(), &given(json!({"replicas": 9, "colour": "red"}))).unwrap_err();
        let names: Vec<_> = errors.iter().map(|error| error.name.as_str()).collect();
        assert_eq!(names, ["colour", "title", "replicas"]);
        assert!(errors[0].message.contains("did you mean 'color'?"), "{}", errors[0].message);
    }

    #[test]
    fn a_wrong_value_says_what_was_expected() {
        assert_eq!(message("replicas", json!(2.5)), "expected a whole number, found 2.5");
        assert_eq!(message("replicas", json!("two")), "expected a whole number, found 'two'");
        assert_eq!(message("replicas", json!(0)), "expected 1 to 5, found 0");
        assert_eq!(message("ratio", json!(-1)), "expected at least 0, found -1");
        assert_eq!(message("ratio", json!("inf")), "expected a number, found 'inf'");
        for (typed, number) in
            [("3", json!(3)), (" -3", json!(-3)), ("3.5", json!(3.5)), ("1e3", json!(1000.0))]
        {
            assert_eq!(parse_input(&ParameterKind::Number, typed), Ok(number));
        }
        assert_eq!(message("color", json!("green")), "expected one of red, blue, found 'green'");
        assert_eq!(message("color", json!(1)), "expected one of red, blue, found 1");
        assert_eq!(message("read_only", json!("maybe")), "expected yes or no, found 'maybe'");
        assert_eq!(message("hosts", json!([1])), "expected a list of texts, found [1]");
        assert_eq!(parse_input(&ParameterKind::List, "a, b,,c"), Ok(json!(["a", "b", "c"])));
        assert_eq!(message("title", json!("")), "it is required");
        assert_eq!(message("title", json!("a".repeat(70_000))), "it has 70000 bytes, the limit is 65536");
        for wrong in
            [json!("hunter2"), json!({"secret": "a"}), json!({"secret": "a", "key": "b", "v": "hunter2"})]
        {
            let message = message("token", wrong);
            assert!(message.contains("expected a reference") && !message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn a_typed_secret_is_checked_and_never_repeated() {
        let token = ParameterSpec {
            pattern: Some("[a-z]+".to_owned()),
            min: Some(8.0),
            ..parameter("token", ParameterKind::Secret)
        };
        let check = |text: &str| check_secret(&token, &SecretText::new(text));
        assert_eq!(check("abcdefgh"), Ok(()));
        assert_eq!(check("hunter").unwrap_err(), "expected at least 8 characters, found 6");
        assert_eq!(check("hunter22").unwrap_err(), "it must match [a-z]+");
        let reference = json!({"secret": "one-parameters", "key": "token.ab", "digest": "ab"});
        let all = given(json!({"title": "A", "replicas": 1, "token": reference}));
        assert_eq!(check_parameters(&spec(), &all).unwrap()["token"], reference);
    }

    #[test]
    fn bounds_are_of_numbers_characters_and_items() {
        let bounded = |kind| ParameterSpec { min: Some(2.0), max: Some(3.0), ..parameter("x", kind) };
        let check = |kind, value| check_value(&bounded(kind), &value).map(drop);
        assert_eq!(check(ParameterKind::Number, json!(1.5)).unwrap_err(), "expected 2 to 3, found 1.5");
        assert_eq!(check(ParameterKind::String, json!("äöü")), Ok(()));
        assert_eq!(
            check(ParameterKind::String, json!("a")).unwrap_err(),
            "expected 2 to 3 characters, found 1"
        );
        assert_eq!(
            check(ParameterKind::List, json!("a,b,c,d")).unwrap_err(),
            "expected 2 to 3 items, found 4"
        );
        let listed = ParameterSpec { pattern: Some("[a-z]+".to_owned()), ..bounded(ParameterKind::List) };
        assert_eq!(check_value(&listed, &json!("a,B")).unwrap_err(), "'B' must match [a-z]+");
    }

    #[test]
    fn a_pattern_covers_the_whole_value() {
        assert_eq!(message("title", json!("AB1")), "it must match [A-Z]+|x");
        assert_eq!(message("title", json!("xA")), "it must match [A-Z]+|x");
        assert!(compile("a)(b").is_err());
        assert!(compile("(a{1000}){1000}").is_err(), "a pattern that explodes is refused");
    }
}
