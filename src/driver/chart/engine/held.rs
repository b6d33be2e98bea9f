//! What an expression of a template yields.

use crate::driver::chart::value::Value;

/// A value, and what Go's templates know of its type.
///
/// Go tells a missing value, `nil` in an `interface {}` and other values apart, and charts depend on it: a field of nothing is
/// nothing, while a field of a `nil` that came out of a dictionary is an error.
#[derive(Clone)]
pub(super) enum Held {
    /// Not even `nil`.
    Nothing,
    /// A value as it came out of a dictionary or a list, where its type is `interface {}`.
    Boxed(Value),
    /// A value of its own type.
    Plain(Value),
}

impl Held {
    /// A result of a function.
    pub(super) fn result(value: Value) -> Self {
        match value {
            Value::Nil => Self::Boxed(Value::Nil),
            _ => Self::Plain(value),
        }
    }

    /// What a pipeline makes of it: the value inside of the `interface {}`.
    pub(super) fn dig(self) -> Self {
        match self {
            Self::Boxed(Value::Nil) | Self::Plain(Value::Nil) => Self::Nothing,
            Self::Boxed(value) => Self::Plain(value),
            other => other,
        }
    }

    /// What a function is given.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Nothing => Value::Nil,
            Self::Boxed(value) | Self::Plain(value) => value,
        }
    }

    /// The value, when there is one that is not `nil`.
    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Self::Nothing | Self::Boxed(Value::Nil) | Self::Plain(Value::Nil) => None,
            Self::Boxed(value) | Self::Plain(value) => Some(value),
        }
    }

    /// Go's name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Nothing => "<nil>",
            Self::Boxed(_) => "interface {}",
            Self::Plain(value) => value.type_name(),
        }
    }

    /// Whether `if` takes it for true.
    pub(super) fn truth(&self) -> bool {
        self.value().is_some_and(Value::truth)
    }
}
