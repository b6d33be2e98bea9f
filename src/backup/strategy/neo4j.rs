//! Neo4j: `neo4j-admin database dump` and `load`. They need the server stopped: both run in a helper pod.

use std::io;

use bytes::Bytes;
use futures::Stream;

use super::flow::exact;
use super::tool::{Feed, Tool, ask, pull, push, warning};
use super::versions::Versions;
use super::watch::Said;
use super::{Dumped, Incoming, Restored, Sink, StrategyError, Work, argument};

/// The database where the driver names none.
const DATABASE: &str = "neo4j";
const DUMP: &str = "exec neo4j-admin database dump --to-stdout \"$database\"\n";
const LOAD: &str = "exec neo4j-admin database load --from-stdin --overwrite-destination=true \"$database\"\n";
const VERSION: &str = "exec neo4j-admin --version\n";
/// 5.26 and 2025.1 differ.
const NUMBERS: usize = 2;

/// Progress stands on standard error, and so does everything else.
fn sort(line: &str) -> Said {
    let lower = line.to_ascii_lowercase();
    let complains =
        ["error", "fail", "exception", "cannot", "in use"].iter().any(|word| lower.contains(word));
    if complains { Said::Complaint } else { Said::Noise }
}

fn tool(work: Work<'_>, name: &'static str, script: &str) -> Result<Tool, StrategyError> {
    let database = work.place.component.backup_target.database.as_deref().unwrap_or(DATABASE);
    let (assign, value) = argument("database", database)?;
    Ok(Tool { sort, ..Tool::script(name, &format!("{assign}{script}"), &[value]) })
}

async fn version(work: Work<'_>) -> Result<String, StrategyError> {
    let answer = ask(work, &Tool::script("neo4j-admin", VERSION, &[])).await?;
    Ok(answer.split_whitespace().last().unwrap_or_default().to_owned())
}

pub(super) async fn dump(work: Work<'_>, sink: &mut impl Sink) -> Result<Dumped, StrategyError> {
    let server = version(work).await?;
    let tool = tool(work, "neo4j-admin database dump", DUMP)?;
    let heard = pull(work, &tool, sink).await?;
    let warnings = warning(&tool, work.place, heard.complaints).into_iter().collect();
    Ok(Dumped { bytes: heard.bytes, server, items: heard.items, warnings })
}

pub(super) async fn restore<S>(work: Work<'_>, incoming: Incoming<S>) -> Result<Restored, StrategyError>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let server = version(work).await?;
    let versions = Versions { kept: &incoming.server, there: &server, numbers: NUMBERS };
    let into = work.place.component.backup_target.restore.into;
    let warned = versions.check(&work.place.name, into, incoming.force)?;
    let tool = tool(work, "neo4j-admin database load", LOAD)?;
    let stream = exact(incoming.size, incoming.stream);
    let heard = push(work, &tool, Feed { size: Some(incoming.size), stream }).await?;
    let warnings = warned.into_iter().chain(warning(&tool, work.place, heard.complaints)).collect();
    Ok(Restored { bytes: incoming.size, server, warnings })
}
