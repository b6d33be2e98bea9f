//! From which versions a driver lets a deployment come.

use crate::domain::{DeploymentDraft, DeploymentId, DriverVersion, Instance, Problem, version};

use super::engine::Engine;

impl Engine {
    /// Whether the driver lets what runs now become what `draft` asks for. What never ran comes from nowhere.
    ///
    /// # Errors
    /// It does not, with the ranges that it names; or the records cannot be read.
    pub(super) async fn check_upgrade(
        &self,
        id: DeploymentId,
        draft: &DeploymentDraft,
        driver: &DriverVersion,
    ) -> Result<(), Problem> {
        match self.store().active_instance(id).await? {
            Some(active) => check(&active, draft, driver),
            None => Ok(()),
        }
    }
}

fn check(active: &Instance, draft: &DeploymentDraft, driver: &DriverVersion) -> Result<(), Problem> {
    let ranges = &driver.spec.upgrades_from;
    let application = (&active.application_version, &draft.application_version);
    let same_driver = active.driver.name == draft.driver.name;
    let of_driver = (&active.driver.version, &draft.driver.version);
    for (what, (from, to), ranges) in
        [("the application", application, &ranges.application), ("its driver", of_driver, &ranges.driver)]
    {
        let asked = from != to && !ranges.is_empty() && (same_driver || what == "the application");
        if asked && !ranges.iter().any(|range| version::matches(range, from) == Ok(true)) {
            return Err(Problem::new(
                format!("{} cannot come from {from} to {to}", draft.name),
                format!(
                    "{what} is at {from}, and the driver {} upgrades from {} only",
                    draft.driver,
                    ranges.join(" or ")
                ),
                "go to a version in between first, or choose another version of the driver",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;
    use crate::domain::driver::UpgradesFrom;
    use crate::domain::{DriverRef, InstanceState};

    fn reference(version: &str) -> DriverRef {
        DriverRef { name: "notes".to_owned(), version: version.to_owned() }
    }

    fn refusal(from: (&str, &str), to: (&str, &str)) -> Option<String> {
        let active = Instance {
            deployment: DeploymentId(1),
            number: 1,
            state: InstanceState::Active,
            driver: reference(from.1),
            application_version: from.0.to_owned(),
            context: Value::Null,
            digest: String::new(),
            created_at: Timestamp::UNIX_EPOCH,
            message: None,
            draft: None,
        };
        let draft = DeploymentDraft {
            name: "n".to_owned(),
            driver: reference(to.1),
            application_version: to.0.to_owned(),
            ..DeploymentDraft::default()
        };
        let mut driver = DriverVersion { reference: reference(to.1), ..DriverVersion::default() };
        driver.spec.upgrades_from = UpgradesFrom {
            application: vec!["~1.4".to_owned(), "~1.5".to_owned()],
            driver: vec!["^2".to_owned()],
        };
        check(&active, &draft, &driver).err().map(|problem| problem.to_string())
    }

    #[test]
    fn a_change_from_outside_of_the_ranges_is_refused_with_them() {
        assert_eq!(refusal(("1.4.2", "2.0"), ("1.6.0", "2.1")), None);
        assert_eq!(refusal(("1.5.9", "2.0"), ("1.6.0", "2.0")), None);
        let why = refusal(("1.3.0", "2.0"), ("1.6.0", "2.0")).unwrap();
        assert!(why.contains("the application is at 1.3.0") && why.contains("~1.4 or ~1.5"), "{why}");
        let why = refusal(("1.4.0", "1.9"), ("1.4.0", "2.1")).unwrap();
        assert!(why.contains("its driver is at 1.9") && why.contains("^2"), "{why}");
        assert_eq!(refusal(("1.0.0", "1.0"), ("1.0.0", "1.0")), None, "what stays is not asked about");
        assert!(refusal(("latest", "2.0"), ("1.6.0", "2.0")).is_some());
    }
}
