//! Compares what the real helm makes of a chart with what we make of it.

use std::fmt::Write;
use std::path::Path;

use regex::Regex;
use serde_json::Value;
use similar::TextDiff;
use styrmin::driver::chart::{Document, Rendered};

use crate::answers::{self, Answer, Answers};
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

/// Renders every case of a chart, and fails with all differences from what a helm 3 said before, and from what every helm that
/// there is says now.
pub fn chart(name: &str) {
    let directory = case::directory(name);
    let masks = Masks::of(&directory);
    let helms = helm::all();
    let mut recording = Answers::default();
    let recorded = (!answers::recording()).then(|| Answers::recorded(name));
    let mut wrong = String::new();
    for case in case::cases(name) {
        let ours = ours::rendered(&directory, &case);
        assert_eq!(ours.is_ok(), !case.is_refused(), "{name}, {}: {:?}", case.name, ours.err());
        let mut compare = |answer: &Answer, whose: &str| {
            let found = differences(answer, &masks, &ours);
            if !found.is_empty() {
                writeln!(wrong, "== {name}, {}, helm {} {whose}\n{found}", case.name, answer.major).unwrap();
            }
        };
        if let Some(recorded) = &recorded {
            compare(&recorded.get(&case.name), "as recorded");
        }
        for helm in &helms {
            let changed = CHANGED_IN_4.iter().find(|(chart, _)| helm.major > 3 && *chart == name);
            if let Some((_, why)) = changed {
                println!("not compared with helm {}: {why}", helm.major);
                continue;
            }
            println!("{name}, {}, helm {}", case.name, helm.major);
            let answer = ask(helm, &directory, &case, &masks, ours.as_ref().ok());
            assert_eq!(answer.documents.is_err(), case.is_refused(), "{name}, {}", case.name);
            compare(&answer, "now");
            if helm.major == 3 {
                // of a complaint what is compared
                let documents = answer.documents.map_err(|why| core(3, &why));
                recording.add(&case.name, &Answer { documents, ..answer });
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    if recorded.is_none() {
        assert!(helms.iter().any(|helm| helm.major == 3), "there is no helm 3 to record");
        recording.record(name);
    }
}

/// What a helm says of a case.
fn ask(helm: &Helm, directory: &Path, case: &Case, masks: &Masks, ours: Option<&Rendered>) -> Answer {
    let told = helm.template(directory, &case.words());
    let (major, documents) = (helm.major, told.content.then(|| masks.apply(&told.output)));
    let Some(documents) = documents else {
        return Answer {
            major,
            documents: Err(complaint(&told.complaint)),
            notes: None,
            objects: Vec::new(),
        };
    };
    let texts: Vec<&str> = ours.map(single).unwrap_or_default().iter().map(|one| one.text.as_str()).collect();
    let notes = notes(helm, directory, case).map(|notes| masks.apply(&notes));
    Answer { major, documents: Ok(documents), notes, objects: helm.read(&texts) }
}

/// How ours differs from what helm says.
fn differences(answer: &Answer, masks: &Masks, ours: &Result<Rendered, String>) -> String {
    match (&answer.documents, ours) {
        (Ok(documents), Ok(rendered)) => {
            let mut found = texts(answer.major, documents, &masks.apply(&ours::printed(rendered)));
            found += &objects(&answer.objects, rendered);
            if let Some(notes) = &answer.notes {
                found += &difference(notes, &masks.apply(&rendered.notes));
            }
            found
        }
        (Err(theirs), Err(ours)) => complaints(answer.major, theirs, ours),
        (Ok(_), Err(error)) => format!("helm renders it, we do not: {error}\n"),
        (Err(theirs), Ok(_)) => format!("we render it, helm does not: {theirs}\n"),
    }
}

/// The difference of two texts; empty when there is none.
fn difference(helm: &str, ours: &str) -> String {
    if helm == ours {
        return String::new();
    }
    TextDiff::from_lines(helm, ours).unified_diff().context_radius(3).header("helm", "ours").to_string()
}

fn texts(major: u32, theirs: &str, ours: &str) -> String {
    if major == 3 {
        return difference(theirs, ours);
    }
    // Helm 4 leaves blank lines at the end of documents.
    let trimmed = |text: &str| {
        let documents: Vec<&str> = text.split("---\n# Source: ").map(str::trim_end).collect();
        documents.join("\n---\n# Source: ") + "\n"
    };
    difference(&trimmed(theirs), &trimmed(ours))
}

/// Those of our documents that are one object.
fn single(rendered: &Rendered) -> Vec<&Document> {
    rendered
        .documents
        .iter()
        .chain(&rendered.crds)
        .chain(rendered.hooks.iter().map(|hook| &hook.document))
        .filter(|document| document.objects.len() == 1)
        .collect()
}

/// What Go reads of our documents and what we read of them.
fn objects(read: &[Value], rendered: &Rendered) -> String {
    let documents = single(rendered);
    if read.len() != documents.len() {
        return format!("helm reads {} objects, we have {}\n", read.len(), documents.len());
    }
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
fn notes(helm: &Helm, directory: &Path, case: &Case) -> Option<String> {
    let notes = std::fs::read_to_string(directory.join("templates/NOTES.txt")).ok()?;
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
    Some(serde_json::from_str(&format!("\"{line}")).unwrap())
}

/// What the real helm says of a chart that cannot be rendered, without what it says of itself.
fn complaint(told: &str) -> String {
    let told = told.split("\n\nUse --debug flag").next().unwrap_or_default().trim();
    let told = told.lines().skip_while(|line| !line.starts_with("Error: ")).collect::<Vec<_>>().join("\n");
    told.trim_start_matches("Error: ").to_owned()
}

/// What helm says of a chart that cannot be rendered, and what we say.
fn complaints(major: u32, theirs: &str, ours: &str) -> String {
    let (theirs, ours) = (core(major, theirs), core(major, ours));
    if theirs == ours { String::new() } else { format!("helm says: {theirs}\nwe say:    {ours}\n") }
}

/// The part of a message that is compared. Of violations of a schema it is their charts and paths: the words are those of the library.
fn core(major: u32, message: &str) -> String {
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
        return message.rsplit("error calling").next().unwrap_or_default().trim().to_owned();
    }
    if major == 3 {
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
