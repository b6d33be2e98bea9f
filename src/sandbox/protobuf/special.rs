//! Types whose JSON does not look like their message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use super::decode;
use super::table::Table;
use super::wire::{Reader, Wire};
use super::{DecodeError, MAGIC};
use crate::sandbox::clock::{rfc3339, rfc3339_micro};

/// Base64.
pub fn bytes(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}

/// The first field of a message that holds nothing else.
fn only<'a>(bytes: &'a [u8]) -> Result<Option<Wire<'a>>, DecodeError> {
    let mut found = None;
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        if number == 1 {
            found = Some(value);
        }
    }
    Ok(found)
}

/// `Quantity {string = 1}`.
pub fn quantity(field: &str, bytes: &[u8]) -> Result<Value, DecodeError> {
    let text = only(bytes)?.map(|value| value.text(field)).transpose()?;
    Ok(text.unwrap_or("0").into())
}

/// `Timestamp {seconds = 1, nanos = 2}`; the zero time is no time.
pub fn time(field: &str, bytes: &[u8], micro: bool) -> Result<Option<Value>, DecodeError> {
    let (mut seconds, mut nanos) = (0, 0);
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => seconds = value.number(field)?.cast_signed(),
            2 => nanos = value.number(field)?,
            _ => {}
        }
    }
    if (seconds, nanos) == (0, 0) {
        return Ok(None);
    }
    let nanos = i32::try_from(nanos).map_err(|_| DecodeError::WrongType(field.to_owned()))?;
    let at = Timestamp::new(seconds, nanos).map_err(|_| DecodeError::WrongType(field.to_owned()))?;
    Ok(Some(if micro { rfc3339_micro(at) } else { rfc3339(at) }.into()))
}

/// `IntOrString {type = 1, intVal = 2, strVal = 3}`.
pub fn int_or_string(field: &str, bytes: &[u8]) -> Result<Value, DecodeError> {
    let (mut kind, mut number, mut text) = (0, 0, "");
    let mut reader = Reader::new(bytes);
    while let Some((field_number, value)) = reader.field()? {
        match field_number {
            1 => kind = value.number(field)?,
            2 => number = value.number(field)?.cast_signed(),
            3 => text = value.text(field)?,
            _ => {}
        }
    }
    Ok(if kind == 1 { text.into() } else { number.into() })
}

/// JSON in `raw = 1`, or once more an object in protobuf.
pub fn raw(field: &str, bytes: &[u8]) -> Result<Option<Value>, DecodeError> {
    let Some(value) = only(bytes)? else { return Ok(None) };
    let bytes = value.bytes(field)?;
    if bytes.starts_with(MAGIC) {
        return super::object(bytes).map(Some);
    }
    if bytes.is_empty() {
        return Ok(None);
    }
    let parsed = serde_json::from_slice(bytes)
        .map_err(|error| DecodeError::Json { field: field.to_owned(), why: error.to_string() })?;
    Ok(Some(parsed))
}

/// `{items = 1}`, repeated.
pub fn texts(field: &str, bytes: &[u8], number: u32) -> Result<Value, DecodeError> {
    let mut items = Vec::new();
    let mut reader = Reader::new(bytes);
    while let Some((found, value)) = reader.field()? {
        if found == number {
            items.push(Value::from(value.text(field)?));
        }
    }
    Ok(items.into())
}

/// What stands beside the schema in the three unions of a JSON schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// `jSONSchemas = 2`.
    Schemas,
    /// `allows = 1`, and the schema is 2.
    Allows,
    /// `property = 2`.
    Texts,
}

/// `JSONSchemaPropsOr…`.
pub fn schema_or(
    table: &Table,
    field: &str,
    bytes: &[u8],
    beside: Beside,
    depth: usize,
) -> Result<Value, DecodeError> {
    let Some(message) = table.named("apiextensions.JSONSchemaProps") else {
        return Err(DecodeError::WrongType(field.to_owned()));
    };
    let (mut schema, mut schemas, mut allows) = (None, Vec::new(), false);
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        match (number, beside) {
            (1, Beside::Allows) => allows = value.number(field)? != 0,
            (2, Beside::Schemas) => {
                schemas.push(decode::message(table, message, value.bytes(field)?, depth)?);
            }
            (1, _) | (2, Beside::Allows) => {
                schema = Some(decode::message(table, message, value.bytes(field)?, depth)?);
            }
            _ => {}
        }
    }
    Ok(match (schema, beside) {
        (Some(schema), _) => schema,
        (None, Beside::Schemas) => schemas.into(),
        (None, Beside::Allows) => allows.into(),
        (None, Beside::Texts) => return texts(field, bytes, 2),
    })
}
