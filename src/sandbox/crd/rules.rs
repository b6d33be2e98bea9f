//! Validation rules of custom resources (`x-kubernetes-validations`): expressions of the Common Expression Language.
//!
//! ```text
//! lex → parse → check (types: from the schema; functions: declarations) → evaluate (value: JSON by the schema; meter: costs)
//! definition: every rule of a schema compiles        objects: every rule of an object holds
//! ```
//!
//! What a real server has and this does not is refused when the definition is written: message literals, macros with two
//! variables, `format.*`, versions (`semver`). The estimate of costs from the schema's limits is absent: what a rule costs is
//! counted when it runs.

mod check;
mod compile;
mod definition;
mod evaluate;
mod functions;
mod lex;
mod meter;
mod names;
mod objects;
mod parse;
mod types;
mod value;

#[cfg(test)]
mod tests;

pub use definition::{check, has_rules, not_checked};
pub use objects::validate;
