//! Expressions of the Common Expression Language as trees. Macros become nodes of their own.

use super::lex::{Flaw, Token, tokens};
use super::value::Cel;

mod macros;
mod tree;

use tree::{DEEPEST, node, too_deep};
pub use tree::{Kind, Mode, Node, Steps};

/// The longest expression, in characters (the limit of a real server's parser).
const LONGEST: usize = 100_000;
/// Words that are no names.
pub(super) const WORDS: [&str; 18] = [
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Parses an expression.
///
/// # Errors
/// A flaw when it is none, or too long or nested too deeply.
pub fn parse(text: &str) -> Result<Node, Flaw> {
    if text.chars().count() > LONGEST {
        return Err(Flaw::new(0, format!("expression code point size exceeds limit: limit: {LONGEST}")));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let node = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected()),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
}

/// The operators from the loosest to the tightest, with their functions.
const LEVELS: [&[(&str, &str)]; 3] = [
    &[
        ("==", "_==_"),
        ("!=", "_!=_"),
        ("<=", "_<=_"),
        (">=", "_>=_"),
        ("<", "_<_"),
        (">", "_>_"),
        ("in", "@in"),
    ],
    &[("+", "_+_"), ("-", "_-_")],
    &[("*", "_*_"), ("/", "_/_"), ("%", "_%_")],
];

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(0, |(at, _)| *at)
    }

    fn advance(&mut self) -> (usize, Token) {
        let token = self.tokens.get(self.next).cloned().unwrap_or((0, Token::End));
        self.next += 1;
        token
    }

    fn eat(&mut self, sign: &'static str) -> bool {
        let found = *self.peek() == Token::Sign(sign);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Flaw> {
        if self.eat(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> Flaw {
        let found = match self.peek() {
            Token::End => return Flaw::new(self.at(), "Syntax error: mismatched input '<EOF>'"),
            Token::Name(name) => name.clone(),
            Token::Sign(sign) => (*sign).to_owned(),
            Token::Int(number) | Token::Uint(number) => number.to_string(),
            Token::Double(number) => number.to_string(),
            Token::Text(text) => format!("{text:?}"),
            Token::Bytes(_) => "a bytes literal".to_owned(),
        };
        Flaw::new(self.at(), format!("Syntax error: extraneous input '{found}'"))
    }

    fn expression(&mut self) -> Result<Node, Flaw> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(too_deep(self.at()));
        }
        let first = self.any()?;
        let at = self.at();
        let result = if self.eat("?") {
            let then = self.any()?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            node(at, Kind::Choice(Box::new([first, then, otherwise])))
        } else {
            Ok(first)
        };
        self.depth -= 1;
        result
    }

    fn any(&mut self) -> Result<Node, Flaw> {
        let at = self.at();
        let mut terms = vec![self.every()?];
        while self.eat("||") {
            terms.push(self.every()?);
        }
        if terms.len() == 1 { Ok(terms.remove(0)) } else { node(at, Kind::Or(terms)) }
    }

    fn every(&mut self) -> Result<Node, Flaw> {
        let at = self.at();
        let mut terms = vec![self.level(0)?];
        while self.eat("&&") {
            terms.push(self.level(0)?);
        }
        if terms.len() == 1 { Ok(terms.remove(0)) } else { node(at, Kind::And(terms)) }
    }

    fn operator(&mut self, level: usize) -> Option<(usize, &'static str)> {
        let sign = match self.peek() {
            Token::Sign(sign) => *sign,
            Token::Name(name) if name == "in" => "in",
            _ => return None,
        };
        let (_, function) = LEVELS.get(level)?.iter().find(|(operator, _)| *operator == sign)?;
        Some((self.advance().0, function))
    }

    fn level(&mut self, level: usize) -> Result<Node, Flaw> {
        if level == LEVELS.len() {
            return self.unary();
        }
        let mut left = self.level(level + 1)?;
        while let Some((at, function)) = self.operator(level) {
            let right = self.level(level + 1)?;
            left = call(at, function, vec![left, right])?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, Flaw> {
        let at = self.at();
        let mut signs = Vec::new();
        while let Token::Sign(sign @ ("!" | "-")) = *self.peek() {
            signs.push(sign);
            self.next += 1;
        }
        let mut operand = match (signs.last(), self.peek()) {
            (Some(&"-"), Token::Int(number)) => {
                let negative = i64::try_from(-i128::from(*number));
                let negative = negative.map_err(|_| Flaw::new(at, "invalid int literal"))?;
                self.next += 1;
                signs.pop();
                let literal = node(at, Kind::Literal(Cel::Int(negative)))?;
                self.members(literal)?
            }
            _ => {
                let primary = self.primary()?;
                self.members(primary)?
            }
        };
        while let Some(sign) = signs.pop() {
            operand = call(at, if sign == "!" { "!_" } else { "-_" }, vec![operand])?;
        }
        Ok(operand)
    }

    fn members(&mut self, mut of: Node) -> Result<Node, Flaw> {
        loop {
            let at = self.at();
            if self.eat("[") {
                let function = if self.eat("?") { "_[?_]" } else { "_[_]" };
                let index = self.expression()?;
                self.expect("]")?;
                of = call(at, function, vec![of, index])?;
            } else if self.eat(".") {
                let mode = if self.eat("?") { Mode::Optional } else { Mode::Value };
                let field = self.name()?;
                let open = self.at();
                of = if mode == Mode::Value && self.eat("(") {
                    let arguments = self.arguments(")")?;
                    macros::method(open, of, field, arguments)?
                } else {
                    node(at, Kind::Select { of: Box::new(of), field, mode })?
                };
            } else if *self.peek() == Token::Sign("{")
                && matches!(of.kind, Kind::Name(_) | Kind::Select { .. })
            {
                return Err(Flaw::new(at, "the sandbox does not have message literals"));
            } else {
                return Ok(of);
            }
        }
    }

    fn name(&mut self) -> Result<String, Flaw> {
        match self.peek() {
            Token::Name(name) if !matches!(name.as_str(), "in" | "true" | "false" | "null") => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn primary(&mut self) -> Result<Node, Flaw> {
        if matches!(self.peek(), Token::Name(_)) || *self.peek() == Token::Sign(".") {
            return self.named();
        }
        if !matches!(self.peek(), Token::Sign("(" | "[" | "{")) {
            return self.literal();
        }
        let (at, token) = self.advance();
        match token {
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Sign("[") => {
                let items = self.separated("]", |parser| Ok((parser.eat("?"), parser.expression()?)))?;
                node(at, Kind::List(items))
            }
            _ => {
                let entries = self.separated("}", |parser| {
                    let optional = parser.eat("?");
                    let key = parser.expression()?;
                    parser.expect(":")?;
                    Ok((optional, key, parser.expression()?))
                })?;
                node(at, Kind::Map(entries))
            }
        }
    }

    fn literal(&mut self) -> Result<Node, Flaw> {
        let wrong = self.unexpected();
        let (at, token) = self.advance();
        let literal = match token {
            Token::Int(number) => {
                Cel::Int(i64::try_from(number).map_err(|_| Flaw::new(at, "invalid int literal"))?)
            }
            Token::Uint(number) => Cel::Uint(number),
            Token::Double(number) => Cel::Double(number),
            Token::Text(text) => Cel::Text(text.into()),
            Token::Bytes(bytes) => Cel::Bytes(bytes.into()),
            Token::Name(_) | Token::Sign(_) | Token::End => return Err(wrong),
        };
        node(at, Kind::Literal(literal))
    }

    fn named(&mut self) -> Result<Node, Flaw> {
        self.eat(".");
        let at = self.at();
        let literal = match self.peek() {
            Token::Name(name) => match name.as_str() {
                "true" => Some(Cel::Bool(true)),
                "false" => Some(Cel::Bool(false)),
                "null" => Some(Cel::Null),
                word if WORDS.contains(&word) => {
                    return Err(Flaw::new(at, format!("reserved identifier: {word}")));
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(literal) = literal {
            self.next += 1;
            return node(at, Kind::Literal(literal));
        }
        let name = self.name()?;
        let open = self.at();
        if self.eat("(") {
            let arguments = self.arguments(")")?;
            return macros::function(open, name, arguments);
        }
        node(at, Kind::Name(name))
    }

    fn arguments(&mut self, end: &'static str) -> Result<Vec<Node>, Flaw> {
        self.separated(end, Self::expression)
    }

    /// Elements between commas; one may trail.
    fn separated<T>(
        &mut self,
        end: &'static str,
        element: impl Fn(&mut Self) -> Result<T, Flaw>,
    ) -> Result<Vec<T>, Flaw> {
        let mut found = Vec::new();
        while !self.eat(end) {
            found.push(element(self)?);
            if !self.eat(",") && *self.peek() != Token::Sign(end) {
                return Err(self.unexpected());
            }
        }
        Ok(found)
    }
}

fn call(at: usize, function: &str, arguments: Vec<Node>) -> Result<Node, Flaw> {
    node(at, Kind::Call { function: function.to_owned(), method: false, arguments })
}
