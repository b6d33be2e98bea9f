//! A secret as a function sees it: a value that can be handed on, and nothing else. Starlark has no opaque values of its own that
//! need no unsafe code, so it is a function that cannot be called; which secret it stands for lies beside the module.

use serde_json::{Value as Json, json};
use starlark::environment::{FrozenModule, GlobalsBuilder, Module};
use starlark::eval::{Arguments, Evaluator};
use starlark::values::Value;
use starlark::values::function::NativeFunc;
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;

use super::explain;
use super::globals::native;
use crate::hooks::protocol::SECRET;

/// What it is printed as.
const SHOWN: &str = "(secret)";

/// The reference of an object of the context that stands for a secret.
fn reference(value: &Json) -> Option<&Json> {
    value.as_object().filter(|map| map.len() == 1)?.get(SECRET)
}

/// The secrets of one run.
pub struct Secrets<'v> {
    module: &'v Module,
}

impl<'v> Secrets<'v> {
    /// The secrets that values of the module stand for.
    pub fn of(module: &'v Module) -> Self {
        Self { module }
    }

    /// The value for an object of the context that stands for a secret. The same secret is the same value.
    pub fn read(&self, value: &Json) -> Option<Value<'v>> {
        let text = reference(value)?.to_string();
        let heap = self.module.heap();
        let known: Vec<(Value<'v>, Value<'v>)> = self.pairs().collect();
        if let Some((value, _)) = known.iter().find(|(_, known)| known.unpack_str() == Some(text.as_str())) {
            return Some(*value);
        }
        let mut builder = GlobalsBuilder::new();
        builder.set_function(SHOWN, native(), None, None, None, Called);
        let globals = FrozenModule::from_globals(&builder.build()).ok()?;
        let value = globals.get(SHOWN).ok()?.owned_value(self.module.frozen_heap());
        let pairs: Vec<_> = known.into_iter().chain([(value, heap.alloc(text))]).collect();
        self.module.set_extra_value(heap.alloc(pairs));
        Some(value)
    }

    fn pairs(&self) -> impl Iterator<Item = (Value<'v>, Value<'v>)> + use<'v> {
        let list = self.module.extra_value().and_then(ListRef::from_value);
        list.into_iter().flat_map(ListRef::iter).filter_map(|pair| {
            match TupleRef::from_value(pair)?.content() {
                [value, text] => Some((*value, *text)),
                _ => None,
            }
        })
    }

    /// The object that stands for a value in a call, when it is a secret.
    pub fn to_json(&self, value: Value<'v>) -> Option<Json> {
        let (_, text) = self.pairs().find(|(secret, _)| secret.ptr_eq(value))?;
        let reference: Json = serde_json::from_str(text.unpack_str()?).ok()?;
        Some(json!({ SECRET: reference }))
    }
}

/// What a call of a secret does.
struct Called;

impl NativeFunc for Called {
    fn invoke<'v>(
        &self,
        _: &mut Evaluator<'v, '_, '_>,
        _: &Arguments<'v, '_>,
    ) -> starlark::Result<Value<'v>> {
        Err(explain::error(
            "a secret cannot be called",
            "it can be given as a value in env = and as stdin = only",
        ))
    }
}
