//! The tree of a template.

use std::rc::Rc;

use crate::driver::chart::value::Value;

/// A template: the body of a file, or a definition in it.
pub(super) struct Tree {
    /// How it is called: the file's path, or the name of the definition.
    pub(super) name: Rc<str>,
    /// Where it stands.
    pub(super) file: Rc<File>,
    pub(super) body: Vec<Node>,
}

/// A source of templates.
pub(super) struct File {
    pub(super) path: Rc<str>,
    pub(super) source: Rc<str>,
}

impl File {
    /// Line from 1 and column from 0, as Go counts them, of an offset.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.source.as_bytes().get(..offset).unwrap_or(self.source.as_bytes());
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        (line, before.len() - start)
    }
}

/// Nothing but blanks: such a body never replaces a definition.
pub(super) fn is_blank(body: &[Node]) -> bool {
    body.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}

/// A piece of a template.
pub(super) enum Node {
    /// Text between actions.
    Text(Rc<str>),
    /// `{{ pipeline }}`.
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    /// `{{ template "name" pipeline }}`.
    Template(Invocation),
    Break,
    Continue,
}

/// `if`, `with` and `range`.
pub(super) struct Branch {
    /// The pipeline and the body, and then those of each `else if` or `else with`.
    pub(super) arms: Vec<(Pipe, Vec<Node>)>,
    pub(super) otherwise: Option<Vec<Node>>,
    /// Where the pipeline begins.
    pub(super) offset: usize,
}

/// `{{ template "name" pipeline }}`.
pub(super) struct Invocation {
    pub(super) name: Rc<str>,
    pub(super) pipe: Option<Pipe>,
    pub(super) offset: usize,
}

/// Commands joined by `|`, whose value may go to variables.
pub(super) struct Pipe {
    pub(super) offset: usize,
    /// The variables that are declared or assigned, with their `$`.
    pub(super) variables: Vec<Rc<str>>,
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// Operands one after another: a value, or a function and its arguments.
pub(super) struct Command {
    pub(super) offset: usize,
    pub(super) operands: Vec<Operand>,
}

/// An operand and where it stands.
pub(super) struct Operand {
    pub(super) offset: usize,
    pub(super) term: Term,
}

/// What an operand is.
pub(super) enum Term {
    Dot,
    Nil,
    Bool(bool),
    /// As it is written, and its value.
    Number(Rc<str>, Number),
    /// As it is written, and what it stands for.
    Text(Rc<str>, Value),
    /// `.a.b`: `a`, `b`.
    Field(Vec<Rc<str>>),
    /// `$x.a`: `$x`, `a`.
    Variable(Vec<Rc<str>>),
    /// The name of a function.
    Identifier(Rc<str>),
    /// A pipeline in parentheses.
    Pipe(Pipe),
    /// Fields of a pipeline's or a function's value.
    Chain(Box<Operand>, Vec<Rc<str>>),
}

/// The value of a number in a template.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
    /// Beyond `int`: an error where it is used.
    Overflow,
}
