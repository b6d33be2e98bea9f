//! Calls as they come from a child.

use serde_json::json;

use super::*;

fn read(name: &str, arguments: Value) -> Result<Call, Refusal> {
    let Value::Object(arguments) = arguments else { panic!("an object") };
    Call::read(name, &arguments)
}

fn refused(name: &str, arguments: Value) -> String {
    let refusal = read(name, arguments).unwrap_err();
    format!("{} | {}", refusal.what, refusal.why)
}

#[test]
fn every_primitive_is_read_with_what_it_must_have() {
    for signature in SIGNATURES {
        let mut given = Map::new();
        for name in signature.required {
            let value = match *name {
                "replicas" | "done" | "seconds" => json!(2),
                "commands" | "command" => json!(["true"]),
                _ => json!("web"),
            };
            given.insert((*name).to_owned(), value);
        }
        if signature.name == "run_job" {
            given.insert("image".into(), json!("x"));
        }
        let call = Call::read(signature.name, &given);
        assert!(call.is_ok(), "{}: {call:?}", signature.name);
    }
}

#[test]
fn defaults_are_filled_in() {
    let Ok(Call::ExecuteCommands(call)) =
        read("execute_commands", json!({"component": "db", "commands": ["ls", "-l"], "stdin": null}))
    else {
        panic!("it is one")
    };
    assert_eq!((call.single, call.check, call.idempotent), (true, true, false));
    assert_eq!(
        (call.commands, call.timeout),
        (vec![vec!["ls".into(), "-l".into()]], Duration::from_secs(300))
    );
    assert_eq!(call.stdin, None);
    assert_eq!(
        read("stop_component", json!({"component": "web", "timeout": 1.5})),
        Ok(Call::StopComponents {
            components: Some(vec!["web".into()]),
            timeout: Duration::from_millis(1500)
        })
    );
}

#[test]
fn secrets_are_taken_in_env_and_stdin_only() {
    let secret = json!({"$secret": {"secret": "notes", "key": "password"}});
    let Ok(Call::ExecuteCommands(call)) = read(
        "execute_commands",
        json!({"component": "db", "commands": [["a"], ["b"]], "stdin": secret, "env": {"B": secret, "A": "x"}}),
    ) else {
        panic!("it is one")
    };
    assert!(!call.single);
    assert!(matches!(&call.stdin, Some(Text::Secret(reference)) if reference.key == "password"));
    assert_eq!(call.env[0], ("A".into(), Text::Plain("x".into())));
    assert_eq!(call.env[1].1.to_string(), "(secret)");
    assert_eq!(
        refused("log", json!({"text": secret})),
        "log: text is a secret, expected a text | a secret can be given as a value in env = and as stdin = only"
    );
    assert!(
        refused("execute_commands", json!({"component": "a", "commands": ["x", secret]}))
            .contains("commands")
    );
    assert!(
        refused("execute_commands", json!({"component": "a", "commands": ["x"], "env": secret}))
            .contains("env")
    );
    let with_more = json!({"$secret": {"secret": "a", "key": "b"}, "more": 1});
    assert!(
        refused("execute_commands", json!({"component": "a", "commands": ["x"], "stdin": with_more}))
            .contains("stdin")
    );
}

#[test]
fn what_is_wrong_is_told_with_what_would_be_right() {
    let table = [
        (
            "exec_commands",
            json!({}),
            "there is no primitive 'exec_commands' | did you mean 'execute_commands'?",
        ),
        (
            "scale",
            json!({"component": "web", "replica": 2}),
            "scale: it has no argument 'replica' | did you mean 'replicas'?",
        ),
        ("scale", json!({"component": "web"}), "scale: 'replicas' is missing | "),
        (
            "scale",
            json!({"component": "web", "replicas": "2"}),
            "scale: replicas is a text, expected a whole number | ",
        ),
        ("scale", json!({"component": "web", "replicas": -1}), "scale: replicas is -1 | expected 0 to 10000"),
        (
            "scale",
            json!({"component": "", "replicas": 1}),
            "scale: component is empty or has control characters | ",
        ),
        (
            "restart",
            json!({"components": "web"}),
            "restart: components is a text, expected a list of names | write [\"web\"]",
        ),
        ("restart", json!({"components": []}), "restart: components is an empty list | leave it out for all"),
    ];
    for (name, arguments, expected) in table {
        assert_eq!(refused(name, arguments), expected);
    }
}

#[test]
fn what_is_wrong_of_longer_calls_is_told_too() {
    let table = [
        (
            "execute_commands",
            json!({"component": "a", "commands": "ls"}),
            "execute_commands: commands is a text, expected a list of words, or a list of such lists | ",
        ),
        (
            "execute_commands",
            json!({"component": "a", "commands": []}),
            "execute_commands: commands has no program | its first word is the program",
        ),
        (
            "execute_commands",
            json!({"component": "a", "commands": [["a"], "b"]}),
            "execute_commands: commands is a mixed list | expected a list of words, or a list of such lists",
        ),
        (
            "execute_commands",
            json!({"component": "a", "commands": ["a"], "env": {"1": "a"}}),
            "execute_commands: env has the variable '1' | use letters, digits and '_', and begin with no digit",
        ),
        (
            "execute_commands",
            json!({"component": "a", "commands": ["a"], "env": {"A": 1}}),
            "execute_commands: env[\"A\"] is not a text or a secret | write str(…)",
        ),
        (
            "execute_commands",
            json!({"component": "a", "commands": ["a"], "timeout": 0}),
            "execute_commands: timeout is 0 | expected seconds, at most a day (86400)",
        ),
        (
            "execute_commands",
            json!({"component": "a", "commands": ["a"], "check": 1}),
            "execute_commands: check is a number, expected True or False | ",
        ),
        (
            "sleep",
            json!({"seconds": 86401}),
            "sleep: seconds is 86401 | expected seconds, at most a day (86400)",
        ),
        (
            "run_job",
            json!({"name": "a", "command": ["x"]}),
            "run_job: it says neither which component nor which image | give component = (its image, variables and volumes) or image =",
        ),
        (
            "http_check",
            json!({"service": "a", "path": "x"}),
            "http_check: path is 'x' | it must begin with / and have no spaces",
        ),
        ("http_check", json!({"service": "a", "method": "POST"}), "http_check: only GET can be sent | "),
    ];
    for (name, arguments, expected) in table {
        assert_eq!(refused(name, arguments), expected);
    }
    assert!(
        refused("run_job", json!({"name": "A b", "command": ["x"], "image": "y"}))
            .contains("cannot name the job")
    );
}
