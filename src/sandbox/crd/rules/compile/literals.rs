//! Literals that would never be patterns, durations or times.

use jiff::Timestamp;

use crate::sandbox::crd::rules::functions::{patterns, time};
use crate::sandbox::crd::rules::lex::Flaw;
use crate::sandbox::crd::rules::parse::{Kind, Node};
use crate::sandbox::crd::rules::value::Cel;

/// Checks the literals that `matches()`, `duration()` and `timestamp()` are called with. It is for definitions: to compile
/// patterns costs more than everything else.
///
/// # Errors
/// The first flaw.
pub fn check_literals(node: &Node) -> Result<(), Flaw> {
    if let Kind::Call { function, arguments, .. } = &node.kind
        && let Some(Node { kind: Kind::Literal(Cel::Text(text)), at, .. }) = arguments.last()
    {
        let good = match (function.as_str(), arguments.len()) {
            ("matches", 2) => patterns::compile(text).is_some(),
            ("duration", 1) => time::duration(text, false).is_some(),
            ("timestamp", 1) => text.parse::<Timestamp>().is_ok() && text.contains(['T', 't']),
            _ => true,
        };
        if !good {
            return Err(Flaw::new(*at, format!("invalid {function} argument")));
        }
    }
    node.kind.parts().into_iter().try_for_each(check_literals)
}
