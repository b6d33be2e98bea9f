//! Making and opening: each mistake has its own words.

use std::fs;

use styrmin::backup::repository::{Repository, RepositoryError, Source, StorageError};
use styrmin::domain::backup::{Location, LocationKind};

use super::bucket::{Bucket, Whim};
use super::ground::{directory, files, made, noise, read, s3, save, secrets, with_password};

#[tokio::test]
async fn what_is_there_is_opened() {
    let home = tempfile::tempdir().unwrap();
    let bucket = Bucket::start().await;
    for location in [directory(&home.path().join("a/b")), s3(&bucket.endpoint, "", None)] {
        let missing = Repository::open(&location, &secrets()).await.unwrap_err();
        match location.kind {
            LocationKind::Directory { .. } => {
                assert!(
                    matches!(missing, RepositoryError::Storage(StorageError::NoPlace { .. })),
                    "{missing}"
                );
            }
            LocationKind::S3 { .. } => {
                assert!(matches!(missing, RepositoryError::NoRepository { .. }), "{missing}");
            }
            LocationKind::Velero { .. } => unreachable!("no such location is opened here"),
        }
        let repository = made(&location).await;
        let again = made(&location).await;
        assert_eq!((repository.id().len(), again.id()), (64, repository.id()));
        let recorded = Location { repository: Some(repository.id().to_owned()), ..location.clone() };
        drop((repository, again));
        // it is not open any more in this process: it is unlocked anew
        assert!(Repository::open(&recorded, &secrets()).await.is_ok());

        let wrong = Repository::open(&location, &with_password("wrong")).await.unwrap_err();
        assert_eq!(wrong, RepositoryError::WrongKey { place: location.address() });
        let problem = wrong.problem("The location 'nas' cannot be opened");
        assert!(problem.why.contains("does not open") && problem.next.contains("password"), "{problem}");
        let wrong = Repository::init(&location, &with_password("wrong")).await.unwrap_err();
        assert_eq!(wrong, RepositoryError::WrongKey { place: location.address() });

        let other = Location { repository: Some("00".repeat(32)), ..location.clone() };
        let another = Repository::open(&other, &secrets()).await.unwrap_err();
        assert!(matches!(another, RepositoryError::Another { .. }), "{another}");
    }
}

#[tokio::test]
async fn a_repository_that_goes_while_it_is_open_is_noticed() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("backups");
    let location = directory(&place);
    let repository = made(&location).await;
    fs::rename(&place, home.path().join("elsewhere")).unwrap();
    fs::create_dir(&place).unwrap();
    let gone = Repository::open(&location, &secrets()).await.unwrap_err();
    assert!(matches!(gone, RepositoryError::NoRepository { .. }), "{gone}");
    let gone = save(&repository, "/x", Source::of("data")).await.unwrap_err();
    assert!(matches!(gone, RepositoryError::NoRepository { .. }), "{gone}");
    assert_eq!(files(&place), Vec::<std::path::PathBuf>::new(), "nothing is written into a mount point");
}

#[tokio::test]
async fn a_half_made_repository_is_made_again_and_a_damaged_one_is_not() {
    let home = tempfile::tempdir().unwrap();
    let location = directory(home.path());
    let repository = made(&location).await;
    drop(repository);
    // somebody died between the key and the file that makes it a repository
    fs::remove_file(home.path().join("config")).unwrap();
    let before = files(&home.path().join("keys"));
    let repository = made(&location).await;
    assert_ne!(files(&home.path().join("keys")), before);
    let saved = save(&repository, "/x", Source::of(noise(1, 100_000))).await.unwrap();
    assert_eq!(read(&repository, &saved.snapshot).await.unwrap().1, saved.digest);
    drop(repository);

    fs::remove_file(home.path().join("config")).unwrap();
    let before = files(home.path());
    let refused = Repository::init(&location, &secrets()).await.unwrap_err();
    assert!(matches!(refused, RepositoryError::Damaged { .. }), "{refused}");
    assert_eq!(files(home.path()), before);
}

#[tokio::test]
async fn buckets_say_what_is_wrong_with_them() {
    let bucket = Bucket::start().await;
    let at = |name: &str| {
        let mut location = s3(&bucket.endpoint, "", None);
        if let LocationKind::S3 { bucket, .. } = &mut location.kind {
            *bucket = name.to_owned();
        }
        location
    };
    let missing = Repository::init(&at("other"), &secrets()).await.unwrap_err();
    assert!(matches!(missing, RepositoryError::Storage(StorageError::NoPlace { .. })), "{missing}");
    let mut keys = secrets();
    keys.s3.as_mut().unwrap().access_key_id = "somebody".into();
    let denied = Repository::init(&at("bucket"), &keys).await.unwrap_err();
    assert!(matches!(denied, RepositoryError::Storage(StorageError::Denied { .. })), "{denied}");
    assert!(!denied.to_string().contains("X-Amz"), "{denied}");
    bucket.mood(|_| Whim::Refuse(301, "PermanentRedirect"));
    let elsewhere = Repository::init(&at("bucket"), &secrets()).await.unwrap_err();
    assert!(matches!(elsewhere, RepositoryError::Storage(StorageError::Refused { .. })), "{elsewhere}");
    keys.s3 = None;
    let without = Repository::init(&at("bucket"), &keys).await.unwrap_err();
    assert!(without.to_string().contains("no access keys"), "{without}");
}

#[tokio::test]
async fn an_authority_must_be_named_to_be_trusted() {
    let home = tempfile::tempdir().unwrap();
    let (bucket, ca) = Bucket::encrypted(home.path()).await;
    let untrusted = Repository::init(&s3(&bucket.endpoint, "", None), &secrets()).await.unwrap_err();
    assert!(matches!(untrusted, RepositoryError::Storage(StorageError::Untrusted { .. })), "{untrusted}");
    let repository = made(&s3(&bucket.endpoint, "", Some(&ca))).await;
    let saved = save(&repository, "/x", Source::of(noise(1, 100_000))).await.unwrap();
    assert_eq!(read(&repository, &saved.snapshot).await.unwrap().1, saved.digest);
    let wrong = s3(&bucket.endpoint, "", Some(&home.path().join("none.pem")));
    let wrong = Repository::init(&wrong, &secrets()).await.unwrap_err();
    assert!(matches!(wrong, RepositoryError::Location { .. }), "{wrong}");
}
