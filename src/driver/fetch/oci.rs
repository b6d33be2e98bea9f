//! Charts in OCI registries: the three calls of the distribution API that a chart takes.

mod challenge;
mod reference;
mod token;

#[cfg(test)]
mod tests;

use http::header::{LINK, WWW_AUTHENTICATE};
use serde_json::Value;

use super::digest::Digest;
use super::http::{Answer, Call, Client, HttpError};
use super::login::Logins;
use super::url::Url;
use super::{Refusal, Resolved, versions};
use crate::driver::chart::versions::Version;
pub(super) use reference::Reference;
use reference::{to_tag, to_version};
use token::TokenError;

/// The largest manifest, in bytes: the distribution specification's own limit.
const MANIFEST_LIMIT: usize = 4 << 20;
/// The largest page of tags, in bytes, and how many pages are read.
const TAGS_LIMIT: usize = 4 << 20;
const PAGES: usize = 50;

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE: &str = "application/vnd.cncf.helm.config.v1+json";
/// What an archive's layer may be called; the second name is that of charts before Helm 3.7.
const CHART_TYPES: [&str; 2] =
    ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"];

/// A repository of a registry, as one person sees it.
pub(super) struct Registry<'a> {
    client: &'a Client,
    logins: &'a Logins,
    reference: &'a Reference,
    base: Url,
    authorization: Option<String>,
    /// The largest archive, in bytes.
    limit: usize,
}

impl<'a> Registry<'a> {
    /// The repository that `reference` names. Nothing is asked yet.
    pub(super) fn new(
        client: &'a Client,
        logins: &'a Logins,
        reference: &'a Reference,
        limit: usize,
    ) -> Self {
        let base = Url {
            tls: true,
            host: reference.host.clone(),
            port: reference.port.unwrap_or(443),
            path: "/".to_owned(),
            query: None,
            login: None,
        };
        Self { client, logins, reference, base, authorization: None, limit }
    }

    /// Finds the chart's archive of the version that is asked for: exact, a range, or none for the highest release.
    ///
    /// # Errors
    /// There is none, or the registry does not say.
    pub(super) async fn resolve(&mut self, asked: Option<&str>) -> Result<(Resolved, Digest), Refusal> {
        let reference = self.reference;
        let (target, version) = match (&reference.digest, &reference.tag, asked) {
            (Some(digest), _, asked) => {
                let tag = reference.tag.as_deref().map(to_version);
                (digest.to_string(), asked.map(str::to_owned).or(tag).unwrap_or_default())
            }
            (None, Some(tag), None) => (tag.clone(), to_version(tag)),
            (None, Some(tag), Some(asked)) if to_tag(asked).as_ref() != Some(tag) => {
                let why = format!("the location has the tag {tag}, and the version is {asked}");
                return Err(Refusal::Location(why));
            }
            // whatever is a version is a tag, as Helm has it: `1.2` is not the highest 1.2.x of a registry
            (None, _, Some(asked)) if Version::parse(asked).is_ok() => {
                let tag = to_tag(asked).ok_or_else(|| Refusal::Location(format!("'{asked}' is no tag")))?;
                (tag, asked.to_owned())
            }
            (None, _, asked) => {
                let tag = versions::choose(self.tags().await?, asked).map_err(Refusal::Version)?;
                (to_tag(&tag).unwrap_or_default(), tag)
            }
        };
        let answer = self.get(&format!("manifests/{target}"), MANIFEST_TYPE, MANIFEST_LIMIT).await?;
        let manifest = answer.success()?;
        if let Some(expected) = &reference.digest {
            check(&manifest.body, expected, "manifest")?;
        }
        let digest = chart_layer(&manifest.body, self.limit).map_err(Refusal::Broken)?;
        let mut origin = format!("oci://{}/{}", reference.authority(), reference.repository);
        match &reference.digest {
            Some(digest) => origin += &format!("@{digest}"),
            None => origin += &format!(":{version}"),
        }
        Ok((Resolved { origin, version, digest: None }, digest))
    }

    /// The archive with that digest.
    ///
    /// # Errors
    /// The registry does not give it, or gives another one.
    pub(super) async fn archive(&mut self, digest: &Digest) -> Result<Vec<u8>, Refusal> {
        let answer = self.get(&format!("blobs/{digest}"), "*/*", self.limit).await?.success()?;
        check(&answer.body, digest, "archive")?;
        Ok(answer.body)
    }

