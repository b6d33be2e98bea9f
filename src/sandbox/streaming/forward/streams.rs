//! Port-forward over SPDY: for every connection the client opens two streams, for data and for an error, with the same
//! `requestid` and `port`.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Outlet, Target};
use crate::sandbox::object;
use crate::sandbox::streaming::spdy::{self, Headers, Stream, StreamWriter};

/// How long the second stream of a pair may stay away.
const CREATION: Duration = Duration::from_secs(30);

/// Forwards until the client is gone.
pub(super) async fn serve<T>(transport: T, target: Target)
where
    T: AsyncRead + AsyncWrite + Send + 'static,
{
    let (mut opened, closer) = spdy::open(transport, |headers| purpose(headers).is_some());
    let mut waiting: HashMap<String, Waiting> = HashMap::new();
    // Dropped with this function: connections end with the client.
    let mut tasks = JoinSet::new();
    loop {
        let stream = tokio::select! {
            stream = opened.recv() => stream,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
        };
        let Some(stream) = stream else { break };
        waiting.retain(|_, pair| pair.since.elapsed() < CREATION);
        let Some((port, is_data)) = purpose(&stream.headers) else { continue };
        let request = request(&stream, is_data);
        let pair = waiting.entry(request.clone()).or_insert_with(Waiting::new);
        let place = if is_data { &mut pair.data } else { &mut pair.error };
        if place.is_some() {
            let text = "error processing stream: a stream of this type is already assigned to the request";
            stream.output.send(Bytes::from_static(text.as_bytes())).await;
            stream.output.finish().await;
            continue;
        }
        *place = Some(stream);
        if pair.data.is_some()
            && pair.error.is_some()
            && let Some(Waiting { data: Some(data), error: Some(error), .. }) = waiting.remove(&request)
        {
            tasks.spawn(forward(target.clone(), port, data, error));
        }
    }
    drop(tasks);
    closer.close().await;
}

/// The streams of one connection, as far as they have come.
struct Waiting {
    data: Option<Stream>,
    error: Option<Stream>,
    since: Instant,
}

impl Waiting {
    fn new() -> Self {
        Self { data: None, error: None, since: Instant::now() }
    }
}

/// The port, and whether the stream is for data. None when the headers say neither.
fn purpose(headers: &Headers) -> Option<(u16, bool)> {
    let port = spdy::find(headers, "port")?.parse().ok().filter(|port| *port > 0)?;
    match spdy::find(headers, "streamtype")? {
        "data" => Some((port, true)),
        "error" => Some((port, false)),
        _ => None,
    }
}

/// What the two streams have in common. Clients that do not say it open the error stream first, and the other right after it.
fn request(stream: &Stream, is_data: bool) -> String {
    match spdy::find(&stream.headers, "requestid") {
        Some(request) if !request.is_empty() => request.to_owned(),
        _ if is_data => stream.id.saturating_sub(2).to_string(),
        _ => stream.id.to_string(),
    }
}

impl Outlet for StreamWriter {
    async fn send(&self, bytes: Bytes) -> bool {
        StreamWriter::send(self, bytes).await
    }
}

async fn forward(target: Target, port: u16, mut data: Stream, error: Stream) {
    let received = std::mem::replace(&mut data.input, tokio::sync::mpsc::channel(1).1);
    let failed = tokio::select! {
        failed = target.relay(port, received, &data.output) => failed,
        // The client does not want the rest.
        () = data.reset.cancelled() => return,
    };
    if let Some(why) = failed {
        let (name, uid) = (object::name(&target.pod), object::uid(&target.pod));
        let text = format!("error forwarding port {port} to pod {name}, uid {uid}: {why}");
        error.output.send(text.into()).await;
    }
    data.output.finish().await;
    error.output.finish().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn streams_say_what_they_are_for() {
        assert_eq!(purpose(&headers(&[("port", "80"), ("streamtype", "data")])), Some((80, true)));
        assert_eq!(purpose(&headers(&[("port", "80"), ("streamtype", "error")])), Some((80, false)));
        for bad in [
            &[("port", "80")][..],
            &[("streamtype", "data")],
            &[("port", "0"), ("streamtype", "data")],
            &[("port", "80"), ("streamtype", "x")],
        ] {
            assert_eq!(purpose(&headers(bad)), None, "{bad:?}");
        }
    }
}
