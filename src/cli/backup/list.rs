//! `styrmin backup list`.

use clap::Args;
use serde_json::{Value, json};

use crate::app;
use crate::app::backups::all;
use crate::cli::carry::amount::{bytes, moment};
use crate::cli::driver::table;
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::{Output, State};
use crate::domain::backup::{Backup, Trigger};

/// Arguments of `backup list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Only those of this application, NAME or ENVIRONMENT/NAME
    #[arg(value_name = "APPLICATION")]
    application: Option<String>,
    /// Only those of this environment
    #[arg(short = 'e', long, value_name = "NAME")]
    environment: Option<String>,
    /// Only those in this location
    #[arg(long, value_name = "NAME")]
    location: Option<String>,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: &ListArguments) -> Result<Ending, Refusal> {
    let store = arguments.state.open()?;
    let mut found = app::block_on(async { all(&store, None).await })?;
    found.retain(|backup| arguments.wants(backup));
    arguments.output.print(&found.iter().map(value).collect(), || text(&found))?;
    Ok(Ending::Well)
}

impl ListArguments {
    fn wants(&self, backup: &Backup) -> bool {
        let full = format!("{}/{}", backup.source.environment, backup.source.application);
        self.application.as_ref().is_none_or(|name| *name == backup.source.application || *name == full)
            && self.environment.as_ref().is_none_or(|name| *name == backup.source.environment)
            && self.location.as_ref().is_none_or(|name| *name == backup.location)
    }
}

/// A backup, for programs: its record, and what follows from it.
pub(super) fn value(backup: &Backup) -> Value {
    let mut value = json!(backup);
    if let Value::Object(map) = &mut value {
        map.insert("word".into(), json!(backup.word()));
        map.insert("proven".into(), json!(backup.proven()));
        map.insert("bytes".into(), json!(backup.bytes()));
        map.insert("stored".into(), json!(backup.stored()));
    }
    value
}

pub(super) fn text(backups: &[Backup]) -> String {
    let heads = ["BACKUP", "ENVIRONMENT", "MADE", "STATE", "SIZE", "NEW", "PROVEN", "BY", "LOCATION"];
    let rows = backups.iter().map(|backup| {
        let pinned = if backup.pinned { " (pinned)" } else { "" };
        vec![
            backup.id.0.clone(),
            backup.source.environment.clone(),
            moment(backup.created),
            format!("{}{pinned}", backup.word()),
            bytes(backup.bytes()),
            bytes(backup.stored()),
            backup.proven().map_or_else(|| "-".to_owned(), moment),
            by(&backup.trigger),
            backup.location.clone(),
        ]
    });
    table(&std::iter::once(heads.map(str::to_owned).to_vec()).chain(rows).collect::<Vec<_>>())
}

/// Why it was made, in a word.
pub(super) fn by(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Person => "a person".to_owned(),
        Trigger::Schedule { name } => name.clone(),
        Trigger::Restore => "a restore".to_owned(),
        Trigger::Delete => "a deletion".to_owned(),
        Trigger::Action => "an action".to_owned(),
        Trigger::Clone => "a clone".to_owned(),
    }
}
