//! Past probes as a line of small bars: how long each took, and which failed. Those have a shape of their own, and no height.

use ratatui::text::Span;

use crate::domain::route::Beat;
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// The most probes that are shown.
pub const MOST: usize = 60;

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const FAILED: &str = "✗";

/// The last probes in `width` columns, the newest at the right. A column is a probe: the left stays free where there were fewer.
/// Where nobody has to look at them they are `calm`.
pub fn beats(look: &Look<'_>, history: &[Beat], width: usize, calm: bool) -> Vec<Span<'static>> {
    let width = width.min(MOST);
    let last = &history[history.len().saturating_sub(width)..];
    let full = scale(last);
    let mut spans = vec![Span::raw(" ".repeat(width - last.len()))];
    for run in last.chunk_by(|one, other| one.works == other.works) {
        let works = run.first().is_some_and(|beat| beat.works);
        let (role, text) = match works {
            true => (Role::Ok, run.iter().map(|beat| BARS[height(beat.micros, full)]).collect()),
            false => (Role::Fail, FAILED.repeat(run.len())),
        };
        spans.push(look.span(if calm { Role::Muted } else { role }, text));
    }
    spans
}

/// What fills a column: the longest that worked, but twice the usual at least. So a steady line stays in the middle, and one that
/// is slow now stands out.
fn scale(beats: &[Beat]) -> u32 {
    let mut working: Vec<u32> = beats.iter().filter(|beat| beat.works).map(|beat| beat.micros).collect();
    working.sort_unstable();
    let usual = working.get(working.len() / 2).copied().unwrap_or(0);
    working.last().copied().unwrap_or(0).max(usual.saturating_mul(2)).max(1)
}

fn height(micros: u32, full: u32) -> usize {
    let eighths = u64::from(micros) * BARS.len() as u64 / u64::from(full);
    usize::try_from(eighths).unwrap_or(0).min(BARS.len() - 1)
}

#[cfg(test)]
mod tests {
    use ratatui::text::Line;

    use super::*;
    use crate::ui::sample;
    use crate::ui::widgets::page::plain;

    fn shown(history: &[(bool, u32)], width: usize) -> String {
        let beat = |(works, millis): &(bool, u32)| Beat {
            at: sample::now(),
            works: *works,
            micros: millis.saturating_mul(1_000),
        };
        let history: Vec<Beat> = history.iter().map(beat).collect();
        plain(|look| Line::from(beats(look, &history, width, false)).to_string())
    }

    #[test]
    fn the_newest_stands_at_the_right() {
        assert_eq!(shown(&[], 4), "    ");
        assert_eq!(shown(&[(true, 10), (true, 10)], 4), "  ▅▅", "a steady line stays in the middle");
        assert_eq!(shown(&[(true, 9), (true, 10), (true, 10)], 2), "▅▅");
        assert_eq!(shown(&[(true, 1)], 0), "");
    }

    #[test]
    fn what_failed_has_another_shape_and_no_part_in_the_scale() {
        assert_eq!(shown(&[(true, 10), (false, 30_000), (true, 10)], 3), "▅✗▅");
        assert_eq!(shown(&[(false, 1), (false, 9)], 3), " ✗✗");
        assert_eq!(shown(&[(true, 10), (true, 12), (true, 80), (true, 11)], 4), "▂▂█▂");
        assert_eq!(shown(&[(true, 0), (true, 0)], 2), "▁▁");
        assert_eq!(shown(&[(true, u32::MAX), (true, 1)], 2), "█▁");
    }

    #[test]
    fn there_are_sixty_at_most() {
        let history = vec![(true, 5); 80];
        assert_eq!(shown(&history, 200).chars().count(), MOST);
    }
}
