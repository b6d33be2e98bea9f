//! https: which certificate, which version of HTTP, and what passes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::client;
use crate::rig::{HOME, INGRESSES, Rig, within};

/// A Secret, and the certificate in it.
fn secret(host: &str) -> (Value, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap();
    let data = json!({"tls.crt": STANDARD.encode(made.cert.pem()),
        "tls.key": STANDARD.encode(made.signing_key.serialize_pem())});
    (json!({"type": "kubernetes.io/tls", "data": data}), made.cert.der().to_vec())
}

/// The certificate that a host shows.
async fn shown(rig: &Rig, host: &str) -> Vec<u8> {
    let stream = client::connect_from(HOME, rig.sandbox.ingress_tls_address()).await;
    client::chain(&client::tls(stream, host, &[]).await.unwrap()).remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_is_the_one_of_the_secret_as_it_is_now() {
    let rig = Rig::start(&["demo"]).await;
    for name in ["web", "api"] {
        rig.deploy("demo", name);
        rig.change(INGRESSES, ("demo", name), |ingress| {
            let host = format!("{name}-demo.localhost");
            ingress["spec"]["tls"] = json!([{"hosts": [host], "secretName": format!("{name}-tls")}]);
        });
    }
    let (web, api) = ("web-demo.localhost", "api-demo.localhost");
    rig.until(web, 200, "name=web").await;
    rig.until(api, 200, "name=api").await;
    let default = shown(&rig, web).await;
    assert!(client::names(&default, "sandbox-ingress-default.invalid"));
    assert_eq!(shown(&rig, "unknown.localhost").await, default);
    rig.until_event("web", "TlsSecretUnusable", "web-tls holds no usable certificate: it does not exist")
        .await;

    let ((first, first_der), (second, second_der)) = (secret(web), secret(api));
    rig.create("secrets", "demo", "web-tls", first);
    rig.create("secrets", "demo", "api-tls", second);
    assert_eq!(shown(&rig, web).await, first_der);
    assert_eq!(shown(&rig, api).await, second_der);
    let answer = rig.get_tls(web).await;
    answer.is(200, "name=web of demo\n");
    answer.is(200, "x-forwarded-proto: https\r\n");
    rig.get_tls(api).await.is(200, "name=api of demo\n");

    // renewed: the very next client sees it
    let (renewed, renewed_der) = secret(web);
    rig.change("secrets", ("demo", "web-tls"), |secret| secret["data"] = renewed["data"].clone());
    assert_eq!(shown(&rig, web).await, renewed_der);
    assert_eq!(shown(&rig, api).await, second_der);
    let (other, _) = secret(web);
    rig.change("secrets", ("demo", "web-tls"), |secret| {
        secret["data"]["tls.key"] = other["data"]["tls.key"].clone();
    });
    assert_eq!(shown(&rig, web).await, default);
    rig.until_event("web", "TlsSecretUnusable", "its tls.key belongs to another certificate").await;
    rig.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_and_upgrades_pass() {
    let rig = Rig::start(&["demo"]).await;
    rig.deploy("demo", "web");
    let host = "web-demo.localhost";
    rig.until(host, 200, "name=web").await;
    let address = rig.sandbox.ingress_tls_address();

    let stream = client::connect_from(HOME, address).await;
    let stream = client::tls(stream, host, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let ask = |host: &str| {
        let request = http::Request::get(format!("https://{host}/x?y=1"));
        request.header("cookie", "a=1").header("cookie", "b=2").body(Empty::<bytes::Bytes>::new()).unwrap()
    };
    let response = within(sender.send_request(ask(host))).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    for part in ["get /x?y=1 http/1.1\r\n", "cookie: a=1; b=2\r\n", "host: web-demo.localhost\r\n"] {
        assert!(body.contains(part), "{part:?} is not in {body}");
    }
    // a name of another controller does not belong on this connection
    let mut other = json!({"spec": {"ingressClassName": "other"}});
    other["spec"]["rules"] = json!([crate::rig::rule("other.localhost", "web")]);
    rig.create(INGRESSES, "demo", "other", other);
    rig.until("other.localhost", 404, "of the class other").await;
    assert_eq!(within(sender.send_request(ask("other.localhost"))).await.unwrap().status(), 421);

    let stream = client::connect_from(HOME, address).await;
    upgraded(client::tls(stream, host, &["http/1.1"]).await.unwrap(), host).await;
    upgraded(client::connect_from(HOME, rig.sandbox.ingress_address()).await, host).await;
    rig.sandbox.stop().await;
}

/// Asks for another protocol, and speaks it.
async fn upgraded(mut stream: impl AsyncRead + AsyncWrite + Unpin, host: &str) {
    let text = format!(
        "GET /socket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within(stream.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    for word in ["hello", "once more"] {
        stream.write_all(word.as_bytes()).await.unwrap();
        let mut back = vec![0; word.len()];
        within(stream.read_exact(&mut back)).await.unwrap();
        assert_eq!(back, word.to_uppercase().as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_is_sent_on_to_https_where_the_host_has_it() {
    let rig = Rig::start(&["demo"]).await;
    rig.deploy("demo", "web");
    let (host, bare) = ("web-demo.localhost", "bare.localhost");
    rig.change(INGRESSES, ("demo", "web"), |ingress| {
        ingress["metadata"]["annotations"] = json!({"sandbox.styrmin.io/ssl-redirect": "true"});
        ingress["spec"]["rules"].as_array_mut().unwrap().push(crate::rig::rule(bare, "web"));
        ingress["spec"]["tls"] = json!([{"hosts": [host]}]);
    });
    rig.until(bare, 200, "name=web").await;
    rig.until(host, 308, "").await;
    let http = rig.sandbox.ingress_address();
    let port = rig.sandbox.ingress_tls_address().port();
    for named in [host.to_owned(), format!("{host}:{}", http.port())] {
        let request = format!(
            "POST /a/b?c=d&e HTTP/1.1\r\nHost: {named}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let answer = client::ask(client::connect_from(HOME, http).await, request.as_bytes()).await;
        let location = format!("location: https://{host}:{port}/a/b?c=d&e");
        assert!(answer.status == 308 && answer.head.lines().any(|line| line == location), "{answer:?}");
    }
    rig.get_tls(host).await.is(200, "name=web of demo");
    rig.get(bare).await.is(200, "name=web of demo");

    // who may not come in is not sent on, and without the annotation everybody is answered
    rig.change(INGRESSES, ("demo", "web"), |ingress| {
        ingress["metadata"]["annotations"]["sandbox.styrmin.io/allow-list"] = json!("10.0.0.0/8");
    });
    rig.until(host, 403, "does not let you in").await;
    rig.change(INGRESSES, ("demo", "web"), |ingress| ingress["metadata"]["annotations"] = json!({}));
    rig.until(host, 200, "name=web").await;
    rig.sandbox.stop().await;
}
