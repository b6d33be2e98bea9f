//! The real helm.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One binary.
pub struct Helm {
    program: PathBuf,
    /// `3` or `4`.
    pub major: u32,
    home: tempfile::TempDir,
}

/// What it said.
pub struct Told {
    pub content: bool,
    pub output: String,
    pub complaint: String,
}

/// Every helm that there is, one of each major version.
pub fn all() -> Vec<Helm> {
    let mut found: Vec<Helm> = Vec::new();
    for program in programs().into_iter().filter(|path| path.is_file()) {
        let helm = Helm::new(program);
        if found.iter().all(|other| other.major != helm.major) {
            found.push(helm);
        }
    }
    found
}

fn programs() -> Vec<PathBuf> {
    let paths = |name: &str| std::env::var_os(name).unwrap_or_default();
    if let Some(named) = std::env::var_os("STYRMIN_HELM") {
        return std::env::split_paths(&named).collect();
    }
    let beside = |kubectl: PathBuf| Some(kubectl.parent()?.parent()?.join("helm/helm"));
    let kubectls = paths("STYRMIN_KUBECTL");
    let mut programs: Vec<PathBuf> = std::env::split_paths(&kubectls).filter_map(beside).collect();
    programs.extend(std::env::split_paths(&paths("PATH")).map(|folder| folder.join("helm")));
    programs
}

impl Helm {
    fn new(program: PathBuf) -> Self {
        let mut helm = Self { program, major: 0, home: tempfile::tempdir().unwrap() };
        let told = helm.run(&["version".into(), "--short".into()]);
        let digits = told.output.trim().trim_start_matches('v').split('.').next().unwrap_or_default();
        helm.major = digits.parse().unwrap_or_else(|_| panic!("{}: {}", told.output, told.complaint));
        helm
    }

    /// Runs it, without any cluster.
    pub fn run(&self, words: &[String]) -> Told {
        let output = Command::new(&self.program)
            .args(words)
            .env_clear()
            .env("HOME", self.home.path())
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        Told {
            content: output.status.success(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// `helm template` of a chart's directory.
    pub fn template(&self, chart: &Path, options: &[String]) -> Told {
        let words = ["template", "demo", chart.to_str().unwrap(), "--namespace", "shop"];
        let words: Vec<String> =
            words.iter().map(|word| (*word).to_owned()).chain(options.iter().cloned()).collect();
        self.run(&words)
    }

    /// What Go's YAML reads of each document, as JSON.
    pub fn read(&self, documents: &[&str]) -> Vec<serde_json::Value> {
        let chart = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = chart.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("Chart.yaml", "{apiVersion: v2, name: reader, version: 1.0.0}");
        let template = r##"{{ range $path, $bytes := .Files.Glob "documents/*" }}
# {{ $bytes | toString | fromYaml | toJson }}
{{- end }}"##;
        write("templates/read.yaml", template);
        for (number, text) in documents.iter().enumerate() {
            write(&format!("documents/{number:05}"), text);
        }
        let told = self.template(chart.path(), &[]);
        assert!(told.content, "{}", told.complaint);
        let lines = told.output.lines().filter_map(|line| line.strip_prefix("# {"));
        lines.map(|line| serde_json::from_str(&format!("{{{line}")).unwrap()).collect()
    }
}
