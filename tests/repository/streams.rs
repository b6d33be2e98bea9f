//! What is saved is what is read, and what breaks is not saved.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use styrmin::backup::repository::{RepositoryError, Source};
use tokio::time::timeout;

use super::bucket::Bucket;
use super::ground::{Noise, directory, files, made, new, noise, read, s3, save, sha256};

#[tokio::test]
async fn what_is_saved_is_read() {
    let home = tempfile::tempdir().unwrap();
    let bucket = Bucket::start().await;
    for location in [directory(home.path()), s3(&bucket.endpoint, "a/b", None)] {
        let repository = made(&location).await;
        for (number, length) in [0, 1, 100, 600_000, 5_000_000].into_iter().enumerate() {
            let bytes = noise(number as u64, length);
            let path = format!("/demo/notes/part{number}.sql");
            let saved = save(&repository, &path, Source::of(bytes.clone())).await.unwrap();
            assert_eq!((saved.bytes, &saved.digest), (length as u64, &sha256(&bytes)));
            let size = repository.size().await.unwrap();
            assert!(size > saved.stored, "{size}");
            assert_eq!(read(&repository, &saved.snapshot).await.unwrap(), (saved.bytes, saved.digest));
        }
        let listed = repository.snapshots().await.unwrap();
        assert_eq!(listed.len(), 5);
        let fifth = listed.iter().find(|snapshot| snapshot.path == "/demo/notes/part4.sql").unwrap();
        assert_eq!((fifth.bytes, fifth.host.as_str()), (5_000_000, "sandbox"));
        assert_eq!(fifth.tags, ["backup:notes-1", "part:db", "styrmin"]);
        assert_eq!(fifth.time, new("").time);
    }
    assert!(bucket.keys().iter().all(|key| key.starts_with("a/b/")), "{:?}", bucket.keys());
}

#[tokio::test]
async fn three_hundred_megabytes_pass_through() {
    const PIECES: usize = 300;
    let home = tempfile::tempdir().unwrap();
    let repository = made(&directory(home.path())).await;
    let (feed, source) = Source::channel();
    let seen = Arc::new(AtomicU64::new(0));
    let watched = Arc::clone(&seen);
    let saving = repository.save(new("/demo/notes/db.sql"), source, move |bytes| {
        let before = watched.swap(bytes, Ordering::SeqCst);
        assert!(before < bytes, "{before} {bytes}");
    });
    let feeding = async {
        let mut noise = Noise::new(7);
        for _ in 0..PIECES {
            feed.send(noise.bytes(1 << 20)).await.unwrap();
        }
        feed.finish().await.unwrap();
    };
    let (saved, ()) = tokio::join!(saving, feeding);
    let saved = saved.unwrap();
    assert_eq!((saved.bytes, seen.load(Ordering::SeqCst)), ((PIECES as u64) << 20, saved.bytes));
    assert!(saved.stored >= saved.bytes, "random data does not become smaller");
    assert_eq!(read(&repository, &saved.snapshot).await.unwrap(), (saved.bytes, saved.digest.clone()));

    // the same again, with a little before it: only what is new is stored
    let (feed, source) = Source::channel();
    let feeding = async {
        feed.send(Bytes::from_static(b"-- another dump\n")).await.unwrap();
        let mut noise = Noise::new(7);
        for _ in 0..PIECES {
            feed.send(noise.bytes(1 << 20)).await.unwrap();
        }
        feed.finish().await.unwrap();
    };
    let (second, ()) = tokio::join!(save(&repository, "/demo/notes/db.sql", source), feeding);
    let second = second.unwrap();
    assert_ne!(second.digest, saved.digest);
    assert!(second.stored < 20 << 20, "{} bytes were stored again", second.stored);
    assert_eq!(read(&repository, &second.snapshot).await.unwrap(), (second.bytes, second.digest));
}

#[tokio::test]
async fn a_stream_that_breaks_leaves_no_snapshot() {
    let home = tempfile::tempdir().unwrap();
    let repository = made(&directory(home.path())).await;
    for length in [0, 1, 3_000_000] {
        let (feed, source) = Source::channel();
        let feeding = async {
            feed.send(noise(1, length)).await.unwrap();
            drop(feed);
        };
        let (saved, ()) = tokio::join!(save(&repository, "/x", source), feeding);
        assert_eq!(saved.unwrap_err(), RepositoryError::Broken { bytes: length as u64 });
    }
    assert_eq!(repository.snapshots().await.unwrap(), []);
    let snapshots = home.path().join("snapshots");
    assert_eq!(files(&snapshots), Vec::<std::path::PathBuf>::new());
    // what had been written of it does no harm
    let saved = save(&repository, "/x", Source::of(noise(1, 3_000_000))).await.unwrap();
    assert_eq!(read(&repository, &saved.snapshot).await.unwrap().1, sha256(&noise(1, 3_000_000)));
}

#[tokio::test]
async fn who_stops_waiting_ends_it() {
    let home = tempfile::tempdir().unwrap();
    let repository = made(&directory(home.path())).await;
    let (feed, source) = Source::channel();
    let saving = tokio::spawn({
        let repository = repository.clone();
        async move { save(&repository, "/x", source).await }
    });
    feed.send(noise(1, 2_000_000)).await.unwrap();
    saving.abort();
    // the thread lets go of the stream although nothing more comes
    let closed = async { while feed.send(noise(2, 1_000_000)).await.is_ok() {} };
    timeout(Duration::from_secs(60), closed).await.expect("nobody reads it any more");
    assert_eq!(repository.snapshots().await.unwrap(), []);

    let saved = save(&repository, "/x", Source::of(noise(3, 30_000_000))).await.unwrap();
    let (_, mut stream) = repository.read(&saved.snapshot).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    drop(stream);
    assert_eq!(read(&repository, &saved.snapshot).await.unwrap().1, saved.digest);
}
