//! Regular expressions in Go's syntax.
//!
//! The expression is translated for the crate `regex`, which like Go's takes time that grows only with the text. What Go's
//! package does around a match (empty matches, replacements, splitting) is done here.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use regex::bytes::{Captures, Match, Regex, RegexBuilder};

use super::super::format::quote_bytes as quoted;
use super::super::value::Value;
use super::Kind::{Int, Text};
use super::arguments::{Answer, bytes, fixed, int, string, strings, text};
use super::lists::list_or_nil;
use super::{Entry, ITEMS_MAX, Surroundings, TEXT_MAX, entry, too_large};

mod translate;

pub(super) const TABLE: &[Entry] = &[
    entry("regexMatch", &[Text, Text], is_match),
    entry("mustRegexMatch", &[Text, Text], must_match),
    entry("regexFind", &[Text, Text], |_, given| find(given, compile_or_panic)),
    entry("mustRegexFind", &[Text, Text], |_, given| find(given, compile)),
    entry("regexFindAll", &[Text, Text, Int], |_, given| find_all(given, compile_or_panic)),
    entry("mustRegexFindAll", &[Text, Text, Int], |_, given| find_all(given, compile)),
    entry("regexReplaceAll", &[Text, Text, Text], |_, given| replace(given, compile_or_panic, true)),
    entry("mustRegexReplaceAll", &[Text, Text, Text], |_, given| replace(given, compile, true)),
    entry("regexReplaceAllLiteral", &[Text, Text, Text], |_, given| replace(given, compile_or_panic, false)),
    entry("mustRegexReplaceAllLiteral", &[Text, Text, Text], |_, given| replace(given, compile, false)),
    entry("regexSplit", &[Text, Text, Int], |_, given| split(given, compile_or_panic)),
    entry("mustRegexSplit", &[Text, Text, Int], |_, given| split(given, compile)),
    entry("regexQuoteMeta", &[Text], quote_meta),
];

/// The type of what is found.
const STRINGS: &str = "[]string";

/// The most memory of a compiled expression, in bytes.
const COMPILED_MAX: usize = 4 << 20;

/// An expression and the names of its groups; the first is the whole match and has none.
struct Expression {
    regex: Regex,
    names: Vec<Option<String>>,
}

impl Expression {
    /// The first match from there on.
    fn find<'a>(&self, given: &'a [u8], mut at: usize) -> Option<Match<'a>> {
        loop {
            let found = self.regex.find_at(given, at)?;
            if !is_inside_letter(given, &found) {
                return Some(found);
            }
            at = found.start() + 1;
        }
    }

    /// The groups of the first match from there on.
    fn captures<'a>(&self, given: &'a [u8], at: usize) -> Option<Captures<'a>> {
        let found = self.find(given, at)?;
        self.regex.captures_at(given, found.start())
    }
}

/// Whether it is an empty match between the bytes of a letter, which `\B` can make and Go's does not.
fn is_inside_letter(given: &[u8], found: &Match<'_>) -> bool {
    let is_continued = given.get(found.start()).is_some_and(|byte| (0x80..0xc0).contains(byte));
    found.is_empty() && is_continued
}

type Compile = fn(&str) -> Result<Rc<Expression>, String>;

/// The longest expression that is compiled, in bytes.
const EXPRESSION_MAX: usize = 64 << 10;
/// How many compiled expressions are kept.
const KEPT: usize = 32;

thread_local! {
    /// What was compiled last on this thread, which renders one chart at a time: the same expression mostly comes again.
    static COMPILED: RefCell<VecDeque<(Rc<str>, Rc<Expression>)>> = const { RefCell::new(VecDeque::new()) };
}

/// Go's `regexp.Compile`, with its words for what is wrong.
fn compile(expression: &str) -> Result<Rc<Expression>, String> {
    let find =
        |(known, compiled): &(Rc<str>, Rc<Expression>)| (**known == *expression).then(|| Rc::clone(compiled));
    if let Some(compiled) = COMPILED.with_borrow(|kept| kept.iter().find_map(find)) {
        return Ok(compiled);
    }
    let translated = translate::translate(expression)?;
    if expression.len() > EXPRESSION_MAX {
        return Err(format!(
            "error parsing regexp: expression too large: it has more than {} KiB",
            EXPRESSION_MAX >> 10
        ));
    }
    let too_large = |_| format!("error parsing regexp: expression too large: `{expression}`");
    let regex = RegexBuilder::new(&translated.pattern).size_limit(COMPILED_MAX).build().map_err(too_large)?;
    let compiled = Rc::new(Expression { regex, names: translated.names });
    COMPILED.with_borrow_mut(|kept| {
        kept.truncate(KEPT - 1);
        kept.push_front((Rc::from(expression), Rc::clone(&compiled)));
    });
    Ok(compiled)
}

/// Go's `regexp.MustCompile`.
fn compile_or_panic(expression: &str) -> Result<Rc<Expression>, String> {
    compile(expression).map_err(|error| {
        let shown = match expression {
            expression if expression.contains('`') => quoted(expression.as_bytes()),
            expression => format!("`{expression}`"),
        };
        format!("regexp: Compile({shown}): {error}")
    })
}

fn is_match(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [expression, given] = fixed(arguments)?;
    let given = bytes(given)?;
    Ok(Value::Bool(compile(&text(expression)?).is_ok_and(|compiled| compiled.find(given, 0).is_some())))
}

fn must_match(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [expression, given] = fixed(arguments)?;
    Ok(Value::Bool(compile(&text(expression)?)?.find(bytes(given)?, 0).is_some()))
}

