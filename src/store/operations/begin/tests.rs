//! What may be begun beside what, and what becomes of backups whose operations end.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::backup::{
    Backup, BackupId, BackupPart, BackupRequest, BackupState, NewBackup, PartState, SAFETY, Trigger,
};
use crate::domain::operation::{Goal, Origin, Subject};
use crate::domain::plan::{Plan, Step, Verb};
use crate::domain::{
    ClusterKind, ClusterRecord, DeploymentId, Instance, InstanceState, Operation, OperationKind,
    OperationState, Problem, SystemClock,
};
use crate::store::{NewOperation, Store, StoreError};

async fn store() -> Store {
    let store = Store::in_memory(Arc::new(SystemClock)).unwrap();
    let record = ClusterRecord {
        name: "c".to_owned(),
        kind: ClusterKind::Sandbox,
        fqdn_suffix: None,
        storage_class: None,
        ingress_port: None,
        ingress_tls_port: None,
    };
    store.upsert_cluster(&record).await.unwrap();
    store
}

fn subject() -> Subject {
    Subject { cluster: "c".to_owned(), environment: "demo".to_owned(), name: "shop".to_owned() }
}

fn new(kind: OperationKind, subject: Subject) -> NewOperation {
    NewOperation {
        subject,
        kind,
        plan: Plan { steps: vec![Step::named(Verb::Read, "back up db")], ..Plan::default() },
        origin: Origin { actor: "anna".to_owned(), cause: "a test".to_owned(), confirmed: true },
        goal: Goal::default(),
        instance: None,
        action: None,
        request: None,
        parent: None,
    }
}

async fn begin(store: &Store, kind: OperationKind) -> Result<Operation, StoreError> {
    store.begin_operation(new(kind, subject()), None).await
}

async fn state(store: &Store, operation: &Operation) -> OperationState {
    store.operation(operation.id).await.unwrap().unwrap().operation.state
}

fn planned() -> NewBackup {
    let part = BackupPart {
        component: "db".to_owned(),
        strategy: "postgres".to_owned(),
        volume: None,
        state: PartState::Pending,
        bytes: 0,
        stored: 0,
        digest: String::new(),
        snapshot: String::new(),
        path: "/demo/shop/db.sql".to_owned(),
        server: String::new(),
        problem: None,
    };
    let instance = Instance {
        deployment: DeploymentId(1),
        number: 3,
        state: InstanceState::Active,
        driver: Default::default(),
        application_version: "1.0.0".to_owned(),
        context: serde_json::Value::Null,
        digest: String::new(),
        created_at: Timestamp::UNIX_EPOCH,
        message: None,
        draft: None,
    };
    let request = BackupRequest { trigger: Trigger::Person, ..BackupRequest::default() };
    NewBackup {
        engine: crate::domain::backup::Engine::Styrmin,
        location: "nas".to_owned(),
        request,
        instance,
        parts: vec![part],
    }
}

async fn back_up(store: &Store) -> (Operation, BackupId) {
    let backups = |operation: &Operation| vec![planned().record(operation, "")];
    let operation = store.begin_backup(new(OperationKind::Backup, subject()), backups).await.unwrap();
    let id = BackupId::of(&operation, "");
    (operation, id)
}

