//! What looks like a call and is none: macros, and functions with a prefix.

use super::{Kind, Mode, Node, Steps, node};
use crate::sandbox::crd::rules::lex::Flaw;

/// Names before the dot that are no variables: `optional.of(x)`.
const PREFIXES: [&str; 5] = ["optional", "sets", "ip", "format", "math"];

/// A call without a receiver.
pub fn function(at: usize, function: String, mut arguments: Vec<Node>) -> Result<Node, Flaw> {
    if function != "has" {
        return node(at, Kind::Call { function, method: false, arguments });
    }
    let wrong = || Flaw::new(at, "invalid argument to has() macro");
    match (arguments.pop(), arguments.is_empty()) {
        (Some(Node { kind: Kind::Select { of, field, mode: Mode::Value }, at, .. }), true) => {
            node(at, Kind::Select { of, field, mode: Mode::Presence })
        }
        _ => Err(wrong()),
    }
}

/// A call with a receiver.
pub fn method(at: usize, receiver: Node, name: String, mut arguments: Vec<Node>) -> Result<Node, Flaw> {
    if let Kind::Name(prefix) = &receiver.kind
        && PREFIXES.contains(&prefix.as_str())
    {
        return node(at, Kind::Call { function: format!("{prefix}.{name}"), method: false, arguments });
    }
    let count = arguments.len();
    let is_macro = match name.as_str() {
        "all" | "exists" | "exists_one" | "existsOne" | "filter" | "optMap" | "optFlatMap" => count == 2,
        "map" => count == 2 || count == 3,
        _ => false,
    };
    if count == 3
        && matches!(name.as_str(), "all" | "exists" | "existsOne" | "transformList" | "transformMap")
    {
        return Err(Flaw::new(
            at,
            format!("the sandbox does not have the macro '{name}' with two variables"),
        ));
    }
    if !is_macro {
        arguments.insert(0, receiver);
        return node(at, Kind::Call { function: name, method: true, arguments });
    }
    let first = arguments.remove(0);
    let Kind::Name(variable) = first.kind else {
        return Err(Flaw::new(first.at, "argument must be a simple name"));
    };
    let filter = (arguments.len() == 2).then(|| Box::new(arguments.remove(0)));
    let body = Box::new(arguments.remove(0));
    let steps = match name.as_str() {
        "all" => Steps::All(body),
        "exists" => Steps::Exists(body),
        "filter" => Steps::Filter(body),
        "map" => Steps::Map(filter, body),
        "optMap" => Steps::OptionalMap(body),
        "optFlatMap" => Steps::OptionalFlatMap(body),
        _ => Steps::ExistsOne(body),
    };
    node(at, Kind::Loop { range: Box::new(receiver), variable, steps })
}
