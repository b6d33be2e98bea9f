//! `styrmin environment list` and `show`.

use clap::Args;
use serde_json::{Value, json};

use crate::app;
use crate::app::backups::Store;
use crate::cli::driver::table;
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::{Json, State, Which};
use crate::domain::environment::{answers, tls, told};
use crate::domain::{ClusterRecord, Deployment, Environment, Problem};

/// Arguments of `environment list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    form: Json,
}

/// Arguments of `environment show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The environment
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    form: Json,
}

/// An environment with what it inherits and what is in it.
struct Seen {
    environment: Environment,
    cluster: ClusterRecord,
    applications: Vec<Deployment>,
}

pub(super) fn list(arguments: &ListArguments) -> Result<Ending, Refusal> {
    let store = arguments.state.open()?;
    let seen = app::block_on(async { read(&store).await })?;
    arguments.form.print(&seen.iter().map(value).collect(), || overview(&seen))?;
    Ok(Ending::Well)
}

pub(super) fn show(arguments: &ShowArguments) -> Result<Ending, Refusal> {
    let store = arguments.state.open()?;
    let seen = app::block_on(async {
        let cluster = arguments.which.cluster_of(&store, &arguments.name).await?;
        let all = read(&store).await?;
        let is_it = |it: &Seen| it.environment.name == arguments.name && it.environment.cluster == cluster;
        Ok::<_, Refusal>(all.into_iter().find(is_it))
    })?;
    let Some(seen) = seen else {
        let what = format!("There is no environment {}", arguments.name);
        return Err(Problem::new(what, "it was removed just now", "look at the list").into());
    };
    arguments.form.print(&value(&seen), || page(&seen))?;
    Ok(Ending::Well)
}

async fn read(store: &Store) -> Result<Vec<Seen>, Problem> {
    let mut seen = Vec::new();
    for cluster in store.clusters().await? {
        let deployments = store.deployments(&cluster.name).await?;
        for environment in store.environments(&cluster.name).await? {
            let is_here = |record: &&Deployment| record.draft.environment == environment.name;
            let applications = deployments.iter().filter(is_here).cloned().collect();
            seen.push(Seen { environment, cluster: cluster.clone(), applications });
        }
    }
    Ok(seen)
}

fn value(seen: &Seen) -> Value {
    let mut value = json!(seen.environment);
    let names: Vec<&str> = seen.applications.iter().map(|record| record.draft.name.as_str()).collect();
    value["applications"] = json!(names);
    value["suffix"] = json!(suffix(seen));
    value
}

/// The domain of its host names; none: it has none.
fn suffix(seen: &Seen) -> Option<&str> {
    seen.environment.suffix(Some(&seen.cluster))
}

fn overview(seen: &[Seen]) -> String {
    let heads =
        ["NAME", "CLUSTER", "NAMESPACE", "SUFFIX", "ROUTES", "TLS", "APPLICATIONS"].map(str::to_owned);
    let rows = seen.iter().map(|it| {
        let environment = &it.environment;
        vec![
            environment.name.clone(),
            environment.cluster.clone(),
            environment.namespace.clone(),
            suffix(it).unwrap_or("-").to_owned(),
            answers(environment),
            tls(&environment.routing.tls),
            it.applications.len().to_string(),
        ]
    });
    table(&std::iter::once(heads.to_vec()).chain(rows).collect::<Vec<_>>())
}

fn page(seen: &Seen) -> String {
    let Seen { environment, cluster, applications } = seen;
    let names: Vec<&str> = applications.iter().map(|record| record.draft.name.as_str()).collect();
    let names = if names.is_empty() { "-".to_owned() } else { names.join(", ") };
    let row = |label: &str, value: String| vec![label.to_owned(), value];
    let mut rows = vec![row("name", environment.name.clone()), row("cluster", cluster.name.clone())];
    rows.extend(told(environment, Some(cluster)).iter().map(|fact| row(fact.label, fact.text())));
    rows.push(row("applications", names));
    table(&rows)
}
