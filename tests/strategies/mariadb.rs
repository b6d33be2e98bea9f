//! A real MariaDB of this machine.

use serde_json::{Value, json};
use styrmin::backup::strategy::Place;
use styrmin::domain::driver::{BackupTarget, ComponentSpec};

use crate::bench::{Bench, component, incoming, on_sandbox};

fn is_there() -> bool {
    let there = std::path::Path::new("/usr/sbin/mariadbd").exists();
    if !there {
        println!("skipped: this machine has no MariaDB (.ci/databases installs it)");
    }
    there
}

fn container() -> Value {
    let env = |name: &str, value: &str| json!({"name": name, "value": value});
    json!({
        "image": "mariadb:10.11",
        "env": [env("MARIADB_ROOT_PASSWORD", "s3cret '\"$x"), env("MARIADB_DATABASE", "notes")],
        "readinessProbe": {"exec": {"command": ["sh", "-c", "MYSQL_PWD=$MARIADB_ROOT_PASSWORD mariadb-admin -uroot ping"]}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/mysql"}],
    })
}

fn spec(database: Option<&str>) -> ComponentSpec {
    component(
        "db",
        "mariadb",
        BackupTarget { database: database.map(str::to_owned), ..BackupTarget::default() },
    )
}

async fn sql(bench: &Bench, place: &Place, statements: &str) -> String {
    let script = "MYSQL_PWD=$MARIADB_ROOT_PASSWORD exec mariadb -uroot -N -B -e \"$1\"";
    bench.sh(place, script, &[statements]).await
}

const CONTENT: &str = "use notes; create table note(id int auto_increment primary key, body mediumtext, raw blob);
    insert into note(body, raw) select concat(repeat(md5(seq), 20), '\\n;\\\\ ä€😀'), unhex('00ff5c27') from seq_1_to_5000;
    create view recent as select * from note where id > 10;
    create procedure count_notes() select count(*) from note;
    create trigger before_note before insert on note for each row set new.body = trim(new.body);
    create event nightly on schedule every 1 day do delete from note where id < 0;";

async fn round_trip(bench: &Bench, spec: &ComponentSpec) {
    bench.deploy("db", container()).await;
    let place = bench.find("db", spec).await;
    sql(bench, &place, CONTENT).await;
    let (dump, dumped) = bench.dump(&place).await.unwrap();
    assert!(dumped.server.starts_with("1"), "{dumped:?}");
    assert_eq!(dumped.warnings, []);
    sql(
        bench,
        &place,
        "use notes; drop view recent; drop procedure count_notes; drop event nightly;
        delete from note where id > 5; create table later(a int)",
    )
    .await;
    bench.restore(&place, &dump).await.unwrap();
    let (again, _) = bench.dump(&place).await.unwrap();
    assert!(again == dump, "the second dump differs");
    assert_eq!(sql(bench, &place, "select count(*) from notes.note").await.trim(), "5000");
}

#[test]
fn one_database_comes_back_as_it_was_and_what_came_later_goes() {
    if is_there() {
        on_sandbox(async |bench| round_trip(bench, &spec(Some("$MARIADB_DATABASE"))).await);
    }
}

#[test]
fn every_database_comes_back_and_a_cut_stream_says_that_half_is_there() {
    if !is_there() {
        return;
    }
    on_sandbox(async |bench| {
        let spec = spec(None);
        round_trip(bench, &spec).await;
        let place = bench.find("db", &spec).await;
        let (dump, _) = bench.dump(&place).await.unwrap();
        let mut short = incoming(&dump[..dump.len() / 2]);
        short.size = dump.len() as u64;
        let error = bench.bring(&place, short).await.unwrap_err();
        assert!(
            error.problem.why.contains("bytes are missing") && error.problem.why.contains("no way back"),
            "{error}"
        );
        bench.restore(&place, &dump).await.unwrap();
        assert!(bench.dump(&place).await.unwrap().0 == dump);
        // no database of its own: nothing is no backup
        sql(bench, &place, "drop database notes").await;
        let error = bench.dump(&place).await.unwrap_err();
        assert!(error.problem.why.contains("no database that could be kept"), "{error}");
    });
}
