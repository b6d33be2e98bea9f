//! MongoDB: an archive by `mongodump`, restored by `mongorestore`. Collections that are in the archive are dropped first; others stay.

use std::io;
use std::sync::LazyLock;

use bytes::Bytes;
use futures::Stream;
use regex::Regex;

use super::flow::exact;
use super::tool::{Feed, Heard, Tool, ask, pull, push};
use super::versions::Versions;
use super::watch::{End, Said};
use super::{Dumped, Incoming, Restored, Sink, StrategyError, Work, argument};

/// Finds out who, as the images say it. The password goes through a descriptor (3), and is on no command line.
const HEAD: &str = r#"user=${MONGO_INITDB_ROOT_USERNAME:-${MONGODB_ROOT_USER:-}}
password=${MONGO_INITDB_ROOT_PASSWORD:-${MONGODB_ROOT_PASSWORD:-}}
_f=${MONGO_INITDB_ROOT_PASSWORD_FILE:-${MONGODB_ROOT_PASSWORD_FILE:-}}
if [ -z "$password" ] && [ -n "$_f" ] && [ -r "$_f" ]; then password=$(cat "$_f"); fi
_f=${MONGO_INITDB_ROOT_USERNAME_FILE:-}
if [ -z "$user" ] && [ -n "$_f" ] && [ -r "$_f" ]; then user=$(cat "$_f"); fi
if [ -z "$user" ] && [ -n "$password" ]; then user=root; fi
if [ -n "$user" ]; then
  quoted=$(printf '%s' "$password" | sed "s/'/''/g")
  set -- --username "$user" --authenticationDatabase admin --config /dev/fd/3 "$@"
fi
"#;
const DUMP: &str = "exec mongodump \"$@\" --archive 3<<END\npassword: '$quoted'\nEND\n";
const RESTORE: &str =
    "exec mongorestore \"$@\" --archive --drop --stopOnError 3<<END\npassword: '$quoted'\nEND\n";
const VERSION: &str = "exec mongod --version\n";

/// An archive ends with this.
const TRAILER: &[u8] = &[0xff; 4];
/// 6.0 and 7.0 differ.
const NUMBERS: usize = 2;

/// What lines begin with that only tell of the work. They name collections, and those may be named like errors.
const TOLD: [&str; 10] = [
    "done dumping ",
    "finished restoring ",
    "reading metadata for ",
    "no indexes to restore ",
    "restoring indexes ",
    "preparing collections ",
    "dropping collection ",
    "index: ",
    // bars of progress
    "[#",
    "[.",
];

/// What the tools say of their work, and the rest. Each line begins with a time.
fn sort(line: &str) -> Said {
    let said = line.split_once(['\t', ' ']).map_or(line, |(_, said)| said).trim_start();
    match failures(said) {
        Some(0) => return Said::Noise,
        Some(_) => return Said::Complaint,
        None => {}
    }
    if TOLD.iter().any(|told| said.starts_with(told)) {
        return Said::Noise;
    }
    if let Some(collection) = said.strip_prefix("writing ").or_else(|| said.strip_prefix("restoring ")) {
        return Said::Item(collection.split_whitespace().next().unwrap_or_default().to_owned());
    }
    let complains = ["error", "fail", "cannot", "could not", "unable"]
        .iter()
        .any(|word| said.to_lowercase().contains(word));
    if complains { Said::Complaint } else { Said::Noise }
}

/// How many documents failed, of a line that counts them: one for each collection, and one at the end.
fn failures(line: &str) -> Option<u64> {
    static COUNT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^finished restoring .*, (\d+) failures?\)$|(\d+) document\(s\) failed to restore").ok()
    });
    let found = COUNT.as_ref()?.captures(line.trim_end())?;
    found.get(1).or_else(|| found.get(2))?.as_str().parse().ok()
}

