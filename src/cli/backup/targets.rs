//! Which applications are meant.

use crate::cli::ending::{Refusal, usage};
use crate::domain::Deployment;

/// The deployments of these names, `NAME` or `ENVIRONMENT/NAME`, of one environment where it is named: each once.
pub fn targets<'a>(
    all: &'a [Deployment],
    names: &[String],
    environment: Option<&str>,
) -> Result<Vec<&'a Deployment>, Refusal> {
    let mut found: Vec<&Deployment> = Vec::new();
    for name in names {
        let one = target(all, name, environment)?;
        if found.iter().all(|known| known.id != one.id) {
            found.push(one);
        }
    }
    Ok(found)
}

fn target<'a>(
    all: &'a [Deployment],
    name: &str,
    environment: Option<&str>,
) -> Result<&'a Deployment, Refusal> {
    let (within, plain) = match name.split_once('/') {
        Some((within, plain)) => (Some(within), plain),
        None => (environment, name),
    };
    let is_meant = |deployment: &&Deployment| {
        deployment.draft.name == plain && within.is_none_or(|within| within == deployment.draft.environment)
    };
    let matching: Vec<&Deployment> = all.iter().filter(is_meant).collect();
    match matching.as_slice() {
        [one] => Ok(one),
        [] => Err(usage(format!("There is no application {name}"), among(all.iter()), "name one of those")),
        [..] => {
            let why = among(matching.iter().copied());
            Err(usage(format!("Which {name} is meant?"), why, "name it as ENVIRONMENT/NAME"))
        }
    }
}

fn among<'a>(deployments: impl Iterator<Item = &'a Deployment>) -> String {
    let names: Vec<String> = deployments.map(about).collect();
    if names.is_empty() {
        "none is recorded here".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    }
}

/// `notes in demo`.
pub fn about(deployment: &Deployment) -> String {
    format!("{} in {}", deployment.draft.name, deployment.draft.environment)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{DeploymentDraft, DeploymentId, DesiredPhase};

    fn deployment(id: i64, environment: &str, name: &str) -> Deployment {
        let draft = DeploymentDraft {
            name: name.into(),
            environment: environment.into(),
            ..DeploymentDraft::default()
        };
        Deployment {
            id: DeploymentId(id),
            uid: String::new(),
            draft,
            phase: DesiredPhase::Running,
            revision: 1,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn applications_are_found_by_name_and_environment() {
        let all =
            [deployment(1, "demo", "notes"), deployment(2, "live", "notes"), deployment(3, "demo", "wiki")];
        let ids = |names: &[&str], environment| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            targets(&all, &names, environment)
                .map(|found| found.iter().map(|one| one.id.0).collect::<Vec<_>>())
        };
        assert_eq!(ids(&["wiki"], None).unwrap(), [3]);
        assert_eq!(ids(&["live/notes", "demo/notes", "live/notes"], None).unwrap(), [2, 1]);
        assert_eq!(ids(&["notes", "wiki"], Some("demo")).unwrap(), [1, 3]);
        let Err(Refusal::Usage(unclear)) = ids(&["notes"], None) else { panic!() };
        assert!(unclear.why.contains("notes in demo, notes in live"), "{unclear}");
        let Err(Refusal::Usage(none)) = ids(&["wiki"], Some("live")) else { panic!() };
        assert!(none.why.contains("wiki in demo"), "{none}");
    }
}
