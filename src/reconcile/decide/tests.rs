use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::cluster::{InventoryStatus, sample};
use crate::domain::operation::{Goal, Orders, Origin, Subject, Times};
use crate::domain::{DeploymentId, Instance, Operation, Plan, Role};
use crate::reconcile::situation::{Live, RenderedObject, Trace, Wanted, Work, Written};

/// A deployment that is as it should be: every test breaks one thing.
pub(in crate::reconcile) fn settled() -> Situation {
    let mut resource = sample("demo", "notes");
    resource.trace.context_digest = Some("d1".to_owned());
    let record = Deployment {
        id: DeploymentId(1),
        uid: "0011aabb".to_owned(),
        draft: resource.draft(),
        phase: DesiredPhase::Running,
        revision: 1,
        created_at: Timestamp::UNIX_EPOCH,
    };
    let newest = Instance {
        deployment: record.id,
        number: 1,
        state: InstanceState::Active,
        driver: record.draft.driver.clone(),
        application_version: "1.0.0".to_owned(),
        context: json!({}),
        digest: "d1".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        message: None,
        draft: None,
    };
    let objects = vec![object("Service"), object("Deployment")];
    let live = objects.iter().map(|object| (object.key.clone(), live(Health::Healthy))).collect();
    let written = |object: &RenderedObject| {
        let written = Written {
            uid: Some("u".to_owned()),
            role: Role::Part,
            digest: object.digest.clone(),
            owned: Some("o".to_owned()),
            corrections: Vec::new(),
        };
        (object.key.clone(), written)
    };
    Situation {
        now: Timestamp::UNIX_EPOCH,
        complete: true,
        record: Some(record),
        resource: Some(Arc::new(resource)),
        newest: Some(newest),
        wanted: Some(Ok(Wanted { context: json!({}), digest: "d1".to_owned(), number: 1 })),
        trace: Trace(objects.iter().map(written).collect()),
        rendered: Some(Ok(Rendered { objects, digest: "r1".to_owned() })),
        live,
        objects: Vec::new(),
        components: Vec::new(),
        urls: Vec::new(),
        routes: Vec::new(),
        work: Work::default(),
    }
}

/// An operation of that kind, in that state, for the record as it is.
pub(in crate::reconcile) fn operation(
    kind: OperationKind,
    state: OperationState,
    s: &Situation,
) -> Operation {
    let revision = s.record.as_ref().map_or(1, |record| record.revision);
    let problem = Problem::new("it went wrong", "because", "");
    Operation {
        id: OperationId(7),
        subject: Subject { cluster: "c".into(), environment: "demo".into(), name: "web".into() },
        kind,
        state,
        plan: Plan { title: "Change web".into(), ..Plan::default() },
        plan_hash: String::new(),
        origin: Origin { actor: "styrmin".into(), cause: String::new(), confirmed: false },
        goal: Goal { deployment: None, revision, instance: s.newest.as_ref().map(|newest| newest.number) },
        action: None,
        request: None,
        parent: None,
        times: Times {
            created: s.now,
            started: Some(s.now),
            ended: state.is_final().then_some(s.now),
            deadline: None,
        },
        orders: Orders::default(),
        problem: (state == OperationState::Failed).then_some(problem),
        epoch: 1,
    }
}

fn with_work(s: &mut Situation, kind: OperationKind, state: OperationState) {
    s.work.latest = Some(operation(kind, state, s));
    s.work.failures = 1;
}

fn key(kind: &str) -> ObjectKey {
    ObjectKey { api_version: "v1".into(), kind: kind.into(), namespace: "demo".into(), name: "web".into() }
}

fn object(kind: &str) -> RenderedObject {
    RenderedObject { key: key(kind), digest: format!("{kind}-1"), role: Role::Part, visible: true }
}

fn live(health: Health) -> Live {
    let verdict = match health {
        Health::Healthy => Verdict::healthy(),
        health => Verdict::because(health, key("Deployment"), "LessReady", "0 of 1 ready"),
    };
    Live {
        uid: Some("u".to_owned()),
        owned: Some("o".to_owned()),
        deleting: false,
        ours: true,
        role: Role::Part,
        verdict,
    }
}

fn record(situation: &mut Situation) -> &mut Deployment {
    situation.record.as_mut().unwrap()
}

fn resource(situation: &mut Situation) -> &mut DeploymentResource {
    Arc::make_mut(situation.resource.as_mut().unwrap())
}

fn newest(situation: &mut Situation) -> &mut Instance {
    situation.newest.as_mut().unwrap()
}

fn set(situation: &mut Situation, kind: &str, health: Health) {
    situation.live.insert(key(kind), live(health));
}

/// What is decided after `change` broke the settled situation.
fn after(change: impl FnOnce(&mut Situation)) -> Move {
    let mut situation = settled();
    change(&mut situation);
    decide(&situation)
}

