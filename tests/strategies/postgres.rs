//! A real PostgreSQL of this machine.

use serde_json::{Value, json};
use styrmin::backup::strategy::{self, Place};
use styrmin::domain::driver::{BackupTarget, ComponentSpec};

use crate::bench::{APP, Bench, component, incoming, on_sandbox};

/// Whether the host has a server; says so when it has none.
fn is_there() -> bool {
    let there = std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|mut entries| entries.next().is_some());
    if !there {
        println!("skipped: this machine has no PostgreSQL (.ci/databases installs it)");
    }
    there
}

fn container() -> Value {
    let env = |name: &str, value: &str| json!({"name": name, "value": value});
    json!({
        "image": "postgres:15",
        "env": [env("POSTGRES_USER", "app"), env("POSTGRES_PASSWORD", "s3cret '\"$x"), env("POSTGRES_DB", "notes"),
            env("PGDATA", "/var/lib/postgresql/data/pgdata")],
        "readinessProbe": {"exec": {"command": ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "app", "-d", "notes"]}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data"}],
    })
}

fn spec(database: Option<&str>) -> ComponentSpec {
    component(
        "db",
        "postgres",
        BackupTarget { database: database.map(str::to_owned), ..BackupTarget::default() },
    )
}

async fn sql(bench: &Bench, place: &Place, database: &str, statements: &str) -> String {
    let script = "PGUSER=app exec psql -X -A -t -q -v ON_ERROR_STOP=1 -d \"$1\" -c \"$2\"";
    bench.sh(place, script, &[database, statements]).await
}

