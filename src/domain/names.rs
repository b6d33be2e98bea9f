//! Names that fit Kubernetes' limits by construction.

use sha2::{Digest, Sha256};

use super::Problem;

/// The longest DNS label (RFC 1123).
pub const LABEL_MAX: usize = 63;

/// The longest DNS subdomain (RFC 1123): the name of most objects.
pub const SUBDOMAIN_MAX: usize = 253;

/// Checks that `name` is a DNS-1123 subdomain, as most objects are named: parts of lower-case letters, digits and `-` with dots between
/// them, at most 253 characters.
///
/// # Errors
/// Why it is none, in words that continue "'x': ".
pub fn check_subdomain(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() {
        return Err("it is empty".to_owned());
    }
    if name.len() > SUBDOMAIN_MAX {
        return Err(format!("it has {} characters, the limit is {SUBDOMAIN_MAX}", name.chars().count()));
    }
    if let Some(bad) = name.chars().find(|c| !plain(*c) && !matches!(c, '-' | '.')) {
        return Err(format!("'{bad}' is not allowed: it has lower-case letters, digits, '-' and '.'"));
    }
    match name.split('.').find(|part| !part.starts_with(plain) || !part.ends_with(plain)) {
        None => Ok(()),
        Some("") => Err("it has an empty part".to_owned()),
        Some(part) => Err(format!("'{part}' must start and end with a letter or a digit")),
    }
}

/// Checks that `name` is a DNS-1123 label: lower-case letters, digits and `-`, at most 63, starting and ending with a
/// letter or digit. `what` names the thing in the message ("environment", "deployment").
pub fn check_label(what: &str, name: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let why = if name.is_empty() {
        "it is empty".to_owned()
    } else if name.len() > LABEL_MAX {
        format!("it has {} characters, the limit is {LABEL_MAX}", name.len())
    } else if let Some(bad) = name.chars().find(|c| !plain(*c) && *c != '-') {
        format!("'{bad}' is not allowed")
    } else if !name.starts_with(plain) || !name.ends_with(plain) {
        "it must start and end with a letter or a digit".to_owned()
    } else {
        return Ok(());
    };
    Err(Problem::new(
        format!("'{name}' cannot name the {what}"),
        why,
        "use lower-case letters, digits and '-' (a DNS label)",
    ))
}

/// Whether `text` can be the value of a label, or the name of a label, annotation or limit behind its domain and slash: letters,
/// digits, `-`, `_` and `.`, at most 63, starting and ending with a letter or a digit.
pub fn is_label_text(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    text.len() <= LABEL_MAX
        && text.starts_with(plain)
        && text.ends_with(plain)
        && text.chars().all(|c| plain(c) || matches!(c, '-' | '_' | '.'))
}

/// Checks that `key` can be the key of a label, an annotation or a limit: a name, with a DNS name and a slash in front where it
/// belongs to somebody.
///
/// # Errors
/// Why it is none, in words that continue "'x': ".
pub fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    prefix.map_or(Ok(()), check_subdomain)?;
    match is_label_text(name) {
        true => Ok(()),
        false => Err("its name has letters, digits, '-', '_' and '.', at most 63, and begins and ends with a letter or a digit".to_owned()),
    }
}

/// Joins `parts` with `-`; when the result is longer than `max` characters it is cut and ended with 8 hex digits of its
/// hash, so that two long names stay different.
pub fn bounded(parts: &[&str], max: usize) -> String {
    let joined = parts.join("-");
    if joined.len() <= max {
        return joined;
    }
    let hash = short_hash(&[&joined]);
    let keep = max.saturating_sub(hash.len() + 1);
    let head: String = joined.chars().take(keep).collect();
    format!("{}-{hash}", head.trim_end_matches('-'))
}

/// 8 hex digits of the SHA-256 of the parts (separated, so that `ab,c` and `a,bc` differ).
pub fn short_hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hex(&hasher.finalize()[..4])
}

/// The SHA-256 of `bytes` as 64 hex digits.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_checked() {
        assert!(check_label("deployment", "notes-1").is_ok());
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", &"a".repeat(64)] {
            assert!(check_label("deployment", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_objects_are_checked() {
        for right in ["a", "wildcard.example.org", "1-x", "10.0.0.1", &"x".repeat(253)] {
            assert_eq!(check_subdomain(right), Ok(()), "{right}");
        }
        for (wrong, why) in [
            ("", "empty"),
            ("Wild", "'W' is not allowed"),
            ("a_b", "'_' is not allowed"),
            ("a/b", "'/' is not allowed"),
            ("*.a", "'*' is not allowed"),
            ("a..b", "empty part"),
            ("a.-b", "'-b' must start and end"),
            (&"x".repeat(254), "254 characters"),
        ] {
            let told = check_subdomain(wrong).unwrap_err();
            assert!(told.contains(why), "{wrong}: {told}");
        }
    }

    #[test]
    fn what_stands_in_labels_is_known() {
        assert!(["a", "A_b.c-1", &"a".repeat(63)].into_iter().all(is_label_text));
        for bad in ["", "-a", "a.", "_", "a/b", "ä", &"a".repeat(64)] {
            assert!(!is_label_text(bad), "{bad}");
        }
    }

    #[test]
    fn keys_are_names_with_or_without_a_domain() {
        for right in [
            "a",
            "A_b.c",
            "requests.memory",
            "count/deployments.apps",
            "nginx.ingress.kubernetes.io/Some_thing.x",
        ] {
            assert_eq!(check_key(right), Ok(()), "{right}");
        }
        for (wrong, why) in [
            ("", "its name has"),
            ("a/", "its name has"),
            ("a b", "its name has"),
            ("a/b/c", "its name has"),
            ("/a", "empty"),
            ("A_b.c/x", "'A' is not allowed"),
        ] {
            let told = check_key(wrong).unwrap_err();
            assert!(told.contains(why), "{wrong}: {told}");
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let long = "x".repeat(80);
        let first = bounded(&[&long, "a"], LABEL_MAX);
        let second = bounded(&[&long, "b"], LABEL_MAX);
        assert_eq!(first.len(), LABEL_MAX);
        assert_ne!(first, second);
        assert_eq!(bounded(&["a", "b"], LABEL_MAX), "a-b");
    }
}
