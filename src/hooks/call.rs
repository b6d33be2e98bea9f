//! The calls, read and checked: what a performer gets.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::signature::{SIGNATURES, Signature, find};
use crate::domain::{SecretReference, suggest};

mod read;

use read::Arguments;

/// A call is not done: the function fails there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What happened.
    pub what: String,
    /// Why, or what there is instead.
    pub why: String,
}

impl Refusal {
    /// A refusal from its two parts.
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

/// A text that may be a secret: then only where it lies is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// Any other text.
    Plain(String),
    /// Resolved by whoever performs the call.
    Secret(SecretReference),
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Secret(_) => f.write_str("(secret)"),
        }
    }
}

/// What a function asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// Scale to zero, and wait until the pods are gone.
    StopComponents {
        /// None: all.
        components: Option<Vec<String>>,
        /// How long it is waited.
        timeout: Duration,
    },
    /// Scale to what it was, and wait until it is healthy.
    StartComponents {
        /// None: all.
        components: Option<Vec<String>>,
        /// How long it is waited.
        timeout: Duration,
    },
    /// Set the number of pods.
    Scale {
        /// The component.
        component: String,
        /// How many.
        replicas: u32,
    },
    /// Replace the pods, one after the other.
    Restart {
        /// None: all.
        components: Option<Vec<String>>,
    },
    /// Wait until all is healthy.
    WaitReady {
        /// None: all.
        components: Option<Vec<String>>,
        /// How long.
        timeout: Duration,
    },
    /// Run commands in a pod.
    ExecuteCommands(ExecuteCommands),
    /// Run a Job.
    RunJob(RunJob),
    /// Ask a service over HTTP.
    HttpCheck(HttpCheck),
    /// Set the application's version of the deployment.
    UpgradeDeploymentVersion {
        /// The version.
        version: String,
    },
    /// Make a backup.
    BackUp,
    /// Tell people something.
    Log {
        /// What.
        text: String,
    },
    /// Tell people how far it is.
    Progress {
        /// So much is done.
        done: f64,
        /// Of so much.
        total: Option<f64>,
        /// Of what.
        text: Option<String>,
    },
    /// Wait.
    Sleep {
        /// So long.
        time: Duration,
    },
    /// The present moment, as RFC 3339 text.
    Now,
    /// A whole number, 0 ≤ n < 2^53.
    Random,
}

/// `execute_commands`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecuteCommands {
    /// In a pod of this component.
    pub component: String,
    /// One after the other.
    pub commands: Vec<Vec<String>>,
    /// It was one list of words: the answer is one result and no list.
    pub single: bool,
    /// None: the pod's first.
    pub container: Option<String>,
    /// What each command reads.
    pub stdin: Option<Text>,
    /// Set beside the container's own variables, in the order of their names.
    pub env: Vec<(String, Text)>,
    /// None: the container's own.
    pub cwd: Option<String>,
    /// For each command.
    pub timeout: Duration,
    /// An exit code other than 0 lets the function fail.
    pub check: bool,
    /// May be done twice.
    pub idempotent: bool,
}

/// `run_job`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunJob {
    /// A part of the Job's name.
    pub name: String,
    /// The program and its first words.
    pub command: Vec<String>,
    /// With the image, variables and volumes of this component.
    pub component: Option<String>,
    /// With this image.
    pub image: Option<String>,
    /// More words.
    pub args: Vec<String>,
    /// In the order of their names.
    pub env: Vec<(String, Text)>,
    /// How long it may run.
    pub timeout: Duration,
    /// Its failure lets the function fail.
    pub check: bool,
}

/// `http_check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCheck {
    /// The service.
    pub service: String,
    /// Begins with `/`.
    pub path: String,
    /// The status that is wanted.
    pub status: u16,
    /// What the body must contain.
    pub contains: Option<String>,
    /// How long it is tried.
    pub timeout: Duration,
}

impl Call {
    /// Reads a call as it came from a child, which may be anything.
    ///
    /// # Errors
    /// When there is no such primitive, or not with these arguments.
    pub fn read(name: &str, arguments: &Map<String, Value>) -> Result<Self, Refusal> {
        let Some(signature) = find(name) else {
            let hint = suggest::hint(name, SIGNATURES.iter().map(|signature| signature.name));
            return Err(Refusal::new(format!("there is no primitive '{name}'"), hint));
        };
        let given = Arguments::new(signature, arguments)?;
        let call = match signature.name {
            "execute_commands" => Self::ExecuteCommands(execute_commands(&given)?),
            "run_job" => Self::RunJob(run_job(&given)?),
            "http_check" => Self::HttpCheck(http_check(&given)?),
            _ => Self::read_short(signature, &given)?,
        };
        Ok(call)
    }

