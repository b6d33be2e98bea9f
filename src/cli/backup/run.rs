//! `styrmin backup run`.

use clap::Args;

use super::targets::{about, targets};
use crate::app::backups::{deployments, group_name};
use crate::cli::carry::{Carry, Job};
use crate::cli::ending::{Ending, Refusal, usage};
use crate::domain::Intent;
use crate::domain::backup::BackupRequest;

/// Arguments of `backup run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The applications, NAME or ENVIRONMENT/NAME, one after the other
    #[arg(value_name = "APPLICATION", required_unless_present = "environment")]
    applications: Vec<String>,
    /// The environment of these applications; without any, all of it in one operation
    #[arg(short = 'e', long, value_name = "NAME")]
    environment: Option<String>,
    /// Only this component (repeatable)
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<String>,
    /// Keep it whatever the retention says
    #[arg(long)]
    pin: bool,
    #[command(flatten)]
    carry: Carry,
}

pub(super) fn run(arguments: RunArguments) -> Result<Ending, Refusal> {
    let RunArguments { applications, environment, components, pin, carry } = arguments;
    if applications.is_empty() && !components.is_empty() {
        let why = "components belong to one application";
        return Err(usage("Whose components are meant?", why, "name the application"));
    }
    let request = BackupRequest { components, pinned: pin, ..BackupRequest::default() };
    carry.out(async |session| {
        if let (true, Some(environment)) = (applications.is_empty(), environment.as_ref()) {
            let request = BackupRequest { group: Some(group_name(environment)), ..request.clone() };
            return Ok(vec![Job::new(environment, Intent::BackUpEnvironment(environment.clone(), request))]);
        }
        let all = deployments(&session.store, session.cluster.name()).await?;
        let found = targets(&all, &applications, environment.as_deref())?;
        let job = |one| Job::new(about(one), Intent::BackUp(one.id, request.clone()));
        Ok(found.into_iter().map(job).collect())
    })
}
