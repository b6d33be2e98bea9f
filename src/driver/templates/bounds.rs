//! What the engine's own limits do not cover.
//!
//! It goes through a long chain of operators, filters or `elif` by recursion, so that one takes the whole stack: chains are counted
//! before a template is given to it. And it does not charge for a value that contains another one twice, so that forty
//! statements make one of a million million parts, which then is compared or written: every statement that gives a name to a
//! value is followed by one that weighs it. A list that is multiplied costs nothing either, until something reads it: what is
//! multiplied and used in the same tag is looked at before, that it is no list.

use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use super::scan::{Tag, Tags, factors, names};
use crate::driver::Diagnostic;

/// The most words and signs in one tag. Half as deep again fits a thread's stack of 2 MiB in a debug build.
const TAG_MAX: usize = 600;
/// The most `elif` in one template.
const ELIF_MAX: usize = 100;
/// The most parts of a value that has a name: items, entries, and 64 bytes of text each.
const PARTS_MAX: usize = 50_000;
/// How deep a value may be nested.
const DEPTH_MAX: usize = 64;
/// How many parts are looked at for one unit of fuel.
const PARTS_PER_FUEL: usize = 16;

/// The names of the functions that weigh, and that look for lists; both as long as each other.
const WEIGH: &str = "__weigh";
const PLAIN: &str = "__plain";

/// Checks a template, and gives it back with the statements that weigh.
///
/// # Errors
/// One of its tags is too long, or it has too many `elif`: with the line.
pub(super) fn prepare(path: &str, text: &str) -> Result<String, Diagnostic> {
    let mut prepared = String::with_capacity(text.len());
    let (mut done, mut branches) = (0, 0);
    for tag in Tags::of(text) {
        check(path, text, &tag, &mut branches)?;
        let factors = factors(&tag).map_err(|why| {
            at(path, text, tag.start, why, "give the product a name before: {% set product = a * b %}")
        })?;
        if !factors.is_empty() {
            prepared += text.get(done..tag.start).unwrap_or("");
            done = tag.start;
            let open = if tag.cuts { "{{-" } else { "{{" };
            prepared += &format!("{open} {PLAIN}({}) }}}}", factors.join(", "));
        }
        let bound = names(&tag);
        if !bound.is_empty() {
            prepared += text.get(done..tag.end).unwrap_or("");
            done = tag.end;
            let close = if tag.trims { "-}}" } else { "}}" };
            prepared += &format!("{{{{ {WEIGH}({}) {close}", bound.join(", "));
        }
    }
    Ok(prepared + text.get(done..).unwrap_or(""))
}

fn check(path: &str, text: &str, tag: &Tag<'_>, branches: &mut usize) -> Result<(), Diagnostic> {
    if tag.tokens > TAG_MAX {
        let message = format!("this tag has more than {TAG_MAX} words and signs");
        return Err(at(path, text, tag.start, message, "split it with {% set %}"));
    }
    *branches += usize::from(tag.word == "elif");
    if *branches > ELIF_MAX {
        let message = format!("the template has more than {ELIF_MAX} elif");
        return Err(at(path, text, tag.start, message, "look the value up in a mapping"));
    }
    Ok(())
}

/// The column in a template of what stands at the end of `line` in the prepared one, from 1.
pub(super) fn column(line: &str) -> usize {
    let mut column = line.chars().count() + 1;
    for (name, open) in [(WEIGH, "{{ "), (PLAIN, "{{ "), (PLAIN, "{{- ")] {
        for added in line.split(&format!("{open}{name}(")).skip(1) {
            let length = added.find("}}").map_or(0, |end| end + 2);
            let added = added.get(..length).unwrap_or("").chars().count();
            column = column.saturating_sub(added + open.len() + name.len() + 1);
        }
    }
    column
}

/// Adds the functions that weigh and look.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_function(WEIGH, |state: &State<'_, '_>, values: Rest<Value>| {
        values.iter().try_for_each(|value| weigh(state, value))?;
        Ok::<_, Error>(Value::from(""))
    });
    environment.add_function(PLAIN, |values: Rest<Value>| {
        let listed = |value: &Value| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
        match values.iter().any(listed) {
            true => {
                Err(Error::new(ErrorKind::InvalidOperation, "a list cannot be multiplied and used at once"))
            }
            false => Ok(Value::from("")),
        }
    });
}

/// Counts the parts of a value, up to the limit.
pub(super) fn weigh(state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    let parts = parts(value)?;
    state.consume_fuel((parts / PARTS_PER_FUEL) as u64)
}

fn parts(value: &Value) -> Result<usize, Error> {
    let mut parts = 0;
    let mut open: Vec<(Value, usize)> = vec![(value.clone(), 0)];
    while let Some((value, depth)) = open.pop() {
        let size = match value.kind() {
            ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => value.len().unwrap_or(0),
            ValueKind::String | ValueKind::Bytes => value.len().unwrap_or(0) / 64,
            _ => 0,
        };
        parts += 1 + size;
        if parts > PARTS_MAX || depth > DEPTH_MAX {
            let why =
                format!("a value has more than {PARTS_MAX} parts, or is nested deeper than {DEPTH_MAX}");
            return Err(Error::new(ErrorKind::InvalidOperation, why));
        }
        // What does not know its length is used up by being looked at, and is paid for item by item.
        if matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::Iterable) && size > 0 {
            for item in value.try_iter()? {
                if value.kind() == ValueKind::Map {
                    open.push((value.get_item(&item)?, depth + 1));
                }
                open.push((item, depth + 1));
            }
        }
    }
    Ok(parts)
}

