//! Carries out what the model asks for, each request in a task of its own; the answer comes back as an event.

use std::collections::HashMap;
use std::future::Future;

use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::keeping;
use super::output::Output;
use super::probes;
use super::session::Session;
use crate::cluster::LogOptions;
use crate::domain::backup::Pause;
use crate::domain::call::StepId;
use crate::domain::world::LogTarget;
use crate::domain::{Clock, Problem, SystemClock};
use crate::ui::event::{Effect, Event, Reply, RequestId};

/// The most log lines that one event carries.
const LINES: usize = 512;
/// How many lines of a step's output are told when it begins to be followed.
const OUTPUT: u32 = 1_000;

/// Runs effects. Dropping it ends all of them.
pub struct Effects {
    session: Session,
    replies: mpsc::Sender<Event>,
    running: HashMap<RequestId, AbortOnDropHandle<()>>,
}

impl Effects {
    /// Effects act through `session` and answer into `replies`.
    pub fn new(session: Session, replies: mpsc::Sender<Event>) -> Self {
        Self { session, replies, running: HashMap::new() }
    }

    /// Starts one effect. Those that concern the terminal itself are the loop's own and do nothing here.
    pub fn run(&mut self, effect: Effect) {
        self.running.retain(|_, task| !task.is_finished());
        let session = self.session.clone();
        match effect {
            Effect::Plan(request, intent) => {
                self.answer(request, async move { Reply::Plan(session.engine.preview(&intent).await) });
            }
            Effect::Confirm(request, intent, hash) => self.answer(request, async move {
                Reply::Done(session.engine.confirm(&intent, &hash, session.actor()).await)
            }),
            Effect::CancelOperation(request, id) => {
                self.answer(
                    request,
                    async move { Reply::Done(session.engine.cancel(id, session.actor()).await) },
                )
            }
            Effect::AnswerStep(request, id, position, answer) => self.answer(request, async move {
                Reply::Done(session.engine.answer(id, position, answer, session.actor()).await)
            }),
            Effect::CompareInstances(request, deployment, old, new) => self.answer(request, async move {
                Reply::Diffs(session.engine.compare_instances(deployment, old, new).await)
            }),
            Effect::ReadOperation(request, id) => self.answer(request, async move {
                let events = session.store.operation_events(id).await;
                Reply::OperationEvents(events.map_err(Into::into))
            }),
            Effect::PinBackup(request, id, pinned) => self
                .answer(request, async move { Reply::Done(keeping::pin(&session.store, &id, pinned).await) }),
            Effect::PauseSchedule(request, name, reason) => {
                self.answer(request, async move { Reply::Done(pause(&session, &name, reason).await) });
            }
            Effect::PreviewRetention(request, schedule) => self.answer(request, async move {
                Reply::Retention(keeping::fates(&session.store, session.cluster.name(), &schedule).await)
            }),
            Effect::Probe(request, url) => self.answer(request, async move {
                let found = session.probes.ask_now(&url).await;
                Reply::Done(found.and_then(|probe| probes::sentence(&url, &probe)))
            }),
            Effect::FollowOutput(request, step) => self.follow_output(request, step),
            Effect::TakeOver(request) => {
                self.answer(request, async move { Reply::Done(session.take_over().await) });
            }
            Effect::FollowLogs(request, target) => self.follow(request, target),
            Effect::UseTheme(name) => {
                self.spawn(RequestId(u64::MAX), async move { session.remember_theme(&name).await })
            }
            Effect::Cancel(request) => drop(self.running.remove(&request)),
            Effect::Quit | Effect::Redraw | Effect::Copy(_) => {}
        }
    }

    fn answer(&mut self, request: RequestId, reply: impl Future<Output = Reply> + Send + 'static) {
        let replies = self.replies.clone();
        self.spawn(request, async move {
            let reply = reply.await;
            // the loop is gone: nobody is left to be told
            let _ = replies.send(Event::Reply(request, reply)).await;
        });
    }

    fn follow(&mut self, request: RequestId, target: LogTarget) {
        let lines = self.session.cluster.logs(target, LogOptions::default());
        let replies = self.replies.clone();
        self.spawn(request, forward_lines(request, lines, replies));
    }

    fn follow_output(&mut self, request: RequestId, step: StepId) {
        let mut output = Output::new(self.session.store.clone(), step, OUTPUT);
        let replies = self.replies.clone();
        self.spawn(request, async move {
            while let Some(new) = output.next().await {
                if replies.send(Event::Reply(request, Reply::Output(new))).await.is_err() {
                    return;
                }
            }
        });
    }

    fn spawn(&mut self, request: RequestId, task: impl Future<Output = ()> + Send + 'static) {
        self.running.insert(request, AbortOnDropHandle::new(tokio::spawn(task)));
    }
}

/// Pauses a schedule in the name of whoever sits here, for a reason; without one it is resumed.
async fn pause(session: &Session, name: &str, reason: Option<String>) -> Result<String, Problem> {
    let now = SystemClock.now();
    let pause = reason.map(|reason| Pause { by: session.actor().to_owned(), since: now, reason });
    keeping::pause(&session.store, (session.cluster.name(), name), pause, now).await
}

async fn forward_lines(
    request: RequestId,
    lines: impl Stream<Item = Result<String, Problem>> + Send,
    replies: mpsc::Sender<Event>,
) {
    let mut chunks = std::pin::pin!(lines.ready_chunks(LINES));
    while let Some(chunk) = chunks.next().await {
        let mut problem = None;
        let lines: Vec<String> =
            chunk.into_iter().filter_map(|line| line.map_err(|failed| problem = Some(failed)).ok()).collect();
        if !lines.is_empty() && replies.send(Event::Reply(request, Reply::LogLines(lines))).await.is_err() {
            return;
        }
        if problem.is_some() {
            let _ = replies.send(Event::Reply(request, Reply::LogEnded(problem))).await;
            return;
        }
    }
    let _ = replies.send(Event::Reply(request, Reply::LogEnded(None))).await;
}
