//! Finding out whether snapshots can be restored.

use std::collections::{BTreeMap, BTreeSet};

use rustic_core::repofile::{IndexFile, PackId, SnapshotFile, SnapshotId};
use rustic_core::{CheckOptions, FileType, LsOptions, ReadBackend};

use super::Fault;
use super::error::RepositoryError;
use super::error::plain;
use super::session::{Indexed, Session};
use super::storage::{File, identifier};

/// How many digits of an identifier `rustic_core` shows.
const SHORT: usize = 8;

/// The packs that a snapshot needs.
type Needed = BTreeMap<PackId, BTreeSet<String>>;

/// Looks through snapshots, all of them when none is named; `deeply` reads all of their data.
pub(super) fn check(session: &Session, ids: &[String], deeply: bool) -> Result<Vec<Fault>, RepositoryError> {
    let mut faults = Vec::new();
    let (snapshots, lost) = chosen(session, ids)?;
    faults.extend(lost);
    let repository = match session.indexed() {
        Err(RepositoryError::Damaged { why, .. }) => {
            faults.push(Fault { file: named(session, &why, FileType::Index)?, what: why, snapshot: None });
            return Ok(faults);
        }
        repository => repository?,
    };
    let sizes = sizes(session, &repository)?;
    let present = session.caught(session.door.list_with_size(FileType::Pack))?;
    let present: BTreeMap<PackId, u32> =
        present.into_iter().map(|(id, size)| (PackId::from(id), size)).collect();
    let mut needed = Needed::new();
    for snapshot in &snapshots {
        if let Some(fault) = walk(session, &repository, snapshot, &mut needed)? {
            faults.push(fault);
        }
    }
    let mut bad = BTreeSet::new();
    for (pack, users) in &needed {
        let file = File::new(FileType::Pack, pack).path();
        let what = match (present.get(pack), sizes.get(pack)) {
            (None, _) => format!("{file} is not there"),
            (Some(found), Some(size)) if found != size => {
                format!("{file} has {found} bytes, not {size}")
            }
            _ => continue,
        };
        bad.insert(*pack);
        faults.extend(users.iter().map(|user| Fault {
            file: file.clone(),
            what: what.clone(),
            snapshot: Some(user.clone()),
        }));
    }
    if deeply {
        faults.extend(contents(session, &snapshots, &needed, &bad)?);
    }
    Ok(faults)
}

/// The snapshots, and those that are lost or cannot be read.
fn chosen(session: &Session, ids: &[String]) -> Result<(Vec<SnapshotFile>, Vec<Fault>), RepositoryError> {
    let listed: Vec<String> = {
        let listed = session.caught(session.door.list(FileType::Snapshot))?;
        listed.into_iter().map(|id| id.to_hex().to_string()).collect()
    };
    let wanted = if ids.is_empty() { &listed } else { ids };
    let repository = session.open()?;
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for id in wanted {
        let file = format!("snapshots/{id}");
        let mut lost = |what: String| {
            faults.push(Fault { file: file.clone(), what, snapshot: Some(id.clone()) });
        };
        let Some(parsed) = identifier(id).filter(|_| listed.contains(id)) else {
            lost(format!("{file} is not there"));
            continue;
        };
        match session.caught(repository.get_file::<SnapshotFile>(&SnapshotId::from(parsed))) {
            Ok(mut snapshot) => {
                snapshot.id = parsed.into();
                found.push(snapshot);
            }
            Err(RepositoryError::Damaged { why, .. }) => lost(format!("{file} cannot be read: {why}")),
            Err(error) => return Err(error),
        }
    }
    Ok((found, faults))
}

/// What the index says that packs have, in bytes.
fn sizes(session: &Session, repository: &Indexed) -> Result<BTreeMap<PackId, u32>, RepositoryError> {
    let mut sizes = BTreeMap::new();
    for index in session.caught(repository.stream_files::<IndexFile>())? {
        let (_, index) = session.caught(index)?;
        sizes.extend(index.packs.iter().map(|pack| (pack.id, pack.pack_size())));
    }
    Ok(sizes)
}

