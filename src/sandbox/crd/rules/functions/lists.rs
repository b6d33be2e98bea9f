//! Functions of lists and maps.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::strings::int;
use super::{Answer, arithmetic};
use crate::sandbox::crd::rules::meter::Meter;
use crate::sandbox::crd::rules::value::{Cel, Fault, Key, List, ListKind, compare, equal};

pub fn call(name: &str, arguments: &[Cel], meter: &Meter) -> Answer {
    match (name, arguments) {
        ("size", [Cel::List(list)]) => Ok(Some(int(list.items.len()))),
        ("size", [Cel::Map(map)]) => Ok(Some(int(map.len()))),
        ("_[_]", [of, index]) => at(of, index).map(|found| Some(found?.sound())).and_then(Option::transpose),
        ("_[?_]", [of, index]) => optional_at(of, index),
        ("@in", [value, Cel::List(list)]) => contains(list, value, meter).map(|found| Some(Cel::Bool(found))),
        ("@in", [key, Cel::Map(map)]) => {
            Ok(Some(Cel::Bool(Key::of(key).is_some_and(|key| map.contains_key(&key)))))
        }
        ("indexOf", [Cel::List(list), value]) => position(list.items.iter(), value, meter),
        ("lastIndexOf", [Cel::List(list), value]) => {
            let Some(Cel::Int(back)) = position(list.items.iter().rev(), value, meter)? else {
                return Ok(None);
            };
            let last = i64::try_from(list.items.len()).unwrap_or(0) - 1;
            Ok(Some(Cel::Int(if back < 0 { -1 } else { last - back })))
        }
        ("isSorted", [Cel::List(list)]) => is_sorted(list, meter),
        ("min", [Cel::List(list)]) => extreme(list, Ordering::Less, "min", meter),
        ("max", [Cel::List(list)]) => extreme(list, Ordering::Greater, "max", meter),
        ("sum", [Cel::List(list)]) => sum(list, meter),
        ("sets.contains", [Cel::List(list), Cel::List(other)]) => {
            every(other, |item| contains(list, item, meter)).map(|found| Some(Cel::Bool(found)))
        }
        ("sets.equivalent", [Cel::List(list), Cel::List(other)]) => {
            let forth = every(other, |item| contains(list, item, meter))?;
            let found = forth && every(list, |item| contains(other, item, meter))?;
            Ok(Some(Cel::Bool(found)))
        }
        ("sets.intersects", [Cel::List(list), Cel::List(other)]) => {
            let none = every(other, |item| contains(list, item, meter).map(|found| !found))?;
            Ok(Some(Cel::Bool(!none)))
        }
        _ => Ok(None),
    }
}

/// The element of a list or map; `None` when it is neither.
fn at<'a>(of: &'a Cel, index: &Cel) -> Result<Option<&'a Cel>, Fault> {
    match of {
        Cel::List(list) => {
            let position = match index {
                Cel::Int(int) => usize::try_from(*int).ok(),
                Cel::Uint(uint) => usize::try_from(*uint).ok(),
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a whole number that is no negative one"
                )]
                Cel::Double(double) if double.fract() == 0.0 && *double >= 0.0 => Some(*double as usize),
                _ => return Ok(None),
            };
            let missing = || Fault::error(format!("index out of bounds: {}", plain(index)));
            position.and_then(|position| list.items.get(position)).map(Some).ok_or_else(missing)
        }
        Cel::Map(map) => {
            let Some(key) = Key::of(index) else { return Ok(None) };
            let missing = || Fault::error(format!("no such key: {}", plain(index)));
            map.get(&key).map(Some).ok_or_else(missing)
        }
        _ => Ok(None),
    }
}

fn plain(index: &Cel) -> String {
    match index {
        Cel::Text(text) => text.to_string(),
        Cel::Int(int) => int.to_string(),
        Cel::Uint(uint) => uint.to_string(),
        Cel::Bool(bool) => bool.to_string(),
        other => other.type_name().to_owned(),
    }
}

