//! Label selectors: `app=web,tier in (front, edge),!old,size>3`.

use serde_json::Value;

use crate::sandbox::status::Status;

const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const NAME_EXAMPLES: &str = "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
/// The longest name or value.
const LONGEST: usize = 63;
const OPERATORS: &str = "'=', '!=', '==', 'in', notin'";

/// One condition on one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

impl Requirement {
    /// Whether an object with these labels is wanted.
    pub fn holds(&self, labels: Option<&Value>) -> bool {
        let label = labels.and_then(|labels| labels.get(&self.key)).and_then(Value::as_str);
        let number = || label.and_then(|label| label.parse::<i64>().ok());
        match &self.test {
            Test::In(values) => label.is_some_and(|label| values.iter().any(|value| value == label)),
            Test::NotIn(values) => label.is_none_or(|label| values.iter().all(|value| value != label)),
            Test::Exists => label.is_some(),
            Test::Absent => label.is_none(),
            Test::Above(bound) => number().is_some_and(|number| number > *bound),
            Test::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// Reads a label selector.
///
/// # Errors
/// 400, in a real server's words.
pub fn parse(text: &str) -> Result<Vec<Requirement>, Status> {
    let mut parser = Parser { tokens: tokens(text), at: 0 };
    parser.requirements().map_err(Status::bad_request)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Symbol(&'static str),
    Word(String),
    End,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Symbol(symbol) => symbol,
            Self::Word(word) => word,
            Self::End => "",
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    // The longer symbols come first.
    const SYMBOLS: [&str; 9] = ["==", "!=", "=", "!", ",", "(", ")", ">", "<"];
    let (mut found, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            found.push(Token::Symbol(symbol));
            rest = &rest[symbol.len()..];
        } else {
            let is_end = |c: char| c.is_whitespace() || "=!,()<>".contains(c);
            let (word, after) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
            found.push(Token::Word(word.to_owned()));
            rest = after;
        }
        rest = rest.trim_start();
    }
    found
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Token {
        self.tokens.get(self.at).cloned().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn requirements(&mut self) -> Result<Vec<Requirement>, String> {
        let mut all = Vec::new();
        loop {
            match self.peek() {
                Token::End if all.is_empty() => return Ok(all),
                Token::Word(_) | Token::Symbol("!") => all.push(self.requirement()?),
                token => {
                    let text = token.text();
                    return Err(format!("found '{text}', expected: !, identifier, or 'end of string'"));
                }
            }
            match self.next() {
                Token::End => return Ok(all),
                Token::Symbol(",") => {
                    let after = self.peek();
                    if !matches!(after, Token::Word(_) | Token::Symbol("!")) {
                        return Err(format!("found '{}', expected: identifier after ','", after.text()));
                    }
                }
                token => {
                    return Err(format!("found '{}', expected: ',' or 'end of string'", token.text()));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        self.one().map_err(|why| format!("unable to parse requirement: {why}"))
    }

    fn one(&mut self) -> Result<Requirement, String> {
        let absent = self.peek() == Token::Symbol("!");
        if absent {
            self.at += 1;
        }
        let key = match self.next() {
            Token::Word(word) => word,
            token => return Err(format!("found '{}', expected: identifier", token.text())),
        };
        check_key(&key)?;
        if absent {
            return Ok(Requirement { key, test: Test::Absent });
        }
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(Requirement { key, test: Test::Exists });
        }
        let operator = self.next();
        let test = match &operator {
            Token::Symbol("=" | "==") => Test::In(vec![self.value(&key)?]),
            Token::Symbol("!=") => Test::NotIn(vec![self.value(&key)?]),
            Token::Symbol(sign @ (">" | "<")) => {
                let bound = self.value(&key)?.parse::<i64>();
                let bound = bound.map_err(|_| "for 'Gt', 'Lt' operators, the value must be an integer")?;
                if *sign == ">" { Test::Above(bound) } else { Test::Below(bound) }
            }
            Token::Word(word) if word == "in" => Test::In(self.values(&key)?),
            Token::Word(word) if word == "notin" => Test::NotIn(self.values(&key)?),
            token => return Err(format!("found '{}', expected: {OPERATORS}", token.text())),
        };
        Ok(Requirement { key, test })
    }

    /// One value; an absent one is the empty value.
    fn value(&mut self, key: &str) -> Result<String, String> {
        match self.peek() {
            Token::End | Token::Symbol(",") => Ok(String::new()),
            Token::Word(word) => {
                self.at += 1;
                check_value(key, &word)?;
                Ok(word)
            }
            token => Err(format!("found '{}', expected: identifier", token.text())),
        }
    }

    /// `(a, b)`; an empty place is the empty value.
    fn values(&mut self, key: &str) -> Result<Vec<String>, String> {
        let open = self.next();
        if open != Token::Symbol("(") {
            return Err(format!("found '{}' expected: '('", open.text()));
        }
        let mut values = Vec::new();
        let mut last = String::new();
        loop {
            match self.next() {
                Token::Word(word) if last.is_empty() => {
                    check_value(key, &word)?;
                    last = word;
                }
                Token::Symbol(",") => values.push(std::mem::take(&mut last)),
                Token::Symbol(")") => {
                    values.push(last);
                    return Ok(values);
                }
                token => return Err(format!("found '{}', expected: ',' or ')'", token.text())),
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let outer = |c: char| c.is_ascii_alphanumeric();
    !text.is_empty() && text.starts_with(outer) && text.ends_with(outer) && text.chars().all(inner)
}

fn check_key(key: &str) -> Result<(), String> {
    let parts: Vec<&str> = key.split('/').collect();
    let problem = match parts.as_slice() {
        [name] | [_, name] if name.len() > LONGEST => {
            format!("name part must be no more than {LONGEST} characters")
        }
        [name] | [_, name] if !is_name(name) => format!("name part {NAME} {NAME_EXAMPLES}"),
        ["", _] => "prefix part must be non-empty".to_owned(),
        [_] | [_, _] => return Ok(()),
        _ => format!(
            "a qualified name {NAME} {NAME_EXAMPLES} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ),
    };
    Err(format!("invalid label key {key:?}: {problem}"))
}

fn check_value(key: &str, value: &str) -> Result<(), String> {
    let problem = if value.len() > LONGEST {
        format!("must be no more than {LONGEST} characters")
    } else if !value.is_empty() && !is_name(value) {
        VALUE_RULE.to_owned()
    } else {
        return Ok(());
    };
    Err(format!("invalid label value: {value:?}: at key: {key:?}: {problem}"))
}
