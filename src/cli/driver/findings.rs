//! What is wrong with a driver, for people and for programs.

use serde_json::{Value, json};

use crate::driver::Diagnostic;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// It cannot be deployed.
    Error,
    /// It is worth knowing.
    Warning,
    /// Nothing is wrong with it; it does not count.
    Note,
}

impl Severity {
    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// All findings.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<(Severity, Diagnostic)>);

impl Findings {
    pub(super) fn add(&mut self, severity: Severity, found: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(found.into_iter().map(|finding| (severity, finding)));
    }

    /// How many there are of that severity.
    pub(super) fn count(&self, severity: Severity) -> usize {
        self.0.iter().filter(|(found, _)| *found == severity).count()
    }

    /// One line each.
    pub(super) fn text(&self) -> String {
        let line = |(severity, finding): &(Severity, Diagnostic)| {
            let place = match (finding.file.as_str(), finding.line, finding.column) {
                ("", ..) => String::new(),
                (file, 0, _) => format!("{file}: "),
                (file, line, 0) => format!("{file}:{line}: "),
                (file, line, column) => format!("{file}:{line}:{column}: "),
            };
            let hint = if finding.hint.is_empty() { String::new() } else { format!(" ({})", finding.hint) };
            super::printable(&format!("{place}{}: {}{hint}", severity.as_str(), finding.message)) + "\n"
        };
        self.0.iter().map(line).collect()
    }

    pub(super) fn json(&self) -> Value {
        let one = |(severity, finding): &(Severity, Diagnostic)| {
            json!({
                "severity": severity.as_str(),
                "file": finding.file,
                "line": finding.line,
                "column": finding.column,
                "message": finding.message,
                "hint": finding.hint,
            })
        };
        self.0.iter().map(one).collect()
    }
}

/// `1 error`, `2 errors`, `no errors`.
pub(super) fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        more => format!("{more} {what}s"),
    }
}
