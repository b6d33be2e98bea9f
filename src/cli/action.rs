//! `styrmin action …`: the actions of drivers, from the command line.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::ending::{self, Ending, Refusal, usage};

mod answers;
mod list;
pub(super) mod print;
mod run;
mod typed;

/// Arguments of `action`.
#[derive(Debug, Args)]
pub struct ActionArguments {
    /// What to do.
    #[command(subcommand)]
    verb: ActionVerb,
}

/// What can be done with actions.
#[derive(Debug, Subcommand)]
enum ActionVerb {
    /// List the actions of deployments: those that a person starts, and what runs by itself
    List(list::ListArguments),
    /// Run an action on one deployment, or on many, one after the other
    ///
    /// The plan is shown and has to be confirmed. Whoever runs the engine of the state directory carries it out: a cockpit, an
    /// agent, or this process where nobody does. What the action prints is shown as it comes. Ctrl-c asks it to end; a
    /// second one leaves it alone.
    ///
    /// The exit code is 0 when all of it succeeded, 1 when something failed, 2 when the arguments make no sense, 3 when it
    /// was cancelled or not confirmed.
    Run(Box<run::RunArguments>),
}

/// Does what was asked for, and says how it ended.
pub fn run(arguments: ActionArguments) -> ExitCode {
    let done = match arguments.verb {
        ActionVerb::List(arguments) => list::run(&arguments).map(|()| Ending::Well),
        ActionVerb::Run(arguments) => run::run(*arguments),
    };
    ending::exit(done)
}
