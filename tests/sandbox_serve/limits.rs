//! How many, and how slowly. The limits are small here, so that nobody waits.

use std::time::{Duration, Instant};

use styrmin::sandbox::serve::Limits;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::rig::{CONFIG_MAPS, Served, block_on, config_map, put, read_answer};

const SHORT: Duration = Duration::from_millis(100);
/// Short as well, and long enough for those who mean well on a busy machine: they have to keep it too.
const BEARABLE: Duration = Duration::from_secs(5);

/// It took as long as was asked for, and not as long as it does where nobody asks for another limit.
#[track_caller]
fn assert_limit(begun: Instant, asked: Duration, usual: Duration) {
    let took = begun.elapsed();
    assert!((asked..usual).contains(&took), "{took:?} is not the limit that was asked for, {asked:?}");
}

fn watch(served: &Served) -> String {
    format!(
        "GET /api/v1/configmaps?watch=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n",
        served.authorization()
    )
}

#[test]
fn a_body_that_never_comes_is_504() {
    block_on(async {
        let served = Served::start(Limits { body: SHORT, ..Limits::default() }).await;
        let mut stream = served.connect("http/1.1").await.unwrap();
        let head = format!(
            "POST {CONFIG_MAPS} HTTP/1.1\r\nHost: x\r\n{}Content-Length: 300\r\n\r\n{{\"kind\":",
            served.authorization()
        );
        let begun = Instant::now();
        put(&mut stream, head.as_bytes()).await;
        let answer = read_answer(&mut stream).await.expect("an answer");
        assert_limit(begun, SHORT, Limits::default().body);
        assert_eq!((answer.status, answer.json()["reason"].as_str()), (504, Some("Timeout")));
        assert_eq!(served.config_maps().await, 0);
    });
}

