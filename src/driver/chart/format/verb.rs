//! One verb of `printf` with one argument.

use super::quote::quote_bytes_with;
use super::{Bounded, quote_bytes};
use crate::driver::chart::value::Value;

type Written = Result<(), String>;

/// What stands between a verb's percent sign and its letter.
#[derive(Debug, Default, Clone)]
pub(super) struct Flags {
    pub(super) sharp: bool,
    pub(super) zero: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    /// `%#v`: as Go source.
    pub(super) source: bool,
}

impl Flags {
    /// Writes `argument` by `verb`.
    pub(super) fn argument(mut self, text: &mut Bounded, argument: &Value, verb: char) -> Written {
        if verb == 'v' {
            self.source = std::mem::take(&mut self.sharp);
            self.plus = false;
        }
        match (argument, verb) {
            (_, 'T') => self.padded(text, argument.type_name()),
            (Value::Nil, 'v') => self.padded(text, "<nil>"),
            (Value::Nil, _) => text.show(format_args!("%!{verb}(<nil>)")),
            _ => self.value(text, argument, verb),
        }
    }

    pub(super) fn value(&self, text: &mut Bounded, value: &Value, verb: char) -> Written {
        match value {
            // Within lists and dictionaries, the verb does not matter to nil.
            Value::Nil => text.push(if self.source { "interface {}(nil)" } else { "<nil>" }),
            Value::Bool(value) if matches!(verb, 't' | 'v') => {
                self.padded(text, if *value { "true" } else { "false" })
            }
            Value::Int(value) => self.integer(text, *value, verb),
            Value::Float(value) => self.float(text, *value, verb),
            Value::Number(value) | Value::Text(value) => self.text(text, value.as_bytes(), verb),
            Value::Raw(value) => self.text(text, value, verb),
            Value::Bytes(bytes) if matches!(verb, 's' | 'q' | 'x' | 'X') => self.string(text, bytes, verb),
            Value::Bytes(bytes) => text.bytes(bytes),
            Value::List(items) => self.list(text, items, verb),
            Value::Dict(_) => self.dict(text, value, verb),
            Value::Object(object) if matches!(verb, 'v' | 's') => self.padded(text, &object.print()),
            Value::Bool(_) | Value::Object(_) => self.bad_verb(text, value, verb),
        }
    }

    /// Says that the verb is not for such a value, which is shown all the same, with the flags.
    pub(super) fn bad_verb(&self, text: &mut Bounded, value: &Value, verb: char) -> Written {
        text.show(format_args!("%!{verb}({}=", value.type_name()))?;
        self.value(text, value, 'v')?;
        text.push(")")
    }

    fn list(&self, text: &mut Bounded, items: &[Value], verb: char) -> Written {
        let (begin, between, end) =
            if self.source { ("[]interface {}{", ", ", "}") } else { ("[", " ", "]") };
        text.push(begin)?;
        text.deeper(|text| {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(between)?;
                }
                self.value(text, item, verb)?;
            }
            Ok(())
        })?;
        text.push(end)
    }

    fn dict(&self, text: &mut Bounded, dict: &Value, verb: char) -> Written {
        let Value::Dict(entries) = dict else { return Ok(()) };
        let (between, end) = if self.source { (", ", "}") } else { (" ", "]") };
        if self.source {
            text.push(dict.type_name())?;
        }
        text.push(if self.source { "{" } else { "map[" })?;
        text.deeper(|text| {
            for (index, (key, item)) in entries.borrow().iter().enumerate() {
                if index > 0 {
                    text.push(between)?;
                }
                self.text(text, key.as_bytes(), verb)?;
                text.push(":")?;
                self.value(text, item, verb)?;
            }
            Ok(())
        })?;
        text.push(end)
    }

    fn text(&self, text: &mut Bounded, value: &[u8], verb: char) -> Written {
        match verb {
            'v' if self.source => self.padded(text, &quote_bytes(value)),
            'v' | 's' | 'q' | 'x' | 'X' => self.string(text, value, verb),
            _ => self.bad_verb(text, &Value::string(value), verb),
        }
    }

    fn string(&self, text: &mut Bounded, value: &[u8], verb: char) -> Written {
        match verb {
            'q' => {
                let value = self.cut(value);
                let is_raw = |value: &&str| {
                    self.sharp && !value.contains('`') && !value.chars().any(|c| c.is_control() && c != '\t')
                };
                let quoted = match std::str::from_utf8(value).ok().filter(is_raw) {
                    Some(raw) => format!("`{raw}`"),
                    None => quote_bytes_with(value, self.plus),
                };
                self.padded(text, &quoted)
            }
            'x' | 'X' => self.padded(text, &self.hexadecimal(value, verb == 'X')),
            _ => self.padded_bytes(text, self.cut(value)),
        }
    }

    /// As many characters as the precision says; a byte that is no UTF-8 is one.
    fn cut<'v>(&self, value: &'v [u8]) -> &'v [u8] {
        let Some(precision) = self.precision else { return value };
        let mut lengths = value.utf8_chunks().flat_map(|chunk| {
            let characters = chunk.valid().chars().map(char::len_utf8);
            characters.chain(chunk.invalid().iter().map(|_| 1))
        });
        let end = lengths.by_ref().take(precision).sum();
        value.get(..end).unwrap_or(value)
    }

    fn hexadecimal(&self, bytes: &[u8], upper: bool) -> String {
        let bytes = self.precision.and_then(|precision| bytes.get(..precision)).unwrap_or(bytes);
        let prefix = match (self.sharp, upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        let mut digits = String::with_capacity(bytes.len() * 2 + 2);
        for (index, byte) in bytes.iter().enumerate() {
            if self.space && index > 0 {
                digits.push(' ');
            }
            if index == 0 || self.space {
                digits.push_str(prefix);
            }
            digits.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        digits
    }

    /// Fills up to the width: with blanks, or with zeros on the left where they were asked for.
    pub(super) fn padded(&self, text: &mut Bounded, value: &str) -> Written {
        self.padded_bytes(text, value.as_bytes())
    }

    pub(super) fn padded_bytes(&self, text: &mut Bounded, value: &[u8]) -> Written {
        let characters =
            |chunk: std::str::Utf8Chunk<'_>| chunk.valid().chars().count() + chunk.invalid().len();
        let missing = match self.width {
            Some(width) => width.saturating_sub(value.utf8_chunks().map(characters).sum()),
            None => 0,
        };
        let fill = if self.zero && !self.minus { "0" } else { " " };
        if !self.minus {
            text.repeat(fill, missing)?;
        }
        text.push_bytes(value)?;
        if self.minus {
            text.repeat(fill, missing)?;
        }
        Ok(())
    }
}
