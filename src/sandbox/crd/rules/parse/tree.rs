//! Expressions as trees.

use crate::sandbox::crd::rules::lex::Flaw;
use crate::sandbox::crd::rules::value::Cel;

/// The deepest tree: evaluation is recursive, and must never be out of stack.
pub const DEEPEST: usize = 100;
/// A part of an expression.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it is, in characters.
    pub at: usize,
    /// What it is.
    pub kind: Kind,
    height: usize,
}

/// The kinds of parts.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A literal.
    Literal(Cel),
    /// A variable or the name of a type.
    Name(String),
    /// `of.field`, `of.?field`, `has(of.field)`.
    Select { of: Box<Node>, field: String, mode: Mode },
    /// A function or operator; a method's receiver is the first argument.
    Call { function: String, method: bool, arguments: Vec<Node> },
    /// `[a, ?b]`: whether each is optional.
    List(Vec<(bool, Node)>),
    /// `{a: b, ?c: d}`.
    Map(Vec<(bool, Node, Node)>),
    /// `a ? b : c`.
    Choice(Box<[Node; 3]>),
    /// `a && b && …`
    And(Vec<Node>),
    /// `a || b || …`
    Or(Vec<Node>),
    /// `range.all(variable, body)` and its like.
    Loop { range: Box<Node>, variable: String, steps: Steps },
}

/// How a field is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It must be there.
    Value,
    /// An optional value.
    Optional,
    /// Whether it is there.
    Presence,
}

/// What a macro does with each element.
#[derive(Debug, Clone)]
pub enum Steps {
    /// Every one passes.
    All(Box<Node>),
    /// One passes.
    Exists(Box<Node>),
    /// Exactly one passes.
    ExistsOne(Box<Node>),
    /// Those that pass.
    Filter(Box<Node>),
    /// A value of each, or of those that pass.
    Map(Option<Box<Node>>, Box<Node>),
    /// `optMap`: a value of what an optional has.
    OptionalMap(Box<Node>),
    /// `optFlatMap`: an optional of what an optional has.
    OptionalFlatMap(Box<Node>),
}

impl Steps {
    /// The expressions, in their order.
    pub fn bodies(&self) -> Vec<&Node> {
        match self {
            Self::Map(Some(filter), body) => vec![filter, body],
            Self::All(body)
            | Self::Exists(body)
            | Self::ExistsOne(body)
            | Self::Filter(body)
            | Self::Map(None, body)
            | Self::OptionalMap(body)
            | Self::OptionalFlatMap(body) => vec![body],
        }
    }
}

/// The flaw of what is nested too deeply.
pub fn too_deep(at: usize) -> Flaw {
    Flaw::new(at, format!("the expression is nested too deeply: the sandbox allows {DEEPEST} levels"))
}

/// Makes a node, unless it would be too high.
///
/// # Errors
/// A flaw when it is.
pub fn node(at: usize, kind: Kind) -> Result<Node, Flaw> {
    let below = kind.parts().into_iter().map(|part| part.height).max().unwrap_or(0);
    if below >= DEEPEST {
        return Err(too_deep(at));
    }
    Ok(Node { at, kind, height: below + 1 })
}

impl Kind {
    /// The expressions that it is made of.
    pub fn parts(&self) -> Vec<&Node> {
        match self {
            Self::Literal(_) | Self::Name(_) => Vec::new(),
            Self::Select { of, .. } => vec![of],
            Self::Call { arguments: nodes, .. } | Self::And(nodes) | Self::Or(nodes) => {
                nodes.iter().collect()
            }
            Self::List(items) => items.iter().map(|(_, item)| item).collect(),
            Self::Map(entries) => entries.iter().flat_map(|(_, key, value)| [key, value]).collect(),
            Self::Choice(nodes) => nodes.iter().collect(),
            Self::Loop { range, steps, .. } => std::iter::once(&**range).chain(steps.bodies()).collect(),
        }
    }
}
