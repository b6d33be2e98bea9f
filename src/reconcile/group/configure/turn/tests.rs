use super::*;
use crate::domain::backup::GroupRequest;
use crate::domain::{DeploymentDraft, StepRecord};
use crate::reconcile::decide::tests::{operation, settled};

/// A configuration of demo: an update of each, one after the other, in these states.
fn configuration(state: OperationState, steps: &[(&str, StepState)]) -> OperationView {
    let mut operation = operation(OperationKind::Configure, state, &settled());
    let part = |(step, (name, _)): (usize, &(&str, StepState))| GroupPart {
        step,
        environment: "demo".into(),
        application: (*name).to_owned(),
        work: if *name == INGRESS { PartWork::Delete } else { PartWork::Update },
    };
    let parts = steps.iter().enumerate().map(part).collect();
    operation.request = Some(Request::Group(GroupRequest { parts, ..GroupRequest::default() }));
    let record = |(_, state): &(&str, StepState)| StepRecord { state: *state, ..StepRecord::default() };
    OperationView { operation, steps: steps.iter().map(record).collect(), moving: Default::default() }
}

#[test]
fn what_an_operation_did_not_come_to_is_left() {
    use StepState::{Failed, Pending, Skipped, Succeeded};
    let steps = [("a", Succeeded), ("b", Failed), ("c", Skipped), (INGRESS, Skipped)];
    let ended = configuration(OperationState::PartiallyFailed, &steps);
    let of = |view: &OperationView, name: &str| left(view, name, "demo");
    assert_eq!((of(&ended, "a"), of(&ended, "b"), of(&ended, "c")), (vec![], vec![1], vec![2]));
    assert_eq!(of(&ended, INGRESS), [3]);
    assert_eq!((of(&ended, "d"), left(&ended, "c", "live")), (vec![], vec![]));
    let running = configuration(OperationState::Running, &[("a", Succeeded), ("b", Failed), ("c", Pending)]);
    assert_eq!((of(&running, "a"), of(&running, "b"), of(&running, "c")), (vec![], vec![], vec![2]));
}

#[test]
fn an_application_that_was_changed_since_is_not_held() {
    let situation = settled();
    let (record, newest) = (situation.record.unwrap(), situation.newest.unwrap());
    let ended = configuration(OperationState::Cancelled, &[("web", StepState::Skipped)]);
    assert!(!is_over(&ended, &record, &newest));
    assert!(is_over(&configuration(OperationState::Succeeded, &[]), &record, &newest));
    let at = ended.operation.times.ended.unwrap() + jiff::SignedDuration::from_secs(1);
    assert!(is_over(&ended, &record, &Instance { created_at: at, ..newest.clone() }));
    let same = Instance { draft: Some(record.draft.clone()), ..newest.clone() };
    assert!(!is_over(&ended, &record, &same));
    let other = DeploymentDraft { application_version: "0".into(), ..record.draft.clone() };
    assert!(is_over(&ended, &record, &Instance { draft: Some(other), ..newest }), "another wish");
    let told = passed_over(&ended, &record);
    assert!(told.next.contains("configure demo again"), "{told}");
}
