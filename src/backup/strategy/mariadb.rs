//! MariaDB and MySQL: SQL by `mariadb-dump` or `mysqldump`, restored by `mariadb` or `mysql`.
//!
//! Databases are dropped and made anew. Their servers know no transaction around that: a restore that breaks off leaves half of it, and says so.
//! Users and privileges stay the server's own.

use std::io;

use bytes::Bytes;
use futures::Stream;

use super::flow::exact;
use super::tool::{Feed, Tool, ask, pull, push, warning};
use super::versions::Versions;
use super::watch::{End, Said};
use super::{Dumped, Incoming, Restored, Sink, StrategyError, Work, argument};

/// Finds out who, as the images say it. The password stays in the container, and on no command line.
const HEAD: &str = r#"value() {
  eval "_v=\${$1:-} _f=\${$1_FILE:-}"
  if [ -z "$_v" ] && [ -n "$_f" ] && [ -r "$_f" ]; then _v=$(cat "$_f"); fi
}
user=root
MYSQL_PWD=${MYSQL_PWD:-}
for name in MARIADB_ROOT_PASSWORD MYSQL_ROOT_PASSWORD MARIADB_MASTER_ROOT_PASSWORD; do
  if [ -z "$MYSQL_PWD" ]; then value $name; MYSQL_PWD=$_v; fi
done
if [ -z "$MYSQL_PWD" ]; then
  for kind in MARIADB MYSQL; do
    if [ -z "$MYSQL_PWD" ]; then
      value ${kind}_PASSWORD
      if [ -n "$_v" ]; then MYSQL_PWD=$_v; value ${kind}_USER; user=${_v:-root}; fi
    fi
  done
fi
if [ -n "$MYSQL_PWD" ]; then export MYSQL_PWD; else unset MYSQL_PWD; fi
client=$(command -v mariadb || command -v mysql) || { echo 'neither mariadb nor mysql is there' >&2; exit 127; }
"#;

const DUMP: &str = r#"dump=$(command -v mariadb-dump || command -v mysqldump) || { echo 'neither mariadb-dump nor mysqldump is there' >&2; exit 127; }
exec "$dump" --user="$user" --single-transaction --quick --routines --triggers --events --hex-blob --add-drop-database --skip-dump-date \
  --default-character-set=utf8mb4 --max-allowed-packet=1G --verbose --databases "$@"
"#;

/// The databases that are not the server's own.
const DATABASES: &str = r#"all=$("$client" --user="$user" --skip-column-names --batch --execute='show databases') || exit 1
set --
for one in $all; do
  case $one in information_schema|performance_schema|sys|mysql) ;; *) set -- "$@" "$one" ;; esac
done
if [ $# = 0 ]; then echo 'the server has no database that could be kept' >&2; exit 1; fi
"#;
const ONE: &str = "set -- \"$database\"\n";
const RESTORE: &str = "exec \"$client\" --user=\"$user\" --default-character-set=utf8mb4 --max-allowed-packet=1G --binary-mode\n";
const VERSION: &str =
    "exec \"$client\" --user=\"$user\" --skip-column-names --batch --execute='select version()'\n";

/// 10.11 and 11.4 differ, 10.11.6 and 10.11.19 do not.
const NUMBERS: usize = 2;

/// What `--verbose` says of its work, and the rest.
fn sort(line: &str) -> Said {
    if let Some(table) = line.strip_prefix("-- Retrieving table structure for table ") {
        return Said::Item(table.trim_end_matches("...").to_owned());
    }
    if line.starts_with("-- ") { Said::Noise } else { Said::Complaint }
}

async fn version(work: Work<'_>) -> Result<String, StrategyError> {
    let answer = ask(work, &Tool::script("mariadb", &format!("{HEAD}{VERSION}"), &[])).await?;
    Ok(answer.split('-').next().unwrap_or_default().trim().to_owned())
}

pub(super) async fn dump(work: Work<'_>, sink: &mut impl Sink) -> Result<Dumped, StrategyError> {
    let server = version(work).await?;
    let tool = match work.place.component.backup_target.database.as_deref() {
        Some(database) => {
            let (assign, value) = argument("database", database)?;
            Tool::script("mariadb-dump", &format!("{HEAD}{assign}{ONE}{DUMP}"), &[value])
        }
        None => Tool::script("mariadb-dump", &format!("{HEAD}{DATABASES}{DUMP}"), &[]),
    };
    let tool = Tool { end: End::Text("-- Dump completed"), sort, ..tool };
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
    let tool = Tool { sort, ..Tool::script("mariadb", &format!("{HEAD}{RESTORE}"), &[]) };
    let stream = exact(incoming.size, incoming.stream);
    let fed = push(work, &tool, Feed { size: Some(incoming.size), stream }).await;
    let heard = fed.map_err(|mut error| {
        let half = "what was restored until then is there, and the rest is not: the server knows no way back";
        error.problem.why = format!("{}\n{half}", error.problem.why);
        error
    })?;
    let warnings = warned.into_iter().chain(warning(&tool, work.place, heard.complaints)).collect();
    Ok(Restored { bytes: incoming.size, server, warnings })
}
