//! Calls functions.

use super::builtins;
use super::evaluate::Arguments;
use super::held::Held;
use super::helm;
use super::run::{At, Failure, Run};
use super::tree::{Operand, Term};
use crate::driver::chart::functions::{self, Function};
use crate::driver::chart::value::Value;

/// Functions that go through all that is inside of their arguments, and so cost more than their arguments' length tells.
const DEEP: [&str; 12] = [
    "deepCopy",
    "deepEqual",
    "merge",
    "mergeOverwrite",
    "mustDeepCopy",
    "mustMerge",
    "mustMergeOverwrite",
    "quote",
    "squote",
    "toString",
    "toStrings",
    "uniq",
];

/// A function by its name, in the order in which Helm's templates find it.
enum Callee {
    Helm(helm::Known),
    Sprig(Function),
    Go(builtins::Known),
}

fn find(name: &str) -> Option<Callee> {
    helm::find(name)
        .map(Callee::Helm)
        .or_else(|| functions::find(name).map(|entry| Callee::Sprig(entry.call)))
        .or_else(|| builtins::find(name).map(Callee::Go))
}

/// Whether templates may call a function of that name.
pub(super) fn is_known(name: &str) -> bool {
    name == "and" || name == "or" || find(name).is_some()
}

/// Outcome of a call: the error is its text, or the error of a template that it executed with what the function was about.
pub(super) enum Trouble {
    /// What is wrong, to be told after `error calling NAME: `.
    Text(String),
    /// What the chart's author has to say to the chart's user.
    Raised(String),
    /// An error within a template that the function executed.
    Inside(Failure, String),
    /// A limit that is reached.
    Limit(String),
}

impl From<String> for Trouble {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<'t> Run<'t> {
    /// Evaluates the arguments of a call.
    pub(super) fn evaluate(&mut self, dot: &Held, arguments: Arguments<'t>) -> Result<Vec<Held>, Failure> {
        let mut values = Vec::with_capacity(arguments.operands.len() + 1);
        for operand in arguments.operands {
            values.push(self.argument(dot, operand)?);
        }
        values.extend(arguments.last);
        Ok(values)
    }

    /// Calls a function. `whole` is the piece of template that errors of the function itself are told at.
    pub(super) fn call(
        &mut self,
        dot: &Held,
        name: &str,
        whole: At<'t>,
        arguments: Arguments<'t>,
    ) -> Result<Held, Failure> {
        let _level = self.deeper()?;
        self.check(self.core.budget.step())?;
        if matches!(name, "and" | "or") {
            return self.and_or(dot, name, arguments);
        }
        let Some(callee) = find(name) else {
            return self.fail(format!("{name:?} is not a defined function"));
        };
        let (least, most) = match &callee {
            Callee::Helm(known) => known.arity,
            Callee::Go(known) => known.arity,
            Callee::Sprig(_) => (0, usize::MAX),
        };
        self.check_count(name, &arguments, least, most)?;
        let operands = arguments.operands;
        let held = self.evaluate(dot, arguments)?;
        let outcome = match callee {
            Callee::Go(known) => (known.function)(&held).map_err(Trouble::Text),
            Callee::Helm(known) => {
                let values: Vec<Value> = held.iter().cloned().map(Held::into_value).collect();
                (known.function)(self.core, self.scope, &values).map(Held::result)
            }
            Callee::Sprig(function) => {
                let values: Vec<Value> = held.iter().cloned().map(Held::into_value).collect();
                self.pay(name, &values)?;
                function(&self.core.surroundings, &values).map(Held::result).map_err(Trouble::Text)
            }
        };
        match outcome {
            Ok(result) => {
                if let Some(value) = result.value() {
                    self.check(self.core.budget.shallow(value))?;
                }
                Ok(result)
            }
            Err(trouble) => Err(self.troubled(name, whole, trouble, operands, &held)),
        }
    }

    /// `and` and `or` evaluate no more arguments than they need.
    fn and_or(&mut self, dot: &Held, name: &str, arguments: Arguments<'t>) -> Result<Held, Failure> {
        self.check_count(name, &arguments, 1, usize::MAX)?;
        let mut value = Held::Nothing;
        for operand in arguments.operands {
            value = self.argument(dot, operand)?;
            if value.truth() == (name == "or") {
                return Ok(value);
            }
        }
        Ok(arguments.last.unwrap_or(value))
    }

    fn check_count(
        &self,
        name: &str,
        arguments: &Arguments<'_>,
        least: usize,
        most: usize,
    ) -> Result<(), Failure> {
        let count = arguments.operands.len() + usize::from(arguments.last.is_some());
        if most == usize::MAX && count < least {
            let got = arguments.operands.len();
            return self.fail(format!("wrong number of args for {name}: want at least {least} got {got}"));
        }
        if most != usize::MAX && !(least..=most).contains(&count) {
            return self.fail(format!("wrong number of args for {name}: want {least} got {count}"));
        }
        Ok(())
    }

    /// Pays for what a function will look at.
    fn pay(&self, name: &str, values: &[Value]) -> Result<(), Failure> {
        let deep = DEEP.contains(&name);
        for value in values {
            let paid = if deep { self.core.budget.deep(value) } else { self.core.budget.shallow(value) };
            self.check(paid)?;
        }
        Ok(())
    }

    fn troubled(
        &self,
        name: &str,
        whole: At<'t>,
        trouble: Trouble,
        operands: &'t [Operand],
        held: &[Held],
    ) -> Failure {
        match trouble {
            Trouble::Text(text) if text.starts_with("wrong number of args for ") => self.failure(text),
            Trouble::Text(text) if text.starts_with("wrong type for value; expected ") => {
                self.wrong_type(&text, operands, held)
            }
            Trouble::Text(text) => {
                self.at(whole);
                self.failure(format!("error calling {name}: {text}"))
            }
            Trouble::Raised(text) => {
                self.at(whole);
                let mut failure = self.failure(text);
                failure.raised = true;
                failure
            }
            Trouble::Limit(text) => {
                self.at(whole);
                self.failure(text)
            }
            Trouble::Inside(failure, doing) => {
                self.at(whole);
                let doing = if doing.is_empty() {
                    format!("error calling {name}")
                } else {
                    format!("error calling {name}: {doing}")
                };
                Box::new(failure.called_from(self.frame(doing)))
            }
        }
    }

    /// Tells an argument of the wrong type at the argument, as Go does, which checks it before the call.
    fn wrong_type(&self, text: &str, operands: &'t [Operand], held: &[Held]) -> Failure {
        let expected = text.strip_prefix("wrong type for value; expected ").unwrap_or("");
        let (expected, got) = expected.split_once("; got ").unwrap_or((expected, ""));
        let is_wrong = |value: &Held| match value {
            Held::Nothing | Held::Boxed(Value::Nil) => matches!(got, "interface {}" | "<nil>"),
            Held::Boxed(value) | Held::Plain(value) => value.type_name() == got,
        };
        let Some(index) = held.iter().position(is_wrong) else { return self.failure(text) };
        if let Some(operand) = operands.get(index) {
            self.at(At::Operand(operand));
            if matches!(operand.term, Term::Text(..) | Term::Number(..) | Term::Bool(_)) {
                let expected = if expected == "int" { "integer" } else { expected };
                return self.failure(format!("expected {expected}; found {operand}"));
            }
        }
        match held.get(index) {
            Some(Held::Nothing) => self.failure(format!("invalid value; expected {expected}")),
            _ => self.failure(text),
        }
    }
}
