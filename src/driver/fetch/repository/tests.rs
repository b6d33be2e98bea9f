//! A repository on loopback, and what is fetched from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio_rustls::rustls::RootCertStore;

use super::super::ChartReference;
use super::super::tests::{Reply, SIZES, Seen, Server, archive, asked, endless, fetcher, reply, with_header};
use super::*;

/// An index of the chart `wiki`, whose archives are `<version>.tgz`.
fn index(versions: &[&str]) -> String {
    let mut text = "apiVersion: v1\nentries:\n  wiki:\n".to_owned();
    for version in versions {
        let digest = Digest::of(&archive(version));
        text += &format!(
            "  - name: wiki\n    version: {version}\n    digest: {}\n    urls:\n    - wiki-{version}.tgz\n",
            digest.hex()
        );
    }
    text
}

/// The archive of the version in a path such as `/stable/wiki-1.0.0.tgz`.
fn archive_of(seen: &Seen) -> Reply {
    let name = seen.path().rsplit('/').next().unwrap();
    match name.strip_prefix("wiki-").and_then(|name| name.strip_suffix(".tgz")) {
        Some(version) => reply(200, archive(version)),
        None => reply(404, ""),
    }
}

async fn repository(text: String) -> Server {
    Server::start(move |seen| match seen.path() {
        "/stable/index.yaml" => reply(200, text.clone()),
        _ => archive_of(seen),
    })
    .await
}

#[tokio::test]
async fn a_chart_is_found_by_its_name_wherever_it_stands() {
    let server = repository(index(&["1.0.0", "1.1.0", "2.0.0-rc.1"])).await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    let named = |path: &str, chart: Option<&str>, version: Option<&str>| ChartReference {
        chart: chart.map(str::to_owned),
        ..asked(server.url(path), version)
    };
    for (path, chart, version, expected) in [
        ("/stable", Some("wiki"), Some("1.0.0"), "1.0.0"),
        ("/stable/", Some("wiki"), None, "1.1.0"),
        ("/stable", None, Some("^1.0"), "1.1.0"),
        ("/stable/wiki", None, Some(">=2.0.0-0"), "2.0.0-rc.1"),
    ] {
        let found = fetcher.chart(&named(path, chart, version)).await.unwrap();
        assert_eq!(found.version, expected, "{path}");
        assert_eq!(found.origin, server.url(&format!("/stable/wiki-{expected}.tgz")));
        assert_eq!(*found.bytes, *archive(expected));
    }
    let direct = fetcher.chart(&asked(server.url("/stable/wiki-1.0.0.tgz"), None)).await.unwrap();
    assert_eq!((direct.version.as_str(), &*direct.bytes), ("", &*archive("1.0.0")));

    let misspelt = fetcher.chart(&named("/stable", Some("wikki"), None)).await.unwrap_err();
    assert!(misspelt.why.contains("did you mean 'wiki'?"), "{misspelt}");
    let absent = fetcher.chart(&named("/stable", Some("wiki"), Some("^7"))).await.unwrap_err();
    assert!(absent.why.contains("none of its versions is '^7'"), "{absent}");
    let nowhere = fetcher.chart(&named("/unstable/wiki", None, None)).await.unwrap_err();
    assert!(nowhere.why.contains("/unstable/wiki/index.yaml answers 404"), "{nowhere}");
}

#[tokio::test]
async fn of_several_charts_one_must_be_named() {
    let text = "entries:\n  a: [{version: 1.0.0, urls: [wiki-1.0.0.tgz]}]\n  b: [{version: 1.0.0}]\n";
    let server = repository(text.to_owned()).await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    let refused = fetcher.chart(&asked(server.url("/stable"), None)).await.unwrap_err();
    assert!(refused.why.contains("has 2 charts") && refused.why.contains("there is a, b"), "{refused}");
    let named = ChartReference { chart: Some("b".to_owned()), ..asked(server.url("/stable"), None) };
    let refused = fetcher.chart(&named).await.unwrap_err();
    assert!(refused.why.contains("does not say where it is"), "{refused}");
}

#[tokio::test]
async fn a_wrong_digest_is_refused_and_a_missing_one_is_not() {
    let text = index(&["1.0.0"]).replace(Digest::of(&archive("1.0.0")).hex(), Digest::of(b"x").hex());
    let server = repository(text.clone()).await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    let refused = fetcher.chart(&asked(server.url("/stable"), None)).await.unwrap_err();
    assert!(refused.why.contains("the repository's index says sha256:"), "{refused}");
    let without = text.lines().filter(|line| !line.contains("digest")).collect::<Vec<_>>().join("\n");
    let server = repository(without).await;
    assert!(fetcher.chart(&asked(server.url("/stable"), None)).await.is_ok());
}