#[test]
fn what_an_operation_about_its_place_did_not_come_to_waits_for_a_person() {
    let problem = Problem::new("web does not follow", "it was not carried out", "configure demo again");
    let left = |s: &mut Situation| {
        if let Some(Ok(wanted)) = &mut s.wanted {
            wanted.digest = "d2".to_owned();
        }
        s.work.turn = Turn::Missed(problem.clone());
    };
    assert_eq!(after(left), Move::Stall(problem.clone()));
    let stopped = after(|s| {
        left(s);
        record(s).phase = DesiredPhase::Stopped;
        resource(s).spec.phase = DesiredPhase::Stopped.into();
    });
    assert_eq!(stopped, Move::Plan(OperationKind::Stop));
    let told = after(|s| {
        s.work.turn = Turn::Missed(problem.clone());
    });
    assert_eq!(told, wait(On::Change), "what follows already is left alone");
}

#[test]
fn what_is_as_it_should_be_stays() {
    assert_eq!(after(|_| {}), wait(On::Change));
    assert_eq!(after(|s| s.complete = false), wait(On::Lists));
    assert_eq!(after(|s| (s.record, s.resource) = (None, None)), wait(On::Change));
}

#[test]
fn either_copy_rebuilds_the_other() {
    assert_eq!(after(|s| s.record = None), Move::Adopt);
    assert_eq!(after(|s| s.resource = None), Move::WriteDesired);
}

#[test]
fn a_newer_record_is_written_and_a_foreign_edit_is_imported() {
    let newer = |s: &mut Situation| {
        record(s).draft.application_version = "1.1.0".into();
        record(s).revision = 2;
    };
    assert_eq!(after(newer), Move::WriteDesired);
    assert_eq!(after(|s| resource(s).spec.application_version = "1.1.0".into()), Move::Import);
    let both = |s: &mut Situation| {
        newer(s);
        resource(s).spec.application_version = "9".into();
    };
    assert_eq!(after(both), Move::WriteDesired, "the newer wish of the two wins");
    assert_eq!(
        after(|s| record(s).revision = 2),
        Move::Plan(OperationKind::Update),
        "the same wish is only acknowledged"
    );
    let moved = after(|s| resource(s).spec.environment = "other".into());
    assert!(matches!(moved, Move::Stall(_)), "{moved:?}");
}

#[test]
fn a_new_wish_is_planned_and_carried_out_as_one_operation() {
    let mut s = settled();
    s.wanted = Some(Ok(Wanted { context: json!({}), digest: "d2".to_owned(), number: 2 }));
    newest(&mut s).draft = Some(s.record.as_ref().unwrap().draft.clone());
    assert_eq!(decide(&s), Move::Plan(OperationKind::Update));
    record(&mut s).draft.application_version = "1.1.0".into();
    resource(&mut s).spec.application_version = "1.1.0".into();
    assert_eq!(decide(&s), Move::Plan(OperationKind::Upgrade));
    with_work(&mut s, OperationKind::Upgrade, OperationState::Queued);
    assert_eq!(decide(&s), Move::Carry(OperationId(7)));
    with_work(&mut s, OperationKind::Upgrade, OperationState::Running);
    assert_eq!(decide(&s), Move::Carry(OperationId(7)), "also after a crash");
    let first = after(|s| s.newest = None);
    assert_eq!(first, Move::Plan(OperationKind::Deploy));
}

#[test]
fn what_was_never_written_is_planned_and_drift_is_corrected() {
    let lost = after(|s| s.trace = Trace::default());
    assert_eq!(lost, Move::Plan(OperationKind::Update));
    let drift = |s: &mut Situation| s.live.get_mut(&key("Deployment")).unwrap().owned = Some("other".into());
    assert_eq!(after(drift), Move::Plan(OperationKind::Correct));
    let gone = |s: &mut Situation| s.live.retain(|found, _| *found != key("Deployment"));
    assert_eq!(after(gone), Move::Plan(OperationKind::Correct));
    for mode in [DriftMode::Warn, DriftMode::Ignore] {
        let left = after(|s| {
            drift(s);
            s.work.drift = mode;
        });
        assert_eq!(left, wait(On::Change), "{mode:?}");
    }
    let unseen = after(|s| {
        drift(s);
        let Some(Ok(rendered)) = &mut s.rendered else { panic!("rendered") };
        rendered.objects[1].visible = false;
    });
    assert_eq!(unseen, wait(On::Change), "what cannot be seen is taken to be as it was written");
}

#[test]
fn a_fight_is_left_alone_and_told() {
    let fight = after(|s| {
        s.live.get_mut(&key("Deployment")).unwrap().owned = Some("other".into());
        s.trace.0.get_mut(&key("Deployment")).unwrap().corrections = vec![s.now; 5];
    });
    assert!(matches!(fight, Move::Stall(_)), "{fight:?}");
}

