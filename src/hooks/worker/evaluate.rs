//! Runs one function of one file.

use std::rc::Rc;

use serde_json::Value as Json;
use starlark::environment::{FrozenModule, Module};
use starlark::eval::Evaluator;

use super::bounds::Watch;
use super::globals::globals;
use super::load::Files;
use super::secret::Secrets;
use super::{explain, values};
use crate::domain::suggest;
use crate::hooks::end::Failure;
use crate::hooks::functions::functions;
use crate::hooks::protocol::Order;

/// Evaluates the file and calls the function with its context.
pub fn run(order: &Order, function: &str) -> Result<Json, Failure> {
    let globals = globals();
    let files = Files::new(&order.files, &globals, Rc::new(Watch::new(order.limits)));
    let module = files.open(&order.file)?;
    call(&files, &module, order, function)
}

fn call(files: &Files<'_>, opened: &FrozenModule, order: &Order, function: &str) -> Result<Json, Failure> {
    let Ok(Some(owned)) = opened.get_option(function) else {
        let text = order.files.get(&order.file).map(String::as_str).unwrap_or_default();
        let there: Vec<String> = functions(text).into_iter().map(|function| function.name).collect();
        let hint = suggest::hint(function, there.iter().map(String::as_str));
        return Err(Failure::new(format!("'{}' has no function '{function}'", order.file), hint));
    };
    let module = Module::new();
    let mut evaluator = Evaluator::new(&module);
    files.bound(&mut evaluator).map_err(|error| explain::failure(&error))?;
    let context = values::context(&order.context, &module);
    let callee = owned.owned_value(module.frozen_heap());
    if callee.get_type() != "function" {
        return Err(Failure::new(format!("'{function}' in {} is no function", order.file), ""));
    }
    let returned = evaluator.eval_function(callee, &[context], &[]);
    let returned = returned.map_err(|error| explain::failure(&error))?;
    values::to_json(returned, &Secrets::of(&module), false)
        .map_err(|why| Failure::new(format!("what '{function}' returned cannot be kept"), why))
}
