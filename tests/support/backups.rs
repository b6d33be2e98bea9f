// A picture with backups of every kind, for tests that look at them. Included beside `sample.rs`, which makes the rest of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use styrmin::domain::backup::{
    Backup, BackupId, BackupPart, BackupSource, BackupState, Depth, Engine, Fate, Location, LocationKind,
    LocationView, Missed, PartState, Pause, Retention, RunOutcome, S3Credentials, Schedule, ScheduleRun,
    ScheduleView, SecretSource, Trigger, Verification,
};
use styrmin::domain::driver::ComponentSpec;
use styrmin::domain::operation::{Goal, Orders, Origin, StepProgress, Subject, Times};
use styrmin::domain::plan::{Step, Verb};
use styrmin::domain::{
    DriverRef, Operation, OperationId, OperationKind, OperationState, OperationView, Plan, Problem,
    StepRecord, StepState, World,
};

use super::sample::{self, before};

const MIB: u64 = 1 << 20;

/// The picture of `sample`, with a bit of everything that backups can be.
pub fn world() -> World {
    let mut world = sample::world();
    world.environments[0].backup_location = Some("nas".into());
    world.environments[1].backup_location = Some("offsite".into());
    for driver in world.drivers.iter_mut().filter(|driver| driver.reference.name == "notes") {
        Arc::make_mut(driver).spec.components = components();
    }
    world.operations.retain(|view| view.operation.subject.name != "shop");
    world.operations.insert(0, Arc::new(running_operation()));
    world.backups = backups().into_iter().map(Arc::new).collect();
    world.locations = locations();
    world.schedules = schedules();
    world
}

/// The same before anything was set up.
pub fn bare() -> World {
    let mut world = world();
    world.environments.iter_mut().for_each(|it| it.backup_location = None);
    world.operations.remove(0);
    World { backups: Vec::new(), locations: Vec::new(), schedules: Vec::new(), ..world }
}

fn components() -> BTreeMap<String, ComponentSpec> {
    let mut database = ComponentSpec { backup: Some("postgres".into()), ..ComponentSpec::default() };
    database.backup_target.database = Some("notes".into());
    let web = ComponentSpec {
        backup: Some("disk".into()),
        volumes: vec!["uploads".into()],
        ..ComponentSpec::default()
    };
    [("db", database), ("proxy", ComponentSpec::default()), ("web", web)]
        .map(|(name, spec)| (name.to_owned(), spec))
        .into()
}

/// A part that was kept.
pub fn part(component: &str, volume: Option<&str>, bytes: u64, stored: u64) -> BackupPart {
    let (strategy, server, path) = match volume {
        Some(volume) => ("disk", "", format!("{component}/{volume}.tar")),
        None => ("postgres", "PostgreSQL 16.4", format!("{component}.sql")),
    };
    BackupPart {
        component: component.into(),
        strategy: strategy.into(),
        volume: volume.map(Into::into),
        state: PartState::Completed,
        bytes,
        stored,
        digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        snapshot: "3f2a9c1bd8e4a7705f61c2b9e0d3a4f7182b6c5d4e3f2a1b0c9d8e7f6a5b4c3d".into(),
        path: format!("/demo/notes/{path}"),
        server: server.into(),
        problem: None,
    }
}

/// A complete backup that was made so many seconds ago.
pub fn backup(application: &str, environment: &str, age: i64, mark: &str) -> Backup {
    let created = before(age);
    Backup {
        source: BackupSource {
            cluster: "kind-local".into(),
            environment: environment.into(),
            application: application.into(),
            instance: 3,
            driver: DriverRef { name: "notes".into(), version: "1.2.0".into() },
            application_version: "1.0.0".into(),
            draft: None,
        },
        id: BackupId(format!("{application}-{}-{mark}", created.strftime("%Y%m%dt%H%M%S"))),
        engine: Engine::Styrmin,
        location: if environment == "demo" { "nas" } else { "offsite" }.into(),
        state: BackupState::Completed,
        created,
        ended: Some(created + SignedDuration::from_secs(41)),
        operation: None,
        trigger: Trigger::Schedule { name: "nightly".into() },
        group: None,
        parts: vec![
            part("db", None, 812 * MIB, 12 * MIB),
            part("web", Some("uploads"), 1_229 * MIB, 22 * MIB),
        ],
        pinned: false,
        verified: Vec::new(),
        manifest: Some("77d1c0de5f61c2b9".into()),
        problem: None,
    }
}

