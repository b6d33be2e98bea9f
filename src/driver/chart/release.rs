//! `.Release`: what is being installed or upgraded.

use super::value::Value;

/// What is being installed or upgraded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its name, which most objects' names begin with.
    pub name: String,
    /// The namespace that it is deployed to.
    pub namespace: String,
    /// How often it has been deployed, this time included.
    pub revision: u32,
    /// It was there before.
    pub is_upgrade: bool,
}

impl Release {
    /// `.Release`.
    pub(super) fn object(&self) -> Value {
        Value::dict([
            ("Name", Value::text(&self.name)),
            ("Namespace", Value::text(&self.namespace)),
            ("Revision", Value::Int(i64::from(self.revision))),
            ("IsUpgrade", Value::Bool(self.is_upgrade)),
            ("IsInstall", Value::Bool(!self.is_upgrade)),
            // Charts compare it with this very word.
            ("Service", Value::text("Helm")),
        ])
    }
}
