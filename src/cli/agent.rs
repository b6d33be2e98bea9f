//! `styrmin agent`: the engine without a screen, for a systemd unit or a pod.

use clap::Args;

use super::arguments::Place;
use crate::app::{self, Look, Target};
use crate::domain::Problem;

/// Arguments of `agent`.
#[derive(Debug, Args)]
pub struct AgentArguments {
    #[command(flatten)]
    place: Place,
}

/// Runs the engine whenever it is this process's turn, until SIGTERM, SIGINT or SIGHUP.
///
/// # Errors
/// When it cannot start.
pub fn run(arguments: AgentArguments) -> Result<(), Problem> {
    let mut options = arguments.place.into_options(Look::default());
    if options.target == Target::Detect {
        options.target = Target::DetectInPod;
    }
    app::agent(options)
}
