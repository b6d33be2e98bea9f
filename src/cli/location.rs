//! `styrmin location …`: where backups lie.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::ending;

mod add;
mod change;
mod list;
mod look;
mod sweep;

/// Arguments of `location`.
#[derive(Debug, Args)]
pub struct LocationArguments {
    /// What to do.
    #[command(subcommand)]
    verb: LocationVerb,
}

/// What can be done with locations.
#[derive(Debug, Subcommand)]
enum LocationVerb {
    /// Add a location: a directory, a bucket of any S3-compatible service, or what Velero keeps
    ///
    /// Its repository is in restic's format, encrypted: the public restic opens it with the key. A repository that is there
    /// already is opened. Without a key one is made, and kept in the configuration directory as locations/NAME.key; whoever
    /// loses it loses all backups in the location.
    Add(Box<add::AddArguments>),
    /// Look whether everything in a location can be restored; --full reads all of it back
    Check(look::CheckArguments),
    /// List the locations
    List(list::ListArguments),
    /// Bring the backups in a location into the catalogue: after the records were lost, or from another Styrmin
    Scan(look::ScanArguments),
    /// Compare a location with the catalogue: data that no backup knows, backups whose data is gone
    Sweep(Box<sweep::SweepArguments>),
    /// Back an environment up to a location from now on
    Assign(change::AssignArguments),
    /// Forget a location, and the backups in it: nothing in it is deleted, and a scan brings them back
    Remove(change::RemoveArguments),
    /// Copy the key of a location into a file: without it nothing can be restored
    Key(look::KeyArguments),
}

/// Does what was asked for, and says how it ended.
pub fn run(arguments: LocationArguments) -> ExitCode {
    ending::exit(match arguments.verb {
        LocationVerb::Add(arguments) => add::run(*arguments),
        LocationVerb::Check(arguments) => look::check(arguments),
        LocationVerb::List(arguments) => list::run(&arguments),
        LocationVerb::Scan(arguments) => look::scan(arguments),
        LocationVerb::Sweep(arguments) => sweep::run(*arguments),
        LocationVerb::Assign(arguments) => change::assign(&arguments),
        LocationVerb::Remove(arguments) => change::remove(arguments),
        LocationVerb::Key(arguments) => look::key(arguments),
    })
}
