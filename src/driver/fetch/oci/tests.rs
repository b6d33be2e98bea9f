//! A registry on loopback, and what is pulled from it.

use serde_json::json;

use super::super::tests::{
    Reply, SIZES, Seen, Server, archive, asked, endless, fetcher, redirect, reply, with_header,
};
use super::*;
use tokio_rustls::rustls::RootCertStore;

/// What a registry has.
#[derive(Clone, Default)]
struct Shelf {
    /// Pages of tags.
    tags: Vec<Vec<&'static str>>,
    /// Manifests by tag.
    manifests: Vec<(&'static str, String)>,
    blobs: Vec<(Digest, Vec<u8>)>,
    /// The token that is wanted.
    token: Option<&'static str>,
}

const REPOSITORY: &str = "/v2/charts/wiki/";

impl Shelf {
    fn with(versions: &[&'static str]) -> Self {
        let mut shelf = Self { tags: vec![versions.to_vec()], ..Self::default() };
        for version in versions {
            let bytes = archive(version);
            shelf.manifests.push((*version, manifest(&Digest::of(&bytes).to_string(), bytes.len())));
            shelf.blobs.push((Digest::of(&bytes), bytes));
        }
        shelf
    }

    fn answer(&self, seen: &Seen) -> Reply {
        let path = seen.path().strip_prefix(REPOSITORY).unwrap_or_else(|| panic!("{}", seen.target));
        if let Some(token) = self.token
            && seen.header("authorization") != Some(&format!("Bearer {token}"))
        {
            let host = seen.header("host").unwrap();
            let challenge = format!(
                "Bearer realm=\"http://{host}/token\",service=\"reg\",scope=\"repository:charts/wiki:pull\""
            );
            return with_header(
                reply(401, r#"{"errors": [{"message": "log in"}]}"#),
                "www-authenticate",
                challenge,
            );
        }
        if path == "tags/list" {
            return self.page(seen);
        }
        if let Some(found) = path.strip_prefix("blobs/") {
            let found = self.blobs.iter().find(|(digest, _)| digest.to_string() == found);
            return found.map_or_else(|| reply(404, ""), |(_, bytes)| reply(200, bytes.clone()));
        }
        let wanted = path.strip_prefix("manifests/").unwrap();
        let by_name = |(tag, text): &&(&str, String)| {
            *tag == wanted || Digest::of(text.as_bytes()).to_string() == wanted
        };
        match self.manifests.iter().find(by_name) {
            Some((_, text)) => with_header(reply(200, text.clone()), "content-type", MANIFEST_TYPE),
            None => {
                reply(404, r#"{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}"#)
            }
        }
    }

    fn page(&self, seen: &Seen) -> Reply {
        let number: usize = seen.target.split("page=").nth(1).map_or(0, |text| text.parse().unwrap());
        let page = reply(200, json!({"name": "charts/wiki", "tags": self.tags[number]}).to_string());
        if number + 1 == self.tags.len() {
            return page;
        }
        let next = number + 1;
        with_header(page, "link", format!("<{REPOSITORY}tags/list?n=1000&page={next}>; rel=\"next\""))
    }
}

fn manifest(digest: &str, size: usize) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": CONFIG_TYPE, "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "size": 2},
        "layers": [
            {"mediaType": "application/vnd.cncf.helm.chart.provenance.v1.prov", "digest": "sha256:00", "size": 1},
            {"mediaType": CHART_TYPES[0], "digest": digest, "size": size},
        ],
    })
    .to_string()
}

/// A registry with that on its shelf, and the location of the chart in it.
async fn registry(shelf: Shelf) -> (Server, String) {
    let server = Server::start(move |seen| shelf.answer(seen)).await;
    let location = format!("oci://localhost:{}/charts/wiki", server.address.port());
    (server, location)
}

fn pulled(version: &str) -> Vec<u8> {
    archive(version)
}

