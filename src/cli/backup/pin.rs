//! `styrmin backup pin` and `unpin`.

use clap::Args;

use crate::app::{self, backups, keeping};
use crate::cli::driver::remark;
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::State;

/// Arguments of `backup pin` and `unpin`.
#[derive(Debug, Args)]
pub struct PinArguments {
    /// The backups
    #[arg(value_name = "BACKUP", required = true)]
    backups: Vec<String>,
    #[command(flatten)]
    state: State,
}

pub(super) fn run(arguments: &PinArguments, pinned: bool) -> Result<Ending, Refusal> {
    let store = arguments.state.open()?;
    app::block_on(async {
        for id in &arguments.backups {
            let backup = backups::named(&store, id).await?;
            remark(&keeping::pin(&store, &backup.id, pinned).await?);
        }
        Ok::<(), crate::domain::Problem>(())
    })?;
    Ok(Ending::Well)
}
