//! The phases of a probe below each other, each beginning where the one before it ended.

use ratatui::text::{Line, Span};

use crate::domain::route::{Phase, Phases, Probe, ProbeOutcome};
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// The columns before the bars: indent, phase, mark, time.
const LEAD: usize = 24;
/// The widest bars.
const WIDEST: usize = 60;
/// The fewest columns that tell anything.
const NARROWEST: usize = 8;

/// What became of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    /// It was done after so many microseconds.
    Done(u32),
    /// It failed after so many.
    Failed(u32),
    /// It was not needed.
    Unneeded,
    /// An earlier one failed.
    Unreached,
}

/// The phases in their order.
fn phases(probe: &Probe) -> [(Phase, Became); 4] {
    let Phases { dns, connect, tls, http } = probe.phases;
    let failed = match &probe.outcome {
        ProbeOutcome::Failed { phase, .. } => Some(*phase),
        ProbeOutcome::Answered(_) => None,
    };
    let became = |phase: Phase, took: Option<u32>| match (took, failed) {
        (took, Some(failed)) if failed == phase => Became::Failed(took.unwrap_or(0)),
        (Some(took), _) => Became::Done(took),
        (None, Some(failed)) if failed < phase => Became::Unreached,
        (None, _) => Became::Unneeded,
    };
    [(Phase::Dns, dns), (Phase::Connect, connect), (Phase::Tls, tls), (Phase::Http, http)]
        .map(|(phase, took)| (phase, became(phase, took)))
}

/// Four lines in `width` columns: each phase with its mark, its time and its bar.
pub fn lines(look: &Look<'_>, probe: &Probe, width: usize) -> Vec<Vec<Span<'static>>> {
    let room = width.saturating_sub(LEAD).min(WIDEST);
    let all = probe.micros().max(1);
    let mut begun: u32 = 0;
    let mut lines = Vec::new();
    for (phase, became) in phases(probe) {
        let name = look.span(Role::Text, format!("{:<9}", phase.as_str()));
        let (role, glyph, took) = match became {
            Became::Done(took) => (Role::Ok, "✓", Some(took)),
            Became::Failed(took) => (Role::Fail, "✗", Some(took)),
            Became::Unneeded | Became::Unreached => (Role::Muted, "–", None),
        };
        let mut spans = vec![Span::raw("  "), name, look.span(role, format!("{glyph} "))];
        let Some(took) = took else {
            let word = if became == Became::Unneeded { "not needed" } else { "not reached" };
            spans.push(look.span(Role::Muted, format!("   {word}")));
            lines.push(spans);
            continue;
        };
        spans.push(look.span(Role::Text, format!("{:>9}  ", format::micros(took))));
        if room >= NARROWEST {
            let (start, length) = bar(begun, took, (all, room));
            let mark = if role == Role::Fail { "✗" } else { "" };
            let bar = "━".repeat(length - mark.chars().count());
            spans.push(Span::raw(" ".repeat(start)));
            spans.push(
                look.span(if role == Role::Fail { role } else { Role::Accent }, format!("{bar}{mark}")),
            );
        }
        begun = begun.saturating_add(took);
        lines.push(spans);
    }
    lines
}

/// Where a bar begins and how long it is, at least one column: of `room` columns for `all` microseconds.
fn bar(begun: u32, took: u32, (all, room): (u32, usize)) -> (usize, usize) {
    let column = |micros: u32| {
        let column = u64::from(micros) * room as u64 / u64::from(all.max(1));
        usize::try_from(column).unwrap_or(room).min(room)
    };
    let start = column(begun).min(room - 1);
    let end = column(begun.saturating_add(took)).max(start + 1);
    (start, end - start)
}

/// The phases in one line: `dns 0.3 ms  connect 0.2 ms  http 12 ms`. Those that were not needed are left out.
pub fn line(look: &Look<'_>, probe: &Probe) -> Line<'static> {
    let mut spans = Vec::new();
    for (phase, became) in phases(probe) {
        let (role, said) = match became {
            Became::Done(took) => (Role::Text, format::micros(took)),
            Became::Failed(took) => (Role::Fail, format!("✗ after {}", format::micros(took))),
            Became::Unneeded => continue,
            Became::Unreached => (Role::Muted, "–".to_owned()),
        };
        spans.push(look.span(Role::Muted, format!("{} ", phase.as_str())));
        spans.push(look.span(role, said));
        spans.push(Span::raw("   "));
    }
    spans.pop();
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;
    use crate::ui::widgets::page::plain;

    fn shown(probe: &Probe, width: usize) -> Vec<String> {
        let text = |spans: Vec<Span<'static>>| Line::from(spans).to_string().trim_end().to_owned();
        plain(|look| lines(look, probe, width).into_iter().map(text).collect())
    }

    fn failed() -> Probe {
        let outcome = ProbeOutcome::Failed { phase: Phase::Connect, message: "refused".into() };
        let phases = Phases { dns: Some(1_000), connect: Some(3_000_000), tls: None, http: None };
        Probe { outcome, phases, ..sample::probe(200, 10) }
    }

    #[test]
    fn each_phase_begins_where_the_one_before_ended() {
        let lines = shown(&sample::probe(200, 20), 44);
        assert_eq!(
            lines,
            [
                "  dns      ✓    2.0 ms  ━━",
                "  connect  ✓    2.0 ms    ━━",
                "  tls      –    not needed",
                "  http     ✓     16 ms      ━━━━━━━━━━━━━━━━",
            ]
        );
    }

    #[test]
    fn the_phase_that_failed_is_marked_and_what_comes_after_was_not_reached() {
        let lines = shown(&failed(), 44);
        assert_eq!(
            lines,
            [
                "  dns      ✓    1.0 ms  ━",
                "  connect  ✗     3.0 s  ━━━━━━━━━━━━━━━━━━━✗",
                "  tls      –    not reached",
                "  http     –    not reached",
            ]
        );
        let line = plain(|look| line(look, &failed()).to_string());
        assert_eq!(line, "dns 1.0 ms   connect ✗ after 3.0 s   tls –   http –");
        let line = plain(|look| super::line(look, &sample::probe(200, 20)).to_string());
        assert_eq!(line, "dns 2.0 ms   connect 2.0 ms   http 16 ms");
    }

    #[test]
    fn bars_stay_in_their_room_whatever_the_numbers_are() {
        let numbers = [0, 1, 7, 1_000, u32::MAX / 2, u32::MAX];
        for (dns, connect, http) in
            numbers.into_iter().flat_map(|a| numbers.into_iter().map(move |b| (a, b, a ^ b)))
        {
            let phases = Phases { dns: Some(dns), connect: Some(connect), tls: None, http: Some(http) };
            let probe = Probe { phases, ..sample::probe(200, 1) };
            for width in [0, 10, 24, 31, 32, 40, 200] {
                for line in plain(|look| lines(look, &probe, width)) {
                    assert!(
                        Line::from(line).width() <= width.clamp(LEAD + 3, LEAD + WIDEST),
                        "{phases:?} {width}"
                    );
                }
            }
        }
    }
}
