//! `styrmin schedule add`.

use clap::{Args, ValueEnum};

use super::list::{text, value};
use crate::app;
use crate::app::backups::{retention, schedules};
use crate::cli::carry::amount;
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::{Output, State, Which};
use crate::domain::backup::{Depth, Missed, Schedule};
use crate::domain::{Clock, Problem, SystemClock};

/// Arguments of `schedule add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// The environment whose applications are backed up
    #[arg(short = 'e', long, value_name = "NAME")]
    environment: String,
    /// Only this application
    #[arg(short = 'a', long, value_name = "NAME")]
    application: Option<String>,
    /// When: minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly, @monthly
    #[arg(long, value_name = "EXPRESSION")]
    cron: String,
    /// The time zone that this is in, by its IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// Put each run off by up to so long, always the same for a run: 90s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = amount::seconds)]
    jitter: u32,
    /// What is done about runs whose time passed while nobody ran the engine
    #[arg(long, value_name = "WHAT", default_value = "skip")]
    missed: MissedChoice,
    /// What is kept of its backups: last=3,hourly=24,daily=7,weekly=4,monthly=12 [default: everything]
    ///
    /// Only complete backups without a fault count. The newest good copy of every component stays in any case, and so do
    /// pinned backups.
    #[arg(long, value_name = "RULE", value_parser = |text: &str| retention::parse(text).map_err(|problem| problem.why))]
    keep: Option<crate::domain::backup::Retention>,
    /// How thoroughly each backup is verified after it was made [default: not at all]
    #[arg(long, value_name = "DEPTH")]
    verify: Option<DepthChoice>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MissedChoice {
    /// Nothing: the next one comes in its time
    Skip,
    /// One is made as soon as it can be, however many were missed
    Once,
}

/// How thoroughly.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DepthChoice {
    /// Everything that it needs is there
    Quick,
    /// All of its data is read back
    Full,
    /// It is restored into an environment of its own
    Drill,
}

pub(super) fn run(arguments: AddArguments) -> Result<Ending, Refusal> {
    let store = arguments.state.open()?;
    let wait = async {
        let cluster = arguments.which.cluster_of(&store, &arguments.environment).await?;
        let schedule = Schedule {
            name: arguments.name,
            cluster,
            environment: arguments.environment,
            application: arguments.application,
            cron: arguments.cron,
            time_zone: arguments.time_zone,
            jitter: arguments.jitter,
            missed: match arguments.missed {
                MissedChoice::Skip => Missed::Skip,
                MissedChoice::Once => Missed::Once,
            },
            retention: arguments.keep,
            verify: arguments.verify.map(|depth| match depth {
                DepthChoice::Quick => Depth::Quick,
                DepthChoice::Full => Depth::Full,
                DepthChoice::Drill => Depth::Drill,
            }),
            paused: None,
            created: SystemClock.now(),
        };
        Ok::<_, Refusal>(schedules::add(&store, &schedule).await?)
    };
    let view = app::block_on(wait)?;
    let views = [view];
    arguments
        .output
        .print(&views.iter().map(value).collect(), || text(&views))
        .map_err(Problem::into)
        .map(|()| Ending::Well)
}
