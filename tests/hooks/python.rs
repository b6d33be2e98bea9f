//! Actions in Python, where `python3` is on the machine.

use std::ffi::OsString;
use std::time::Duration;

use serde_json::json;
use styrmin::hooks::{Call, CallError, End, Limits, MemoryJournal, Performer, Program, Text, run};

use super::support::*;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Whether there is a python3; says so when there is none.
fn has_python() -> bool {
    let found = worker().python().is_some();
    if !found {
        eprintln!("skipped: there is no python3");
    }
    found
}

fn python(text: &str) -> Program {
    program_of(&[("actions.py", text)])
}

#[tokio::test]
async fn a_function_calls_and_returns() {
    if !has_python() {
        return;
    }
    let text = r#"
import asyncio, os
from styrmin_backend.actions import flow, stop_component, execute_commands, run_job, http_check, now, random, scale, log, progress
from lib.steps import greet
import beside

@flow
async def main(ctx):
    print("to", ctx.to_version)
    await log(greet(ctx.deployment.name))
    await stop_component("web")
    one = await execute_commands("db", ["psql"], env={"PGPASSWORD": ctx.prompts.password})
    many, job = await asyncio.gather(
        execute_commands("db", [["a", "b"], ["c"]], timeout=5, stdin=ctx.parameters.token, cwd=None),
        run_job("migrate", ["migrate"], component="web"))
    check = await http_check("web", "/health", timeout=10)
    await asyncio.gather(*[scale("web", replicas=n) for n in range(3)])
    await progress(1, total=3)
    print("multi\nline", end="")
    return {
        "one": one.stdout, "many": [m.stdout for m in many], "job": job.log, "status": check.status, "now": await now(),
        "app": ctx.context["app"]["version"], "service": ctx.services[0].port, "components": ctx.components,
        "beside": beside.X, "cwd": [n for n in os.listdir(".") if not n.startswith(".")], "env": sorted(os.environ),
    }
"#;
    let program = program_of(&[
        ("steps/actions.py", text),
        ("steps/lib/steps.py", "def greet(name):\n    return f'hello {name}'\n"),
        ("steps/beside.py", "X = 5\n"),
    ]);
    let (end, recorder) = run_once(&program).await;
    let End::Returned(mut value) = end else { panic!("{end:?}") };
    let env: Vec<String> = serde_json::from_value(value["env"].take()).unwrap();
    let strange =
        |name: &&String| name.starts_with("CARGO") || ["HOME", "USER", "TMPDIR"].contains(&name.as_str());
    assert_eq!(env.iter().find(strange), None);
    let expected = json!({
        "one": "psql", "many": ["a b", "c"], "job": "done", "status": 200, "now": "2026-11-29T12:00:00Z",
        "app": "2.0", "service": 8080, "components": ["web", "db"], "beside": 5, "cwd": [], "env": null,
    });
    assert_eq!(value, expected);
    assert_eq!(recorder.logged(), ["to 2.0", "hello notes", "multi", "line"]);
    let scaled: Vec<u32> = recorder
        .calls()
        .into_iter()
        .filter_map(|call| if let Call::Scale { replicas, .. } = call { Some(replicas) } else { None })
        .collect();
    assert_eq!(scaled, [0, 1, 2]);
    let Call::ExecuteCommands(first) = &recorder.calls()[3] else { panic!("{:?}", recorder.calls()) };
    assert!(matches!(&first.env[0].1, Text::Secret(secret) if secret.key == "password.ab"));
}

#[tokio::test]
async fn the_decorator_takes_arguments_and_functions_take_what_the_described_system_gives() {
    if !has_python() {
        return;
    }
    let head = "from styrmin_backend.actions import flow\n";
    let table = [
        (
            "@flow(name=\"x\", retries=3)\nasync def main(deployment, target_version):\n    return [deployment.name, target_version]\n",
            json!(["notes", "2.0"]),
        ),
        ("@flow()\nasync def main(ctx):\n    return ctx.hook\n", json!("upgrade")),
        ("def main(context):\n    return context.mode\n", json!("post")),
        ("async def main():\n    return 1\n", json!(1)),
    ];
    for (text, expected) in table {
        let (end, _) = run_once(&python(&format!("{head}{text}"))).await;
        assert_eq!(end, End::Returned(expected), "{text}");
    }
}

