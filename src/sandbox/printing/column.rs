//! A column: what its heading says, and where its cells come from.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::duration;

/// The object of a row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The object.
    pub object: &'a Value,
    /// The present moment, by which ages are told.
    pub now: Timestamp,
}

impl<'a> Row<'a> {
    /// The text at a JSON pointer, empty when there is none.
    pub fn text(&self, pointer: &str) -> &'a str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or("")
    }

    /// The number at a JSON pointer, 0 when there is none.
    pub fn number(&self, pointer: &str) -> i64 {
        self.object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
    }

    /// The boolean at a JSON pointer.
    pub fn flag(&self, pointer: &str) -> Option<bool> {
        self.object.pointer(pointer).and_then(Value::as_bool)
    }

    /// The items of the array at a JSON pointer.
    pub fn items(&self, pointer: &str) -> &'a [Value] {
        self.object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The texts of the array at a JSON pointer.
    pub fn texts(&self, pointer: &str) -> Vec<&'a str> {
        self.items(pointer).iter().filter_map(Value::as_str).collect()
    }

    /// Whether the object is about to go.
    pub fn is_deleting(&self) -> bool {
        !self.text("/metadata/deletionTimestamp").is_empty()
    }

    /// How long ago the moment at a JSON pointer was; `<unknown>` when there is none.
    pub fn since(&self, pointer: &str) -> String {
        duration::since(self.text(pointer), self.now)
    }
}

/// Where the cells of a column come from.
#[derive(Debug, Clone, Copy)]
pub enum Cell {
    /// The text at a JSON pointer, or the second text when it is absent or empty.
    Text(&'static str, &'static str),
    /// The number at a JSON pointer, or 0.
    Number(&'static str),
    /// How many items or entries there are at a JSON pointer.
    Count(&'static str),
    /// How long ago the moment at a JSON pointer was.
    Since(&'static str),
    /// Something else.
    Made(fn(&Row<'_>) -> Value),
}

/// A column of a Table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    name: &'static str,
    kind: &'static str,
    format: &'static str,
    description: &'static str,
    priority: u8,
    cell: Cell,
}

/// The columns of a kind that has no printer of its own.
pub const NAME_AND_AGE: &[Column] = &[Column::name(), Column::age()];

/// The columns that the generic table converter of a real server makes.
pub const NAME_AND_CREATION: &[Column] = &[
    Column::name(),
    Column::new(
        "Created At",
        "When the server created the object.",
        Cell::Text("/metadata/creationTimestamp", "<unknown>"),
    )
    .of_type("date"),
];

impl Column {
    /// A column of texts that is always shown.
    pub const fn new(name: &'static str, description: &'static str, cell: Cell) -> Self {
        Self { name, kind: "string", format: "", description, priority: 0, cell }
    }

    /// The object's name.
    pub const fn name() -> Self {
        Self::new("Name", "The name of the object.", Cell::Text("/metadata/name", "")).of_format("name")
    }

    /// The time since its creation.
    pub const fn age() -> Self {
        Self::new("Age", "The time since the object was created.", Cell::Since("/metadata/creationTimestamp"))
    }

    /// The same column with this type.
    pub const fn of_type(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// The same column with this format.
    pub const fn of_format(self, format: &'static str) -> Self {
        Self { format, ..self }
    }

    /// The same column, shown in wide output only.
    pub const fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }

    /// Its `TableColumnDefinition`.
    pub fn definition(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        })
    }

    /// Its cell in a row.
    pub fn value(&self, row: &Row<'_>) -> Value {
        match self.cell {
            Cell::Text(pointer, missing) => match row.text(pointer) {
                "" => Value::from(missing),
                text => Value::from(text),
            },
            Cell::Number(pointer) => Value::from(row.number(pointer)),
            Cell::Count(pointer) => Value::from(count(row.object.pointer(pointer))),
            Cell::Since(pointer) => Value::from(row.since(pointer)),
            Cell::Made(make) => make(row),
        }
    }
}

/// How many items or entries a value has.
pub fn count(value: Option<&Value>) -> usize {
    match value {
        Some(Value::Array(items)) => items.len(),
        Some(Value::Object(entries)) => entries.len(),
        _ => 0,
    }
}
