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