#[tokio::test]
async fn an_exception_shows_file_line_stack_and_source() {
    if !has_python() {
        return;
    }
    let text = "from styrmin_backend.actions import flow, back_up\nimport lib\n\n@flow\nasync def main(ctx):\n    await lib.outer(ctx)\n";
    let lib = "from styrmin_backend.actions import *\nasync def outer(ctx):\n    for n in (1, 0):\n        inner(n)\n\ndef inner(n):\n    return 1 // n\n";
    let failure = failure_of(&program_of(&[("actions.py", text), ("lib.py", lib)])).await;
    assert!(failure.what.starts_with("ZeroDivisionError: "), "{failure}");
    assert_eq!(failure.place.as_ref().unwrap().to_string(), "lib.py:7");
    assert_eq!(failure.source.as_deref(), Some("return 1 // n"));
    let stack: Vec<String> = failure
        .stack
        .iter()
        .map(|frame| format!("{} {}:{}", frame.function, frame.file, frame.line))
        .collect();
    assert_eq!(stack, ["main actions.py:6", "outer lib.py:4", "inner lib.py:7"]);
    let table = [
        ("await back_up()", "backups are not there yet", Some(5)),
        ("await scale(\"web\", \"two\")", "scale: replicas is a text, expected a whole number", Some(5)),
        ("await scale(\"web\", replica=2)", "TypeError: scale: ", Some(5)),
        ("fail(\"no\", 3)", "no 3", Some(5)),
        ("await log(ctx.prompts.password)", "log: text is a secret", Some(5)),
        (
            "await log({\"$secret\": {\"secret\": \"a\", \"key\": \"b\"}})",
            "log: text cannot be given",
            Some(5),
        ),
        ("await log(main)", "log: text cannot be given", Some(5)),
        ("return ctx.prompts.password", "what 'main' returned cannot be kept", None),
        ("return \"x\" * 5000000", "what the function returned is larger than 4 MiB", None),
        ("await log(\"x\" * 5000000)", "log: its arguments are larger than 4 MiB", Some(5)),
        ("raise SystemExit(3)", "SystemExit: 3", Some(5)),
        ("ctx.prompts.password + \"x\"", "TypeError: ", Some(5)),
        ("{ctx.prompts.password: 1}", "TypeError: ", Some(5)),
        ("ctx.prompts.password == \"x\"", "TypeError: a secret cannot be compared", Some(5)),
        ("import json; json.dumps(ctx.prompts.password)", "TypeError: ", Some(5)),
        ("import os; os._exit(3)", "the action's process ended without a word: exit code 3", None),
        ("import os; os.write(1, b\"{}\\n\"); raise ValueError(\"x\")", "ValueError: x", Some(5)),
    ];
    for (body, expected, line) in table {
        let text =
            format!("from styrmin_backend.actions import *\n\n@flow\nasync def main(ctx):\n    {body}\n");
        let failure = failure_of(&python(&text)).await;
        assert!(failure.what.starts_with(expected), "{body}: {failure}");
        assert_eq!(failure.place.as_ref().map(|place| place.line), line, "{body}: {failure}");
        assert!(!failure.to_string().contains("notes-prompts"), "{failure}");
    }
}

#[tokio::test]
async fn what_cannot_be_loaded_is_told() {
    if !has_python() {
        return;
    }
    let table = [
        ("def main(ctx)\n    pass\n", "SyntaxError: ", "actions.py:1:"),
        (
            "from styrmin_backend.actions import exec_commands\n",
            "ImportError: styrmin_backend.actions has no 'exec_commands'; there is: ",
            "actions.py:1",
        ),
        ("import nowhere\n", "ModuleNotFoundError: ", "actions.py:1"),
        ("def mian(ctx): pass\n", "'actions.py' has no function 'main'", ""),
        ("def main(ctx, other): pass\n", "'main' wants 'other', which it cannot be given", "there is: ctx"),
    ];
    for (text, what, whole) in table {
        let failure = failure_of(&python(text)).await;
        assert!(failure.what.starts_with(what), "{text}: {failure}");
        assert!(failure.to_string().contains(whole), "{text}: {failure}");
    }
}

#[tokio::test]
async fn a_secret_that_the_action_was_not_given_is_not_taken() {
    if !has_python() {
        return;
    }
    let text = "from styrmin_backend.actions import *\nasync def main(ctx):\n    made = Secret({'secret': 'other', 'key': 'k'})\n    \
                await execute_commands('web', ['env'], env={'A': ctx.prompts.password})\n    \
                await execute_commands('web', ['env'], env={'A': made})\n";
    let (end, recorder) = run_once(&python(text)).await;
    let failure = failed(end);
    assert_eq!(failure.what, "execute_commands: a secret that the action does not have");
    assert_eq!(failure.place.unwrap().line, 5);
    assert_eq!(recorder.calls().len(), 1);
}

#[tokio::test]
async fn without_python_it_says_exactly_that() {
    let mut without = worker();
    without.path = OsString::from("/nowhere");
    let (end, _) = run_with(&without, &python("def main(ctx): pass")).await;
    let failure = failed(end);
    assert_eq!(failure.what, "there is no python3 on this machine");
    assert!(failure.why.contains("python3 is not on PATH"), "{failure}");
}

