//! The hosts and paths in a rule of Traefik: ``Host(`a.org`, `b.org`) && PathPrefix(`/api`)``.

/// The hosts that a rule takes, each with each of its paths; what is excluded by `!` is not among them. An empty host: every one.
pub(super) fn read(rule: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for alternative in alternatives(rule) {
        let (mut hosts, mut paths) = (Vec::new(), Vec::new());
        for (function, arguments) in calls(alternative) {
            match function.to_ascii_lowercase().as_str() {
                "host" | "hostsni" => hosts.extend(arguments),
                "path" | "pathprefix" => paths.extend(arguments),
                _ => {}
            }
        }
        if hosts.is_empty() {
            hosts.push(String::new());
        }
        if paths.is_empty() {
            paths.push("/".to_owned());
        }
        for host in &hosts {
            found.extend(paths.iter().map(|path| (host.to_ascii_lowercase(), path.clone())));
        }
    }
    found.dedup();
    found
}

/// The parts of a rule that `||` stands between, outside of quotes and brackets; the whole rule where hosts and paths are mixed in
/// brackets: then each goes with each.
fn alternatives(rule: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_i32, None);
    for (at, letter) in rule.char_indices() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '`' | '"' | '\'') => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, '|') if depth == 0 && rule[at..].starts_with("||") => {
                parts.push(&rule[start..at]);
                start = at + 2;
            }
            _ => {}
        }
    }
    parts.push(&rule[start..]);
    parts
}

/// The calls in a rule, with their quoted arguments.
fn calls(rule: &str) -> Vec<(&str, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = rule;
    while let Some(open) = rest.find('(') {
        let before = rest[..open].trim_end();
        let start = before.rfind(|letter: char| !letter.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        let function = &before[start..];
        let excluded = before[..start].trim_end().ends_with('!');
        rest = &rest[open + 1..];
        if function.is_empty() {
            continue;
        }
        let (arguments, after) = arguments(rest);
        rest = after;
        if !excluded {
            found.push((function, arguments));
        }
    }
    found
}

/// The quoted texts up to the closing bracket, and what comes after it.
fn arguments(text: &str) -> (Vec<String>, &str) {
    let (mut found, mut rest) = (Vec::new(), text);
    loop {
        let Some(at) = rest.find(['`', '"', '\'', ')']) else { return (found, "") };
        let (letter, after) = (&rest[at..=at], &rest[at + 1..]);
        if letter == ")" {
            return (found, after);
        }
        let Some(end) = after.find(letter) else { return (found, "") };
        found.push(after[..end].to_owned());
        rest = &after[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    fn told(rule: &str) -> String {
        read(rule).into_iter().map(|(host, path)| format!("{host}{path}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn hosts_and_paths_are_found() {
        assert_eq!(told("Host(`a.org`)"), "a.org/");
        assert_eq!(told("Host(`A.org`, `b.org`) && PathPrefix(`/api`)"), "a.org/api b.org/api");
        assert_eq!(told("Host(`a.org`) || Host(`b.org`) && Path(`/x`)"), "a.org/ b.org/x");
        assert_eq!(told("(Host(`a.org`) || Host(\"b.org\")) && PathPrefix(`/`)"), "a.org/ b.org/");
        assert_eq!(told("Host(`a.org`) && !PathPrefix(`/private`)"), "a.org/");
        assert_eq!(told("PathPrefix(`/only`)"), "/only");
        assert_eq!(told("Host(`a.org`) && Headers(`x`, `(||)`)"), "a.org/");
        assert_eq!(told("HostRegexp(`^.+\\.org$`)"), "/");
        assert_eq!(told(""), "/");
        assert_eq!(told("Host(`unclosed"), "/");
    }
}
