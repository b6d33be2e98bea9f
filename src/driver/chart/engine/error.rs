//! Why a template cannot be read or executed.

use std::fmt::{self, Write as _};

/// The frames that a message shows from either end of the stack.
const FRAMES: usize = 3;
/// The characters that a message shows of a text.
const SHOWN: usize = 700;
/// The characters that a frame shows of the piece of template that it was at.
const PIECE: usize = 120;

/// A template that cannot be read or executed. Its text is Helm's, but never longer than a screen.
#[derive(Debug, Clone)]
pub struct TemplateError {
    /// The file in which it happened.
    pub template: String,
    /// Line in it, from 1; 0 where there is none.
    pub line: usize,
    /// Column, counted in bytes from 0 as Go does.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
    /// Where the engine was: first the place where it happened, last the template that was executed. Empty when the template
    /// cannot be read.
    pub stack: Vec<Frame>,
    /// Whether the chart's author raised it by `fail` or `required`: the message is meant for the chart's user.
    pub raised: bool,
}

/// A template under way when an error happened.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The file.
    pub template: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 0.
    pub column: usize,
    /// The name of the template or the definition.
    pub executing: String,
    /// The piece of it.
    pub at: String,
    /// What that piece was about to do, such as `error calling include`; empty where the error itself happened.
    pub doing: String,
}

impl std::error::Error for TemplateError {}

impl TemplateError {
    /// A template that cannot be read.
    pub(super) fn unreadable(template: &str, line: usize, message: String) -> Self {
        let template = template.to_owned();
        Self { template, line, column: 0, message, stack: Vec::new(), raised: false }
    }

    /// An error at a place.
    pub(super) fn at(frame: Frame, message: String) -> Self {
        Self {
            template: frame.template.clone(),
            line: frame.line,
            column: frame.column,
            message,
            stack: vec![frame],
            raised: false,
        }
    }

    /// The error as seen from the template that called the one in which it happened.
    pub(super) fn called_from(mut self, frame: Frame) -> Self {
        self.stack.push(frame);
        self
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = cut(&self.message, SHOWN);
        let Some(outermost) = self.stack.last() else {
            return write!(f, "parse error at ({}:{}): {message}", self.template, self.line);
        };
        if self.raised {
            let Frame { template, line, column, .. } = outermost;
            return write!(f, "execution error at ({template}:{line}:{column}): {message}");
        }
        let count = self.stack.len();
        for (index, frame) in self.stack.iter().rev().enumerate() {
            if count > 2 * FRAMES && (FRAMES..count - FRAMES).contains(&index) {
                if index == FRAMES {
                    write!(f, "({} more calls) ", count - 2 * FRAMES)?;
                }
                continue;
            }
            write!(f, "{frame}")?;
        }
        if self.stack.first().is_some_and(|innermost| !innermost.doing.is_empty()) {
            write!(f, "template: {}:{}: ", self.template, self.line)?;
        }
        f.write_str(&message)
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { template, line, column, executing, at, doing } = self;
        write!(f, "template: {template}:{line}:{column}: executing \"{executing}\"")?;
        let at = if at.is_empty() { String::new() } else { format!(" at <{at}>") };
        write!(f, "{at}: ")?;
        if doing.is_empty() { Ok(()) } else { write!(f, "{doing}: ") }
    }
}

/// A piece of a template, short enough for a message.
pub(super) fn piece(shown: impl fmt::Display) -> String {
    cut(shown, PIECE)
}

/// The first characters of what is shown. The others are not even made.
fn cut(shown: impl fmt::Display, characters: usize) -> String {
    let mut cut = Cut { text: String::new(), left: characters };
    if write!(cut, "{shown}").is_err() {
        cut.text.push_str("...");
    }
    cut.text
}

/// A text that refuses more than so many characters.
struct Cut {
    text: String,
    left: usize,
}

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(character);
        }
        Ok(())
    }
}
