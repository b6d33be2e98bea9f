//! Protocol buffers on the wire: just what the OpenAPI v2 document needs.

/// A message that is being written.
#[derive(Debug, Default)]
pub struct Message(Vec<u8>);

/// Bytes that follow their length.
const LENGTH_DELIMITED: u64 = 2;
/// Eight bytes.
const FIXED_64: u64 = 1;
/// A number in seven-bit groups.
const VARINT: u64 = 0;

impl Message {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.number(field << 3 | kind);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, LENGTH_DELIMITED);
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A string; the empty one is the default and is left out.
    pub fn text(&mut self, field: u64, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    /// A string of a repeated field: the empty one counts.
    pub fn item(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    /// A message; the empty one is there.
    pub fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }

    /// A boolean; false is the default and is left out.
    pub fn flag(&mut self, field: u64, flag: bool) {
        if flag {
            self.key(field, VARINT);
            self.number(1);
        }
    }

    /// A signed integer; zero is the default and is left out.
    pub fn integer(&mut self, field: u64, number: i64) {
        if number != 0 {
            self.key(field, VARINT);
            self.number(number.cast_unsigned());
        }
    }

    /// A floating-point number; zero is the default and is left out.
    pub fn float(&mut self, field: u64, number: f64) {
        if number != 0.0 {
            self.key(field, FIXED_64);
            self.0.extend_from_slice(&number.to_le_bytes());
        }
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_format_says() {
        let mut inner = Message::default();
        inner.integer(1, 150);
        let mut message = Message::default();
        message.text(2, "testing");
        message.text(3, "");
        message.item(4, "");
        message.flag(5, true);
        message.flag(6, false);
        message.message(16, &inner);
        message.float(7, 1.0);
        let mut expected = vec![0x12, 7];
        expected.extend(b"testing");
        expected.extend([0x22, 0, 0x28, 1, 0x82, 0x01, 3, 0x08, 0x96, 0x01]);
        expected.extend([0x39, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        assert_eq!(message.into_bytes(), expected);
    }
}
