//! The tokens of an expression.

/// What is wrong with an expression, and at which character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The offset, in characters.
    pub at: usize,
    /// For people.
    pub message: String,
}

impl Flaw {
    /// A flaw at a character.
    pub fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// As a real server shows it: the line, and a mark below the place.
    pub fn show(&self, text: &str) -> String {
        let before: String = text.chars().take(self.at).collect();
        let number = before.matches('\n').count();
        let column = before.chars().rev().take_while(|c| *c != '\n').count();
        let line = text.lines().nth(number).unwrap_or_default();
        let dots = ".".repeat(column);
        format!("ERROR: <input>:{}:{}: {}\n | {line}\n | {dots}^", number + 1, column + 1, self.message)
    }
}

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A name or a word of the language.
    Name(String),
    /// `5`; its sign is an operator.
    Int(u64),
    /// `5u`.
    Uint(u64),
    /// `1.5`.
    Double(f64),
    /// `'x'`.
    Text(String),
    /// `b'x'`.
    Bytes(Vec<u8>),
    /// An operator or a bracket.
    Sign(&'static str),
    /// The end.
    End,
}

/// The longer ones first.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":", "+", "*",
    "/", "%", "<", ">",
];

/// Splits an expression into tokens with their offsets; the last one is the end.
///
/// # Errors
/// A flaw where a character starts no token, or a literal is wrong.
pub fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Flaw> {
    let mut lexer = Lexer { text: text.chars().collect(), at: 0 };
    let mut found = Vec::new();
    loop {
        lexer.skip_blanks();
        let at = lexer.at;
        let token = lexer.token()?;
        let last = token == Token::End;
        found.push((at, token));
        if last {
            return Ok(found);
        }
    }
}

