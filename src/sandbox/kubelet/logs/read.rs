//! Reading a log: the parts that a `PodLogOptions` wants, following it while it is written.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::StreamExt;
use jiff::Timestamp;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::{mpsc, watch};

use super::{Progress, rotated};
use crate::sandbox::runtime::{ByteStream, LogOptions, LogSource, Since};

/// The log at `path` as a stream. `live` is the writer's progress when the container runs; it is needed to follow.
pub(in crate::sandbox::kubelet) fn read(
    path: PathBuf,
    options: &LogOptions,
    now: Timestamp,
    live: Option<watch::Receiver<Progress>>,
) -> ByteStream {
    let since = match options.since {
        None => None,
        Some(Since::Time(time)) => Some(time),
        Some(Since::Seconds(seconds)) => {
            now.checked_sub(jiff::SignedDuration::from_secs(i64::from(seconds))).ok()
        }
    };
    let selection = Selection {
        since,
        source: options.source,
        timestamps: options.timestamps,
        left: options.limit_bytes.unwrap_or(usize::MAX),
        inside: false,
    };
    let (sender, receiver) = mpsc::channel(64);
    let tail = options.tail_lines;
    let live = live.filter(|_| options.follow);
    tokio::spawn(async move {
        let mut reader = Reader { path, selection, sender: sender.clone() };
        match reader.run(tail, live).await {
            Ok(()) | Err(Stop::Gone) => {}
            Err(Stop::Failed(error)) => {
                sender.send(Err(error)).await.ok();
            }
        }
    });
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    })
    .boxed()
}

/// Why reading ends before the log does.
enum Stop {
    /// Enough bytes were sent, or nobody reads.
    Gone,
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

struct Reader {
    path: PathBuf,
    selection: Selection,
    sender: mpsc::Sender<io::Result<Bytes>>,
}

/// A file, and the piece of a line that was not whole when it was read.
struct Lines {
    file: BufReader<File>,
    piece: Vec<u8>,
}

impl Reader {
    async fn run(
        &mut self,
        tail: Option<usize>,
        live: Option<watch::Receiver<Progress>>,
    ) -> Result<(), Stop> {
        let generation = live.as_ref().map_or(0, |live| live.borrow().generation);
        let mut last = VecDeque::new();
        if let Some(mut old) = open(&rotated(&self.path)).await? {
            self.take(&mut old, tail, &mut last).await?;
        }
        let Some(mut file) = open(&self.path).await? else { return Ok(()) };
        self.take(&mut file, tail, &mut last).await?;
        for line in last {
            self.send(&line).await?;
        }
        match live {
            Some(live) => self.follow(file, generation, live).await,
            None => Ok(()),
        }
    }

    /// Sends the lines that are there, or keeps the last of them.
    async fn take(
        &mut self,
        file: &mut Lines,
        tail: Option<usize>,
        last: &mut VecDeque<Vec<u8>>,
    ) -> Result<(), Stop> {
        while let Some(line) = next_line(file).await? {
            let Some(tail) = tail else {
                self.send(&line).await?;
                continue;
            };
            if tail > 0 && self.selection.wants(&line) {
                if last.len() == tail {
                    last.pop_front();
                }
                last.push_back(line);
            }
        }
        Ok(())
    }

    async fn follow(
        &mut self,
        mut file: Lines,
        mut generation: u32,
        mut live: watch::Receiver<Progress>,
    ) -> Result<(), Stop> {
        loop {
            // Looked at before reading: what is written afterwards wakes the loop again.
            let progress = *live.borrow_and_update();
            while let Some(line) = next_line(&mut file).await? {
                self.send(&line).await?;
            }
            if progress.generation != generation {
                // The rest of the old file was read above; the new one begins.
                generation = progress.generation;
                let Some(new) = open(&self.path).await? else { return Ok(()) };
                file = new;
                continue;
            }
            if progress.closed {
                return Ok(());
            }
            tokio::select! {
                changed = live.changed() => if changed.is_err() { return Ok(()) },
                () = self.sender.closed() => return Err(Stop::Gone),
            }
        }
    }

    async fn send(&mut self, line: &[u8]) -> Result<(), Stop> {
        let Some(text) = self.selection.show(line) else { return Ok(()) };
        if !text.is_empty() {
            self.sender.send(Ok(Bytes::from(text))).await.map_err(|_| Stop::Gone)?;
        }
        if self.selection.left == 0 { Err(Stop::Gone) } else { Ok(()) }
    }
}

async fn open(path: &Path) -> io::Result<Option<Lines>> {
    match File::open(path).await {
        Ok(file) => Ok(Some(Lines { file: BufReader::new(file), piece: Vec::new() })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The next whole line, without its newline. A line that is only being written is kept until its rest is there.
async fn next_line(lines: &mut Lines) -> io::Result<Option<Vec<u8>>> {
    lines.file.read_until(b'\n', &mut lines.piece).await?;
    if lines.piece.last() != Some(&b'\n') {
        return Ok(None);
    }
    lines.piece.pop();
    Ok(Some(std::mem::take(&mut lines.piece)))
}

/// What of the log is shown, and how.
struct Selection {
    since: Option<Timestamp>,
    source: LogSource,
    timestamps: bool,
    /// Bytes that may still be sent.
    left: usize,
    /// The last piece shown was not the end of its line.
    inside: bool,
}

/// A line of the file.
pub(super) struct Line<'a> {
    time: &'a [u8],
    stream: &'a [u8],
    pub(super) whole: bool,
    pub(super) text: &'a [u8],
}

pub(super) fn parse(line: &[u8]) -> Option<Line<'_>> {
    let mut parts = line.splitn(4, |byte| *byte == b' ');
    Some(Line {
        time: parts.next()?,
        stream: parts.next()?,
        whole: parts.next()? == b"F",
        text: parts.next()?,
    })
}

impl Selection {
    fn wants(&self, line: &[u8]) -> bool {
        let Some(line) = parse(line) else { return false };
        let stream = match self.source {
            LogSource::All => true,
            LogSource::Stdout => line.stream == b"stdout",
            LogSource::Stderr => line.stream == b"stderr",
        };
        let time = || std::str::from_utf8(line.time).ok()?.parse::<Timestamp>().ok();
        stream && self.since.is_none_or(|since| time().is_some_and(|time| time >= since))
    }

    /// The line as it is sent; `None` when it is not wanted.
    fn show(&mut self, raw: &[u8]) -> Option<Vec<u8>> {
        if !self.wants(raw) {
            return None;
        }
        let line = parse(raw)?;
        let mut text = Vec::with_capacity(raw.len());
        if self.timestamps && !self.inside {
            text.extend_from_slice(line.time);
            text.push(b' ');
        }
        text.extend_from_slice(line.text);
        if line.whole {
            text.push(b'\n');
        }
        self.inside = !line.whole;
        text.truncate(self.left);
        self.left -= text.len();
        Some(text)
    }
}
