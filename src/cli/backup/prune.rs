//! `styrmin backup prune`.

use clap::Args;
use serde_json::{Value, json};

use crate::app;
use crate::app::backups::retained::{Scope, Weighed, weigh};
use crate::app::backups::{Store, retention};
use crate::cli::carry::amount::moment;
use crate::cli::carry::{Carry, Job};
use crate::cli::driver::{say, table};
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::{Form, State, Which};
use crate::domain::Intent;
use crate::domain::backup::Retention;

/// Arguments of `backup prune`.
#[derive(Debug, Args)]
pub struct PruneArguments {
    /// The environment, or one application of it
    #[arg(value_name = "ENVIRONMENT[/APPLICATION]")]
    of: String,
    /// What is kept, instead of what the schedules say, of all backups: last=3,daily=7
    #[arg(long, value_name = "RULE", value_parser = |text: &str| retention::parse(text).map_err(|problem| problem.why))]
    keep: Option<Retention>,
    /// The time zone of the days of --keep
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// Show what would be deleted, and why the rest stays; delete nothing
    #[arg(long, conflicts_with_all = ["yes", "detach"])]
    dry_run: bool,
    /// The form of the list of --dry-run
    #[arg(short = 'o', long = "output", value_name = "FORM", default_value = "text")]
    form: Form,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    carry: Carry,
}

pub(super) fn run(arguments: PruneArguments) -> Result<Ending, Refusal> {
    let PruneArguments { of, keep, time_zone, dry_run, form, which, carry } = arguments;
    let (environment, application) = match of.split_once('/') {
        Some((environment, application)) => (environment, Some(application)),
        None => (of.as_str(), None),
    };
    let given = keep.map(|keep| (keep, time_zone.as_str()));
    if dry_run {
        let state = State { state_dir: carry.state_dir() };
        let store = state.open()?;
        let weighed = app::block_on(async {
            let cluster = which.cluster_of(&store, environment).await?;
            let scope = Scope { cluster: &cluster, environment, application };
            Ok::<_, Refusal>(weigh(&store, scope, given).await?)
        })?;
        crate::cli::records::Output { form }.print(&value(&weighed), || text(&weighed))?;
        return Ok(Ending::Well);
    }
    let quiet = carry.is_for_programs();
    carry.out(async |session| {
        let store: &Store = &session.store;
        which.check_connected(store, session.cluster.name(), environment).await?;
        let scope = Scope { cluster: session.cluster.name(), environment, application };
        let weighed = weigh(store, scope, given).await?;
        if !quiet {
            say(&text(&weighed))?;
        }
        let requests = weighed.iter().flat_map(Weighed::requests);
        Ok(requests.map(|request| Job::new(request.location.clone(), Intent::Prune(request))).collect())
    })
}

fn value(weighed: &[Weighed]) -> Value {
    let verdicts = weighed.iter().flat_map(|one| {
        one.backups.iter().map(|(backup, verdict)| {
            json!({
                "schedule": one.schedule,
                "keep": retention::written(&one.retention),
                "backup": backup.id,
                "application": backup.source.application,
                "created": backup.created,
                "state": backup.word(),
                "stays": verdict.stays(),
                "why": verdict.whys.iter().map(|why| why.as_str()).collect::<Vec<_>>(),
            })
        })
    });
    verdicts.collect()
}

fn text(weighed: &[Weighed]) -> String {
    let mut said = String::new();
    for one in weighed {
        let whose = one.schedule.as_ref().map_or("given".to_owned(), |name| format!("schedule {name}"));
        let gone = one.backups.iter().filter(|(_, verdict)| !verdict.stays()).count();
        said += &format!(
            "{whose} keeps {}: {gone} of {} backups go\n",
            retention::written(&one.retention),
            one.backups.len()
        );
        let heads = ["", "BACKUP", "MADE", "STATE", "WHY"].map(str::to_owned).to_vec();
        let rows = one.backups.iter().map(|(backup, verdict)| {
            let why: Vec<&str> = verdict.whys.iter().map(|why| why.as_str()).collect();
            vec![
                if verdict.stays() { "stays" } else { "goes" }.to_owned(),
                backup.id.0.clone(),
                moment(backup.created),
                backup.word().to_owned(),
                why.join(", "),
            ]
        });
        said += &table(&std::iter::once(heads).chain(rows).collect::<Vec<_>>());
    }
    said
}
