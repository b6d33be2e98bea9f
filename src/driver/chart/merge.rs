//! Puts values together: those that a person gives over the defaults of the charts, globals handed down.
//!
//! The rules are Helm's `CoalesceValues` and `MergeValues`, warnings included.

use std::cell::RefCell;
use std::rc::Rc;

use super::dependencies::Node;
use super::error::ChartError;
use super::value::{Dict, Value};

/// What of values is handed to every chart.
pub(super) const GLOBAL: &str = "global";

/// What becomes of a null that stands over a default.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Nulls {
    /// It takes the default away.
    Delete,
    /// It stays, because the values are put together once more later.
    Keep,
}

/// What is worth knowing, each once.
#[derive(Default)]
pub(super) struct Warnings(pub(super) Vec<String>);

impl Warnings {
    /// How many are kept.
    const LIMIT: usize = 100;

    pub(super) fn add(&mut self, warning: String) {
        if self.0.len() < Self::LIMIT && !self.0.contains(&warning) {
            self.0.push(warning);
        }
    }
}

/// The values of a chart and of the charts in it, with `given` over the defaults. What is given stays as it is.
pub(super) fn coalesce(
    node: &Node<'_>,
    given: &Value,
    nulls: Nulls,
    warnings: &mut Warnings,
) -> Result<Value, ChartError> {
    let values = match given {
        Value::Dict(entries) => deep_dict(entries),
        _ => Dict::default(),
    };
    Merge { nulls, warnings }.chart(node, &values, "")?;
    Ok(Value::Dict(values))
}

/// Adds what `under` has to `over`, table by table.
pub(super) fn merge_tables(over: &Dict, under: &Dict, nulls: Nulls, warnings: &mut Warnings) {
    Merge { nulls, warnings }.tables(over, under, "");
}

/// A copy that shares no dictionary.
pub(super) fn deep(value: &Value) -> Value {
    match value {
        Value::Dict(entries) => Value::Dict(deep_dict(entries)),
        Value::List(items) => Value::list(items.iter().map(deep)),
        other => other.clone(),
    }
}

fn deep_dict(entries: &Dict) -> Dict {
    let copy = entries.borrow().iter().map(|(key, value)| (Rc::clone(key), deep(value))).collect();
    Rc::new(RefCell::new(copy))
}

/// The entries as they are now: nothing is borrowed while others change.
fn entries(dict: &Dict) -> Vec<(Rc<str>, Value)> {
    dict.borrow().iter().map(|(key, value)| (Rc::clone(key), value.clone())).collect()
}

fn get(dict: &Dict, key: &str) -> Option<Value> {
    dict.borrow().get(key).cloned()
}

fn set(dict: &Dict, key: &str, value: Value) {
    dict.borrow_mut().insert(Rc::from(key), value);
}

fn path(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

struct Merge<'w> {
    nulls: Nulls,
    warnings: &'w mut Warnings,
}

