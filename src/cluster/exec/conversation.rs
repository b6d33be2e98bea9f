//! One command from its start to its end: input in, output out, and the end when its time is over or nobody waits for it.

use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::cluster::error::ClusterError;
use crate::domain::world::LogTarget;

use super::capture::Capture;
use super::process::{Process, describe};
use super::script::{self, Input as Way, Mark, Marker};
use super::{Command, Ended, Executed, Input, OutputSender, OutputStream, Stopped};

/// How long a command may take to end after TERM.
const GRACE: Duration = Duration::from_secs(5);
/// How long the end may take to be told after KILL.
const AFTER_KILL: Duration = Duration::from_secs(10);
/// How long sending a signal may take.
const SIGNAL_WITHIN: Duration = Duration::from_secs(5);
/// How long the rest of the output may take after the connection broke.
const REST: Duration = Duration::from_secs(1);
/// Bytes that are read at once.
const CHUNK: usize = 32 * 1024;
/// The first minor version of Kubernetes whose exec tells the end of the input by itself.
const HALF_CLOSES: u32 = 30;
/// Exit codes with which some container runtimes tell that they could not start the program.
const NOT_STARTED: [i32; 2] = [126, 127];

/// A command on its way.
pub(super) struct Conversation {
    cluster: Cluster,
    target: LogTarget,
    command: Command,
    given_up: CancellationToken,
    deadline: Instant,
}

/// What came of one way to run it.
enum Attempt {
    Over(Executed),
    /// The container has no shell; the words of who says so.
    NoShell(String),
}

/// Why it has to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Late,
    GivenUp,
}

impl Conversation {
    pub(super) fn new(
        cluster: Cluster,
        target: LogTarget,
        command: Command,
        given_up: CancellationToken,
    ) -> Self {
        let deadline = Instant::now() + command.timeout;
        Self { cluster, target, command, given_up, deadline }
    }

    /// Runs it with the script in front, or, where there is no shell and none is needed, as it is.
    pub(super) async fn run(
        self,
        fed: Option<Input>,
        output: Option<OutputSender>,
    ) -> Result<Executed, ClusterError> {
        let has_input = fed.is_some() || self.command.stdin.is_some();
        let size = match &fed {
            Some(input) => input.size,
            None => self.command.stdin.as_ref().map(|bytes| bytes.len() as u64),
        };
        let closes = !has_input || self.half_closes().await;
        let way = match size {
            _ if !has_input => Way::None,
            _ if closes => Way::UntilClosed,
            Some(size) => Way::Counted(size),
            None => {
                let needs = "input of a size that nobody knows needs Kubernetes 1.30";
                return Err(self.refused(needs.to_owned()));
            }
        };
        let is_fed = fed.is_some();
        let why = match self.attempt(Some(way), fed, output.clone()).await? {
            Attempt::Over(executed) => return Ok(executed),
            Attempt::NoShell(why) => why,
        };
        if is_fed {
            return Err(
                self.refused(format!("it needs a shell (sh) in the container, and it has none: {why}"))
            );
        }
        if self.command.needs_shell() {
            let needs = "variables and a directory need a shell (sh) in the container, and it has none";
            return Err(self.refused(format!("{needs}: {why}")));
        }
        if !closes {
            let needs = "input needs a shell (sh) in the container, or Kubernetes 1.30";
            return Err(self.refused(format!("{needs}: {why}")));
        }
        match self.attempt(None, None, output).await? {
            Attempt::Over(executed) => Ok(executed),
            Attempt::NoShell(why) => Err(self.refused(why)),
        }
    }

    fn refused(&self, message: String) -> ClusterError {
        ClusterError::Invalid { object: describe(&self.target, &self.command.argv), message }
    }

    /// Whether the server can be told that the input has ended. Who does not say its version cannot.
    async fn half_closes(&self) -> bool {
        let version = timeout_at(self.deadline, self.cluster.version()).await;
        let version = version.map(Result::unwrap_or_default).unwrap_or_default();
        let minor = version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
        minor.is_some_and(|minor| minor >= HALF_CLOSES)
    }

