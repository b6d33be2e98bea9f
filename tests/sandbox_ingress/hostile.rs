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

const PATIENCE: Duration = Duration::from_millis(700);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_large_and_wrong_clients_do_not_hurt() {
    let rig = Rig::start(&["demo"]).await;
    rig.deploy("demo", "web");
    let host = "web-demo.localhost";
    rig.until(host, 200, "name=web").await;
    let limits = Limits { handshake: PATIENCE, headers: PATIENCE, ..Limits::of_this_process() };
    let proxy = IngressProxy::bind(rig.api.clone(), (HOME, 0).into(), Default::default()).await.unwrap();
    let (plain, tls) = (proxy.address(), proxy.tls_address());
    let stop = CancellationToken::new();
    let running = tokio::spawn(proxy.limited(limits).run(stop.clone()));

    // many that begin and never end: others are served meanwhile, and they are gone in time
    let begun = Instant::now();
    let mut slow = Vec::new();
    for (address, words) in
        [(plain, &b"GET / HTTP/1.1\r\nHost: web"[..]), (plain, b""), (tls, b"\x16\x03\x01"), (tls, b"")]
    {
        for _ in 0..30 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(words).await.unwrap();
            slow.push(stream);
        }
    }
    let get = async |address| client::get(client::connect_from(HOME, address).await, host, "/").await;
    get(plain).await.is(200, "name=web");
    for mut stream in slow {
        let mut rest = Vec::new();
        within(stream.read_to_end(&mut rest)).await.ok();
    }
    assert!(begun.elapsed() >= PATIENCE, "they had their time: {:?}", begun.elapsed());

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
    get(plain).await.is(200, "name=web");
    let stream = client::tls(client::connect_from(HOME, tls).await, host, &[]).await.unwrap();
    client::get(stream, host, "/").await.is(200, "name=web");
    stop.cancel();
    within(running).await.unwrap();
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
