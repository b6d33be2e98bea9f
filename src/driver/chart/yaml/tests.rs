//! What Helm writes as YAML and how it reads it. The files' answers are those of the real Helm 3.17.3.

use proptest::prelude::*;

use super::*;
use crate::driver::chart::json::{self, Numbers};
use crate::driver::chart::value::Value;

fn from_json(text: &str) -> Value {
    json::read(text, Numbers::Float).unwrap()
}

fn answer(line: &str) -> String {
    serde_json::from_str(line.trim()).unwrap()
}

/// `written.txt` has a value as JSON, and what `toYaml`, `toYamlPretty`, and the three JSON functions with `|` between make of it.
#[test]
fn values_are_written_as_by_helm() {
    let lines: Vec<&str> = include_str!("tests/written.txt").lines().collect();
    assert!(lines.len() > 600);
    for case in lines.chunks(4) {
        let [source, yaml, pretty, all_json] = case else { panic!("{case:?}") };
        let value = from_json(source);
        assert_eq!(write(&value).unwrap(), answer(yaml), "{source}");
        assert_eq!(write_pretty(&value).unwrap(), answer(pretty), "{source}");
        let made =
            [json::write, json::write_indented, json::write_unescaped].map(|write| write(&value).unwrap());
        assert_eq!(made.join("|"), answer(all_json), "{source}");
    }
}

/// Where the parser is of another mind than go-yaml: documents that Helm refuses and this reads, and the other way round.
const DEVIATIONS: [&str; 8] = [
    // Escapes that go-yaml does not know.
    "a: 'it''s'\nb: \"x\\ty\\u00e9\\x41\\0\\e\\N\\_\\L\\P\\/\"\n",
    "a: \"\\ud83d\\ude00\"\n",
    "\ta: 1\n",
    "%YAML 1.2\n---\na: 1\n",
    "[?a]\n",
    "...\n",
    "a: \u{feff}b",
    "? - a\n: - b",
];

