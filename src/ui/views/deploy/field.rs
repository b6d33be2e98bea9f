//! The fields of the form, and what each accepts.

use crossterm::event::KeyEvent;
use serde_json::Value;

use super::choice::Choice;
use crate::domain::driver::{ParameterKind, ParameterSpec};
use crate::ui::text_field::TextField;

/// What a field asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asks {
    /// The driver.
    Driver,
    /// The environment.
    Environment,
    /// The application's version.
    Version,
    /// The deployment's name.
    Name,
    /// A parameter of the driver.
    Parameter(Box<ParameterSpec>),
}

/// How a field is filled in.
#[derive(Debug, Clone)]
pub enum Entry {
    /// One of several values.
    Choice(Choice),
    /// A text.
    Text(TextField),
    /// Yes or no.
    Toggle(bool),
    /// A value that stays as it is.
    Fixed(String),
}

/// A field of the form.
#[derive(Debug, Clone)]
pub struct Field {
    /// What it asks for.
    pub asks: Asks,
    /// How people read it.
    pub label: String,
    /// One line about it.
    pub help: String,
    /// How it is filled in.
    pub entry: Entry,
    /// What is wrong with its value.
    pub error: Option<String>,
}

impl Field {
    /// A field without an error.
    pub fn new(asks: Asks, label: &str, help: &str, entry: Entry) -> Self {
        Self { asks, label: label.to_owned(), help: help.to_owned(), entry, error: None }
    }

    /// The field of a parameter, with its default filled in.
    pub fn parameter(spec: &ParameterSpec) -> Self {
        let default = spec.default.as_ref();
        let needed = if default.is_none() { "required" } else { "" };
        let entry = match &spec.kind {
            ParameterKind::Boolean => Entry::Toggle(default.and_then(Value::as_bool).unwrap_or(false)),
            ParameterKind::Enum(values) => {
                let chosen = default.map(plain).unwrap_or_default();
                Entry::Choice(Choice::new(values.clone(), &chosen, false))
            }
            ParameterKind::Secret => Entry::Text(TextField::masked().with_placeholder(needed)),
            _ => {
                Entry::Text(TextField::new(&default.map(plain).unwrap_or_default()).with_placeholder(needed))
            }
        };
        let label = if spec.label.is_empty() { &spec.name } else { &spec.label };
        Self::new(Asks::Parameter(Box::new(spec.clone())), label, &parameter_help(spec), entry)
    }

    /// Whether it holds something that must not be kept or shown.
    pub fn is_secret(&self) -> bool {
        matches!(&self.asks, Asks::Parameter(spec) if spec.kind == ParameterKind::Secret)
    }

    /// Whether keys type text into it.
    pub fn takes_text(&self) -> bool {
        match &self.entry {
            Entry::Text(_) => true,
            Entry::Choice(choice) => choice.is_open(),
            Entry::Toggle(_) | Entry::Fixed(_) => false,
        }
    }

    /// Whether there is anything to fill in.
    pub fn is_fixed(&self) -> bool {
        matches!(self.entry, Entry::Fixed(_))
    }

    /// Puts the value of a parameter in the place of the default.
    pub fn fill(&mut self, value: &Value) {
        match &mut self.entry {
            Entry::Text(field) => field.set(&plain(value)),
            Entry::Choice(choice) => choice.choose(&plain(value)),
            Entry::Toggle(on) => *on = value.as_bool().unwrap_or(*on),
            Entry::Fixed(_) => {}
        }
    }

    /// Takes a key; true when the value changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        match &mut self.entry {
            Entry::Text(field) => field.key(key),
            Entry::Choice(choice) => choice.key(key),
            Entry::Toggle(_) | Entry::Fixed(_) => false,
        }
    }

    /// Takes pasted text; true when the value changed.
    pub fn paste(&mut self, text: &str) -> bool {
        match &mut self.entry {
            Entry::Text(field) => field.paste(text),
            Entry::Choice(choice) => return choice.paste(text),
            Entry::Toggle(_) | Entry::Fixed(_) => return false,
        }
        true
    }

    /// Goes to the next value, or the one before; true when the value changed.
    pub fn turn(&mut self, forwards: bool) -> bool {
        match &mut self.entry {
            Entry::Choice(choice) => choice.turn(forwards),
            Entry::Toggle(on) => {
                *on = !*on;
                true
            }
            Entry::Text(_) | Entry::Fixed(_) => false,
        }
    }

    /// The value as text.
    pub fn text(&self) -> &str {
        match &self.entry {
            Entry::Text(field) => field.text(),
            Entry::Choice(choice) => choice.value(),
            Entry::Toggle(true) => "true",
            Entry::Toggle(false) => "false",
            Entry::Fixed(value) => value,
        }
    }

    /// The value of a parameter: none when it is the default, or left out.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn parameter_value(&self, spec: &ParameterSpec) -> Result<Option<Value>, String> {
        let text = self.text();
        let secret = spec.kind == ParameterKind::Secret;
        let trimmed = if secret { text } else { text.trim() };
        if trimmed.is_empty() && (spec.default.is_none() || spec.kind != ParameterKind::String) {
            let optional = spec.default.is_some();
            return if optional { Ok(None) } else { Err("a value is needed".to_owned()) };
        }
        let value = match &spec.kind {
            ParameterKind::Boolean => Value::Bool(trimmed == "true"),
            ParameterKind::Integer => number(trimmed, spec, whole)?,
            ParameterKind::Number => number(trimmed, spec, fraction)?,
            ParameterKind::List => {
                trimmed.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
            }
            ParameterKind::String | ParameterKind::Enum(_) | ParameterKind::Secret => Value::from(trimmed),
        };
        Ok(Some(value).filter(|value| spec.default.as_ref() != Some(value)))
    }
}

