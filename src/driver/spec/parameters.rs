//! `spec.parameters`.

use serde_json::Value;

use crate::domain::driver::{ParameterKind, ParameterSpec};
use crate::domain::parameters::{check_value, compile};
use crate::driver::reader::{Fields, Report};
use crate::driver::yaml::{Node, Tree};

pub(super) const FIELDS: [&str; 10] =
    ["name", "label", "kind", "default", "values", "description", "pattern", "min", "max", "multiline"];

pub(super) const KINDS: [&str; 7] = ["string", "integer", "number", "boolean", "enum", "list", "secret"];

/// How many parameters a driver may have.
const PARAMETERS_MAX: usize = 200;

/// The longest pattern, in bytes.
const PATTERN_MAX: usize = 1_000;

/// The parameters in their order.
pub(super) fn read(spec: &Fields<'_>, report: &mut Report<'_>) -> Vec<ParameterSpec> {
    let mut names = super::Names::default();
    let mut parameters = Vec::new();
    let items = spec.items("parameters", report);
    if !report.has_room(spec.place_of("parameters"), "spec.parameters", items.len(), PARAMETERS_MAX) {
        return parameters;
    }
    for (position, node) in items.iter().enumerate() {
        if let Some(parameter) = parameter(node, &format!("spec.parameters[{position}]"), report) {
            names.add(node.place, "parameter", &parameter.name, report);
            parameters.push(parameter);
        }
    }
    parameters
}

fn parameter(node: &Node, path: &str, report: &mut Report<'_>) -> Option<ParameterSpec> {
    let fields = Fields::open(node, path, &FIELDS, report);
    let name = fields.required_text("name", report);
    let kind = kind(&fields, report);
    described(&fields, name, kind, report)
}

/// What an action asks: a parameter whose kind is a text when it says none. `key` is its name where a mapping names it; then it
/// may be the bare question.
pub(super) fn prompt(
    node: &Node,
    path: &str,
    key: Option<&str>,
    report: &mut Report<'_>,
) -> Option<ParameterSpec> {
    if let (Some(name), Tree::Text(question)) = (key, &node.tree) {
        let (name, label) = (name.to_owned(), question.clone());
        return Some(ParameterSpec { name, label, ..ParameterSpec::default() });
    }
    let fields = Fields::open(node, path, &FIELDS, report);
    let name = match key {
        Some(key) => Some(key.to_owned()),
        None => fields.required_text("name", report),
    };
    let kind = match fields.get("kind") {
        Some(_) => kind(&fields, report),
        None => Some(ParameterKind::String),
    };
    described(&fields, name, kind, report)
}

/// The rest of a parameter, when its name and kind can be told.
fn described(
    fields: &Fields<'_>,
    name: Option<String>,
    kind: Option<ParameterKind>,
    report: &mut Report<'_>,
) -> Option<ParameterSpec> {
    if let Some(name) = &name {
        check_name(fields, name, report);
    }
    let label = fields.text("label", report);
    let known = kind.is_some();
    let mut parameter = ParameterSpec {
        label: if label.is_empty() { name.clone().unwrap_or_default() } else { label },
        name: name.unwrap_or_default(),
        kind: kind.unwrap_or_default(),
        default: None,
        description: fields.text("description", report),
        pattern: fields.optional_text("pattern", report),
        min: bound(fields, "min", report),
        max: bound(fields, "max", report),
        multiline: fields.flag("multiline", report),
    };
    if !known {
        return None;
    }
    check_limits(fields, &mut parameter, report);
    parameter.default = fields.get("default").and_then(|node| default(node, fields, &parameter, report));
    if parameter.default.as_ref().and_then(Value::as_str).is_some_and(|text| text.contains('\n')) {
        parameter.multiline |= parameter.kind == ParameterKind::String;
    }
    Some(parameter).filter(|parameter| !parameter.name.is_empty())
}

/// Names that templates can write as `parameters.<name>`.
fn check_name(fields: &Fields<'_>, name: &str, report: &mut Report<'_>) {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
        let message = format!("{} is '{name}', which templates cannot name", fields.path_of("name"));
        report.error(fields.place_of("name"), message, "use letters, digits and _, and start with a letter");
    }
}