/// `read.txt` has a document as a JSON text, and its value as JSON, or `error`.
#[test]
fn documents_are_read_as_by_helm() {
    let lines: Vec<&str> = include_str!("tests/read.txt").lines().collect();
    assert!(lines.len() > 350);
    let mut differences = Vec::new();
    for case in lines.chunks(2) {
        let [document, expected] = case else { panic!("{case:?}") };
        let document = answer(document);
        let made = match read(&document, Numbers::Float) {
            // `fromYaml`, which Helm was asked by, yields a dictionary for nothing.
            Ok(Value::Nil) if expected.trim() == "{}" => "{}".to_owned(),
            Ok(value) => json::write(&value).unwrap(),
            Err(_) => "error".to_owned(),
        };
        if made != expected.trim() && !DEVIATIONS.contains(&document.as_str()) {
            differences.push(format!("{document:?}\n  Helm: {}\n  ours: {made}", expected.trim()));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn errors_name_their_place() {
    let error = read("a: 1\nb: [1,\nc: *x\n", Numbers::Float).unwrap_err();
    assert_eq!((error.line, error.column), (3, 4));
    let error = read("a: 1\nb: .inf\n", Numbers::Float).unwrap_err();
    assert_eq!((error.line, error.column), (2, 4));
    assert_eq!(error.to_string(), "yaml: line 2: json: unsupported value: +Inf");
}

#[test]
fn all_documents_are_read() {
    let values = read_all("a: 1\n---\n# nothing\n---\n- x\n", Numbers::AsWritten).unwrap();
    let values: Vec<String> = values.iter().map(|value| json::write(value).unwrap()).collect();
    assert_eq!(values, [r#"{"a":1}"#, "null", r#"["x"]"#]);
}

#[test]
fn numbers_keep_their_digits_when_asked() {
    let value = read("[9007199254740993, 1.50, 0x1F, 1e3]", Numbers::AsWritten).unwrap();
    assert_eq!(write(&value).unwrap(), "- 9007199254740993\n- 1.5\n- 31\n- 1000");
    let value = read("[9007199254740993]", Numbers::Float).unwrap();
    assert_eq!(write(&value).unwrap(), "- 9007199254740992");
}

#[test]
fn aliases_do_not_share_dictionaries() {
    let value = read("a: &x {b: 1}\nc: *x\n", Numbers::Float).unwrap();
    if let (Some(Value::Dict(ref one)), Some(Value::Dict(ref other))) = (value.get("a"), value.get("c")) {
        one.borrow_mut().insert("new".into(), Value::Nil);
        assert_eq!(other.borrow().len(), 1);
    } else {
        panic!("no dictionaries");
    }
}

#[test]
fn alias_bombs_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = level - 1;
        let items = vec![format!("*a{before}"); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    let error = read(&bomb, Numbers::Float).unwrap_err();
    assert_eq!(error.message, "document contains excessive aliasing");
    let error = read("a: &a [*a]", Numbers::Float).unwrap_err();
    assert_eq!(error.message, "an anchor's value contains itself");
    let error = read("a: &a {<<: *a}", Numbers::Float).unwrap_err();
    assert_eq!(error.message, "an anchor's value contains itself");
}

#[test]
fn deep_documents_are_refused() {
    for document in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000), "? ".repeat(100_000)]
    {
        assert!(read(&document, Numbers::Float).is_err());
    }
    let fine = "[".repeat(300) + &"]".repeat(300);
    assert!(read(&fine, Numbers::Float).is_ok());
}

#[test]
fn deep_merges_are_refused() {
    let merges = |levels, inner: &str| format!("{}{inner}{}", "{<<: ".repeat(levels), "}".repeat(levels));
    let mut chain = format!("a0: &a0 {}\n", merges(480, "{}"));
    for level in 1..40 {
        chain.push_str(&format!("a{level}: &a{level} {}\n", merges(480, &format!("*a{}", level - 1))));
    }
    let error = read(&chain, Numbers::Float).unwrap_err();
    assert_eq!(error.message, "nested more than 500 deep");
    let fine = format!("a: &a {}\nb: {}\n", merges(200, "{x: 1}"), merges(200, "*a"));
    let value = read(&fine, Numbers::Float).unwrap();
    assert_eq!(json::write(&value).unwrap(), r#"{"a":{"x":1},"b":{"x":1}}"#);
}

/// A value of JSON's kinds.
fn value() -> impl Strategy<Value = String> {
    let text = prop_oneof!["[ -~\n]{0,12}", "(a|b| |:|#|-|\n|'|\"|\t|é|😀|x{90} ){0,6}"];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>()
            .prop_filter("JSON has no others", |value| value.is_finite())
            .prop_map(|value| format!("{:e}", value + 0.0)),
        text.clone().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let entry = (text.clone(), inner.clone())
            .prop_map(|(key, value)| format!("{}:{value}", serde_json::to_string(&key).unwrap()));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(entry, 0..4).prop_map(|entries| format!("{{{}}}", entries.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(source in value()) {
        let value = from_json(&source);
        // `toYaml` leaves out the last line's end, which may be part of a block.
        let written = write(&value).unwrap() + "\n";
        let again = read(&written, Numbers::Float).unwrap();
        prop_assert_eq!(json::write(&again).unwrap(), json::write(&value).unwrap(), "{}", written);
    }

    #[test]
    fn anything_is_read_or_refused(text in "([a-c0-9]|: |- |\\? |\n|  |\\[|\\]|\\{|\\}|,|&a |\\*a|!!int |!x |\\||>|\"|'|#|<<: |~|yes|---|\\.\\.\\.|%|@|\t|é){0,40}") {
        let _ = read_all(&text, Numbers::AsWritten);
        let _ = json::read(&text, Numbers::Float);
        let _ = crate::driver::chart::toml::read(&text);
    }
}