struct Lexer {
    text: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> String {
        let taken: String = self.text[self.at..].iter().copied().take_while(|c| fits(*c)).collect();
        self.at += taken.chars().count();
        taken
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(|c| c.is_ascii_whitespace());
            if !self.starts_with("//") {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, Flaw> {
        let Some(first) = self.peek(0) else { return Ok(Token::End) };
        if let Some(literal) = self.quoted()? {
            return Ok(literal);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(Token::Name(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')));
        }
        let fraction = first == '.' && self.peek(1).is_some_and(|c| c.is_ascii_digit());
        if first.is_ascii_digit() || fraction {
            return self.number();
        }
        let sign = SIGNS.into_iter().find(|sign| self.starts_with(sign));
        let sign = sign.ok_or_else(|| {
            Flaw::new(self.at, format!("Syntax error: token recognition error at: '{first}'"))
        })?;
        self.at += sign.len();
        Ok(Token::Sign(sign))
    }

    fn number(&mut self) -> Result<Token, Flaw> {
        let start = self.at;
        let wrong = |what: &str| Flaw::new(start, format!("invalid {what} literal"));
        let (digits, radix) = if self.starts_with("0x") || self.starts_with("0X") {
            self.at += 2;
            (self.take_while(|c| c.is_ascii_hexdigit()), 16)
        } else {
            (self.take_while(|c| c.is_ascii_digit()), 10)
        };
        let fraction = self.peek(0) == Some('.') && self.peek(1).is_some_and(|c| c.is_ascii_digit());
        if radix == 10 && (fraction || matches!(self.peek(0), Some('e' | 'E'))) {
            let mut text = digits;
            if fraction {
                self.at += 1;
                text = format!("{text}.{}", self.take_while(|c| c.is_ascii_digit()));
            }
            if matches!(self.peek(0), Some('e' | 'E')) {
                self.at += 1;
                let sign = self.take_while(|c| c == '-' || c == '+');
                text = format!("{text}e{sign}{}", self.take_while(|c| c.is_ascii_digit()));
            }
            return text.parse().map(Token::Double).map_err(|_| wrong("double"));
        }
        let number = u64::from_str_radix(&digits, radix).map_err(|_| wrong("int"))?;
        if matches!(self.peek(0), Some('u' | 'U')) {
            self.at += 1;
            return Ok(Token::Uint(number));
        }
        Ok(Token::Int(number))
    }

    /// A literal in quotes, if one starts here.
    fn quoted(&mut self) -> Result<Option<Token>, Flaw> {
        let start = self.at;
        let (mut raw, mut bytes, mut ahead) = (false, false, 0);
        while let Some(c) = self.peek(ahead).filter(|c| "rRbB".contains(*c) && ahead < 2) {
            raw |= matches!(c, 'r' | 'R');
            bytes |= matches!(c, 'b' | 'B');
            ahead += 1;
        }
        let Some(quote) = self.peek(ahead).filter(|c| matches!(c, '"' | '\'')) else { return Ok(None) };
        self.at += ahead;
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let end = if self.starts_with(&triple) { triple } else { quote.to_string() };
        self.at += end.len();
        let mut content: Vec<u8> = Vec::new();
        while !self.starts_with(&end) {
            let Some(c) = self.peek(0).filter(|c| *c != '\n' || end.len() == 3) else {
                return Err(Flaw::new(start, "Syntax error: a literal is not closed"));
            };
            if c == '\\' && !raw {
                self.escape(bytes, &mut content)?;
            } else {
                content.extend(c.to_string().bytes());
                self.at += 1;
            }
        }
        self.at += end.len();
        if bytes {
            return Ok(Some(Token::Bytes(content)));
        }
        let text = String::from_utf8(content).map_err(|_| Flaw::new(start, "invalid string literal"))?;
        Ok(Some(Token::Text(text)))
    }

    fn escape(&mut self, bytes: bool, content: &mut Vec<u8>) -> Result<(), Flaw> {
        let wrong = Flaw::new(self.at, "invalid escape sequence");
        let kind = self.peek(1).ok_or_else(|| wrong.clone())?;
        let (skip, length, radix) = match kind {
            'x' | 'X' => (2, 2, 16),
            'u' if !bytes => (2, 4, 16),
            'U' if !bytes => (2, 8, 16),
            '0'..='3' => (1, 3, 8),
            _ => {
                let plain = match kind {
                    'n' => b'\n',
                    't' => b'\t',
                    'r' => b'\r',
                    'a' => 7,
                    'b' => 8,
                    'f' => 12,
                    'v' => 11,
                    '\\' | '\'' | '"' | '`' | '?' => kind as u8,
                    _ => return Err(wrong),
                };
                content.push(plain);
                self.at += 2;
                return Ok(());
            }
        };
        let digits: String = (0..length).filter_map(|ahead| self.peek(skip + ahead)).collect();
        let code = u32::from_str_radix(&digits, radix).map_err(|_| wrong.clone())?;
        self.at += skip + length;
        match (bytes, u8::try_from(code)) {
            (true, Ok(byte)) => content.push(byte),
            (true, Err(_)) => return Err(wrong),
            (false, _) => content.extend(char::from_u32(code).ok_or(wrong)?.to_string().bytes()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Token> {
        tokens(text).unwrap().into_iter().map(|(_, token)| token).collect()
    }

    #[test]
    fn literals() {
        assert_eq!(kinds("12 0x1F 7u"), [Token::Int(12), Token::Int(31), Token::Uint(7), Token::End]);
        assert_eq!(kinds("1.5 2e3"), [Token::Double(1.5), Token::Double(2000.0), Token::End]);
        assert_eq!(kinds(r#"'a\'b\n\u00e9'"#), [Token::Text("a'b\né".to_owned()), Token::End]);
        assert_eq!(kinds(r"r'\d'"), [Token::Text("\\d".to_owned()), Token::End]);
        assert_eq!(kinds(r"b'\xff'"), [Token::Bytes(vec![255]), Token::End]);
        assert_eq!(kinds("'''a'b'''"), [Token::Text("a'b".to_owned()), Token::End]);
        assert_eq!(kinds("a // note\n.b").len(), 4);
    }

    #[test]
    fn flaws_say_where() {
        let flaw = tokens("a\n == #").unwrap_err();
        assert_eq!(
            flaw.show("a\n == #"),
            "ERROR: <input>:2:5: Syntax error: token recognition error at: '#'\n |  == #\n | ....^"
        );
        assert!(tokens("'open").is_err());
        assert!(tokens(r"'\q'").is_err());
        assert!(tokens("99999999999999999999").is_err());
    }
}