#[test]
fn what_is_not_rendered_any_more_goes_but_volumes_stay() {
    let extra = |kind: &'static str| move |s: &mut Situation| set(s, kind, Health::Healthy);
    assert_eq!(after(extra("ConfigMap")), Move::Plan(OperationKind::Update));
    assert_eq!(after(extra("PersistentVolumeClaim")), wait(On::Change));
    let foreign = after(|s| {
        set(s, "ConfigMap", Health::Healthy);
        s.live.get_mut(&key("ConfigMap")).unwrap().ours = false;
    });
    assert_eq!(foreign, wait(On::Change));
}

#[test]
fn a_failed_operation_fails_its_instance_and_is_tried_again_later() {
    let mut s = settled();
    newest(&mut s).state = InstanceState::Applying;
    with_work(&mut s, OperationKind::Update, OperationState::Failed);
    assert!(matches!(decide(&s), Move::Fail { message } if message == "it went wrong: because"));
    newest(&mut s).state = InstanceState::Failed;
    s.trace = Trace::default();
    let Move::Wait(waiting) = decide(&s) else { panic!("it waits") };
    assert_eq!((waiting.on, waiting.until), (On::Retry, Timestamp::from_second(1).ok()));
    let mut later = s.clone();
    later.now = Timestamp::from_second(1).unwrap();
    assert_eq!(decide(&later), Move::Plan(OperationKind::Update));
    s.work.latest.as_mut().unwrap().goal.revision = 0;
    assert_eq!(decide(&s), Move::Plan(OperationKind::Update), "a changed wish does not wait");
}

#[test]
fn an_instance_that_failed_may_recover_by_itself() {
    let failed = |health: Health| {
        move |s: &mut Situation| {
            newest(s).state = InstanceState::Failed;
            with_work(s, OperationKind::Update, OperationState::Failed);
            set(s, "Deployment", health);
        }
    };
    assert_eq!(after(failed(Health::Degraded)), wait(On::Health));
    assert_eq!(after(failed(Health::Healthy)), Move::Activate);
}

#[test]
fn where_actions_lead_health_alone_is_not_enough() {
    let mut s = settled();
    newest(&mut s).state = InstanceState::Failed;
    s.work.hook = Some(Hook::Upgrade);
    with_hook(&mut s, OperationKind::Upgrade, OperationState::Failed);
    assert!(matches!(decide(&s), Move::Wait(Waiting { on: On::Retry, .. })));
    s.now = Timestamp::from_second(1).unwrap();
    assert_eq!(
        decide(&s),
        Move::Plan(OperationKind::Upgrade),
        "with its hook, though the record has not changed"
    );
    with_hook(&mut s, OperationKind::Action, OperationState::Succeeded);
    assert_eq!(decide(&s), Move::Plan(OperationKind::Upgrade), "an action beside does not do it");
    with_hook(&mut s, OperationKind::Upgrade, OperationState::Cancelled);
    assert!(matches!(decide(&s), Move::Stall(_)), "it waits for a person");
    newest(&mut s).state = InstanceState::Active;
    assert_eq!(decide(&s), wait(On::Change));
}

/// The work that was last done, on the way to another version.
fn with_hook(s: &mut Situation, kind: OperationKind, state: OperationState) {
    let hook = s.work.hook;
    with_work(s, kind, state);
    s.work.hook = hook;
}

#[test]
fn a_stop_that_failed_is_a_stop_again() {
    let stop = |state| {
        after(|s| {
            record(s).phase = DesiredPhase::Stopped;
            resource(s).spec.phase = DesiredPhase::Stopped.into();
            s.trace = Trace::default();
            with_work(s, OperationKind::Stop, state);
            s.now = Timestamp::from_second(10).unwrap();
        })
    };
    assert_eq!(stop(OperationState::Failed), Move::Plan(OperationKind::Stop));
    assert_eq!(stop(OperationState::Succeeded), Move::Plan(OperationKind::Update));
}

#[test]
fn what_a_person_ended_waits_for_a_person() {
    for state in [OperationState::Cancelled, OperationState::Stale] {
        let mut s = settled();
        s.trace = Trace::default();
        with_work(&mut s, OperationKind::Update, state);
        s.work.latest.as_mut().unwrap().origin.confirmed = true;
        assert!(matches!(decide(&s), Move::Stall(_)), "{state:?}");
        s.work.latest.as_mut().unwrap().goal.revision = 0;
        assert_eq!(decide(&s), Move::Plan(OperationKind::Update), "{state:?}");
    }
    let mut unconfirmed = settled();
    unconfirmed.trace = Trace::default();
    with_work(&mut unconfirmed, OperationKind::Update, OperationState::Stale);
    assert_eq!(decide(&unconfirmed), Move::Plan(OperationKind::Update), "nobody has to look at that plan");
    unconfirmed.work.failures = 1;
    assert_eq!(decide(&unconfirmed), Move::Plan(OperationKind::Update), "it is made anew at once");
    unconfirmed.work.failures = 4;
    unconfirmed.work.latest.as_mut().unwrap().times.ended = Some(unconfirmed.now);
    let waits = matches!(decide(&unconfirmed), Move::Wait(Waiting { on: On::Retry, .. }));
    assert!(waits, "what is out of date again and again is not made anew without end");
}

