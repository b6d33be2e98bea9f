//! One rule of a schema: its expressions, compiled.

use serde_json::Value;

use super::check::Checker;
use super::lex::Flaw;
use super::parse::{Node, parse};
use super::types::{self, Type};

mod literals;
mod path;

pub use literals::check_literals;
pub use path::field_path;

/// A rule that compiled.
#[derive(Debug)]
pub struct Rule<'s> {
    /// As the schema has it.
    pub source: &'s Value,
    /// What must be true.
    pub condition: Node,
    /// What says what is wrong.
    pub message: Option<Node>,
    /// Whether the condition compares with the value before.
    pub uses_old_self: bool,
    /// Whether it is evaluated without a value before.
    pub optional_old_self: bool,
    /// The field that it is about, below its own place.
    pub field_path: Option<String>,
}

/// Why a rule does not compile.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its `rule`.
    Rule(String),
    /// Its `messageExpression`.
    Message(String),
}

/// A text of a rule, without blanks around it; empty when there is none.
pub fn text<'s>(source: &'s Value, field: &str) -> &'s str {
    source[field].as_str().unwrap_or_default().trim()
}

/// Compiles a rule that stands at a schema.
///
/// # Errors
/// When an expression is none, or names what is not there.
pub fn compile<'s>(schema: &'s Value, source: &'s Value, resource: bool) -> Result<Rule<'s>, Refusal> {
    let of = types::of_schema(schema, resource)
        .ok_or_else(|| Refusal::Rule("compilation failed: the schema says no type here".to_owned()))?;
    let optional_old_self = source["optionalOldSelf"] == true;
    let mut checker = Checker::new(of, optional_old_self);
    let rule = source["rule"].as_str().unwrap_or_default();
    let failed = |flaw: Flaw| Refusal::Rule(format!("compilation failed: {}", flaw.show(rule)));
    let (condition, found) = one(&mut checker, rule).map_err(failed)?;
    if !found.is("bool") {
        return Err(Refusal::Rule("cel expression must evaluate to a bool".to_owned()));
    }
    let uses_old_self = checker.uses_old_self;
    let message = source["messageExpression"].as_str().filter(|text| !text.trim().is_empty());
    let message = match message {
        None => None,
        Some(text) => {
            let failed = |flaw: Flaw| {
                Refusal::Message(format!("messageExpression compilation failed: {}", flaw.show(text)))
            };
            let (message, found) = one(&mut checker, text).map_err(failed)?;
            if !found.is("string") {
                return Err(Refusal::Message("messageExpression must evaluate to a string".to_owned()));
            }
            Some(message)
        }
    };
    let uses_old_self = uses_old_self || checker.uses_old_self;
    let field_path = source["fieldPath"].as_str().and_then(|path| field_path(path.trim(), schema).ok());
    Ok(Rule { source, condition, message, uses_old_self, optional_old_self, field_path })
}

fn one<'s>(checker: &mut Checker<'s>, text: &str) -> Result<(Node, Type<'s>), Flaw> {
    let node = parse(text)?;
    let found = checker.check(&node)?;
    Ok((node, found))
}
