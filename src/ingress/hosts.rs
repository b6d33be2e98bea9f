//! The two host names of an external service.

use crate::domain::names::{LABEL_MAX, bounded, short_hash};

/// Under which names a service is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// `<service>-<8 hex>.<suffix>`: derived from the deployment's uid, so no other deployment ever has it.
    pub primary: String,
    /// `<service>-<environment>.<suffix>`: for people. Two deployments of one environment may want the same; the plan refuses.
    pub readable: String,
}

/// The host names of `service` of the deployment `deployment_uid` in `environment` under the domain `suffix` (with or without
/// a leading dot). The first label of each fits 63 characters by construction: long ones are cut and end in a hash.
pub fn hosts(service: &str, deployment_uid: &str, environment: &str, suffix: &str) -> Hosts {
    let suffix = suffix.trim_matches('.');
    let id = short_hash(&[deployment_uid]);
    // The id is never cut: it is what makes the name unique.
    let head = bounded(&[service], LABEL_MAX - id.len() - 1);
    let readable = bounded(&[service, environment], LABEL_MAX);
    Hosts { primary: format!("{head}-{id}.{suffix}"), readable: format!("{readable}.{suffix}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_have_their_shape() {
        let found = hosts("notes", "uid-1", "demo", ".localhost");
        assert_eq!(found.readable, "notes-demo.localhost");
        let id = found.primary.strip_prefix("notes-").unwrap().strip_suffix(".localhost").unwrap();
        assert!(id.len() == 8 && id.chars().all(|c| c.is_ascii_hexdigit()), "{id}");
        assert_ne!(found.primary, hosts("notes", "uid-2", "demo", "localhost").primary);
        assert_eq!(found, hosts("notes", "uid-1", "demo", "localhost"));
    }

    #[test]
    fn labels_never_exceed_63_characters_and_stay_different() {
        let long = "s".repeat(63);
        let first = hosts(&long, "uid-1", "demo", "example.org");
        let second = hosts(&long, "uid-1", "test", "example.org");
        for host in [&first.primary, &first.readable] {
            let label = host.split('.').next().unwrap();
            assert!(label.len() <= 63, "{label}");
            assert!(crate::domain::names::check_label("host", label).is_ok(), "{label}");
        }
        assert_ne!(first.readable, second.readable);
        assert_ne!(first.primary, hosts(&"s".repeat(62), "uid-1", "demo", "example.org").primary);
    }
}
