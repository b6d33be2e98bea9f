//! The programs `docker-credential-<name>`, which keep logins in the system's own store.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::{Known, Login};

/// How long the program may take: it may ask a person.
const PATIENCE: Duration = Duration::from_secs(30);

/// The user name that stands for a token.
const TOKEN: &str = "<token>";

/// Asks the program for the login of a registry; `path` is where programs are looked for. None when it knows none.
///
/// # Errors
/// It cannot be run, or does not answer: why.
pub(in super::super) async fn ask(name: &str, registry: &str, path: &str) -> Result<Option<Known>, String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(sound) {
        return Err("the login is kept by a program whose name makes no sense".to_owned());
    }
    let program = format!("docker-credential-{name}");
    let told = |why: String| format!("{program}, which keeps the login, {why}");
    let mut child = Command::new(&program)
        .arg("get")
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| told(format!("cannot be run: {error}")))?;
    let work = async {
        if let Some(mut input) = child.stdin.take() {
            // one that does not read has answered all the same
            let _ = input.write_all(registry.as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let output = timeout(PATIENCE, work)
        .await
        .map_err(|_| told(format!("does not answer within {} s", PATIENCE.as_secs())))?
        .map_err(|error| told(format!("cannot be read: {error}")))?;
    if !output.status.success() {
        // this is how they say that they know nothing
        return Ok(None);
    }
    let answer: Value =
        serde_json::from_slice(&output.stdout).map_err(|_| told("answers with no JSON".to_owned()))?;
    let field = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    Ok(match (field("Username"), field("Secret")) {
        (_, secret) if secret.is_empty() => None,
        (user, secret) if user == TOKEN => Some(Known::Identity(secret)),
        (user, password) => Some(Known::Password(Login { user, password })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_is_asked_by_its_standard_input() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("docker-credential-test");
        let script = "#!/bin/sh\nread -r registry\ncase $registry in\n\
                      a) echo '{\"Username\": \"anna\", \"Secret\": \"pw\"}' ;;\n\
                      t) echo '{\"Username\": \"<token>\", \"Secret\": \"tk\"}' ;;\n\
                      j) echo 'no json' ;;\n*) echo 'credentials not found'; exit 1 ;;\nesac\n";
        crate::driver::fetch::tests::program(&path, script);
        let search = directory.path().to_str().unwrap().to_owned();
        let asked = async |registry: &str| ask("test", registry, &search).await;
        let login = Login { user: "anna".to_owned(), password: "pw".to_owned() };
        assert_eq!(asked("a").await, Ok(Some(Known::Password(login))));
        assert_eq!(asked("t").await, Ok(Some(Known::Identity("tk".to_owned()))));
        assert_eq!(asked("other").await, Ok(None));
        assert!(asked("j").await.unwrap_err().contains("no JSON"));
        assert!(ask("missing", "a", &search).await.unwrap_err().contains("cannot be run"));
        assert!(ask("../x", "a", &search).await.unwrap_err().contains("no sense"));
    }
}