fn kind(fields: &Fields<'_>, report: &mut Report<'_>) -> Option<ParameterKind> {
    let word = super::one_of(fields, "kind", &KINDS, report)?;
    if word != "enum" && fields.get("values").is_some() {
        let message = format!("{} is ignored, the kind is {word}", fields.path_of("values"));
        report.warn(fields.place_of("values"), message, "only enum has values");
    }
    Some(match word.as_str() {
        "integer" => ParameterKind::Integer,
        "number" => ParameterKind::Number,
        "boolean" => ParameterKind::Boolean,
        "enum" => ParameterKind::Enum(values(fields, report)),
        "list" => ParameterKind::List,
        "secret" => ParameterKind::Secret,
        _ => ParameterKind::String,
    })
}

fn values(fields: &Fields<'_>, report: &mut Report<'_>) -> Vec<String> {
    let Some(node) = fields.require("values", report) else { return Vec::new() };
    let values = report.texts(node, &fields.path_of("values"));
    if values.is_empty() {
        report.error(
            node.place,
            format!("{} is empty, expected at least one value", fields.path_of("values")),
            "",
        );
    }
    let mut names = super::Names::default();
    values.iter().for_each(|value| names.add(node.place, "value", value, report));
    values
}

fn bound(fields: &Fields<'_>, name: &str, report: &mut Report<'_>) -> Option<f64> {
    fields.get(name).and_then(|node| report.number(node, &fields.path_of(name)))
}

/// A pattern that does not compile is dropped, so that it is told once and not again for the default.
fn check_limits(fields: &Fields<'_>, parameter: &mut ParameterSpec, report: &mut Report<'_>) {
    let wrong = parameter.pattern.as_deref().and_then(|pattern| match pattern.len() {
        length if length > PATTERN_MAX => Some(format!("has {length} bytes, the limit is {PATTERN_MAX}")),
        _ => compile(pattern).err().map(|why| format!("is no regular expression: {why}")),
    });
    if let Some(wrong) = wrong {
        report.error(fields.place_of("pattern"), format!("{} {wrong}", fields.path_of("pattern")), "");
        parameter.pattern = None;
    }
    if let (Some(min), Some(max)) = (parameter.min, parameter.max)
        && min > max
    {
        let message = format!("{} is {min}, more than max {max}", fields.path_of("min"));
        report.error(fields.place_of("min"), message, "exchange them");
        parameter.min = None;
        parameter.max = None;
    }
    let textual = matches!(parameter.kind, ParameterKind::String | ParameterKind::Secret);
    let listed = parameter.kind == ParameterKind::List;
    let bounded = !matches!(parameter.kind, ParameterKind::Boolean | ParameterKind::Enum(_));
    for name in ["min", "max"] {
        let bound = if name == "min" { &mut parameter.min } else { &mut parameter.max };
        if (textual || listed) && bound.is_some_and(|bound| bound < 0.0 || bound.fract() != 0.0) {
            let message = format!("{} counts characters or items: a whole number", fields.path_of(name));
            report.error(fields.place_of(name), message, "");
            *bound = None;
        }
    }
    for (name, fits) in
        [("min", bounded), ("max", bounded), ("pattern", textual || listed), ("multiline", textual)]
    {
        if fields.get(name).is_some() && !fits {
            let message =
                format!("{} is ignored, the kind is {}", fields.path_of(name), parameter.kind.as_str());
            report.warn(fields.place_of(name), message, "");
        }
    }
}

fn default(
    node: &Node,
    fields: &Fields<'_>,
    parameter: &ParameterSpec,
    report: &mut Report<'_>,
) -> Option<Value> {
    let path = fields.path_of("default");
    let textual =
        matches!(parameter.kind, ParameterKind::String | ParameterKind::Secret | ParameterKind::Enum(_));
    let scalar = !matches!(node.tree, Tree::List(_) | Tree::Map(_));
    let value = if textual && scalar { Value::from(report.text(node, &path)?) } else { node.to_json() };
    if parameter.kind == ParameterKind::Secret && value != "" {
        let message = format!("{path} is set: it would be the same secret everywhere");
        report.error(node.place, message, "leave it out, or make it \"\" for an optional one");
        return None;
    }
    // An empty default of a text says "optional": its pattern is for values that are given.
    let empty = value == "" || value.as_array().is_some_and(Vec::is_empty);
    if empty && !matches!(parameter.kind, ParameterKind::Enum(_)) && (textual || value.is_array()) {
        return Some(value);
    }
    match check_value(parameter, &value) {
        Ok(value) => Some(value),
        Err(why) => {
            report.error(node.place, format!("{path}: {why}"), "");
            None
        }
    }
}
