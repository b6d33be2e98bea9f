//! Several at once: backups, prunes, deletions.

use std::path::Path;

use jiff::SignedDuration;
use styrmin::backup::repository::{Patience, Repository, Saved, Source};
use styrmin::domain::backup::Depth;

use super::bucket::Bucket;
use super::ground::{directory, files, made, noise, read, s3, save};

/// Nobody else writes into it.
const ALONE: Patience = Patience { young: SignedDuration::ZERO, marked: SignedDuration::ZERO };
/// Packs may be marked at once, and stay then.
const EAGER: Patience = Patience { young: SignedDuration::ZERO, marked: SignedDuration::from_hours(24) };

async fn is_whole(repository: &Repository, saved: &Saved) {
    let read = read(repository, &saved.snapshot).await.unwrap();
    assert_eq!(read, (saved.bytes, saved.digest.clone()));
}

fn data(home: &Path) -> usize {
    files(&home.join("data")).len()
}

#[tokio::test]
async fn what_no_snapshot_needs_goes_in_two_steps() {
    let home = tempfile::tempdir().unwrap();
    let repository = made(&directory(home.path())).await;
    let kept = save(&repository, "/a", Source::of(noise(1, 2_000_000))).await.unwrap();
    let deleted = save(&repository, "/b", Source::of(noise(2, 3_000_000))).await.unwrap();
    let before = repository.size().await.unwrap();
    repository.delete(std::slice::from_ref(&deleted.snapshot)).await.unwrap();
    repository.delete(std::slice::from_ref(&deleted.snapshot)).await.unwrap();

    let young = repository.prune(false).await.unwrap();
    assert_eq!((young.files, young.bytes), (0, 0), "what is young may belong to a backup that is being made");
    let packs = data(home.path());
    let planned = repository.prune_with(EAGER, true).await.unwrap();
    assert!(planned.files == 0 && planned.marked > 3_000_000, "{planned:?}");
    let marked = repository.prune_with(EAGER, false).await.unwrap();
    assert!(marked.files == 0 && marked.marked > 3_000_000, "{marked:?}");
    assert!(data(home.path()) >= packs, "marked, and still there");
    let gone = repository.prune_with(ALONE, false).await.unwrap();
    assert!(gone.files > 0 && gone.bytes > 3_000_000, "{gone:?}");
    assert!(repository.size().await.unwrap() < before - 3_000_000);
    assert_eq!(repository.check(Depth::Full, &[]).await.unwrap(), []);
    is_whole(&repository, &kept).await;
}

#[tokio::test]
async fn two_saves_at_once_do_not_hinder_each_other() {
    let home = tempfile::tempdir().unwrap();
    let bucket = Bucket::start().await;
    for location in [directory(home.path()), s3(&bucket.endpoint, "p", None)] {
        let repository = made(&location).await;
        let (a, b, c) = tokio::join!(
            save(&repository, "/a", Source::of(noise(1, 4_000_000))),
            save(&repository, "/b", Source::of(noise(2, 4_000_000))),
            // the same data as another one, at the same moment
            save(&repository, "/c", Source::of(noise(2, 4_000_000))),
        );
        for saved in [a, b, c] {
            is_whole(&repository, &saved.unwrap()).await;
        }
        assert_eq!(repository.snapshots().await.unwrap().len(), 3);
        assert_eq!(repository.check(Depth::Full, &[]).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_prune_in_the_middle_of_a_save_takes_nothing_from_it() {
    let home = tempfile::tempdir().unwrap();
    let repository = made(&directory(home.path())).await;
    let old = save(&repository, "/a", Source::of(noise(1, 3_000_000))).await.unwrap();

    let (feed, source) = Source::channel();
    let feeding = async {
        // the save has read its index when it takes so much
        for seed in 10..20 {
            feed.send(noise(seed, 1_000_000)).await.unwrap();
        }
        repository.delete(std::slice::from_ref(&old.snapshot)).await.unwrap();
        // marks the packs of the old one, and also those of the new one that have no index yet
        let pruned = repository.prune_with(EAGER, false).await.unwrap();
        assert!(pruned.marked > 3_000_000, "{pruned:?}");
        // what the save knows to be there
        feed.send(noise(1, 3_000_000)).await.unwrap();
        feed.finish().await.unwrap();
    };
    let (saved, ()) = tokio::join!(save(&repository, "/a", source), feeding);
    let saved = saved.unwrap();
    is_whole(&repository, &saved).await;
    let listed = repository.snapshots().await.unwrap();
    assert_eq!(listed.iter().map(|snapshot| &snapshot.id).collect::<Vec<_>>(), [&saved.snapshot]);
    assert_eq!(repository.check(Depth::Full, &[]).await.unwrap(), []);
    // and the next prunes know that it is needed
    for _ in 0..2 {
        repository.prune_with(ALONE, false).await.unwrap();
        is_whole(&repository, &saved).await;
    }
    assert_eq!(repository.check(Depth::Full, &[]).await.unwrap(), []);
}

#[tokio::test]
async fn saves_prunes_and_reads_go_on_side_by_side() {
    let home = tempfile::tempdir().unwrap();
    let repository = made(&directory(home.path())).await;
    let first = save(&repository, "/a", Source::of(noise(1, 2_000_000))).await.unwrap();
    for round in 0..4 {
        let bytes = noise(1 + round % 2, 2_000_000 + 10_000 * round as usize);
        let (saved, pruned, seen) = tokio::join!(
            save(&repository, "/b", Source::of(bytes)),
            // an eager one is promised nothing beside a save
            repository.prune(false),
            read(&repository, &first.snapshot),
        );
        let pruned = pruned.unwrap();
        assert_eq!((pruned.files, pruned.bytes), (0, 0), "what is young stays");
        assert_eq!(seen.unwrap().1, first.digest);
        let saved = saved.unwrap();
        is_whole(&repository, &saved).await;
        repository.delete(&[saved.snapshot]).await.unwrap();
    }
    is_whole(&repository, &first).await;
    // alone again: what the saves left behind goes
    let marked = repository.prune_with(EAGER, false).await.unwrap();
    assert!(marked.marked > 2_000_000, "{marked:?}");
    let gone = repository.prune_with(ALONE, false).await.unwrap();
    assert!(gone.bytes > 2_000_000, "{gone:?}");
    is_whole(&repository, &first).await;
    assert_eq!(repository.check(Depth::Full, &[]).await.unwrap(), []);
}
