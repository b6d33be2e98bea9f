//! `styrmin location assign` and `remove`.

use clap::Args;

use crate::app;
use crate::app::backups::locations::{assign as assign_to, remove as forget};
use crate::cli::driver::remark;
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::{State, Which};

/// Arguments of `location assign`.
#[derive(Debug, Args)]
pub struct AssignArguments {
    /// The location
    #[arg(value_name = "NAME")]
    name: String,
    /// The environment
    #[arg(short = 'e', long, value_name = "NAME")]
    environment: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    state: State,
}

/// Arguments of `location remove`.
#[derive(Debug, Args)]
pub struct RemoveArguments {
    /// The location
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    state: State,
}

pub(super) fn assign(arguments: &AssignArguments) -> Result<Ending, Refusal> {
    let AssignArguments { name, environment, which, state } = arguments;
    let store = state.open()?;
    app::block_on(async {
        let cluster = which.cluster_of(&store, environment).await?;
        Ok::<(), Refusal>(assign_to(&store, name, &cluster, environment).await?)
    })?;
    remark(&format!("{environment} is backed up to {name} from now on"));
    Ok(Ending::Well)
}

pub(super) fn remove(arguments: &RemoveArguments) -> Result<Ending, Refusal> {
    let store = arguments.state.open()?;
    let count = app::block_on(async { forget(&store, &arguments.name).await })?;
    remark(&format!(
        "{} is removed; nothing in it was touched, and its key stays where it is",
        arguments.name
    ));
    if count > 0 {
        remark(&format!("its {count} backups come back when it is added again and scanned; pins do not"));
    }
    Ok(Ending::Well)
}
