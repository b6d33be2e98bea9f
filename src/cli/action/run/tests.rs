use jiff::Timestamp;

use super::*;
use crate::domain::driver::{ActionSpec, Hook};
use crate::domain::{Deployment, DeploymentDraft, DeploymentId, DesiredPhase};

fn offer(id: i64, name: &str, environment: &str, actions: &[(&str, Option<Hook>)]) -> Offer {
    let draft =
        DeploymentDraft { name: name.into(), environment: environment.into(), ..DeploymentDraft::default() };
    let action = |(name, hook): &(&str, Option<Hook>)| ActionSpec {
        name: (*name).into(),
        hook: *hook,
        ..ActionSpec::default()
    };
    Offer {
        cluster: "sandbox".into(),
        deployment: Deployment {
            id: DeploymentId(id),
            uid: String::new(),
            draft,
            phase: DesiredPhase::Running,
            revision: 1,
            created_at: Timestamp::UNIX_EPOCH,
        },
        actions: actions.iter().map(action).collect(),
        runs: Vec::new(),
    }
}

fn all() -> Vec<Offer> {
    let vacuum = [("vacuum", None), ("migrate", Some(Hook::Upgrade))];
    vec![
        offer(1, "notes", "demo", &vacuum),
        offer(2, "notes", "staging", &vacuum),
        offer(3, "wiki", "demo", &[]),
    ]
}

fn wanted(action: &str, deployments: &[&str], environment: Option<&str>) -> Wanted {
    Wanted {
        action: action.into(),
        deployments: deployments.iter().map(|name| (*name).to_owned()).collect(),
        all: deployments.is_empty(),
        environment: environment.map(str::to_owned),
        given: Given::default(),
    }
}

fn ids(wanted: &Wanted) -> Vec<i64> {
    let found = intents(&all(), wanted).unwrap();
    let id = |(_, intent): &(String, Intent)| match intent {
        Intent::Act(id, request) if request.action == wanted.action => id.0,
        other => panic!("{other:?}"),
    };
    found.iter().map(id).collect()
}

fn refused(wanted: &Wanted) -> String {
    match intents(&all(), wanted) {
        Err(Refusal::Usage(problem)) => problem.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn deployments_are_meant_by_name_by_environment_or_all_of_them() {
    assert_eq!(ids(&wanted("vacuum", &["notes"], Some("staging"))), [2]);
    assert_eq!(ids(&wanted("vacuum", &["notes", "notes"], Some("demo"))), [1], "each once");
    assert_eq!(ids(&wanted("vacuum", &[], None)), [1, 2], "those whose driver has it");
    assert_eq!(ids(&wanted("vacuum", &[], Some("demo"))), [1]);
}

#[test]
fn what_cannot_be_told_is_refused_with_what_there_is() {
    let told = refused(&wanted("vacuum", &["notes"], None));
    assert!(told.contains("notes in demo, notes in staging") && told.contains("-e ENVIRONMENT"), "{told}");
    assert!(refused(&wanted("vacuum", &["shop"], None)).contains("There is no deployment shop"));
    let told = refused(&wanted("vacum", &["notes"], Some("demo")));
    assert!(told.contains("did you mean 'vacuum'?"), "{told}");
    assert!(
        refused(&wanted("migrate", &["notes"], Some("demo"))).contains("no action migrate to be started")
    );
    assert!(refused(&wanted("migrate", &[], None)).contains("No deployment has an action migrate"));
}

#[test]
fn the_summary_counts_how_each_ended() {
    use Ending::{Cancelled, Failed, Well};
    assert_eq!(
        summary(&[Well, Failed, Cancelled], 5),
        "5 deployments: 1 succeeded, 1 failed, 1 cancelled, 2 not begun"
    );
    assert_eq!(
        [Well, Failed, Cancelled].into_iter().max(),
        Some(Failed),
        "a failure is told before a cancel"
    );
}
