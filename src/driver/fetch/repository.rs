//! Charts in HTTP repositories: an `index.yaml` that lists them, and archives beside it or elsewhere.

mod index;

#[cfg(test)]
mod tests;

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, ETAG};

use super::cache::Cache;
use super::digest::Digest;
use super::http::{Answer, Call, Client, HttpError, basic};
use super::login::Logins;
use super::url::Url;
use super::{Refusal, Resolved, Sizes, versions};
pub(super) use index::Index;

/// A chart of a repository.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) resolved: Resolved,
    /// Where the archive is.
    pub(super) url: Url,
}

/// HTTP repositories, as one person sees them.
pub(super) struct Repositories<'a> {
    pub(super) client: &'a Client,
    pub(super) logins: &'a Logins,
    pub(super) cache: &'a Cache,
    pub(super) sizes: Sizes,
}

impl Repositories<'_> {
    /// Finds a chart. Without a name it is the repository's only one, or the last part of the location names it:
    /// `https://charts.example.org/stable/wiki`.
    ///
    /// # Errors
    /// There is none, or the repository does not say.
    pub(super) async fn resolve(
        &self,
        location: &Url,
        chart: Option<&str>,
        version: Option<&str>,
    ) -> Result<Found, Refusal> {
        let directory = location.clone().directory();
        match (self.index(&directory).await, chart) {
            (Ok(index), Some(chart)) => find(&index, &directory, chart, version),
            (Ok(index), None) => match index.only_chart() {
                Some(chart) => find(&index, &directory, chart, version),
                None => Err(Refusal::Location(format!(
                    "{directory} has {} charts, and none is named; name one with spec.helm.main.chart{}",
                    index.charts().count(),
                    examples(&index)
                ))),
            },
            (Err(Refusal::Http(error)), None) if error.is_not_found() => {
                let (index, parent, chart) = self.below(location).await?.ok_or(Refusal::Http(error))?;
                find(&index, &parent, &chart, version)
            }
            (Err(refusal), _) => Err(refusal),
        }
    }

    /// The index beside the last part of the location, and that part; none when there is no index either.
    async fn below(&self, location: &Url) -> Result<Option<(Index, Url, String)>, Refusal> {
        let Some((parent, chart)) = location.path.trim_end_matches('/').rsplit_once('/') else {
            return Ok(None);
        };
        let parent = Url { path: format!("{parent}/"), ..location.clone() };
        match self.index(&parent).await {
            Ok(index) => Ok(Some((index, parent, chart.to_owned()))),
            Err(Refusal::Http(error)) if error.is_not_found() => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// The index of a repository. One that has not changed since it was read is not sent again.
    async fn index(&self, directory: &Url) -> Result<Index, Refusal> {
        let url = directory
            .join("index.yaml")
            .map(|url| Url { query: directory.query.clone(), ..url })
            .map_err(Refusal::Location)?;
        let key = format!("{url}?{}", directory.query.as_deref().unwrap_or(""));
        let known = self.cache.index(&key).await;
        let mut call = self.call(url, self.sizes.index);
        call.compressed = true;
        call.known = known.as_ref().map(|(tag, _)| tag.clone());
        let answer = match self.client.send(call).await.map_err(Refusal::Http) {
            Ok(answer) => answer,
            Err(refusal) => {
                return known.map(|(_, index)| index).filter(|_| refusal.is_absence()).ok_or(refusal);
            }
        };
        if let (StatusCode::NOT_MODIFIED, Some((_, index))) = (answer.status, known) {
            return Ok(index);
        }
        let answer = answer.success()?;
        let tag = answer.header(ETAG).map(str::to_owned);
        let index = tokio::task::spawn_blocking({
            let limit = self.sizes.index;
            move || read(answer, limit)
        })
        .await
        .map_err(|_| Refusal::Broken("its index cannot be read".to_owned()))??;
        if let Some(tag) = tag {
            self.cache.keep_index(&key, &tag, &index).await;
        }
        Ok(index)
    }

    /// The archive at a URL; checked, where the digest is known.
    ///
    /// # Errors
    /// The server does not give it, or gives another one.
    pub(super) async fn archive(&self, url: &Url, expected: Option<&Digest>) -> Result<Vec<u8>, Refusal> {
        let answer = self.client.send(self.call(url.clone(), self.sizes.archive)).await?.success()?;
        let found = Digest::of(&answer.body);
        match expected.filter(|expected| **expected != found) {
            None => Ok(answer.body),
            Some(expected) => Err(Refusal::Digest(format!(
                "{} has the digest {found}, and the repository's index says {expected}",
                answer.url
            ))),
        }
    }

    fn call(&self, url: Url, limit: usize) -> Call {
        let login = if url.login.is_none() { self.logins.server(&url) } else { None };
        Call { authorization: login.as_ref().map(basic), ..Call::get(url, limit) }
    }
}

/// Unpacks and reads an index.
fn read(answer: Answer, limit: usize) -> Result<Index, Refusal> {
    let packed = answer.header(CONTENT_ENCODING).is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
    let Answer { url, body, .. } = answer;
    let broken = |why: String| Refusal::Broken(format!("{url} is no index of charts: {why}"));
    let mut bytes = body;
    if packed {
        let mut unpacked = Vec::new();
        let mut unpacking = MultiGzDecoder::new(bytes.as_slice()).take(limit as u64 + 1);
        unpacking.read_to_end(&mut unpacked).map_err(|error| broken(error.to_string()))?;
        bytes = unpacked;
    }
    if bytes.len() > limit {
        return Err(Refusal::Http(HttpError::TooLarge { place: url.to_string(), limit }));
    }
    let text = String::from_utf8(bytes).map_err(|_| broken("it is no UTF-8 text".to_owned()))?;
    Index::parse(&text).map_err(broken)
}

fn find(index: &Index, directory: &Url, chart: &str, version: Option<&str>) -> Result<Found, Refusal> {
    let Some(entries) = index.versions(chart) else {
        let hint = crate::driver::suggest::nearest(chart, index.charts());
        let hint = hint.map_or_else(|| examples(index), |name| format!("; did you mean '{name}'?"));
        return Err(Refusal::Version(format!("{directory} has no chart '{chart}'{hint}")));
    };
    let candidates = entries.iter().map(|entry| entry.version.clone()).collect();
    let version = versions::choose(candidates, version)
        .map_err(|why| Refusal::Version(format!("the chart {chart} in {directory}: {why}")))?;
    let entry = entries.iter().find(|entry| entry.version == version);
    let broken = |why: &str| Refusal::Broken(format!("{directory} lists {chart} {version}, and {why}"));
    let Some((entry, reference)) = entry.and_then(|entry| Some((entry, entry.url.as_deref()?))) else {
        return Err(broken("does not say where it is"));
    };
    let url =
        directory.join(reference).map_err(|why| broken(&format!("where it is makes no sense: {why}")))?;
    if directory.tls && !url.tls {
        return Err(broken(&format!("it is at {url}, which is not encrypted")));
    }
    let digest = match entry.digest.as_deref().filter(|digest| !digest.is_empty()) {
        None => None,
        Some(text) => Some(Digest::parse(text).ok_or_else(|| broken("its digest is no SHA-256"))?),
    };
    // a relative archive of a repository whose URL has a query (a token) is asked for with it, as Helm does
    let query = url.query.clone().or_else(|| directory.query.clone().filter(|_| directory.same_origin(&url)));
    let url = Url { query, ..url };
    Ok(Found { resolved: Resolved { origin: url.to_string(), version, digest }, url })
}

fn examples(index: &Index) -> String {
    let names: Vec<&str> = index.charts().take(5).collect();
    if names.is_empty() { String::new() } else { format!("; there is {}", names.join(", ")) }
}
