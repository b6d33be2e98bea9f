//! What can be said of a file without running it.

use std::collections::{BTreeSet, HashSet};

use starlark::analysis::AstModuleLint;
use starlark::environment::Globals;
use starlark::syntax::AstModule;

use super::explain;
use super::globals::globals;
use super::load::{parse, resolve};
use crate::domain::suggest;
use crate::hooks::check::Finding;
use crate::hooks::end::Failure;
use crate::hooks::protocol::Order;

mod calls;

/// The most that is told.
const MOST: usize = 100;

/// What the linter of the crate says that is a mistake, and no matter of taste.
const MISTAKES: &[&str] = &[
    "using-unassigned",
    "using-maybe-undefined",
    "duplicate-key",
    "duplicate-top-level-assign",
    "unreachable",
];

/// Looks through the file and all that it loads.
pub fn findings(order: &Order) -> Vec<Finding> {
    let globals = globals();
    let mut look = Look { order, names: names(&globals), found: Vec::new(), seen: BTreeSet::new() };
    let mut pending = vec![order.file.clone()];
    while let Some(path) = pending.pop() {
        if look.found.len() < MOST && look.seen.insert(path.clone()) {
            pending.extend(look.file(&path));
        }
    }
    look.found.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    look.found.truncate(MOST);
    look.found
}

fn names(globals: &Globals) -> HashSet<String> {
    globals.names().map(|name| name.as_str().to_owned()).collect()
}

struct Look<'a> {
    order: &'a Order,
    names: HashSet<String>,
    found: Vec<Finding>,
    seen: BTreeSet<String>,
}

impl Look<'_> {
    /// Looks through one file; gives what it loads.
    fn file(&mut self, path: &str) -> Vec<String> {
        let ast = match parse(&self.order.files, path) {
            Ok(ast) => ast,
            Err(error) => {
                self.tell(path, &explain::failure(&error));
                return Vec::new();
            }
        };
        self.lint(path, &ast);
        let mut loads = Vec::new();
        for load in ast.loads() {
            match resolve(path, load.module_id, &self.order.files) {
                Ok(found) => loads.push(found),
                Err(failure) => self.tell(path, &failure.at(Some(explain::place(&load.span)))),
            }
        }
        loads
    }

    fn tell(&mut self, path: &str, failure: &Failure) {
        let message = match failure.why.is_empty() {
            true => failure.what.clone(),
            false => format!("{}: {}", failure.what, failure.why),
        };
        let (file, line, column) = match &failure.place {
            Some(place) => (place.file.clone(), place.line, place.column.unwrap_or(1)),
            None => (path.to_owned(), 1, 1),
        };
        self.found.push(Finding { file, line, column, message });
    }

    fn lint(&mut self, path: &str, ast: &AstModule) {
        let text = self.order.files.get(path).map(String::as_str).unwrap_or_default();
        for (span, message) in calls::wrong(ast, text) {
            let place = explain::place(&ast.file_span(span));
            let column = place.column.unwrap_or(1);
            self.found.push(Finding { file: path.to_owned(), line: place.line, column, message });
        }
        for lint in ast.lint(Some(&self.names)) {
            let message = match lint.short_name.as_str() {
                "using-undefined" => {
                    let name = &lint.original;
                    let hint = suggest::nearest(name, self.names.iter().map(String::as_str));
                    let hint = hint.map_or(String::new(), |near| format!(", did you mean '{near}'?"));
                    format!("'{name}' is not defined{hint}")
                }
                name if MISTAKES.contains(&name) => lint.problem.clone(),
                _ => continue,
            };
            let place = explain::place(&lint.location);
            let column = place.column.unwrap_or(1);
            self.found.push(Finding { file: path.to_owned(), line: place.line, column, message });
        }
    }
}
