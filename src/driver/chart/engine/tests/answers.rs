//! What the real Helm 3.17.3 answers: `answers.txt` has each template and its output or error, as JSON texts.

use super::*;

const ANSWERS: &str = include_str!("answers.txt");
const VALUES: &str = include_str!("values.yaml");

/// The template stands in a definition that a file includes, as it did when Helm was asked.
fn answer(template: &str) -> String {
    let mut templates = templates(Limits::default());
    let values = yaml::read(VALUES, Numbers::Float).unwrap();
    let about =
        Value::dict([("Name", Value::text("c/templates/a.yaml")), ("BasePath", Value::text("c/templates"))]);
    let release = Value::dict([("Name", Value::text("release-name"))]);
    let dot = Value::dict([("Values", values), ("Template", about), ("Release", release)]);
    let made = templates
        .add("c/templates/_b.tpl", &format!("{{{{- define \"body\" }}}}{template}{{{{ end }}}}"))
        .and_then(|()| templates.add("c/templates/a.yaml", "{{ include \"body\" . }}"))
        .and_then(|()| templates.execute("c/templates/a.yaml", &dot));
    let outermost =
        "template: c/templates/a.yaml:1:3: executing \"c/templates/a.yaml\" at <include \"body\" .>: ";
    match made {
        Ok(text) => text,
        Err(error) => {
            let error = error.to_string();
            let inner = error.strip_prefix(outermost).unwrap_or(&error);
            format!("Error: {}", inner.strip_prefix("error calling include: ").unwrap_or(inner))
        }
    }
}

/// Of a message that has a colon, Helm shows only what follows the last one when a template cannot be read.
fn agree(helm: &str, ours: &str) -> bool {
    match helm.strip_prefix("Error: parse error at (").and_then(|rest| rest.split_once("): ")) {
        Some((place, message)) => {
            ours.starts_with(&format!("Error: parse error at ({place})")) && ours.ends_with(message)
        }
        None => helm == ours,
    }
}

#[test]
fn templates_make_what_helm_makes_of_them() {
    let differences = on_deep_stack(|| {
        let mut differences = Vec::new();
        let mut lines = ANSWERS.lines();
        while let (Some(template), Some(expected)) = (lines.next(), lines.next()) {
            let template: String = serde_json::from_str(template).unwrap();
            let expected: String = serde_json::from_str(expected.trim()).unwrap();
            let made = answer(&template);
            if !agree(&expected, &made) {
                differences.push(format!("{template}\n  Helm: {expected}\n  ours: {made}"));
            }
        }
        differences
    });
    let differences = differences.unwrap();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(ANSWERS.lines().count() > 800);
}
