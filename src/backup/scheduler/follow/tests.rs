use jiff::SignedDuration;

use super::*;
use crate::backup::sample_tests::{at, backup, schedule};
use crate::domain::backup::GroupRequest;
use crate::domain::operation::{Goal, Operation, OperationState, Orders, Origin, Subject, Times};
use crate::domain::{OperationId, OperationKind};

fn view(id: i64, kind: OperationKind, state: OperationState, request: Option<Request>) -> OperationView {
    let created = at("2026-05-20T02:30:00Z");
    OperationView {
        operation: Operation {
            id: OperationId(id),
            subject: Subject {
                cluster: "sandbox".into(),
                environment: String::new(),
                name: "location/vault".into(),
            },
            kind,
            state,
            plan: Default::default(),
            plan_hash: String::new(),
            origin: Origin { actor: "schedule/nightly".into(), cause: String::new(), confirmed: true },
            goal: Goal::default(),
            action: None,
            request,
            parent: None,
            times: Times { created, started: None, ended: None, deadline: None },
            orders: Orders::default(),
            problem: None,
            epoch: 1,
        },
        steps: Vec::new(),
        moving: Default::default(),
    }
}

fn after(schedule: &Schedule, made: &[Backup], since: &[OperationView], all: &[Backup]) -> Next {
    next(&Aftermath { schedule, zone: &TimeZone::UTC, made, since, all, given_up: &[] })
}

fn verify(id: &str) -> Next {
    let request = VerifyRequest { backup: BackupId(id.into()), depth: Depth::Full };
    Next::Begin(Box::new(Intent::Verify(request)))
}

fn verified(id: &str) -> Option<Request> {
    Some(Request::Verify(VerifyRequest { backup: BackupId(id.into()), depth: Depth::Full }))
}

#[test]
fn each_complete_backup_is_verified_once_whatever_comes_of_it() {
    let strict = Schedule { verify: Some(Depth::Full), ..schedule() };
    let mut made = vec![backup("b", at("2026-05-20T02:31:00Z")), backup("a", at("2026-05-20T02:30:00Z"))];
    made.push(Backup { state: BackupState::PartiallyFailed, ..backup("c", at("2026-05-20T02:32:00Z")) });
    assert_eq!(after(&strict, &made, &[], &made), verify("a"));
    let mut since = vec![view(8, OperationKind::Verify, OperationState::Running, verified("a"))];
    assert_eq!(after(&strict, &made, &since, &made), Next::Wait);
    since[0].operation.state = OperationState::Failed;
    assert_eq!(after(&strict, &made, &since, &made), verify("b"));
    since.push(view(9, OperationKind::Verify, OperationState::Succeeded, verified("b")));
    assert_eq!(after(&strict, &made, &since, &made), Next::Nothing);
    let drill = Schedule { verify: Some(Depth::Drill), ..schedule() };
    let drilled = Next::Begin(Box::new(Intent::Drill(BackupId("a".into()))));
    assert_eq!(after(&drill, &made, &[], &made), drilled);
    let proves = Some(BackupId("a".into()));
    let request = Some(Request::Group(GroupRequest { proves, ..GroupRequest::default() }));
    let since = [view(8, OperationKind::Drill, OperationState::Failed, request)];
    let second = Next::Begin(Box::new(Intent::Drill(BackupId("b".into()))));
    assert_eq!(after(&drill, &made, &since, &made), second);
    assert_eq!(after(&schedule(), &made, &[], &made), Next::Nothing);
}

#[test]
fn what_has_no_place_is_deleted_after_the_verification_and_only_what_is_its_own() {
    let keeping = Schedule {
        retention: Some(retention::parse("last=2").unwrap()),
        verify: Some(Depth::Full),
        ..schedule()
    };
    let made = [backup("h0", at("2026-05-20T02:30:00Z"))];
    let mut all: Vec<Backup> = (0..4)
        .map(|days| backup(&format!("h{days}"), made[0].created - SignedDuration::from_hours(24 * days)))
        .collect();
    all.push(Backup { trigger: Trigger::Person, ..backup("by-hand", at("2026-05-01T00:00:00Z")) });
    let other = Trigger::Schedule { name: "weekly".into() };
    all.push(Backup { trigger: other, ..backup("weekly", at("2026-05-01T00:00:00Z")) });
    all[3].location = "old".into();
    assert_eq!(after(&keeping, &made, &[], &all), verify("h0"));
    let mut since = vec![view(8, OperationKind::Verify, OperationState::Succeeded, verified("h0"))];
    let prune = |location: &str, id: &str| PruneRequest {
        location: location.into(),
        backups: vec![BackupId(id.into())],
        orphans: Vec::new(),
        even_the_last: false,
    };
    let begin = |request: PruneRequest| Next::Begin(Box::new(Intent::Prune(request)));
    assert_eq!(after(&keeping, &made, &since, &all), begin(prune("old", "h3")));
    let request = Some(Request::Prune(prune("old", "h3")));
    since.push(view(9, OperationKind::Prune, OperationState::Failed, request));
    assert_eq!(
        after(&keeping, &made, &since, &all),
        begin(prune("vault", "h2")),
        "what failed waits for the next run"
    );
    let request = Some(Request::Prune(prune("vault", "h2")));
    since.push(view(10, OperationKind::Prune, OperationState::Succeeded, request));
    assert_eq!(after(&keeping, &made, &since, &all), Next::Nothing);
}
