//! `styrmin environment create`, `set` and `remove`.

use clap::Args;

use super::said::Said;
use crate::cli::carry::{How, Job};
use crate::cli::ending::{Ending, Refusal, usage};
use crate::cli::records::Which;
use crate::domain::{Environment, Intent, Problem};

/// Arguments of `environment create`.
#[derive(Debug, Args)]
pub struct CreateArguments {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// The namespace of its applications [default: its name]
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    said: Said,
    #[command(flatten)]
    how: How,
}

/// Arguments of `environment set`.
#[derive(Debug, Args)]
pub struct SetArguments {
    /// The environment
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    said: Said,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

/// Arguments of `environment remove`.
#[derive(Debug, Args)]
pub struct RemoveArguments {
    /// The environment
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

pub(super) fn create(arguments: CreateArguments) -> Result<Ending, Refusal> {
    let CreateArguments { name, namespace, said, how } = arguments;
    how.into_carry().out(async |session| {
        let cluster = session.cluster.name();
        if session.store.environment(cluster, &name).await.map_err(Problem::from)?.is_some() {
            let next = format!("change it: styrmin environment set {name} …");
            return Err(usage(
                format!("There is an environment {name} already"),
                format!("it is on {cluster}"),
                next,
            ));
        }
        let mut environment = Environment::new(&name, cluster, namespace.as_deref().unwrap_or(&name));
        said.apply(&mut environment)?;
        Ok(vec![Job::new(name, Intent::SetEnvironment(Box::new(environment)))])
    })
}

pub(super) fn set(arguments: SetArguments) -> Result<Ending, Refusal> {
    let SetArguments { name, said, which, how } = arguments;
    how.into_carry().out(async |session| {
        let cluster = session.cluster.name();
        which.check_connected(&session.store, cluster, &name).await?;
        let known = session.store.environment(cluster, &name).await.map_err(Problem::from)?;
        let mut environment = known.ok_or_else(|| gone(&name))?;
        said.apply(&mut environment)?;
        Ok(vec![Job::new(name, Intent::SetEnvironment(Box::new(environment)))])
    })
}

pub(super) fn remove(arguments: RemoveArguments) -> Result<Ending, Refusal> {
    let RemoveArguments { name, which, how } = arguments;
    how.into_carry().out(async |session| {
        which.check_connected(&session.store, session.cluster.name(), &name).await?;
        Ok(vec![Job::new(name.clone(), Intent::RemoveEnvironment(name))])
    })
}

fn gone(name: &str) -> Problem {
    Problem::new(format!("There is no environment {name}"), "it was removed just now", "make it again")
}