#[test]
fn a_stop_and_a_start_are_called_so() {
    let unwritten = |phase: DesiredPhase, last: OperationKind| {
        after(|s| {
            record(s).phase = phase;
            resource(s).spec.phase = phase.into();
            s.trace = Trace::default();
            with_work(s, last, OperationState::Succeeded);
        })
    };
    let (stop, start) = (OperationKind::Stop, OperationKind::Start);
    assert_eq!(unwritten(DesiredPhase::Stopped, OperationKind::Deploy), Move::Plan(stop));
    assert_eq!(unwritten(DesiredPhase::Running, stop), Move::Plan(start));
}

#[test]
fn what_cannot_be_carried_out_is_said() {
    let problem = || Problem::new("the driver is gone", "", "");
    assert_eq!(after(|s| s.wanted = Some(Err(problem()))), Move::Stall(problem()));
    assert_eq!(after(|s| s.rendered = Some(Err(problem()))), Move::Stall(problem()));
    assert_eq!(after(|s| resource(s).spec.suspend = true), wait(On::Suspension));
}

#[test]
fn taking_away_is_an_operation_and_ends_with_the_record() {
    let mut s = settled();
    record(&mut s).phase = DesiredPhase::Deleting;
    record(&mut s).revision = 2;
    assert_eq!(decide(&s), Move::WriteDesired, "the wish is written first");
    resource(&mut s).spec.phase = crate::cluster::SpecPhase::Deleting;
    assert_eq!(decide(&s), Move::Plan(OperationKind::Delete));
    resource(&mut s).deleting = true;
    with_work(&mut s, OperationKind::Delete, OperationState::Running);
    assert_eq!(decide(&s), Move::Carry(OperationId(7)));
    s.live.clear();
    set(&mut s, "PersistentVolumeClaim", Health::Healthy);
    with_work(&mut s, OperationKind::Delete, OperationState::Succeeded);
    assert_eq!(decide(&s), wait(On::Gone), "a finalizer of somebody else holds the custom resource");
    s.resource = None;
    assert_eq!(decide(&s), Move::DropRecord, "the volume stays");
}

#[test]
fn a_deleted_custom_resource_takes_the_deployment_with_it() {
    assert_eq!(after(|s| resource(s).deleting = true), Move::Import);
    let changed_at_the_end = after(|s| {
        (resource(s).deleting, record(s).phase) = (true, DesiredPhase::Deleting);
        record(s).draft.application_version = "9".to_owned();
    });
    assert_eq!(changed_at_the_end, Move::Plan(OperationKind::Delete), "nobody imports it again and again");
    let unrecorded = after(|s| {
        s.record = None;
        resource(s).deleting = true;
        s.live.clear();
    });
    assert_eq!(unrecorded, Move::Release);
}

#[test]
fn after_a_restart_nothing_is_written_when_nothing_changed() {
    let mut s = settled();
    let status = &mut resource(&mut s).status;
    status.inventory = Some(InventoryStatus { count: 2, rendered: "r1".into(), applied: String::new() });
    s.trace = Trace::default();
    let applied = s.applied_digest();
    resource(&mut s).status.inventory.as_mut().unwrap().applied = applied;
    s.recall();
    assert_eq!(decide(&s), wait(On::Change));
    let mut drifted = s.clone();
    drifted.trace = Trace::default();
    drifted.live.get_mut(&key("Service")).unwrap().owned = Some("other".into());
    drifted.recall();
    assert_eq!(decide(&drifted), Move::Plan(OperationKind::Update), "drift while nobody looked is found");
}

#[test]
fn a_record_that_was_read_before_a_wish_and_its_operation_after_it_do_not_belong_together() {
    let mut s = settled();
    assert!(!s.is_torn());
    with_work(&mut s, OperationKind::Upgrade, OperationState::Queued);
    assert!(!s.is_torn());
    if let Some(latest) = &mut s.work.latest {
        latest.goal.revision += 1;
    }
    // carried on, it would be found to be for something else than is desired
    assert!(s.is_torn());
    with_work(&mut s, OperationKind::Upgrade, OperationState::Failed);
    assert!(!s.is_torn());
}
