//! `styrmin location assign` and `remove`.

use clap::Args;

use crate::app::backups::locations::{Ground, assign as assign_to};
use crate::app::{self, Look};
use crate::cli::arguments::Place;
use crate::cli::driver::remark;
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::{State, Which};
use crate::domain::backup::Location;

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
    place: Place,
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

pub(super) fn remove(arguments: RemoveArguments) -> Result<Ending, Refusal> {
    let RemoveArguments { name, place } = arguments;
    let options = place.into_options(Look::default());
    let count = app::block_on(async {
        // Velero has schedules there
        let is_velero = |location: &Location| location.name == name && location.is_velero();
        let ground = Ground::open(&options, is_velero).await?;
        let count = ground.remove(&name).await;
        ground.close().await;
        count
    })?;
    remark(&format!("{name} is removed; nothing in it was touched, and its key stays where it is"));
    if count > 0 {
        remark(&format!("its {count} backups come back when it is added again and scanned; pins do not"));
    }
    Ok(Ending::Well)
}
