//! Reads templates, by the rules of Go's `text/template/parse` and with its messages.

use std::collections::HashMap;
use std::rc::Rc;

use super::helm::text;
use super::lex::lex;
use super::literal;
use super::token::{Keyword, Kind, Token};
use super::tree::{Branch, File, Invocation, Node, Pipe, Tree, is_blank};
use crate::driver::chart::format::quote;

/// How deep blocks and parentheses may nest. Go knows no limit; the charts of the wild stay below twenty.
const DEPTH: usize = 200;

/// What is wrong with a template.
pub(super) struct Problem {
    pub(super) line: usize,
    pub(super) message: String,
}

/// Reads the template `file` and gives its own body, and the definitions in it.
///
/// `known` says whether a function of that name exists.
pub(super) fn parse(
    name: &Rc<str>,
    file: &Rc<File>,
    known: &dyn Fn(&str) -> bool,
) -> Result<Vec<Rc<Tree>>, Problem> {
    let source = Rc::clone(&file.source);
    let mut parser = Parser {
        tokens: lex(&source),
        at: 0,
        furthest: 0,
        action_line: None,
        known,
        file,
        trees: Vec::new(),
        defined: HashMap::new(),
        block: Block { variables: vec![Rc::from("$")], ranges: 0 },
        depth: 0,
    };
    let body = parser.file()?;
    parser.define(Rc::clone(name), body)?;
    Ok(parser.trees)
}

/// What parsing knows of the template or definition under way.
pub(super) struct Block {
    /// The variables that are in scope.
    pub(super) variables: Vec<Rc<str>>,
    /// How many `range` are open.
    ranges: usize,
}

pub(super) struct Parser<'s> {
    tokens: Vec<Token<'s>>,
    /// The next token.
    at: usize,
    /// The last token that was looked at: Go's messages name its line.
    furthest: usize,
    /// The line on which the action under way begins.
    action_line: Option<usize>,
    known: &'s dyn Fn(&str) -> bool,
    file: &'s Rc<File>,
    trees: Vec<Rc<Tree>>,
    /// Where in `trees` a name is.
    defined: HashMap<Rc<str>, usize>,
    pub(super) block: Block,
    depth: usize,
}

pub(super) type Parsed<T> = Result<T, Problem>;

/// What ends a list of nodes.
enum Ending {
    End,
    Else,
}

impl Ending {
    fn show(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

impl<'s> Parser<'s> {
    pub(super) fn peek(&mut self) -> Token<'s> {
        self.furthest = self.furthest.max(self.at);
        match self.tokens.get(self.at) {
            Some(token) => token.clone(),
            None => self.after_the_end(),
        }
    }

    /// Go's lexer goes on to say EOF after the last token.
    fn after_the_end(&self) -> Token<'s> {
        let (offset, line) = self.tokens.last().map_or((0, 1), |token| (token.offset, token.line));
        Token { kind: Kind::End, offset, line, text: "", problem: String::new() }
    }

