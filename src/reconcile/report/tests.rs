use std::sync::Arc;

use super::super::decide::{decide, tests::settled};
use super::*;
use crate::domain::{Problem, Verdict};

fn told(situation: &Situation) -> DeploymentStatus {
    let resource = situation.resource.as_ref().unwrap();
    status(situation, resource, &decide(situation))
}

fn ready(status: &DeploymentStatus) -> (&str, &str) {
    let ready = status.conditions.iter().find(|condition| condition.kind == "Ready").unwrap();
    (&ready.status, &ready.reason)
}

#[test]
fn the_same_situation_gives_the_same_status() {
    let mut situation = settled();
    let first = told(&situation);
    assert_eq!(first.phase.as_deref(), Some("Running"));
    assert_eq!(ready(&first), ("True", "Healthy"));
    assert_eq!(first.inventory.as_ref().unwrap().count, 2);
    Arc::make_mut(situation.resource.as_mut().unwrap()).status = first.clone();
    situation.now = Timestamp::from_second(1000).unwrap();
    assert_eq!(told(&situation), first, "time alone changes nothing");
}

#[test]
fn a_condition_that_turns_says_when() {
    let mut situation = settled();
    Arc::make_mut(situation.resource.as_mut().unwrap()).status = told(&situation);
    situation.now = Timestamp::from_second(1000).unwrap();
    let key = situation.live.keys().next().unwrap().clone();
    let verdict = Verdict::because(Health::Degraded, key.clone(), "CrashLoopBackOff", "exit code 1");
    situation.live.get_mut(&key).unwrap().verdict = verdict;
    let after = told(&situation);
    assert_eq!(after.phase.as_deref(), Some("Degraded"));
    assert_eq!(ready(&after), ("False", "Unhealthy"));
    let ready = after.conditions.iter().find(|condition| condition.kind == "Ready").unwrap();
    assert_eq!(ready.message, "CrashLoopBackOff: exit code 1");
    assert_eq!(ready.last_transition_time.as_deref(), Some("1970-01-01T00:16:40Z"));
    let stalled = after.conditions.iter().find(|condition| condition.kind == "Stalled").unwrap();
    assert_eq!(
        stalled.last_transition_time.as_deref(),
        Some("1970-01-01T00:00:00Z"),
        "that one did not turn"
    );
}

#[test]
fn a_problem_stands_in_the_status() {
    let mut situation = settled();
    situation.wanted = Some(Err(Problem::new("the driver is gone", "nobody has it", "load it")));
    let status = told(&situation);
    let stalled = status.conditions.iter().find(|condition| condition.kind == "Stalled").unwrap();
    assert_eq!(
        (stalled.status.as_str(), stalled.message.as_str()),
        ("True", "the driver is gone: nobody has it")
    );
}

#[test]
fn an_unfinished_inventory_is_not_reported() {
    let mut situation = settled();
    situation.trace.0.clear();
    assert_eq!(told(&situation).inventory, None);
}