    /// The tags that are versions. `1` and `1.2` are none here: they move with every release.
    async fn tags(&mut self) -> Result<Vec<String>, Refusal> {
        let mut tags = Vec::new();
        let mut path = "tags/list?n=1000".to_owned();
        for _ in 0..PAGES {
            let answer = self.get(&path, "application/json", TAGS_LIMIT).await?.success()?;
            let page: Value = serde_json::from_slice(&answer.body)
                .map_err(|_| Refusal::Broken(format!("{} answers with no JSON", answer.url)))?;
            let page = page.get("tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let versions = page.iter().filter_map(Value::as_str).map(to_version);
            tags.extend(versions.filter(|text| versions::is_whole(text.strip_prefix('v').unwrap_or(text))));
            let prefix = format!("/v2/{}/", self.reference.repository);
            // only the path: a registry does not send us elsewhere for its tags
            let next = answer.header(LINK).and_then(next_page).and_then(|next| answer.url.join(next).ok());
            let next = next.filter(|next| next.same_origin(&self.base));
            match next.as_ref().and_then(|next| next.target().strip_prefix(&prefix).map(str::to_owned)) {
                Some(next) if next != path => path = next,
                _ => break,
            }
        }
        Ok(tags)
    }

    /// One GET below the repository, with a login when the registry wants one.
    async fn get(&mut self, path: &str, accept: &'static str, limit: usize) -> Result<Answer, Refusal> {
        let answer = self.ask(path, accept, limit).await?;
        if answer.status.as_u16() != 401 {
            return Ok(answer);
        }
        let challenges = answer.headers.get_all(WWW_AUTHENTICATE).iter();
        let header = challenges.filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(", ");
        let Some(challenge) = challenge::parse(&header) else { return Ok(answer) };
        let authority = self.reference.authority();
        let known = self.logins.of_registry(&authority).await.map_err(Refusal::Broken)?;
        let (client, repository) = (self.client, &self.reference.repository);
        let authorization =
            match token::authorization(client, &self.base, repository, &challenge, known.as_ref()).await {
                Ok(authorization) => authorization,
                Err(TokenError::NoLogin) => return Ok(answer),
                Err(TokenError::Http(error)) => return Err(Refusal::Http(error)),
                Err(TokenError::Broken(why)) => return Err(Refusal::Broken(why)),
            };
        self.authorization = Some(authorization);
        Ok(self.ask(path, accept, limit).await?)
    }

    async fn ask(&mut self, path: &str, accept: &'static str, limit: usize) -> Result<Answer, HttpError> {
        match self.send(path, accept, limit).await {
            // registries on this machine often have no TLS
            Err(HttpError::Tls { .. }) if self.base.tls && self.base.is_loopback() => {
                self.base.tls = false;
                self.base.port = self.reference.port.unwrap_or(80);
                self.send(path, accept, limit).await
            }
            answer => answer,
        }
    }

    async fn send(&self, path: &str, accept: &'static str, limit: usize) -> Result<Answer, HttpError> {
        let place = format!("/v2/{}/{path}", self.reference.repository);
        let url = self.base.join(&place).map_err(|why| HttpError::Address { place, why })?;
        let authorization = self.authorization.clone();
        self.client.send(Call { accept, authorization, ..Call::get(url, limit) }).await
    }
}

/// The digest of the chart's layer in a manifest.
fn chart_layer(manifest: &[u8], limit: usize) -> Result<Digest, String> {
    let manifest: Value =
        serde_json::from_slice(manifest).map_err(|_| "its manifest is no JSON".to_owned())?;
    let media_type = |value: &Value| value.get("mediaType").and_then(Value::as_str).map(str::to_owned);
    match manifest.get("config").and_then(media_type).as_deref() {
        Some(CONFIG_TYPE) => {}
        found => {
            let index = manifest.get("manifests").map(|_| "an index of several manifests");
            let found: String =
                found.or(index).unwrap_or("something without a type").chars().take(100).collect();
            return Err(format!("it is no Helm chart but {found}"));
        }
    }
    let layers = manifest.get("layers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_chart =
        |layer: &&Value| media_type(layer).is_some_and(|found| CHART_TYPES.contains(&found.as_str()));
    let layer = layers
        .iter()
        .find(is_chart)
        .ok_or_else(|| format!("its manifest has no layer {}", CHART_TYPES[0]))?;
    let digest = layer.get("digest").and_then(Value::as_str).unwrap_or("");
    let digest = Digest::parse(digest).filter(|_| digest.starts_with("sha256:"));
    let digest = digest.ok_or("its manifest names the chart by no sha256 digest")?;
    let size = layer.get("size").and_then(Value::as_u64);
    if size.is_some_and(|size| size > limit as u64) {
        return Err(format!("its archive is larger than {limit} bytes"));
    }
    Ok(digest)
}

fn check(bytes: &[u8], expected: &Digest, what: &str) -> Result<(), Refusal> {
    let found = Digest::of(bytes);
    if found == *expected {
        return Ok(());
    }
    Err(Refusal::Digest(format!("its {what} has the digest {found}, and not {expected}")))
}

/// The target of `Link: <…>; rel="next"`.
fn next_page(header: &str) -> Option<&str> {
    let (target, parameters) = header.trim().strip_prefix('<')?.split_once('>')?;
    parameters.contains("next").then_some(target)
}