#[tokio::test]
async fn an_index_is_sent_once_and_packed() {
    let mut packing = GzEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut packing, index(&["1.0.0"]).as_bytes()).unwrap();
    let packed = packing.finish().unwrap();
    let server = Server::start(move |seen| match (seen.path(), seen.header("if-none-match")) {
        ("/index.yaml", Some("\"7\"")) => reply(304, ""),
        ("/index.yaml", _) => {
            assert_eq!(seen.header("accept-encoding"), Some("gzip"));
            let answer = with_header(reply(200, packed.clone()), "content-encoding", "gzip");
            with_header(answer, "etag", "\"7\"")
        }
        _ => archive_of(seen),
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    for round in 0..2 {
        assert_eq!(fetcher.chart(&asked(server.url(""), None)).await.unwrap().version, "1.0.0");
        let seen = server.seen();
        assert_eq!(seen[0].header("if-none-match"), (round > 0).then_some("\"7\""));
        assert_eq!(server.take_targets().len(), if round == 0 { 2 } else { 1 }, "the archive comes once");
    }
}

#[tokio::test]
async fn bombs_and_endless_indexes_are_refused() {
    let mut packing = GzEncoder::new(Vec::new(), Compression::best());
    std::io::Write::write_all(&mut packing, &vec![b' '; SIZES.index + 1]).unwrap();
    let packed = packing.finish().unwrap();
    assert!(packed.len() < SIZES.index);
    let server = Server::start(move |seen| match seen.path() {
        "/bomb/index.yaml" => with_header(reply(200, packed.clone()), "content-encoding", "gzip"),
        "/page/index.yaml" => reply(200, "<html>not found</html>"),
        _ => endless(),
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    for (path, expected) in [
        ("/bomb", "larger than 65536 bytes"),
        ("/page", "is no index of charts"),
        ("/endless", "larger than 65536 bytes"),
        ("/endless.tgz", "larger than 32768 bytes"),
    ] {
        let refused = fetcher.chart(&asked(server.url(path), None)).await.unwrap_err();
        assert!(refused.why.contains(expected), "{path}: {refused}");
    }
}

#[tokio::test]
async fn logins_come_from_the_url_or_from_netrc_and_are_not_told() {
    let server = Server::start(|seen| match (seen.path(), seen.header("authorization")) {
        // anna:pw and bo:pw
        (_, Some("Basic YW5uYTpwdw==" | "Basic Ym86cHc=")) if seen.path() == "/index.yaml" => {
            reply(200, index(&["1.0.0"]))
        }
        (_, Some("Basic YW5uYTpwdw==" | "Basic Ym86cHc=")) => archive_of(seen),
        _ => reply(401, ""),
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    let refused = fetcher.chart(&asked(server.url(""), None)).await.unwrap_err();
    assert!(refused.next.contains("login for localhost into ~/.netrc"), "{refused}");

    let with_login = server.url("").replace("http://", "http://anna:pw@");
    let question = asked(with_login, None);
    let found = fetcher.chart(&question).await.unwrap();
    assert_eq!(found.origin, server.url("/wiki-1.0.0.tgz"));
    let kept = fetcher.cache.answer(&question).await.unwrap();
    assert_eq!(kept.asked.location, server.url("/"));
    assert_eq!(kept.fetched_at.to_string(), "2026-11-28T03:00:00Z");
    for kind in ["asked", "indexes", "charts"] {
        for entry in std::fs::read_dir(home.path().join("cache").join(kind)).into_iter().flatten() {
            let text = String::from_utf8_lossy(&std::fs::read(entry.unwrap().path()).unwrap()).into_owned();
            assert!(!text.contains("anna"), "{kind}: {text}");
        }
    }

    std::fs::write(home.path().join(".netrc"), "machine localhost login bo password pw\n").unwrap();
    assert!(fetcher.chart(&asked(server.url(""), Some("1.0"))).await.is_ok());
}

#[tokio::test]
async fn when_nobody_answers_what_was_fetched_is_used() {
    let away = Arc::new(AtomicBool::new(false));
    let gone = Arc::clone(&away);
    let server = Server::start(move |seen| match seen.path() {
        _ if gone.load(Ordering::SeqCst) => reply(503, "down for maintenance"),
        "/index.yaml" => reply(200, index(&["1.0.0"])),
        _ => archive_of(seen),
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    let range = asked(server.url(""), Some("^1"));
    let first = fetcher.chart(&range).await.unwrap();
    away.store(true, Ordering::SeqCst);
    assert_eq!(fetcher.chart(&range).await.unwrap(), first);
    let other = fetcher.chart(&asked(server.url(""), Some("^1.0"))).await.unwrap_err();
    assert!(other.why.contains("503 Service Unavailable: down for maintenance"), "{other}");

    // what is damaged is not used
    let charts = home.path().join("cache/charts");
    let path = std::fs::read_dir(&charts).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&path, archive("changed")).unwrap();
    assert!(fetcher.chart(&range).await.is_err());
    assert!(!path.exists(), "it is taken away");
    away.store(false, Ordering::SeqCst);
    assert_eq!(fetcher.chart(&range).await.unwrap(), first);
}

#[tokio::test]
async fn a_chart_that_cannot_be_kept_is_there_all_the_same() {
    let server = repository(index(&["1.0.0"])).await;
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("cache"), "no directory").unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    for _ in 0..2 {
        let found = fetcher.chart(&asked(server.url("/stable"), None)).await.unwrap();
        assert_eq!(*found.bytes, *archive("1.0.0"));
        assert!(server.take_targets().contains(&"/stable/wiki-1.0.0.tgz".to_owned()), "it is fetched again");
    }
}

#[tokio::test]
async fn an_encrypted_repository_does_not_send_one_elsewhere_in_the_open() {
    let text = "entries: {wiki: [{version: 1.0.0, urls: ['http://localhost:1/wiki.tgz']}]}\n";
    let (server, roots) = Server::with_tls(move |_| reply(200, text)).await;
    let home = tempfile::tempdir().unwrap();
    let location = format!("https://localhost:{}/", server.address.port());
    let refused = fetcher(home.path(), roots).chart(&asked(location, None)).await.unwrap_err();
    assert!(refused.why.contains("not encrypted"), "{refused}");
}
