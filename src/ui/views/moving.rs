//! How far a step is that moves data: a bar, bytes, rate, the time that is left; honest about what nobody knows.

use jiff::Timestamp;
use ratatui::text::Span;

use super::progress;
use crate::domain::operation::StepProgress;
use crate::domain::{OperationView, StepState};
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// The columns of a bar of bytes, where there is much room and where there is little.
const BARS: (usize, usize) = (20, 10);
/// The columns from which there is much room.
const ROOMY: usize = 96;
/// The columns below which there is no room for a bar.
const BAR_FROM: usize = 50;
/// After how many seconds without a word a step counts as stalled: it tells twice a second while it moves.
const STALLED: i64 = 15;

/// How far the step at `position` is, while it runs and moves data.
pub fn of(view: &OperationView, position: usize) -> Option<&StepProgress> {
    let runs = |state| matches!(state, StepState::Started | StepState::Retrying | StepState::Unknown);
    view.steps.get(position).filter(|record| runs(record.state))?;
    view.moving.get(&position)
}

/// How far the step is that is under way, where it moves data.
pub fn current(view: &OperationView) -> Option<&StepProgress> {
    let first = progress::current(view).and_then(|position| of(view, position));
    first.or_else(|| view.moving.keys().find_map(|position| of(view, *position)))
}

/// The bytes in all, where somebody knows them.
fn wholly(moving: &StepProgress) -> Option<u64> {
    moving.total.filter(|total| *total > 0)
}

/// `34%`, where the whole is known; none else.
pub fn percent(moving: &StepProgress) -> Option<String> {
    let total = wholly(moving)?;
    // more than was expected is no whole
    (moving.done <= total).then(|| format!("{}%", format::percent(moving.done, total)))
}

/// How long nobody heard of it, in seconds, when that is too long.
pub fn stalled(moving: &StepProgress, now: Option<Timestamp>) -> Option<i64> {
    let silent = now?.as_second() - moving.at?.as_second();
    (silent >= STALLED).then_some(silent)
}

/// A bar where the whole is known, then the words; in `room` columns.
pub fn spans(moving: &StepProgress, look: &Look<'_>, room: usize) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    if room >= BAR_FROM && wholly(moving).is_some() {
        spans.extend(bar(moving, look, if room >= ROOMY { BARS.0 } else { BARS.1 }));
        spans.push(Span::raw("  "));
    }
    let stalled = stalled(moving, look.now);
    let mut left = room.saturating_sub(spans.iter().map(Span::width).sum());
    for (index, (role, part)) in parts(moving, stalled).into_iter().enumerate() {
        let part = if index == 0 { part } else { format!("  {part}") };
        let part = format::cut(&part, left);
        // a lone mark of what is missing says nothing
        if part.trim().chars().count() < 2 {
            break;
        }
        left -= format::width(&part);
        spans.push(look.span(role, part));
    }
    spans
}

/// A bar of the bytes; nothing where the whole is not known: a bar would be made up.
fn bar(moving: &StepProgress, look: &Look<'_>, width: usize) -> Vec<Span<'static>> {
    let Some(total) = wholly(moving) else { return Vec::new() };
    let share = u128::from(moving.done.min(total)) * width as u128 / u128::from(total);
    let filled = usize::try_from(share).unwrap_or(width).min(width);
    let role = if stalled(moving, look.now).is_some() { Role::Warn } else { Role::Progress };
    vec![look.span(role, "━".repeat(filled)), look.span(Role::Border, "─".repeat(width - filled))]
}

fn parts(moving: &StepProgress, stalled: Option<i64>) -> Vec<(Role, String)> {
    let done = format::bytes(moving.done);
    let total = wholly(moving);
    let mut parts = vec![match total {
        Some(total) if moving.done <= total => (Role::Text, format!("{done} of {}", format::bytes(total))),
        Some(total) => (Role::Text, format!("{done}, expected {}", format::bytes(total))),
        None => (Role::Text, format!("{done} of an unknown whole")),
    }];
    parts.extend(percent(moving).map(|percent| (Role::Title, percent)));
    match stalled {
        Some(silent) => {
            parts.push((Role::Warn, format!("▲ stalled: no word for {}", lasting(silent))));
        }
        None if moving.rate > 0 => {
            parts.push((Role::Text, format!("{}/s", format::bytes(moving.rate))));
            parts.extend(left(moving, total).map(|left| (Role::Text, format!("{left} left"))));
        }
        None => {}
    }
    if !moving.item.is_empty() {
        parts.push((Role::Muted, moving.item.clone()));
    }
    parts
}

/// How long it still takes at this rate; none where nobody can know.
fn left(moving: &StepProgress, total: Option<u64>) -> Option<String> {
    let rest = total?.checked_sub(moving.done)?;
    Some(lasting(i64::try_from(rest.checked_div(moving.rate)?).ok()?))
}

fn lasting(seconds: i64) -> String {
    let end = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    format::duration(Timestamp::UNIX_EPOCH, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::keymap::Keymap;
    use crate::ui::theme::Theme;

    fn shown(moving: &StepProgress, room: usize) -> String {
        let (theme, keymap) = (Theme::plain(), Keymap::empty());
        let now = Timestamp::from_second(1_000).ok();
        let look = Look { theme: &theme, now, keymap: &keymap, still: true };
        spans(moving, &look, room).iter().map(|span| span.content.clone().into_owned()).collect()
    }

    fn moving(done: u64, total: Option<u64>) -> StepProgress {
        StepProgress {
            at: Timestamp::from_second(999).ok(),
            done,
            total,
            rate: 1 << 20,
            item: "table public.notes".into(),
        }
    }

    #[test]
    fn a_bar_stands_only_for_what_is_known() {
        let half = moving(512 << 20, Some(1 << 30));
        assert_eq!(
            shown(&half, 100),
            "━━━━━━━━━━──────────  512 MiB of 1.0 GiB  50%  1.0 MiB/s  8m 32s left  table public.notes"
        );
        assert_eq!(shown(&half, 40), "512 MiB of 1.0 GiB  50%  1.0 MiB/s  8m …");
        assert_eq!(
            shown(&moving(5 << 20, None), 100),
            "5.0 MiB of an unknown whole  1.0 MiB/s  table public.notes"
        );
        assert_eq!(shown(&moving(5, Some(0)), 30), "5 B of an unknown whole  1.0 …");
    }

    #[test]
    fn more_than_was_expected_is_no_hundred_percent() {
        let more = moving(3 << 30, Some(1 << 30));
        assert!(
            shown(&more, 100).contains("3.0 GiB, expected 1.0 GiB  1.0 MiB/s  table"),
            "{}",
            shown(&more, 100)
        );
        assert_eq!(percent(&more), None);
    }

    #[test]
    fn what_was_not_heard_of_is_stalled_and_promises_no_end() {
        let silent = StepProgress { at: Timestamp::from_second(1_000 - 42).ok(), ..moving(1, Some(10)) };
        let text = shown(&silent, 100);
        assert!(text.contains("▲ stalled: no word for 42s") && !text.contains("left"), "{text}");
        let never = StepProgress { at: None, ..silent };
        assert!(!shown(&never, 100).contains("stalled"), "nobody knows since when");
    }
}
