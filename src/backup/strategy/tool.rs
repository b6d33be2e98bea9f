//! Running a tool in the container: its output out of it, or a stream into it, and the verdict.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::cluster::{Command, ExecEnded, ExecInput, Executed, OutputStream};
use crate::domain::Problem;

use super::archive::{Choice, Walk, shown};
use super::watch::{End, Lines, Meter, Names, Said, Tail};
use super::{Place, Sink, StrategyError, Work};

/// Chunks on their way: 32 KiB each.
const CHUNKS: usize = 64;
/// How long one tool may run altogether; the operation's own deadline is shorter.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a question to a tool may take.
const ANSWER: Duration = Duration::from_secs(60);
/// How long nothing may come out of a dump, where the driver does not say.
const IDLE_DUMP: Duration = Duration::from_secs(15 * 60);
/// How long nothing may go into a restore, where the driver does not say: an index takes its time.
const IDLE_RESTORE: Duration = Duration::from_secs(4 * 3600);

/// A tool and how it behaves.
pub(super) struct Tool {
    /// How people call it: `pg_dump`.
    pub(super) name: &'static str,
    pub(super) argv: Vec<String>,
    /// Exit codes that are no failure, beside 0; what it complained is a warning then.
    pub(super) forgiven: &'static [i32],
    /// How what it writes ends.
    pub(super) end: End,
    /// A pattern of what it writes, whose first group names what it is at.
    pub(super) names: Option<&'static str>,
    /// What its lines on standard error are.
    pub(super) sort: fn(&str) -> Said,
}

impl Tool {
    /// A shell script in the container; what is given to it is never part of its text.
    pub(super) fn script(name: &'static str, script: &str, arguments: &[&str]) -> Self {
        let words = ["sh", "-c", script, "sh"].into_iter().chain(arguments.iter().copied());
        Self::program(name, words.map(str::to_owned).collect())
    }

    pub(super) fn program(name: &'static str, argv: Vec<String>) -> Self {
        Self { name, argv, forgiven: &[], end: End::Any, names: None, sort: |_| Said::Complaint }
    }

    fn command(&self) -> Command {
        let command = Command::new(self.argv.iter().map(String::as_str));
        Command { timeout: LONGEST, limit: 0, digest: false, ..command }
    }

    fn failed(&self, place: &Place, why: impl Into<String>, next: &str) -> StrategyError {
        StrategyError::lasting(format!("{} of {} failed", self.name, place.name), why, next)
    }
}

/// What a tool said beside its work.
pub(super) struct Heard {
    pub(super) bytes: u64,
    pub(super) items: u64,
    pub(super) complaints: String,
}

/// Runs a tool and passes its output on. It is whole when this says so.
pub(super) async fn pull(work: Work<'_>, tool: &Tool, sink: &mut impl Sink) -> Result<Heard, StrategyError> {
    let idle = work.place.idle().unwrap_or(IDLE_DUMP);
    let (sender, mut chunks) = mpsc::channel(CHUNKS);
    let run = work.cluster.exec(&work.place.target, tool.command(), Some(sender));
    let mut run = std::pin::pin!(run);
    let mut watch = Watch::new(work, tool);
    let mut ended = None;
    loop {
        let next = async {
            tokio::select! {
                biased;
                chunk = chunks.recv() => Next::Chunk(chunk),
                end = &mut run, if ended.is_none() => Next::Ended(end),
            }
        };
        match timeout(idle, next).await {
            Err(_) => return Err(silent(tool, work.place, idle, &watch.lines.complaints())),
            Ok(Next::Ended(end)) => ended = Some(end),
            Ok(Next::Chunk(None)) => break,
            Ok(Next::Chunk(Some((OutputStream::Stderr, bytes)))) => watch.hear(&bytes),
            Ok(Next::Chunk(Some((OutputStream::Stdout, bytes)))) => {
                watch.look(&bytes).map_err(|why| tool.failed(work.place, why, "see the log of the pod"))?;
                sink.send(bytes).await.map_err(|problem| StrategyError { problem, transient: false })?;
            }
        }
    }
    let ended = match ended {
        Some(ended) => ended,
        None => run.await,
    };
    watch.lines.close(&mut watch.meter);
    let complaints = verdict(tool, work.place, ended?, &watch.lines)?;
    if watch.meter.done == 0 {
        let why = told("it ended well and wrote nothing at all", &complaints);
        return Err(tool.failed(work.place, why, "see whether it is the right tool for what runs there"));
    }
    if !watch.is_whole() {
        let why = told("it ended well, but what it wrote stops before its end", &complaints);
        return Err(tool.failed(work.place, why, "see the log of the pod, and try again"));
    }
    watch.meter.tell(true);
    Ok(Heard { bytes: watch.meter.done, items: watch.meter.items, complaints })
}

