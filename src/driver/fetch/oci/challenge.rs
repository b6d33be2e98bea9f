//! What a registry wants before it answers: `WWW-Authenticate` (RFC 9110, §11).

use std::collections::BTreeMap;

use super::super::quoted::unquote;

/// How one is to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// With user name and password.
    Basic,
    /// With a token that `realm` gives.
    Bearer {
        /// The URL that gives tokens.
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

/// The best of the challenges in a header: a token rather than a password.
pub(super) fn parse(header: &str) -> Option<Challenge> {
    let mut found = None;
    for (scheme, mut parameters) in challenges(header) {
        match scheme.as_str() {
            "bearer" => {
                let realm = parameters.remove("realm")?;
                let (service, scope) = (parameters.remove("service"), parameters.remove("scope"));
                return Some(Challenge::Bearer { realm, service, scope });
            }
            "basic" => found = Some(Challenge::Basic),
            _ => {}
        }
    }
    found
}

/// Schemes, in small letters, each with its parameters.
fn challenges(header: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut found: Vec<(String, BTreeMap<String, String>)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        let end = rest.find([' ', ',', '=', '\t']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return found;
        }
        let (value, after) = match after.trim_start().strip_prefix('=') {
            None => {
                found.push((word.to_ascii_lowercase(), BTreeMap::new()));
                rest = after;
                continue;
            }
            Some(after) => value(after.trim_start()),
        };
        if let Some((_, parameters)) = found.last_mut() {
            parameters.insert(word.to_ascii_lowercase(), value);
        }
        rest = after;
    }
}

/// A word, or a text in quotes, and the rest.
fn value(text: &str) -> (String, &str) {
    if let Some(quoted) = text.strip_prefix('"') {
        return unquote(quoted);
    }
    let (word, rest) = text.split_at(text.find([',', ' ', '\t']).unwrap_or(text.len()));
    (word.to_owned(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let header = r#"Bearer realm="https://auth.example/token?a=b,c",service="reg \"1\"", scope="repository:a/b:pull,push""#;
        let bearer = Challenge::Bearer {
            realm: "https://auth.example/token?a=b,c".to_owned(),
            service: Some("reg \"1\"".to_owned()),
            scope: Some("repository:a/b:pull,push".to_owned()),
        };
        assert_eq!(parse(header), Some(bearer.clone()));
        assert_eq!(parse(&format!("Basic realm=\"x\", {header}")), Some(bearer));
        assert_eq!(parse("basic realm=x"), Some(Challenge::Basic));
        assert_eq!(parse("Negotiate"), None);
        let short = Challenge::Bearer { realm: "r".to_owned(), service: None, scope: None };
        assert_eq!(parse("Bearer realm=r"), Some(short));
        for odd in ["", "=", "Bearer", "Bearer realm", "Bearer ,,=,", "\"", "Bearer x=\"open"] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }
}
