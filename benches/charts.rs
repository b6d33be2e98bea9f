//! What it takes to render a chart: in this process, and by the real helm beside it, on the charts of the tests with all of their
//! values. `cargo bench --bench charts [-- TIMES]`; helm is found as the tests find it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a measurement prints, fails by panicking, and uses a part of what the tests share"
)]

#[path = "../tests/charts/case.rs"]
mod case;
#[path = "../tests/charts/helm.rs"]
mod helm;
#[path = "../tests/charts/ours.rs"]
mod ours;

use std::time::Instant;

use styrmin::driver::chart::Chart;

use case::Case;

/// Milliseconds of one thing that is done several times: the median, and the slowest.
fn measured(times: usize, mut work: impl FnMut()) -> (f64, f64) {
    let mut took: Vec<f64> = (0..times)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    took.sort_by(f64::total_cmp);
    (took[times / 2], took[times - 1])
}

/// The values with which a chart can be rendered.
fn rendered_cases(chart: &str) -> Vec<Case> {
    case::cases(chart).into_iter().filter(|case| !case.is_refused()).collect()
}

fn main() {
    let times = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(11);
    let helms = helm::all();
    if helms.is_empty() {
        println!("skipped: the real helm (there is none)");
    }
    println!("{:<14} {:>5} {:>14} {:>14} {:>10}", "chart", "cases", "render", "load + render", "slowest");
    let (mut rendering, mut whole) = (0.0, 0.0);
    let mut beside = vec![0.0; helms.len()];
    for name in case::names() {
        let cases = rendered_cases(&name);
        let directory = case::directory(&name);
        let files = case::files(&directory);
        let load = || Chart::from_files(&files).unwrap();
        let chart = load();
        let every = |chart: &Chart| {
            for case in &cases {
                ours::of(chart, case).unwrap();
            }
        };
        every(&chart);
        let (render, slowest) = measured(times, || every(&chart));
        let (all, _) = measured(times, || every(&load()));
        println!("{name:<14} {:>5} {render:>11.2} ms {all:>11.2} ms {slowest:>7.2} ms", cases.len());
        (rendering, whole) = (rendering + render, whole + all);
        for (helm, sum) in helms.iter().zip(&mut beside) {
            let run =
                || cases.iter().for_each(|case| assert!(helm.template(&directory, &case.words()).content));
            let (took, slowest) = measured(times.min(5), run);
            println!(
                "   helm {}: {took:.1} ms, the slowest {slowest:.1} ms: {:.0} times as long",
                helm.major,
                took / all
            );
            *sum += took;
        }
    }
    println!("{:<14} {:>5} {rendering:>11.2} ms {whole:>11.2} ms", "all", "");
    for (helm, took) in helms.iter().zip(beside) {
        println!("   helm {}, whole process: {took:.1} ms: {:.0} times as long", helm.major, took / whole);
    }
}
