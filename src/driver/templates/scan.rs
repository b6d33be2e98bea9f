//! The tags of a template, as far as its bounds need them: where they are, how long, and which names they give to values.

/// A tag `{{ … }}` or `{% … %}`.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    /// Where it begins.
    pub(super) start: usize,
    /// Behind its end.
    pub(super) end: usize,
    /// What stands in it.
    pub(super) inside: &'a str,
    /// Its first word, where it is `{% … %}`.
    pub(super) word: &'a str,
    /// How many words and signs it has; a text counts as one.
    pub(super) tokens: usize,
    /// Whether it takes away the white space before it, and behind it.
    pub(super) cuts: bool,
    pub(super) trims: bool,
}

/// The tags one after the other; comments and raw parts are passed over as the engine does.
pub(super) struct Tags<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tags<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The tag that was opened at `start`, up to its end outside of texts and brackets: what closes too many is counted as the
    /// engine does.
    fn tag(&mut self, start: usize, end: &str) -> Tag<'a> {
        let rest = self.rest();
        let (mut tokens, mut position, mut in_word, mut balance) = (0, 0, false, 0_isize);
        while let Some(c) = rest.get(position..).and_then(|left| left.chars().next()) {
            if balance == 0 && rest[position..].starts_with(end) {
                break;
            }
            position += c.len_utf8();
            match c {
                '"' | '\'' => position += length_of_text(&rest[position..], c),
                '(' | '[' | '{' => balance += 1,
                ')' | ']' | '}' => balance -= 1,
                _ => {}
            }
            let part_of_word = is_part_of_word(c);
            tokens += usize::from(!(c.is_whitespace() || (part_of_word && in_word)));
            in_word = part_of_word;
        }
        let inside = rest.get(..position).unwrap_or("");
        self.at += (position + end.len()).min(rest.len());
        let bare = inside.trim_start_matches(['-', '+']).trim_start();
        let word = bare.split(|c: char| !is_part_of_word(c)).next().unwrap_or("");
        let word = if end == "%}" { word } else { "" };
        Tag {
            start,
            end: self.at,
            inside: bare,
            word,
            tokens,
            cuts: inside.starts_with('-'),
            trims: inside.ends_with('-'),
        }
    }

    /// Passes over a raw part, when the tag that was opened here begins one.
    fn skip_raw(&mut self) -> bool {
        let Some(length) = bare_tag(self.rest(), "raw") else { return false };
        self.at += length;
        while let Some(open) = self.rest().find("{%") {
            self.at += open + 2;
            if let Some(length) = bare_tag(self.rest(), "endraw") {
                self.at += length;
                return true;
            }
        }
        self.at = self.text.len();
        true
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let rest = self.rest();
            let opens = |at: usize| matches!(rest.as_bytes().get(at + 1), Some(b'{' | b'%' | b'#'));
            let (open, _) = rest.match_indices('{').find(|(at, _)| opens(*at))?;
            let start = self.at + open;
            self.at = start + 2;
            match rest.as_bytes().get(open + 1) {
                Some(b'#') => self.at += self.rest().find("#}").map_or(self.rest().len(), |end| end + 2),
                Some(b'{') => return Some(self.tag(start, "}}")),
                _ if self.skip_raw() => {}
                _ => return Some(self.tag(start, "%}")),
            }
        }
    }
}

/// The length of what is left of a tag that has nothing but `word` in it; none where `rest` is another tag.
fn bare_tag(rest: &str, word: &str) -> Option<usize> {
    let blanks = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_whitespace()).len();
    let sign = |text: &str| usize::from(text.starts_with(['-', '+']));
    let mut at = sign(rest);
    at += blanks(&rest[at..]);
    at += rest[at..].starts_with(word).then_some(word.len())?;
    at += blanks(&rest[at..]);
    at += sign(&rest[at..]);
    rest[at..].starts_with("%}").then_some(at + 2)
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a text up to and with its closing quote.
fn length_of_text(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (position, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return position + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// The names that a tag gives to values: of `set`, `for`, `with`, `macro` and `call`.
pub(super) fn names<'a>(tag: &Tag<'a>) -> Vec<&'a str> {
    let behind = tag.inside.get(tag.word.len()..).unwrap_or("").trim();
    match tag.word {
        "set" => split(behind, '=').map(|(targets, _)| paths(targets)).unwrap_or_default(),
        "for" => paths(behind.split(" in ").next().unwrap_or("")),
        "with" => first_words(behind),
        "macro" => first_words(arguments(behind.trim_start_matches(is_part_of_word))),
        "call" => first_words(arguments(behind)),
        _ => Vec::new(),
    }
}

/// Filters that give a number.
const NUMERIC: [&str; 6] = ["abs", "count", "float", "int", "length", "round"];

/// Tags before which all names in them are what they are inside; the empty word is that of `{{ … }}`.
const LOOKED_AT: [&str; 3] = ["", "if", "set"];