impl Merge<'_> {
    fn chart(&mut self, node: &Node<'_>, values: &Dict, prefix: &str) -> Result<(), ChartError> {
        self.defaults(node, values, prefix);
        let prefix = path(prefix, node.name());
        for child in &node.children {
            let table = match &get(values, child.name()) {
                None => Dict::default(),
                Some(Value::Dict(table)) => Rc::clone(table),
                Some(other) => {
                    let (name, kind) = (child.name(), kind(other));
                    let message =
                        format!("type mismatch on {name}: these are the values of a chart, not {kind}");
                    return Err(ChartError::Values(message));
                }
            };
            set(values, child.name(), Value::Dict(Rc::clone(&table)));
            self.globals(&table, values, &prefix);
            self.chart(child, &table, &prefix)?;
        }
        Ok(())
    }

    /// Lays `values` over the chart's own.
    fn defaults(&mut self, node: &Node<'_>, values: &Dict, prefix: &str) {
        let prefix = path(prefix, node.name());
        let Value::Dict(defaults) = &node.values else { return };
        for (key, default) in entries(&deep_dict(defaults)) {
            match (&get(values, &key), &default) {
                (None, default) => set(values, &key, default.clone()),
                (Some(Value::Nil), _) if self.nulls == Nulls::Delete => {
                    values.borrow_mut().remove(&key);
                }
                (Some(Value::Dict(over)), Value::Dict(under)) => {
                    // A subchart's values are put together once more with its own defaults: its nulls have to last until then.
                    let is_chart = node.children.iter().any(|child| child.name() == &*key);
                    let nulls = if is_chart { Nulls::Keep } else { self.nulls };
                    let prefix = path(&prefix, &key);
                    Merge { nulls, warnings: self.warnings }.tables(over, under, &prefix);
                }
                (Some(Value::Dict(_)), Value::Nil) => {}
                (Some(Value::Dict(_)), _) => {
                    self.warnings.add(format!("skipped value for {prefix}.{key}: Not a table."));
                }
                (Some(_), _) => {}
            }
        }
    }

    fn tables(&mut self, over: &Dict, under: &Dict, prefix: &str) {
        if Rc::ptr_eq(over, under) {
            return;
        }
        for (key, below) in entries(under) {
            let full = || path(prefix, &key);
            match (&get(over, &key), &below) {
                (None, below) => set(over, &key, below.clone()),
                (Some(Value::Nil), _) if self.nulls == Nulls::Delete => {
                    over.borrow_mut().remove(&key);
                }
                (Some(Value::Dict(over)), Value::Dict(under)) => self.tables(over, under, &full()),
                (Some(_), Value::Dict(_)) => {
                    self.warnings.add(format!("cannot overwrite table with non table for {}", full()));
                }
                (Some(Value::Dict(_)), below) if !matches!(below, Value::Nil) => {
                    self.warnings
                        .add(format!("destination for {} is a table. Ignoring non-table value", full()));
                }
                (Some(_), _) => {}
            }
        }
    }

    /// Hands the globals of `values` down to `table`, which a subchart gets; the upper ones win.
    fn globals(&mut self, table: &Dict, values: &Dict, prefix: &str) {
        let Some(lower) = self.global_table(table, "destination") else { return };
        let Some(upper) = self.global_table(values, "source") else { return };
        for (key, value) in entries(&upper) {
            match (&value, &get(&lower, &key)) {
                (Value::Dict(value), None) => set(&lower, &key, Value::Dict(shallow(value))),
                (Value::Dict(value), Some(Value::Dict(below))) => {
                    let (copy, prefix) = (shallow(value), path(prefix, &key));
                    Merge { nulls: Nulls::Keep, warnings: self.warnings }.tables(&copy, below, &prefix);
                    set(&lower, &key, Value::Dict(copy));
                }
                (Value::Dict(_), Some(_)) => {
                    self.warnings
                        .add(format!("Conflict: cannot merge map onto non-map for {key:?}. Skipping."));
                }
                (_, Some(Value::Dict(_))) => self.warnings.add(format!("key {key} is table. Skipping")),
                (value, _) => set(&lower, &key, (*value).clone()),
            }
        }
        set(table, GLOBAL, Value::Dict(lower));
    }

    fn global_table(&mut self, values: &Dict, side: &str) -> Option<Dict> {
        match &get(values, GLOBAL) {
            None => Some(Dict::default()),
            Some(Value::Dict(table)) => Some(Rc::clone(table)),
            Some(_) => {
                self.warnings.add(format!("skipping globals because {side} {GLOBAL} is not a table."));
                None
            }
        }
    }
}

/// A copy of the table alone: what is in it is shared, as it is in Helm.
fn shallow(table: &Dict) -> Dict {
    Rc::new(RefCell::new(table.borrow().clone()))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::Float(_) | Value::Number(_) => "a number",
        Value::Text(_) | Value::Raw(_) | Value::Bytes(_) => "a text",
        Value::List(_) => "a list",
        Value::Dict(_) | Value::Object(_) => "a table",
    }
}

#[cfg(test)]
mod tests;
