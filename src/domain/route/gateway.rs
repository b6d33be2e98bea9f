//! The Gateway that HTTPRoutes attach to, as people name it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::names::check_label;

/// Names a Gateway, and one of its listeners where that matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GatewayRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The listener; none: every one that takes the route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Whether that listener (or one of them) speaks https: then URLs begin so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub https: bool,
}

impl GatewayRef {
    /// Whether both name the same, and the same listener of it. Whether that speaks https is found out, and no part of the name.
    pub fn is_same(&self, other: &Self) -> bool {
        let names = |it: &Self| (it.namespace.clone(), it.name.clone(), it.section.clone());
        names(self) == names(other)
    }

    /// The Gateway without the listener, `namespace/name`: what an HTTPRoute has for its class.
    pub fn whole(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl fmt::Display for GatewayRef {
    /// `namespace/name`, and `/listener` where one is named.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)?;
        self.section.iter().try_for_each(|section| write!(f, "/{section}"))
    }
}

impl FromStr for GatewayRef {
    /// Why it is none.
    type Err = String;

    /// Reads it as it is shown. Whether its listener speaks https the cluster knows.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').map(str::trim).collect();
        let (namespace, name, section) = match parts.as_slice() {
            [namespace, name] => (*namespace, *name, None),
            [namespace, name, section] => (*namespace, *name, Some((*section).to_owned())),
            _ => return Err("it is no NAMESPACE/NAME".to_owned()),
        };
        if parts.iter().any(|part| part.is_empty()) {
            return Err("a part of it is missing: NAMESPACE/NAME, or NAMESPACE/NAME/LISTENER".to_owned());
        }
        check_label("namespace", namespace).map_err(|problem| problem.why)?;
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned(), section, https: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_read_as_it_is_shown() {
        for text in ["infra/public", "infra/public/https", "infra/my.gateway/web"] {
            let read: GatewayRef = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
            assert!(!read.https);
        }
        let spaced: GatewayRef = " infra / public / https ".parse().unwrap();
        assert_eq!(
            (spaced.to_string().as_str(), spaced.whole().as_str()),
            ("infra/public/https", "infra/public")
        );
        for (wrong, why) in [
            ("", "no NAMESPACE/NAME"),
            ("public", "no NAMESPACE/NAME"),
            ("a/b/c/d", "no NAMESPACE/NAME"),
            ("/b", "missing"),
            ("a/b/", "missing"),
            ("A/b", "not allowed"),
        ] {
            let told = wrong.parse::<GatewayRef>().unwrap_err();
            assert!(told.contains(why), "{wrong}: {told}");
        }
    }

    #[test]
    fn https_is_no_part_of_the_name() {
        let one: GatewayRef = "infra/public/web".parse().unwrap();
        assert!(one.is_same(&GatewayRef { https: true, ..one.clone() }));
        for other in ["infra/public", "infra/public/api", "infra/inner/web", "demo/public/web"] {
            assert!(!one.is_same(&other.parse().unwrap()), "{other}");
        }
    }
}
