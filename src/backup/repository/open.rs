//! Making and opening repositories.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use rustic_core::{ConfigOptions, Credentials, FileType, KeyOptions, ReadBackend, WriteBackend};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::directory::Directory;
use super::door::{Door, Kept};
use super::error::RepositoryError;
use super::s3::S3;
use super::session::{Opened, Session, caught, locked};
use super::storage::Storage;
use super::{Repository, Shared, blocking};
use crate::backup::secrets::Secrets;
use crate::domain::backup::{Location, LocationKind};

/// What a pack has, in bytes, however large the repository grows: half a dozen are in memory at a time.
const PACK: &str = "16MiB";

/// The repositories that are open in this process, by the digest of their place and secrets. A scrypt takes half a second
/// and 128 MiB.
fn known() -> &'static Mutex<HashMap<[u8; 32], Weak<Shared>>> {
    static KNOWN: OnceLock<Mutex<HashMap<[u8; 32], Weak<Shared>>>> = OnceLock::new();
    KNOWN.get_or_init(Mutex::default)
}

pub(super) async fn open(
    location: &Location,
    secrets: &Secrets,
    make: bool,
) -> Result<Repository, RepositoryError> {
    let digest = digest(location, secrets);
    let found = known().lock().unwrap_or_else(PoisonError::into_inner).get(&digest).and_then(Weak::upgrade);
    let repository = match found {
        Some(shared) => {
            let repository = Repository(shared);
            // it may have gone since, or been replaced
            repository.run(|session, _| session.open().map(drop)).await?;
            repository
        }
        None => {
            let storage = storage(location, secrets)?;
            let password = secrets.password.clone();
            let stop = CancellationToken::new();
            let _guard = stop.clone().drop_guard();
            let shared = blocking(move || unlock(storage, &password, make, stop)).await?;
            let mut known = known().lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|_, shared| shared.strong_count() > 0);
            known.insert(digest, Arc::downgrade(&shared));
            Repository(shared)
        }
    };
    match &location.repository {
        Some(recorded) if recorded != repository.id() => Err(RepositoryError::Another {
            place: repository.0.storage.place(),
            found: repository.id().to_owned(),
            recorded: recorded.clone(),
        }),
        _ => Ok(repository),
    }
}

fn digest(location: &Location, secrets: &Secrets) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut add = |text: &str| {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    };
    add(&format!("{:?}", location.kind));
    add(&secrets.password);
    if let Some(keys) = &secrets.s3 {
        add(&keys.access_key_id);
        add(&keys.secret_access_key);
        add(keys.session_token.as_ref().map_or("", |token| token.as_str()));
    }
    hasher.finalize().into()
}

fn storage(location: &Location, secrets: &Secrets) -> Result<Arc<dyn Storage>, RepositoryError> {
    match &location.kind {
        LocationKind::Directory { path } if path.is_absolute() => Ok(Arc::new(Directory::new(path))),
        LocationKind::Directory { path } => Err(RepositoryError::Location {
            name: location.name.clone(),
            why: format!("{} is no absolute path", path.display()),
        }),
        LocationKind::Velero { .. } => Err(RepositoryError::Location {
            name: location.name.clone(),
            why: "Velero keeps what lies in it, in no repository of ours".to_owned(),
        }),
        LocationKind::S3 { .. } => Ok(Arc::new(S3::new(location, secrets.s3.as_ref())?)),
    }
}

fn unlock(
    storage: Arc<dyn Storage>,
    password: &Zeroizing<String>,
    make: bool,
    stop: CancellationToken,
) -> Result<Arc<Shared>, RepositoryError> {
    let kept = Arc::new(Kept::default());
    let door = Arc::new(Door::new(Arc::clone(&storage), Arc::clone(&kept), stop));
    let place = storage.place();
    let credentials = Credentials::password(password.as_str());
    let configs = match caught(&door, &place, door.list(FileType::Config)) {
        Err(RepositoryError::Storage(super::StorageError::NoPlace { .. })) if make => Vec::new(),
        configs => configs?,
    };
    if configs.is_empty() {
        if !make {
            return Err(RepositoryError::NoRepository { place });
        }
        begin(&door, &place, &credentials)?;
    }
    // also what was just made is opened: somebody else may have made it at the same moment
    let repository = caught(&door, &place, locked(&door))?;
    let opened = caught(&door, &place, repository.open(&credentials))?;
    let id = opened.config().id.to_hex().to_string();
    let session = Session { door, place, key: opened.key() };
    session.open()?;
    Ok(Arc::new(Shared { storage, kept, key: session.key, id }))
}

/// Makes a repository where there is none.
fn begin(door: &Arc<Door>, place: &str, credentials: &Credentials) -> Result<(), RepositoryError> {
    caught(door, place, door.create())?;
    let listed = |kind| caught(door, place, door.list(kind));
    let keys = listed(FileType::Key)?;
    if !keys.is_empty() {
        if [FileType::Snapshot, FileType::Index, FileType::Pack].into_iter().any(|kind| {
            // what cannot be listed counts as there
            listed(kind).map_or(true, |files| !files.is_empty())
        }) {
            let why = "it has data and no file 'config'".to_owned();
            return Err(RepositoryError::Damaged { place: place.to_owned(), why });
        }
        // somebody died while making it: a key that opens nothing must not be found before the one that does
        for key in keys {
            caught(door, place, door.remove(FileType::Key, &key, false))?;
        }
    }
    let mut config = ConfigOptions::default().set_datapack_growfactor(0_u32).set_treepack_growfactor(0_u32);
    config.set_datapack_size = Some(PACK.parse().map_err(RepositoryError::Defect)?);
    let repository = caught(door, place, locked(door))?;
    let made: Result<Opened, _> =
        caught(door, place, repository.init(credentials, &KeyOptions::default().with_created(true), &config));
    match made {
        Ok(_) => Ok(()),
        // whoever came first has made it
        Err(error) => match listed(FileType::Config)? {
            configs if configs.is_empty() => Err(error),
            _ => Ok(()),
        },
    }
}
