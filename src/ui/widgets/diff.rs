//! How objects change, line by line: a sign before every line, so that meaning never hangs on colour.

use ratatui::text::{Line, Span};

use crate::domain::diff::{Change, DiffLine, ObjectDiff};
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// The columns before a line's text: its sign and a blank.
const SIGN: usize = 2;

/// An object's difference, wrapped to `width`: which object with how many lines come and go, then the lines themselves.
pub fn lines(diff: &ObjectDiff, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![heading(diff, look)];
    if diff.is_empty() {
        lines.push(Line::from(look.span(Role::Muted, "  nothing differs")));
        return lines;
    }
    lines.extend(diff.lines.iter().flat_map(|line| wrapped(line, look, width)));
    lines
}

/// Which object, and how many of its lines come and go.
pub fn heading(diff: &ObjectDiff, look: &Look<'_>) -> Line<'static> {
    let mut spans = vec![look.span(Role::Title, diff.object.to_string())];
    let (added, removed) = diff.counts();
    for (change, count) in [(Change::Added, added), (Change::Removed, removed)] {
        if count > 0 {
            spans.push(look.span(role(change), format!("  {}{count}", change.sign())));
        }
    }
    Line::from(spans)
}

/// The role of what became of a line.
pub fn role(change: Change) -> Role {
    match change {
        Change::Same => Role::Text,
        Change::Added => Role::Ok,
        Change::Removed => Role::Fail,
        Change::Gap => Role::Muted,
    }
}

/// One line; what does not fit goes on below it, because what is cut off may be what changed.
fn wrapped(line: &DiffLine, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let role = role(line.change);
    let parts = format::break_hard(&line.text, width.saturating_sub(SIGN).max(8));
    let parts = parts.into_iter().enumerate().map(|(index, part)| {
        let sign = if index == 0 { line.change.sign() } else { " " };
        let sign = look.span(role, format!("{sign:<SIGN$}"));
        Line::from(vec![sign, Span::styled(part, look.style(role))])
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::ObjectKey;
    use crate::ui::keymap::Keymap;
    use crate::ui::theme::Theme;

    fn shown(diff: &ObjectDiff, width: usize) -> Vec<String> {
        let (theme, keymap) = (Theme::plain(), Keymap::empty());
        let look = Look { theme: &theme, now: None, keymap: &keymap, still: true };
        lines(diff, &look, width).iter().map(Line::to_string).collect()
    }

    fn key() -> ObjectKey {
        ObjectKey {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: "demo".into(),
            name: "web".into(),
        }
    }

    #[test]
    fn lines_carry_their_signs_and_go_on_below_where_they_are_too_long() {
        let [old, new] =
            ["web:1.0.0", "web:1.1.0"].map(|image| json!({"image": image, "metadata": {"name": "web"}}));
        let diff = ObjectDiff::between(key(), Some(&old), Some(&new));
        let wide = shown(&diff, 80);
        assert_eq!(
            wide,
            [
                "Deployment/web  +1  -1",
                "- image: web:1.0.0",
                "+ image: web:1.1.0",
                "  metadata:",
                "    name: web"
            ]
        );
        let narrow = shown(&diff, 14);
        assert_eq!(narrow[1..3], ["- image: web:1", "  .0.0"]);
    }

    #[test]
    fn no_difference_is_said_in_words() {
        let diff = ObjectDiff { object: key(), lines: Vec::new() };
        assert_eq!(shown(&diff, 80), ["Deployment/web", "  nothing differs"]);
    }
}
