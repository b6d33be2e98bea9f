//! The real `helm` as the judge of the tables.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Case;
use super::expression::to_template;

/// What helm prints for each expression, or its error.
pub fn ask(helm: &OsStr, expressions: &[&str]) -> Vec<(String, Result<String, String>)> {
    let directory = tempfile::tempdir().unwrap();
    let chart = directory.path();
    fs::create_dir(chart.join("templates")).unwrap();
    fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: c\nversion: 0.1.0\n").unwrap();
    let mut errors: BTreeMap<usize, String> = BTreeMap::new();
    loop {
        // One bad expression fails the whole chart: note its error and ask again without it.
        let mut template = String::new();
        for (index, expression) in expressions.iter().enumerate() {
            if !errors.contains_key(&index) {
                let body = to_template(expression);
                template += &format!(
                    "{{{{ define \"t{index}\" }}}}{body}{{{{ end }}}}k{index}: {{{{ include \"t{index}\" . | b64enc }}}}\n"
                );
            }
        }
        fs::write(chart.join("templates/all.yaml"), template).unwrap();
        let run = Command::new(helm).arg("template").arg("c").arg(chart).output().unwrap();
        let (output, error) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        if run.status.success() {
            let answer = |index: usize, expression: &&str| {
                let printed = || {
                    let key = format!("k{index}: ");
                    let line = output.lines().find_map(|line| line.strip_prefix(&key)).unwrap();
                    String::from_utf8_lossy(&STANDARD.decode(line).unwrap()).into_owned()
                };
                (String::from(*expression), errors.get(&index).cloned().map_or_else(|| Ok(printed()), Err))
            };
            return expressions
                .iter()
                .enumerate()
                .map(|(index, expression)| answer(index, expression))
                .collect();
        }
        let (index, message) = failed(&error);
        assert!(errors.insert(index, message).is_none(), "{error}");
    }
}

/// The number of the failed expression, and the error without the place.
fn failed(error: &str) -> (usize, String) {
    let error = error
        .trim_end_matches('\n')
        .trim_end_matches("Use --debug flag to render out invalid YAML")
        .trim_end_matches('\n');
    let (_, inner) = error.split_once("executing \"t").unwrap_or_else(|| panic!("{error}"));
    let (number, rest) = inner.split_once('"').unwrap();
    let (_, message) = rest.split_once(">: ").unwrap();
    (number.parse().unwrap(), message.to_owned())
}

/// Writes the answers into the table, and keeps its comments.
pub fn write(path: &Path, answers: &[(String, Result<String, String>)]) {
    let mut answers = answers.iter();
    let mut text = String::new();
    for line in fs::read_to_string(path).unwrap().lines().filter(|line| !line.starts_with("    ")) {
        if line.is_empty() || line.starts_with('#') {
            text += line;
            text.push('\n');
        } else {
            let (expression, answer) = answers.next().unwrap();
            text += &Case::line(expression, answer);
        }
    }
    fs::write(path, text).unwrap();
}
