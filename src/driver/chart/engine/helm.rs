//! The functions that Helm adds to templates and that need the engine.

use std::rc::Rc;

use super::call::Trouble;
use super::conversions;
use super::error::piece;
use super::held::Held;
use super::run::Run;
use super::scope::Scope;
use super::types::Parameters;
use super::{Core, LookupKey};
use crate::driver::chart::format::quote;
use crate::driver::chart::functions::Kind;
use crate::driver::chart::value::{Value, lossy};

/// How often a template may be within itself by `include`: Helm's own limit.
const RECURSION: usize = 1000;

/// What `tpl`'s templates are called: Helm gives them the name of the template that it begins with.
const NAME: &str = "gotpl";

type Outcome = Result<Value, Trouble>;

/// A function and what it takes.
pub(super) struct Known {
    pub(super) parameters: Parameters,
    pub(super) function: fn(&Core, &Rc<Scope>, &[Value]) -> Outcome,
}

/// The function of that name.
pub(super) fn find(name: &str) -> Option<Known> {
    let known = |fixed, function| Some(Known { parameters: Parameters::fixed(fixed), function });
    match name {
        "include" => known(&[Kind::Text, Kind::Any], include),
        "tpl" => known(&[Kind::Text, Kind::Any], tpl),
        "required" => known(&[Kind::Text, Kind::Any], |_, _, arguments| required(arguments)),
        "fail" => {
            known(&[Kind::Text], |_, _, arguments| Err(Trouble::Raised(text(arguments, 0).to_string())))
        }
        "lookup" => known(&[Kind::Text; 4], |core, _, arguments| lookup(core, arguments)),
        // Templates have no network.
        "getHostByName" => known(&[Kind::Text], |_, _, _| Ok(Value::text(""))),
        _ => conversions::find(name),
    }
}

/// An argument that is a text.
pub(super) fn text(arguments: &[Value], index: usize) -> Rc<str> {
    match arguments.get(index) {
        Some(Value::Text(text)) => Rc::clone(text),
        Some(Value::Raw(bytes)) => Rc::from(lossy(bytes)),
        _ => Rc::from(""),
    }
}

/// What a template makes of a value that it is given.
fn dot(arguments: &[Value]) -> Held {
    arguments.get(1).cloned().map_or(Held::Nothing, |value| Held::Plain(value).dig())
}

/// Executes a template and yields its text.
fn include(core: &Core, scope: &Rc<Scope>, arguments: &[Value]) -> Outcome {
    let name = text(arguments, 0);
    let depth = core.included.borrow().get(&name).copied().unwrap_or(0);
    if depth > RECURSION {
        let message = "unable to execute template";
        return Err(Trouble::Text(format!(
            "rendering template has a nested reference name: {}: {message}",
            piece(&*name)
        )));
    }
    let Some(tree) = scope.find(&name) else {
        let name = piece(quote(&name));
        return Err(Trouble::Text(format!(
            "template: no template {name} associated with template \"{NAME}\""
        )));
    };
    let place = core.enter(&name).map_err(Trouble::Limit)?;
    core.included.borrow_mut().insert(Rc::clone(&name), depth + 1);
    let mut out = Vec::new();
    let done = Run::execute(core, scope, &tree, dot(arguments), &mut out);
    core.leave(place);
    core.included.borrow_mut().insert(name, depth);
    match done {
        Ok(()) => Ok(Value::string(out)),
        Err(failure) => Err(Trouble::Inside(failure, String::new())),
    }
}

/// Reads a text as a template, executes it and yields its text. It sees the definitions around it; its own ones nobody else sees.
fn tpl(core: &Core, scope: &Rc<Scope>, arguments: &[Value]) -> Outcome {
    let source = text(arguments, 0);
    core.budget.bytes(source.len()).map_err(Trouble::Limit)?;
    if !source.contains("{{") {
        return Ok(Value::text(source.replace("<no value>", "")));
    }
    let name: Rc<str> = Rc::from(NAME);
    let trees = match core.parse(&name, &source) {
        Ok(trees) => trees,
        Err(failure) => {
            return Err(Trouble::Inside(failure, format!("cannot parse template {}", shown(&source))));
        }
    };
    let inside = Scope::inside(scope);
    for tree in trees.iter() {
        inside.define(tree);
    }
    let Some(own) = trees.iter().find(|tree| tree.name == name) else { return Ok(Value::text("")) };
    let place = core.enter("tpl").map_err(Trouble::Limit)?;
    let mut out = Vec::new();
    let done = Run::execute(core, &inside, own, dot(arguments), &mut out);
    core.leave(place);
    match done {
        Ok(()) => Ok(Value::string(without_no_value(out))),
        Err(failure) => {
            let doing = format!("error during tpl function execution for {}", shown(&source));
            Err(Trouble::Inside(failure, doing))
        }
    }
}

/// What Helm's `tpl` makes of missing values: nothing.
fn without_no_value(out: Vec<u8>) -> Vec<u8> {
    const NO_VALUE: &[u8] = b"<no value>";
    if !out.windows(NO_VALUE.len()).any(|window| window == NO_VALUE) {
        return out;
    }
    let mut kept = Vec::with_capacity(out.len());
    let mut rest = out.as_slice();
    while let [first, behind @ ..] = rest {
        match rest.strip_prefix(NO_VALUE) {
            Some(behind) => rest = behind,
            None => {
                kept.push(*first);
                rest = behind;
            }
        }
    }
    kept
}

/// The source of a `tpl`, for messages.
fn shown(source: &str) -> String {
    piece(quote(source))
}

fn required(arguments: &[Value]) -> Outcome {
    let warning = text(arguments, 0);
    match arguments.get(1) {
        None | Some(Value::Nil) => Err(Trouble::Raised(warning.to_string())),
        Some(Value::Text(text)) if text.is_empty() => Err(Trouble::Raised(warning.to_string())),
        Some(value) => Ok(value.clone()),
    }
}

/// An object of the cluster; an empty dictionary when there is none.
fn lookup(core: &Core, arguments: &[Value]) -> Outcome {
    let part = |index| text(arguments, index).to_string();
    let key = LookupKey { api_version: part(0), kind: part(1), namespace: part(2), name: part(3) };
    match (core.lookup)(&key)? {
        Value::Nil => Ok(Value::dict::<&str>([])),
        found => Ok(found),
    }
}
