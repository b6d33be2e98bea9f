//! Evaluates pipelines, commands and operands.

use std::rc::Rc;

use super::held::Held;
use super::run::{At, Failure, Run};
use super::tree::{Command, Number, Operand, Pipe, Term};
use super::types::Parameters;
use crate::driver::chart::value::Value;

/// What a command is given: its operands after the first, and the value of the command before it in the pipeline.
pub(super) struct Arguments<'t> {
    pub(super) operands: &'t [Operand],
    pub(super) last: Option<Held>,
}

impl Arguments<'_> {
    pub(super) const NONE: Self = Self { operands: &[], last: None };

    fn is_empty(&self) -> bool {
        self.operands.is_empty() && self.last.is_none()
    }
}

impl<'t> Run<'t> {
    /// The value of a pipeline, which goes to its variables, too.
    pub(super) fn pipeline(&mut self, dot: &Held, pipe: &'t Pipe) -> Result<Held, Failure> {
        let _level = self.deeper()?;
        self.at(At::Pipe(pipe));
        self.check(self.core.budget.step())?;
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(dot, command, last.take())?.dig());
        }
        let value = last.unwrap_or(Held::Nothing);
        for name in &pipe.variables {
            if pipe.assigns {
                self.set_variable(name, value.clone())?;
            } else {
                self.variables.push((Rc::clone(name), value.clone()));
            }
        }
        Ok(value)
    }

    pub(super) fn set_variable(&mut self, name: &str, value: Held) -> Result<(), Failure> {
        match self.variables.iter_mut().rev().find(|(known, _)| **known == *name) {
            Some(variable) => {
                variable.1 = value;
                Ok(())
            }
            None => self.fail(format!("undefined variable: {name}")),
        }
    }

    fn command(&mut self, dot: &Held, command: &'t Command, last: Option<Held>) -> Result<Held, Failure> {
        let Some((first, operands)) = command.operands.split_first() else { return Ok(Held::Nothing) };
        let arguments = Arguments { operands, last };
        match &first.term {
            Term::Field(names) => {
                self.at(At::Operand(first));
                self.fields(dot, dot.clone(), names, arguments)
            }
            Term::Chain(..) => self.chain(dot, first, arguments),
            Term::Variable(names) => self.variable(dot, first, names, arguments),
            Term::Identifier(name) => {
                self.at(At::Operand(first));
                self.call(dot, name, At::Command(command), arguments)
            }
            Term::Pipe(pipe) => {
                self.no_arguments(first, &arguments)?;
                self.pipeline(dot, pipe)
            }
            _ => {
                self.at(At::Operand(first));
                self.no_arguments(first, &arguments)?;
                self.plain(dot, first)
            }
        }
    }

    /// A dot or a literal.
    fn plain(&self, dot: &Held, operand: &'t Operand) -> Result<Held, Failure> {
        match &operand.term {
            Term::Dot => Ok(dot.clone()),
            Term::Bool(value) => Ok(Held::Plain(Value::Bool(*value))),
            Term::Text(_, text) => Ok(Held::Plain(text.clone())),
            Term::Number(_, Number::Int(value)) => Ok(Held::Plain(Value::Int(*value))),
            Term::Number(_, Number::Float(value)) => Ok(Held::Plain(Value::Float(*value))),
            Term::Number(written, Number::Overflow) => self.fail(format!("{written} overflows int")),
            _ => self.fail("nil is not a command"),
        }
    }

    fn no_arguments(&self, operand: &Operand, arguments: &Arguments<'_>) -> Result<(), Failure> {
        if arguments.is_empty() {
            return Ok(());
        }
        // Here Go writes a pipeline without its parentheses.
        let shown = match &operand.term {
            Term::Pipe(pipe) => pipe.to_string(),
            _ => operand.to_string(),
        };
        self.fail(format!("can't give argument to non-function {shown}"))
    }

    /// An operand as a function's argument.
    pub(super) fn argument(&mut self, dot: &Held, operand: &'t Operand) -> Result<Held, Failure> {
        self.at(At::Operand(operand));
        self.check(self.core.budget.step())?;
        match &operand.term {
            Term::Nil => Ok(Held::Nothing),
            Term::Field(names) => self.fields(dot, dot.clone(), names, Arguments::NONE),
            Term::Chain(..) => self.chain(dot, operand, Arguments::NONE),
            Term::Variable(names) => self.variable(dot, operand, names, Arguments::NONE),
            Term::Identifier(name) => self.call(dot, name, At::Operand(operand), Arguments::NONE),
            Term::Pipe(pipe) => self.pipeline(dot, pipe),
            _ => self.plain(dot, operand),
        }
    }

    /// `$x` or `$x.a.b`.
    fn variable(
        &mut self,
        dot: &Held,
        operand: &'t Operand,
        names: &'t [Rc<str>],
        arguments: Arguments<'t>,
    ) -> Result<Held, Failure> {
        self.at(At::Operand(operand));
        let Some((name, fields)) = names.split_first() else { return Ok(Held::Nothing) };
        let Some(place) = self.variables.iter().rposition(|(known, _)| known == name) else {
            return self.fail(format!("undefined variable: {name}"));
        };
        // It was looked for from the innermost on.
        self.check(self.core.budget.bytes(self.variables.len() - place))?;
        let value = self.variables.get(place).map_or(Held::Nothing, |(_, value)| value.clone());
        if fields.is_empty() {
            self.no_arguments(operand, &arguments)?;
            return Ok(value);
        }
        self.fields(dot, value, fields, arguments)
    }

    /// `(pipeline).a.b`: `operand` is the whole of it.
    fn chain(&mut self, dot: &Held, operand: &'t Operand, arguments: Arguments<'t>) -> Result<Held, Failure> {
        let Term::Chain(inner, names) = &operand.term else { return Ok(Held::Nothing) };
        let _level = self.deeper()?;
        self.at(At::Operand(operand));
        if let Term::Nil = inner.term {
            return self.fail(format!("indirection through explicit nil in {operand}"));
        }
        let value = self.argument(dot, inner)?;
        self.fields(dot, value, names, arguments)
    }

    /// Fields of fields; the last one may be a method, and is given the arguments.
    fn fields(
        &mut self,
        dot: &Held,
        mut value: Held,
        names: &'t [Rc<str>],
        arguments: Arguments<'t>,
    ) -> Result<Held, Failure> {
        let Some((name, before)) = names.split_last() else { return Ok(value) };
        for name in before {
            value = self.field(dot, &value, name, Arguments::NONE)?;
        }
        self.field(dot, &value, name, arguments)
    }

    fn field(
        &mut self,
        dot: &Held,
        value: &Held,
        name: &str,
        arguments: Arguments<'t>,
    ) -> Result<Held, Failure> {
        self.check(self.core.budget.step())?;
        match value {
            Held::Nothing => Ok(Held::Nothing),
            Held::Boxed(Value::Nil) | Held::Plain(Value::Nil) => {
                self.fail(format!("nil pointer evaluating interface {{}}.{name}"))
            }
            Held::Boxed(Value::Dict(entries)) | Held::Plain(Value::Dict(entries)) => {
                if !arguments.is_empty() {
                    return self.fail(format!("{name} is not a method but has arguments"));
                }
                Ok(Held::Boxed(entries.borrow().get(name).cloned().unwrap_or(Value::Nil)))
            }
            Held::Boxed(Value::Object(object)) | Held::Plain(Value::Object(object)) => {
                let object = Rc::clone(object);
                let given = self.evaluate(dot, Parameters::any(&[]), arguments)?;
                let given: Vec<Value> = given.into_iter().map(Held::into_value).collect();
                given.iter().try_for_each(|value| self.check(self.core.budget.shallow(value)))?;
                let found = match given.as_slice() {
                    [] => object.field(name).or_else(|| object.call(name, &given)),
                    _ => object.call(name, &given),
                };
                match found {
                    Some(Ok(value)) => {
                        if !matches!(value, Value::Object(_)) {
                            self.check(self.core.budget.shallow(&value))?;
                        }
                        Ok(Held::result(value))
                    }
                    Some(Err(problem)) => self.fail(format!("error calling {name}: {problem}")),
                    None if !given.is_empty() && object.field(name).is_some() => {
                        self.fail(format!("{name} has arguments but cannot be invoked as function"))
                    }
                    None => self.fail(format!("can't evaluate field {name} in type {}", object.type_name())),
                }
            }
            other => self.fail(format!("can't evaluate field {name} in type {}", other.type_name())),
        }
    }
}
