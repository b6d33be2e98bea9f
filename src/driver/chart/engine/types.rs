//! Which values a parameter takes, and how Go says that it does not take one.

use super::held::Held;
use super::tree::{Number, Operand, Term};
use crate::driver::chart::functions::Kind;
use crate::driver::chart::value::Value;

/// The parameters of a function.
#[derive(Clone, Copy)]
pub(super) struct Parameters {
    /// Those that are always given.
    pub(super) fixed: &'static [Kind],
    /// Any number of further ones.
    pub(super) rest: Option<Kind>,
}

impl Parameters {
    pub(super) const fn fixed(fixed: &'static [Kind]) -> Self {
        Self { fixed, rest: None }
    }

    pub(super) const fn any(fixed: &'static [Kind]) -> Self {
        Self { fixed, rest: Some(Kind::Any) }
    }

    /// The type of the parameter of that number.
    pub(super) fn kind(&self, index: usize) -> Kind {
        self.fixed.get(index).copied().or(self.rest).unwrap_or(Kind::Any)
    }

    /// Whether that many arguments are right: `operands` that stand after the function, and perhaps one from the pipeline.
    pub(super) fn check_count(&self, name: &str, operands: usize, piped: bool) -> Result<(), String> {
        let (wanted, count) = (self.fixed.len(), operands + usize::from(piped));
        if self.rest.is_some() && count < wanted {
            return Err(format!("wrong number of args for {name}: want at least {wanted} got {operands}"));
        }
        if self.rest.is_none() && count != wanted {
            return Err(format!("wrong number of args for {name}: want {wanted} got {count}"));
        }
        Ok(())
    }
}

/// A literal as an argument; none when the operand is no literal, or when any value will do.
pub(super) fn literal(kind: Kind, operand: &Operand) -> Option<Result<Held, String>> {
    let expected = match (kind, &operand.term) {
        (Kind::Any, _) => return None,
        (Kind::Dict | Kind::List, Term::Nil) => return Some(Ok(Held::Nothing)),
        (_, Term::Nil) => return Some(Err(format!("cannot assign nil to {}", kind.name()))),
        (Kind::Text, Term::Text(..)) | (Kind::Bool, Term::Bool(_)) => return None,
        (Kind::Float, Term::Number(_, Number::Int(value))) => {
            #[expect(clippy::cast_precision_loss, reason = "as Go reads the literal")]
            return Some(Ok(Held::Plain(Value::Float(*value as f64))));
        }
        (Kind::Float, Term::Number(_, Number::Float(_))) => return None,
        (Kind::Int | Kind::Unsigned, Term::Number(_, number)) => {
            if let Some(value) = whole(*number, kind) {
                return Some(Ok(Held::Plain(Value::Int(value))));
            }
            if kind == Kind::Int { "integer" } else { "unsigned integer" }
        }
        (_, Term::Text(..) | Term::Number(..) | Term::Bool(_)) => match kind {
            Kind::Text => "string",
            Kind::Int => "integer",
            Kind::Unsigned => "unsigned integer",
            Kind::Float => "float",
            Kind::Bool => "bool",
            _ => return Some(Err(format!("can't handle {operand} for arg of type {}", kind.name()))),
        },
        _ => return None,
    };
    Some(Err(format!("expected {expected}; found {operand}")))
}

fn whole(number: Number, kind: Kind) -> Option<i64> {
    let value = match number {
        Number::Int(value) => value,
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float without a fraction and within the range"
        )]
        Number::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => value as i64,
        _ => return None,
    };
    (kind != Kind::Unsigned || u32::try_from(value).is_ok()).then_some(value)
}

/// Passes a value to a parameter.
pub(super) fn fit(kind: Kind, held: Held) -> Result<Held, String> {
    let accepted = match (kind, &held) {
        (Kind::Any, _) | (Kind::Dict | Kind::List, Held::Nothing) => true,
        (_, Held::Nothing) => return Err(format!("invalid value; expected {}", kind.name())),
        (_, Held::Boxed(value) | Held::Plain(value)) => accepts(kind, value),
    };
    if accepted {
        return Ok(held);
    }
    let got = match &held {
        Held::Boxed(value) | Held::Plain(value) if !matches!(value, Value::Nil) => value.type_name(),
        _ => "interface {}",
    };
    Err(format!("wrong type for value; expected {}; got {got}", kind.name()))
}

fn accepts(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Any => true,
        Kind::Text => matches!(value, Value::Text(_) | Value::Raw(_)),
        Kind::Int => matches!(value, Value::Int(_)),
        Kind::Unsigned => matches!(value, Value::Int(value) if u32::try_from(*value).is_ok()),
        Kind::Float => matches!(value, Value::Float(_)),
        Kind::Bool => matches!(value, Value::Bool(_)),
        Kind::Dict => matches!(value, Value::Dict(_)),
        Kind::List if matches!(value, Value::List(_)) => true,
        Kind::List | Kind::Time | Kind::Certificate => {
            matches!(value, Value::Object(object) if object.type_name() == kind.name())
        }
    }
}
