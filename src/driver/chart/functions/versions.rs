//! Semantic versions, and constraints on them: the rules of Masterminds' semver 3.3.0.

use std::rc::Rc;

use super::super::value::{Object, Value};
use super::Kind::Text;
use super::arguments::{Answer, fixed, text};
use super::{Entry, Surroundings, entry};

mod constraint;
mod version;

pub use constraint::Constraints;
pub use version::Version;

pub(super) const TABLE: &[Entry] =
    &[entry("semver", &[Text], semver), entry("semverCompare", &[Text, Text], semver_compare)];

fn semver(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    Ok(Value::Object(Rc::new(Version::parse(&text(given)?)?)))
}

fn semver_compare(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [constraint, version] = fixed(arguments)?;
    let constraints = Constraints::parse(&text(constraint)?)?;
    Ok(Value::Bool(constraints.allow(&Version::parse(&text(version)?)?)))
}

impl Object for Version {
    fn type_name(&self) -> &'static str {
        "*semver.Version"
    }

    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        Some(Ok(match name {
            "Major" => Value::Int(self.major as i64),
            "Minor" => Value::Int(self.minor as i64),
            "Patch" => Value::Int(self.patch as i64),
            "Prerelease" => Value::text(&self.prerelease),
            "Metadata" => Value::text(&self.metadata),
            "Original" => Value::text(&self.original),
            "String" => Value::text(self.to_string()),
            "IncMajor" | "IncMinor" | "IncPatch" => Value::Object(Rc::new(self.increased(name))),
            _ => return None,
        }))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let changed = |version: Result<Self, String>| version.map(|version| Value::Object(Rc::new(version)));
        match (name, arguments) {
            ("SetPrerelease", [Value::Text(text)]) => return Some(changed(self.with_prerelease(text))),
            ("SetMetadata", [Value::Text(text)]) => return Some(changed(self.with_metadata(text))),
            _ => {}
        }
        let [Value::Object(other)] = arguments else { return None };
        if other.type_name() != self.type_name() {
            return None;
        }
        let order = self.cmp(&Self::parse(&other.print()).ok()?);
        Some(Ok(match name {
            "Compare" => Value::Int(order as i64),
            "LessThan" => Value::Bool(order.is_lt()),
            "LessThanEqual" => Value::Bool(order.is_le()),
            "GreaterThan" => Value::Bool(order.is_gt()),
            "GreaterThanEqual" => Value::Bool(order.is_ge()),
            "Equal" => Value::Bool(order.is_eq()),
            _ => return None,
        }))
    }

    fn print(&self) -> String {
        self.to_string()
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::text(self.to_string()))
    }
}
