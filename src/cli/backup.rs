//! `styrmin backup …`: making, proving, restoring and deleting backups.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::ending;

mod delete;
mod list;
mod pin;
mod prune;
mod restore;
mod run;
mod show;
mod targets;
mod verify;

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// What to do.
    #[command(subcommand)]
    verb: BackupVerb,
}

/// What can be done with backups.
#[derive(Debug, Subcommand)]
enum BackupVerb {
    /// Back up applications, or all of an environment in one operation
    ///
    /// The plan is shown and has to be confirmed. Whoever runs the engine of the state directory carries it out: a cockpit, an
    /// agent, or this process where nobody does. Ctrl-c asks it to end; a second one leaves it alone.
    ///
    /// The exit code is 0 when all of it succeeded, 1 when something failed (also when only a part of a backup is complete), 2
    /// when the arguments make no sense, 3 when it was cancelled or not confirmed.
    Run(Box<run::RunArguments>),
    /// List the backups
    List(list::ListArguments),
    /// Show one backup: what it has of each component, and what verifications found
    Show(show::ShowArguments),
    /// Look whether a backup can be restored: everything that it needs is there, or (--full) all of its data is read back
    Verify(Box<verify::VerifyArguments>),
    /// Restore a backup into an environment of its own, look whether it works, and take that away
    Drill(Box<verify::DrillArguments>),
    /// Restore a backup: in place, into another application, or as a new one
    ///
    /// What is there now is backed up before it is overwritten, unless --no-safety-backup is given.
    Restore(Box<restore::RestoreArguments>),
    /// Keep backups whatever the retention says
    Pin(pin::PinArguments),
    /// Let the retention have backups again
    Unpin(pin::PinArguments),
    /// Delete backups, and what nothing needs any more goes from their location
    Delete(Box<delete::DeleteArguments>),
    /// Delete the backups that have no place in the retention any more; --dry-run shows which, and why
    Prune(Box<prune::PruneArguments>),
}

/// Does what was asked for, and says how it ended.
pub fn run(arguments: BackupArguments) -> ExitCode {
    ending::exit(match arguments.verb {
        BackupVerb::Run(arguments) => run::run(*arguments),
        BackupVerb::List(arguments) => list::run(&arguments),
        BackupVerb::Show(arguments) => show::run(&arguments),
        BackupVerb::Verify(arguments) => verify::run(*arguments),
        BackupVerb::Drill(arguments) => verify::drill(*arguments),
        BackupVerb::Restore(arguments) => restore::run(*arguments),
        BackupVerb::Pin(arguments) => pin::run(&arguments, true),
        BackupVerb::Unpin(arguments) => pin::run(&arguments, false),
        BackupVerb::Delete(arguments) => delete::run(*arguments),
        BackupVerb::Prune(arguments) => prune::run(*arguments),
    })
}