enum Next {
    Chunk(Option<(OutputStream, Bytes)>),
    Ended(Result<Executed, crate::cluster::ClusterError>),
}

struct Watch<'a> {
    tail: Tail,
    meter: Meter<'a>,
    lines: Lines,
    archive: Option<Walk>,
    names: Option<Names>,
}

impl<'a> Watch<'a> {
    fn new(work: Work<'a>, tool: &Tool) -> Self {
        let meter = Meter::new(work.tell, work.total);
        let archive = (tool.end == End::Archive).then(|| Walk::new(Choice::default()));
        let names = tool.names.and_then(Names::new);
        Self { tail: Tail::new(tool.end), meter, lines: Lines::new(tool.sort), archive, names }
    }

    /// Looks at the next bytes.
    fn look(&mut self, bytes: &Bytes) -> Result<(), String> {
        self.tail.take(bytes);
        if let Some(walk) = &mut self.archive {
            let before = walk.passed;
            walk.take(bytes, &mut Vec::new()).map_err(|why| format!("what it writes is wrong: {why}"))?;
            if walk.passed != before {
                self.meter.at(&shown(&walk.last), walk.passed - before);
            }
        }
        if let Some(names) = &mut self.names {
            names.take(bytes, &mut self.meter);
        }
        self.meter.add(bytes.len());
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.tail.is_whole() && self.archive.as_ref().is_none_or(Walk::is_whole)
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.lines.take(bytes, &mut self.meter);
    }
}

/// A stream that is fed to a tool.
pub(super) struct Feed<S> {
    /// Its size in bytes; none: nobody knows.
    pub(super) size: Option<u64>,
    pub(super) stream: S,
}

/// Feeds a stream to a tool. All of it was read when this says so; when the stream breaks off the tool is ended before it sees an end. An
/// error of the kind `InvalidData` is about the content of the stream, any other about the way to it.
pub(super) async fn push<S>(work: Work<'_>, tool: &Tool, feed: Feed<S>) -> Result<Heard, StrategyError>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let idle = work.place.idle().unwrap_or(IDLE_RESTORE);
    let (sender, chunks) = mpsc::channel(CHUNKS / 4);
    let (output, mut said) = mpsc::channel(CHUNKS);
    let input = ExecInput { size: feed.size, chunks };
    let run = work.cluster.exec_fed(&work.place.target, tool.command(), input, Some(output));
    let mut run = std::pin::pin!(run);
    let mut watch = Watch::new(work, tool);
    let (mut sender, mut stream, mut whole) = (Some(sender), feed.stream, false);
    let ended = loop {
        let open = sender.is_some();
        // what was taken from the stream is not lost when something else is first: sending is part of the arm
        let room = async {
            match &sender {
                Some(sender) => sender.reserve().await,
                None => std::future::pending().await,
            }
        };
        let next = async {
            tokio::select! {
                biased;
                chunk = said.recv() => Move::Said(chunk),
                end = &mut run => Move::Ended(end),
                room = room, if open => Move::Room(room.is_ok()),
            }
        };
        match timeout(idle, next).await {
            Err(_) => return Err(silent(tool, work.place, idle, &watch.lines.complaints())),
            Ok(Move::Ended(end)) => break end,
            // it reads no more; its end says why
            Ok(Move::Said(None) | Move::Room(false)) => break run.await,
            Ok(Move::Said(Some((_, bytes)))) => watch.hear(&bytes),
            Ok(Move::Room(true)) => match stream.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => {
                    watch.meter.add(bytes.len());
                    if let Some(sender) = &sender {
                        // there is room, unless it has ended meanwhile
                        let _ = sender.send(bytes).await;
                    }
                }
                Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    let next = "choose something else, or another backup";
                    return Err(tool.failed(work.place, format!("{error}; it was ended"), next));
                }
                Some(Err(error)) => return Err(broken(tool, work.place, &error.to_string())),
                None if feed.size.is_some_and(|size| size != watch.meter.done) => {
                    let why = format!("it has {} bytes, and not as many as it should", watch.meter.done);
                    return Err(broken(tool, work.place, &why));
                }
                None => {
                    if let Some(sender) = &sender {
                        let _ = sender.send(Bytes::new()).await;
                    }
                    sender = None;
                    whole = true;
                }
            },
        }
    };
    while let Ok((_, bytes)) = said.try_recv() {
        watch.hear(&bytes);
    }
    watch.lines.close(&mut watch.meter);
    let complaints = verdict(tool, work.place, ended?, &watch.lines)?;
    if !whole {
        let why = told(&format!("it ended before it had read all: {} bytes", watch.meter.done), &complaints);
        return Err(tool.failed(work.place, why, "see the log of the pod, and try again"));
    }
    watch.meter.tell(true);
    Ok(Heard { bytes: watch.meter.done, items: watch.meter.items, complaints })
}

