//! Looks through Starlark files without running them. In a child as well: a file that is nested too deeply takes its stack.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::child::{VERB, Worker, explain_end, first_line};
use super::end::Failure;
use super::limits::Limits;
use super::protocol::{First, FromChild};

/// What the looking through may use.
const LIMITS: Limits = Limits { processor: 10, memory: 256, calls: 0, logged: 0 };

/// Something in a file that will not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The path in the driver.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// What it is.
    pub message: String,
}

/// Looks through a Starlark file of a driver and what it loads: its syntax, its loads, names that nothing defines. Blocks for as
/// long as that takes, at most ten seconds of processor time.
pub fn check(worker: &Worker, files: &BTreeMap<String, String>, file: &str) -> Vec<Finding> {
    let starlark = files.iter().filter(|(path, _)| path.ends_with(".star"));
    let files: BTreeMap<String, String> = starlark.map(|(path, text)| (path.clone(), text.clone())).collect();
    match ask(worker, &files, file) {
        Ok(findings) => findings,
        Err(failure) => {
            let message = match failure.why.is_empty() {
                true => failure.what,
                false => format!("{}: {}", failure.what, failure.why),
            };
            vec![Finding { file: file.to_owned(), line: 1, column: 1, message }]
        }
    }
}

fn ask(worker: &Worker, files: &BTreeMap<String, String>, file: &str) -> Result<Vec<Finding>, Failure> {
    let first =
        First { files, file, function: None, context: &Value::Null, limits: LIMITS, signatures: None };
    let mut line = first_line(&first)?;
    line.push(b'\n');
    let broken = |error: std::io::Error| Failure::new("the files cannot be checked", error.to_string());
    let mut command = Command::new(&worker.executable);
    command.arg(VERB).env_clear().current_dir("/").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(broken)?;
    let mut stdin = child.stdin.take();
    // The child reads the line whole before it writes, and hears of the end when the pipe is closed.
    if let Some(stdin) = &mut stdin {
        let _ = stdin.write_all(&line);
    }
    let output = child.wait_with_output().map_err(broken)?;
    drop(stdin);
    match serde_json::from_slice(&output.stdout) {
        Ok(FromChild::Checked(findings)) => Ok(findings),
        Ok(FromChild::Failed(failure)) => Err(failure),
        _ => Err(explain_end(output.status, &output.stderr, LIMITS)),
    }
}
