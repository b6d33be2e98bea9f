//! The entries of `metadata.managedFields`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::set::FieldSet;

/// Above this many `Update` entries, the oldest are united under [`ANCIENT`].
const MAX_UPDATE_ENTRIES: usize = 10;
const ANCIENT: &str = "ancient-changes";

/// How an entry came to its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Create, update or another patch.
    Update,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Who owns which fields, how, and since when.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The field manager.
    pub manager: String,
    /// How.
    pub operation: Operation,
    /// In which version of the type.
    pub api_version: String,
    /// Through which subresource; empty for the object itself.
    pub subresource: String,
    /// When it last changed, in seconds.
    pub time: Option<Timestamp>,
    /// The fields.
    pub fields: FieldSet,
}

impl Entry {
    /// Whether two entries are the same one. An applier stays the same when its version changes.
    pub fn is(&self, other: &Self) -> bool {
        self.manager == other.manager
            && self.operation == other.operation
            && self.subresource == other.subresource
            && (self.operation == Operation::Apply || self.api_version == other.api_version)
    }

    fn read(entry: &Value) -> Option<Self> {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let operation = match entry["operation"].as_str()? {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return None,
        };
        if entry["fieldsType"] != "FieldsV1" || text("apiVersion").is_empty() {
            return None;
        }
        Some(Self {
            manager: text("manager"),
            operation,
            api_version: text("apiVersion"),
            subresource: text("subresource"),
            time: entry["time"].as_str().and_then(|time| time.parse().ok()),
            fields: FieldSet::from_fields_v1(&entry["fieldsV1"]),
        })
    }

    fn write(&self) -> Value {
        let mut entry = json!({
            "manager": self.manager, "operation": self.operation.name(), "apiVersion": self.api_version,
            "fieldsType": "FieldsV1", "fieldsV1": self.fields.to_fields_v1(),
        });
        if let Some(time) = self.time {
            entry["time"] = json!(seconds(time).to_string());
        }
        if !self.subresource.is_empty() {
            entry["subresource"] = json!(self.subresource);
        }
        entry
    }
}

/// Times of the API have whole seconds.
fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// All entries of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Managed {
    /// In no particular order.
    pub entries: Vec<Entry>,
}

impl Managed {
    /// Of a live object. `None` when an entry cannot be read.
    pub fn read(object: &Value) -> Option<Self> {
        let entries = object["metadata"]["managedFields"].as_array().map_or(&[][..], Vec::as_slice);
        let entries: Option<Vec<Entry>> = entries.iter().map(Entry::read).collect();
        entries.map(|entries| Self { entries })
    }

    /// Of a live object; none when they cannot be read.
    pub fn read_or_none(object: &Value) -> Self {
        Self::read(object).unwrap_or_default()
    }

    /// Unites an entry with the one it is, or adds it.
    pub fn unite(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|known| known.is(&entry)) {
            Some(known) => {
                known.fields = known.fields.union(&entry.fields);
                known.time = entry.time;
            }
            None => self.entries.push(entry),
        }
    }

    /// Takes fields from every entry but that of `except`.
    pub fn take(&mut self, fields: &FieldSet, except: Option<&Entry>) {
        for entry in &mut self.entries {
            if !except.is_some_and(|except| except.is(entry)) {
                entry.fields = entry.fields.difference(fields);
            }
        }
    }

    /// Writes the entries into the object: without what is never owned, without empty ones, capped, sorted as a real server sorts.
    pub fn write(mut self, object: &mut Value) {
        let never = never_owned();
        for entry in &mut self.entries {
            entry.fields = entry.fields.difference(&never);
        }
        self.entries.retain(|entry| !entry.fields.is_empty());
        self.cap();
        self.entries.sort_by_key(|entry| {
            let time = entry.time.map_or(0, Timestamp::as_second);
            (
                entry.operation,
                time,
                entry.manager.clone(),
                entry.api_version.clone(),
                entry.subresource.clone(),
            )
        });
        let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
        if self.entries.is_empty() {
            metadata.remove("managedFields");
        } else {
            let entries = self.entries.iter().map(Entry::write).collect();
            metadata.insert("managedFields".to_owned(), Value::Array(entries));
        }
    }

    /// Unites the oldest updates, version by version, until few enough are left.
    fn cap(&mut self) {
        let (mut updates, mut entries): (Vec<_>, Vec<_>) =
            self.entries.drain(..).partition(|entry| entry.operation == Operation::Update);
        updates.sort_by_key(|entry| (entry.time, entry.manager.clone()));
        while updates.len() > MAX_UPDATE_ENTRIES {
            let is_mate = |one: &Entry, other: &Entry| one.api_version == other.api_version;
            let pair = (0..updates.len()).find_map(|first| {
                let second =
                    (first + 1..updates.len()).find(|second| is_mate(&updates[first], &updates[*second]))?;
                Some((first, second))
            });
            let Some((first, second)) = pair else { break };
            let newer = updates.remove(second);
            let older = &mut updates[first];
            older.fields = older.fields.union(&newer.fields);
            older.time = newer.time;
            older.manager = ANCIENT.to_owned();
            older.subresource = String::new();
        }
        entries.append(&mut updates);
        self.entries = entries;
    }
}

/// What nobody owns: the type, the name, and what the server itself writes.
pub fn never_owned() -> FieldSet {
    FieldSet::from_fields_v1(&json!({
        "f:apiVersion": {}, "f:kind": {},
        "f:metadata": {
            ".": {}, "f:name": {}, "f:namespace": {}, "f:creationTimestamp": {}, "f:selfLink": {}, "f:uid": {},
            "f:clusterName": {}, "f:generation": {}, "f:managedFields": {}, "f:resourceVersion": {},
        },
    }))
}

/// Whether the client asked to forget all entries: exactly one, empty.
pub fn is_reset(object: &Value) -> bool {
    object["metadata"]["managedFields"] == json!([{}])
}
