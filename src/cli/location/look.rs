//! `styrmin location check`, `scan` and `key`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::backups::locations::{Checked, Ground, Scan, named, write_secretly};
use crate::app::{self, Look};
use crate::cli::arguments::Place;
use crate::cli::carry::amount::bytes;
use crate::cli::driver::{printable, remark};
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::Output;
use crate::domain::Problem;
use crate::domain::backup::Depth;

/// Arguments of `location check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The location
    #[arg(value_name = "NAME")]
    name: String,
    /// Read all of its data back
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    place: Place,
}

/// Arguments of `location scan`.
#[derive(Debug, Args)]
pub struct ScanArguments {
    /// The location
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    place: Place,
}

/// Arguments of `location key`.
#[derive(Debug, Args)]
pub struct KeyArguments {
    /// The location
    #[arg(value_name = "NAME")]
    name: String,
    /// A file that does not exist yet: only its owner will be able to read it
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Opens what is needed for a location, works, and closes it.
fn with<T>(
    place: Place,
    name: &str,
    work: impl AsyncFnOnce(&Ground) -> Result<T, Problem>,
) -> Result<T, Refusal> {
    let options = place.into_options(Look::default());
    app::block_on(async {
        let ground = Ground::open(&options, |location| location.name == name).await?;
        let done = work(&ground).await;
        ground.close().await;
        Ok(done?)
    })
}

pub(super) fn check(arguments: CheckArguments) -> Result<Ending, Refusal> {
    let CheckArguments { name, full, output, place } = arguments;
    let depth = if full { Depth::Full } else { Depth::Quick };
    let checked = with(place, &name, async |ground| ground.check(&name, depth).await)?;
    let Checked { faults, snapshots, size, storage } = &checked;
    let value = match storage {
        Some(storage) => {
            json!({"location": name, "storage": storage, "backups": snapshots, "faults": faults})
        }
        None => {
            json!({"location": name, "depth": depth, "snapshots": snapshots, "size": size, "faults": faults})
        }
    };
    let text = || {
        let found = match faults.len() {
            0 => "nothing is wrong".to_owned(),
            1 => "1 fault".to_owned(),
            more => format!("{more} faults"),
        };
        let mut said = match storage {
            Some(storage) if faults.is_empty() => {
                format!("{name}: Velero's storage location {storage} is available, {snapshots} backups\n")
            }
            Some(_) => format!("{name}: {found}\n"),
            None => format!("{name}: {snapshots} snapshots, {}: {found}\n", bytes(*size)),
        };
        faults.iter().for_each(|fault| said += &format!("  {}\n", printable(fault)));
        said
    };
    output.print(&value, text)?;
    Ok(if faults.is_empty() { Ending::Well } else { Ending::Failed })
}

pub(super) fn scan(arguments: ScanArguments) -> Result<Ending, Refusal> {
    let ScanArguments { name, output, place } = arguments;
    let scan = with(place, &name, async |ground| ground.scan(&name).await)?;
    let Scan { found, unreadable, known } = &scan;
    let value = json!({
        "location": name,
        "found": found,
        "known": known,
        "unreadable": unreadable
            .iter()
            .map(|(id, problem)| json!({"backup": id, "problem": problem}))
            .collect::<Vec<_>>(),
    });
    let text = || {
        let mut said = format!("{name}: {} backups found, {known} were known\n", found.len());
        for backup in found {
            let (id, environment) = (&backup.id, &backup.source.environment);
            said += &printable(&format!(
                "  {id} in {environment} on {}: {}\n",
                backup.source.cluster,
                backup.word()
            ));
        }
        for (id, problem) in unreadable {
            said += &printable(&format!("  {id} is left out: {problem}\n"));
        }
        said
    };
    output.print(&value, text)?;
    Ok(if unreadable.is_empty() { Ending::Well } else { Ending::Failed })
}

pub(super) fn key(arguments: KeyArguments) -> Result<Ending, Refusal> {
    let KeyArguments { name, to, place } = arguments;
    with(place, &name, async |ground| {
        let location = named(&ground.store, &name).await?.location;
        let key = ground.key(&location).await?;
        write_secretly(&to, &key).map_err(|error| {
            let what = format!("The key cannot be written to {}", to.display());
            Problem::new(what, error.to_string(), "name a file that does not exist, in a directory of yours")
        })?;
        remark(&format!("the key of {name} lies in {}; restic takes it with", to.display()));
        remark(&format!("  restic -r {} -p {} snapshots", location.address(), to.display()));
        Ok(())
    })?;
    Ok(Ending::Well)
}
