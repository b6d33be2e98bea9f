//! Text that others wrote, made fit to be shown.

/// Takes away escape sequences and control characters; tabs become spaces.
pub fn plain(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut characters = raw.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\t' => text.push_str("    "),
            other if other.is_control() => {}
            other => text.push(other),
        }
    }
    text
}

/// Skips what follows ESC: `[…letter` (CSI), `]…BEL` (OSC), else one character.
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => while characters.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
        Some(']') => {
            while let Some(character) = characters.next() {
                if character == '\u{7}' {
                    return;
                }
                if character == '\u{1b}' {
                    characters.next();
                    return;
                }
            }
        }
        _ => {}
    }
}

/// A number of bytes in few characters: `17 B`, `1.5 MiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let (mut whole, mut rest) = (count, 0);
    while whole >= 1024 && unit + 1 < UNITS.len() {
        (rest, whole) = (whole % 1024, whole / 1024);
        unit += 1;
    }
    match (unit, whole) {
        (0, _) | (_, 100..) => format!("{whole} {}", UNITS[unit]),
        _ => format!("{whole}.{} {}", rest * 10 / 1024, UNITS[unit]),
    }
}
