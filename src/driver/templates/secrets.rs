//! Secret parameters as templates see them: where the value lies, never the value.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};
use minijinja::{Environment, Error, ErrorKind, Output, State, escape_formatter};

use super::bounds::weigh;
use crate::domain::SecretReference;

/// What stands in an output where a secret was made a text on a way that we do not see (`~`, `upper`, …): this character of the
/// private use area, and the parameter's name in such ones too, so that no filter changes it.
const MARK: char = '\u{E000}';

/// `parameters.password`: an object with `name`, `key` and `digest`.
#[derive(Debug)]
pub(super) struct SecretParameter {
    parameter: String,
    reference: SecretReference,
}

impl SecretParameter {
    /// The parameter as a template value.
    pub(super) fn value(parameter: &str, reference: SecretReference) -> Value {
        Value::from_object(Self { parameter: parameter.to_owned(), reference })
    }
}

impl Object for SecretParameter {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let SecretReference { secret, key: place, digest } = &self.reference;
        match key.as_str()? {
            "name" => Some(Value::from(secret.as_str())),
            "key" => Some(Value::from(place.as_str())),
            "digest" => Some(Value::from(digest.as_deref().unwrap_or(""))),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["name", "key", "digest"])
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name: String = self
            .parameter
            .bytes()
            .filter_map(|byte| char::from_u32(u32::from(MARK) + u32::from(byte)))
            .collect();
        write!(f, "{MARK}{name}{MARK}")
    }
}

/// Makes printing a secret an error.
pub(super) fn guard(environment: &mut Environment<'_>) {
    environment.set_formatter(|out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value| {
        refuse(value)?;
        weigh(state, value)?;
        escape_formatter(out, state, value)
    });
}

/// An error when `value` is a secret: it has no text.
pub(super) fn refuse(value: &Value) -> Result<(), Error> {
    match value.downcast_object_ref::<SecretParameter>() {
        Some(secret) => Err(Error::new(ErrorKind::InvalidOperation, message(&secret.parameter))),
        None => Ok(()),
    }
}

/// The secret that was made a text somewhere in an output, and what to say about it. Texts may have the mark in them, which is a
/// sign of icon fonts: what stands between two of them must be the name of a parameter.
pub(super) fn printed(output: &str, is_parameter: impl Fn(&str) -> bool) -> Option<(String, String)> {
    let marks: Vec<usize> = output.match_indices(MARK).map(|(at, _)| at + MARK.len_utf8()).collect();
    let between = marks.windows(2).filter_map(|pair| output.get(pair[0]..pair[1] - MARK.len_utf8()));
    let byte = |c: char| u32::from(c).checked_sub(u32::from(MARK)).and_then(|byte| u8::try_from(byte).ok());
    let mut names =
        between.filter_map(|name| name.chars().map(|c| byte(c).map(char::from)).collect::<Option<String>>());
    let parameter = names.find(|name| is_parameter(name))?;
    let message = message(&parameter);
    Some((parameter, message))
}

/// The first line of a template that uses a secret parameter as a whole; 0 when none does.
pub(super) fn line_of(source: &str, parameter: &str) -> usize {
    let name = format!("parameters.{parameter}");
    let whole = |line: &str| {
        let mut uses = line.split(name.as_str()).skip(1);
        uses.any(|rest| !rest.starts_with(|c: char| c == '.' || c == '_' || c.is_alphanumeric()))
    };
    source.lines().position(whole).map_or(0, |position| position + 1)
}

fn message(parameter: &str) -> String {
    format!(
        "parameters.{parameter} is a secret, which has no text here: write {{{{ parameters.{parameter} | secret_key_ref }}}} \
         for a secretKeyRef, or parameters.{parameter}.name and parameters.{parameter}.key"
    )
}

/// `secretKeyRef: {{ parameters.password | secret_key_ref }}`: the name of the Secret and the key in it.
pub(super) fn secret_key_ref(value: &Value) -> Result<Value, Error> {
    match value.downcast_object_ref::<SecretParameter>() {
        Some(secret) => Ok(Value::from_pairs([
            ("name", Value::from(secret.reference.secret.as_str())),
            ("key", Value::from(secret.reference.key.as_str())),
        ])),
        None if value.is_undefined() => Err(Error::from(ErrorKind::UndefinedError)),
        None => {
            let why = "this is no secret parameter, or one that is not set: ask with {% if %} before";
            Err(Error::new(ErrorKind::InvalidOperation, why))
        }
    }
}
