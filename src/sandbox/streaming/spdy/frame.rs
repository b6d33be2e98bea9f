//! Frames of SPDY/3.1, as bytes and as values. Header blocks stay compressed here: see [`super::headers`].

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;

/// The largest control frame that is taken, in bytes. Data frames have no limit: they are handed on in pieces.
const CONTROL_MAX: usize = 64 * 1024;
/// The bytes before every frame's payload.
const HEAD: usize = 8;
/// The largest data frame that can be written, in bytes.
const DATA_MAX: usize = (1 << 24) - 1;
const CONTROL: u32 = 0x8000_0000;
const VERSION: u32 = 3;
const FIN: u8 = 1;

/// `RST_STREAM`: what the other end did is not allowed.
pub const PROTOCOL_ERROR: u32 = 1;
/// `RST_STREAM`: there are too many streams.
pub const REFUSED_STREAM: u32 = 3;
/// `RST_STREAM`: nobody wants the stream any more.
pub const CANCEL: u32 = 5;

/// Why a connection cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("malformed SPDY: {0}")]
pub struct Malformed(pub &'static str);

/// A frame; header blocks are compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A new stream.
    SynStream { id: u32, fin: bool, headers: Bytes },
    /// The answer to one.
    SynReply { id: u32, fin: bool, headers: Bytes },
    /// A stream has ended abruptly.
    Reset { id: u32, status: u32 },
    /// Settings; none of them means anything here.
    Settings,
    /// A question whose answer is itself.
    Ping(u32),
    /// No more streams after the last good one.
    GoAway { last: u32, status: u32 },
    /// More headers of a stream.
    Headers { id: u32, fin: bool, headers: Bytes },
    /// So many more bytes may be sent; stream 0 is the connection.
    WindowUpdate { id: u32, delta: u32 },
    /// Bytes of a stream.
    Data { id: u32, fin: bool, data: Bytes },
    /// A control frame that this version does not know: to be ignored.
    Unknown(u16),
}

/// Takes frames out of a stream of bytes.
#[derive(Debug, Default)]
pub struct Decoder {
    /// A data frame of which not everything has come: stream, its end, bytes to come.
    partial: Option<(u32, bool, usize)>,
}

impl Decoder {
    /// The next frame, or `None` when more bytes are needed. A data frame may come as several; only the last one then carries
    /// the end of its stream.
    ///
    /// # Errors
    /// What follows in the buffer means nothing: the connection is to be ended.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, Malformed> {
        if let Some((id, fin, left)) = self.partial {
            return Ok(self.data(buffer, id, fin, left));
        }
        let Some(head) = buffer.get(..HEAD) else { return Ok(None) };
        let first = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let (flags, length) = (head[4], u32::from_be_bytes([0, head[5], head[6], head[7]]) as usize);
        if first & CONTROL == 0 {
            if first == 0 {
                return Err(Malformed("data of stream 0"));
            }
            buffer.advance(HEAD);
            return Ok(self.data(buffer, first, flags & FIN != 0, length));
        }
        if (first >> 16) & 0x7fff != VERSION {
            return Err(Malformed("not version 3"));
        }
        if length > CONTROL_MAX {
            return Err(Malformed("a control frame of more than 64 KiB"));
        }
        if buffer.len() < HEAD + length {
            return Ok(None);
        }
        buffer.advance(HEAD);
        control((first & 0xffff) as u16, flags, buffer.split_to(length).freeze()).map(Some)
    }

    fn data(&mut self, buffer: &mut BytesMut, id: u32, fin: bool, left: usize) -> Option<Frame> {
        let data = buffer.split_to(left.min(buffer.len())).freeze();
        let rest = left - data.len();
        self.partial = (rest > 0).then_some((id, fin, rest));
        let ended = fin && rest == 0;
        (rest == 0 || !data.is_empty()).then_some(Frame::Data { id, fin: ended, data })
    }
}

fn control(kind: u16, flags: u8, mut payload: Bytes) -> Result<Frame, Malformed> {
    let fin = flags & FIN != 0;
    let needed = match kind {
        1 => 10,
        2 | 6 | 8 => 4,
        3 | 7 | 9 => 8,
        _ => 0,
    };
    if payload.len() < needed {
        return Err(Malformed("a control frame is too short"));
    }
    Ok(match kind {
        1 => {
            let id = stream(&mut payload)?;
            // The stream that it belongs to, its priority and its slot mean nothing to Kubernetes.
            payload.advance(6);
            Frame::SynStream { id, fin, headers: payload }
        }
        2 => Frame::SynReply { id: stream(&mut payload)?, fin, headers: payload },
        3 => Frame::Reset { id: stream(&mut payload)?, status: payload.get_u32() },
        4 => Frame::Settings,
        6 => Frame::Ping(payload.get_u32()),
        7 => Frame::GoAway { last: payload.get_u32() & !CONTROL, status: payload.get_u32() },
        8 => Frame::Headers { id: stream(&mut payload)?, fin, headers: payload },
        9 => Frame::WindowUpdate { id: payload.get_u32() & !CONTROL, delta: payload.get_u32() & !CONTROL },
        other => Frame::Unknown(other),
    })
}

fn stream(payload: &mut Bytes) -> Result<u32, Malformed> {
    match payload.get_u32() & !CONTROL {
        0 => Err(Malformed("stream 0 cannot be opened")),
        id => Ok(id),
    }
}

