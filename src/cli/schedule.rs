//! `styrmin schedule …`: when backups are made by themselves, and how long they are kept.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::ending;

mod add;
mod change;
mod list;

/// Arguments of `schedule`.
#[derive(Debug, Args)]
pub struct ScheduleArguments {
    /// What to do.
    #[command(subcommand)]
    verb: ScheduleVerb,
}

/// What can be done with schedules.
#[derive(Debug, Subcommand)]
enum ScheduleVerb {
    /// Add a schedule: whoever runs the engine makes its backups from then on
    ///
    /// Where the clock is put forward, what falls into the hour that does not exist runs as much later as the clock was
    /// moved; where it is put back, what falls into the hour that comes twice runs once. What is due every hour runs in both.
    Add(add::AddArguments),
    /// List the schedules
    List(list::ListArguments),
    /// Show what comes within the next 24 hours
    Calendar(list::CalendarArguments),
    /// Pause a schedule: it makes no backups until it is resumed
    Pause(change::PauseArguments),
    /// Resume a schedule; what was due meanwhile is not made up for
    Resume(change::ResumeArguments),
    /// Remove a schedule; its backups stay
    Remove(change::RemoveArguments),
    /// Make the backup of a schedule now; what follows its runs follows this one too
    Run(Box<change::RunArguments>),
}

/// Does what was asked for, and says how it ended.
pub fn run(arguments: ScheduleArguments) -> ExitCode {
    ending::exit(match arguments.verb {
        ScheduleVerb::Add(arguments) => add::run(arguments),
        ScheduleVerb::List(arguments) => list::run(&arguments),
        ScheduleVerb::Calendar(arguments) => list::calendar(&arguments),
        ScheduleVerb::Pause(arguments) => change::pause(&arguments),
        ScheduleVerb::Resume(arguments) => change::resume(&arguments),
        ScheduleVerb::Remove(arguments) => change::remove(&arguments),
        ScheduleVerb::Run(arguments) => change::run(*arguments),
    })
}
