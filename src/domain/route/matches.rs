//! Traefik's match language, as far as hosts and paths go: ``Host(`a`) && (PathPrefix(`/x`) || PathPrefix(`/y`))``.
//!
//! What it does not know (headers, methods, queries) narrows a route and is passed over. It never fails: a text that ends in the
//! middle gives what was read until there.

use std::collections::BTreeSet;

/// One way for a request to match: a host and a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alternative {
    /// The host name; `~` and a pattern for a `HostRegexp`; empty: every one.
    pub host: String,
    /// The path prefix, or the path; `/`: every one.
    pub path: String,
}

/// The most alternatives that are told: `(a || b) && (c || d) && …` doubles them with every factor, and a matcher may have any number
/// of values.
const ALTERNATIVES: usize = 256;
/// How deep parentheses may lie.
const DEPTH: usize = 64;

/// The hosts and paths that a match names, without duplicates, in order. What is negated names none: everything else matches.
pub fn alternatives(text: &str) -> Vec<Alternative> {
    let mut parser = Parser { tokens: tokens(text), at: 0, depth: 0 };
    let mut seen = BTreeSet::new();
    let told = parser.any().into_iter().map(|partial| {
        let host = partial.host.unwrap_or_default();
        Alternative { host, path: partial.path.unwrap_or_else(|| "/".to_owned()) }
    });
    told.filter(|alternative| seen.insert(alternative.clone())).collect()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    And,
    Or,
    Not,
    Open,
    Close,
    Comma,
    /// A name of a matcher.
    Name(String),
    /// A quoted text.
    Text(String),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let token = match c {
            '&' | '|' => {
                rest.next_if_eq(&c);
                if c == '&' { Token::And } else { Token::Or }
            }
            '!' => Token::Not,
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '`' => Token::Text(rest.by_ref().take_while(|c| *c != '`').collect()),
            '"' => Token::Text(quoted(&mut rest)),
            c if c.is_alphanumeric() || c == '_' => {
                let mut name = c.to_string();
                while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                Token::Name(name)
            }
            _ => continue,
        };
        tokens.push(token);
    }
    tokens
}

/// The rest of a text in double quotes, in which a backslash takes its meaning from the next character.
fn quoted(rest: &mut impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    while let Some(c) = rest.next() {
        match c {
            '"' => break,
            '\\' => text.extend(rest.next()),
            c => text.push(c),
        }
    }
    text
}

