//! The messages, read once from their table.

use std::collections::HashMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("messages.txt");

/// Which message it is, in [`Table::message`].
pub type MessageId = usize;

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// Bytes: base64 in JSON.
    Bytes,
    /// `resource.Quantity`.
    Quantity,
    /// `metav1.Time`: whole seconds.
    Time,
    /// `metav1.MicroTime`.
    MicroTime,
    /// `intstr.IntOrString`.
    IntOrString,
    /// JSON as it is: `RawExtension`, `FieldsV1`, `JSON`.
    Raw,
    /// A message of its own around a list of strings.
    Texts,
    /// `JSONSchemaPropsOrArray`.
    SchemaOrArray,
    /// `JSONSchemaPropsOrBool`.
    SchemaOrBool,
    /// `JSONSchemaPropsOrStringArray`.
    SchemaOrTexts,
    /// Another message.
    Message(MessageId),
    /// A list.
    List(Box<Kind>),
    /// A map by strings.
    Map(Box<Kind>),
}

/// One field.
#[derive(Debug)]
pub struct Field {
    /// Its number on the wire.
    pub number: u32,
    /// Its name in JSON; `None` when its fields are the parent's.
    pub name: Option<&'static str>,
    /// What it holds.
    pub kind: Kind,
    /// Whether a zero is as good as absent.
    pub drop_zero: bool,
}

/// All messages.
#[derive(Debug, Default)]
pub struct Table {
    kinds: HashMap<(&'static str, &'static str), MessageId>,
    messages: Vec<Vec<Field>>,
    names: HashMap<&'static str, MessageId>,
}

impl Table {
    /// The built-in ones.
    pub fn builtin() -> &'static Self {
        static READ: OnceLock<Table> = OnceLock::new();
        READ.get_or_init(|| Table::read(TABLE))
    }

    /// The message of a kind.
    pub fn of_kind(&self, api_version: &str, kind: &str) -> Option<MessageId> {
        // Options are sent under the version of what they are for.
        let api_version = if kind == "DeleteOptions" { "v1" } else { api_version };
        self.kinds.iter().find(|(key, _)| **key == (api_version, kind)).map(|(_, id)| *id)
    }

    /// The message with this name.
    pub fn named(&self, name: &str) -> Option<MessageId> {
        self.names.get(name).copied()
    }

    /// The fields of a message.
    pub fn message(&self, id: MessageId) -> &[Field] {
        self.messages.get(id).map_or(&[], Vec::as_slice)
    }

    fn read(text: &'static str) -> Self {
        let mut table = Self::default();
        let lines = || text.lines().filter(|line| !line.starts_with('#'));
        for name in lines().filter_map(|line| line.strip_prefix("message ")) {
            table.names.insert(name, table.messages.len());
            table.messages.push(Vec::new());
        }
        let mut current = 0;
        for line in lines() {
            let words: Vec<&'static str> = line.split_whitespace().collect();
            match (line.starts_with(' '), words.as_slice()) {
                (true, [number, name, kind]) => {
                    if let Some(field) = table.field(number, name, kind) {
                        table.messages[current].push(field);
                    }
                }
                (false, ["message", name]) => current = table.names.get(name).copied().unwrap_or_default(),
                (false, ["kind", api_version, kind, message]) => {
                    if let Some(id) = table.named(message) {
                        table.kinds.insert((api_version, kind), id);
                    }
                }
                _ => {}
            }
        }
        table
    }

    fn field(&self, number: &str, name: &'static str, kind: &str) -> Option<Field> {
        Some(Field {
            number: number.parse().ok()?,
            name: (name != "-").then_some(name),
            kind: self.kind(kind.trim_end_matches('?'))?,
            drop_zero: kind.ends_with('?'),
        })
    }

    fn kind(&self, text: &str) -> Option<Kind> {
        let inner = |open, close| text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
        if let Some(of) = inner('[', ']') {
            return Some(Kind::List(Box::new(self.kind(of)?)));
        }
        if let Some(of) = inner('{', '}') {
            return Some(Kind::Map(Box::new(self.kind(of)?)));
        }
        Some(match text {
            "s" => Kind::Text,
            "b" => Kind::Bool,
            "i" => Kind::Integer,
            "d" => Kind::Double,
            "y" => Kind::Bytes,
            "q" => Kind::Quantity,
            "t" => Kind::Time,
            "m" => Kind::MicroTime,
            "x" => Kind::IntOrString,
            "r" => Kind::Raw,
            "e" => Kind::Texts,
            "oa" => Kind::SchemaOrArray,
            "ob" => Kind::SchemaOrBool,
            "os" => Kind::SchemaOrTexts,
            name => Kind::Message(self.named(name)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_understood() {
        let table = Table::builtin();
        let rows = TABLE.lines().filter(|line| line.starts_with(' ')).count();
        assert_eq!(table.messages.iter().map(Vec::len).sum::<usize>(), rows);
        let kinds = TABLE.lines().filter(|line| line.starts_with("kind ")).count();
        assert_eq!(table.kinds.len(), kinds);
        for fields in &table.messages {
            let mut numbers: Vec<u32> = fields.iter().map(|field| field.number).collect();
            numbers.dedup();
            assert_eq!(numbers.len(), fields.len(), "numbers are unique: {fields:?}");
        }
    }
}
