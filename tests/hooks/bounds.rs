//! Functions that take too much are ended, and it is said why and, where that can be known, where.

use styrmin::hooks::{End, Failure, Limits, Worker};

use super::support::*;

fn small() -> Worker {
    let mut worker = worker();
    worker.limits = Limits { processor: 1, memory: 64, ..Limits::default() };
    worker
}

/// As [`small`], with the time that a slow machine takes to come to another limit.
fn patient() -> Worker {
    let mut worker = small();
    worker.limits.processor = 60;
    worker
}

async fn ended(text: &str) -> Failure {
    ended_in(&small(), text).await
}

async fn ended_in(worker: &Worker, text: &str) -> Failure {
    failed(run_with(worker, &program(text)).await.0)
}

#[tokio::test]
async fn an_endless_loop_is_ended_with_its_place() {
    let text = "def spin(n):\n    for x in range(n):\n        for y in range(n):\n            z = x + y\n\ndef main(ctx):\n    spin(1000000000)\n";
    let failure = ended(text).await;
    assert_eq!(failure.what, "it used more than 1 s of processor time");
    assert!((2..=4).contains(&failure.place.as_ref().unwrap().line), "{failure}");
    assert_eq!(failure.stack[0].function, "main");
}

#[tokio::test]
async fn work_inside_the_language_itself_is_ended_too() {
    let failure = ended(
        "def main(ctx):\n    return len(list(range(1 << 30)))\n"
            .replace("sum([1]) if False else ", "")
            .as_str(),
    )
    .await;
    let told = failure.to_string();
    assert!(told.contains("processor time") || told.contains("MiB of memory"), "{told}");
    let failure =
        ended("def main(ctx):\n    x = 3\n    for i in range(40):\n        x = x * x\n    return str(x)\n")
            .await;
    let told = failure.to_string();
    assert!(told.contains("processor time") || told.contains("MiB of memory"), "{told}");
}

#[tokio::test]
async fn endless_recursion_is_told_with_its_stack() {
    let failure =
        ended_in(&patient(), "def again(n):\n    return again(n + 1) + 1\n\ndef main(ctx):\n    again(0)\n")
            .await;
    assert_eq!(failure.what, "it ran out of stack");
    assert_eq!(failure.place.as_ref().unwrap().line, 2);
    assert!(failure.stack.len() > 100);
    assert!(failure.to_string().contains("more …"), "{failure}");
    let failure = ended_in(&patient(), "def again(n):\n    return sorted([n, n], key = lambda x: again(x))\n\ndef main(ctx):\n    again(0)\n").await;
    assert_eq!(failure.what, "it ran out of stack");
    let nested = format!("def main(ctx):\n    return {}1{}\n", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(ended_in(&patient(), &nested).await.what, "it ran out of stack");
}

#[tokio::test]
async fn values_that_are_nested_too_deeply_harm_nobody() {
    for deep in ["json.encode(x)", "log(x)"] {
        let text = format!(
            "def main(ctx):\n    x = []\n    for i in range(300000):\n        x = [x]\n    return {deep}\n"
        );
        let (end, _) = run_once(&program(&text)).await;
        let End::Failed(failure) = end else { panic!("{deep} did not fail") };
        let told = failure.to_string();
        assert!(told.contains("out of stack") || told.contains("too deeply"), "{deep}: {told}");
    }
}

#[tokio::test]
async fn memory_that_grows_is_ended_with_its_place() {
    let mut patient = patient();
    patient.limits.memory = 16;
    for body in ["x.append(str(i) * 100)", "x.append({i: [i]})"] {
        let text = format!("def main(ctx):\n    x = []\n    for i in range(1 << 30):\n        {body}\n");
        let failure = failed(run_with(&patient, &program(&text)).await.0);
        assert_eq!(failure.what, "it used more than 16 MiB of memory", "{body}");
        assert!((3..=4).contains(&failure.place.as_ref().unwrap().line), "{body}: {failure}");
    }
}

#[tokio::test]
async fn memory_is_bounded() {
    let bodies = [
        "x = []\n    for i in range(1 << 30):\n        x.append(str(i))",
        "x = \"a\" * (1 << 30)",
        "x = [0] * (1 << 28)",
        "x = \"a\"\n    for i in range(60):\n        x = x + x",
        "x = list(range(1 << 30))",
        "x = [[0]]\n    for i in range(60):\n        x = x + x",
    ];
    for body in bodies {
        let failure = ended(&format!("def main(ctx):\n    {body}\n    return len(x)\n")).await;
        let told = failure.to_string();
        assert!(told.contains("MiB of memory") || told.contains("processor time"), "{body}: {told}");
    }
}

#[tokio::test]
async fn what_is_logged_is_bounded() {
    let text = "def main(ctx):\n    for i in range(1024):\n        print(\"x\" * (1 << 20))\n";
    let (end, recorder) = run_once(&program(text)).await;
    let failure = failed(end);
    assert_eq!(failure.what, "it logged more than 16 MiB");
    assert_eq!(failure.place.unwrap().line, 3);
    assert_eq!(recorder.calls().len(), 15);
}

#[tokio::test]
async fn calls_are_bounded() {
    let mut few = worker();
    few.limits.calls = 50;
    let (end, recorder) =
        run_with(&few, &program("def main(ctx):\n    for i in range(51):\n        now()\n")).await;
    let failure = failed(end);
    assert_eq!(failure.what, "it made more than 50 calls");
    assert_eq!(failure.place.unwrap().line, 3);
    assert_eq!(recorder.calls().len(), 50);
    let (end, _) = run_with(&few, &program("def main(ctx):\n    for i in range(50):\n        now()\n")).await;
    assert!(matches!(end, End::Returned(_)));
}

#[tokio::test]
async fn a_worker_that_is_none_is_told() {
    let gone = Worker::new("/nowhere/styrmin".into());
    let (end, _) = run_with(&gone, &program("def main(ctx): pass")).await;
    assert!(
        matches!(&end, End::Transient(problem) if problem.what == "The action's process cannot be started"),
        "{end:?}"
    );
    let mut other = worker();
    other.executable = "/bin/false".into();
    let (end, _) = run_with(&other, &program("def main(ctx): pass")).await;
    assert_eq!(failed(end).what, "the action's process ended without a word: exit code 1");
    other.executable = "/bin/echo".into();
    let (end, _) = run_with(&other, &program("def main(ctx): pass")).await;
    assert_eq!(failed(end).what, "the action's process said what nobody understands");
}
