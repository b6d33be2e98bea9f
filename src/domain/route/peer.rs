//! Who may connect to pods, as people name them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Block;
use crate::domain::names::check_label;

/// Who may reach pods, or be reached by them. As in a NetworkPolicy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    /// Pods of a namespace (`*`: of every one); of all of them, or those with these labels.
    Namespace {
        /// Its name.
        name: String,
        /// Labels of the pods; empty: all.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pods: BTreeMap<String, String>,
    },
    /// A block of addresses, such as `10.0.0.0/8`.
    Cidr(String),
}

impl fmt::Display for Peer {
    /// `namespace:monitoring`, `namespace:monitoring app=prometheus,team=blue`, `cidr:10.0.0.0/8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cidr(block) => write!(f, "cidr:{block}"),
            Self::Namespace { name, pods } => {
                write!(f, "namespace:{name}")?;
                let labels = pods.iter().enumerate();
                labels.into_iter().try_for_each(|(at, (key, value))| {
                    let lead = if at == 0 { ' ' } else { ',' };
                    write!(f, "{lead}{key}={value}")
                })
            }
        }
    }
}

impl FromStr for Peer {
    /// Why it is none.
    type Err = String;

    /// Reads it as it is shown; labels may have spaces between them as well.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(block) = text.strip_prefix("cidr:") {
            let block = block.trim();
            return Block::read(block).map(|_| Self::Cidr(block.to_owned()));
        }
        let Some(rest) = text.strip_prefix("namespace:") else {
            return Err("it is neither namespace:NAME nor cidr:BLOCK".to_owned());
        };
        let (name, labels) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        if name != "*" {
            check_label("namespace", name).map_err(|problem| problem.why)?;
        }
        let pods = labels.split([',', ' ']).filter(|label| !label.is_empty()).map(label);
        Ok(Self::Namespace { name: name.to_owned(), pods: pods.collect::<Result<_, _>>()? })
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let pair = pair.map(|(key, value)| (key.to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("'{text}' is no KEY=VALUE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_read_as_it_is_shown() {
        for text in [
            "namespace:monitoring",
            "namespace:*",
            "namespace:monitoring app=prometheus",
            "namespace:* app.kubernetes.io/name=x,role=",
            "cidr:10.0.0.0/8",
            "cidr:fd00::/8",
        ] {
            assert_eq!(text.parse::<Peer>().unwrap().to_string(), text);
        }
        let spaced: Peer = " namespace: a  x=1  y=2, z=3 ".parse().unwrap();
        assert_eq!(spaced.to_string(), "namespace:a x=1,y=2,z=3");
        for (wrong, why) in [
            ("monitoring", "neither namespace:"),
            ("", "neither namespace:"),
            ("namespace:", "empty"),
            ("namespace:No", "not allowed"),
            ("namespace:a x", "'x' is no KEY=VALUE"),
            ("namespace:a =x", "no KEY=VALUE"),
            ("cidr:", "no block"),
            ("cidr:10.0.0.1", "10.0.0.1/32"),
        ] {
            let told = wrong.parse::<Peer>().unwrap_err();
            assert!(told.contains(why), "{wrong}: {told}");
        }
    }
}
