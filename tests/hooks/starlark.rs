//! What a Starlark function sees, calls and gives.

use serde_json::json;
use styrmin::hooks::{Call, End, MemoryJournal, Outcome, Text, run};

use super::support::*;

#[tokio::test]
async fn a_function_calls_and_returns() {
    let text = r#"
load("lib/steps.star", "stopped", again = "greet")

def main(ctx):
    "Migrates."
    print("to", ctx.to_version, sep = " ")
    log(again(ctx.deployment.name))
    stopped(ctx)
    scale("web", replicas = 2)
    one = execute_commands("db", ["psql", "-c", "select 1"], env = {"PGPASSWORD": ctx.prompts.password})
    many = execute_commands("db", [["a", "b"], ["c"]], timeout = 5, stdin = ctx.parameters.token, cwd = None)
    job = run_job("migrate", ["migrate"], component = "web")
    check = http_check("web", "/health", timeout = 10)
    progress(1, total = 3, text = f"{ctx.action} of {ctx.mode}".upper() if False else "x")
    rows = [row for row in range(ctx.prompts.rows)]
    return {
        "one": one.stdout, "many": [m.stdout for m in many], "job": job.log, "status": check.status,
        "now": now(), "random": random(), "rows": rows, "app": ctx.context["app"]["version"],
        "service": ctx.services[0].port, "components": ctx.components, "json": json.encode({"a": [1]}),
        "struct": repr(struct(a = 1)),
    }
"#;
    let lib = "load(\"more.star\", \"WEB\")\ndef greet(name):\n    return f\"hello {name}\"\ndef stopped(ctx):\n    stop_component(WEB)\n";
    let program = program_of(&[
        (
            "actions.star",
            &text.replace("f\"{ctx.action} of {ctx.mode}\".upper() if False else \"x\"", "\"x\""),
        ),
        ("lib/steps.star", lib),
        ("lib/more.star", "WEB = \"web\"\n"),
    ]);
    let (end, recorder) = run_once(&program).await;
    let expected = json!({
        "one": "psql -c select 1", "many": ["a b", "c"], "job": "done", "status": 200,
        "now": "2026-11-29T12:00:00Z", "random": 9_007_199_254_740_991_i64 - 10, "rows": [0, 1, 2, 3, 4, 5, 6],
        "app": "2.0", "service": 8080, "components": ["web", "db"], "json": "{\"a\":[1]}", "struct": "struct(a=1)",
    });
    assert_eq!(end, End::Returned(expected));
    assert_eq!(recorder.logged(), ["to 2.0", "hello notes"]);
    let calls = recorder.calls();
    assert_eq!(calls.len(), 11);
    assert!(matches!(&calls[2], Call::StopComponents { components: Some(all), .. } if *all == ["web"]));
    let Call::ExecuteCommands(first) = &calls[4] else { panic!("{:?}", calls[4]) };
    assert!(matches!(&first.env[0].1, Text::Secret(secret) if secret.key == "password.ab"));
    let Call::ExecuteCommands(second) = &calls[5] else { panic!("{:?}", calls[5]) };
    assert!(matches!(&second.stdin, Some(Text::Secret(secret)) if secret.digest.as_deref() == Some("cd")));
}

#[tokio::test]
async fn the_journal_notes_each_call_with_its_place() {
    let journal = MemoryJournal::default();
    let text = "def main(ctx):\n    scale(\"web\", 2)\n    def inner():\n        return now()\n    inner()\n";
    let end = run(&worker(), &program(text), &journal, &Recorder::default()).await;
    assert_eq!(end, End::Returned(json!(null)));
    let records = journal.records();
    assert_eq!(records[0].note.name, "scale");
    assert_eq!(records[0].note.arguments["replicas"], json!(2));
    assert_eq!(records[0].note.place.as_ref().unwrap().to_string(), "actions.star:2");
    assert_eq!(records[1].note.place.as_ref().unwrap().to_string(), "actions.star:4");
    assert_eq!(records[1].outcome, Some(Outcome::Answered(json!("2026-11-29T12:00:00Z"))));
}

#[tokio::test]
async fn a_secret_can_be_handed_on_and_nothing_else() {
    let shown = r#"
def main(ctx):
    s = ctx.prompts.password
    return [str(s), repr(s), "%s" % s, "{}".format(s), f"{s}", s == None, s != None, bool(s), str([s]), str(ctx.prompts),
            s == ctx.parameters.token]
"#;
    let (end, _) = run_once(&program(shown)).await;
    let prompts = "struct(password=(secret), rows=7)";
    let expected = json!([
        "(secret)",
        "(secret)",
        "(secret)",
        "(secret)",
        "(secret)",
        false,
        true,
        true,
        "[(secret)]",
        prompts,
        false
    ]);
    assert_eq!(end, End::Returned(expected));
    let forbidden = [
        ("s + \"x\"", "not supported"),
        ("\"x\" + s", "not supported"),
        ("s[0]", "not supported"),
        ("len(s)", "not supported"),
        ("[c for c in s]", "not supported"),
        ("s < s", "not supported"),
        ("s.key", "no attribute"),
        ("json.encode(s)", "JSON"),
        ("json.encode({\"a\": [s]})", "JSON"),
        ("s()", "a secret cannot be called"),
        ("log(s)", "text is a secret, expected a text"),
        ("execute_commands(\"web\", [\"echo\", s])", "commands is a list, expected"),
        ("log({\"$secret\": {\"secret\": \"a\", \"key\": \"b\"}})", "which stands for a secret"),
        (
            "execute_commands(\"web\", [\"a\"], env = {\"A\": {\"$secret\": {\"secret\": \"a\", \"key\": \"b\"}}})",
            "which stands for a secret",
        ),
    ];
    for (expression, expected) in forbidden {
        let text = format!("def main(ctx):\n    s = ctx.prompts.password\n    return {expression}\n");
        let (end, _) = run_once(&program(&text)).await;
        let End::Failed(failure) = end else { panic!("{expression}: {end:?}") };
        let told = failure.to_string();
        assert!(told.contains(expected), "{expression}: {told}");
        assert!(told.contains("actions.star:3"), "{expression}: {told}");
        assert!(!told.contains("notes-prompts"), "{expression}: {told}");
    }
    let returned = failure_of(&program("def main(ctx):\n    return [ctx.prompts.password]\n")).await;
    assert_eq!(
        (returned.what.as_str(), returned.why.as_str()),
        ("what 'main' returned cannot be kept", "it has a secret in it")
    );
}

#[tokio::test]
async fn the_same_function_calls_the_same_every_time() {
    let text = r#"
def main(ctx):
    d = {}
    for word in ["z", "a", "m", "z"]:
        d[word] = len(d)
    log(str(d))
    log(str(set(["q", "b", "q"])))
    log(str(dir(ctx)))
    log(str(hash("notes")))
    log(str(main))
    log(repr(ctx))
"#;
    let (first, one) = run_once(&program(text)).await;
    assert_eq!(first, End::Returned(json!(null)));
    for _ in 0..3 {
        assert_eq!(run_once(&program(text)).await.1.logged(), one.logged());
    }
    assert_eq!(one.logged()[0], "{\"z\": 3, \"a\": 1, \"m\": 2}");
}
