//! `merge` and `mergeOverwrite`: the rules of the library mergo 1.0.1 for dictionaries.
//!
//! The first dictionary is changed in place, and so are the dictionaries in it. What it takes from another one is shared with
//! that one, not copied.

use std::rc::Rc;

use super::super::value::{Dict, Value};
use super::Kind;
use super::arguments::{Answer, at_least, dict};
use super::values::{Walk, is_empty};
use super::{Entry, Looks, Surroundings, entry};

pub(super) const TABLE: &[Entry] = &[
    entry("merge", &[Kind::Dict], keep).looking(Looks::Deep).and_more(Kind::Dict),
    entry("mustMerge", &[Kind::Dict], keep).looking(Looks::Deep).and_more(Kind::Dict),
    entry("mergeOverwrite", &[Kind::Dict], overwrite).looking(Looks::Deep).and_more(Kind::Dict),
    entry("mustMergeOverwrite", &[Kind::Dict], overwrite).looking(Looks::Deep).and_more(Kind::Dict),
];

fn keep(around: &Surroundings, arguments: &[Value]) -> Answer {
    merge_all(around, arguments, false)
}

fn overwrite(around: &Surroundings, arguments: &[Value]) -> Answer {
    merge_all(around, arguments, true)
}

fn merge_all(around: &Surroundings, arguments: &[Value], overwrite: bool) -> Answer {
    let ([target], sources) = at_least(arguments)?;
    let mut walk = Walk::new();
    // A nil source has nothing to give.
    for source in sources.iter().filter(|source| !matches!(source, Value::Nil)) {
        merge((around, &mut walk), dict(target)?, dict(source)?, overwrite, 0)?;
    }
    Ok(target.clone())
}

fn merge(
    (around, walk): (&Surroundings, &mut Walk<'_>),
    target: &Dict,
    source: &Dict,
    overwrite: bool,
    depth: usize,
) -> Result<(), String> {
    around.changes(target);
    // The source may be the target or stand in it, so it is not borrowed while the target changes.
    let entries: Vec<_> =
        source.borrow().iter().map(|(key, value)| (Rc::clone(key), value.clone())).collect();
    for (key, new) in entries {
        walk.visit(depth)?;
        let old = target.borrow().get(&key).cloned();
        if let (Some(Value::Dict(old)), Value::Dict(new)) = (&old, &new) {
            merge((around, walk), old, new, overwrite, depth + 1)?;
        }
        let takes = match (&old, &new) {
            // A nil that overwrites is kept as a nil; else it does not even make the key.
            (_, Value::Nil) => overwrite,
            (None, _) => true,
            // After the merge of their entries: only two empty dictionaries are left here.
            (Some(old @ Value::Dict(_)), Value::Dict(_)) => is_empty(old),
            (Some(old), _) => overwrite || is_empty(old),
        };
        if takes {
            target.borrow_mut().insert(key, new);
        }
    }
    Ok(())
}
