//! Keymap files: TOML with a list of bindings per layer.

use serde::Deserialize;
use toml::Spanned;

use super::condition::Flag;
use super::{Binding, Chord, Command, Condition, Layer};
use crate::ui::diagnostic::{Diagnostic, line_of, nearest};

/// A keymap as a file states it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeymapFile {
    /// The file's own name, for messages.
    pub file: String,
    /// One line for people.
    pub description: String,
    /// The keymap that this one changes.
    pub inherits: Option<String>,
    /// Its bindings, in order. No command: the keys are freed.
    pub bindings: Vec<(Binding, Freed)>,
}

/// Whether a binding only frees its keys (`run = "noop"`).
pub type Freed = bool;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    description: String,
    inherits: Option<String>,
    #[serde(default)]
    global: RawLayer,
    #[serde(default)]
    table: RawLayer,
    #[serde(default)]
    detail: RawLayer,
    #[serde(default)]
    dialog: RawLayer,
    #[serde(default)]
    input: RawLayer,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLayer {
    #[serde(default)]
    keys: Vec<RawBinding>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBinding {
    on: Spanned<Vec<Spanned<String>>>,
    run: Spanned<String>,
    when: Option<Spanned<String>>,
}

/// Reads a keymap file. Bindings that cannot be used are left out and come back as warnings.
///
/// # Errors
/// When the text is not TOML of a keymap's shape.
pub fn parse(file: &str, text: &str) -> Result<(KeymapFile, Vec<Diagnostic>), Diagnostic> {
    let raw: Raw = toml::from_str(text).map_err(|error| Diagnostic::from_toml(file, text, &error))?;
    let source = Source { file, text };
    let layers = [
        (Layer::Global, raw.global),
        (Layer::Table, raw.table),
        (Layer::Detail, raw.detail),
        (Layer::Dialog, raw.dialog),
        (Layer::Input, raw.input),
    ];
    let (mut bindings, mut warnings) = (Vec::new(), Vec::new());
    for (layer, raw) in layers {
        for binding in raw.keys {
            match source.binding(layer, &binding) {
                Ok(binding) => bindings.push(binding),
                Err(warning) => warnings.push(warning),
            }
        }
    }
    let keymap =
        KeymapFile { file: file.to_owned(), description: raw.description, inherits: raw.inherits, bindings };
    Ok((keymap, warnings))
}

struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn binding(&self, layer: Layer, raw: &RawBinding) -> Result<(Binding, Freed), Diagnostic> {
        let keys: Vec<Chord> =
            raw.on.get_ref().iter().map(|key| self.chord(key)).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(self.at(&raw.on, "a binding needs at least one key"));
        }
        let condition = match &raw.when {
            Some(when) => self.condition(when)?,
            None => Condition::default(),
        };
        let freed = raw.run.get_ref() == "noop";
        let command = if freed { Command::Redraw } else { self.command(&raw.run)? };
        let first = keys[0];
        if layer == Layer::Input && first.is_text() && !freed {
            return Err(self.at(&raw.on, format!("'{first}' could no longer be typed into a text")));
        }
        if command.writes() && keys.iter().any(|key| key.is_ctrl_letter()) {
            return Err(
                self.at(&raw.on, format!("'{}' may not be on a ctrl-letter: it can write", command.name()))
            );
        }
        let line = line_of(self.text, raw.on.span().start);
        Ok((Binding { layer, keys, command, condition, file: self.file.to_owned(), line }, freed))
    }

    fn chord(&self, key: &Spanned<String>) -> Result<Chord, Diagnostic> {
        Chord::parse(key.get_ref()).ok_or_else(|| {
            self.at(key, format!("'{}' is not a key", key.get_ref()))
                .hint("one character, 'ctrl-x', 'shift-tab', 'enter', 'f5'; a sequence is a list of keys")
        })
    }

    fn command(&self, name: &Spanned<String>) -> Result<Command, Diagnostic> {
        Command::parse(name.get_ref()).ok_or_else(|| {
            let names = Command::ALL.iter().map(|command| command.name());
            let unknown = self.at(name, format!("there is no command '{}'", name.get_ref()));
            with_nearest(unknown, name.get_ref(), names)
        })
    }

    fn condition(&self, when: &Spanned<String>) -> Result<Condition, Diagnostic> {
        Condition::parse(when.get_ref()).map_err(|word| {
            let unknown = self.at(when, format!("there is no condition '{word}'"));
            with_nearest(unknown, &word, Flag::names())
        })
    }

    fn at<T>(&self, place: &Spanned<T>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::at(self.file, self.text, place.span().start, message)
    }
}

fn with_nearest<'a>(diagnostic: Diagnostic, word: &str, names: impl Iterator<Item = &'a str>) -> Diagnostic {
    match nearest(word, names) {
        Some(near) => diagnostic.hint(format!("did you mean '{near}'?")),
        None => diagnostic,
    }
}
