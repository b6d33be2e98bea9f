//! `styrmin environment …`: environments as a whole.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::ending;

mod change;
mod clone;
mod list;
mod said;

/// Arguments of `environment`.
#[derive(Debug, Args)]
pub struct EnvironmentArguments {
    /// What to do.
    #[command(subcommand)]
    verb: EnvironmentVerb,
}

/// What can be done with environments.
#[derive(Debug, Subcommand)]
enum EnvironmentVerb {
    /// Make an environment that equals another one: its applications, and their data
    ///
    /// The data comes from a backup that is made now, unless --from-backups or --empty says otherwise. The plan shows what is
    /// rewritten: host names, namespaces, references.
    Clone(Box<clone::CloneArguments>),
    /// Make an environment without applications
    ///
    /// Who answers for its routes is found out, unless it is said, and recorded: what the cluster gains later changes nothing that
    /// runs. Connections from other namespaces are kept away, unless --isolation says otherwise.
    Create(Box<change::CreateArguments>),
    /// List the environments
    List(list::ListArguments),
    /// Take an environment away that has no applications: its ingress, its namespace, its record
    Remove(change::RemoveArguments),
    /// Change what is said of an environment; its applications follow
    ///
    /// What is not named stays as it is. The plan shows what changes for each application.
    Set(Box<change::SetArguments>),
    /// Show what is said of an environment
    Show(list::ShowArguments),
}

/// Does what was asked for, and says how it ended.
pub fn run(arguments: EnvironmentArguments) -> ExitCode {
    ending::exit(match arguments.verb {
        EnvironmentVerb::Clone(arguments) => clone::run(*arguments),
        EnvironmentVerb::Create(arguments) => change::create(*arguments),
        EnvironmentVerb::List(arguments) => list::list(&arguments),
        EnvironmentVerb::Remove(arguments) => change::remove(arguments),
        EnvironmentVerb::Set(arguments) => change::set(*arguments),
        EnvironmentVerb::Show(arguments) => list::show(&arguments),
    })
}
