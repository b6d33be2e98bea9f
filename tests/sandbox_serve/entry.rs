//! Who comes in, and how.

use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use styrmin::sandbox::serve::{Door, Kubeconfig, Limits, ServeError};

use crate::rig::{CONFIG_MAPS, Served, ask, block_on, client, config_map, put, read_answer};

#[test]
fn without_the_token_nothing_is_done() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        let body = config_map("intruder").to_string();
        let token = &served.credentials.token;
        let none = String::new();
        let wrong = "Authorization: Bearer wrong\r\n".to_owned();
        let longer = format!("Authorization: Bearer {token}x\r\n");
        let shorter = format!("Authorization: Bearer {}\r\n", &token[1..]);
        let basic = format!("Authorization: Basic {token}\r\n");
        for authorization in [none, wrong, longer, shorter, basic] {
            for (method, path) in [("POST", CONFIG_MAPS), ("GET", "/api"), ("GET", "/"), ("GET", CONFIG_MAPS)]
            {
                let request = format!(
                    "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}Content-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let answer = served.raw(request.as_bytes()).await.expect("an answer");
                assert_eq!(answer.status, 401, "{authorization} {method} {path}");
                let said = json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                    "message": "Unauthorized", "reason": "Unauthorized", "code": 401,
                });
                assert_eq!(answer.json(), said);
            }
        }
        assert_eq!(served.config_maps().await, 0);
    });
}

#[test]
fn a_body_without_the_token_is_not_waited_for() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        let mut stream = served.connect("http/1.1").await.unwrap();
        let head = format!("POST {CONFIG_MAPS} HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
        put(&mut stream, head.as_bytes()).await;
        assert_eq!(read_answer(&mut stream).await.expect("an answer").status, 401);
    });
}

#[test]
fn health_and_version_are_for_everybody() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        for path in ["/healthz", "/livez", "/readyz", "/version"] {
            let ask = |authorization: &str| {
                format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\r\n")
            };
            assert_eq!(served.raw(ask("").as_bytes()).await.unwrap().status, 200, "{path}");
            let wrong = ask("Authorization: Bearer wrong\r\n");
            assert_eq!(served.raw(wrong.as_bytes()).await.unwrap().status, 401, "{path}");
        }
    });
}

#[test]
fn a_kubeconfig_is_all_that_a_client_needs() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        let before = Kubeconfig::of_ours(&path).unwrap();
        before.write(&path, served.address, &served.credentials).unwrap();
        let client = client(&path).await;
        ask(&client, "POST", CONFIG_MAPS, &config_map("mine")).await.unwrap();
        let read = ask(&client, "GET", &format!("{CONFIG_MAPS}/mine"), &Value::Null).await.unwrap();
        assert_eq!(read["data"]["key"], "value");
    });
}

#[test]
fn http_2_carries_many_requests_at_once() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        let stream = served.connect("h2").await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (sender, connection) = hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(
            TokioExecutor::new(),
            TokioIo::new(stream),
        )
        .await
        .unwrap();
        tokio::spawn(connection);
        let requests = (0..50).map(|_| {
            let mut sender = sender.clone();
            let request = http::Request::get(format!("https://{}/api/v1/namespaces", served.address))
                .header("authorization", format!("Bearer {}", served.credentials.token))
                .body(Empty::new())
                .unwrap();
            async move {
                let response = sender.send_request(request).await.unwrap();
                let code = response.status().as_u16();
                (code, response.into_body().collect().await.unwrap().to_bytes().len())
            }
        });
        for (code, length) in futures::future::join_all(requests).await {
            assert_eq!(code, 200);
            assert!(length > 100);
        }
    });
}

#[test]
fn requests_that_are_given_up_at_once_harm_nobody_else() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        let stream = served.connect("h2").await.unwrap();
        let (sender, connection) = hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(
            TokioExecutor::new(),
            TokioIo::new(stream),
        )
        .await
        .unwrap();
        let ended = tokio::spawn(connection);
        for _ in 0..5000 {
            let mut sender = sender.clone();
            if sender.ready().await.is_err() {
                break;
            }
            let request = http::Request::get(format!("https://{}/api/v1/pods?watch=1", served.address))
                .header("authorization", format!("Bearer {}", served.credentials.token))
                .body(Full::default())
                .unwrap();
            // polled once, so that it is sent, and dropped, so that it is reset
            let mut sent = Box::pin(sender.send_request(request));
            let _ = futures::poll!(&mut sent);
            drop(sent);
            tokio::task::yield_now().await;
        }
        drop(sender);
        // either the server has had enough of this connection or everything was answered: it ends
        let _ = ended.await;
        served.assert_well().await;
    });
}

#[test]
fn other_addresses_than_loopback_are_refused() {
    block_on(async {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:6443"] {
            let refused = Door::open(address.parse().unwrap(), None).await;
            assert!(matches!(refused, Err(ServeError::NotLoopback { .. })), "{address}");
        }
        let taken = Door::open("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        let second = Door::open(taken.address(), None).await;
        assert!(matches!(second, Err(ServeError::Address { .. })));
        let elsewhere = Door::open("127.0.0.1:0".parse().unwrap(), Some(taken.address())).await.unwrap();
        assert_ne!(elsewhere.address(), taken.address());
        let before = taken.address();
        drop(taken);
        let again = Door::open("127.0.0.1:0".parse().unwrap(), Some(before)).await.unwrap();
        assert_eq!(again.address(), before);
    });
}
