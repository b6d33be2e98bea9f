//! PostgreSQL: plain SQL by `pg_dump` or `pg_dumpall`, restored by `psql`.
//!
//! One database comes back in one transaction: its schemas are dropped, made anew and filled, or nothing happened at all. `COMMIT` is ours and
//! comes after the last byte, so that a stream that breaks off never counts; the dump's own, around large objects, are taken out. A whole server (`pg_dumpall`) has no transaction around it.

use std::io;

use bytes::Bytes;
use futures::Stream;

use super::flow::{Head, Line, exact, framed};
use super::sql::without_transactions;
use super::tool::{Feed, Tool, ask, pull, push, warning};
use super::versions::Versions;
use super::watch::End;
use super::{Dumped, Incoming, Restored, Sink, StrategyError, Work, argument};

/// Finds out who and where, as the images say it. The password stays in the container, and on no command line.
const HEAD: &str = r#"PGUSER=${PGUSER:-${POSTGRES_USER:-${POSTGRESQL_USERNAME:-postgres}}}
if [ -z "${PGPASSWORD:-}" ]; then
  _f=${POSTGRES_PASSWORD_FILE:-${POSTGRESQL_PASSWORD_FILE:-}}
  if [ -n "$_f" ] && [ -r "$_f" ]; then PGPASSWORD=$(cat "$_f"); else PGPASSWORD=${POSTGRES_PASSWORD:-${POSTGRESQL_PASSWORD:-}}; fi
fi
export PGUSER
if [ -n "$PGPASSWORD" ]; then export PGPASSWORD; else unset PGPASSWORD; fi
if [ -z "${PGHOST:-}" ] && ! pg_isready -q >/dev/null 2>&1; then export PGHOST=127.0.0.1; fi
export PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-30} PGAPPNAME=styrmin
"#;

const DUMP: &str =
    "exec pg_dump --no-password --clean --if-exists --format=plain --encoding=UTF8 --dbname=\"$database\"\n";
const DUMP_ALL: &str =
    "exec pg_dumpall --no-password --clean --if-exists --encoding=UTF8 --database=postgres\n";
const RESTORE: &str = "exec psql --no-psqlrc --no-password --quiet --set=ON_ERROR_STOP=1 --output=/dev/null --dbname=\"$database\"\n";
const RESTORE_ALL: &str = "exec psql --no-psqlrc --no-password --quiet --set=ON_ERROR_STOP=1 --output=/dev/null --dbname=postgres\n";
const SERVER: &str = "exec psql --no-psqlrc --no-password --no-align --tuples-only --dbname=\"$database\" \\
  --command='show server_version' --command='select quote_ident(current_user)'\n";

/// Before the dump of one database: nobody else is in it, and nothing of what is there stays. Extensions go with their schemas.
const BEGIN: &str = r"SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
 WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid();
SET lock_timeout = '2min';
SET client_min_messages = warning;
BEGIN;
DO $styrmin$
DECLARE one record;
BEGIN
  FOR one IN SELECT lomowner, oid FROM pg_catalog.pg_largeobject_metadata LOOP
    PERFORM pg_catalog.lo_unlink(one.oid);
  END LOOP;
  FOR one IN SELECT nspname FROM pg_catalog.pg_namespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' AND nspname <> 'public' LOOP
    EXECUTE pg_catalog.format('DROP SCHEMA %I CASCADE', one.nspname);
  END LOOP;
  IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public') THEN
    EXECUTE 'DROP SCHEMA public CASCADE';
    EXECUTE 'CREATE SCHEMA public';
    EXECUTE 'COMMENT ON SCHEMA public IS ''standard public schema''';
    IF pg_catalog.current_setting('server_version_num')::int >= 150000 THEN
      EXECUTE 'ALTER SCHEMA public OWNER TO pg_database_owner';
      EXECUTE 'GRANT USAGE ON SCHEMA public TO PUBLIC';
    ELSE
      EXECUTE 'GRANT ALL ON SCHEMA public TO PUBLIC';
    END IF;
  END IF;
END $styrmin$;
";
/// Before the dump of a whole server: nobody else is on it.
const ALONE: &str = r"SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
 WHERE datname IS NOT NULL AND pid <> pg_catalog.pg_backend_pid();
SET client_min_messages = warning;
";
/// After it. The dump has left settings behind that make no difference to this.
const COMMIT: &str = "\nCOMMIT;\n";

/// Versions whose first number is the same have one format.
const NUMBERS: usize = 1;

/// What stands before the rows of a table. `--verbose` would name it as well, and write times and numbers into the dump that differ each time.
const TABLE: &str = r"\nCOPY ([^\n]{1,200}?) \(";

