//! Clients that mean no good.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use styrmin::sandbox::proxy::IngressProxy;
use styrmin::sandbox::serve::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::client;
use crate::rig::{HOME, Rig, within};

/// What slow clients get here; what they get where nobody says otherwise is far more.
const PATIENCE: Duration = Duration::from_secs(1);

/// Connections that say a few words and never end.
async fn slow(address: SocketAddr, words: &[u8]) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for _ in 0..30 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(words).await.unwrap();
        all.push(stream);
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_have_their_time_and_no_more() {
    let rig = Rig::start(&["demo"]).await;
    rig.deploy("demo", "web");
    let host = "web-demo.localhost";
    rig.until(host, 200, "name=web").await;
    let usual = Limits::of_this_process();
    // one limit at a time is short, so that each is seen to be kept
    for (headers, handshake) in [(PATIENCE, usual.handshake), (usual.headers, PATIENCE)] {
        let limits = Limits { headers, handshake, ..usual.clone() };
        let proxy = IngressProxy::bind(rig.api.clone(), (HOME, 0).into(), Default::default()).await.unwrap();
        let (plain, tls) = (proxy.address(), proxy.tls_address());
        let stop = CancellationToken::new();
        let running = tokio::spawn(proxy.limited(limits).run(stop.clone()));

        let short_headers = headers == PATIENCE;
        let (address, limit) = if short_headers { (plain, usual.headers) } else { (tls, usual.handshake) };
        let half: &[u8] = if short_headers { b"GET / HTTP/1.1\r\nHost: web" } else { b"\x16\x03\x01" };
        let begun = Instant::now();
        let mut silent = slow(address, half).await;
        silent.extend(slow(address, b"").await);
        // others are served meanwhile
        until_served(plain, host).await;
        for mut stream in silent {
            let mut rest = Vec::new();
            within(stream.read_to_end(&mut rest)).await.ok();
        }
        let took = begun.elapsed();
        assert!(took >= PATIENCE, "they had their time: {took:?}");
        assert!(took < limit, "they had the time that everybody has: {took:?}");
        stop.cancel();
        within(running).await.unwrap();
    }
    rig.sandbox.stop().await;
}

/// Asks until the answer is there: a proxy that has just begun follows the cluster a moment behind.
async fn until_served(address: SocketAddr, host: &str) {
    let served = async {
        while client::get(client::connect_from(HOME, address).await, host, "/").await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    within(served).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_and_wrong_clients_do_not_hurt() {
    let rig = Rig::start(&["demo"]).await;
    rig.deploy("demo", "web");
    let host = "web-demo.localhost";
    rig.until(host, 200, "name=web").await;
    let (plain, tls) = (rig.sandbox.ingress_address(), rig.sandbox.ingress_tls_address());
    for (address, secure) in [(plain, false), (tls, true)] {
        for size in [1_000_000, 10_000_000] {
            let text = format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-Large: {}\r\n\r\n", "x".repeat(size));
            let status = send(address, secure, host, text.as_bytes()).await;
            assert!(status == 431 || status == 0, "{status}");
        }
        for text in ["\r\n\r\n\0\0\0", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{fe}\u{fe}"] {
            let status = send(address, secure, host, text.as_bytes()).await;
            assert!(status == 400 || status == 0, "{text:?}: {status}");
        }
    }
    // no TLS where TLS is spoken: what looks like HTTP is told so
    client::get(client::connect_from(HOME, tls).await, host, "/").await.is(400, "This port speaks https");
    for words in [vec![0x16, 0x03, 0x01, 0xff, 0xff, 0x01], vec![0; 4096], vec![0x16; 100_000]] {
        let answer = client::ask(client::connect_from(HOME, tls).await, &words).await;
        assert_eq!(answer.status, 0, "{answer:?}");
    }
    rig.get(host).await.is(200, "name=web");
    rig.get_tls(host).await.is(200, "name=web");
    rig.sandbox.stop().await;
}

/// The status that bytes are answered with; 0 when the connection is cut.
async fn send(address: SocketAddr, secure: bool, host: &str, text: &[u8]) -> u16 {
    let stream = client::connect_from(HOME, address).await;
    if secure {
        client::ask(client::tls(stream, host, &[]).await.unwrap(), text).await.status
    } else {
        client::ask(stream, text).await.status
    }
}