#[tokio::test]
async fn a_version_a_range_and_the_highest_release_are_pulled() {
    let mut shelf = Shelf::with(&["1.0.0", "1.1.0_b.1", "2.0.0", "3.0.0-rc.1"]);
    shelf.tags = vec![vec!["1.0.0", "latest", "9"], vec!["1.1.0_b.1"], vec!["3.0.0-rc.1", "2.0.0"]];
    let (server, location) = registry(shelf).await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    for (version, expected) in [
        (Some("1.0.0"), "1.0.0"),
        (Some("1.1.0+b.1"), "1.1.0+b.1"),
        (Some("^1"), "1.1.0+b.1"),
        (Some(">=3.0.0-0"), "3.0.0-rc.1"),
        (None, "2.0.0"),
    ] {
        let found = fetcher.chart(&asked(&location, version)).await.unwrap();
        assert_eq!(found.version, expected);
        assert_eq!(found.origin, format!("{location}:{expected}"));
        assert_eq!(*found.bytes, *pulled(&expected.replace('+', "_")));
        assert_eq!(found.digest, Digest::of(&found.bytes).to_string());
    }
    let pages = server.take_targets().iter().filter(|target| target.contains("tags/list")).count();
    assert_eq!(pages, 9, "three pages for each range, none for a version");

    // what is whole does not ask again; what is a range does, but its archive is there already
    fetcher.chart(&asked(&location, Some("1.0.0"))).await.unwrap();
    assert_eq!(server.take_targets(), [""; 0]);
    fetcher.chart(&asked(&location, None)).await.unwrap();
    let again = server.take_targets();
    assert!(!again.is_empty() && again.iter().all(|target| !target.contains("blobs")), "{again:?}");
}

#[tokio::test]
async fn a_location_may_have_a_tag_or_a_digest() {
    let shelf = Shelf::with(&["1.0.0", "2.0.0"]);
    let digest = Digest::of(shelf.manifests[0].1.as_bytes());
    let (server, location) = registry(shelf).await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    let by_tag = fetcher.chart(&asked(format!("{location}:2.0.0"), None)).await.unwrap();
    assert_eq!((by_tag.version.as_str(), &*by_tag.bytes), ("2.0.0", &*pulled("2.0.0")));
    let by_digest = fetcher.chart(&asked(format!("{location}:1.0.0@{digest}"), None)).await.unwrap();
    assert_eq!((by_digest.version.as_str(), &*by_digest.bytes), ("1.0.0", &*pulled("1.0.0")));
    assert_eq!(by_digest.origin, format!("{location}@{digest}"));
    let both = fetcher.chart(&asked(format!("{location}:2.0.0"), Some("1.0.0"))).await.unwrap_err();
    assert!(both.why.contains("the tag 2.0.0, and the version is 1.0.0"), "{both}");
    assert!(server.take_targets().iter().all(|target| !target.contains("tags/list")));
}

#[tokio::test]
async fn what_is_not_there_is_told_in_full() {
    let (_server, location) = registry(Shelf::with(&["1.0.0", "1.2.0"])).await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    let missing = fetcher.chart(&asked(&location, Some("9.0.0"))).await.unwrap_err();
    assert_eq!(missing.what, format!("The chart {location} 9.0.0 cannot be fetched"));
    assert!(missing.why.contains("404") && missing.why.contains("manifest unknown"), "{missing}");
    let range = fetcher.chart(&asked(&location, Some("^9"))).await.unwrap_err();
    assert!(range.why.contains("none of its versions is '^9'; the highest are 1.2.0, 1.0.0"), "{range}");
    assert_eq!(range.next, "choose a version that there is");
}

