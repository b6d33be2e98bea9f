//! The size of a file is known when its stream has ended; `rustic_core` writes its tree with the size that it was begun with,
//! which is none. The public program would restore and show such files as empty ones in places. So the tree is written once
//! more: a pack of a few blobs, and an index of it (restic's design document, "Pack Format" and "Indexing").

use std::path::{Component, Path};

use aes256ctr_poly1305aes::aead::Aead;
use aes256ctr_poly1305aes::{Aes256CtrPoly1305Aes, Key, Nonce};
use bytes::Bytes;
use rustic_core::repofile::{MasterKey, SnapshotFile, Tree};
use rustic_core::{FileType, Id, TreeId};
use serde_json::json;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::RepositoryError;
use super::session::{Indexed, Session};
use super::storage::{File, identifier};

/// The type of an uncompressed tree in the header of a pack.
const TREE: u8 = 1;

/// The tree of a snapshot with the size of its file in it.
///
/// # Errors
/// The trees cannot be read, or the new ones not written.
pub(super) fn sized(
    session: &Session,
    repository: &Indexed,
    snapshot: &SnapshotFile,
    path: &Path,
    bytes: u64,
) -> Result<TreeId, RepositoryError> {
    let lost = || RepositoryError::Damaged {
        place: session.place.clone(),
        why: format!("the tree that was just written has no {}", path.display()),
    };
    let names: Vec<_> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect();
    let (file, folders) = names.split_last().ok_or_else(lost)?;
    let mut trees = vec![session.caught(repository.get_tree(&snapshot.tree))?];
    for folder in folders {
        let node = trees.last().and_then(|tree| tree.nodes.iter().find(|node| node.name() == **folder));
        let subtree = node.and_then(|node| node.subtree).ok_or_else(lost)?;
        trees.push(session.caught(repository.get_tree(&subtree))?);
    }
    let mut pack = Pack::new(&session.key);
    let mut below: Option<TreeId> = None;
    for (mut tree, name) in trees.into_iter().rev().zip(folders.iter().chain([file]).copied().rev()) {
        let node = tree.nodes.iter_mut().find(|node| node.name() == *name).ok_or_else(lost)?;
        match below {
            None => node.meta.size = bytes,
            Some(_) => node.subtree = below,
        }
        below = Some(pack.add(&tree)?);
    }
    let root = below.ok_or_else(lost)?;
    // the same stream was kept before: its tree is there
    if repository.get_index_entry(&root).is_err() {
        let ended = snapshot.summary.as_ref().map_or(&snapshot.time, |summary| &summary.backup_end);
        pack.write(session, &ended.timestamp().to_string())?;
    }
    Ok(root)
}

struct Pack {
    cipher: Aes256CtrPoly1305Aes,
    content: Vec<u8>,
    header: Vec<u8>,
    blobs: Vec<serde_json::Value>,
}

impl Pack {
    fn new(key: &MasterKey) -> Self {
        let mut joined = Zeroizing::new(Vec::with_capacity(64));
        for part in [&key.encrypt, &key.mac.k, &key.mac.r] {
            joined.extend_from_slice(part);
        }
        let mut whole = Key::default();
        let length = whole.len().min(joined.len());
        whole[..length].copy_from_slice(&joined[..length]);
        let cipher = Aes256CtrPoly1305Aes::new(&whole);
        Self { cipher, content: Vec::new(), header: Vec::new(), blobs: Vec::new() }
    }

    /// The nonce, then what is encrypted and authenticated.
    fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, RepositoryError> {
        let mut nonce = Nonce::default();
        getrandom::fill(&mut nonce).map_err(|error| RepositoryError::Defect(error.to_string()))?;
        let sealed = self.cipher.encrypt(&nonce, plain);
        let sealed = sealed.map_err(|_| RepositoryError::Defect("a tree cannot be encrypted".to_owned()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn add(&mut self, tree: &Tree) -> Result<TreeId, RepositoryError> {
        let defect = |error: String| RepositoryError::Defect(format!("a tree cannot be written: {error}"));
        let (plain, id) = tree.serialize().map_err(|error| defect(error.to_string()))?;
        let blob = self.encrypt(&plain)?;
        let number = |length: usize| u32::try_from(length).map_err(|error| defect(error.to_string()));
        let (offset, length) = (number(self.content.len())?, number(blob.len())?);
        self.header.push(TREE);
        self.header.extend_from_slice(&length.to_le_bytes());
        self.header.extend_from_slice(&hash(&plain));
        self.blobs.push(json!({
            "id": id.to_hex().as_str(), "type": "tree", "offset": offset, "length": length,
        }));
        self.content.extend_from_slice(&blob);
        Ok(id)
    }

    /// Writes the pack, then the index of it.
    fn write(mut self, session: &Session, time: &str) -> Result<(), RepositoryError> {
        let header = self.encrypt(&self.header)?;
        let length =
            u32::try_from(header.len()).map_err(|error| RepositoryError::Defect(error.to_string()))?;
        self.content.extend_from_slice(&header);
        self.content.extend_from_slice(&length.to_le_bytes());
        let content = std::mem::take(&mut self.content);
        let id = write(session, FileType::Pack, content)?;
        let index = json!({ "packs": [{ "id": id.to_hex().as_str(), "blobs": self.blobs, "time": time }] });
        let index = self.encrypt(index.to_string().as_bytes())?;
        write(session, FileType::Index, index).map(drop)
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Writes a file that is named by its content.
fn write(session: &Session, kind: FileType, content: Vec<u8>) -> Result<Id, RepositoryError> {
    let name = format!("{:x}", Sha256::digest(&content));
    let id = identifier(&name).ok_or_else(|| RepositoryError::Defect(format!("{name} is no name")))?;
    session.door.put(&File::new(kind, &id), &[Bytes::from(content)])?;
    Ok(id)
}
