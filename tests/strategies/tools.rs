//! Tools that fail, lie, or hang; and people who change their minds.

use bytes::Bytes;
use styrmin::backup::strategy::{Place, Sink, Work, dump};
use styrmin::domain::Problem;
use styrmin::domain::driver::{BackupTarget, ComponentSpec, RestoreTarget};
use tokio::sync::Notify;

use crate::bench::{Bench, LIMIT, component, disk, idle, incoming, on_sandbox};

fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script, "sh", "/data"].map(str::to_owned).to_vec()
}

fn spec(dump: &str, restore: &str) -> ComponentSpec {
    let target = BackupTarget {
        command: shell(dump),
        restore: RestoreTarget { command: shell(restore), ..RestoreTarget::default() },
        ..BackupTarget::default()
    };
    component("db", "action", target)
}

async fn place(bench: &Bench, dump: &str) -> Place {
    bench.find("db", &spec(dump, "cat >/dev/null")).await
}

/// Puts a program of that name in front of the pod's PATH.
async fn put(bench: &Bench, place: &Place, name: &str, script: &str) {
    let install =
        r#"p=$STYRMIN_ROOT/usr/local/bin; mkdir -p "$p"; printf '%s' "$2" >"$p/$1"; chmod 755 "$p/$1""#;
    bench.sh(place, install, &[name, script]).await;
}

#[test]
fn a_command_of_the_driver_keeps_and_gives_back_a_large_stream() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let spec = spec("cat \"$1/big\"", "cat >\"$1/back\"");
        let place = bench.find("db", &spec).await;
        bench.sh(&place, "head -c 200000000 /dev/zero | openssl enc -aes-128-ctr -pass pass:x -nosalt 2>/dev/null >\"$1/big\" || head -c 200000000 /dev/urandom >\"$1/big\"", &["/data"]).await;
        let (bytes, dumped) = bench.dump(&place).await.unwrap();
        assert_eq!(dumped.bytes, 200_000_000);
        bench.restore(&place, &bytes).await.unwrap();
        bench.sh(&place, "cmp \"$1/big\" \"$1/back\"", &["/data"]).await;
        let told = bench.told.lock().unwrap();
        assert!(told.last().is_some_and(|told| told.done == 200_000_000 && told.total == Some(200_000_000)));
    });
}

#[test]
fn a_tool_that_fails_in_the_middle_or_writes_nothing_has_failed() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let error = bench
            .dump(&place(bench, "head -c 100000 /dev/zero; echo password=geheim disk full >&2; exit 3").await)
            .await
            .unwrap_err();
        assert!(
            error.problem.why.contains("exit code 3") && error.problem.why.contains("disk full"),
            "{error}"
        );
        assert!(!error.problem.why.contains("geheim"), "{error}");
        let error = bench.dump(&place(bench, "exit 0").await).await.unwrap_err();
        assert!(error.problem.why.contains("wrote nothing at all"), "{error}");
        let error = bench.dump(&place(bench, "head -c 1000 /dev/zero; kill -9 $$").await).await.unwrap_err();
        assert!(error.problem.why.contains("137"), "{error}");
        // a pipe whose first half fails
        let error = bench
            .dump(&place(bench, "set -o pipefail 2>/dev/null || exit 9; false | cat").await)
            .await
            .unwrap_err();
        assert!(!error.problem.why.is_empty());
        let warned = bench.dump(&place(bench, "echo good; echo by the way >&2").await).await.unwrap().1;
        assert!(warned.warnings[0].why.contains("by the way"));
    });
}

#[test]
fn a_dump_without_its_end_mark_has_failed_although_its_tool_says_otherwise() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let spec = component(
            "db",
            "postgres",
            BackupTarget { database: Some("x".into()), ..BackupTarget::default() },
        );
        let place = bench.find("db", &spec).await;
        put(bench, &place, "psql", "#!/bin/sh\ncat >/dev/null; echo 15.1; echo me\n").await;
        put(bench, &place, "pg_isready", "#!/bin/sh\nexit 0\n").await;
        put(bench, &place, "pg_dump", "#!/bin/sh\necho 'create table a();'\nexit 0\n").await;
        let error = bench.dump(&place).await.unwrap_err();
        assert!(error.problem.why.contains("stops before its end"), "{error}");
        put(bench, &place, "pg_dump", "#!/bin/sh\necho '-- PostgreSQL database dump complete'\n").await;
        assert_eq!(bench.dump(&place).await.unwrap().1.server, "15.1");
        // an archive that is cut: tar ends well, somebody between ate the rest
        let place = bench.find("db", &disk("db")).await;
        put(bench, &place, "tar", "#!/bin/sh\ncase $* in *create*) /bin/tar \"$@\" | head -c 600; exit 0 ;; *) exec /bin/tar \"$@\" ;; esac\n").await;
        bench.sh(&place, "head -c 100000 /dev/zero >\"$1/a\"", &["/data"]).await;
        let error = bench.dump(&place).await.unwrap_err();
        assert!(error.problem.why.contains("stops before its end"), "{error}");
    });
}

