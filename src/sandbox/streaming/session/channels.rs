//! `exec` and `attach` over a WebSocket: a channel per stream.

use std::time::Duration;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::{Ending, Input, Wire, size};
use crate::sandbox::streaming::socket::{CLOSE, Encoding, RESIZE, STDIN, Socket, V4, V4_BASE64, V5, goodbye};

/// How often a client is asked whether it is still there: one that is gone is noticed even when its input is not read.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// How long the client may take to answer the closing handshake.
const CLOSING: Duration = Duration::from_secs(5);

/// How the end is told in a version of the protocol.
pub(super) fn ending(protocol: &str) -> Ending {
    if [V5, V4, V4_BASE64].contains(&protocol) { Ending::Status } else { Ending::Message }
}

/// Runs the socket until everything was sent or the client is gone.
pub(super) async fn serve(socket: Socket, encoding: Encoding, wire: Wire) {
    let (mut sink, mut source) = socket.split();
    let Wire { output, input } = wire;
    let sent = tokio::select! {
        sent = write(&mut sink, encoding, output) => sent,
        () = read(&mut source, encoding, input) => false,
    };
    if sent {
        close(sink, source).await;
    }
}

async fn write(
    sink: &mut SplitSink<Socket, Message>,
    encoding: Encoding,
    mut output: mpsc::Receiver<(u8, Bytes)>,
) -> bool {
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    loop {
        let message = tokio::select! {
            frame = output.recv() => match frame {
                Some((channel, data)) => encoding.message(channel, &data),
                None => return true,
            },
            _ = heartbeat.tick() => Message::Ping(Bytes::new()),
        };
        if sink.send(message).await.is_err() {
            return false;
        }
    }
}

/// Reads the client's messages; returns when it is gone, or nobody wants to know what it says.
async fn read(source: &mut SplitStream<Socket>, encoding: Encoding, input: mpsc::Sender<Input>) {
    while let Some(Ok(message)) = source.next().await {
        if message.is_close() {
            return;
        }
        let Some((channel, data)) = encoding.frame(message) else { continue };
        let message = match channel {
            STDIN if !data.is_empty() => Some(Input::Stdin(data)),
            RESIZE => size(&data),
            CLOSE if data.as_ref() == [STDIN] => Some(Input::StdinEnd),
            // Empty frames and unknown channels mean nothing.
            _ => None,
        };
        if let Some(message) = message
            && input.send(message).await.is_err()
        {
            // The process has ended; what it says last is on its way.
            std::future::pending::<()>().await;
        }
    }
}

/// Says goodbye and waits for the answer, so that the last frames are not lost to a reset.
async fn close(mut sink: SplitSink<Socket, Message>, mut source: SplitStream<Socket>) {
    let farewell = async {
        if sink.send(goodbye()).await.is_ok() {
            while let Some(Ok(message)) = source.next().await {
                if message.is_close() {
                    return;
                }
            }
        }
    };
    tokio::time::timeout(CLOSING, farewell).await.ok();
}
