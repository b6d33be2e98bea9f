//! What is wrong with a driver's files, and where.

use std::fmt;

use crate::domain::Problem;

/// One finding in one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file's path inside the driver.
    pub file: String,
    /// The line, from 1; 0 when the finding is about the whole file.
    pub line: usize,
    /// The column in characters, from 1; 0 when only the line is known.
    pub column: usize,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What to do, or the nearest valid name; may be empty.
    pub hint: String,
}

impl Diagnostic {
    /// A finding about a whole file.
    pub(super) fn of_file(file: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0, message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        write!(f, ": {}", self.message)?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}

/// All findings as one problem for people. `source` is where the driver was loaded from.
pub fn problem(source: &str, diagnostics: &[Diagnostic]) -> Problem {
    let lines: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
    Problem::new(
        format!("The driver in {source} cannot be loaded"),
        lines.join("\n"),
        "correct these places and load it again",
    )
}
