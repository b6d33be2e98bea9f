//! Messages that come up by themselves.

use jiff::{SignedDuration, Timestamp};

use super::theme::Role;
use crate::domain::Problem;

/// How long a plain message stays.
const PLAIN: SignedDuration = SignedDuration::from_secs(5);
/// How long a problem stays when nobody closes it.
const PROBLEM: SignedDuration = SignedDuration::from_secs(60);
/// How many messages are shown at once.
const MOST: usize = 3;

/// A message that came up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// How serious it is.
    pub tone: Tone,
    /// What, why and what next; plain messages have only the first.
    pub text: Problem,
}

/// How serious a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Plain,
    /// It was not done, and why.
    Hint,
    /// Something is wrong.
    Problem,
}

impl Toast {
    /// A sentence that goes away by itself.
    pub fn info(text: impl Into<String>) -> Self {
        Self { tone: Tone::Plain, text: Problem::new(text, "", "") }
    }

    /// A sentence about what was not done; it goes away by itself.
    pub fn hint(text: impl Into<String>) -> Self {
        Self { tone: Tone::Hint, text: Problem::new(text, "", "") }
    }

    /// A problem that stays until it is closed (or a minute has passed).
    pub fn problem(problem: Problem) -> Self {
        Self { tone: Tone::Problem, text: problem }
    }

    /// Its glyph and the role that it is drawn in.
    pub fn mark(&self) -> (&'static str, Role) {
        match self.tone {
            Tone::Plain => ("✓", Role::Ok),
            Tone::Hint => ("›", Role::Accent),
            Tone::Problem => ("▲", Role::Fail),
        }
    }
}

/// The messages that are on screen.
#[derive(Debug, Clone, Default)]
pub struct Toasts {
    shown: Vec<(Toast, Option<Timestamp>)>,
}

impl Toasts {
    /// Shows a message; the same text again only starts its time anew, a hint takes the place of the last one (it answers
    /// the last key), and the oldest makes room.
    pub fn add(&mut self, toast: Toast, now: Option<Timestamp>) {
        let outdated = |other: &Toast| other.tone == Tone::Hint && toast.tone == Tone::Hint;
        self.shown.retain(|(other, _)| *other != toast && !outdated(other));
        self.shown.push((toast, now));
        let surplus = self.shown.len().saturating_sub(MOST);
        self.shown.drain(..surplus);
    }

    /// Closes the newest problem; false when there is none.
    pub fn close_problem(&mut self) -> bool {
        let found = self.shown.iter().rposition(|(toast, _)| toast.tone == Tone::Problem);
        found.map(|index| self.shown.remove(index)).is_some()
    }

    /// Takes away what has been there long enough. `held`: only a line of the newest is on screen, and a problem says more than that:
    /// its time begins when there is room for it.
    pub fn tick(&mut self, now: Timestamp, held: bool) {
        for (toast, since) in &mut self.shown {
            let waits = held && toast.tone == Tone::Problem;
            *since = if waits { Some(now) } else { since.or(Some(now)) };
        }
        self.shown.retain(|(toast, since)| {
            let limit = if toast.tone == Tone::Problem { PROBLEM } else { PLAIN };
            since.is_none_or(|since| now.duration_since(since) < limit)
        });
    }

    /// The messages, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Toast> {
        self.shown.iter().map(|(toast, _)| toast)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn plain_messages_go_and_problems_stay() {
        let mut toasts = Toasts::default();
        toasts.add(Toast::info("Copied"), Some(at(0)));
        toasts.add(Toast::problem(Problem::new("It broke", "", "")), None);
        toasts.tick(at(4), false);
        assert_eq!(toasts.iter().count(), 2);
        toasts.tick(at(6), true);
        assert_eq!(toasts.iter().count(), 1);
        // it was not on screen as a whole
        toasts.tick(at(600), true);
        toasts.tick(at(659), false);
        assert_eq!(toasts.iter().count(), 1);
        assert!(toasts.close_problem());
        assert!(!toasts.close_problem() && toasts.is_empty());
    }

    #[test]
    fn a_hint_answers_the_last_key_only() {
        let mut toasts = Toasts::default();
        toasts.add(Toast::hint("'p' does nothing here"), None);
        toasts.add(Toast::info("Copied"), None);
        toasts.add(Toast::hint("'u' does nothing here"), None);
        let shown: Vec<&str> = toasts.iter().map(|toast| toast.text.what.as_str()).collect();
        assert_eq!(shown, ["Copied", "'u' does nothing here"]);
    }

    #[test]
    fn the_same_message_is_shown_once_and_only_the_newest_three() {
        let mut toasts = Toasts::default();
        for number in [1, 2, 3, 4, 4] {
            toasts.add(Toast::info(number.to_string()), None);
        }
        let shown: Vec<&str> = toasts.iter().map(|toast| toast.text.what.as_str()).collect();
        assert_eq!(shown, ["2", "3", "4"]);
    }
}
