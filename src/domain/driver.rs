//! What a driver says about an application. Reading and validating lives in the `driver` room.

mod action;
mod changes;
mod chart;
mod component;
mod parameter;
mod service;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use action::{ActionSpec, Hook, Mode, OnFailure};
pub use changes::{Changes, Fate, FileChange};
pub use chart::{CHART_ARCHIVE, ChartPin, HelmChart};
pub use component::{
    BackupTarget, ComponentSpec, ContainerOverride, EnvVarSpec, Quiesce, RestoreInto, RestoreTarget,
};
pub use parameter::{ParameterKind, ParameterSpec};
pub use service::{ServiceScope, ServiceSpec, TlsSpec};

use super::canonical::canonical_digest;
use super::names::digest;
use super::version;

/// Names one immutable driver version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DriverRef {
    /// `metadata.name`.
    pub name: String,
    /// `spec.version`.
    pub version: String,
}

impl fmt::Display for DriverRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// One immutable revision of a driver: its parsed specification and every file it consists of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DriverVersion {
    /// Name and version.
    pub reference: DriverRef,
    /// Where it was loaded from: `built-in`, a directory, or the address of a git repository.
    pub source: String,
    /// SHA-256 over all files: the same content again is a no-op.
    pub digest: String,
    /// The parsed specification.
    pub spec: DriverSpec,
    /// Every text of the driver by its path inside the directory.
    pub files: BTreeMap<String, String>,
    /// Every file that is no UTF-8 text: archives, pictures. [`CHART_ARCHIVE`] is the chart that was pulled for it. Left out of
    /// recordings and of lists of drivers: only one driver version read by its name has them.
    #[serde(skip)]
    pub binaries: BTreeMap<String, Arc<[u8]>>,
    /// The chart that `spec.helm.main` named when it was loaded, when that chart comes from elsewhere.
    #[serde(default)]
    pub chart: Option<ChartPin>,
    /// When it was recorded; none before.
    #[serde(default)]
    pub loaded_at: Option<Timestamp>,
}

impl DriverVersion {
    /// What [`Self::digest`] is to be: over every file, and over the chart that was pulled.
    pub fn content_digest(&self) -> String {
        if self.binaries.is_empty() && self.chart.is_none() {
            // As it was before there were binaries: drivers that are recorded keep their digests.
            return canonical_digest(&json!(self.files));
        }
        let binaries: BTreeMap<&str, String> =
            self.binaries.iter().map(|(path, bytes)| (path.as_str(), digest(bytes))).collect();
        canonical_digest(&json!({ "files": self.files, "binaries": binaries, "chart": self.chart }))
    }

    /// Keeps the archive of the chart that `spec.helm.main` names, which was pulled, and makes it part of the digest.
    pub fn pin_chart(&mut self, pin: ChartPin, archive: Arc<[u8]>) {
        self.binaries.insert(CHART_ARCHIVE.to_owned(), archive);
        self.chart = Some(pin);
        self.digest = self.content_digest();
    }

    /// The order of age between versions of one driver: by `spec.version`, by when they were loaded where those are equal
    /// (`1.0` and `1.0.0`), and by the text of the version where nothing else tells.
    pub fn age_order(&self, other: &Self) -> Ordering {
        version::precedence(&self.reference.version, &other.reference.version)
            .then_with(|| self.loaded_at.cmp(&other.loaded_at))
            .then_with(|| self.reference.version.cmp(&other.reference.version))
    }
}

/// The latest version of the driver `name`: the highest `spec.version`, the time of loading breaking ties.
pub fn latest<'a>(versions: &'a [Arc<DriverVersion>], name: &str) -> Option<&'a Arc<DriverVersion>> {
    versions.iter().filter(|version| version.reference.name == name).max_by(|a, b| a.age_order(b))
}

/// `spec` of `driver.styrmin.yml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DriverSpec {
    /// A range such as `>=1.0,<2.0`.
    pub supported_versions: String,
    /// The version to offer.
    pub default_version: String,
    /// Versions known to exist, offered in the form (ours, optional).
    pub known_versions: Vec<String>,
    /// For people.
    pub info: DriverInfo,
    /// From which versions a deployment may come to this driver version.
    pub upgrades_from: UpgradesFrom,
    /// The chart, when the application comes as one.
    pub helm: Option<HelmChart>,
    /// The application's parts by name.
    pub components: BTreeMap<String, ComponentSpec>,
    /// Network endpoints.
    pub services: Vec<ServiceSpec>,
    /// Typed inputs.
    pub parameters: Vec<ParameterSpec>,
    /// Documentation of environment variables that the application respects.
    pub env_vars: Vec<EnvVarSpec>,
    /// Containers whose command or arguments may be overridden.
    pub container_overrides: Vec<ContainerOverride>,
    /// Code that runs at lifecycle hooks, or when a person asks for it.
    pub actions: Vec<ActionSpec>,
}

/// `spec.info`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverInfo {
    /// One paragraph.
    pub description: String,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Its licence.
    pub license: String,
    /// `(link, url)`.
    pub links: Vec<(String, String)>,
}

/// `spec.upgrades_from`: ranges of versions, of which one must hold. None at all: every version may come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpgradesFrom {
    /// Versions of the application, asked when it changes.
    pub application: Vec<String>,
    /// Versions of the driver, asked when it changes.
    pub driver: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(version: &str, at: i64) -> Arc<DriverVersion> {
        Arc::new(DriverVersion {
            reference: DriverRef { name: "notes".to_owned(), version: version.to_owned() },
            loaded_at: Timestamp::from_second(at).ok(),
            ..DriverVersion::default()
        })
    }

    fn latest_of(versions: &[(&str, i64)]) -> String {
        let versions: Vec<_> = versions.iter().map(|(version, at)| loaded(version, *at)).collect();
        latest(&versions, "notes").unwrap().reference.version.clone()
    }

    #[test]
    fn a_chart_that_was_pulled_is_part_of_the_digest() {
        let mut driver = DriverVersion::default();
        driver.files.insert("a".to_owned(), "b".to_owned());
        driver.digest = driver.content_digest();
        let before = driver.digest.clone();
        driver.pin_chart(ChartPin::default(), Arc::from([1_u8]));
        let first = driver.digest.clone();
        driver.pin_chart(ChartPin::default(), Arc::from([2_u8]));
        assert!(before != first && first != driver.digest);
        assert_eq!(driver.digest, driver.content_digest());
    }

    #[test]
    fn the_highest_version_is_the_latest_and_the_time_of_loading_breaks_ties() {
        assert_eq!(latest_of(&[("1.10.0", 1), ("1.9.0", 2), ("1.10.0rc1", 3)]), "1.10.0");
        assert_eq!(latest_of(&[("1.0.0", 1), ("1.0", 2)]), "1.0");
        assert_eq!(latest_of(&[("1.0.0", 2), ("1.0", 1)]), "1.0.0");
        assert_eq!(latest_of(&[("1.0", 1), ("1.0.0", 1)]), "1.0.0");
        assert_eq!(latest(&[loaded("1", 1)], "other"), None);
    }
}
