//! Docker's `config.json`, which Helm's `registry/config.json` has the form of.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Login;

/// How a registry knows somebody.
#[derive(Clone, PartialEq, Eq)]
pub(in super::super) enum Known {
    /// A user name and a password.
    Password(Login),
    /// A token that is changed for others.
    Identity(String),
    /// The login is kept by the program `docker-credential-<name>`.
    Helper(String),
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(…)",
            Self::Identity(_) => "Identity(…)",
            Self::Helper(_) => "Helper",
        })
    }
}

/// How the text of a `config.json` says that one logs in to a registry.
///
/// # Errors
/// It cannot be read, and why; nothing of what is in it.
pub(super) fn find(text: &str, authority: &str) -> Result<Option<Known>, String> {
    let config: Value = serde_json::from_str(text)
        .map_err(|error| format!("it is no JSON (line {}, column {})", error.line(), error.column()))?;
    let names = names(authority);
    let auths = config.get("auths").and_then(Value::as_object);
    let entry =
        |name: &String| auths?.iter().find(|(key, _)| registry_of(key) == *name).map(|(_, entry)| entry);
    let helper = |name: &String| config.pointer("/credHelpers")?.get(name)?.as_str();
    if let Some(helper) = names.iter().find_map(helper) {
        return Ok(Some(Known::Helper(helper.to_owned())));
    }
    if let Some(entry) = names.iter().find_map(entry) {
        if let Some(known) = read(entry)? {
            return Ok(Some(known));
        }
        // an entry without a login says that the store of this file has it
        let store = config.get("credsStore").and_then(Value::as_str);
        return Ok(store.filter(|name| !name.is_empty()).map(|name| Known::Helper(name.to_owned())));
    }
    Ok(None)
}

fn read(entry: &Value) -> Result<Option<Known>, String> {
    let field = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some(token) = field("identitytoken") {
        return Ok(Some(Known::Identity(token.to_owned())));
    }
    if let (Some(user), Some(password)) = (field("username"), field("password")) {
        let login = Login { user: user.to_owned(), password: password.to_owned() };
        return Ok(Some(Known::Password(login)));
    }
    let Some(encoded) = field("auth") else { return Ok(None) };
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let (user, password) = decoded
        .as_deref()
        .and_then(|text| text.split_once(':'))
        .ok_or("the login of this registry is not 'user:password' in base64")?;
    let password = password.trim_end_matches('\0').to_owned();
    Ok(Some(Known::Password(Login { user: user.to_owned(), password })))
}

/// The names of Docker's own registry.
const DOCKER: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// The name by which programs keep the login of a registry. Docker's own has a historical one.
pub(super) fn key(authority: &str) -> &str {
    if DOCKER.contains(&authority) { "https://index.docker.io/v1/" } else { authority }
}

/// The names that a registry may have in the file.
fn names(authority: &str) -> Vec<String> {
    if DOCKER.contains(&authority) { DOCKER.map(str::to_owned).to_vec() } else { vec![authority.to_owned()] }
}

/// The host and port of a key, which may be a URL.
fn registry_of(key: &str) -> String {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or("").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{
        "auths": {
            "https://index.docker.io/v1/": {"auth": "YW5uYTpwOnc="},
            "localhost:5000": {"username": "bo", "password": "pw"},
            "azure.example": {"auth": "MDA6", "identitytoken": "token"},
            "stored.example": {},
            "broken.example": {"auth": "c2VjcmV0"}
        },
        "credHelpers": {"helped.example": "pass"},
        "credsStore": "secretservice"
    }"#;

    #[test]
    fn every_form_of_login_is_read() {
        let login = |user: &str, password: &str| {
            Some(Known::Password(Login { user: user.to_owned(), password: password.to_owned() }))
        };
        for (registry, expected) in [
            ("registry-1.docker.io", login("anna", "p:w")),
            ("docker.io", login("anna", "p:w")),
            ("localhost:5000", login("bo", "pw")),
            ("localhost:5001", None),
            ("azure.example", Some(Known::Identity("token".to_owned()))),
            ("stored.example", Some(Known::Helper("secretservice".to_owned()))),
            ("helped.example", Some(Known::Helper("pass".to_owned()))),
            ("ghcr.io", None),
        ] {
            assert_eq!(find(CONFIG, registry).unwrap(), expected, "{registry}");
        }
        let refusal = find(CONFIG, "broken.example").unwrap_err();
        assert!(!refusal.contains("secret"), "{refusal}");
        assert_eq!(find("{}", "ghcr.io").unwrap(), None);
        assert!(find("[", "ghcr.io").unwrap_err().contains("line 1"));
    }
}
