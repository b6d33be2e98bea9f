//! What it costs to run actions: the start of a child, one call with a journal in memory, and the replay of 10 000 calls.
//! `cargo bench --bench actions [-- TIMES]`; Python where there is one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement prints, and fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use styrmin::hooks::{Call, CallError, End, MemoryJournal, Performer, Program, Worker, run};

/// So many calls are replayed.
const CALLS: u32 = 10_000;

/// Answers at once, as little as a call can.
struct Nothing;

impl Performer for Nothing {
    async fn perform(&self, _: &Call, _: bool, _: u32) -> Result<Value, CallError> {
        Ok(json!({"exit_code": 0, "stdout": "ok", "stderr": "", "truncated": false}))
    }
}

/// A journal that nobody may write: what is not in it would have to be performed.
struct Forbidden;

impl Performer for Forbidden {
    async fn perform(&self, call: &Call, _: bool, position: u32) -> Result<Value, CallError> {
        panic!("{call:?} at {position} is performed at a replay")
    }
}

fn program(file: &str, text: &str, calls: u32) -> Program {
    Program {
        files: Arc::new(BTreeMap::from([(file.to_owned(), text.to_owned())])),
        file: file.to_owned(),
        function: "main".to_owned(),
        context: json!({"context": {"calls": calls}}),
    }
}

fn starlark(calls: u32) -> Program {
    let text = "def main(ctx):\n    for i in range(ctx.context[\"calls\"]):\n        execute_commands(\"web\", [\"echo\", str(i)])\n";
    program("actions.star", text, calls)
}

fn python(calls: u32) -> Program {
    let text = "from styrmin_backend.actions import execute_commands\nasync def main(ctx):\n    for i in range(ctx.context[\"calls\"]):\n        \
                await execute_commands(\"web\", [\"echo\", str(i)])\n";
    program("actions.py", text, calls)
}

/// Milliseconds of one run.
async fn took(
    worker: &Worker,
    program: &Program,
    journal: &MemoryJournal,
    performer: &impl Performer,
) -> f64 {
    let started = Instant::now();
    let end = run(worker, program, journal, performer).await;
    let took = started.elapsed().as_secs_f64() * 1000.0;
    assert_eq!(end, End::Returned(Value::Null));
    took
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

async fn measure(name: &str, worker: &Worker, times: usize, program: fn(u32) -> Program) {
    let (mut starts, mut wholes, mut replays) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..times {
        starts.push(took(worker, &program(0), &MemoryJournal::default(), &Nothing).await);
        let journal = MemoryJournal::default();
        wholes.push(took(worker, &program(CALLS), &journal, &Nothing).await);
        if program(0).file.ends_with(".star") {
            replays.push(took(worker, &program(CALLS), &journal, &Forbidden).await);
        }
    }
    let (start, whole) = (median(starts), median(wholes));
    let each = (whole - start) * 1000.0 / f64::from(CALLS);
    print!("{name:<10} start {start:>7.1} ms   a call {each:>6.1} µs   {CALLS} calls {whole:>8.1} ms");
    match replays.is_empty() {
        true => println!("   (no replay)"),
        false => println!("   their replay {:>8.1} ms", median(replays)),
    }
}

#[tokio::main]
async fn main() {
    let times = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(5).max(1);
    let worker = Worker::new(PathBuf::from(env!("CARGO_BIN_EXE_styrmin")));
    measure("starlark", &worker, times, starlark).await;
    match worker.python() {
        Some(_) => measure("python", &worker, times, python).await,
        None => println!("skipped: python3 (there is none)"),
    }
}
