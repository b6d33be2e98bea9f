//! What kind of place a chart's location is.

use std::fmt;

use super::oci::Reference;
use super::url::Url;
use super::versions::is_whole;
use super::{ChartReference, Refusal};

/// Where a chart is.
#[derive(Debug)]
pub(super) enum Source {
    /// A repository of an OCI registry.
    Registry(Reference),
    /// An HTTP repository, with or without the chart's name at its end.
    Repository(Url),
    /// The archive itself.
    Archive(Url),
}

impl Source {
    pub(super) fn of(asked: &ChartReference) -> Result<Self, Refusal> {
        let location = asked.location.trim();
        if location.starts_with("oci://") {
            return Reference::parse(location).map(Self::Registry).map_err(Refusal::Location);
        }
        let url = Url::parse(location).map_err(Refusal::Location)?;
        let archive = [".tgz", ".tar.gz"].iter().any(|end| url.path.ends_with(end));
        Ok(if archive { Self::Archive(url) } else { Self::Repository(url) })
    }

    /// Whether the same question always has the same answer: a whole version, once published, stays what it is.
    pub(super) fn is_fixed(&self, asked: &ChartReference) -> bool {
        let whole = asked.version.as_deref().is_some_and(is_whole);
        match self {
            Self::Registry(reference) => whole || reference.is_fixed(),
            Self::Repository(_) => whole,
            Self::Archive(_) => false,
        }
    }

    /// What a person who may not read it is to do.
    pub(super) fn login(&self) -> String {
        match self {
            Self::Registry(reference) => {
                let registry = reference.authority();
                format!(
                    "look whether it exists and you may read it; helm registry login {registry} logs you in"
                )
            }
            Self::Repository(url) | Self::Archive(url) if !url.tls && !url.is_loopback() => {
                "name it with https://, if you have a login for it: over http:// none of yours is sent"
                    .to_owned()
            }
            Self::Repository(url) | Self::Archive(url) => {
                format!("look whether you may read it, and put your login for {} into ~/.netrc", url.host)
            }
        }
    }
}

impl ChartReference {
    /// The same question, without user name, password and tokens.
    pub(super) fn without_login(&self) -> Self {
        let location = match Source::of(self) {
            Ok(Source::Registry(_)) => self.location.clone(),
            Ok(Source::Repository(url) | Source::Archive(url)) => url.to_string(),
            Err(_) => "(a location that cannot be read)".to_owned(),
        };
        Self { location, chart: self.chart.clone(), version: self.version.clone() }
    }
}

impl fmt::Display for ChartReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { location, chart, version } = self.without_login();
        f.write_str(&location)?;
        if let Some(chart) = chart {
            write!(f, " {chart}")?;
        }
        if let Some(version) = version {
            write!(f, " {version}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(location: &str, version: Option<&str>) -> ChartReference {
        ChartReference { location: location.to_owned(), chart: None, version: version.map(str::to_owned) }
    }

    #[test]
    fn a_whole_version_is_fixed_and_a_range_is_not() {
        let tagged = "oci://ghcr.io/a/b:1.0.0";
        for (location, version, fixed) in [
            ("oci://ghcr.io/a/b", Some("1.0.0"), true),
            ("oci://ghcr.io/a/b", Some("1.0"), false),
            ("oci://ghcr.io/a/b", None, false),
            (tagged, None, true),
            ("oci://ghcr.io/a/b:latest", None, false),
            ("https://charts.example.org", Some("1.0.0"), true),
            ("https://charts.example.org", Some(">=1.0.0"), false),
            ("https://charts.example.org/a-1.0.0.tgz", Some("1.0.0"), false),
        ] {
            let asked = asked(location, version);
            assert_eq!(Source::of(&asked).unwrap().is_fixed(&asked), fixed, "{asked}");
        }
    }

    #[test]
    fn where_a_login_would_go_in_the_clear_https_is_advised() {
        let advice = |location: &str| {
            let asked = ChartReference { location: location.to_owned(), chart: None, version: None };
            Source::of(&asked).unwrap().login()
        };
        assert!(advice("http://h.org/stable").contains("https://"));
        assert!(advice("https://h.org/stable").contains("for h.org into ~/.netrc"));
        assert!(advice("http://localhost/stable").contains("for localhost into ~/.netrc"));
    }

    #[test]
    fn logins_are_not_shown() {
        let with = asked("https://anna:secret@charts.example.org/x?token=secret", Some("1"));
        assert_eq!(with.to_string(), "https://charts.example.org/x?… 1");
        let wrong = asked("oci://anna:secret@ghcr.io/a", None);
        assert!(!wrong.to_string().contains("secret"));
        assert!(!Source::of(&wrong).unwrap_err().to_string().contains("secret"));
    }
}
