//! The static check of an expression: every name, field and function exists, and fits where it stands.

use std::sync::Arc;

use super::functions::declarations::{ABSENT, overloads};
use super::lex::Flaw;
use super::parse::{Kind, Mode, Node, Steps};
use super::types::{self, BOOL, DYN, INT, STRING, Type};
use super::value::Cel;

/// Types by their names in expressions.
pub const TYPE_NAMES: [&str; 10] =
    ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"];

/// Checks expressions about one value.
#[derive(Debug)]
pub struct Checker<'s> {
    scope: Vec<(String, Type<'s>)>,
    /// Whether an expression named `oldSelf`.
    pub uses_old_self: bool,
}

type Checked<'s> = Result<Type<'s>, Flaw>;

impl<'s> Checker<'s> {
    /// For a `self` of a type; `oldSelf` is of the same, or optional.
    pub fn new(of: Type<'s>, optional_old_self: bool) -> Self {
        let old = if optional_old_self { Type::Optional(Arc::new(of.clone())) } else { of.clone() };
        Self { scope: vec![("self".to_owned(), of), ("oldSelf".to_owned(), old)], uses_old_self: false }
    }

    /// The type of an expression.
    ///
    /// # Errors
    /// The first flaw.
    pub fn check(&mut self, node: &Node) -> Checked<'s> {
        match &node.kind {
            Kind::Literal(literal) => Ok(of_literal(literal)),
            Kind::Name(name) => self.name(node.at, name),
            Kind::Select { of, field, mode } => {
                let of = self.check(of)?;
                select(node.at, &of, field, *mode)
            }
            Kind::Call { function, method, arguments } => self.call(node.at, function, *method, arguments),
            Kind::List(items) => self.list(items),
            Kind::Map(entries) => self.map(entries),
            Kind::Choice(nodes) => self.choice(node.at, nodes),
            Kind::And(terms) | Kind::Or(terms) => {
                for term in terms {
                    self.expect(term, &BOOL)?;
                }
                Ok(BOOL)
            }
            Kind::Loop { range, variable, steps } => self.each(range, variable, steps),
        }
    }

    fn expect(&mut self, node: &Node, wanted: &Type<'s>) -> Result<(), Flaw> {
        let found = self.check(node)?;
        if wanted.takes(&found) {
            return Ok(());
        }
        Err(Flaw::new(node.at, format!("expected type '{wanted}' but found '{found}'")))
    }

    fn name(&mut self, at: usize, name: &str) -> Checked<'s> {
        if let Some(index) = self.scope.iter().rposition(|(known, _)| known == name) {
            self.uses_old_self |= index == 1;
            return Ok(self.scope[index].1.clone());
        }
        if TYPE_NAMES.contains(&name) {
            return Ok(Type::Plain("type"));
        }
        Err(Flaw::new(at, format!("undeclared reference to '{name}' (in container '')")))
    }

    fn call(&mut self, at: usize, function: &str, method: bool, arguments: &[Node]) -> Checked<'s> {
        let types: Vec<Type<'s>> =
            arguments.iter().map(|argument| self.check(argument)).collect::<Result<_, _>>()?;
        let known = overloads(function);
        if ABSENT.contains(&function) {
            return Err(Flaw::new(at, format!("the sandbox does not have the function '{function}'")));
        }
        if known.is_empty() {
            return Err(Flaw::new(at, format!("undeclared reference to '{function}' (in container '')")));
        }
        let mut results: Vec<Type<'s>> = Vec::new();
        for overload in known.iter().filter(|overload| overload.method == method) {
            let mut bound = [None, None];
            let fits = overload.arguments.len() == types.len()
                && overload
                    .arguments
                    .iter()
                    .zip(&types)
                    .all(|(formal, actual)| formal.fits(actual, &mut bound));
            if fits {
                results.push(overload.result.resolved(&bound));
            }
        }
        let Some(first) = results.first().cloned() else {
            let shown: Vec<String> = types.iter().map(ToString::to_string).collect();
            let shown = match shown.split_first() {
                Some((receiver, rest)) if method => format!("{receiver}.({})", rest.join(", ")),
                _ => format!("({})", shown.join(", ")),
            };
            return Err(Flaw::new(
                at,
                format!("found no matching overload for '{function}' applied to '{shown}'"),
            ));
        };
        let same = results.iter().all(|other| other.to_string() == first.to_string());
        Ok(if same { first } else { DYN })
    }

    /// The common type of the elements of a literal.
    fn common<'n>(&mut self, nodes: impl Iterator<Item = (bool, &'n Node)>) -> Checked<'s> {
        let mut common: Option<Type<'s>> = None;
        for (optional, node) in nodes {
            let mut found = self.check(node)?;
            if optional {
                found = match found {
                    Type::Optional(of) => (*of).clone(),
                    found if found.is_dyn() => found,
                    found => {
                        let text = format!("expected type 'optional_type(dyn)' but found '{found}'");
                        return Err(Flaw::new(node.at, text));
                    }
                };
            }
            match &common {
                Some(before) if !before.takes(&found) => {
                    return Err(Flaw::new(node.at, format!("expected type '{before}' but found '{found}'")));
                }
                Some(_) if !found.is_dyn() => {}
                _ => common = Some(found),
            }
        }
        Ok(common.unwrap_or(DYN))
    }

    fn list(&mut self, items: &[(bool, Node)]) -> Checked<'s> {
        let of = self.common(items.iter().map(|(optional, item)| (*optional, item)))?;
        Ok(Type::List(Arc::new(of)))
    }

    fn map(&mut self, entries: &[(bool, Node, Node)]) -> Checked<'s> {
        let keys = self.common(entries.iter().map(|(_, key, _)| (false, key)))?;
        let values = self.common(entries.iter().map(|(optional, _, value)| (*optional, value)))?;
        Ok(Type::Map(Arc::new(keys), Arc::new(values)))
    }

    fn choice(&mut self, at: usize, nodes: &[Node; 3]) -> Checked<'s> {
        let [condition, then, otherwise] = nodes;
        let condition = self.check(condition)?;
        let (then, otherwise) = (self.check(then)?, self.check(otherwise)?);
        if !BOOL.takes(&condition) || !then.takes(&otherwise) {
            let shown = format!("({condition}, {then}, {otherwise})");
            return Err(Flaw::new(
                at,
                format!("found no matching overload for '_?_:_' applied to '{shown}'"),
            ));
        }
        Ok(if otherwise.is_dyn() || then.is("null") { otherwise } else { then })
    }

    fn each(&mut self, range: &Node, variable: &str, steps: &Steps) -> Checked<'s> {
        let over = self.check(range)?;
        let optional = matches!(steps, Steps::OptionalMap(_) | Steps::OptionalFlatMap(_));
        let element = match (&over, optional) {
            (Type::List(of), false) | (Type::Optional(of), true) => (**of).clone(),
            (Type::Map(key, _), false) => (**key).clone(),
            (other, _) if other.is_dyn() => DYN,
            (other, _) => {
                let text = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                return Err(Flaw::new(range.at, text));
            }
        };
        self.scope.push((variable.to_owned(), element.clone()));
        let result = self.steps(steps, element);
        self.scope.pop();
        result
    }

    fn steps(&mut self, steps: &Steps, element: Type<'s>) -> Checked<'s> {
        Ok(match steps {
            Steps::All(body) | Steps::Exists(body) | Steps::ExistsOne(body) => {
                self.expect(body, &BOOL)?;
                BOOL
            }
            Steps::Filter(body) => {
                self.expect(body, &BOOL)?;
                Type::List(Arc::new(element))
            }
            Steps::Map(filter, body) => {
                if let Some(filter) = filter {
                    self.expect(filter, &BOOL)?;
                }
                Type::List(Arc::new(self.check(body)?))
            }
            Steps::OptionalMap(body) => Type::Optional(Arc::new(self.check(body)?)),
            Steps::OptionalFlatMap(body) => {
                self.expect(body, &Type::Optional(Arc::new(DYN)))?;
                self.check(body)?
            }
        })
    }
}