fn script(name: &'static str, database: Option<&str>, one: &str, all: &str) -> Result<Tool, StrategyError> {
    let Some(database) = database else {
        return Ok(Tool::script(name, &format!("{HEAD}database=postgres\n{all}"), &[]));
    };
    let (assign, value) = argument("database", database)?;
    Ok(Tool::script(name, &format!("{HEAD}{assign}{one}"), &[value]))
}

/// What a server says of itself.
struct Server {
    version: String,
    /// The role that we are, quoted where it has to be.
    user: String,
}

async fn server(work: Work<'_>, database: Option<&str>) -> Result<Server, StrategyError> {
    let answer = ask(work, &script("psql", database, SERVER, SERVER)?).await?;
    let (version, user) = answer.split_once('\n').unwrap_or((&answer, ""));
    let version = version.split_whitespace().next().unwrap_or_default().to_owned();
    Ok(Server { version, user: user.trim().to_owned() })
}

pub(super) async fn dump(work: Work<'_>, sink: &mut impl Sink) -> Result<Dumped, StrategyError> {
    let database = work.place.component.backup_target.database.as_deref();
    let server = server(work, database).await?;
    let (name, end) = match database {
        Some(_) => ("pg_dump", "-- PostgreSQL database dump complete"),
        None => ("pg_dumpall", "-- PostgreSQL database cluster dump complete"),
    };
    let tool = Tool { end: End::Text(end), names: Some(TABLE), ..script(name, database, DUMP, DUMP_ALL)? };
    let heard = pull(work, &tool, sink).await?;
    let warnings = warning(&tool, work.place, heard.complaints).into_iter().collect();
    Ok(Dumped { bytes: heard.bytes, server: server.version, items: heard.items, warnings })
}

pub(super) async fn restore<S>(work: Work<'_>, incoming: Incoming<S>) -> Result<Restored, StrategyError>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let target = &work.place.component.backup_target;
    let database = target.database.as_deref();
    let server = server(work, database).await?;
    let versions = Versions { kept: &incoming.server, there: &server.version, numbers: NUMBERS };
    let warned = versions.check(&work.place.name, target.restore.into, incoming.force)?;
    let version = server.version.clone();
    let tool = script("psql", database, RESTORE, RESTORE_ALL)?;
    let stream = exact(incoming.size, incoming.stream);
    let heard = match database {
        Some(_) => {
            let size = incoming.size + (BEGIN.len() + COMMIT.len()) as u64;
            push(
                work,
                &tool,
                Feed { size: Some(size), stream: framed(BEGIN, without_transactions(stream), COMMIT) },
            )
            .await?
        }
        None => {
            let stream = framed(ALONE, whole_server(server.user, stream), "");
            push(work, &tool, Feed { size: None, stream }).await?
        }
    };
    let warnings = warned.into_iter().chain(warning(&tool, work.place, heard.complaints)).collect();
    Ok(Restored { bytes: incoming.size, server: version, warnings })
}

/// The dump of a whole server in a form that a server takes on which the roles are already. The role that restores stays as it is.
fn whole_server<S>(me: String, stream: S) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let own = format!("ALTER ROLE {me} ");
    Head::new(move |line: &str| {
        let text = line.trim_end();
        let role = text.strip_prefix("CREATE ROLE ");
        match text {
            _ if text.starts_with("\\unrestrict") || text.starts_with("\\connect") => Line::Last,
            _ if text.starts_with("DROP ROLE ") || text.starts_with(&own) => Line::Other("--\n".to_owned()),
            _ if text.starts_with("DROP DATABASE ") => {
                Line::Other(format!("{} WITH (FORCE);\n", text.trim_end_matches(';')))
            }
            _ if role.is_some() => Line::Other(format!(
                "DO $styrmin$ BEGIN {text} EXCEPTION WHEN duplicate_object THEN NULL; END $styrmin$;\n"
            )),
            _ => Line::Same,
        }
    })
    .over(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;

    #[tokio::test]
    async fn roles_that_are_there_stay_and_data_is_never_changed() {
        let dump = "DROP DATABASE IF EXISTS app;\nDROP ROLE IF EXISTS app;\nCREATE ROLE app;\nALTER ROLE app WITH SUPERUSER;\n\
                    ALTER ROLE other WITH LOGIN;\n\\unrestrict x\nDROP ROLE in_data;\n";
        let parts: Vec<io::Result<Bytes>> =
            dump.as_bytes().chunks(7).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        let changed = whole_server("app".to_owned(), futures::stream::iter(parts));
        let changed: Vec<Bytes> = changed.map(Result::unwrap).collect().await;
        let changed = String::from_utf8(changed.concat()).unwrap();
        assert_eq!(
            changed,
            "DROP DATABASE IF EXISTS app WITH (FORCE);\n--\n\
             DO $styrmin$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $styrmin$;\n--\n\
             ALTER ROLE other WITH LOGIN;\n\\unrestrict x\nDROP ROLE in_data;\n"
        );
    }
}
