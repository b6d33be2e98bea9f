//! Header blocks: names and values, compressed as one zlib stream per direction of a connection.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::dictionary::dictionary;
use super::frame::Malformed;

/// The most that one block may inflate to, in bytes.
const BLOCK_MAX: usize = 64 * 1024;
/// The space that is added when output does not fit, in bytes.
const STEP: usize = 1024;

/// Names (in small letters) and values of a stream.
pub type Headers = Vec<(String, String)>;

/// The value of a header; several values of one name are separated by zeros.
pub fn find<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Reads the blocks of one direction, in their order.
#[derive(Debug)]
pub struct Inflater(Decompress);

impl Default for Inflater {
    fn default() -> Self {
        Self(Decompress::new(true))
    }
}

impl Inflater {
    /// The headers of the next block.
    ///
    /// # Errors
    /// It is damaged or too large; the connection cannot go on, because all later blocks build on it.
    pub fn read(&mut self, block: &[u8]) -> Result<Headers, Malformed> {
        let plain = self.inflate(block)?;
        parse(&plain).ok_or(Malformed("a header block ends early"))
    }

    fn inflate(&mut self, block: &[u8]) -> Result<Vec<u8>, Malformed> {
        let damaged = Malformed("a header block cannot be inflated");
        let (start, mut plain) = (self.0.total_in(), Vec::with_capacity(STEP));
        loop {
            let taken = usize::try_from(self.0.total_in() - start).unwrap_or(usize::MAX);
            let rest = block.get(taken..).unwrap_or_default();
            let before = (self.0.total_in(), plain.len());
            match self.0.decompress_vec(rest, &mut plain, FlushDecompress::Sync) {
                Err(error) if error.needs_dictionary().is_some() => {
                    self.0.set_dictionary(&dictionary()).map_err(|_| damaged.clone())?;
                    continue;
                }
                Ok(Status::StreamEnd) | Err(_) => return Err(damaged),
                Ok(Status::Ok | Status::BufError) => {}
            }
            if plain.len() > BLOCK_MAX {
                return Err(Malformed("a header block of more than 64 KiB"));
            }
            if plain.len() == plain.capacity() {
                plain.reserve(STEP);
            } else if (self.0.total_in(), plain.len()) == before {
                return Ok(plain);
            }
        }
    }
}

fn parse(plain: &[u8]) -> Option<Headers> {
    let (count, mut rest) = number(plain)?;
    let mut headers = Headers::new();
    for _ in 0..count {
        let (name, after) = text(rest)?;
        let (value, after) = text(after)?;
        headers.push((name.to_ascii_lowercase(), value));
        rest = after;
    }
    Some(headers)
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_be_bytes(*first)).ok()?, rest))
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = number(bytes)?;
    let (text, rest) = rest.split_at_checked(length)?;
    Some((String::from_utf8_lossy(text).into_owned(), rest))
}

/// Writes the blocks of one direction, in their order.
#[derive(Debug)]
pub struct Deflater(Compress);

impl Deflater {
    /// A writer that has said nothing yet.
    ///
    /// # Errors
    /// zlib refuses the dictionary.
    pub fn new() -> Result<Self, Malformed> {
        let mut compress = Compress::new(Compression::default(), true);
        compress.set_dictionary(&dictionary()).map_err(|_| Malformed("the dictionary is refused"))?;
        Ok(Self(compress))
    }

    /// The next block.
    ///
    /// # Errors
    /// zlib cannot go on.
    pub fn write(&mut self, headers: &[(&str, &str)]) -> Result<Vec<u8>, Malformed> {
        let mut plain = (headers.len() as u32).to_be_bytes().to_vec();
        for text in headers.iter().flat_map(|(name, value)| [name, value]) {
            plain.extend_from_slice(&(text.len() as u32).to_be_bytes());
            plain.extend_from_slice(text.as_bytes());
        }
        let (start, mut block) = (self.0.total_in(), Vec::with_capacity(STEP));
        loop {
            let taken = usize::try_from(self.0.total_in() - start).unwrap_or(usize::MAX);
            let rest = plain.get(taken..).unwrap_or_default();
            self.0
                .compress_vec(rest, &mut block, FlushCompress::Sync)
                .map_err(|_| Malformed("headers cannot be compressed"))?;
            if block.len() < block.capacity() {
                return Ok(block);
            }
            block.reserve(STEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blocks_are_read_as_they_were_written() {
        let (mut writer, mut reader) = (Deflater::new().unwrap(), Inflater::default());
        let long = "x".repeat(5000);
        for headers in [
            vec![("streamtype", "error")],
            vec![],
            vec![("port", "8080"), ("requestid", "0")],
            vec![("long", long.as_str())],
        ] {
            let block = writer.write(&headers).unwrap();
            let read = reader.read(&block).unwrap();
            let expected: Headers = headers.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn a_block_that_inflates_to_too_much_is_refused() {
        let huge = "x".repeat(BLOCK_MAX * 4);
        let block = Deflater::new().unwrap().write(&[("a", &huge)]).unwrap();
        assert!(block.len() < 4096, "{}", block.len());
        assert_eq!(Inflater::default().read(&block), Err(Malformed("a header block of more than 64 KiB")));
    }

    proptest! {
        #[test]
        fn any_block_is_read_or_refused(block in prop::collection::vec(any::<u8>(), 0..200), plain in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Inflater::default().read(&block);
            let _ = parse(&plain);
        }

        #[test]
        fn a_damaged_block_is_read_or_refused(at in 0..60_usize, byte in any::<u8>()) {
            let mut block = Deflater::new().unwrap().write(&[("streamtype", "stdin"), ("port", "1")]).unwrap();
            if let Some(place) = block.get_mut(at) {
                *place = byte;
            }
            let _ = Inflater::default().read(&block);
        }
    }
}
