//! What routes cost: a request through the sandbox's ingress against one straight to the pod, a probe against a bare request, and
//! rendering a thousand of each kind. `cargo bench --bench routes [-- TIMES]`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement prints, and fails by panicking"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use styrmin::domain::route::{ProbeOutcome, RouteKind, TlsSource, Via};
use styrmin::ingress::probe::{Ask, probe};
use styrmin::ingress::{Route, RouteSet, render};
use styrmin::sandbox::api::Api;
use styrmin::sandbox::{Sandbox, SandboxOptions};

/// Set in the pods: this very program is what they run.
const POD: &str = "STYRMIN_BENCH_POD";
const PORT: u16 = 8080;
const HOST: &str = "echo.localhost";
/// So many requests, and so many routes.
const COUNT: usize = 1_000;
/// How long the pod may take to be ready.
const READY: Duration = Duration::from_secs(60);

/// Answers every request with a few bytes, connections stay.
fn serve(listener: &TcpListener) {
    for stream in listener.incoming() {
        let stream = stream.unwrap();
        std::thread::spawn(move || {
            let mut writer = stream.try_clone().unwrap();
            let mut lines = BufReader::new(stream).lines();
            while let Some(Ok(line)) = lines.next() {
                if line.is_empty()
                    && writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err()
                {
                    return;
                }
            }
        });
    }
}

/// One request on a connection of its own.
fn ask(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
        .write_all(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut head = [0; 15];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
}

/// Microseconds of one call.
fn each(count: usize, mut call: impl FnMut()) -> f64 {
    let begun = Instant::now();
    (0..count).for_each(|_| call());
    begun.elapsed().as_secs_f64() * 1e6 / count as f64
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn create(api: &Api, resource: &str, mut object: Value) {
    object["metadata"] = json!({"name": "echo", "namespace": "default"});
    api.create(resource, object, "bench").unwrap();
}

/// A pod that answers, with a Service and an Ingress.
fn deploy(api: &Api) {
    let program = std::env::current_exe().unwrap();
    let container = json!({
        "name": "main", "image": "styrmin/host:1", "command": [program],
        "env": [{"name": POD, "value": "yes"}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    });
    let template = json!({"metadata": {"labels": {"app": "echo"}}, "spec": {"containers": [container]}});
    let selector = json!({"matchLabels": {"app": "echo"}});
    create(
        api,
        "deployments.apps",
        json!({"spec": {"replicas": 1, "selector": selector, "template": template}}),
    );
    let port = json!({"port": 80, "targetPort": PORT});
    create(api, "services", json!({"spec": {"selector": {"app": "echo"}, "ports": [port]}}));
    let backend = json!({"service": {"name": "echo", "port": {"number": 80}}});
    let path = json!({"path": "/", "pathType": "Prefix", "backend": backend});
    let rules = json!([{"host": HOST, "http": {"paths": [path]}}]);
    create(api, "ingresses.networking.k8s.io", json!({"spec": {"rules": rules}}));
}

/// The address of the pod, once it takes requests.
async fn ready(api: &Api) -> SocketAddr {
    let mut changes = api.changes();
    let ready = async {
        loop {
            changes.mark_unchanged();
            let pods = api.list("pods", None);
            let pod = pods.iter().find(|pod| pod["status"]["containerStatuses"][0]["ready"] == true);
            if let Some(address) =
                pod.and_then(|pod| pod["status"]["podIP"].as_str()?.parse::<Ipv4Addr>().ok())
            {
                return SocketAddr::from((address, PORT));
            }
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(READY, ready).await.unwrap()
}

fn routes(kind: RouteKind) -> RouteSet {
    let via = Via {
        kind,
        controller: String::new(),
        class: Some("shared".to_owned()),
        gateway: None,
        namespace: None,
    };
    let route = |number: usize| Route {
        name: format!("web-{number}"),
        namespace: "demo".to_owned(),
        hosts: vec![format!("web-{number}-0011aabb.example.org"), format!("web-{number}-demo.example.org")],
        path: "/".to_owned(),
        service: format!("web-{number}"),
        port: 80,
        tls: TlsSource::Off,
    };
    let gateway = styrmin::domain::route::GatewayRef {
        namespace: "gateways".to_owned(),
        name: "shared".to_owned(),
        section: None,
        https: false,
    };
    let gateway = (kind == RouteKind::HttpRoute).then_some(gateway);
    RouteSet {
        via: Some(Via { gateway, ..via }),
        routes: (0..COUNT).map(route).collect(),
        ..RouteSet::default()
    }
}

#[tokio::main]
async fn main() {
    if std::env::var_os(POD).is_some() {
        let address: Ipv4Addr = std::env::var("POD_IP").unwrap().parse().unwrap();
        return serve(&TcpListener::bind((address, PORT)).unwrap());
    }
    let times = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(5).max(1);
    let options = SandboxOptions::in_memory(11, env!("CARGO_BIN_EXE_styrmin"));
    let sandbox = Sandbox::start(options).await.unwrap();
    deploy(&sandbox.api());
    let (pod, door) = (ready(&sandbox.api()).await, sandbox.ingress_address());
    let url = format!("http://{HOST}:{}/", door.port());
    // the ingress hears of the pod a moment later
    let begun = Instant::now();
    while !probe(&Ask::new(&url, READY), Timestamp::UNIX_EPOCH).await.works() {
        assert!(begun.elapsed() < READY, "the ingress never answered");
    }
    let (mut straight, mut through, mut probed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..times {
        straight.push(tokio::task::spawn_blocking(move || each(COUNT, || ask(pod))).await.unwrap());
        through.push(tokio::task::spawn_blocking(move || each(COUNT, || ask(door))).await.unwrap());
        let begun = Instant::now();
        for _ in 0..COUNT {
            let found = probe(&Ask::new(&url, READY), Timestamp::UNIX_EPOCH).await;
            assert_eq!(found.outcome, ProbeOutcome::Answered(200));
        }
        probed.push(begun.elapsed().as_secs_f64() * 1e6 / COUNT as f64);
    }
    let (straight, through, probed) = (median(straight), median(through), median(probed));
    println!("straight to the pod      {straight:>8.1} µs a request");
    println!("through the ingress      {through:>8.1} µs a request   {:.2} of it", through / straight);
    println!("a probe of the ingress   {probed:>8.1} µs             {:.2} of a request", probed / through);
    for kind in [RouteKind::Ingress, RouteKind::HttpRoute, RouteKind::IngressRoute] {
        let set = routes(kind);
        let took = each(times, || assert!(render(&set).unwrap().len() >= COUNT));
        println!("{COUNT} routes as {:<12} {:>8.1} ms", kind.as_str(), took / 1000.0);
    }
    sandbox.stop().await;
}