/// Appends a frame to a buffer. Data that is too long for one frame becomes several.
pub fn encode(frame: &Frame, buffer: &mut BytesMut) {
    match frame {
        Frame::SynStream { id, fin, headers } => {
            head(buffer, 1, *fin, 10 + headers.len());
            buffer.put_u32(*id);
            buffer.put_bytes(0, 6);
            buffer.put_slice(headers);
        }
        Frame::SynReply { id, fin, headers } => with_headers(buffer, 2, *id, *fin, headers),
        Frame::Headers { id, fin, headers } => with_headers(buffer, 8, *id, *fin, headers),
        Frame::Reset { id, status } => two(buffer, 3, *id, *status),
        Frame::Settings => {
            head(buffer, 4, false, 4);
            buffer.put_u32(0);
        }
        Frame::Ping(id) => {
            head(buffer, 6, false, 4);
            buffer.put_u32(*id);
        }
        Frame::GoAway { last, status } => two(buffer, 7, *last, *status),
        Frame::WindowUpdate { id, delta } => two(buffer, 9, *id, *delta),
        Frame::Data { id, fin, data } => {
            let mut rest = data.as_ref();
            loop {
                let (piece, after) = rest.split_at(rest.len().min(DATA_MAX));
                buffer.put_u32(*id);
                buffer.put_u8(u8::from(*fin && after.is_empty()));
                buffer.put_uint(piece.len() as u64, 3);
                buffer.put_slice(piece);
                rest = after;
                if rest.is_empty() {
                    return;
                }
            }
        }
        Frame::Unknown(kind) => head(buffer, *kind, false, 0),
    }
}

fn head(buffer: &mut BytesMut, kind: u16, fin: bool, length: usize) {
    buffer.put_u32(CONTROL | (VERSION << 16) | u32::from(kind));
    buffer.put_u8(u8::from(fin));
    buffer.put_uint(length as u64, 3);
}

fn with_headers(buffer: &mut BytesMut, kind: u16, id: u32, fin: bool, headers: &Bytes) {
    head(buffer, kind, fin, 4 + headers.len());
    buffer.put_u32(id);
    buffer.put_slice(headers);
}

fn two(buffer: &mut BytesMut, kind: u16, first: u32, second: u32) {
    head(buffer, kind, false, 8);
    buffer.put_u32(first);
    buffer.put_u32(second);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(decoder: &mut Decoder, buffer: &mut BytesMut) -> Result<Vec<Frame>, Malformed> {
        let mut frames = Vec::new();
        while let Some(frame) = decoder.decode(buffer)? {
            frames.push(frame);
        }
        Ok(frames)
    }

    fn a_frame() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..50).prop_map(Bytes::from);
        let id = || 1..=0x7fff_ffff_u32;
        prop_oneof![
            (id(), any::<bool>(), bytes()).prop_map(|(id, fin, headers)| Frame::SynStream {
                id,
                fin,
                headers
            }),
            (id(), any::<bool>(), bytes()).prop_map(|(id, fin, headers)| Frame::SynReply {
                id,
                fin,
                headers
            }),
            (id(), any::<bool>(), bytes()).prop_map(|(id, fin, headers)| Frame::Headers { id, fin, headers }),
            (id(), any::<u32>()).prop_map(|(id, status)| Frame::Reset { id, status }),
            Just(Frame::Settings),
            any::<u32>().prop_map(Frame::Ping),
            (id(), any::<u32>()).prop_map(|(last, status)| Frame::GoAway { last, status }),
            (id(), id()).prop_map(|(id, delta)| Frame::WindowUpdate { id, delta }),
            (id(), any::<bool>(), bytes()).prop_map(|(id, fin, data)| Frame::Data { id, fin, data }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(frames in prop::collection::vec(a_frame(), 0..20)) {
            let mut buffer = BytesMut::new();
            for frame in &frames {
                encode(frame, &mut buffer);
            }
            prop_assert_eq!(all(&mut Decoder::default(), &mut buffer).unwrap(), frames);
            prop_assert!(buffer.is_empty());
        }

        #[test]
        fn any_bytes_in_any_pieces_are_read_or_refused(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::new());
            for piece in pieces {
                buffer.extend_from_slice(&piece);
                if all(&mut decoder, &mut buffer).is_err() {
                    break;
                }
                prop_assert!(buffer.len() <= HEAD + CONTROL_MAX);
            }
        }
    }

    #[test]
    fn a_large_data_frame_comes_in_pieces_and_ends_once() {
        let mut whole = BytesMut::new();
        encode(&Frame::Data { id: 5, fin: true, data: Bytes::from(vec![7; 10_000]) }, &mut whole);
        let (mut decoder, mut buffer, mut length, mut ends) = (Decoder::default(), BytesMut::new(), 0, 0);
        while whole.has_remaining() {
            buffer.extend_from_slice(&whole.split_to(whole.len().min(999)));
            for frame in all(&mut decoder, &mut buffer).unwrap() {
                let Frame::Data { id: 5, fin, data } = frame else { panic!("{frame:?}") };
                length += data.len();
                ends += usize::from(fin);
            }
            assert!(buffer.len() < HEAD);
        }
        assert_eq!((length, ends), (10_000, 1));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for bytes in [
            [0x80, 2, 0, 1, 0, 0, 0, 0],
            [0x80, 3, 0, 1, 0, 0, 0, 0],
            [0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff],
            [0, 0, 0, 0, 0, 0, 0, 1],
        ] {
            let refused = Decoder::default().decode(&mut BytesMut::from(&bytes[..]));
            assert!(refused.is_err(), "{bytes:?}: {refused:?}");
        }
    }
}
