//! What is told while an operation is carried out: a line for each step, and on a terminal how far the one is that moves data.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::amount::{bytes, span};
use crate::app::backups::follow::News;
use crate::cli::driver::{printable, remark};
use crate::domain::operation::StepProgress;
use crate::domain::{Problem, StepState};

/// How often a program hears of the progress of a step, at most.
const OFTEN: SignedDuration = SignedDuration::from_secs(1);

/// Prints what happens to one operation.
pub struct Progress {
    json: bool,
    about: String,
    /// A line that is written over stands on the terminal.
    line: bool,
    terminal: bool,
    /// When a program last heard of a step.
    heard: BTreeMap<String, Timestamp>,
}

impl Progress {
    /// Prints for programs, or for people.
    pub fn new(json: bool, about: &str) -> Self {
        let terminal = !json && std::io::stderr().is_terminal();
        Self { json, about: about.to_owned(), line: false, terminal, heard: BTreeMap::new() }
    }

    /// Something happened.
    pub fn tell(&mut self, news: News) {
        match news {
            News::Step { name, state, moved, problem } => self.step(&name, state, moved, problem),
            News::Moving { name, progress } => self.moving(&name, &progress),
            News::Cancelling => {
                self.done();
                remark("it was asked to end; ctrl-c again leaves it alone");
            }
        }
    }

    /// Takes the line away that is written over.
    pub fn done(&mut self) {
        if std::mem::take(&mut self.line) {
            // a closed standard error leaves nobody to tell
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }

    fn step(&mut self, name: &str, state: StepState, moved: Option<StepProgress>, problem: Option<Problem>) {
        self.done();
        let value = || {
            json!({
                "event": "step", "about": self.about, "step": name, "state": state.as_str(),
                "bytes": moved.as_ref().map(|moved| moved.done), "problem": problem,
            })
        };
        let text = || {
            let sign = match state {
                StepState::Succeeded => "✓",
                StepState::Failed => "✗",
                StepState::Skipped => "-",
                StepState::Retrying | StepState::Unknown | StepState::Asking => "!",
                StepState::Started | StepState::Pending => "▸",
            };
            let moved = moved.as_ref().filter(|_| state == StepState::Succeeded);
            let amount = moved.map(|moved| format!("  {}", bytes(moved.done))).unwrap_or_default();
            let problem = problem
                .as_ref()
                .map(|problem| format!("\n    {}", problem.to_string().replace('\n', "\n    ")));
            format!("  {sign} {name}{amount}{}", problem.unwrap_or_default())
        };
        self.print(value, text);
        if state == StepState::Asking {
            remark("answer it in the cockpit (3, then aa); this goes on then");
        }
    }

    fn moving(&mut self, name: &str, progress: &StepProgress) {
        if self.json {
            let now = progress.at.unwrap_or(Timestamp::UNIX_EPOCH);
            let last = self.heard.get(name);
            if last.is_some_and(|last| now.duration_since(*last) < OFTEN) {
                return;
            }
            self.heard.insert(name.to_owned(), now);
            let value =
                || json!({"event": "moving", "about": self.about, "step": name, "progress": progress});
            self.print(value, String::new);
        } else if self.terminal {
            let line = printable(&far(name, progress));
            let _ = write!(std::io::stderr().lock(), "\r    {line}\x1b[K");
            self.line = true;
        }
    }

    fn print(&self, value: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
        let line = if self.json { value().to_string() } else { printable(&text()) };
        // who does not listen any more is not told; what was confirmed goes on
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

/// How far a step is: `back up db  12.0 MiB of 40.0 MiB  4.0 MiB/s  7 s left  public.notes`.
fn far(name: &str, progress: &StepProgress) -> String {
    let mut said = format!("{name}  {}", bytes(progress.done));
    if let Some(total) = progress.total {
        said += &format!(" of {}", bytes(total));
    }
    if progress.rate > 0 {
        said += &format!("  {}/s", bytes(progress.rate));
        if let Some(left) = progress.total.and_then(|total| total.checked_sub(progress.done)) {
            let seconds = i64::try_from(left / progress.rate).unwrap_or(i64::MAX);
            said += &format!("  {} left", span(SignedDuration::from_secs(seconds)));
        }
    }
    if !progress.item.is_empty() {
        said += &format!("  {}", progress.item);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_fits_a_line() {
        let mut progress = StepProgress {
            at: None,
            done: 12 << 20,
            total: Some(40 << 20),
            rate: 4 << 20,
            item: "public.notes".into(),
        };
        let said = far("back up db", &progress);
        assert_eq!(said, "back up db  12.0 MiB of 40.0 MiB  4.0 MiB/s  7 s left  public.notes");
        // an estimate that was too low
        progress.done = 50 << 20;
        assert!(!far("back up db", &progress).contains("left"));
        let nothing = StepProgress::default();
        assert_eq!(far("back up db", &nothing), "back up db  0 B");
    }
}
