//! Where drivers and charts come from: git, OCI registries, HTTP repositories; and what was fetched before, kept by its digest.
//!
//! Everything that comes from outside is bounded in size and time, and checked against its digest where there is one. User
//! names, passwords and tokens never reach a record, a log or a message.

mod cache;
mod digest;
mod git;
mod http;
mod login;
mod oci;
mod quoted;
mod refusal;
mod repository;
mod source;
mod url;
mod versions;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{Clock, Problem};
use cache::{Cache, Provenance};
use digest::Digest;
use git::{Git, Limits};
pub use git::{GitDriver, GitSource};
use http::Client;
use login::Logins;
use oci::Registry;
use refusal::Refusal;
use repository::Repositories;
use source::Source;

/// How much is taken from others, in bytes.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// The largest archive of a chart.
    archive: usize,
    /// The largest index of a repository, packed and unpacked. The largest public ones have some 20 MB.
    index: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { archive: 32 << 20, index: 64 << 20 }
    }
}

/// A chart that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartReference {
    /// `oci://registry/path/chart`, an HTTP repository (`https://charts.example.org`, with the chart's name behind it or in
    /// `chart`), or an archive (`https://…/wiki-1.0.0.tgz`).
    pub location: String,
    /// The chart's name in an HTTP repository.
    pub chart: Option<String>,
    /// A version, or a range in Helm's notation; none: the highest release.
    pub version: Option<String>,
}

/// A chart's archive, a gzipped tar, as it was published.
#[derive(Clone, PartialEq, Eq)]
pub struct ChartArchive {
    /// Where it came from, in full: `oci://registry/charts/wiki:4.2.0`, `https://…/wiki-4.2.0.tgz`.
    pub origin: String,
    /// The version that it was found by; empty where only the archive itself says it.
    pub version: String,
    /// Its SHA-256: `sha256:<64 hex digits>`.
    pub digest: String,
    /// The archive.
    pub bytes: Arc<[u8]>,
}

impl std::fmt::Debug for ChartArchive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} ({} bytes)", self.origin, self.version, self.digest, self.bytes.len())
    }
}

/// What a question led to, before the archive itself is there.
#[derive(Debug)]
struct Resolved {
    origin: String,
    version: String,
    /// What the source says that the archive's digest is.
    digest: Option<Digest>,
}

