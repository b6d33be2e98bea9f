//! The command line: what can be asked for, and the exit code that answers.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::app;
use crate::domain::Problem;

mod action;
mod agent;
mod arguments;
mod backup;
mod carry;
mod cluster;
mod driver;
mod ending;
mod environment;
mod location;
mod records;
mod replay;
mod sandbox;
mod schedule;

use arguments::{Arguments, Verb};

/// The exit code when the program cannot go on.
const FAILED: u8 = 1;
/// The exit code when the arguments make no sense (clap's own).
const USAGE: u8 = 2;
/// The exit code when what was asked for was cancelled, or not confirmed.
const CANCELLED: u8 = 3;

/// Runs the program with the process's arguments, the first being its own name.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    if arguments.get(1).is_some_and(|verb| verb == "image") {
        // a process of a pod in the sandbox, not a person: no terminal, no parser, no cockpit
        return crate::sandbox::images::main(arguments.into_iter().skip(2));
    }
    if arguments.get(1).is_some_and(|verb| verb == "action-worker") {
        // the child of a run of an action: it speaks with its parent only
        return crate::hooks::worker::main();
    }
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            // help and version come this way too: they go to standard output, with exit code 0
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let done = match parsed.verb {
        None => app::run(parsed.cockpit.into_options()),
        Some(Verb::Action(arguments)) => return action::run(arguments),
        Some(Verb::Agent(arguments)) => agent::run(arguments),
        Some(Verb::Backup(arguments)) => return backup::run(arguments),
        Some(Verb::Cluster(arguments)) => return cluster::run(arguments),
        Some(Verb::Environment(arguments)) => return environment::run(arguments),
        Some(Verb::Location(arguments)) => return location::run(*arguments),
        Some(Verb::Schedule(arguments)) => return schedule::run(arguments),
        Some(Verb::Driver(driver)) => match driver::run(driver) {
            Ok(true) => Ok(()),
            // what is wrong was the answer
            Ok(false) => return ExitCode::from(FAILED),
            Err(problem) => Err(problem),
        },
        Some(Verb::Replay(replay)) => replay::run(&replay),
        Some(Verb::Sandbox(sandbox)) => sandbox::run(sandbox),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            tell(&problem);
            ExitCode::from(FAILED)
        }
    }
}

fn tell(problem: &Problem) {
    // a closed standard error leaves nobody to tell
    let _ = writeln!(std::io::stderr().lock(), "styrmin: {problem}");
}
