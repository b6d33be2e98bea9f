//! As much of DER as keys and certificates need: elements of a tag and contents.

/// Tags.
pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const UTF8_STRING: u8 = 0x0c;
pub const PRINTABLE_STRING: u8 = 0x13;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// The tag of a field that is told by its number and has another element in it.
pub const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

/// The tag of a field that is told by its number and has its contents without a tag of their own.
pub const fn implicit(number: u8) -> u8 {
    0x80 | number
}

/// An element.
pub fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let significant = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(0)..];
        out.push(0x80 | significant.len() as u8);
        out.extend_from_slice(significant);
    }
    out.extend_from_slice(contents);
    out
}

/// Several elements in one.
pub fn collection(tag: u8, elements: &[Vec<u8>]) -> Vec<u8> {
    element(tag, &elements.concat())
}

/// A sequence of elements.
pub fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    collection(SEQUENCE, elements)
}

/// A number that is not negative, from its bytes.
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let significant = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len())..];
    match significant.first() {
        None => element(INTEGER, &[0]),
        Some(first) if *first >= 0x80 => element(INTEGER, &[&[0], significant].concat()),
        Some(_) => element(INTEGER, significant),
    }
}

/// Whole bytes as a string of bits.
pub fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes].concat())
}

/// Reads elements one after the other.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The tag of the next element.
    pub fn tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever its tag is: all of it, and its contents.
    pub fn any(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let (first, rest) = self.rest.get(1..)?.split_first()?;
        let (length, rest) = match usize::from(*first) {
            length if length < 0x80 => (length, rest),
            // Four bytes of length are more than any text that a template may make.
            form if (0x81..=0x84).contains(&form) => {
                let (bytes, rest) = rest.split_at_checked(form - 0x80)?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (contents, behind) = rest.split_at_checked(length)?;
        let whole = &self.rest[..self.rest.len() - behind.len()];
        self.rest = behind;
        Some((whole, contents))
    }

    /// The contents of the next element, which has this tag.
    pub fn read(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.tag()? != tag {
            return None;
        }
        self.any().map(|(_, contents)| contents)
    }

    /// The contents of the next element when it has this tag.
    pub fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.tag() == Some(tag) { self.read(tag) } else { None }
    }

    /// The elements in the next element, which has this tag.
    pub fn inside(&mut self, tag: u8) -> Option<Self> {
        self.read(tag).map(Self::new)
    }

    /// A number that is not negative, without leading zeros.
    pub fn integer(&mut self) -> Option<&'a [u8]> {
        let bytes = self.read(INTEGER)?;
        match bytes.first()? {
            0x80.. => None,
            _ => Some(&bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len())..]),
        }
    }

    /// Whole bytes that stand as a string of bits.
    pub fn bit_string(&mut self) -> Option<&'a [u8]> {
        self.read(BIT_STRING)?.strip_prefix(&[0])
    }
}
