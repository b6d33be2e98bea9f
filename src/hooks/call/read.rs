//! The arguments of one call, by type.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Refusal, Text};
use crate::domain::{SecretReference, suggest};
use crate::hooks::protocol::SECRET;
use crate::hooks::signature::Signature;

/// The longest time that can be given: a day.
const DAY: f64 = 86_400.0;

/// The most pods that can be asked for: more is a slip of the finger.
const REPLICAS: i64 = 10_000;

/// The arguments of one call; those that are none are not there.
pub struct Arguments<'a> {
    signature: &'a Signature,
    given: &'a Map<String, Value>,
}

impl<'a> Arguments<'a> {
    /// Checks their names.
    pub fn new(signature: &'a Signature, given: &'a Map<String, Value>) -> Result<Self, Refusal> {
        let names = || signature.required.iter().chain(signature.optional).copied();
        let arguments = Self { signature, given };
        if let Some(name) = given.keys().find(|name| !names().any(|known| known == name.as_str())) {
            return Err(arguments.wrong(format!("it has no argument '{name}'"), suggest::hint(name, names())));
        }
        match signature.required.iter().find(|name| !arguments.has(name)) {
            Some(name) => Err(arguments.wrong(format!("'{name}' is missing"), "")),
            None => Ok(arguments),
        }
    }

    /// A refusal of this call.
    pub fn wrong(&self, what: impl Into<String>, why: impl Into<String>) -> Refusal {
        Refusal::new(format!("{}: {}", self.signature.name, what.into()), why)
    }