#[tokio::test]
async fn a_token_is_fetched_for_whoever_asks_with_what_he_knows() {
    let home = tempfile::tempdir().unwrap();
    let shelf = Shelf { token: Some("t0ken"), ..Shelf::with(&["1.0.0"]) };
    let server = Server::start(move |seen| match (seen.path(), seen.body.as_str()) {
        ("/token", "") => reply(200, r#"{"token": "t0ken", "expires_in": 300}"#),
        ("/token", _) => reply(200, r#"{"access_token": "t0ken"}"#),
        _ => shelf.answer(seen),
    })
    .await;
    let authority = format!("localhost:{}", server.address.port());
    let location = format!("oci://{authority}/charts/wiki");
    let login = |text: String| {
        std::fs::create_dir_all(home.path().join(".docker")).unwrap();
        std::fs::write(home.path().join(".docker/config.json"), text).unwrap();
    };
    let asking = async || {
        let fetcher = fetcher(home.path(), RootCertStore::empty());
        std::fs::remove_dir_all(home.path().join("cache")).ok();
        fetcher.chart(&asked(&location, Some("1.0.0"))).await.unwrap();
        let seen = server.seen();
        server.take_targets();
        seen.into_iter().find(|seen| seen.path() == "/token").unwrap()
    };
    // nobody: without a login
    let token = asking().await;
    assert_eq!(token.header("authorization"), None);
    assert_eq!(token.target, "/token?scope=repository%3Acharts%2Fwiki%3Apull&service=reg");
    // a password
    login(format!(r#"{{"auths": {{"{authority}": {{"auth": "YW5uYTpwdw=="}}}}}}"#));
    assert_eq!(asking().await.header("authorization"), Some("Basic YW5uYTpwdw=="));
    // a token that is changed for another
    login(format!(r#"{{"auths": {{"{authority}": {{"identitytoken": "r3fresh"}}}}}}"#));
    let token = asking().await;
    assert!(token.body.contains("grant_type=refresh_token") && token.body.contains("refresh_token=r3fresh"));
    assert!(!token.target.contains("r3fresh"));
}

#[tokio::test]
async fn who_may_not_read_it_is_told_how_to_log_in() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|seen| match seen.path() {
        "/token" => reply(401, "wrong password"),
        path if path.contains("basic") => with_header(reply(401, ""), "www-authenticate", "Basic realm=x"),
        path if path.contains("elsewhere") => {
            with_header(reply(401, ""), "www-authenticate", "Bearer realm=\"file:///etc/passwd\"")
        }
        path if path.contains("empty") => {
            with_header(reply(401, ""), "www-authenticate", "Bearer realm=\"/none\"")
        }
        "/none" => reply(200, "{}"),
        _ => with_header(reply(401, ""), "www-authenticate", "Bearer realm=\"/token\""),
    })
    .await;
    let authority = format!("localhost:{}", server.address.port());
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    let refused = async |repository: &str| {
        let location = format!("oci://{authority}/{repository}");
        fetcher.chart(&asked(location, Some("1.0.0"))).await.unwrap_err()
    };
    for repository in ["charts/wiki", "basic"] {
        let problem = refused(repository).await;
        assert!(problem.why.contains("401"), "{problem}");
        assert!(problem.next.contains(&format!("helm registry login {authority}")), "{problem}");
    }
    assert!(refused("elsewhere").await.why.contains("place for tokens"));
    assert!(refused("empty").await.why.contains("without a token"));
}

#[tokio::test]
async fn what_was_changed_on_the_way_is_refused() {
    let mut shelf = Shelf::with(&["1.0.0"]);
    shelf.blobs[0].1 = archive("changed");
    let (_server, location) = registry(shelf.clone()).await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    let refused = fetcher.chart(&asked(&location, Some("1.0.0"))).await.unwrap_err();
    assert!(refused.why.contains("its archive has the digest sha256:"), "{refused}");
    assert!(refused.next.starts_with("do not use it"), "{refused}");
    assert_eq!(fetcher.cached(&asked(&location, Some("1.0.0"))).await, None);

    // a registry that gives another manifest for the digest
    let other = Digest::of(b"{}");
    shelf.manifests.push(("unused", String::new()));
    let text = shelf.manifests[0].1.clone();
    let server = Server::start(move |_| reply(200, text.clone())).await;
    let location = format!("oci://localhost:{}/charts/wiki@{other}", server.address.port());
    let refused = fetcher.chart(&asked(location, None)).await.unwrap_err();
    assert!(refused.why.contains("its manifest has the digest"), "{refused}");
}

#[tokio::test]
async fn what_is_no_chart_is_refused() {
    let wrong = [
        (
            "image",
            json!({"config": {"mediaType": "application/vnd.oci.image.config.v1+json"}}).to_string(),
            "no Helm chart",
        ),
        ("index", json!({"manifests": []}).to_string(), "an index of several manifests"),
        ("text", "<html>".to_owned(), "no JSON"),
        ("bare", json!({"config": {"mediaType": CONFIG_TYPE}, "layers": []}).to_string(), "no layer"),
        ("large", manifest(&Digest::of(b"").to_string(), SIZES.archive + 1), "larger than"),
        ("traversal", manifest("sha256:../../x", 1), "no sha256 digest"),
        ("sha512", manifest("sha512:00", 1), "no sha256 digest"),
        ("plain", manifest(&Digest::of(b"plain").to_string(), 5), "no gzipped archive"),
    ];
    let mut shelf = Shelf { blobs: vec![(Digest::of(b"plain"), b"plain".to_vec())], ..Shelf::default() };
    shelf.manifests = wrong.iter().map(|(tag, text, _)| (*tag, text.clone())).collect();
    let (_server, location) = registry(shelf).await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    for (tag, _, expected) in wrong {
        let refused = fetcher.chart(&asked(format!("{location}:{tag}"), None)).await.unwrap_err();
        assert!(refused.why.contains(expected), "{tag}: {refused}");
    }
}

#[tokio::test]
async fn a_registry_without_an_end_is_left() {
    let server = Server::start(|seen| match seen.path() {
        path if path.ends_with("tags/list") => {
            // each page names the next, without end
            let page: usize = seen.target.split("page=").nth(1).map_or(0, |text| text.parse().unwrap());
            let next = format!("<{REPOSITORY}tags/list?page={}>; rel=\"next\"", page + 1);
            with_header(reply(200, r#"{"tags": ["1.0.0"]}"#), "link", next)
        }
        _ => endless(),
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let fetcher = fetcher(home.path(), RootCertStore::empty());
    let location = format!("oci://localhost:{}/charts/wiki", server.address.port());
    let refused = fetcher.chart(&asked(location, Some("^1"))).await.unwrap_err();
    assert!(refused.why.contains("larger than"), "the manifest has no end: {refused}");
    assert_eq!(server.take_targets().iter().filter(|target| target.contains("tags/list")).count(), PAGES);
}

#[tokio::test]
async fn with_tls_a_blob_elsewhere_is_asked_for_without_the_token() {
    let shelf = Shelf::with(&["1.0.0"]);
    let (digest, bytes) = shelf.blobs[0].clone();
    let (store, roots) = Server::with_tls(move |_| reply(200, bytes.clone())).await;
    let target = format!("https://localhost:{}/bucket?X-Signature=s", store.address.port());
    let blob = format!("{REPOSITORY}blobs/{digest}");
    // the two servers share a name but not an authority: one client trusts both
    let (server, more) = Server::with_tls(move |seen| match seen.path() {
        "/token" => reply(200, r#"{"token": "t0ken"}"#),
        path if path == blob => redirect(307, &target),
        _ if seen.header("authorization").is_none() => {
            with_header(reply(401, ""), "www-authenticate", "Bearer realm=\"/token\"")
        }
        _ => shelf.answer(seen),
    })
    .await;
    let roots = RootCertStore { roots: roots.roots.into_iter().chain(more.roots).collect() };
    let home = tempfile::tempdir().unwrap();
    let location = format!("oci://localhost:{}/charts/wiki", server.address.port());
    fetcher(home.path(), roots).chart(&asked(location, Some("1.0.0"))).await.unwrap();
    assert_eq!(store.seen()[0].header("authorization"), None);
    let sent = server.seen();
    assert!(sent.iter().any(|seen| seen.header("authorization") == Some("Bearer t0ken")));

    // a token's place without TLS is not asked by a registry with it
    let (server, roots) = Server::with_tls(|_| {
        with_header(reply(401, ""), "www-authenticate", "Bearer realm=\"http://localhost:1/token\"")
    })
    .await;
    let location = format!("oci://localhost:{}/charts/wiki", server.address.port());
    let refused = fetcher(home.path(), roots).chart(&asked(location, Some("1.0.0"))).await.unwrap_err();
    assert!(refused.why.contains("not encrypted"), "{refused}");
}