fn at(path: &str, text: &str, start: usize, message: String, hint: &str) -> Diagnostic {
    let line = text.get(..start).unwrap_or("").matches('\n').count() + 1;
    Diagnostic { line, ..Diagnostic::of_file(path, message, hint) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<String> {
        prepare("a.j2", text).err().map(|found| found.to_string())
    }

    fn prepared(text: &str) -> String {
        prepare("a.j2", text).unwrap().replace(WEIGH, "w")
    }

    #[test]
    fn what_gets_a_name_is_weighed() {
        for (text, expected) in [
            ("{% set a = 1 %}x", "{% set a = 1 %}{{ w(a) }}x"),
            ("{%- set ns.a = [b, c] -%} x", "{%- set ns.a = [b, c] -%}{{ w(ns.a) -}} x"),
            ("{% set a, (b) = c %}", "{% set a, (b) = c %}{{ w(a, b) }}"),
            ("{% set a %}x{% endset %}", "{% set a %}x{% endset %}"),
            ("{% set a = b == c %}", "{% set a = b == c %}{{ w(a) }}"),
            ("{% for k, v in a.items() if v %}", "{% for k, v in a.items() if v %}{{ w(k, v) }}"),
            ("{% with a = '=,', b = {'x': [1, 2]} %}", "{% with a = '=,', b = {'x': [1, 2]} %}{{ w(a, b) }}"),
            ("{% macro m(a, b=f(1, 2)) %}", "{% macro m(a, b=f(1, 2)) %}{{ w(a, b) }}"),
            ("{% macro m() %}", "{% macro m() %}"),
            ("{% call(a) m(b) %}", "{% call(a) m(b) %}{{ w(a) }}"),
            ("{% call m(b) %}", "{% call m(b) %}"),
            ("{{ a }}{% if a %}{# {% set a = 1 %} #}", "{{ a }}{% if a %}{# {% set a = 1 %} #}"),
        ] {
            assert_eq!(prepared(text), expected);
        }
        for (text, expected) in [
            ("{{ (a.b * 3) | int }}", "{{ w(a.b) }}{{ (a.b * 3) | int }}"),
            ("{{- 'x' ~ a * b -}}", "{{- w(a, b) }}{{- 'x' ~ a * b -}}"),
            ("{{ a * (b + c) }}", "{{ a * (b + c) }}"),
            ("{{ a ** 2 | int }}", "{{ a ** 2 | int }}"),
            ("{{ '*' | f(a) }}", "{{ '*' | f(a) }}"),
            ("{% set a = 2 * b | int %}", "{{ w(b) }}{% set a = 2 * b | int %}{{ w(a) }}"),
        ] {
            assert_eq!(prepared(text).replace(PLAIN, "w"), expected);
        }
        assert_eq!(prepared("{{ a | length * 2 | f }}"), "{{ a | length * 2 | f }}");
        for hidden in [
            "{{ a | list * 9 | f }}",
            "{% elif a * 9 | f %}",
            "{% with a = [1], b = a * 9 | f %}",
            "{% macro m(a, b=a * 9 | f) %}",
            "{% for a in b if a * 9 | f %}",
            "{{ a[0] * 9 | f }}",
        ] {
            assert!(refused(hidden).unwrap().contains("multiplied"), "{hidden}");
        }
        for hidden in ["{{ ([1] * 9) | f }}", "{{ 1 in (a) * 9 }}", "{{ f() * 9 ~ '' }}", "{{ 9 * (a) | f }}"]
        {
            assert!(refused(hidden).unwrap().contains("multiplied"), "{hidden}");
        }
        assert_eq!(column("{{- __plain(a) }}{{- a | "), 9);
        assert_eq!(column(&prepare("a", "ä{% set a = 1 -%}").unwrap()), 18);
    }

    #[test]
    fn long_chains_are_refused_with_their_line() {
        let chain = "1 + ".repeat(TAG_MAX);
        assert_eq!(refused(&format!("{{{{ {}1 }}}}", "1 + ".repeat(250))), None);
        let told = refused(&format!("a\nb {{{{ {chain}1 }}}}")).unwrap();
        assert!(told.starts_with("a.j2:2: this tag has more than 600"), "{told}");
        assert!(refused(&format!("{{% if x %}}{}", "{% elif x %}".repeat(200))).unwrap().contains("elif"));
        for hidden in ["{{ '}}' }}", "{# ' #}", "{% raw %}{{ '{% endraw %}", "{{ \"\\\"\" }}", "{{ '\\\\' }}"]
        {
            assert!(refused(&format!("{hidden}{{{{ {chain}1 }}}}")).is_some(), "{hidden}");
        }
        for hidden in ["{% raw %}{% endraw x %}{# {% endraw %}", "{%- raw -%}{% endraw{# {%+ endraw -%}"] {
            assert!(refused(&format!("{hidden}{{{{ {chain}1 }}}}")).is_some(), "{hidden}");
        }
        for opened in ["{{ {'a': {}} + ", "{{ {'}}': [{}]}} + ", "{{ ) }} + "] {
            assert!(refused(&format!("{opened}{chain}1 }}}}")).is_some(), "{opened}");
        }
    }

    #[test]
    fn texts_and_comments_do_not_count() {
        let chain = "1 + ".repeat(TAG_MAX);
        for harmless in [
            format!("{{{{ '{chain}' }}}}"),
            format!("{{# {chain} #}}"),
            format!("{{% raw %}}{{{{ {chain} }}}}{{%- endraw %}}"),
            chain.clone(),
            "{".to_owned(),
            "{{".to_owned(),
            "{% raw".to_owned(),
            "{# ".to_owned(),
            "{{ '".to_owned(),
        ] {
            assert_eq!(refused(&harmless), None, "{harmless}");
        }
    }
}
