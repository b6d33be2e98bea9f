//! `styrmin environment clone`.

use std::collections::BTreeMap;

use clap::Args;

use crate::cli::carry::{Carry, Job};
use crate::cli::ending::{Ending, Refusal, usage};
use crate::domain::Intent;
use crate::domain::backup::{BackupId, CloneRequest, CloneSource};

/// Arguments of `environment clone`.
#[derive(Debug, Args)]
pub struct CloneArguments {
    /// The environment that is copied
    #[arg(value_name = "FROM")]
    from: String,
    /// The new one
    #[arg(value_name = "TO")]
    to: String,
    /// Take the data from these backups: APPLICATION=BACKUP (repeatable); applications without one are left out
    #[arg(long = "from-backups", value_name = "APP=ID", num_args = 1.., value_delimiter = ',', value_parser = pair, conflicts_with = "empty")]
    backups: Vec<(String, String)>,
    /// Begin without any data
    #[arg(long)]
    empty: bool,
    /// Only these applications (repeatable)
    #[arg(long = "application", value_name = "NAME")]
    applications: Vec<String>,
    /// Stop everything in it at the end
    #[arg(long)]
    scale_down: bool,
    /// The suffix of its host names [default: that of the copied one]
    #[arg(long, value_name = "DOMAIN")]
    suffix: Option<String>,
    #[command(flatten)]
    carry: Carry,
}

/// `APPLICATION=BACKUP`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((application, backup)) if !application.is_empty() && !backup.is_empty() => {
            Ok((application.to_owned(), backup.to_owned()))
        }
        _ => Err("expected APPLICATION=BACKUP".to_owned()),
    }
}

pub(super) fn run(arguments: CloneArguments) -> Result<Ending, Refusal> {
    let about = format!("{} as {}", arguments.from, arguments.to);
    let (request, carry) = request(arguments)?;
    carry.out(async |_| Ok(vec![Job::new(about, Intent::Clone(request))]))
}

fn request(arguments: CloneArguments) -> Result<(CloneRequest, Carry), Refusal> {
    let CloneArguments { from, to, backups, empty, mut applications, scale_down, suffix, carry } = arguments;
    let named: BTreeMap<String, BackupId> =
        backups.into_iter().map(|(application, id)| (application, BackupId(id))).collect();
    let source = match (empty, named.is_empty()) {
        (true, _) => CloneSource::Empty,
        (false, true) => CloneSource::Live,
        (false, false) => {
            if let Some(missing) = applications.iter().find(|name| !named.contains_key(*name)) {
                let why = "it is among the applications, and --from-backups names none for it";
                return Err(usage(format!("There is no backup for {missing}"), why, "name one"));
            }
            if applications.is_empty() {
                applications = named.keys().cloned().collect();
            }
            CloneSource::Backups { backups: named }
        }
    };
    Ok((CloneRequest { from, to, source, applications, scale_down, fqdn_suffix: suffix }, carry))
}
