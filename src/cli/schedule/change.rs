//! `styrmin schedule pause`, `resume`, `remove` and `run`.

use clap::Args;

use super::list::about;
use crate::app::backups::schedules;
use crate::app::{self, keeping};
use crate::cli::carry::{Carry, Job};
use crate::cli::driver::remark;
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::State;
use crate::domain::backup::Pause;
use crate::domain::{Clock, Problem, SystemClock};

/// Arguments of `schedule pause`.
#[derive(Debug, Args)]
pub struct PauseArguments {
    /// The schedule
    #[arg(value_name = "NAME")]
    name: String,
    /// Why, for those who look at it later
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    #[command(flatten)]
    state: State,
}

/// Arguments of `schedule resume`.
#[derive(Debug, Args)]
pub struct ResumeArguments {
    /// The schedule
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    state: State,
}

/// Arguments of `schedule remove`.
#[derive(Debug, Args)]
pub struct RemoveArguments {
    /// The schedule
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    state: State,
}

/// Arguments of `schedule run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The schedule
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    carry: Carry,
}

pub(super) fn pause(arguments: &PauseArguments) -> Result<Ending, Refusal> {
    let pause =
        Pause { by: app::session::whoami(), since: SystemClock.now(), reason: arguments.reason.clone() };
    set(&arguments.state, &arguments.name, Some(pause))
}

pub(super) fn resume(arguments: &ResumeArguments) -> Result<Ending, Refusal> {
    set(&arguments.state, &arguments.name, None)
}

fn set(state: &State, name: &str, pause: Option<Pause>) -> Result<Ending, Refusal> {
    let store = state.open()?;
    let told = app::block_on(async {
        let schedule = schedules::named(&store, name).await?.schedule;
        keeping::pause(&store, (&schedule.cluster, name), pause, SystemClock.now()).await
    })?;
    remark(&told);
    Ok(Ending::Well)
}

pub(super) fn remove(arguments: &RemoveArguments) -> Result<Ending, Refusal> {
    let store = arguments.state.open()?;
    app::block_on(async {
        let schedule = schedules::named(&store, &arguments.name).await?.schedule;
        store.forget_schedule(&schedule.cluster, &schedule.name).await.map_err(Problem::from)
    })?;
    remark(&format!(
        "{} is removed; its backups stay, and nothing deletes them by itself any more",
        arguments.name
    ));
    Ok(Ending::Well)
}

pub(super) fn run(arguments: RunArguments) -> Result<Ending, Refusal> {
    let name = arguments.name;
    arguments.carry.out(async |session| {
        let cluster = session.cluster.name();
        let found = session.store.schedule(cluster, &name).await.map_err(Problem::from)?;
        let Some(schedule) = found else {
            let what = format!("There is no schedule {name} on {cluster}");
            return Err(Problem::new(what, "", "see styrmin schedule list").into());
        };
        let (intent, run) = schedules::by_hand(&session.store, &schedule).await?;
        Ok(vec![Job { run: Some(run), ..Job::new(about(&schedule), intent) }])
    })
}
