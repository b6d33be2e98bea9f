//! How long a person waits: the real binary in a pseudo-terminal, from the command to the frame, from the confirmation to an
//! application that answers, and what it costs to look at it. `cargo bench --bench first_light [-- RUNS]`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement prints, and fails by panicking"
)]

#[path = "../tests/support/pty.rs"]
mod pty;

use std::time::{Duration, Instant};

use pty::{PATIENCE, Pty};

const PROGRAM: &str = env!("CARGO_BIN_EXE_styrmin");
/// How long nothing is done while idleness is measured.
const IDLE: Duration = Duration::from_secs(10);

/// One figure of several runs.
struct Figure {
    name: &'static str,
    unit: &'static str,
    values: Vec<f64>,
}

impl Figure {
    fn new(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, values: Vec::new() }
    }

    fn print(&mut self) {
        self.values.sort_by(f64::total_cmp);
        let (first, last) = (self.values[0], self.values[self.values.len() - 1]);
        let median = self.values[self.values.len() / 2];
        println!("{:<34} {median:>9.1} {:<5} ({first:.1} … {last:.1})", self.name, self.unit);
    }
}

async fn seen(pty: &mut Pty, what: &str, from: Instant) -> f64 {
    pty.wait_until(what, PATIENCE, |screen| screen.contains(what)).await;
    from.elapsed().as_secs_f64() * 1000.0
}

/// Ticks of CPU time and resident KiB of a process.
fn cost(pid: u32) -> (u64, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    (ticks, resident.split_whitespace().next().unwrap().parse().unwrap())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let runs = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(10);
    let mut figures = [
        Figure::new("command → first frame", "ms"),
        Figure::new("command → live, nothing deployed", "ms"),
        Figure::new("form → plan (7 objects, dry run)", "ms"),
        Figure::new("confirmation → healthy", "ms"),
        Figure::new("confirmation → URL answers", "ms"),
        Figure::new("idle CPU, application open", "%"),
        Figure::new("idle output, list open", "B/s"),
        Figure::new("resident memory", "MiB"),
    ];
    for _ in 0..runs {
        for (figure, value) in figures.iter_mut().zip(run().await) {
            figure.values.push(value);
        }
    }
    println!("{runs} runs, median (fastest … slowest)");
    for figure in &mut figures {
        figure.print();
    }
}

async fn run() -> [f64; 8] {
    let home = tempfile::tempdir().unwrap();
    let environment = [("HOME", home.path().to_str().unwrap()), ("STYRMIN_INGRESS_PORT", "0")];
    let start = Instant::now();
    let mut pty = Pty::start(PROGRAM, &["--sandbox"], &environment, (120, 36));
    let frame = seen(&mut pty, "styrmin", start).await;
    let live = seen(&mut pty, "No applications yet", start).await;
    pty.send(b"n").await;
    pty.wait_for("Show the plan").await;
    let asked = Instant::now();
    pty.send(b"\x1b[Z\r").await;
    let plan = seen(&mut pty, "to create", asked).await;
    let confirmed = Instant::now();
    pty.send(b"y").await;
    let healthy = seen(&mut pty, "✓ Healthy", confirmed).await;
    let answers = seen(&mut pty, "200 in", confirmed).await;
    let pid = pty.child.id().unwrap();
    let (before, _) = cost(pid);
    tokio::time::sleep(IDLE).await;
    let (after, resident) = cost(pid);
    // the kernel counts a hundred ticks a second
    let cpu = (after - before) as f64 / IDLE.as_secs_f64();
    pty.send(b"\x1b").await;
    pty.wait_for("HEALTH").await;
    let written = pty.written();
    tokio::time::sleep(IDLE).await;
    let output = (pty.written() - written) as f64 / IDLE.as_secs_f64();
    pty.send(b"qq").await;
    pty.ended().await;
    [frame, live, plan, healthy, answers, cpu, output, resident as f64 / 1024.0]
}
