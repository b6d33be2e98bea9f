//! `styrmin action list`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Refusal, usage};
use crate::app;
use crate::app::actions::{Offer, offers};
use crate::cli::driver::{document, say, table};
use crate::domain::OperationView;
use crate::domain::driver::{ActionSpec, Mode, ParameterSpec};

/// Arguments of `action list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Only those of this deployment
    #[arg(value_name = "DEPLOYMENT")]
    deployment: Option<String>,
    /// Only those in this environment
    #[arg(short = 'e', long, value_name = "NAME")]
    environment: Option<String>,
    /// Where records are kept [default: $XDG_STATE_HOME/styrmin]
    #[arg(long, value_name = "DIR", env = "STYRMIN_STATE_DIR")]
    state_dir: Option<PathBuf>,
    /// The form of the answer
    #[arg(short = 'o', long = "output", value_name = "FORM", default_value = "text")]
    form: ListForm,
}

/// A form of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListForm {
    /// For people
    Text,
    /// For programs
    Json,
    /// For programs and people
    Yaml,
}

pub(super) fn run(arguments: &ListArguments) -> Result<(), Refusal> {
    let store = app::attended::records(arguments.state_dir.as_deref())?;
    let all = app::block_on(async { offers(&store, None).await })?;
    let wanted = |offer: &&Offer| {
        let draft = &offer.deployment.draft;
        arguments.deployment.as_ref().is_none_or(|name| *name == draft.name)
            && arguments.environment.as_ref().is_none_or(|name| *name == draft.environment)
    };
    let shown: Vec<&Offer> = all.iter().filter(wanted).collect();
    if shown.is_empty() && arguments.deployment.is_some() {
        let name = arguments.deployment.clone().unwrap_or_default();
        return Err(usage(format!("There is no deployment {name}"), among(&all), "name one of those"));
    }
    let value: Value = shown.iter().flat_map(|offer| values(offer)).collect();
    Ok(match arguments.form {
        ListForm::Text => say(&text(&shown)),
        ListForm::Json => say(&format!("{value:#}\n")),
        ListForm::Yaml => say(&document(&value)),
    }?)
}

/// The deployments that there are, in a sentence.
pub(super) fn among(offers: &[Offer]) -> String {
    let names: Vec<String> = offers
        .iter()
        .map(|offer| format!("{} in {}", offer.deployment.draft.name, offer.deployment.draft.environment))
        .collect();
    if names.is_empty() {
        "none is recorded here".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    }
}

fn values(offer: &Offer) -> impl Iterator<Item = Value> {
    offer.actions.iter().map(|action| {
        let draft = &offer.deployment.draft;
        let last = offer.last(&action.name).map(|view| &view.operation);
        json!({
            "cluster": offer.cluster,
            "environment": draft.environment,
            "deployment": draft.name,
            "driver": draft.driver,
            "action": action.name,
            "description": action.description,
            "hook": action.hook.map(|hook| hook.as_str()),
            "mode": action.hook.map(|_| action.mode.unwrap_or(Mode::Core).as_str()),
            "after": action.after,
            "prompts": action.prompts,
            "last": last.map(|last| json!({
                "operation": last.id,
                "state": last.state.as_str(),
                "started": last.times.started,
                "ended": last.times.ended,
                "actor": last.origin.actor,
            })),
        })
    })
}

fn text(offers: &[&Offer]) -> String {
    let heads =
        ["ENVIRONMENT", "DEPLOYMENT", "ACTION", "WHEN", "LAST", "ASKS FOR"].map(str::to_owned).to_vec();
    let rows = offers.iter().flat_map(|offer| {
        offer.actions.iter().map(|action| {
            let draft = &offer.deployment.draft;
            vec![
                draft.environment.clone(),
                draft.name.clone(),
                action.name.clone(),
                when(action),
                offer.last(&action.name).map_or_else(|| "-".to_owned(), last),
                asks(action),
            ]
        })
    });
    table(&std::iter::once(heads).chain(rows).collect::<Vec<_>>())
}

fn when(action: &ActionSpec) -> String {
    match action.hook {
        None => "manual".to_owned(),
        Some(hook) => format!("{} {}", hook.as_str(), action.mode.unwrap_or(Mode::Core).as_str()),
    }
}

fn last(view: &OperationView) -> String {
    let operation = &view.operation;
    let at = operation.times.ended.unwrap_or(operation.times.created);
    format!("{} {}", operation.state.as_str(), at.strftime("%Y-%m-%d %H:%M"))
}

fn asks(action: &ActionSpec) -> String {
    let one = |spec: &ParameterSpec| {
        format!("{}:{}{}", spec.name, spec.kind.as_str(), if spec.default.is_some() { "?" } else { "" })
    };
    action.prompts.iter().map(one).collect::<Vec<_>>().join(" ")
}
