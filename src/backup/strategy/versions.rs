//! Whether what one server wrote may be read by another.

use crate::domain::Problem;
use crate::domain::driver::RestoreInto;

use super::StrategyError;

/// The numbers at the beginning of a version (`15.18 (Debian …)` → 15, 18).
fn numbers(version: &str) -> Vec<u64> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').filter_map(|part| part.parse().ok()).collect()
}

/// Two versions of a server, of which the first so many numbers tell formats apart.
pub(super) struct Versions<'a> {
    pub(super) kept: &'a str,
    pub(super) there: &'a str,
    pub(super) numbers: usize,
}

impl Versions<'_> {
    /// Whether a restore may go on: what a person should know, if so.
    ///
    /// # Errors
    /// When the driver forbids it, unless it is `forced`.
    pub(super) fn check(
        &self,
        name: &str,
        into: RestoreInto,
        forced: bool,
    ) -> Result<Option<Problem>, StrategyError> {
        let part = |version: &str| numbers(version).into_iter().take(self.numbers).collect::<Vec<_>>();
        let (kept, there) = (part(self.kept), part(self.there));
        if kept.is_empty() || there.is_empty() || kept == there {
            return Ok(None);
        }
        let newer = there > kept;
        let allowed = forced || into == RestoreInto::Any || (newer && into == RestoreInto::Newer);
        let what = format!("{name} was backed up from version {} and runs {} now", self.kept, self.there);
        let why = match newer {
            true => "an older dump goes into a newer server: most do, and some need work afterwards",
            false => "a newer dump goes into an older server: it may use what that does not know",
        };
        if allowed {
            return Ok(Some(Problem::new(what, why, "look at the application afterwards")));
        }
        let next = "deploy the version that was backed up and restore into that; or allow it: restore: { into: any } in the driver";
        Err(StrategyError::lasting(what, why, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_servers_are_warned_of_and_older_ones_refused() {
        let check = |kept, there, into, forced| {
            Versions { kept, there, numbers: 1 }.check("db", into, forced).map(|warning| warning.is_some())
        };
        assert_eq!(check("15.18 (Debian)", "15.2", RestoreInto::Same, false), Ok(false));
        assert_eq!(check("", "15.2", RestoreInto::Same, false), Ok(false));
        assert_eq!(check("9.6", "15.2", RestoreInto::Newer, false), Ok(true));
        assert!(check("9.6", "15.2", RestoreInto::Same, false).is_err());
        assert!(check("16.1", "15.2", RestoreInto::Newer, false).is_err());
        assert_eq!(check("16.1", "15.2", RestoreInto::Any, false), Ok(true));
        assert_eq!(check("16.1", "15.2", RestoreInto::Same, true), Ok(true));
        let minor = Versions { kept: "10.6.1", there: "10.11.2-MariaDB", numbers: 2 };
        assert!(minor.check("db", RestoreInto::Newer, false).unwrap().is_some());
    }
}
