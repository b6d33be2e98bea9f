//! `exec` and `attach` over SPDY: the client opens a stream per direction and says in its header `streamtype` which it is.

use std::collections::HashMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Ending, Input, Wire, size};
use crate::sandbox::runtime::ExecOptions;
use crate::sandbox::streaming::socket::{ERROR, RESIZE, STDERR, STDIN, STDOUT};
use crate::sandbox::streaming::spdy::{self, Headers, Stream, StreamWriter};
use crate::sandbox::streaming::upgrade::Transport;

const V5: &str = "v5.channel.k8s.io";
const V4: &str = "v4.channel.k8s.io";
const V3: &str = "v3.channel.k8s.io";
const V2: &str = "v2.channel.k8s.io";
const V1: &str = "channel.k8s.io";
/// The versions that are spoken. Over SPDY, v5 is v4: streams could always be half-closed.
pub(super) const PROTOCOLS: [&str; 5] = [V5, V4, V3, V2, V1];
/// How long a client may take to open its streams.
const CREATION: Duration = Duration::from_secs(30);
/// The longest message of the resize stream, in bytes.
const RESIZE_MAX: usize = 1024;

/// How the end is told in a version of the protocol.
pub(super) fn ending(protocol: &str) -> Ending {
    if [V5, V4].contains(&protocol) { Ending::Status } else { Ending::Message }
}

/// The streams that the client is going to open.
pub(super) struct Wanted {
    channels: Vec<u8>,
    tty: bool,
}

impl Wanted {
    pub(super) fn of(options: &ExecOptions) -> Self {
        let choice = [
            (ERROR, true),
            (STDIN, options.stdin),
            (STDOUT, options.stdout),
            // A terminal has one output.
            (STDERR, options.stderr && !options.tty),
        ];
        let channels = choice.into_iter().filter(|(_, wanted)| *wanted).map(|(channel, _)| channel).collect();
        Self { channels, tty: options.tty }
    }

    /// In this version of the protocol.
    pub(super) fn with(mut self, protocol: &str) -> Self {
        if self.tty && [V5, V4, V3].contains(&protocol) {
            self.channels.push(RESIZE);
        }
        self
    }
}

fn channel(headers: &Headers) -> Option<u8> {
    match spdy::find(headers, "streamtype")? {
        "error" => Some(ERROR),
        "stdin" => Some(STDIN),
        "stdout" => Some(STDOUT),
        "stderr" => Some(STDERR),
        "resize" => Some(RESIZE),
        _ => None,
    }
}

/// Runs the connection until everything was sent or the client is gone.
pub(super) async fn serve(transport: Transport, wanted: Wanted, wire: Wire) {
    let (mut opened, closer) = spdy::open(transport, |headers| channel(headers).is_some());
    let Ok(Some(mut streams)) = timeout(CREATION, collect(&mut opened, &wanted)).await else {
        // The process ends with the wire.
        drop(wire);
        closer.close().await;
        return;
    };
    let Wire { mut output, input } = wire;
    let writers: HashMap<u8, StreamWriter> =
        streams.iter().map(|(channel, stream)| (*channel, stream.output.clone())).collect();
    let stdin = streams.get_mut(&STDIN).map(|stream| std::mem::replace(&mut stream.input, closed()));
    let sizes = streams.get_mut(&RESIZE).map(|stream| std::mem::replace(&mut stream.input, closed()));
    let reading = async {
        tokio::join!(read_stdin(stdin, &input), read_sizes(sizes, &input));
        // Without a word the client may still be there: only the connection's end says that it is not.
        std::future::pending::<()>().await;
    };
    let writing = async {
        while let Some((channel, data)) = output.recv().await {
            if let Some(writer) = writers.get(&channel)
                && !data.is_empty()
                && !writer.send(data).await
            {
                return;
            }
        }
        for channel in [STDOUT, STDERR, ERROR] {
            if let Some(writer) = writers.get(&channel) {
                writer.finish().await;
            }
        }
    };
    // The client opens no more streams: the queue of them ends with the connection.
    let gone = async { while opened.recv().await.is_some() {} };
    tokio::select! {
        () = writing => {}
        () = reading => {}
        () = gone => {}
    }
    closer.close().await;
}

/// Waits for every stream that is wanted; None when the client is gone before.
async fn collect(opened: &mut mpsc::Receiver<Stream>, wanted: &Wanted) -> Option<HashMap<u8, Stream>> {
    let mut streams = HashMap::new();
    while !wanted.channels.iter().all(|channel| streams.contains_key(channel)) {
        let stream = opened.recv().await?;
        if let Some(channel) = channel(&stream.headers) {
            streams.insert(channel, stream);
        }
    }
    Some(streams)
}

fn closed() -> mpsc::Receiver<Bytes> {
    mpsc::channel(1).1
}

async fn read_stdin(stdin: Option<mpsc::Receiver<Bytes>>, input: &mpsc::Sender<Input>) {
    let Some(mut stdin) = stdin else { return };
    while let Some(bytes) = stdin.recv().await {
        if input.send(Input::Stdin(bytes)).await.is_err() {
            return;
        }
    }
    input.send(Input::StdinEnd).await.ok();
}

/// Sizes are JSON texts, one after the other, in whatever pieces they come.
async fn read_sizes(sizes: Option<mpsc::Receiver<Bytes>>, input: &mpsc::Sender<Input>) {
    let Some(mut sizes) = sizes else { return };
    let mut buffer = BytesMut::new();
    while let Some(bytes) = sizes.recv().await {
        buffer.extend_from_slice(&bytes);
        while let Some(end) = buffer.iter().position(|byte| *byte == b'}') {
            let message = buffer.split_to(end + 1);
            if let Some(message) = size(&message)
                && input.send(message).await.is_err()
            {
                return;
            }
        }
        if buffer.len() > RESIZE_MAX {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_streams_depend_on_the_terminal_and_the_version() {
        let options = ExecOptions { stdin: true, stdout: true, stderr: true, ..ExecOptions::default() };
        assert_eq!(Wanted::of(&options).with(V4).channels, [ERROR, STDIN, STDOUT, STDERR]);
        let terminal = ExecOptions { tty: true, ..options };
        assert_eq!(Wanted::of(&terminal).with(V2).channels, [ERROR, STDIN, STDOUT]);
        assert_eq!(Wanted::of(&terminal).with(V3).channels, [ERROR, STDIN, STDOUT, RESIZE]);
    }

    #[tokio::test]
    async fn sizes_may_come_in_pieces() {
        let (sizes, pieces) = mpsc::channel(8);
        let (input, mut read) = mpsc::channel(8);
        for piece in
            [r#"{"Width":1,"He"#, r#"ight":2}{"Width":3,"Height":4}"#, "\n{x}", r#"{"Width":5,"Height":6}"#]
        {
            sizes.send(Bytes::from(piece)).await.unwrap();
        }
        drop(sizes);
        read_sizes(Some(pieces), &input).await;
        drop(input);
        let mut all = Vec::new();
        while let Some(size) = read.recv().await {
            all.push(size);
        }
        assert_eq!(all, [Input::Resize(1, 2), Input::Resize(3, 4), Input::Resize(5, 6)]);
    }
}
