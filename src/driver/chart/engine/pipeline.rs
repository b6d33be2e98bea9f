//! Reads pipelines, commands and operands.

use std::rc::Rc;

use super::literal;
use super::parse::{Parsed, Parser};
use super::token::{Keyword, Kind, Token};
use super::tree::{Command, Operand, Pipe, Term};
use crate::driver::chart::format::quote;

/// How many variables may be in scope. They are looked for one by one.
const VARIABLES: usize = 2000;

impl Parser<'_> {
    /// `declarations? command ('|' command)*` up to `end`.
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let offset = self.peek_no_space().offset;
        let mut pipe = Pipe { offset, variables: Vec::new(), assigns: false, commands: Vec::new() };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_no_space();
            match token.kind {
                kind if kind == end => {
                    self.check(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Keyword(Keyword::Nil)
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.back();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
    }

    /// `$x :=`, `$x =`, and for `range` also `$i, $x :=`.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        loop {
            let variable = self.peek_no_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            let before = self.position();
            self.next();
            // Go looks at the token right after the variable, too, which its messages' line may come from.
            self.peek();
            let next = self.peek_no_space();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    self.next_no_space();
                    pipe.assigns = next.kind == Kind::Assign;
                    self.declare(pipe, &variable)?;
                    return Ok(());
                }
                Kind::Char if next.text == "," => {
                    self.next_no_space();
                    self.declare(pipe, &variable)?;
                    if context != "range" || pipe.variables.len() > 1 {
                        return self.problem(format!("too many declarations in {context}"));
                    }
                    let next = self.peek_no_space().kind;
                    if !matches!(next, Kind::Variable | Kind::RightDelim | Kind::RightParen) {
                        return self.problem("range can only initialize variables");
                    }
                }
                _ => {
                    self.back_to(before);
                    return Ok(());
                }
            }
        }
    }

    fn declare(&mut self, pipe: &mut Pipe, variable: &Token<'_>) -> Parsed<()> {
        if self.block.variables.len() >= VARIABLES {
            return self.problem(format!("more than {VARIABLES} variables in one place"));
        }
        let name: Rc<str> = Rc::from(variable.text);
        pipe.variables.push(Rc::clone(&name));
        self.block.variables.push(name);
        Ok(())
    }

    /// Only the first command of a pipeline may be a plain value.
    fn check(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return self.problem(format!("missing value for {context}"));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            let first = command.operands.first().map(|operand| &operand.term);
            let plain = matches!(
                first,
                Some(Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(..) | Term::Text(..))
            );
            if plain {
                return self.problem(format!("non executable command in pipeline stage {}", index + 1));
            }
        }
        Ok(())
    }

    /// Operands with spaces between them, up to a pipe or to what ends the pipeline.
    fn command(&mut self) -> Parsed<Command> {
        let offset = self.peek_no_space().offset;
        let mut command = Command { offset, operands: Vec::new() };
        loop {
            self.peek_no_space();
            if let Some(operand) = self.operand()? {
                command.operands.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.back(),
                Kind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        if command.operands.is_empty() {
            return self.problem("empty command");
        }
        Ok(command)
    }

    /// A term and the fields right after it.
    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(operand) = self.term()? else { return Ok(None) };
        let next = self.peek();
        if next.kind != Kind::Field {
            return Ok(Some(operand));
        }
        let offset = next.offset;
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(field_name(&self.next()));
        }
        let term = match operand.term {
            Term::Field(mut names) => {
                names.extend(fields);
                Term::Field(names)
            }
            Term::Variable(mut names) => {
                names.extend(fields);
                Term::Variable(names)
            }
            Term::Bool(_) | Term::Text(..) | Term::Number(..) | Term::Nil | Term::Dot => {
                return self.problem(format!("unexpected . after term {}", quote(&operand.to_string())));
            }
            term => Term::Chain(Box::new(Operand { offset: operand.offset, term }), fields),
        };
        Ok(Some(Operand { offset, term }))
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let token = self.next_no_space();
        let term = match token.kind {
            Kind::Identifier if self.knows_function(token.text) => Term::Identifier(Rc::from(token.text)),
            Kind::Identifier => return self.problem(format!("function {} not defined", quote(token.text))),
            Kind::Dot => Term::Dot,
            Kind::Keyword(Keyword::Nil) => Term::Nil,
            Kind::Variable => self.variable(&token)?,
            Kind::Field => Term::Field(vec![field_name(&token)]),
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::CharConstant | Kind::Number => match literal::number(token.text) {
                Ok(number) => Term::Number(Rc::from(token.text), number),
                Err(problem) => return self.problem(problem),
            },
            Kind::LeftParen => {
                let pipe =
                    self.deeper(|parser| parser.pipeline("parenthesized pipeline", Kind::RightParen))?;
                return Ok(Some(Operand { offset: pipe.offset, term: Term::Pipe(pipe) }));
            }
            Kind::String | Kind::RawString => match literal::unquote(token.text) {
                Ok(text) => Term::Text(Rc::from(token.text), text),
                Err(problem) => return self.problem(problem),
            },
            _ => {
                self.back();
                return Ok(None);
            }
        };
        Ok(Some(Operand { offset: token.offset, term }))
    }

    fn variable(&self, token: &Token<'_>) -> Parsed<Term> {
        if self.block.variables.iter().any(|known| **known == *token.text) {
            return Ok(Term::Variable(vec![Rc::from(token.text)]));
        }
        self.problem(format!("undefined variable {}", quote(token.text)))
    }
}

/// The name in `.name`.
fn field_name(token: &Token<'_>) -> Rc<str> {
    Rc::from(token.text.strip_prefix('.').unwrap_or(token.text))
}
