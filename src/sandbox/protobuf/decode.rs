//! Messages into JSON objects, field by field.

use serde_json::{Map, Number, Value};

use super::DecodeError;
use super::special::{self, Beside};
use super::table::{Field, Kind, MessageId, Table};
use super::wire::{Reader, Wire};

/// How deep messages may lie in each other: the JSON parser's own limit.
const DEPTH: usize = 128;

/// A message as an object.
pub fn message(table: &Table, id: MessageId, bytes: &[u8], depth: usize) -> Result<Value, DecodeError> {
    let mut object = Map::new();
    message_into(&mut object, table, id, bytes, depth)?;
    Ok(Value::Object(object))
}

/// The fields of a message, put into `object`. What the table does not know is skipped, as protobuf demands.
pub fn message_into(
    object: &mut Map<String, Value>,
    table: &Table,
    id: MessageId,
    bytes: &[u8],
    depth: usize,
) -> Result<(), DecodeError> {
    if depth > DEPTH {
        return Err(DecodeError::TooDeep);
    }
    let mut reader = Reader::new(bytes);
    while let Some((number, wire)) = reader.field()? {
        let Some(field) = table.message(id).iter().find(|field| field.number == number) else { continue };
        let decoding = Decoding { table, field: field.name.unwrap_or_default(), depth: depth + 1 };
        match (field.name, &field.kind) {
            (None, Kind::Message(inner)) => {
                message_into(object, table, *inner, wire.bytes("")?, depth + 1)?;
            }
            (Some(name), Kind::List(of)) => decoding.push(list(object, name), of, wire)?,
            (Some(name), Kind::Map(of)) => decoding.insert(object, name, of, wire.bytes(name)?)?,
            (Some(name), kind) => {
                if let Some(value) = decoding.value(kind, wire)?
                    && !(field.drop_zero && is_zero(field, &value))
                {
                    object.insert(name.to_owned(), value);
                }
            }
            (None, _) => {}
        }
    }
    Ok(())
}

fn list<'a>(object: &'a mut Map<String, Value>, name: &str) -> &'a mut Value {
    object.entry(name).or_insert_with(|| Value::Array(Vec::new()))
}

fn is_zero(field: &Field, value: &Value) -> bool {
    match field.kind {
        Kind::Text => value == "",
        Kind::Bool => value == false,
        Kind::Integer | Kind::Double => value.as_f64() == Some(0.0),
        _ => false,
    }
}

/// What the reading of one field needs to know.
struct Decoding<'a> {
    table: &'a Table,
    field: &'a str,
    depth: usize,
}

impl Decoding<'_> {
    /// One value; `None` for what stands for nothing.
    fn value(&self, kind: &Kind, wire: Wire<'_>) -> Result<Option<Value>, DecodeError> {
        let field = self.field;
        Ok(Some(match kind {
            Kind::Text => wire.text(field)?.into(),
            Kind::Bool => (wire.number(field)? != 0).into(),
            Kind::Integer => wire.number(field)?.cast_signed().into(),
            Kind::Double => self.double(wire)?,
            Kind::Bytes => special::bytes(wire.bytes(field)?),
            Kind::Quantity => special::quantity(field, wire.bytes(field)?)?,
            Kind::Time => return special::time(field, wire.bytes(field)?, false),
            Kind::MicroTime => return special::time(field, wire.bytes(field)?, true),
            Kind::IntOrString => special::int_or_string(field, wire.bytes(field)?)?,
            Kind::Raw => return special::raw(field, wire.bytes(field)?),
            Kind::Texts => special::texts(field, wire.bytes(field)?, 1)?,
            Kind::SchemaOrArray => self.schema_or(wire, Beside::Schemas)?,
            Kind::SchemaOrBool => self.schema_or(wire, Beside::Allows)?,
            Kind::SchemaOrTexts => self.schema_or(wire, Beside::Texts)?,
            Kind::Message(id) => message(self.table, *id, wire.bytes(field)?, self.depth)?,
            Kind::List(_) | Kind::Map(_) => return Err(DecodeError::WrongType(field.to_owned())),
        }))
    }

    fn double(&self, wire: Wire<'_>) -> Result<Value, DecodeError> {
        let Wire::Fixed64(bits) = wire else { return Err(DecodeError::WrongType(self.field.to_owned())) };
        let number = f64::from_bits(bits);
        // `minimum: 1` is written as 1 in JSON, not as 1.0.
        let whole = number.fract() == 0.0 && number.abs() < 9e15;
        #[expect(clippy::cast_possible_truncation, reason = "a whole number that a double holds exactly")]
        let number = if whole { Some(Number::from(number as i64)) } else { Number::from_f64(number) };
        number.map(Value::Number).ok_or_else(|| DecodeError::WrongType(self.field.to_owned()))
    }

    fn schema_or(&self, wire: Wire<'_>, beside: Beside) -> Result<Value, DecodeError> {
        special::schema_or(self.table, self.field, wire.bytes(self.field)?, beside, self.depth)
    }

    /// One more element of a list; numbers may come packed.
    fn push(&self, list: &mut Value, of: &Kind, wire: Wire<'_>) -> Result<(), DecodeError> {
        let Value::Array(items) = list else { return Ok(()) };
        if let (Kind::Integer, Wire::Bytes(packed)) = (of, wire) {
            let mut reader = Reader::new(packed);
            while let Some(number) = reader.packed()? {
                items.push(number.cast_signed().into());
            }
            return Ok(());
        }
        items.extend(self.value(of, wire)?);
        Ok(())
    }

    /// One more entry of a map: key 1, value 2.
    fn insert(
        &self,
        object: &mut Map<String, Value>,
        name: &str,
        of: &Kind,
        entry: &[u8],
    ) -> Result<(), DecodeError> {
        let (mut key, mut value) = ("", None);
        let mut reader = Reader::new(entry);
        while let Some((number, wire)) = reader.field()? {
            match number {
                1 => key = wire.text(name)?,
                2 => value = self.value(of, wire)?,
                _ => {}
            }
        }
        let value = match value {
            Some(value) => value,
            // A value that is not written is the type's zero.
            None => match of {
                Kind::Text | Kind::Bytes => "".into(),
                Kind::Message(id) => message(self.table, *id, &[], self.depth)?,
                Kind::Texts => Value::Array(Vec::new()),
                Kind::Integer => 0.into(),
                _ => Value::Null,
            },
        };
        let map = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(map) = map {
            map.insert(key.to_owned(), value);
        }
        Ok(())
    }
}
