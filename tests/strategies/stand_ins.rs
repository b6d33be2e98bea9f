//! MongoDB and Neo4j: their programs cannot be had here, so small ones stand in for them that check their arguments and speak the stream.

use styrmin::backup::strategy::{self, Direction, Helper, Place};
use styrmin::domain::driver::{BackupTarget, ComponentSpec};

use crate::bench::{Bench, component, disk, idle, on_sandbox};
use serde_json::{Value, json};

async fn put(bench: &Bench, place: &Place, name: &str, script: &str) {
    let install =
        r#"p=$STYRMIN_ROOT/usr/local/bin; mkdir -p "$p"; printf '%s' "$2" >"$p/$1"; chmod 755 "$p/$1""#;
    bench.sh(place, install, &[name, script]).await;
}

fn with(mut container: Value, env: &[(&str, &str)]) -> Value {
    container["env"] = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    container
}

/// The password must come through descriptor 3, and be on no command line.
const MONGODUMP: &str = r#"#!/bin/sh
echo "$@" >"$STYRMIN_ROOT/data/arguments"
case "$*" in *geheim*) echo 'the password is on the command line' >&2; exit 1 ;; esac
read -r line <&3; [ "$line" = "password: 'geheim''s'" ] || { echo "wrong: $line" >&2; exit 1; }
printf '2026-01-01T00:00:00.000+0000\twriting notes.items to archive on stdout\n' >&2
printf '2026-01-01T00:00:00.000+0000\tdone dumping notes.errors (12 documents)\n' >&2
printf '\155\342\231\201'; cat "$STYRMIN_ROOT/data/content"; printf '\377\377\377\377'
"#;
const MONGORESTORE: &str = r#"#!/bin/sh
echo "$@" >"$STYRMIN_ROOT/data/arguments"
read -r line <&3; [ "$line" = "password: 'geheim''s'" ] || exit 1
head -c 4 >/dev/null; cat >"$STYRMIN_ROOT/data/raw"; head -c -4 "$STYRMIN_ROOT/data/raw" >"$STYRMIN_ROOT/data/content"
at='2026-01-01T00:00:00.000+0000'; failures=$(cat "$STYRMIN_ROOT/data/failures")
printf "$at\t%s\n" 'preparing collections to restore from' 'reading metadata for notes.errors from archive on stdin' \
  'restoring notes.errors from archive on stdin' "finished restoring notes.errors (5 documents, $failures failures)" \
  'restoring indexes for collection notes.errors from metadata' 'no indexes to restore for collection notes.items' >&2
printf '2026-01-01T00:00:00.000+0000\t5 document(s) restored successfully. %s document(s) failed to restore.\n' "$(cat "$STYRMIN_ROOT/data/failures")" >&2
"#;

#[test]
fn mongodb_stand_in_is_dumped_and_restored_with_its_arguments_and_stream() {
    on_sandbox(async |bench| {
        let env = [("MONGO_INITDB_ROOT_USERNAME", "me"), ("MONGO_INITDB_ROOT_PASSWORD", "geheim's")];
        bench.deploy("db", with(idle(), &env)).await;
        let target = BackupTarget { database: Some("notes".into()), ..BackupTarget::default() };
        let place = bench.find("db", &component("db", "mongodb", target)).await;
        put(bench, &place, "mongod", "#!/bin/sh\necho 'db version v7.0.5'; echo 'Build Info: {}'\n").await;
        put(bench, &place, "mongodump", MONGODUMP).await;
        put(bench, &place, "mongorestore", MONGORESTORE).await;
        bench.sh(&place, r#"head -c 300000 /dev/urandom >"$1/content"; cp "$1/content" "$1/before"; echo 0 >"$1/failures""#, &["/data"]).await;
        let (dump, dumped) = bench.dump(&place).await.unwrap();
        assert_eq!((dumped.server.as_str(), dumped.items), ("7.0.5", 1));
        let arguments = bench.sh(&place, r#"cat "$1/arguments""#, &["/data"]).await;
        assert_eq!(
            arguments,
            "--username me --authenticationDatabase admin --config /dev/fd/3 --db notes --archive\n"
        );
        bench.sh(&place, r#"echo gone >"$1/content""#, &["/data"]).await;
        bench.restore(&place, &dump).await.unwrap();
        bench.sh(&place, r#"cmp "$1/content" "$1/before""#, &["/data"]).await;
        let arguments = bench.sh(&place, r#"cat "$1/arguments""#, &["/data"]).await;
        assert!(arguments.ends_with("--archive --drop --stopOnError\n"), "{arguments}");
        bench.sh(&place, r#"echo 2 >"$1/failures""#, &["/data"]).await;
        let error = bench.restore(&place, &dump).await.unwrap_err();
        assert!(error.problem.why.contains("2 document(s) failed"), "{error}");
        // an archive that stops before its trailer, by a tool that ends well
        put(bench, &place, "mongodump", "#!/bin/sh\nprintf half; exit 0\n").await;
        let error = bench.dump(&place).await.unwrap_err();
        assert!(error.problem.why.contains("stops before its end"), "{error}");
    });
}

const NEO4J: &str = r#"#!/bin/sh
case "$*" in
  --version) echo 5.26.1 ;;
  'database dump --to-stdout graph') cat "$STYRMIN_ROOT/data/content" ;;
  'database load --from-stdin --overwrite-destination=true graph') cat >"$STYRMIN_ROOT/data/content" ;;
  *) echo "unknown: $*" >&2; exit 2 ;;
esac
"#;

#[test]
fn neo4j_stand_in_is_dumped_and_restored_while_it_is_stopped() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let spec: ComponentSpec = component(
            "db",
            "neo4j",
            BackupTarget { database: Some("graph".into()), ..BackupTarget::default() },
        );
        assert!(Direction::Dump.needs_stop(&spec) && Direction::Restore.needs_stop(&spec));
        let place = bench.find("db", &disk("db")).await;
        bench
            .sh(
                &place,
                r#"head -c 300000 /dev/urandom >"$1/content"; cp "$1/content" "$1/before""#,
                &["/data"],
            )
            .await;
        bench.scale("db", 0).await;
        let helper = Helper { name: "helper".into(), labels: vec![("styrmin.io/operation", "1".into())] };
        let place = strategy::helper(bench.wanted("db", &spec, None), &helper).await.unwrap();
        put(bench, &place, "neo4j-admin", NEO4J).await;
        let (dump, dumped) = bench.dump(&place).await.unwrap();
        assert_eq!(dumped.server, "5.26.1");
        bench.sh(&place, r#"echo gone >"$1/content""#, &["/data"]).await;
        bench.restore(&place, &dump).await.unwrap();
        bench.sh(&place, r#"cmp "$1/content" "$1/before""#, &["/data"]).await;
        strategy::remove_helpers(&bench.cluster, "default", &helper.labels).await.unwrap();
    });
}
