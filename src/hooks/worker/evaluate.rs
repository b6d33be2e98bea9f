//! Runs one function of one file.

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
    let (globals, watch) = (globals(), Watch::new(order.limits));
    let files = Files::new(&order.files, &globals, &watch);
    let module = files.open(&order.file)?;
    call(&files, &module, order, function)
}

fn call(files: &Files<'_>, module: &FrozenModule, order: &Order, function: &str) -> Result<Json, Failure> {
    let Ok(Some(owned)) = module.get_option(function) else {
        let text = order.files.get(&order.file).map(String::as_str).unwrap_or_default();
        let there: Vec<String> = functions(text).into_iter().map(|function| function.name).collect();
        let hint = suggest::hint(function, there.iter().map(String::as_str));
        return Err(Failure::new(format!("'{}' has no function '{function}'", order.file), hint));
    };
    Module::with_temp_heap(|module| {
        let mut evaluator = Evaluator::new(&module);
        let bounded = files.bound(&mut evaluator);
        bounded.map_err(|error| explain::failure(&error, files.watch))?;
        let heap = module.heap();
        let context = values::context(&order.context, &module);
        let callee = heap.access_owned_frozen_value(&owned);
        if callee.get_type() != "function" {
            return Err(Failure::new(format!("'{function}' in {} is no function", order.file), ""));
        }
        let returned = evaluator.eval_function(callee, &[context], &[]);
        let returned = returned.map_err(|error| explain::failure(&error, files.watch))?;
        values::to_json(returned, &Secrets::of(&module), false)
            .map_err(|why| Failure::new(format!("what '{function}' returned cannot be kept"), why))
    })
}
