//! What is wrong with a driver's files, and where.

use std::fmt;

use crate::domain::Problem;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It keeps the driver from loading.
    #[default]
    Error,
    /// It is worth knowing.
    Warning,
}

/// One finding in one file. Errors come before warnings.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
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
        Self { file: file.to_owned(), message: message.into(), hint: hint.into(), ..Self::default() }
    }

    /// The same, as something that is only worth knowing.
    pub(super) fn into_warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// Whether it keeps the driver from loading.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
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

/// All errors as one problem for people. `source` is where the driver was loaded from.
pub fn problem(source: &str, diagnostics: &[Diagnostic]) -> Problem {
    let lines: Vec<_> =
        diagnostics.iter().filter(|found| found.is_error()).map(ToString::to_string).collect();
    Problem::new(
        format!("The driver in {source} cannot be loaded"),
        lines.join("\n"),
        "correct these places and load it again",
    )
}
