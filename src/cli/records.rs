//! Commands that only read or write the records: where those are, and the form of the answer.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::driver::{document, say};
use super::ending::{Refusal, usage};
use crate::app;
use crate::app::backups::Store;
use crate::domain::Problem;

/// Where the records are.
#[derive(Debug, Args)]
pub struct State {
    /// Where records are kept [default: $XDG_STATE_HOME/styrmin]
    #[arg(long, value_name = "DIR", env = "STYRMIN_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
}

impl State {
    /// Opens them.
    pub fn open(&self) -> Result<Store, Problem> {
        app::attended::records(self.state_dir.as_deref())
    }
}

/// A form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people
    Text,
    /// For programs
    Json,
    /// For programs and people
    Yaml,
}

/// The form of an answer.
#[derive(Debug, Args)]
pub struct Output {
    /// The form of the answer
    #[arg(short = 'o', long = "output", value_name = "FORM", default_value = "text")]
    pub form: Form,
}

impl Output {
    /// Prints an answer in the form that was asked for.
    pub fn print(&self, value: &Value, text: impl FnOnce() -> String) -> Result<(), Problem> {
        match self.form {
            Form::Text => say(&text()),
            Form::Json => say(&format!("{value:#}\n")),
            Form::Yaml => say(&document(value)),
        }
    }
}

/// The form of an answer, with the short word for programs.
#[derive(Debug, Args)]
pub struct Json {
    #[command(flatten)]
    output: Output,
    /// The same as -o json
    #[arg(long, conflicts_with = "form")]
    json: bool,
}

impl Json {
    /// Prints an answer in the form that was asked for.
    pub fn print(&self, value: &Value, text: impl FnOnce() -> String) -> Result<(), Problem> {
        let form = if self.json { Form::Json } else { self.output.form };
        Output { form }.print(value, text)
    }
}

/// Which cluster is meant where several are recorded.
#[derive(Debug, Args)]
pub struct Which {
    /// The cluster, where several have an environment of that name
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
}

impl Which {
    /// Whether the cluster that is connected is meant, and has this environment.
    pub async fn check_connected(
        &self,
        store: &Store,
        connected: &str,
        environment: &str,
    ) -> Result<(), Refusal> {
        if let Some(wanted) = self.cluster.as_ref().filter(|wanted| *wanted != connected) {
            let why = format!("the cluster that is connected is {connected}");
            let next = "choose its context with --context, or leave --cluster out";
            return Err(usage(format!("{wanted} is not connected"), why, next));
        }
        let here = Self { cluster: Some(connected.to_owned()) };
        here.cluster_of(store, environment).await.map(drop)
    }

    /// The cluster that has this environment.
    pub async fn cluster_of(&self, store: &Store, environment: &str) -> Result<String, Refusal> {
        let (mut found, mut all) = (Vec::new(), Vec::new());
        for record in store.clusters().await.map_err(Problem::from)? {
            if self.cluster.as_ref().is_some_and(|wanted| *wanted != record.name) {
                continue;
            }
            for known in store.environments(&record.name).await.map_err(Problem::from)? {
                if known.name == environment {
                    found.push(record.name.clone());
                }
                all.push(format!("{} on {}", known.name, record.name));
            }
        }
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => {
                let why = match all.is_empty() {
                    true => "none is recorded here".to_owned(),
                    false => format!("there are {}", all.join(", ")),
                };
                Err(usage(format!("There is no environment {environment}"), why, "name one of those"))
            }
            [..] => {
                let why = format!("it is on {}", found.join(" and on "));
                Err(usage(format!("Which {environment} is meant?"), why, "say so with --cluster"))
            }
        }
    }
}
