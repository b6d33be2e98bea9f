//! Go's `fmt.Sprintf`.

use super::Bounded;
use super::verb::Flags;
use crate::driver::chart::value::Value;

/// Beyond this, Go takes a width or a precision for a mistake.
const LARGEST: i64 = 1_000_000;

/// Writes `arguments` by the verbs of `template`.
///
/// Wrong verbs and missing arguments are written into the text, as Go does; the error is for a text that grows too long.
pub fn sprintf(template: &str, arguments: &[Value]) -> Result<Vec<u8>, String> {
    let mut run = Run {
        template,
        at: 0,
        arguments,
        next: 0,
        good_index: true,
        reordered: false,
        ever_reordered: false,
        text: Bounded::default(),
    };
    run.all()?;
    Ok(run.text.into_bytes())
}

struct Run<'t> {
    template: &'t str,
    at: usize,
    arguments: &'t [Value],
    /// The argument that the next verb takes.
    next: usize,
    /// Whether the last `[n]` was fine.
    good_index: bool,
    /// Whether the verb under way has said which argument it takes.
    reordered: bool,
    ever_reordered: bool,
    text: Bounded,
}

impl Run<'_> {
    fn rest(&self) -> &str {
        self.template.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<u8> {
        self.template.as_bytes().get(self.at).copied()
    }

    fn all(&mut self) -> Result<(), String> {
        while self.at < self.template.len() {
            let rest = self.rest();
            let plain = rest.find('%').unwrap_or(rest.len());
            let text = rest.get(..plain).unwrap_or("").to_owned();
            self.text.push(&text)?;
            self.at += plain;
            if self.at < self.template.len() {
                self.at += 1;
                self.verb()?;
            }
        }
        if !self.ever_reordered && self.next < self.arguments.len() {
            self.extra()?;
        }
        Ok(())
    }

    /// Says which arguments no verb took.
    fn extra(&mut self) -> Result<(), String> {
        self.text.push("%!(EXTRA ")?;
        let arguments = self.arguments;
        for (index, argument) in arguments.iter().skip(self.next).enumerate() {
            if index > 0 {
                self.text.push(", ")?;
            }
            match argument {
                Value::Nil => self.text.push("<nil>")?,
                _ => {
                    self.text.push(argument.type_name())?;
                    self.text.push("=")?;
                    self.text.value(argument)?;
                }
            }
        }
        self.text.push(")")
    }

    /// One verb, whose percent sign has been read.
    fn verb(&mut self) -> Result<(), String> {
        self.good_index = true;
        self.reordered = false;
        let mut flags = Flags::default();
        self.flags(&mut flags);
        let mut after_index = self.argument_index();
        after_index = self.width(&mut flags, after_index)?;
        self.precision(&mut flags, after_index)?;
        let Some(verb) = self.rest().chars().next() else { return self.text.push("%!(NOVERB)") };
        self.at += verb.len_utf8();
        match (verb, self.arguments.get(self.next)) {
            ('%', _) => self.text.push("%"),
            _ if !self.good_index => self.text.show(format_args!("%!{verb}(BADINDEX)")),
            (_, None) => self.text.show(format_args!("%!{verb}(MISSING)")),
            (_, Some(argument)) => {
                self.next += 1;
                flags.argument(&mut self.text, argument, verb)
            }
        }
    }

    fn flags(&mut self, flags: &mut Flags) {
        while let Some(flag) = self.peek() {
            match flag {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => return,
            }
            self.at += 1;
        }
    }

    /// Reads the width; whether an argument's index was read last.
    fn width(&mut self, flags: &mut Flags, mut after_index: bool) -> Result<bool, String> {
        if self.peek() == Some(b'*') {
            self.at += 1;
            match self.number_argument() {
                Some(width) => {
                    flags.minus |= width < 0;
                    flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => self.text.push("%!(BADWIDTH)")?,
            }
            return Ok(false);
        }
        flags.width = self.number();
        if after_index && flags.width.is_some() {
            self.good_index = false;
        }
        after_index &= flags.width.is_none();
        Ok(after_index)
    }

    fn precision(&mut self, flags: &mut Flags, mut after_index: bool) -> Result<(), String> {
        if self.peek() == Some(b'.') {
            self.at += 1;
            if after_index {
                self.good_index = false;
            }
            after_index = self.argument_index();
            if self.peek() == Some(b'*') {
                self.at += 1;
                match self.number_argument() {
                    Some(precision) if precision >= 0 => flags.precision = usize::try_from(precision).ok(),
                    Some(_) => self.text.push("%!(BADPREC)")?,
                    None => self.text.push("%!(BADPREC)")?,
                }
                after_index = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.argument_index();
        }
        Ok(())
    }

    /// A width or precision that an argument gives.
    fn number_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        match argument {
            Value::Int(number) if (-LARGEST..=LARGEST).contains(number) => Some(*number),
            _ => None,
        }
    }

    /// A run of digits. One that is too large swallows the rest of the template, as in Go.
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            let value: i64 = number.unwrap_or(0);
            if value > LARGEST {
                self.at = self.template.len();
                return None;
            }
            number = Some(value * 10 + i64::from(digit - b'0'));
            self.at += 1;
        }
        number.and_then(|number| usize::try_from(number).ok())
    }

    /// `[3]`: the number of the argument that is taken next. Whether there was one.
    fn argument_index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        self.ever_reordered = true;
        let Some(length) = self.rest().find(']') else {
            self.good_index = false;
            self.at += 1;
            return false;
        };
        let index: Option<usize> = self.rest().get(1..length).and_then(|digits| digits.parse().ok());
        self.at += length + 1;
        match index {
            Some(index) if (1..=self.arguments.len()).contains(&index) => {
                self.next = index - 1;
                true
            }
            _ => {
                self.good_index = false;
                index.is_some()
            }
        }
    }
}
