//! The driver's files, each evaluated once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use starlark::codemap::FileSpanRef;
use starlark::environment::{FrozenModule, Globals, Module};
use starlark::eval::{BeforeStmtFuncDyn, Evaluator, FileLoader};
use starlark::syntax::AstModule;

use super::bounds::Watch;
use super::explain;
use super::globals::DIALECT;
use crate::domain::suggest;
use crate::hooks::end::Failure;
use crate::hooks::functions::nesting;

/// How many functions may be running at once.
pub const CALLS_DEEP: usize = 400;

/// How many files may load each other in a row.
const FILES_DEEP: usize = 50;

/// How deep brackets may be nested in a file. Lists and calls are out of stack before; parentheses take none, and would be read
/// however deep they are.
const BRACKETS_DEEP: usize = 100_000;

/// The files and what became of them.
pub struct Files<'a> {
    /// By their paths in the driver.
    pub files: &'a BTreeMap<String, String>,
    /// What they can name.
    pub globals: &'a Globals,
    /// Sees that they do not take too much.
    pub watch: Rc<Watch>,
    loaded: RefCell<BTreeMap<String, FrozenModule>>,
    opening: RefCell<Vec<String>>,
}

impl<'a> Files<'a> {
    /// Nothing is evaluated yet.
    pub fn new(files: &'a BTreeMap<String, String>, globals: &'a Globals, watch: Rc<Watch>) -> Self {
        Self { files, globals, watch, loaded: RefCell::default(), opening: RefCell::default() }
    }

    /// The file's definitions, with what it loads evaluated before.
    pub fn open(&self, path: &str) -> Result<FrozenModule, Failure> {
        if let Some(module) = self.loaded.borrow().get(path) {
            return Ok(module.clone());
        }
        if self.opening.borrow().iter().any(|other| other == path) {
            let circle = self.opening.borrow().join(" → ");
            return Err(Failure::new(
                format!("'{path}' is loaded while it is loading"),
                format!("{circle} → {path}"),
            ));
        }
        if self.opening.borrow().len() >= FILES_DEEP {
            return Err(Failure::new(format!("more than {FILES_DEEP} files load each other in a row"), ""));
        }
        self.opening.borrow_mut().push(path.to_owned());
        let module = self.evaluate(path);
        self.opening.borrow_mut().pop();
        let module = module?;
        self.loaded.borrow_mut().insert(path.to_owned(), module.clone());
        Ok(module)
    }

    fn evaluate(&self, path: &str) -> Result<FrozenModule, Failure> {
        let ast = parse(self.files, path).map_err(|error| explain::failure(&error))?;
        let mut modules = BTreeMap::new();
        for load in ast.loads() {
            let module = resolve(path, load.module_id, self.files).and_then(|found| self.open(&found));
            let place = explain::place(&load.span);
            let module = module.map_err(|failure| match failure.place {
                None => {
                    let source = load.span.file.source_line_at_pos(load.span.span.begin()).to_owned();
                    Failure { place: Some(Box::new(place)), source: Some(source), ..failure }
                }
                Some(_) if failure.why.is_empty() => Failure { why: format!("loaded by {place}"), ..failure },
                Some(_) => failure,
            })?;
            modules.insert(load.module_id.to_owned(), module);
        }
        let loaded = Loaded(modules);
        let module = Module::new();
        let done = {
            let mut evaluator = Evaluator::new(&module);
            evaluator.set_loader(&loaded);
            self.bound(&mut evaluator).and_then(|()| evaluator.eval_module(ast, self.globals).map(drop))
        };
        done.map_err(|error| explain::failure(&error))?;
        module.freeze().map_err(|error| Failure::new(format!("'{path}' cannot be kept: {error:?}"), ""))
    }

    /// Sets what an evaluator may use. Before it compiles anything: only then are the statements watched.
    pub fn bound(&self, evaluator: &mut Evaluator<'_, '_, '_>) -> starlark::Result<()> {
        let each: Box<dyn BeforeStmtFuncDyn<'_, '_>> = Box::new(Each(Rc::clone(&self.watch)));
        evaluator.set_max_callstack_size(CALLS_DEEP)?;
        evaluator.before_stmt_for_dap(each.into());
        Ok(())
    }
}

/// Looks before each statement whether the function takes too much. Of what the crate calls, this alone can stop it.
struct Each(Rc<Watch>);

impl<'a, 'e: 'a> BeforeStmtFuncDyn<'a, 'e> for Each {
    fn call<'v>(&mut self, _: FileSpanRef<'_>, _: &mut Evaluator<'v, 'a, 'e>) -> starlark::Result<()> {
        self.0.statement().map_or(Ok(()), |what| Err(explain::error(what, "")))
    }
}

/// What one file loads, by the names in its `load` statements.
struct Loaded(BTreeMap<String, FrozenModule>);

impl FileLoader for Loaded {
    fn load(&self, path: &str) -> starlark::Result<FrozenModule> {
        self.0.get(path).cloned().ok_or_else(|| explain::error(format!("'{path}' is not loaded"), ""))
    }
}

/// Reads a file of the driver.
pub fn parse(files: &BTreeMap<String, String>, path: &str) -> starlark::Result<AstModule> {
    let Some(text) = files.get(path) else {
        let hint = suggest::hint(path, files.keys().map(String::as_str));
        return Err(explain::error(format!("the driver has no file '{path}'"), hint));
    };
    if nesting(text) > BRACKETS_DEEP {
        let what = format!("'{path}' has brackets that are nested more than {BRACKETS_DEEP} deep");
        return Err(explain::error(what, ""));
    }
    AstModule::parse(path, text.clone(), &DIALECT)
}

/// The path in the driver that a file means by `load("…")`: from the directory that it is in.
pub fn resolve(from: &str, wanted: &str, files: &BTreeMap<String, String>) -> Result<String, Failure> {
    let refused = |why: &str| Err(Failure::new(format!("'{wanted}' cannot be loaded"), why));
    if !wanted.ends_with(".star") {
        return refused("only files that end in .star are loaded");
    }
    if wanted.starts_with(['/', '@', ':']) || wanted.contains('\\') {
        return refused("write the path from the file's own directory, such as \"lib/steps.star\"");
    }
    if wanted.split('/').any(|part| part == "..") {
        return refused("'..' is not allowed: a file loads what lies beside it or below");
    }
    let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
    let parts = directory.split('/').chain(wanted.split('/')).filter(|part| !part.is_empty() && *part != ".");
    let path = parts.collect::<Vec<_>>().join("/");
    match files.contains_key(&path) {
        true => Ok(path),
        false => {
            let hint = suggest::hint(&path, files.keys().map(String::as_str));
            Err(Failure::new(format!("the driver has no file '{path}'"), hint))
        }
    }
}
