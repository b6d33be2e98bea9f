//! What names, labels, keys and ports look like, in a real server's words. `None`: well formed.

/// The longest label, label value and name of a qualified key.
const LABEL_LENGTH: usize = 63;
const SUBDOMAIN_LENGTH: usize = 253;

const LABEL_1123: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const WILDCARD: &str = r"a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const NAME_PART: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const ENV_NAME: &str =
    "a valid environment variable name must consist only of printable ASCII characters other than '='";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

fn too_long(text: &str, most: usize) -> Option<String> {
    (text.len() > most).then(|| format!("must be no more than {most} characters"))
}

fn lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    text.starts_with(lower) && text.ends_with(lower) && text.chars().all(|c| lower(c) || c == '-')
}

/// A DNS label: containers, volumes, namespaces.
pub fn label_1123(text: &str) -> Option<String> {
    too_long(text, LABEL_LENGTH).or_else(|| (!is_label(text)).then(|| LABEL_1123.to_owned()))
}

/// A DNS label that starts with a letter: Services.
pub fn label_1035(text: &str) -> Option<String> {
    let fits = is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase());
    too_long(text, LABEL_LENGTH).or_else(|| (!fits).then(|| LABEL_1035.to_owned()))
}

/// A DNS name: most objects.
pub fn subdomain(text: &str) -> Option<String> {
    too_long(text, SUBDOMAIN_LENGTH)
        .or_else(|| (!text.split('.').all(is_label)).then(|| SUBDOMAIN.to_owned()))
}

/// `*.` and a DNS name: hosts.
pub fn wildcard(text: &str) -> Option<String> {
    let fits = text.strip_prefix("*.").is_some_and(|rest| rest.split('.').all(is_label));
    too_long(text, SUBDOMAIN_LENGTH).or_else(|| (!fits).then(|| WILDCARD.to_owned()))
}

fn is_name_part(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(plain) && text.ends_with(plain) && text.chars().all(|c| plain(c) || "-_.".contains(c))
}

/// A label key: `name` or `prefix/name`.
pub fn qualified(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let parts: Vec<&str> = text.split('/').collect();
    let name = match parts.as_slice() {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else if let Some(problem) = subdomain(prefix) {
                problems.push(format!("prefix part {problem}"));
            }
            name
        }
        _ => {
            return vec![format!(
                "a qualified name {NAME_PART} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if let Some(problem) = too_long(name, LABEL_LENGTH) {
        problems.push(format!("name part {problem}"));
    }
    if !is_name_part(name) {
        problems.push(format!("name part {NAME_PART}"));
    }
    problems
}

/// A label's value.
pub fn label_value(text: &str) -> Vec<String> {
    let mut problems: Vec<String> = too_long(text, LABEL_LENGTH).into_iter().collect();
    if !text.is_empty() && !is_name_part(text) {
        problems.push(LABEL_VALUE.to_owned());
    }
    problems
}

/// The name of an environment variable.
pub fn env_name(text: &str) -> Option<String> {
    let fits = text.chars().all(|c| (' '..='~').contains(&c) && c != '=');
    (!fits).then(|| ENV_NAME.to_owned())
}

/// A key of a ConfigMap or a Secret.
pub fn config_key(text: &str) -> Option<String> {
    if text.len() > SUBDOMAIN_LENGTH {
        return too_long(text, SUBDOMAIN_LENGTH);
    }
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return Some(CONFIG_KEY.to_owned());
    }
    match text {
        "." => Some("must not be '.'".to_owned()),
        ".." => Some("must not be '..'".to_owned()),
        _ if text.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    }
}

/// The name of a port.
pub fn port_name(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if text.len() > 15 {
        problems.push("must be no more than 15 characters".to_owned());
    }
    if !text.chars().all(|c| lower(c) || c == '-') {
        problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !text.chars().any(|c| c.is_ascii_lowercase()) {
        problems.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        problems.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        problems.push("must not begin or end with a hyphen".to_owned());
    }
    problems
}

/// A port's number.
pub fn port_number(number: i64) -> Option<String> {
    (!(1..=65535).contains(&number)).then(|| "must be between 1 and 65535, inclusive".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_and_not() {
        let long = "x".repeat(64);
        for (text, label, service, dns) in [
            ("a", true, true, true),
            ("a-1", true, true, true),
            ("1a", true, false, true),
            ("a.b", false, false, true),
            ("", false, false, false),
            ("-a", false, false, false),
            ("A", false, false, false),
            ("a_b", false, false, false),
            ("a..b", false, false, false),
            (long.as_str(), false, false, true),
        ] {
            assert_eq!(label_1123(text).is_none(), label, "label {text}");
            assert_eq!(label_1035(text).is_none(), service, "1035 {text}");
            assert_eq!(subdomain(text).is_none(), dns, "subdomain {text}");
        }
        for (key, fits) in [
            ("a", true),
            ("a.b/c", true),
            ("A_b.c-d", true),
            ("a b", false),
            ("/a", false),
            ("a/", false),
            ("a/b/c", false),
            ("-a", false),
        ] {
            assert_eq!(qualified(key).is_empty(), fits, "key {key}");
        }
        for (value, fits) in [("", true), ("1.0", true), ("a b", false), ("-", false), (long.as_str(), false)]
        {
            assert_eq!(label_value(value).is_empty(), fits, "value {value}");
        }
        for (name, fits) in [
            ("http", true),
            ("http-2", true),
            ("80", false),
            ("a--b", false),
            ("-a", false),
            ("a-very-long-port-name", false),
        ] {
            assert_eq!(port_name(name).is_empty(), fits, "port {name}");
        }
        for (name, fits) in [("A", true), ("my.env-name", true), ("1 A", true), ("a=b", false), ("ä", false)]
        {
            assert_eq!(env_name(name).is_none(), fits, "env {name}");
        }
    }
}
