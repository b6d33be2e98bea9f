//! The OpenAPI documents: which types, paths and parameters there are, for clients that explain, validate and patch.
//!
//! Nothing is made before somebody asks, and only the bytes of what was asked for are kept.
//!
//! ```text
//! k8s-openapi → types → built_in (our fields, merge keys) ─┐
//! definitions of custom resources → custom ────────────────┼→ document → render (v3, v2) → gnostic (v2 as protobuf)
//! discovery → operations, parameters ──────────────────────┘
//! ```

mod built_in;
mod custom;
mod document;
mod gnostic;
mod operations;
mod parameters;
mod render;
mod types;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512};

use document::Library;
pub use document::Served;

/// A document, ready to be sent.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its bytes.
    pub bytes: Bytes,
    /// The hash of its bytes.
    pub hash: String,
}

impl Document {
    fn new(bytes: Vec<u8>) -> Self {
        let hash = hash(&bytes);
        Self { bytes: bytes.into(), hash }
    }
}

/// The documents, each kept from the first time that it is asked for until what it describes changes.
#[derive(Debug, Default)]
pub struct Documents(Mutex<HashMap<String, Kept>>);

#[derive(Debug)]
struct Kept {
    /// Of what it was made.
    made_of: String,
    document: Document,
}

const VERSION_2: &str = "v2";
const VERSION_2_PROTOBUF: &str = "v2 as protobuf";

impl Documents {
    fn kept(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `/openapi/v3`: the documents that there are, each with its hash.
    pub fn index(&self, served: &Served) -> Document {
        let mut library = None;
        let mut paths = Map::new();
        for (group, version) in served.group_versions() {
            let document = self.version_3_of(served, (&group, &version), &mut library);
            let name = operations::prefix(&group, &version).trim_start_matches('/').to_owned();
            let url = format!("/openapi/v3/{name}?hash={}", document.hash);
            paths.insert(name, json!({"serverRelativeURL": url}));
        }
        Document::new(json!({"paths": paths}).to_string().into_bytes())
    }

    /// `/openapi/v3/apis/{group}/{version}`; `None` when nothing is served there.
    pub fn version_3(&self, served: &Served, group: &str, version: &str) -> Option<Document> {
        let known = served.kinds.iter().any(|(kind, _)| kind.group == group && kind.version == version);
        known.then(|| self.version_3_of(served, (group, version), &mut None))
    }

    fn version_3_of<'a>(
        &self,
        served: &'a Served,
        (group, version): (&str, &str),
        library: &mut Option<Library<'a>>,
    ) -> Document {
        let made_of =
            fingerprint(served, |kind_group, kind_version| kind_group == group && kind_version == version);
        self.get(&operations::prefix(group, version), made_of, || {
            let library = library.get_or_insert_with(|| Library::new(served));
            library.version_3(group, version).to_string().into_bytes()
        })
    }

    /// `/openapi/v2`, as JSON or as protobuf.
    pub fn version_2(&self, served: &Served, protobuf: bool) -> Document {
        let name = if protobuf { VERSION_2_PROTOBUF } else { VERSION_2 };
        self.get(name, fingerprint(served, |_, _| true), || {
            let document = Library::new(served).version_2();
            if protobuf { gnostic::document(&document) } else { document.to_string().into_bytes() }
        })
    }

    fn get(&self, name: &str, made_of: String, make: impl FnOnce() -> Vec<u8>) -> Document {
        if let Some(kept) = self.kept().get(name).filter(|kept| kept.made_of == made_of) {
            return kept.document.clone();
        }
        // Made without the lock: two who ask at once make the same.
        let document = Document::new(make());
        self.kept().insert(name.to_owned(), Kept { made_of, document: document.clone() });
        document
    }
}

/// The hash of bytes as clients see it in `ETag` and in the index.
pub fn hash(bytes: &[u8]) -> String {
    Sha512::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// What a document of these group versions is made of.
fn fingerprint(served: &Served, wanted: impl Fn(&str, &str) -> bool) -> String {
    let mut text = String::new();
    for (kind, entries) in served.kinds.iter().filter(|(kind, _)| wanted(&kind.group, &kind.version)) {
        let qualified = kind.qualified();
        let of = |definition: &&Arc<Value>| definition["metadata"]["name"] == qualified.as_str();
        let definition = served.definitions.iter().filter(|_| kind.custom).find(of);
        let (uid, revision) = definition.map_or(("", ""), |definition| {
            let metadata = &definition["metadata"];
            (metadata["uid"].as_str().unwrap_or(""), metadata["resourceVersion"].as_str().unwrap_or(""))
        });
        // Writing to a string cannot fail.
        let _ = write!(text, "{qualified}/{}/{}/{uid}/{revision};", kind.version, entries.len());
    }
    text
}
