//! Kubernetes' protobuf form of the built-in kinds, read into JSON: what Go programs send (kubectl since 1.32, every operator).
//!
//! Only bodies of requests are read. Answers are JSON, which all these programs accept beside protobuf.
//! The envelope is `k8s\0` and a `runtime.Unknown`: `typeMeta` (1), `raw` (2), `contentEncoding` (3), `contentType` (4).

use serde_json::{Map, Value};

mod decode;
mod special;
mod table;
#[cfg(test)]
mod tests;
mod wire;

use table::Table;
use wire::Reader;

/// What protobuf bodies are called.
pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";
/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It does not begin as Kubernetes' protobuf does.
    #[error("the body does not begin with Kubernetes' protobuf prefix")]
    Prefix,
    /// Bytes are missing, or are no protobuf.
    #[error("the protobuf ends early or is malformed at byte {0} of a message")]
    Malformed(usize),
    /// A text that is none.
    #[error("field {0} is not UTF-8")]
    Text(String),
    /// JSON inside of it that is none.
    #[error("field {field}: {why}")]
    Json {
        /// The field.
        field: String,
        /// What the parser said.
        why: String,
    },
    /// A value of another type than the field's.
    #[error("field {0} has another type in protobuf")]
    WrongType(String),
    /// Messages in messages in messages.
    #[error("it is nested too deeply")]
    TooDeep,
    /// A kind without a protobuf form: a custom resource, or one that the sandbox does not know.
    #[error("no kind {kind:?} of version {api_version:?} has a protobuf form here")]
    UnknownKind {
        /// Its `apiVersion`.
        api_version: String,
        /// Its `kind`.
        kind: String,
    },
}

/// Reads an object, with its `apiVersion` and `kind`.
///
/// # Errors
/// When the bytes are not such an object, or its kind has no protobuf form.
pub fn object(bytes: &[u8]) -> Result<Value, DecodeError> {
    let envelope = Envelope::read(bytes)?;
    let table = Table::builtin();
    let message = table.of_kind(&envelope.api_version, &envelope.kind).ok_or_else(|| {
        DecodeError::UnknownKind { api_version: envelope.api_version.clone(), kind: envelope.kind.clone() }
    })?;
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), envelope.api_version.into());
    object.insert("kind".to_owned(), envelope.kind.into());
    decode::message_into(&mut object, table, message, envelope.raw, 0)?;
    Ok(Value::Object(object))
}

struct Envelope<'a> {
    api_version: String,
    kind: String,
    raw: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let unknown = bytes.strip_prefix(MAGIC).ok_or(DecodeError::Prefix)?;
        let mut envelope = Self { api_version: String::new(), kind: String::new(), raw: &[] };
        let mut reader = Reader::new(unknown);
        while let Some((number, value)) = reader.field()? {
            match number {
                1 => {
                    let mut meta = Reader::new(value.bytes("typeMeta")?);
                    while let Some((number, value)) = meta.field()? {
                        match number {
                            1 => envelope.api_version = value.text("apiVersion")?.to_owned(),
                            2 => envelope.kind = value.text("kind")?.to_owned(),
                            _ => {}
                        }
                    }
                }
                2 => envelope.raw = value.bytes("raw")?,
                _ => {}
            }
        }
        Ok(envelope)
    }
}