fn verified(depth: Depth, age: i64, problem: Option<Problem>) -> Verification {
    Verification { depth, at: before(age), problem }
}

/// Backups, newest first: one of each way to stand.
pub fn backups() -> Vec<Backup> {
    let mut running = backup("shop", "demo", 95, "5d1f00aa");
    (running.state, running.ended, running.operation) = (BackupState::Running, None, Some(OperationId(20)));
    running.trigger = Trigger::Person;
    running.manifest = None;
    running.parts[1] = BackupPart {
        state: PartState::Running,
        bytes: 0,
        stored: 0,
        digest: String::new(),
        snapshot: String::new(),
        ..running.parts[1].clone()
    };
    let mut nightly = backup("notes", "demo", 61_000, "3f2a9c1b");
    nightly.group = Some("demo-20261122".into());
    nightly.verified = vec![verified(Depth::Quick, 60_900, None)];
    let failed = Problem::new(
        "The dump of web/uploads broke off",
        "tar ended with 2: /data/uploads/2026: Cannot open: Permission denied",
        "let the container read all of the volume, then back up again",
    );
    let mut partly = backup("shop", "demo", 61_020, "aa00b1c2");
    (partly.state, partly.problem) = (BackupState::PartiallyFailed, Some(failed.clone()));
    partly.group = Some("demo-20261122".into());
    partly.parts[1] = BackupPart {
        state: PartState::Failed,
        bytes: 0,
        stored: 0,
        digest: String::new(),
        snapshot: String::new(),
        problem: Some(failed),
        ..partly.parts[1].clone()
    };
    let mut proven = backup("notes", "demo", 147_400, "81c0ffee");
    proven.verified = vec![verified(Depth::Drill, 140_000, None), verified(Depth::Full, 146_000, None)];
    let mut velero = backup("wiki", "staging", 170_000, "velero");
    (velero.engine, velero.location) = (Engine::Velero, "default".into());
    velero.id = BackupId("staging-wiki-20261120".into());
    velero.source.driver = DriverRef { name: "wiki".into(), version: "0.4.0".into() };
    velero.parts.clear();
    let mut cancelled = backup("notes", "demo", 260_000, "c0011ed0");
    (cancelled.state, cancelled.trigger, cancelled.parts) =
        (BackupState::Cancelled, Trigger::Person, Vec::new());
    let mut pinned = backup("notes", "demo", 432_000, "0b5e55ed");
    (pinned.pinned, pinned.trigger) = (true, Trigger::Person);
    pinned.source.application_version = "0.9.0".into();
    let shop = backup("shop", "demo", 233_800, "71e57a1e");
    let mut damaged = backup("team-handbook", "staging", 600_000, "de5edbad");
    let bad = Problem::new(
        "A pack is damaged",
        "data/3f/3f2a9c1bd8e4a7705f: its content is not what its name says",
        "restore from an older backup, and look at the disk of offsite",
    );
    damaged.trigger = Trigger::Schedule { name: "hourly-handbook".into() };
    damaged.verified = vec![verified(Depth::Full, 3_700, Some(bad))];
    let mut older = backup("team-handbook", "staging", 1_036_800, "01dbac09");
    older.trigger = Trigger::Restore;
    vec![running, nightly, partly, proven, velero, shop, cancelled, pinned, damaged, older]
}