    pub(super) fn next(&mut self) -> Token<'s> {
        let token = self.peek();
        self.at += 1;
        token
    }

    pub(super) fn back(&mut self) {
        self.at -= 1;
    }

    /// Returns to a token that was seen before.
    pub(super) fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn next_no_space(&mut self) -> Token<'s> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    pub(super) fn peek_no_space(&mut self) -> Token<'s> {
        let token = self.next_no_space();
        self.back();
        token
    }

    pub(super) fn knows_function(&self, name: &str) -> bool {
        (self.known)(name)
    }

    pub(super) fn problem<T>(&self, message: impl Into<String>) -> Parsed<T> {
        let line =
            self.tokens.get(self.furthest).map_or_else(|| self.after_the_end().line, |token| token.line);
        Err(Problem { line, message: message.into() })
    }

    pub(super) fn unexpected<T>(&self, token: &Token<'_>, context: &str) -> Parsed<T> {
        if token.kind != Kind::Error {
            return self.problem(format!("unexpected {token} in {context}"));
        }
        let extra = match self.action_line {
            Some(line) if line != token.line => {
                let repeated = if token.problem.ends_with(" action") { "" } else { " in action" };
                format!("{repeated} started at {}:{line}", self.file.path)
            }
            _ => String::new(),
        };
        self.problem(format!("{token}{extra}"))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token<'s>> {
        let token = self.next_no_space();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, context) }
    }

    /// Goes one level deeper for `work`.
    pub(super) fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH {
            return self.problem(format!("blocks and parentheses are nested more than {DEPTH} deep"));
        }
        self.depth += 1;
        let done = work(self);
        self.depth -= 1;
        done
    }

    /// Adds a template. Within one file, only a blank one may be defined again.
    fn define(&mut self, name: Rc<str>, body: Vec<Node>) -> Parsed<()> {
        let blank = is_blank(&body);
        let tree = Rc::new(Tree { name: Rc::clone(&name), file: Rc::clone(self.file), body });
        let known = self.defined.get(&name).and_then(|index| self.trees.get_mut(*index));
        match known {
            Some(known) if is_blank(&known.body) => *known = tree,
            Some(_) if blank => {}
            Some(_) => {
                let name = quote(&name);
                return self.problem(format!("template: multiple definition of template {name}"));
            }
            None => {
                self.defined.insert(name, self.trees.len());
                self.trees.push(tree);
            }
        }
        Ok(())
    }

    /// The whole file; its definitions go to `trees`.
    fn file(&mut self) -> Parsed<Vec<Node>> {
        let mut body = Vec::new();
        while self.peek().kind != Kind::End {
            if self.peek().kind == Kind::LeftDelim {
                let before = self.position();
                self.next();
                if self.next_no_space().kind == Kind::Keyword(Keyword::Define) {
                    self.definition()?;
                    continue;
                }
                self.back_to(before);
            }
            match self.text_or_action()? {
                Ok(node) => body.push(node),
                Err(ending) => return self.problem(format!("unexpected {}", ending.show())),
            }
        }
        Ok(body)
    }

    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let token = self.next_no_space();
        let name = self.name(&token, CONTEXT)?;
        self.expect(Kind::RightDelim, CONTEXT)?;
        let body = self.body_of_its_own(CONTEXT)?;
        self.define(name, body)
    }

    /// A body that shares no variables with what is around it.
    fn body_of_its_own(&mut self, context: &str) -> Parsed<Vec<Node>> {
        let own = Block { variables: vec![Rc::from("$")], ranges: 0 };
        let outer = std::mem::replace(&mut self.block, own);
        let (body, ending) = self.deeper(Self::list)?;
        self.block = outer;
        match ending {
            Ending::End => Ok(body),
            Ending::Else => self.problem(format!("unexpected {} in {context}", ending.show())),
        }
    }

    fn name(&mut self, token: &Token<'_>, context: &str) -> Parsed<Rc<str>> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return self.unexpected(token, context);
        }
        match literal::unquote(token.text) {
            Ok(name) => Ok(text(&[name], 0)),
            Err(problem) => self.problem(problem),
        }
    }

    /// Nodes up to `end` or `else`.
    fn list(&mut self) -> Parsed<(Vec<Node>, Ending)> {
        let mut nodes = Vec::new();
        while self.peek_no_space().kind != Kind::End {
            match self.text_or_action()? {
                Ok(node) => nodes.push(node),
                Err(ending) => return Ok((nodes, ending)),
            }
        }
        self.problem("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Parsed<Result<Node, Ending>> {
        let token = self.next_no_space();
        match token.kind {
            Kind::Text => Ok(Ok(Node::Text(Rc::from(token.text)))),
            Kind::LeftDelim => {
                self.action_line = Some(token.line);
                let action = self.action()?;
                self.action_line = None;
                Ok(action)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Result<Node, Ending>> {
        let token = self.next_no_space();
        let Kind::Keyword(keyword) = token.kind else {
            self.back();
            return Ok(Ok(Node::Action(self.pipeline("command", Kind::RightDelim)?)));
        };
        Ok(match keyword {
            Keyword::Block => Ok(self.block_control()?),
            Keyword::Break => Ok(self.leave_range(Node::Break, "break")?),
            Keyword::Continue => Ok(self.leave_range(Node::Continue, "continue")?),
            Keyword::Else => Err(self.else_control()?),
            Keyword::End => {
                self.expect(Kind::RightDelim, "end")?;
                Err(Ending::End)
            }
            Keyword::If => Ok(Node::If(self.branch("if")?)),
            Keyword::Range => Ok(Node::Range(self.branch("range")?)),
            Keyword::With => Ok(Node::With(self.branch("with")?)),
            Keyword::Template => Ok(self.template_control()?),
            Keyword::Define | Keyword::Nil => {
                self.back();
                Ok(Node::Action(self.pipeline("command", Kind::RightDelim)?))
            }
        })
    }

    fn leave_range(&mut self, node: Node, keyword: &str) -> Parsed<Node> {
        let token = self.next_no_space();
        if token.kind != Kind::RightDelim {
            return self.unexpected(&token, &format!("{{{{{keyword}}}}}"));
        }
        if self.block.ranges == 0 {
            return self.problem(format!("{{{{{keyword}}}}} outside {{{{range}}}}"));
        }
        Ok(node)
    }

    /// `else`; the keyword of an `else if` or `else with` is left to be read.
    fn else_control(&mut self) -> Parsed<Ending> {
        let next = self.peek_no_space();
        if !matches!(next.kind, Kind::Keyword(Keyword::If | Keyword::With)) {
            self.expect(Kind::RightDelim, "else")?;
        }
        Ok(Ending::Else)
    }

    /// `if`, `with` or `range`, whose keyword has been read.
    fn branch(&mut self, context: &str) -> Parsed<Branch> {
        let mark = self.block.variables.len();
        let branch = self.deeper(|parser| parser.arms(context));
        self.block.variables.truncate(mark);
        branch
    }

    fn arms(&mut self, context: &str) -> Parsed<Branch> {
        let mut branch = Branch { arms: Vec::new(), otherwise: None, offset: 0 };
        loop {
            let pipe = self.pipeline(context, Kind::RightDelim)?;
            if branch.arms.is_empty() {
                branch.offset = pipe.offset;
            }
            let ranges = usize::from(context == "range");
            self.block.ranges += ranges;
            let (body, ending) = self.list()?;
            self.block.ranges -= ranges;
            branch.arms.push((pipe, body));
            if matches!(ending, Ending::End) {
                return Ok(branch);
            }
            let next = self.peek().kind;
            let goes_on = (context == "if" && next == Kind::Keyword(Keyword::If))
                || (context == "with" && next == Kind::Keyword(Keyword::With));
            if goes_on {
                self.next();
                continue;
            }
            let (body, ending) = self.list()?;
            if let Ending::Else = ending {
                return self.problem(format!("expected end; found {}", ending.show()));
            }
            branch.otherwise = Some(body);
            return Ok(branch);
        }
    }

    /// A definition and its invocation in one.
    fn block_control(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.next_no_space();
        let name = self.name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelim)?;
        let body = self.body_of_its_own(CONTEXT)?;
        self.define(Rc::clone(&name), body)?;
        Ok(Node::Template(Invocation { name, pipe: Some(pipe), offset: token.offset }))
    }

    fn template_control(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.next_no_space();
        let name = self.name(&token, CONTEXT)?;
        let mut pipe: Option<Pipe> = None;
        if self.next_no_space().kind != Kind::RightDelim {
            self.back();
            pipe = Some(self.pipeline(CONTEXT, Kind::RightDelim)?);
        }
        Ok(Node::Template(Invocation { name, pipe, offset: token.offset }))
    }
}
