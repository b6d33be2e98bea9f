//! One line of a log: what containers write, made safe to show, and how serious it looks.

use crate::domain::text;

/// How serious a line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Level {
    /// Nothing says so.
    #[default]
    Plain,
    /// Detail for developers.
    Debug,
    /// A warning.
    Warn,
    /// An error.
    Error,
    /// Not the container's: a remark of the cockpit.
    Remark,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Its text, without control characters.
    pub text: String,
    /// How serious it looks.
    pub level: Level,
    /// How many bytes at its beginning are a time stamp.
    pub stamp: usize,
}

impl LogLine {
    /// A line as a container wrote it.
    pub fn new(raw: &str) -> Self {
        let text = text::plain(raw);
        let stamp = stamp_length(&text);
        Self { level: level(&text[stamp..]), stamp, text }
    }

    /// A remark of the cockpit between the lines.
    pub fn remark(text: String) -> Self {
        Self { text, level: Level::Remark, stamp: 0 }
    }
}

/// The length of a time stamp at the beginning: at least `hh:mm:ss` out of digits and their signs.
fn stamp_length(text: &str) -> usize {
    let signs = |c: char| c.is_ascii_digit() || "-:.,TZ+/[]".contains(c);
    let mut end = 0;
    for (index, word) in text.split(' ').take(2).enumerate() {
        if word.is_empty() || !word.chars().all(signs) || !word.contains(|c: char| c.is_ascii_digit()) {
            break;
        }
        end += word.len() + usize::from(index > 0);
    }
    let colons = text[..end].bytes().filter(|byte| *byte == b':').count();
    if colons >= 2 { end } else { 0 }
}

/// Looks for a level's word among the first words, or `level=` anywhere near.
fn level(text: &str) -> Level {
    let head: String = text.chars().take(80).collect::<String>().to_ascii_lowercase();
    let words = head.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    for word in words.take(6) {
        match word {
            "error" | "err" | "fatal" | "panic" | "panicked" | "critical" | "crit" | "emerg" => {
                return Level::Error;
            }
            "warn" | "warning" => return Level::Warn,
            "debug" | "trace" => return Level::Debug,
            "info" | "notice" => return Level::Plain,
            _ => {}
        }
    }
    Level::Plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_control_characters_go() {
        let shown = |raw: &str| LogLine::new(raw).text;
        assert_eq!(shown("\u{1b}[31mred\u{1b}[0m\tend\r"), "red    end");
        assert_eq!(shown("\u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{1b}\\!"), "link!");
        assert_eq!(shown("\u{1b}["), "");
        assert_eq!(shown("bell\u{7}\u{0}"), "bell");
    }

    #[test]
    fn levels_are_told_from_the_first_words() {
        let level = |raw: &str| LogLine::new(raw).level;
        assert_eq!(level("2026-11-22T19:00:00Z ERROR no database"), Level::Error);
        assert_eq!(level("time=\"12\" level=warning msg=slow"), Level::Warn);
        assert_eq!(level("thread 'main' panicked at"), Level::Error);
        assert_eq!(level("INFO error handling is set up"), Level::Plain);
        assert_eq!(level("a long story about many things and an error"), Level::Plain);
    }

    #[test]
    fn time_stamps_are_found() {
        let stamp = |raw: &str| LogLine::new(raw).stamp;
        assert_eq!(stamp("2026-11-22T19:00:00.123Z listening"), 24);
        assert_eq!(stamp("2026-11-22 19:00:00 listening"), 19);
        assert_eq!(stamp("12 apples"), 0);
        assert_eq!(stamp(""), 0);
    }
}
