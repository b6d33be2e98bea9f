//! `watch`: synthetic ADDED first where that is wanted, then the changes, with bookmarks, until the time is up.
//!
//! Nothing is made before the client reads: a client that does not read costs one batch of changes, and learns when it
//! reads again that it is too late (410 `Expired`) or that its time is up.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use tokio::sync::watch as signal;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::call::Call;
use super::read;
use crate::sandbox::api::{ChangeKind, Entry, Subscription, Watching, definitions};
use crate::sandbox::body::Body;
use crate::sandbox::object;
use crate::sandbox::status::Status;

/// How often a quiet watch is told how far it is.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// How long a watch lasts at least when the client names no time.
const DEFAULT_SECONDS: u64 = 1800;
/// How many bytes of changes are sent as one piece at most.
const CHUNK: usize = 64 * 1024;

/// Starts a watch.
///
/// # Errors
/// 400 and 422 for parameters that make no sense, 504 for a streaming list of what is not there in time.
pub async fn watch(call: Call, stop: CancellationToken) -> Result<Response<Body>, Status> {
    let revision = call.query.revision()?;
    call.query.check_watch()?;
    let bookmarks = call.query.flag("allowWatchBookmarks");
    let seconds = call.query.number("timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok());
    let spread = call.api.revision() % DEFAULT_SECONDS;
    let lasts =
        Duration::from_secs(seconds.filter(|&seconds| seconds > 0).unwrap_or(DEFAULT_SECONDS + spread));
    let streaming = call.query.flag("sendInitialEvents");
    if streaming && let Some(wanted) = revision {
        read::wait_for(&call, wanted).await?;
    }
    let synthetic = streaming || matches!(revision, None | Some(0)) && !call.query.has("sendInitialEvents");
    let (from, initial) = snapshot(&call, revision.filter(|&revision| revision > 0), synthetic);
    let subscription = call.api.subscribe_from(&call.kind.storage(), from);
    let now = Instant::now();
    let following = Following {
        ends: now + lasts,
        next_bookmark: bookmarks
            .then(|| now + BOOKMARK_EVERY.min(lasts.saturating_sub(Duration::from_millis(100)))),
        definition: Definition::of(&call),
        pending: VecDeque::new(),
        initial: initial.into(),
        after_initial: (streaming && bookmarks).then_some(from),
        call,
        subscription,
        stop,
        ended: false,
    };
    let chunks = stream::unfold(following, |mut following| async move {
        let chunk = following.next_chunk().await?;
        Some((Ok::<_, io::Error>(Frame::data(chunk)), following))
    });
    let mut response = Response::new(StreamBody::new(chunks).boxed_unsync());
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The revision that the changes start after, and the objects that are told of before.
fn snapshot(call: &Call, revision: Option<u64>, synthetic: bool) -> (u64, Vec<Arc<Value>>) {
    let objects = call.api.objects();
    if !synthetic {
        return (revision.unwrap_or(objects.revision), Vec::new());
    }
    let mut current = objects.list(&call.kind.storage(), call.namespace());
    current.retain(|value| call.selector.matches(value));
    (objects.revision, current)
}

/// The definition of the custom resource that is watched: with its spec the watch ends, as on a real server, which then
/// serves the resource anew.
struct Definition {
    spec: Value,
    uid: String,
    changed: signal::Receiver<u64>,
}

impl Definition {
    fn of(call: &Call) -> Option<Self> {
        if !call.kind.custom {
            return None;
        }
        let mut objects = call.api.objects();
        let changed = objects.changes_of(definitions::RESOURCE);
        let definition = objects.get(definitions::RESOURCE, "", &call.kind.qualified())?;
        Some(Self { spec: definition["spec"].clone(), uid: object::uid(definition).to_owned(), changed })
    }

    fn is_current(&self, call: &Call) -> bool {
        let now = call.api.get(definitions::RESOURCE, "", &call.kind.qualified());
        now.is_some_and(|now| now["spec"] == self.spec && object::uid(&now) == self.uid)
    }
}

/// Waits for a change of any definition; for ever when there is none to watch.
async fn definition_changed(definition: &mut Option<Definition>) {
    if let Some(definition) = definition
        && definition.changed.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// A watch under way.
struct Following {
    call: Call,
    subscription: Subscription,
    definition: Option<Definition>,
    /// What was there when the watch began and is not told of yet; made into lines only as they are read.
    initial: VecDeque<Arc<Value>>,
    /// The revision of the bookmark that ends a streaming list, until it is sent.
    after_initial: Option<u64>,
    pending: VecDeque<Bytes>,
    ends: Instant,
    next_bookmark: Option<Instant>,
    stop: CancellationToken,
    ended: bool,
}

impl Following {
    /// The next lines, `None` at the end.
    async fn next_chunk(&mut self) -> Option<Bytes> {
        loop {
            self.take_ready();
            if let Some(chunk) = self.drain() {
                return Some(chunk);
            }
            if self.ended {
                return None;
            }
            let bookmark_at = self.next_bookmark.unwrap_or(self.ends).min(self.ends);
            tokio::select! {
                change = self.subscription.next() => self.take(change),
                () = definition_changed(&mut self.definition) => self.check_definition(),
                () = tokio::time::sleep_until(bookmark_at) => self.time_passed(),
                () = self.stop.cancelled() => self.ended = true,
            }
        }
    }

    /// Takes what is there already, so that a burst is sent as one piece.
    fn take_ready(&mut self) {
        let mut size: usize = self.pending.iter().map(Bytes::len).sum();
        while size < CHUNK
            && let Some(value) = self.initial.pop_front()
        {
            let line = line("ADDED", &self.call.told(&value).to_string());
            size += line.len();
            self.pending.push_back(line);
        }
        if !self.initial.is_empty() {
            return;
        }
        if let Some(revision) = self.after_initial.take() {
            self.pending.push_back(bookmark(&self.call, revision, true));
        }
        while !self.ended && size < CHUNK {
            let Some(ready) = self.subscription.ready() else { break };
            let before = self.pending.len();
            self.take(ready);
            size += self.pending.iter().skip(before).map(Bytes::len).sum::<usize>();
        }
    }

    fn take(&mut self, news: Watching) {
        match news {
            Watching::Changed(entry) => self.pending.extend(self.tell(&entry)),
            Watching::Expired(oldest) => {
                let text = format!("too old resource version: {} ({oldest})", self.subscription.seen());
                self.pending.push_back(line("ERROR", &Status::expired(text).to_value().to_string()));
                self.ended = true;
            }
        }
    }

    /// Ends the watch when its resource is defined anew or no more; what happened before is told first.
    fn check_definition(&mut self) {
        if self.definition.as_ref().is_some_and(|definition| !definition.is_current(&self.call)) {
            while !self.ended
                && let Some(ready) = self.subscription.ready()
            {
                self.take(ready);
            }
            self.ended = true;
        }
    }

    fn time_passed(&mut self) {
        let now = Instant::now();
        if let Some(at) = self.next_bookmark
            && at <= now
        {
            if let Some(revision) = self.subscription.caught_up() {
                self.pending.push_back(bookmark(&self.call, revision, false));
            }
            self.next_bookmark = Some(now + BOOKMARK_EVERY).filter(|&next| next < self.ends);
        }
        self.ended |= now >= self.ends;
    }

    fn drain(&mut self) -> Option<Bytes> {
        if self.pending.len() <= 1 {
            return self.pending.pop_front();
        }
        let mut chunk = BytesMut::new();
        while chunk.len() < CHUNK
            && let Some(line) = self.pending.pop_front()
        {
            chunk.extend_from_slice(&line);
        }
        Some(chunk.freeze())
    }

    /// How this watch sees a change: an object that enters its selection is ADDED, one that leaves it DELETED.
    fn tell(&self, entry: &Entry) -> Option<Bytes> {
        let change = &entry.change;
        if !self.call.covers(&change.object) {
            return None;
        }
        let was = change.old.as_ref().is_some_and(|old| self.call.selector.matches(old));
        let is = change.kind != ChangeKind::Deleted && self.call.selector.matches(&change.object);
        let kind = match (was, is) {
            (false, false) => return None,
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
        };
        if change.kind != ChangeKind::Deleted
            && !is
            && let Some(old) = &change.old
        {
            return Some(line(kind, &self.call.told(&last_selected(old, change.revision)).to_string()));
        }
        let plain = self.call.view.is_full()
            && self.call.definition.is_none()
            && object::text(&change.object, "/apiVersion") == self.call.kind.api_version();
        if plain {
            return Some(framed(kind, &entry.json()));
        }
        Some(line(kind, &self.call.told(&change.object).to_string()))
    }
}

/// What a watch is told when an object leaves its selection: the last state inside, at the revision of the change.
fn last_selected(old: &Value, revision: u64) -> Arc<Value> {
    let mut last = old.clone();
    object::metadata_mut(&mut last).insert("resourceVersion".to_owned(), Value::from(revision.to_string()));
    Arc::new(last)
}

fn bookmark(call: &Call, revision: u64, initial_events_end: bool) -> Bytes {
    let mut value = json!({
        "kind": call.kind.kind,
        "apiVersion": call.kind.api_version(),
        "metadata": {"resourceVersion": revision.to_string()},
    });
    if initial_events_end {
        value["metadata"]["annotations"] = json!({"k8s.io/initial-events-end": "true"});
    }
    line("BOOKMARK", &call.view.of_event(&Arc::new(value), call.api.now()).to_string())
}

fn line(kind: &str, value: &str) -> Bytes {
    framed(kind, value.as_bytes())
}

fn framed(kind: &str, value: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(value.len() + 40);
    bytes.extend_from_slice(b"{\"type\":\"");
    bytes.extend_from_slice(kind.as_bytes());
    bytes.extend_from_slice(b"\",\"object\":");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"}\n");
    bytes.freeze()
}
