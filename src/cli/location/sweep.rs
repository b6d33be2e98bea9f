//! `styrmin location sweep`.

use clap::Args;
use serde_json::json;

use crate::app::backups::locations::{Ground, Swept, cleaning};
use crate::app::{self, Look};
use crate::cli::carry::amount::moment;
use crate::cli::carry::{Carry, Job};
use crate::cli::driver::{printable, remark, table};
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::Output;
use crate::domain::{Intent, Problem};

/// Arguments of `location sweep`.
#[derive(Debug, Args)]
pub struct SweepArguments {
    /// The location
    #[arg(value_name = "NAME")]
    name: String,
    /// Delete data that no backup knows, and forget backups of which nothing is left
    #[arg(long)]
    delete: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    carry: Carry,
}

pub(super) fn run(arguments: SweepArguments) -> Result<Ending, Refusal> {
    let SweepArguments { name, delete, output, carry } = arguments;
    if !delete {
        let options = carry.into_place().into_options(Look::default());
        let found = app::block_on(async {
            let ground = Ground::open(&options, |location| location.name == name).await?;
            let found = ground.sweep(&name).await;
            ground.close().await;
            found
        })?;
        print(&name, &found, &output)?;
        return Ok(if found.losses.is_empty() { Ending::Well } else { Ending::Failed });
    }
    let quiet = carry.is_for_programs();
    let mut left = 0;
    let ending = carry.out(async |session| {
        let found = Ground::of(session).sweep(&name).await?;
        if !quiet {
            print(&name, &found, &output)?;
        }
        left = found.losses.iter().filter(|loss| !loss.everything).count();
        Ok(cleaning(&name, &found)
            .map(|request| Job::new(&name, Intent::Prune(request)))
            .into_iter()
            .collect())
    })?;
    if left == 0 || ending != Ending::Well {
        return Ok(ending);
    }
    // what is left of them can still be restored: that is for a person to give up
    remark(&format!("{left} backups have lost a part of their data and stay: styrmin backup delete"));
    Ok(Ending::Failed)
}

fn print(name: &str, found: &Swept, output: &Output) -> Result<(), Problem> {
    let orphans = found.orphans.iter().map(|orphan| {
        json!({"snapshot": orphan.snapshot, "path": orphan.path, "time": orphan.time, "why": orphan.why})
    });
    let losses = found
        .losses
        .iter()
        .map(|loss| json!({"backup": loss.backup, "gone": loss.gone, "everything": loss.everything}));
    let value = json!({
        "location": name,
        "orphans": orphans.collect::<Vec<_>>(),
        "losses": losses.collect::<Vec<_>>(),
        "uncatalogued": found.uncatalogued.keys().collect::<Vec<_>>(),
        "fresh": found.fresh,
        "foreign": found.foreign,
    });
    output.print(&value, || text(name, found))
}

fn text(name: &str, found: &Swept) -> String {
    let mut said = String::new();
    if !found.orphans.is_empty() {
        said += "data that no backup knows:\n";
        let rows = found.orphans.iter().map(|orphan| {
            let short = orphan.snapshot.chars().take(8).collect();
            vec![String::new(), short, moment(orphan.time), orphan.path.clone(), orphan.why.to_owned()]
        });
        said += &table(&rows.collect::<Vec<_>>());
    }
    for loss in &found.losses {
        let what = if loss.everything { "all of its data is gone".to_owned() } else { loss.gone.join(", ") };
        said += &printable(&format!("gone of {}: {what}\n", loss.backup));
    }
    if !found.uncatalogued.is_empty() {
        let count = found.uncatalogued.len();
        said += &format!("{count} backups are not in the catalogue: styrmin location scan {name}\n");
    }
    if found.fresh > 0 {
        said += &format!("{} snapshots are left alone: a backup may be making them\n", found.fresh);
    }
    if found.foreign > 0 {
        said += &format!("{} snapshots are none of Styrmin's\n", found.foreign);
    }
    if said.is_empty() {
        said = format!("{name} and the catalogue agree\n");
    }
    said
}
