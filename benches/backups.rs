//! What it costs to keep a stream: throughput and memory of 2 GB, beside `zstd` and the public `restic` in the same run; the same
//! stream again with a little changed; reading it back. `cargo bench --bench backups [-- MEGABYTES]`.
//!
//! Each measurement is a process of its own, so that its peak memory is its own. The stream is made by this program, half of
//! it text and half of it noise, and each of them reads it from its standard input.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement prints, and fails by panicking"
)]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use styrmin::backup::repository::{NewSnapshot, Repository, Source};
use styrmin::backup::secrets::Secrets;
use styrmin::domain::backup::{Location, LocationKind, SecretSource};
use zeroize::Zeroizing;

const PASSWORD: &str = "measured";

/// Writes a dump-like stream of so many megabytes; `changed` puts a few lines before it.
fn dump(megabytes: usize, changed: bool) {
    let mut out = std::io::stdout().lock();
    if changed {
        out.write_all(b"-- a later dump\n").unwrap();
    }
    let (mut state, mut row) = (0x9e37_79b9_7f4a_7c15_u64, 0_u64);
    let mut block = Vec::with_capacity(1 << 20);
    for number in 0..megabytes {
        block.clear();
        while block.len() < 1 << 20 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if number % 2 == 0 {
                row += 1;
                let values = (row, state % 100_000, state % 365);
                writeln!(
                    block,
                    "INSERT INTO notes VALUES ({}, 'note {}', 'day {}', true);",
                    values.0, values.1, values.2
                )
                .unwrap();
            } else {
                block.extend_from_slice(&state.to_le_bytes());
            }
        }
        block.truncate(1 << 20);
        out.write_all(&block).unwrap();
    }
}

fn location(place: &Path) -> (Location, Secrets) {
    let location = Location {
        name: "bench".into(),
        kind: LocationKind::Directory { path: place.to_owned() },
        key: SecretSource::Environment { variable: "KEY".into() },
        repository: None,
        created: Timestamp::UNIX_EPOCH,
    };
    (location, Secrets { password: Zeroizing::new(PASSWORD.to_owned()), s3: None })
}

/// Keeps its standard input, and prints the snapshot.
async fn save(place: &Path) {
    let (location, secrets) = location(place);
    let repository = Repository::init(&location, &secrets).await.unwrap();
    let new = NewSnapshot {
        host: "bench".into(),
        path: "/demo/notes/db.sql".into(),
        tags: vec!["styrmin".into()],
        time: Timestamp::UNIX_EPOCH,
    };
    let (feed, source) = Source::channel();
    let reading = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Handle::current();
        let mut input = std::io::stdin().lock();
        loop {
            let mut buffer = vec![0; 256 << 10];
            let length = input.read(&mut buffer).unwrap();
            if length == 0 {
                break runtime.block_on(feed.finish()).unwrap();
            }
            buffer.truncate(length);
            runtime.block_on(feed.send(Bytes::from(buffer))).unwrap();
        }
    });
    let saved = repository.save(new, source, |_| {}).await.unwrap();
    reading.await.unwrap();
    println!("{} {}", saved.snapshot, saved.stored);
}

/// Reads a snapshot into nothing.
async fn load(place: &Path, snapshot: &str) {
    let (location, secrets) = location(place);
    let repository = Repository::open(&location, &secrets).await.unwrap();
    let (_, mut stream) = repository.read(snapshot).await.unwrap();
    while let Some(piece) = stream.next().await {
        piece.unwrap();
    }
}

/// How long a command took, its peak memory in MiB, and what it printed.
struct Measured {
    took: Duration,
    peak: u64,
    printed: String,
}