fn tool(work: Work<'_>, name: &'static str, script: &str, end: End) -> Result<Tool, StrategyError> {
    let tool = match work.place.component.backup_target.database.as_deref().filter(|_| name == "mongodump") {
        Some(database) => {
            let (assign, value) = argument("database", database)?;
            let script = format!("{assign}set -- --db \"$database\"\n{HEAD}{script}");
            Tool::script(name, &script, &[value])
        }
        None => Tool::script(name, &format!("{HEAD}{script}"), &[]),
    };
    Ok(Tool { sort, end, ..tool })
}

async fn version(work: Work<'_>) -> Result<String, StrategyError> {
    let answer = ask(work, &Tool::script("mongod", VERSION, &[])).await?;
    let version = answer.lines().find_map(|line| line.trim().strip_prefix("db version v"));
    Ok(version.unwrap_or_default().trim().to_owned())
}

/// Failures that the tool counts, and does not let fail.
fn check(work: Work<'_>, name: &str, heard: &Heard) -> Result<(), StrategyError> {
    if heard.complaints.is_empty() {
        return Ok(());
    }
    Err(StrategyError::lasting(
        format!("{name} of {} failed", work.place.name),
        format!("it ended well, and said:\n{}", heard.complaints),
        "correct what it complains of, and try again",
    ))
}

pub(super) async fn dump(work: Work<'_>, sink: &mut impl Sink) -> Result<Dumped, StrategyError> {
    let server = version(work).await?;
    let tool = tool(work, "mongodump", DUMP, End::Bytes(TRAILER))?;
    let heard = pull(work, &tool, sink).await?;
    check(work, tool.name, &heard)?;
    Ok(Dumped { bytes: heard.bytes, server, items: heard.items, warnings: Vec::new() })
}

pub(super) async fn restore<S>(work: Work<'_>, incoming: Incoming<S>) -> Result<Restored, StrategyError>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let server = version(work).await?;
    let versions = Versions { kept: &incoming.server, there: &server, numbers: NUMBERS };
    let into = work.place.component.backup_target.restore.into;
    let warned = versions.check(&work.place.name, into, incoming.force)?;
    let tool = tool(work, "mongorestore", RESTORE, End::Any)?;
    let stream = exact(incoming.size, incoming.stream);
    let heard = push(work, &tool, Feed { size: Some(incoming.size), stream }).await?;
    check(work, tool.name, &heard)?;
    Ok(Restored { bytes: incoming.size, server, warnings: warned.into_iter().collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_told_apart_from_what_was_counted() {
        assert_eq!(
            sort("2026-01-01T00:00:00.000+0000\twriting notes.items to archive on stdout"),
            Said::Item("notes.items".into())
        );
        assert_eq!(
            sort(
                "2026-01-01T00:00:00.000+0000\t3 document(s) restored successfully. 0 document(s) failed to restore."
            ),
            Said::Noise
        );
        assert_eq!(
            sort(
                "2026-01-01T00:00:00.000+0000\t2 document(s) restored successfully. 1 document(s) failed to restore."
            ),
            Said::Complaint
        );
        assert_eq!(sort("2026-01-01T00:00:00.000+0000\tFailed: can't create session"), Said::Complaint);
    }

    #[test]
    fn collections_may_be_named_like_errors() {
        let said = |line: &str| sort(&format!("2026-01-01T00:00:00.000+0000\t{line}"));
        for line in [
            "done dumping app.errors (12 documents)",
            "finished restoring test.salaries (10 documents, 0 failures)",
            "finished restoring app.errors (1 document, 0 failures)",
            "reading metadata for app.failures from archive on stdin",
            "no indexes to restore for collection app.errors",
            "restoring indexes for collection app.errors from metadata",
            "preparing collections to restore from",
            "[########................]  app.errors  404/1000  (40.4%)",
        ] {
            assert_eq!(said(line), Said::Noise, "{line}");
        }
        assert_eq!(said("restoring app.errors from archive on stdin"), Said::Item("app.errors".into()));
        for failures in ["1 failure", "12 failures"] {
            let line = format!("finished restoring test.salaries (10 documents, {failures})");
            assert_eq!(said(&line), Said::Complaint, "{line}");
        }
    }
}
