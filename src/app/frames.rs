//! When to draw: at once after input (but at most every 10 ms), else at most 30 times a second, and never while nothing changed.

use std::time::Duration;

/// The shortest time between two frames after input.
pub const INPUT_GAP: Duration = Duration::from_millis(10);
/// The shortest time between two frames otherwise.
pub const CALM_GAP: Duration = Duration::from_millis(33);

/// Decides when the next frame is due. Times are durations since any fixed moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FrameGate {
    last: Option<Duration>,
    wanted: Option<Urgency>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Calm,
    Input,
}

impl FrameGate {
    /// Something on screen changed by itself.
    pub fn changed(&mut self) {
        self.wanted = self.wanted.max(Some(Urgency::Calm));
    }

    /// A person did something and waits for the answer.
    pub fn input(&mut self) {
        self.wanted = Some(Urgency::Input);
    }

    /// When the next frame is due: none when nothing changed.
    pub fn due(&self) -> Option<Duration> {
        let gap = match self.wanted? {
            Urgency::Input => INPUT_GAP,
            Urgency::Calm => CALM_GAP,
        };
        Some(self.last.map_or(Duration::ZERO, |last| last + gap))
    }

    /// A frame was drawn.
    pub fn drawn(&mut self, now: Duration) {
        self.last = Some(now);
        self.wanted = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_means_no_frame() {
        let mut gate = FrameGate::default();
        assert_eq!(gate.due(), None);
        gate.changed();
        assert_eq!(gate.due(), Some(Duration::ZERO), "the first frame is due at once");
        gate.drawn(Duration::from_millis(5));
        assert_eq!(gate.due(), None);
    }

    #[test]
    fn input_is_answered_sooner_than_a_change() {
        let mut gate = FrameGate::default();
        gate.changed();
        gate.drawn(Duration::from_millis(100));
        gate.changed();
        assert_eq!(gate.due(), Some(Duration::from_millis(133)));
        gate.input();
        assert_eq!(gate.due(), Some(Duration::from_millis(110)));
        gate.changed();
        assert_eq!(gate.due(), Some(Duration::from_millis(110)), "a later change does not delay it");
    }
}
