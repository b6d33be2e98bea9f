//! Streams of bytes on their way into a component.

use std::io;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

/// A stream of exactly so many bytes: fewer or more are an error, told before anything that comes after it.
pub(super) fn exact<S>(size: u64, stream: S) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let state = Some((stream, size));
    Box::pin(stream::unfold(state, |state| async {
        let (mut stream, left) = state?;
        let fail = |why: String| Some((Err(io::Error::other(why)), None));
        match stream.next().await {
            Some(Ok(bytes)) => match left.checked_sub(bytes.len() as u64) {
                Some(left) => Some((Ok(bytes), Some((stream, left)))),
                None => fail("it is longer than it was when it was made".to_owned()),
            },
            Some(Err(error)) => Some((Err(error), None)),
            None if left > 0 => fail(format!("its last {left} bytes are missing")),
            None => None,
        }
    }))
}

/// A stream between a beginning and an end. The end comes only when the stream was whole.
pub(super) fn framed<S>(
    first: &'static str,
    stream: S,
    last: &'static str,
) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let text = |text: &'static str| stream::iter([Ok(Bytes::from_static(text.as_bytes()))]);
    text(first).chain(stream).chain(text(last))
}

/// Changes the lines of the beginning of a text, as far as a line that `ends` it; the rest passes as it is.
pub(super) struct Head<F> {
    open: Vec<u8>,
    change: F,
    over: bool,
}

impl<F: FnMut(&str) -> Line> Head<F> {
    pub(super) fn new(change: F) -> Self {
        Self { open: Vec::new(), change, over: false }
    }

    fn take(&mut self, bytes: Bytes) -> Bytes {
        if self.over {
            return bytes;
        }
        self.open.extend_from_slice(&bytes);
        let mut out = Vec::with_capacity(self.open.len());
        let mut rest = std::mem::take(&mut self.open);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let tail = rest.split_off(end + 1);
            match (self.change)(&String::from_utf8_lossy(&rest)) {
                Line::Same => out.extend_from_slice(&rest),
                Line::Other(line) => out.extend_from_slice(line.as_bytes()),
                Line::Last => {
                    self.over = true;
                    out.extend_from_slice(&rest);
                    out.extend_from_slice(&tail);
                    return out.into();
                }
            }
            rest = tail;
        }
        self.open = rest;
        out.into()
    }

    /// The stream with its beginning changed.
    pub(super) fn over<S>(mut self, stream: S) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin
    where
        S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
        F: Send + Unpin,
    {
        let ended = stream::iter([None]);
        let all = stream.map(Some).chain(ended);
        Box::pin(all.filter_map(move |next| {
            let out = match next {
                Some(Ok(bytes)) => Some(Ok(self.take(bytes))),
                Some(Err(error)) => Some(Err(error)),
                None => Some(Ok(Bytes::from(std::mem::take(&mut self.open)))),
            };
            let out = out.filter(|out| !out.as_ref().is_ok_and(Bytes::is_empty));
            async move { out }
        }))
    }
}

/// What becomes of a line.
pub(super) enum Line {
    Same,
    Other(String),
    /// It stays, and so does everything after it.
    Last,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(parts: &[&'static str]) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<> {
        stream::iter(parts.iter().map(|part| Ok(Bytes::from_static(part.as_bytes()))).collect::<Vec<_>>())
    }

    fn all(stream: impl Stream<Item = io::Result<Bytes>> + Unpin) -> (String, Option<String>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut text, mut stream) = (String::new(), stream);
            while let Some(next) = stream.next().await {
                match next {
                    Ok(bytes) => text.push_str(&String::from_utf8_lossy(&bytes)),
                    Err(error) => return (text, Some(error.to_string())),
                }
            }
            (text, None)
        })
    }

    #[test]
    fn the_end_comes_only_after_all_of_a_stream() {
        let framed = |size| all(framed("begin;", exact(size, chunks(&["ab", "cd"])), "commit;"));
        assert_eq!(framed(4), ("begin;abcdcommit;".to_owned(), None));
        for size in [3, 5] {
            let (text, why) = framed(size);
            assert!(!text.contains("commit") && why.is_some(), "{size}: {text} {why:?}");
        }
    }

    #[test]
    fn only_the_lines_of_the_beginning_are_changed() {
        let head = Head::new(|line: &str| match line.trim_end() {
            "drop" => Line::Other("keep\n".to_owned()),
            "end" => Line::Last,
            _ => Line::Same,
        });
        assert_eq!(all(head.over(chunks(&["a\ndr", "op\nen", "d\ndrop\nx"]))).0, "a\nkeep\nend\ndrop\nx");
        let endless = Head::new(|_: &str| Line::Same);
        assert_eq!(all(endless.over(chunks(&["a", "b"]))).0, "ab");
    }
}
