//! `styrmin sandbox …`: the embedded cluster without the cockpit.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::domain::Problem;

mod export;
mod serve;

/// Arguments of `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArguments {
    /// What to do with it.
    #[command(subcommand)]
    verb: SandboxVerb,
}

/// What can be done with the sandbox.
#[derive(Debug, Subcommand)]
enum SandboxVerb {
    /// Run it for kubectl and other programs: HTTPS on loopback, until ctrl-c
    ///
    /// It writes a kubeconfig (mode 0600) with a certificate authority and a token of its own, and prints where. Requests
    /// without the token get 401; health and version are open to everybody on this machine.
    ///
    /// The sandbox is the cockpit's: same state directory, same objects. One of the two runs it at a time; while this
    /// runs, `styrmin --kubeconfig FILE` opens a cockpit on it.
    Serve(serve::ServeArguments),
    /// Write the objects of a stopped sandbox as YAML
    ///
    /// Objects keep their uids, status and owners, so that an import goes on where the export was. Left out are Events,
    /// Leases and Nodes, the Pods and EndpointSlices that a controller owns and makes again, and kube-root-ca.crt, which
    /// every sandbox has of its own. Secrets are in it, as readable as in the cluster: the file is for you alone (mode
    /// 0600). What is in volumes is not in it.
    Export(export::ExportArguments),
    /// Put the objects of an export into a stopped sandbox, or a new one
    ///
    /// All of the file is checked first, and nothing is changed when something is wrong. An object that is there already
    /// stays as it is. References to owners that are neither there nor in the file are taken away, or the objects would be
    /// collected. resourceVersions are new; everything else is as it was exported. Volumes begin empty.
    Import(export::ImportArguments),
}

/// Where the sandbox keeps its objects.
#[derive(Debug, Args)]
struct Place {
    /// The state directory, as the cockpit's --state-dir: the sandbox is in its directory `sandbox`
    /// [default: $XDG_STATE_HOME/styrmin]
    #[arg(long = "state", alias = "state-dir", value_name = "DIR", env = "STYRMIN_STATE_DIR")]
    state: Option<PathBuf>,
}

/// Does what was asked for.
///
/// # Errors
/// When it cannot be done.
pub fn run(arguments: SandboxArguments) -> Result<(), Problem> {
    match arguments.verb {
        SandboxVerb::Serve(arguments) => serve::run(arguments),
        SandboxVerb::Export(arguments) => export::export(&arguments),
        SandboxVerb::Import(arguments) => export::import(&arguments),
    }
}
