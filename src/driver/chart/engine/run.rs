//! Executes a template: writes its text and follows its actions.

use std::cell::Cell;
use std::fmt::{self, Display};
use std::rc::Rc;

use super::Core;
use super::error::{Frame, TemplateError, piece};
use super::held::Held;
use super::limits::Level;
use super::scope::Scope;
use super::tree::{Branch, Command, Invocation, Node, Operand, Pipe, Term, Tree};
use crate::driver::chart::format;
use crate::driver::chart::value::Value;

/// An error on its way out.
pub(super) type Failure = Box<TemplateError>;

/// What a loop goes through: the index or key of each item, and the item.
type Items = Box<dyn Iterator<Item = (Value, Held)>>;

/// How the nodes after a node go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
}

/// The piece of template that the engine is at.
#[derive(Clone, Copy)]
pub(super) enum At<'t> {
    Start,
    Node(&'t Node, usize),
    Invocation(&'t Invocation),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Operand(&'t Operand),
}

impl At<'_> {
    fn offset(self) -> usize {
        match self {
            Self::Start => 0,
            Self::Node(_, offset) => offset,
            Self::Invocation(invocation) => invocation.offset,
            Self::Pipe(pipe) => pipe.offset,
            Self::Command(command) => command.offset,
            Self::Operand(operand) => operand.offset,
        }
    }
}

impl Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => Ok(()),
            Self::Node(node, _) => node.fmt(f),
            Self::Invocation(invocation) => invocation.fmt(f),
            Self::Pipe(pipe) => pipe.fmt(f),
            Self::Command(command) => command.fmt(f),
            // A pipeline shows its parentheses only within something else.
            Self::Operand(Operand { term: Term::Pipe(pipe), .. }) => pipe.fmt(f),
            Self::Operand(operand) => operand.fmt(f),
        }
    }
}

/// One execution of one template.
pub(super) struct Run<'t> {
    pub(super) core: &'t Core,
    pub(super) scope: &'t Rc<Scope>,
    tree: &'t Tree,
    at: Cell<At<'t>>,
    /// The variables in scope, the innermost last.
    pub(super) variables: Vec<(Rc<str>, Held)>,
}

impl<'t> Run<'t> {
    /// Executes `tree` with `dot` and appends what it writes to `out`.
    pub(super) fn execute(
        core: &'t Core,
        scope: &'t Rc<Scope>,
        tree: &'t Tree,
        dot: Held,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let variables = vec![(Rc::from("$"), dot.clone())];
        let mut run = Run { core, scope, tree, at: Cell::new(At::Start), variables };
        run.walk(&dot, &tree.body, out)?;
        Ok(())
    }

    /// Marks where the engine is, for messages.
    pub(super) fn at(&self, at: At<'t>) {
        self.at.set(at);
    }

    /// An error at the place where the engine is.
    pub(super) fn failure(&self, message: impl Into<String>) -> Failure {
        Box::new(TemplateError::at(self.frame(String::new()), message.into()))
    }

    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Result<T, Failure> {
        Err(self.failure(message))
    }

    /// Where the engine is, and what it does there.
    pub(super) fn frame(&self, doing: String) -> Frame {
        let at = self.at.get();
        let (line, column) = self.tree.file.place(at.offset());
        Frame {
            template: self.tree.file.path.to_string(),
            line,
            column,
            executing: piece(&*self.tree.name),
            at: piece(at),
            doing,
        }
    }

    /// Turns a text into an error at the place where the engine is.
    pub(super) fn check<T>(&self, outcome: Result<T, String>) -> Result<T, Failure> {
        outcome.map_err(|message| self.failure(message))
    }