/// Fetches, and keeps what it fetched.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    logins: Logins,
    cache: Cache,
    sizes: Sizes,
    git: Git,
    /// Where repositories are while they are read.
    scratch: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Fetcher {
    /// For the person who runs this: with the system's certificates, the proxies of the environment, and the person's own
    /// logins. What is fetched is kept in `directory`.
    ///
    /// # Errors
    /// There is no TLS.
    pub fn new(directory: &Path, clock: Arc<dyn Clock>) -> Result<Self, Problem> {
        let client = Client::of_system().map_err(|error| {
            Problem::new(
                "Nothing can be fetched",
                error.to_string(),
                "report this: it is a defect of this build",
            )
        })?;
        let logins = Logins::of_person(|name| std::env::var(name).ok());
        let sizes = Sizes::default();
        let git = Git::new(std::env::vars_os(), Limits::default());
        let (cache, scratch) = (Cache::new(directory, sizes), directory.join("git"));
        Ok(Self { client, logins, cache, sizes, git, scratch, clock })
    }

    /// A chart's archive. One of a whole version that was fetched before comes from the cache, and so does every one when its
    /// source cannot be reached.
    ///
    /// # Errors
    /// There is no such chart, or its source does not give it: which, why, and what to do.
    pub async fn chart(&self, asked: &ChartReference) -> Result<ChartArchive, Problem> {
        let source = Source::of(asked).map_err(|refusal| refusal.problem(&asked.to_string(), ""))?;
        let known = self.cached(asked).await;
        if let Some(archive) = known.clone().filter(|_| source.is_fixed(asked)) {
            return Ok(archive);
        }
        let login = source.login();
        match self.fetch(&source, asked).await {
            Ok(archive) => Ok(archive),
            Err(refusal) => match known.filter(|_| refusal.is_absence()) {
                Some(archive) => {
                    tracing::warn!(%refusal, origin = archive.origin, "a chart comes from the cache");
                    Ok(archive)
                }
                None => Err(refusal.problem(&asked.to_string(), &login)),
            },
        }
    }

    /// The archive that the same question led to the last time, if it is still kept. Nobody is asked.
    pub async fn cached(&self, asked: &ChartReference) -> Option<ChartArchive> {
        let found = self.cache.answer(asked).await?;
        let bytes = self.cache.archive(&Digest::parse(&found.digest)?).await?;
        let Provenance { origin, version, digest, .. } = found;
        Some(ChartArchive { origin, version, digest, bytes: bytes.into() })
    }

    /// The commit that a driver's source means at the moment; none when that is known only once it is fetched (the source names
    /// the first digits of a commit). Nothing is fetched.
    ///
    /// # Errors
    /// There is no git, no such repository or no such reference: why, and what to do.
    pub async fn commit(&self, source: &GitSource) -> Result<Option<String>, Problem> {
        git::commit(&self.git, &self.scratch, source).await
    }

    /// The files of a driver in a git repository, at the commit that its source means at the moment.
    ///
    /// # Errors
    /// As [`Self::commit`]; or something in it is no driver's: a link, a submodule, too much.
    pub async fn driver(&self, source: &GitSource) -> Result<GitDriver, Problem> {
        git::driver(&self.git, &self.scratch, source).await
    }

    async fn fetch(&self, source: &Source, asked: &ChartReference) -> Result<ChartArchive, Refusal> {
        let version = asked.version.as_deref();
        let web = Repositories {
            client: &self.client,
            logins: &self.logins,
            cache: &self.cache,
            sizes: self.sizes,
        };
        let (resolved, bytes) = match source {
            Source::Registry(reference) => {
                let mut registry = Registry::new(&self.client, &self.logins, reference, self.sizes.archive);
                let (resolved, digest) = registry.resolve(version).await?;
                let bytes = match self.cache.archive(&digest).await {
                    Some(bytes) => bytes,
                    None => registry.archive(&digest).await?,
                };
                (resolved, bytes)
            }
            Source::Repository(url) => {
                let found = web.resolve(url, asked.chart.as_deref(), version).await?;
                let digest = found.resolved.digest.as_ref();
                let kept = match digest {
                    Some(digest) => self.cache.archive(digest).await,
                    None => None,
                };
                let bytes = match kept {
                    Some(bytes) => bytes,
                    None => web.archive(&found.url, digest).await?,
                };
                (found.resolved, bytes)
            }
            Source::Archive(url) => {
                let version = version.unwrap_or_default().to_owned();
                let resolved = Resolved { origin: url.to_string(), version, digest: None };
                (resolved, web.archive(url, None).await?)
            }
        };
        if !bytes.starts_with(&[0x1F, 0x8B]) {
            return Err(Refusal::Broken(format!("what {} has is no gzipped archive", resolved.origin)));
        }
        Ok(self.keep(asked, resolved, bytes).await)
    }

    /// Keeps what was fetched, for the next time; what cannot be kept is fetched again then.
    async fn keep(&self, asked: &ChartReference, resolved: Resolved, bytes: Vec<u8>) -> ChartArchive {
        let digest = Digest::of(&bytes).to_string();
        let Resolved { origin, version, .. } = resolved;
        let provenance = Provenance {
            asked: asked.without_login(),
            origin: origin.clone(),
            version: version.clone(),
            digest: digest.clone(),
            fetched_at: self.clock.now(),
        };
        if let Err(why) = self.cache.keep(asked, &provenance, &bytes).await {
            tracing::warn!(why, origin, "a chart is not kept");
        }
        ChartArchive { origin, version, digest, bytes: bytes.into() }
    }
}
