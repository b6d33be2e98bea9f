//! A driver's files become a checked, immutable driver version.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::content::{COUNT_LIMIT, Content, DEPTH_LIMIT};
use super::reader::Report;
use super::{Diagnostic, spec, templates, yaml};
use crate::domain::DriverVersion;

/// The specification's file name.
pub const SPEC_FILE: &str = "driver.styrmin.yml";

/// A driver version that may be recorded, and what is worth knowing about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The driver version.
    pub version: DriverVersion,
    /// Unknown fields, things that are not run yet: nothing that keeps it from being deployed.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a driver from a directory. Symbolic links are refused, hidden files left out.
///
/// # Errors
/// Everything that is wrong with its files, and its warnings, each with its place. [`super::problem`] makes one message of it.
pub fn load_directory(directory: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let mut reading = Reading { root: directory, content: Content::default() };
    reading.directory(Path::new(""), 0).map_err(|error| vec![error])?;
    load_content(&directory.display().to_string(), reading.content)
}

/// Reads a driver from its texts, each by its path inside the driver. `source` says where they come from.
///
/// # Errors
/// Everything that is wrong with them, and their warnings, each with its place.
pub fn load_files(source: &str, files: BTreeMap<String, String>) -> Result<Loaded, Vec<Diagnostic>> {
    load_content(source, Content::from(files))
}

/// Reads a driver from its files. `source` says where they come from.
///
/// # Errors
/// Everything that is wrong with them, and their warnings, each with its place.
pub fn load_content(source: &str, content: Content) -> Result<Loaded, Vec<Diagnostic>> {
    let Some(text) = content.texts.get(SPEC_FILE) else {
        let hint = super::suggest::hint(SPEC_FILE, content.paths());
        return Err(vec![Diagnostic::of_file(SPEC_FILE, "the driver has no such file", hint)]);
    };
    let mut report = Report::new(SPEC_FILE, text);
    let read = match yaml::parse(SPEC_FILE, text) {
        Ok(node) => spec::read(&node, &content, &mut report),
        Err(error) => {
            report.errors.push(error);
            None
        }
    };
    let Report { mut errors, mut warnings, .. } = report;
    let chart = read.as_ref().and_then(|(_, spec)| spec.helm.as_ref());
    errors.extend(templates::check(&content.texts, chart));
    check_content(
        read.as_ref().is_some_and(|(_, spec)| spec.helm.is_some()),
        &content.texts,
        &mut errors,
        &mut warnings,
    );
    match read {
        Some((reference, spec)) if errors.is_empty() => {
            let mut version = DriverVersion {
                reference,
                source: source.to_owned(),
                spec,
                files: content.texts,
                binaries: content.binaries,
                ..DriverVersion::default()
            };
            version.digest = version.content_digest();
            Ok(Loaded { version, warnings })
        }
        _ => {
            errors.extend(warnings);
            errors.sort();
            Err(errors)
        }
    }
}

/// A driver has either a chart or manifests.
fn check_content(
    helm: bool,
    files: &BTreeMap<String, String>,
    errors: &mut Vec<Diagnostic>,
    warnings: &mut Vec<Diagnostic>,
) {
    let manifests = files.keys().filter(|path| templates::is_manifest(path)).count();
    if helm && manifests > 0 {
        let message = "the driver has both spec.helm and manifests/*.yaml.j2";
        errors.push(Diagnostic::of_file(SPEC_FILE, message, "keep one of them"));
    }
    // A broken spec.helm was told already: then the missing chart is not told again.
    if !helm && manifests == 0 && errors.is_empty() {
        let message = "the driver has neither spec.helm nor manifests/*.yaml.j2";
        errors.push(Diagnostic::of_file(
            SPEC_FILE,
            message,
            "there is nothing to deploy without one of them",
        ));
    }
    for path in files.keys().filter(|path| path.starts_with("manifests/")) {
        if !templates::is_manifest(path) && !templates::is_template(path) {
            let hint = "manifests end in .yaml.j2";
            warnings.push(Diagnostic::of_file(path, "this file is not rendered", hint).into_warning());
        }
    }
}

/// The walk through a driver's directory.
struct Reading<'a> {
    root: &'a Path,
    content: Content,
}

impl Reading<'_> {
    fn directory(&mut self, inside: &Path, depth: usize) -> Result<(), Diagnostic> {
        let shown = if depth == 0 { self.root.display().to_string() } else { inside.display().to_string() };
        if depth > DEPTH_LIMIT {
            return Err(refusal(&shown, format!("directories are nested deeper than {DEPTH_LIMIT}")));
        }
        let unreadable = |error: std::io::Error| refusal(&shown, format!("it cannot be read: {error}"));
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(self.root.join(inside)).map_err(unreadable)? {
            paths.push(inside.join(entry.map_err(unreadable)?.file_name()));
            if paths.len() > COUNT_LIMIT {
                return Err(refusal(&shown, format!("it has more than {COUNT_LIMIT} entries")));
            }
        }
        paths.sort();
        paths.into_iter().try_for_each(|path| self.entry(&path, depth))
    }

    fn entry(&mut self, inside: &Path, depth: usize) -> Result<(), Diagnostic> {
        let shown = inside.display().to_string();
        let Some(path) = inside.to_str() else {
            return Err(refusal(&shown, "its name is no UTF-8 text".to_owned()));
        };
        if Content::leaves_out(path) {
            return Ok(());
        }
        let kind = fs::symlink_metadata(self.root.join(inside))
            .map_err(|error| refusal(&shown, format!("it cannot be read: {error}")))?
            .file_type();
        if kind.is_symlink() {
            return Err(Diagnostic::of_file(
                &shown,
                "it is a symbolic link",
                "copy what it points at into the driver",
            ));
        }
        if kind.is_dir() {
            return self.directory(inside, depth + 1);
        }
        if !kind.is_file() {
            return Err(refusal(&shown, "it is neither a file nor a directory".to_owned()));
        }
        let unreadable = |error: std::io::Error| refusal(&shown, format!("it cannot be read: {error}"));
        let mut bytes = Vec::new();
        let file = File::open(self.root.join(inside)).map_err(unreadable)?;
        file.take(Content::FILE_LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        self.content.add(path, bytes)
    }
}

