//! Statements of `pg_dump` in a transaction that is not its own.
//!
//! It writes `BEGIN;` and `COMMIT;` around the data of large objects, and nowhere else. Such a `COMMIT;` would end the transaction around a
//! restore in the middle of it. Rows of tables, which may read like anything, are told apart.

use std::io;

use bytes::Bytes;
use futures::{Stream, StreamExt};

/// The longest statement on one line that is looked at, in bytes: a `COPY` names up to 1600 columns.
const LONGEST: usize = 256 * 1024;
const END_OF_ROWS: &[u8] = b"\\.\n";

/// The same stream, of the same length, with the transactions of large objects made comments.
pub(super) fn without_transactions<S>(stream: S) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let mut lines = Lines::default();
    let all = stream.map(Some).chain(futures::stream::iter([None]));
    all.map(move |next| match next {
        Some(Ok(bytes)) => Ok(lines.take(&bytes).into()),
        Some(Err(error)) => Err(error),
        None => Ok(std::mem::take(&mut lines.open).into()),
    })
}

/// Where in a dump it is.
#[derive(Default)]
struct Lines {
    /// The beginning of a line whose end has not come.
    open: Vec<u8>,
    /// The line goes on that was too long to be looked at.
    long: bool,
    /// Rows of a table come.
    rows: bool,
    /// The data of large objects comes.
    objects: bool,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.open.len() + bytes.len());
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = part.ends_with(b"\n");
            if self.long {
                out.extend_from_slice(part);
                self.long = !ends;
                continue;
            }
            self.open.extend_from_slice(part);
            let most = if self.rows { END_OF_ROWS.len() } else { LONGEST };
            if ends {
                self.close();
            } else if self.open.len() > most {
                self.long = true;
            } else {
                continue;
            }
            out.append(&mut self.open);
        }
        out
    }

    /// Looks at a whole line, and changes it where it has to be.
    fn close(&mut self) {
        let line = self.open.as_slice();
        if self.rows {
            self.rows = line != END_OF_ROWS;
        } else if line.starts_with(b"COPY ") && line.ends_with(b" FROM stdin;\n") {
            self.rows = true;
        } else if line.starts_with(b"-- Data for Name: ") && has(line, b"; Type: BLOBS; ") {
            self.objects = true;
        } else if self.objects && (line == b"BEGIN;\n" || line == b"COMMIT;\n") {
            self.objects = line != b"COMMIT;\n";
            self.open[..2].copy_from_slice(b"--");
        }
    }
}

fn has(line: &[u8], words: &[u8]) -> bool {
    line.windows(words.len()).any(|part| part == words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &[u8] = b"COPY public.t (a) FROM stdin;\n-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: \nBEGIN;\nCOMMIT;\n\\.\n\
        COMMIT;\n--\n-- Data for Name: 1..2; Type: BLOBS; Schema: -; Owner: app\n--\n\nBEGIN;\n\nSELECT 1;\nCOMMIT;\n\nCOMMIT;\nlast";
    const CHANGED: &[u8] = b"COPY public.t (a) FROM stdin;\n-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: \nBEGIN;\nCOMMIT;\n\\.\n\
        COMMIT;\n--\n-- Data for Name: 1..2; Type: BLOBS; Schema: -; Owner: app\n--\n\n--GIN;\n\nSELECT 1;\n--MMIT;\n\nCOMMIT;\nlast";

    #[tokio::test]
    async fn only_the_transactions_of_large_objects_are_taken_out() {
        for size in 1..DUMP.len() {
            let parts: Vec<io::Result<Bytes>> =
                DUMP.chunks(size).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
            let changed: Vec<Bytes> =
                without_transactions(futures::stream::iter(parts)).map(Result::unwrap).collect().await;
            assert_eq!(
                String::from_utf8_lossy(&changed.concat()),
                String::from_utf8_lossy(CHANGED),
                "{size}"
            );
        }
    }

    #[test]
    fn a_line_without_an_end_does_not_fill_the_memory() {
        let mut lines = Lines::default();
        let passed: usize = (0..100).map(|_| lines.take(&[b'x'; 10_000]).len()).sum();
        assert!(passed > 700_000 && lines.open.len() <= LONGEST, "{passed}");
        lines.rows = true;
        lines.take(b"\n");
        assert_eq!(lines.take(b"a row that goes on").len(), 18);
    }
}