#[test]
fn a_file_that_changes_while_it_is_read_fails_unless_the_driver_says_otherwise() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let place = bench.find("db", &disk("db")).await;
        let changes = "#!/bin/sh\ncase $* in *create*) /bin/tar \"$@\"; echo 'tar: ./a: file changed as we read it' >&2; exit 1 ;; *) exec /bin/tar \"$@\" ;; esac\n";
        put(bench, &place, "tar", changes).await;
        let error = bench.dump(&place).await.unwrap_err();
        assert!(error.problem.why.contains("file changed as we read it"), "{error}");
        let mut spec = disk("db");
        spec.backup_target.changing = true;
        let (_, dumped) = bench.dump(&bench.find("db", &spec).await).await.unwrap();
        assert!(dumped.warnings[0].why.contains("file changed"), "{dumped:?}");
    });
}

#[test]
fn a_tool_that_falls_silent_is_ended() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let mut spec = spec("echo $$ >\"$1/pid\"; echo begun; sleep 1000", "echo $$ >\"$1/pid\"; sleep 1000");
        // its start is silent as well
        spec.backup_target.idle = Some(10);
        let place = bench.find("db", &spec).await;
        let error = bench.dump(&place).await.unwrap_err();
        assert!(error.problem.why.contains("nothing moved for 10 s"), "{error}");
        until_ended(bench, &place).await;
        let error = bench.restore(&place, &vec![1; 3_000_000]).await.unwrap_err();
        assert!(error.problem.why.contains("nothing moved for 10 s"), "{error}");
        until_ended(bench, &place).await;
    });
}

/// Waits until the process that wrote its number is gone.
async fn until_ended(bench: &Bench, place: &Place) {
    let script = r#"p=$(cat "$1/pid"); while kill -0 "$p" 2>/dev/null; do sleep 0.05; done; rm "$1/pid""#;
    bench.sh(place, script, &["/data"]).await;
}

/// Takes nothing more after a while, tells so, and never comes back.
struct Stuck<'a> {
    taken: usize,
    full: &'a Notify,
}

impl Sink for Stuck<'_> {
    async fn send(&mut self, bytes: Bytes) -> Result<(), Problem> {
        self.taken += bytes.len();
        if self.taken > 5_000_000 {
            self.full.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn finish(self) -> Result<(), Problem> {
        panic!("it was never whole")
    }
}

/// Takes nothing more, and says why.
struct Full;

impl Sink for Full {
    async fn send(&mut self, _bytes: Bytes) -> Result<(), Problem> {
        Err(Problem::new("the bucket is full", "quota", "make room"))
    }

    async fn finish(self) -> Result<(), Problem> {
        panic!("it was never whole")
    }
}

#[test]
fn what_is_cancelled_or_not_taken_ends_the_tool_in_the_pod() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let place = place(bench, "echo $$ >\"$1/pid\"; exec cat /dev/zero").await;
        let tell = |_| ();
        let work = Work { cluster: &bench.cluster, place: &place, total: None, tell: &tell };
        let full = Notify::new();
        let cancelled = async {
            tokio::select! {
                ended = dump(work, Stuck { taken: 0, full: &full }) => panic!("it goes on for ever: {ended:?}"),
                () = full.notified() => {}
            }
        };
        tokio::time::timeout(LIMIT, cancelled).await.expect("it writes without end");
        until_ended(bench, &place).await;
        let error = dump(work, Full).await.unwrap_err();
        assert_eq!(error.problem.what, "the bucket is full");
        until_ended(bench, &place).await;
        let spec = spec("true", "echo $$ >\"$1/pid\"; cat >/dev/null; touch \"$1/ended\"");
        let place = bench.find("db", &spec).await;
        let endless = futures::stream::iter([Ok(Bytes::from_static(b"begin"))]);
        let endless = futures::StreamExt::chain(endless, futures::stream::pending());
        let part = styrmin::backup::strategy::Incoming {
            size: 1000,
            stream: Box::pin(endless),
            server: String::new(),
            path: None,
            force: false,
        };
        let begun = "while [ ! -s \"$1/pid\" ]; do sleep 0.05; done";
        tokio::select! {
            ended = bench.bring(&place, part) => panic!("it goes on for ever: {ended:?}"),
            _ = bench.sh(&place, begun, &["/data"]) => {}
        }
        until_ended(bench, &place).await;
        bench.sh(&place, "[ ! -e \"$1/ended\" ]", &["/data"]).await;
        let failing = bench
            .find(
                "db",
                &component(
                    "db",
                    "action",
                    BackupTarget {
                        command: shell("true"),
                        restore: RestoreTarget {
                            command: shell("head -c 10 >/dev/null; echo enough >&2; exit 4"),
                            ..RestoreTarget::default()
                        },
                        ..BackupTarget::default()
                    },
                ),
            )
            .await;
        let error = bench.bring(&failing, incoming(&vec![7; 5_000_000])).await.unwrap_err();
        assert!(error.problem.why.contains("enough"), "{error}");
        let deaf = bench.find("db", &spec_that_reads_a_part()).await;
        let error = bench.bring(&deaf, incoming(&vec![7; 50_000_000])).await.unwrap_err();
        assert!(error.problem.why.contains("before it had read all"), "{error}");
    });
}

fn spec_that_reads_a_part() -> ComponentSpec {
    spec("true", "head -c 10 >/dev/null; exit 0")
}
