//! `styrmin environment list` and `show`.

use clap::Args;
use serde_json::{Value, json};

use crate::app;
use crate::app::backups::Store;
use crate::cli::driver::table;
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::{Form, Output, State, Which};
use crate::domain::route::{Isolation, Peer, TlsSource};
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

/// The form of an answer, with the short word for programs.
#[derive(Debug, Args)]
pub struct Json {
    #[command(flatten)]
    output: Output,
    /// The same as -o json
    #[arg(long, conflicts_with = "form")]
    json: bool,
}

/// Prints an answer in the form that was asked for.
pub fn answer(form: &Json, value: &Value, text: impl FnOnce() -> String) -> Result<(), Problem> {
    let form = if form.json { Form::Json } else { form.output.form };
    Output { form }.print(value, text)
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
    answer(&arguments.form, &seen.iter().map(value).collect(), || overview(&seen))?;
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
    answer(&arguments.form, &value(&seen), || page(&seen))?;
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
    let said = |text: &'_ Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let own = Some(&seen.environment.fqdn_suffix).filter(|it| said(it));
    own.or(Some(&seen.cluster.fqdn_suffix).filter(|it| said(it)))?.as_deref()
}

/// A domain as it is shown.
pub fn domain(suffix: Option<&str>) -> String {
    suffix.filter(|suffix| !suffix.is_empty()).unwrap_or("none: no host names").to_owned()
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
            routes(environment),
            tls(&environment.routing.tls),
            it.applications.len().to_string(),
        ]
    });
    table(&std::iter::once(heads.to_vec()).chain(rows).collect::<Vec<_>>())
}

fn page(seen: &Seen) -> String {
    let Seen { environment, cluster, applications } = seen;
    let routing = &environment.routing;
    let list = |items: Vec<String>, none: &str| match items.is_empty() {
        true => none.to_owned(),
        false => items.join(", "),
    };
    let pairs = |map: &std::collections::BTreeMap<String, String>| {
        list(map.iter().map(|(key, value)| format!("{key}={value}")).collect(), "-")
    };
    let from = match (&environment.fqdn_suffix, suffix(seen)) {
        (Some(_), Some(suffix)) => suffix.to_owned(),
        (None, Some(suffix)) => format!("{suffix} (the cluster's)"),
        (_, None) => domain(None),
    };
    let own = match &environment.dedicated_ingress {
        None => "shared".to_owned(),
        Some(own) => format!("of its own; load balancer: {}", pairs(&own.service_annotations)),
    };
    let isolation = match routing.isolation {
        None | Some(Isolation::Off) => "off".to_owned(),
        Some(isolation) => {
            let peers = routing.allow_from.iter().map(peer).collect();
            format!("{}; others that may: {}", isolation.as_str(), list(peers, "-"))
        }
    };
    let names = applications.iter().map(|record| record.draft.name.clone()).collect();
    let rows = [
        ("name", environment.name.clone()),
        ("cluster", cluster.name.clone()),
        ("namespace", environment.namespace.clone()),
        ("production", if environment.production { "yes" } else { "no" }.to_owned()),
        ("suffix", from),
        ("ingress", own),
        ("routes", routes(environment)),
        ("tls", tls(&routing.tls)),
        ("redirect", routing.redirect_text().to_owned()),
        ("allowed", list(environment.ip_whitelist.clone(), "everybody")),
        ("isolation", isolation),
        ("annotations", pairs(&routing.annotations)),
        ("probes", if routing.unprobed { "off" } else { "on" }.to_owned()),
        ("labels", pairs(&environment.labels)),
        ("quota", pairs(&environment.quota)),
        ("drift", environment.drift.as_str().to_owned()),
        ("backups", environment.backup_location.clone().unwrap_or_else(|| "-".to_owned())),
        ("applications", list(names, "-")),
    ];
    table(&rows.map(|(name, value)| vec![name.to_owned(), value]))
}

fn routes(environment: &Environment) -> String {
    match (&environment.routing.via, &environment.ingress_class) {
        (Some(via), _) => via.to_string(),
        (None, Some(class)) => format!("Ingress of class {class}"),
        (None, None) => "Ingress of the default class".to_owned(),
    }
}

fn tls(source: &TlsSource) -> String {
    match source {
        TlsSource::Off => "off".to_owned(),
        TlsSource::Secret(name) => format!("secret:{name}"),
        TlsSource::Issuer(issuer) if issuer.cluster_wide => format!("cluster-issuer:{}", issuer.name),
        TlsSource::Issuer(issuer) => format!("issuer:{}", issuer.name),
        TlsSource::Controller => "controller".to_owned(),
    }
}

fn peer(peer: &Peer) -> String {
    match peer {
        Peer::Namespace { name, pods } if pods.is_empty() => format!("namespace:{name}"),
        Peer::Namespace { name, .. } => format!("pods of namespace:{name}"),
        Peer::Cidr(block) => format!("cidr:{block}"),
    }
}
