//! All keymaps that can be chosen, and how one is put together from its files.

use std::collections::BTreeMap;

use super::file::{self, KeymapFile};
use super::{Binding, Keymap};
use crate::ui::diagnostic::{Diagnostic, nearest};

const BUNDLED: [(&str, &str); 3] = [
    ("default", include_str!("../../../keymaps/default.toml")),
    ("k9s", include_str!("../../../keymaps/k9s.toml")),
    ("helix", include_str!("../../../keymaps/helix.toml")),
];

/// Keymaps by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeymapSet {
    keymaps: BTreeMap<String, KeymapFile>,
}

impl Default for KeymapSet {
    fn default() -> Self {
        Self::bundled()
    }
}

impl KeymapSet {
    /// The keymap that is used when none is chosen.
    pub const DEFAULT: &str = "default";

    /// The keymaps that come with the program.
    pub fn bundled() -> Self {
        let mut set = Self { keymaps: BTreeMap::new() };
        for (name, text) in BUNDLED {
            // A test holds that the bundled ones are sound.
            drop(set.add(name, &format!("{name}.toml"), text));
        }
        set
    }

    /// Adds a keymap, or replaces the one of that name. `file` is named in messages. Returns what was left out.
    ///
    /// # Errors
    /// When the text is no keymap; the set stays as it was.
    pub fn add(&mut self, name: &str, file: &str, text: &str) -> Result<Vec<Diagnostic>, Diagnostic> {
        let (keymap, mut warnings) = file::parse(file, text)?;
        let before = self.keymaps.insert(name.to_owned(), keymap);
        match self.resolve(name) {
            Ok((_, more)) => {
                warnings.extend(more);
                Ok(warnings)
            }
            Err(problem) => {
                match before {
                    Some(before) => self.keymaps.insert(name.to_owned(), before),
                    None => self.keymaps.remove(name),
                };
                Err(problem)
            }
        }
    }

    /// Names and descriptions.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.keymaps.iter().map(|(name, keymap)| (name.as_str(), keymap.description.as_str()))
    }

    /// Puts a keymap together. A file's binding takes its keys from the keymaps that it inherits from; two bindings of
    /// the same file that want the same keys are a conflict: the first stays, the second comes back as a warning.
    ///
    /// # Errors
    /// When there is no such keymap, or it inherits from none that exists, or from itself.
    pub fn resolve(&self, name: &str) -> Result<(Keymap, Vec<Diagnostic>), Diagnostic> {
        let mut chain: Vec<&KeymapFile> = Vec::new();
        let mut next = Some(name);
        while let Some(name) = next {
            let keymap = self.keymaps.get(name).ok_or_else(|| self.missing(name))?;
            if chain.iter().any(|seen| std::ptr::eq(*seen, keymap)) {
                return Err(Diagnostic::file(&keymap.file, "it inherits from itself"));
            }
            chain.push(keymap);
            next = keymap.inherits.as_deref();
        }
        let mut bindings: Vec<Binding> = Vec::new();
        let mut warnings = Vec::new();
        for keymap in chain.into_iter().rev() {
            let mut base = std::mem::take(&mut bindings);
            let mut own: Vec<Binding> = Vec::with_capacity(keymap.bindings.len());
            for (binding, freed) in &keymap.bindings {
                base.retain(|other| !other.conflicts(binding));
                if *freed {
                    continue;
                }
                match own.iter().find(|other| other.conflicts(binding)) {
                    Some(other) => warnings.push(conflict(binding, other)),
                    None => own.push(binding.clone()),
                }
            }
            // A file's own keys are shown first in hints.
            own.append(&mut base);
            bindings = own;
        }
        Ok((Keymap { name: name.to_owned(), bindings }, warnings))
    }

    fn missing(&self, name: &str) -> Diagnostic {
        let diagnostic = Diagnostic::file("keymaps", format!("there is no keymap '{name}'"));
        match nearest(name, self.keymaps.keys().map(String::as_str)) {
            Some(near) => diagnostic.hint(format!("did you mean '{near}'?")),
            None => diagnostic,
        }
    }
}

fn conflict(binding: &Binding, other: &Binding) -> Diagnostic {
    let message = format!(
        "'{}' for {} hides, or is hidden by, '{}' for {} on line {}",
        binding.keys_text(),
        binding.command.name(),
        other.keys_text(),
        other.command.name(),
        other.line
    );
    Diagnostic {
        file: binding.file.clone(),
        line: binding.line,
        message,
        hint: "give one of them other keys".into(),
    }
}