/// Runs a shell command below `/proc`'s eyes: the peak of its largest process.
fn measure(script: &str) -> Measured {
    let begin = Instant::now();
    let mut child = Command::new("bash")
        .args(["-c", &format!("set -o pipefail; {script}")])
        .env("RESTIC_PASSWORD", PASSWORD)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).unwrap();
        text
    });
    let mut peak = 0;
    let status = loop {
        peak = peak.max(largest(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let took = begin.elapsed();
    assert!(status.success(), "{script}: {status}");
    Measured { took, peak: peak >> 10, printed: reader.join().unwrap() }
}

/// The peak memory of the largest child of a process that is no `dump`, in KiB.
fn largest(parent: u32) -> u64 {
    let children =
        std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let of = |pid: &str| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if command.windows(6).any(|part| part == b"\0dump\0") {
            return 0;
        }
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    children.split_whitespace().map(of).max().unwrap_or(0)
}

fn report(name: &str, megabytes: usize, measured: &Measured, base: Option<&Measured>) {
    let rate = megabytes as f64 / measured.took.as_secs_f64();
    let ratio = base.map_or(String::new(), |base| {
        format!("{:.2} × its time", measured.took.as_secs_f64() / base.took.as_secs_f64())
    });
    println!("{name:<46} {rate:>7.0} MB/s {:>6} MiB peak  {ratio}", measured.peak);
}

fn all(megabytes: usize) {
    let home = tempfile::tempdir().unwrap();
    let own = std::env::current_exe().unwrap();
    let own = own.display();
    let (ours, theirs) = (home.path().join("ours"), home.path().join("theirs"));
    let (ours, theirs) = (ours.display(), theirs.display());
    let packed = home.path().join("packed.zst");
    let packed = packed.display();
    let restic = std::env::var("STYRMIN_RESTIC").ok().map(PathBuf::from).unwrap_or_else(|| "restic".into());
    let restic = format!("{} --no-cache -q -r {theirs}", restic.display());
    let there = |program: &str| Command::new("bash").args(["-c", program]).output().unwrap().status.success();

    let nothing = measure(&format!("{own} dump {megabytes} | cat > /dev/null"));
    report("the stream alone", megabytes, &nothing, None);
    let zstd = there("command -v zstd")
        .then(|| measure(&format!("{own} dump {megabytes} | zstd -q -3 -o {packed}")));
    let with_restic = there(&format!("{restic} version"));
    let first = measure(&format!("{own} dump {megabytes} | {own} save {ours}"));
    match &zstd {
        Some(zstd) => report("… | zstd > file", megabytes, zstd, None),
        None => println!("skipped: there is no zstd"),
    }
    let (mut theirs_first, mut theirs_second) = (None, None);
    if with_restic {
        assert!(measure(&format!("{restic} init")).printed.is_empty());
        let backup = format!("{restic} backup --stdin --stdin-filename db.sql");
        theirs_first = Some(measure(&format!("{own} dump {megabytes} | {backup}")));
        theirs_second = Some(measure(&format!("{own} dump {megabytes} changed | {backup}")));
    } else {
        println!("skipped: there is no restic (STYRMIN_RESTIC names it)");
    }
    if let Some(theirs) = &theirs_first {
        report("… | restic backup --stdin", megabytes, theirs, None);
    }
    report("first backup, ours (against zstd)", megabytes, &first, zstd.as_ref());
    report("first backup, ours (against restic)", megabytes, &first, theirs_first.as_ref());
    let second = measure(&format!("{own} dump {megabytes} changed | {own} save {ours}"));
    if let Some(theirs) = &theirs_second {
        report("second backup, restic", megabytes, theirs, None);
    }
    report("second backup, ours (against restic)", megabytes, &second, theirs_second.as_ref());
    let (snapshot, stored) = second.printed.trim().split_once(' ').unwrap();
    println!("the second one stored {stored} bytes");
    let back = measure(&format!("{own} load {ours} {snapshot}"));
    if with_restic {
        let theirs = measure(&format!("{restic} dump latest db.sql > /dev/null"));
        report("read back, restic", megabytes, &theirs, None);
        report("read back, ours (against restic)", megabytes, &back, Some(&theirs));
    } else {
        report("read back, ours", megabytes, &back, None);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = |work: &dyn Fn(&tokio::runtime::Runtime)| work(&tokio::runtime::Runtime::new().unwrap());
    match arguments.as_slice() {
        ["dump", megabytes] => dump(megabytes.parse().unwrap(), false),
        ["dump", megabytes, "changed"] => dump(megabytes.parse().unwrap(), true),
        ["save", place] => run(&|runtime| runtime.block_on(save(Path::new(place)))),
        ["load", place, snapshot] => run(&|runtime| runtime.block_on(load(Path::new(place), snapshot))),
        [] => all(2_048),
        [megabytes] => all(megabytes.parse().unwrap()),
        other => panic!("{other:?} is no measurement"),
    }
}
