//! `styrmin backup delete`.

use clap::Args;

use crate::app::backups::{deletions, named};
use crate::cli::carry::{Carry, Job};
use crate::cli::ending::{Ending, Refusal};
use crate::domain::backup::Backup;
use crate::domain::{Intent, Problem};

/// Arguments of `backup delete`.
#[derive(Debug, Args)]
pub struct DeleteArguments {
    /// The backups
    #[arg(value_name = "BACKUP", required = true)]
    backups: Vec<String>,
    /// Delete them even where no other good copy of a component is left
    #[arg(long)]
    even_the_last: bool,
    #[command(flatten)]
    carry: Carry,
}

pub(super) fn run(arguments: DeleteArguments) -> Result<Ending, Refusal> {
    let DeleteArguments { backups, even_the_last, carry } = arguments;
    carry.out(async |session| {
        let mut chosen: Vec<Backup> = Vec::new();
        for id in &backups {
            let backup = named(&session.store, id).await?;
            if backup.pinned {
                let next = format!("let go of it first: styrmin backup unpin {id}");
                return Err(Problem::new(format!("{id} is not deleted"), "it is pinned", next).into());
            }
            chosen.push(backup);
        }
        let requests = deletions(&session.store, &chosen, even_the_last).await?;
        let job = |request: crate::domain::backup::PruneRequest| {
            Job::new(request.location.clone(), Intent::Prune(request))
        };
        Ok(requests.into_iter().map(job).collect())
    })
}
