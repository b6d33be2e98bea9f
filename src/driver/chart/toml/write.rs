//! Writes TOML.

use std::fmt::Write as _;
use std::rc::Rc;

use crate::driver::chart::format::{Bounded, fixed};
use crate::driver::chart::value::{Dict, Value, lossy};

type Written = Result<(), String>;

/// Writes `value` as Helm's `toToml` does.
///
/// # Errors
/// When TOML has no such value, and when it nests too deep or is too large; the error is a text, which `toToml` yields.
pub fn write(value: &Value) -> Result<String, String> {
    let mut writer = Writer { out: Bounded::default() };
    match value {
        Value::Dict(entries) => writer.table(entries, &[])?,
        Value::Nil => return Err("toml: cannot encode nil".to_owned()),
        other => writer.element(other)?,
    }
    Ok(writer.out.into_text())
}

struct Writer {
    out: Bounded,
}

impl Writer {
    /// The first line's end is left out where nothing stands before it.
    fn line(&mut self) -> Written {
        if self.out.is_empty() { Ok(()) } else { self.out.push("\n") }
    }

    fn indent(&mut self, keys: &[Rc<str>]) -> Written {
        self.out.repeat("  ", keys.len().saturating_sub(1))
    }

    /// The entries of a table: first those that fit on a line, then the tables in it.
    fn table(&mut self, entries: &Dict, keys: &[Rc<str>]) -> Written {
        self.out.enter()?;
        let entries = entries.borrow();
        for (key, value) in entries.iter().filter(|(_, value)| !is_table(value)) {
            if let Value::Nil = value {
                continue;
            }
            self.out.repeat("  ", keys.len())?;
            self.out.push(&bare_or_quoted(key))?;
            self.out.push(" = ")?;
            self.element(value)?;
            self.line()?;
        }
        for (key, value) in entries.iter().filter(|(_, value)| is_table(value)) {
            let mut path = keys.to_vec();
            path.push(Rc::clone(key));
            match value {
                Value::Dict(inner) => self.sub_table(inner, &path)?,
                Value::List(items) => self.tables(items, &path)?,
                _ => {}
            }
        }
        self.out.leave();
        Ok(())
    }

    fn sub_table(&mut self, entries: &Dict, keys: &[Rc<str>]) -> Written {
        if keys.len() == 1 {
            self.line()?;
        }
        self.header("[", keys, "]")?;
        self.table(entries, keys)
    }

    fn tables(&mut self, items: &[Value], keys: &[Rc<str>]) -> Written {
        for item in items {
            self.line()?;
            self.header("[[", keys, "]]")?;
            if let Value::Dict(entries) = item {
                self.table(entries, keys)?;
            }
        }
        Ok(())
    }

    fn header(&mut self, begin: &str, keys: &[Rc<str>], end: &str) -> Written {
        self.indent(keys)?;
        self.out.push(begin)?;
        let path: Vec<String> = keys.iter().map(|key| bare_or_quoted(key)).collect();
        self.out.push(&path.join("."))?;
        self.out.push(end)?;
        self.line()
    }

    /// A value on one line.
    fn element(&mut self, value: &Value) -> Written {
        match value {
            Value::Nil => Err("toml: cannot encode array with nil element".to_owned()),
            Value::Bool(value) => self.out.show(value),
            Value::Int(value) => self.out.show(value),
            Value::Float(value) => self.out.push(&float(*value)),
            Value::Number(written) => self.out.push(written),
            Value::Text(text) => self.out.push(&quoted(text)),
            Value::Raw(bytes) => self.out.push(&quoted(&lossy(bytes))),
            Value::Bytes(bytes) => {
                let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
                self.out.push(&format!("[{}]", numbers.join(", ")))
            }
            Value::List(items) => self.inline("[", "]", items.iter().map(|item| (None, item))),
            Value::Dict(entries) => {
                let entries = entries.borrow();
                let plain = entries.iter().filter(|(_, item)| !is_table(item));
                let tables = entries.iter().filter(|(_, item)| is_table(item));
                self.inline("{", "}", plain.chain(tables).map(|(key, item)| (Some(&**key), item)))
            }
            Value::Object(object) => match object.plain() {
                Some(Value::Object(_)) | None => self.out.push("{}"),
                Some(plain) => self.element(&plain),
            },
        }
    }

    fn inline<'v>(
        &mut self,
        begin: &str,
        end: &str,
        items: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
    ) -> Written {
        self.out.enter()?;
        self.out.push(begin)?;
        let mut items = items.peekable();
        while let Some((key, item)) = items.next() {
            if let Some(key) = key {
                // The encoder leaves such an entry out, and the comma before it in.
                if let Value::Nil = item {
                    continue;
                }
                self.out.push(&bare_or_quoted(key))?;
                self.out.push(" = ")?;
            }
            self.element(item)?;
            if items.peek().is_some() {
                self.out.push(", ")?;
            }
        }
        self.out.push(end)?;
        self.out.leave();
        Ok(())
    }
}

/// Whether the value is a table, or a list of nothing but tables.
fn is_table(value: &Value) -> bool {
    match value {
        Value::Dict(_) => true,
        Value::List(items) => !items.is_empty() && items.iter().all(|item| matches!(item, Value::Dict(_))),
        _ => false,
    }
}

fn bare_or_quoted(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !key.is_empty() && key.bytes().all(bare) { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0'..='\x1f' | '\x7f' => {
                // Writing to a text cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let written = fixed(value, None);
    if written.contains('.') { written } else { format!("{written}.0") }
}
