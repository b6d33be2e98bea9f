//! Handshakes that go well, and those that come to nothing before a certificate is looked at.

use std::sync::Arc;

use styrmin::domain::route::{Phase, ProbeOutcome};
use styrmin::ingress::certificate::{covers, from_chain};
use styrmin::ingress::probe::Roots;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::authority::{Authority, GOOD};
use super::ground::{
    Act, SHORT, Server, answer, ask_example, ask_trusting, ask_within, failure, now, reached, say,
};

#[tokio::test]
async fn a_good_chain_is_told_whole() {
    let root = Authority::root("Test Root");
    let middle = root.below("Test Middle", GOOD);
    let own = middle.own(&["a.example.org", "*.notes.example.org"], GOOD).with(&middle);
    let server = Server::encrypted(own.config(), |_| answer(200)).await;
    let found = ask_example(&format!("https://a.example.org:{}/app", server.port()), &root.roots()).await;
    assert_eq!(found.outcome, ProbeOutcome::Answered(200));
    assert_eq!(reached(&found), ["dns", "connect", "tls", "http"]);
    let certificate = found.certificate.unwrap();
    assert_eq!(certificate, from_chain(&own.chain).unwrap());
    assert_eq!((certificate.subject.as_str(), certificate.issuer.as_str()), ("a.example.org", "Test Middle"));
    assert!(covers(&certificate, "x.notes.example.org"));
    let asked = server.asked();
    assert!(asked[0].starts_with("GET /app HTTP/1.1\r\n"), "{asked:?}");
}

