//! Calls functions.

use super::builtins;
use super::evaluate::Arguments;
use super::held::Held;
use super::helm;
use super::run::{At, Failure, Run};
use super::tree::Operand;
use super::types::{Parameters, fit, literal};
use crate::driver::chart::functions::{self, Entry, Kind, Looks};
use crate::driver::chart::value::Value;

/// What comparing two values costs.
const COMPARISON: usize = 4;

/// A function by its name, in the order in which Helm's templates find it.
enum Callee {
    Helm(helm::Known),
    Sprig(&'static Entry),
    Go(builtins::Known),
}

impl Callee {
    fn find(name: &str) -> Option<Self> {
        helm::find(name)
            .map(Self::Helm)
            .or_else(|| functions::find(name).map(Self::Sprig))
            .or_else(|| builtins::find(name).map(Self::Go))
    }

    fn parameters(&self) -> Parameters {
        match self {
            Self::Helm(known) => known.parameters,
            Self::Go(known) => known.parameters,
            Self::Sprig(entry) => Parameters { fixed: entry.takes, rest: entry.rest },
        }
    }
}

/// Whether templates may call a function of that name.
pub(super) fn is_known(name: &str) -> bool {
    name == "and" || name == "or" || Callee::find(name).is_some()
}

/// Why a call failed.
pub(super) enum Trouble {
    /// What is wrong, to be told after `error calling NAME: `.
    Text(String),
    /// What the chart's author has to say to the chart's user.
    Raised(String),
    /// An error within a template that the function executed, and what the function was about.
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
    pub(super) fn evaluate(
        &mut self,
        dot: &Held,
        parameters: Parameters,
        arguments: Arguments<'t>,
    ) -> Result<Vec<Held>, Failure> {
        let mut values = Vec::with_capacity(arguments.operands.len() + 1);
        for (index, operand) in arguments.operands.iter().enumerate() {
            values.push(self.typed_argument(dot, parameters.kind(index), operand)?);
        }
        if let Some(last) = arguments.last {
            values.push(self.check(fit(parameters.kind(values.len()), last))?);
        }
        Ok(values)
    }

    fn typed_argument(&mut self, dot: &Held, kind: Kind, operand: &'t Operand) -> Result<Held, Failure> {
        if let Some(value) = literal(kind, operand) {
            self.at(At::Operand(operand));
            self.check(self.core.budget.step())?;
            return self.check(value);
        }
        let value = self.argument(dot, operand)?;
        self.check(fit(kind, value))
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
        let Some(callee) = Callee::find(name) else {
            return self.fail(format!("{name:?} is not a defined function"));
        };
        let (parameters, operands) = (callee.parameters(), arguments.operands);
        self.check(parameters.check_count(name, operands.len(), arguments.last.is_some()))?;
        let held = self.evaluate(dot, parameters, arguments)?;
        match self.apply(&callee, held) {
            Ok(result) => {
                let comparisons = self.core.surroundings.comparisons.take();
                self.check(self.core.budget.bytes(COMPARISON * comparisons))?;
                if let Some(value) = result.value() {
                    self.check(self.core.budget.shallow(value))?;
                }
                Ok(result)
            }
            Err(trouble) => Err(self.troubled(name, whole, trouble, operands)),
        }
    }

    fn apply(&self, callee: &Callee, held: Vec<Held>) -> Result<Held, Trouble> {
        self.pay(callee, &held).map_err(Trouble::Limit)?;
        if let Callee::Go(known) = callee {
            return (known.function)(&held).map_err(Trouble::Text);
        }
        let values: Vec<Value> = held.into_iter().map(Held::into_value).collect();
        match callee {
            Callee::Helm(known) => (known.function)(self.core, self.scope, &values).map(Held::result),
            Callee::Sprig(entry) => Ok(Held::result((entry.call)(&self.core.surroundings, &values)?)),
            Callee::Go(_) => Ok(Held::Nothing),
        }
    }

    /// `and` and `or` evaluate no more arguments than they need.
    fn and_or(&mut self, dot: &Held, name: &str, arguments: Arguments<'t>) -> Result<Held, Failure> {
        let parameters = Parameters::any(&[Kind::Any]);
        self.check(parameters.check_count(name, arguments.operands.len(), arguments.last.is_some()))?;
        let mut value = Held::Nothing;
        for operand in arguments.operands {
            value = self.argument(dot, operand)?;
            if value.truth() == (name == "or") {
                return Ok(value);
            }
        }
        Ok(arguments.last.unwrap_or(value))
    }

    /// Pays for what a function will look at.
    fn pay(&self, callee: &Callee, values: &[Held]) -> Result<(), String> {
        let budget = &self.core.budget;
        let looks = match callee {
            Callee::Helm(_) => Looks::Shallow,
            Callee::Sprig(entry) => entry.looks,
            Callee::Go(known) => known.looks,
        };
        if let Callee::Sprig(Entry { draws: true, .. }) = callee {
            budget.bytes(self.core.surroundings.draw.borrow().place.len())?;
        }
        let every = if looks == Looks::Keys { 2 } else { 1 };
        values.iter().step_by(every).filter_map(Held::value).try_for_each(|value| match looks {
            Looks::Nowhere => Ok(()),
            Looks::Shallow => budget.shallow(value),
            Looks::Keys | Looks::Deep => budget.deep(value),
        })
    }

    fn troubled(&self, name: &str, whole: At<'t>, trouble: Trouble, operands: &'t [Operand]) -> Failure {
        // Go checks types before it calls, and so do the functions that do it by themselves.
        let of_type = |text: &str| {
            text.starts_with("wrong type for value; expected ")
                || text.starts_with("wrong number of args for ")
        };
        match trouble {
            Trouble::Text(text) if of_type(&text) => self.failure(text),
            Trouble::Text(text) => {
                self.at(whole);
                let text = match (name, operands.first()) {
                    // Only here does Go name the operand.
                    ("call", Some(operand)) => {
                        text.replacen("non-function of", &format!("non-function {operand} of"), 1)
                    }
                    _ => text,
                };
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
                let colon = if doing.is_empty() { "" } else { ": " };
                Box::new(failure.called_from(self.frame(format!("error calling {name}{colon}{doing}"))))
            }
        }
    }
}
