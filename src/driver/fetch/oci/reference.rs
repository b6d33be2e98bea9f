//! `oci://registry/path/chart[:tag][@sha256:…]`.

use std::fmt;

use super::super::digest::Digest;
use super::super::url::{bracketed, read_address};
use super::super::versions::is_whole;

/// The longest location, in bytes.
const LENGTH_LIMIT: usize = 1_024;

/// Where a chart is in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Reference {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// `path/chart`.
    pub(super) repository: String,
    /// As registries have it: `_` for `+`.
    pub(super) tag: Option<String>,
    pub(super) digest: Option<Digest>,
}

impl Reference {
    /// Reads a location that begins with `oci://`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in super::super) fn parse(location: &str) -> Result<Self, String> {
        if location.len() > LENGTH_LIMIT {
            return Err(format!("it is longer than {LENGTH_LIMIT} bytes"));
        }
        let rest = location.strip_prefix("oci://").ok_or("it does not begin with oci://")?;
        let (rest, digest) = match rest.split_once('@') {
            Some((before, _)) if !before.contains('/') => {
                return Err("it has a user name in it: log in with `helm registry login`".to_owned());
            }
            Some((rest, digest)) => {
                (rest, Some(Digest::parse(digest).ok_or("what stands after @ is no sha256:… digest")?))
            }
            None => (rest, None),
        };
        let (address, path) =
            rest.trim_end_matches('/').split_once('/').ok_or("it names no chart in the registry")?;
        let (host, port) = read_address(address)?;
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => {
                (repository, Some(to_tag(tag).ok_or("what stands after : is no tag")?))
            }
            None => (path, None),
        };
        let sound = |part: &str| {
            let allowed =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
            part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && part.chars().all(allowed)
        };
        if !repository.split('/').all(sound) {
            return Err(format!(
                "'{repository}' is no repository: small letters, digits and ._- between slashes"
            ));
        }
        let host = if host == "docker.io" { "registry-1.docker.io".to_owned() } else { host };
        Ok(Self { host, port, repository: repository.to_owned(), tag, digest })
    }

    /// Whether it always leads to the same chart: it names a digest, or a whole version.
    pub(in super::super) fn is_fixed(&self) -> bool {
        let whole = |tag: &String| is_whole(&to_version(tag));
        self.digest.is_some() || self.tag.as_ref().is_some_and(whole)
    }

    /// `registry:port`, as logins name it.
    pub(in super::super) fn authority(&self) -> String {
        let host = bracketed(&self.host);
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host.into_owned(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.authority(), self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{}", to_version(tag))?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// The tag of a version; none when it cannot be one. Tags have no `+`: Helm writes `_` for it.
pub(super) fn to_tag(version: &str) -> Option<String> {
    let tag = version.replace('+', "_");
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let sound = tag.len() <= 128 && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    (sound && tag.chars().all(allowed)).then_some(tag)
}

/// The version of a tag.
pub(super) fn to_version(tag: &str) -> String {
    tag.replace('_', "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_taken_apart() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let whole = format!("oci://Registry.example.org:5000/charts/wiki:1.0.0+b.1@sha256:{hex}");
        let found = Reference::parse(&whole).unwrap();
        assert_eq!(
            (found.authority().as_str(), found.repository.as_str()),
            ("registry.example.org:5000", "charts/wiki")
        );
        assert_eq!((found.tag.as_deref(), found.digest.as_ref().unwrap().hex()), (Some("1.0.0_b.1"), hex));
        assert_eq!(found.to_string(), whole.replace('R', "r"));
        let plain = Reference::parse("oci://ghcr.io/a/b/").unwrap();
        assert_eq!((plain.repository.as_str(), plain.tag, plain.port), ("a/b", None, None));
        assert_eq!(Reference::parse("oci://docker.io/a/b").unwrap().host, "registry-1.docker.io");
        assert_eq!(Reference::parse("oci://[::1]:5000/a").unwrap().authority(), "[::1]:5000");
    }

    #[test]
    fn what_is_no_location_is_refused() {
        for wrong in [
            "https://ghcr.io/a",
            "oci://ghcr.io",
            "oci://ghcr.io/",
            "oci:///a",
            "oci://ghcr.io/A",
            "oci://ghcr.io/a//b",
            "oci://ghcr.io/../b",
            "oci://ghcr.io/a?x=1",
            "oci://ghcr.io/a:",
            "oci://ghcr.io/a:-x",
            "oci://ghcr.io/a:1/b",
            "oci://ghcr.io/a@sha256:12",
        ] {
            assert!(Reference::parse(wrong).is_err(), "{wrong}");
        }
        let refusal = Reference::parse("oci://anna:secret@ghcr.io/a").unwrap_err();
        assert!(refusal.contains("helm registry login") && !refusal.contains("secret"), "{refusal}");
        assert_eq!(to_tag("1.0 || 2"), None);
    }
}
