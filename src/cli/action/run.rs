//! `styrmin action run`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::answers::{Given, request};
use super::list::among;
use super::print::Printer;
use super::{Ending, Refusal, typed, usage};
use crate::app::Look;
use crate::app::actions::{End, Offer, begin, follow, offers};
use crate::app::attended::{Attended, Interrupts, wait_for};
use crate::cli::arguments::Place;
use crate::cli::carry::confirmed;
use crate::cli::driver::{parameter, remark};
use crate::domain::{Intent, OperationState, Plan, Problem, suggest};

/// Arguments of `action run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The action, as `styrmin action list` names it
    #[arg(value_name = "ACTION")]
    action: String,
    /// The deployments to run it on, one after the other
    #[arg(value_name = "DEPLOYMENT", required_unless_present = "all", conflicts_with = "all")]
    deployments: Vec<String>,
    /// Run it on every deployment whose driver has it
    #[arg(long)]
    all: bool,
    /// Only deployments in this environment
    #[arg(short = 'e', long, value_name = "NAME")]
    environment: Option<String>,
    /// An answer to a prompt (repeatable)
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parameter)]
    set: Vec<(String, Value)>,
    /// Ask for a secret prompt on the terminal, or read a line of standard input for it (repeatable)
    #[arg(long = "secret", value_name = "NAME")]
    secrets: Vec<String>,
    /// Read a secret prompt from a file (repeatable)
    #[arg(long = "secret-file", value_name = "NAME=FILE", value_parser = secret_file)]
    secret_files: Vec<(String, PathBuf)>,
    /// Show what it would call, as if every call went well, and do none of it
    #[arg(long, conflicts_with_all = ["yes", "detach"])]
    dry_run: bool,
    /// Do not ask for a confirmation
    #[arg(short = 'y', long)]
    yes: bool,
    /// Print one JSON object per line, for programs
    #[arg(long)]
    json: bool,
    /// Record it and leave: whoever runs the engine carries it out
    #[arg(long)]
    detach: bool,
    #[command(flatten)]
    place: Place,
}

/// `NAME=FILE`, for a secret.
fn secret_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.trim().is_empty() && !path.is_empty() => {
            Ok((name.trim().to_owned(), PathBuf::from(path)))
        }
        _ => Err("expected NAME=FILE".to_owned()),
    }
}

/// One deployment to run the action on.
struct Job {
    /// `notes in demo`.
    about: String,
    intent: Intent,
    plan: Plan,
}

pub(super) fn run(arguments: RunArguments) -> Result<Ending, Refusal> {
    if !arguments.yes && !arguments.dry_run && !std::io::stdin().is_terminal() {
        let why = "standard input is no terminal";
        return Err(usage("Nobody can confirm the plan", why, "run it on a terminal, or give --yes"));
    }
    let RunArguments { dry_run, yes, json, detach, .. } = arguments;
    let how = How { dry_run, yes, json, detach };
    let Some(typed) = typed::read(&arguments.secrets, &arguments.secret_files)? else {
        return Ok(Ending::Cancelled);
    };
    let RunArguments { action, deployments, all, environment, set, .. } = arguments;
    let wanted = Wanted { action, deployments, all, environment, given: Given { set, typed } };
    let options = arguments.place.into_options(Look::default());
    wait_for(async {
        let mut interrupts = Interrupts::new()?;
        let attended = Attended::open(&options).await?;
        let done = carry_out(&attended, &wanted, &how, &mut interrupts).await;
        attended.close().await;
        Ok(done)
    })?
}

/// What is to be run, where, and with which answers.
struct Wanted {
    action: String,
    deployments: Vec<String>,
    all: bool,
    environment: Option<String>,
    given: Given,
}

/// How it is to be gone about.
#[derive(Debug, Clone, Copy)]
struct How {
    dry_run: bool,
    yes: bool,
    json: bool,
    detach: bool,
}

