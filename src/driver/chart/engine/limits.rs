//! What rendering may cost.
//!
//! Charts are untrusted: a template that runs in circles, a dictionary that contains itself or a text that doubles itself must end
//! in an error, never in a hang, a full memory or an overflown stack.

use std::cell::Cell;
use std::io;
use std::thread;

use crate::driver::chart::format::{DEPTH, too_deep};
use crate::driver::chart::value::Value;

/// The stack of [`on_deep_stack`]. It is reserved, not used, until templates nest that deep.
const STACK: usize = 256 << 20;

/// What a node of a template and a call cost beside the bytes that they make.
const STEP: u64 = 16;

/// The limits of one rendering, all templates together.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Steps and bytes: each node, each call and each byte of text that is made uses some.
    pub fuel: u64,
    /// Bytes of one template's output.
    pub output: usize,
    /// How deep blocks, parentheses and templates may be nested in one another while they are executed.
    pub depth: usize,
    /// The same where the stack is that of any thread.
    pub shallow_depth: usize,
}

impl Default for Limits {
    /// Many times what the largest public charts need.
    fn default() -> Self {
        Self { fuel: 1 << 28, output: 32 << 20, depth: 15_000, shallow_depth: 60 }
    }
}

thread_local! {
    static DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` on a thread whose stack suffices for templates that nest as deep as [`Limits::depth`] allows.
///
/// # Errors
/// When the thread cannot be started, or when `work` panics.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let marked = move || {
        DEEP.set(true);
        work()
    };
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("charts".to_owned()).stack_size(STACK);
        let running = builder.spawn_scoped(scope, marked)?;
        running.join().map_err(|_panic| io::Error::other("rendering the chart failed within Styrmin"))
    })
}

/// What is left of the limits.
pub(super) struct Budget {
    limits: Limits,
    fuel: Cell<u64>,
    depth: Cell<usize>,
}

/// A text for the person who wrote the template.
type Spent = Result<(), String>;

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, fuel: Cell::new(limits.fuel), depth: Cell::new(0) }
    }

    /// Pays for a node or a call.
    pub(super) fn step(&self) -> Spent {
        self.spend(STEP)
    }

    /// Pays for that many bytes.
    pub(super) fn bytes(&self, count: usize) -> Spent {
        self.spend(u64::try_from(count).unwrap_or(u64::MAX))
    }

    fn spend(&self, cost: u64) -> Spent {
        let left = self.fuel.get().checked_sub(cost);
        self.fuel.set(left.unwrap_or(0));
        match left {
            Some(_) => Ok(()),
            None => Err(format!(
                "the chart needs more than {} million steps to render: it was stopped",
                self.limits.fuel / STEP / 1_000_000
            )),
        }
    }

    /// Pays for what a function looks at or makes, without what is inside of lists and dictionaries.
    pub(super) fn shallow(&self, value: &Value) -> Spent {
        match value {
            Value::Text(text) => self.bytes(text.len()),
            Value::Raw(bytes) | Value::Bytes(bytes) => self.bytes(bytes.len()),
            Value::List(items) => self.bytes(items.len()),
            Value::Dict(entries) => self.bytes(entries.borrow().len()),
            Value::Object(object) => self.bytes(object.weight()),
            _ => Ok(()),
        }
    }

    /// Pays for all that is inside of a value, as often as it is found: for each part before what is inside of it.
    pub(super) fn deep(&self, value: &Value) -> Spent {
        self.deep_from(value, 0)
    }

    fn deep_from(&self, value: &Value, depth: usize) -> Spent {
        self.shallow(value)?;
        if !value.is_container() {
            return Ok(());
        }
        if depth > DEPTH {
            return Err(too_deep());
        }
        self.step()?;
        match value {
            Value::List(items) => items.iter().try_for_each(|item| self.deep_from(item, depth + 1)),
            Value::Dict(entries) => {
                entries.borrow().values().try_for_each(|item| self.deep_from(item, depth + 1))
            }
            _ => Ok(()),
        }
    }

    /// Whether an output may grow to that many bytes.
    pub(super) fn output(&self, length: usize) -> Spent {
        if length <= self.limits.output {
            return Ok(());
        }
        Err(format!("the output has more than {} MiB", self.limits.output >> 20))
    }

    /// Goes one level deeper, until the guard is dropped.
    pub(super) fn deeper(&self) -> Result<Level<'_>, String> {
        let limit = if DEEP.get() { self.limits.depth } else { self.limits.shallow_depth };
        let depth = self.depth.get() + 1;
        if depth > limit {
            return Err(format!(
                "templates, blocks and parentheses are nested more than {limit} deep (does a template include itself?)"
            ));
        }
        self.depth.set(depth);
        Ok(Level(self))
    }
}

/// One level of nesting; ends when it is dropped.
pub(super) struct Level<'b>(&'b Budget);

impl Drop for Level<'_> {
    fn drop(&mut self) {
        self.0.depth.set(self.0.depth.get().saturating_sub(1));
    }
}
