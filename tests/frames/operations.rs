//! Operations, their steps, the history of instances, drift.

use styrmin::domain::diff::ObjectDiff;
use styrmin::domain::world::{EngineView, Installed, Link};
use styrmin::domain::{ClusterKind, ObjectKey, Problem, World};
use styrmin::ui::event::Reply;

use super::{check, sample};

#[test]
fn operations() {
    check("operations", sample::world, |cockpit| {
        cockpit.press("3j");
    });
}

#[test]
fn operations_filtered() {
    check("operations_filtered", sample::world, |cockpit| {
        cockpit.press("3/kind:upgrade sh");
    });
}

#[test]
fn no_operations_yet() {
    let world = || sample::empty_world(ClusterKind::Sandbox, Link::Live, Installed::Yes);
    check("operations_empty", world, |cockpit| {
        cockpit.press("3");
    });
}

#[test]
fn operation_that_runs() {
    check("operation_running", sample::world, |cockpit| {
        cockpit.press("3<enter>").reply(Reply::OperationEvents(Ok(Vec::new())));
    });
}

#[test]
fn operation_that_failed() {
    check("operation_failed", sample::world, |cockpit| {
        cockpit.press("3/shop<enter><enter>").reply(Reply::OperationEvents(Ok(sample::operation_events())));
    });
}

#[test]
fn operation_that_is_tried_again() {
    check("operation_retrying", sample::world, |cockpit| {
        cockpit.press("3/wiki<enter><enter>");
    });
}

#[test]
fn operation_that_asks() {
    check("operation_asking", sample::world, |cockpit| {
        let problem = Problem::new("The journal cannot be read", "the disk is full", "make room on it");
        cockpit.press("3/ledger<enter><enter>").reply(Reply::OperationEvents(Err(problem)));
    });
}

#[test]
fn what_each_answer_means() {
    check("operation_answers", sample::world, |cockpit| {
        cockpit.press("3/ledger<enter><enter>aajj");
    });
}

#[test]
fn an_operation_is_not_ended_by_one_key() {
    check("operation_cancel", sample::world, |cockpit| {
        cockpit.press("3<enter>ak<down>");
    });
}

#[test]
fn operation_while_nobody_runs_the_engine() {
    let world = || World { engine: EngineView::None, ..sample::world() };
    check("operation_no_engine", world, |cockpit| {
        cockpit.press("3<enter>").reply(Reply::OperationEvents(Ok(Vec::new())));
    });
}

#[test]
fn overview_while_it_is_upgraded() {
    check("overview_upgrading", sample::world, |cockpit| {
        cockpit.press("jj<enter>");
    });
}

#[test]
fn history() {
    check("history", sample::world, |cockpit| {
        cockpit.press("jhjj ");
    });
}

#[test]
fn drift() {
    check("drift", sample::world, |cockpit| {
        cockpit.press("jjdj");
    });
}

#[test]
fn no_drift() {
    check("drift_none", sample::world, |cockpit| {
        cockpit.press("d");
    });
}

fn diffs() -> Vec<ObjectDiff> {
    let key = |kind: &str, name: &str| ObjectKey {
        api_version: "v1".into(),
        kind: kind.into(),
        namespace: "demo".into(),
        name: name.into(),
    };
    let web = |version: &str, level: &str| {
        serde_json::json!({
            "kind": "Deployment",
            "metadata": {"name": "shop-web"},
            "spec": {"replicas": 1, "template": {"spec": {"containers": [{
                "name": "web",
                "image": format!("styrmin/notes-web:{version}"),
                "env": [{"name": "LOG_LEVEL", "value": level}, {"name": "TITLE", "value": "Shop"}],
            }]}}},
        })
    };
    let secret = |value: &str| serde_json::json!({"kind": "Secret", "metadata": {"name": "shop-parameters"}, "data": {"password": value}});
    vec![
        ObjectDiff::between(
            key("Deployment", "shop-web"),
            Some(&web("1.0.0", "info")),
            Some(&web("1.1.0", "debug")),
        ),
        ObjectDiff::between(key("Secret", "shop-parameters"), Some(&secret("b25l")), Some(&secret("dHdv"))),
        ObjectDiff::between(key("Service", "shop"), Some(&web("1", "")), Some(&web("1", ""))),
    ]
}

#[test]
fn comparison_of_two_instances() {
    check("comparison", sample::world, |cockpit| {
        cockpit.press("jh<enter>").reply(Reply::Diffs(Ok(diffs())));
    });
}

#[test]
fn comparison_that_finds_nothing() {
    check("comparison_none", sample::world, |cockpit| {
        cockpit.press("jh<enter>").reply(Reply::Diffs(Ok(Vec::new())));
    });
}
