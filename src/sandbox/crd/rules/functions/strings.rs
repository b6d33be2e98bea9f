//! Functions of strings. Positions count characters.

use super::Answer;
use crate::sandbox::crd::rules::meter::Meter;
use crate::sandbox::crd::rules::value::{Cel, Fault, List};

pub fn call(name: &str, arguments: &[Cel], meter: &Meter) -> Answer {
    if let ("size", [Cel::Bytes(bytes)]) = (name, arguments) {
        return Ok(Some(int(bytes.len())));
    }
    if let ("join", [Cel::List(list), rest @ ..]) = (name, arguments) {
        return join(list, rest, meter);
    }
    let Some((Cel::Text(text), rest)) = arguments.split_first() else { return Ok(None) };
    match (name, rest) {
        ("size", []) => {
            meter.charge_text(text.len())?;
            Ok(Some(int(text.chars().count())))
        }
        ("startsWith", [Cel::Text(other)]) => {
            meter.charge_text(other.len())?;
            Ok(Some(Cel::Bool(text.starts_with(&**other))))
        }
        ("endsWith", [Cel::Text(other)]) => {
            meter.charge_text(other.len())?;
            Ok(Some(Cel::Bool(text.ends_with(&**other))))
        }
        ("contains", [Cel::Text(other)]) => {
            // a real server charges both lengths multiplied; the search here is linear
            meter.charge_text(text.len() + other.len())?;
            Ok(Some(Cel::Bool(text.contains(&**other))))
        }
        ("lowerAscii" | "upperAscii" | "trim", []) => {
            meter.charge_text(text.len())?;
            Ok(Some(Cel::Text(match name {
                "lowerAscii" => text.to_ascii_lowercase().into(),
                "upperAscii" => text.to_ascii_uppercase().into(),
                _ => text.trim().into(),
            })))
        }
        ("charAt", [Cel::Int(at)]) => char_at(text, *at, meter),
        ("substring", [Cel::Int(from)]) => substring(text, *from, None, meter),
        ("substring", [Cel::Int(from), Cel::Int(to)]) => substring(text, *from, Some(*to), meter),
        ("indexOf" | "lastIndexOf", [Cel::Text(other)]) => index_of(name, text, other, None, meter),
        ("indexOf" | "lastIndexOf", [Cel::Text(other), Cel::Int(from)]) => {
            index_of(name, text, other, Some(*from), meter)
        }
        ("split", [Cel::Text(by)]) => split(text, by, -1, meter),
        ("split", [Cel::Text(by), Cel::Int(most)]) => split(text, by, *most, meter),
        ("replace", [Cel::Text(what), Cel::Text(with)]) => replace(text, what, with, None, meter),
        ("replace", [Cel::Text(what), Cel::Text(with), Cel::Int(most)]) => {
            replace(text, what, with, usize::try_from(*most).ok(), meter)
        }
        _ => Ok(None),
    }
}

/// A length as a value.
pub fn int(length: usize) -> Cel {
    Cel::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

fn out_of_range(at: i64) -> Fault {
    Fault::error(format!("index out of range: {at}"))
}

fn char_at(text: &str, at: i64, meter: &Meter) -> Answer {
    meter.charge_text(text.len())?;
    let index = usize::try_from(at).map_err(|_| out_of_range(at))?;
    match text.chars().nth(index) {
        Some(found) => Ok(Some(Cel::text(&found.to_string()))),
        None if index == text.chars().count() => Ok(Some(Cel::text(""))),
        None => Err(out_of_range(at)),
    }
}

fn substring(text: &str, from: i64, to: Option<i64>, meter: &Meter) -> Answer {
    meter.charge_text(text.len())?;
    let count = text.chars().count();
    let checked =
        |at: i64| usize::try_from(at).ok().filter(|at| *at <= count).ok_or_else(|| out_of_range(at));
    let start = checked(from)?;
    let end = to.map_or(Ok(count), checked)?;
    if start > end {
        return Err(Fault::error(format!("invalid substring range. start: {start}, end: {end}")));
    }
    Ok(Some(Cel::Text(text.chars().skip(start).take(end - start).collect::<String>().into())))
}

fn index_of(name: &str, text: &str, other: &str, from: Option<i64>, meter: &Meter) -> Answer {
    meter.charge_text(text.len() + other.len())?;
    let count = text.chars().count();
    let last = name == "lastIndexOf";
    let start = match from {
        Some(at) => {
            usize::try_from(at).ok().filter(|at| *at < count.max(1)).ok_or_else(|| out_of_range(at))?
        }
        None if last => count,
        None => 0,
    };
    // the byte at which a character starts
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    let found = if last {
        let end = byte(start).saturating_add(other.len()).min(text.len());
        text.get(..end).or(Some(text)).and_then(|head| head.rfind(other))
    } else {
        text[byte(start)..].find(other).map(|found| found + byte(start))
    };
    let found = found.map_or(-1, |byte| i64::try_from(text[..byte].chars().count()).unwrap_or(-1));
    Ok(Some(Cel::Int(found)))
}

fn split(text: &str, by: &str, most: i64, meter: &Meter) -> Answer {
    meter.charge(text.len())?;
    let parts: Vec<Cel> = match (usize::try_from(most), by) {
        (Ok(0), _) => Vec::new(),
        (Ok(most), "") => {
            let cut = text.char_indices().nth(most - 1).map_or(text.len(), |(byte, _)| byte);
            let (head, tail) = text.split_at(cut);
            let rest = (!tail.is_empty()).then(|| Cel::text(tail));
            head.chars().map(|c| Cel::text(&c.to_string())).chain(rest).collect()
        }
        (Err(_), "") => text.chars().map(|c| Cel::text(&c.to_string())).collect(),
        (Ok(most), by) => text.splitn(most, by).map(Cel::text).collect(),
        (Err(_), by) => text.split(by).map(Cel::text).collect(),
    };
    Ok(Some(List::plain(parts)))
}

fn replace(text: &str, what: &str, with: &str, most: Option<usize>, meter: &Meter) -> Answer {
    meter.charge_text(text.len())?;
    // what comes out is paid before it is made
    let times = text.matches(what).count().min(most.unwrap_or(usize::MAX));
    meter.charge_text(times.saturating_mul(with.len()))?;
    Ok(Some(Cel::Text(text.replacen(what, with, times).into())))
}

fn join(list: &List, rest: &[Cel], meter: &Meter) -> Answer {
    let by = match rest {
        [] => "",
        [Cel::Text(by)] => by,
        _ => return Ok(None),
    };
    let mut joined = String::new();
    for (index, item) in list.items.iter().enumerate() {
        let Cel::Text(text) = item.sound()? else { return Ok(None) };
        meter.charge_text(text.len() + by.len())?;
        if index > 0 {
            joined.push_str(by);
        }
        joined.push_str(&text);
    }
    Ok(Some(Cel::Text(joined.into())))
}
