//! Input that nobody sends who means well.

use serde_json::{Map, Value, json};
use styrmin::sandbox::serve::Limits;

use crate::rig::{CONFIG_MAPS, Served, block_on, config_map};

#[test]
fn bodies_have_the_limits_of_kubernetes() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        let mut object = config_map("long");
        object["data"]["key"] = json!("a".repeat(3 * 1024 * 1024));
        let text = object.to_string();
        let answer = served.send("POST", CONFIG_MAPS, text.as_bytes()).await;
        assert_eq!(answer.status, 413);
        assert_eq!(answer.json()["reason"], "RequestEntityTooLarge");
        assert_eq!(answer.json()["message"], "Request entity too large: limit is 3145728");

        let head = format!(
            "POST {CONFIG_MAPS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
            served.authorization(),
            text.len()
        );
        let chunked = [head.as_bytes(), text.as_bytes(), b"\r\n0\r\n\r\n"].concat();
        // the server need not read the rest: an answer may be lost when it closes early, but then nothing is written
        if let Some(answer) = served.raw(&chunked).await {
            assert_eq!(answer.status, 413);
        }
        assert_eq!(served.config_maps().await, 0);
    });
}

#[test]
fn objects_have_the_limit_of_etcd() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        let selector: Map<String, Value> =
            (0..24_000).map(|number| (format!("k{number}"), json!("v".repeat(60)))).collect();
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "wide"},
            "spec": {"ports": [{"port": 80}], "selector": selector},
        });
        let path = "/api/v1/namespaces/default/services";
        let answer = served.send("POST", path, service.to_string().as_bytes()).await;
        assert_eq!(
            (answer.status, answer.json()["message"].as_str()),
            (500, Some("etcdserver: request is too large"))
        );
        assert_eq!(answer.json().get("reason"), None);
        assert_eq!(served.send("GET", &format!("{path}/wide"), b"").await.status, 404);
    });
}

#[test]
fn a_hundred_thousand_labels_are_labels() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        let labels: Map<String, Value> =
            (0..100_000).map(|number| (format!("k{number}"), json!("v"))).collect();
        let mut object = config_map("labelled");
        object["metadata"]["labels"] = Value::Object(labels);
        let answer = served.send("POST", CONFIG_MAPS, object.to_string().as_bytes()).await;
        // they and their owner's record are more than an object may be
        assert_eq!(answer.status, 500, "{:?}", answer.head);
        assert_eq!(answer.json()["message"], "etcdserver: request is too large");
        let few =
            object["metadata"]["labels"].as_object().unwrap().clone().into_iter().take(20_000).collect();
        object["metadata"]["labels"] = Value::Object(few);
        assert_eq!(served.send("POST", CONFIG_MAPS, object.to_string().as_bytes()).await.status, 201);
        let found = served.send("GET", &format!("{CONFIG_MAPS}?labelSelector=k0%3Dv"), b"").await.json();
        assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
    });
}

#[test]
fn what_is_no_json_is_400() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        let deep = format!("{{\"kind\":\"ConfigMap\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let bodies: [&[u8]; 7] =
            [b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b"{\"kind\":\"ConfigMap\"", deep.as_bytes()];
        for body in bodies {
            for method in ["POST", "PATCH", "PUT"] {
                let path = if method == "POST" { CONFIG_MAPS.to_owned() } else { format!("{CONFIG_MAPS}/x") };
                let answer = served.send(method, &path, body).await;
                let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
                assert!((400..=422).contains(&answer.status), "{method} {shown}: {answer:?}");
                assert_eq!(answer.json()["kind"], "Status");
            }
        }
        assert_eq!(served.config_maps().await, 0);
        served.assert_well().await;
    });
}

#[test]
fn bytes_that_are_no_utf_8_are_replaced_as_kubernetes_does() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        let body = b"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"bytes\"},\"data\":{\"x\":\"\xff\xfe\"}}";
        let answer = served.send("POST", CONFIG_MAPS, body).await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.json()["data"]["x"], "\u{fffd}\u{fffd}");
    });
}

#[test]
fn malformed_http_is_refused_and_forgotten() {
    block_on(async {
        let served = Served::start(Limits::default()).await;
        let authorization = served.authorization();
        let chunk = format!(
            "POST {CONFIG_MAPS} HTTP/1.1\r\nHost: x\r\n{authorization}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n"
        );
        let lengths = format!(
            "POST {CONFIG_MAPS} HTTP/1.1\r\nHost: x\r\n{authorization}Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello"
        );
        let header = format!("GET /api HTTP/1.1\r\nHost: x\r\n{authorization}no colon\r\n\r\n");
        let longest =
            format!("GET /api?x={} HTTP/1.1\r\nHost: x\r\n{authorization}\r\n", "a".repeat(200_000));
        let headers = format!(
            "GET /api HTTP/1.1\r\nHost: x\r\n{authorization}{}\r\n",
            (0..200).map(|n| format!("X-{n}: {}\r\n", "a".repeat(1000))).collect::<String>()
        );
        let nul = b"GET /\0 HTTP/1.1\r\n\r\n".to_vec();
        let requests = [
            chunk.into_bytes(),
            lengths.into_bytes(),
            header.into_bytes(),
            longest.into_bytes(),
            headers.into_bytes(),
            nul,
        ];
        for request in requests {
            if let Some(answer) = served.raw(&request).await {
                let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
                assert!(answer.status >= 400, "{shown}: {answer:?}");
            }
            served.assert_well().await;
        }
        assert_eq!(served.config_maps().await, 0);
    });
}

#[test]
fn long_headers_are_431_and_long_paths_414() {
    block_on(async {
        let served = Served::start(Limits { header_bytes: 16 * 1024, ..Limits::default() }).await;
        let authorization = served.authorization();
        let get = |path: &str, more: &str| {
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}{more}\r\n")
        };
        let fits = get("/api", &format!("X: {}\r\n", "a".repeat(8000)));
        assert_eq!(served.raw(fits.as_bytes()).await.unwrap().status, 200);
        let long = get("/api", &format!("X: {}\r\n", "a".repeat(17_000)));
        assert_eq!(served.raw(long.as_bytes()).await.unwrap().status, 431);
        let served = Served::start(Limits { header_bytes: 256 * 1024, ..Limits::default() }).await;
        let authorization = served.authorization();
        let path = format!("GET /api?x={} HTTP/1.1\r\nHost: x\r\n{authorization}\r\n", "a".repeat(70_000));
        assert_eq!(served.raw(path.as_bytes()).await.unwrap().status, 414);
    });
}
