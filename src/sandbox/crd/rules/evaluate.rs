//! The evaluation of a checked expression.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::check::TYPE_NAMES;
use super::functions;
use super::meter::Meter;
use super::parse::{Kind, Mode, Node, Steps};
use super::value::{Cel, Fault, Key, List};

/// Evaluates expressions with some variables.
#[derive(Debug)]
pub struct Evaluation<'a> {
    /// What it may cost.
    pub meter: &'a Meter,
    /// The variables, the innermost last.
    pub variables: Vec<(&'a str, Cel)>,
}

type Evaluated = Result<Cel, Fault>;

fn no_overload() -> Fault {
    Fault::error("no such overload")
}

impl<'a> Evaluation<'a> {
    /// The value of an expression.
    ///
    /// # Errors
    /// When it goes wrong, or costs too much.
    pub fn value(&mut self, node: &'a Node) -> Evaluated {
        self.meter.charge(1)?;
        match &node.kind {
            Kind::Literal(literal) => Ok(literal.clone()),
            Kind::Name(name) => self.name(name),
            Kind::Select { of, field, mode } => {
                let of = self.value(of)?;
                select(&of, field, *mode)
            }
            Kind::Call { function, arguments, .. } => self.call(function, arguments),
            Kind::List(items) => self.list(items),
            Kind::Map(entries) => self.map(entries),
            Kind::Choice(nodes) => self.choice(nodes),
            Kind::And(terms) => self.until(terms, false),
            Kind::Or(terms) => self.until(terms, true),
            Kind::Loop { range, variable, steps } => self.each(range, variable, steps),
        }
    }

    fn name(&self, name: &str) -> Evaluated {
        if let Some((_, value)) = self.variables.iter().rev().find(|(known, _)| *known == name) {
            return value.sound();
        }
        let known = TYPE_NAMES.into_iter().find(|known| *known == name);
        known.map(Cel::Type).ok_or_else(|| Fault::error(format!("no such attribute(s): {name}")))
    }

