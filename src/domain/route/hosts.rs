//! Host names with wildcards.

/// Whether a host name fits a pattern: the name itself, or `*.example.org` for one label more. Letters of either case; an empty
/// pattern fits everything.
pub fn host_fits(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.to_ascii_lowercase(), host.to_ascii_lowercase());
    match pattern.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(label, domain)| !label.is_empty() && domain == rest),
        None => pattern.is_empty() || pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::host_fits;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(host_fits("*.example.org", "Notes.example.ORG"));
        assert!(host_fits("", "a.b"));
        assert!(host_fits("a.b", "A.b"));
        assert!(!host_fits("*.example.org", "example.org"));
        assert!(!host_fits("*.example.org", "a.b.example.org"));
        assert!(!host_fits("*.example.org", ".example.org"));
    }
}
