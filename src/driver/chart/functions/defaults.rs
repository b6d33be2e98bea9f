//! Defaults and emptiness, and Go's types and kinds.

use super::super::value::Value;
use super::Kind::{Any, Bool, Text};
use super::arguments::{Answer, at_least, boolean, fixed, string, text};
use super::print::kind;
use super::values::{equal, is_empty};
use super::{Entry, Looks, Surroundings, entry};

pub(super) const TABLE: &[Entry] = &[
    entry("default", &[Any], default).and_more(Any),
    entry("empty", &[Any], |_, given| Ok(Value::Bool(is_empty(&fixed::<1>(given)?[0])))),
    entry("coalesce", &[], coalesce).and_more(Any),
    entry("all", &[], |_, given| Ok(Value::Bool(!given.iter().any(is_empty)))).and_more(Any),
    entry("any", &[], |_, given| Ok(Value::Bool(!given.iter().all(is_empty)))).and_more(Any),
    entry("ternary", &[Any, Any, Bool], ternary),
    entry("typeOf", &[Any], |_, given| string(fixed::<1>(given)?[0].type_name())),
    entry("typeIs", &[Text, Any], |_, given| named(given, Value::type_name)),
    entry("typeIsLike", &[Text, Any], type_is_like),
    entry("kindOf", &[Any], |_, given| string(kind(&fixed::<1>(given)?[0]))),
    entry("kindIs", &[Text, Any], |_, given| named(given, kind)),
    entry("deepEqual", &[Any, Any], deep_equal).looking(Looks::Deep),
    entry("fail", &[Text], |_, given| Err(text(&fixed::<1>(given)?[0])?.into_owned())),
    // Charts must not reach the network, so no name has an address.
    entry("getHostByName", &[Text], |_, _| string("")),
];

fn default(_: &Surroundings, arguments: &[Value]) -> Answer {
    let ([default], given) = at_least(arguments)?;
    Ok(given.first().filter(|given| !is_empty(given)).unwrap_or(default).clone())
}

fn coalesce(_: &Surroundings, arguments: &[Value]) -> Answer {
    Ok(arguments.iter().find(|given| !is_empty(given)).cloned().unwrap_or(Value::Nil))
}

fn ternary(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [when_true, when_false, condition] = fixed(arguments)?;
    Ok(if boolean(condition)? { when_true.clone() } else { when_false.clone() })
}

/// Whether the first argument is what `name` says of the second.
fn named(arguments: &[Value], name: fn(&Value) -> &'static str) -> Answer {
    let [wanted, given] = fixed(arguments)?;
    Ok(Value::Bool(text(wanted)? == name(given)))
}

fn type_is_like(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [wanted, given] = fixed(arguments)?;
    let (wanted, name) = (text(wanted)?, given.type_name());
    Ok(Value::Bool(wanted == name || name.strip_prefix('*').is_some_and(|name| wanted == name)))
}

fn deep_equal(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [one, other] = fixed(arguments)?;
    equal(one, other).map(Value::Bool)
}