/// What one factor says; none: nothing.
#[derive(Debug, Clone, Default, PartialEq)]
struct Partial {
    host: Option<String>,
    path: Option<String>,
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn take(&mut self, wanted: &Token) -> bool {
        let there = self.tokens.get(self.at) == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn any(&mut self) -> Vec<Partial> {
        let mut found = self.all();
        while self.take(&Token::Or) {
            found.extend(self.all());
            found.truncate(ALTERNATIVES);
        }
        found
    }

    fn all(&mut self) -> Vec<Partial> {
        let mut found = self.factor();
        while self.take(&Token::And) {
            let more = self.factor();
            let joined = found.iter().flat_map(|first| more.iter().map(move |second| join(first, second)));
            found = joined.take(ALTERNATIVES).collect();
        }
        found
    }

    fn factor(&mut self) -> Vec<Partial> {
        let mut negated = false;
        while self.take(&Token::Not) {
            negated = true;
        }
        let found = self.operand();
        // it is read for its end; everything but that matches
        if negated { vec![Partial::default()] } else { found }
    }

    fn operand(&mut self) -> Vec<Partial> {
        if self.depth < DEPTH && self.take(&Token::Open) {
            self.depth += 1;
            let found = self.any();
            self.depth -= 1;
            self.take(&Token::Close);
            return found;
        }
        let Some(Token::Name(name)) = self.tokens.get(self.at).cloned() else {
            // nonsense is passed over, so that there is an end
            self.at += 1;
            return vec![Partial::default()];
        };
        self.at += 1;
        let values = self.values();
        let of = |make: &dyn Fn(String) -> Partial| -> Vec<Partial> {
            if values.is_empty() {
                vec![Partial::default()]
            } else {
                values.iter().cloned().map(make).collect()
            }
        };
        match name.to_ascii_lowercase().as_str() {
            "host" | "hostheader" => of(&|host| Partial {
                host: Some(host.trim_end_matches('.').to_ascii_lowercase()).filter(|host| host != "*"),
                path: None,
            }),
            "hostregexp" => of(&|host| Partial { host: Some(format!("~{host}")), path: None }),
            "path" | "pathprefix" => of(&|path| Partial { host: None, path: Some(path) }),
            _ => vec![Partial::default()],
        }
    }

    /// The values in the parentheses behind a name.
    fn values(&mut self) -> Vec<String> {
        let mut values = Vec::new();
        if !self.take(&Token::Open) {
            return values;
        }
        while let Some(token) = self.tokens.get(self.at).cloned() {
            self.at += 1;
            match token {
                Token::Text(text) if values.len() < ALTERNATIVES => values.push(text),
                Token::Close => break,
                _ => {}
            }
        }
        values
    }
}

/// Both at once. Two hosts at once are matched by none; the first is told.
fn join(first: &Partial, second: &Partial) -> Partial {
    Partial {
        host: first.host.clone().or_else(|| second.host.clone()),
        path: first.path.clone().or_else(|| second.path.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        alternatives(text).into_iter().map(|found| format!("{}{}", found.host, found.path)).collect()
    }

    #[test]
    fn hosts_and_paths_are_read() {
        for (text, wanted) in [
            ("Host(`a.b`)", vec!["a.b/"]),
            ("Host(`A.b.`)", vec!["a.b/"]),
            ("Host(`a`, `b`)", vec!["a/", "b/"]),
            ("Host(\"a\") && PathPrefix(`/x`)", vec!["a/x"]),
            ("(Host(`a`) || Host(`b`)) && PathPrefix(`/x`)", vec!["a/x", "b/x"]),
            ("Host(`a`) && (PathPrefix(`/x`) || Path(`/y`))", vec!["a/x", "a/y"]),
            ("Host(`a`) || Host(`b`) && PathPrefix(`/x`)", vec!["a/", "b/x"]),
            ("PathPrefix(`/x`)", vec!["/x"]),
            ("Host(`a`) && !PathPrefix(`/x`)", vec!["a/"]),
            ("!Host(`a`)", vec!["/"]),
            ("!(Host(`a`) || Host(`b`)) && PathPrefix(`/x`)", vec!["/x"]),
            ("Host(`a`) && Header(`X-A`, `b && c`) && Method(`GET`)", vec!["a/"]),
            ("HostRegexp(`^.+\\.a\\.b$`)", vec!["~^.+\\.a\\.b$/"]),
            ("Host(`*`)", vec!["/"]),
            ("Host(`a`)||Host(`a`)", vec!["a/"]),
        ] {
            assert_eq!(told(text), wanted, "{text}");
        }
    }

    #[test]
    fn nonsense_ends() {
        for text in ["", "Host(`a", "Host(`a`) &&", "((((", "&&||!", "Host(`a`) Host(`b`)", ")", "Host"] {
            assert!(told(text).len() <= 2, "{text}: {:?}", told(text));
        }
        assert_eq!(told("Host(`a"), ["a/"]);
        assert!(told(&"(".repeat(100_000)).len() <= 1);
        assert!(!told(&"!".repeat(10_000)).is_empty());
        let factor = "(Host(`a`) || PathPrefix(`/b`) || Host(`c`))";
        assert!(told(&vec![factor; 40].join(" && ")).len() <= ALTERNATIVES);
        let hosts: Vec<String> = (0..100_000).map(|number| format!("`h{number}`")).collect();
        let many = format!("Host({}) && PathPrefix(`/x`)", hosts.join(", "));
        assert_eq!(told(&many).len(), ALTERNATIVES);
        assert_eq!(told(&many)[1], "h1/x", "what is behind the values is read");
    }
}