/// A dump without what differs each time.
fn text(dump: &[u8]) -> String {
    let text = String::from_utf8_lossy(dump);
    let lines =
        text.lines().filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Fails with the first lines that differ.
fn assert_same(one: &[u8], other: &[u8]) {
    let (one, other) = (text(one), text(other));
    if one != other {
        let pairs = one.lines().zip(other.lines()).filter(|(a, b)| a != b).take(5);
        panic!("they differ: {:#?}, {} and {} bytes", pairs.collect::<Vec<_>>(), one.len(), other.len());
    }
}

const CONTENT: &str = "create table note(id serial primary key, body text not null, at timestamptz default now());
    insert into note(body) select repeat(md5(i::text), 20) || E'\\n\\\\.\\n;' from generate_series(1, 20000) i;
    create schema \"Odd Name\"; create table \"Odd Name\".\"t\"(a bytea); insert into \"Odd Name\".t values ('\\x00ff5c');
    create view recent as select * from note where id > 10; create index on note(body);
    select lo_from_bytea(4711, '\\x0102'); create extension if not exists pgcrypto;";

#[test]
fn one_database_comes_back_as_it_was_and_what_came_later_goes() {
    if !is_there() {
        return;
    }
    on_sandbox(async |bench| {
        bench.deploy("db", container()).await;
        let place = bench.find("db", &spec(Some("$POSTGRES_DB"))).await;
        sql(bench, &place, "notes", CONTENT).await;
        let (dump, dumped) = bench.dump(&place).await.unwrap();
        assert!(dumped.server.starts_with(|c: char| c.is_ascii_digit()), "{dumped:?}");
        assert_eq!(dumped.warnings, []);
        let items: Vec<String> = bench.told.lock().unwrap().iter().map(|told| told.item.clone()).collect();
        assert!(
            items.iter().any(|item| item.starts_with("public.") || item.contains("Odd Name")),
            "{items:?}"
        );
        sql(bench, &place, "notes", "drop view recent; delete from note where id > 5; update note set body = 'gone';
            create table later(a int); create schema later; create table later.t(a int); drop schema \"Odd Name\" cascade;
            select lo_unlink(4711); select lo_from_bytea(815, '\\x03');").await;
        bench.restore(&place, &dump).await.unwrap();
        let (again, _) = bench.dump(&place).await.unwrap();
        assert_same(&again, &dump);
        assert_eq!(sql(bench, &place, "notes", "select count(*) from note").await.trim(), "20000");
        // a second time into the same is the same
        bench.restore(&place, &dump).await.unwrap();
        assert_same(&bench.dump(&place).await.unwrap().0, &dump);
    });
}

#[test]
fn a_stream_that_breaks_off_or_is_wrong_changes_nothing() {
    if !is_there() {
        return;
    }
    on_sandbox(async |bench| {
        bench.deploy("db", container()).await;
        let place = bench.find("db", &spec(Some("notes"))).await;
        sql(bench, &place, "notes", CONTENT).await;
        let (dump, _) = bench.dump(&place).await.unwrap();
        sql(bench, &place, "notes", "insert into note(id, body) values (90000, 'newer')").await;
        let (before, _) = bench.dump(&place).await.unwrap();
        // the stream ends in the middle, though it was said to be longer
        let mut short = incoming(&dump[..dump.len() / 2]);
        short.size = dump.len() as u64;
        let error = bench.bring(&place, short).await.unwrap_err();
        assert!(error.problem.why.contains("bytes are missing"), "{error}");
        // its end alone is missing: valid SQL, and still not whole
        let end = dump.len() - 200;
        let mut short = incoming(&dump[..end]);
        short.size = dump.len() as u64;
        bench.bring(&place, short).await.unwrap_err();
        // the server refuses a statement
        let wrong = [&dump[..], b"\nselect no_such_function();\n"].concat();
        let error = bench.restore(&place, &wrong).await.unwrap_err();
        assert!(error.problem.why.contains("no_such_function"), "{error}");
        // of a newer server
        let mut newer = incoming(&dump);
        newer.server = "99.1".to_owned();
        let error = bench.bring(&place, newer).await.unwrap_err();
        assert!(error.problem.what.contains("99.1"), "{error}");
        let (after, _) = bench.dump(&place).await.unwrap();
        assert_same(&before, &after);
        let mut older = incoming(&dump);
        older.server = "9.6".to_owned();
        assert_eq!(bench.bring(&place, older).await.unwrap().warnings.len(), 1, "an older one is warned of");
    });
}

#[test]
fn a_whole_server_comes_back_with_its_roles_and_databases() {
    if !is_there() {
        return;
    }
    on_sandbox(async |bench| {
        bench.deploy("db", container()).await;
        let place = bench.find("db", &spec(None)).await;
        sql(bench, &place, "notes", CONTENT).await;
        sql(bench, &place, "postgres", "create role reader login password 'r'").await;
        sql(bench, &place, "postgres", "create database second owner reader").await;
        sql(
            bench,
            &place,
            "second",
            "create table s(a int); insert into s values (1); grant select on s to reader",
        )
        .await;
        let (dump, dumped) = bench.dump(&place).await.unwrap();
        assert_eq!(dumped.warnings, []);
        sql(bench, &place, "postgres", "drop database second").await;
        sql(bench, &place, "postgres", "drop role reader").await;
        sql(bench, &place, "notes", "drop table note cascade").await;
        bench.restore(&place, &dump).await.unwrap();
        let (again, _) = bench.dump(&place).await.unwrap();
        assert_same(&again, &dump);
    });
}

#[test]
fn a_dump_that_cannot_be_made_says_why() {
    if !is_there() {
        return;
    }
    on_sandbox(async |bench| {
        bench.deploy("db", container()).await;
        let missing = bench.find("db", &spec(Some("nowhere"))).await;
        let error = bench.dump(&missing).await.unwrap_err();
        assert!(error.problem.why.contains("nowhere"), "{error}");
        let unset = bench.find("db", &spec(Some("$NO_SUCH"))).await;
        let error = bench.dump(&unset).await.unwrap_err();
        assert!(error.problem.why.contains("NO_SUCH"), "{error}");
        assert!(bench.dump(&bench.find("db", &spec(Some("$(rm -rf /)"))).await).await.is_err());
        bench.scale("db", 0).await;
        let spec = spec(None);
        let error = strategy::find(bench.wanted("db", &spec, None)).await.unwrap_err();
        assert!(error.problem.what.contains("no pod of db runs"), "{error} in {APP}");
    });
}
