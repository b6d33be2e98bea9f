//! Executes the templates of a chart: the language of Go's `text/template` (1.23) with Helm's additions.
//!
//! The words of errors are Go's, because those are the words that charts' authors know and search for.

mod builtins;
mod call;
mod compare;
mod conversions;
mod error;
mod escape;
mod evaluate;
mod held;
mod helm;
mod lex;
mod limits;
mod literal;
mod parse;
mod pipeline;
mod run;
mod scope;
mod show;
#[cfg(test)]
mod tests;
mod token;
mod tree;
mod types;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::functions::Surroundings;
use super::value::{Value, lossy};
use held::Held;
use limits::Budget;
use run::{Failure, Run};
use scope::Scope;
use tree::{File, Tree};

pub use error::{Frame, TemplateError};
pub use limits::{Limits, on_deep_stack};

/// What `lookup` asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupKey {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// `Secret`.
    pub kind: String,
    /// Empty for objects without one, and for all namespaces.
    pub namespace: String,
    /// Empty for a list of all of them.
    pub name: String,
}

/// Answers a `lookup`: the object, or nil when there is none; an error is a text for the chart's user.
pub type Lookup = Box<dyn Fn(&LookupKey) -> Result<Value, String>>;

/// The templates of a chart and of its dependencies, for one rendering: the limits count for all of it.
pub struct Templates {
    core: Core,
    scope: Rc<Scope>,
}

impl Templates {
    /// No templates yet.
    pub fn new(surroundings: Surroundings, lookup: Lookup, limits: Limits) -> Self {
        let core = Core {
            surroundings,
            lookup,
            budget: Budget::new(limits),
            included: RefCell::default(),
            read: RefCell::default(),
        };
        Self { core, scope: Rc::default() }
    }

    /// Adds the template of a file and the definitions in it.
    ///
    /// Of two definitions of one name, the later one counts, unless it is blank. Helm adds the files of the deepest directories
    /// first, so that a chart's own definitions count before those of its dependencies.
    ///
    /// # Errors
    /// When it is no template.
    pub fn add(&mut self, path: &str, source: &str) -> Result<(), TemplateError> {
        let trees = self.core.parse(&Rc::from(path), &Rc::from(source)).map_err(|failure| *failure)?;
        trees.iter().for_each(|tree| self.scope.define(tree));
        Ok(())
    }

    /// Executes the template of that path with `dot`, and yields its text.
    ///
    /// # Errors
    /// When a value is not what the template takes it for, when the chart's author raises an error, or at a limit.
    pub fn execute(&self, path: &str, dot: &Value) -> Result<String, TemplateError> {
        let Some(tree) = self.scope.find(path) else {
            return Err(TemplateError::unreadable(path, 0, "there is no template of this path".to_owned()));
        };
        path.clone_into(&mut self.core.surroundings.draw.borrow_mut().place);
        let mut out = Vec::new();
        Run::execute(&self.core, &self.scope, &tree, Held::Plain(dot.clone()).dig(), &mut out)
            .map_err(|failure| *failure)?;
        let out = String::from_utf8(out).unwrap_or_else(|error| lossy(error.as_bytes()).into_owned());
        Ok(if out.contains("<no value>") { out.replace("<no value>", "") } else { out })
    }
}

/// The template of a file and the definitions in it.
type Trees = Rc<[Rc<Tree>]>;

/// The longest way to a template, in bytes: the names of all templates that it is within.
const PLACE: usize = 256 << 10;

/// What all executions of templates share.
struct Core {
    surroundings: Surroundings,
    lookup: Lookup,
    budget: Budget,
    /// How often each template is within itself by `include`.
    included: RefCell<HashMap<Rc<str>, usize>>,
    /// What `tpl` has read: the same text mostly comes again.
    read: RefCell<HashMap<Rc<str>, Trees>>,
}

impl Core {
    /// Reads a template, or finds that it has been read before.
    fn parse(&self, name: &Rc<str>, source: &Rc<str>) -> Result<Trees, Failure> {
        if let Some(trees) =
            self.read.borrow().get(source).filter(|trees| trees.iter().any(|tree| tree.name == *name))
        {
            return Ok(Rc::clone(trees));
        }
        let unreadable = |line, message| Box::new(TemplateError::unreadable(name, line, message));
        self.budget.bytes(source.len()).map_err(|message| unreadable(0, message))?;
        let file = Rc::new(File { path: Rc::clone(name), source: Rc::clone(source) });
        let trees = parse::parse(name, &file, &call::is_known)
            .map_err(|problem| unreadable(problem.line, problem.message))?;
        let trees: Trees = Rc::from(trees);
        self.read.borrow_mut().insert(Rc::clone(source), Rc::clone(&trees));
        Ok(trees)
    }

    /// Goes into a template: random values drawn in it depend on the way there. The result is for [`Core::leave`].
    fn enter(&self, name: &str) -> Result<usize, String> {
        self.budget.bytes(name.len())?;
        let place = &mut self.surroundings.draw.borrow_mut().place;
        let length = place.len();
        if length + name.len() > PLACE {
            return Err(format!(
                "the names of the templates that are within one another have more than {} KiB",
                PLACE >> 10
            ));
        }
        place.push_str(" > ");
        place.push_str(name);
        Ok(length)
    }

    fn leave(&self, length: usize) {
        self.surroundings.draw.borrow_mut().place.truncate(length);
    }
}
