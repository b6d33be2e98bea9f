//! Holds the table of rooms: who may name whom, and how large files, functions and structs may grow.
//!
//! It reads the text of `src/**`, so that a forbidden direction fails here, with the line, before anybody builds on it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, in lines.
const FILE_MAX: usize = 600;
/// Longest function, in lines of code (blank lines and comments do not count).
const FUNCTION_MAX: usize = 80;
/// Most fields of a struct.
const FIELDS_MAX: usize = 15;
/// The median file stays below this.
const MEDIAN_MAX: usize = 200;

/// A room and the rooms that it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("driver", &["domain", "ingress"]),
    ("store", &["domain"]),
    ("cluster", &["domain"]),
    ("operate", &["domain", "store"]),
    ("reconcile", &["domain", "driver", "store", "cluster", "operate", "hooks", "ingress"]),
    ("hooks", &["domain"]),
    ("backup", &["domain", "store", "cluster", "operate"]),
    ("ingress", &["domain"]),
    ("sandbox", &[]),
    ("ui", &["domain"]),
    (
        "app",
        &["domain", "driver", "store", "cluster", "reconcile", "hooks", "backup", "ingress", "sandbox", "ui"],
    ),
    ("cli", &["app", "domain", "driver", "hooks", "sandbox"]),
];

/// A library and the only places that may name it.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("kube::", &["cluster/", "cluster.rs"]),
    ("k8s_openapi::", &["cluster/", "cluster.rs", "sandbox/openapi/types.rs"]),
    ("rusqlite::", &["store/", "store.rs", "sandbox/persist.rs", "sandbox/persist/"]),
    ("ratatui::", &["ui/", "ui.rs", "app/"]),
    ("crossterm::", &["ui/", "ui.rs", "app/"]),
    ("minijinja::", &["driver/", "driver.rs"]),
    ("starlark::", &["hooks/worker/", "hooks/worker.rs"]),
    ("starlark_syntax::", &["hooks/worker/", "hooks/worker.rs"]),
    ("rustic_core::", &["backup/", "backup.rs"]),
    ("clap::", &["cli/", "cli.rs"]),
];

struct Source {
    path: String,
    lines: Vec<String>,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut pending = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push(Source { path, lines: text.lines().map(str::to_owned).collect() });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 20, "the test looks in the wrong place: {} files", found.len());
    found
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("/tests/") || path.ends_with("_tests.rs")
}

/// The lines outside comments and outside a trailing `mod tests`, with their numbers.
fn code(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let end = source
        .lines
        .windows(2)
        .position(|pair| {
            pair[0].trim() == "#[cfg(test)]" && pair[1].trim().starts_with("mod ") && pair[1].ends_with('{')
        })
        .unwrap_or(source.lines.len());
    source.lines[..end]
        .iter()
        .enumerate()
        .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or("")))
        .filter(|(_, line)| !line.trim().is_empty())
}

fn room_of(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap()
}

#[test]
fn rooms_use_only_what_they_may() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !is_test_file(&source.path)) {
        let room = room_of(&source.path);
        if room == "lib" || room == "main" {
            continue;
        }
        let allowed = ROOMS.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
        let Some(allowed) = allowed else {
            wrong.push(format!("src/{}: the room `{room}` is not in the table", source.path));
            continue;
        };
        for (number, line) in code(source) {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if used != room
                    && ROOMS.iter().any(|(name, _)| *name == used)
                    && !allowed.contains(&used.as_str())
                {
                    wrong.push(format!("src/{}:{number}: `{room}` may not use `{used}`", source.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "forbidden directions:\n{}", wrong.join("\n"));
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !is_test_file(&source.path)) {
        for (number, line) in code(source) {
            for (library, places) in LIBRARIES {
                let named = line.match_indices(library).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                });
                if named && !places.iter().any(|place| source.path.starts_with(place)) {
                    wrong.push(format!("src/{}:{number}: names `{library}`", source.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "libraries outside their rooms:\n{}", wrong.join("\n"));
}

#[test]
fn files_stay_small() {
    let sources = sources();
    let large: Vec<String> = sources
        .iter()
        .filter(|source| source.lines.len() > FILE_MAX)
        .map(|source| format!("src/{}: {} lines", source.path, source.lines.len()))
        .collect();
    assert!(large.is_empty(), "files over {FILE_MAX} lines:\n{}", large.join("\n"));
    let mut lengths: Vec<usize> = sources.iter().map(|source| source.lines.len()).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median < MEDIAN_MAX, "the median file has {median} lines");
    let main = sources.iter().find(|source| source.path == "main.rs").unwrap();
    assert!(main.lines.len() < 60, "main.rs has {} lines", main.lines.len());
}

/// Blocks that start with a line for which `starts` holds, as `(first line, lines of code between its braces)`. The code is
/// formatted, so a block ends at the first `}` with the indentation of its start.
fn blocks(source: &Source, starts: impl Fn(&str) -> bool) -> Vec<(usize, Vec<&str>)> {
    let lines: Vec<(usize, &str)> = code(source).collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (index, (number, line)) in lines.iter().enumerate() {
        if !starts(line.trim_start()) {
            continue;
        }
        let depth = indent(line);
        let body: Vec<&str> = lines[index + 1..]
            .iter()
            .take_while(|(_, inner)| {
                !(indent(inner) == depth && inner.trim_start().starts_with('}')) && indent(inner) >= depth
            })
            .map(|(_, inner)| *inner)
            .collect();
        found.push((*number, body));
    }
    found
}

fn without_visibility(line: &str) -> &str {
    let line = line
        .strip_prefix("pub")
        .map_or(line, |rest| rest.find(' ').map_or(rest, |at| rest[at..].trim_start()));
    line.strip_prefix("async ").or_else(|| line.strip_prefix("const ")).unwrap_or(line)
}

#[test]
fn functions_stay_short() {
    let mut long = Vec::new();
    for source in sources().iter().filter(|source| !is_test_file(&source.path)) {
        for (number, body) in blocks(source, |line| {
            without_visibility(line).starts_with("fn ") && !line.ends_with(';') && !line.ends_with('}')
        }) {
            if body.len() > FUNCTION_MAX {
                long.push(format!("src/{}:{number}: {} lines", source.path, body.len()));
            }
        }
    }
    assert!(long.is_empty(), "functions over {FUNCTION_MAX} lines:\n{}", long.join("\n"));
}

#[test]
fn structs_stay_small() {
    let mut large = Vec::new();
    for source in sources() {
        for (number, body) in
            blocks(&source, |line| without_visibility(line).starts_with("struct ") && line.ends_with('{'))
        {
            let depth = body.first().map_or(0, |line| line.len() - line.trim_start().len());
            let fields = body
                .iter()
                .filter(|line| {
                    line.len() - line.trim_start().len() == depth
                        && !line.trim_start().starts_with('#')
                        && line.contains(':')
                })
                .count();
            if fields > FIELDS_MAX {
                large.push(format!("src/{}:{number}: {fields} fields", source.path));
            }
        }
    }
    assert!(large.is_empty(), "structs over {FIELDS_MAX} fields:\n{}", large.join("\n"));
}
