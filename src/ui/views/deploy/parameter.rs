//! The fields of the driver's parameters: made from their specification, and read back.

use serde_json::Value;

use super::choice::Choice;
use super::field::{Asks, Entry, Field, Kept, plain};
use crate::domain::driver::{ParameterKind, ParameterSpec};
use crate::domain::parameters::{check_secret, check_value, parse_input};
use crate::domain::{SecretReference, SecretText};
use crate::ui::text_field::TextField;
use crate::ui::text_lines::TextLines;

impl Field {
    /// The field of a parameter, with its default filled in.
    pub fn parameter(spec: &ParameterSpec) -> Self {
        let label = if spec.label.is_empty() { &spec.name } else { &spec.label };
        let mut field = Self::new(Asks::Parameter(Box::new(spec.clone())), label, &help(spec), entry(spec));
        field.set_kept(Kept::None);
        field
    }

    /// Fills in what was asked for before. A secret is not shown: its field stays empty, and says that it has a value.
    pub fn fill_again(&mut self, before: &Value) {
        let reference = SecretReference::read(before).is_some();
        match (self.is_secret(), reference) {
            (true, true) => self.set_kept(Kept::Stays),
            (false, false) => self.fill(before),
            // Another version of the driver has it as another kind: there is nothing to take over.
            _ => {}
        }
    }

    /// Takes the value of a secret away, or keeps it after all; only where the driver can do without.
    pub(super) fn keep_or_remove(&mut self) -> bool {
        let next = match self.kept {
            Kept::Stays if self.is_optional() => Kept::Removed,
            Kept::Removed => Kept::Stays,
            _ => return false,
        };
        self.set_kept(next);
        true
    }

    fn is_optional(&self) -> bool {
        matches!(&self.asks, Asks::Parameter(spec) if spec.default.is_some())
    }

    fn set_kept(&mut self, kept: Kept) {
        self.kept = kept;
        let placeholder = match (kept, self.is_secret(), self.is_optional()) {
            (Kept::Stays, _, false) => "set; stays as it is unless you type a new one",
            (Kept::Stays, _, true) => "set; stays unless you type, backspace removes it",
            (Kept::Removed, ..) => "is removed; backspace keeps it after all",
            (Kept::None, true, true) => "not set",
            (Kept::None, _, false) => "required",
            (Kept::None, false, true) => "",
        };
        match &mut self.entry {
            Entry::Text(field) => field.set_placeholder(placeholder),
            Entry::Lines(field) => field.set_placeholder(placeholder),
            _ => {}
        }
    }

    /// The value of a parameter that is no secret: none when it is the default, or left out.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn value(&self, spec: &ParameterSpec) -> Result<Option<Value>, String> {
        let text = self.text();
        let text = if spec.multiline { &text } else { text.trim() };
        let optional = spec.default.is_some();
        if text.trim().is_empty() && !(optional && spec.kind == ParameterKind::String) {
            return if optional { Ok(None) } else { Err("a value is needed".to_owned()) };
        }
        let value = match &self.entry {
            // Where there is a second line, even an empty one, each is an item.
            Entry::Lines(lines) if spec.kind == ParameterKind::List && lines.count() > 1 => {
                text.lines().map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect()
            }
            _ => parse_input(&spec.kind, text)?,
        };
        let value = check_value(spec, &value)?;
        Ok(Some(value).filter(|value| spec.default.as_ref() != Some(value)))
    }

    /// What was typed into a secret: none when nothing was.
    ///
    /// # Errors
    /// What is wrong with it; it is not repeated.
    pub fn secret(&self, spec: &ParameterSpec) -> Result<Option<SecretText>, String> {
        let typed = SecretText::new(self.text());
        match (typed.reveal().is_empty(), self.kept, spec.default.is_some()) {
            (false, ..) => check_secret(spec, &typed).map(|()| Some(typed)),
            (true, Kept::Stays, _) | (true, _, true) => Ok(None),
            (true, ..) => Err("a value is needed".to_owned()),
        }
    }
}