async fn carry_out(
    attended: &Attended,
    wanted: &Wanted,
    how: &How,
    interrupts: &mut Interrupts,
) -> Result<Ending, Refusal> {
    let session = &attended.session;
    let mut printer = Printer::new(how.json);
    let offers = offers(&session.store, Some(session.cluster.name())).await?;
    let mut jobs = Vec::new();
    // everything is looked at before anything is done
    for (about, intent) in intents(&offers, wanted)? {
        printer.turn_to(&about);
        if how.dry_run {
            printer.rehearsed(&session.engine.rehearse(&intent).await?);
            continue;
        }
        let plan = session.engine.preview(&intent).await?.plan;
        printer.plan(&plan);
        jobs.push(Job { about, intent, plan });
    }
    if how.dry_run {
        return Ok(Ending::Well);
    }
    if !how.yes && !confirmed(jobs.len(), interrupts).await {
        remark("nothing was done");
        return Ok(Ending::Cancelled);
    }
    let mut endings = Vec::new();
    for job in &jobs {
        printer.turn_to(&job.about);
        let ending = one(attended, job, how, (&mut printer, &mut *interrupts)).await;
        let ending = ending.unwrap_or_else(|problem| {
            printer.problem("failed", &problem);
            Ending::Failed
        });
        endings.push(ending);
        if ending == Ending::Cancelled {
            break;
        }
    }
    if jobs.len() > 1 {
        remark(&summary(&endings, jobs.len()));
    }
    Ok(endings.into_iter().max().unwrap_or(Ending::Well))
}

/// Runs the action on one deployment.
async fn one(
    attended: &Attended,
    job: &Job,
    how: &How,
    (printer, interrupts): (&mut Printer, &mut Interrupts),
) -> Result<Ending, Problem> {
    let id = begin(&attended.session, &job.intent, &job.plan).await?;
    printer.recorded(id);
    if how.detach {
        return Ok(Ending::Well);
    }
    match follow(&attended.session, id, interrupts, |news| printer.news(news)).await? {
        End::Left => {
            remark(&format!("operation {id} is left alone: whoever runs the engine goes on with it"));
            Ok(Ending::Cancelled)
        }
        End::Ended(view) => {
            printer.ended(&view);
            Ok(match view.operation.state {
                OperationState::Succeeded => Ending::Well,
                OperationState::Cancelled => Ending::Cancelled,
                _ => Ending::Failed,
            })
        }
    }
}

fn summary(endings: &[Ending], all: usize) -> String {
    let count = |wanted| endings.iter().filter(|ending| **ending == wanted).count();
    let parts = [
        (count(Ending::Well), "succeeded"),
        (count(Ending::Failed), "failed"),
        (count(Ending::Cancelled), "cancelled"),
        (all - endings.len(), "not begun"),
    ];
    let told = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    format!("{all} deployments: {}", told.collect::<Vec<_>>().join(", "))
}

/// What is wanted of each deployment, by what is recorded.
fn intents(offers: &[Offer], wanted: &Wanted) -> Result<Vec<(String, Intent)>, Refusal> {
    let mut intents = Vec::new();
    for offer in targets(offers, wanted)? {
        let draft = &offer.deployment.draft;
        let Some(action) = offer.action(&wanted.action) else {
            let manual = offer.actions.iter().filter(|action| action.hook.is_none());
            let hint = suggest::hint(&wanted.action, manual.map(|action| action.name.as_str()));
            let what = format!("{} has no action {} to be started", draft.driver, wanted.action);
            return Err(usage(what, hint, format!("see styrmin action list {}", draft.name)));
        };
        let request = request(action, &wanted.given)?;
        let about = format!("{} in {}", draft.name, draft.environment);
        intents.push((about, Intent::Act(offer.deployment.id, request)));
    }
    Ok(intents)
}

/// The deployments that are meant.
fn targets<'a>(offers: &'a [Offer], wanted: &Wanted) -> Result<Vec<&'a Offer>, Refusal> {
    let here = |offer: &&Offer| {
        wanted.environment.as_ref().is_none_or(|name| *name == offer.deployment.draft.environment)
    };
    if wanted.all {
        let found: Vec<&Offer> =
            offers.iter().filter(here).filter(|offer| offer.action(&wanted.action).is_some()).collect();
        if found.is_empty() {
            let what = format!("No deployment has an action {} to be started", wanted.action);
            return Err(usage(what, among(offers), "see styrmin action list"));
        }
        return Ok(found);
    }
    let mut found: Vec<&Offer> = Vec::new();
    for name in &wanted.deployments {
        let named: Vec<&Offer> =
            offers.iter().filter(here).filter(|offer| offer.deployment.draft.name == *name).collect();
        match named.as_slice() {
            [one] if found.iter().any(|known| known.deployment.id == one.deployment.id) => {}
            [one] => found.push(one),
            [] => {
                return Err(usage(
                    format!("There is no deployment {name}"),
                    among(offers),
                    "name one of those",
                ));
            }
            [..] => {
                let why = among(&named.into_iter().cloned().collect::<Vec<_>>());
                return Err(usage(format!("Which {name} is meant?"), why, "say so with -e ENVIRONMENT"));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
