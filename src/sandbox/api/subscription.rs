//! Following the changes of one resource.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use super::Api;
use super::ring::{Change, Entry};

/// How many changes are taken from the ring at once.
const BATCH: usize = 256;

/// What a watch sees next.
#[derive(Debug, Clone)]
pub enum Watching {
    /// A change.
    Changed(Arc<Entry>),
    /// Changes were forgotten before they were read; the oldest revision that is still known.
    Expired(u64),
}

/// The changes of one resource, in order.
#[derive(Debug)]
pub struct Subscription {
    api: Api,
    resource: String,
    /// Everything up to this revision was read.
    seen: u64,
    pending: VecDeque<Arc<Entry>>,
    written: watch::Receiver<u64>,
}

impl Subscription {
    pub(super) fn new(api: Api, resource: &str, seen: u64) -> Self {
        let written = api.objects().changes_of(resource);
        Self { api, resource: resource.to_owned(), seen, pending: VecDeque::new(), written }
    }

    /// The next change. `None` when the subscriber fell so far behind that changes were forgotten: it must list again
    /// and subscribe anew. Safe to drop before it is ready.
    pub async fn recv(&mut self) -> Option<Change> {
        match self.next().await {
            Watching::Changed(entry) => Some(entry.change.clone()),
            Watching::Expired(_) => None,
        }
    }

    /// The next change, or the news that some were forgotten. Safe to drop before it is ready.
    pub async fn next(&mut self) -> Watching {
        loop {
            if let Some(ready) = self.ready() {
                return ready;
            }
            // The sender lives as long as the objects that `self.api` holds.
            let _ = self.written.changed().await;
        }
    }

    /// What is there already, without waiting.
    pub fn ready(&mut self) -> Option<Watching> {
        if self.pending.is_empty() {
            self.written.mark_unchanged();
            match self.api.objects().after(&self.resource, self.seen, BATCH) {
                Ok(entries) => self.pending.extend(entries),
                Err(oldest) => return Some(Watching::Expired(oldest)),
            }
        }
        let entry = self.pending.pop_front()?;
        self.seen = entry.change.revision;
        Some(Watching::Changed(entry))
    }

    /// The newest revision of all when nothing of this resource is left to read, which then counts as read up to there.
    pub fn caught_up(&mut self) -> Option<u64> {
        if !self.pending.is_empty() {
            return None;
        }
        let mut objects = self.api.objects();
        let newest = objects.revision;
        let nothing_left =
            objects.after(&self.resource, self.seen, 1).is_ok_and(|entries| entries.is_empty());
        nothing_left.then(|| {
            self.seen = self.seen.max(newest);
            newest
        })
    }

    /// The revision up to which everything was read.
    pub fn seen(&self) -> u64 {
        self.seen
    }
}
