//! Health per kind: every file in `tests/health` is a list of cases, an object each and the verdict that it must get.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::Value;
use styrmin::domain::Health;
use styrmin::domain::health::rules::{assess, assess_at};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    object: Value,
    health: String,
    #[serde(default)]
    reason: String,
    /// A part of the message.
    #[serde(default)]
    message: String,
    /// The moment of the look, for rules that need one.
    #[serde(default)]
    now: Option<String>,
}

fn check(text: &str) {
    let cases: Vec<Case> = serde_saphyr::from_str(text).unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let verdict = match &case.now {
            Some(now) => assess_at(&case.object, now.parse().unwrap()),
            None => assess(&case.object),
        };
        let expected =
            Health::parse(&case.health).unwrap_or_else(|| panic!("{}: {}", case.name, case.health));
        assert_eq!(verdict.health, expected, "{}: {verdict:?}", case.name);
        match verdict.causes.as_slice() {
            [] => assert!(expected == Health::Healthy && case.reason.is_empty(), "{}: no cause", case.name),
            [cause] => {
                assert_eq!(cause.reason, case.reason, "{}", case.name);
                assert!(cause.message.contains(&case.message), "{}: {}", case.name, cause.message);
                assert_eq!(cause.object.kind, case.object["kind"].as_str().unwrap_or(""), "{}", case.name);
            }
            more => panic!("{}: {more:?}", case.name),
        }
    }
}

#[test]
fn workloads() {
    check(include_str!("health/workloads.yaml"));
}

#[test]
fn pods() {
    check(include_str!("health/pods.yaml"));
}

#[test]
fn jobs() {
    check(include_str!("health/jobs.yaml"));
}

#[test]
fn everything_else() {
    check(include_str!("health/others.yaml"));
}

#[test]
fn routes() {
    check(include_str!("health/routes.yaml"));
}
