//! The arguments, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::action::ActionArguments;
use super::agent::AgentArguments;
use super::backup::BackupArguments;
use super::cluster::ClusterArguments;
use super::driver::DriverArguments;
use super::environment::EnvironmentArguments;
use super::location::LocationArguments;
use super::sandbox::SandboxArguments;
use super::schedule::ScheduleArguments;
use crate::app::{Look, Options, Target};

/// A cockpit for deploying applications on Kubernetes and operating them
#[derive(Debug, Parser)]
#[command(name = "styrmin", version, about, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// Without a verb: the cockpit.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// Arguments of the cockpit.
    #[command(flatten)]
    pub cockpit: Cockpit,
}

/// What can be asked for beside the cockpit.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Actions of drivers: list them, run them
    Action(ActionArguments),
    /// The engine without a screen: carries out what the cockpits of its state directory ask for, until SIGTERM
    ///
    /// Beside cockpits it waits until none of them runs the engine, or one that does hands it over. It logs to standard
    /// error, one line per event; STYRMIN_LOG says how much. Inside a pod, without a kubeconfig, it uses the pod's
    /// service account.
    Agent(AgentArguments),
    /// Backups: make them, look at them, prove them, restore them
    Backup(BackupArguments),
    /// What is said of clusters: the domain of host names, the storage class
    Cluster(ClusterArguments),
    /// Drivers: write, check, try and load them
    Driver(DriverArguments),
    /// Environments: make them, say how they are reached, clone them, remove them
    Environment(EnvironmentArguments),
    /// Where backups lie: directories and buckets
    Location(Box<LocationArguments>),
    /// Step through the events that a crash left behind, frame by frame
    Replay(Replay),
    /// The embedded cluster without the cockpit: for kubectl and other programs
    Sandbox(SandboxArguments),
    /// When backups are made by themselves, and how long they are kept
    Schedule(ScheduleArguments),
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// A file from the state directory's `recordings/`
    pub file: PathBuf,
    /// Print only the last frame
    #[arg(long)]
    pub last: bool,
}

/// Which cluster, and where everything is kept: of whatever runs an engine.
#[derive(Debug, Args)]
pub struct Place {
    /// Use the embedded sandbox cluster, even where a kubeconfig exists
    #[arg(long, conflicts_with_all = ["kubeconfig", "context"])]
    pub sandbox: bool,
    /// The port of the sandbox's ingress on loopback; 0 takes any free one
    #[arg(long, value_name = "PORT", env = "STYRMIN_INGRESS_PORT", default_value_t = 8480)]
    pub ingress_port: u16,
    /// The port of the sandbox's ingress for https; 0 takes any free one [default: 8443, or any free one where it is taken]
    #[arg(long, value_name = "PORT", env = "STYRMIN_INGRESS_TLS_PORT")]
    pub ingress_tls_port: Option<u16>,
    /// The kubeconfig to use
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Load a driver from this directory (repeatable)
    #[arg(long = "driver", value_name = "DIR")]
    pub drivers: Vec<PathBuf>,
    /// Where records are kept [default: $XDG_STATE_HOME/styrmin]
    #[arg(long, value_name = "DIR", env = "STYRMIN_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Where themes, keymaps and drivers of your own are [default: $XDG_CONFIG_HOME/styrmin]
    #[arg(long, value_name = "DIR", env = "STYRMIN_CONFIG_DIR")]
    pub config_dir: Option<PathBuf>,
}

impl Place {
    /// What a run there is started with.
    pub fn into_options(self, look: Look) -> Options {
        let target = match self.sandbox {
            true => Target::Sandbox,
            false if self.kubeconfig.is_some() || self.context.is_some() => {
                Target::Kubeconfig { path: self.kubeconfig, context: self.context }
            }
            false => Target::Detect,
        };
        Options {
            target,
            ephemeral: false,
            ingress_port: self.ingress_port,
            ingress_tls_port: self.ingress_tls_port,
            drivers: self.drivers,
            state_dir: self.state_dir,
            config_dir: self.config_dir,
            executable: None,
            look,
        }
    }
}

/// Arguments of the cockpit.
#[derive(Debug, Args)]
pub struct Cockpit {
    #[command(flatten)]
    place: Place,
    /// Forget everything at the end: records and sandbox live in a temporary directory
    #[arg(long, conflicts_with = "state_dir")]
    pub ephemeral: bool,
    /// The theme: a bundled one or a file in themes/
    #[arg(long, value_name = "NAME", env = "STYRMIN_THEME")]
    pub theme: Option<String>,
    /// The keymap: default, k9s, helix, or a file in keymaps/
    #[arg(long, value_name = "NAME", env = "STYRMIN_KEYMAP")]
    pub keymap: Option<String>,
    /// Draw with ASCII characters only
    #[arg(long, env = "STYRMIN_ASCII")]
    pub ascii: bool,
    /// No spinners or other motion
    #[arg(long, env = "STYRMIN_REDUCED_MOTION")]
    pub reduced_motion: bool,
    /// URLs are plain text, no links (OSC 8)
    #[arg(long, env = "STYRMIN_NO_LINKS")]
    pub no_links: bool,
}

impl Cockpit {
    /// What the application is started with.
    pub fn into_options(self) -> Options {
        let look = Look {
            theme: self.theme,
            keymap: self.keymap,
            ascii: self.ascii,
            reduced_motion: self.reduced_motion,
            no_links: self.no_links,
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        };
        Options { ephemeral: self.ephemeral, ..self.place.into_options(look) }
    }
}
