//! A repository in a bucket of an S3-compatible service. Requests are signed by `rusty_s3` and sent over our own client; what
//! may pass is tried again.

mod client;
mod refusal;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use rustic_core::{FileType, Id};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::error::{RepositoryError, StorageError};
use super::io;
use super::storage::{File, Kind, Storage, identifier};
use crate::backup::secrets::S3Keys;
use crate::domain::backup::{Location, LocationKind};
use client::{Answer, Client, Question};
use refusal::Refusal;

/// How long a signature is good for: requests are signed when they are sent.
const SIGNED_FOR: Duration = Duration::from_secs(900);
/// How often a request is tried.
const TRIES: u32 = 6;
/// The first pause between two tries; each one is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(250);
/// What is fetched at a time where small pieces of packs are read one after the other.
const WINDOW: u32 = 4 << 20;

/// How many packs are asked for one by one; more of them by a list of all.
const ASKED: usize = 16;

pub(super) struct S3 {
    place: String,
    bucket: Bucket,
    prefix: String,
    credentials: Credentials,
    client: Client,
    io: Handle,
}

impl S3 {
    /// A bucket, as a location describes it.
    ///
    /// # Errors
    /// The description makes no sense, or there are no keys.
    pub(super) fn new(location: &Location, keys: Option<&S3Keys>) -> Result<Self, RepositoryError> {
        let wrong = |why: String| RepositoryError::Location { name: location.name.clone(), why };
        let LocationKind::S3 { endpoint, bucket, prefix, region, path_style, ca, .. } = &location.kind else {
            return Err(wrong("it is no bucket".to_owned()));
        };
        let keys = keys.ok_or_else(|| wrong("there are no access keys for its bucket".to_owned()))?;
        let url = endpoint.parse().map_err(|error| wrong(format!("its endpoint '{endpoint}': {error}")))?;
        let style = if *path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let bucket = Bucket::new(url, style, bucket.clone(), region.clone())
            .map_err(|error| wrong(format!("its endpoint '{endpoint}': {error}")))?;
        let (key, secret) = (keys.access_key_id.clone(), keys.secret_access_key.to_string());
        let credentials = match &keys.session_token {
            Some(token) => Credentials::new_with_token(key, secret, token.to_string()),
            None => Credentials::new(key, secret),
        };
        let client = Client::new(ca.as_deref()).map_err(wrong)?;
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self { place: location.address(), bucket, prefix, credentials, client, io: io::io()? })
    }

    fn object(&self, file: &File) -> String {
        format!("{}{}", self.prefix, file.path())
    }

    /// Sends what `sign` makes until there is an answer that does not pass, and reads it.
    fn ask(
        &self,
        sign: impl Fn() -> Question,
        file: Option<&File>,
        stop: &CancellationToken,
    ) -> Result<Answer, StorageError> {
        let mut pause = PAUSE;
        let mut last = String::new();
        for again in 0..TRIES {
            if again > 0 {
                tracing::debug!(place = %self.place, why = %last, "asking the bucket again");
                // not all at the same moment
                let spread = getrandom::u32().map_or(0, |random| u64::from(random % 100));
                let rest = pause.mul_f64(1.0 + spread as f64 / 200.0);
                self.io.block_on(async {
                    tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(rest) => {} }
                });
                pause *= 2;
            }
            let asked = self.io.block_on(async {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => None,
                    answer = self.client.ask(sign()) => Some(answer),
                }
            });
            let Some(asked) = asked else { return Err(StorageError::Cancelled) };
            let refusal = match asked {
                Ok(answer) if answer.status.is_success() => return Ok(answer),
                Ok(answer) => Refusal::of_answer(&answer),
                Err(failure) => Refusal::of_failure(failure),
            };
            match refusal.passing() {
                Some(why) => last = why,
                None => return Err(refusal.error(&self.place, file)),
            }
        }
        Err(StorageError::Unreachable { place: self.place.clone(), why: last })
    }

    fn question<'a>(&'a self, action: &impl S3Action<'a>, method: Method) -> Question {
        Question {
            method,
            url: action.sign(SIGNED_FOR).to_string(),
            range: None,
            new: false,
            body: Vec::new(),
        }
    }

    /// Every object below a prefix, with its size.
    fn objects(&self, prefix: &str, stop: &CancellationToken) -> Result<Vec<(String, u64)>, StorageError> {
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let sign = || {
                let mut list = self.bucket.list_objects_v2(Some(&self.credentials));
                list.with_prefix(prefix);
                if let Some(token) = &next {
                    list.with_continuation_token(token.clone());
                }
                self.question(&list, Method::GET)
            };
            let answer = self.ask(sign, None, stop)?;
            let refused = |why: String| StorageError::Refused { place: self.place.clone(), why };
            let text = String::from_utf8_lossy(&answer.body);
            let page = ListObjectsV2::parse_response(&text)
                .map_err(|error| refused(format!("its list of objects cannot be read: {error}")))?;
            found.extend(page.contents.into_iter().map(|object| (object.key, object.size.unwrap_or(0))));
            match page.next_continuation_token {
                None => return Ok(found),
                // a service that does not go on must not keep us for ever
                Some(token) if next.as_ref() == Some(&token) => {
                    return Err(refused("its list of objects does not end".to_owned()));
                }
                token => next = token,
            }
        }
    }
}

