//! What the sandbox costs beside a real API server: the same requests, by the same client, over TLS on loopback, in the same run.
//!
//! `cargo bench --bench sandbox [-- OBJECTS]`; the real one takes part when `STYRMIN_TEST_KUBECONFIG` names its kubeconfig. The
//! sandbox takes part twice: served to other programs, and through the in-memory pipe that the cockpit uses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement prints, and fails by panicking"
)]

#[path = "sandbox/clients.rs"]
mod clients;
#[path = "sandbox/load.rs"]
mod load;
#[path = "../tests/support/served.rs"]
mod served;

use std::time::Instant;

use kube::Client;
use styrmin::sandbox::{Sandbox, SandboxOptions};

use clients::{client_of, raise_file_limit};
use load::Load;
use served::Served;

/// How many objects memory is measured with.
const MANY: usize = 20_000;
/// How many watchers there are at once.
const WATCHERS: [usize; 3] = [1, 100, 1_000];

/// The figures of one server, by what was measured.
struct Column {
    name: &'static str,
    figures: Vec<(String, f64)>,
}

impl Column {
    fn new(name: &'static str) -> Self {
        Self { name, figures: Vec::new() }
    }

    fn add(&mut self, what: impl Into<String>, figure: f64) {
        let what = what.into();
        println!("  {:<10} {what:<52} {figure:>10.1}", self.name);
        self.figures.push((what, figure));
    }

    fn of(&self, what: &str) -> Option<f64> {
        self.figures.iter().find(|(name, _)| name == what).map(|(_, figure)| *figure)
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    raise_file_limit();
    let objects = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(1_000);
    let mut columns = vec![served(objects).await, piped(objects).await];
    match std::env::var("STYRMIN_TEST_KUBECONFIG") {
        Ok(path) => columns.push(real(&path, objects).await),
        Err(_) => println!("skipped: no real API server (STYRMIN_TEST_KUBECONFIG)"),
    }
    compare(&columns);
}

/// The sandbox as another program sees it.
async fn served(objects: usize) -> Column {
    let mut column = Column::new("served");
    let started = Instant::now();
    let served = Served::start().await;
    let client = client_of(&served.kubeconfig).await;
    client.apiserver_version().await.unwrap();
    column.add("start → first answer over TLS, ms", started.elapsed().as_secs_f64() * 1000.0);
    column.add("resident, empty, MiB", served.resident());
    measure(&mut column, &client, objects).await;
    let load = Load::new(client, "many").await;
    load.fill(MANY).await;
    column.add(format!("resident, {MANY} ConfigMaps, MiB"), served.resident());
    column.add(format!("list of {MANY}, ms"), load.list_milliseconds().await);
    served.stop().await;
    column
}

/// The sandbox as the cockpit uses it.
async fn piped(objects: usize) -> Column {
    let mut column = Column::new("in process");
    let started = Instant::now();
    let options = SandboxOptions::in_memory(1, env!("CARGO_BIN_EXE_styrmin"));
    let sandbox = Sandbox::start(options).await.unwrap();
    let client = Client::new(sandbox.service(), "default");
    client.apiserver_version().await.unwrap();
    column.add("start → first answer, ms", started.elapsed().as_secs_f64() * 1000.0);
    measure(&mut column, &client, objects).await;
    sandbox.stop().await;
    column
}

async fn real(kubeconfig: &str, objects: usize) -> Column {
    let mut column = Column::new("real 1.20");
    let client = client_of(kubeconfig.as_ref()).await;
    measure(&mut column, &client, objects).await;
    column
}

async fn measure(column: &mut Column, client: &Client, objects: usize) {
    let load = Load::new(client.clone(), "load").await;
    column.add("create, one after the other, 1/s", load.create_rate(objects, 1).await);
    column.add("update, one after the other, 1/s", load.update_rate(objects, 1).await);
    column.add("apply anew, one after the other, 1/s", load.apply_rate("fresh", objects, 1).await);
    column.add("apply unchanged, one after the other, 1/s", load.apply_rate("fresh", objects, 1).await);
    column.add("get, one after the other, 1/s", load.get_rate(objects).await);
    column.add(format!("list of {objects}, ms"), load.list_milliseconds().await);
    column.add("create, 16 at once, 1/s", load.create_rate(objects, 16).await);
    for watchers in WATCHERS {
        let changes = (20_000 / watchers).clamp(20, 500);
        let seen = load.fan_out(watchers, changes).await;
        column.add(format!("events to {watchers} watchers, 1/s"), seen);
    }
    load.clear().await;
}

fn compare(columns: &[Column]) {
    let Some((first, others)) = columns.split_first() else { return };
    println!();
    for (what, figure) in &first.figures {
        let ratios: Vec<String> = others
            .iter()
            .filter_map(|other| {
                Some(format!("{} {:.1} ({:.2}×)", other.name, other.of(what)?, figure / other.of(what)?))
            })
            .collect();
        println!("{what:<52} {} {figure:.1}   {}", first.name, ratios.join("   "));
    }
}
