//! Themes: styles by meaning. Files in `themes/` (and a person's own) map [`Role`]s to a palette.

pub mod colour;
pub mod file;
mod role;
mod set;

use ratatui::style::{Modifier, Style};

pub use file::ThemeFile;
pub use role::Role;
pub use set::ThemeSet;

use crate::domain::Health;
use crate::domain::plan::Verb;

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColourDepth {
    /// 24 bits.
    #[default]
    Full,
    /// The 256 fixed ones: the theme's colours are brought to the nearest.
    Indexed,
    /// The terminal's own 16: the theme's `sixteen` is used, by default `terminal`.
    Sixteen,
    /// None (`NO_COLOR`): the theme `mono`.
    Mono,
}

/// A theme, ready to draw with.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// The name that was asked for.
    pub name: String,
    styles: [Style; Role::ALL.len()],
}

impl Theme {
    fn new(name: &str, style: impl Fn(Role) -> Style) -> Self {
        Self { name: name.to_owned(), styles: Role::ALL.map(style) }
    }

    /// No colours and no styles at all.
    pub fn plain() -> Self {
        Self::new("plain", |_| Style::new())
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The style of a role, in bold.
    pub fn bold(&self, role: Role) -> Style {
        self.style(role).add_modifier(Modifier::BOLD)
    }
}

/// The role that a health is drawn in.
pub fn health_role(health: Health) -> Role {
    match health {
        Health::Healthy => Role::Ok,
        Health::Stopped | Health::Suspended => Role::Idle,
        Health::Progressing => Role::Progress,
        Health::Missing => Role::Warn,
        Health::Degraded => Role::Fail,
        Health::Unknown => Role::Unknown,
    }
}

/// The role that a plan's verb is drawn in.
pub fn verb_role(verb: Verb) -> Role {
    match verb {
        Verb::Create => Role::Ok,
        Verb::Update | Verb::Adopt | Verb::Run => Role::Warn,
        Verb::Unchanged | Verb::Wait | Verb::Record | Verb::Read => Role::Muted,
        Verb::Replace | Verb::Delete => Role::Fail,
    }
}

#[cfg(test)]
mod tests;
