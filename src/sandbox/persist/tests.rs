use serde_json::json;

use super::*;

fn commit(name: &str, revision: u64, object: Option<Value>) -> Commit {
    let key = ("n".to_owned(), name.to_owned());
    Commit { resource: "things".to_owned(), key, revision, object: object.map(Arc::new) }
}

#[test]
fn what_is_kept_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let (loaded, sink, keeper) = open(directory.path()).unwrap();
    assert_eq!((loaded.revision, loaded.rows.len()), (0, 0));
    sink.send(commit("a", 5, Some(json!({"v": 1})))).unwrap();
    sink.send(commit("b", 6, Some(json!({"v": 2})))).unwrap();
    sink.send(commit("a", 7, None)).unwrap();
    drop(sink);
    keeper.close();
    let (loaded, _sink, _keeper) = open(directory.path()).unwrap();
    assert_eq!(loaded.revision, 7);
    assert_eq!(loaded.rows, [("things".to_owned(), Arc::new(json!({"v": 2})))]);
}

#[test]
fn one_process_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let _first = open(directory.path()).unwrap();
    assert!(matches!(open(directory.path()), Err(SandboxError::InUse { .. })));
}

#[test]
fn a_damaged_file_is_told_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE);
    fs::write(&path, b"this is no database, it only looks like a file of some length .....").unwrap();
    assert!(matches!(open(directory.path()), Err(SandboxError::Damaged { .. })));
    assert!(fs::read(&path).unwrap().starts_with(b"this is no database"));
}

#[test]
fn a_newer_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let connection = Connection::open(directory.path().join(FILE)).unwrap();
    connection.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(connection);
    assert!(matches!(open(directory.path()), Err(SandboxError::TooNew { found: 99, .. })));
}

#[test]
fn a_place_that_is_no_directory_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "").unwrap();
    assert!(matches!(open(&path), Err(SandboxError::Directory { .. })));
}

#[tokio::test]
async fn a_write_that_fails_is_told_and_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let (_, sink, keeper) = open(directory.path()).unwrap();
    let mut kept = keeper.kept();
    let other = Connection::open(directory.path().join(FILE)).unwrap();
    other.busy_timeout(Duration::from_secs(5)).unwrap();
    other.execute_batch("ALTER TABLE objects RENAME TO away").unwrap();
    sink.send(commit("a", 5, Some(json!({"v": 1})))).unwrap();
    let limit = Duration::from_secs(60);
    let failed =
        tokio::time::timeout(limit, kept.wait_for(|kept| kept.problem.is_some())).await.unwrap().unwrap();
    assert_eq!(failed.revision, 0);
    drop(failed);
    other.execute_batch("ALTER TABLE away RENAME TO objects").unwrap();
    let healed =
        tokio::time::timeout(limit, kept.wait_for(|kept| kept.problem.is_none())).await.unwrap().unwrap();
    assert_eq!(healed.revision, 5);
}

#[test]
fn a_revision_never_comes_again_after_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let (_, sink, keeper) = open(directory.path()).unwrap();
    sink.send(commit("a", 5, Some(json!({"v": 1})))).unwrap();
    drop(sink);
    keeper.close();
    let connection = Connection::open(directory.path().join(FILE)).unwrap();
    // as if the process had died after its last transaction
    connection.execute_batch("DELETE FROM facts WHERE name = 'closed'").unwrap();
    drop(connection);
    let (loaded, sink, keeper) = open(directory.path()).unwrap();
    assert_eq!(loaded.revision, 5 + GAP);
    sink.send(commit("b", loaded.revision + 1, Some(json!({"v": 1})))).unwrap();
    drop(sink);
    keeper.close();
    let (loaded, _sink, _keeper) = open(directory.path()).unwrap();
    assert_eq!(loaded.revision, 6 + GAP, "an orderly end leaves no gap");
}
