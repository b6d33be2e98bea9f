//! What is given on the command line, checked against what an action asks for.

use serde_json::Value;

use super::{Refusal, usage};
use crate::domain::driver::{ActionSpec, ParameterKind, ParameterSpec};
use crate::domain::parameters::{check_secret, check_value};
use crate::domain::{ActionRequest, TypedSecrets, suggest};

/// The answers that were given.
#[derive(Debug, Default)]
pub struct Given {
    /// Values in clear, by the name of the prompt.
    pub set: Vec<(String, Value)>,
    /// Secrets.
    pub typed: TypedSecrets,
}

/// The request that the answers make.
///
/// # Errors
/// Everything that is wrong with them at once; a secret is never repeated.
pub fn request(action: &ActionSpec, given: &Given) -> Result<ActionRequest, Refusal> {
    let mut request = ActionRequest { action: action.name.clone(), ..ActionRequest::default() };
    let mut wrong = Vec::new();
    let named = given.set.iter().map(|(name, _)| name).chain(given.typed.keys());
    for name in named.filter(|name| !action.prompts.iter().any(|prompt| prompt.name == **name)) {
        let hint = suggest::hint(name, action.prompts.iter().map(|prompt| prompt.name.as_str()));
        wrong.push(format!("{name}: it is not asked for; {hint}"));
    }
    for prompt in &action.prompts {
        if let Err(message) = answer(prompt, given, &mut request) {
            wrong.push(format!("{}: {message}", prompt.name));
        }
    }
    if wrong.is_empty() {
        return Ok(request);
    }
    let next = "give each with --set NAME=VALUE, secrets with --secret NAME";
    Err(usage(format!("{} cannot be run with these answers", action.name), wrong.join("\n"), next))
}

fn answer(prompt: &ParameterSpec, given: &Given, request: &mut ActionRequest) -> Result<(), String> {
    let name = &prompt.name;
    let value = given.set.iter().rev().find(|(set, _)| set == name).map(|(_, value)| value);
    let typed = given.typed.get(name);
    match (&prompt.kind, value, typed) {
        (ParameterKind::Secret, Some(_), _) => {
            Err("a secret is not written on a command line: give --secret or --secret-file".to_owned())
        }
        (ParameterKind::Secret, None, Some(typed)) => {
            check_secret(prompt, typed)?;
            request.typed.insert(name.clone(), typed.clone());
            Ok(())
        }
        (_, _, Some(_)) => Err("it is no secret: give it with --set".to_owned()),
        (_, Some(value), None) => {
            request.answers.insert(name.clone(), check_value(prompt, value)?);
            Ok(())
        }
        (_, None, None) if prompt.default.is_some() => Ok(()),
        (_, None, None) => Err("it is required".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::SecretText;

    fn action() -> ActionSpec {
        let prompt = |name: &str, kind, default| ParameterSpec {
            name: name.into(),
            kind,
            default,
            ..ParameterSpec::default()
        };
        let mut workers = prompt("workers", ParameterKind::Integer, Some(json!(2)));
        (workers.min, workers.max) = (Some(1.0), Some(8.0));
        ActionSpec {
            name: "reindex".into(),
            prompts: vec![
                prompt("table", ParameterKind::String, None),
                workers,
                prompt("password", ParameterKind::Secret, None),
            ],
            ..ActionSpec::default()
        }
    }

    fn given(set: &[(&str, &str)], typed: &[(&str, &str)]) -> Given {
        Given {
            set: set.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect(),
            typed: typed.iter().map(|(name, text)| ((*name).to_owned(), SecretText::new(*text))).collect(),
        }
    }

    fn refused(given: &Given) -> String {
        match request(&action(), given) {
            Err(Refusal::Usage(problem)) => problem.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_get_their_types_and_defaults_are_left_out() {
        let request = request(&action(), &given(&[("table", "notes")], &[("password", "hunter2")])).unwrap();
        assert_eq!(json!(request.answers), json!({"table": "notes"}));
        assert_eq!(request.typed["password"].reveal(), "hunter2");
        let four = given(&[("table", "a"), ("workers", "3"), ("workers", "4")], &[("password", "x")]);
        let request = super::request(&action(), &four).unwrap();
        assert_eq!(json!(request.answers), json!({"table": "a", "workers": 4}), "the last one counts");
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_without_a_secret() {
        let told = refused(&given(&[("tabel", "x"), ("workers", "9"), ("password", "hunter2")], &[]));
        for part in [
            "tabel: it is not asked for; did you mean 'table'?",
            "table: it is required",
            "workers: expected 1 to 8, found 9",
            "password: a secret is not written on a command line",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(!told.contains("hunter2"), "{told}");
        let told = refused(&given(&[], &[("table", "hunter2")]));
        assert!(told.contains("table: it is no secret") && !told.contains("hunter2"), "{told}");
    }
}
