//! What widgets are handed beside their data: the theme, the time, whether things may move.

use jiff::Timestamp;
use ratatui::style::Style;
use ratatui::text::Span;

use super::format;
use super::keymap::{Binding, Command, Keymap, Layer};
use super::link;
use super::theme::{Role, Theme, health_role};
use crate::domain::Health;
use crate::domain::route::Probe;

const SPINNER: [&str; 4] = ["◐", "◓", "◑", "◒"];

/// What widgets are handed beside their data.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The theme.
    pub theme: &'a Theme,
    /// The time; none before the first picture.
    pub now: Option<Timestamp>,
    /// The keymap, for texts that name a key.
    pub keymap: &'a Keymap,
    /// Nothing may move (reduced motion).
    pub still: bool,
}

impl Look<'_> {
    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// Text in a role.
    pub fn span(&self, role: Role, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.theme.style(role))
    }

    /// Text that leads to a URL.
    pub fn link(&self, text: impl Into<String>, url: &str) -> Span<'static> {
        link::mark(self.span(Role::Url, text), url)
    }

    /// The key of a command in a layer, as texts name it; the palette's way when it has none.
    pub fn key(&self, command: Command, layer: Layer) -> String {
        let layers = [layer, Layer::Global];
        let mut bindings = self.keymap.bindings().iter();
        let found = layers.into_iter().find_map(|layer| {
            bindings.clone().find(|binding| binding.layer == layer && binding.command == command)
        });
        let found = found.or_else(|| bindings.find(|binding| binding.command == command));
        found.map_or_else(|| format!(": {}", command.name()), Binding::keys_text)
    }

    /// How long ago; a dash before the time is known.
    pub fn age(&self, then: Timestamp) -> String {
        self.now.map_or_else(|| "–".to_owned(), |now| format::age(now, then))
    }

    /// How long ago, in words.
    pub fn ago(&self, then: Timestamp) -> String {
        self.now.map_or_else(|| "just now".to_owned(), |now| format::ago(now, then))
    }

    /// Roughly how long ago: for what is asked again and again.
    pub fn roughly(&self, then: Timestamp) -> String {
        self.now.map_or_else(|| "–".to_owned(), |now| format::roughly(now, then))
    }

    /// Roughly how long ago, in words: for what is asked again and again.
    pub fn roughly_ago(&self, then: Timestamp) -> String {
        self.now.map_or_else(|| "just now".to_owned(), |now| format::roughly_ago(now, then))
    }

    /// The glyph of work that goes on: it turns with time, unless nothing may move.
    pub fn spinner(&self) -> &'static str {
        let quarter = self.now.filter(|_| !self.still).map_or(0, |now| now.as_millisecond() / 500);
        SPINNER[usize::try_from(quarter.rem_euclid(4)).unwrap_or(0)]
    }

    /// A health's glyph.
    pub fn glyph(&self, health: Health) -> &'static str {
        match health {
            Health::Healthy => "✓",
            Health::Stopped => "■",
            Health::Suspended => "‖",
            Health::Progressing => self.spinner(),
            Health::Missing => "○",
            Health::Degraded => "✗",
            Health::Unknown => "?",
        }
    }

    /// A health's glyph and word.
    pub fn health(&self, health: Health) -> Span<'static> {
        self.span(health_role(health), format!("{} {}", self.glyph(health), health.as_str()))
    }

    /// A health's glyph alone, where the word stands beside it in another form.
    pub fn mark(&self, health: Health) -> Span<'static> {
        self.span(health_role(health), self.glyph(health))
    }

    /// Whether a URL works: a glyph, and the words when `words`.
    pub fn probe(&self, probe: Option<&Probe>, words: bool) -> Span<'static> {
        let (role, glyph, text) = match probe {
            None => (Role::Muted, "○", "not probed yet".to_owned()),
            Some(probe) if probe.works() => (Role::Ok, "✓", format::probe(probe)),
            Some(probe) => (Role::Fail, "✗", format::probe(probe)),
        };
        self.span(role, if words { format!("{glyph} {text}") } else { glyph.to_owned() })
    }
}

/// What each glyph that the cockpit draws becomes on a terminal that shows ASCII only.
const ASCII: [(char, char); 54] = [
    ('✓', '+'),
    ('✗', 'x'),
    ('■', '#'),
    ('‖', '='),
    ('○', 'o'),
    ('●', '*'),
    ('◐', '~'),
    ('◓', '~'),
    ('◑', '~'),
    ('◒', '~'),
    ('▲', '!'),
    ('▌', '>'),
    ('▐', '#'),
    ('→', '>'),
    ('←', '<'),
    ('↑', '^'),
    ('↓', 'v'),
    ('↳', '\\'),
    ('…', '~'),
    ('·', '.'),
    ('›', '>'),
    ('‹', '<'),
    ('–', '-'),
    ('─', '-'),
    ('│', '|'),
    ('╭', '+'),
    ('╮', '+'),
    ('╰', '+'),
    ('╯', '+'),
    ('├', '+'),
    ('┤', '+'),
    ('└', '`'),
    ('┌', '+'),
    ('┐', '+'),
    ('┘', '+'),
    ('•', '*'),
    ('◆', '*'),
    ('▸', '>'),
    ('▾', 'v'),
    ('×', 'x'),
    ('━', '='),
    ('⋯', ':'),
    ('↻', '@'),
    ('≠', '%'),
    ('▁', '_'),
    ('▂', '.'),
    ('▃', '-'),
    ('▄', ':'),
    ('▅', '+'),
    ('▆', '*'),
    ('▇', '%'),
    ('█', '#'),
    ('“', '"'),
    ('”', '"'),
];

/// The ASCII character for a glyph of ours; none for anything else.
pub fn to_ascii(glyph: char) -> Option<char> {
    ASCII.iter().find(|(from, _)| *from == glyph).map(|(_, to)| *to)
}
