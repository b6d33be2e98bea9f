//! What is noticed of a stream while it passes: how much, how fast, how it ends, and what the tool says meanwhile.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use tokio::time::Instant;

use crate::domain::operation::StepProgress;

/// How often is told at most.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// How many lines of complaints are kept.
const LINES: usize = 20;
/// The longest line that is kept, in bytes.
const LONGEST: usize = 1000;
/// The longest item that is shown, in characters.
const ITEM: usize = 120;

/// How the stream of a format ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The format has no end: the exit code says it.
    Any,
    /// With this text, and little after it.
    Text(&'static str),
    /// With these bytes.
    Bytes(&'static [u8]),
    /// As a tar archive.
    Archive,
}

/// How far behind its end mark a stream may go on, in bytes.
const AFTER_TEXT: usize = 256;

/// The last bytes of a stream.
#[derive(Debug)]
pub(super) struct Tail {
    end: End,
    last: Vec<u8>,
}

impl Tail {
    pub(super) fn new(end: End) -> Self {
        Self { end, last: Vec::new() }
    }

    fn room(&self) -> usize {
        match self.end {
            End::Any | End::Archive => 0,
            End::Text(text) => text.len() + AFTER_TEXT,
            End::Bytes(bytes) => bytes.len(),
        }
    }

    pub(super) fn take(&mut self, chunk: &[u8]) {
        let room = self.room();
        if chunk.len() >= room {
            self.last.clear();
            self.last.extend_from_slice(&chunk[chunk.len() - room..]);
            return;
        }
        let over = (self.last.len() + chunk.len()).saturating_sub(room);
        self.last.drain(..over);
        self.last.extend_from_slice(chunk);
    }

    /// Whether it ended as its format does.
    pub(super) fn is_whole(&self) -> bool {
        match self.end {
            // whoever walks through an archive knows better
            End::Any | End::Archive => true,
            End::Text(text) => self.last.windows(text.len()).any(|part| part == text.as_bytes()),
            End::Bytes(bytes) => self.last == bytes,
        }
    }
}

/// Counts, and tells from time to time.
pub(super) struct Meter<'a> {
    tell: &'a (dyn Fn(StepProgress) + Send + Sync),
    total: Option<u64>,
    pub(super) done: u64,
    pub(super) items: u64,
    item: String,
    rate: f64,
    told: Instant,
    told_at: u64,
}

impl<'a> Meter<'a> {
    pub(super) fn new(tell: &'a (dyn Fn(StepProgress) + Send + Sync), total: Option<u64>) -> Self {
        let (item, told) = (String::new(), Instant::now());
        Self { tell, total, done: 0, items: 0, item, rate: 0.0, told, told_at: 0 }
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.done += bytes as u64;
        self.tell(false);
    }

    /// It is at this one, the last of so many.
    pub(super) fn at(&mut self, item: &str, count: u64) {
        self.items += count;
        self.item = item.chars().take(ITEM).collect();
        self.tell(false);
    }

    /// Tells how far it is; `now`: even when that was just told.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is shown with two digits"
    )]
    pub(super) fn tell(&mut self, now: bool) {
        let passed = self.told.elapsed();
        if passed < TELL_EVERY && !now {
            return;
        }
        let recent = (self.done - self.told_at) as f64 / passed.as_secs_f64().max(0.001);
        self.rate = if self.told_at == 0 { recent } else { 0.6 * self.rate + 0.4 * recent };
        (self.told, self.told_at) = (Instant::now(), self.done);
        (self.tell)(StepProgress {
            at: None,
            done: self.done,
            total: self.total.map(|total| total.max(self.done)),
            rate: self.rate as u64,
            item: self.item.clone(),
        });
    }
}

/// How much of a stream is looked at twice, so that no name is missed where it is cut, in bytes.
const OVERLAP: usize = 512;

/// Finds in a stream what it is at.
pub(super) struct Names {
    pattern: regex::bytes::Regex,
    /// The end of what was looked at, and then the next bytes.
    window: Vec<u8>,
}

impl Names {
    pub(super) fn new(pattern: &str) -> Option<Self> {
        Some(Self { pattern: regex::bytes::Regex::new(pattern).ok()?, window: Vec::new() })
    }

    pub(super) fn take(&mut self, chunk: &[u8], meter: &mut Meter<'_>) {
        let seen = self.window.len();
        self.window.extend_from_slice(chunk);
        for found in self.pattern.captures_iter(&self.window) {
            let (Some(whole), Some(name)) = (found.get(0), found.get(1)) else { continue };
            if whole.end() > seen {
                meter.at(&String::from_utf8_lossy(name.as_bytes()), 1);
            }
        }
        let over = self.window.len().saturating_sub(OVERLAP);
        self.window.drain(..over);
    }
}

