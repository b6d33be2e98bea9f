//! `styrmin backup verify` and `styrmin backup drill`.

use clap::Args;

use crate::app::backups::named;
use crate::cli::carry::{Carry, Job};
use crate::cli::ending::{Ending, Refusal};
use crate::domain::Intent;
use crate::domain::backup::{Depth, VerifyRequest};

/// Arguments of `backup verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The backups
    #[arg(value_name = "BACKUP", required = true)]
    backups: Vec<String>,
    /// Read all of the data back, and compare it with the digests that were taken when it was made
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    carry: Carry,
}

/// Arguments of `backup drill`.
#[derive(Debug, Args)]
pub struct DrillArguments {
    /// The backup
    #[arg(value_name = "BACKUP")]
    backup: String,
    #[command(flatten)]
    carry: Carry,
}

pub(super) fn run(arguments: VerifyArguments) -> Result<Ending, Refusal> {
    let VerifyArguments { backups, full, carry } = arguments;
    let depth = if full { Depth::Full } else { Depth::Quick };
    carry.out(async |session| {
        let mut jobs = Vec::new();
        for name in &backups {
            let backup = named(&session.store, name).await?.id;
            jobs.push(Job::new(name, Intent::Verify(VerifyRequest { backup, depth })));
        }
        Ok(jobs)
    })
}

pub(super) fn drill(arguments: DrillArguments) -> Result<Ending, Refusal> {
    let DrillArguments { backup, carry } = arguments;
    carry.out(async |session| {
        let found = named(&session.store, &backup).await?;
        Ok(vec![Job::new(&backup, Intent::Drill(found.id))])
    })
}
