//! What is told while actions run: lines for people, or one JSON object a line for programs.

use std::io::Write;

use serde_json::{Value, json};

use crate::app::actions::News;
use crate::cli::driver::{printable, remark};
use crate::domain::call::{CallOutcome, CallRecord, OutputLine, OutputSource, StepOutput};
use crate::domain::diff::{Change, ObjectDiff};
use crate::domain::{OperationId, OperationState, OperationView, Plan, Problem};

/// The most characters of a call's argument.
const ARGUMENT: usize = 60;
/// Calls whose line stands in the output already.
const SPOKEN: [&str; 2] = ["log", "progress"];

/// Prints what happens to one deployment after the other.
pub struct Printer {
    json: bool,
    /// What it is about: `notes in demo`.
    about: String,
    /// How many calls were told.
    calls: usize,
}

impl Printer {
    /// Prints for programs, or for people.
    pub fn new(json: bool) -> Self {
        Self { json, about: String::new(), calls: 0 }
    }

    /// Goes on to the next deployment.
    pub fn turn_to(&mut self, about: &str) {
        (self.about, self.calls) = (about.to_owned(), 0);
    }

    fn print(&self, value: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
        let line = if self.json { told(value(), &self.about).to_string() } else { printable(&text()) };
        // who does not listen any more is not told; what was confirmed goes on
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }

    /// The plan, before it is confirmed.
    pub fn plan(&self, plan: &Plan) {
        let text = || {
            let mut lines = vec![plan.title.clone()];
            lines.extend(plan.steps.iter().map(|step| {
                format!("  {}  {}  {}", step.class.as_str(), step.name, step.note).trim_end().to_owned()
            }));
            lines.extend(
                plan.steps.is_empty().then(|| "  nothing changes: all of it is so already".to_owned()),
            );
            lines.extend(plan.facts.iter().map(|fact| format!("  {fact}")));
            lines.extend(plan.warnings.iter().map(|warning| format!("  warning: {warning}")));
            lines.join("\n")
        };
        self.print(|| json!({"event": "plan", "plan": plan, "hash": plan.hash()}), text);
    }

    /// What changes of objects that are there, line by line. Those that are new, or go, are among the steps.
    pub fn differences(&self, diffs: &[ObjectDiff]) {
        let is_told = |diff: &&ObjectDiff| {
            !diff.is_empty() && diff.lines.iter().any(|line| line.change == Change::Same)
        };
        let changed: Vec<&ObjectDiff> = diffs.iter().filter(is_told).collect();
        if changed.is_empty() {
            return;
        }
        let text = || {
            let one = |diff: &&ObjectDiff| {
                let lines = diff.lines.iter().map(|line| format!("    {} {}", line.change.sign(), line.text));
                let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
                format!("  {}\n{}", diff.object, lines.join("\n"))
            };
            changed.iter().map(one).collect::<Vec<_>>().join("\n")
        };
        self.print(|| json!({"event": "differences", "differences": changed}), text);
    }

    /// What it would call.
    pub fn rehearsed(&self, calls: &[String]) {
        let text = || {
            let lines = calls.iter().map(|call| format!("\n  ▸ {call}"));
            format!("{}: it would call{}", self.about, lines.collect::<String>())
        };
        self.print(|| json!({"event": "rehearsed", "calls": calls}), text);
    }

    /// It is recorded.
    pub fn recorded(&self, id: OperationId) {
        let text = || format!("{}: operation {id} is recorded", self.about);
        self.print(|| json!({"event": "recorded", "operation": id}), text);
    }

    /// Something happened.
    pub fn news(&mut self, news: News) {
        match news {
            News::Output(output) => self.output(&output),
            News::Asks(problem) => {
                self.problem("asks", &problem);
                remark("answer it in the cockpit (3, then aa); this goes on then");
            }
            News::Cancelling => remark("it was asked to end; ctrl-c again leaves it alone"),
        }
    }

    fn output(&mut self, output: &StepOutput) {
        if output.calls.len() < self.calls {
            // the function runs again
            self.calls = 0;
        }
        let mut calls = output.calls.iter().skip(self.calls).peekable();
        for line in &output.lines {
            while let Some(call) = calls.next_if(|call| call.started <= line.at) {
                self.call(call);
            }
            self.line(line);
        }
        calls.for_each(|call| self.call(call));
        self.calls = output.calls.len();
    }

    fn line(&self, line: &OutputLine) {
        let sign = match line.source {
            OutputSource::Log => "•",
            OutputSource::Out => "│",
            OutputSource::Error => "!",
            OutputSource::Note => "·",
        };
        let value =
            || json!({"event": "line", "at": line.at, "source": line.source.as_str(), "text": line.text});
        self.print(value, || format!("  {sign} {}", line.text));
    }

    fn call(&self, call: &CallRecord) {
        if SPOKEN.contains(&call.name.as_str()) && matches!(call.outcome, CallOutcome::Answered(_)) {
            return;
        }
        let value = || {
            json!({
                "event": "call",
                "at": call.started,
                "name": call.name,
                "arguments": call.arguments,
                "place": call.place,
            })
        };
        self.print(value, || format!("  ▸ {}({})", call.name, call.short_arguments(ARGUMENT)));
    }

    /// How it ended.
    pub fn ended(&self, view: &OperationView) {
        let operation = &view.operation;
        let took = operation.times.ended.zip(operation.times.started);
        let millis = took.map(|(ended, started)| ended.as_millisecond() - started.as_millisecond());
        let warnings: Vec<&Problem> = (view.steps.iter())
            .filter(|step| step.state == crate::domain::StepState::Succeeded)
            .filter_map(|step| step.problem.as_ref())
            .collect();
        let problem = view.first_problem().map(|(_, problem)| problem);
        let problem = problem.filter(|_| operation.state != OperationState::Succeeded);
        let value = || {
            json!({
                "event": "ended",
                "operation": operation.id,
                "state": operation.state.as_str(),
                "millis": millis,
                "warnings": warnings,
                "problem": problem,
            })
        };
        let text = || {
            let took = millis.map(|millis| format!(" after {millis} ms")).unwrap_or_default();
            let mut text = format!("{}: {}{took}", self.about, operation.state.as_str());
            warnings.iter().for_each(|warning| text += &format!("\nwarning: {warning}"));
            problem.into_iter().for_each(|problem| text += &format!("\n{problem}"));
            text
        };
        self.print(value, text);
    }

    /// It could not be done, or needs somebody.
    pub fn problem(&self, event: &str, problem: &Problem) {
        self.print(|| json!({"event": event, "problem": problem}), || format!("{}: {problem}", self.about));
    }
}

fn told(mut value: Value, about: &str) -> Value {
    if let (Value::Object(map), false) = (&mut value, about.is_empty()) {
        map.insert("about".to_owned(), Value::from(about));
    }
    value
}