fn entry(spec: &ParameterSpec) -> Entry {
    let default = spec.default.as_ref().map(plain).unwrap_or_default();
    match &spec.kind {
        ParameterKind::Boolean => {
            Entry::Toggle(spec.default.as_ref().and_then(Value::as_bool).unwrap_or(false))
        }
        ParameterKind::Enum(values) => Entry::Choice(Choice::new(values.clone(), &default, false)),
        ParameterKind::Secret if spec.multiline => Entry::Lines(TextLines::masked()),
        ParameterKind::Secret => Entry::Text(TextField::masked()),
        ParameterKind::List => Entry::Lines(TextLines::new(&default)),
        ParameterKind::String if spec.multiline => Entry::Lines(TextLines::new(&default)),
        _ => Entry::Text(TextField::new(&default)),
    }
}

fn help(spec: &ParameterSpec) -> String {
    let mut parts = Vec::new();
    if !spec.description.is_empty() {
        parts.push(spec.description.trim().replace('\n', " "));
    }
    parts.extend(spec.limits());
    match spec.kind {
        ParameterKind::List => {
            parts.push("one per line, or separated by commas; enter adds a line".to_owned())
        }
        _ if spec.multiline => parts.push("enter adds a line, tab goes on".to_owned()),
        _ => {}
    }
    if let Some(pattern) = &spec.pattern {
        parts.push(format!("must match {pattern}"));
    }
    if spec.kind == ParameterKind::Secret {
        parts.push("kept in a Secret only".to_owned());
    }
    if spec.default.is_none() && spec.kind != ParameterKind::Boolean {
        parts.push("required".to_owned());
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent};
    use serde_json::json;

    use super::*;

    fn spec(kind: ParameterKind, default: Option<Value>) -> ParameterSpec {
        ParameterSpec { name: "size".to_owned(), kind, default, ..ParameterSpec::default() }
    }

    fn typed(spec: &ParameterSpec, text: &str) -> Field {
        let mut field = Field::parameter(spec);
        field.fill(&json!(""));
        field.paste(text);
        field
    }

    fn value_of(spec: &ParameterSpec, text: &str) -> Result<Option<Value>, String> {
        typed(spec, text).value(spec)
    }

    #[test]
    fn numbers_are_checked() {
        let bounded = |kind, default| ParameterSpec { min: Some(1.0), max: Some(5.0), ..spec(kind, default) };
        let integer = bounded(ParameterKind::Integer, Some(json!(3)));
        assert_eq!(value_of(&integer, "4"), Ok(Some(json!(4))));
        assert_eq!(value_of(&integer, "3"), Ok(None), "the default is left out");
        assert_eq!(value_of(&integer, ""), Ok(None));
        assert_eq!(value_of(&integer, "x").unwrap_err(), "expected a whole number, found 'x'");
        assert_eq!(value_of(&integer, "9").unwrap_err(), "expected 1 to 5, found 9");
        let number = bounded(ParameterKind::Number, None);
        assert_eq!(value_of(&number, "1.5"), Ok(Some(json!(1.5))));
        assert!(value_of(&number, "NaN").is_err() && value_of(&number, "").is_err());
    }

    #[test]
    fn texts_and_lists_keep_what_was_typed() {
        let list = spec(ParameterKind::List, None);
        assert_eq!(value_of(&list, "a, b,,c"), Ok(Some(json!(["a", "b", "c"]))));
        assert_eq!(value_of(&list, "a, b\nc"), Ok(Some(json!(["a, b", "c"]))), "a line each");
        assert_eq!(value_of(&list, "a, b\n"), Ok(Some(json!(["a, b"]))), "a second line parts them");
        for items in [json!(["a,b"]), json!(["a", "b,c"]), json!(["a"]), json!(["a", "b"])] {
            let mut field = Field::parameter(&list);
            field.fill_again(&items);
            assert_eq!(field.value(&list), Ok(Some(items.clone())));
            let defaulted = spec(ParameterKind::List, Some(items));
            assert_eq!(Field::parameter(&defaulted).value(&defaulted), Ok(None), "it is as it was");
        }
        let mut full = typed(&list, "a");
        assert!(
            !full.paste(&"\n".repeat(2_000))
                && full.error.is_some_and(|error| error.contains("nothing was pasted"))
        );
        let mut listed = Field::parameter(&spec(ParameterKind::List, Some(json!(["x", "y"]))));
        assert_eq!((listed.text().as_ref(), listed.rows()), ("x\ny", 2));
        assert!(listed.break_line() && listed.rows() == 3);
        assert_eq!(value_of(&spec(ParameterKind::String, Some(json!("x"))), ""), Ok(Some(json!(""))));
        assert!(value_of(&spec(ParameterKind::String, None), " ").is_err());
        let letters = ParameterSpec { pattern: Some("[a-z]+".into()), ..spec(ParameterKind::String, None) };
        assert_eq!(value_of(&letters, "A").unwrap_err(), "it must match [a-z]+");
        let lines = ParameterSpec { multiline: true, ..spec(ParameterKind::String, None) };
        assert_eq!(value_of(&lines, "a\n  b\n"), Ok(Some(json!("a\n  b\n"))));
    }

    #[test]
    fn booleans_and_enums_are_chosen() {
        let boolean = spec(ParameterKind::Boolean, Some(json!(true)));
        let mut field = Field::parameter(&boolean);
        assert_eq!(field.value(&boolean), Ok(None));
        assert!(field.turn(true) && !field.takes_text());
        assert_eq!(field.value(&boolean), Ok(Some(json!(false))));
        let sizes = spec(ParameterKind::Enum(vec!["small".into(), "large".into()]), Some(json!("large")));
        let mut field = Field::parameter(&sizes);
        assert_eq!(field.text(), "large");
        field.turn(true);
        assert_eq!(field.value(&sizes), Ok(Some(json!("small"))));
    }

    #[test]
    fn a_secret_is_typed_kept_or_removed() {
        let required = ParameterSpec { min: Some(4.0), ..spec(ParameterKind::Secret, None) };
        assert_eq!(typed(&required, "").secret(&required).unwrap_err(), "a value is needed");
        assert_eq!(
            typed(&required, "abc").secret(&required).unwrap_err(),
            "expected at least 4 characters, found 3"
        );
        assert_eq!(typed(&required, " s p ").secret(&required).unwrap().unwrap().reveal(), " s p ");
        let lines = ParameterSpec { multiline: true, ..required.clone() };
        assert_eq!(typed(&lines, "-----\nab\n").secret(&lines).unwrap().unwrap().reveal(), "-----\nab\n");

        let reference = json!({"secret": "a-parameters", "key": "size.ab", "digest": "ab"});
        let backspace = KeyEvent::from(KeyCode::Backspace);
        let mut field = Field::parameter(&required);
        field.fill_again(&reference);
        assert_eq!((field.kept, field.text().as_ref()), (Kept::Stays, ""));
        assert!(field.secret(&required).unwrap().is_none());
        assert!(!field.key(backspace), "what is required is not removed");
        field.fill_again(&json!("in clear, of a version in which it was no secret"));
        assert_eq!(field.text(), "");

        let optional = spec(ParameterKind::Secret, Some(json!("")));
        let mut field = Field::parameter(&optional);
        field.fill_again(&reference);
        assert!(field.key(backspace) && field.kept == Kept::Removed);
        assert!(field.secret(&optional).unwrap().is_none());
        assert!(field.key(backspace) && field.kept == Kept::Stays);
        let plain = spec(ParameterKind::String, None);
        let mut field = Field::parameter(&plain);
        field.fill_again(&reference);
        assert_eq!(field.text(), "", "a reference is no text");
    }
}
