//! Without TLS: what can go wrong before and in the answer.

use std::net::IpAddr;
use std::time::Duration;

use styrmin::domain::route::{Phase, ProbeOutcome};
use styrmin::ingress::probe::{Ask, probe};

use super::ground::{
    Act, LIMIT, SHORT, Server, Silent, answer, ask, ask_within, closed_port, failure, now, reached, say,
};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_answer_has_a_time_for_each_phase_and_the_address() {
    let server = Server::plain(|_| answer(200)).await;
    let port = server.port();
    let found = ask(&format!("http://notes-demo.localhost:{port}/app?x=1&y#part")).await;
    assert_eq!(found.outcome, ProbeOutcome::Answered(200));
    assert!(found.works());
    assert_eq!(found.at, now());
    assert_eq!(reached(&found), ["dns", "connect", "http"]);
    assert_eq!((found.address, found.addresses), (Some(ip("127.0.0.1")), vec![ip("127.0.0.1")]));
    assert_eq!((found.hops, found.certificate), (Vec::new(), None));
    let asked = server.asked();
    assert!(asked[0].starts_with("GET /app?x=1&y HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[0].contains(&format!("host: notes-demo.localhost:{port}\r\n")), "{asked:?}");
    assert!(asked[0].contains("user-agent: styrmin/") && asked[0].contains("connection: close"), "{asked:?}");
}

#[tokio::test]
async fn every_code_is_an_answer_and_some_work() {
    let server = Server::plain(|path| answer(path[1..].parse().unwrap())).await;
    for (code, works) in
        [(204, true), (401, true), (403, true), (404, false), (418, true), (500, false), (503, false)]
    {
        let found = ask(&format!("http://127.0.0.1:{}/{code}", server.port())).await;
        assert_eq!((&found.outcome, found.works()), (&ProbeOutcome::Answered(code), works));
    }
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let (_held, port) = closed_port();
    let found = ask(&format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(failure(&found), (Phase::Connect, &*format!("127.0.0.1:{port} refused the connection")));
    assert_eq!(reached(&found), ["dns", "connect"]);
    assert_eq!((found.address, found.addresses), (None, vec![ip("127.0.0.1")]));
}

#[tokio::test]
async fn an_address_that_takes_no_connection_runs_out_of_time() {
    let (_silent, address) = Silent::at("127.0.0.1:0".parse().unwrap()).await;
    let found = ask_within(&format!("http://{address}/"), SHORT).await;
    assert_eq!(failure(&found), (Phase::Connect, &*format!("{address} did not answer within 200 ms")));
    assert_eq!(reached(&found), ["dns", "connect"]);
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_refuses_or_is_silent() {
    let server = Server::plain(|_| answer(200)).await;
    let url = format!("http://many.example.org:{}/", server.port());
    let known = [("many.example.org".to_owned(), ["::1", "127.0.0.2", "127.0.0.1"].map(ip).to_vec())];
    let found = probe(&Ask { known: &known, ..Ask::new(&url, LIMIT) }, now()).await;
    assert_eq!(found.outcome, ProbeOutcome::Answered(200));
    assert_eq!((found.address, &found.addresses), (Some(ip("127.0.0.1")), &known[0].1));

    let (_silent, _) = Silent::at(format!("127.0.0.2:{}", server.port()).parse().unwrap()).await;
    let found = probe(&Ask { known: &known, ..Ask::new(&url, LIMIT) }, now()).await;
    assert_eq!((found.outcome, found.address), (ProbeOutcome::Answered(200), Some(ip("127.0.0.1"))));

    drop(server);
    let found = probe(&Ask { known: &known, ..Ask::new(&url, Duration::from_secs(3)) }, now()).await;
    let (phase, message) = failure(&found);
    assert_eq!(phase, Phase::Connect);
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
    assert_eq!(
        message,
        format!(
            "127.0.0.1:{port} refused the connection, 127.0.0.2:{port} did not answer within 3000 ms, [::1]:{port} refused the \
             connection"
        )
    );
}

#[tokio::test]
async fn addresses_of_both_families_stand_in_urls() {
    let server = Server::at("::1", None, |_| answer(200)).await;
    let found = ask(&format!("http://[::1]:{}/", server.port())).await;
    assert_eq!((found.outcome, found.address), (ProbeOutcome::Answered(200), Some(ip("::1"))));
    assert!(
        server.asked()[0].contains(&format!("host: [::1]:{}\r\n", server.port())),
        "{:?}",
        server.asked()
    );
}

#[tokio::test]
async fn a_host_without_addresses_fails_in_dns() {
    let known = [("none.example.org".to_owned(), Vec::new())];
    let found = probe(&Ask { known: &known, ..Ask::new("http://none.example.org/", LIMIT) }, now()).await;
    assert_eq!(failure(&found), (Phase::Dns, "none.example.org has no address"));
    assert_eq!(reached(&found), ["dns"]);
    // too long for a label: the resolver says so without asking anybody
    let found = ask(&format!("http://{}.example/", "x".repeat(64))).await;
    assert_eq!(failure(&found).0, Phase::Dns);
}

#[tokio::test]
async fn silence_and_slow_heads_run_out_of_time() {
    let drip = |_: &str| {
        vec![Act::Say(b"HTTP/1.1 200 OK\r\n".to_vec()), Act::Repeat("x: y\r\n", Duration::from_millis(20))]
    };
    let silent = |_: &str| vec![Act::Hold];
    for server in [Server::plain(silent).await, Server::plain(drip).await] {
        let found = ask_within(&format!("http://127.0.0.1:{}/", server.port()), SHORT).await;
        assert_eq!(failure(&found), (Phase::Http, "no answer within 200 ms"));
        assert_eq!(reached(&found), ["dns", "connect", "http"]);
    }
}

#[tokio::test]
async fn bodies_do_not_matter_and_the_connection_is_closed() {
    let head = || Act::Say(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n".to_vec());
    let slow = move |_: &str| vec![head(), Act::Say(b"a bit".to_vec()), Act::Hold];
    let endless = move |_: &str| vec![head(), Act::Repeat("and on ", Duration::ZERO)];
    for mut server in [Server::plain(slow).await, Server::plain(endless).await] {
        let found = ask(&format!("http://127.0.0.1:{}/", server.port())).await;
        assert_eq!(found.outcome, ProbeOutcome::Answered(200));
        server.ended.recv().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_no_answer_is_told() {
    let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(100 << 10));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(300));
    let cases = [
        (say("this is not HTTP\r\n\r\n"), "its answer is not HTTP/1: "),
        (say("SSH-2.0-OpenSSH_9.9\r\n"), "its answer is not HTTP/1: "),
        (say("HTTP/1.1 abc\r\n\r\n"), "its answer is not HTTP/1: "),
        (say("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"), "its answer is not HTTP/1: "),
        (say(huge), "the head of its answer is longer than 64 KiB or 200 headers"),
        (say(many), "the head of its answer is longer than 64 KiB or 200 headers"),
        (say(""), "it closed the connection without an answer"),
        (say("HTTP/1.1 200 OK\r\nx: "), "it closed the connection without an answer"),
    ];
    for (acts, wanted) in cases {
        let server = Server::plain(move |_| acts.clone()).await;
        let found = ask(&format!("http://127.0.0.1:{}/", server.port())).await;
        let (phase, message) = failure(&found);
        assert!(phase == Phase::Http && message.starts_with(wanted), "{wanted}: {message}");
    }
}

#[tokio::test]
async fn odd_answers_are_answers() {
    let cases = [
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", 200),
        ("HTTP/1.1 503\r\n\r\n", 503),
        ("HTTP/1.1 200 OK\nserver: bare\n\n", 200),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n",
            202,
        ),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense", 200),
        ("HTTP/1.1 999 Whatever\r\n\r\n", 999),
    ];
    for (text, code) in cases {
        let server = Server::plain(move |_| say(text)).await;
        let found = ask(&format!("http://127.0.0.1:{}/", server.port())).await;
        assert_eq!(found.outcome, ProbeOutcome::Answered(code), "{text}");
    }
}

#[tokio::test]
async fn what_is_no_url_says_so() {
    for url in ["ftp://a.localhost/", "no url at all", "", "http://", "mailto:me@example.org"] {
        let found = ask(url).await;
        assert_eq!(failure(&found).0, Phase::Dns, "{url}");
        assert!(reached(&found).is_empty(), "{url}");
    }
}