/// A backup that is being made: one part is kept, the other on its way.
pub fn running_operation() -> OperationView {
    let step = |verb, name: &str, note: &str| Step { note: note.into(), ..Step::named(verb, name) };
    let finally = |step| Step { finally: true, ..step };
    let steps = vec![
        step(Verb::Run, "quiesce db", ""),
        step(Verb::Run, "back up db", "postgres, 812 MiB last time"),
        step(Verb::Run, "back up web/uploads", "disk, 1.2 GiB last time"),
        finally(step(Verb::Run, "resume db", "")),
        finally(step(Verb::Record, "seal backup", "")),
    ];
    let record = |state, started: Option<i64>, ended: Option<i64>| StepRecord {
        state,
        attempt: u32::from(started.is_some()),
        started: started.map(before),
        ended: ended.map(before),
        ..StepRecord::default()
    };
    let records = vec![
        record(StepState::Succeeded, Some(95), Some(94)),
        record(StepState::Succeeded, Some(94), Some(40)),
        record(StepState::Started, Some(40), None),
        record(StepState::Pending, None, None),
        record(StepState::Pending, None, None),
    ];
    let plan = Plan {
        title: "Back up shop in demo".into(),
        cluster: "kind-local".into(),
        target: "nas".into(),
        steps,
        ..Plan::default()
    };
    let operation = Operation {
        id: OperationId(20),
        subject: Subject { cluster: "kind-local".into(), environment: "demo".into(), name: "shop".into() },
        kind: OperationKind::Backup,
        state: OperationState::Running,
        plan_hash: plan.hash(),
        plan,
        origin: Origin {
            actor: "anna@jump-1".into(),
            cause: "confirmed in the cockpit".into(),
            confirmed: true,
        },
        goal: Goal::default(),
        action: None,
        request: None,
        parent: None,
        times: Times { created: before(95), started: Some(before(95)), ended: None, deadline: None },
        orders: Orders::default(),
        problem: None,
        epoch: 3,
    };
    OperationView { operation, steps: records, moving: BTreeMap::from([(2, progress(Some(1_229 * MIB), 1))]) }
}

/// The backup of an environment that [`running_operation`] can be the second part of, and its first part, which has ended.
pub fn environment_operations() -> (OperationView, OperationView) {
    let mut parent = running_operation();
    let begun = |name: &str| Step::named(Verb::Run, format!("back up {name}"));
    let plan = Plan {
        title: "Back up all of demo".into(),
        steps: vec![begun("notes"), begun("shop")],
        ..parent.operation.plan.clone()
    };
    parent.moving.clear();
    parent.steps = vec![parent.steps[1].clone(), parent.steps[2].clone()];
    parent.operation = Operation {
        id: OperationId(21),
        subject: Subject { name: String::new(), ..parent.operation.subject.clone() },
        plan_hash: plan.hash(),
        plan,
        ..parent.operation
    };
    let mut done = running_operation();
    done.moving.clear();
    done.steps.iter_mut().for_each(|step| step.state = StepState::Succeeded);
    done.operation.state = OperationState::Succeeded;
    done.operation.subject.name = "notes".into();
    done.operation.times.ended = Some(before(40));
    (done.operation.id, done.operation.parent) = (OperationId(19), Some((OperationId(21), 0)));
    (parent, done)
}

/// How far a step is: 428 MiB, of which was told so many seconds ago.
pub fn progress(total: Option<u64>, silent: i64) -> StepProgress {
    StepProgress {
        at: Some(before(silent)),
        done: 428 * MIB,
        total,
        rate: 11 * MIB,
        item: "uploads/2026/11/plan.pdf".into(),
    }
}

/// Locations, by name: one that is well, one whose key is missing, one that nobody uses.
pub fn locations() -> Vec<LocationView> {
    let location = |name: &str, kind, key| Location {
        name: name.into(),
        kind,
        key,
        repository: Some("9b1d2c3e4f5a69788796a5b4c3d2e1f0".into()),
        created: before(2_592_000),
    };
    let directory = |path: &str| LocationKind::Directory { path: path.into() };
    let bucket = LocationKind::S3 {
        endpoint: "https://s3.example.org".into(),
        bucket: "styrmin-backups".into(),
        prefix: "kind-local".into(),
        region: "eu-central-1".into(),
        path_style: true,
        ca: None,
        credentials: S3Credentials::Secret { namespace: "styrmin-system".into(), name: "offsite".into() },
    };
    let missing = Problem::new(
        "The key of offsite is missing",
        "Secret styrmin-system/styrmin-location-offsite has no key 'password'",
        "put it back: without it nothing that is kept there can be read",
    );
    let file = |name: &str| SecretSource::File { path: format!("/etc/styrmin/locations/{name}.key").into() };
    let secret = SecretSource::Secret {
        namespace: "styrmin-system".into(),
        name: "styrmin-location-offsite".into(),
        key: "password".into(),
    };
    vec![
        LocationView {
            location: location("nas", directory("/srv/backups/styrmin"), file("nas")),
            checked: Some((before(1_260), None)),
            size: Some(48 * 1024 * MIB),
            backups: 7,
        },
        LocationView {
            location: location("offsite", bucket, secret),
            checked: Some((before(640), Some(missing))),
            size: Some(3 * 1024 * MIB),
            backups: 2,
        },
        LocationView {
            location: Location {
                repository: None,
                ..location("usb", directory("/media/usb/styrmin"), file("usb"))
            },
            checked: None,
            size: None,
            backups: 0,
        },
    ]
}

