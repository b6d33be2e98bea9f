//! Rules alone: which requests they match, and when they strike.

use std::time::Duration;

use http::Request;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::sandbox::clock::{ManualClock, sleep_until};

fn request(method: &str, path: &str) -> Attributes {
    let request = Request::builder().method(method).uri(path).body(()).unwrap();
    asked(&parse_route(request.uri().path()), &request)
}

fn struck(when: When, requests: u64) -> Vec<u64> {
    let mut random = Random::new(1);
    (1..=requests).filter(|number| when.strikes(*number, &mut random)).collect()
}

#[test]
fn requests_are_read_in_the_words_of_rbac() {
    let one = |verb, resource: &str| Rule {
        verbs: vec![verb],
        resources: vec![resource.into()],
        ..Rule::new(Fault::Drop(Cut::Before))
    };
    let log = request("GET", "/api/v1/namespaces/demo/pods/web/log?follow=true");
    assert!(one(Verb::Get, "pods/log").matches(&log));
    assert!(!one(Verb::Get, "pods").matches(&log));
    let watch = request("GET", "/apis/apps/v1/deployments?watch=true");
    assert!(one(Verb::Watch, "deployments.apps").matches(&watch));
    assert!(!one(Verb::List, "deployments.apps").matches(&watch));
    let many = request("DELETE", "/api/v1/namespaces/demo/pods");
    assert!(one(Verb::DeleteCollection, "pods").matches(&many));
    assert!(!Rule::new(Fault::Drop(Cut::Before)).matches(&request("GET", "/version")));
}

#[test]
fn a_rule_is_narrowed_by_its_fields() {
    let rule = Rule {
        verbs: vec![Verb::Get, Verb::List],
        resources: vec!["pods".into()],
        namespaces: vec!["demo".into()],
        ..Rule::new(Fault::Drop(Cut::Before))
    };
    assert!(rule.matches(&request("GET", "/api/v1/namespaces/demo/pods")));
    assert!(!rule.matches(&request("GET", "/api/v1/namespaces/other/pods")));
    assert!(!rule.matches(&request("GET", "/api/v1/pods")), "over all namespaces is not in that one");
    assert!(!rule.matches(&request("POST", "/api/v1/namespaces/demo/pods")));
    assert!(!rule.matches(&request("GET", "/api/v1/namespaces/demo/pods/web/log")));
    let watches = Rule::new(Fault::Duplicate);
    assert!(watches.matches(&request("GET", "/api/v1/pods?watch=1")));
    assert!(!watches.matches(&request("GET", "/api/v1/pods")));
}

#[test]
fn its_turn_comes_by_count_or_by_seeded_chance() {
    assert_eq!(struck(When::Always, 3), [1, 2, 3]);
    assert_eq!(struck(When::Nth(3), 9), [3]);
    assert_eq!(struck(When::Every(4), 9), [4, 8]);
    assert_eq!(struck(When::First(2), 9), [1, 2]);
    assert_eq!(struck(When::After(7), 9), [8, 9]);
    assert_eq!(struck(When::Probability(0.0), 100).len(), 0);
    assert_eq!(struck(When::Probability(1.0), 100).len(), 100);
    let some = struck(When::Probability(0.3), 1000);
    assert!((200..400).contains(&some.len()), "{}", some.len());
    assert_eq!(some, struck(When::Probability(0.3), 1000), "the same seed, the same day");
}

#[test]
fn a_scenario_is_read_from_yaml() {
    let text = "
seed: 9
clockSkew: -90s
rules:
- verbs: [update, patch]
  resources: [deployments.apps]
  when: {nth: 3}
  fault: {status: {code: 409}}
- fault: {delay: 250ms}
  when: {probability: 0.5}
- fault: duplicate
- fault: {drop: after}
- fault: {silence: 4}
";
    let scenario = Scenario::parse(text).unwrap();
    assert_eq!((scenario.seed, scenario.clock_skew), (9, SignedDuration::from_secs(-90)));
    let faults: Vec<Fault> = scenario.rules.iter().map(|rule| rule.fault.clone()).collect();
    let expected = [
        Fault::Status(Refusal::new(409)),
        Fault::Delay(Duration::from_millis(250)),
        Fault::Duplicate,
        Fault::Drop(Cut::After),
        Fault::Silence(4),
    ];
    assert_eq!(faults, expected);
    assert_eq!(scenario.rules[0].when, When::Nth(3));
}

#[test]
fn a_bad_scenario_says_where_and_what() {
    let refused = |text: &str| Scenario::parse(text).unwrap_err().to_string();
    let unknown = refused("rules:\n- fault: duplicate\n  wen: {nth: 3}\n");
    assert!(unknown.contains("wen") && unknown.contains("line 3"), "{unknown}");
    let no_fault = refused("rules:\n- verbs: [get]\n");
    assert!(no_fault.contains("fault"), "{no_fault}");
    let verb = refused("rules:\n- verbs: [fetch]\n  fault: duplicate\n");
    assert!(verb.contains("fetch"), "{verb}");
    assert_eq!(
        refused("rules:\n- fault: duplicate\n- fault: {status: {code: 200}}\n"),
        "rule 2: the status 200 is no refusal: 400 to 599"
    );
    assert!(refused("rules:\n- fault: duplicate\n  when: {probability: 1.5}\n").contains("between 0 and 1"));
    assert!(refused("rules:\n- fault: duplicate\n  when: {nth: 0}\n").contains("counted from 1"));
    assert!(refused("rules:\n- fault: {delay: -1s}\n").contains("negative"));
}

#[test]
fn the_clock_goes_wrong_and_right_again() {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let faults = Faults::new(clock);
    faults.play(Scenario { clock_skew: SignedDuration::from_mins(5), ..Scenario::default() });
    assert_eq!(faults.clock().now().as_second(), 300);
    faults.end();
    assert_eq!(faults.clock().now().as_second(), 0);
}

#[tokio::test]
async fn a_clock_that_goes_wrong_is_moved_with_the_right_one() {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let wrong = Faults::new(clock.clone()).clock();
    let until = wrong.now() + SignedDuration::from_hours(1);
    let moving = async {
        tokio::task::yield_now().await;
        clock.advance(SignedDuration::from_hours(1));
    };
    let both = async { tokio::join!(sleep_until(&*wrong, until), moving) };
    tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
}
