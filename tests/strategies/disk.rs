//! Volumes, through the tar of this machine.

use serde_json::json;
use styrmin::backup::strategy::{self, Direction, Helper, Place, Wanted};
use styrmin::domain::driver::{BackupTarget, ComponentSpec, RestoreTarget};

use crate::bench::{Bench, component, disk, idle, incoming, on_sandbox};

/// Everything about every file of a volume, in a form to compare: names as they are, in bytes.
const LISTING: &str = r#"cd "$1" && find . -mindepth 1 -printf '%P|%y|%m|%U:%G|%n|%s|%T@|%l\0' | sort -z | od -An -c -v | sha256sum
find . -type f -print0 | sort -z | xargs -0 -r sha256sum -b | sha256sum; getfattr -R -d -m user . 2>/dev/null | sha256sum || :"#;

async fn listing(bench: &Bench, place: &Place) -> String {
    bench.sh(place, LISTING, &["/data"]).await
}

/// Odd things that a volume may have.
const ODD: &str = r#"cd "$1"
printf 'one\n' >plain; mkdir -p empty/dir 'with space' "$(printf 'new\nline')" "$(printf '\377\376')" 'ünï–codé'
printf x >"$(printf 'new\nline')/$(printf 'tab\tend')"; printf y >"$(printf '\377\376')/-rf"; printf z >'with space/*'
long=$(printf 'l%.0s' $(seq 1 200)); mkdir -p "$long/$long"; printf deep >"$long/$long/$long"
ln plain hard; ln -s plain soft; ln -s /etc/passwd outside; ln -s nowhere dangling; mkfifo pipe
mkdir lost+found; printf secret >lost+found/kept
chmod 4750 plain; chmod 0 'with space/*'; chmod 1777 empty
truncate -s 50M sparse; printf middle | dd of=sparse bs=1 seek=25000000 conv=notrunc 2>/dev/null
touch -d '2001-02-03 04:05:06.789' plain empty/dir
setfattr -n user.note -v kept 'ünï–codé' 2>/dev/null || :
if [ "$(id -u)" = 0 ]; then printf o >owned; chown 1234:5678 owned; chown -h 4321:8765 dangling; fi
head -c 3000000 /dev/urandom >random"#;

async fn helper(bench: &Bench, spec: &ComponentSpec) -> Place {
    let wanted = Wanted { volume: Some("data"), ..bench.wanted("db", spec, None) };
    strategy::helper(wanted, &mark()).await.unwrap()
}

fn mark() -> Helper {
    let labels = vec![("styrmin.io/operation", "7".to_owned()), ("styrmin.io/step", "3".to_owned())];
    Helper { name: "app-restore-db-0123abcd".to_owned(), labels }
}

#[test]
fn a_volume_comes_back_as_it_was_through_a_pod_of_our_own() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let spec = disk("db");
        let place = bench.find("db", &spec).await;
        bench.sh(&place, ODD, &["/data"]).await;
        let before = listing(bench, &place).await;
        let (dump, dumped) = bench.dump(&place).await.unwrap();
        assert!(dump.len() < 10 << 20, "the holes are not kept: {} bytes", dump.len());
        assert!(dumped.items > 15 && dumped.warnings.is_empty(), "{dumped:?}");
        bench.sh(&place, r#"cd "$1"; rm -rf empty soft random; printf changed >plain; mkdir soft; printf new >later; printf kept >lost+found/kept"#, &["/data"]).await;
        assert!(Direction::Restore.needs_stop(&spec) && !Direction::Dump.needs_stop(&spec));
        bench.scale("db", 0).await;
        let place = helper(bench, &spec).await;
        assert_eq!(helper(bench, &spec).await, place, "what a crash left is found again");
        bench.restore(&place, &dump).await.unwrap();
        assert_eq!(bench.sh(&place, r#"cat "$1/lost+found/kept""#, &["/data"]).await, "kept");
        let blocks = bench.sh(&place, r#"du -k "$1/sparse" | cut -f1"#, &["/data"]).await;
        assert!(blocks.trim().parse::<u64>().unwrap() < 1000, "the holes are filled: {blocks} KiB");
        bench.sh(&place, r#"printf secret >"$1/lost+found/kept""#, &["/data"]).await;
        let after = listing(bench, &place).await;
        strategy::remove_helpers(&bench.cluster, "default", &mark().labels).await.unwrap();
        strategy::remove_helpers(&bench.cluster, "default", &mark().labels).await.unwrap();
        bench.scale("db", 1).await;
        // the time of lost+found is not among what is restored
        let strip = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(strip(&after), strip(&before));
        let place = bench.find("db", &spec).await;
        assert_eq!(bench.dump(&place).await.unwrap().0.len(), dump.len());
    });
}

#[test]
fn an_empty_volume_comes_back_empty() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let mut spec = disk("db");
        spec.backup_target.restore = RestoreTarget { stop: Some(false), ..RestoreTarget::default() };
        assert!(!Direction::Restore.needs_stop(&spec));
        let place = bench.find("db", &spec).await;
        let (dump, dumped) = bench.dump(&place).await.unwrap();
        assert_eq!(dumped.items, 1, "the root itself");
        bench.sh(&place, r#"cd "$1"; printf x >a; mkdir -p .hidden/b ..odd"#, &["/data"]).await;
        bench.restore(&place, &dump).await.unwrap();
        assert_eq!(bench.sh(&place, r#"ls -A "$1""#, &["/data"]).await, "");
    });
}

#[test]
fn many_small_files_come_back() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let spec = disk("db");
        let place = bench.find("db", &spec).await;
        // 100 000 where somebody has the time
        let each = if std::env::var_os("STYRMIN_TEST_MANY").is_some() { "1000" } else { "100" };
        let make =
            r#"cd "$1"; for d in $(seq 1 100); do mkdir $d; (cd $d; seq 1 "$2" | split -l 1 -a 4 - f); done"#;
        bench.sh(&place, make, &["/data", each]).await;
        let before = listing(bench, &place).await;
        let (dump, dumped) = bench.dump(&place).await.unwrap();
        assert!(dumped.items > 10_000, "{dumped:?}");
        assert!(bench.dump(&place).await.unwrap().0 == dump, "the same files give the same bytes");
        bench.sh(&place, r#"rm -rf "$1"/*; printf x >"$1/other""#, &["/data"]).await;
        bench.restore(&place, &dump).await.unwrap();
        assert_eq!(listing(bench, &place).await, before);
    });
}

