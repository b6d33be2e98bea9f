//! Versions of charts and clusters, and the ranges that charts ask for.

pub(in crate::driver) use super::functions::versions::{Constraints, Version};

/// Whether a text is a version.
pub(super) fn is_version(text: &str) -> bool {
    Version::parse(text).is_ok()
}

/// Whether a version is in a range; what is no range, or no version, never is.
pub(super) fn compatible(range: &str, version: &str) -> bool {
    match (Constraints::parse(range), Version::parse(version)) {
        (Ok(constraints), Ok(version)) => constraints.allow(&version),
        _ => false,
    }
}

/// A version with all of its numbers, and the first two of them; none for what is none.
pub(super) fn complete(text: &str) -> Option<(String, u64, u64)> {
    let version = Version::parse(text).ok()?;
    Some((version.to_string(), version.major, version.minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asked of the real Helm.
    const RECORDED: &str = include_str!("versions/recorded.txt");

    #[test]
    fn what_a_constraint_holds_is_what_helm_says() {
        let mut lines = RECORDED.lines().filter(|line| !line.starts_with('#'));
        let versions: Vec<&str> = lines.next().unwrap().split(' ').skip(1).collect();
        let mut checked = 0;
        for line in lines {
            let (range, expected) = line.split_once(':').unwrap();
            let held = versions.iter().copied().filter(|version| compatible(range, version));
            assert_eq!(held.collect::<Vec<_>>(), expected.split_whitespace().collect::<Vec<_>>(), "{range}");
            checked += 1;
        }
        assert!(checked > 100, "{checked}");
    }

    #[test]
    fn ranges_are_those_of_charts() {
        assert!(compatible("^1.0.0", "1.2.3") && compatible("1.x.x", "v1.9"));
        assert!(compatible(">=1.20.0-0", "v1.31.2-gke.1") && !compatible(">=1.20.0", "v1.31.2-gke.1"));
        assert!(!compatible("one", "1.0.0") && !compatible("*", "one"));
        assert_eq!(complete("v1.31.2-gke.1"), Some(("1.31.2-gke.1".to_owned(), 1, 31)));
        assert_eq!(complete("1.28"), Some(("1.28.0".to_owned(), 1, 28)));
        assert!(is_version("1.2") && !is_version("latest"));
    }
}