fn of_literal(literal: &Cel) -> Type<'static> {
    match literal {
        Cel::Bool(_) => BOOL,
        Cel::Int(_) => INT,
        Cel::Text(_) => STRING,
        Cel::Uint(_) => Type::Plain("uint"),
        Cel::Double(_) => Type::Plain("double"),
        Cel::Bytes(_) => Type::Plain("bytes"),
        Cel::Null => Type::Plain("null"),
        _ => DYN,
    }
}

fn select<'s>(at: usize, of: &Type<'s>, field: &str, mode: Mode) -> Checked<'s> {
    let undefined = || Flaw::new(at, format!("undefined field '{field}'"));
    let (found, optional) = match of {
        Type::Optional(inner) => (select(at, inner, field, Mode::Value)?, true),
        Type::Object(shape) => {
            let schema = shape.field(field).ok_or_else(undefined)?;
            (types::of_schema(schema, false).ok_or_else(undefined)?, false)
        }
        Type::Map(key, value) if STRING.takes(key) => ((**value).clone(), false),
        other if other.is_dyn() => (DYN, false),
        other => return Err(Flaw::new(at, format!("type '{other}' does not support field selection"))),
    };
    Ok(match (mode, found) {
        (Mode::Presence, _) => BOOL,
        (_, found @ Type::Optional(_)) if optional => found,
        (Mode::Optional, found) => Type::Optional(Arc::new(found)),
        (Mode::Value, found) if optional => Type::Optional(Arc::new(found)),
        (Mode::Value, found) => found,
    })
}
