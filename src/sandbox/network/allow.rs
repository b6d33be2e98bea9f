//! Lists of the addresses that may come in: of an Ingress, and of a Service of type LoadBalancer.

use std::net::IpAddr;

use serde_json::Value;

use super::cidr::{Cidr, NoCidr};
use crate::sandbox::object;

/// The annotation of an Ingress of the sandbox's class that names the blocks from which it may be asked, with commas between.
pub const ALLOW_LIST: &str = "sandbox.styrmin.io/allow-list";

/// Who may come in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AllowList {
    /// There is no list.
    #[default]
    Everyone,
    /// Addresses of these blocks.
    Only {
        /// The blocks.
        blocks: Vec<Cidr>,
        /// The blocks as they were written.
        text: String,
    },
    /// Nobody, as long as this is in the list.
    Malformed(NoCidr),
}

impl AllowList {
    /// The list of an Ingress.
    pub fn of_ingress(ingress: &Value) -> Self {
        match object::annotation(ingress, ALLOW_LIST) {
            None => Self::Everyone,
            Some(text) => Self::parse(text.split(',').map(str::trim)),
        }
    }

    /// `loadBalancerSourceRanges` of a Service; an empty list is none.
    pub fn of_service(service: &Value) -> Self {
        match object::list(service, "/spec/loadBalancerSourceRanges") {
            [] => Self::Everyone,
            ranges => Self::parse(ranges.iter().map(|range| range.as_str().unwrap_or_default().trim())),
        }
    }

    fn parse<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Self {
        match words.clone().map(str::parse).collect() {
            Ok(blocks) => Self::Only { blocks, text: words.collect::<Vec<_>>().join(", ") },
            Err(wrong) => Self::Malformed(wrong),
        }
    }

    /// Why an address may not come in, in words; `None` when it may.
    pub fn refusal(&self, address: IpAddr) -> Option<String> {
        match self {
            Self::Everyone => None,
            Self::Only { blocks, text } => {
                let outside = !blocks.iter().any(|block| block.contains(address));
                outside
                    .then(|| format!("Your address {} is not in its list: {text}.", address.to_canonical()))
            }
            Self::Malformed(wrong) => {
                Some(format!("Its list cannot be read: {wrong}. Until it can, nobody comes in."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(text: &str) -> AllowList {
        AllowList::of_ingress(&json!({"metadata": {"annotations": {ALLOW_LIST: text}}}))
    }

    fn lets_in(list: &AllowList, address: &str) -> bool {
        list.refusal(address.parse().unwrap()).is_none()
    }

    #[test]
    fn only_listed_addresses_come_in() {
        let list = of("10.0.0.0/8, 127.0.0.2,::1");
        assert!(lets_in(&list, "127.0.0.2") && lets_in(&list, "10.9.9.9") && lets_in(&list, "::1"));
        let why = list.refusal("127.0.0.1".parse().unwrap()).unwrap();
        assert_eq!(why, "Your address 127.0.0.1 is not in its list: 10.0.0.0/8, 127.0.0.2, ::1.");
        assert!(lets_in(&AllowList::of_ingress(&json!({})), "192.0.2.1"));
    }

    #[test]
    fn a_list_that_cannot_be_read_lets_nobody_in() {
        for text in ["", "10.0.0.0/8,", "127.0.0.1/40", "everyone"] {
            let why = of(text).refusal("127.0.0.1".parse().unwrap());
            assert!(why.is_some_and(|why| why.contains("cannot be read")), "{text}");
        }
    }

    #[test]
    fn a_balancer_without_ranges_is_open() {
        assert!(lets_in(
            &AllowList::of_service(&json!({"spec": {"loadBalancerSourceRanges": []}})),
            "192.0.2.1"
        ));
        let service = json!({"spec": {"loadBalancerSourceRanges": ["127.0.0.0/24"]}});
        assert!(!lets_in(&AllowList::of_service(&service), "192.0.2.1"));
    }
}