fn optional_at(of: &Cel, index: &Cel) -> Answer {
    let of = match of {
        Cel::Optional(None) => return Ok(Some(Cel::Optional(None))),
        Cel::Optional(Some(of)) => of,
        of => of,
    };
    match at(of, index) {
        Ok(Some(found)) => Ok(Some(Cel::some(found.sound()?))),
        Ok(None) => Ok(None),
        Err(_) => Ok(Some(Cel::Optional(None))),
    }
}

fn every(list: &List, passes: impl Fn(&Cel) -> Result<bool, Fault>) -> Result<bool, Fault> {
    for item in list.items.iter() {
        if !passes(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn contains(list: &List, wanted: &Cel, meter: &Meter) -> Result<bool, Fault> {
    every(list, |item| equal(item, wanted, meter).map(|equal| !equal)).map(|none| !none)
}

fn position<'a>(items: impl Iterator<Item = &'a Cel>, wanted: &Cel, meter: &Meter) -> Answer {
    for (index, item) in items.enumerate() {
        if equal(item, wanted, meter)? {
            return Ok(Some(int(index)));
        }
    }
    Ok(Some(Cel::Int(-1)))
}

fn is_sorted(list: &List, meter: &Meter) -> Answer {
    meter.charge(list.items.len())?;
    for pair in list.items.windows(2) {
        match compare(&pair[0].sound()?, &pair[1].sound()?) {
            None => return Ok(None),
            Some(Ordering::Greater) => return Ok(Some(Cel::Bool(false))),
            Some(_) => {}
        }
    }
    Ok(Some(Cel::Bool(true)))
}

fn extreme(list: &List, wanted: Ordering, name: &str, meter: &Meter) -> Answer {
    meter.charge(list.items.len())?;
    let Some((first, rest)) = list.items.split_first() else {
        return Err(Fault::error(format!("{name} called on empty list")));
    };
    let mut best = first.sound()?;
    for item in rest {
        match compare(&item.sound()?, &best) {
            None => return Ok(None),
            Some(order) if order == wanted => best = item.clone(),
            Some(_) => {}
        }
    }
    Ok(Some(best))
}

fn sum(list: &List, meter: &Meter) -> Answer {
    meter.charge(list.items.len())?;
    let Some((first, rest)) = list.items.split_first() else { return Ok(Some(Cel::Int(0))) };
    let mut sum = first.sound()?;
    for item in rest {
        let terms = [sum, item.sound()?];
        let added = match &terms {
            [Cel::Span(_), Cel::Span(_)] => super::time::call("_+_", &terms, meter)?,
            _ => arithmetic::call("_+_", &terms, meter)?,
        };
        let Some(added) = added else { return Ok(None) };
        sum = added;
    }
    Ok(Some(sum))
}

/// Adds lists as the schema of the first one says: one after the other, or what is new, or by keys.
pub fn add(one: &List, other: &List, meter: &Meter) -> Result<Cel, Fault> {
    meter.charge(one.items.len() + other.items.len())?;
    let mut items: Vec<Cel> = one.items.to_vec();
    match &one.kind {
        ListKind::Atomic => items.extend(other.items.iter().cloned()),
        ListKind::Set => {
            for item in other.items.iter() {
                if !contains(one, item, meter)? {
                    items.push(item.clone());
                }
            }
        }
        ListKind::Map(keys) => {
            for item in other.items.iter() {
                let wanted = identity(item, keys);
                let mut same = None;
                for (index, before) in items.iter().enumerate() {
                    if equal(&identity(before, keys), &wanted, meter)? {
                        same = Some(index);
                        break;
                    }
                }
                match same.and_then(|index| items.get_mut(index)) {
                    Some(slot) => *slot = item.clone(),
                    None => items.push(item.clone()),
                }
            }
        }
    }
    Ok(Cel::List(List { items: Rc::new(items), kind: one.kind.clone() }))
}

fn identity(item: &Cel, keys: &[Key]) -> Cel {
    let Cel::Map(fields) = item else { return item.clone() };
    let pairs = keys.iter().filter_map(|key| Some((key.clone(), fields.get(key)?.clone())));
    Cel::Map(Rc::new(pairs.collect::<BTreeMap<_, _>>()))
}