    pub(super) fn deeper(&self) -> Result<Level<'t>, Failure> {
        self.check(self.core.budget.deeper())
    }

    fn walk(&mut self, dot: &Held, nodes: &'t [Node], out: &mut Vec<u8>) -> Result<Flow, Failure> {
        let _level = self.deeper()?;
        for node in nodes {
            let flow = self.node(dot, node, out)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, dot: &Held, node: &'t Node, out: &mut Vec<u8>) -> Result<Flow, Failure> {
        self.check(self.core.budget.step())?;
        match node {
            Node::Text(text) => self.write(text.as_bytes(), out)?,
            Node::Action(pipe) => {
                self.at(At::Node(node, pipe.offset));
                let value = self.pipeline(dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.print(node, pipe.offset, &value, out)?;
                }
            }
            Node::If(branch) => return self.if_or_with(dot, branch, false, out),
            Node::With(branch) => return self.if_or_with(dot, branch, true, out),
            Node::Range(branch) => return self.range(node, dot, branch, out),
            Node::Template(invocation) => self.invoke(dot, invocation, out)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn write(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        self.check(self.core.budget.bytes(text.len()))?;
        self.check(self.core.budget.output(out.len() + text.len()))?;
        out.extend_from_slice(text);
        Ok(())
    }

    fn print(&self, node: &'t Node, offset: usize, value: &Held, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.at(At::Node(node, offset));
        match value.value() {
            None => self.write(b"<no value>", out),
            Some(Value::Text(text)) => self.write(text.as_bytes(), out),
            Some(value) => {
                let text = self.check(format::sprint(std::slice::from_ref(value)))?;
                self.write(&text, out)
            }
        }
    }

    fn if_or_with(
        &mut self,
        dot: &Held,
        branch: &'t Branch,
        moves_dot: bool,
        out: &mut Vec<u8>,
    ) -> Result<Flow, Failure> {
        let mark = self.variables.len();
        let mut chosen = branch.otherwise.as_ref().map(|body| (dot.clone(), body));
        for (pipe, body) in &branch.arms {
            let value = self.pipeline(dot, pipe)?;
            if value.truth() {
                chosen = Some((if moves_dot { value } else { dot.clone() }, body));
                break;
            }
        }
        let flow = match chosen {
            Some((dot, body)) => self.walk(&dot, body, out)?,
            None => Flow::Next,
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn range(
        &mut self,
        node: &'t Node,
        dot: &Held,
        branch: &'t Branch,
        out: &mut Vec<u8>,
    ) -> Result<Flow, Failure> {
        self.at(At::Node(node, branch.offset));
        let Some((pipe, body)) = branch.arms.first() else { return Ok(Flow::Next) };
        let mark = self.variables.len();
        let over = self.pipeline(dot, pipe)?;
        let inner = self.variables.len();
        let mut empty = true;
        for (index, item) in self.items(&over, pipe)? {
            empty = false;
            self.check(self.core.budget.step())?;
            self.assign_loop_variables(pipe, inner, index, &item)?;
            let flow = self.walk(&item, body, out)?;
            self.variables.truncate(inner);
            if flow == Flow::Break {
                break;
            }
        }
        let mut flow = Flow::Next;
        if let (true, Some(otherwise)) = (empty, &branch.otherwise) {
            flow = self.walk(dot, otherwise, out)?;
        }
        self.variables.truncate(mark);
        Ok(flow)
    }

    /// What `range` goes through: of a dictionary a copy, so that a body may change it.
    fn items(&self, over: &Held, pipe: &Pipe) -> Result<Items, Failure> {
        let number = |index: usize| Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
        Ok(match over.value().map(Value::opened).as_ref() {
            None => Box::new(std::iter::empty()),
            Some(Value::List(items)) => {
                let items = Rc::clone(items);
                let item = move |index| Some((number(index), Held::Boxed(items.get(index)?.clone())));
                Box::new((0..).map_while(item))
            }
            Some(Value::Bytes(bytes)) => {
                let bytes = Rc::clone(bytes);
                let item = move |index| {
                    let byte = i64::from(*bytes.get(index)?);
                    Some((number(index), Held::Plain(Value::Int(byte))))
                };
                Box::new((0..).map_while(item))
            }
            Some(Value::Dict(entries)) => {
                self.check(self.core.budget.bytes(4 * entries.borrow().len()))?;
                let entries: Vec<_> = entries
                    .borrow()
                    .iter()
                    .map(|(key, item)| (Value::Text(Rc::clone(key)), Held::Boxed(item.clone())))
                    .collect();
                Box::new(entries.into_iter())
            }
            // Helm 4 goes through numbers, Helm 3 does not: no chart can mean anything else by it.
            Some(Value::Int(count)) if pipe.variables.len() < 2 => {
                Box::new((0..*count).map(|item| (Value::Nil, Held::Plain(Value::Int(item)))))
            }
            Some(Value::Int(count)) => {
                return self.fail(format!("can't use {count} to iterate over more than one variable"));
            }
            Some(other) => {
                let shown = self.check(format::print(other))?;
                return self.fail(format!("range can't iterate over {}", piece(&*shown)));
            }
        })
    }

    fn assign_loop_variables(
        &mut self,
        pipe: &Pipe,
        inner: usize,
        index: Value,
        item: &Held,
    ) -> Result<(), Failure> {
        let values = match pipe.variables.len() {
            0 => return Ok(()),
            1 => vec![item.clone()],
            _ => vec![Held::Plain(index), item.clone()],
        };
        for (position, (name, value)) in pipe.variables.iter().zip(values).enumerate() {
            if pipe.assigns {
                self.set_variable(name, value)?;
            } else if let Some(variable) = self.variables.get_mut(inner - pipe.variables.len() + position) {
                variable.1 = value;
            }
        }
        Ok(())
    }

    /// `{{ template "name" pipeline }}`.
    fn invoke(&mut self, dot: &Held, invocation: &'t Invocation, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.at(At::Invocation(invocation));
        let Some(tree) = self.scope.find(&invocation.name) else {
            return self.fail(format!("template {} not defined", piece(format::quote(&invocation.name))));
        };
        let dot = match &invocation.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Held::Nothing,
        };
        let _level = self.deeper()?;
        let place = self.check(self.core.enter(&invocation.name))?;
        let done = Run::execute(self.core, self.scope, &tree, dot, out);
        self.core.leave(place);
        done
    }
}