/// Reads the trees of a snapshot and notes the packs that hold its content; what is wrong with it, if something is.
fn walk(
    session: &Session,
    repository: &Indexed,
    snapshot: &SnapshotFile,
    needed: &mut Needed,
) -> Result<Option<Fault>, RepositoryError> {
    let id = snapshot.id.to_hex().to_string();
    let walked = (|| {
        let mut packs = BTreeSet::from([repository.get_index_entry(&snapshot.tree)?.pack]);
        let root = repository.node_from_snapshot_and_path(snapshot, "")?;
        for item in repository.ls(&root, &LsOptions::default().recursive(true))? {
            let (_, node) = item?;
            if let Some(tree) = node.subtree {
                packs.insert(repository.get_index_entry(&tree)?.pack);
            }
            for blob in node.content.iter().flatten() {
                packs.insert(repository.get_index_entry(blob)?.pack);
            }
        }
        Ok(packs)
    })();
    match session.caught(walked) {
        Ok(packs) => {
            for pack in packs {
                needed.entry(pack).or_default().insert(id.clone());
            }
            Ok(None)
        }
        Err(RepositoryError::Damaged { why, .. }) => {
            let file = named(session, &why, FileType::Pack)?;
            let what = fault_of(&file, &why);
            Ok(Some(Fault { file, what, snapshot: Some(id) }))
        }
        Err(error) => Err(error),
    }
}

/// Reads the packs, decrypts them, and compares every blob with its name.
fn contents(
    session: &Session,
    snapshots: &[SnapshotFile],
    needed: &Needed,
    known: &BTreeSet<PackId>,
) -> Result<Vec<Fault>, RepositoryError> {
    let trees = snapshots.iter().map(|snapshot| snapshot.tree).collect();
    let repository = session.open()?;
    let results =
        session.caught(repository.check_with_trees(CheckOptions::default().read_data(true), trees))?;
    if let Some(failure) = session.door.failure() {
        return Err(failure.into());
    }
    let mut faults = BTreeMap::new();
    for (_, found) in results.0 {
        // the text for people has the first digits only
        let (text, whole) = (found.to_string(), format!("{found:?}"));
        let pack = identifiers(&whole).find_map(|id| {
            let pack = PackId::from(identifier(id)?);
            needed.get(&pack).filter(|_| !known.contains(&pack)).map(|users| (pack, users))
        });
        if let Some((pack, users)) = pack {
            faults.entry(pack).or_insert((text, users));
        }
    }
    let faults = faults.into_iter().flat_map(|(pack, (text, users))| {
        let file = File::new(FileType::Pack, &pack).path();
        let what = fault_of(&file, &text);
        users.iter().map(move |user| Fault {
            file: file.clone(),
            what: what.clone(),
            snapshot: Some(user.clone()),
        })
    });
    Ok(faults.collect())
}

/// What is wrong with a file, by what `rustic_core` says: of an error within an error, the innermost message.
fn fault_of(file: &str, text: &str) -> String {
    let plain = plain(text);
    match file.is_empty() || plain.contains(file) {
        true => plain,
        false => {
            let message = plain.rsplit("Message: ").next().unwrap_or(&plain);
            format!("{file} is not what was written: {message}")
        }
    }
}

/// The identifiers in a text.
fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    words(text).filter(|word| word.len() == 64)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_hexdigit())
}

/// The file of a kind whose first digits a text has; empty when it has none's.
fn named(session: &Session, text: &str, kind: FileType) -> Result<String, RepositoryError> {
    let files = session.caught(session.door.list(kind))?;
    let found = files.iter().find(|id| {
        let name = id.to_hex();
        words(text).any(|word| word.len() >= SHORT && name.as_str().starts_with(word))
    });
    Ok(found.map(|id| File::new(kind, id).path()).unwrap_or_default())
}
