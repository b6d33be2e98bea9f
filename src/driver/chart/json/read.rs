//! Reads JSON, with the messages of Go.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Numbers;
use crate::driver::chart::format::{DEPTH, quote};
use crate::driver::chart::value::Value;

/// Reads the one value of a JSON document.
///
/// # Errors
/// When it is no JSON, nests too deep, or a number is too large for a float64; in the words of Go.
pub fn read(text: &str, numbers: Numbers) -> Result<Value, String> {
    let mut reader = Reader { text, at: 0, depth: 0, numbers };
    let value = reader.value()?;
    match reader.next_no_space() {
        None => Ok(value),
        Some(other) => Err(invalid(other, "after top-level value")),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    numbers: Numbers,
}

fn invalid(found: char, context: &str) -> String {
    let shown = match found {
        '\'' => r"'\''".to_owned(),
        '"' => "'\"'".to_owned(),
        _ => {
            let quoted = quote(&found.to_string());
            format!("'{}'", quoted.trim_matches('"'))
        }
    };
    format!("invalid character {shown} {context}")
}

fn end() -> String {
    "unexpected end of JSON input".to_owned()
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn next_no_space(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.next()
    }

    fn value(&mut self) -> Result<Value, String> {
        let first = self.next_no_space().ok_or_else(end)?;
        match first {
            '{' | '[' if self.depth >= DEPTH => Err("exceeded max depth".to_owned()),
            '{' => self.nested(Self::object),
            '[' => self.nested(Self::array),
            '"' => Ok(Value::text(self.string()?)),
            't' => self.literal("true", Value::Bool(true)),
            'f' => self.literal("false", Value::Bool(false)),
            'n' => self.literal("null", Value::Nil),
            '-' | '0'..='9' => self.number(first),
            _ => Err(invalid(first, "looking for beginning of value")),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Value, String>) -> Result<Value, String> {
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Value, String> {
        let mut entries: BTreeMap<Rc<str>, Value> = BTreeMap::new();
        let mut next = self.next_no_space().ok_or_else(end)?;
        while next != '}' || !entries.is_empty() {
            if next != '"' {
                return Err(invalid(next, "looking for beginning of object key string"));
            }
            let key = self.string()?;
            match self.next_no_space().ok_or_else(end)? {
                ':' => {}
                other => return Err(invalid(other, "after object key")),
            }
            let value = self.value()?;
            entries.insert(Rc::from(key), value);
            match self.next_no_space().ok_or_else(end)? {
                '}' => break,
                ',' => next = self.next_no_space().ok_or_else(end)?,
                other => return Err(invalid(other, "after object key:value pair")),
            }
        }
        Ok(Value::Dict(Rc::new(entries.into())))
    }

    fn array(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        let before = self.at;
        if self.next_no_space().ok_or_else(end)? == ']' {
            return Ok(Value::list(items));
        }
        self.at = before;
        loop {
            items.push(self.value()?);
            match self.next_no_space().ok_or_else(end)? {
                ']' => return Ok(Value::list(items)),
                ',' => {}
                other => return Err(invalid(other, "after array element")),
            }
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for expected in word.chars().skip(1) {
            let found = self.next().ok_or_else(end)?;
            if found != expected {
                return Err(invalid(found, &format!("in literal {word} (expecting '{expected}')")));
            }
        }
        Ok(value)
    }

    fn number(&mut self, first: char) -> Result<Value, String> {
        let start = self.at - first.len_utf8();
        let whole = match first {
            '-' => self.next().ok_or_else(end)?,
            _ => first,
        };
        match whole {
            '0' => {}
            '1'..='9' => self.digits(),
            other => return Err(invalid(other, "in numeric literal")),
        }
        if self.peek() == Some('.') {
            self.next();
            self.some_digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.next();
            if matches!(self.peek(), Some('+' | '-')) {
                self.next();
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        self.numbers.value(self.text.get(start..self.at).unwrap_or(""))
    }

    fn digits(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    }

    fn some_digits(&mut self, context: &str) -> Result<(), String> {
        match self.peek() {
            None => Err(end()),
            Some(digit) if digit.is_ascii_digit() => {
                self.digits();
                Ok(())
            }
            Some(other) => Err(invalid(other, context)),
        }
    }

    /// The rest of a text whose first quote has been read.
    fn string(&mut self) -> Result<String, String> {
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            text.push_str(rest.get(..plain).unwrap_or(""));
            self.at += plain;
            match self.next().ok_or_else(end)? {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                other => return Err(invalid(other, "in string literal")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.next().ok_or_else(end)? {
            '"' => '"',
            '\\' => '\\',
            '/' => '/',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            other => return Err(invalid(other, "in string escape code")),
        })
    }

    /// `\u` and four digits, of which two together may make one character; half of such a pair is no character.
    fn unicode(&mut self) -> Result<char, String> {
        let high = self.hexadecimal()?;
        if let Some(character) = char::from_u32(high) {
            return Ok(character);
        }
        let after = self.at;
        if (0xd800..0xdc00).contains(&high) && self.rest().starts_with("\\u") {
            self.at += 2;
            let low = self.hexadecimal()?;
            if (0xdc00..0xe000).contains(&low) {
                let together = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(together).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hexadecimal(&mut self) -> Result<u32, String> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = self.next().ok_or_else(end)?;
            let value =
                digit.to_digit(16).ok_or_else(|| invalid(digit, "in \\u hexadecimal character escape"))?;
            number = number * 16 + value;
        }
        Ok(number)
    }
}
