//! Versions of charts and clusters, and the ranges that charts ask for.

use super::functions::versions::{Constraints, Version};

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

/// The first two numbers of a version; none for what is none.
pub(super) fn major_minor(text: &str) -> Option<(u64, u64)> {
    Version::parse(text).ok().map(|version| (version.major, version.minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_charts() {
        assert!(compatible("^1.0.0", "1.2.3") && compatible("1.x.x", "v1.9"));
        assert!(compatible(">=1.20.0-0", "v1.31.2-gke.1") && !compatible(">=1.20.0", "v1.31.2-gke.1"));
        assert!(!compatible("one", "1.0.0") && !compatible("*", "one"));
        assert_eq!(major_minor("v1.31.2-gke.1"), Some((1, 31)));
        assert!(is_version("1.2") && !is_version("latest"));
    }
}
