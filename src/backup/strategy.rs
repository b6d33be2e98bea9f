//! Strategies: how the data of one component becomes one stream of bytes, and how the stream becomes its data again.
//!
//! ```text
//! dump:    exec (dump tool, tar) ─► bounded channel ─► watch (end mark, silence, progress) ─► Sink
//! restore: Stream ─► exact (size) ─► walk (paths) ─► bounded channel ─► exec (psql, mariadb, tar …)
//! ```
//! Nothing is kept on a disk in between, and a few MiB at most are in memory. A dump is whole only when the tool said so: by its exit code, by
//! what it did not complain of, and by the mark with which its format ends. A restore gives the tool an end only after the last byte.

mod action;
mod archive;
mod disk;
mod error;
mod face;
mod flow;
mod helper;
mod mariadb;
mod mongodb;
mod neo4j;
mod place;
mod postgres;
mod quiesce;
mod sql;
mod tool;
mod versions;
mod watch;

use std::io;

use bytes::Bytes;
use futures::Stream;

pub use action::Answer;
pub use error::StrategyError;
pub use face::{Direction, Dumped, Helper, Incoming, Restored, Resumed, Sink, Work};
pub use helper::{helper, remove_helpers};
pub use place::{Place, Wanted, find};
pub use quiesce::{holds, quiesce, resume};

/// Reads a component: its bytes go to `sink`, which is finished only when they are whole. Dropping this ends the tool in the pod: TERM, and
/// KILL 5 s later.
///
/// # Errors
/// When anything says that they are not: the exit code, the complaints, a missing end, silence, or the sink.
pub async fn dump(work: Work<'_>, mut sink: impl Sink) -> Result<Dumped, StrategyError> {
    let dumped = match work.place.component.backup.as_deref().unwrap_or_default() {
        "postgres" => postgres::dump(work, &mut sink).await?,
        "mariadb" => mariadb::dump(work, &mut sink).await?,
        "mongodb" => mongodb::dump(work, &mut sink).await?,
        "neo4j" => neo4j::dump(work, &mut sink).await?,
        "disk" => disk::dump(work, &mut sink).await?,
        "action" => action::dump(work, &mut sink).await?,
        other => return Err(unknown(work, other)),
    };
    sink.finish().await.map_err(|problem| StrategyError { problem, transient: false })?;
    Ok(dumped)
}

/// Restores a component from a stream. Dropping this ends the tool in the pod; repeating it begins anew.
///
/// # Errors
/// When versions forbid it, the stream breaks off, or the tool complains.
pub async fn restore<S>(work: Work<'_>, incoming: Incoming<S>) -> Result<Restored, StrategyError>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let work = Work { total: Some(incoming.size), ..work };
    let strategy = work.place.component.backup.as_deref().unwrap_or_default();
    if incoming.path.is_some() && strategy != "disk" {
        return Err(StrategyError::lasting(
            format!("{} cannot be restored in part", work.place.name),
            format!("a path names a part of a volume, and its strategy is {strategy}"),
            "restore all of the component",
        ));
    }
    match strategy {
        "postgres" => postgres::restore(work, incoming).await,
        "mariadb" => mariadb::restore(work, incoming).await,
        "mongodb" => mongodb::restore(work, incoming).await,
        "neo4j" => neo4j::restore(work, incoming).await,
        "disk" => disk::restore(work, incoming).await,
        "action" => action::restore(work, incoming).await,
        other => Err(unknown(work, other)),
    }
}

fn unknown(work: Work<'_>, strategy: &str) -> StrategyError {
    StrategyError::lasting(
        format!("{} is not backed up", work.place.name),
        match strategy {
            "" => "its driver declares no backup for it".to_owned(),
            strategy => format!("there is no strategy {strategy}"),
        },
        "declare one in the driver: backup: { kind: disk, volumes: [NAME] }",
    )
}

/// How a value of the driver comes into a script: `$NAME` is a variable of the container, anything else is handed over as the first
/// argument. Gives the assignment, and that argument.
fn argument<'v>(variable: &str, value: &'v str) -> Result<(String, &'v str), StrategyError> {
    let Some(name) = value.strip_prefix('$') else { return Ok((format!("{variable}=$1\n"), value)) };
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(letter) {
        return Err(StrategyError::lasting(
            format!("'{value}' is no variable of a container"),
            "its name has letters, digits and '_', and does not begin with a digit",
            "correct backup.database in the driver",
        ));
    }
    Ok((
        format!(
            "{variable}=${{{name}:?is not set in the container, and the driver takes the {variable} from it}}\n"
        ),
        "",
    ))
}
