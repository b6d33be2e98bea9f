//! The WebSocket handshake and the messages of the channel protocols.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::upgrade::{Transport, is_websocket, words};
use crate::sandbox::body::{self, Body};
use crate::sandbox::status::Status;

/// Input of a process.
pub(super) const STDIN: u8 = 0;
/// Output of a process.
pub(super) const STDOUT: u8 = 1;
/// Error output of a process.
pub(super) const STDERR: u8 = 2;
/// What is said at the end.
pub(super) const ERROR: u8 = 3;
/// Sizes of the client's terminal.
pub(super) const RESIZE: u8 = 4;
/// Half-closes the channel named by the next byte (v5 only).
pub(super) const CLOSE: u8 = 255;

/// Channels in binary messages, with half-closing.
pub(super) const V5: &str = "v5.channel.k8s.io";
/// Channels in binary messages; the end is a `Status`.
pub(super) const V4: &str = "v4.channel.k8s.io";
/// The same in text messages.
pub(super) const V4_BASE64: &str = "v4.base64.channel.k8s.io";
/// SPDY frames in binary messages.
pub(super) const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
const V1: &str = "channel.k8s.io";
const V1_BASE64: &str = "base64.channel.k8s.io";
/// What a client without any protocol speaks: v1.
const NONE: &str = "";

/// The protocols of exec and attach.
pub(super) const EXEC: [&str; 6] = [V5, V4, V4_BASE64, V1, V1_BASE64, NONE];
/// The protocols of port-forward.
pub(super) const FORWARD: [&str; 4] = [TUNNEL, V4, V4_BASE64, NONE];

/// The largest message that is taken, in bytes: what real servers take.
const MESSAGE_MAX: usize = 32 << 20;

/// A socket over an upgraded connection.
pub(super) type Socket = WebSocketStream<Transport>;

/// The end of everything that was to be said. Clients take any other code, or none, for an accident.
pub(super) fn goodbye() -> Message {
    Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }))
}

/// How channels are put into messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// A byte, then the data.
    Binary,
    /// A digit, then the data as base64, as text.
    Base64,
}

impl Encoding {
    /// The message for a channel.
    pub(super) fn message(self, channel: u8, data: &[u8]) -> Message {
        match self {
            Self::Binary => {
                let mut bytes = Vec::with_capacity(data.len() + 1);
                bytes.push(channel);
                bytes.extend_from_slice(data);
                Message::Binary(Bytes::from(bytes))
            }
            Self::Base64 => {
                let mut text = String::from(char::from(b'0' + channel));
                BASE64.encode_string(data, &mut text);
                Message::text(text)
            }
        }
    }

    /// The channel and the data of a message. None for one that carries nothing.
    pub(super) fn frame(self, message: Message) -> Option<(u8, Bytes)> {
        if !(message.is_binary() || message.is_text()) {
            return None;
        }
        let bytes = message.into_data();
        let first = *bytes.first()?;
        match self {
            Self::Binary => Some((first, bytes.slice(1..))),
            Self::Base64 => Some((first.checked_sub(b'0')?, BASE64.decode(&bytes[1..]).ok()?.into())),
        }
    }
}

/// A handshake that was accepted: the connection to come, and the answer that starts it.
pub(super) struct Accepted {
    upgrade: OnUpgrade,
    key: String,
    /// The chosen protocol; empty when the client names none.
    pub(super) protocol: &'static str,
}

impl Accepted {
    /// The 101 response.
    pub(super) fn response(&self) -> Response<Body> {
        let mut response = Response::new(body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        if !self.protocol.is_empty() {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(self.protocol));
        }
        if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(self.key.as_bytes())) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        response
    }

    /// How channels are put into messages.
    pub(super) fn encoding(&self) -> Encoding {
        if [V4_BASE64, V1_BASE64].contains(&self.protocol) { Encoding::Base64 } else { Encoding::Binary }
    }

    /// The socket, once the response has been sent. None when the client went away before.
    pub(super) async fn open(self) -> Option<Socket> {
        let upgraded = self.upgrade.await.ok()?;
        let config =
            WebSocketConfig::default().max_message_size(Some(MESSAGE_MAX)).max_frame_size(Some(MESSAGE_MAX));
        Some(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await)
    }
}

/// Checks the handshake.
///
/// # Errors
/// 400 when it is none, 403 when none of the protocols is spoken.
pub(super) fn accept<B>(mut request: Request<B>, spoken: &[&'static str]) -> Result<Accepted, Status> {
    let headers = request.headers();
    if !is_websocket(headers) {
        return Err(Status::bad_request("Upgrade request required"));
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .and_then(|key| key.to_str().ok())
        .map(str::to_owned)
        .ok_or_else(|| Status::bad_request("the handshake has no Sec-WebSocket-Key"))?;
    let protocol = choose(headers, spoken)?;
    Ok(Accepted { upgrade: hyper::upgrade::on(&mut request), key, protocol })
}

/// The first protocol offered that is spoken here.
fn choose(headers: &HeaderMap, spoken: &[&'static str]) -> Result<&'static str, Status> {
    let offered = words(headers, &header::SEC_WEBSOCKET_PROTOCOL);
    if offered.is_empty() {
        return Ok(NONE);
    }
    offered.iter().find_map(|offer| spoken.iter().find(|known| *known == offer).copied()).ok_or_else(|| {
        Status::new(
            403,
            "Forbidden",
            format!("none of the requested protocols {offered:?} is spoken: {}", spoken.join(", ")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let mut builder = Request::builder();
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap()
    }

    #[test]
    fn the_first_known_protocol_wins() {
        let both = request(&[("Sec-WebSocket-Protocol", "v5.channel.k8s.io, v4.channel.k8s.io")]);
        assert_eq!(choose(both.headers(), &EXEC).unwrap(), V5);
        assert_eq!(choose(both.headers(), &FORWARD).unwrap(), V4);
        assert_eq!(choose(request(&[]).headers(), &EXEC).unwrap(), "");
        let unknown = request(&[("Sec-WebSocket-Protocol", "v9.channel.k8s.io")]);
        assert_eq!(choose(unknown.headers(), &EXEC).unwrap_err().code, 403);
    }

    #[test]
    fn what_is_not_a_websocket_is_refused() {
        assert_eq!(accept(request(&[]), &EXEC).err().unwrap().code, 400);
        assert_eq!(accept(request(&[("Upgrade", "websocket")]), &EXEC).err().unwrap().code, 400);
    }

    #[test]
    fn messages_begin_with_their_channel() {
        assert_eq!(Encoding::Binary.message(STDERR, b"ab").into_data().as_ref(), [2, b'a', b'b']);
        assert_eq!(Encoding::Base64.message(STDERR, b"\xff").into_data().as_ref(), b"2/w==");
        for encoding in [Encoding::Binary, Encoding::Base64] {
            let (channel, data) = encoding.frame(encoding.message(STDOUT, b"a\xffb")).unwrap();
            assert_eq!((channel, data.as_ref()), (STDOUT, b"a\xffb".as_slice()));
        }
        assert_eq!(Encoding::Base64.frame(Message::text("0%%%")), None);
        assert_eq!(Encoding::Binary.frame(Message::Binary(Bytes::new())), None);
    }
}
