//! The functions of sprig 3.3.0 as Helm 3.17 offers them (all but `env` and `expandenv`), by name.
//!
//! Each file has one family and its table. Functions that need the engine itself (`include`, `tpl`, `lookup`, Go's own) live
//! with it. The answers in `functions/tests/` are those of the real `helm`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::{Rc, Weak};
use std::sync::LazyLock;

use jiff::Timestamp;

use super::random::Draw;
use super::value::{Dict, Value};

mod arguments;
mod cast;
mod certificates;
mod dates;
mod decimals;
mod defaults;
mod dicts;
mod encodings;
mod json;
mod lists;
mod merge;
mod numbers;
mod passwords;
mod paths;
mod print;
mod randoms;
mod regexes;
mod strings;
mod urls;
mod values;
pub(in crate::driver) mod versions;
mod words;

/// The longest text that a function makes, in bytes.
const TEXT_MAX: usize = 1 << 20;
/// The longest list that a function makes, and the most values that one visits in a nested value.
const ITEMS_MAX: usize = 100_000;
/// The deepest nesting of values that a function follows: a dictionary may contain itself.
const DEPTH_MAX: usize = 200;

/// What a function may use beside its arguments.
pub struct Surroundings {
    /// What `now` answers: the moment that the instance was made, so that rendering it again gives the same.
    pub now: Timestamp,
    /// Where random values come from: the deployment's seed, the moment that the seed was made (certificates begin then), and
    /// the place of the call.
    pub draw: RefCell<Draw>,
    /// How often values were compared since the engine last took the count and let it be paid.
    pub comparisons: Cell<usize>,
    /// The dictionaries that were changed, by their address: only a change can put one into itself.
    changed: RefCell<HashMap<*const RefCell<Entries>, Weak<RefCell<Entries>>>>,
}

type Entries = BTreeMap<Rc<str>, Value>;

impl Surroundings {
    /// Of a rendering that begins.
    pub fn new(now: Timestamp, draw: Draw) -> Self {
        Self { now, draw: RefCell::new(draw), comparisons: Cell::new(0), changed: RefCell::default() }
    }

    /// Notes a dictionary that is changed.
    fn changes(&self, dict: &Dict) {
        self.changed.borrow_mut().entry(Rc::as_ptr(dict)).or_insert_with(|| Rc::downgrade(dict));
    }
}

impl Drop for Surroundings {
    /// Empties the changed dictionaries that are left: those that contain themselves would stay for ever.
    fn drop(&mut self) {
        for dict in self.changed.take().into_values().filter_map(|dict| dict.upgrade()) {
            let entries = dict.try_borrow_mut().map(|mut entries| std::mem::take(&mut *entries));
            drop(entries);
        }
    }
}

/// A function of templates. An error is its text, as Go's template engine would put it after `error calling NAME: `.
pub type Function = fn(&Surroundings, &[Value]) -> Result<Value, String>;

/// A function of sprig with what Go's template engine knows of it.
pub struct Entry {
    /// The name in templates.
    pub name: &'static str,
    /// The types of the arguments that it always takes.
    pub takes: &'static [Kind],
    /// The type of the further arguments, any number of them; none when it takes no more.
    pub rest: Option<Kind>,
    /// What it goes through of its arguments, which is paid for before it is called.
    pub looks: Looks,
    /// Whether it draws random values, which depend on the place of the call.
    pub draws: bool,
    /// The function itself. Call it with arguments that passed [`Entry::check`].
    pub call: Function,
}

/// What a function goes through of its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Looks {
    /// Nothing: its answer takes the same time whatever they are.
    Nowhere,
    /// Their bytes, items and entries.
    Shallow,
    /// All that is inside of every second one, from the first: the keys of a new dictionary.
    Keys,
    /// All that is inside of them.
    Deep,
}

/// The type of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `interface {}`.
    Any,
    /// `string`.
    Text,
    /// `int`.
    Int,
    /// `uint32`.
    Unsigned,
    /// `float64`.
    Float,
    /// `bool`.
    Bool,
    /// `map[string]interface {}`.
    Dict,
    /// `[]interface {}`.
    List,
    /// `time.Time`.
    Time,
    /// `sprig.certificate`.
    Certificate,
}

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    static ALL: LazyLock<HashMap<&str, &Entry>> = LazyLock::new(|| {
        FAMILIES.iter().flat_map(|family| family.iter()).map(|entry| (entry.name, entry)).collect()
    });
    ALL.get(name).copied()
}

