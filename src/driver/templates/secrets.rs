//! Secret parameters as templates see them: where the value lies, never the value.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};
use minijinja::{Environment, Error, ErrorKind, Output, State, escape_formatter};

use crate::domain::SecretReference;

/// What stands in an output where a secret was made a text on a way that we do not see (`~`, `upper`, …). No YAML has it.
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
        write!(f, "{MARK}{}{MARK}", self.parameter)
    }
}

/// Makes printing a secret an error.
pub(super) fn guard(environment: &mut Environment<'_>) {
    environment.set_formatter(|out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value| {
        refuse(value)?;
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

/// The secret that was made a text somewhere in an output.
pub(super) fn printed(output: &str) -> Option<String> {
    let parameter = output.split(MARK).nth(1)?;
    Some(message(&parameter.to_lowercase()))
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
