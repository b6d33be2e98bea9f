//! Writes values as YAML.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::analyze::analyze;
use super::emit::{Emitter, Style};
use super::resolve::{Scalar, is_base_sixty, resolve};
use super::sort::sort;
use crate::driver::chart::format::general;
use crate::driver::chart::json;
use crate::driver::chart::value::{Dict, Value, lossy};

type Written = Result<(), String>;

/// How long a key may be to stand before a colon without a question mark.
const SIMPLE_KEY: usize = 128;

/// Writes `value` as Helm's `toYaml` does, without the last line's end.
///
/// # Errors
/// When it cannot be written: where JSON has no such number, where YAML has no such character (Helm yields an empty text for
/// these), and for a value that nests too deep or is too large.
pub fn write(value: &Value) -> Result<String, String> {
    write_with(value, false)
}

/// Writes `value` as Helm's `toYamlPretty` does: by go-yaml 3, lists within mappings indented, long texts not folded.
///
/// # Errors
/// As [`write()`].
pub fn write_pretty(value: &Value) -> Result<String, String> {
    write_with(value, true)
}

fn write_with(value: &Value, newer: bool) -> Result<String, String> {
    let mut writer = Writer { emitter: Emitter::new(newer) };
    writer.value(value, Place::Root)?;
    let mut text = writer.emitter.out.into_text();
    // A block at the very end ends its line itself.
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// What contains a value, and its column.
#[derive(Clone, Copy)]
enum Place {
    Root,
    Item(usize),
    Entry(usize),
}

impl Place {
    fn column(self) -> Option<usize> {
        match self {
            Self::Root => None,
            Self::Item(column) | Self::Entry(column) => Some(column),
        }
    }

    /// The column of a mapping or a list in it.
    fn inner(self) -> usize {
        self.column().map_or(0, |column| column + 2)
    }
}

struct Writer {
    emitter: Emitter,
}

impl Writer {
    fn value(&mut self, value: &Value, place: Place) -> Written {
        match value {
            Value::Nil => self.plain("null", place),
            Value::Bool(value) => self.plain(if *value { "true" } else { "false" }, place),
            Value::Int(value) => self.plain(&value.to_string(), place),
            Value::Float(value) if self.emitter.newer => self.plain(&special(*value), place),
            Value::Float(value) => self.number(&json::number(*value)?, place),
            Value::Number(written) if self.emitter.newer => self.text(written, place),
            Value::Number(_) => self.number(&json::write(value)?, place),
            Value::Text(text) => self.text(text, place),
            Value::Raw(bytes) if self.emitter.newer => self.binary(bytes, place),
            Value::Raw(bytes) => self.text(&lossy(bytes), place),
            Value::Bytes(bytes) if self.emitter.newer => {
                let numbers = bytes.iter().map(|byte| Value::Int(i64::from(*byte))).collect();
                self.list(&Rc::new(numbers), place)
            }
            // JSON has a text for them.
            Value::Bytes(bytes) => self.text(&STANDARD.encode(bytes), place),
            Value::List(items) => self.list(items, place),
            Value::Dict(entries) => self.mapping(entries, place),
            Value::Object(object) => match object.plain() {
                Some(Value::Object(_)) | None => self.flow("{}"),
                Some(plain) => self.value(&plain, place),
            },
        }
    }

    /// What is no UTF-8 is written in base64 and tagged.
    fn binary(&mut self, bytes: &[u8], place: Place) -> Written {
        self.emitter.indicator("!!binary", true, false, false)?;
        self.plain(&STANDARD.encode(bytes), place)
    }

    fn plain(&mut self, text: &str, place: Place) -> Written {
        self.emitter.scalar(text, Style::Plain, place.inner().saturating_sub(2), false)
    }

    /// A number of JSON, read again as YAML: 1e3 becomes 1000, and what fits no integer a float.
    fn number(&mut self, written: &str, place: Place) -> Written {
        let text = match resolve(written) {
            Scalar::Int(value) => value.to_string(),
            Scalar::Unsigned(value) => value.to_string(),
            Scalar::Float(value) => general(value),
            _ => written.to_owned(),
        };
        self.plain(&text, place)
    }

    fn text(&mut self, text: &str, place: Place) -> Written {
        self.scalar(text, place.inner().saturating_sub(2), false)
    }

    fn scalar(&mut self, text: &str, column: usize, is_key: bool) -> Written {
        let style = if text.contains('\n') {
            Style::Literal
        } else if resolve(text) == Scalar::Text && !is_base_sixty(text) {
            Style::Plain
        } else {
            Style::DoubleQuoted
        };
        if self.emitter.newer {
            return self.emitter.scalar(text, style, column, is_key);
        }
        if let Some(strange) = text.chars().find(|character| is_refused(*character)) {
            return Err(format!("YAML has no character U+{:04X}", u32::from(strange)));
        }
        // JSON leaves this character as it is, and YAML takes it for the end of a line, which it folds.
        let text = text.replace('\u{85}', " ");
        self.emitter.scalar(&text, style, column, is_key)
    }

    fn flow(&mut self, brackets: &str) -> Written {
        self.emitter.indicator(brackets, true, false, false)
    }

    fn list(&mut self, items: &Rc<Vec<Value>>, place: Place) -> Written {
        if items.is_empty() {
            return self.flow("[]");
        }
        let column = match place {
            // The items of a list stand in the column of the key before them.
            Place::Entry(column) if !self.emitter.newer && !self.emitter.indention => column,
            _ => place.inner(),
        };
        self.deeper(|writer| {
            for item in items.iter() {
                writer.emitter.indent(column)?;
                writer.emitter.indicator("-", true, false, true)?;
                writer.value(item, Place::Item(column))?;
            }
            Ok(())
        })
    }

    fn mapping(&mut self, entries: &Dict, place: Place) -> Written {
        let keys: Vec<Rc<str>> = entries.borrow().keys().map(Rc::clone).collect();
        if keys.is_empty() {
            return self.flow("{}");
        }
        let column = place.inner();
        self.deeper(|writer| {
            for key in sort(keys, writer.emitter.newer) {
                let value = entries.borrow().get(&key).cloned().unwrap_or(Value::Nil);
                writer.emitter.indent(column)?;
                if key.len() <= SIMPLE_KEY && !analyze(&key, writer.emitter.newer).multiline {
                    writer.scalar(&key, column, true)?;
                    writer.emitter.indicator(":", false, false, false)?;
                } else {
                    writer.emitter.indicator("?", true, false, true)?;
                    writer.scalar(&key, column, false)?;
                    writer.emitter.indent(column)?;
                    writer.emitter.indicator(":", true, false, true)?;
                }
                writer.value(&value, Place::Entry(column))?;
            }
            Ok(())
        })
    }

    fn deeper(&mut self, work: impl FnOnce(&mut Self) -> Written) -> Written {
        self.emitter.out.enter()?;
        let done = work(self);
        self.emitter.out.leave();
        done
    }
}

/// A float, and what YAML calls those that are no numbers.
fn special(value: f64) -> String {
    match general(value).as_str() {
        "NaN" => ".nan".to_owned(),
        "+Inf" => ".inf".to_owned(),
        "-Inf" => "-.inf".to_owned(),
        number => number.to_owned(),
    }
}

/// Characters that go-yaml does not read, so that what is written through JSON cannot have them.
fn is_refused(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}') && character != '\u{85}'
}
