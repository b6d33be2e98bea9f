//! Answers that go wrong on their way: broken off, or with the events of a watch in disorder.

use std::collections::VecDeque;
use std::io;

use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use super::rule::Fault;
use crate::sandbox::body::Body;
use crate::sandbox::status::Status;

/// The response as the fault leaves it.
pub fn change(response: Response<Body>, fault: &Fault) -> Response<Body> {
    let script: Script = match fault {
        Fault::Truncate(bytes) => return truncated(response, *bytes),
        Fault::Silence(after) => Script::new(Disorder::Silence { left: *after }),
        Fault::Expire(after) => Script::new(Disorder::Expire { left: *after }),
        Fault::Duplicate => Script::new(Disorder::Duplicate),
        Fault::Reorder => Script::new(Disorder::Reorder { held: None }),
        Fault::Status(_) | Fault::Delay(_) | Fault::Drop(_) => return response,
    };
    // A refused watch has no events.
    if response.status().is_success() { response.map(|body| disordered(body, script)) } else { response }
}

/// Breaks off after `bytes` bytes; what is shorter breaks off at its end.
fn truncated(mut response: Response<Body>, bytes: usize) -> Response<Body> {
    // The length was promised for the whole; the connection, cut in the middle, keeps no promise.
    if !response.headers().contains_key(header::CONTENT_LENGTH)
        && let Some(length) = http_body::Body::size_hint(response.body()).exact()
    {
        response.headers_mut().insert(header::CONTENT_LENGTH, header::HeaderValue::from(length));
    }
    response.map(|body| {
        let pieces = stream::unfold((body, Some(bytes)), |(mut body, left)| async move {
            let left = left?;
            let broken = || Err(io::Error::new(io::ErrorKind::UnexpectedEof, "broken off by a fault rule"));
            if left == 0 {
                return Some((broken(), (body, None)));
            }
            match body.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(mut data) => {
                        data.truncate(left);
                        let left = left - data.len();
                        Some((Ok(Frame::data(data)), (body, Some(left))))
                    }
                    Err(other) => Some((Ok(other), (body, Some(left)))),
                },
                Some(Err(error)) => Some((Err(error), (body, None))),
                None => Some((broken(), (body, None))),
            }
        });
        StreamBody::new(pieces).boxed_unsync()
    })
}

/// What happens to the events.
enum Disorder {
    Silence { left: usize },
    Expire { left: usize },
    Duplicate,
    Reorder { held: Option<Bytes> },
}

/// The disorder, and the bytes of an event that is not complete yet.
struct Script {
    disorder: Disorder,
    rest: BytesMut,
    ready: VecDeque<Bytes>,
    ended: bool,
}

impl Script {
    fn new(disorder: Disorder) -> Self {
        Self { disorder, rest: BytesMut::new(), ready: VecDeque::new(), ended: false }
    }

    /// Takes bytes of the watch, whole lines of them at a time.
    fn take(&mut self, data: &[u8]) {
        self.rest.extend_from_slice(data);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line = self.rest.split_to(end + 1).freeze();
            self.event(line);
        }
    }

    /// At the end, what was held back comes after all.
    fn release(&mut self) {
        if let Disorder::Reorder { held } = &mut self.disorder {
            self.ready.extend(held.take());
        }
    }

    fn event(&mut self, line: Bytes) {
        match &mut self.disorder {
            Disorder::Silence { left: 0 } => {}
            Disorder::Expire { left: 0 } => {
                if !self.ended {
                    let status =
                        Status::expired("too old resource version: a fault rule of the sandbox says so");
                    let event = serde_json::json!({"type": "ERROR", "object": status.to_value()});
                    self.ready.push_back(format!("{event}\n").into());
                    self.ended = true;
                }
            }
            Disorder::Silence { left } | Disorder::Expire { left } => {
                *left -= 1;
                self.ready.push_back(line);
            }
            Disorder::Duplicate => self.ready.extend([line.clone(), line]),
            Disorder::Reorder { held } => match held.take() {
                None => *held = Some(line),
                Some(before) => self.ready.extend([line, before]),
            },
        }
    }
}

fn disordered(body: Body, script: Script) -> Body {
    let events = stream::unfold((body, script), |(mut body, mut script)| async move {
        loop {
            if let Some(line) = script.ready.pop_front() {
                return Some((Ok::<_, io::Error>(Frame::data(line)), (body, script)));
            }
            if script.ended {
                return None;
            }
            let Some(frame) = body.frame().await else {
                script.ended = true;
                script.release();
                continue;
            };
            match frame {
                Ok(frame) => script.take(frame.data_ref().map_or(&[], |data| &data[..])),
                Err(error) => return Some((Err(error), (body, script))),
            }
        }
    });
    StreamBody::new(events).boxed_unsync()
}
