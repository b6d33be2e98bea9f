//! Keymaps: chords to commands, per layer. Files in `keymaps/` (and a person's own).

mod chord;
mod command;
mod condition;
mod file;
mod set;

pub use chord::Chord;
pub use command::{Command, Group};
pub use condition::{Condition, Flag, Flags};
pub use set::KeymapSet;

/// Which bindings are asked, and in which order: the layer on top first, then [`Layer::Global`] where it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Everywhere, except while a text is edited.
    Global,
    /// A table of things that can be opened.
    Table,
    /// The inside of one thing.
    Detail,
    /// A dialog or overlay.
    Dialog,
    /// A text field: what is bound to nothing is typed.
    Input,
}

impl Layer {
    /// Every layer.
    pub const ALL: [Self; 5] = [Self::Global, Self::Table, Self::Detail, Self::Dialog, Self::Input];

    /// The name that keymap files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Table => "table",
            Self::Detail => "detail",
            Self::Dialog => "dialog",
            Self::Input => "input",
        }
    }

    /// Whether what this layer does not know is asked of [`Layer::Global`].
    pub fn falls_through(self) -> bool {
        matches!(self, Self::Table | Self::Detail)
    }
}

/// Keys that run a command in a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Where it holds.
    pub layer: Layer,
    /// The keys, one after the other.
    pub keys: Vec<Chord>,
    /// What they do.
    pub command: Command,
    /// When it holds.
    pub condition: Condition,
    /// The file that it comes from.
    pub file: String,
    /// The line in that file.
    pub line: usize,
}

impl Binding {
    /// Whether one would keep the other from being reached: same layer, one's keys begin the other's, and both
    /// conditions can hold at once.
    pub fn conflicts(&self, other: &Self) -> bool {
        let shared = self.keys.len().min(other.keys.len());
        self.layer == other.layer
            && self.keys[..shared] == other.keys[..shared]
            && self.condition.overlaps(&other.condition)
    }

    /// Its keys as they are shown.
    pub fn keys_text(&self) -> String {
        self.keys.iter().map(Chord::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// What keys lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A command.
    Command(Command),
    /// More keys are needed.
    Pending,
    /// Nothing.
    Nothing,
}

/// Every binding that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    /// Its name.
    pub name: String,
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        match KeymapSet::bundled().resolve(KeymapSet::DEFAULT) {
            Ok((keymap, _)) => keymap,
            Err(_) => Self::empty(),
        }
    }
}

impl Keymap {
    /// A keymap without bindings.
    pub fn empty() -> Self {
        Self { name: String::new(), bindings: Vec::new() }
    }

    /// What `keys` lead to in `layer`.
    pub fn find(&self, layer: Layer, flags: &Flags, keys: &[Chord]) -> Found {
        let layers = [Some(layer), layer.falls_through().then_some(Layer::Global)];
        for layer in layers.into_iter().flatten() {
            let mut matching = self.in_force(layer, flags).filter(|binding| binding.keys.starts_with(keys));
            if let Some(binding) = matching.next() {
                let complete = binding.keys.len() == keys.len();
                return if complete { Found::Command(binding.command) } else { Found::Pending };
            }
        }
        Found::Nothing
    }

    /// The bindings of a layer that hold now.
    pub fn in_force<'a>(&'a self, layer: Layer, flags: &'a Flags) -> impl Iterator<Item = &'a Binding> {
        self.bindings.iter().filter(move |binding| binding.layer == layer && binding.condition.holds(flags))
    }

    /// Every binding.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// The keys that run `command` in `layer` now, as they are shown, first the ones to hint at.
    pub fn keys_of(&self, command: Command, layer: Layer, flags: &Flags) -> Vec<String> {
        let layers = [Some(layer), layer.falls_through().then_some(Layer::Global)];
        let bindings = layers.into_iter().flatten().flat_map(|layer| self.in_force(layer, flags));
        let reached = bindings.filter(|binding| {
            binding.command == command && self.find(layer, flags, &binding.keys) == Found::Command(command)
        });
        reached.map(Binding::keys_text).collect()
    }
}

#[cfg(test)]
mod tests;