#[tokio::test]
async fn the_first_end_in_the_chain_is_the_one_that_counts() {
    let root = Authority::root("Test Root");
    let middle = root.below("Test Middle", (2031, 2032));
    let own = middle.own(&["a.example.org"], (2031, 2040)).with(&middle);
    let server = Server::encrypted(own.config(), |_| answer(200)).await;
    let found = ask_example(&format!("https://a.example.org:{}/", server.port()), &root.roots()).await;
    assert_eq!(found.outcome, ProbeOutcome::Answered(200));
    let certificate = found.certificate.as_ref().unwrap();
    assert_eq!(certificate.not_after, "2040-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(certificate.earliest, "2032-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(certificate.days_left(now()), 199);
    assert_eq!(found.reach().certificate_ends, Some(certificate.earliest));
}

#[tokio::test]
async fn addresses_and_older_tls_do_as_well() {
    let root = Authority::root("Test Root");
    let own = root.own(&["127.0.0.1", "localhost"], GOOD);
    let server = Server::encrypted(own.config_of_tls12(), |_| answer(200)).await;
    for host in ["127.0.0.1", "localhost"] {
        let found = ask_trusting(&format!("https://{host}:{}/", server.port()), &root.roots()).await;
        assert_eq!(found.outcome, ProbeOutcome::Answered(200), "{host}");
    }
    let own = root.own(&["::1"], GOOD);
    let server = Server::at("::1", Some(own.config()), |_| answer(204)).await;
    let found = ask_trusting(&format!("https://[::1]:{}/", server.port()), &root.roots()).await;
    assert_eq!(found.outcome, ProbeOutcome::Answered(204));
}

#[tokio::test]
async fn roots_are_added_to_roots() {
    let (first, second) = (Authority::root("First"), Authority::root("Second"));
    let server = Server::encrypted(second.own(&["a.example.org"], GOOD).config(), |_| answer(200)).await;
    let url = format!("https://a.example.org:{}/", server.port());
    assert!(!ask_example(&url, &first.roots()).await.works());
    assert!(ask_example(&url, &first.roots().and([second.der()])).await.works());
}

#[tokio::test]
async fn what_goes_wrong_after_the_handshake_is_http() {
    let root = Authority::root("Test Root");
    let server = Server::encrypted(root.own(&["a.example.org"], GOOD).config(), |_| say("")).await;
    let found = ask_example(&format!("https://a.example.org:{}/", server.port()), &root.roots()).await;
    assert_eq!(failure(&found), (Phase::Http, "it closed the connection without an answer"));
    assert_eq!(reached(&found), ["dns", "connect", "tls", "http"]);
    assert!(found.certificate.is_some());
}

#[tokio::test]
async fn a_port_without_tls_says_what_it_speaks() {
    let roots = Authority::root("Test Root").roots();
    let http = "plain http is spoken on this port, and no TLS: the URL must begin with http://, or the ingress lacks its TLS \
                settings";
    let old = "it speaks neither TLS 1.2 nor TLS 1.3: older versions are not safe";
    let cases: [(&[u8], &str); 6] = [
        (b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", http),
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", http),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "what it speaks on this port is no TLS"),
        (b"", "it closed the connection during the handshake"),
        (b"\x15\x03\x01\x00\x02\x02\x46", old),
        (b"\x15\x03\x03\x00\x02\x02\x70", "it says that it has no certificate for this host"),
    ];
    for (bytes, wanted) in cases {
        let server = Raw::serve(bytes).await;
        let found = ask_trusting(&format!("https://127.0.0.1:{}/", server.port), &roots).await;
        assert_eq!(failure(&found), (Phase::Tls, wanted));
        assert_eq!(reached(&found), ["dns", "connect", "tls"]);
        assert_eq!(found.certificate, None);
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_runs_out_of_time() {
    let server = Server::plain(|_| vec![Act::Hold]).await;
    let found = ask_within(&format!("https://127.0.0.1:{}/", server.port()), SHORT).await;
    assert_eq!(failure(&found), (Phase::Tls, "the handshake was not done within 200 ms"));
}

#[tokio::test]
async fn other_protocols_and_clients_without_a_certificate_are_told() {
    let root = Authority::root("Test Root");
    let own = root.own(&["a.example.org"], GOOD);
    let mut config = own.config();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let server = Server::encrypted(config, |_| answer(200)).await;
    let found = ask_example(&format!("https://a.example.org:{}/", server.port()), &root.roots()).await;
    assert_eq!(failure(&found), (Phase::Tls, "it does not speak http/1.1"));

    let server = Server::encrypted(wanting_a_certificate(&root), |_| answer(200)).await;
    let found = ask_example(&format!("https://a.example.org:{}/", server.port()), &root.roots()).await;
    assert_eq!(failure(&found).1, "it wants a certificate of its clients");
    assert!(found.certificate.is_some());
}

fn wanting_a_certificate(root: &Authority) -> ServerConfig {
    let mut clients = RootCertStore::empty();
    clients.add(root.der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(clients), Arc::clone(&provider))
        .build()
        .unwrap();
    root.own(&["a.example.org"], GOOD).config_with(verifier)
}

#[tokio::test]
async fn a_machine_that_trusts_nobody_says_so() {
    let root = Authority::root("Test Root");
    let server = Server::encrypted(root.own(&["a.example.org"], GOOD).config(), |_| answer(200)).await;
    let found = ask_example(&format!("https://a.example.org:{}/", server.port()), &Roots::of([])).await;
    let (phase, message) = failure(&found);
    assert_eq!(phase, Phase::Tls);
    assert!(
        message.contains("no root certificates were found; install ca-certificates, or set SSL_CERT_FILE"),
        "{message}"
    );
}

/// Answers the first bytes of each connection with these, whatever they are.
struct Raw {
    port: u16,
    _task: tokio_util::task::AbortOnDropHandle<()>,
}

impl Raw {
    async fn serve(bytes: &'static [u8]) -> Self {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut hello = [0; 4096];
                // all of it: what is not read when the connection is closed would reset it
                let _ = stream.read(&mut hello).await;
                let _ = stream.write_all(bytes).await;
                let _ = stream.shutdown().await;
                let _ = stream.read(&mut hello).await;
            }
        });
        Self { port, _task: tokio_util::task::AbortOnDropHandle::new(task) }
    }
}
