//! One verb of `printf` with one argument.

use super::quote::quote_with;
use super::{Bounded, quote};
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
            Value::Number(value) | Value::Text(value) => self.text(text, value, verb),
            Value::Bytes(bytes) if matches!(verb, 's' | 'q' | 'x' | 'X') => {
                self.string(text, bytes, &String::from_utf8_lossy(bytes), verb)
            }
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
                self.text(text, key, verb)?;
                text.push(":")?;
                self.value(text, item, verb)?;
            }
            Ok(())
        })?;
        text.push(end)
    }

    fn text(&self, text: &mut Bounded, value: &str, verb: char) -> Written {
        match verb {
            'v' if self.source => self.padded(text, &quote(value)),
            'v' | 's' | 'q' | 'x' | 'X' => self.string(text, value.as_bytes(), value, verb),
            _ => self.bad_verb(text, &Value::text(value), verb),
        }
    }

    fn string(&self, text: &mut Bounded, bytes: &[u8], value: &str, verb: char) -> Written {
        match verb {
            'q' => {
                let value = self.cut(value);
                let raw =
                    self.sharp && !value.contains('`') && !value.chars().any(|c| c.is_control() && c != '\t');
                let quoted = if raw { format!("`{value}`") } else { quote_with(value, '"', self.plus) };
                self.padded(text, &quoted)
            }
            'x' | 'X' => self.padded(text, &self.hexadecimal(bytes, verb == 'X')),
            _ => self.padded(text, self.cut(value)),
        }
    }

    /// As many characters as the precision says.
    fn cut<'v>(&self, value: &'v str) -> &'v str {
        let end = self.precision.and_then(|precision| value.char_indices().nth(precision));
        end.and_then(|(end, _)| value.get(..end)).unwrap_or(value)
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
        let missing = self.width.unwrap_or(0).saturating_sub(value.chars().count());
        let fill = if self.zero && !self.minus { "0" } else { " " };
        if !self.minus {
            text.repeat(fill, missing)?;
        }
        text.push(value)?;
        if self.minus {
            text.repeat(fill, missing)?;
        }
        Ok(())
    }
}
