//! `styrmin backup show`.

use clap::Args;

use super::list::{by, value};
use crate::app;
use crate::app::backups::named;
use crate::cli::carry::amount::{bytes, moment};
use crate::cli::driver::{printable, table};
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::{Output, State};
use crate::domain::Problem;
use crate::domain::backup::{Backup, BackupPart};

/// Arguments of `backup show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The backup
    #[arg(value_name = "BACKUP")]
    backup: String,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: &ShowArguments) -> Result<Ending, Refusal> {
    let store = arguments.state.open()?;
    let backup = app::block_on(async { named(&store, &arguments.backup).await })?;
    arguments.output.print(&value(&backup), || text(&backup))?;
    Ok(Ending::Well)
}

fn text(backup: &Backup) -> String {
    let ended = backup.ended.map(|ended| format!(", ended {}", moment(ended))).unwrap_or_default();
    let pinned = if backup.pinned { ", pinned" } else { "" };
    let mut rows = vec![
        row("backup", &backup.id.0),
        row(
            "of",
            &format!(
                "{} in {} on {}",
                backup.source.application, backup.source.environment, backup.source.cluster
            ),
        ),
        row("state", &format!("{}{pinned}", backup.word())),
        row("made", &format!("{}{ended}, by {}", moment(backup.created), by(&backup.trigger))),
        row("driver", &format!("{}, version {}", backup.source.driver, backup.source.application_version)),
        row("location", &backup.location),
        row("size", &format!("{}, {} of it new", bytes(backup.bytes()), bytes(backup.stored()))),
    ];
    rows.extend(backup.group.iter().map(|group| row("part of", group)));
    rows.extend(backup.manifest.iter().map(|manifest| row("manifest", manifest)));
    let mut said = table(&rows);
    said += "\n";
    said += &parts(&backup.parts);
    for verification in &backup.verified {
        let found = match &verification.problem {
            None => "nothing is wrong".to_owned(),
            Some(problem) => indented(problem),
        };
        said +=
            &printable(&format!("\n{} on {}: {found}", verification.depth.as_str(), moment(verification.at)));
    }
    if !backup.verified.is_empty() {
        said += "\n";
    }
    for problem in backup.problem.iter().chain(backup.parts.iter().filter_map(|part| part.problem.as_ref())) {
        said += &printable(&format!("\n{problem}\n"));
    }
    said
}

fn row(name: &str, text: &str) -> Vec<String> {
    vec![name.to_owned(), text.to_owned()]
}

fn parts(parts: &[BackupPart]) -> String {
    let heads = ["COMPONENT", "STRATEGY", "STATE", "SIZE", "NEW", "SERVER", "SNAPSHOT", "FILE"];
    let rows = parts.iter().map(|part| {
        let volume = part.volume.as_ref().map(|volume| format!("/{volume}")).unwrap_or_default();
        vec![
            format!("{}{volume}", part.component),
            part.strategy.clone(),
            part.state.as_str().to_owned(),
            bytes(part.bytes),
            bytes(part.stored),
            part.server.clone(),
            part.snapshot.chars().take(8).collect(),
            part.path.clone(),
        ]
    });
    table(&std::iter::once(heads.map(str::to_owned).to_vec()).chain(rows).collect::<Vec<_>>())
}

fn indented(problem: &Problem) -> String {
    problem.to_string().replace('\n', "\n  ")
}
