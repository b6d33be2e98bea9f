//! Exec over the WebSocket protocols that `kube::Client` does not speak, and what ends them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::rig::{Rig, within};
use super::spdy::{encoded, request, rig_with_a_pod, upgrade};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

async fn connect(rig: &Rig, script: &str, protocols: &str) -> Result<(String, Socket), (u16, Value)> {
    let mut headers = vec![
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    if !protocols.is_empty() {
        headers.push(("sec-websocket-protocol", protocols));
    }
    let command = encoded(&["sh", "-c", script]);
    let path = format!("a/exec?{command}&stdin=true&stdout=true&stderr=true");
    let mut request = request(&path, &headers);
    *request.method_mut() = http::Method::GET;
    let (chosen, wire) = upgrade(rig, request).await?;
    Ok((chosen, WebSocketStream::from_raw_socket(wire, Role::Client, None).await))
}

/// Everything that comes until the socket is closed, and the code with which it is.
async fn rest(socket: &mut Socket) -> (Vec<Message>, Option<u16>) {
    let mut messages = Vec::new();
    within(async {
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Close(frame) => return (messages, frame.map(|frame| frame.code.into())),
                Message::Ping(_) => {}
                other => messages.push(other),
            }
        }
        (messages, None)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn input_is_half_closed_and_the_socket_is_closed_as_normal() {
    let rig = rig_with_a_pod().await;
    let offered = "v9.channel.k8s.io, v5.channel.k8s.io, v4.channel.k8s.io";
    let (chosen, mut socket) = connect(&rig, "wc -c; exit 2", offered).await.unwrap();
    assert_eq!(chosen, "v5.channel.k8s.io");
    socket.send(Message::binary(b"\x00hello".to_vec())).await.unwrap();
    socket.send(Message::binary(vec![255, 0])).await.unwrap();
    let (messages, code) = rest(&mut socket).await;
    assert_eq!(code, Some(1000));
    let of = |channel: u8| -> Vec<u8> {
        let data = messages.iter().cloned().map(Message::into_data);
        data.filter(|data| data[0] == channel).flat_map(|data| data[1..].to_vec()).collect()
    };
    assert_eq!(String::from_utf8(of(1)).unwrap().trim(), "5");
    let status: Value = serde_json::from_slice(&of(3)).unwrap();
    assert_eq!(status["details"]["causes"][0], json!({"reason": "ExitCode", "message": "2"}));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_protocols_carry_base64_and_old_ones_a_plain_error() {
    let rig = rig_with_a_pod().await;
    for (offered, expected) in [
        ("v4.base64.channel.k8s.io", "\"reason\":\"NonZeroExitCode\""),
        ("base64.channel.k8s.io", "command terminated with non-zero exit code: exit status 6"),
        ("channel.k8s.io", "command terminated with non-zero exit code: exit status 6"),
        ("", "command terminated with non-zero exit code: exit status 6"),
    ] {
        let text = offered.contains("base64");
        let script = "read line; printf \"<$line>\\377\"; exit 6";
        let (chosen, mut socket) = connect(&rig, script, offered).await.unwrap();
        assert_eq!(chosen, offered);
        let input = if text {
            Message::text(format!("0{}", BASE64.encode("hi\n")))
        } else {
            Message::binary(b"\x00hi\n".to_vec())
        };
        socket.send(input).await.unwrap();
        let (messages, code) = rest(&mut socket).await;
        assert_eq!(code, Some(1000), "{offered}");
        let of = |channel: u8| -> Vec<u8> {
            let frames = messages.iter().map(|message| {
                assert_eq!(message.is_text(), text, "{offered}");
                let data = message.clone().into_data();
                if text {
                    (data[0] - b'0', BASE64.decode(&data[1..]).unwrap())
                } else {
                    (data[0], data[1..].to_vec())
                }
            });
            frames.filter(|(of, _)| *of == channel).flat_map(|(_, data)| data).collect()
        };
        assert_eq!(of(1), b"<hi>\xff", "{offered}");
        let error = String::from_utf8(of(3)).unwrap();
        assert!(error.contains(expected), "{offered}: {error}");
    }
    let (code, _) = connect(&rig, "true", "v99.channel.k8s.io").await.err().unwrap();
    assert_eq!(code, 403);
    rig.stop().await;
}