fn find(arguments: &[Value], compile: Compile) -> Answer {
    let [expression, given] = fixed(arguments)?;
    let compiled = compile(&text(expression)?)?;
    string(compiled.find(bytes(given)?, 0).map_or(&[][..], |found| found.as_bytes()))
}

/// The length of the letter at the place; none at the end.
fn width(given: &[u8], at: usize) -> usize {
    // No letter has more than four bytes.
    let letter = given[at..given.len().min(at + 4)].utf8_chunks().next();
    letter.map_or(0, |chunk| chunk.valid().chars().next().map_or(1, char::len_utf8))
}

/// Where the matches lie, at most so many (all for a negative number). An empty match right behind another one is none.
fn places(compiled: &Expression, given: &[u8], most: i64) -> Vec<(usize, usize)> {
    let most = usize::try_from(most).unwrap_or(ITEMS_MAX + 1);
    let (mut found, mut at, mut last_end) = (Vec::new(), 0, None);
    while found.len() < most && at <= given.len() {
        let Some(next) = compiled.find(given, at) else { break };
        let (start, end) = (next.start(), next.end());
        let is_empty_behind = end == at && last_end == Some(start);
        at = if end == at { at + width(given, at).max(1) } else { end };
        last_end = Some(end);
        if !is_empty_behind {
            found.push((start, end));
        }
    }
    found
}

fn find_all(arguments: &[Value], compile: Compile) -> Answer {
    let [expression, given, most] = fixed(arguments)?;
    let compiled = compile(&text(expression)?)?;
    let given = bytes(given)?;
    let found = places(&compiled, given, int(most)?);
    if found.is_empty() {
        return list_or_nil(STRINGS, Vec::new());
    }
    strings(found.into_iter().map(|(start, end)| &given[start..end]))
}

fn split(arguments: &[Value], compile: Compile) -> Answer {
    let [expression, given, most] = fixed(arguments)?;
    let (expression, given, most) = (text(expression)?, bytes(given)?, int(most)?);
    let compiled = compile(&expression)?;
    if most == 0 {
        return list_or_nil(STRINGS, Vec::new());
    }
    if given.is_empty() && !expression.is_empty() {
        return strings([given]);
    }
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for (from, to) in places(&compiled, given, most) {
        if most > 0 && parts.len() as i64 == most - 1 {
            break;
        }
        end = from;
        if to != 0 {
            parts.push(&given[begin..from]);
        }
        begin = to;
    }
    if end != given.len() {
        parts.push(&given[begin..]);
    }
    strings(parts)
}

fn replace(arguments: &[Value], compile: Compile, expands: bool) -> Answer {
    let [expression, given, replacement] = fixed(arguments)?;
    let compiled = compile(&text(expression)?)?;
    let given = bytes(given)?;
    let replacement = text(replacement)?;
    let (mut out, mut copied, mut at) = (Vec::new(), 0, 0);
    while at <= given.len() {
        let Some(groups) = compiled.captures(given, at) else { break };
        let (start, end) = groups.get(0).map_or((at, at), |whole| (whole.start(), whole.end()));
        out.extend_from_slice(&given[copied..start]);
        if end > copied || start == 0 {
            match expands {
                true => expand(&mut out, &replacement, &groups, &compiled.names),
                false => out.extend_from_slice(replacement.as_bytes()),
            }
        }
        if out.len() > TEXT_MAX {
            return Err(too_large("the replaced text"));
        }
        copied = end;
        // At least one letter onwards.
        at = end.max(at + width(given, at).max(1));
    }
    out.extend_from_slice(&given[copied.min(given.len())..]);
    string(out)
}

/// Puts the replacement with `$1`, `${1}`, `$name` and `${name}` replaced by groups, and `$$` by a dollar.
fn expand(out: &mut Vec<u8>, replacement: &str, groups: &Captures<'_>, names: &[Option<String>]) {
    let mut rest = replacement;
    while let Some((before, behind)) = rest.split_once('$') {
        out.extend_from_slice(before.as_bytes());
        if let Some(behind) = behind.strip_prefix('$') {
            out.push(b'$');
            rest = behind;
        } else if let Some((name, behind)) = reference(behind) {
            let group = match group_number(name) {
                Some(number) => groups.get(number),
                None => named(name, groups, names),
            };
            out.extend_from_slice(group.map_or(&[], |group| group.as_bytes()));
            rest = behind;
        } else {
            out.push(b'$');
            rest = behind;
        }
        if out.len() > TEXT_MAX {
            return;
        }
    }
    out.extend_from_slice(rest.as_bytes());
}

/// The first group of that name that took part in the match.
fn named<'a>(name: &str, groups: &Captures<'a>, names: &[Option<String>]) -> Option<Match<'a>> {
    let mut candidates = names.iter().enumerate().filter(|(_, other)| other.as_deref() == Some(name));
    candidates.find_map(|(index, _)| groups.get(index))
}

/// The name behind a dollar, in braces or as long as letters last, and what follows it.
fn reference(text: &str) -> Option<(&str, &str)> {
    let in_braces = text.strip_prefix('{');
    let text = in_braces.unwrap_or(text);
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = if in_braces.is_some() { rest.strip_prefix('}')? } else { rest };
    (!name.is_empty()).then_some((name, rest))
}

/// A name that is a number: no leading zero, no more than eight digits.
fn group_number(name: &str) -> Option<usize> {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && name.len() < 10;
    if is_number && (name == "0" || !name.starts_with('0')) { name.parse().ok() } else { None }
}

fn quote_meta(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    let mut out = Vec::new();
    for &byte in bytes(given)? {
        if br"\.+*?()|[]{}^$".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    string(Cow::from(out))
}