    /// Whether it is given.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.given.get(name).filter(|value| !value.is_null())
    }

    fn expected(&self, name: &str, what: &str) -> Refusal {
        let found = match self.get(name) {
            None => "nothing",
            Some(value) if value.get(SECRET).is_some() => "a secret",
            Some(Value::Bool(_)) => "True or False",
            Some(Value::Number(_)) => "a number",
            Some(Value::String(_)) => "a text",
            Some(Value::Array(_)) => "a list",
            Some(_) => "a dictionary",
        };
        let why = match found {
            "a secret" => "a secret can be given as a value in env = and as stdin = only",
            _ => "",
        };
        self.wrong(format!("{name} is {found}, expected {what}"), why)
    }

    /// A text of any kind.
    pub fn text(&self, name: &str) -> Result<String, Refusal> {
        self.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| self.expected(name, "a text"))
    }

    /// A text of any kind, or none.
    pub fn optional_text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.has(name).then(|| self.text(name)).transpose()
    }

    /// A text on one line that is not empty.
    pub fn name(&self, name: &str) -> Result<String, Refusal> {
        let text = self.text(name)?;
        match text.is_empty() || text.chars().any(char::is_control) {
            false => Ok(text),
            true => Err(self.wrong(format!("{name} is empty or has control characters"), "")),
        }
    }

    /// A text, or a secret.
    pub fn text_or_secret(&self, name: &str) -> Result<Text, Refusal> {
        self.get(name).and_then(text_or_secret).ok_or_else(|| self.expected(name, "a text or a secret"))
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        self.get(name).and_then(texts).ok_or_else(|| self.expected(name, "a list of texts"))
    }

    /// A list of names, or none for all.
    pub fn names(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let hint = match value {
            Value::String(text) => format!("write [\"{text}\"]"),
            _ => String::new(),
        };
        let names = texts(value).ok_or_else(|| {
            let refusal = self.expected(name, "a list of names");
            if hint.is_empty() { refusal } else { Refusal::new(refusal.what, hint) }
        })?;
        match names.is_empty() {
            true => Err(self.wrong(format!("{name} is an empty list"), "leave it out for all")),
            false => Ok(Some(names)),
        }
    }

    /// A program and its words.
    pub fn words(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let words = self.texts(name)?;
        self.check_words(name, &words)?;
        Ok(words)
    }

    fn check_words(&self, name: &str, words: &[String]) -> Result<(), Refusal> {
        if words.first().is_none_or(String::is_empty) {
            return Err(self.wrong(format!("{name} has no program"), "its first word is the program"));
        }
        match words.iter().any(|word| word.contains('\0')) {
            true => Err(self.wrong(format!("{name} has a word with a zero byte"), "")),
            false => Ok(()),
        }
    }

    /// One list of words, or a list of such lists; and whether it was one.
    pub fn commands(&self, name: &str) -> Result<(Vec<Vec<String>>, bool), Refusal> {
        let wanted = "a list of words, or a list of such lists";
        let items = self.get(name).and_then(Value::as_array).ok_or_else(|| self.expected(name, wanted))?;
        let single = !items.first().is_some_and(Value::is_array);
        let commands =
            match single {
                true => vec![self.words(name)?],
                false => items.iter().map(texts).collect::<Option<Vec<_>>>().ok_or_else(|| {
                    self.wrong(format!("{name} is a mixed list"), format!("expected {wanted}"))
                })?,
            };
        commands.iter().try_for_each(|words| self.check_words(name, words))?;
        Ok((commands, single))
    }

    /// Variables: names to texts or secrets.
    pub fn env(&self, name: &str) -> Result<Vec<(String, Text)>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let map = value
            .as_object()
            .filter(|map| !map.contains_key(SECRET))
            .ok_or_else(|| self.expected(name, "a dictionary of names to texts or secrets"))?;
        let read = |(key, value): (&String, &Value)| {
            let mut letters = key.chars();
            let plain = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
                && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !plain {
                let why = "use letters, digits and '_', and begin with no digit";
                return Err(self.wrong(format!("{name} has the variable '{key}'"), why));
            }
            let text = text_or_secret(value)
                .filter(|text| !matches!(text, Text::Plain(text) if text.contains('\0')));
            let wrong = || self.wrong(format!("{name}[\"{key}\"] is not a text or a secret"), "write str(…)");
            Ok((key.clone(), text.ok_or_else(wrong)?))
        };
        let mut variables = map.iter().map(read).collect::<Result<Vec<_>, Refusal>>()?;
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(variables)
    }

    /// A time in seconds, at most a day; `default` where it is not given.
    pub fn seconds(&self, name: &str, default: u64) -> Result<Duration, Refusal> {
        if !self.has(name) {
            return Ok(Duration::from_secs(default));
        }
        let seconds = self.amount(name)?;
        match (0.0..=DAY).contains(&seconds) && (seconds > 0.0 || name == "seconds") {
            true => Ok(Duration::from_secs_f64(seconds)),
            false => {
                Err(self.wrong(format!("{name} is {seconds}"), "expected seconds, at most a day (86400)"))
            }
        }
    }

    /// A number.
    pub fn amount(&self, name: &str) -> Result<f64, Refusal> {
        self.get(name).and_then(Value::as_f64).ok_or_else(|| self.expected(name, "a number"))
    }

    /// A whole number between two.
    pub fn whole(&self, name: &str, least: i64, most: i64) -> Result<i64, Refusal> {
        let number =
            self.get(name).and_then(Value::as_i64).ok_or_else(|| self.expected(name, "a whole number"))?;
        match (least..=most).contains(&number) {
            true => Ok(number),
            false => Err(self.wrong(format!("{name} is {number}"), format!("expected {least} to {most}"))),
        }
    }

    /// A number of pods.
    pub fn replicas(&self, name: &str) -> Result<u32, Refusal> {
        Ok(u32::try_from(self.whole(name, 0, REPLICAS)?).unwrap_or_default())
    }

    /// True or False.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, Refusal> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.expected(name, "True or False")),
        }
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// The reference that an object stands for, when it stands for a secret.
pub fn secret(value: &Value) -> Option<SecretReference> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    SecretReference::read(map.get(SECRET)?)
}

fn text_or_secret(value: &Value) -> Option<Text> {
    match value {
        Value::String(text) => Some(Text::Plain(text.clone())),
        other => secret(other).map(Text::Secret),
    }
}
