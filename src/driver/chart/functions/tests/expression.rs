//! As much of Go's template language as the tables need: commands with arguments, pipes, parentheses, literals, variables,
//! fields.

use std::collections::HashMap;

use super::super::super::format::print;
use super::super::{Surroundings, find};
use super::{Case, Value};

struct Parser<'a> {
    rest: &'a str,
    variables: HashMap<String, Value>,
    surroundings: &'a Surroundings,
}

/// What the last statement prints.
pub fn evaluate(expression: &str, surroundings: &Surroundings) -> Result<String, String> {
    let mut parser = Parser { rest: expression, variables: HashMap::new(), surroundings };
    loop {
        let value = parser.statement()?;
        if !parser.eat(";") {
            assert!(parser.rest.is_empty(), "left over: {} of {expression}", parser.rest);
            return if matches!(value, Value::Nil) { Ok("<no value>".to_owned()) } else { print(&value) };
        }
    }
}

/// The statements as actions of a template.
pub fn to_template(case: &str) -> String {
    let statements: Vec<&str> = case.split(" ; ").collect();
    let last = statements.len() - 1;
    let action = |(index, statement): (usize, &&str)| {
        let assigned = statement.starts_with('$') && statement.contains(":=");
        if index == last || assigned {
            format!("{{{{ {statement} }}}}")
        } else {
            format!("{{{{ $_ := {statement} }}}}")
        }
    };
    statements.iter().enumerate().map(action).collect()
}

impl Case {
    /// The case as it stands in a table.
    pub fn line(expression: &str, answer: &Result<String, String>) -> String {
        match answer {
            Ok(text) => format!("{expression}\n    {}\n", serde_json::to_string(text).unwrap()),
            Err(error) => format!("{expression}\n    ! {error}\n"),
        }
    }
}

impl Parser<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn word(&mut self) -> String {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn statement(&mut self) -> Result<Value, String> {
        self.skip();
        let before = self.rest;
        if self.eat("$") {
            let name = self.word();
            if self.eat(":=") {
                let value = self.pipeline()?;
                self.variables.insert(name, value.clone());
                return Ok(value);
            }
            self.rest = before;
        }
        self.pipeline()
    }

    fn pipeline(&mut self) -> Result<Value, String> {
        let mut value = self.command(None)?;
        while self.eat("|") {
            value = self.command(Some(value))?;
        }
        Ok(value)
    }

    /// A function, method or operand with its arguments; what comes through the pipe is the last one.
    fn command(&mut self, piped: Option<Value>) -> Result<Value, String> {
        self.skip();
        if self.rest.starts_with(|c: char| c.is_alphabetic())
            && !["true", "false", "nil"].contains(&self.peek())
        {
            let name = self.word();
            let arguments = self.arguments(piped)?;
            let entry = find(&name).unwrap_or_else(|| panic!("no function {name}"));
            entry.check(&arguments)?;
            return (entry.call)(self.surroundings, &arguments)
                .map_err(|text| format!("error calling {name}: {text}"));
        }
        let (value, method) = self.operand(true)?;
        let arguments = self.arguments(piped)?;
        match (&value, method) {
            (Value::Object(object), Some(name)) => match object.field(&name) {
                Some(found) if arguments.is_empty() => found,
                _ => object.call(&name, &arguments).unwrap_or_else(|| panic!("no method {name}")),
            }
            .map_err(|text| format!("error calling {name}: {text}")),
            (_, None) => Ok(value),
            (_, Some(name)) => panic!("no field {name}"),
        }
    }

    fn peek(&self) -> &str {
        self.rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("")
    }

    fn arguments(&mut self, piped: Option<Value>) -> Result<Vec<Value>, String> {
        let mut arguments = Vec::new();
        loop {
            self.skip();
            if self.rest.is_empty() || self.rest.starts_with([')', '|', ';']) {
                arguments.extend(piped);
                return Ok(arguments);
            }
            let value = if self.rest.starts_with(|c: char| c.is_alphabetic())
                && !["true", "false", "nil"].contains(&self.peek())
            {
                let name = self.word();
                (find(&name).unwrap_or_else(|| panic!("no function {name}")).call)(self.surroundings, &[])?
            } else {
                self.operand(false)?.0
            };
            arguments.push(value);
        }
    }

    /// A literal, a variable or a parenthesis with fields; the last field is left to the command that calls it.
    fn operand(&mut self, callable: bool) -> Result<(Value, Option<String>), String> {
        self.skip();
        let mut value = if self.eat("(") {
            let value = self.pipeline()?;
            assert!(self.eat(")"), "missing ) before {}", self.rest);
            value
        } else if self.eat("$") {
            let name = self.word();
            self.variables[&name].clone()
        } else {
            return Ok((self.literal(), None));
        };
        while let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            let name = self.word();
            if let Value::Object(object) = &value {
                if callable && !self.rest.starts_with('.') {
                    return Ok((value, Some(name)));
                }
                value = object.field(&name).unwrap_or_else(|| panic!("no field {name}"))?;
            } else {
                value = value.get(&name).unwrap_or(Value::Nil);
            }
        }
        Ok((value, None))
    }

    fn literal(&mut self) -> Value {
        if let Some(raw) = self.rest.strip_prefix('`') {
            let (text, rest) = raw.split_once('`').unwrap();
            self.rest = rest;
            return Value::text(text);
        }
        if self.rest.starts_with('"') {
            let mut end = 1;
            while !self.rest[end..].starts_with('"') {
                end += if self.rest[end..].starts_with('\\') { 2 } else { 1 };
                while !self.rest.is_char_boundary(end) {
                    end += 1;
                }
            }
            let (literal, rest) = self.rest.split_at(end + 1);
            self.rest = rest;
            return Value::text(serde_json::from_str::<String>(literal).unwrap());
        }
        let end = self.rest.find([' ', ')']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "nil" => Value::Nil,
            _ => match word.parse() {
                Ok(number) => Value::Int(number),
                Err(_) => Value::Float(word.parse().unwrap_or_else(|_| panic!("no literal: {word}"))),
            },
        }
    }
}