    /// Runs it with the script, or without.
    async fn attempt(
        &self,
        script: Option<Way>,
        fed: Option<Input>,
        output: Option<OutputSender>,
    ) -> Result<Attempt, ClusterError> {
        let argv = match script {
            Some(input) => script::wrap(&self.command, input),
            None => self.command.argv.clone(),
        };
        let with_input = script.is_some() || self.command.stdin.is_some();
        let process = tokio::select! {
            started = self.cluster.start(&self.target, &argv, with_input) => started?,
            cut = self.cut() => {
                let why = "it was being started, and the cluster had not answered yet".to_owned();
                return self.ended(cut, Stopped::Unknown(why), &Heard::new(0, Marker::absent()));
            }
        };
        let marker = if script.is_some() { Marker::default() } else { Marker::absent() };
        let heard = Heard::of(&self.command, marker);
        let header = if script.is_some() { script::header(&self.command) } else { Vec::new() };
        let first = [&header, self.command.stdin.as_deref().unwrap_or_default()].concat();
        let closes = matches!(script, None | Some(Way::UntilClosed));
        let mut talk = std::pin::pin!(talk(process, Food { first, fed, closes }, &heard, output));
        let code = tokio::select! {
            code = &mut talk => code,
            cut = self.cut() => {
                let stopped = self.stop(talk, &heard).await;
                return self.ended(cut, stopped, &heard);
            }
        };
        self.judge(code, script.is_some(), &heard)
    }

    /// Waits until it has to end.
    async fn cut(&self) -> Cut {
        tokio::select! {
            () = self.given_up.cancelled() => Cut::GivenUp,
            () = sleep_until(self.deadline) => Cut::Late,
        }
    }

    /// What a command that has ended by itself means.
    fn judge(
        &self,
        code: Result<i32, ClusterError>,
        scripted: bool,
        heard: &Heard,
    ) -> Result<Attempt, ClusterError> {
        if !scripted {
            return Ok(Attempt::Over(heard.executed(Ended::Exited(code?))));
        }
        match (heard.mark(), code) {
            (Some(Mark::Process(_)), code) => Ok(Attempt::Over(heard.executed(Ended::Exited(code?)))),
            (Some(Mark::NoDirectory), _) => {
                let directory = self.command.cwd.as_deref().unwrap_or_default();
                Err(self.refused(format!("the container has no directory {directory} that can be entered")))
            }
            (_, Err(ClusterError::Invalid { message, .. })) => Ok(Attempt::NoShell(message)),
            (_, Ok(code)) if NOT_STARTED.contains(&code) => Ok(Attempt::NoShell(heard.complaint())),
            (_, Ok(code)) => {
                let said = heard.complaint();
                Err(self.refused(format!("its shell could not prepare it and ended with {code}: {said}")))
            }
            (_, Err(error)) => Err(error),
        }
    }

    /// What a command that was cut short gives.
    fn ended(&self, cut: Cut, stopped: Stopped, heard: &Heard) -> Result<Attempt, ClusterError> {
        match cut {
            Cut::Late => {
                let ended = Ended::TimedOut { after: self.command.timeout, stopped };
                Ok(Attempt::Over(heard.executed(ended)))
            }
            Cut::GivenUp => {
                let object = describe(&self.target, &self.command.argv);
                Err(ClusterError::Other { object, message: "nobody waits for it any more".to_owned() })
            }
        }
    }

    /// Sends TERM, and KILL to what does not heed it. The output until then is heard.
    async fn stop(
        &self,
        mut talk: Pin<&mut impl Future<Output = Result<i32, ClusterError>>>,
        heard: &Heard,
    ) -> Stopped {
        let Some(Mark::Process(process)) = heard.mark() else {
            return Stopped::Unknown("the container has no shell (sh) that could end it".to_owned());
        };
        let mut trouble = None;
        for (signal, patience, stopped) in
            [("TERM", GRACE, Stopped::Terminated), ("KILL", AFTER_KILL, Stopped::Killed)]
        {
            let wait = async {
                let sent = self.signal(process, signal).await;
                sleep(patience).await;
                sent
            };
            tokio::select! {
                // an end that is told, as against a connection that broke, is one
                code = &mut talk => return match code {
                    Ok(_) => stopped,
                    Err(error) => Stopped::Unknown(error.to_string()),
                },
                sent = wait => trouble = sent.err().or(trouble),
            }
        }
        let why = trouble.unwrap_or_else(|| "it was sent TERM and KILL, and no end was told".to_owned());
        Stopped::Unknown(why)
    }

    async fn signal(&self, process: u32, signal: &str) -> Result<(), String> {
        let send = async {
            let argv = script::stop(signal, process);
            let process = self.cluster.start(&self.target, &argv, false).await?;
            let heard = Heard::new(4096, Marker::absent());
            let code = talk(process, Food::default(), &heard, None).await?;
            Ok::<_, ClusterError>((code, heard.complaint()))
        };
        match timeout(SIGNAL_WITHIN, send).await {
            Ok(Ok((0, _))) => Ok(()),
            Ok(Ok((code, said))) => Err(format!("sending {signal} ended with {code}: {said}")),
            Ok(Err(error)) => Err(format!("{signal} could not be sent: {error}")),
            Err(_) => Err(format!("{signal} could not be sent within {} s", SIGNAL_WITHIN.as_secs())),
        }
    }
}

