//! SPDY/3.1 as far as Kubernetes uses it: a connection whose client opens streams, for exec, attach and port-forward.
//!
//! Output is not held back until the client grants a window: Kubernetes' own clients never grant one, so that the transport
//! alone slows a sender down. Input is granted anew as it is taken, for clients that count.

mod connection;
mod dictionary;
mod frame;
mod headers;

pub(super) use connection::{Stream, StreamWriter, open};
pub use frame::{Decoder, Frame, Malformed, encode};
pub use headers::{Deflater, Headers, Inflater, find};
