//! Errors say what, where, and by which way.

use super::support::*;

#[tokio::test]
async fn an_error_shows_file_line_stack_and_source() {
    let text = "load(\"lib/x.star\", \"outer\")\n\n\ndef main(ctx):\n    outer(ctx)\n";
    let lib = "def inner(n):\n    return 1 // n\n\ndef outer(ctx):\n    for n in [1, 0]:\n        inner(n)\n";
    let failure = failure_of(&program_of(&[("actions.star", text), ("lib/x.star", lib)])).await;
    let place = failure.place.clone().unwrap();
    assert_eq!((place.file.as_str(), place.line, place.column), ("lib/x.star", 2, Some(12)));
    assert_eq!(failure.source.as_deref(), Some("    return 1 // n"));
    let stack: Vec<String> = failure
        .stack
        .iter()
        .map(|frame| format!("{} {}:{}", frame.function, frame.file, frame.line))
        .collect();
    assert_eq!(stack, ["main actions.star:5", "outer lib/x.star:6", "inner lib/x.star:2"]);
    assert!(failure.to_string().contains("return 1 // n"), "{failure}");
}

#[tokio::test]
async fn a_call_that_is_refused_fails_where_it_stands() {
    let text = "def safe(ctx):\n    back_up()\n\ndef main(ctx):\n    safe(ctx)\n    log(\"never\")\n";
    let (end, recorder) = run_once(&program(text)).await;
    let failure = failed(end);
    assert_eq!((failure.what.as_str(), failure.why.as_str()), ("backups are not there yet", "wait"));
    assert_eq!(failure.place.as_ref().unwrap().line, 2);
    let stack: Vec<&str> = failure.stack.iter().map(|frame| frame.function.as_str()).collect();
    assert_eq!(stack, ["main", "safe"]);
    assert!(recorder.logged().is_empty());
}

#[tokio::test]
async fn the_words_of_fail_are_told_as_they_are() {
    for (call, expected) in [("fail(\"not yet\")", "not yet"), ("fail(\"no\", 3)", "no 3"), ("fail()", "")] {
        let failure = failure_of(&program(&format!("def main(ctx):\n    {call}\n"))).await;
        assert_eq!(failure.what, expected, "{call}");
    }
}

/// A body of `main`, and what must be told of it.
const BODIES: &[(&str, &[&str])] = &[
    ("fail(\"no\", 3)", &["no 3", "actions.star:2:5"]),
    (
        "exec_commands(\"web\", [\"ls\"])",
        &["exec_commands", "not found", "execute_commands", "actions.star:2:5"],
    ),
    ("scale(\"web\", replica = 2)", &["replica", "actions.star:2"]),
    ("scale(\"web\")", &["replicas", "actions.star:2"]),
    ("scale(\"web\", \"two\")", &["scale: replicas is a text, expected a whole number", "actions.star:2"]),
    ("scale(\"web\", 1, 2)", &["actions.star:2"]),
    ("log(ctx.deploymnt)", &["deploymnt", "deployment", "actions.star:2"]),
    ("log(main)", &["log: text cannot be given", "type function"]),
    ("progress(1 << 80)", &["more than 64 bits"]),
    ("progress(float(\"nan\"))", &["the number NaN"]),
    ("x = []\n    x.append(x)\n    restart(x)", &["contains itself"]),
    ("http_check(\"web\", \"health\")", &["path is 'health'"]),
    ("while True: pass", &["actions.star:2"]),
    ("return main", &["what 'main' returned cannot be kept"]),
    ("restart({1: 2})", &["a key that is not a text"]),
    ("x = \"a\" * 5000000\n    log(x)", &["larger than 4 MiB"]),
    ("return \"a\" * 5000000", &["larger than 4 MiB"]),
];

#[tokio::test]
async fn what_is_wrong_is_told_clearly() {
    for (body, expected) in BODIES {
        let told = failure_of(&program(&format!("def main(ctx):\n    {body}\n"))).await.to_string();
        for part in *expected {
            assert!(told.contains(part), "{body}: {part} is not in: {told}");
        }
    }
}

#[tokio::test]
async fn files_that_cannot_be_loaded_are_told_with_their_place() {
    let table: &[(&str, &[&str])] = &[
        ("load(\"../x.star\", \"a\")", &["'..' is not allowed", "actions.star:1"]),
        ("load(\"/x.star\", \"a\")", &["from the file's own directory", "actions.star:1"]),
        (
            "load(\"lib/y.star\", \"a\")",
            &["the driver has no file 'lib/y.star'", "did you mean 'lib/x.star'"],
        ),
        ("load(\"x.txt\", \"a\")", &["only files that end in .star"]),
        ("load(\"lib/x.star\", \"b\")", &["b", "actions.star:1"]),
        ("load(\"lib/x.star\", \"_hidden\")", &["_hidden", "actions.star:1"]),
        (
            "load(\"circle.star\", \"a\")",
            &["is loaded while it is loading", "actions.star → circle.star → actions.star"],
        ),
        ("load(\"broken.star\", \"a\")", &["broken.star:2", "loaded by actions.star:1"]),
        ("load(\"thrown.star\", \"a\")", &["division by zero", "thrown.star:1"]),
        ("def main(ctx)\n    pass", &["actions.star:1"]),
        ("def main(ctx):\n  pass\n   pass", &["actions.star:3"]),
        ("for x in []:\n    pass\ndef main(ctx): pass", &["actions.star:1"]),
        ("x: int = 3", &["actions.star:1"]),
        ("def mian(ctx):\n    pass", &["has no function 'main'", "did you mean 'mian'?"]),
        ("def main():\n    pass", &["argument"]),
        ("main = 3", &["'main' in actions.star is no function"]),
    ];
    for (text, expected) in table {
        let told = failure_of(&program_of(&[
            ("actions.star", text),
            ("lib/x.star", "a = 1\n_hidden = 2\n"),
            ("circle.star", "load(\"actions.star\", \"main\")\na = 1\n"),
            ("broken.star", "a = 1\na b\n"),
            ("thrown.star", "a = 1 // 0\n"),
        ]))
        .await
        .to_string();
        for part in *expected {
            assert!(told.contains(part), "{text}: {part} is not in: {told}");
        }
    }
}

#[tokio::test]
async fn what_is_no_program_is_told() {
    let mut other = program("def main(ctx): pass");
    other.file = "actions.sh".into();
    assert_eq!(failure_of(&other).await.what, "'actions.sh' cannot be run");
    other.file = "action.star".into();
    let told = failure_of(&other).await;
    assert_eq!(
        (told.what.as_str(), told.why.as_str()),
        ("the driver has no file 'action.star'", "did you mean 'actions.star'?")
    );
}
