//! Protobuf's wire format: fields of a message, one after the other (protobuf.dev, "Encoding").

use super::DecodeError;

/// A value as it is on the wire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wire<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: text, bytes, a message, packed numbers.
    Bytes(&'a [u8]),
    /// Wire type 5.
    Fixed32(u32),
}

impl<'a> Wire<'a> {
    /// The bytes of wire type 2.
    pub fn bytes(self, field: &str) -> Result<&'a [u8], DecodeError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(DecodeError::WrongType(field.to_owned())),
        }
    }

    /// The text of wire type 2.
    pub fn text(self, field: &str) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes(field)?).map_err(|_| DecodeError::Text(field.to_owned()))
    }

    /// The number of wire type 0.
    pub fn number(self, field: &str) -> Result<u64, DecodeError> {
        match self {
            Self::Varint(number) => Ok(number),
            _ => Err(DecodeError::WrongType(field.to_owned())),
        }
    }
}

/// Reads the fields of one message.
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// At the beginning of a message.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The next field's number and value; `None` at the end.
    pub fn field(&mut self) -> Result<Option<(u32, Wire<'a>)>, DecodeError> {
        if self.position == self.bytes.len() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| self.malformed())?;
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| self.malformed())?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.array()?)),
            // 3 and 4 are groups, which Kubernetes never had.
            _ => return Err(self.malformed()),
        };
        if number == 0 { Err(self.malformed()) } else { Ok(Some((number, value))) }
    }

    /// The next of packed numbers; `None` at the end.
    pub fn packed(&mut self) -> Result<Option<u64>, DecodeError> {
        if self.position == self.bytes.len() { Ok(None) } else { self.varint().map(Some) }
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.position).ok_or_else(|| self.malformed())?;
            self.position += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.malformed())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| self.malformed())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.position.checked_add(length).ok_or_else(|| self.malformed())?;
        let bytes = self.bytes.get(self.position..end).ok_or_else(|| self.malformed())?;
        self.position = end;
        Ok(bytes)
    }

    fn malformed(&self) -> DecodeError {
        DecodeError::Malformed(self.position)
    }
}