impl Storage for S3 {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn create(&self, _stop: &CancellationToken) -> Result<(), StorageError> {
        Ok(())
    }

    fn list(&self, kind: FileType, stop: &CancellationToken) -> Result<Vec<(Id, u64)>, StorageError> {
        let folder = format!("{}{}", self.prefix, kind.dirname());
        if kind == FileType::Config {
            // a list, as its refusal has a body: it says whether the bucket or the file is missing
            let found = self.objects(&folder, stop)?;
            let config = found.into_iter().filter(|(key, _)| *key == folder);
            return Ok(config.map(|(_, size)| (Id::default(), size)).collect());
        }
        let found = self.objects(&format!("{folder}/"), stop)?;
        let named = found.into_iter().filter_map(|(key, size)| {
            let id = identifier(key.rsplit('/').next()?)?;
            let file = File::new(kind, &id);
            (self.object(&file) == key).then_some((id, size))
        });
        Ok(named.collect())
    }

    fn read(
        &self,
        file: &File,
        range: Option<(u32, u32)>,
        stop: &CancellationToken,
    ) -> Result<Bytes, StorageError> {
        let object = self.object(file);
        let range = range.map(|(offset, length)| {
            let (offset, length) = (u64::from(offset), u64::from(length));
            (offset, offset + length.max(1) - 1)
        });
        let sign = || {
            let action = self.bucket.get_object(Some(&self.credentials), &object);
            Question { range, ..self.question(&action, Method::GET) }
        };
        let answer = self.ask(sign, Some(file), stop)?;
        let Some((from, to)) = range else { return Ok(answer.body) };
        let whole = answer.status != StatusCode::PARTIAL_CONTENT;
        let begin = answer.from.unwrap_or(if whole { 0 } else { from });
        let length = answer.body.len() as u64;
        if begin > from {
            let why = format!("it was asked for bytes from {from} on, and answers from {begin} on");
            return Err(StorageError::Refused { place: self.place.clone(), why });
        }
        // a service that does not know ranges sends everything
        let part = |at: u64| usize::try_from(at.saturating_sub(begin).min(length)).unwrap_or(usize::MAX);
        Ok(answer.body.slice(part(from)..part(to + 1)))
    }

    fn missing(&self, files: &[File], stop: &CancellationToken) -> Result<Vec<File>, StorageError> {
        let mut known = BTreeSet::new();
        if files.len() > ASKED {
            let all = self.objects(&format!("{}{}/", self.prefix, FileType::Pack.dirname()), stop)?;
            known.extend(all.into_iter().map(|(key, _)| key));
        } else {
            for file in files {
                known.extend(self.objects(&self.object(file), stop)?.into_iter().map(|(key, _)| key));
            }
        }
        Ok(files.iter().filter(|file| !known.contains(&self.object(file))).copied().collect())
    }

    fn write(&self, file: &File, content: &[Bytes], stop: &CancellationToken) -> Result<(), StorageError> {
        let object = self.object(file);
        let sign = || {
            let action = self.bucket.put_object(Some(&self.credentials), &object);
            let new = file.kind == Kind::Config;
            Question { new, body: content.to_vec(), ..self.question(&action, Method::PUT) }
        };
        self.ask(sign, Some(file), stop).map(drop)
    }

    fn remove(&self, file: &File, stop: &CancellationToken) -> Result<(), StorageError> {
        let object = self.object(file);
        let sign = || {
            let action = self.bucket.delete_object(Some(&self.credentials), &object);
            self.question(&action, Method::DELETE)
        };
        match self.ask(sign, Some(file), stop) {
            Ok(_) | Err(StorageError::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn sweep(&self, _stop: &CancellationToken) -> Result<(), StorageError> {
        // an object is there whole or not at all
        Ok(())
    }

    fn window(&self) -> u32 {
        WINDOW
    }
}
