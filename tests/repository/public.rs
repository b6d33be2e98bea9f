//! The public `restic` beside us: it reads what we write, and we read what it writes.

use std::io::Write;
use std::process::{Command, Stdio};

use styrmin::backup::repository::Source;
use styrmin::domain::backup::Depth;

use super::ground::{PASSWORD, Restic, directory, made, noise, program, read, save, sha256};

#[tokio::test]
async fn the_public_program_lists_checks_and_restores() {
    let home = tempfile::tempdir().unwrap();
    let location = directory(&home.path().join("backups"));
    let Some(restic) = Restic::on(&location) else { return };
    let repository = made(&location).await;
    let mut saved = Vec::new();
    let text: String = (0..200_000).map(|line| format!("INSERT INTO notes VALUES ({line});\n")).collect();
    for (path, bytes) in [
        ("/demo/notes/db.sql", bytes::Bytes::from(text)),
        ("/demo/notes/db/data.tar", noise(1, 9_000_000)),
        ("/demo/notes/empty", bytes::Bytes::new()),
        ("/manifest.json", bytes::Bytes::from_static(b"{}")),
    ] {
        saved.push((path, save(&repository, path, Source::of(bytes)).await.unwrap()));
    }
    assert!(saved[0].1.stored < saved[0].1.bytes / 2, "text is stored compressed");
    let seen: Vec<_> = saved.iter().map(|(path, saved)| (*path, saved)).collect();
    restic.agrees(&seen);

    // the size and the time stand in the tree: it restores files that are whole, as an ordinary user may read them
    let target = home.path().join("restored");
    restic.prints(&["restore", &saved[1].1.snapshot, "--target", target.to_str().unwrap(), "--verify"]);
    let restored = std::fs::read(target.join("demo/notes/db/data.tar")).unwrap();
    assert_eq!(sha256(&restored), saved[1].1.digest);
    let listed = String::from_utf8(restic.prints(&["ls", "--long", &saved[1].1.snapshot])).unwrap();
    assert!(listed.contains("9000000"), "{listed}");
    let tagged = restic.prints(&["snapshots", "--json", "--tag", "part:db", "--host", "sandbox"]);
    let tagged: serde_json::Value = serde_json::from_slice(&tagged).unwrap();
    assert_eq!(tagged.as_array().map(Vec::len), Some(4));

    // it deletes and prunes; what it leaves is what we see
    restic.prints(&["forget", &saved[0].1.snapshot, "--prune"]);
    assert_eq!(repository.snapshots().await.unwrap().len(), 3);
    assert_eq!(repository.check(Depth::Full, &[]).await.unwrap(), []);
    let (_, kept) = &saved[1];
    assert_eq!(read(&repository, &kept.snapshot).await.unwrap(), (kept.bytes, kept.digest.clone()));
    repository.prune(false).await.unwrap();
    restic.agrees(&seen[1..]);
}

#[tokio::test]
async fn what_the_public_program_made_is_opened() {
    let home = tempfile::tempdir().unwrap();
    let location = directory(home.path());
    let (Some(restic), Some(program)) = (Restic::on(&location), program("restic")) else { return };
    restic.prints(&["init"]);
    let bytes = noise(4, 5_000_000);
    let mut child = Command::new(program)
        .args(["--no-cache", "-r", home.path().to_str().unwrap(), "backup", "--stdin"])
        .args(["--stdin-filename", "dump.sql", "--host", "elsewhere", "--tag", "theirs"])
        .env("RESTIC_PASSWORD", PASSWORD)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    assert!(child.wait().unwrap().success());

    // one that is there already is opened, not made
    let repository = made(&location).await;
    let listed = repository.snapshots().await.unwrap();
    let [theirs] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((theirs.host.as_str(), theirs.path.as_str(), theirs.bytes), ("elsewhere", "/dump.sql", 0));
    assert_eq!(read(&repository, &theirs.id).await.unwrap(), (5_000_000, sha256(&bytes)));
    // they have the same chunks
    let ours = save(&repository, "/dump.sql", Source::of(bytes)).await.unwrap();
    assert!(ours.stored < 100_000, "{} bytes were stored again", ours.stored);
    restic.agrees(&[("/dump.sql", &ours)]);
    assert_eq!(repository.check(Depth::Full, &[]).await.unwrap(), []);
}