/// What a line on standard error is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// What the tool is at.
    Item(String),
    /// Nothing that anybody needs.
    Noise,
    /// Everything else.
    Complaint,
}

/// The lines on standard error, sorted.
pub(super) struct Lines {
    sort: fn(&str) -> Said,
    open: Vec<u8>,
    kept: VecDeque<String>,
}

impl Lines {
    pub(super) fn new(sort: fn(&str) -> Said) -> Self {
        Self { sort, open: Vec::new(), kept: VecDeque::new() }
    }

    /// Takes what comes on standard error; items are told.
    pub(super) fn take(&mut self, chunk: &[u8], meter: &mut Meter<'_>) {
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            let room = LONGEST.saturating_sub(self.open.len()).min(part.len());
            self.open.extend_from_slice(&part[..room]);
            if part.ends_with(b"\n") {
                self.close(meter);
            }
        }
    }

    /// Nothing more comes.
    pub(super) fn close(&mut self, meter: &mut Meter<'_>) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.open)).trim_end().to_owned();
        if line.trim().is_empty() {
            return;
        }
        match (self.sort)(&line) {
            Said::Item(item) => meter.at(&item, 1),
            Said::Noise => {}
            Said::Complaint => {
                self.kept.push_back(covered(&line));
                if self.kept.len() > LINES {
                    self.kept.pop_front();
                }
            }
        }
    }

    /// The last complaints.
    pub(super) fn complaints(&self) -> String {
        self.kept.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// A line without what looks like a secret.
fn covered(line: &str) -> String {
    static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?i)((?:password|passwd|pwd|secret|token)["']?\s*[=:]\s*["']?)[^\s"',;]+|(://[^\s:/@]+:)[^\s@]+@"#).ok()
    });
    match &*SECRETS {
        Some(secrets) => {
            let cover = |found: &regex::Captures<'_>| match (found.get(1), found.get(2)) {
                (Some(name), _) => format!("{}•••", name.as_str()),
                (None, Some(user)) => format!("{}•••@", user.as_str()),
                _ => "•••".to_owned(),
            };
            secrets.replace_all(line, cover).into_owned()
        }
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_stream_is_told_however_it_is_cut() {
        let text = b"select 1;\n-- Dump completed\n\n";
        for size in 1..text.len() {
            let mut tail = Tail::new(End::Text("-- Dump completed"));
            text.chunks(size).for_each(|chunk| tail.take(chunk));
            assert!(tail.is_whole(), "{size}");
            let mut cut = Tail::new(End::Text("-- Dump completed"));
            text[..20].chunks(size).for_each(|chunk| cut.take(chunk));
            assert!(!cut.is_whole(), "{size}");
        }
        let mut long = Tail::new(End::Text("-- Dump completed"));
        long.take(text);
        long.take(&[b'x'; 300]);
        assert!(!long.is_whole(), "the mark stands far before the end");
        let mut bytes = Tail::new(End::Bytes(&[255, 255]));
        bytes.take(&[1, 255]);
        assert!(!bytes.is_whole());
        bytes.take(&[255]);
        assert!(bytes.is_whole());
        assert!(!Tail::new(End::Bytes(&[255])).is_whole());
    }

    #[test]
    fn names_in_a_stream_are_counted_once_wherever_it_is_cut() {
        let text = b"x\nCOPY public.a (id, body) FROM stdin;\n1\n\\.\n\nCOPY public.b (id) FROM stdin;\n";
        for size in 1..text.len() {
            let tell = |_| ();
            let mut meter = Meter::new(&tell, None);
            let mut names = Names::new(r"\nCOPY ([^\n]+?) \(").unwrap();
            text.chunks(size).for_each(|chunk| names.take(chunk, &mut meter));
            assert_eq!((meter.items, meter.item.as_str()), (2, "public.b"), "{size}");
        }
    }

    #[test]
    fn complaints_are_kept_without_secrets_and_items_are_told() {
        let told = std::sync::Mutex::new(Vec::new());
        let tell = |progress: StepProgress| told.lock().unwrap().push(progress.item);
        let mut meter = Meter::new(&tell, None);
        let sort = |line: &str| match line.strip_prefix("at ") {
            Some(item) => Said::Item(item.to_owned()),
            None => Said::Complaint,
        };
        let mut lines = Lines::new(sort);
        lines.take(b"at one\nbad passw", &mut meter);
        lines.take(b"ord=hunter2, postgres://me:hunter2@host/db\nlast", &mut meter);
        lines.close(&mut meter);
        assert_eq!(lines.complaints(), "bad password=•••, postgres://me:•••@host/db\nlast");
        meter.tell(true);
        assert_eq!((meter.items, told.lock().unwrap().last().cloned().unwrap().as_str()), (1, "one"));
    }
}