#[test]
fn one_path_comes_back_and_the_rest_stays() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let place = bench.find("db", &disk("db")).await;
        bench.sh(&place, r#"cd "$1"; mkdir -p a/b ab; printf 1 >a/b/one; printf 2 >a/two; printf 3 >ab/three; ln a/two a/again"#, &["/data"]).await;
        let (dump, _) = bench.dump(&place).await.unwrap();
        bench
            .sh(
                &place,
                r#"cd "$1"; rm -rf a; printf other >ab/three; mkdir a; printf later >a/later"#,
                &["/data"],
            )
            .await;
        let take = async |path: &str| {
            let mut part = incoming(&dump);
            part.path = Some(path.to_owned());
            bench.bring(&place, part).await
        };
        take("a").await.unwrap();
        let read = r#"cd "$1"; cat a/b/one a/two a/again ab/three a/later"#;
        assert_eq!(bench.sh(&place, read, &["/data"]).await, "122otherlater");
        let error = take("a/two").await.unwrap_err();
        assert!(error.problem.why.contains("another name of") && !error.transient, "{error}");
        take("/ab/three").await.unwrap();
        assert_eq!(bench.sh(&place, read, &["/data"]).await, "1223later");
        let error = take("no/such").await.unwrap_err();
        assert!(error.problem.why.contains("nothing at no/such"), "{error}");
        assert!(take("../x").await.is_err() && take("").await.is_err());
        // what was made a link to elsewhere since is not followed
        bench.sh(&place, r#"cd "$1"; rm -rf a; mkdir elsewhere; ln -s elsewhere a"#, &["/data"]).await;
        let error = take("a/b/one").await.unwrap_err();
        assert!(error.problem.why.contains("symbolic link"), "{error}");
        assert_eq!(bench.sh(&place, r#"ls -A "$1/elsewhere""#, &["/data"]).await, "");
    });
}

#[test]
fn an_archive_that_would_get_out_is_refused() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let place = bench.find("db", &disk("db")).await;
        let outside = tempfile::tempdir().unwrap();
        let target = outside.path().to_str().unwrap();
        let mut builder = tar::Builder::new(Vec::new());
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        builder.append_link(&mut link, "door", target).unwrap();
        let mut file = tar::Header::new_gnu();
        file.set_size(4);
        file.set_mode(0o644);
        builder.append_data(&mut file, "door/evil", &b"evil"[..]).unwrap();
        let archive = builder.into_inner().unwrap();
        let error = bench.restore(&place, &archive).await.unwrap_err();
        assert!(error.problem.why.contains("symbolic link"), "{error}");
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    });
}

#[test]
fn volumes_of_several_pods_are_not_taken_for_one() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        bench.cluster.scale(&crate::bench::set_key("db"), 2, styrmin::domain::OperationId(1)).await.unwrap();
        let labels = crate::bench::labels("db");
        let both = || (bench.cluster.index().pods_of("default", &labels).len() == 2).then_some(());
        bench.until("two pods", both).await;
        let spec = disk("db");
        let error = strategy::find(bench.wanted("db", &spec, Some("data"))).await.unwrap_err();
        assert!(error.problem.what.contains("2 volumes"), "{error}");
        let mut spec = spec;
        spec.backup_target.one_of_many = true;
        strategy::find(bench.wanted("db", &spec, Some("data"))).await.unwrap();
    });
}

#[test]
fn files_that_a_driver_names_come_back() {
    on_sandbox(async |bench| {
        bench.deploy("db", idle()).await;
        let files = vec!["/data/state".to_owned(), "/data/one file".to_owned()];
        let spec = component("db", "action", BackupTarget { files, ..BackupTarget::default() });
        let place = bench.find("db", &spec).await;
        bench
            .sh(
                &place,
                r#"cd "$1"; mkdir state; printf 1 >state/a; printf 2 >'one file'; printf 3 >other"#,
                &["/data"],
            )
            .await;
        let (dump, _) = bench.dump(&place).await.unwrap();
        bench.sh(&place, r#"cd "$1"; rm -rf state; printf x >'one file'; printf y >other"#, &["/data"]).await;
        bench.restore(&place, &dump).await.unwrap();
        assert_eq!(bench.sh(&place, r#"cd "$1"; cat state/a 'one file' other"#, &["/data"]).await, "12y");
        // the same said by a function of the driver
        let asked = bench.find("db", &component("db", "action", BackupTarget::default())).await;
        let answered = asked.clone().with_answer(&json!({"files": ["/data/one file"]})).unwrap();
        assert!(bench.dump(&answered).await.is_ok());
        for wrong in
            [json!({}), json!({"files": ["../x"]}), json!({"command": ["a"], "files": ["/b"]}), json!([])]
        {
            assert!(asked.clone().with_answer(&wrong).is_err(), "{wrong}");
        }
    });
}
