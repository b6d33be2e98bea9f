//! What is told of files without running them.

use std::collections::BTreeMap;

use styrmin::hooks::{Finding, check};

use super::support::worker;

fn told(files: &[(&str, &str)]) -> Vec<String> {
    let all: BTreeMap<String, String> =
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let line = |f: Finding| format!("{}:{}:{} {}", f.file, f.line, f.column, f.message);
    check(&worker(), &all, files[0].0).into_iter().map(line).collect()
}

#[test]
fn a_good_file_has_no_findings() {
    let text = "load(\"lib/x.star\", \"a\")\n\ndef main(ctx):\n    rows = [r for r in range(3) if r]\n    print(a, rows)\n    \
                execute_commands(\"web\", [\"ls\"])\n    for x in rows:\n        log(str(x))\n    return json.encode(struct(a = 1))\n";
    assert_eq!(told(&[("actions.star", text), ("lib/x.star", "a = 1\n")]), Vec::<String>::new());
}

#[test]
fn mistakes_are_found_in_all_files_that_are_loaded() {
    let text = "load(\"lib/x.star\", \"a\")\nload(\"nowhere.star\", \"b\")\n\ndef main(ctx):\n    exec_commands(a, b)\n    lgo(c)\n";
    let found = told(&[("actions.star", text), ("lib/x.star", "a = 1\n\ndef f(:\n")]);
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(
        found[0].starts_with("actions.star:2:") && found[0].contains("no file 'nowhere.star'"),
        "{found:#?}"
    );
    assert_eq!(found[1], "actions.star:5:5 'exec_commands' is not defined, did you mean 'execute_commands'?");
    assert_eq!(found[2], "actions.star:6:5 'lgo' is not defined, did you mean 'log'?");
    assert_eq!(found[3], "actions.star:6:9 'c' is not defined");
    assert!(found[4].starts_with("lib/x.star:3:7 "), "{found:#?}");
}

#[test]
fn calls_of_primitives_are_compared_with_what_those_take() {
    let text = "def back_up():\n    pass\n\ndef main(ctx):\n    back_up(1)\n    f = lambda: scale(\"web\", replica = 2)\n    \
                x = [now(1) for i in range(3)]\n    scale(*ctx.components)\n    scale(\"web\", **{\"replicas\": 1})\n    \
                if x:\n        sleep()\n    return f\n";
    let expected = [
        "actions.star:6:17 scale needs 'replicas'",
        "actions.star:6:30 scale has no argument 'replica': did you mean 'replicas'?",
        "actions.star:7:10 now takes 0 arguments at most, and gets 1",
        "actions.star:11:9 sleep needs 'seconds'",
    ];
    assert_eq!(told(&[("actions.star", text)]), expected);
}

#[test]
fn a_file_that_is_nested_too_deeply_is_told_and_harms_nobody() {
    for open in ["(", "[", "f(", "-", "not ", "lambda: ", "{1: "] {
        let text = format!("def main(ctx):\n    x = {}\n", open.repeat(1 << 18));
        let found = told(&[("actions.star", &text)]);
        assert_eq!(found.len(), 1, "{open}: {found:#?}");
    }
    let closed = format!("x = {}1{}\n", "(".repeat(300_000), ")".repeat(300_000));
    assert_eq!(told(&[("actions.star", &closed)]).len(), 1);
    let lists = format!("x = {}1{}\n", "[".repeat(300_000), "]".repeat(300_000));
    let found = told(&[("actions.star", &lists)]);
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[test]
fn a_missing_file_and_a_missing_worker_are_told() {
    assert_eq!(
        check(&worker(), &BTreeMap::new(), "actions.star")[0].message,
        "the driver has no file 'actions.star'"
    );
    let gone = styrmin::hooks::Worker::new("/nowhere/styrmin".into());
    assert!(
        check(&gone, &BTreeMap::new(), "actions.star")[0]
            .message
            .starts_with("the files cannot be checked: ")
    );
}
