//! `styrmin cluster …`: what is said of the clusters, and inherited by everything on them.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::carry::{How, Job};
use super::driver::table;
use super::ending::{self, Ending, Refusal, usage};
use super::records::{Json, State};
use crate::app;
use crate::domain::environment::domain;
use crate::domain::{ClusterRecord, Intent, Problem, suggest};

/// Arguments of `cluster`.
#[derive(Debug, Args)]
pub struct ClusterArguments {
    /// What to do.
    #[command(subcommand)]
    verb: ClusterVerb,
}

/// What can be done with clusters.
#[derive(Debug, Subcommand)]
enum ClusterVerb {
    /// Show what is said of the clusters that are recorded
    Show(ShowArguments),
    /// Change what is said of the cluster that is connected; all that is on it follows
    Set(Box<SetArguments>),
}

/// Arguments of `cluster show`.
#[derive(Debug, Args)]
struct ShowArguments {
    /// Only this one
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    form: Json,
}

/// Arguments of `cluster set`.
#[derive(Debug, Args)]
struct SetArguments {
    #[command(flatten)]
    said: Said,
    #[command(flatten)]
    how: How,
}

/// What can be said of a cluster: what is not named stays as it is.
#[derive(Debug, Args)]
struct Said {
    /// The domain of the host names of environments that name none
    #[arg(long, value_name = "DOMAIN", conflicts_with = "no_suffix")]
    suffix: Option<String>,
    /// None: without one of their own they have no host names
    #[arg(long)]
    no_suffix: bool,
    /// The storage class of volumes that name none
    #[arg(long, value_name = "NAME", conflicts_with = "no_storage_class")]
    storage_class: Option<String>,
    /// The cluster's default one
    #[arg(long)]
    no_storage_class: bool,
    /// The port at which its ingress answers to http, where it is another than 80; 80 for none
    #[arg(long = "http-port", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    http_port: Option<u16>,
    /// The same for https and 443
    #[arg(long = "https-port", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    https_port: Option<u16>,
}

impl Said {
    fn apply(self, record: &mut ClusterRecord) {
        if self.no_suffix || self.suffix.is_some() {
            record.fqdn_suffix = self.suffix;
        }
        if self.no_storage_class || self.storage_class.is_some() {
            record.storage_class = self.storage_class;
        }
        if let Some(port) = self.http_port {
            record.ingress_port = Some(port).filter(|port| *port != 80);
        }
        if let Some(port) = self.https_port {
            record.ingress_tls_port = Some(port).filter(|port| *port != 443);
        }
    }
}

/// Does what was asked for, and says how it ended.
pub fn run(arguments: ClusterArguments) -> ExitCode {
    ending::exit(match arguments.verb {
        ClusterVerb::Show(arguments) => show(&arguments),
        ClusterVerb::Set(arguments) => set(*arguments),
    })
}

fn show(arguments: &ShowArguments) -> Result<Ending, Refusal> {
    let store = arguments.state.open()?;
    let all = app::block_on(async { Ok::<_, Problem>(store.clusters().await?) })?;
    let chosen: Vec<&ClusterRecord> = match &arguments.name {
        None => all.iter().collect(),
        Some(name) => {
            let found: Vec<_> = all.iter().filter(|record| record.name == *name).collect();
            if found.is_empty() {
                let next = suggest::hint(name, all.iter().map(|record| record.name.as_str()));
                return Err(usage(format!("There is no cluster {name}"), "it is not recorded here", next));
            }
            found
        }
    };
    arguments.form.print(&json!(chosen), || {
        let heads = ["NAME", "KIND", "SUFFIX", "STORAGE", "HTTP", "HTTPS"].map(str::to_owned).to_vec();
        let rows = chosen.iter().map(|record| {
            vec![
                record.name.clone(),
                record.kind.as_str().to_owned(),
                domain(record.fqdn_suffix.as_deref()),
                record.storage_class.clone().unwrap_or_else(|| "the default class".to_owned()),
                record.ingress_port.unwrap_or(80).to_string(),
                record.ingress_tls_port.unwrap_or(443).to_string(),
            ]
        });
        table(&std::iter::once(heads).chain(rows).collect::<Vec<_>>())
    })?;
    Ok(Ending::Well)
}

fn set(arguments: SetArguments) -> Result<Ending, Refusal> {
    let SetArguments { said, how } = arguments;
    how.into_carry().out(async |session| {
        let name = session.cluster.name();
        let known = session.store.cluster(name).await.map_err(Problem::from)?;
        let mut record = known.ok_or_else(|| {
            Problem::new(
                format!("The cluster {name} is not recorded"),
                "its record was removed",
                "start again",
            )
        })?;
        said.apply(&mut record);
        Ok(vec![Job::new(name, Intent::SetCluster(Box::new(record)))])
    })
}
