//! One key with its modifiers: how files write it, how it is shown, and how the terminal's keys become one.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key with its modifiers, in one spelling: an upper-case letter never carries shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const NAMES: [(&str, KeyCode, &str); 15] = [
    ("enter", KeyCode::Enter, "enter"),
    ("esc", KeyCode::Esc, "esc"),
    ("tab", KeyCode::Tab, "tab"),
    ("space", KeyCode::Char(' '), "space"),
    ("backspace", KeyCode::Backspace, "backspace"),
    ("delete", KeyCode::Delete, "delete"),
    ("insert", KeyCode::Insert, "insert"),
    ("up", KeyCode::Up, "↑"),
    ("down", KeyCode::Down, "↓"),
    ("left", KeyCode::Left, "←"),
    ("right", KeyCode::Right, "→"),
    ("home", KeyCode::Home, "home"),
    ("end", KeyCode::End, "end"),
    ("pgup", KeyCode::PageUp, "pgup"),
    ("pgdn", KeyCode::PageDown, "pgdn"),
];

const MODIFIERS: [(&str, KeyModifiers); 3] =
    [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)];

impl Chord {
    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let mut modifiers = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match code {
            KeyCode::BackTab => {
                modifiers |= KeyModifiers::SHIFT;
                KeyCode::Tab
            }
            KeyCode::Char(letter) if modifiers.contains(KeyModifiers::SHIFT) && letter != ' ' => {
                modifiers -= KeyModifiers::SHIFT;
                KeyCode::Char(letter.to_uppercase().next().unwrap_or(letter))
            }
            KeyCode::Char(letter) if modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(letter.to_ascii_lowercase())
            }
            other => other,
        };
        Self { code, modifiers }
    }

    /// Reads `g`, `G`, `ctrl-d`, `shift-tab`, `f5`, `enter` …
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        while let Some((prefix, modifier)) = MODIFIERS.iter().find(|(prefix, _)| rest.starts_with(prefix)) {
            modifiers |= *modifier;
            rest = &rest[prefix.len()..];
        }
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(letter), None) if !letter.is_whitespace() && !letter.is_control() => KeyCode::Char(letter),
            _ => NAMES
                .iter()
                .find(|(name, ..)| *name == rest)
                .map(|(_, code, _)| *code)
                .or_else(|| function(rest))?,
        };
        Some(Self::new(code, modifiers))
    }

    /// Whether it can be typed into a text as it is.
    pub fn is_text(self) -> bool {
        matches!(self.code, KeyCode::Char(_))
            && !self.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
    }

    /// Whether it is a letter held with ctrl.
    pub fn is_ctrl_letter(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.contains(KeyModifiers::CONTROL)
    }
}

fn function(text: &str) -> Option<KeyCode> {
    let number: u8 = text.strip_prefix('f')?.parse().ok()?;
    (1..=12).contains(&number).then_some(KeyCode::F(number))
}

impl From<KeyEvent> for Chord {
    fn from(key: KeyEvent) -> Self {
        Self::new(key.code, key.modifiers)
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (prefix, modifier) in MODIFIERS {
            if self.modifiers.contains(modifier) {
                f.write_str(prefix)?;
            }
        }
        if let Some((.., shown)) = NAMES.iter().find(|(_, code, _)| *code == self.code) {
            return f.write_str(shown);
        }
        match self.code {
            KeyCode::Char(letter) => write!(f, "{letter}"),
            KeyCode::F(number) => write!(f, "f{number}"),
            other => write!(f, "{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_terminal_sends_is_what_files_say() {
        let key = |code, modifiers| Chord::from(KeyEvent::new(code, modifiers));
        let same = [
            ("G", key(KeyCode::Char('G'), KeyModifiers::SHIFT)),
            ("G", key(KeyCode::Char('g'), KeyModifiers::SHIFT)),
            ("?", key(KeyCode::Char('?'), KeyModifiers::SHIFT)),
            ("ctrl-d", key(KeyCode::Char('D'), KeyModifiers::CONTROL)),
            ("shift-tab", key(KeyCode::BackTab, KeyModifiers::NONE)),
            ("space", key(KeyCode::Char(' '), KeyModifiers::NONE)),
            ("f5", key(KeyCode::F(5), KeyModifiers::NONE)),
            ("-", key(KeyCode::Char('-'), KeyModifiers::NONE)),
        ];
        for (text, chord) in same {
            assert_eq!(Chord::parse(text), Some(chord), "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_key() {
        for bad in ["", "gg", "ctrl-", "f13", "hyper-x", " "] {
            assert_eq!(Chord::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn arrows_are_shown_as_arrows() {
        assert_eq!(Chord::parse("ctrl-d").unwrap().to_string(), "ctrl-d");
        assert_eq!(Chord::parse("up").unwrap().to_string(), "↑");
    }
}
