//! In which styles a text may be written.

/// What go-yaml's emitter finds out about a text before it chooses a style.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    pub(super) plain: bool,
    pub(super) single_quoted: bool,
    pub(super) block: bool,
}

/// Whether the emitter writes the character as it is. Tabs, emoji and other characters beyond 16 bits are not.
pub(super) fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && character != '\u{feff}'
}

/// What ends a line for YAML 1.1.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Analyses `text`. With `newer`, by the rules of go-yaml 3, where a tab does not keep a text from being a block.
pub(super) fn analyze(text: &str, newer: bool) -> Analysis {
    if text.is_empty() {
        return Analysis { multiline: false, plain: true, single_quoted: true, block: false };
    }
    let mut blanks = Blanks::default();
    let mut indicators = text.starts_with("---") || text.starts_with("...");
    let (mut special, mut tabs) = (false, false);
    let mut before_is_blank = true;
    let mut characters = text.chars().peekable();
    let mut first = true;
    while let Some(character) = characters.next() {
        let last = characters.peek().is_none();
        let blank_follows =
            characters.peek().is_none_or(|next| matches!(next, ' ' | '\t') || is_break(*next));
        indicators |= is_indicator(character, first, before_is_blank, blank_follows);
        match character {
            '\t' if newer => tabs = true,
            _ => special |= !is_printable(character),
        }
        blanks.see(character, first, last);
        before_is_blank = matches!(character, ' ' | '\t') || is_break(character);
        first = false;
    }
    let outside = blanks.leading || blanks.trailing;
    let broken = blanks.space_before_break || special;
    Analysis {
        multiline: blanks.lines,
        plain: !(outside || blanks.break_before_space || broken || tabs || blanks.lines || indicators),
        single_quoted: !(blanks.break_before_space || broken || tabs),
        block: !(blanks.trailing_space || broken),
    }
}

/// Whether the character would mean something there if the text stood without quotes.
fn is_indicator(character: char, first: bool, blank_before: bool, blank_follows: bool) -> bool {
    if !first {
        return (character == ':' && blank_follows) || (character == '#' && blank_before);
    }
    match character {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
            true
        }
        '?' | ':' | '-' => blank_follows,
        _ => false,
    }
}

/// Where blanks and line breaks stand.
#[derive(Default)]
struct Blanks {
    lines: bool,
    leading: bool,
    trailing: bool,
    trailing_space: bool,
    break_before_space: bool,
    space_before_break: bool,
    after_space: bool,
    after_break: bool,
}

impl Blanks {
    fn see(&mut self, character: char, first: bool, last: bool) {
        let (space, line) = (character == ' ', is_break(character));
        self.leading |= first && (space || line);
        self.trailing |= last && (space || line);
        self.trailing_space |= last && space;
        self.break_before_space |= space && self.after_break;
        self.space_before_break |= line && self.after_space;
        self.lines |= line;
        self.after_space = space;
        self.after_break = line;
    }
}
