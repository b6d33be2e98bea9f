//! Answers that lead elsewhere.

use std::time::Duration;

use styrmin::domain::route::{Hop, Phase, Probe, ProbeOutcome};

use super::authority::{Authority, GOOD, Own};
use super::ground::{
    Act, LIMIT, Server, answer, ask, ask_example, ask_within, closed_port, failure, now, reached, redirect,
};
use styrmin::ingress::probe::{Ask, probe};

fn hops(probe: &Probe) -> Vec<(u16, &str)> {
    probe.hops.iter().map(|Hop { code, location }| (*code, location.as_str())).collect()
}

#[tokio::test]
async fn a_chain_ends_with_the_last_code() {
    let server = Server::plain(|path| match path {
        "/" => redirect(301, "/one"),
        "/one" => redirect(307, "two#part"),
        "/two" => redirect(308, "?x=1"),
        "/two?x=1" => redirect(303, "/last"),
        "/last" => answer(503),
        _ => answer(404),
    })
    .await;
    let url = format!("http://localhost:{}", server.port());
    let found = ask(&url).await;
    assert_eq!(found.outcome, ProbeOutcome::Answered(503));
    let wanted = [(301, "/one"), (307, "/two"), (308, "/two?…"), (303, "/last")];
    let wanted: Vec<_> = wanted.into_iter().map(|(code, path)| (code, format!("{url}{path}"))).collect();
    assert_eq!(hops(&found), wanted.iter().map(|(code, place)| (*code, place.as_str())).collect::<Vec<_>>());
    assert_eq!(reached(&found), ["dns", "connect", "http"]);
}

#[tokio::test]
async fn redirects_that_lead_nowhere_are_the_answer() {
    let server = Server::plain(|path| match path {
        "/app" => redirect(302, "notes://open"),
        "/none" => answer(302),
        _ => redirect(300, "/one"),
    })
    .await;
    for (path, code, followed) in [("/app", 302, 1), ("/none", 302, 0), ("/choice", 300, 0)] {
        let found = ask(&format!("http://127.0.0.1:{}{path}", server.port())).await;
        assert_eq!((&found.outcome, found.hops.len()), (&ProbeOutcome::Answered(code), followed), "{path}");
    }
}

#[tokio::test]
async fn circles_and_endless_ways_are_told() {
    let server = Server::plain(|path| match path {
        "/" => redirect(302, "/a"),
        "/a" => redirect(302, "/b"),
        "/b" => redirect(302, "/a"),
        "/self" => redirect(302, "/self"),
        number => redirect(302, &format!("/{}", number[1..].parse::<u32>().unwrap() + 1)),
    })
    .await;
    let url = format!("http://127.0.0.1:{}", server.port());
    let found = ask(&url).await;
    let circle = format!("redirects in a circle: {url}/a → {url}/b → {url}/a");
    assert_eq!(failure(&found), (Phase::Http, circle.as_str()));
    assert_eq!(found.hops.len(), 3);
    assert_eq!(reached(&found), ["dns", "connect", "http"], "the first URL was fine");
    let found = ask(&format!("{url}/self")).await;
    assert_eq!(failure(&found).1, format!("redirects in a circle: {url}/self → {url}/self"));
    let asked = server.asked().len();
    let found = ask(&format!("{url}/100")).await;
    assert_eq!(
        failure(&found),
        (Phase::Http, &*format!("more than 10 redirects, the last one to {url}/111"))
    );
    assert_eq!(server.asked().len() - asked, 11, "the first one, and ten more");
}

#[tokio::test]
async fn each_is_quick_and_all_of_them_too_slow() {
    let server = Server::plain(|path| {
        let next = path[1..].parse::<u32>().unwrap_or(0) + 1;
        let mut acts = vec![Act::Pause(Duration::from_millis(900))];
        acts.extend(redirect(302, &format!("/{next}")));
        acts
    })
    .await;
    let found = ask_within(&format!("http://127.0.0.1:{}/", server.port()), Duration::from_secs(2)).await;
    assert_eq!(failure(&found), (Phase::Http, "its redirects took longer than 8000 ms"));
    assert!((4..10).contains(&found.hops.len()), "those that came are told: {:?}", found.hops);
}

#[tokio::test]
async fn http_leads_to_https_on_another_host() {
    let authority = Authority::root("Test Root");
    let own = authority.own(&["b.example.org"], GOOD);
    let secure = Server::encrypted(own.config(), |_| answer(200)).await;
    let port = secure.port();
    let server = Server::plain(move |_| redirect(308, &format!("https://b.example.org:{port}/app"))).await;
    let url = format!("http://a.example.org:{}/", server.port());
    let found = ask_example(&url, &authority.roots()).await;
    assert_eq!(found.outcome, ProbeOutcome::Answered(200));
    assert_eq!(hops(&found), [(308, &*format!("https://b.example.org:{port}/app"))]);
    assert_eq!(
        (reached(&found), found.certificate),
        (vec!["dns", "connect", "http"], None),
        "those of the first URL"
    );
    assert!(secure.asked()[0].contains(&format!("host: b.example.org:{port}\r\n")), "{:?}", secure.asked());
}

#[tokio::test]
async fn what_only_this_machine_sees_is_told_and_not_asked() {
    let inner = Server::plain(|_| answer(500)).await;
    let port = inner.port();
    let named = format!("http://inner.example.org:{port}/");
    for place in [format!("http://127.0.0.1:{port}/admin"), format!("http://[::1]:{port}/"), named] {
        let to = place.clone();
        let server = Server::at("127.0.0.2", None, move |_| redirect(302, &to)).await;
        let url = format!("http://outer.example.org:{}/", server.port());
        let known = [("outer.example.org", "127.0.0.2"), ("inner.example.org", "127.0.0.1")];
        let known = known.map(|(host, address)| (host.to_owned(), vec![address.parse().unwrap()]));
        let found = probe(&Ask { known: &known, ..Ask::new(&url, LIMIT) }, now()).await;
        assert_eq!(
            (&found.outcome, hops(&found)),
            (&ProbeOutcome::Answered(302), vec![(302, place.as_str())])
        );
    }
    assert_eq!(inner.asked(), [] as [String; 0]);
}

#[tokio::test]
async fn what_fails_behind_a_redirect_is_told_with_its_url() {
    let (_held, closed) = closed_port();
    let server =
        Server::plain(move |_| redirect(302, &format!("http://127.0.0.1:{closed}/x?code=s3cret"))).await;
    let found = ask(&format!("http://127.0.0.1:{}/", server.port())).await;
    let wanted = format!(
        "after a redirect to http://127.0.0.1:{closed}/x?…: 127.0.0.1:{closed} refused the connection"
    );
    assert_eq!(failure(&found), (Phase::Connect, wanted.as_str()));
    assert_eq!(reached(&found), ["dns", "connect", "http"]);

    let own = Own::self_signed(&["b.example.org"], false);
    let secure = Server::encrypted(own.config(), |_| answer(200)).await;
    let port = secure.port();
    let server = Server::plain(move |_| redirect(302, &format!("https://b.example.org:{port}/"))).await;
    let roots = Authority::root("Test Root").roots();
    let found = ask_example(&format!("http://a.example.org:{}/", server.port()), &roots).await;
    let (phase, message) = failure(&found);
    assert_eq!(phase, Phase::Tls);
    assert!(
        message.starts_with(&format!(
            "after a redirect to https://b.example.org:{port}/: the certificate is self-signed"
        )),
        "{message}"
    );
}