/// A run that was due so many seconds ago.
pub fn run(schedule: &str, age: i64, outcome: RunOutcome, problem: Option<Problem>) -> ScheduleRun {
    ScheduleRun {
        schedule: schedule.into(),
        due: before(age),
        at: before(age),
        outcome,
        operation: None,
        backups: Vec::new(),
        problem,
    }
}

/// Schedules, by name: one that missed runs, one that is well, one that means nothing, one that is paused.
pub fn schedules() -> Vec<ScheduleView> {
    let schedule = |name: &str, environment: &str, application: Option<&str>, cron: &str| Schedule {
        name: name.into(),
        cluster: "kind-local".into(),
        environment: environment.into(),
        application: application.map(Into::into),
        cron: cron.into(),
        time_zone: "Europe/Berlin".into(),
        jitter: 0,
        missed: Missed::Skip,
        retention: Some(Retention { last: 3, daily: 7, weekly: 4, ..Retention::default() }),
        verify: None,
        paused: None,
        created: before(2_592_000),
    };
    let later = |seconds: i64| sample::now() + SignedDuration::from_secs(seconds);
    let view = |schedule, next: &[i64], runs| ScheduleView {
        schedule,
        next: next.iter().map(|seconds| later(*seconds)).collect(),
        runs,
        problem: None,
    };
    let handbook = "hourly-handbook";
    let hourly = schedule(handbook, "staging", Some("team-handbook"), "15 */6 * * *");
    let asleep = Problem::new("Nobody ran the engine", "the machine was asleep", "");
    let mut nightly = schedule("nightly", "demo", None, "0 3 * * *");
    (nightly.jitter, nightly.verify) = (600, Some(Depth::Quick));
    let mut begun = run("nightly", 61_200, RunOutcome::Begun, None);
    begun.backups = vec![BackupId("notes-20261122t020320-3f2a9c1b".into())];
    let odd = schedule("odd", "demo", Some("shop"), "0 25 * * *");
    let broken = Problem::new("'0 25 * * *' means nothing", "hour 25 is not within 0 to 23", "write it anew");
    let mut paused = schedule("weekly", "staging", None, "30 4 * * 0");
    paused.retention = None;
    paused.paused = Some(Pause {
        by: "ben@jump-1".into(),
        since: before(260_000),
        reason: "the bucket is being moved".into(),
    });
    vec![
        view(
            hourly,
            &[8_100, 29_700, 51_300, 72_900],
            vec![
                run(handbook, 13_500, RunOutcome::Missed, Some(asleep)),
                run(handbook, 35_100, RunOutcome::Overlapped, None),
                run(handbook, 600_000, RunOutcome::Begun, None),
            ],
        ),
        view(nightly, &[25_560], vec![begun]),
        ScheduleView { problem: Some(broken), ..view(odd, &[], Vec::new()) },
        view(paused, &[], vec![run("weekly", 300_000, RunOutcome::Begun, None)]),
    ]
}

/// What the retention of `nightly` would do.
pub fn fates() -> Vec<Fate> {
    let fate = |index: usize, stays, reason: &str| Fate {
        backup: backups()[index].id.clone(),
        stays,
        reason: reason.into(),
    };
    vec![
        fate(1, true, "the newest good one"),
        fate(2, false, "partly failed, and newer good ones exist"),
        fate(3, true, "daily 2026-11-21"),
        fate(5, false, "no slot is left"),
        fate(7, true, "pinned"),
    ]
}
