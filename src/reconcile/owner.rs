//! Which deployment an object belongs to, by the labels that it carries.

use crate::domain::labels;

/// A deployment, as the labels of an object name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    /// Its environment. An object of the whole cluster may belong to a deployment of the same name in another one.
    pub environment: String,
    /// Its name.
    pub deployment: String,
}

impl Owner {
    /// The owner that the labels name; none when they name no deployment. Without a label for it the environment is `here`.
    pub fn of<'a>(label: impl Fn(&str) -> Option<&'a str>, here: &str) -> Option<Self> {
        let deployment = label(labels::DEPLOYMENT)?.to_owned();
        let environment = label(labels::ENVIRONMENT).unwrap_or(here).to_owned();
        Some(Self { environment, deployment })
    }
}
