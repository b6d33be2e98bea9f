//! `.helmignore`: which files of a chart's directory are no part of the chart.

use super::glob::Pattern;

/// The name of the file.
pub(super) const FILE: &str = ".helmignore";

/// How long the file may be, in bytes.
const SIZE_LIMIT: usize = 64 << 10;
/// How many rules it may have: each is a regular expression.
const RULE_LIMIT: usize = 1_000;

/// The rules of one file, in its order.
pub(super) struct Rules(Vec<Rule>);

struct Rule {
    pattern: Pattern,
    /// `!`: everything but what matches.
    negated: bool,
    /// `/` at the end: directories only.
    directory: bool,
    /// There is no `/` in it: it is compared with the last part of a path.
    base: bool,
}

impl Rules {
    /// Reads the rules; hidden files in `templates/` are always ignored.
    ///
    /// # Errors
    /// A line is no pattern, or has `**`; there are too many.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.len() > SIZE_LIMIT {
            return Err(format!("it is longer than {SIZE_LIMIT} bytes"));
        }
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let lines: Vec<&str> =
            lines.filter(|line| !line.is_empty() && !line.starts_with('#')).take(RULE_LIMIT + 1).collect();
        if lines.len() > RULE_LIMIT {
            return Err(format!("it has more than {RULE_LIMIT} rules"));
        }
        lines.into_iter().chain(["templates/.?*"]).map(Rule::read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the file at `path` is ignored, or a directory in which it is.
    pub(super) fn ignore(&self, path: &str) -> bool {
        let directories = path.match_indices('/').map(|(end, _)| &path[..end]);
        directories.into_iter().any(|directory| self.matches(directory, true)) || self.matches(path, false)
    }

    /// The first rule that says something decides. A negated rule ignores whatever it does not match, as Helm has it.
    fn matches(&self, path: &str, directory: bool) -> bool {
        for rule in &self.0 {
            let kind = directory || !rule.directory;
            let compared = if rule.base { path.rsplit('/').next().unwrap_or(path) } else { path };
            if (kind && rule.pattern.matches(compared)) != rule.negated {
                return true;
            }
        }
        false
    }
}

impl Rule {
    fn read(line: &str) -> Result<Self, String> {
        if line.contains("**") {
            return Err(format!("double-star (**) syntax is not supported: {line}"));
        }
        let (negated, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (directory, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        let base = !line.contains('/');
        let pattern = Pattern::of_ignore(line.strip_prefix('/').unwrap_or(line))
            .map_err(|why| format!("{why}: {line}"))?;
        Ok(Self { pattern, negated, directory, base })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(rules: &str, path: &str) -> bool {
        Rules::read(rules).unwrap().ignore(path)
    }

    #[test]
    fn rules_are_those_of_helm() {
        assert!(ignored("*.bak", "docs/a.bak") && !ignored("*.bak", "docs/a.md"));
        assert!(ignored("/a.md", "a.md") && !ignored("/a.md", "docs/a.md"));
        assert!(ignored("docs/", "docs/a.md") && !ignored("docs/", "docs"));
        assert!(ignored("ci", "ci/values.yaml") && ignored("ci", "x/ci"));
        assert!(ignored("docs/*.md", "docs/a.md") && !ignored("docs/*.md", "x/docs/a.md"));
        assert!(ignored("", "templates/.hidden") && !ignored("", ".hidden"));
        assert!(!ignored("# *.md\n\n", "a.md"));
        assert!(ignored("!*.yaml", "a.md") && !ignored("!*.yaml", "a.yaml"));
    }

    #[test]
    fn what_is_no_rule_is_an_error() {
        assert!(Rules::read("a/**").is_err());
        assert!(Rules::read("[").is_err());
    }

    #[test]
    fn there_are_not_too_many_rules() {
        assert!(Rules::read(&"a*\n".repeat(RULE_LIMIT)).is_ok());
        assert!(Rules::read(&"a*\n".repeat(RULE_LIMIT + 1)).is_err_and(|why| why.contains("1000 rules")));
        assert!(Rules::read(&"# a\n".repeat(RULE_LIMIT + 1)).is_ok());
        assert!(Rules::read(&"# a\n".repeat(20_000)).is_err_and(|why| why.contains("65536 bytes")));
    }
}