    fn call(&mut self, function: &str, arguments: &'a [Node]) -> Evaluated {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.value(argument)?);
        }
        functions::call(function, &values, self.meter)
    }

    fn list(&mut self, items: &'a [(bool, Node)]) -> Evaluated {
        let mut made = Vec::with_capacity(items.len());
        for (optional, item) in items {
            let value = self.value(item)?;
            match (optional, value) {
                (false, value) => made.push(value),
                (true, Cel::Optional(value)) => made.extend(value.as_deref().cloned()),
                (true, _) => return Err(no_overload()),
            }
        }
        Ok(List::plain(made))
    }

    fn map(&mut self, entries: &'a [(bool, Node, Node)]) -> Evaluated {
        let mut made = BTreeMap::new();
        for (optional, key, value) in entries {
            let key = Key::of(&self.value(key)?).ok_or_else(|| Fault::error("unsupported key type"))?;
            let value = match (optional, self.value(value)?) {
                (false, value) => value,
                (true, Cel::Optional(Some(value))) => (*value).clone(),
                (true, Cel::Optional(None)) => continue,
                (true, _) => return Err(no_overload()),
            };
            if made.insert(key, value).is_some() {
                return Err(Fault::error("Failed with repeated key"));
            }
        }
        Ok(Cel::Map(Rc::new(made)))
    }

    fn choice(&mut self, nodes: &'a [Node; 3]) -> Evaluated {
        let [condition, then, otherwise] = nodes;
        match self.value(condition)? {
            Cel::Bool(true) => self.value(then),
            Cel::Bool(false) => self.value(otherwise),
            _ => Err(no_overload()),
        }
    }

    /// `&&` ends with the first false, `||` with the first true: even when another term goes wrong.
    fn until(&mut self, terms: &'a [Node], decisive: bool) -> Evaluated {
        let mut wrong = None;
        for term in terms {
            match self.value(term) {
                Ok(Cel::Bool(found)) if found == decisive => return Ok(Cel::Bool(decisive)),
                Ok(Cel::Bool(_)) => {}
                Ok(_) => wrong = wrong.or(Some(no_overload())),
                Err(Fault::Exhausted) => return Err(Fault::Exhausted),
                Err(fault) => wrong = wrong.or(Some(fault)),
            }
        }
        wrong.map_or(Ok(Cel::Bool(!decisive)), Err)
    }

    fn each(&mut self, range: &'a Node, variable: &'a str, steps: &'a Steps) -> Evaluated {
        let over = self.value(range)?;
        let depth = self.variables.len();
        let result = match steps {
            Steps::OptionalMap(body) | Steps::OptionalFlatMap(body) => {
                let Cel::Optional(inner) = over else { return Err(no_overload()) };
                let Some(inner) = inner else { return Ok(Cel::Optional(None)) };
                let value = self.with(variable, (*inner).clone(), body);
                if matches!(steps, Steps::OptionalMap(_)) { value.map(Cel::some) } else { value }
            }
            steps => match over {
                Cel::List(list) => self.steps(list.items.iter().cloned(), variable, steps),
                Cel::Map(map) => self.steps(map.keys().map(Key::value), variable, steps),
                _ => Err(no_overload()),
            },
        };
        self.variables.truncate(depth);
        result
    }

    fn with(&mut self, variable: &'a str, value: Cel, body: &'a Node) -> Evaluated {
        self.meter.charge(1)?;
        self.variables.push((variable, value));
        let result = self.value(body);
        self.variables.pop();
        result
    }

    fn passes(&mut self, variable: &'a str, value: Cel, body: &'a Node) -> Result<bool, Fault> {
        match self.with(variable, value, body)? {
            Cel::Bool(passes) => Ok(passes),
            _ => Err(no_overload()),
        }
    }

    fn steps(&mut self, items: impl Iterator<Item = Cel>, variable: &'a str, steps: &'a Steps) -> Evaluated {
        match steps {
            Steps::All(body) => self.decide(items, variable, body, false),
            Steps::Exists(body) => self.decide(items, variable, body, true),
            Steps::ExistsOne(body) => {
                let mut count = 0;
                for item in items {
                    count += u32::from(self.passes(variable, item, body)?);
                }
                Ok(Cel::Bool(count == 1))
            }
            Steps::Filter(body) => {
                let mut kept = Vec::new();
                for item in items {
                    if self.passes(variable, item.clone(), body)? {
                        kept.push(item);
                    }
                }
                Ok(List::plain(kept))
            }
            Steps::Map(filter, body) => {
                let mut made = Vec::new();
                for item in items {
                    if let Some(filter) = filter
                        && !self.passes(variable, item.clone(), filter)?
                    {
                        continue;
                    }
                    made.push(self.with(variable, item, body)?);
                }
                Ok(List::plain(made))
            }
            Steps::OptionalMap(_) | Steps::OptionalFlatMap(_) => Err(no_overload()),
        }
    }

    fn decide(
        &mut self,
        items: impl Iterator<Item = Cel>,
        variable: &'a str,
        body: &'a Node,
        decisive: bool,
    ) -> Evaluated {
        let mut wrong = None;
        for item in items {
            match self.passes(variable, item, body) {
                Ok(found) if found == decisive => return Ok(Cel::Bool(decisive)),
                Ok(_) => {}
                Err(Fault::Exhausted) => return Err(Fault::Exhausted),
                Err(fault) => wrong = wrong.or(Some(fault)),
            }
        }
        wrong.map_or(Ok(Cel::Bool(!decisive)), Err)
    }
}

fn select(of: &Cel, field: &str, mode: Mode) -> Evaluated {
    let (of, mode) = match of {
        Cel::Optional(None) if mode == Mode::Presence => return Ok(Cel::Bool(false)),
        Cel::Optional(None) => return Ok(Cel::Optional(None)),
        Cel::Optional(Some(inner)) if mode == Mode::Presence => (&**inner, mode),
        Cel::Optional(Some(inner)) => (&**inner, Mode::Optional),
        of => (of, mode),
    };
    let Cel::Map(fields) = of else { return Err(no_overload()) };
    let found = fields.get(&Key::Text(field.into()));
    match (mode, found) {
        (Mode::Presence, found) => Ok(Cel::Bool(found.is_some())),
        (Mode::Optional, Some(found)) => found.sound().map(Cel::some),
        (Mode::Optional, None) => Ok(Cel::Optional(None)),
        (Mode::Value, Some(found)) => found.sound(),
        (Mode::Value, None) => Err(Fault::error(format!("no such key: {field}"))),
    }
}
