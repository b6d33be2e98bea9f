//! What was lost or changed in a repository is found and named.

use std::fs;
use std::path::{Path, PathBuf};

use styrmin::backup::repository::{Fault, Repository, RepositoryError, Saved, Source};
use styrmin::domain::backup::Depth;

use super::ground::{directory, files, made, noise, read, save};

async fn two(home: &Path) -> (Repository, Saved, Saved, Vec<PathBuf>) {
    let repository = made(&directory(home)).await;
    let first = save(&repository, "/a", Source::of(noise(1, 1_000_000))).await.unwrap();
    let before = files(&home.join("data"));
    let second = save(&repository, "/b", Source::of(noise(2, 3_000_000))).await.unwrap();
    let mut packs = files(&home.join("data"));
    packs.retain(|pack| !before.contains(pack));
    packs.sort_by_key(|pack| fs::metadata(home.join("data").join(pack)).unwrap().len());
    (repository, first, second, packs)
}

async fn check(repository: &Repository, depth: Depth, of: &[&Saved]) -> Vec<Fault> {
    let ids: Vec<String> = of.iter().map(|saved| saved.snapshot.clone()).collect();
    repository.check(depth, &ids).await.unwrap()
}

#[tokio::test]
async fn a_changed_pack_is_named_by_a_full_check() {
    let home = tempfile::tempdir().unwrap();
    let (repository, first, second, packs) = two(home.path()).await;
    for depth in [Depth::Quick, Depth::Full] {
        assert_eq!(check(&repository, depth, &[]).await, []);
    }
    let pack = home.path().join("data").join(packs.last().unwrap());
    let mut content = fs::read(&pack).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(&pack, content).unwrap();

    assert_eq!(check(&repository, Depth::Quick, &[&first, &second]).await, []);
    assert_eq!(check(&repository, Depth::Full, &[&first]).await, []);
    let faults = check(&repository, Depth::Full, &[&first, &second]).await;
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert_eq!(fault.file, format!("data/{}", packs.last().unwrap().display()));
    assert_eq!(fault.snapshot.as_ref(), Some(&second.snapshot));
    assert!(fault.what.contains(&fault.file) && fault.what.contains("is not what was written"), "{fault:?}");
    assert!(!fault.what.contains("report"), "{fault:?}");

    let broken = read(&repository, &second.snapshot).await.unwrap_err();
    assert!(
        matches!(&broken, RepositoryError::Damaged { why, .. } if why.contains(&fault.file[8..16])),
        "{broken}"
    );
    assert!(read(&repository, &first.snapshot).await.is_ok());
}

#[tokio::test]
async fn lost_and_shortened_packs_are_named_by_a_quick_check() {
    let home = tempfile::tempdir().unwrap();
    let (repository, first, second, packs) = two(home.path()).await;
    let name = format!("data/{}", packs.last().unwrap().display());
    let pack = home.path().join(&name);
    let content = fs::read(&pack).unwrap();
    fs::write(&pack, &content[..content.len() - 1]).unwrap();
    let faults = check(&repository, Depth::Quick, &[]).await;
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert_eq!((&fault.file, fault.snapshot.as_ref()), (&name, Some(&second.snapshot)));
    assert!(fault.what.contains("bytes, not"), "{fault:?}");

    fs::remove_file(&pack).unwrap();
    for depth in [Depth::Quick, Depth::Full] {
        let faults = check(&repository, depth, &[]).await;
        let [fault] = faults.as_slice() else { panic!("{faults:?}") };
        assert_eq!((&fault.file, fault.what.as_str()), (&name, format!("{name} is not there").as_str()));
        assert_eq!(check(&repository, depth, &[&first]).await, []);
    }
    assert!(read(&repository, &second.snapshot).await.is_err());
    // the index says that this data is there: a backup that believed it would be none
    let refused = save(&repository, "/b", Source::of(noise(2, 3_000_000))).await.unwrap_err();
    assert!(matches!(&refused, RepositoryError::Damaged { why, .. } if why.contains(&name)), "{refused}");
    assert_eq!(repository.snapshots().await.unwrap().len(), 2);
    // a prune does not make it worse
    assert!(repository.prune(false).await.is_err());
    assert!(read(&repository, &first.snapshot).await.is_ok());
}

#[tokio::test]
async fn lost_and_damaged_snapshots_and_indexes_are_named() {
    let home = tempfile::tempdir().unwrap();
    let (repository, first, second, _) = two(home.path()).await;
    let snapshot = home.path().join("snapshots").join(&second.snapshot);
    let content = fs::read(&snapshot).unwrap();
    fs::write(&snapshot, &content[..content.len() / 2]).unwrap();
    // what was read before is known; another process reads it anew
    drop(repository);
    let repository = made(&directory(home.path())).await;
    let listed = repository.snapshots().await.unwrap();
    assert_eq!(listed.iter().map(|found| &found.id).collect::<Vec<_>>(), [&first.snapshot]);
    let faults = check(&repository, Depth::Quick, &[]).await;
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert_eq!(fault.file, format!("snapshots/{}", second.snapshot));
    fs::remove_file(&snapshot).unwrap();
    assert_eq!(check(&repository, Depth::Quick, &[]).await, []);
    let faults = check(&repository, Depth::Quick, &[&first, &second]).await;
    assert!(faults.len() == 1 && faults[0].what.ends_with("is not there"), "{faults:?}");
    let gone = read(&repository, &second.snapshot).await.unwrap_err();
    assert_eq!(gone, RepositoryError::NoSnapshot { id: second.snapshot.clone() });

    let indexes = files(&home.path().join("index"));
    for index in &indexes {
        fs::remove_file(home.path().join("index").join(index)).unwrap();
    }
    let faults = check(&repository, Depth::Quick, &[&first]).await;
    assert!(faults.len() == 1 && faults[0].snapshot.as_ref() == Some(&first.snapshot), "{faults:?}");
    fs::write(home.path().join("index").join(&indexes[0]), "nothing of the kind").unwrap();
    drop(repository);
    let repository = made(&directory(home.path())).await;
    let faults = check(&repository, Depth::Quick, &[&first]).await;
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert_eq!(fault.file, format!("index/{}", indexes[0].display()));
}

#[tokio::test]
async fn leftovers_are_no_files_of_the_repository() {
    let home = tempfile::tempdir().unwrap();
    let (repository, first, second, packs) = two(home.path()).await;
    let pack = home.path().join("data").join(&packs[0]);
    let leftover = pack.with_file_name(format!("{}-tmp-77", pack.file_name().unwrap().display()));
    fs::write(&leftover, "half of a pa").unwrap();
    fs::write(home.path().join("snapshots/.DS_Store"), "x").unwrap();
    fs::write(home.path().join("index/short"), "x").unwrap();
    let stale = home.path().join("index/0123-tmp-1");
    let old = fs::File::create(&stale).unwrap();
    old.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).unwrap();
    // and a lock of the public program that died
    fs::write(home.path().join("locks").join("ab".repeat(32)), "x").unwrap();

    assert_eq!(check(&repository, Depth::Full, &[&first, &second]).await, []);
    assert_eq!(repository.snapshots().await.unwrap().len(), 2);
    repository.prune(false).await.unwrap();
    assert!(leftover.exists(), "somebody may be writing it");
    assert!(!stale.exists(), "nobody is writing it any more");
    assert!(read(&repository, &second.snapshot).await.is_ok());
}