enum Move {
    Said(Option<(OutputStream, Bytes)>),
    Ended(Result<Executed, crate::cluster::ClusterError>),
    Room(bool),
}

/// What a short command in the container answers.
pub(super) async fn ask(work: Work<'_>, tool: &Tool) -> Result<String, StrategyError> {
    let command = Command { timeout: ANSWER, ..Command::new(tool.argv.iter().map(String::as_str)) };
    let executed = work.cluster.exec(&work.place.target, command, None).await?;
    let mut lines = Lines::new(|_| Said::Complaint);
    let mut meter = Meter::new(work.tell, work.total);
    lines.take(&executed.stderr.bytes, &mut meter);
    lines.close(&mut meter);
    let answer = executed.stdout.text().trim().to_owned();
    verdict(tool, work.place, executed, &lines)?;
    Ok(answer)
}

/// What it complained of, when it ended well all the same.
fn verdict(tool: &Tool, place: &Place, executed: Executed, lines: &Lines) -> Result<String, StrategyError> {
    let said = lines.complaints();
    match executed.ended {
        ExecEnded::Exited(0) => Ok(said),
        ExecEnded::Exited(code) if tool.forgiven.contains(&code) => Ok(said),
        ExecEnded::Exited(127) => {
            let next = "use an image that has it, or another container of the pod: backup.container";
            Err(tool.failed(place, told("the container does not have it", &said), next))
        }
        ended => Err(tool.failed(
            place,
            told(&format!("in {}: {ended}", place.target.pod), &said),
            "correct what it complains of, and try again",
        )),
    }
}

fn told(what: &str, said: &str) -> String {
    if said.is_empty() { what.to_owned() } else { format!("{what}; it said:\n{said}") }
}

fn silent(tool: &Tool, place: &Place, idle: Duration, said: &str) -> StrategyError {
    let why = told(&format!("nothing moved for {} s, so it was ended", idle.as_secs()), said);
    tool.failed(place, why, "see what it waits for (a lock, a slow disk); backup.idle says how long it may")
}

fn broken(tool: &Tool, place: &Place, why: &str) -> StrategyError {
    let what = format!("the backup of {} could not be read to its end", place.name);
    let why = format!("{why}; {} was ended", tool.name);
    StrategyError::transient(what, why, "verify the backup; restore again, from this or from another one")
}

/// What a tool complained of although it ended well.
pub(super) fn warning(tool: &Tool, place: &Place, complaints: String) -> Option<Problem> {
    (!complaints.is_empty()).then(|| {
        Problem::new(
            format!("{} of {} went well, and said something", tool.name, place.name),
            complaints,
            "see whether it matters to you",
        )
    })
}
