//! Holding still, and the switch inside the pod.

use styrmin::backup::strategy::{Place, Resumed, holds, quiesce, resume};
use styrmin::domain::driver::{BackupTarget, ComponentSpec, Quiesce};

use crate::bench::{Bench, component, idle, on_sandbox};

fn spec(hold: &str, limit: u64) -> ComponentSpec {
    let shell = |script: &str| ["sh", "-c", script, "sh", "/data"].map(str::to_owned).to_vec();
    let quiesce =
        Quiesce { command: shell(hold), resume: shell("rm -f \"$1/frozen\"; echo go >>\"$1/log\""), limit };
    component("db", "disk", BackupTarget { quiesce: Some(quiesce), ..BackupTarget::default() })
}

async fn is_frozen(bench: &Bench, place: &Place) -> bool {
    bench.sh(place, "if [ -e \"$1/frozen\" ]; then echo yes; fi", &["/data"]).await == "yes\n"
}

/// The switches of this test's pods that wait.
async fn switches(bench: &Bench, place: &Place) -> String {
    let script = r#"for e in /proc/[0-9]*; do l=; { IFS= read -r l <$e/cmdline; } 2>/dev/null || :; case $l in sh-c:*"lets-go-$1."*) echo x ;; esac; done"#;
    let name = format!("{}.{}", place.target.namespace, place.target.pod);
    bench.sh(place, script, &[&name]).await
}

#[test]
fn what_holds_still_is_let_go() {
    on_sandbox(async |bench| {
        bench.deploy("held", idle()).await;
        let spec = ComponentSpec { labels: crate::bench::labels("held"), ..spec("touch \"$1/frozen\"", 60) };
        let place = bench.find("held", &spec).await;
        for _ in 0..2 {
            // twice, as after a crash
            quiesce(&bench.cluster, &place).await.unwrap();
            assert!(is_frozen(bench, &place).await);
            assert_eq!(switches(bench, &place).await, "x\n", "one switch waits");
            assert!(holds(&bench.cluster, &place).await.unwrap());
        }
        assert_eq!(resume(&bench.cluster, &place).await.unwrap(), Resumed::InTime);
        assert!(!is_frozen(bench, &place).await);
        assert_eq!(switches(bench, &place).await, "");
        assert_eq!(
            resume(&bench.cluster, &place).await.unwrap(),
            Resumed::TooLate,
            "nothing held it any more"
        );
        assert!(!holds(&bench.cluster, &place).await.unwrap());
    });
}

#[test]
fn a_switch_in_the_pod_lets_go_when_nobody_else_does() {
    on_sandbox(async |bench| {
        bench.deploy("left", idle()).await;
        // nobody waits for so long: the sleep of the switch is found by this number, and ended
        let limit = 100_000 + u64::from(std::process::id());
        let spec =
            ComponentSpec { labels: crate::bench::labels("left"), ..spec("touch \"$1/frozen\"", limit) };
        let place = bench.find("left", &spec).await;
        quiesce(&bench.cluster, &place).await.unwrap();
        assert!(is_frozen(bench, &place).await);
        // again and again, as the switch may not sleep yet; the shell leaves out NULs when it reads
        let passes = r#"while [ ! -s "$1/log" ]; do
            for e in /proc/[0-9]*; do
                l=; { IFS= read -r l <$e/cmdline; } 2>/dev/null || :
                case $l in "$2") kill ${e#/proc/} 2>/dev/null || : ;; esac
            done
            sleep 0.05
        done; cat "$1/log""#;
        let sleep = format!("sleep{limit}");
        assert_eq!(bench.sh(&place, passes, &["/data", &sleep]).await, "go\n");
        assert!(!is_frozen(bench, &place).await);
        assert_eq!(resume(&bench.cluster, &place).await.unwrap(), Resumed::TooLate);
    });
}

#[test]
fn one_that_cannot_hold_still_is_let_go_at_once() {
    on_sandbox(async |bench| {
        bench.deploy("half", idle()).await;
        let spec = ComponentSpec {
            labels: crate::bench::labels("half"),
            ..spec("touch \"$1/frozen\"; echo no way >&2; exit 3", 60)
        };
        let place = bench.find("half", &spec).await;
        let error = quiesce(&bench.cluster, &place).await.unwrap_err();
        assert!(error.problem.why.contains("no way"), "{error}");
        assert!(!is_frozen(bench, &place).await);
        assert_eq!(switches(bench, &place).await, "");
    });
}
