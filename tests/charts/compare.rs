//! Compares what the real helm makes of a chart with what we make of it.

use std::fmt::Write;
use std::path::Path;

use regex::Regex;
use serde_json::Value;
use similar::TextDiff;
use styrmin::driver::chart::Rendered;

use crate::case::{self, Case};
use crate::helm::{self, Helm};
use crate::ours;

/// Charts that Helm 4 renders otherwise than Helm 3, which is the one that we follow.
const CHANGED_IN_4: &[(&str, &str)] = &[
    ("language", "`!=` allows no prerelease any more, and a default of null is no value"),
    ("legacy", "`.Chart` is a dictionary"),
    ("refusals", "`.Chart` is a dictionary, in which any name is allowed"),
    ("umbrella", "a default of null is no value"),
];

/// Renders every case of a chart with every helm, and fails with all differences.
pub fn chart(name: &str) {
    let directory = case::directory(name);
    let helms = helm::all();
    if helms.is_empty() {
        println!(
            "skipped: no helm (STYRMIN_HELM names none, none is beside a kubectl, and none is on the PATH)"
        );
    }
    let masks = Masks::of(&directory);
    let mut wrong = String::new();
    for helm in &helms {
        let changed = CHANGED_IN_4.iter().find(|(chart, _)| helm.major > 3 && *chart == name);
        if let Some((_, why)) = changed {
            println!("not compared with helm {}: {why}", helm.major);
            continue;
        }
        for case in case::cases(name) {
            let place = format!("{name}, {}, helm {}", case.name, helm.major);
            println!("{place}");
            let told = helm.template(&directory, &case.words());
            assert_eq!(told.content, !case.is_refused(), "{place}: {}", told.complaint);
            let ours = ours::rendered(&directory, &case);
            let found = match (told.content, &ours) {
                (true, Ok(rendered)) => {
                    let mut found =
                        texts(helm, &masks.apply(&told.output), &masks.apply(&ours::printed(rendered)));
                    found += &objects(helm, rendered);
                    found += &notes(helm, &directory, &case, &masks, rendered);
                    found
                }
                (false, Err(error)) => complaints(helm, &told.complaint, error),
                (true, Err(error)) => format!("helm renders it, we do not: {error}\n"),
                (false, Ok(_)) => format!("we render it, helm does not: {}\n", told.complaint),
            };
            if !found.is_empty() {
                writeln!(wrong, "== {place}\n{found}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The difference of two texts; empty when there is none.
fn difference(helm: &str, ours: &str) -> String {
    if helm == ours {
        return String::new();
    }
    TextDiff::from_lines(helm, ours).unified_diff().context_radius(3).header("helm", "ours").to_string()
}

fn texts(helm: &Helm, theirs: &str, ours: &str) -> String {
    if helm.major == 3 {
        return difference(theirs, ours);
    }
    // Helm 4 leaves blank lines at the end of documents.
    let trimmed = |text: &str| {
        let documents: Vec<&str> = text.split("---\n# Source: ").map(str::trim_end).collect();
        documents.join("\n---\n# Source: ") + "\n"
    };
    difference(&trimmed(theirs), &trimmed(ours))
}

/// What Go reads of our documents and what we read of them.
fn objects(helm: &Helm, rendered: &Rendered) -> String {
    let documents: Vec<_> = rendered
        .documents
        .iter()
        .chain(&rendered.crds)
        .chain(rendered.hooks.iter().map(|hook| &hook.document))
        .filter(|document| document.objects.len() == 1)
        .collect();
    let texts: Vec<&str> = documents.iter().map(|document| document.text.as_str()).collect();
    let read = helm.read(&texts);
    assert_eq!(read.len(), documents.len());
    let mut found = String::new();
    for (theirs, document) in read.iter().zip(documents) {
        fields(&document.source, theirs, &document.objects[0], &mut found);
    }
    found
}

/// Every field in which two values differ. Numbers are compared as floats: that is what the real helm reads.
fn fields(path: &str, theirs: &Value, ours: &Value, found: &mut String) {
    let same = match (theirs, ours) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let none = Value::from("<nothing>");
                fields(
                    &format!("{path}.{key}"),
                    left.get(key).unwrap_or(&none),
                    right.get(key).unwrap_or(&none),
                    found,
                );
            }
            true
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                fields(&format!("{path}[{index}]"), left, right, found);
            }
            true
        }
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (left, right) => left == right,
    };
    if !same {
        writeln!(found, "{path}: helm reads {theirs}, we read {ours}").unwrap();
    }
}

/// The notes, which `helm template` does not print: the real helm renders them as a document of a copy of the chart.
fn notes(helm: &Helm, directory: &Path, case: &Case, masks: &Masks, rendered: &Rendered) -> String {
    let Ok(notes) = std::fs::read_to_string(directory.join("templates/NOTES.txt")) else {
        return String::new();
    };
    let copy = tempfile::tempdir().unwrap();
    for (path, content) in case::files(directory) {
        let path = copy.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let template = format!(
        "{{{{ define \"the.notes\" }}}}{notes}{{{{ end }}}}# {{{{ include \"the.notes\" . | toJson }}}}\n"
    );
    std::fs::write(copy.path().join("templates/the-notes.yaml"), template).unwrap();
    let mut words = case.words();
    words.extend(["--show-only".to_owned(), "templates/the-notes.yaml".to_owned()]);
    let told = helm.template(copy.path(), &words);
    assert!(told.content, "{}", told.complaint);
    let line = told.output.lines().find_map(|line| line.strip_prefix("# \"")).unwrap();
    let theirs: String = serde_json::from_str(&format!("\"{line}")).unwrap();
    difference(&masks.apply(&theirs), &masks.apply(&rendered.notes))
}

/// What the real helm says of a chart that cannot be rendered, and what we say.
fn complaints(helm: &Helm, theirs: &str, ours: &str) -> String {
    let theirs = theirs.split("\n\nUse --debug flag").next().unwrap_or_default().trim();
    let theirs =
        theirs.lines().skip_while(|line| !line.starts_with("Error: ")).collect::<Vec<_>>().join("\n");
    let theirs = theirs.trim_start_matches("Error: ");
    let (theirs, ours) = (core(helm, theirs), core(helm, ours));
    if theirs == ours { String::new() } else { format!("helm says: {theirs}\nwe say:    {ours}\n") }
}

/// The part of a message that is compared. Of violations of a schema it is their charts and paths: the words are those of the library.
fn core(helm: &Helm, message: &str) -> String {
    let message = message.trim();
    // The words and the line are those of the YAML library.
    if let Some((message, _)) = message.split_once(" YAML to JSON:") {
        return message.to_owned();
    }
    // Go prints the value here, which may be a secret.
    if message.starts_with("type mismatch on ") {
        return message.split(':').next().unwrap_or_default().to_owned();
    }
    if let Some((_, message)) = message.split_once("values don't meet the specifications") {
        let mut lines: Vec<String> = message
            .lines()
            .skip(1)
            .filter_map(|line| match line.trim().strip_prefix("- ") {
                // Helm 4 writes `at '/a/b': …` where Helm 3 writes `a.b: …`.
                Some(rule) if rule.starts_with("at '") => {
                    let path = rule
                        .trim_start_matches("at '")
                        .split('\'')
                        .next()?
                        .trim_start_matches('/')
                        .replace('/', ".");
                    Some(format!("- {}", if path.is_empty() { "(root)" } else { &path }))
                }
                Some(rule) => Some(format!("- {}", rule.split(':').next()?)),
                None => Some(line.trim().to_owned()),
            })
            .collect();
        lines.sort();
        lines.dedup();
        return lines.join("\n");
    }
    // Ours never fill more than a screen: of a long one the end is compared.
    if message.len() > 2_000 || message.contains(" more calls) ") {
        return message.rsplit("error calling").next().unwrap_or_default().to_owned();
    }
    if helm.major == 3 {
        return message.to_owned();
    }
    // Helm 4 tells the stack line by line; what it comes to is the last thing.
    message.rsplit([':', '\n']).next().unwrap_or_default().trim().to_owned()
}

/// What of a chart's text is random: its shape is compared.
struct Masks(Vec<Regex>);

impl Masks {
    /// Each line of `ci/random.txt` is a regular expression whose group is random.
    fn of(directory: &Path) -> Self {
        let text = std::fs::read_to_string(directory.join("ci/random.txt")).unwrap_or_default();
        Self(text.lines().map(|line| Regex::new(line).unwrap()).collect())
    }

    fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for mask in &self.0 {
            let replaced = mask.replace_all(&text, |captures: &regex::Captures<'_>| {
                let (whole, inner) = (captures.get(0).unwrap(), captures.get(1).unwrap());
                let shape: String = inner
                    .as_str()
                    .chars()
                    .map(|letter| if letter.is_ascii_alphanumeric() { 'x' } else { letter })
                    .collect();
                format!("{}{shape}{}", &text[whole.start()..inner.start()], &text[inner.end()..whole.end()])
            });
            text = replaced.into_owned();
        }
        text
    }
}