    fn read_short(signature: &Signature, given: &Arguments<'_>) -> Result<Self, Refusal> {
        let one = || Ok::<_, Refusal>(Some(vec![given.name("component")?]));
        let waited = || given.seconds("timeout", 300);
        Ok(match signature.name {
            "stop_components" => {
                Self::StopComponents { components: given.names("components")?, timeout: waited()? }
            }
            "stop_component" => Self::StopComponents { components: one()?, timeout: waited()? },
            "start_components" => {
                Self::StartComponents { components: given.names("components")?, timeout: waited()? }
            }
            "start_component" => Self::StartComponents { components: one()?, timeout: waited()? },
            "scale" => {
                Self::Scale { component: given.name("component")?, replicas: given.replicas("replicas")? }
            }
            "restart" => Self::Restart { components: given.names("components")? },
            "wait_ready" => Self::WaitReady { components: given.names("components")?, timeout: waited()? },
            "upgrade_deployment_version" => {
                Self::UpgradeDeploymentVersion { version: given.name("version")? }
            }
            "back_up" => Self::BackUp,
            "log" => Self::Log { text: given.text("text")? },
            "progress" => Self::Progress {
                done: given.amount("done")?,
                total: given.has("total").then(|| given.amount("total")).transpose()?,
                text: given.optional_text("text")?,
            },
            "sleep" => Self::Sleep { time: given.seconds("seconds", 0)? },
            "now" => Self::Now,
            "random" => Self::Random,
            other => return Err(Refusal::new(format!("the primitive '{other}' is not there yet"), "")),
        })
    }

    /// How many bytes it adds to what people are told.
    pub fn told(&self) -> usize {
        match self {
            Self::Log { text } => text.len() + 1,
            Self::Progress { text, .. } => text.as_ref().map_or(0, String::len) + 16,
            _ => 0,
        }
    }
}

fn execute_commands(given: &Arguments<'_>) -> Result<ExecuteCommands, Refusal> {
    let (commands, single) = given.commands("commands")?;
    Ok(ExecuteCommands {
        component: given.name("component")?,
        commands,
        single,
        container: given.has("container").then(|| given.name("container")).transpose()?,
        stdin: given.has("stdin").then(|| given.text_or_secret("stdin")).transpose()?,
        env: given.env("env")?,
        cwd: given.has("cwd").then(|| given.name("cwd")).transpose()?,
        timeout: given.seconds("timeout", 300)?,
        check: given.flag("check", true)?,
        idempotent: given.flag("idempotent", false)?,
    })
}

fn run_job(given: &Arguments<'_>) -> Result<RunJob, Refusal> {
    let name = given.name("name")?;
    crate::domain::names::check_label("job", &name)
        .map_err(|problem| Refusal::new(problem.what, format!("{}; {}", problem.why, problem.next)))?;
    if !given.has("component") && !given.has("image") {
        let why = "give component = (its image, variables and volumes) or image =";
        return Err(given.wrong("it says neither which component nor which image", why));
    }
    Ok(RunJob {
        name,
        command: given.words("command")?,
        component: given.has("component").then(|| given.name("component")).transpose()?,
        image: given.has("image").then(|| given.name("image")).transpose()?,
        args: given.has("args").then(|| given.texts("args")).transpose()?.unwrap_or_default(),
        env: given.env("env")?,
        timeout: given.seconds("timeout", 600)?,
        check: given.flag("check", true)?,
    })
}

fn http_check(given: &Arguments<'_>) -> Result<HttpCheck, Refusal> {
    let path = given.optional_text("path")?.unwrap_or_else(|| "/".to_owned());
    if !path.starts_with('/') || path.chars().any(|c| c.is_control() || c == ' ') {
        return Err(given.wrong(format!("path is '{path}'"), "it must begin with / and have no spaces"));
    }
    if given.optional_text("method")?.is_some_and(|method| method != "GET") {
        return Err(given.wrong("only GET can be sent", ""));
    }
    let status = if given.has("status") { given.whole("status", 100, 599)? } else { 200 };
    Ok(HttpCheck {
        service: given.name("service")?,
        path,
        status: u16::try_from(status).unwrap_or(200),
        contains: given.optional_text("contains")?,
        timeout: given.seconds("timeout", 60)?,
    })
}

#[cfg(test)]
mod tests;
