//! Places that fail midway: nothing is kept by halves, and the reason is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use styrmin::backup::repository::{Repository, RepositoryError, Source, StorageError};
use styrmin::domain::backup::Depth;

use super::bucket::{Bucket, Seen, Whim};
use super::ground::{Noise, made, noise, read, s3, save};

/// Refuses what writes packs, after so many.
fn after(packs: usize, whim: Whim) -> impl FnMut(&Seen) -> Whim + Send + 'static {
    let mut left = packs;
    move |seen| {
        if seen.method == Method::PUT && seen.key.contains("/data/") {
            if left == 0 {
                return whim.clone();
            }
            left -= 1;
        }
        Whim::Serve
    }
}

/// Saves forty megabytes into a bucket whose mood changes; why that fails.
async fn failure(repository: &Repository) -> RepositoryError {
    let (feed, source) = Source::channel();
    let feeding = async {
        let mut noise = Noise::new(5);
        for _ in 0..40 {
            // whoever saves says why nobody reads it any more
            if feed.send(noise.bytes(1 << 20)).await.is_err() {
                return;
            }
        }
        // also the last one may be lost
        let _ = feed.finish().await;
    };
    let (saved, ()) = tokio::join!(save(repository, "/x", source), feeding);
    saved.unwrap_err()
}

#[tokio::test]
async fn a_place_that_gives_up_midway_keeps_no_snapshot() {
    let bucket = Bucket::start().await;
    let repository = made(&s3(&bucket.endpoint, "p", None)).await;
    let good = save(&repository, "/good", Source::of(noise(1, 1_000_000))).await.unwrap();
    type Expected = fn(&StorageError) -> bool;
    let cases: [(Whim, Expected, &str); 4] = [
        (Whim::Refuse(507, "InsufficientStorage"), |e| matches!(e, StorageError::Full { .. }), "make room"),
        (Whim::Refuse(403, "QuotaExceeded"), |e| matches!(e, StorageError::Full { .. }), "make room"),
        (
            Whim::Refuse(403, "InvalidAccessKeyId"),
            |e| matches!(e, StorageError::Denied { .. }),
            "credentials",
        ),
        (Whim::Cut, |e| matches!(e, StorageError::Unreachable { .. }), "network"),
    ];
    for (whim, expected, next) in cases {
        bucket.mood(after(1, whim.clone()));
        let error = failure(&repository).await;
        let RepositoryError::Storage(storage) = &error else { panic!("{whim:?}: {error}") };
        assert!(expected(storage), "{whim:?}: {error}");
        let problem = error.problem("The backup was not kept");
        assert!(problem.next.contains(next), "{problem}");
        assert!(!problem.why.contains("X-Amz"), "{problem}");
        bucket.mood(|_| Whim::Serve);
        assert_eq!(repository.snapshots().await.unwrap().len(), 1);
    }
    assert_eq!(repository.check(Depth::Full, &[]).await.unwrap(), []);
    assert_eq!(read(&repository, &good.snapshot).await.unwrap().1, good.digest);
}

#[tokio::test]
async fn what_passes_is_waited_for() {
    let bucket = Bucket::start().await;
    let repository = made(&s3(&bucket.endpoint, "p", None)).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let moods = [Whim::Refuse(503, "SlowDown"), Whim::Cut, Whim::Refuse(500, "InternalError")];
    bucket.mood(move |_| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        if number.is_multiple_of(3) { moods[number / 3 % 3].clone() } else { Whim::Serve }
    });
    let saved = save(&repository, "/x", Source::of(noise(1, 3_000_000))).await.unwrap();
    assert_eq!(read(&repository, &saved.snapshot).await.unwrap().1, saved.digest);
    assert!(asked.load(Ordering::SeqCst) > 9, "{asked:?}");
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_written_is_none() {
    let bucket = Bucket::start().await;
    let repository = made(&s3(&bucket.endpoint, "p", None)).await;
    for folder in ["/index/", "/snapshots/"] {
        bucket.mood(move |seen| {
            let denied = seen.method == Method::PUT && seen.key.contains(folder);
            if denied { Whim::Refuse(403, "AccessDenied") } else { Whim::Serve }
        });
        let error = save(&repository, "/x", Source::of(noise(3, 100_000))).await.unwrap_err();
        assert!(matches!(error, RepositoryError::Storage(StorageError::Denied { .. })), "{folder}: {error}");
        assert!(bucket.keys().iter().all(|key| !key.contains("/snapshots/")));
    }
    bucket.mood(|_| Whim::Serve);
    let saved = save(&repository, "/x", Source::of(noise(3, 100_000))).await.unwrap();
    assert_eq!(read(&repository, &saved.snapshot).await.unwrap().1, saved.digest);
}

#[tokio::test]
async fn reading_tells_trouble_from_damage() {
    let bucket = Bucket::start().await;
    let repository = made(&s3(&bucket.endpoint, "p", None)).await;
    let saved = save(&repository, "/x", Source::of(noise(1, 9_000_000))).await.unwrap();
    bucket.mood(|seen| match seen.key.contains("/data/") {
        true => Whim::Refuse(403, "AccessDenied"),
        false => Whim::Serve,
    });
    let denied = read(&repository, &saved.snapshot).await.unwrap_err();
    assert!(matches!(denied, RepositoryError::Storage(StorageError::Denied { .. })), "{denied}");
    let denied = repository.check(Depth::Full, &[]).await.unwrap_err();
    assert!(matches!(denied, RepositoryError::Storage(StorageError::Denied { .. })), "{denied}");
    bucket.mood(|_| Whim::Serve);
    assert_eq!(repository.check(Depth::Full, &[]).await.unwrap(), []);
}