fn refusal(file: &str, message: String) -> Diagnostic {
    Diagnostic::of_file(file, message, "")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const SPEC: &str = "apiVersion: styrmin.io/v1\nkind: ApplicationDriver\nmetadata: { name: a }\nspec: { version: '1', default_version: '1', components: { a: { identifier: { label: { x: z } } } } }\n";

    /// A directory with a small driver in it.
    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("manifests")).unwrap();
        fs::create_dir(directory.path().join(".git")).unwrap();
        fs::write(directory.path().join(".git/config"), "secret").unwrap();
        fs::write(directory.path().join(SPEC_FILE), SPEC).unwrap();
        fs::write(directory.path().join("manifests/a.yaml.j2"), "a: 1\n").unwrap();
        directory
    }

    fn refused(directory: &tempfile::TempDir) -> String {
        load_directory(directory.path()).unwrap_err()[0].to_string()
    }

    #[test]
    fn a_directory_is_read_without_its_hidden_files() {
        let loaded = load_directory(directory().path()).unwrap();
        let paths: Vec<_> = loaded.version.files.keys().map(String::as_str).collect();
        assert_eq!(paths, [SPEC_FILE, "manifests/a.yaml.j2"]);
        assert_eq!(loaded.warnings, []);
    }

    #[test]
    fn an_error_hides_no_warning() {
        let spec = SPEC.replace("spec: { ", "spec: { supported_versons: '>=1', helm: 3, ");
        let files = BTreeMap::from([
            (SPEC_FILE.to_owned(), spec),
            ("manifests/a.yaml.j2".to_owned(), "a: 1".to_owned()),
            ("manifests/b.yaml".to_owned(), String::new()),
        ]);
        let found = load_files("test", files).unwrap_err();
        let (errors, warnings): (Vec<_>, Vec<_>) = found.iter().partition(|finding| finding.is_error());
        assert!(found.is_sorted_by_key(|finding| finding.severity) && !errors.is_empty());
        let told: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        assert!(told[0].contains("'supported_versons', it is ignored (did you mean"), "{told:?}");
        assert!(told[1].starts_with("manifests/b.yaml: this file is not rendered"), "{told:?}");
        let problem = crate::driver::problem("test", &found);
        assert!(!problem.why.contains("versons") && problem.why.contains("spec.helm"), "{problem}");
    }

    #[test]
    fn what_is_not_rendered_warns_and_what_is_no_text_is_part_of_the_digest() {
        let directory = directory();
        let before = load_directory(directory.path()).unwrap().version;
        fs::write(directory.path().join("manifests/b.yaml"), "b: 1\n").unwrap();
        let warnings = load_directory(directory.path()).unwrap().warnings;
        let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings, ["manifests/b.yaml: this file is not rendered (manifests end in .yaml.j2)"]);

        fs::remove_file(directory.path().join("manifests/b.yaml")).unwrap();
        fs::write(directory.path().join("logo.png"), [0xFF, 0xFE, 0x00]).unwrap();
        let first = load_directory(directory.path()).unwrap();
        assert_eq!(first.warnings, []);
        assert_eq!(&*first.version.binaries["logo.png"], [0xFF, 0xFE, 0x00]);
        fs::write(directory.path().join("logo.png"), [0xFF, 0xFE, 0x01]).unwrap();
        let second = load_directory(directory.path()).unwrap();
        assert_ne!(before.digest, first.version.digest);
        assert_ne!(first.version.digest, second.version.digest);
    }

    #[test]
    fn links_and_oversized_files_are_refused() {
        let linked = directory();
        symlink("/etc/passwd", linked.path().join("manifests/b.yaml.j2")).unwrap();
        assert!(refused(&linked).starts_with("manifests/b.yaml.j2: it is a symbolic link"));

        let large = directory();
        fs::write(large.path().join("big"), vec![b'x'; Content::FILE_LIMIT + 1]).unwrap();
        assert!(refused(&large).starts_with("big: it is larger than"));

        let deep = directory();
        fs::create_dir_all(deep.path().join(vec!["d"; DEPTH_LIMIT + 2].join("/"))).unwrap();
        assert!(refused(&deep).contains("nested deeper"));
    }

    #[test]
    fn a_missing_directory_and_a_broken_template_are_told() {
        let errors = load_directory(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(errors[0].to_string().starts_with("/nowhere/at/all: it cannot be read"), "{errors:?}");

        let broken = directory();
        fs::write(broken.path().join("manifests/b.yaml.j2"), "a: 1\nb: {{ 1 +\n").unwrap();
        let errors = load_directory(broken.path()).unwrap_err();
        assert_eq!((errors.len(), errors[0].file.as_str()), (1, "manifests/b.yaml.j2"));
        assert!(errors[0].line >= 2, "{errors:?}");
        let problem = crate::driver::problem("x", &errors);
        assert!(problem.why.contains("manifests/b.yaml.j2:"), "{problem}");
    }
}
