//! The bindings of roles.

use serde_json::Value;

use super::column::{Cell, Column, Row};
use super::text::field;

/// The columns of role bindings, in a namespace or not.
pub const ROLE_BINDINGS: &[Column] = &[
    Column::name(),
    Column::new("Role", "The role that is given.", Cell::Made(role)),
    Column::age(),
    Column::new("Users", "The users who have it.", Cell::Made(|row| subjects(row, "User"))).wide(),
    Column::new("Groups", "The groups that have it.", Cell::Made(|row| subjects(row, "Group"))).wide(),
    Column::new(
        "ServiceAccounts",
        "The service accounts that have it.",
        Cell::Made(|row| subjects(row, ACCOUNT)),
    )
    .wide(),
];

const ACCOUNT: &str = "ServiceAccount";

fn role(row: &Row<'_>) -> Value {
    Value::from(format!("{}/{}", row.text("/roleRef/kind"), row.text("/roleRef/name")))
}

fn subjects(row: &Row<'_>, kind: &str) -> Value {
    let name = |subject: &Value| match kind {
        ACCOUNT if !field(subject, "namespace").is_empty() => {
            format!("{}/{}", field(subject, "namespace"), field(subject, "name"))
        }
        _ => field(subject, "name").to_owned(),
    };
    let subjects = row.items("/subjects").iter().filter(|subject| field(subject, "kind") == kind);
    Value::from(subjects.map(name).collect::<Vec<_>>().join(", "))
}