#[tokio::test]
async fn an_interrupted_run_is_put_to_a_person() {
    if !has_python() {
        return;
    }
    let program = python(
        "from styrmin_backend.actions import *\nasync def main(ctx):\n    await scale('web', 1)\n    return await now()\n",
    );
    let journal = MemoryJournal::default();
    let end = run(&worker(), &program, &journal, &Recorder::default()).await;
    assert_eq!(end, End::Returned(json!("2026-11-29T12:00:00Z")));
    assert_eq!(journal.records().len(), 2);
    assert_eq!(journal.records()[1].note.place.as_ref().unwrap().to_string(), "actions.py:4");
    let again = Recorder::default();
    let end = run(&worker(), &program, &journal, &again).await;
    assert!(
        matches!(&end, End::InDoubt(problem) if problem.what == "Nobody knows what came of a Python action"),
        "{end:?}"
    );
    assert!(again.calls().is_empty());
}

#[tokio::test]
async fn what_takes_too_much_is_ended() {
    if !has_python() {
        return;
    }
    let mut small = worker();
    let limits = Limits { memory: 128, calls: 200, ..Limits::default() };
    let head = "from styrmin_backend.actions import *\nasync def main(ctx):\n    ";
    let table = [
        ("while True: pass", "it used more than 1 s of processor time"),
        (
            "while True:\n        try:\n            while True: pass\n        except BaseException: pass",
            "it used more than 1 s of processor time",
        ),
        ("x = 'x' * (1 << 30)", "it used more than 128 MiB of memory"),
        ("await main(ctx)", "RecursionError: "),
        ("while True: await now()", "it made more than 200 calls"),
        ("while True: print('x' * (1 << 20))", "it logged more than 16 MiB"),
        (
            "while True:\n        try: print('x' * (1 << 20))\n        except Exception: pass",
            "it made more than 200 calls",
        ),
    ];
    for (body, expected) in table {
        // what is about another limit has the time that it takes on a slow machine
        let processor = if expected.ends_with("processor time") { 1 } else { limits.processor };
        small.limits = Limits { processor, ..limits };
        let (end, _) = run_with(&small, &python(&format!("{head}{body}\n"))).await;
        let failure = failed(end);
        assert!(failure.what.starts_with(expected), "{body}: {failure}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_awaited_is_told_with_its_place() {
    if !has_python() {
        return;
    }
    let head = "from styrmin_backend.actions import *\nimport asyncio\n";
    for (text, name, line) in [
        ("async def main(ctx):\n    scale('web', 2)\n    await now()\n", "scale", 4),
        ("def main(ctx):\n    return str(stop_component('web'))[:1]\n", "stop_component", 4),
        ("async def main(ctx):\n    asyncio.ensure_future(\n        restart())\n", "restart", 5),
    ] {
        let (end, recorder) = run_once(&python(&format!("{head}{text}"))).await;
        let failure = failed(end);
        assert_eq!(failure.what, format!("{name} was called and is not done: it was not awaited"));
        assert_eq!(failure.place.map(|place| place.line), Some(line));
        let begun = |call: &Call| matches!(call, Call::Now | Call::Restart { .. });
        assert!(recorder.calls().iter().all(begun), "{:?}", recorder.calls());
    }
}

/// Is done with commands when a file is there.
struct Waiting(Recorder, std::path::PathBuf);

impl Performer for Waiting {
    async fn perform(&self, call: &Call, doubt: bool, position: u32) -> Result<serde_json::Value, CallError> {
        let printed = async {
            while !self.1.exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if matches!(call, Call::ExecuteCommands(_)) {
            tokio::time::timeout(LIMIT, printed).await.expect("who prints does not wait for the call");
        }
        self.0.perform(call, doubt, position).await
    }
}

#[tokio::test]
async fn who_prints_while_a_call_is_under_way_does_not_wait_for_it() {
    if !has_python() {
        return;
    }
    let text = r#"
import asyncio
from styrmin_backend.actions import execute_commands

async def main(ctx):
    call = asyncio.create_task(execute_commands("db", ["slow"]))
    await asyncio.sleep(0.05)
    for number in range(5):
        print("line", number)
    open(PRINTED, "w").close()
    await call
    print("last")
"#;
    let home = tempfile::tempdir().unwrap();
    let printed = home.path().join("printed");
    let text = text.replace("PRINTED", &format!("{printed:?}"));
    let waiting = Waiting(Recorder::default(), printed);
    let end = run(&worker(), &python(&text), &MemoryJournal::default(), &waiting).await;
    assert_eq!(end, End::Returned(json!(null)));
    assert_eq!(waiting.0.logged(), ["line 0", "line 1", "line 2", "line 3", "line 4", "last"]);
    // what was printed before a failure is told before it
    let failing = "def main(ctx):\n    print('before')\n    raise ValueError('x')\n";
    let (end, recorder) = run_once(&python(failing)).await;
    assert!(failed(end).what.starts_with("ValueError"));
    assert_eq!(recorder.logged(), ["before"]);
}
