//! What looks into whole values: Go's `reflect.DeepEqual`, sprig's `empty`, and copies.
//!
//! A dictionary may contain itself or be reached in very many ways, so each walk has a [`Walk`] that ends it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::super::value::Value;
use super::{DEPTH_MAX, ITEMS_MAX, Surroundings};

/// How much of a value one call may still visit.
pub struct Walk<'s> {
    left: usize,
    /// Where each visit counts that is to be paid.
    paid: Option<&'s Cell<usize>>,
}

impl<'s> Walk<'s> {
    /// A call begins.
    pub fn new() -> Self {
        Self { left: ITEMS_MAX, paid: None }
    }

    /// A call that compares each of many values with each of others, and pays for it.
    pub fn thorough(around: &'s Surroundings) -> Self {
        Self { left: 100 * ITEMS_MAX, paid: Some(&around.comparisons) }
    }

    /// Counts a visit at this depth. An error at the end of the allowance.
    pub fn visit(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err("the value is nested too deeply, or contains itself".to_owned());
        }
        self.left = self.left.checked_sub(1).ok_or("the value has too many parts")?;
        if let Some(paid) = self.paid {
            paid.set(paid.get().saturating_add(1));
        }
        Ok(())
    }
}

/// Whether `reflect.DeepEqual` holds: the same type and the same contents.
pub fn equal(one: &Value, other: &Value) -> Result<bool, String> {
    Walk::new().equal(one, other, 0)
}

impl Walk<'_> {
    /// [`equal`] inside of another walk.
    pub fn equal(&mut self, one: &Value, other: &Value, depth: usize) -> Result<bool, String> {
        self.visit(depth)?;
        Ok(match (one, other) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(one), Value::Bool(other)) => one == other,
            (Value::Int(one), Value::Int(other)) => one == other,
            (Value::Float(one), Value::Float(other)) => one == other,
            (Value::Number(one), Value::Number(other)) | (Value::Text(one), Value::Text(other)) => {
                one == other
            }
            (Value::Raw(one), Value::Raw(other)) | (Value::Bytes(one), Value::Bytes(other)) => one == other,
            (Value::List(one), Value::List(other)) => {
                one.len() == other.len()
                    && (Rc::ptr_eq(one, other) || self.all_equal(one.iter().zip(other.iter()), depth + 1)?)
            }
            (Value::Dict(one), Value::Dict(other)) => {
                if Rc::ptr_eq(one, other) {
                    return Ok(true);
                }
                let (one, other) = (one.borrow(), other.borrow());
                one.len() == other.len()
                    && one.keys().eq(other.keys())
                    && self.all_equal(one.values().zip(other.values()), depth + 1)?
            }
            (Value::Object(one), Value::Object(other)) => {
                Rc::ptr_eq(one, other) || one.type_name() == other.type_name() && one.print() == other.print()
            }
            _ => false,
        })
    }

    fn all_equal<'a>(
        &mut self,
        pairs: impl Iterator<Item = (&'a Value, &'a Value)>,
        depth: usize,
    ) -> Result<bool, String> {
        for (one, other) in pairs {
            if !self.equal(one, other, depth)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A copy that shares no dictionary with the value.
    pub fn copy(&mut self, value: &Value, depth: usize) -> Result<Value, String> {
        self.visit(depth)?;
        Ok(match value {
            Value::List(items) => {
                let items = items.iter().map(|item| self.copy(item, depth + 1)).collect::<Result<_, _>>()?;
                Value::List(Rc::new(items))
            }
            Value::Dict(entries) => {
                let mut copied = std::collections::BTreeMap::new();
                for (key, entry) in entries.borrow().iter() {
                    copied.insert(Rc::clone(key), self.copy(entry, depth + 1)?);
                }
                Value::Dict(Rc::new(RefCell::new(copied)))
            }
            other => other.clone(),
        })
    }
}

/// Whether sprig's `empty` holds: nil, false, zero, or nothing in it. A struct is never empty.
pub fn is_empty(value: &Value) -> bool {
    !value.truth()
}
