//! Templates that cannot be parsed: where the real helm says so, and why.

use crate::answers::{self, Answers};
use crate::case::Case;
use crate::helm;
use crate::ours;

/// Each with a name.
const TEMPLATES: &[(&str, &str)] = &[
    ("bad-assign", r##"{{ $x = 1 }}"##),
    ("bad-char", r##"{{ 'ab' }}"##),
    ("bad-character", r##"{{ .Values.text ^ }}"##),
    ("bad-comment", r##"{{/* never closed }}"##),
    ("bad-else", r##"{{ else }}"##),
    ("bad-escape", r##"{{ "\q" }}"##),
    ("bad-number", r##"{{ 12x }}"##),
    ("bad-string", r##"{{ "abc }}"##),
    ("break-outside", r##"{{ break }}"##),
    ("chain-number", r##"{{ 1.foo }}"##),
    ("dash-field", r##"{{ .Values.a-b }}"##),
    ("declare-in-pipe", r##"{{ 1 | $x := 2 }}"##),
    ("define-in-if", r##"{{ if 1 }}{{ define "x" }}{{ end }}{{ end }}"##),
    ("define-twice", r##"{{ define "a" }}1{{ end }}{{ define "a" }}2{{ end }}{{ nosuch }}"##),
    ("define-unnamed", r##"{{ define }}x{{ end }}"##),
    ("dot-dot", r##"{{ ..x }}"##),
    ("double-else", r##"{{ if 1 }}{{ else }}{{ else }}{{ end }}"##),
    ("else-with-range", r##"{{ range . }}{{ else range . }}{{ end }}"##),
    ("empty-command", r##"{{ }}"##),
    ("in-define", "{{ define \"x\" }}\n{{ if 1 }}\n{{ end }}{{ nosuch }}{{ end }}"),
    ("keyword-field", r##"{{ .end }}{{ else if }}"##),
    ("late-pipe", r##"{{ 1 | }}"##),
    ("missing-value", r##"{{ if }}{{ end }}"##),
    ("nil-pipe", r##"{{ nil | quote }}"##),
    ("parenthesis-late", r##"{{ add 1 2) }}"##),
    ("range-variables", r##"{{ range $a, $b, $c := . }}{{ end }}"##),
    ("template-name", r##"{{ template .x }}"##),
    ("third-line", "a: 1\nb: 2\nc: {{ nosuch }}\n"),
    ("trim-space", r##"{{-.Values.x }} {{ nosuch -}}"##),
    ("unclosed", r##"{{ if .Values.text }}"##),
    ("unclosed-action", r##"{{ .Values.text"##),
    ("unclosed-parenthesis", r##"{{ (add 1 2 }}"##),
    ("unclosed-range", "{{ range .x }}\n{{ if .y }}\n{{ end }}\n"),
    ("undefined-function", r##"{{ nosuch "x" }}"##),
    ("undefined-variable", r##"{{ $nope }}"##),
    ("unexpected-end", r##"{{ end }}"##),
    ("unterminated-raw", r##"{{ `abc }}"##),
    ("with-break", r##"{{ with 1 }}{{ continue }}{{ end }}"##),
];

/// Where the answers are recorded.
const ANSWERS: &str = "parsing";

#[test]
fn what_cannot_be_parsed_is_said_with_helms_words() {
    let helms: Vec<_> = helm::all().into_iter().filter(|helm| helm.major == 3).collect();
    let mut recording = Answers::default();
    let recorded = (!answers::recording()).then(|| Answers::recorded(ANSWERS));
    let mut wrong = Vec::new();
    for (name, template) in TEMPLATES {
        let chart = tempfile::tempdir().unwrap();
        std::fs::create_dir(chart.path().join("templates")).unwrap();
        std::fs::write(chart.path().join("Chart.yaml"), "{apiVersion: v2, name: broken, version: 1.0.0}")
            .unwrap();
        std::fs::write(chart.path().join("templates/t.yaml"), template).unwrap();
        let ours = ours::rendered(chart.path(), &Case::plain()).unwrap_err();
        let mut compare = |theirs: &str| {
            if theirs != last(&ours) {
                wrong.push(format!("{name}\nhelm says: {theirs}\nwe say:    {ours}"));
            }
        };
        if let Some(recorded) = &recorded {
            compare(recorded.text(name));
        }
        for helm in &helms {
            let told = helm.template(chart.path(), &[]);
            assert!(!told.content, "{name}: {}", told.output);
            let theirs = told.complaint.split("\n\nUse --debug").next().unwrap();
            let theirs = theirs.trim_start_matches("Error: ");
            compare(theirs);
            recording.add_text(name, theirs);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if recorded.is_none() {
        assert!(!helms.is_empty(), "there is no helm 3 to record");
        recording.record(ANSWERS);
    }
}

/// Helm keeps only the last part of what the parser says; ours has all of it.
fn last(message: &str) -> String {
    let Some((place, why)) = message.split_once("): ") else { return message.to_owned() };
    format!("{place}): {}", why.rsplit(": ").next().unwrap())
}
