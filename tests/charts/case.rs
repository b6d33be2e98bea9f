//! The charts, and what they are rendered with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The version of Kubernetes unless a case names another.
const KUBERNETES: &str = "v1.31.2";

/// One rendering of a chart.
pub struct Case {
    /// `defaults`, or the file in `ci/` without its end.
    pub name: String,
    /// The values that are given.
    pub values: Option<PathBuf>,
    /// Further options of the command line.
    options: Vec<String>,
}

/// The directory in which what helm said is recorded.
pub const ANSWERS: &str = "answers";

pub fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts")
}

/// The directory of a chart.
pub fn directory(chart: &str) -> PathBuf {
    home().join(chart)
}

/// The names of all charts.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> =
        entries(&home()).into_iter().filter(|path| path.is_dir()).map(|path| name(&path)).collect();
    names.retain(|name| name != ANSWERS);
    names.sort();
    names
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// The cases of a chart.
pub fn cases(chart: &str) -> Vec<Case> {
    let mut cases = vec![Case::plain()];
    for path in entries(&directory(chart).join("ci")) {
        let Some(name) = name(&path).strip_suffix("-values.yaml").map(str::to_owned) else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        let options = text.lines().next().and_then(|line| line.strip_prefix("# helm: ")).unwrap_or_default();
        let options = options.split_whitespace().map(str::to_owned).collect();
        cases.push(Case { name, values: Some(path), options });
    }
    // Each line of this one is a case of `.Values.case` that must be refused.
    let refusals = std::fs::read_to_string(directory(chart).join("ci/refusals.txt")).unwrap_or_default();
    cases.extend(refusals.lines().map(|line| Case {
        name: format!("{line}-refused"),
        values: None,
        options: vec!["--set".to_owned(), format!("case={line}")],
    }));
    cases
}

/// The files of a chart by path.
pub fn files(directory: &Path) -> BTreeMap<String, Arc<[u8]>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(folder) = pending.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                pending.push(path);
            } else {
                let inside = path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
                files.insert(inside, std::fs::read(&path).unwrap().into());
            }
        }
    }
    files
}

impl Case {
    /// Without values and options.
    pub fn plain() -> Self {
        Self { name: "defaults".to_owned(), values: None, options: Vec::new() }
    }

    /// The options of `helm template`.
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self.options.clone();
        if self.option("--kube-version").is_none() {
            words.extend(["--kube-version".to_owned(), KUBERNETES.to_owned()]);
        }
        if let Some(path) = &self.values {
            words.extend(["--values".to_owned(), path.to_str().unwrap().to_owned()]);
        }
        words
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.every(name).next()
    }

    /// The words behind each `name`.
    pub fn every(&self, name: &str) -> impl Iterator<Item = &str> {
        self.options.windows(2).filter(move |pair| pair[0] == name).map(|pair| pair[1].as_str())
    }

    /// The version of Kubernetes.
    pub fn kubernetes(&self) -> &str {
        self.option("--kube-version").unwrap_or(KUBERNETES)
    }

    /// Whether the real helm must refuse it: its name says so.
    pub fn is_refused(&self) -> bool {
        self.name.ends_with("-refused")
    }

    /// Whether it is an upgrade.
    pub fn is_upgrade(&self) -> bool {
        self.options.iter().any(|word| word == "--is-upgrade")
    }
}
