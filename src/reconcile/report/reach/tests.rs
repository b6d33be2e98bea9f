use std::sync::Arc;

use jiff::Timestamp;

use super::super::super::decide::{decide, tests::settled};
use super::super::super::situation::Situation;
use super::*;
use crate::cluster::{DeploymentStatus, StatusCondition};

fn reach(works: bool, reason: &str, message: &str) -> Option<Reach> {
    Some(Reach { works, reason: reason.into(), message: message.into(), certificate_ends: None })
}

fn answer(url: &str, reach: Option<Reach>) -> Answer {
    let endpoints = Some(Endpoints { ready: 0, total: 1 });
    Answer { service: "notes".into(), url: url.into(), reach, unprobed: false, endpoints }
}

fn told(situation: &mut Situation, answers: Vec<Answer>) -> DeploymentStatus {
    situation.routes = answers;
    let resource = situation.resource.clone().unwrap();
    let status = super::super::status(situation, &resource, &decide(situation));
    Arc::make_mut(situation.resource.as_mut().unwrap()).status = status.clone();
    status
}

fn condition(status: &DeploymentStatus) -> Option<&StatusCondition> {
    status.conditions.iter().find(|condition| condition.kind == "Reachable")
}

#[test]
fn without_routes_nothing_is_said() {
    let status = told(&mut settled(), Vec::new());
    assert_eq!((condition(&status), status.routes.len()), (None, 0));
}

#[test]
fn nobody_asked_yet() {
    let status = told(&mut settled(), vec![answer("http://a/", None)]);
    let said = condition(&status).unwrap();
    assert_eq!((said.status.as_str(), said.reason.as_str()), ("Unknown", "NotProbed"));
    assert_eq!(
        (status.routes[0].reachable.as_str(), status.routes[0].service.as_str()),
        ("Unknown", "notes")
    );
}

#[test]
fn the_first_route_that_fails_gives_reason_and_message() {
    let good = answer("http://a/", reach(true, "Answered", ""));
    let bad = answer("http://b/", reach(false, "ConnectFailed", "127.0.0.1:1: refused"));
    let status = told(&mut settled(), vec![good.clone(), bad]);
    let said = condition(&status).unwrap();
    assert_eq!((said.status.as_str(), said.reason.as_str()), ("False", "ConnectFailed"));
    assert_eq!(said.message, "http://b/: 127.0.0.1:1: refused; 0 of 1 endpoints are ready");
    assert_eq!(status.routes[0].message, "", "a route that answers has nothing to explain");
    let all = told(&mut settled(), vec![good]);
    assert_eq!(condition(&all).unwrap().reason, "AllAnswer");
}

#[test]
fn the_moment_moves_with_the_status_only() {
    let mut situation = settled();
    told(&mut situation, vec![answer("http://a/", reach(false, "DnsFailed", "no such name"))]);
    situation.now = Timestamp::from_second(1000).unwrap();
    let status =
        told(&mut situation, vec![answer("http://a/", reach(false, "StatusCode", "it answers 503"))]);
    let said = condition(&status).unwrap();
    assert_eq!(said.reason, "StatusCode");
    assert_eq!(said.last_transition_time.as_deref(), Some("1970-01-01T00:00:00Z"));
    let again = told(&mut situation, vec![answer("http://a/", reach(false, "StatusCode", "it answers 503"))]);
    assert_eq!(again, status, "the same fact is no change");
    let turned = told(&mut situation, vec![answer("http://a/", reach(true, "Answered", ""))]);
    assert_eq!(condition(&turned).unwrap().last_transition_time.as_deref(), Some("1970-01-01T00:16:40Z"));
}

#[test]
fn an_engine_that_begins_says_what_was_known_until_somebody_asks() {
    let mut situation = settled();
    let before = told(&mut situation, vec![answer("http://a/", reach(true, "Answered", ""))]);
    assert_eq!(told(&mut situation, vec![answer("http://a/", None)]), before);
    let silenced = Answer { unprobed: true, ..answer("http://a/", None) };
    let status = told(&mut situation, vec![silenced]);
    assert_eq!(condition(&status).unwrap().status, "Unknown", "probes were switched off");
}

#[test]
fn the_end_of_a_certificate_stands_there() {
    let mut found = reach(true, "Answered", "");
    found.as_mut().unwrap().certificate_ends = Some("2027-01-01T00:00:00.5Z".parse().unwrap());
    let status = told(&mut settled(), vec![answer("https://a/", found)]);
    assert_eq!(status.routes[0].certificate_ends.as_deref(), Some("2027-01-01T00:00:00Z"));
}

fn route(url: &str, reachable: &str) -> RouteStatus {
    RouteStatus {
        url: url.into(),
        reachable: reachable.into(),
        message: "m".into(),
        ..RouteStatus::default()
    }
}

#[test]
fn a_turn_is_told_once() {
    let turn = |before: &[RouteStatus], now: &[RouteStatus]| {
        turns(before, now)
            .into_iter()
            .map(|(bad, reason, said)| format!("{bad} {reason} {said}"))
            .collect::<Vec<_>>()
    };
    let (up, down, unknown) = ([route("a", "True")], [route("a", "False")], [route("a", "Unknown")]);
    assert_eq!(turn(&[], &up), ["false Reachable a answers"]);
    assert_eq!(turn(&unknown, &up), ["false Reachable a answers"]);
    assert_eq!(turn(&up, &down), ["true Unreachable a does not answer any more: m"]);
    assert_eq!(turn(&down, &up), ["false Reachable a answers"]);
    for (before, now) in [(&up, &up), (&down, &down), (&unknown, &down), (&up, &unknown)] {
        assert!(turn(before, now).is_empty(), "{before:?} {now:?}");
    }
}