/// The names that a tag multiplies and uses at once; none where it only prints the product or gives it a name.
///
/// # Errors
/// What is multiplied is neither a name nor a number nor a text.
pub(super) fn factors<'a>(tag: &Tag<'a>) -> Result<Vec<&'a str>, String> {
    let words = words(tag.inside);
    let multiplies = |position: usize| {
        let sign = |at: Option<usize>| at.and_then(|at| words.get(at)).is_some_and(|word| *word == "*");
        sign(Some(position)) && !sign(position.checked_sub(1)) && !sign(Some(position + 1))
    };
    let uses = words.windows(2).any(|pair| {
        let call = pair[1] == "(" && pair[0].ends_with(|c: char| is_part_of_word(c) || c == ')');
        call || matches!(pair[0], "|" | "~" | "in" | "is")
    });
    let mut found = Vec::new();
    for position in (0..words.len()).filter(|position| uses && multiplies(*position)) {
        for operand in [position.checked_sub(1), Some(position + 1)].into_iter().flatten() {
            let word = words.get(operand).copied().unwrap_or("");
            let begins = |test: fn(char) -> bool| word.starts_with(test);
            let called =
                operand > position && words.get(operand + 1).is_some_and(|next| "([".contains(*next));
            let filtered = operand > 0 && words.get(operand - 1) == Some(&"|");
            let name = begins(|c| c.is_alphabetic() || c == '_') && !called;
            if filtered && NUMERIC.contains(&word) {
                continue;
            }
            if name && !filtered && LOOKED_AT.contains(&tag.word) {
                found.push(word);
            } else if !begins(|c| c.is_ascii_digit() || c == '"' || c == '\'') {
                return Err("what is multiplied here may be a list, and is used at once".to_owned());
            }
        }
    }
    Ok(found)
}

/// The words, texts and signs of a tag; a name has its dots with it.
fn words(inside: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut position = 0;
    while let Some(c) = inside.get(position..).and_then(|left| left.chars().next()) {
        let start = position;
        position += c.len_utf8();
        if c == '"' || c == '\'' {
            position += length_of_text(&inside[position..], c);
        } else if is_part_of_word(c) {
            let length = |c: char| !is_part_of_word(c) && c != '.';
            position = start + inside[start..].find(length).unwrap_or(inside.len() - start);
        }
        if !c.is_whitespace() {
            found.push(&inside[start..position]);
        }
    }
    found
}

/// What stands in the parentheses that `text` begins with.
fn arguments(text: &str) -> &str {
    let Some(inside) = text.trim_start().strip_prefix('(') else { return "" };
    split(inside, ')').map_or(inside, |(arguments, _)| arguments)
}

/// All names in a list of targets, with their dots.
fn paths(targets: &str) -> Vec<&str> {
    let parts = targets.split(|c: char| !is_part_of_word(c) && c != '.');
    parts.filter(|part| part.starts_with(|c: char| c.is_alphabetic() || c == '_')).collect()
}

/// The first word of each part between commas.
fn first_words(mut text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    loop {
        let (part, rest) = split(text, ',').map_or((text, None), |(part, rest)| (part, Some(rest)));
        found.extend(paths(part.split('=').next().unwrap_or("")).into_iter().next());
        match rest {
            Some(rest) => text = rest,
            None => return found,
        }
    }
}

/// The text before and behind the first `sign` that is in no text and no bracket.
fn split(text: &str, sign: char) -> Option<(&str, &str)> {
    let (mut depth, mut position) = (0_usize, 0);
    while let Some(c) = text.get(position..).and_then(|left| left.chars().next()) {
        if c == sign && depth == 0 {
            return Some((&text[..position], &text[position + c.len_utf8()..]));
        }
        position += c.len_utf8();
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '"' | '\'' => position += length_of_text(&text[position..], c),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_end_where_the_engine_ends_them() {
        for (text, expected) in [
            ("{{ {'a': {}} }}{{ b }}", &["{'a': {}} ", "b "][..]),
            ("{{ {'a': {}}|f }}", &["{'a': {}}|f "]),
            ("{{{}}}x{{ [({})]}}{{ b }}", &["{}", "[({})]", "b "]),
            ("{% set a = {'b': [{'c': 1 %(2)}]}%}x{{ a }}", &["set a = {'b': [{'c': 1 %(2)}]}", "a "]),
            ("{{ '}}' ~ \"{{(\" ~ '\\'[' }}{{ b }}", &["'}}' ~ \"{{(\" ~ '\\'[' ", "b "]),
            ("{% if a[')'] %}{{ b }}", &["if a[')'] ", "b "]),
            ("{{ ) }}{{ ( }}{{ b }}", &[") }}{{ ( ", "b "]),
            ("{% if a } %}x{% { %}{{ b }}", &["if a } %}x{% { ", "b "]),
            ("{{- a -}}{%+ if b +%}{{ c", &["a -", "if b +", "c"]),
            ("{# {{ a #}{#- }} -#}{{ b }}", &["b "]),
        ] {
            assert_eq!(Tags::of(text).map(|tag| tag.inside).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn raw_parts_begin_and_end_as_the_engine_has_it() {
        for raw in [
            "{% raw %}{{ a }}{% endraw %}",
            "{%- raw -%}{{ a {%+\n endraw\t-%}",
            "{%raw+%}{% endraw x %}{# {% endraw %}",
            "{% raw %}{% raw %}{% endrawx %}{%-- endraw %}{%endraw%}",
        ] {
            let text = format!("{raw}{{{{ b }}}}");
            assert_eq!(Tags::of(&text).map(|tag| tag.inside).collect::<Vec<_>>(), ["b "], "{text}");
        }
        assert_eq!(Tags::of("{% raw %}{{ a }}{% endraw }").count(), 0);
        let other = "{% raw x %}{{ b }}";
        assert_eq!(Tags::of(other).map(|tag| tag.inside).collect::<Vec<_>>(), ["raw x ", "b "]);
    }
}
