use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::Value;
use zeroize::Zeroizing;

use super::*;
use crate::backup::repository::{NewSnapshot, Source};
use crate::backup::sample_tests::{at, backup};
use crate::backup::secrets::Secrets;
use crate::backup::sweep::{BACKUP, MANIFEST, TAG};
use crate::domain::DeploymentDraft;
use crate::domain::backup::{KeySource, Location, LocationKind};

const NOW: &str = "2026-05-20T12:00:00Z";

async fn repository(directory: &std::path::Path) -> Repository {
    let location = Location {
        name: "vault".into(),
        kind: LocationKind::Directory { path: directory.join("vault") },
        key: KeySource::Environment { variable: "KEY".into() },
        repository: None,
        created: at(NOW),
    };
    let secrets = Secrets { password: Zeroizing::new("secret".into()), s3: None };
    Repository::init(&location, &secrets).await.unwrap()
}

/// Keeps a text for a backup; gives the snapshot.
async fn keep(repository: &Repository, backup: &str, what: &str, text: &[u8]) -> String {
    let new = NewSnapshot {
        host: "sandbox".into(),
        path: format!("/{backup}/{}", what.replace(':', "-")),
        tags: vec![TAG.into(), format!("{BACKUP}{backup}"), what.into()],
        time: at(NOW) - SignedDuration::from_hours(48),
    };
    let source = Source::of(Bytes::copy_from_slice(text));
    repository.save(new, source, |_| {}).await.unwrap().snapshot
}

/// Keeps a backup with all of its parts and its manifest; gives it as it is recorded.
async fn keep_whole(repository: &Repository, id: &str) -> Backup {
    let mut one = backup(id, at(NOW) - SignedDuration::from_hours(48));
    for part in &mut one.parts {
        part.snapshot =
            keep(repository, id, &format!("part:{}", part.component), part.component.as_bytes()).await;
    }
    one.operation = Some(crate::domain::OperationId(7));
    one.manifest = None;
    let manifest = Manifest::new(one.clone(), "uid".into(), DeploymentDraft::default(), Value::Null);
    one.manifest = Some(keep(repository, id, MANIFEST, &manifest.write().unwrap()).await);
    one
}

#[tokio::test]
async fn a_lost_catalogue_comes_back_from_the_location() {
    let directory = tempfile::tempdir().unwrap();
    let repository = repository(directory.path()).await;
    let (one, two) = (keep_whole(&repository, "one").await, keep_whole(&repository, "two").await);
    keep(&repository, "cut-off", "part:db", b"half").await;
    keep(&repository, "forged", MANIFEST, b"{\"format\": 1}").await;
    keep(&repository, "newer", MANIFEST, b"{\"format\": 99}").await;
    let lost = scan(&repository, "vault", &[], at(NOW)).await.unwrap();
    let as_scanned = |backup: &Backup| Backup { operation: None, ..backup.clone() };
    assert_eq!(lost.found, [as_scanned(&one), as_scanned(&two)]);
    let unreadable: Vec<&str> = lost.unreadable.iter().map(|(id, _)| id.0.as_str()).collect();
    assert_eq!(unreadable, ["forged", "newer"]);
    assert!(lost.unreadable[1].1.why.contains("newer Styrmin"), "{:?}", lost.unreadable);
    // what is known stays as it is known
    let pinned = Backup { pinned: true, ..one.clone() };
    let again = scan(&repository, "vault", &[pinned], at(NOW)).await.unwrap();
    assert_eq!((again.found, again.known), (vec![as_scanned(&two)], 1));
}

#[tokio::test]
async fn a_sweep_agrees_with_a_real_location_both_ways() {
    let directory = tempfile::tempdir().unwrap();
    let repository = repository(directory.path()).await;
    let (one, two) = (keep_whole(&repository, "one").await, keep_whole(&repository, "two").await);
    let orphan = keep(&repository, "cut-off", "part:db", b"half").await;
    let both = [one.clone(), two.clone()];
    let found = sweep(&both, &listed(&repository).await.unwrap(), at(NOW));
    assert_eq!(found.orphans.iter().map(|orphan| &orphan.snapshot).collect::<Vec<_>>(), [&orphan]);
    assert!(found.losses.is_empty());
    repository.delete(&[orphan, one.parts[0].snapshot.clone()]).await.unwrap();
    let found = sweep(&both, &listed(&repository).await.unwrap(), at(NOW));
    assert!(found.orphans.is_empty());
    assert_eq!(found.losses.len(), 1);
    assert_eq!(
        (&found.losses[0].backup, found.losses[0].gone.as_slice()),
        (&one.id, ["db".to_owned()].as_slice())
    );
}