#[test]
fn headers_that_never_end_are_not_waited_for() {
    block_on(async {
        let served = Served::start(Limits { headers: BEARABLE, ..Limits::default() }).await;
        let begun = Instant::now();
        let mut stream = served.connect("http/1.1").await.unwrap();
        put(&mut stream, b"GET /api HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
        let mut rest = Vec::new();
        // ends, with or without a word
        let _ = stream.read_to_end(&mut rest).await;
        assert_limit(begun, BEARABLE, Limits::default().headers);
        served.assert_well().await;
    });
}

#[test]
fn a_handshake_that_never_comes_is_not_waited_for() {
    block_on(async {
        let served = Served::start(Limits { handshake: BEARABLE, ..Limits::default() }).await;
        let begun = Instant::now();
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert_limit(begun, BEARABLE, Limits::default().handshake);
        assert!(rest.is_empty());
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        put(&mut stream, b"GET / HTTP/1.1\r\n\r\n").await;
        let _ = stream.read_to_end(&mut rest).await;
        served.assert_well().await;
    });
}

#[test]
fn connections_of_nobody_end_and_those_of_somebody_stay() {
    block_on(async {
        let served = Served::start(Limits { unknown: BEARABLE, ..Limits::default() }).await;
        let mut known = served.connect("http/1.1").await.unwrap();
        put(&mut known, watch(&served).as_bytes()).await;
        let mut first = [0; 16];
        known.read_exact(&mut first).await.unwrap();
        assert_eq!(&first[..12], b"HTTP/1.1 200");
        let begun = Instant::now();
        let mut unknown = served.connect("h2").await.unwrap();
        let mut rest = Vec::new();
        let _ = unknown.read_to_end(&mut rest).await;
        assert_limit(begun, BEARABLE, Limits::default().unknown);
        // by now the known one is older than the limit: it still tells what happens
        let made = served.send("POST", CONFIG_MAPS, config_map("news").to_string().as_bytes()).await;
        assert_eq!(made.status, 201);
        let mut seen = String::new();
        while !seen.contains("\"news\"") {
            let mut bytes = [0; 4096];
            let read = known.read(&mut bytes).await.unwrap();
            assert!(read > 0, "the watch ended: {seen}");
            seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    });
}

#[test]
fn one_connection_too_many_is_closed_until_another_ends() {
    block_on(async {
        let served = Served::start(Limits { connections: 4, ..Limits::default() }).await;
        let mut open = Vec::new();
        while open.len() < 4 {
            open.push(served.connect("h2").await.unwrap());
        }
        assert!(served.connect("h2").await.is_err());
        drop(open.pop());
        // the server learns of the end a moment later
        while served.connect("h2").await.is_err() {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn one_request_too_many_is_429_until_another_ends() {
    block_on(async {
        let served = Served::start(Limits { requests: 2, ..Limits::default() }).await;
        let mut watches = Vec::new();
        for _ in 0..2 {
            let mut stream = served.connect("http/1.1").await.unwrap();
            put(&mut stream, watch(&served).as_bytes()).await;
            let mut first = [0; 12];
            stream.read_exact(&mut first).await.unwrap();
            assert_eq!(&first, b"HTTP/1.1 200");
            watches.push(stream);
        }
        let refused = served.send("GET", "/api", b"").await;
        assert_eq!((refused.status, refused.json()["reason"].as_str()), (429, Some("TooManyRequests")));
        assert!(refused.head.to_lowercase().contains("retry-after: 1"), "{}", refused.head);
        drop(watches.pop());
        while served.send("GET", "/api", b"").await.status == 429 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn writes_wait_for_their_turn_and_are_refused_when_it_does_not_come() {
    block_on(async {
        let served = Served::start(Limits { writes: 1, turn: SHORT, ..Limits::default() }).await;
        let mut stream = served.connect("http/1.1").await.unwrap();
        let head = format!(
            "POST {CONFIG_MAPS} HTTP/1.1\r\nHost: x\r\n{}Expect: 100-continue\r\nContent-Length: 300\r\n\r\n",
            served.authorization()
        );
        put(&mut stream, head.as_bytes()).await;
        let mut first = [0; 12];
        // its turn has come: its body is asked for
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 100");
        let body = config_map("second").to_string();
        let begun = Instant::now();
        assert_eq!(served.send("POST", CONFIG_MAPS, body.as_bytes()).await.status, 429);
        assert_limit(begun, SHORT, Limits::default().turn);
        assert_eq!(served.send("GET", CONFIG_MAPS, b"").await.status, 200, "reading is still possible");
        drop(stream);
        while served.send("POST", CONFIG_MAPS, body.as_bytes()).await.status == 429 {
            tokio::task::yield_now().await;
        }
        assert_eq!(served.config_maps().await, 1);
    });
}

#[test]
fn a_thousand_connections_are_answered_or_refused() {
    block_on(async {
        let served = Served::start(Limits { connections: 64, ..Limits::default() }).await;
        let request =
            format!("GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n", served.authorization());
        let mut answered = 0;
        for _ in 0..5 {
            let many = (0..200).map(|_| served.raw(request.as_bytes()));
            for answer in futures::future::join_all(many).await.into_iter().flatten() {
                assert_eq!(answer.status, 200);
                answered += 1;
            }
        }
        assert!(answered >= 64, "{answered}");
        served.assert_well().await;
    });
}

#[test]
fn stopping_ends_watches_and_idle_connections() {
    block_on(async {
        let served = Served::start(Limits { farewell: SHORT, ..Limits::default() }).await;
        let mut watching = served.connect("http/1.1").await.unwrap();
        put(&mut watching, watch(&served).as_bytes()).await;
        let mut first = [0; 12];
        watching.read_exact(&mut first).await.unwrap();
        let mut idle = served.connect("http/1.1").await.unwrap();
        served.sandbox.stop().await;
        let mut rest = Vec::new();
        let _ = watching.read_to_end(&mut rest).await;
        let _ = idle.read_to_end(&mut rest).await;
        assert!(TcpStream::connect(served.address).await.is_err(), "nobody listens any more");
    });
}