fn whole(text: &str) -> Option<Value> {
    text.parse::<i64>().ok().map(Value::from)
}

fn fraction(text: &str) -> Option<Value> {
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
}

fn number(text: &str, spec: &ParameterSpec, read: fn(&str) -> Option<Value>) -> Result<Value, String> {
    let kind = if spec.kind == ParameterKind::Integer { "a whole number" } else { "a number" };
    let value = read(text).ok_or_else(|| format!("'{text}' is not {kind}"))?;
    let size = value.as_f64().unwrap_or_default();
    match (spec.min, spec.max) {
        (Some(min), _) if size < min => Err(format!("the lowest value is {min}")),
        (_, Some(max)) if size > max => Err(format!("the highest value is {max}")),
        _ => Ok(value),
    }
}

/// A value as it stands in a text field.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn parameter_help(spec: &ParameterSpec) -> String {
    let mut parts = Vec::new();
    if !spec.description.is_empty() {
        parts.push(spec.description.trim().replace('\n', " "));
    }
    match (&spec.kind, spec.min, spec.max) {
        (_, Some(min), Some(max)) => parts.push(format!("{min} to {max}")),
        (_, Some(min), None) => parts.push(format!("at least {min}")),
        (_, None, Some(max)) => parts.push(format!("at most {max}")),
        (ParameterKind::List, ..) => parts.push("separated by commas".to_owned()),
        _ => {}
    }
    if let Some(pattern) = &spec.pattern {
        parts.push(format!("must match {pattern}"));
    }
    if spec.default.is_none() && spec.kind != ParameterKind::Boolean {
        parts.push("required".to_owned());
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(kind: ParameterKind, default: Option<Value>) -> ParameterSpec {
        let (name, label, description) = ("size".to_owned(), String::new(), String::new());
        ParameterSpec {
            name,
            label,
            kind,
            default,
            description,
            min: Some(1.0),
            max: Some(5.0),
            ..ParameterSpec::default()
        }
    }

    fn value_of(spec: &ParameterSpec, text: &str) -> Result<Option<Value>, String> {
        let mut field = Field::parameter(spec);
        field.entry = Entry::Text(TextField::new(text));
        field.parameter_value(spec)
    }

    #[test]
    fn numbers_are_checked() {
        let integer = spec(ParameterKind::Integer, Some(json!(3)));
        assert_eq!(value_of(&integer, "4"), Ok(Some(json!(4))));
        assert_eq!(value_of(&integer, "3"), Ok(None), "the default is left out");
        assert_eq!(value_of(&integer, ""), Ok(None));
        assert_eq!(value_of(&integer, "x").unwrap_err(), "'x' is not a whole number");
        assert_eq!(value_of(&integer, "9").unwrap_err(), "the highest value is 5");
        assert_eq!(value_of(&integer, "0").unwrap_err(), "the lowest value is 1");
        let number = spec(ParameterKind::Number, None);
        assert_eq!(value_of(&number, "1.5"), Ok(Some(json!(1.5))));
        assert!(value_of(&number, "NaN").is_err() && value_of(&number, "").is_err());
    }

    #[test]
    fn texts_lists_and_secrets_keep_what_was_typed() {
        assert_eq!(value_of(&spec(ParameterKind::List, None), "a, b,,c"), Ok(Some(json!(["a", "b", "c"]))));
        assert_eq!(value_of(&spec(ParameterKind::Secret, None), " s "), Ok(Some(json!(" s "))));
        assert_eq!(value_of(&spec(ParameterKind::String, Some(json!("x"))), ""), Ok(Some(json!(""))));
        assert!(value_of(&spec(ParameterKind::String, None), " ").is_err());
    }

    #[test]
    fn booleans_and_enums_are_chosen() {
        let boolean = spec(ParameterKind::Boolean, Some(json!(true)));
        let mut field = Field::parameter(&boolean);
        assert_eq!(field.parameter_value(&boolean), Ok(None));
        assert!(field.turn(true) && !field.takes_text());
        assert_eq!(field.parameter_value(&boolean), Ok(Some(json!(false))));
        let sizes = spec(ParameterKind::Enum(vec!["small".into(), "large".into()]), Some(json!("large")));
        let mut field = Field::parameter(&sizes);
        assert_eq!(field.text(), "large");
        field.turn(true);
        assert_eq!(field.parameter_value(&sizes), Ok(Some(json!("small"))));
    }
}
