//! A WebSocket as a stream of bytes: binary messages, wherever they begin and end.

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::CHUNK;
use crate::sandbox::streaming::socket::{Socket, goodbye};

/// The stream; its task ends with the socket or with it.
pub(super) fn open(socket: Socket) -> DuplexStream {
    let (inner, outer) = tokio::io::duplex(2 * CHUNK);
    tokio::spawn(async move {
        let (mut sink, mut source) = socket.split();
        let (mut reader, mut writer) = tokio::io::split(inner);
        let incoming = async {
            while let Some(Ok(message)) = source.next().await {
                match message {
                    Message::Binary(data) if writer.write_all(&data).await.is_err() => return,
                    Message::Close(_) => return,
                    _ => {}
                }
            }
        };
        let outgoing = async {
            let mut buffer = vec![0; CHUNK];
            while let Ok(count @ 1..) = reader.read(&mut buffer).await {
                let message = Message::Binary(Bytes::copy_from_slice(&buffer[..count]));
                if sink.send(message).await.is_err() {
                    return;
                }
            }
            sink.send(goodbye()).await.ok();
        };
        tokio::select! { () = incoming => {}, () = outgoing => {} }
    });
    outer
}
