//! The rules of an object: evaluated at every place that has some.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::compile::{Rule, compile, text};
use super::evaluate::Evaluation;
use super::meter::Meter;
use super::value::{Cel, Fault, of_json};
use crate::sandbox::schema::causes::Causes;

/// The longest message that an expression may make, in bytes.
const LONGEST_MESSAGE: usize = 5120;
const NO_BUDGET: &str =
    "validation failed due to running out of cost budget, no further validation rules will be run";

/// Evaluates the rules of a whole object. `old` is the object before an update: rules that compare need it, and what it has
/// unchanged is not held against it.
pub fn validate(openapi: &Value, old: Option<&Value>, object: &Value, causes: &mut Causes) {
    let mut walk = Walk::new(causes);
    walk.node(Place { schema: openapi, resource: true }, "", old, object);
}

/// Evaluates the rules of a value at a path.
pub fn check(schema: &Value, (old, value): (Option<&Value>, &Value), path: &str, causes: &mut Causes) {
    let mut walk = Walk::new(causes);
    walk.node(Place::of(schema), path, old, value);
}

/// A schema, and whether it is of a whole resource.
#[derive(Clone, Copy)]
struct Place<'s> {
    schema: &'s Value,
    resource: bool,
}

impl<'s> Place<'s> {
    fn of(schema: &'s Value) -> Self {
        Self { schema, resource: false }
    }
}

type Compiled<'s> = Rc<Vec<Result<Rule<'s>, String>>>;

struct Walk<'s, 'c> {
    meter: Meter,
    /// By the place of the schema: a list has one schema for all items.
    compiled: HashMap<*const Value, Compiled<'s>>,
    causes: &'c mut Causes,
    /// No further rules are evaluated.
    ended: bool,
}

fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A path as a cause shows it.
fn shown(path: &str) -> &str {
    if path.is_empty() { "<nil>" } else { path }
}

impl<'s, 'c> Walk<'s, 'c> {
    fn new(causes: &'c mut Causes) -> Self {
        Self { meter: Meter::default(), compiled: HashMap::new(), causes, ended: false }
    }

    fn node(&mut self, place: Place<'s>, path: &str, old: Option<&Value>, value: &Value) {
        if self.ended || value.is_null() {
            return;
        }
        let old = old.filter(|old| !old.is_null());
        self.evaluate(place, path, old, value);
        let schema = place.schema;
        match value {
            Value::Object(fields) => self.fields(schema, path, old, fields),
            Value::Array(items) if schema["items"].is_object() => self.items(schema, path, old, items),
            _ => {}
        }
    }

