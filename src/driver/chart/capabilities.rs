//! `.Capabilities`: what the cluster can do.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::record::{Field, Record};
use super::value::{Object, Value};
use super::versions;

/// The groups and versions that Helm 3.17 knows when it talks to no cluster.
const KNOWN: &str = include_str!("capabilities/known.txt");

/// The version of Helm that templates see.
const HELM: [(&str, &str, &str); 4] = [
    ("Version", "version", "v3.17.3"),
    ("GitCommit", "git_commit", "e4da49785aa6e6ee2b86efd5dd9e43400318262b"),
    ("GitTreeState", "git_tree_state", "clean"),
    ("GoVersion", "go_version", "go1.23.7"),
];

/// What the cluster can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The server's version: `v1.31.2`, `v1.31.4-gke.1183000`.
    pub version: String,
    /// The major version: `1`.
    pub major: String,
    /// The minor version: `31`; some clusters say `31+`.
    pub minor: String,
    /// Groups with versions, and kinds in them: `apps/v1`, `apps/v1/Deployment`, `v1`, `v1/Pod`.
    pub api_versions: Vec<String>,
}

impl Capabilities {
    /// A cluster of this version with these APIs, sorted.
    ///
    /// # Errors
    /// It is no version.
    pub fn new(version: &str, api_versions: BTreeSet<String>) -> Result<Self, String> {
        let (version, major, minor) = versions::complete(version)
            .ok_or_else(|| format!("invalid kube version '{version}': Invalid Semantic Version"))?;
        Ok(Self {
            version: format!("v{version}"),
            major: major.to_string(),
            minor: minor.to_string(),
            api_versions: api_versions.into_iter().collect(),
        })
    }

    /// A cluster of this version with the APIs that Helm knows itself, in Helm's order.
    ///
    /// # Errors
    /// It is no version.
    pub fn of_version(version: &str) -> Result<Self, String> {
        let api_versions = KNOWN.lines().map(str::to_owned).collect();
        Ok(Self { api_versions, ..Self::new(version, BTreeSet::new())? })
    }

    /// Whether a chart that asks for `range` runs here. As in Helm 4, what a provider adds to the version does not count.
    pub(super) fn is_compatible(&self, range: &str) -> bool {
        let bare = self.version.split(['-', '+']).next().unwrap_or_default();
        versions::compatible(range, &self.version) || versions::compatible(range, bare)
    }

    /// `.Capabilities`.
    pub(super) fn object(&self) -> Value {
        let text = |text: &str| Value::text(text);
        let kube_version = Record::value(
            "chartutil.KubeVersion",
            vec![
                Field::new("Version", "Version", text(&self.version)),
                Field::new("Major", "Major", text(&self.major)),
                Field::new("Minor", "Minor", text(&self.minor)),
                Field::hidden("GitVersion", text(&self.version)),
                Field::hidden("String", text(&self.version)),
            ],
            self.version.clone(),
        );
        let helm_version = Record::value(
            "version.BuildInfo",
            HELM.iter().map(|(name, key, value)| Field::optional(name, key, text(value))).collect(),
            format!("{{{}}}", HELM.map(|(_, _, value)| value).join(" ")),
        );
        let api_versions: Rc<Vec<Value>> = Rc::new(self.api_versions.iter().map(Value::text).collect());
        let known = self.api_versions.iter().cloned().collect();
        let versions =
            VersionSet { known, list: api_versions, printed: format!("[{}]", self.api_versions.join(" ")) };
        let printed = format!(
            "&{{{{{} {} {}}} {} {{{}}}}}",
            self.version,
            self.major,
            self.minor,
            versions.printed,
            HELM.map(|(_, _, value)| value).join(" ")
        );
        Record::value(
            "*chartutil.Capabilities",
            vec![
                Field::new("KubeVersion", "KubeVersion", kube_version),
                Field::new("APIVersions", "APIVersions", Value::Object(Rc::new(versions))),
                Field::new("HelmVersion", "HelmVersion", helm_version),
            ],
            printed,
        )
    }
}

/// `.Capabilities.APIVersions`, in Go a list of texts with a method.
struct VersionSet {
    known: BTreeSet<String>,
    list: Rc<Vec<Value>>,
    printed: String,
}

impl Object for VersionSet {
    fn type_name(&self) -> &'static str {
        "chartutil.VersionSet"
    }

    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        (name == "Has").then(|| Err("wrong number of args for Has: want 1 got 0".to_owned()))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        (name == "Has").then(|| match arguments {
            [Value::Text(version)] => Ok(Value::Bool(self.known.contains(&**version))),
            [_] => Err("wrong type for value; expected string".to_owned()),
            _ => Err(format!("wrong number of args for Has: want 1 got {}", arguments.len())),
        })
    }

    fn print(&self) -> String {
        self.printed.clone()
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::List(Rc::clone(&self.list)))
    }

    fn items(&self) -> Option<Value> {
        self.plain()
    }

    fn truth(&self) -> bool {
        !self.list.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(value: &Value, name: &str) -> Value {
        let Value::Object(object) = value else { panic!("an object") };
        object.field(name).unwrap().unwrap()
    }

    fn text(value: &Value) -> String {
        match value {
            Value::Text(text) => text.to_string(),
            Value::Object(object) => object.print(),
            _ => panic!("a text"),
        }
    }

    #[test]
    fn templates_see_version_and_apis() {
        let apis = ["apps/v1", "apps/v1/Deployment", "v1"].map(str::to_owned).into();
        let object = Capabilities::new("1.31.4-gke.1183000", apis).unwrap().object();
        let version = field(&object, "KubeVersion");
        assert_eq!(text(&version), "v1.31.4-gke.1183000");
        assert_eq!(
            (text(&field(&version, "Major")), text(&field(&version, "Minor"))),
            ("1".into(), "31".into())
        );
        assert_eq!(text(&field(&version, "GitVersion")), "v1.31.4-gke.1183000");
        let Value::Object(versions) = &field(&object, "APIVersions") else { panic!("an object") };
        let has =
            |name: &str| matches!(versions.call("Has", &[Value::text(name)]), Some(Ok(Value::Bool(true))));
        assert!(has("apps/v1") && has("apps/v1/Deployment") && !has("apps/v2"));
        assert!(
            versions.call("Has", &[]).unwrap().is_err()
                && versions.call("Has", &[Value::Nil]).unwrap().is_err()
        );
        assert!(text(&field(&field(&object, "HelmVersion"), "Version")).starts_with("v3."));
        assert!(Capabilities::of_version("v1.31.2").unwrap().api_versions.contains(&"batch/v1".to_owned()));
        assert!(Capabilities::of_version("latest").is_err());
    }

    #[test]
    fn what_a_provider_adds_does_not_count() {
        let of = |version: &str| Capabilities::of_version(version).unwrap();
        assert!(of("v1.31.4-gke.1183000").is_compatible(">=1.25.0"));
        assert!(of("v1.31.4-gke.1183000").is_compatible(">=1.25.0-0"));
        assert!(!of("v1.24.1").is_compatible(">=1.25.0"));
    }
}
