//! Which of the versions that there are is the one that is asked for: Helm's rules.

use crate::driver::chart::versions::{Constraints, Version};

/// How many versions a message names.
const NAMED: usize = 5;

/// Whether a text is a version as the specification of semantic versions writes them, and not a shorter one.
pub(super) fn is_whole(text: &str) -> bool {
    Version::parse(text).is_ok_and(|version| version.to_string() == text)
}

/// The one that is asked for: the one of that very text, else the highest that the range holds; without a range, the highest
/// release.
///
/// # Errors
/// There is none, or what is asked for is neither a version nor a range; with the highest that there are.
pub(super) fn choose(candidates: Vec<String>, asked: Option<&str>) -> Result<String, String> {
    let asked = asked.map(str::trim).filter(|asked| !asked.is_empty());
    if let Some(exact) = asked.and_then(|asked| candidates.iter().find(|candidate| *candidate == asked)) {
        return Ok(exact.clone());
    }
    let range = asked.unwrap_or("*");
    let constraint = Constraints::parse(range).map_err(|_| {
        format!("'{range}' is neither one of its versions nor a range such as ^1.2 or >=1.2 <2")
    })?;
    let mut versions: Vec<(Version, String)> =
        candidates.into_iter().filter_map(|text| Some((Version::parse(&text).ok()?, text))).collect();
    // where two are equal, the one that was first stays first
    versions.sort_by(|(left, _), (right, _)| right.cmp(left));
    if let Some((_, text)) = versions.iter().find(|(version, _)| constraint.allow(version)) {
        return Ok(text.clone());
    }
    let named: Vec<&str> = versions.iter().take(NAMED).map(|(_, text)| text.as_str()).collect();
    let more = if versions.len() > NAMED { ", …" } else { "" };
    Err(match (named.is_empty(), asked) {
        (true, _) => "it has no versions".to_owned(),
        (false, Some(asked)) => {
            format!("none of its versions is '{asked}'; the highest are {}{more}", named.join(", "))
        }
        (false, None) => format!("it has no release, only {}{more}", named.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_that_will_do_is_chosen() {
        let all = ["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1", "1.9.0+b", "v3.0.0", "latest"];
        let choose = |asked| choose(all.map(str::to_owned).to_vec(), asked);
        assert_eq!(choose(Some("^1")).unwrap(), "1.10.0");
        assert_eq!(choose(Some("<1.10")).unwrap(), "1.9.0");
        assert_eq!(choose(Some("1.9.0+b")).unwrap(), "1.9.0+b");
        assert_eq!(choose(Some(" 3 ")).unwrap(), "v3.0.0");
        assert_eq!(choose(Some(">=2.0.0-0 <3-0")).unwrap(), "2.0.0-rc.1");
        assert_eq!(choose(Some("latest")).unwrap(), "latest");
        assert_eq!(choose(None).unwrap(), "v3.0.0");
        let refusal = choose(Some(">=9")).unwrap_err();
        assert_eq!(
            refusal,
            "none of its versions is '>=9'; the highest are v3.0.0, 2.0.0-rc.1, 1.10.0, 1.9.0, 1.9.0+b, …"
        );
        assert!(choose(Some("newest")).unwrap_err().contains("neither"));
    }

    #[test]
    fn where_nothing_is_released_it_says_so() {
        assert_eq!(choose(vec!["1.0.0-a".to_owned()], None).unwrap_err(), "it has no release, only 1.0.0-a");
        assert_eq!(choose(vec!["x".to_owned()], None).unwrap_err(), "it has no versions");
    }
}