    fn rules(&mut self, place: Place<'s>) -> Compiled<'s> {
        let Place { schema, resource } = place;
        let compiled = self.compiled.entry(std::ptr::from_ref(schema)).or_insert_with(|| {
            let sources = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
            let sources = sources.filter(|source| !text(source, "rule").is_empty());
            let made = sources.map(|source| {
                compile(schema, source, resource).map_err(|refusal| match refusal {
                    super::compile::Refusal::Rule(why) | super::compile::Refusal::Message(why) => why,
                })
            });
            Rc::new(made.collect())
        });
        compiled.clone()
    }

    fn fields(&mut self, schema: &'s Value, path: &str, old: Option<&Value>, fields: &Map<String, Value>) {
        let correlated = old.filter(|_| schema["x-kubernetes-map-type"] != "atomic");
        for (name, value) in fields {
            let before = correlated.and_then(|old| old.get(name));
            if let Some(property) = schema["properties"].get(name) {
                self.node(Place::of(property), &child(path, name), before, value);
            } else if schema["additionalProperties"].is_object() {
                let at = format!("{path}[{name}]");
                self.node(Place::of(&schema["additionalProperties"]), &at, before, value);
            }
        }
    }

    fn items(&mut self, schema: &'s Value, path: &str, old: Option<&Value>, items: &[Value]) {
        let keys = schema["x-kubernetes-list-map-keys"].as_array().map_or(&[][..], Vec::as_slice);
        let keyed = schema["x-kubernetes-list-type"] == "map" && !keys.is_empty();
        let before = old.and_then(Value::as_array).filter(|_| keyed).map_or(&[][..], Vec::as_slice);
        let same = |one: &Value, other: &Value| {
            keys.iter().filter_map(Value::as_str).all(|key| one.get(key) == other.get(key))
        };
        for (index, item) in items.iter().enumerate() {
            let before = before.iter().find(|old| same(old, item));
            self.node(Place::of(&schema["items"]), &format!("{path}[{index}]"), before, item);
        }
    }

    fn evaluate(&mut self, place: Place<'s>, path: &str, old: Option<&Value>, value: &Value) {
        let rules = self.rules(place);
        if rules.is_empty() {
            return;
        }
        let Place { schema, resource } = place;
        let unchanged = old == Some(value);
        let current = of_json(schema, resource, value);
        let before = old.map(|old| of_json(schema, resource, old));
        let kind = Value::from(schema["type"].as_str().unwrap_or_default());
        for rule in rules.iter() {
            let rule = match rule {
                Ok(rule) => rule,
                Err(why) => {
                    self.causes.invalid(shown(path), &kind, &format!("rule compile error: {why}"));
                    continue;
                }
            };
            let skipped = rule.uses_old_self && before.is_none() && !rule.optional_old_self;
            // a real server evaluates it and turns what it finds into a warning
            let ratcheted = unchanged && !rule.uses_old_self;
            if skipped || ratcheted {
                continue;
            }
            let old = match (&before, rule.optional_old_self) {
                (Some(before), true) => Cel::some(before.clone()),
                (None, true) => Cel::Optional(None),
                (Some(before), false) => before.clone(),
                (None, false) => Cel::Null,
            };
            self.rule(rule, path, &kind, [("self", current.clone()), ("oldSelf", old)]);
            if self.ended {
                return;
            }
        }
    }

    fn rule(&mut self, rule: &Rule<'s>, path: &str, kind: &Value, variables: [(&'static str, Cel); 2]) {
        let mut refuse = |why: &str| self.causes.invalid(shown(path), kind, why);
        if !self.meter.start() {
            refuse(NO_BUDGET);
            self.ended = true;
            return;
        }
        let mut evaluation = Evaluation { meter: &self.meter, variables: variables.to_vec() };
        let found = evaluation.value(&rule.condition);
        if !self.meter.stop() {
            refuse(NO_BUDGET);
            self.ended = true;
            return;
        }
        let name = if text(rule.source, "message").is_empty() { "rule" } else { "message" };
        let name = text(rule.source, name);
        match found {
            Ok(Cel::Bool(true)) => {}
            Ok(_) => self.violated(rule, path, kind, variables),
            Err(Fault::Exhausted) => {
                refuse(&format!(
                    "'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: {name}"
                ));
                self.ended = true;
            }
            Err(Fault::Error(why)) if why.starts_with("no such overload") => {
                refuse(&format!(
                    "'{why}': call arguments did not match a supported operator, function or macro signature for rule: {name}"
                ));
            }
            Err(Fault::Error(why)) => refuse(&format!("{why} evaluating rule: {name}")),
        }
    }

    fn violated(&mut self, rule: &Rule<'s>, path: &str, kind: &Value, variables: [(&'static str, Cel); 2]) {
        let at = rule.field_path.as_ref().map_or_else(|| path.to_owned(), |below| child(path, below));
        let detail = match self.message(rule, variables) {
            Ok(Some(message)) => message,
            Ok(None) => match text(rule.source, "message") {
                "" => format!("failed rule: {}", text(rule.source, "rule")),
                message => message.to_owned(),
            },
            Err(why) => {
                self.causes.invalid(shown(&at), kind, &why);
                self.ended = true;
                return;
            }
        };
        match rule.source["reason"].as_str() {
            Some("FieldValueForbidden") => self.causes.forbidden(shown(&at), &detail),
            Some("FieldValueRequired") => self.causes.required(shown(&at), &detail),
            Some("FieldValueDuplicate") => self.causes.duplicate(shown(&at), kind),
            _ => self.causes.invalid(shown(&at), kind, &detail),
        }
    }

    /// What the message expression makes; none when it makes nothing that can be shown.
    fn message(
        &self,
        rule: &Rule<'s>,
        variables: [(&'static str, Cel); 2],
    ) -> Result<Option<String>, String> {
        let Some(message) = &rule.message else { return Ok(None) };
        let exhausted = || {
            "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run"
                .to_owned()
        };
        if !self.meter.start() {
            return Err(exhausted());
        }
        let mut evaluation = Evaluation { meter: &self.meter, variables: variables.to_vec() };
        let found = evaluation.value(message);
        if !self.meter.stop() {
            return Err(exhausted());
        }
        match found {
            Ok(Cel::Text(text)) => {
                let text = text.trim();
                let good = !text.is_empty() && text.len() <= LONGEST_MESSAGE && !text.contains('\n');
                Ok(good.then(|| text.to_owned()))
            }
            Err(Fault::Exhausted) => Err(format!(
                "no further validation rules will be run due to call cost exceeds limit for messageExpression: {}",
                rule.source["messageExpression"]
            )),
            Ok(_) | Err(Fault::Error(_)) => Ok(None),
        }
    }
}
