//! The functions against tables of what `helm` 3.17.3 answers.
//!
//! A table has an expression of templates in each line, statements separated by ` ; `, and below it, indented, what the last
//! one prints, as a string of JSON, or `! ` and the error. With `STYRMIN_HELM=/path/to/helm` the tables themselves are compared
//! with that binary, and with `STYRMIN_HELM_WRITE=1` beside it they are written anew.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;


use super::super::random::Draw;
use super::super::value::Value;
use super::{Surroundings, find};

mod expression;
mod oracle;

pub(super) use expression::evaluate;

fn surroundings() -> Surroundings {
    let now = "2024-02-03T04:05:06.789Z".parse().unwrap();
    Surroundings { now, draw: RefCell::new(Draw::new([1; 32], now)) }
}

/// A case of a table, and what is expected: the printed text, or an error.
struct Case {
    expression: String,
    expected: Option<Result<String, String>>,
}

fn table_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/driver/chart/functions/tests").join(name)
}

fn read_table(name: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in fs::read_to_string(table_path(name)).unwrap().lines() {
        match line.strip_prefix("    ") {
            Some(answer) => {
                let answer = match answer.strip_prefix("! ") {
                    Some(error) => Err(error.to_owned()),
                    None => Ok(serde_json::from_str(answer).unwrap()),
                };
                cases.last_mut().unwrap().expected = Some(answer);
            }
            None if line.starts_with('#') || line.is_empty() => {}
            None => cases.push(Case { expression: line.to_owned(), expected: None }),
        }
    }
    cases
}

/// Compares each answer of a table with ours.
fn check(name: &str) {
    let cases = read_table(name);
    let mut wrong = Vec::new();
    for case in &cases {
        let ours = evaluate(&case.expression, &surroundings());
        if case.expected.as_ref() != Some(&ours) {
            wrong.push(format!("{}\n  wanted {:?}\n  got    {ours:?}", case.expression, case.expected));
        }
    }
    assert!(cases.len() > 10, "{name} has only {} cases", cases.len());
    assert!(wrong.is_empty(), "{} of {} cases in {name}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

const TABLES: &[&str] = &["strings.txt", "lists.txt", "dicts.txt", "numbers.txt", "words.txt", "regexes.txt", "versions.txt", "dates.txt", "urls.txt", "json.txt", "passwords.txt"];

#[test]
fn strings_are_as_in_helm() {
    check("strings.txt");
}

#[test]
fn lists_are_as_in_helm() {
    check("lists.txt");
}

#[test]
fn dictionaries_are_as_in_helm() {
    check("dicts.txt");
}

#[test]
fn numbers_and_paths_are_as_in_helm() {
    check("numbers.txt");
}

#[test]
fn words_and_encodings_are_as_in_helm() {
    check("words.txt");
}

#[test]
fn regular_expressions_are_as_in_helm() {
    check("regexes.txt");
}

#[test]
fn versions_are_as_in_helm() {
    check("versions.txt");
}

#[test]
fn dates_are_as_in_helm() {
    check("dates.txt");
}

#[test]
fn addresses_are_as_in_helm() {
    check("urls.txt");
}

#[test]
fn json_is_as_in_helm() {
    check("json.txt");
}

#[test]
fn passwords_and_certificates_fail_as_in_helm() {
    check("passwords.txt");
}

#[test]
fn the_tables_are_what_helm_answers() {
    let Some(helm) = std::env::var_os("STYRMIN_HELM") else {
        println!("skipped: STYRMIN_HELM names no helm");
        return;
    };
    for name in TABLES {
        let cases = read_table(name);
        let answers = oracle::ask(&helm, &cases.iter().map(|case| &*case.expression).collect::<Vec<_>>());
        if std::env::var_os("STYRMIN_HELM_WRITE").is_some() {
            oracle::write(&table_path(name), &answers);
            continue;
        }
        for (case, (_, answer)) in cases.iter().zip(answers) {
            assert_eq!(case.expected.as_ref(), Some(&answer), "{name}: {}", case.expression);
        }
    }
}

#[test]
fn unknown_names_are_not_found() {
    assert!(find("trunc").is_some());
    for name in ["env", "expandenv", "include", "toYaml", ""] {
        assert!(find(name).is_none(), "{name}");
    }
}