const FAMILIES: &[&[Entry]] = &[
    strings::TABLE,
    lists::TABLE,
    dicts::TABLE,
    merge::TABLE,
    numbers::TABLE,
    decimals::TABLE,
    defaults::TABLE,
    paths::TABLE,
    words::TABLE,
    encodings::TABLE,
    regexes::TABLE,
    versions::TABLE,
    dates::TABLE,
    urls::TABLE,
    json::TABLE,
    certificates::TABLE,
    randoms::TABLE,
    passwords::TABLE,
];

/// A function with a fixed number of arguments.
const fn entry(name: &'static str, takes: &'static [Kind], call: Function) -> Entry {
    Entry { name, takes, rest: None, looks: Looks::Shallow, draws: false, call }
}

impl Entry {
    /// The same with any number of further arguments.
    const fn and_more(mut self, rest: Kind) -> Self {
        self.rest = Some(rest);
        self
    }

    /// The same, for a function that goes through more or less than the bytes, items and entries of its arguments.
    const fn looking(mut self, looks: Looks) -> Self {
        self.looks = looks;
        self
    }

    /// The same, for a function that draws random values.
    const fn drawing(mut self) -> Self {
        self.draws = true;
        self
    }

    /// Whether it can be called with these arguments. An error has Go's words; it stands without `error calling NAME: `.
    ///
    /// A nil counts as one that comes from a variable, a pipe or a parenthesis. Go refuses more of those that are a field:
    /// see [`Entry::check_missing`].
    pub fn check(&self, arguments: &[Value]) -> Result<(), String> {
        let (name, wanted, got) = (self.name, self.takes.len(), arguments.len());
        if got < wanted && self.rest.is_some() {
            return Err(format!("wrong number of args for {name}: want at least {wanted} got {got}"));
        }
        if got < wanted || got > wanted && self.rest.is_none() {
            return Err(format!("wrong number of args for {name}: want {wanted} got {got}"));
        }
        let kinds = self.takes.iter().copied().chain(std::iter::repeat(self.rest.unwrap_or(Kind::Any)));
        match kinds.zip(arguments).find(|(kind, argument)| !kind.accepts(argument)) {
            Some((kind, argument)) => Err(mismatch(kind, argument)),
            None => Ok(()),
        }
    }

    /// Whether the argument at this index may be a field that is missing or nil (`.Values.missing`): only an `interface {}` may.
    pub fn check_missing(&self, index: usize) -> Result<(), String> {
        match self.takes.get(index).copied().or(self.rest) {
            Some(Kind::Any) | None => Ok(()),
            Some(kind) => Err(format!("wrong type for value; expected {}; got interface {{}}", kind.name())),
        }
    }
}

impl Kind {
    /// Go's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Text => "string",
            Self::Int => "int",
            Self::Unsigned => "uint32",
            Self::Float => "float64",
            Self::Bool => "bool",
            Self::Dict => "map[string]interface {}",
            Self::List => "[]interface {}",
            Self::Time => "time.Time",
            Self::Certificate => "sprig.certificate",
        }
    }

    /// Whether Go could pass the value. An integer passes for a float, since a literal does.
    fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any, _)
            | (Self::Text, Value::Text(_) | Value::Raw(_))
            | (Self::Int, Value::Int(_))
            | (Self::Float, Value::Float(_) | Value::Int(_))
            | (Self::Bool, Value::Bool(_))
            | (Self::Dict, Value::Dict(_) | Value::Nil)
            | (Self::List, Value::List(_) | Value::Nil) => true,
            (Self::Unsigned, Value::Int(number)) => u32::try_from(*number).is_ok(),
            (Self::Time | Self::Certificate | Self::List, Value::Object(object)) => {
                object.type_name() == self.name()
            }
            _ => false,
        }
    }
}

/// Go's words for an argument of the wrong type.
fn mismatch(kind: Kind, argument: &Value) -> String {
    match argument {
        Value::Nil => format!("invalid value; expected {}", kind.name()),
        other => format!("wrong type for value; expected {}; got {}", kind.name(), other.type_name()),
    }
}

/// Why a function does not make a text or a list that large.
fn too_large(what: &str) -> String {
    format!("{what} would be larger than a template may make it")
}

#[cfg(test)]
mod tests;
