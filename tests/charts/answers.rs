//! What a real helm 3 said of each case, recorded in `answers/`: compared with where there is no helm.
//!
//! `STYRMIN_RECORD_HELM=1 STYRMIN_HELM=<a helm 3> cargo test --test charts` records anew.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::case;

/// What a helm said of one case; random texts are masked.
pub struct Answer {
    /// The helm's major version.
    pub major: u32,
    /// What it printed, or why it refused.
    pub documents: Result<String, String>,
    /// The notes; none when the chart has none.
    pub notes: Option<String>,
    /// What Go reads of each of our documents that is one object.
    pub objects: Vec<Value>,
}

/// The answers to the cases of one chart.
#[derive(Default)]
pub struct Answers(BTreeMap<String, String>);

/// Whether answers are recorded.
pub fn recording() -> bool {
    std::env::var_os("STYRMIN_RECORD_HELM").is_some()
}

fn path(name: &str) -> PathBuf {
    case::home().join(case::ANSWERS).join(format!("{name}.txt"))
}

impl Answers {
    /// Those that are recorded.
    pub fn recorded(name: &str) -> Self {
        let path = path(name);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let text = format!("\n{}", text.strip_suffix('\n').unwrap());
        let sections = text.split("\n=== ").skip(1).map(|section| section.split_once('\n').unwrap());
        Self(sections.map(|(title, text)| (title.to_owned(), text.to_owned())).collect())
    }

    /// Writes them down.
    pub fn record(&self, name: &str) {
        let path = path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let section = |(title, text): (&String, &String)| {
            assert!(!format!("\n{text}").contains("\n=== "), "{name}, {title}: it cannot be told apart");
            format!("=== {title}\n{text}\n")
        };
        std::fs::write(path, self.0.iter().map(section).collect::<String>()).unwrap();
    }

    /// The text under a title.
    #[track_caller]
    pub fn text(&self, title: &str) -> &str {
        self.0.get(title).unwrap_or_else(|| panic!("no answer '{title}' is recorded"))
    }

    pub fn add_text(&mut self, title: &str, text: &str) {
        self.0.insert(title.to_owned(), text.to_owned());
    }

    /// The answer to a case.
    #[track_caller]
    pub fn get(&self, case: &str) -> Answer {
        let part = |kind: &str| self.0.get(&format!("{case}: {kind}")).cloned();
        let refused = part("refused");
        let documents = match refused {
            Some(why) => Err(why),
            None => Ok(self.text(&format!("{case}: documents")).to_owned()),
        };
        let objects = part("objects").unwrap_or_default();
        let objects = objects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Answer { major: 3, documents, notes: part("notes"), objects }
    }

    /// Keeps the answer to a case.
    pub fn add(&mut self, case: &str, answer: &Answer) {
        match &answer.documents {
            Err(why) => self.add_text(&format!("{case}: refused"), why),
            Ok(text) => {
                self.add_text(&format!("{case}: documents"), text);
                let lines: Vec<String> = answer.objects.iter().map(Value::to_string).collect();
                self.add_text(&format!("{case}: objects"), &lines.join("\n"));
            }
        }
        if let Some(notes) = &answer.notes {
            self.add_text(&format!("{case}: notes"), notes);
        }
    }
}
