//! `spec.helm`: the chart that an application comes as.

use serde::{Deserialize, Serialize};

/// The path among a driver's binaries under which the archive of a chart that was pulled is kept. No file of a driver's
/// directory has it: hidden files are left out.
pub const CHART_ARCHIVE: &str = ".chart.tgz";

/// `spec.helm.main`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HelmChart {
    /// `oci://…`, an HTTP repository or archive, or a path inside the driver: a chart's directory or a `.tgz`.
    pub location: String,
    /// The chart's name in an HTTP repository; none: the location says it.
    pub chart: Option<String>,
    /// The chart's version.
    pub version: Option<String>,
    /// The template of its values; the driver may have no such file.
    pub values: String,
}

impl HelmChart {
    /// Whether the chart is pulled from elsewhere.
    pub fn is_remote(&self) -> bool {
        ["oci://", "https://", "http://"].iter().any(|scheme| self.location.starts_with(scheme))
    }

    /// The path inside the driver of a chart that is not pulled, without `./` before it and `/` behind it.
    pub fn local_path(&self) -> Option<&str> {
        let path = self.location.trim_end_matches('/');
        (!self.is_remote()).then(|| path.strip_prefix("./").unwrap_or(path))
    }
}

/// A chart that was pulled when its driver was loaded: what it was then, it stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartPin {
    /// Where its archive came from, in full: `oci://registry/charts/wiki:4.2.0`, `https://…/wiki-4.2.0.tgz`.
    pub origin: String,
    /// The chart's version as its `Chart.yaml` says it.
    pub version: String,
    /// SHA-256 of the archive: `sha256:<64 hex digits>`.
    pub digest: String,
}