async fn backup(store: &Store, id: &BackupId) -> Backup {
    store.backup(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_backup_is_refused_beside_anything_and_gives_way_to_a_wish() {
    let store = store().await;
    let (first, id) = back_up(&store).await;
    assert_eq!(backup(&store, &id).await.state, BackupState::Queued);
    assert!(id.0.starts_with("shop-2") && id.0.len() == "shop-20261129t120000-12345678".len(), "{id}");
    let second = begin(&store, OperationKind::Backup).await.unwrap_err();
    assert!(matches!(second, StoreError::Refused { operation, .. } if operation == first.id));
    let wish = begin(&store, OperationKind::Update).await.unwrap();
    assert_eq!(state(&store, &first).await, OperationState::Superseded);
    let ended = backup(&store, &id).await;
    assert_eq!((ended.state, ended.parts[0].state), (BackupState::Cancelled, PartState::Failed));
    assert!(begin(&store, OperationKind::Backup).await.is_err(), "it does not overtake a wish");
    store.request_cancel(wish.id, "anna").await.unwrap();
    let current = store.current_operation(&subject()).await.unwrap().unwrap().operation;
    assert_eq!(current.id, wish.id);
    back_up(&store).await;
}

#[tokio::test]
async fn a_restore_takes_the_place_of_a_backup_and_of_nothing_else_and_nothing_takes_its_place() {
    let store = store().await;
    let (kept, _) = back_up(&store).await;
    let restore = begin(&store, OperationKind::Restore).await.unwrap();
    assert_eq!(state(&store, &kept).await, OperationState::Superseded);
    for kind in [OperationKind::Update, OperationKind::Delete, OperationKind::Stop] {
        let refused = begin(&store, kind).await.unwrap_err();
        let problem = Problem::from(refused);
        assert!(problem.what.contains("is being restored"), "{kind:?}: {problem}");
    }
    for kind in [OperationKind::Restore, OperationKind::Backup, OperationKind::Action] {
        assert!(begin(&store, kind).await.is_err(), "{kind:?}");
    }
    assert_eq!(state(&store, &restore).await, OperationState::Queued);
    store.request_cancel(restore.id, "anna").await.unwrap();
    begin(&store, OperationKind::Update).await.unwrap();
    assert!(begin(&store, OperationKind::Restore).await.is_err(), "it does not cut a change short");
}

#[tokio::test]
async fn operations_about_a_location_queue_up() {
    let store = store().await;
    let place = Subject::location("c", "nas");
    assert_eq!(place.as_location(), Some("nas"));
    let first = store.begin_operation(new(OperationKind::Verify, place.clone()), None).await.unwrap();
    let second = store.begin_operation(new(OperationKind::Prune, place.clone()), None).await.unwrap();
    assert_eq!(state(&store, &first).await, OperationState::Queued);
    let next = async || store.next_in_line(&place).await.unwrap().map(|view| view.operation.id);
    assert_eq!(next().await, Some(first.id));
    store.request_cancel(first.id, "anna").await.unwrap();
    assert_eq!(next().await, Some(second.id));
    store.start_operation(second.id, 0, None).await.unwrap();
    store.begin_operation(new(OperationKind::Verify, place.clone()), None).await.unwrap();
    assert_eq!(next().await, Some(second.id), "the one that runs ends first");
}

#[tokio::test]
async fn what_is_done_beside_what_is_desired_says_nothing_about_it() {
    let store = store().await;
    let wish = begin(&store, OperationKind::Deploy).await.unwrap();
    store.start_operation(wish.id, 0, None).await.unwrap();
    let note = crate::store::StepNote::new(
        0,
        crate::domain::StepRecord { state: crate::domain::StepState::Failed, ..Default::default() },
    );
    store.note_step(wish.id, 0, note).await.unwrap();
    store.finish_operation(wish.id, 0, OperationState::Failed, None).await.unwrap();
    assert_eq!(store.failures_in_a_row(&subject()).await.unwrap(), 1);
    for _ in 0..110 {
        let (kept, _) = back_up(&store).await;
        store.request_cancel(kept.id, "anna").await.unwrap();
    }
    let current = store.current_operation(&subject()).await.unwrap().unwrap().operation;
    assert_eq!(current.id, wish.id, "many backups do not push it out of the records");
    assert_eq!(store.failures_in_a_row(&subject()).await.unwrap(), 1);
}

#[tokio::test]
async fn what_was_being_made_ends_with_its_operation_and_nothing_else_does() {
    let store = store().await;
    let (operation, id) = back_up(&store).await;
    let other = Backup { id: BackupId("other".to_owned()), operation: None, ..backup(&store, &id).await };
    store.record_backup(&other).await.unwrap();
    let safety = planned().record(&operation, SAFETY);
    assert_ne!(safety.id, id);
    store.record_backup(&safety).await.unwrap();
    let change = |backup: &mut Backup| {
        backup.state = BackupState::Running;
        backup.parts[0].state = PartState::Completed;
    };
    store.change_backup(&id, change).await.unwrap();
    store.start_operation(operation.id, 0, None).await.unwrap();
    let note = crate::store::StepNote::new(
        0,
        crate::domain::StepRecord { state: crate::domain::StepState::Failed, ..Default::default() },
    );
    store.note_step(operation.id, 0, note).await.unwrap();
    let problem = Problem::new("it broke", "", "");
    store.finish_operation(operation.id, 0, OperationState::Failed, Some(problem.clone())).await.unwrap();
    let ended = backup(&store, &id).await;
    assert_eq!((ended.state, &ended.problem), (BackupState::PartiallyFailed, &Some(problem)));
    assert!(ended.ended.is_some());
    assert_eq!(backup(&store, &safety.id).await.state, BackupState::Failed);
    assert_eq!(backup(&store, &other.id).await.state, BackupState::Queued);
}

#[tokio::test]
async fn a_step_may_follow_earlier_ones_only() {
    let store = store().await;
    let mut bad = new(OperationKind::Update, subject());
    bad.plan.steps[0].behind = vec![0];
    assert!(matches!(store.begin_operation(bad, None).await, Err(StoreError::Unsound { .. })));
}