/// What a command has said so far; readable while it speaks.
struct Heard {
    stdout: Mutex<Capture>,
    stderr: Mutex<Capture>,
    marker: Mutex<Marker>,
    /// Told once the script has spoken.
    spoken: Notify,
}

impl Heard {
    fn new(limit: usize, marker: Marker) -> Self {
        let capture = || Mutex::new(Capture::new(limit));
        Self { stdout: capture(), stderr: capture(), marker: Mutex::new(marker), spoken: Notify::new() }
    }

    fn of(command: &Command, marker: Marker) -> Self {
        if command.digest {
            return Self::new(command.limit, marker);
        }
        let capture = || Mutex::new(Capture::without_digest(command.limit));
        Self { stdout: capture(), stderr: capture(), marker: Mutex::new(marker), spoken: Notify::new() }
    }

    fn mark(&self) -> Option<Mark> {
        lock(&self.marker).mark()
    }

    fn executed(&self, ended: Ended) -> Executed {
        Executed { ended, stdout: lock(&self.stdout).captured(), stderr: lock(&self.stderr).captured() }
    }

    fn complaint(&self) -> String {
        let text = lock(&self.stderr).captured().text();
        text.trim().to_owned()
    }

    /// Hears one stream to its end, and passes it on.
    async fn listen(
        &self,
        stream: OutputStream,
        reader: &mut (impl AsyncRead + Unpin),
        mut output: Option<OutputSender>,
    ) {
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = reader.read(&mut buffer).await.unwrap_or(0);
            let own = match (stream, count) {
                (OutputStream::Stdout, _) => buffer[..count].to_vec(),
                (OutputStream::Stderr, 0) => lock(&self.marker).end(),
                (OutputStream::Stderr, _) => lock(&self.marker).take(&buffer[..count]),
            };
            let capture = if stream == OutputStream::Stdout { &self.stdout } else { &self.stderr };
            lock(capture).take(&own);
            if stream == OutputStream::Stderr && self.mark().is_some() {
                self.spoken.notify_one();
            }
            if let Some(sender) = output.as_ref().filter(|_| !own.is_empty())
                && sender.send((stream, Bytes::from(own))).await.is_err()
            {
                // nobody reads on: what is kept is still kept
                output = None;
            }
            if count == 0 {
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Feeds a command and hears it until it ends. Its input stays open to the end unless it `closes`: servers that do not know half-closed
/// connections would close all of it.
async fn talk(
    mut process: Process,
    food: Food,
    heard: &Heard,
    output: Option<OutputSender>,
) -> Result<i32, ClusterError> {
    let end = process.take_end();
    let Process { stdin, stdout, stderr, .. } = &mut process;
    let mut hear = std::pin::pin!(async {
        tokio::join!(
            heard.listen(OutputStream::Stdout, stdout, output.clone()),
            heard.listen(OutputStream::Stderr, stderr, output)
        )
    });
    let mut feed = std::pin::pin!(feed(stdin, food, heard));
    let mut end = std::pin::pin!(end);
    let code = tokio::select! {
        never = &mut feed => match never {},
        code = &mut end => code,
        // as much as the pipes hold is read before the end is told
        _ = &mut hear => return end.await,
    };
    match code {
        Ok(code) => {
            hear.await;
            Ok(code)
        }
        // the streams of a broken connection do not end by themselves
        Err(error) => {
            let _ = timeout(REST, hear).await;
            Err(error)
        }
    }
}

/// What a command reads.
#[derive(Default)]
struct Food {
    /// What is there at once.
    first: Vec<u8>,
    /// What comes after it.
    fed: Option<Input>,
    /// Whether its end can be told.
    closes: bool,
}

/// Writes the input and keeps it open. A command may end before it has read everything: that is its own affair.
async fn feed(
    stdin: &mut (impl AsyncWrite + Unpin),
    mut food: Food,
    heard: &Heard,
) -> std::convert::Infallible {
    let whole = write(stdin, &mut food, heard).await;
    if food.closes && whole {
        let _ = stdin.shutdown().await;
    }
    std::future::pending().await
}

/// Whether it was all of it.
async fn write(stdin: &mut (impl AsyncWrite + Unpin), food: &mut Food, heard: &Heard) -> bool {
    let mut open = stdin.write_all(&food.first).await.is_ok();
    if let Some(input) = &mut food.fed {
        let _ = stdin.flush().await;
        // while a connection is full of input nothing is heard on it: the process id has to be known before
        heard.spoken.notified().await;
        while open {
            match input.chunks.recv().await {
                Some(chunk) if chunk.is_empty() => break,
                Some(chunk) => open = stdin.write_all(&chunk).await.is_ok(),
                None => return false,
            }
        }
    }
    let _ = stdin.flush().await;
    true
}
