//! The body of every response of the sandbox.

use std::io;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

/// A response's body: whole, or streamed.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A request's body did not come in time.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the body took too long")]
pub struct TooSlow;

/// A body that is there at once.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body without bytes.
pub fn empty() -> Body {
    full(Bytes::new())
}
