//! `styrmin location list`.

use clap::Args;
use serde_json::{Value, json};

use crate::app;
use crate::app::backups::Store;
use crate::app::backups::locations::users;
use crate::cli::carry::amount::{bytes, moment};
use crate::cli::driver::table;
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::{Output, State};
use crate::domain::Problem;
use crate::domain::backup::LocationView;

/// Arguments of `location list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

/// A location, and the environments that are backed up to it.
type Listed = (LocationView, Vec<String>);

pub(super) fn run(arguments: &ListArguments) -> Result<Ending, Refusal> {
    let store = arguments.state.open()?;
    let listed = app::block_on(async { read(&store).await })?;
    arguments.output.print(&listed.iter().map(value).collect(), || text(&listed))?;
    Ok(Ending::Well)
}

async fn read(store: &Store) -> Result<Vec<Listed>, Problem> {
    let mut listed = Vec::new();
    for view in store.locations().await? {
        let users = users(store, &view.location.name).await?;
        listed.push((view, users.into_iter().map(|environment| environment.name).collect()));
    }
    Ok(listed)
}

fn value((view, users): &Listed) -> Value {
    let mut value = json!(view);
    if let Value::Object(map) = &mut value {
        map.insert("address".into(), json!(view.location.address()));
        map.insert("environments".into(), json!(users));
    }
    value
}

fn text(listed: &[Listed]) -> String {
    let heads = ["NAME", "WHERE", "ENVIRONMENTS", "BACKUPS", "SIZE", "CHECKED"].map(str::to_owned).to_vec();
    let rows = listed.iter().map(|(view, users)| {
        vec![
            view.location.name.clone(),
            view.location.address(),
            if users.is_empty() { "-".to_owned() } else { users.join(", ") },
            view.backups.to_string(),
            view.size.map_or_else(|| "-".to_owned(), bytes),
            match &view.checked {
                None => "-".to_owned(),
                Some((at, None)) => format!("{} nothing is wrong", moment(*at)),
                Some((at, Some(problem))) => format!("{} {}", moment(*at), problem.what),
            },
        ]
    });
    table(&std::iter::once(heads).chain(rows).collect::<Vec<_>>())
}
