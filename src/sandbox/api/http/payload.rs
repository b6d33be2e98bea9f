//! Request bodies: size, media type, JSON.

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

use super::call::Call;
use super::duplicates;
use crate::sandbox::body::TooSlow;
use crate::sandbox::protobuf;
use crate::sandbox::status::Status;

/// The most that a request may carry, as in Kubernetes.
pub const LIMIT: usize = 3 * 1024 * 1024;

/// Reads a body to its end; 413 when it is too long.
pub async fn read<B>(body: B) -> Result<Bytes, Status>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Status::new(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {LIMIT}"),
        )),
        Err(error) if error.is::<TooSlow>() => {
            Err(Status::new(504, "Timeout", "Timeout: request did not complete within the allotted timeout"))
        }
        Err(error) => Err(Status::new(500, "", format!("the request's body could not be read: {error}"))),
    }
}

/// A body in protobuf as the same body in JSON; any other one as it is.
pub fn from_protobuf(call: &mut Call, bytes: Bytes) -> Result<Bytes, Status> {
    if call.content_type != protobuf::MEDIA_TYPE || bytes.is_empty() {
        return Ok(bytes);
    }
    if call.kind.custom {
        return Err(unsupported(&call.content_type, "application/json"));
    }
    let object = protobuf::object(&bytes).map_err(|error| Status::bad_request(error.to_string()))?;
    call.content_type = "application/json".to_owned();
    Ok(object.to_string().into())
}

/// An object that is created or put in place of another: JSON only.
pub fn object(call: &Call, bytes: &[u8]) -> Result<Value, Status> {
    if !matches!(call.content_type.as_str(), "" | "application/json" | "*/*") {
        return Err(unsupported(&call.content_type, "application/json"));
    }
    told(call, bytes)
}

/// Any JSON of a write: fields that are there twice are noted.
pub fn told(call: &Call, bytes: &[u8]) -> Result<Value, Status> {
    let read = duplicates::read(bytes).or_else(|error| match repaired(bytes) {
        Some(text) => duplicates::read(text.as_bytes()),
        None => Err(error),
    });
    let (value, twice) = read.map_err(|error| not_json(&error))?;
    call.validation.note(twice.iter().map(|path| format!("duplicate field \"{path}\"")));
    Ok(value)
}

/// 415.
pub fn unsupported(sent: &str, accepted: &str) -> Status {
    let text = format!(
        "the body of the request was in an unknown format - accepted media types include: {accepted} (not {sent:?})"
    );
    Status::new(415, "UnsupportedMediaType", text)
}

/// Any JSON.
pub fn json(bytes: &[u8]) -> Result<Value, Status> {
    let parsed = serde_json::from_slice(bytes);
    // as Kubernetes reads it: every byte that is no UTF-8 becomes U+FFFD
    let parsed = parsed.or_else(|error| match repaired(bytes) {
        Some(text) => serde_json::from_str(&text),
        None => Err(error),
    });
    parsed.map_err(|error| not_json(&error))
}

/// The text with U+FFFD in place of every byte that is no UTF-8; `None` when there is no such byte.
fn repaired(bytes: &[u8]) -> Option<String> {
    if std::str::from_utf8(bytes).is_ok() {
        return None;
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Some(text)
}

fn not_json(error: &serde_json::Error) -> Status {
    Status::bad_request(format!("couldn't parse the body: {error}"))
}

/// JSON, or YAML as server-side apply allows. What is there twice is noted in JSON and refused in YAML.
pub fn yaml(call: &Call, bytes: &[u8]) -> Result<Value, Status> {
    if let Ok((value, twice)) = duplicates::read(bytes) {
        let key = |path: &String| path.rsplit('.').next().unwrap_or(path).to_owned();
        call.validation.note(twice.iter().map(|path| format!("key \"{}\" already set in map", key(path))));
        return Ok(value);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Status::bad_request("the body is not UTF-8"))?;
    serde_saphyr::from_str(text).map_err(|error| Status::bad_request(format!("error decoding YAML: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf_8_are_replaced() {
        let read = json(b"{\"x\":\"a\xff\xe2\x82b\"}").unwrap();
        assert_eq!(read["x"], "a\u{fffd}\u{fffd}\u{fffd}b");
        assert_eq!(json(b"\xff\xfe").unwrap_err().code, 400);
        assert_eq!(json(&b"[".repeat(100_000)).unwrap_err().code, 400);
    }
}
