//! Port-forward over WebSocket channels: a pair of channels per port; the first message of each names its port.

use std::collections::HashMap;

use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::{Outlet, Target};
use crate::sandbox::streaming::socket::{Encoding, Socket, goodbye};

/// Messages that wait on their way; then those who send them wait.
const QUEUE: usize = 4;

/// Forwards until the client closes or every port has ended.
pub(super) async fn serve(socket: Socket, encoding: Encoding, ports: &[u16], target: Target) {
    let (mut sink, mut source) = socket.split();
    let (messages, mut outgoing) = mpsc::channel::<Message>(QUEUE);
    let mut inputs = HashMap::new();
    let mut tasks = JoinSet::new();
    for (&port, channel) in ports.iter().zip((0_u8..).step_by(2)) {
        let (input, received) = mpsc::channel::<Bytes>(QUEUE);
        inputs.insert(channel, input);
        let end = Channel { channel, encoding, messages: messages.clone() };
        tasks.spawn(forward(end, port, target.clone(), received));
    }
    drop(messages);
    let writing = async {
        while let Some(message) = outgoing.recv().await {
            if sink.send(message).await.is_err() {
                return;
            }
        }
        sink.send(goodbye()).await.ok();
    };
    let reading = async {
        while let Some(Ok(message)) = source.next().await {
            if message.is_close() {
                return;
            }
            if let Some((channel, data)) = encoding.frame(message)
                && let Some(input) = inputs.get(&channel).filter(|_| !data.is_empty())
            {
                // A port that has ended takes no more; the others go on.
                input.send(data).await.ok();
            }
        }
    };
    tokio::select! { () = writing => {}, () = reading => {} }
}

/// The data channel of a port; the next one is for its error.
struct Channel {
    channel: u8,
    encoding: Encoding,
    messages: mpsc::Sender<Message>,
}

impl Outlet for Channel {
    async fn send(&self, bytes: Bytes) -> bool {
        self.messages.send(self.encoding.message(self.channel, &bytes)).await.is_ok()
    }
}

async fn forward(end: Channel, port: u16, target: Target, received: mpsc::Receiver<Bytes>) {
    for channel in [end.channel, end.channel + 1] {
        let message = end.encoding.message(channel, &port.to_le_bytes());
        if end.messages.send(message).await.is_err() {
            return;
        }
    }
    if let Some(why) = target.relay(port, received, &end).await {
        let text = format!("an error occurred forwarding to port {port}: {why}");
        end.messages.send(end.encoding.message(end.channel + 1, text.as_bytes())).await.ok();
    }
}
